"""The lists of :mod:`~siteselect.optimise.wholelists`, compiled: the same choices.

A list is kept cheapest first, each choice restoring more than all before it. Its arrays are
int64[K] units, cost and penalty, and uint64[K, words] with a bit for each parcel taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.compiled import compiled, inner, lean_inner
from siteselect.problem.constraints import Ints

Words = NDArray[np.uint64]
Lists = tuple[Ints, Ints, Ints, Words]
FOUND, NONE, TOO_MANY = range(3)
RANGES = 4_096
"""Ranges of costs looked at to drop pairs."""


@compiled
def best_choice(
    size: Ints, cost: Ints, reduced: Ints, begin: Ints, word: Ints, units: Ints, paid: Ints,
    need: Ints, price: Ints, inside_begin: Ints, inside: Ints, room: int,
    first_room: int, wider: int, most_pairs: int, most_choices: int,
) -> tuple[int, Words]:  # fmt: skip
    """The cheapest choice within the room, as bits; or that there is none, or that nothing is known
    as too many are worth looking at.
    """
    many, nothing = need.size, np.zeros(0, np.uint64)
    lists = [_alone(np.int64(0), np.int64(0), 0) for _ in range(many)]
    least, top = np.zeros(many, np.int64), np.ones(many, np.bool_)
    total = 0
    for i in range(many):
        for k in inside[inside_begin[i] : inside_begin[i + 1]]:
            least[i] += least[k]
            top[k] = False
        now = max(1, room // first_room**2)
        while inside_begin[i] == inside_begin[i + 1]:
            own = _alone(units[i], paid[i], word[i + 1] - word[i])
            now = min(now, room)
            own = _grown(own, begin[i], begin[i + 1], 0, size, cost, reduced, now, most_choices)
            if own[0].size > most_choices:
                return TOO_MANY, nothing
            own = _closed(own, need[i], price[i], now)
            if own[0].size or now == room:
                least[i] = own[2].min() if own[0].size else room + 1
                break
            now *= wider
    for i in range(many):
        total += least[i] if top[i] else 0
    slack = max(1, (room - total) // first_room)
    while total <= room:
        within, served = min(slack, room - total), True
        for i in range(many):
            now = least[i] + within
            leaf = inside_begin[i] == inside_begin[i + 1]
            own = _alone(units[i], paid[i], word[i + 1] - word[i] if leaf else word[many])
            # A partial choice leaves room for the least that the nests to come cost.
            left = within
            for k in inside[inside_begin[i] : inside_begin[i + 1]]:
                if own[0].size * lists[k][0].size > most_pairs:
                    return TOO_MANY, nothing
                left += least[k]
                own = paired(own, lists[k], _first_word(word, inside_begin, k), left)
            first_bit = 0 if leaf else 64 * word[i]
            own = _grown(
                own, begin[i], begin[i + 1], first_bit, size, cost, reduced, now, most_choices
            )
            if own[0].size > most_choices:
                return TOO_MANY, nothing
            lists[i] = _closed(own, need[i], price[i], now)
            served &= lists[i][0].size > 0
        if served:
            words = np.zeros(word[many], np.uint64)
            for i in range(many):
                if top[i]:
                    bits = lists[i][3][np.argmin(lists[i][1])]
                    first = _first_word(word, inside_begin, i)
                    words[first : first + bits.size] |= bits
            return FOUND, words
        if within == room - total:
            break
        slack *= wider
    return NONE, nothing


@inner
def _first_word(word: Ints, inside_begin: Ints, i: int) -> int:
    """Where the bits of a list start: those of an innermost nest hold its own parcels only."""
    return int(word[i] if inside_begin[i] == inside_begin[i + 1] else 0)


@inner
def _alone(units: np.int64, cost: np.int64, words: int) -> Lists:
    """A list of one choice that takes no parcel."""
    return (
        np.full(1, units), np.full(1, cost), np.zeros(1, np.int64), np.zeros((1, words), np.uint64)
    )  # fmt: skip


@inner
def _closed(own: Lists, need: int, price: int, room: int) -> Lists:
    """The choices that restore enough, with a penalty for what is beyond the need."""
    over = own[0] - need
    penalty = own[2] + price * np.maximum(over, 0)
    kept = np.flatnonzero((over >= 0) & (penalty <= room))
    return own[0][kept], own[1][kept], penalty[kept], own[3][kept]


@inner
def _grown(
    own: Lists, first: int, after: int, bit: int, size: Ints, price: Ints, reduced: Ints,
    room: int, most: int,
) -> Lists:  # fmt: skip
    """Every choice of a list with and without each of some parcels, within the room.

    More than ``most`` come back where there are too many: nothing is known then.
    """
    for r in range(first, after):
        if reduced[r] > room:
            continue
        many = 2 * own[0].size
        new = (
            np.empty(many, np.int64), np.empty(many, np.int64), np.empty(many, np.int64),
            np.empty((many, own[3].shape[1]), np.uint64),
        )  # fmt: skip
        found = _merged(own, new, size[r], price[r], reduced[r], bit + r - first, room)
        own = (new[0][:found], new[1][:found], new[2][:found], new[3][:found])
        if found > most:
            break
    return own


@lean_inner
def _merged(
    own: Lists, new: Lists, size: int, price: int, reduced: int, bit: int, room: int
) -> int:
    """The choices of a list without a parcel and those with it, in order; how many."""
    units, cost, penalty, taken = own
    new_units, new_cost, new_penalty, new_taken = new
    many, words = units.size, taken.shape[1]
    without, with_it = max(0, -reduced), max(0, reduced)
    at, own_bit = bit // 64, np.uint64(1) << np.uint64(bit % 64)
    a, b, found, best = many if without > room else 0, 0, 0, np.int64(-1)
    while a < many or b < many:
        # The cheaper one first; of equals what restores more, then what takes less.
        if b == many:
            leave = True
        elif a == many:
            leave = False
        elif cost[a] != cost[b] + price:
            leave = cost[a] < cost[b] + price
        else:
            leave = units[a] >= units[b] + size
        if leave:
            i, u, c, p = a, units[a], cost[a], penalty[a] + without
            a += 1
        else:
            i, u, c, p = b, units[b] + size, cost[b] + price, penalty[b] + with_it
            b += 1
        if p > room or (found and u <= best):
            continue
        new_units[found], new_cost[found], new_penalty[found] = u, c, p
        for w in range(words):
            new_taken[found, w] = taken[i, w]
        if not leave:
            new_taken[found, at] |= own_bit
        best = u
        found += 1
    return found


@compiled
def paired(first: Lists, second: Lists, word: int, room: int) -> Lists:
    """One choice of each of two lists, in all ways within the room worth looking at.

    The bits of the second start at ``word`` of those of the first.
    """
    units, cost, penalty, taken = first
    units_2, cost_2, penalty_2, taken_2 = second
    one, two = _promising(first, second, room)
    # Cheapest first, of equals what restores most; sums stay under 2^31, so one key holds both.
    order = np.argsort(
        ((cost[one] + cost_2[two]) << 32) - (units[one] + units_2[two]), kind="mergesort"
    )
    kept, found, best = np.empty(one.size, np.int64), 0, np.int64(-1)
    for k in order:
        u = units[one[k]] + units_2[two[k]]
        if found == 0 or u > best:
            kept[found], best = k, u
            found += 1
    one, two = one[kept[:found]], two[kept[:found]]
    both = taken[one]
    for k in range(found):
        for w in range(taken_2.shape[1]):
            both[k, word + w] |= taken_2[two[k], w]
    return (
        units[one] + units_2[two], cost[one] + cost_2[two], penalty[one] + penalty_2[two], both
    )  # fmt: skip


@inner
def _promising(first: Lists, second: Lists, room: int) -> tuple[Ints, Ints]:
    """Pairs within the room, without those of which a pair in a cheaper range of costs restores as
    much: few are left to sort.
    """
    nothing = np.empty(0, np.int64)
    if first[0].size == 0 or second[0].size == 0:
        return nothing, nothing
    best = np.full(RANGES + 1, -1)
    shift = _ranges(first, second, room, best)
    many = _pairs(first, second, room, best, shift, nothing, nothing)
    one, two = np.empty(many, np.int64), np.empty(many, np.int64)
    _pairs(first, second, room, best, shift, one, two)
    return one, two


@lean_inner
def _ranges(first: Lists, second: Lists, room: int, best: Ints) -> int:
    """``best[k]`` = the most that a pair in a range of costs before the k-th restores, −1 for none;
    the ranges are so many bits wide.
    """
    units, cost, penalty, _ = first
    units_2, cost_2, penalty_2, _ = second
    least, shift = cost[0] + cost_2[0], 0
    while (cost[-1] + cost_2[-1] - least) >> shift >= RANGES:
        shift += 1
    for a in range(units.size):
        for b in range(units_2.size):
            if penalty[a] + penalty_2[b] <= room:
                k = ((cost[a] + cost_2[b] - least) >> shift) + 1
                best[k] = max(best[k], units[a] + units_2[b])
    for k in range(RANGES):
        best[k + 1] = max(best[k + 1], best[k])
    return shift


@lean_inner
def _pairs(
    first: Lists, second: Lists, room: int, best: Ints, shift: int, one: Ints, two: Ints
) -> int:
    """List the pairs that restore more than the best before their range, where there is room for
    the list; how many there are.
    """
    units, cost, penalty, _ = first
    units_2, cost_2, penalty_2, _ = second
    least, many = cost[0] + cost_2[0], 0
    for a in range(units.size):
        for b in range(units_2.size):
            k = (cost[a] + cost_2[b] - least) >> shift
            if penalty[a] + penalty_2[b] <= room and units[a] + units_2[b] > best[k]:
                if many < one.size:
                    one[many], two[many] = a, b
                many += 1
    return many
