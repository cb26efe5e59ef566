"""The most or the least of one quantity over all portfolios: exact, with restoration counted.

What a requirement would have to become is such an extreme: the greatest area, the least money, the
lowest cap that some portfolio of the other requirements reaches. One exact optimisation gives it;
stopped by the clock, it gives what was reached and a bound that no portfolio passes.
"""

from __future__ import annotations

import dataclasses
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from siteselect.optimise.bound import Bound
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Run
from siteselect.optimise.crossing import COST_SCALE, rounded_down
from siteselect.optimise.deepen import GROWTH_AFTER_TREE, deepen, fixed_by
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import Model, compile_model, least_value
from siteselect.optimise.packing import packed_too_tightly
from siteselect.optimise.presolve import presolved
from siteselect.optimise.restoration import Restoration, Restorer
from siteselect.optimise.root import ceiling, sift
from siteselect.optimise.search import searched
from siteselect.optimise.solution import Status
from siteselect.optimise.solve import heuristic
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem import Budget, Constraint, Ledger, SelectionProblem
from siteselect.problem.constraints import Ints

EQUAL = 2.0**-60
"""A relative gap that only equal integers reach: a heuristic answer as good as the bound ends
the search."""
FIRST_S, FIRST_SHARE = 2.5, 0.25
"""Seconds of the first try to prove, at most this share of the time."""
FEW, LOOK_S, LOOK_SHARE = (50, 100, 150), 1.2, 0.05
"""Then a better portfolio is sought among so many columns more than sites, each time for so many
seconds, at most that share of the time left."""


@dataclass(frozen=True, eq=False)
class Extreme:
    """The best portfolio met for a quantity, and a bound.

    Attributes
    ----------
    value
        what the portfolio reaches, or ``None`` where none was met in time.
    bound
        no portfolio reaches more; ``value`` where it is proven the most.
    columns, restored
        the portfolio: columns of the problem; int64[R] units of 0.01 ha.
    """

    value: int | None
    bound: int
    columns: Ints
    restored: Ints


def most_of(problem: SelectionProblem, score: Ints, *, time_limit_s: float) -> Extreme | None:
    """The greatest Σ score_j x_j over the portfolios of a problem, whatever it maximises.

    ``None`` where it is proven that there is no portfolio.
    """
    problem = _for(problem, score)
    model = compile_model(problem)
    return _extreme(problem, model, Referee(problem, model), time_limit_s)


def least_spent(
    problem: SelectionProblem, budget: Budget, *, time_limit_s: float
) -> Extreme | None:
    """The least money (k€, negated, up to the next whole k€) with which there is a portfolio.

    ``budget``, a constraint of the problem, gives the costs; its limit is not respected.
    """
    free = without(problem, budget)
    if not budget.with_parcels or not len(problem.parcels):
        return most_of(free, -budget.cost_keur, time_limit_s=time_limit_s)
    free = _for(free, -budget.cost_keur)
    model = compile_model(free)
    price = problem.parcels.cost_keur[model.parcel_of]
    referee = _Spending(free, model)
    found = _extreme(free, dataclasses.replace(model, parcel_score=-price), referee, time_limit_s)
    if found is None or not referee.rounded:
        return found
    return dataclasses.replace(found, bound=found.bound + 1)


def lowest_cap(problem: SelectionProblem, ledger: Ledger, *, time_limit_s: float) -> Extreme | None:
    """The lowest cap of a ledger (0.01 ha, negated) with which there is a portfolio.

    ``ledger``, a constraint of the problem, gives charges and parcels; its cap is not respected.
    """
    charge = np.zeros(problem.n_columns, np.int64)
    np.add.at(charge, ledger.columns, ledger.charge)
    free = without(problem, ledger)
    if not len(ledger.parcels):
        return most_of(free, -charge, time_limit_s=time_limit_s)
    free = _for(free, -charge)
    model = compile_model(free)
    gain = np.zeros(len(problem.parcels), np.int64)
    gain[ledger.parcels] = problem.parcels.capacity[ledger.parcels]
    model = dataclasses.replace(model, parcel_score=gain[model.parcel_of])
    return _extreme(free, model, _Capping(free, model, problem, ledger), time_limit_s)


def without(problem: SelectionProblem, one: Constraint) -> SelectionProblem:
    """The problem without one of its constraints."""
    kept = tuple(each for each in problem.constraints if each is not one)
    return dataclasses.replace(problem, constraints=kept)


def _for(problem: SelectionProblem, score: Ints) -> SelectionProblem:
    return dataclasses.replace(problem, score=score, coverage=None, workforce=None)


def _extreme(
    problem: SelectionProblem, model: Model, referee: Referee, time_limit_s: float
) -> Extreme | None:
    run = Run(problem, time.perf_counter() + time_limit_s, EQUAL, None)
    if packed_too_tightly(problem, run.late) is not None:
        return None
    status = _search(run, presolved(model), referee.within(run.seconds_left))
    if status == "infeasible" or run.bound is None:
        return None
    if run.best is None:
        nothing = np.zeros(0, np.int64)
        return Extreme(None, run.bound, nothing, nothing)
    columns = model.column_of[run.best.columns]
    return Extreme(run.best.value, run.bound, columns, run.best.restoration.units)


