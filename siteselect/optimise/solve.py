"""``solve``: from a selection problem to a proven portfolio.

Root relaxation by sifting → exact bound → reduced-cost fixing → exact search on what survives,
deepening on the gap → ties settled → the answer evaluated again by code that knows no solver.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from functools import partial

import numpy as np

from siteselect.errors import VerificationError
from siteselect.optimise.clock import Progress, Run
from siteselect.optimise.deepen import deepen
from siteselect.optimise.dive import dive, promising, rounded
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.exchange import Exchange
from siteselect.optimise.greedy import repaired
from siteselect.optimise.model import Model, compile_model, least_value
from siteselect.optimise.packing import packed_too_tightly
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import Root, ceiling, sift
from siteselect.optimise.solution import Kept, Solution, Status, no_columns
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem import SelectionProblem, objective, violations

MOST_EXPLAINING_S = 45.0
MOST_RESCUING_S = 5.0
"""Seconds that a heuristic may take after an interrupt that came before any portfolio."""
MOST_REPAIRED = 2_000
"""Greedy and repair look at the columns of the relaxation and at so many of the best."""


def solve(
    problem: SelectionProblem,
    *,
    time_limit_s: float = 600.0,
    gap: float = 0.0,
    ties: bool = True,
    explain: bool = True,
    keep: bool = False,
    progress: Progress | None = None,
) -> Solution:
    """The best portfolio of a problem, with its proof.

    Parameters
    ----------
    problem
        What to choose from.
    time_limit_s
        Seconds after which the best found so far is returned with its bound and gap.
    gap
        Relative gap accepted as good enough; 0 asks for the optimum.
    ties
        Among optimal portfolios return the one whose sorted site identifiers come first.
    explain
        When nothing is feasible, find the constraints in conflict.
    keep
        Keep the relaxation with the solution, for :func:`~siteselect.optimise.replacement_costs`.
    progress
        Called with the name of a stage and the share done.

    Returns
    -------
    Solution
        Deterministic: the same for any order of the input rows (a limit in seconds excepted).
    """
    run = Run(problem, time.perf_counter() + time_limit_s, gap, progress)
    try:
        status = _search(run, ties=ties)
    except KeyboardInterrupt:
        status = _interrupted(run)
    solution = _report(run, status)
    if keep:
        solution = dataclasses.replace(solution, kept=run.kept)
    if status == "infeasible" and explain:
        from siteselect.optimise.diagnose import explain_infeasible

        run.begin("diagnose")
        why = explain_infeasible(problem, time_limit_s=min(MOST_EXPLAINING_S, time_limit_s))
        run.lap("diagnose")
        return dataclasses.replace(solution, reasons=why.reasons, remedies=why.remedies)
    return solution


def _search(run: Run, *, ties: bool) -> Status:
    run.begin("compile")
    model = presolved(compile_model(run.problem))
    run.model = model
    run.lap("compile")
    if packed_too_tightly(run.problem, run.late) is not None:
        return "infeasible"
    least = least_value(model)
    referee = Referee(run.problem, model).within(run.seconds_left)
    run.bound, run.rescue = ceiling(model), partial(_greedy, run, model, referee)
    run.begin("root")
    root = sift(model, stop=run.late)
    run.info["root_rounds"] = root.rounds
    run.info["root_columns"] = len(root.relaxation.columns)
    run.info["root_rows"] = root.relaxation.lp.n_rows
    run.lap("root")
    if root.bound.value < least:
        return "infeasible"
    run.kept = Kept(run.problem, model, root, referee) if root.finished else None
    run.bound = root.bound.value
    run.info["root_bound"] = root.bound.value

    def rescue() -> None:
        with contextlib.suppress(OutOfTimeError):
            heuristic(run, model, root, referee, run.a_moment())

    def rescue_or_loosen() -> None:
        from siteselect.optimise.tightest import within_the_tightest

        rescue()
        if run.best is None:
            within_the_tightest(run, model, root, referee)

    run.rescue = rescue
    if run.gap > 0:
        rescue()
        run.lap("dive")
    status: Status = "within_gap"
    if not run.good_enough():
        near = dataclasses.replace(model, mu=root.multipliers.prices(model))
        run.begin("search")
        status = deepen(
            run, near, root.bound, referee.judge, least, ties=ties, rescue=rescue_or_loosen
        )
        if run.bound is not None and not root.finished:
            run.bound = min(run.bound, ceiling(model))
        run.lap("search")
    if status == "limit":
        with contextlib.suppress(OutOfTimeError):
            heuristic(run, model, root, referee, run.a_moment(), thorough=True)
        run.lap("dive")
        if run.best is not None and run.best.value == run.bound:
            run.info["ties_settled"] = False
            status = "optimal"
    if run.best is not None:
        run.best = referee.settle(run.best)
        run.lap("restoration")
    return status


def _interrupted(run: Run) -> Status:
    """The best so far; without any, a moment for a heuristic one (a second Ctrl-C ends it)."""
    if run.best is None and run.rescue is not None:
        run.deadline = min(run.deadline, time.perf_counter() + MOST_RESCUING_S)
        with contextlib.suppress(KeyboardInterrupt):
            run.rescue()
    if run.best is not None and run.best.value == run.bound:
        run.info["ties_settled"] = False
        return "optimal"
    return "interrupted"


def _greedy(run: Run, model: Model, referee: Referee) -> None:
    """A portfolio before there is a relaxation: greedy by value alone, and repair."""
    worth = model.alone().astype(np.float64)
    best = np.sort(np.argsort(-worth, kind="stable")[:MOST_REPAIRED])
    worth = worth / max(1.0, float(np.abs(worth).max(initial=1.0)))
    with contextlib.suppress(OutOfTimeError):
        found = repaired(model, referee, best, worth, stop=run.a_moment())
        if found is not None:
            run.found(found)


def heuristic(
    run: Run, model: Model, root: Root, referee: Referee, stop: Stop, *, thorough: bool = False
) -> None:
    """A portfolio to stop with, and exchanges from it; ``thorough``: until ``stop`` says so."""
    found = run.best or _first(root, model, referee, stop)
    if found is None:
        return
    run.found(found)
    if run.good_enough():
        return
    candidates = promising(root.relaxation, root.bound.column_penalty)
    exchange = Exchange(model, referee, candidates, stop=stop)
    starts = [one for one in (found, exchange.built(found)) if one is not None]
    best = max((exchange.improved(one) for one in starts), key=lambda one: one.value)
    run.found(exchange.shaken(best) if thorough else best)
    run.info["heuristic"] = run.best.value if run.best is not None else found.value


def _first(root: Root, model: Model, referee: Referee, stop: Stop) -> Portfolio | None:
    """A portfolio near the relaxation: rounded, by a dive, or greedily with repairs."""
    relaxation = root.relaxation
    found = rounded(relaxation, referee)
    if found is None and root.finished:
        half = stop.seconds_left() / 2
        found = dive(relaxation, referee, stop=Stop(lambda: stop.seconds_left() - half))
    if found is None:
        best = np.argsort(-relaxation.worth, kind="stable")[:MOST_REPAIRED]
        columns = np.union1d(relaxation.columns, best)
        found = repaired(model, referee, columns, relaxation.worth, stop=stop)
    return found


def _report(run: Run, status: Status) -> Solution:
    """The solution in the indices of the problem, evaluated again from scratch."""
    if status == "infeasible":
        return _infeasible(run)
    run.timings["total"] = time.perf_counter() - run.started
    n_parcels = len(run.problem.parcels)
    if run.best is None or run.model is None:
        nothing = np.zeros(n_parcels, np.int64)
        return Solution(
            status, no_columns(), no_columns(), nothing, None, run.bound, None,
            timings=run.timings, info=run.info,
        )  # fmt: skip
    columns = run.model.column_of[run.best.columns]
    columns = columns[np.argsort(run.problem.site[columns], kind="stable")]
    restored = run.best.restoration.units
    broken = violations(run.problem, columns.tolist(), restored.tolist())
    value = objective(run.problem, columns.tolist())
    if broken or value != run.best.value:
        raise VerificationError(broken)
    bound = value if run.bound is None else run.bound
    return Solution(
        status,
        run.problem.sites_of(columns),
        columns,
        restored,
        value,
        bound,
        (bound - value) / max(1, abs(value)),
        timings=run.timings,
        info=run.info,
    )


def _infeasible(run: Run) -> Solution:
    run.timings["total"] = time.perf_counter() - run.started
    nothing = np.zeros(len(run.problem.parcels), np.int64)
    return Solution(
        "infeasible", no_columns(), no_columns(), nothing, None, None, None,
        timings=run.timings, info=run.info,
    )  # fmt: skip
