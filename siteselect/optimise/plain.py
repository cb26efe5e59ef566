"""``solve_plainly``: CP-SAT on the complete model, the plain reading of a problem.

For small problems and to check :func:`~siteselect.optimise.solve` with another method: it shares
nothing with its search. What it finds is evaluated again; its bound is CP-SAT's own word.
"""

from __future__ import annotations

import math
import time

import numpy as np

from siteselect.errors import VerificationError
from siteselect.optimise.solution import Solution, Status, no_columns
from siteselect.problem import SelectionProblem, objective, violations

EXACT_FLOATS = 2**53
"""CP-SAT tells its bound as a float: whole numbers are exact up to here."""

EARLY_S = 0.1
"""CP-SAT may stop so many seconds before its limit."""


def solve_plainly(
    problem: SelectionProblem, *, time_limit_s: float = 60.0, workers: int = 1
) -> Solution:
    """The best portfolio according to CP-SAT, given every row of the problem.

    Parameters
    ----------
    problem
        What to choose from.
    time_limit_s
        Seconds after which the best found so far is returned with its bound and gap; what it takes
        to write the model down is not cut short.
    workers
        Threads of CP-SAT. With one the answer is the same every time (a limit apart).

    Returns
    -------
    Solution
        ``chosen`` is one of the best portfolios, not the first among ties (``ties_settled`` is
        false), ``restored`` a restoration that holds, not the cheapest. ``bound`` is what CP-SAT
        says, without a certificate: ``info["bound_by"]``.

    Raises
    ------
    siteselect.errors.VerificationError
        When what CP-SAT found breaks a requirement, or is not worth what it says.
    """
    # Seldom wanted, and slow to load.
    from ortools.sat.python import cp_model

    from siteselect.optimise.plainmodel import plain_model

    started = time.perf_counter()
    plain = plain_model(problem)
    built = time.perf_counter()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = 1
    solver.parameters.max_time_in_seconds = max(0.0, time_limit_s - (built - started))
    status = solver.solve(plain.model)
    ended = time.perf_counter()
    timings = {"build": built - started, "cpsat": ended - built, "total": ended - started}
    if status == cp_model.MODEL_INVALID:  # pragma: no cover - figures are checked before
        raise ValueError(plain.model.validate())
    if status == cp_model.INFEASIBLE:
        return _without(problem, "infeasible", None, timings)
    # CP-SAT stops by itself at Ctrl-C and does not say so.
    left = time_limit_s - (ended - started)
    early: Status = "limit" if left < EARLY_S else "interrupted"
    bound = _whole(solver.best_objective_bound)
    if status == cp_model.UNKNOWN:
        return _without(problem, early, bound, timings)
    columns = np.flatnonzero([solver.boolean_value(one) for one in plain.chosen]).astype(np.int64)
    restored = np.array([solver.value(one) for one in plain.restored], np.int64)
    if problem.parcels.whole:
        restored = restored * problem.parcels.capacity
    said = int(solver.value(plain.value))
    proven = status == cp_model.OPTIMAL
    value = _checked(problem, columns.tolist(), restored.tolist(), said, said if proven else bound)
    columns = columns[np.argsort(problem.site[columns], kind="stable")]
    bound = value if proven else bound
    return Solution(
        "optimal" if proven else early, problem.sites_of(columns), columns, restored, value, bound,
        (bound - value) / max(1, abs(value)), timings=timings,
        info={**_info(), "branches": solver.num_branches, "conflicts": solver.num_conflicts},
    )  # fmt: skip


def _checked(
    problem: SelectionProblem, columns: list[int], restored: list[int], said: int, bound: int
) -> int:
    """The value of a portfolio, evaluated again.

    Stopped early, CP-SAT may have left demand or workers aside: it is worth no less than it says.
    """
    broken = violations(problem, columns, restored)
    value = objective(problem, columns)
    if broken or not said <= value <= bound:
        raise VerificationError(broken)
    return value


def _whole(bound: float) -> int:
    """A bound on whole numbers, told as a float: rounded up where floats have gaps."""
    return round(bound) if abs(bound) < EXACT_FLOATS else math.ceil(math.nextafter(bound, math.inf))


def _without(
    problem: SelectionProblem, status: Status, bound: int | None, timings: dict[str, float]
) -> Solution:
    """No portfolio."""
    nothing = np.zeros(len(problem.parcels), np.int64)
    return Solution(
        status, no_columns(), no_columns(), nothing, None, bound, None, timings=timings,
        info=_info(),
    )  # fmt: skip


def _info() -> dict[str, float | int | str | bool]:
    return {"bound_by": "CP-SAT", "certified": False, "ties_settled": False}
