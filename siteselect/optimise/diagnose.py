"""Why nothing is feasible: quick checks, then a smallest set of constraints in conflict.

A set is shown only when it was solved again and found infeasible, and when the set without any
one of its members was solved and found feasible (QuickXplain, Junker 2004).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from siteselect.messages import Msg
from siteselect.optimise.conflicts import Bools
from siteselect.optimise.model import compile_model, least_value
from siteselect.optimise.packing import packed_too_tightly
from siteselect.optimise.root import sift
from siteselect.optimise.stop import NEVER_STOP, Stop, stop_at
from siteselect.problem import (
    Budget,
    Conflicts,
    Constraint,
    Group,
    Ledger,
    Locks,
    SelectionProblem,
    Separation,
    TotalArea,
)
from siteselect.problem.constraints import Ints
from siteselect.units import AREA_UNITS_PER_HA

ANY_PORTFOLIO = 1e300
"""A gap so wide that the first portfolio found ends the search."""


def quick_checks(problem: SelectionProblem) -> tuple[Msg, ...]:
    """What is impossible on its own, without a solver. Empty proves nothing."""
    usable = _usable(problem)
    sites = len(np.unique(problem.site[usable]))
    found: list[Msg] = []
    if sites < problem.count and not problem.at_most:
        found.append(
            Msg(
                "{wanted} sites are wanted but there are only {given} candidates",
                wanted=problem.count,
                given=sites,
            )
        )
    for one in problem.constraints:
        if isinstance(one, Group):
            found.extend(_group_alone(problem, one, usable))
        elif isinstance(one, TotalArea):
            found.extend(_area_alone(problem, one, usable))
        elif isinstance(one, Budget):
            found.extend(_budget_alone(problem, one, usable))
    tight = packed_too_tightly(problem)
    if tight is not None:
        found.append(
            Msg(
                "{name}: at most {most} sites can be so far apart, {count} are wanted",
                name=tight[0].name,
                most=tight[1],
                count=problem.count,
            )
        )
    return tuple(found)


def _usable(problem: SelectionProblem) -> Bools:
    usable = np.ones(problem.n_columns, bool)
    for one in problem.constraints:
        if isinstance(one, Locks):
            usable &= ~np.isin(problem.site, one.exclude)
    return usable


def _group_alone(problem: SelectionProblem, one: Group, usable: Bools) -> list[Msg]:
    members = one.columns[usable[one.columns]]
    many = len(np.unique(problem.site[members]))
    if many < one.at_least:
        return [
            Msg(
                "{name}: at least {low} wanted, {given} candidates",
                name=one.name,
                low=one.at_least,
                given=many,
            )
        ]
    if one.at_least > problem.count:
        return [
            Msg(
                "{name}: at least {low} wanted, of {count} sites in all",
                name=one.name,
                low=one.at_least,
                count=problem.count,
            )
        ]
    return []


def _best_sum(problem: SelectionProblem, values: Ints, usable: Bools) -> int | None:
    """The greatest sum of one value a site over the number of sites wanted."""
    best = np.full(problem.n_sites, np.iinfo(np.int64).min)
    np.maximum.at(best, problem.site[usable], values[usable])
    known = np.sort(best[best > np.iinfo(np.int64).min])[::-1]
    if problem.at_most:
        known = np.maximum(known, 0)
    elif len(known) < problem.count:
        return None
    total: int = sum(known[: problem.count].tolist())
    return total


def _area_alone(problem: SelectionProblem, one: TotalArea, usable: Bools) -> list[Msg]:
    found = []
    if one.at_least is not None:
        most = _best_sum(problem, one.area, usable)
        if most is not None and most < one.at_least:
            found.append(
                Msg(
                    "{name}: at least {low} ha wanted, the largest sites make {most} ha",
                    name=one.name,
                    low=one.at_least / AREA_UNITS_PER_HA,
                    most=most / AREA_UNITS_PER_HA,
                )
            )
    if one.at_most is not None:
        least = _best_sum(problem, -one.area, usable)
        if least is not None and -least > one.at_most:
            found.append(
                Msg(
                    "{name}: at most {high} ha allowed, the smallest sites make {least} ha",
                    name=one.name,
                    high=one.at_most / AREA_UNITS_PER_HA,
                    least=-least / AREA_UNITS_PER_HA,
                )
            )
    return found


def _budget_alone(problem: SelectionProblem, one: Budget, usable: Bools) -> list[Msg]:
    least = _best_sum(problem, -one.cost_keur, usable)
    if least is None or -least <= one.limit_keur:
        return []
    return [
        Msg(
            "{name}: at most {limit} k€ allowed, the cheapest sites cost {least} k€",
            name=one.name,
            limit=one.limit_keur,
            least=-least,
        )
    ]


def describe(one: Constraint) -> Msg:
    """A constraint with its figures, in the planner's units."""
    if isinstance(one, Group):
        if one.at_most is None:
            return Msg("{name}: at least {low}", name=one.name, low=one.at_least)
        if one.at_least == 0:
            return Msg("{name}: at most {high}", name=one.name, high=one.at_most)
        return Msg(
            "{name}: at least {low}, at most {high}",
            name=one.name,
            low=one.at_least,
            high=one.at_most,
        )
    if isinstance(one, Budget):
        return Msg("{name}: at most {limit} k€", name=one.name, limit=one.limit_keur)
    if isinstance(one, Ledger):
        return Msg("{name}: at most {cap} ha", name=one.name, cap=one.cap / AREA_UNITS_PER_HA)
    if isinstance(one, TotalArea):
        low = "" if one.at_least is None else one.at_least / AREA_UNITS_PER_HA
        high = "" if one.at_most is None else one.at_most / AREA_UNITS_PER_HA
        return Msg("{name}: from {low} to {high} ha", name=one.name, low=low, high=high)
    return Msg("{name}", name=one.name)


