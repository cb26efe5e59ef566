"""A relaxation over the columns that matter, whose multipliers hold for the whole model.

Cuts by groups of demand come near the optimum of the root quickly and then take many rounds. From
there the columns that matter are few, and with the prices known so far a programme that holds a
row only for the points where these are wrong is small. Its multipliers, carried over to the whole
model, price all columns. Kept hot, it answers what the root is worth without a site.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Block, Bound, Cut, Multipliers, exact_bound
from siteselect.optimise.model import OUTSIDE, Model, restrict
from siteselect.optimise.relaxation import Relaxation, clique_cut, improving
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem.constraints import Ints

FIRST = 10
"""The first programme holds so many columns for each site wanted."""


class Hot:
    """A relaxation over some columns of a model without workers, to be solved again and again.

    ``prices`` float[demand] or ``None``: multipliers of the points in a programme nearby.
    """

    def __init__(
        self, model: Model, columns: Ints, prices: NDArray[np.float64] | None, *, stop: Stop
    ) -> None:
        numbered = dataclasses.replace(model, origin=np.arange(len(model.lower)), mu=prices)
        self._model, self.columns, self._stop = model, columns, stop
        self._part = restrict(numbered, columns, model.state)
        self._worth = model.alone().astype(np.float64)
        self._grown: dict[int, Cut] = {}
        self._block: Block | None = None
        self.relaxation = Relaxation(self._part, np.arange(self._part.n_columns))
        self.relaxation.lp.seconds_left = stop.seconds_left
        self._place = np.full(model.n_sites, -1, np.int64)
        self._place[self._part.site_of] = np.arange(self._part.n_sites)

    def solve(self) -> Multipliers:
        """Multipliers of the whole model at the optimum over the columns.

        Raises
        ------
        OutOfTimeError
            Time ran out.
        """
        self.relaxation.solve()
        while self.relaxation.separate():
            self.relaxation.solve()
        return self._lifted()

    def bounded(self, state: NDArray[np.int8]) -> tuple[Hot, Multipliers, Bound]:
        """Multipliers and exact bound of the whole model with sites fixed (int8[S]).

        The programme comes back larger where columns beside its own would improve it.

        Raises
        ------
        OutOfTimeError
            Time ran out.
        """
        hot, model = self, self._model
        while True:
            hot.fix(state)
            multipliers = hot.solve()
            bound = exact_bound(model, multipliers, state, model.shut)
            new = improving(model, bound, hot.columns, hot.relaxation.unit)
            new = new[state[model.site[new]] != OUTSIDE]
            if not len(new):
                return hot, multipliers, bound
            columns = np.union1d(hot.columns, new)
            hot = Hot(model, columns, multipliers.prices(model), stop=self._stop)

    def fix(self, state: NDArray[np.int8]) -> None:
        """Move to other fixings of sites (int8[S] of the whole model)."""
        self.relaxation.fix(state[self._part.site_of], self.relaxation.shut)

    def _lifted(self) -> Multipliers:
        """Points that the part does not hold are worth all their weight to who reaches them."""
        part, given = self._part, self.relaxation.multipliers()
        cuts, duals = [], []
        for i in np.flatnonzero(given.cut_y > 0).tolist():
            if not given.cuts[i].implicit:
                cuts.append(self._clique(i, given.cuts[i]))
                duals.append(given.cut_y[i])
        demand, mu = np.zeros(0, np.int64), np.zeros(0)
        if part.label is not None:
            share = np.zeros(len(part.weights))
            share[given.demand] = given.mu / part.weights[given.demand]
            demand = np.flatnonzero(part.label >= 0)
            mu = share[part.label[demand]] * self._model.weights[demand]
        return Multipliers(
            self._rows(part.origin[given.block.rows]),
            given.y,
            tuple(cuts),
            np.array(duals),
            demand,
            mu,
        )

    def _rows(self, rows: Ints) -> Block:
        """Rows of the whole model, taken out anew only where there are others."""
        if self._block is None or not np.array_equal(self._block.rows, rows):
            self._block = Block(self._model, rows)
        return self._block

    def _clique(self, i: int, cut: Cut) -> Cut:
        """A cut of the part over all the sites that it excludes in the whole model."""
        if i not in self._grown:
            sites = self._part.site_of[np.unique(self._part.site[cut.columns])]
            self._grown[i] = clique_cut(self._model, sites, self._worth)
        return self._grown[i]


def cheapest_columns(model: Model, bound: Bound, each: int) -> Ints:
    """``each`` columns for each site wanted, those with the smallest penalties, ascending."""
    wanted = min(model.n_columns, each * model.count)
    if wanted == model.n_columns:
        return np.arange(wanted)
    return np.sort(np.argpartition(bound.column_penalty, wanted)[:wanted])


@dataclasses.dataclass(frozen=True, eq=False)
class Polished:
    """Multipliers of the whole model at the optimum, and their exact bound."""

    multipliers: Multipliers
    bound: Bound


def polish(model: Model, multipliers: Multipliers, bound: Bound, *, stop: Stop) -> Polished | None:
    """The optimum of the root relaxation from multipliers near it; ``None`` when time is out."""
    columns = cheapest_columns(model, bound, FIRST)
    hot = Hot(model, columns, multipliers.prices(model), stop=stop)
    try:
        _, multipliers, bound = hot.bounded(model.state)
    except OutOfTimeError:
        return None
    return Polished(multipliers, bound)
