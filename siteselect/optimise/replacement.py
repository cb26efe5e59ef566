"""What each chosen site is worth to the portfolio: the loss of objective without it, exactly.

All the searches share one root relaxation: a site is fixed out, a few columns are priced in, and
the search starts from the new bound, among the columns that some good portfolio may hold. The
sites that seem to cost most come first: what is known to be worth more than every portfolio
without a site must hold that site, which leaves less and less to decide.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import NEVER, Bound, Multipliers, exact_bound
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Progress, Run
from siteselect.optimise.deepen import deepen
from siteselect.optimise.exact import Referee
from siteselect.optimise.model import FREE, OUTSIDE, Model, compile_model, least_value, restrict
from siteselect.optimise.polish import Hot, cheapest_columns
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import resift, sift
from siteselect.optimise.search import EASY_LARGE
from siteselect.optimise.solution import Kept, Solution, Status
from siteselect.optimise.stop import OutOfTimeError, Stop, stop_at
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints

LIKELY, MARGIN, RECENT = 0.75, 1.1, 12
"""The first search looks a little deeper than was enough for this share of the sites before."""
HELD, NEAR = 20, 20
"""The hot programme holds so many columns for each site wanted, each outlook keeps so many."""


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
        A problem and its solution (any with a portfolio; the costs refer to its objective). One
        that ``solve(problem, keep=True)`` gave spares the relaxation.
    time_limit_s
        Seconds for all sites together; what is left at the limit has the status ``limit``.
    progress
        Called with ``"replacement"`` and the share done.
    """
    if solution.objective is None:
        return ()
    seeker = _Seeker(problem, solution, time.perf_counter() + time_limit_s)
    found: dict[int, Replacement] = {}
    for one in seeker.all():
        found[one.site] = one
        if progress is not None:
            progress("replacement", len(found) / len(solution.chosen))
    return tuple(found[site] for site in solution.chosen.tolist())


@dataclass(frozen=True, eq=False)
class _Outlook:
    """What the relaxation says of the portfolios without a site.

    ``columns`` are those that a good one may hold, ascending, with their penalties; every other
    column has at least the penalty ``beyond``. ``sites`` are those that it can hardly miss.
    """

    site: int
    scaled: int
    scale: int
    columns: Ints
    penalty: Ints
    beyond: int
    sites: Ints
    site_penalty: Ints
    prices: NDArray[np.float64] | None

    @property
    def value(self) -> int:
        """No portfolio without the site is worth more."""
        return self.scaled // self.scale

    @staticmethod
    def of(site: int, model: Model, multipliers: Multipliers, bound: Bound) -> _Outlook:
        """The cheapest columns of a bound."""
        wanted, beyond = min(model.n_columns, NEAR * model.count), int(NEVER)
        columns = np.arange(model.n_columns)
        if wanted < model.n_columns:
            order = np.argpartition(bound.column_penalty, wanted)
            columns, beyond = np.sort(order[:wanted]), int(bound.column_penalty[order[wanted]])
        sites = np.flatnonzero(bound.site_penalty > 0)
        return _Outlook(
            site, bound.scaled, bound.scale, columns, bound.column_penalty[columns], beyond,
            sites, bound.site_penalty[sites], multipliers.prices(model),
        )  # fmt: skip


def _kept(problem: SelectionProblem, stop: Stop) -> Kept:
    """The relaxation, where none was kept."""
    model = presolved(compile_model(problem))
    return Kept(problem, model, sift(model, stop=stop), Referee(problem, model))


