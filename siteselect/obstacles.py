"""Which constraint keeps a site out: each one lifted in turn, and everything chosen again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import (
    Budget,
    Conflicts,
    Constraint,
    Goal,
    Group,
    Ledger,
    SelectionProblem,
    Separation,
    TotalArea,
    ledger_net,
    restoration_cost,
)
from siteselect.reopen import Case
from siteselect.units import score_from_units
from siteselect.whatif import exact, names, without_constraint


@dataclass(frozen=True)
class Obstacle:
    """A constraint without which the site would be chosen.

    Attributes
    ----------
    limit
        the limit as it is, in the planner's unit (sites, ha, k€, km); ``None`` for footprints.
    sufficient
        a limit under which the site would be chosen (enough, not the least).
    blockers
        selected sites that stand against it (distance, overlap).
    gain
        objective gained by lifting the constraint, score × 10⁶.
    """

    kind: str
    name: Msg
    limit: float | None
    sufficient: float | None
    blockers: tuple[str, ...]
    gain: int
    message: Msg


def obstacles_of(case: Case, site: int, forced: Solution) -> tuple[Obstacle, ...]:
    """Constraints that touch the site and without any one of which it would be chosen.

    ``forced`` is the best portfolio that holds the site. Each constraint that could matter is
    dropped alone and the problem solved again, exactly; where several together keep the site
    out, none is named.
    """
    problem = case.problem
    limits = case.scenario.solve
    search = exact(time_limit_s=limits.time_limit_s, gap=limits.gap, ties=False)
    found = []
    for one in _touching(problem, site, case.solution):
        freer = without_constraint(problem, one)
        other = search(freer)
        if other.objective is not None and site in set(other.chosen.tolist()):
            found.append(_told(case, one, site, other))
    return tuple(found)


def _touching(problem: SelectionProblem, site: int, solution: Solution) -> Iterator[Constraint]:
    """Constraints that may stand between a site and the portfolio."""
    own = set(np.flatnonzero(problem.site == site).tolist())
    chosen = set(solution.columns.tolist())
    for one in problem.constraints:
        if isinstance(one, Group):
            members = set(one.columns.tolist())
            inside = len(members & chosen)
            full = one.at_most is not None and inside >= one.at_most and bool(members & own)
            tight = one.at_least > 0 and inside <= one.at_least and not own <= members
            if full or tight:
                yield one
        elif isinstance(one, Ledger):
            if own & set(one.columns.tolist()):
                yield one
        elif isinstance(one, Budget | TotalArea) or (
            isinstance(one, Separation | Conflicts) and _blockers(problem, one, site, solution)
        ):
            yield one


def _blockers(
    problem: SelectionProblem, one: Separation | Conflicts, site: int, solution: Solution
) -> tuple[str, ...]:
    chosen = solution.chosen[solution.chosen != site]
    if isinstance(one, Separation):
        near = one.too_near(chosen, np.full(len(chosen), site))
        return names(problem, chosen[near].tolist())
    pairs = {frozenset(pair) for pair in one.pairs.tolist()}
    return names(problem, [s for s in chosen.tolist() if frozenset((s, site)) in pairs])


def _told(case: Case, one: Constraint, site: int, other: Solution) -> Obstacle:
    """The obstacle with its limit, and the one that the freer portfolio would need."""
    problem, solution = case.problem, case.solution
    gain = int(other.objective or 0) - case.objective
    limit, sufficient, blockers = _limits(problem, one, site, solution, other)
    name = one.name if isinstance(one.name, Msg) else Msg("{name}", name=one.name)
    if blockers:
        message = Msg(
            "{name}: too near {others} (without this rule it would be chosen, objective "
            "{gain:+.6f})",
            name=name, others=", ".join(blockers), gain=score_from_units(gain),
        )  # fmt: skip
    else:
        message = Msg(
            "{name}: limit {limit:g}; it would be chosen at {sufficient:g} (objective {gain:+.6f})",
            name=name, limit=limit, sufficient=sufficient, gain=score_from_units(gain),
        )  # fmt: skip
    return Obstacle(one.kind, name, limit, sufficient, blockers, gain, message)


def _limits(
    problem: SelectionProblem, one: Constraint, site: int, solution: Solution, other: Solution
) -> tuple[float | None, float | None, tuple[str, ...]]:
    columns = other.columns.tolist()
    if isinstance(one, Group):
        inside = float(len(set(one.columns.tolist()) & set(columns)))
        limit = one.at_most if one.at_most is not None and inside > one.at_most else one.at_least
        return float(limit), inside, ()
    if isinstance(one, Ledger):
        return one.cap / 100, ledger_net(one, columns, other.restored.tolist()) / 100, ()
    if isinstance(one, Budget):
        cost = float(sum(int(one.cost_keur[j]) for j in columns))
        if one.with_parcels:
            cost += float(restoration_cost(problem, other.restored.tolist()))
        return float(one.limit_keur), cost, ()
    if isinstance(one, TotalArea):
        area = sum(int(one.area[j]) for j in columns)
        over = one.at_most is not None and area > one.at_most
        side = one.at_most if over or one.at_least is None else one.at_least
        unit = one.per_unit if isinstance(one, Goal) else 100
        return (None if side is None else side / unit), area / unit, ()
    if isinstance(one, Separation | Conflicts):
        km = one.distance / 10_000 if isinstance(one, Separation) else None
        return km, None, _blockers(problem, one, site, solution)
    return None, None, ()
