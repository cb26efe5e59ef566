"""What the overrides of planners cost: each one lifted, and everything chosen again.

A selection committee is owed the log of who forced what in or out, why, and what it cost in the
objective (domain practice of audit trails; the measure is the replacement cost of Cabeza and
Moilanen 2006 turned round: the value that the counterproposal gives up).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from siteselect.optimise import Solution
from siteselect.problem import SelectionProblem
from siteselect.scenario import Locks
from siteselect.whatif import Solve, difference, locked, without_lock

Direction = Literal["forced_in", "forced_out"]


@dataclass(frozen=True)
class OverrideCost:
    """What one override costs: the objective that its removal would bring back.

    Attributes
    ----------
    cost
        score × 10⁶, the other overrides kept; ``None`` where a search is not proven.
    status
        of the search without it.
    enter, leave
        sites that the override brings in and that it drives out.
    """

    site_id: str
    direction: Direction
    reason: str | None
    cost: int | None
    status: str
    enter: tuple[str, ...]
    leave: tuple[str, ...]


def override_costs(
    problem: SelectionProblem, solution: Solution, locks: Locks, *, solve: Solve
) -> tuple[OverrideCost, ...]:
    """What each override costs, forced in first, then by identifier.

    A site that the scenario leaves out for another reason costs nothing to force out. Sites
    held by an earlier wave (``locks.variants``) are commitments, not overrides: see
    :func:`siteselect.rounds.next_scenario`.
    """
    position = {name: at for at, name in enumerate(problem.site_ids or ())}
    found = []
    for name, direction in overridden(locks):
        reason = locks.reasons.get(name)
        if name not in position:
            found.append(OverrideCost(name, direction, reason, 0, "optimal", (), ()))
            continue
        free = solve(without_lock(problem, [position[name]]))
        enter, leave = difference(problem, free.chosen, solution.chosen)
        found.append(
            OverrideCost(
                name, direction, reason, _cost(solution, free), free.status, enter, leave
            )
        )  # fmt: skip
    return tuple(found)


def overrides_priced(
    problem: SelectionProblem, solution: Solution, locks: Locks, *, solve: Solve
) -> tuple[tuple[OverrideCost, ...], int | None]:
    """What each override costs, and what all cost together (one solve less for a single one)."""
    found = override_costs(problem, solution, locks, solve=solve)
    if len(found) == 1:
        return found, found[0].cost
    return found, all_overrides_cost(problem, solution, locks, solve=solve)


def all_overrides_cost(
    problem: SelectionProblem, solution: Solution, locks: Locks, *, solve: Solve
) -> int | None:
    """What all overrides cost together; ``None`` where a search is not proven."""
    names = [name for name, _ in overridden(locks)]
    sites = _positions(problem, names)
    inside, outside = locked(problem)
    if not (inside | outside) & sites:
        return 0
    return _cost(solution, solve(without_lock(problem, sites)))


def overridden(locks: Locks) -> tuple[tuple[str, Direction], ...]:
    """The sites that planners forced in or out, and which way."""
    held: Mapping[str, str] = locks.variants
    inside: list[tuple[str, Direction]] = [
        (name, "forced_in") for name in sorted(set(locks.include)) if name not in held
    ]
    outside: list[tuple[str, Direction]] = [
        (name, "forced_out") for name in sorted(set(locks.exclude))
    ]
    return (*inside, *outside)


def as_logged(one: OverrideCost) -> dict[str, Any]:
    """One line of the log, as JSON holds it."""
    return {**asdict(one), "enter": list(one.enter), "leave": list(one.leave)}


def _positions(problem: SelectionProblem, names: Iterable[str]) -> set[int]:
    position = {name: at for at, name in enumerate(problem.site_ids or ())}
    return {position[name] for name in names if name in position}


def _cost(solution: Solution, free: Solution) -> int | None:
    known = solution.proven and free.proven
    if not known or solution.objective is None or free.objective is None:
        return None
    return free.objective - solution.objective
