"""A feasible portfolio without a linear programme: greedy, then swaps that repair.

For short limits and for problems whose relaxation takes too long. Weighted violations go down by
the best swap; where no swap helps, the rows still broken weigh more (breakout, Morris 1993).
Floating point only proposes: the referee decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import INSIDE, OUTSIDE, Model
from siteselect.optimise.stop import Stop
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

Floats = NDArray[np.float64]
MOST_MOVES = 600
PATIENCE = 40
"""Moves without a better portfolio after which what was found is good enough."""
TABU = 8
"""A column that left does not come back for so many moves."""
FIRST_WEIGHT, HEAVIER = 10.0, 1.5
CHEAP_SHARE = 0.1
"""Restoration is priced at first like this share of the land, the cheapest."""
DEARER = 1.3
NEVER = 1e30


@dataclass(eq=False)
class _Rows:
    """Rows of the model over the candidates, each divided by its largest coefficient.

    ``row``, ``column``, ``value`` are the coefficients; restoration is replaced by a price.
    """

    row: Ints
    column: Ints
    value: Floats
    low: Floats
    high: Floats
    weight: Floats
    matrix: csc_array

    @staticmethod
    def of(model: Model, columns: Ints, price: float) -> _Rows:
        x = csr_array(model.x_columns[:, columns]).astype(np.float64)
        low = np.where(model.lower == NO_LOWER, -np.inf, model.lower.astype(np.float64))
        high = np.where(model.upper == NO_UPPER, np.inf, model.upper.astype(np.float64))
        gives = -np.asarray(model.z.minimum(0).sum(axis=1)).ravel()
        takes = np.asarray(model.z.maximum(0).sum(axis=1)).ravel()
        pays = (takes > 0) & (gives == 0)
        if pays.any() and gives.any():
            ledger = int(np.argmax(gives))
            for row in np.flatnonzero(pays & (model.origin >= 0)).tolist():
                x = x + csr_array(_unit_row(len(low), row) @ (price * x[[ledger]]))
                high[row] += price * min(0.0, high[ledger])
        high[pays & (model.origin < 0)] = np.inf
        high = high + gives
        largest = np.maximum(abs(x).max(axis=1).toarray().ravel(), 1e-9)
        part = x.tocoo()
        value = part.data / largest[part.row]
        scaled = csc_array((value, (part.row, part.col)), shape=x.shape)
        return _Rows(
            part.row.astype(np.int64), part.col.astype(np.int64), value, low / largest,
            high / largest, np.full(len(low), FIRST_WEIGHT), scaled,
        )  # fmt: skip

    def __post_init__(self) -> None:
        self._low, self._high = self.low[self.row], self.high[self.row]

    def excess(self, activity: Floats) -> Floats:
        """By how much an activity of the rows is out of bounds."""
        return np.maximum(0.0, np.maximum(self.low - activity, activity - self.high))

    def change(self, activity: Floats) -> Floats:
        """float[candidates], what each candidate adds to the weighted violation."""
        now = self.excess(activity)
        after = activity[self.row] + self.value
        new = np.maximum(self._low - after, after - self._high)
        np.maximum(new, 0.0, out=new)
        new *= self.weight[self.row]
        new -= (now * self.weight)[self.row]
        added: Floats = np.bincount(self.column, new, self.matrix.shape[1]).astype(np.float64)
        return added


def _unit_row(many: int, row: int) -> csr_array:
    return csr_array((np.ones(1), ([row], [0])), shape=(many, 1))


def repaired(
    model: Model, referee: Referee, columns: Ints, worth: Floats, *, stop: Stop
) -> Portfolio | None:
    """A portfolio among some columns (ascending), worth much by ``worth`` (about 1 for the best).

    ``None`` when no swap leads to one in time; that proves nothing.
    """
    open_columns = ~model.shut[columns] & (model.state[model.site[columns]] != OUTSIDE)
    columns = columns[open_columns]
    if not len(columns):
        return None
    return _Repair(model, referee, columns, worth[columns], stop).run()


class _Repair:
    """The state of one repair: chosen candidates, activity of the rows, conflicts."""

    def __init__(
        self, model: Model, referee: Referee, columns: Ints, worth: Floats, stop: Stop
    ) -> None:
        self.model, self.referee, self.columns, self.worth = model, referee, columns, worth
        self.stop = stop
        self.site = model.site[columns]
        self.price = _cheap_price(model)
        self.rows = _Rows.of(model, columns, self.price)
        self.chosen: list[int] = []
        self.activity = np.zeros(len(model.lower))
        self.clashes: dict[int, Floats] = {}
        self.coefficients: dict[int, Floats] = {}
        self.clash = np.zeros(len(columns))
        self.clash_weight = FIRST_WEIGHT
        self.tabu = np.zeros(len(columns), np.int64)

    def run(self) -> Portfolio | None:
        """Greedy, then swaps until the referee accepts, and on while that leads to better."""
        self._start()
        best: Portfolio | None = None
        last = 0
        for move in range(1, MOST_MOVES + 1):
            if self._violation() <= 1e-9:
                found = self.referee.judge(np.sort(self.columns[self.chosen]))
                if found is None:
                    self._dearer()
                elif best is None or found.value > best.value:
                    best, last = found, move
            if best is not None and move - last > PATIENCE:
                return best
            if self.stop() or not self._swap(move):
                return best
        return best

    def _start(self) -> None:
        inside = np.flatnonzero(self.model.state == INSIDE)
        for site in inside.tolist():
            own = np.flatnonzero(self.site == site)
            if len(own):
                self._take(int(own[np.argmax(self.worth[own])]))
        while len(self.chosen) < self.model.count and not self.stop():
            loss = self._cost_of_adding(self.activity, self.clash)
            best = int(np.argmin(loss))
            if loss[best] >= NEVER / 2:
                return
            self._take(best)

    def _cost_of_adding(self, activity: Floats, clash: Floats) -> Floats:
        loss = self.rows.change(activity) + self.clash_weight * clash - self.worth
        taken = np.zeros(self.model.n_sites, bool)
        taken[self.site[self.chosen]] = True
        loss[taken[self.site]] = NEVER
        return loss

    def _clash_of(self, candidate: int) -> Floats:
        """1 for each candidate that this one excludes."""
        site = int(self.site[candidate])
        if site not in self.clashes:
            mark = np.zeros(self.model.n_sites)
            if self.model.conflicts:
                mark[self.model.conflicts.neighbours(site)] = 1.0
            self.clashes[site] = mark[self.site]
        return self.clashes[site]

    def _row_of(self, candidate: int) -> Floats:
        if candidate not in self.coefficients:
            self.coefficients[candidate] = self.rows.matrix[:, [candidate]].toarray().ravel()
        return self.coefficients[candidate]

    def _take(self, candidate: int) -> None:
        self.chosen.append(candidate)
        self.activity += self._row_of(candidate)
        self.clash = self.clash + self._clash_of(candidate)

    def _leave(self, candidate: int) -> None:
        self.chosen.remove(candidate)
        self.activity -= self._row_of(candidate)
        self.clash = self.clash - self._clash_of(candidate)

    def _violation(self) -> float:
        return float(self.rows.excess(self.activity).sum() + self.clash[self.chosen].sum())

    def _swap(self, move: int) -> bool:
        """The best exchange of one site; heavier weights where none lowers the violation."""
        best, pair = NEVER / 2, None
        for leaving in list(self.chosen):
            if self.stop():
                return False
            site = int(self.site[leaving])
            activity = self.activity - self._row_of(leaving)
            clash = self.clash - self._clash_of(leaving)
            excess = self.rows.excess(activity) - self.rows.excess(self.activity)
            loss = self._cost_of_adding(activity, clash)
            own = self.site == site
            again = self.rows.change(activity)[own] - self.worth[own] if own.sum() > 1 else None
            if again is not None:
                loss[own] = again + self.clash_weight * clash[own]
                loss[leaving] = NEVER
            if self.model.state[site] == INSIDE:
                loss[~own] = NEVER
            loss[self.tabu > move] = NEVER
            entering = int(np.argmin(loss))
            change = float(
                loss[entering] + excess @ self.rows.weight
                - self.clash_weight * self.clash[leaving] + self.worth[leaving]
            )  # fmt: skip
            if change < best:
                best, pair = change, (leaving, entering)
        if pair is None:
            return False
        if best >= -1e-9:
            self.rows.weight[self.rows.excess(self.activity) > 1e-9] *= HEAVIER
            if self.clash[self.chosen].any():
                self.clash_weight *= HEAVIER
        self._leave(pair[0])
        self._take(pair[1])
        self.tabu[pair[0]] = move + TABU
        return True

    def _dearer(self) -> None:
        """The referee refused: restoration costs more than was thought."""
        self.price *= DEARER
        weight = self.rows.weight
        self.rows = _Rows.of(self.model, self.columns, self.price)
        self.rows.weight = weight
        self.coefficients.clear()
        self.activity = self.rows.matrix[:, self.chosen].sum(axis=1).astype(np.float64)


def _cheap_price(model: Model) -> float:
    """k€ per unit of the cheapest land that may be restored, from the rows that pay for it."""
    takes, gives = model.z.maximum(0), -model.z.minimum(0)
    if not (takes.nnz and gives.nnz):
        return 0.0
    cost = takes.max(axis=0).toarray().ravel().astype(np.float64)
    size = np.maximum(gives.max(axis=0).toarray().ravel().astype(np.float64), 1.0)
    order = np.argsort(cost / size, kind="stable")
    few = order[np.cumsum(size[order]) <= max(CHEAP_SHARE * size.sum(), size[order[0]])]
    return float(cost[few].sum() / size[few].sum())
