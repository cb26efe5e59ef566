"""What each chosen site is worth to the portfolio: the loss of objective without it, exactly.

All the searches share one root relaxation: a site is fixed out, a few columns are priced in, and
the search starts from the new bound, among the columns that some good portfolio may hold. The
sites that seem to cost most come first: what is known to be worth more than every portfolio
without a site must hold that site, which leaves less and less to decide.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from siteselect.optimise.bound import exact_bound
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Progress, Run
from siteselect.optimise.compiling import prepare, ready
from siteselect.optimise.deepen import deepen
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.met import Met
from siteselect.optimise.model import FREE, Model, compile_model, least_value, restrict
from siteselect.optimise.outlook import Outlook, outlooks, without
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import sift
from siteselect.optimise.search import EASY_LARGE, plantable
from siteselect.optimise.solution import Kept, Solution, Status
from siteselect.optimise.stop import Stop, stop_at
from siteselect.optimise.turns import in_turn
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints

LIKELY, MARGIN, RECENT = 0.75, 1.1, 12
"""The first search looks a little deeper than was enough for this share of the sites before."""
AHEAD = 4
"""So many sites are searched, or wait for it, without knowing of each other."""


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
    workers: int = 2,
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
    workers
        Threads; what is found within the limit does not depend on it.
    progress
        Called with ``"replacement"`` and the share done.
    """
    if solution.objective is None:
        return ()
    deadline, kept = time.perf_counter() + time_limit_s, solution.kept
    if kept is None or kept.problem is not problem:
        kept = _kept(problem, stop_at(deadline))
    found: dict[int, Replacement] = {}
    for one in _Seeker(kept, solution, deadline, workers).all():
        found[one.site] = one
        if progress is not None:
            progress("replacement", len(found) / len(solution.chosen))
    return tuple(found[site] for site in solution.chosen.tolist())


def _kept(problem: SelectionProblem, stop: Stop) -> Kept:
    """The relaxation, where none was kept."""
    model = presolved(compile_model(problem))
    return Kept(problem, model, sift(model, stop=stop), Referee(problem, model))


@dataclass(frozen=True, eq=False)
class _Ground:
    """What no search changes: the model, its columns near, the referee; ``least`` is the least
    value that a portfolio can have.
    """

    model: Model
    near: Model
    referee: Referee
    least: int


@dataclass(eq=False)
class _Search:
    """The search without a site, for a thread of its own.

    ``most`` and ``width`` are what is known of other sites and how deep to look first; ``costs``
    go on from ``before``; ``met`` are the portfolios that were met on the way.
    """

    ground: _Ground
    outlook: Outlook
    run: Run
    most: Mapping[int, int]
    width: int
    before: Pseudocosts
    costs: Pseudocosts
    met: list[Portfolio] = field(default_factory=list)

    def __call__(self) -> Status:
        """Among the columns near first; among all where nothing is found so near."""
        ground, outlook = self.ground, self.outlook
        state = without(ground.model, outlook.site)
        referee = ground.referee.for_state(state)
        nearest = max(ground.least, outlook.nearest)
        status: Status = "infeasible"
        if nearest <= outlook.value:
            prices = outlook.prices_among(ground.model, ground.near)
            status = deepen(
                self.run,
                dataclasses.replace(ground.near, state=state[ground.near.site_of], mu=prices),
                outlook.bound_among(ground.model, ground.near, self.most),
                self._noted(referee.of(ground.near.column_of)),
                nearest,
                costs=self.costs,
                width=self.width,
            )
        if status == "infeasible" and ground.least < min(nearest, outlook.value + 1):
            multipliers, model = outlook.multipliers, ground.model
            status = deepen(
                self.run,
                dataclasses.replace(model, state=state, mu=multipliers.prices(model)),
                exact_bound(model, multipliers, state, model.shut),
                self._noted(referee.judge),
                ground.least,
                costs=Pseudocosts.empty(model.n_sites, nodes=EASY_LARGE),
                width=outlook.value - nearest,
            )
        return status

    def _noted(self, judge: Callable[[Ints], Portfolio | None]) -> Callable[..., Portfolio | None]:
        """A judge whose portfolios are remembered here."""

        def judged(columns: Ints) -> Portfolio | None:
            found = judge(columns)
            if found is not None:
                self.met.append(found)
            return found

        return judged