def _search(run: Run, model: Model, referee: Referee) -> Status:
    """Root, a heuristic portfolio, then the search that proves.

    Unlike scores, quantities are far from their bound in a heuristic portfolio. Where the proof is
    not quick, short searches in what is best by reduced cost bring it near: the proof then has less
    to look at, and where it is never made, what was found is worth telling.
    """
    least = least_value(model)
    root = sift(model, stop=run.late)
    if root.bound.value < least:
        return "infeasible"
    run.bound = min(root.bound.value, ceiling(model))
    with suppress(OutOfTimeError):
        heuristic(run, model, root, referee, run.a_moment())
    if run.good_enough():
        return "optimal"
    costs, end = Pseudocosts.empty(model.n_sites), run.deadline
    now = time.perf_counter()
    run.deadline = now + min(FIRST_S, FIRST_SHARE * (end - now))
    status = deepen(run, model, root.bound, referee.judge, least, costs=costs)
    run.deadline = end
    if status != "limit":
        return status
    for many in FEW:
        _look_among(run, model, root.bound, referee, model.count + many)
    width = int((root.bound.value - run.bound) * GROWTH_AFTER_TREE)
    return deepen(run, model, root.bound, referee.judge, least, costs=costs, width=width)


def _look_among(run: Run, model: Model, bound: Bound, referee: Referee, many: int) -> None:
    """A better portfolio among the columns with the least penalties, within a moment.

    Sites that cost more than these to leave out are in.
    """
    if run.stop():
        return
    columns = np.sort(np.argsort(bound.column_penalty, kind="stable")[:many])
    widest = int(bound.column_penalty[columns].max(initial=0))
    state = fixed_by(model, bound, bound.value - widest // bound.scale)
    floor = least_value(model) if run.best is None else run.best.value + 1
    end = time.perf_counter() + min(LOOK_S, LOOK_SHARE * run.seconds_left())
    stop = Stop(lambda: min(end - time.perf_counter(), run.seconds_left()), run.good_enough)
    searched(
        model, columns, state, judge=referee.judge, floor=floor, stop=stop, ties=False, held=None,
        costs=Pseudocosts.empty(model.n_sites), on_found=run.earlier,
    )  # fmt: skip


class _Spending(Referee):
    """A choice is worth what it and its cheapest restoration cost, negated, in whole k€."""

    rounded = False
    """Whether some cost may be one k€ above the cheapest (whole units of ledgers that cross)."""

    def _restored(self, columns: Ints) -> Portfolio | None:
        found = self._restorer.restore(self._model.column_of[columns])
        if found is None:
            return None
        cost = math.ceil(found.cost_keur)
        if not self._restorer.exact and math.ceil(self._at_least(found)) < cost:
            self.rounded = True
        return Portfolio(columns, self.value(columns) - cost, found)

    def _at_least(self, found: Restoration) -> Fraction:
        """The cost as CP-SAT counted it: no restoration costs less."""
        parcels = self._restorer.parcels
        price = rounded_down(parcels.cost_keur, parcels.capacity)
        return Fraction(sum((price * found.units).tolist()), COST_SCALE)


class _Capping(Referee):
    """A choice is worth the lowest cap with which it can be restored and paid, negated."""

    def __init__(
        self, problem: SelectionProblem, model: Model, whole: SelectionProblem, ledger: Ledger
    ) -> None:
        super().__init__(problem, model)
        self._restorer = Restorer(whole)
        ledgers = [one for one in whole.constraints if isinstance(one, Ledger)]
        self._place = next(i for i, one in enumerate(ledgers) if one is ledger)
        self._parcels, self._capacity = ledger.parcels, whole.parcels.capacity
        self._best: int | None = None

    def settle(self, portfolio: Portfolio) -> Portfolio:
        """As it is: a cheaper restoration would give less."""
        return portfolio

    def _restored(self, columns: Ints) -> Portfolio | None:
        """The lowest cap by bisection; ``None`` too where it is not under the best cap met."""
        charge = self._restorer.charge(self._place, self._model.column_of[columns])
        high = charge if self._best is None else min(charge, self._best - 1)
        best = self._at(columns, high)
        if best is None:
            return None
        low = charge - int(self._capacity[self._parcels].sum())
        high = charge - self._given(best)
        while low < high:
            middle = (low + high) // 2
            found = self._at(columns, middle)
            if found is None:
                low = middle + 1
            else:
                best, high = found, charge - self._given(found)
        self._best = high
        return Portfolio(columns, -high, best)

    def _at(self, columns: Ints, cap: int) -> Restoration | None:
        own = self._model.column_of[columns]
        return self._restorer.restore(own, cheapest=False, caps={self._place: cap})

    def _given(self, found: Restoration) -> int:
        return int(found.units[self._parcels].sum())
