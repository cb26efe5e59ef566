"""A selection problem as a CP-SAT model, row by row: the plain reading, nothing of the search.

Whole numbers throughout. A parcel restored in part is counted in units of 0.01 ha, and what it
costs, ``cost · units / capacity``, is compared as the fraction it is: the row is multiplied by the
least common multiple of its denominators, and where that is too large for 64 bits it is split into
limbs with carries, as one adds by hand. Nothing is rounded, for or against.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import csc_array

from siteselect.problem import NO_LOWER, NO_UPPER, SelectionProblem, Workforce

LARGEST = 2**60
"""CP-SAT wants sums that stay well inside 64 bits."""
weighted = cp_model.LinearExpr.weighted_sum


@dataclass(frozen=True, eq=False)
class Term:
    """A factor, a variable from 0 to ``most``, and what the factor is divided by."""

    factor: int
    variable: cp_model.IntVar
    most: int = 1
    divisor: int = 1


@dataclass(frozen=True, eq=False)
class PlainModel:
    """The model and its variables.

    Attributes
    ----------
    chosen
        0 or 1 for each column of the problem.
    restored
        Units of 0.01 ha of each parcel or, where parcels are whole, 0 or 1.
    value
        What is maximised: scores, weights of the demand reached, worth of the jobs filled.
    """

    model: cp_model.CpModel
    chosen: list[cp_model.IntVar]
    restored: list[cp_model.IntVar]
    value: cp_model.LinearExpr


def plain_model(problem: SelectionProblem) -> PlainModel:
    """The complete model of a problem: every row of ``problem.rows()``, and its objective."""
    model = cp_model.CpModel()
    chosen = [model.new_bool_var(f"x{j}") for j in range(problem.n_columns)]
    whole = problem.parcels.whole
    units = problem.parcels.capacity.tolist()
    restored = [
        model.new_bool_var(f"z{r}") if whole else model.new_int_var(0, most, f"z{r}")
        for r, most in enumerate(units)
    ]
    rows = problem.rows()
    for row, (low, high) in enumerate(zip(rows.lower.tolist(), rows.upper.tolist(), strict=True)):
        x, z = (slice(*part.indptr[row : row + 2].tolist()) for part in (rows.x, rows.z))
        terms = [
            Term(a, chosen[j])
            for j, a in zip(rows.x.indices[x].tolist(), rows.x.data[x].tolist(), strict=True)
        ]
        for r, b in zip(rows.z.indices[z].tolist(), rows.z.data[z].tolist(), strict=True):
            size = 1 if whole else units[r]
            terms.append(Term(b, restored[r], size, size))
        lower, upper = None if low == NO_LOWER else low, None if high == NO_UPPER else high
        add_row(model, terms, lower, upper)
    worth = [
        *(Term(score, one) for score, one in zip(problem.score.tolist(), chosen, strict=True)),
        *_reached(model, problem, chosen),
        *_filled(model, problem, chosen),
    ]
    value = _sum(worth)
    model.maximize(value)
    return PlainModel(model, chosen, restored, value)


# ---- rows ------------------------------------------------------------------------------------


def add_row(
    model: cp_model.CpModel, terms: Sequence[Term], lower: int | None, upper: int | None
) -> None:
    """One row: lower ≤ Σ factor / divisor · variable ≤ upper, exactly."""
    terms = [one for one in terms if one.factor and one.most]
    if lower is None and upper == 1 and all(_is_unit(one) for one in terms):
        model.add_at_most_one([one.variable for one in terms])
        return
    scale = math.lcm(*(one.divisor // math.gcd(one.factor, one.divisor) for one in terms))
    whole = [Term(one.factor * scale // one.divisor, one.variable, one.most) for one in terms]
    low, high = (None if bound is None else bound * scale for bound in (lower, upper))
    bounds = [abs(bound) for bound in (low, high) if bound is not None]
    if _reach(whole) + max(bounds, default=0) < LARGEST:
        _add_small(model, whole, low, high)
        return
    if high is not None:
        _add_in_limbs(model, whole, high)
    if low is not None:
        _add_in_limbs(model, [Term(-one.factor, one.variable, one.most) for one in whole], -low)


def _sum(terms: Sequence[Term]) -> cp_model.LinearExpr:
    return weighted([one.variable for one in terms], [one.factor for one in terms])


def _is_unit(one: Term) -> bool:
    return one.factor == one.most == one.divisor == 1


def _reach(terms: Sequence[Term]) -> int:
    """No sum of these terms is further from 0."""
    return sum(abs(one.factor) * one.most for one in terms)


def _add_small(
    model: cp_model.CpModel, terms: Sequence[Term], low: int | None, high: int | None
) -> None:
    least, most = -LARGEST if low is None else low, LARGEST if high is None else high
    if terms:
        model.add_linear_constraint(_sum(terms), least, most)
    elif not least <= 0 <= most:
        model.add_bool_or([])


def _add_in_limbs(model: cp_model.CpModel, terms: Sequence[Term], upper: int) -> None:
    """Σ factor · variable ≤ upper for integers of any size.

    With factor = high · base + low, and the bound likewise, it holds when and only when some
    integer ``carry`` has Σ low · variable ≤ base · carry + low bound and Σ high · variable + carry
    ≤ high bound.

    Raises
    ------
    OverflowError
        When the variables alone leave no room for limbs.
    """
    left = list(terms)
    while _reach(left) + abs(upper) >= LARGEST:
        base = LARGEST // (4 * sum(one.most for one in left) + 4)
        if base < 2:
            raise OverflowError("variables too large for CP-SAT")
        low = [Term(one.factor % base, one.variable, one.most) for one in left]
        upper, rest = divmod(upper, base)
        most = max(0, -((rest - _reach(low)) // base))
        carry = model.new_int_var(0, most, "carry")
        _add_small(model, [*low, Term(-base, carry, most)], None, rest)
        left = [Term(one.factor // base, one.variable, one.most) for one in left]
        left = [one for one in (*left, Term(1, carry, most)) if one.factor]
    _add_small(model, left, None, upper)


# ---- what sites share ------------------------------------------------------------------------


def _reached(
    model: cp_model.CpModel, problem: SelectionProblem, chosen: list[cp_model.IntVar]
) -> list[Term]:
    """One variable a point, with its weight: 1 only where a chosen site reaches it.

    Points reached by the same sites are one point.
    """
    cover = problem.coverage
    if cover is None:
        return []
    by_point = csc_array(cover.matrix())
    weight: dict[tuple[int, ...], int] = {}
    for i in np.flatnonzero(cover.weights).tolist():
        own = by_point.indices[by_point.indptr[i] : by_point.indptr[i + 1]]
        key = tuple(np.sort(own).tolist())
        weight[key] = weight.get(key, 0) + int(cover.weights[i])
    of_site = _columns_of(problem)
    reached: list[Term] = []
    for sites, worth in weight.items():
        point = model.new_bool_var("y")
        model.add_bool_or([*(chosen[j] for s in sites for j in of_site[s]), ~point])
        reached.append(Term(worth, point))
    return reached


def _filled(
    model: cp_model.CpModel, problem: SelectionProblem, chosen: list[cp_model.IntVar]
) -> list[Term]:
    """One whole flow from each commune to each site within reach of it, a worker worth the value.

    Communes within reach of the same sites are one commune.
    """
    force = problem.workforce
    if force is None:
        return []
    of_site = _columns_of(problem)
    jobs = force.jobs.tolist()
    into: list[list[cp_model.IntVar]] = [[] for _ in range(problem.n_sites)]
    flows: list[cp_model.IntVar] = []
    for sites, supply in _merged_communes(force).items():
        out = []
        for s in sites:
            most = min(supply, max((jobs[j] for j in of_site[s]), default=0))
            flow = model.new_int_var(0, most, "f")
            into[s].append(flow)
            out.append(flow)
        model.add(cp_model.LinearExpr.sum(out) <= supply)
        flows.extend(out)
    for s, arriving in enumerate(into):
        if arriving:
            own = of_site[s]
            offered = weighted([chosen[j] for j in own], [jobs[j] for j in own])
            model.add(cp_model.LinearExpr.sum(arriving) <= offered)
    return [Term(force.value, flow) for flow in flows]


def _merged_communes(force: Workforce) -> dict[tuple[int, ...], int]:
    """Sites within reach → workers of the communes that have just these."""
    by_commune = csc_array(force.matrix())
    workers: dict[tuple[int, ...], int] = {}
    for i in np.flatnonzero(force.supply).tolist():
        own = by_commune.indices[by_commune.indptr[i] : by_commune.indptr[i + 1]]
        key = tuple(np.sort(own).tolist())
        if key:
            workers[key] = workers.get(key, 0) + int(force.supply[i])
    return workers


def _columns_of(problem: SelectionProblem) -> list[list[int]]:
    """Columns of each site."""
    of_site: list[list[int]] = [[] for _ in range(problem.n_sites)]
    for j, site in enumerate(problem.site.tolist()):
        of_site[site].append(j)
    return of_site
