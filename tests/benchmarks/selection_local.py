"""A local search for maximal covering, to know how good an incumbent is: the benchmark's own.

Greedy, then the best exchange of one site against another until none helps (Teitz and Bart 1968),
all exchanges priced at once as in the fast interchange (Whitaker 1983): the loss without a chosen
site is kept by site, and a candidate only adds back what it shares with the one that leaves. A
restart takes some sites of the last portfolio away and fills up greedily among the good ones, and
is kept unless it is clearly worse (iterated local search); where many in a row gain nothing, all of
the sites are taken away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

GOOD = 0.7
"""A restart takes any site that gains so much of the most that one gains."""
WORSE = 0.0005
"""What a restart may lose and still be gone on from, relative."""
PATIENCE = 500
"""After so many restarts without a better portfolio than before, from nothing."""


@dataclass
class Trace:
    """Improvements in order, and what each one was worth."""

    seconds: list[float] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    restarts: int = 0

    @property
    def best(self) -> int:
        """The last improvement."""
        return self.values[-1]

    def see(self, seconds: float, value: int) -> None:
        """Keep what is better than all before."""
        if not self.values or value > self.best:
            self.seconds.append(seconds)
            self.values.append(value)

    def at(self, limit_s: float) -> int | None:
        """The best that was known at a moment; ``None`` before the first."""
        known = [v for s, v in zip(self.seconds, self.values, strict=True) if s <= limit_s]
        return known[-1] if known else None


class Portfolio:
    """Chosen sites by slot, how many of them reach a point, and the sum of their slots.

    Where one slot reaches a point, the sum is that slot: the exchange needs no list.
    """

    def __init__(self, cover: Any, count: int) -> None:
        self.ends = np.asarray(cover.indptr, np.int64)
        self.inside = np.asarray(cover.indices, np.int64)
        self.weight = np.asarray(cover.weights, np.int64)
        self.slots = np.full(count, -1, np.int64)
        self.taken = np.zeros(len(self.ends) - 1, np.bool_)
        self.times, self.holder = (np.zeros(len(self.weight), np.int64) for _ in range(2))

    def put(self, slot: int, site: int) -> None:
        """Another site in a slot; −1 leaves it empty."""
        for one, sign in ((self.slots[slot], -1), (site, 1)):
            if one >= 0:
                reached = self.inside[self.ends[one] : self.ends[one + 1]]
                self.times[reached] += sign
                self.holder[reached] += sign * slot
                self.taken[one] = sign > 0
        self.slots[slot] = site

    @property
    def value(self) -> int:
        """Weight of the points reached."""
        return int(self.weight[self.times > 0].sum())

    def fill(self, g: np.random.Generator | None) -> None:
        """A site in each empty slot: the one that gains most, or one of the good ones."""
        for slot in np.flatnonzero(self.slots < 0).tolist():
            gain = _gains(self.ends, self.inside, self.weight, self.times)
            gain[self.taken] = -1
            best = int(gain.argmax())
            if g is not None:
                best = int(g.choice(np.flatnonzero(gain >= GOOD * gain[best])))
            self.put(slot, best)

    def exchange(self) -> int:
        """Make the best exchange if it helps; what it gained."""
        gained, slot, site = _best_exchange(
            self.ends, self.inside, self.weight, self.times, self.holder, self.taken,
            len(self.slots),
        )  # fmt: skip
        if gained > 0:
            self.put(slot, site)
        return int(gained)


def local_search(cover: Any, count: int, *, limit_s: float, seed: int = 1) -> Trace:
    """Search until the limit; ``cover`` as :class:`siteselect.problem.Coverage`."""
    start, g, trace = time.perf_counter(), np.random.default_rng(seed), Trace()
    now, chain = Portfolio(cover, count), Chain()
    now.fill(None)
    while True:
        while time.perf_counter() - start < limit_s and now.exchange() > 0:
            pass
        trace.see(time.perf_counter() - start, now.value)
        if time.perf_counter() - start >= limit_s:
            return trace
        trace.restarts += 1
        chain.see(now)
        if chain.idle > PATIENCE:
            chain = Chain()
            _restart(now, now.slots.copy(), g, leave=count)
            continue
        _restart(now, chain.slots, g, leave=int(g.integers(2, max(2, count // 4) + 1)))


@dataclass
class Chain:
    """Where a series of restarts stands, the best it met, and how long ago."""

    slots: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    value: int = -1
    best: int = -1
    idle: int = 0

    def see(self, now: Portfolio) -> None:
        """Go on from this portfolio unless it is clearly worse."""
        value = now.value
        self.idle = 0 if value > self.best else self.idle + 1
        self.best = max(self.best, value)
        if value >= (1 - WORSE) * self.value:
            self.slots, self.value = now.slots.copy(), value


def _restart(now: Portfolio, last: Ints, g: np.random.Generator, *, leave: int) -> None:
    """The last portfolio without some of its sites, filled up at random."""
    count = len(last)
    empty = set(g.choice(count, min(leave, count), replace=False).tolist())
    for slot in range(count):
        now.put(slot, -1)
    for slot in range(count):
        if slot not in empty:
            now.put(slot, int(last[slot]))
    now.fill(g)


def compiled() -> None:
    """Compile the loops, so that no clock counts it."""
    ends, none = np.array([0, 1, 1]), np.zeros(1, np.int64)
    _gains(ends, none, none, none)
    _best_exchange(ends, none, none, none, none, np.zeros(2, np.bool_), 1)


@numba.njit  # type: ignore[untyped-decorator]
def _gains(ends: Ints, inside: Ints, weight: Ints, times: Ints) -> Ints:
    """What each site would add."""
    gain = np.zeros(len(ends) - 1, np.int64)
    for site in range(len(gain)):
        for k in range(ends[site], ends[site + 1]):
            if times[inside[k]] == 0:
                gain[site] += weight[inside[k]]
    return gain


@numba.njit  # type: ignore[untyped-decorator]
def _best_exchange(
    ends: Ints, inside: Ints, weight: Ints, times: Ints, holder: Ints,
    taken: NDArray[np.bool_], count: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Gain, slot and site of the best exchange: O(pairs + sites × slots)."""
    loss, shared = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for point in range(len(times)):
        if times[point] == 1:
            loss[holder[point]] += weight[point]
    best, out, into = 0, -1, -1
    for site in range(len(ends) - 1):
        if taken[site]:
            continue
        gain = 0
        for k in range(ends[site], ends[site + 1]):
            point = inside[k]
            if times[point] == 0:
                gain += weight[point]
            elif times[point] == 1:
                shared[holder[point]] += weight[point]
        for slot in range(count):
            worth = gain - loss[slot] + shared[slot]
            if worth > best:
                best, out, into = worth, slot, site
            shared[slot] = 0
    return best, out, into
