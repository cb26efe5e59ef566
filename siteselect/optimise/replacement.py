"""What each chosen site is worth to the portfolio: the loss of objective without it, exactly.

All the searches share one root relaxation: a site is fixed out, a few columns are priced in, and
the search starts from the new bound.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Bound, Multipliers, exact_bound
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Progress, Run
from siteselect.optimise.deepen import deepen
from siteselect.optimise.exact import Referee
from siteselect.optimise.model import FREE, OUTSIDE, compile_model, least_value
from siteselect.optimise.polish import Hot, cheapest_columns
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import resift, sift
from siteselect.optimise.solution import Solution, Status
from siteselect.optimise.stop import OutOfTimeError, Stop, stop_at
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints

LIKELY, MARGIN = 0.5, 1.1
"""The first search looks a little deeper than was enough for this share of the sites before."""
HELD = 20
"""The hot programme holds so many columns for each site wanted."""


@dataclass(frozen=True, eq=False)
class Replacement:
    """A chosen site taken away.

    Attributes
    ----------
    site
        Index of the site.
    status
        ``optimal``: the cost is exact; ``infeasible``: no portfolio does without the site;
        ``limit``: the cost lies between ``least_cost`` and ``cost``.
    cost
        Loss of objective with the best portfolio found without the site; ``None`` without any.
    least_cost
        The loss is at least this much, proven; ``None`` when infeasible.
    entering, leaving
        Site indices that come in and go out (the site itself included) in that portfolio.
    """

    site: int
    status: Status
    cost: int | None
    least_cost: int | None
    entering: Ints
    leaving: Ints


def replacement_costs(
    problem: SelectionProblem,
    solution: Solution,
    *,
    time_limit_s: float = 600.0,
    progress: Progress | None = None,
) -> tuple[Replacement, ...]:
    """The replacement cost of every chosen site, in the order of ``solution.chosen``.

    Parameters
    ----------
    problem, solution
        A problem and its solution (any with a portfolio; the costs refer to its objective).
    time_limit_s
        Seconds for all sites together; what is left at the limit has the status ``limit``.
    progress
        Called with ``"replacement"`` and the share done.
    """
    if solution.objective is None:
        return ()
    seeker = _Seeker(problem, solution, time.perf_counter() + time_limit_s)
    found: list[Replacement] = []
    for done, site in enumerate(solution.chosen.tolist()):
        found.append(seeker.without(site))
        if progress is not None:
            progress("replacement", (done + 1) / len(solution.chosen))
    return tuple(found)


class _Seeker:
    """What the searches share: a hot relaxation, losses by branching, portfolios, the referee."""

    def __init__(self, problem: SelectionProblem, solution: Solution, deadline: float) -> None:
        self._problem, self._solution, self._deadline = problem, solution, deadline
        self._objective = int(solution.objective or 0)
        self._model = presolved(compile_model(problem))
        self._referee = Referee(problem, self._model)
        self._least = least_value(self._model)
        self._root = root = sift(self._model, stop=stop_at(deadline))
        self._hot: Hot | None = None
        if root.finished and self._model.flow is None:
            columns = cheapest_columns(self._model, root.bound, HELD)
            prices = root.multipliers.prices(self._model)
            self._hot = Hot(self._model, columns, prices, stop=stop_at(deadline))
        self._costs = Pseudocosts.empty(self._model.n_sites)
        self._gaps = [max(0, root.bound.value - self._objective)]
        self._position = np.empty(problem.n_sites, np.int64)
        self._position[self._model.site_of] = np.arange(problem.n_sites)

    def without(self, own: int) -> Replacement:
        """The best portfolio without one site of the problem."""
        empty = np.zeros(0, np.int64)
        site = int(self._position[own])
        if self._model.state[site] != FREE:
            # A site that is forced in has no replacement.
            return Replacement(own, "infeasible", None, None, empty, empty)
        state = self._model.state.copy()
        state[site] = OUTSIDE
        run = Run(self._problem, self._deadline, 0.0, None)
        multipliers, bound = self._bounded(state, run.late)
        if bound.value < self._least:
            return Replacement(own, "infeasible", None, None, empty, empty)
        run.bound = bound.value
        for one in self._referee.accepted:
            # What was met without another site often does without this one too.
            if site not in self._model.site[one.columns]:
                run.found(one)
        part = dataclasses.replace(self._model, state=state, mu=multipliers.prices(self._model))
        status = deepen(
            run, part, bound, self._referee.for_state(state), self._least, costs=self._costs,
            width=int(MARGIN * np.quantile(self._gaps, LIKELY)),
        )  # fmt: skip
        if status == "infeasible":
            return Replacement(own, status, None, None, empty, empty)
        low = self._objective - (run.bound if run.bound is not None else bound.value)
        if run.best is None:
            return Replacement(own, status, None, low, empty, empty)
        self._gaps.append(bound.value - run.best.value)
        sites = np.sort(self._model.site_of[self._model.site[run.best.columns]])
        return Replacement(
            own, status, self._objective - run.best.value, low,
            np.setdiff1d(sites, self._solution.chosen), np.setdiff1d(self._solution.chosen, sites),
        )  # fmt: skip

    def _bounded(self, state: NDArray[np.int8], stop: Stop) -> tuple[Multipliers, Bound]:
        """Multipliers with these sites fixed, and their bound: those of the root at worst."""
        multipliers = self._root.multipliers
        if self._hot is None:
            relaxation = self._root.relaxation
            relaxation.fix(state, relaxation.shut)
            found = resift(self._model, relaxation, stop=stop)
            return found.multipliers, found.bound
        try:
            self._hot, multipliers, bound = self._hot.bounded(state)
        except OutOfTimeError:
            bound = exact_bound(self._model, multipliers, state, self._model.shut)
        return multipliers, bound
