"""A smallest set of constraints in conflict (QuickXplain, Junker 2004).

A set is handed back only when it was solved again and found infeasible, and when the set without
any one of its members was solved and found feasible.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from siteselect.optimise.easing import ANY_PORTFOLIO
from siteselect.optimise.model import compile_model, least_value
from siteselect.optimise.root import sift
from siteselect.optimise.stop import NEVER_STOP, Stop, stop_at
from siteselect.problem import (
    Conflicts,
    Constraint,
    Group,
    Ledger,
    Locks,
    SelectionProblem,
    Separation,
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
    suspects = by_likelihood(root_conflict(problem, stop_at(deadline)) or problem.constraints)
    if len(suspects) < len(problem.constraints) and not tester.infeasible(suspects):
        suspects = by_likelihood(problem.constraints)
    kept = _quick_xplain(tester, (), False, suspects)
    order = {id(one): i for i, one in enumerate(problem.constraints)}
    return tuple(sorted(kept, key=lambda one: order[id(one)]))


def root_conflict(problem: SelectionProblem, stop: Stop = NEVER_STOP) -> tuple[Constraint, ...]:
    """Constraints that carry the exact proof of the root relaxation; empty where it has none."""
    model = compile_model(dataclasses.replace(problem, coverage=None))
    root = sift(model, stop=stop)
    if root.bound.value >= least_value(model):
        return ()
    given = root.multipliers
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


def by_likelihood(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Constraints that a planner thinks of first come first: QuickXplain drops the others.

    Budget and total area, the programme, regional minimums, land caps, locks, distances, and last
    the maximums of dozens of small groups.
    """
    rank = {"budget": 0, "area": 0, "ledger": 3, "locks": 4, "separation": 5, "conflicts": 5}

    def key(one: Constraint) -> int:
        if isinstance(one, Group):
            return 2 if one.at_least else 6
        if isinstance(one, Ledger) and one.level == "programme":
            return 1
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
