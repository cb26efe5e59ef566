"""The same selection problem with one thing changed: what every question of a committee asks.

Nothing is approximated: a changed problem is solved again, from the best portfolio known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.optimise import Solution, solve
from siteselect.problem import (
    Budget,
    Constraint,
    Group,
    Ledger,
    Locks,
    SelectionProblem,
    TotalArea,
)

Ints = NDArray[np.int64]


def with_locks(
    problem: SelectionProblem, *, include: Iterable[int] = (), exclude: Iterable[int] = ()
) -> SelectionProblem:
    """The problem with more sites forced in or out.

    A site that was forced the other way is freed first: the last word counts.
    """
    wanted_in, wanted_out = set(map(int, include)), set(map(int, exclude))
    inside, outside = locked(problem)
    return _locks(problem, (inside - wanted_out) | wanted_in, (outside - wanted_in) | wanted_out)


def without_lock(problem: SelectionProblem, sites: Iterable[int]) -> SelectionProblem:
    """The problem in which these sites are free again."""
    freed = set(map(int, sites))
    inside, outside = locked(problem)
    return _locks(problem, inside - freed, outside - freed)


def locked(problem: SelectionProblem) -> tuple[set[int], set[int]]:
    """Sites forced in and out."""
    inside: set[int] = set()
    outside: set[int] = set()
    for one in problem.constraints:
        if isinstance(one, Locks):
            inside |= set(one.include.tolist())
            outside |= set(one.exclude.tolist())
    return inside, outside


def _locks(problem: SelectionProblem, inside: set[int], outside: set[int]) -> SelectionProblem:
    kept = [one for one in problem.constraints if not isinstance(one, Locks)]
    if inside or outside:
        name = Msg("sites forced in or out by a planner")
        kept.append(
            Locks(name, np.array(sorted(inside), np.int64), np.array(sorted(outside), np.int64))
        )
    return replace(problem, constraints=tuple(kept))


def with_constraints(problem: SelectionProblem, *more: Constraint) -> SelectionProblem:
    """The problem with constraints added."""
    return replace(problem, constraints=(*problem.constraints, *more))


def without_constraint(problem: SelectionProblem, dropped: Constraint) -> SelectionProblem:
    """The problem without one of its constraints (the object itself)."""
    kept = tuple(one for one in problem.constraints if one is not dropped)
    return replace(problem, constraints=kept)


def with_scores(problem: SelectionProblem, scores: Ints) -> SelectionProblem:
    """The problem with another value for each column."""
    return replace(problem, score=np.asarray(scores, np.int64))


def with_caps_scaled(problem: SelectionProblem, factor: float) -> SelectionProblem:
    """Every land cap times ``factor``, see :func:`caps_scaled`."""
    return replace(problem, constraints=caps_scaled(problem.constraints, factor))


def caps_scaled(constraints: Iterable[Constraint], factor: float) -> tuple[Constraint, ...]:
    """Every land cap times ``factor``, rounded down; a cap of zero stays zero.

    What a negative cap asks to give back grows with the factor as well.
    """
    return tuple(
        replace(one, cap=int(np.floor(one.cap * factor))) if isinstance(one, Ledger) else one
        for one in constraints
    )


def with_programme_cap(problem: SelectionProblem, cap_units: int) -> SelectionProblem:
    """The programme's ledger with another cap, 0.01 ha; the territories' caps stay."""
    changed = tuple(
        replace(one, cap=int(cap_units))
        if isinstance(one, Ledger) and one.level == "programme"
        else one
        for one in problem.constraints
    )
    return replace(problem, constraints=changed)


def scaled_to(problem: SelectionProblem, count: int, *, keep_minima: bool) -> SelectionProblem:
    """The same rules for another number of sites.

    Totals (budget, areas) follow in proportion, rounded in favour of feasibility; maxima of
    groups too when there are more sites, and never under what they were; minima of groups
    follow downwards when ``keep_minima``, and are dropped otherwise. Land caps and distances
    stay: they are law and geography.
    """
    made = tuple(_scaled(one, count, problem.count, keep_minima) for one in problem.constraints)
    return replace(problem, count=count, constraints=made)


def _scaled(one: Constraint, count: int, before: int, keep_minima: bool) -> Constraint:
    if isinstance(one, Group):
        least = min(one.at_least, one.at_least * count // before) if keep_minima else 0
        return replace(one, at_least=least, at_most=_scaled_maximum(one, count, before))
    if isinstance(one, Budget):
        return replace(one, limit_keur=_up(one.limit_keur, count, before))
    if isinstance(one, TotalArea):
        most = None if one.at_most is None else _up(one.at_most, count, before)
        least_area = None
        if keep_minima and one.at_least is not None:
            least_area = min(one.at_least, one.at_least * count // before)
        return replace(one, at_least=least_area, at_most=most)
    return one


def _scaled_maximum(one: Group, count: int, before: int) -> int | None:
    """A maximum that is 1 (one site per EPCI) is a rule, not a share: it stays."""
    if one.at_most is None or one.at_most <= 1 or count <= before:
        return one.at_most
    return _up(one.at_most, count, before)


def _up(value: int, count: int, before: int) -> int:
    return -(-value * count // before)


Solve = Callable[[SelectionProblem], Solution]


def exact(*, time_limit_s: float = 600.0, gap: float = 0.0, ties: bool = True) -> Solve:
    """A solver with fixed limits; an infeasible problem says so without a search for reasons."""

    def solved(problem: SelectionProblem) -> Solution:
        return solve(problem, time_limit_s=time_limit_s, gap=gap, ties=ties, explain=False)

    return solved


def difference(
    problem: SelectionProblem, before: Sequence[int] | Ints, after: Sequence[int] | Ints
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Identifiers of the sites that enter and of those that leave, sorted.

    ``before`` and ``after`` are site indices.
    """
    first, second = set(map(int, before)), set(map(int, after))
    return names(problem, second - first), names(problem, first - second)


def names(problem: SelectionProblem, sites: Iterable[int]) -> tuple[str, ...]:
    """Identifiers of sites, sorted; index numbers where the problem has no identifiers."""
    ids = problem.site_ids
    return tuple(sorted(str(s) if ids is None else ids[int(s)] for s in sites))