def explain_infeasible(problem: SelectionProblem, *, time_limit_s: float = 60.0) -> tuple[Msg, ...]:
    """The reasons why no portfolio exists: what is impossible alone, else the smallest conflict."""
    alone = quick_checks(problem)
    if alone:
        return alone
    conflict = smallest_conflict(problem, time_limit_s=time_limit_s)
    if not conflict:
        return (Msg("{count} sites cannot be chosen among the candidates", count=problem.count),)
    if len(conflict) == 1:
        return (
            Msg(
                "this requirement alone cannot be met for {count} sites: {what}",
                count=problem.count,
                what=describe(conflict[0]),
            ),
        )
    return (
        Msg(
            "these {many} requirements cannot hold together for {count} sites",
            many=len(conflict),
            count=problem.count,
        ),
        *(describe(one) for one in conflict),
    )


def smallest_conflict(
    problem: SelectionProblem, *, time_limit_s: float = 60.0
) -> tuple[Constraint, ...]:
    """A minimal set of constraints that no portfolio satisfies together (QuickXplain).

    Empty when the count alone cannot be met. Out of time, what is left is not minimal but still
    in conflict.
    """
    deadline = time.perf_counter() + time_limit_s
    tester = _Tester(problem, deadline)
    if tester.infeasible(()):
        return ()
    suspects = _by_likelihood(root_conflict(problem, stop_at(deadline)) or problem.constraints)
    if len(suspects) < len(problem.constraints) and not tester.infeasible(suspects):
        suspects = _by_likelihood(problem.constraints)
    kept = _quick_xplain(tester, (), False, suspects)
    order = {id(one): i for i, one in enumerate(problem.constraints)}
    return tuple(sorted(kept, key=lambda one: order[id(one)]))


def root_conflict(problem: SelectionProblem, stop: Stop = NEVER_STOP) -> tuple[Constraint, ...]:
    """Constraints that carry the exact proof of the root relaxation; empty where it has none."""
    model = compile_model(dataclasses.replace(problem, coverage=None))
    root = sift(model, stop=stop)
    if root.bound.value >= least_value(model):
        return ()
    given = root.relaxation.multipliers()
    tiny = 1e-9 * root.relaxation.unit / np.maximum(given.block.largest, 1)
    used = set(model.origin[given.block.rows[np.abs(given.y) > tiny]].tolist())
    cut = any(
        abs(y) > 0 and not one.implicit for one, y in zip(given.cuts, given.cut_y, strict=True)
    )
    return tuple(
        one
        for i, one in enumerate(problem.constraints)
        if i in used or isinstance(one, Locks) or (cut and isinstance(one, Separation | Conflicts))
    )


def _by_likelihood(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Constraints that rarely matter first: QuickXplain drops them together."""
    rank = {"separation": 1, "conflicts": 1, "locks": 2, "ledger": 3, "area": 4, "budget": 5}

    def key(one: Constraint) -> int:
        if isinstance(one, Group):
            return 3 if one.at_least else 0
        return rank.get(one.kind, 3)

    return tuple(sorted(constraints, key=key))


class _Tester:
    """Whether some of the constraints are infeasible together; out of time, it says no."""

    def __init__(self, problem: SelectionProblem, deadline: float) -> None:
        self._problem, self._deadline = problem, deadline

    def infeasible(self, constraints: tuple[Constraint, ...]) -> bool:
        from siteselect.optimise.solve import solve

        left = self._deadline - time.perf_counter()
        if left <= 0:
            return False
        part = dataclasses.replace(self._problem, constraints=constraints, coverage=None)
        tried = solve(part, time_limit_s=left, gap=ANY_PORTFOLIO, ties=False, explain=False)
        return tried.status == "infeasible"


def _quick_xplain(
    tester: _Tester,
    base: tuple[Constraint, ...],
    grown: bool,
    rest: tuple[Constraint, ...],
) -> tuple[Constraint, ...]:
    if grown and tester.infeasible(base):
        return ()
    if len(rest) <= 1:
        return rest
    half = len(rest) // 2
    first, second = rest[:half], rest[half:]
    from_second = _quick_xplain(tester, base + first, True, second)
    from_first = _quick_xplain(tester, base + from_second, bool(from_second), first)
    return from_first + from_second
