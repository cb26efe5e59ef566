"""``solve``: from a selection problem to a proven portfolio.

Root relaxation by sifting → exact bound → reduced-cost fixing → exact search on what survives,
deepening on the gap → ties settled → the answer evaluated again by code that knows no solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from siteselect.errors import VerificationError
from siteselect.optimise.bound import Bound
from siteselect.optimise.dive import dive, promising, swap
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import Model, compile_model, least_value, restrict
from siteselect.optimise.root import Root, sift
from siteselect.optimise.search import Search
from siteselect.optimise.solution import Solution, Status, no_columns
from siteselect.optimise.ties import settle_ties
from siteselect.problem import SelectionProblem, objective, violations
from siteselect.problem.constraints import Ints

Progress = Callable[[str, float], None]
GROWTH = 1.5
GROWTH_SURVIVORS = 1.2
"""Each search is wider than the one before by these factors, of the gap and of the columns."""
RESERVE, MOST_RESERVE_S, LEAST_GRACE_S = 0.15, 20.0, 0.5
"""Share of the time kept for a heuristic answer, its most, and what it may run over."""
FIRST_SURVIVORS = 30
"""The first search holds so many columns more than the count asks for."""


@dataclass
class _Run:
    """One call of ``solve``: clock, counts, the best portfolio, the bound that holds."""

    problem: SelectionProblem
    deadline: float
    gap: float
    progress: Progress | None
    started: float = field(default_factory=time.perf_counter)
    best: Portfolio | None = None
    bound: int | None = None
    timings: dict[str, float] = field(default_factory=dict)
    info: dict[str, float | int | str | bool] = field(default_factory=dict)
    interrupted: bool = False

    def late(self) -> bool:
        """Out of time; without an answer a share of it is kept back for the heuristic."""
        reserve = 0.0
        if self.best is None:
            reserve = min(MOST_RESERVE_S, RESERVE * (self.deadline - self.started))
        return time.perf_counter() > self.deadline - reserve

    def too_late(self) -> bool:
        """Out of time even for the heuristic, which is always given a moment."""
        return time.perf_counter() > self.deadline + LEAST_GRACE_S

    def stop(self) -> bool:
        """Out of time, or the gap is good enough."""
        return self.late() or self.good_enough()

    def good_enough(self) -> bool:
        if self.best is None or self.gap <= 0:
            return False
        if self.bound is None:
            return False
        return self.bound - self.best.value <= self.gap * max(1, abs(self.best.value))

    def found(self, portfolio: Portfolio) -> None:
        if self.best is None or portfolio.value > self.best.value:
            self.best = portfolio

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.timings[name] = now - self.started - sum(self.timings.values())
        if self.progress is not None:
            self.progress(name, 1.0)


def solve(
    problem: SelectionProblem,
    *,
    time_limit_s: float = 600.0,
    gap: float = 0.0,
    ties: bool = True,
    explain: bool = True,
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
    progress
        Called with the name of a stage and the share done.

    Returns
    -------
    Solution
        Deterministic: the same for any order of the input rows (a limit in seconds excepted).
    """
    run = _Run(problem, time.perf_counter() + time_limit_s, gap, progress)
    try:
        status = _search(run, ties=ties)
    except KeyboardInterrupt:
        status = "interrupted"
    solution = _report(run, status)
    if status == "infeasible" and explain:
        from siteselect.optimise.diagnose import explain_infeasible

        reasons = explain_infeasible(problem, time_limit_s=time_limit_s)
        run.lap("diagnose")
        return _infeasible(run, reasons)
    return solution


def _search(run: _Run, *, ties: bool) -> Status:
    model = compile_model(run.problem)
    run.model = model  # type: ignore[attr-defined]
    run.lap("compile")
    least = least_value(model)
    root = sift(model, stop=run.late)
    run.info["root_rounds"] = root.rounds
    run.info["root_columns"] = len(root.relaxation.columns)
    run.info["root_rows"] = root.relaxation.lp.n_rows
    run.lap("root")
    if root.bound.value < least:
        return "infeasible"
    run.bound = root.bound.value
    run.info["root_bound"] = root.bound.value
    referee = Referee(run.problem, model)
    status = _deepen(run, model, root.bound, referee, least)
    run.lap("search")
    if status == "limit" and run.best is None:
        _heuristic(run, model, root, referee, run.too_late)
        run.lap("dive")
    if ties and status == "optimal" and run.best is not None:
        run.best = settle_ties(model, root.bound, referee, run.best, stop=run.late, info=run.info)
        run.lap("ties")
    if run.best is not None:
        run.best = referee.settle(run.best)
        run.lap("restoration")
    return status


