"""Deepening on the gap: solve exactly only the columns that a portfolio near the bound may hold.

A portfolio found within the gap is optimal, whatever was left out; else the gap grows.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Bound
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Run
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import FREE, INSIDE, Model
from siteselect.optimise.search import searched
from siteselect.optimise.seeking import HARD, ROUNDS
from siteselect.optimise.solution import Status
from siteselect.optimise.stop import Stop
from siteselect.problem.constraints import Ints

GROWTH, GROWTH_SURVIVORS = 1.5, 1.2
"""Each search is wider than the one before by these factors, of the gap and of the columns."""
GROWTH_AFTER_TREE = 1.22
"""After one that its root did not close: a search costs about twice as much at each step then,
which makes all of them together cheapest."""
LONG_NODES, GROWTH_AFTER_LONG = 200, 1.15
"""After a search of so many nodes the next is only so much wider: a little more may do."""
RESCUE_AFTER = 2_000
"""After so many nodes without an answer a heuristic is asked for one: it says how far to go."""
MOST_TYING_S = 20.0
"""Seconds for ties once a portfolio as good as the root bound is known: where every score is the
same they would take the whole limit, and the answer says that they are not settled."""
FIRST_SURVIVORS = 30
"""The first search holds so many columns more than the count asks for."""


def survivors(model: Model, bound: Bound, floor: int) -> Ints:
    """Columns that a portfolio worth at least ``floor`` may contain."""
    room = bound.scaled - floor * bound.scale
    return np.flatnonzero(bound.column_penalty <= room)


def fixed_by(model: Model, bound: Bound, floor: int) -> NDArray[np.int8]:
    """Sites that every portfolio worth at least ``floor`` contains."""
    room = bound.scaled - floor * bound.scale
    state = model.state.copy()
    state[(state == FREE) & (bound.site_penalty > room)] = INSIDE
    return state


def _width_for(bound: Bound, wanted: int) -> int:
    """A gap under which so many columns survive."""
    wanted = min(len(bound.column_penalty), max(1, wanted)) - 1
    if wanted < 0:
        return 1
    smallest = int(np.partition(bound.column_penalty, wanted)[wanted])
    return max(1, min(smallest, abs(bound.scaled)) // bound.scale)


def _not_for_ties_alone(run: Run, bound: Bound) -> Stop:
    """The stop of the run; sooner once the root bound is met, when only ties are left to settle."""
    met: list[float] = []

    def seconds_left() -> float:
        if run.best is None or run.best.value < bound.value:
            return run.stop.seconds_left()
        if not met:
            met.append(time.perf_counter())
        return min(run.stop.seconds_left(), met[0] + MOST_TYING_S - time.perf_counter())

    return Stop(seconds_left, run.stop.enough)


def deepen(
    run: Run,
    model: Model,
    bound: Bound,
    judge: Callable[[Ints], Portfolio | None],
    least: int,
    *,
    ties: bool = False,
    costs: Pseudocosts | None = None,
    width: int = 0,
    rescue: Callable[[], None] | None = None,
) -> Status:
    """Search exactly for a portfolio within a gap of the bound; widen the gap until there is.

    ``judge`` takes columns of the model. With ``ties`` the portfolio is the first among equals,
    or ``run.info`` says that it may not be: ``ties_settled``. ``costs`` are the pseudocosts of
    earlier searches on the same model, ``width`` is the least gap that the first search looks
    into. ``rescue`` is asked once for a
    heuristic portfolio where that takes long.
    """
    stop = _not_for_ties_alone(run, bound) if ties else run.stop
    first = survivors(model, bound, bound.value)
    wanted = max(model.count + FIRST_SURVIVORS, int(len(first) * GROWTH_SURVIVORS))
    costs = costs or Pseudocosts.empty(model.n_sites)
    width, steps, nodes = max(width, _width_for(bound, wanted)), 0, 0
    while True:
        floor = max(least, bound.value - width)
        if run.best is not None and run.best.value >= floor - ties:
            # Only something better is wanted: nothing found then proves the best.
            floor = run.best.value + (not ties)
        columns = survivors(model, bound, floor)
        outcome = searched(
            model, columns, fixed_by(model, bound, floor), judge=judge, floor=floor,
            stop=stop, ties=ties, costs=costs, on_found=run.earlier,
            held=run.best if run.best is not None and run.best.value >= floor else None,
            rounds=ROUNDS if nodes >= HARD else 0, progress=run.progress,
        )  # fmt: skip
        steps, nodes = steps + 1, nodes + outcome.nodes
        run.info.update(survivors=len(columns), nodes=nodes, deepenings=steps)
        if not outcome.finished:
            known = floor - 1 if run.best is None else max(floor - 1, run.best.value)
            proven = bound.value if run.bound is None else min(bound.value, run.bound)
            run.bound = min(proven, max(outcome.bound or floor, known))
            if run.best is not None and run.bound == run.best.value:
                run.info["ties_settled"] = False
                return "optimal"
            return "within_gap" if run.good_enough() else "limit"
        if run.best is not None and run.best.value >= floor - 1:
            run.bound = run.best.value
            run.info["ties_settled"] = ties
            return "optimal"
        run.bound = floor - 1
        if floor <= least:
            return "infeasible"
        if nodes >= RESCUE_AFTER and run.best is None and rescue is not None:
            rescue()
            rescue = None
        long = outcome.nodes >= LONG_NODES
        growth = GROWTH_AFTER_LONG if long else GROWTH_AFTER_TREE if outcome.nodes > 1 else GROWTH
        more = len(columns) + 1 if long else int(len(columns) * GROWTH_SURVIVORS)
        width = max(int(width * growth) + 1, _width_for(bound, more))
