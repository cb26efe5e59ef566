"""Can whole parcels restore what a choice of sites needs, for the money left? Counted again.

Prices of the ledgers (any will do, the proof proposes some) split the cost of every restoration
exactly: cost = bound + penalties, each of them never negative: a parcel taken or left against its
reduced cost, land restored beyond a need. So only partial choices whose penalties stay within the
money left above the bound are listed, ledger by ledger, the innermost first; of two that restore
in the same ledger the one that restores no more for as much money is dropped. An empty list is
the proof. Python and numpy integers, no solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
MOST_LISTED = 4_000_000
LARGEST = 2**60


class TooManyError(Exception):
    """Ledgers that cross, numbers too large, or more partial choices than can be listed."""


@dataclass(frozen=True, eq=False)
class Task:
    """What must be restored, for how much.

    Attributes
    ----------
    size, cost
        int64[R] units and cost of each parcel that may be restored.
    members, need
        bool[L, R] and int64[L] > 0: ledgers, and the units each needs.
    money
        the cost must not exceed this.
    prices, scale
        L prices of a unit × scale, not negative.
    """

    size: Ints
    cost: Ints
    members: Bools
    need: Sequence[int]
    money: int
    prices: Sequence[int]
    scale: int


@dataclass(frozen=True, eq=False)
class _Partial:
    """Choices inside one ledger: units restored, cost and penalties × scale, side by side."""

    units: Ints
    cost: Ints
    penalty: Ints

    def only(self, which: Ints | Bools) -> _Partial:
        return _Partial(self.units[which], self.cost[which], self.penalty[which])


def affordable(task: Task) -> bool:
    """Whether some restoration serves every ledger for the money.

    Raises
    ------
    TooManyError
        nothing can be said.
    """
    prices = np.array(task.prices, dtype=object)
    reduced = task.cost.astype(object) * task.scale - (prices @ task.members) * task.size
    bound = sum(p * n for p, n in zip(task.prices, task.need, strict=True))
    bound += sum(min(0, one) for one in reduced)
    room = task.money * task.scale - bound
    if room < 0:
        return False
    if max([abs(one) for one in reduced], default=0) * (len(reduced) + 1) + room > LARGEST:
        raise TooManyError
    if any(task.size[own].sum() < need for own, need in zip(task.members, task.need, strict=True)):
        return False
    lister = _Lister(task, reduced.astype(np.int64))
    order = lister.innermost_first()
    least: dict[int, int] = {}
    for i in order:
        own = lister.alone(i, room)
        if own is None:
            return False
        least[i] = own
    spare = room - sum(least.values())
    if spare < 0:
        return False
    lists: dict[int, _Partial] = {}
    for i in order:
        lists[i] = lister.listed(i, lists, least, spare)
        if not len(lists[i].units):
            return False
    tops = [i for i in order if lister.parent[i] is None]
    # Ledgers apart: the least penalties add up.
    together = sum(int(lists[i].penalty.min()) for i in tops)
    return bool(together <= room)


class _Lister:
    """Lists of partial choices, one ledger after the other."""

    def __init__(self, task: Task, reduced: Ints) -> None:
        self._task, self._reduced = task, reduced
        self.parent: dict[int, int | None] = {}
        self._children: dict[int, list[int]] = {}
        self._own: dict[int, Ints] = {}

    def innermost_first(self) -> list[int]:
        """The ledgers, each after those inside it."""
        members = self._task.members
        order = sorted(range(len(members)), key=lambda i: (int(members[i].sum()), i))
        free = np.ones(members.shape[1], bool)
        tops: list[int] = []
        for i in order:
            inside = [t for t in tops if bool((members[t] & members[i]).any())]
            if any(bool((members[t] & ~members[i]).any()) for t in inside):
                raise TooManyError
            tops = [t for t in tops if t not in inside] + [i]
            self._children[i], self.parent[i] = inside, None
            for t in inside:
                self.parent[t] = i
            self._own[i] = np.flatnonzero(members[i] & free)
            free &= ~members[i]
        return order

    def alone(self, i: int, room: int) -> int | None:
        """The least penalty of an innermost ledger; 0 for the others; ``None``: over the room."""
        if self._children[i]:
            return 0
        limit = max(1, room // 256)
        while True:
            found = self._closed(i, self._of_parcels(i, None, limit), limit).penalty
            if len(found):
                return int(found.min())
            if limit >= room:
                return None
            limit = min(room, limit * 4)

    def listed(
        self, i: int, lists: dict[int, _Partial], least: dict[int, int], spare: int
    ) -> _Partial:
        """Choices of a ledger whose penalties leave the others at least their least."""
        limit = spare + self._least_within(i, least)
        start: _Partial | None = None
        for child in self._children[i]:
            start = lists[child] if start is None else _sums(start, lists[child], limit)
        return self._closed(i, self._of_parcels(i, start, limit), limit)

    def _least_within(self, i: int, least: dict[int, int]) -> int:
        return least[i] + sum(self._least_within(child, least) for child in self._children[i])

    def _of_parcels(self, i: int, start: _Partial | None, limit: int) -> _Partial:
        """The choices among a ledger's own parcels, added to those inside it."""
        zero = np.zeros(1, np.int64)
        found = _Partial(zero, zero, zero) if start is None else start
        task = self._task
        for r in self._own[i].tolist():
            size, cost, against = int(task.size[r]), int(task.cost[r]), int(self._reduced[r])
            taken = _Partial(found.units + size, found.cost + cost, found.penalty + max(0, against))
            if -against > limit:
                found = taken
                continue
            left = _Partial(found.units, found.cost, found.penalty + max(0, -against))
            found = left if against > limit else _best(_joined(left, taken), limit)
        return found

    def _closed(self, i: int, found: _Partial, limit: int) -> _Partial:
        """Only those that restore what the ledger needs, land beyond the need paid for."""
        over = found.units - int(self._task.need[i])
        served = found.only(over >= 0)
        beyond = int(self._task.prices[i]) * (served.units - int(self._task.need[i]))
        paid = _Partial(served.units, served.cost, served.penalty + beyond)
        return paid.only(paid.penalty <= limit)


def _joined(first: _Partial, second: _Partial) -> _Partial:
    return _Partial(
        np.concatenate([first.units, second.units]),
        np.concatenate([first.cost, second.cost]),
        np.concatenate([first.penalty, second.penalty]),
    )


def _sums(first: _Partial, second: _Partial, limit: int) -> _Partial:
    """Every choice of one with every choice of the other."""
    if len(first.units) * len(second.units) > MOST_LISTED:
        raise TooManyError
    return _best(
        _Partial(
            np.add.outer(first.units, second.units).ravel(),
            np.add.outer(first.cost, second.cost).ravel(),
            np.add.outer(first.penalty, second.penalty).ravel(),
        ),
        limit,
    )


def _best(found: _Partial, limit: int) -> _Partial:
    """Within the limit, and none that restores no more than another for as much money."""
    found = found.only(found.penalty <= limit)
    order = np.lexsort((-found.units, found.cost))
    found = found.only(order)
    reached = np.maximum.accumulate(found.units)
    keep = np.ones(len(order), bool)
    keep[1:] = found.units[1:] > reached[:-1]
    return found.only(keep)