def _heuristic(
    run: _Run, model: Model, root: Root, referee: Referee, stop: Callable[[], bool]
) -> None:
    """A portfolio to stop with: a dive, then swaps."""
    found = dive(root.relaxation, referee, stop=stop)
    if found is None:
        return
    candidates = promising(root.relaxation, root.bound.column_penalty)
    run.found(swap(model, referee, found, candidates, stop=stop))
    run.info["heuristic"] = run.best.value if run.best is not None else found.value


def survivors(model: Model, bound: Bound, floor: int) -> Ints:
    """Columns that a portfolio worth at least ``floor`` may contain."""
    room = bound.scaled - floor * bound.scale
    return np.flatnonzero(bound.column_penalty <= room)


def fixed_by(model: Model, bound: Bound, floor: int) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Sites that every portfolio worth at least ``floor`` contains."""
    room = bound.scaled - floor * bound.scale
    state = model.state.copy()
    state[(state == 0) & (bound.site_penalty > room)] = 1
    return state


def _width_for(bound: Bound, wanted: int) -> int:
    """A gap under which so many columns survive."""
    wanted = min(len(bound.column_penalty), max(1, wanted)) - 1
    if wanted < 0:
        return 1
    smallest = int(np.partition(bound.column_penalty, wanted)[wanted])
    return max(1, min(smallest, abs(bound.scaled)) // bound.scale)


def _deepen(run: _Run, model: Model, bound: Bound, referee: Referee, least: int) -> Status:
    """Search exactly for a portfolio within a gap of the bound; widen the gap until there is."""
    first = survivors(model, bound, bound.value)
    wanted = max(model.count + FIRST_SURVIVORS, int(len(first) * GROWTH_SURVIVORS))
    width, steps, nodes = _width_for(bound, wanted), 0, 0
    while True:
        floor = max(least, bound.value - width)
        if run.best is not None:
            floor = max(floor, run.best.value)
        columns = survivors(model, bound, floor)
        part = restrict(model, columns, fixed_by(model, bound, floor))
        search = Search(part, referee.of(columns), floor, run.stop, on_found=run.found)
        outcome = search.run()
        steps, nodes = steps + 1, nodes + outcome.nodes
        run.info.update(survivors=len(columns), nodes=nodes, deepenings=steps)
        if not outcome.finished:
            run.bound = min(bound.value, max(outcome.bound or floor, floor - 1))
            return "within_gap" if run.good_enough() else "limit"
        if run.best is not None and run.best.value >= floor:
            run.bound = run.best.value
            return "optimal"
        run.bound = floor - 1
        if floor <= least:
            return "infeasible"
        more = _width_for(bound, int(len(columns) * GROWTH_SURVIVORS))
        width = max(int(width * GROWTH) + 1, more)


def _report(run: _Run, status: Status) -> Solution:
    """The solution in the indices of the problem, evaluated again from scratch."""
    if status == "infeasible":
        return _infeasible(run, ())
    run.timings["total"] = time.perf_counter() - run.started
    n_parcels = len(run.problem.parcels)
    if run.best is None:
        nothing = np.zeros(n_parcels, np.int64)
        return Solution(
            status, no_columns(), no_columns(), nothing, None, run.bound, None,
            timings=run.timings, info=run.info,
        )  # fmt: skip
    model: Model = run.model  # type: ignore[attr-defined]
    columns = model.column_of[run.best.columns]
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


def _infeasible(run: _Run, reasons: tuple[object, ...]) -> Solution:
    run.timings["total"] = time.perf_counter() - run.started
    nothing = np.zeros(len(run.problem.parcels), np.int64)
    return Solution(
        "infeasible", no_columns(), no_columns(), nothing, None, None, None,
        reasons=reasons, timings=run.timings, info=run.info,  # type: ignore[arg-type]
    )  # fmt: skip