class _Seeker:
    """What the searches share: the columns near the relaxation, losses by branching, portfolios
    met, and what is known to be lost without other sites.
    """

    def __init__(self, kept: Kept, solution: Solution, deadline: float, workers: int) -> None:
        self._kept, self._solution, self._workers = kept, solution, workers
        self._deadline = deadline
        kept.referee.within(self._seconds_left)
        self._objective = int(solution.objective or 0)
        self._gaps = [max(0, kept.root.bound.value - self._objective)]
        self._met = Met(kept.model, kept.referee.accepted)
        self._most: dict[int, int] = {}
        """No portfolio without the site is worth more."""
        self._searches: deque[_Search] = deque()
        """Begun and not ended."""

    def all(self) -> Iterator[Replacement]:
        """One replacement after the other: those that lose most, by the relaxation, first."""
        model = self._kept.model
        position = np.empty(self._kept.problem.n_sites, np.int64)
        position[model.site_of] = np.arange(model.n_sites)
        chosen = position[self._solution.chosen]
        for site in chosen[model.state[chosen] != FREE].tolist():
            # A site that is forced in has no replacement.
            yield self._none(site)
        ahead, held = outlooks(
            model, self._kept.root, chosen[model.state[chosen] == FREE].tolist(),
            stop=Stop(self._seconds_left), give_up=self._give_up, workers=self._workers,
        )  # fmt: skip
        if not ahead:
            return
        self._gather([held, *(one.columns for one in ahead)])
        yield from in_turn(
            sorted(ahead, key=lambda one: (one.value, one.site)), self._begin, self._end,
            give_up=self._give_up, ahead=AHEAD, workers=self._workers,
        )  # fmt: skip

    def _gather(self, columns: Sequence[Ints]) -> None:
        """The model of all the columns that some good portfolio may hold."""
        model = self._kept.model
        near = restrict(model, np.unique(np.concatenate(columns)), model.state)
        self._ground = _Ground(model, near, self._kept.referee, least_value(model))
        # Many searches are to come: compiled ones from the first node on, where it is compiled.
        self._costs = Pseudocosts.empty(near.n_sites, nodes=EASY_LARGE)
        if plantable(near) and ready():
            prepare()

    def _none(self, site: int) -> Replacement:
        own, empty = int(self._kept.model.site_of[site]), np.zeros(0, np.int64)
        return Replacement(own, "infeasible", None, None, empty, empty)

    def _begin(self, outlook: Outlook) -> _Search:
        """The search without a site, with what is known by now."""
        run = Run(self._kept.problem, self._deadline, 0.0, None)
        if outlook.value >= self._ground.least:
            run.bound = outlook.value
            # What was met without another site often does without this one too.
            run.best = self._met.without(outlook.site)
        width = int(MARGIN * np.quantile(self._gaps[-RECENT:], LIKELY))
        before = self._costs.copy()
        self._searches.append(
            _Search(self._ground, outlook, run, dict(self._most), width, before, before.copy())
        )
        return self._searches[-1]

    def _end(self, outlook: Outlook, status: Status) -> Replacement:
        """The best portfolio without a site, and what is learnt from its search."""
        search = self._searches.popleft()
        self._costs.add(search.costs, search.before)
        for one in search.met:
            self._met.add(one)
        if status == "infeasible":
            self._most[outlook.site] = self._ground.least - 1
            return self._none(outlook.site)
        model, run = self._kept.model, search.run
        bound = outlook.value if run.bound is None else run.bound
        self._most[outlook.site] = bound
        own, low = int(model.site_of[outlook.site]), self._objective - bound
        empty = np.zeros(0, np.int64)
        if run.best is None:
            return Replacement(own, status, None, low, empty, empty)
        self._gaps.append(outlook.value - run.best.value)
        sites, chosen = np.sort(model.site_of[model.site[run.best.columns]]), self._solution.chosen
        return Replacement(
            own, status, self._objective - run.best.value, low,
            np.setdiff1d(sites, chosen), np.setdiff1d(chosen, sites),
        )  # fmt: skip

    def _seconds_left(self) -> float:
        return self._deadline - time.perf_counter()

    def _give_up(self) -> None:
        """What is under way ends at its next look at the clock."""
        self._deadline = 0.0
        for search in self._searches:
            search.run.deadline = 0.0
