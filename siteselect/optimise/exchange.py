"""A better portfolio by exchanging one column for another, judged exactly.

Never needed for the proof: it makes what a search that is stopped has to offer better. The best
exchange of each round is made while there is one (Teitz and Bart 1968); then a few columns are
replaced at random and exchanges begin again, and what is better is kept (iterated local search).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.model import INSIDE, Model
from siteselect.optimise.ragged import rows_of
from siteselect.optimise.stop import Stop
from siteselect.problem.constraints import Ints

MOST_JUDGED = 300
"""Exchanges judged at most from one portfolio: each may ask for a restoration."""
MOST_TRIED = 20
"""Exchanges of one round that are judged, the best first."""
MOST_SHAKEN = 2_000
SHAKEN, AMONG = 5, 20
"""So many columns are replaced, each by one of so many best."""
WORSE = 0.002
"""A portfolio worse by up to this share is gone on from all the same: it leads out of dead ends."""
PATIENCE, GOOD = 40, 0.9
"""After so many shakes that found nothing better it begins anew: built of columns that bring at
least this share of the most (Feo and Resende 1995, greedy randomised adaptive search)."""
NEVER = np.iinfo(np.int64).min // 4


class Exchange:
    """Exchanges of the columns of a portfolio for some candidates (int64, ascending)."""

    def __init__(self, model: Model, referee: Referee, candidates: Ints, *, stop: Stop) -> None:
        self._model, self._referee, self._stop = model, referee, stop
        self._candidates = candidates
        self._site = model.site[candidates]
        self._alone = model.score[candidates].copy()
        if model.flow is not None:  # at most: a candidate competes with those that are kept
            self._alone += model.flow.alone()[candidates]
        self._reach = None if model.reach is None else model.reach[self._site]

    def built(self, start: Portfolio, draws: np.random.Generator | None = None) -> Portfolio | None:
        """As many columns as a start holds, one after the other the one that brings most, or one of
        the best at random; those of sites that are fixed in stay. ``None`` where that is not
        allowed.
        """
        model = self._model
        kept = start.columns[model.state[model.site[start.columns]] == INSIDE]
        while len(kept) < len(start.columns):
            gain = self._gain(kept)
            gain[np.isin(self._site, self._closed(model.site[kept]))] = NEVER
            best = int(np.argmax(gain))
            if gain[best] <= NEVER // 2 or self._stop():
                return None
            if draws is not None:
                good = np.flatnonzero(gain >= GOOD * gain[best])
                best = int(draws.choice(good)) if gain[best] > 0 else best
            kept = np.append(kept, self._candidates[best])
        return self._referee.judge(kept)

    def _closed(self, sites: Ints) -> Ints:
        """Some sites, and all that they exclude."""
        conflicts = self._model.conflicts
        beside = [conflicts.neighbours(site) for site in sites.tolist()] if conflicts else []
        return np.concatenate([sites, *beside])

    def improved(self, start: Portfolio) -> Portfolio:
        """Exchanges from a portfolio while its exact value rises."""
        best, asked = start, self._referee.asked
        while not self._stop() and self._referee.asked - asked <= MOST_JUDGED:
            found = self._better(best)
            if found is None:
                break
            best = found
        return best

    def _better(self, best: Portfolio) -> Portfolio | None:
        """The portfolio after the best exchange that the referee accepts; ``None`` without one."""
        columns, model = best.columns, self._model
        gains = self._gains(best)
        gains[model.state[model.site[columns]] == INSIDE] = NEVER
        order = np.argpartition(-gains, min(MOST_TRIED, gains.size - 1), axis=None)[:MOST_TRIED]
        order = order[np.argsort(-gains.flat[order], kind="stable")]
        for flat in order[gains.flat[order] > 0].tolist():
            leaving, entering = divmod(flat, len(self._candidates))
            after = np.append(np.delete(columns, leaving), self._candidates[entering])
            found = self._referee.judge(after)
            if found is not None and found.value > best.value:
                return found
            if self._stop():
                return None
        return None

    def _gains(self, best: Portfolio) -> Ints:
        """int64[count, candidates]: what each exchange brings (at most, where workers are shared).

        A point that one column alone reaches is lost with it, unless who comes in reaches it
        (fast interchange: Whitaker 1983).
        """
        columns, model = best.columns, self._model
        places = np.arange(len(columns))
        loss = model.score[columns].copy()
        again = np.zeros((len(columns), len(self._candidates)), np.int64)
        if self._reach is not None:
            times, who = self._times(columns)
            once = np.flatnonzero(times == 1)
            weight = model.weights[once]
            np.add.at(loss, who[once], weight)
            shape = (len(times), len(columns))
            lost = csr_array((weight, (once, who[once])), shape=shape)
            again = (self._reach @ lost).toarray().T
        if model.flow is not None:
            loss = np.array(
                [best.value - self._referee.value(np.delete(columns, k)) for k in places]
            )
        gains = self._gain(columns) + again - loss[:, None]
        same = self._site[None, :] == model.site[columns][:, None]
        taken = np.isin(self._site, model.site[columns])
        gains[:, taken] = np.where(same, self._alone - loss[:, None] + again, NEVER)[:, taken]
        return gains

    def _times(self, columns: Ints) -> tuple[Ints, Ints]:
        """int64[demand]: how many columns reach each point, and the sum of their places."""
        reach, many = self._model.reach, len(self._model.weights)
        if reach is None:
            return np.zeros(many, np.int64), np.zeros(many, np.int64)
        sites = self._model.site[columns]
        points = reach.indices[rows_of(reach.indptr, sites)]
        places = np.repeat(np.arange(len(sites)), reach.indptr[sites + 1] - reach.indptr[sites])
        times = np.bincount(points, minlength=many)
        return times, np.bincount(points, places, many).astype(np.int64)

    def _gain(self, kept: Ints) -> Ints:
        """int64[candidates], what each adds to some columns."""
        gain = self._alone.copy()
        if self._reach is not None:
            gain += self._reach @ np.where(self._times(kept)[0] == 0, self._model.weights, 0)
        return gain

    def shaken(self, start: Portfolio) -> Portfolio:
        """The best portfolio met from a start, a few columns replaced at random again and again.

        The draws are the same for the same start; only the clock ends them early.
        """
        draws = np.random.default_rng(len(start.columns))
        best = here = self.improved(start)
        since = 0
        for _ in range(MOST_SHAKEN):
            if self._stop():
                break
            since += 1
            if since % PATIENCE:
                other = self._shake(here, draws)
            else:
                other = here = self.built(start, draws) or best
            if other is None:
                continue
            found = self.improved(other)
            if found.value > best.value:
                best, since = found, 0
            worst = best.value - WORSE * draws.random() * abs(best.value)
            here = found if found.value >= min(here.value, worst) else here
        return best

    def _shake(self, best: Portfolio, draws: np.random.Generator) -> Portfolio | None:
        movable = best.columns[self._model.state[self._model.site[best.columns]] != INSIDE]
        many = min(len(movable), SHAKEN)
        if not many:
            return None
        leaving = draws.choice(movable, many, replace=False)
        kept: NDArray[np.int64] = np.setdiff1d(best.columns, leaving)
        for _ in range(many):
            gain = self._gain(kept)
            gain[np.isin(self._site, self._model.site[kept])] = NEVER
            first = np.argsort(-gain, kind="stable")[:AMONG]
            first = first[gain[first] > NEVER // 2]
            if not len(first):
                return None
            kept = np.append(kept, self._candidates[int(draws.choice(first))])
        return self._referee.judge(kept)
