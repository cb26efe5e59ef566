"""Branch and bound, compiled: sets it up, judges the choices that it meets, lets it go on."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from siteselect.optimise import seeking
from siteselect.optimise.model import OUTSIDE
from siteselect.optimise.rounding import Held, Rounding, roundings
from siteselect.optimise.seeking import Left, Outcome, Seeking
from siteselect.optimise.stop import OutOfTimeError
from siteselect.optimise.tree import state as of
from siteselect.optimise.tree.basis import AT_HIGH, ROWS
from siteselect.optimise.tree.planting import advance, larger, planted, room_for_rows
from siteselect.optimise.tree.programme import put_rows
from siteselect.problem import NO_LOWER

LEAST_STEPS, MOST_WORK = 20, 20_000_000
"""Entries of the inverse gone through between two looks at the clock, steps at least."""
MOST_GROWN = 1_600
"""With room for more rows than this, and all the inverse, a search goes on in Python."""
SLOW_ROUNDS, SLOW = 3, 0.05
"""Rows of whole choices end where so many rounds lowered the bound by less than this share of what
there is above the floor."""


class TreeSearch(Seeking):
    """Many nodes at a time."""

    def run(self) -> Outcome:
        """Search until nothing is left or ``stop`` says so."""
        sites = self.model.site_of
        losses = self.costs.of(sites)
        self._bounds: list[int] = []
        self._root: Left | None = None
        self._tree = planted(
            self.model, self.floor, ties=self.ties, losses=losses.total, tries=losses.count
        )
        self._put(list(self.rounded))
        try:
            while self.outcome.left is None and not self.stop():
                if self._done(advance(self._tree, self._steps())):
                    break
            else:
                self.outcome.finished = self.outcome.left is not None
        except OutOfTimeError:
            self.outcome.finished = False
        tree = self._tree
        losses.total, losses.count = tree.losses, tree.tries
        self.outcome.nodes = int(tree.now[of.NODES])
        losses.nodes += self.outcome.nodes
        self.costs.learn(sites, losses)
        if not self.outcome.finished:
            waiting = tree.waiting[: tree.now[of.WAITING], of.W_BOUND].tolist()
            self.outcome.bound = max(int(tree.now[of.BOUND]), *waiting, self.floor - 1)
        return self.outcome

    def _steps(self) -> int:
        """Steps of the simplex between two looks at the clock: a fraction of a second."""
        return max(LEAST_STEPS, MOST_WORK // (1 + int(self._tree.lp.size[ROWS]) ** 2))

    def _done(self, event: int) -> bool:
        """Do what the tree stopped for; whether nothing is left of it."""
        now = self._tree.now
        if event == of.FULL:
            self._tree = larger(self._tree)
            if len(self._tree.scale) > MOST_GROWN:
                self.outcome.left = self._root or Left(
                    np.arange(self.model.n_columns), self.model.state.copy()
                )
                self.outcome.too_many_rows = True
        elif event == of.TIE:
            if self.closed(int(now[of.BOUND]), self._tree.state, self._tree.shut):
                now[of.PHASE] = of.POP
        elif event == of.LEAF:
            found = self.judge(self._tree.chosen[: now[of.CHOSEN]].copy())
            if found is not None and self.take(found):
                now[of.FLOOR] = self.floor
        elif event == of.ROOT:
            open_columns = ~self._tree.shut & (self._tree.state[self.model.site] != OUTSIDE)
            self._root = Left(np.flatnonzero(open_columns), self._tree.state.copy())
            if self._rounded_off(int(now[of.BOUND])):
                now[of.PHASE] = of.LOOP
        if now[of.NODES] > seeking.HARD and not self.rounds and event != of.DONE:
            self.outcome.left = self._root
        return event == of.DONE

    # ---- rows that only whole choices respect ----------------------------------------------

    def _rounded_off(self, bound: int) -> bool:
        """Whether rows of whole choices were added that the solution violates."""
        self._bounds.append(bound)
        if not self.rounds or len(self._bounds) > self.rounds:
            return False
        if len(self._bounds) > SLOW_ROUNDS:
            lowered = self._bounds[-1 - SLOW_ROUNDS] - bound
            if lowered < SLOW * (bound - self.floor):
                return False
        return self._put(self._roundings()) > 0

    def _roundings(self) -> list[Rounding]:
        """From the rows of the tableau in which a column is chosen in part, and from each alone."""
        tree, lp, n, r = self._tree, self._tree.lp, self.model.n_columns, self.model.n_parcels
        plain = np.flatnonzero(tree.rows[: lp.size[ROWS], of.KIND] == of.PLAIN)
        table = csr_array(
            (tree.factor, tree.member, tree.begin[: lp.size[ROWS] + 1]),
            shape=(int(lp.size[ROWS]), len(lp.first)),
        )[plain]
        held = Held(
            csr_array(table[:, :n]), csr_array(table[:, n : n + r]),
            tree.rows[plain, of.LOWER], tree.rows[plain, of.UPPER], tuple(plain.tolist()),
        )  # fmt: skip
        part = np.flatnonzero((tree.x > of.IN_PART) & (tree.x < 1 - of.IN_PART))
        places = lp.place[part]
        tight = lp.place[len(lp.first) + plain] < 0
        columns = lp.inverse[plain][:, places[places >= 0]] / tree.scale[plain, None]
        tableau = np.where(tight[:, None], columns, 0.0).T
        alone = np.eye(len(plain))[tree.scale[plain] > 1]
        at = lp.place[tree.leader]
        z = np.where(at >= 0, lp.value[at], np.where(at == AT_HIGH, 1.0, 0.0))
        weights = np.concatenate([tableau, alone])
        return roundings(held, weights, np.clip(tree.x, 0.0, 1.0), np.clip(z, 0.0, 1.0))

    def _put(self, rows: list[Rounding]) -> int:
        """Add rows; how many."""
        if not rows:
            return 0
        n = self.model.n_columns
        columns = [np.concatenate([one.columns, one.parcels + n]) for one in rows]
        factors = [np.concatenate([one.factor, one.parcel_factor]) for one in rows]
        starts = np.cumsum([0, *(len(one) for one in columns)])
        self._tree = room_for_rows(self._tree, len(rows), int(starts[-1]))
        put_rows(
            self._tree, starts, np.concatenate(columns), np.concatenate(factors),
            np.full(len(rows), NO_LOWER), np.array([one.upper for one in rows]),
        )  # fmt: skip
        return len(rows)
