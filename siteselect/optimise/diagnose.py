"""Why nothing is feasible: quick checks, then a smallest set of constraints in conflict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from siteselect.messages import Msg
from siteselect.optimise.conflicts import Bools
from siteselect.optimise.easing import ANY_PORTFOLIO, easings
from siteselect.optimise.packing import packed_too_tightly
from siteselect.optimise.quickxplain import by_likelihood, smallest_conflict
from siteselect.optimise.stop import stop_at
from siteselect.optimise.together import changed_together
from siteselect.problem import (
    Budget,
    Constraint,
    Goal,
    Group,
    Ledger,
    Locks,
    SelectionProblem,
    TotalArea,
)
from siteselect.problem.constraints import Ints
from siteselect.units import AREA_UNITS_PER_HA

CONFLICT_SHARE = 2 / 3
"""Share of the time for the conflict; the rest is for what would be enough."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why nothing is feasible, the constraints it is about, and what would be enough."""

    reasons: tuple[Msg, ...]
    conflict: tuple[Constraint, ...] = ()
    remedies: tuple[Msg, ...] = ()


def quick_checks(problem: SelectionProblem) -> tuple[Msg, ...]:
    """What is impossible on its own, without a solver. Empty proves nothing."""
    return _at_once(problem).reasons


def _at_once(problem: SelectionProblem) -> Explanation:
    """What is impossible, with the sites forced out where all is not without them."""
    found = _impossible(problem)
    shut = [one for one in problem.constraints if isinstance(one, Locks) and len(one.exclude)]
    if not found.reasons or not shut:
        return found
    opened = tuple(
        replace(one, exclude=one.exclude[:0]) if isinstance(one, Locks) else one
        for one in problem.constraints
    )
    without = _impossible(replace(problem, constraints=opened))
    if len(without.reasons) == len(found.reasons):
        return found
    reasons = (*found.reasons, *(describe(one) for one in shut))
    return Explanation(reasons, (*found.conflict, *shut))


def _impossible(problem: SelectionProblem) -> Explanation:
    usable = _usable(problem)
    sites = len(np.unique(problem.site[usable]))
    found: list[Msg] = []
    about: list[Constraint] = []
    if sites < problem.count and not problem.at_most:
        found.append(
            Msg(
                "{wanted} sites are wanted but there are only {given} candidates",
                wanted=problem.count,
                given=sites,
            )
        )
    for one in problem.constraints:
        alone: list[Msg] = []
        if isinstance(one, Group):
            alone = _group_alone(problem, one, usable)
        elif isinstance(one, Goal):
            alone = _goal_alone(problem, one, usable)
        elif isinstance(one, TotalArea):
            alone = _area_alone(problem, one, usable)
        elif isinstance(one, Budget):
            alone = _budget_alone(problem, one, usable)
        found.extend(alone)
        about.extend([one] * bool(alone))
    for message, constraints in (*_minimums(problem), *_too_tight(problem)):
        found.append(message)
        about.extend(constraints)
    return Explanation(tuple(found), tuple(about))


def _minimums(problem: SelectionProblem) -> Iterator[tuple[Msg, tuple[Constraint, ...]]]:
    """Minimums of groups without a site in common that add up to more than the count."""
    taken = np.zeros(problem.n_sites, bool)
    apart: list[Group] = []
    for one in problem.constraints:
        if isinstance(one, Group) and one.at_least > 0:
            own = problem.site[one.columns]
            if not taken[own].any():
                taken[own] = True
                apart.append(one)
    total = sum(one.at_least for one in apart)
    if total > problem.count:
        yield (
            Msg(
                "{count} sites are wanted, and the minimums of {many} groups without a site in "
                "common make {total}",
                count=problem.count,
                many=len(apart),
                total=total,
            ),
            tuple(apart),
        )
        for one in apart:
            yield describe(one), ()


def _too_tight(problem: SelectionProblem) -> Iterator[tuple[Msg, tuple[Constraint, ...]]]:
    tight = packed_too_tightly(problem)
    if tight is not None:
        yield (
            Msg(
                "{name}: at most {most} sites can be so far apart, {count} are wanted",
                name=tight[0].name,
                most=tight[1],
                count=problem.count,
            ),
            (tight[0],),
        )


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


