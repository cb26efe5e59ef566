"""Union catchment in a linear programme: two exact forms, one for many sites, one for few.

Both only propose multipliers 0 ≤ π_i ≤ w_i; the exact bound makes of them
w_i min(1, X_i) ≤ π_i X_i + (w_i − π_i), whichever form they come from.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.lp import INFINITE, Floats, GrowingLp
from siteselect.optimise.model import Model
from siteselect.problem.constraints import Ints

TOLERANCE = 1e-6
LEAST_ROWS, SHARE_OF_ROWS = 50, 0.1
"""Rows are added so many at a time, those that matter most first: a programme with few rows moves
far at first, and most of what it then violates it would not have violated in the end."""
GROUPS = 60
SAMPLE = 3_000
"""Anchors of the groups are picked among so many sites."""
WORTH = 1e-7
"""A cut is added when it lowers the objective by more than this share of the unit."""


class CoverageForm(Protocol):
    """What a relaxation asks of its coverage.

    ``constant`` is what the programme leaves out of its objective, in its units.
    """

    constant: float

    def gain(self) -> Floats:
        """float[S]: what the objective holds for each site, in units of the score."""

    def entries(self, sites: Ints) -> tuple[Ints, Ints, Floats]:
        """Row, index into ``sites`` and value of the coefficients of new columns."""

    def separate(self, loads: Floats, columns: Ints, positions: Ints) -> int:
        """Add the rows that the solution violates; how many."""

    def multipliers(self, dual: Floats) -> tuple[Ints, Floats]:
        """Demand points and μ = w − π of each, from the duals in units of the score."""


class Crossing:
    """Each point counted as if its cover X stayed on the side of 1 where its price μ was before; a
    row corrects that where it does not:

    under 1: w min(1, X) = w X − w v with v ≥ X − 1; over 1: w − w v with v ≥ 1 − X; v ≥ 0.

    Rows are made as they are violated: few, where the prices are those of a programme nearby (all
    are under 1 without). The form of the exact search.
    """

    def __init__(self, model: Model, lp: GrowingLp, unit: float) -> None:
        self._model, self._lp, self._unit = model, lp, unit
        self._reach = model.reach_or_fail()
        priced = np.zeros(len(model.weights)) if model.mu is None else model.mu
        self._over = (2 * priced > model.weights) & (model.weights > 0)
        self._sign = np.where(self._over, -1.0, 1.0)
        self._demand: list[int] = []
        self._rows: list[int] = []
        self._row_of = np.full(len(model.weights), -1, np.int64)
        self.constant = float(model.weights[self._over].sum()) / unit

    def gain(self) -> Floats:
        """The weight that each site reaches among the points guessed under 1."""
        under = np.where(self._over, 0, self._model.weights)
        return np.asarray(self._reach @ under, dtype=np.float64)

    def entries(self, sites: Ints) -> tuple[Ints, Ints, Floats]:
        """±1 in the rows of the points reached."""
        part = self._reach[sites].tocoo()
        where = self._row_of[part.col]
        keep = where >= 0
        sign = self._sign[part.col[keep]]
        return where[keep], part.row[keep].astype(np.int64), sign

    def separate(self, loads: Floats, columns: Ints, positions: Ints) -> int:
        """Points on the other side of 1 than guessed."""
        sites = np.flatnonzero(loads > TOLERANCE)
        cover = self._reach[sites].T @ loads[sites]
        beyond = (cover - 1) * self._sign
        wrong = (beyond > TOLERANCE) & (self._row_of < 0) & (self._model.weights > 0)
        demand = np.flatnonzero(wrong)
        most = max(LEAST_ROWS, int(SHARE_OF_ROWS * len(demand)))
        if len(demand) > most:
            worst = np.argsort(-(beyond * self._model.weights)[demand], kind="stable")[:most]
            demand = np.sort(demand[worst])
        if len(demand):
            self._add(demand, columns, positions)
        return len(demand)

    def _add(self, demand: Ints, columns: Ints, positions: Ints) -> None:
        many = len(demand)
        wrong = self._lp.add_columns(
            -self._model.weights[demand] / self._unit, np.zeros(many), np.full(many, INFINITE),
            np.zeros(many + 1, np.int64), np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
        spot = np.full(len(self._model.weights), -1, np.int64)
        spot[demand] = np.arange(many)
        part = self._reach[self._model.site[columns]].tocoo()
        keep = spot[part.col] >= 0
        row = np.concatenate([spot[part.col[keep]], np.arange(many)])
        column = np.concatenate([positions[part.row[keep]], wrong])
        value = np.concatenate([self._sign[part.col[keep]], -np.ones(many)])
        order = np.argsort(row, kind="stable")
        starts = np.searchsorted(row[order], np.arange(many + 1))
        placed = self._lp.add_rows(
            np.full(many, -INFINITE), self._sign[demand], starts, column[order], value[order],
            elastic=False,
        )  # fmt: skip
        self._row_of[demand] = placed
        self._demand.extend(demand.tolist())
        self._rows.extend(placed.tolist())

    def multipliers(self, dual: Floats) -> tuple[Ints, Floats]:
        """μ is the dual of the row of a point under 1, and w less that dual of one over 1."""
        weights = self._model.weights
        mu = np.where(self._over, weights, 0).astype(np.float64)
        mu[self._demand] += self._sign[self._demand] * dual[self._rows]
        held = np.flatnonzero(self._over | (self._row_of >= 0))
        return held, mu[held]


class GroupCuts:
    """θ_g ≤ Σ_{i saturated} w_i + Σ_s (Σ_{i reached, not saturated} w_i) x_s for groups of demand.

    Benders cuts of maximal covering (Cordeau, Furini and Ljubić 2019), one a group and round:
    few rows however many sites and points there are. The form of the root.
    """

    def __init__(self, model: Model, lp: GrowingLp, unit: float) -> None:
        self._model, self._lp, self._unit = model, lp, unit
        self._reach = model.reach_or_fail()
        self._group = demand_groups(model)
        self.n_groups = int(self._group.max(initial=-1)) + 1
        weight = np.bincount(self._group, model.weights, minlength=self.n_groups)
        self._total = np.maximum(weight, 1.0)
        self._theta = lp.add_columns(
            weight / unit, np.zeros(self.n_groups), np.ones(self.n_groups),
            np.zeros(self.n_groups + 1, np.int64), np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
        self._open: list[NDArray[np.float64]] = []
        self._rows: list[Ints] = []
        self._first = True
        self.constant = 0.0

    def gain(self) -> Floats:
        """Nothing: θ holds the coverage."""
        return np.zeros(self._model.n_sites)

    def _expand(self, sites: Ints) -> tuple[Ints, Ints]:
        """Index into ``sites`` and demand point of every pair reached."""
        part = self._reach[sites]
        return (
            np.repeat(np.arange(len(sites)), np.diff(part.indptr)),
            part.indices.astype(np.int64),
        )

    def _coefficients(
        self, open_weight: NDArray[np.float64], many: int, pair: tuple[Ints, Ints]
    ) -> NDArray[np.float64]:
        """float[many, groups]: weight that each site reaches and that is not saturated."""
        index, demand = pair
        flat = np.bincount(
            index * self.n_groups + self._group[demand], open_weight[demand],
            minlength=many * self.n_groups,
        )  # fmt: skip
        return flat.reshape(many, self.n_groups) / self._total

    def entries(self, sites: Ints) -> tuple[Ints, Ints, Floats]:
        """Coefficients of new columns in every cut made so far."""
        pair = self._expand(sites)
        rows, cols, values = [], [], []
        for open_weight, placed in zip(self._open, self._rows, strict=True):
            table = self._coefficients(open_weight, len(sites), pair)
            col, group = np.nonzero((table > 0) & (placed >= 0))
            rows.append(placed[group])
            cols.append(col.astype(np.int64))
            values.append(-table[col, group])
        if not rows:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        return np.concatenate(rows), np.concatenate(cols), np.concatenate(values)

    def separate(self, loads: Floats, columns: Ints, positions: Ints) -> int:
        """The tangent of every group at the present solution, where θ is above it."""
        sites = np.flatnonzero(loads > TOLERANCE)
        cover = self._reach[sites].T @ loads[sites]
        weights = self._model.weights.astype(np.float64)
        truth = np.bincount(self._group, weights * np.minimum(cover, 1), minlength=self.n_groups)
        theta = self._lp.value[self._theta] * self._total
        worth = theta - truth > WORTH * self._unit
        if self._first:
            self._first, worth = False, np.ones(self.n_groups, bool)
        if not worth.any():
            return 0
        saturated = cover >= 1 - 1e-9
        open_weight = np.where(saturated, 0.0, weights)
        constant = np.bincount(
            self._group, np.where(saturated, weights, 0.0), minlength=self.n_groups
        )
        pair = self._expand(self._model.site[columns])
        table = self._coefficients(open_weight, len(columns), pair)
        groups = np.flatnonzero(worth)
        part = table[:, groups].T
        row, col = np.nonzero(part)
        row_all = np.concatenate([row, np.arange(len(groups))])
        column = np.concatenate([positions[col], self._theta[groups]])
        value = np.concatenate([-part[row, col], np.ones(len(groups))])
        order = np.argsort(row_all, kind="stable")
        starts = np.searchsorted(row_all[order], np.arange(len(groups) + 1))
        placed = self._lp.add_rows(
            np.full(len(groups), -INFINITE), constant[groups] / self._total[groups], starts,
            column[order], value[order], elastic=False,
        )  # fmt: skip
        where = np.full(self.n_groups, -1, np.int64)
        where[groups] = placed
        self._open.append(open_weight)
        self._rows.append(where)
        return len(groups)

    def multipliers(self, dual: Floats) -> tuple[Ints, Floats]:
        """π_i = w_i Σ_t λ_tg [i not saturated in round t]; μ = w − π."""
        weights = self._model.weights.astype(np.float64)
        kept = np.zeros(len(weights))
        for open_weight, placed in zip(self._open, self._rows, strict=True):
            used = placed >= 0
            share = np.zeros(self.n_groups)
            share[used] = np.maximum(dual[placed[used]], 0) / self._total[used]
            if share.any():
                kept += share[self._group] * open_weight
        return np.arange(len(weights)), weights - np.minimum(kept, weights)


def demand_groups(model: Model) -> Ints:
    """int[demand]: groups of points that lie near each other, known only by who reaches them.

    Anchors are picked greedily, each the site of a sample that reaches the most weight not yet
    grouped; a point belongs to the first anchor that reaches it.
    """
    reach, weights = model.reach_or_fail(), model.weights.astype(np.float64)
    step = max(1, model.n_sites // SAMPLE)
    sample = reach[np.arange(0, model.n_sites, step)].astype(np.float64)
    left = weights.copy()
    group = np.full(len(weights), -1, np.int64)
    for number in range(GROUPS):
        worth = sample @ left
        best = int(np.argmax(worth))
        if worth[best] <= 0:
            break
        own = sample.indices[sample.indptr[best] : sample.indptr[best + 1]]
        fresh = own[group[own] < 0]
        group[fresh] = number
        left[own] = 0
    rest = group < 0
    top = int(group.max(initial=-1)) + 1
    group[rest] = top + np.arange(int(rest.sum())) * 4 // max(1, int(rest.sum()))
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
