"""All choices of whole parcels worth looking at, ledger by ledger, the innermost first.

With multipliers of the ledgers every choice costs the Lagrangian bound plus penalties that are
never negative (a parcel taken or left against its reduced cost, land restored beyond a need). So
the choices worth looking at are those whose penalties stay within the room above the bound; of
two that restore in the same ledger, the one that restores less for as much money is dropped.
What is left is small enough to be listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.forest import Nest
from siteselect.problem.constraints import Ints

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]
MOST_PAIRS, MOST_CHOICES = 2_000_000, 60_000
"""More pairs or partial choices at a time than this are left to CP-SAT."""
FIRST_ROOM, WIDER = 16, 2
"""The first list looks at a sixteenth of the room, the next at twice as much."""
WORD = 64


class NotListedError(Exception):
    """Too many choices are worth looking at."""


@dataclass(frozen=True, eq=False)
class Listing:
    """Parcels that may be taken or not, nest by nest, and what each nest needs.

    Attributes
    ----------
    size, cost, reduced
        int64[K], 0.01 ha, k€, and cost × scale − price × size; those of nest i are
        ``begin[i]`` … ``begin[i + 1]`` − 1.
    begin, word
        int64[N + 1]; of the words of bits that say which parcels are taken, those of nest i are
        ``word[i]`` … ``word[i + 1]`` − 1.
    units, paid
        int64[N], what the parcels restore and cost that no choice leaves out.
    need, price
        int64[N], units, and multiplier × scale.
    inside_begin, inside
        int64[N + 1] and int64[N − tops], the nests just inside each.
    """

    size: Ints
    cost: Ints
    reduced: Ints
    begin: Ints
    word: Ints
    units: Ints
    paid: Ints
    need: Ints
    price: Ints
    inside_begin: Ints
    inside: Ints


@dataclass(frozen=True, eq=False)
class _Choices:
    """Partial choices: units restored, cost, penalty, and which parcels are taken (bits)."""

    units: Ints
    cost: Ints
    penalty: Ints
    taken: Words

    def kept(self, which: Ints | Bools) -> _Choices:
        return _Choices(self.units[which], self.cost[which], self.penalty[which], self.taken[which])


def cheapest(
    nests: tuple[Nest, ...], size: Ints, cost: Ints, reduced: Ints, useful: Bools,
    need: Ints, price: Ints, room: int, *, compiled: bool = False,
) -> Bools | None:  # fmt: skip
    """bool[R]: the cheapest choice whose penalties add up to at most ``room``, or ``None``.

    ``size``, ``cost``, ``reduced`` are int64[R] and ``useful`` says which parcels there are;
    ``need`` and ``price`` int64[nests]. ``compiled`` gives the same choice, quicker once the code
    is loaded.

    Raises
    ------
    NotListedError
        Too many choices are worth looking at.
    """
    sure = useful & (-reduced > room)
    doubtful = useful & (np.abs(reduced) <= room)
    open_to = [nest.own[doubtful[nest.own]] for nest in nests]
    every = np.concatenate(open_to)
    listing = Listing(
        size=size[every],
        cost=cost[every],
        reduced=reduced[every],
        begin=np.cumsum([0, *(len(one) for one in open_to)]),
        word=np.cumsum([0, *(-(-len(one) // WORD) for one in open_to)]),
        units=np.array([size[nest.own[sure[nest.own]]].sum() for nest in nests]),
        paid=np.array([cost[nest.own[sure[nest.own]]].sum() for nest in nests]),
        need=need,
        price=price,
        inside_begin=np.cumsum([0, *(len(nest.inside) for nest in nests)]),
        inside=np.array([one for nest in nests for one in nest.inside], np.int64),
    )
    words = _compiled(listing, room) if compiled else _plain(listing, room)
    if words is None:
        return None
    bit = np.concatenate(
        [WORD * w + np.arange(len(one)) for w, one in zip(listing.word, open_to, strict=False)]
    )
    bits = (words[bit // WORD] >> (bit % WORD).astype(np.uint64)) & np.uint64(1)
    taken = sure.copy()
    taken[every[bits.astype(bool)]] = True
    return taken


def _compiled(listing: Listing, room: int) -> Words | None:
    from siteselect.optimise.wholelists_kernels import NONE, TOO_MANY, best_choice

    status, words = best_choice(
        listing.size, listing.cost, listing.reduced, listing.begin, listing.word, listing.units,
        listing.paid, listing.need, listing.price, listing.inside_begin, listing.inside, room,
        FIRST_ROOM, WIDER, MOST_PAIRS, MOST_CHOICES,
    )  # fmt: skip
    if status == TOO_MANY:
        raise NotListedError
    return None if status == NONE else words


def _plain(listing: Listing, room: int) -> Words | None:
    """What :func:`~siteselect.optimise.wholelists_kernels.best_choice` does."""
    many = len(listing.need)
    least: list[int] = []
    for i in range(many):
        below = [least[k] for k in _inside(listing, i)]
        least.append(sum(below) if below else _least(listing, i, room))
    tops = np.setdiff1d(np.arange(many), listing.inside).tolist()
    total = sum(least[i] for i in tops)
    slack = max(1, (room - total) // FIRST_ROOM)
    while total <= room:
        within, lists = min(slack, room - total), list[_Choices]()
        for i in range(many):
            inside = [(lists[k], least[k]) for k in _inside(listing, i)]
            lists.append(_close(listing, i, inside, least[i] + within))
        if all(len(one.units) for one in lists):
            best = [lists[i].taken[int(np.argmin(lists[i].cost))] for i in tops]
            return np.asarray(np.bitwise_or.reduce(np.array(best), axis=0))
        if within == room - total:
            return None
        slack *= WIDER
    return None


def _inside(listing: Listing, i: int) -> list[int]:
    own: list[int] = listing.inside[listing.inside_begin[i] : listing.inside_begin[i + 1]].tolist()
    return own


def _least(listing: Listing, i: int, room: int) -> int:
    """The smallest penalty with which an innermost ledger can be served; beyond the room, more."""
    now = max(1, room // FIRST_ROOM**2)
    while True:
        found = _close(listing, i, [], min(now, room)).penalty
        if len(found):
            return int(found.min())
        if now >= room:
            return room + 1
        now *= WIDER


def _close(listing: Listing, i: int, inside: list[tuple[_Choices, int]], room: int) -> _Choices:
    """The choices for a ledger and all inside it that restore what it needs.

    Every list of ``inside`` comes with the least penalty in it: room is left for it.
    """
    first = int(listing.begin[i])
    own = np.arange(first, int(listing.begin[i + 1]))
    bit = WORD * int(listing.word[i]) + own - first
    reduced = listing.reduced[own]
    sure = -reduced > room
    choices = _alone(listing, i, own[sure], bit[sure])
    left = room - sum(least for _, least in inside)
    for other, least in inside:
        left += least
        choices = _paired(choices, other, left)
    doubtful = np.abs(reduced) <= room
    for r, b in zip(own[doubtful].tolist(), bit[doubtful].tolist(), strict=True):
        choices = _with_or_without(listing, choices, r, b, room)
    over = choices.units - listing.need[i]
    penalty = choices.penalty + listing.price[i] * np.maximum(over, 0)
    closed = _Choices(choices.units, choices.cost, penalty, choices.taken)
    return closed.kept((over >= 0) & (penalty <= room))


def _alone(listing: Listing, i: int, taken: Ints, bits: Ints) -> _Choices:
    """A single choice: these parcels, which no choice within the room leaves out."""
    words = np.zeros((1, int(listing.word[-1])), np.uint64)
    np.bitwise_or.at(words[0], bits // WORD, np.uint64(1) << (bits % WORD).astype(np.uint64))
    units, paid = listing.size[taken].sum(), listing.cost[taken].sum()
    return _Choices(
        listing.units[[i]] + units, listing.paid[[i]] + paid, np.zeros(1, np.int64), words
    )


def _with_or_without(
    listing: Listing, choices: _Choices, parcel: int, bit: int, room: int
) -> _Choices:
    reduced = int(listing.reduced[parcel])
    taken = choices.taken.copy()
    taken[:, bit // WORD] |= np.uint64(1 << bit % WORD)
    both = _Choices(
        np.concatenate([choices.units, choices.units + listing.size[parcel]]),
        np.concatenate([choices.cost, choices.cost + listing.cost[parcel]]),
        np.concatenate([choices.penalty + max(0, -reduced), choices.penalty + max(0, reduced)]),
        np.concatenate([choices.taken, taken]),
    )
    within = both.kept(both.penalty <= room)
    kept = within.kept(_undominated(within.units, within.cost))
    if len(kept.units) > MOST_CHOICES:
        raise NotListedError
    return kept


def _paired(first: _Choices, second: _Choices, room: int) -> _Choices:
    """One choice of each, in all ways worth looking at."""
    if len(first.units) * len(second.units) > MOST_PAIRS:
        raise NotListedError
    penalty = first.penalty[:, None] + second.penalty[None, :]
    one, two = np.nonzero(penalty <= room)
    units, cost = first.units[one] + second.units[two], first.cost[one] + second.cost[two]
    best = _undominated(units, cost)
    one, two = one[best], two[best]
    return _Choices(
        units[best], cost[best], penalty[one, two], first.taken[one] | second.taken[two]
    )


def _undominated(units: Ints, cost: Ints) -> Ints:
    """Indices of the choices that restore more than all that cost no more, cheapest first."""
    order = np.lexsort((-units, cost))
    best = np.maximum.accumulate(units[order])
    more = np.ones(len(order), bool)
    more[1:] = units[order][1:] > best[:-1]
    return order[more]