def _goal_alone(problem: SelectionProblem, one: Goal, usable: Bools) -> list[Msg]:
    most = _best_sum(problem, one.area, usable)
    least = _best_sum(problem, -one.area, usable)
    found = []
    if one.at_least is not None and most is not None and most < one.at_least:
        found.append(
            Msg("{name}: at least {low} wanted, the best sites reach {most}", name=one.name,
                low=one.shown(one.at_least), most=one.shown(most))
        )  # fmt: skip
    if one.at_most is not None and least is not None and -least > one.at_most:
        found.append(
            Msg("{name}: at most {high} allowed, the best sites make {least}", name=one.name,
                high=one.shown(one.at_most), least=one.shown(-least))
        )  # fmt: skip
    return found


def _budget_alone(problem: SelectionProblem, one: Budget, usable: Bools) -> list[Msg]:
    least = _best_sum(problem, -one.cost_keur, usable)
    if least is None or -least <= one.limit_keur:
        return []
    return [
        Msg(
            "{name}: at most {limit:,} k€ allowed, the cheapest sites cost {least:,} k€",
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
    if isinstance(one, Goal):
        return _described_goal(one)
    if isinstance(one, TotalArea):
        low, high = (
            None if v is None else v / AREA_UNITS_PER_HA for v in (one.at_least, one.at_most)
        )
        if high is None:
            return Msg("{name}: at least {low} ha", name=one.name, low=low)
        if low is None:
            return Msg("{name}: at most {high} ha", name=one.name, high=high)
        return Msg("{name}: from {low} to {high} ha", name=one.name, low=low, high=high)
    return Msg("{name}", name=one.name)


def _described_goal(one: Goal) -> Msg:
    if one.at_most is None:
        return Msg("{name}: at least {low}", name=one.name, low=one.shown(one.at_least or 0))
    if one.at_least is None:
        return Msg("{name}: at most {high}", name=one.name, high=one.shown(one.at_most))
    return Msg(
        "{name}: at least {low}, at most {high}", name=one.name, low=one.shown(one.at_least),
        high=one.shown(one.at_most),
    )  # fmt: skip


def explain_infeasible(problem: SelectionProblem, *, time_limit_s: float = 60.0) -> Explanation:
    """Why no portfolio exists, and the least changes that would make one possible.

    First what is impossible alone, else the smallest conflict. A third of the time is kept for
    the changes, which also have what the conflict leaves.
    """
    started = time.perf_counter()
    found = _at_once(problem)
    if not found.reasons:
        found = _of_conflict(
            problem, smallest_conflict(problem, time_limit_s=CONFLICT_SHARE * time_limit_s)
        )
    kept = (1 - CONFLICT_SHARE) * time_limit_s
    end = max(started + time_limit_s, time.perf_counter() + kept)
    left = stop_at(end).seconds_left
    eased = easings(problem, by_likelihood(found.conflict), time_limit_s=left())
    if not eased:
        eased = changed_together(problem, conflict_left, seconds_left=left)
    return replace(found, remedies=tuple(one.shown for one in eased))


def conflict_left(problem: SelectionProblem, seconds: float) -> tuple[Constraint, ...] | None:
    """The smallest conflict; none where there is a portfolio, ``None`` where neither is known."""
    from siteselect.optimise.solve import solve

    tried = solve(problem, time_limit_s=seconds, gap=ANY_PORTFOLIO, ties=False, explain=False)
    if tried.objective is not None:
        return ()
    if tried.status != "infeasible":
        return None
    return by_likelihood(smallest_conflict(problem, time_limit_s=seconds)) or None


def _of_conflict(problem: SelectionProblem, conflict: tuple[Constraint, ...]) -> Explanation:
    if not conflict:
        message = Msg("{count} sites cannot be chosen among the candidates", count=problem.count)
        return Explanation((message,))
    if len(conflict) == 1:
        message = Msg(
            "this requirement alone cannot be met for {count} sites: {what}",
            count=problem.count,
            what=describe(conflict[0]),
        )
        return Explanation((message,), conflict)
    message = Msg(
        "these {many} requirements cannot hold together for {count} sites",
        many=len(conflict),
        count=problem.count,
    )
    return Explanation((message, *(describe(one) for one in conflict)), conflict)
