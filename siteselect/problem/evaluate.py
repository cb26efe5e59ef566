"""Exact evaluation of a portfolio: Python integers and fractions, nothing of a solver.

A parcel restored in part costs in proportion, so a budget is compared as a fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from siteselect.messages import Msg
from siteselect.problem.constraints import (
    Budget,
    Conflicts,
    Constraint,
    Group,
    Ledger,
    Locks,
    Separation,
    TotalArea,
)
from siteselect.problem.selection import SelectionProblem


def objective(problem: SelectionProblem, columns: Sequence[int]) -> int:
    """Σ of the scores of the columns, of the demand they reach and of the jobs they fill: exact."""
    chosen = [int(j) for j in columns]
    total = sum(int(problem.score[j]) for j in chosen)
    if problem.coverage is not None:
        total += problem.coverage.value(problem.sites_of(chosen))
    if problem.workforce is not None:
        own = np.array(chosen, np.int64)
        jobs = problem.workforce.jobs[own]
        total += problem.workforce.value * problem.workforce.filled(
            problem.site[own].astype(np.int64), jobs
        )
    return total


def restoration_cost(problem: SelectionProblem, restored: Sequence[int]) -> Fraction:
    """Cost in k€ of restoring so many units (0.01 ha) of each parcel, exactly."""
    cost, size = problem.parcels.cost_keur, problem.parcels.capacity
    taken = [(int(cost[r]), int(units), int(size[r])) for r, units in enumerate(restored) if units]
    whole = sum(c for c, units, d in taken if units == d)
    in_part = (Fraction(c * units, d) for c, units, d in taken if units != d)
    return sum(in_part, Fraction(whole))


def violations(
    problem: SelectionProblem, columns: Sequence[int], restored: Sequence[int]
) -> tuple[Msg, ...]:
    """Every requirement that the portfolio breaks, with the figures; empty when feasible.

    ``restored`` holds int[R] units of 0.01 ha.
    """
    chosen = sorted(int(j) for j in columns)
    units = [int(value) for value in restored]
    found = [*_structure(problem, chosen), *_restored(problem, chosen, units)]
    for one in problem.constraints:
        found.extend(_broken(problem, one, chosen, units))
    return tuple(found)


def _structure(problem: SelectionProblem, chosen: list[int]) -> Iterable[Msg]:
    many = len(chosen)
    if many > problem.count or (many < problem.count and not problem.at_most):
        yield Msg("{given} sites chosen, {needed} wanted", given=many, needed=problem.count)
    sites = [int(problem.site[j]) for j in chosen]
    if len(set(sites)) != many:
        yield Msg("a site is chosen twice")


def _restored(problem: SelectionProblem, chosen: list[int], units: list[int]) -> Iterable[Msg]:
    parcels = problem.parcels
    sites = {int(problem.site[j]) for j in chosen}
    for r, amount in enumerate(units):
        capacity = int(parcels.capacity[r])
        if not 0 <= amount <= capacity or (parcels.whole and amount not in (0, capacity)):
            yield Msg("parcel {parcel}: {units} units restored of {capacity}",
                      parcel=r, units=amount, capacity=capacity)  # fmt: skip
        if amount and int(parcels.on_site[r]) in sites:
            yield Msg("parcel {parcel} is restored and built on", parcel=r)


def _broken(
    problem: SelectionProblem, one: Constraint, chosen: list[int], units: list[int]
) -> Iterable[Msg]:
    if isinstance(one, Group):
        members = set(one.columns.tolist())
        value: int | Fraction = sum(j in members for j in chosen)
        yield from _outside(one, value, one.at_least, one.at_most)
    elif isinstance(one, Budget):
        value = Fraction(sum(int(one.cost_keur[j]) for j in chosen))
        if one.with_parcels:
            value += restoration_cost(problem, units)
        yield from _outside(one, value, None, one.limit_keur)
    elif isinstance(one, TotalArea):
        value = sum(int(one.area[j]) for j in chosen)
        yield from _outside(one, value, one.at_least, one.at_most)
    elif isinstance(one, Ledger):
        yield from _outside(one, ledger_net(one, chosen, units), None, one.cap)
    elif isinstance(one, Conflicts):
        sites = {int(problem.site[j]) for j in chosen}
        for first, second in one.pairs.tolist():
            if first in sites and second in sites:
                yield Msg("{name}: sites {first} and {second}", name=one.name, first=first,
                          second=second)  # fmt: skip
    elif isinstance(one, Separation):
        yield from _too_near(problem, one, chosen)
    elif isinstance(one, Locks):
        sites = {int(problem.site[j]) for j in chosen}
        for wanted in one.include.tolist():
            if wanted not in sites:
                yield Msg("{name}: site {site} is not chosen", name=one.name, site=wanted)
        for banned in one.exclude.tolist():
            if banned in sites:
                yield Msg("{name}: site {site} is chosen", name=one.name, site=banned)


def ledger_net(one: Ledger, chosen: Iterable[int], units: Sequence[int]) -> int:
    """Charge of the chosen columns minus what is restored in the territory, 0.01 ha."""
    charge = dict(zip(one.columns.tolist(), one.charge.tolist(), strict=True))
    restored = sum(int(units[r]) for r in one.parcels.tolist())
    return sum(int(charge.get(j, 0)) for j in chosen) - restored


def _too_near(problem: SelectionProblem, one: Separation, chosen: list[int]) -> Iterable[Msg]:
    sites = [int(problem.site[j]) for j in chosen]
    points = [tuple(int(value) for value in one.points[s]) for s in sites]
    for i, (x, y) in enumerate(points):
        for k in range(i):
            apart = (x - points[k][0]) ** 2 + (y - points[k][1]) ** 2
            if apart < one.distance**2 and sites[i] != sites[k]:
                yield Msg("{name}: sites {first} and {second}", name=one.name, first=sites[k],
                          second=sites[i])  # fmt: skip


def _outside(
    one: Constraint, value: int | Fraction, low: int | None, high: int | None
) -> Iterable[Msg]:
    if low is not None and value < low:
        yield Msg("{name}: {value} under the minimum {bound}", name=one.name, value=float(value),
                  bound=low)  # fmt: skip
    if high is not None and value > high:
        yield Msg("{name}: {value} over the maximum {bound}", name=one.name, value=float(value),
                  bound=high)  # fmt: skip
