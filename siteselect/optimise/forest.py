"""Ledgers nested or apart, as a forest: the cheapest land, ledger by ledger, is best there.

Taking the cheapest land of each ledger, the innermost first, is the cheapest restoration in part;
where parcels are whole it solves the linear programme, and what each ledger paid last are its
multipliers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from siteselect.problem.constraints import Ints

PRICE_SCALE = 2**16
"""Multipliers are multiples of 1/65,536 k€ a unit."""


@dataclass(frozen=True, eq=False)
class Nest:
    """A ledger, the nests just inside it, its parcels, and those of them that no nest inside has.

    Parcels are known by their rank, the cheapest per unit first; both lists are ascending.
    """

    ledger: int
    inside: tuple[int, ...]
    parcels: Ints
    own: Ints


def nested(groups: Sequence[Ints], parcels: int) -> tuple[Nest, ...] | None:
    """The parcels of each ledger (ascending) as a forest, the innermost first; ``None`` where
    ledgers cross.
    """
    nests: list[Nest] = []
    top = np.full(parcels, -1)
    order = sorted(range(len(groups)), key=lambda i: (len(groups[i]), groups[i].tobytes(), i))
    for i in order:
        mine = groups[i]
        inside, shared = np.unique(top[mine], return_counts=True)
        inside, shared = inside[inside >= 0], shared[inside >= 0]
        if any(n < len(nests[t].parcels) for t, n in zip(inside, shared, strict=True)):
            return None
        nests.append(Nest(i, tuple(inside.tolist()), mine, mine[top[mine] < 0]))
        top[mine] = len(nests) - 1
    return tuple(nests)


@dataclass(frozen=True, eq=False)
class Filled:
    """Units taken of each parcel, int64[R], and the dearest parcel that each nest took, or −1."""

    units: Ints
    last: tuple[int, ...]


def filled(nests: tuple[Nest, ...], room: Ints, need: Ints) -> Filled | None:
    """The cheapest land with so much room in each parcel, in part; ``None`` where it is too little.

    ``need`` holds int64[ledgers] units.
    """
    units, last = np.zeros(len(room), np.int64), []
    for nest in nests:
        missing = int(need[nest.ledger] - units[nest.parcels].sum())
        if missing <= 0:
            last.append(-1)
            continue
        left = room[nest.parcels] - units[nest.parcels]
        up_to = np.cumsum(left)
        k = int(np.searchsorted(up_to, missing))
        if k == len(up_to):
            return None
        units[nest.parcels[:k]] += left[:k]
        units[nest.parcels[k]] += missing - int(up_to[k] - left[k])
        last.append(int(nest.parcels[k]))
    return Filled(units, tuple(last))


def multipliers(
    nests: tuple[Nest, ...], last: tuple[int, ...], size: Ints, cost: Ints
) -> tuple[Ints, Ints]:
    """What a unit of each ledger, int64[nests], and a unit of each parcel in all of its ledgers,
    int64[R], is worth × ``PRICE_SCALE``.

    The last unit that a nest took costs what is worth while there, or in a ledger around it.
    """
    around = np.zeros(len(nests), np.int64)
    price, worth = np.zeros(len(nests), np.int64), np.zeros(len(size), np.int64)
    for i in range(len(nests) - 1, -1, -1):
        k = last[i]
        paid = 0 if k < 0 else int(cost[k]) * PRICE_SCALE // int(size[k])
        price[i] = max(0, paid - int(around[i]))
        worth[nests[i].own] = around[i] + price[i]
        around[list(nests[i].inside)] = around[i] + price[i]
    return price, worth