class _Seeker:
    """What the searches share: a hot relaxation, the columns near it, losses by branching,
    portfolios met, and what is known to be lost without other sites.
    """

    def __init__(self, problem: SelectionProblem, solution: Solution, deadline: float) -> None:
        self._problem, self._solution, self._deadline = problem, solution, deadline
        self._objective = int(solution.objective or 0)
        kept = solution.kept
        if kept is None or kept.problem is not problem:
            kept = _kept(problem, stop_at(deadline))
        self._model, self._root, self._referee = kept.model, kept.root, kept.referee
        self._referee.within(stop_at(deadline).seconds_left)
        self._least = least_value(self._model)
        root = self._root
        self._hot: Hot | None = None
        if root.finished and self._model.flow is None:
            columns = cheapest_columns(self._model, root.bound, HELD)
            prices = root.multipliers.prices(self._model)
            self._hot = Hot(self._model, columns, prices, stop=stop_at(deadline))
        self._gaps = [max(0, root.bound.value - self._objective)]
        self._position = np.empty(problem.n_sites, np.int64)
        self._position[self._model.site_of] = np.arange(problem.n_sites)
        self._most: dict[int, int] = {}
        """No portfolio without the site is worth more."""

    def all(self) -> Iterator[Replacement]:
        """One replacement after the other: those that lose most, by the relaxation, first."""
        outlooks = []
        for own in self._solution.chosen.tolist():
            site = int(self._position[own])
            if self._model.state[site] == FREE:
                outlooks.append(_Outlook.of(site, self._model, *self._bounded(self._without(site))))
            else:
                # A site that is forced in has no replacement.
                yield self._none(site)
        if outlooks:
            self._gather(outlooks)
        for one in sorted(outlooks, key=lambda one: (one.value, one.site)):
            yield self._replaced(one)

    def _gather(self, outlooks: Sequence[_Outlook]) -> None:
        """The model of all the columns that some good portfolio may hold."""
        columns = [one.columns for one in outlooks]
        if self._hot is not None:
            columns.append(self._hot.columns)
        self._near = restrict(self._model, np.unique(np.concatenate(columns)), self._model.state)
        # Many searches are to come: compiled ones from the first node on, where it is compiled.
        self._costs = Pseudocosts.empty(self._near.n_sites, nodes=EASY_LARGE)

    def _without(self, site: int) -> NDArray[np.int8]:
        state = self._model.state.copy()
        state[site] = OUTSIDE
        return state

    def _none(self, site: int) -> Replacement:
        empty = np.zeros(0, np.int64)
        return Replacement(int(self._model.site_of[site]), "infeasible", None, None, empty, empty)

    def _replaced(self, outlook: _Outlook) -> Replacement:
        """The best portfolio without a site."""
        run = Run(self._problem, self._deadline, 0.0, None)
        status: Status = "infeasible"
        if outlook.value >= self._least:
            run.bound = outlook.value
            for one in self._referee.accepted:
                # What was met without another site often does without this one too.
                if outlook.site not in self._model.site[one.columns]:
                    run.found(one)
            status = self._search(run, outlook)
        if status == "infeasible":
            self._most[outlook.site] = self._least - 1
            return self._none(outlook.site)
        bound = outlook.value if run.bound is None else run.bound
        self._most[outlook.site] = bound
        own, low = int(self._model.site_of[outlook.site]), self._objective - bound
        empty = np.zeros(0, np.int64)
        if run.best is None:
            return Replacement(own, status, None, low, empty, empty)
        self._gaps.append(outlook.value - run.best.value)
        sites = np.sort(self._model.site_of[self._model.site[run.best.columns]])
        return Replacement(
            own, status, self._objective - run.best.value, low,
            np.setdiff1d(sites, self._solution.chosen), np.setdiff1d(self._solution.chosen, sites),
        )  # fmt: skip

    def _search(self, run: Run, outlook: _Outlook) -> Status:
        """Among the columns near first; among all where nothing is found so near."""
        near = self._near
        nearest = max(self._least, (outlook.scaled - outlook.beyond) // outlook.scale + 1)
        state = self._without(outlook.site)
        referee = self._referee.for_state(state)
        status: Status = "infeasible"
        if nearest <= outlook.value:
            part = dataclasses.replace(near, state=state[near.site_of], mu=self._prices(outlook))
            status = deepen(
                run, part, self._near_bound(outlook), referee.of(near.column_of), nearest,
                costs=self._costs, width=int(MARGIN * np.quantile(self._gaps[-RECENT:], LIKELY)),
            )  # fmt: skip
        if status == "infeasible" and nearest > self._least:
            multipliers, bound = self._bounded(state)
            whole = dataclasses.replace(
                self._model, state=state, mu=multipliers.prices(self._model)
            )
            status = deepen(
                run, whole, bound, referee.judge, self._least, width=outlook.value - nearest,
                costs=Pseudocosts.empty(self._model.n_sites, nodes=EASY_LARGE),
            )  # fmt: skip
        return status

    def _near_bound(self, outlook: _Outlook) -> Bound:
        """The bound of an outlook over the columns near, with what is known of other sites."""
        near = self._near
        column = np.full(near.n_columns, outlook.beyond)
        column[np.searchsorted(near.column_of, outlook.columns)] = outlook.penalty
        site = np.zeros(self._model.n_sites, np.int64)
        site[outlook.sites] = outlook.site_penalty
        for one, most in self._most.items():
            site[one] = max(site[one], outlook.scaled - most * outlook.scale)
        return Bound(outlook.scaled, outlook.scale, column, site[near.site_of])

    def _prices(self, outlook: _Outlook) -> NDArray[np.float64] | None:
        """Prices of the points of the columns near."""
        if outlook.prices is None or self._near.label is None:
            return None
        kept = self._near.label >= 0
        prices = np.zeros(len(self._near.weights))
        np.add.at(prices, self._near.label[kept], outlook.prices[kept])
        return prices

    def _bounded(self, state: NDArray[np.int8]) -> tuple[Multipliers, Bound]:
        """Multipliers with these sites fixed, and their bound: those of the root at worst."""
        multipliers, stop = self._root.multipliers, stop_at(self._deadline)
        if self._hot is None:
            relaxation = self._root.relaxation
            relaxation.fix(state, self._model.shut)
            found = resift(self._model, relaxation, stop=stop)
            return found.multipliers, found.bound
        try:
            self._hot, multipliers, bound = self._hot.bounded(state)
        except OutOfTimeError:
            bound = exact_bound(self._model, multipliers, state, self._model.shut)
        return multipliers, bound
