"""Lists of partial choices of whole parcels, compiled: :mod:`~siteselect.optimise.wholeparcels`.

A list is kept cheapest first, each choice restoring more than all before it. Its arrays are
int64[K] units, cost and penalty, and uint8[K, bytes] with a bit for each parcel taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.compiled import compiled, inner
from siteselect.problem.constraints import Ints

Bits = NDArray[np.uint8]
Lists = tuple[Ints, Ints, Ints, Bits]
RANGES, FIRST_PAIRS = 4_096, 1_024
"""Ranges of costs looked at to drop pairs; room for so many pairs at first."""


@compiled
def grown(
    units: Ints, cost: Ints, penalty: Ints, taken: Bits, own: Ints, size: Ints, price: Ints,
    reduced: Ints, room: int, most: int,
) -> tuple[Ints, Ints, Ints, Bits, bool]:  # fmt: skip
    """Every choice of a list with and without each of the parcels ``own``, within the room.

    The last value is false where there are more than ``most`` choices: nothing is known then.
    """
    many = units.size
    for k in range(own.size):
        r = own[k]
        without, with_it = max(0, -reduced[r]), max(0, reduced[r])
        new_units, new_cost = np.empty(2 * many, np.int64), np.empty(2 * many, np.int64)
        new_penalty = np.empty(2 * many, np.int64)
        new_taken = np.empty((2 * many, taken.shape[1]), np.uint8)
        a, b, found, best = 0, 0, 0, np.int64(-1)
        while a < many or b < many:
            # The cheaper one first; of equals what restores more, then what takes less.
            if b == many:
                first = True
            elif a == many:
                first = False
            elif cost[a] != cost[b] + price[r]:
                first = cost[a] < cost[b] + price[r]
            else:
                first = units[a] >= units[b] + size[r]
            if first:
                i, u, c, p = a, units[a], cost[a], penalty[a] + without
                a += 1
            else:
                i, u, c, p = b, units[b] + size[r], cost[b] + price[r], penalty[b] + with_it
                b += 1
            if p > room or (found and u <= best):
                continue
            new_units[found], new_cost[found], new_penalty[found] = u, c, p
            new_taken[found, :] = taken[i]
            if not first:
                new_taken[found, r // 8] |= np.uint8(128 >> (r % 8))
            best = u
            found += 1
        if found > most:
            return units, cost, penalty, taken, False
        many = found
        units, cost, penalty = new_units[:found], new_cost[:found], new_penalty[:found]
        taken = new_taken[:found]
    return units, cost, penalty, taken, True


@compiled
def paired(
    units: Ints, cost: Ints, penalty: Ints, taken: Bits,
    units_2: Ints, cost_2: Ints, penalty_2: Ints, taken_2: Bits, room: int,
) -> Lists:  # fmt: skip
    """One choice of each of two lists, in all ways within the room worth looking at."""
    one, two = _promising(units, cost, penalty, units_2, cost_2, penalty_2, room)
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
    return (
        units[one] + units_2[two], cost[one] + cost_2[two], penalty[one] + penalty_2[two],
        taken[one] | taken_2[two],
    )  # fmt: skip


@inner
def _promising(
    units: Ints, cost: Ints, penalty: Ints, units_2: Ints, cost_2: Ints, penalty_2: Ints, room: int
) -> tuple[Ints, Ints]:
    """Pairs within the room, without those of which a pair in a cheaper range of costs restores as
    much: few are left to sort.
    """
    if units.size == 0 or units_2.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    least, shift = cost[0] + cost_2[0], 0
    while (cost[-1] + cost_2[-1] - least) >> shift >= RANGES:
        shift += 1
    # In the end best[k] is the most that a pair in a range before the k-th restores.
    best = np.full(RANGES + 1, -1)
    for a in range(units.size):
        for b in range(units_2.size):
            if penalty[a] + penalty_2[b] <= room:
                k = ((cost[a] + cost_2[b] - least) >> shift) + 1
                best[k] = max(best[k], units[a] + units_2[b])
    for k in range(RANGES):
        best[k + 1] = max(best[k + 1], best[k])
    one, two = np.empty(FIRST_PAIRS, np.int64), np.empty(FIRST_PAIRS, np.int64)
    many = 0
    for a in range(units.size):
        for b in range(units_2.size):
            k = (cost[a] + cost_2[b] - least) >> shift
            if penalty[a] + penalty_2[b] <= room and units[a] + units_2[b] > best[k]:
                if many == one.size:
                    one = np.append(one, np.empty(many, np.int64))
                    two = np.append(two, np.empty(many, np.int64))
                one[many], two[many] = a, b
                many += 1
    return one[:many], two[:many]
