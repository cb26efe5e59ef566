"""What each chosen site is worth to the portfolio: the loss of objective without it, exactly.

All the searches share one root relaxation: a site is fixed out, a few columns are priced in, and
the search starts from the new bound.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Progress, Run
from siteselect.optimise.deepen import deepen
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import OUTSIDE, Model, compile_model, least_value
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import Root, resift, sift
from siteselect.optimise.solution import Solution, Status
from siteselect.optimise.stop import stop_at
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints

LIKELY, MARGIN = 0.8, 1.1
"""The first search looks a little deeper than was enough for this share of the sites before."""


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


@dataclass
class _Learnt:
    """What the searches before tell the next: losses by branching, and how deep to look."""

    costs: Pseudocosts
    gaps: list[int]

    def width(self) -> int:
        """The gap within which most of the portfolios were found."""
        return int(MARGIN * np.quantile(self.gaps, LIKELY))


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
    deadline = time.perf_counter() + time_limit_s
    model = presolved(compile_model(problem))
    referee = Referee(problem, model)
    root = sift(model, stop=stop_at(deadline))
    position = np.empty(problem.n_sites, np.int64)
    position[model.site_of] = np.arange(problem.n_sites)
    found: list[Replacement] = []
    pool: list[Portfolio] = []
    gap = max(0, root.bound.value - solution.objective)
    learnt = _Learnt(Pseudocosts.empty(model.n_sites), [gap])
    for done, site in enumerate(solution.chosen.tolist()):
        found.append(
            _without(
                problem, solution, model, root, referee, pool, learnt, int(position[site]), deadline
            )
        )
        if progress is not None:
            progress("replacement", (done + 1) / len(solution.chosen))
    return tuple(found)


def _without(
    problem: SelectionProblem, solution: Solution, model: Model, root: Root, referee: Referee,
    pool: list[Portfolio], learnt: _Learnt, site: int, deadline: float,
) -> Replacement:  # fmt: skip
    """The best portfolio without one site of the model."""
    state = model.state.copy()
    own = int(model.site_of[site])
    empty = np.zeros(0, np.int64)
    if state[site] != 0:
        # A site that is forced in has no replacement.
        return Replacement(own, "infeasible", None, None, empty, empty)
    state[site] = OUTSIDE
    part = dataclasses.replace(model, state=state)
    run = Run(problem, deadline, 0.0, None)
    relaxation = root.relaxation
    relaxation.fix(state, relaxation.shut)
    bound = resift(model, relaxation, stop=run.late).bound
    least = least_value(model)
    if bound.value < least:
        return Replacement(own, "infeasible", None, None, empty, empty)
    run.bound = bound.value
    for one in pool:
        # What was found without another site often does without this one too.
        if site not in model.site[one.columns]:
            run.found(one)
    status = deepen(
        run, part, bound, referee.for_state(state), least, costs=learnt.costs, width=learnt.width()
    )
    objective = int(solution.objective or 0)
    if status == "infeasible":
        return Replacement(own, status, None, None, empty, empty)
    low = objective - (run.bound if run.bound is not None else bound.value)
    if run.best is None:
        return Replacement(own, status, None, low, empty, empty)
    pool.append(run.best)
    learnt.gaps.append(bound.value - run.best.value)
    sites = np.sort(model.site_of[model.site[run.best.columns]])
    return Replacement(
        own,
        status,
        objective - run.best.value,
        low,
        np.setdiff1d(sites, solution.chosen),
        np.setdiff1d(solution.chosen, sites),
    )
