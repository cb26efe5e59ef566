"""The cheapest whole parcels that restore enough in ledgers that are nested or apart, exactly.

A bound from the land taken in part, a good choice from it, and where that does not decide all
choices worth looking at (:mod:`~siteselect.optimise.wholelists`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.compiling import loaded, ready
from siteselect.optimise.forest import PRICE_SCALE, Nest, filled, multipliers
from siteselect.optimise.wholelists import NotListedError
from siteselect.optimise.wholelists import cheapest as listed
from siteselect.problem.constraints import Ints

Bools = NDArray[np.bool_]
FEW = 20
"""After so many lists of whole parcels compiled code is worth loading, where it is there."""


class WholeParcels:
    """Parcels, the cheapest per unit first: ``size`` and ``cost`` int64[R], 0.01 ha and k€."""

    def __init__(self, size: Ints, cost: Ints) -> None:
        self._size, self._cost = size, cost
        self._listed = 0

    def chosen(
        self, nests: tuple[Nest, ...] | None, need: Ints, useful: Bools, money: int | None,
        *, cheapest: bool,
    ) -> Bools | None:  # fmt: skip
        """bool[R]: the cheapest useful parcels, or any that ``money`` (k€) pays; ``None`` if none.

        ``need`` holds int64[ledgers] units, ``nests`` their forest.

        Raises
        ------
        NotListedError
            Nothing is known; ask another solver. So it is where ledgers cross (no ``nests``).
        """
        if nests is None:
            raise NotListedError
        size, cost = self._size, self._cost
        part = filled(nests, np.where(useful, size, 0), need)
        if part is None:
            return None
        price, worth = multipliers(nests, part.last, size, cost)
        reduced = cost * PRICE_SCALE - worth * size
        order = [nest.ledger for nest in nests]
        least = int(price @ need[order]) + int(np.minimum(reduced[useful], 0).sum())
        if money is not None and least > money * PRICE_SCALE:
            return None
        good = completed(
            useful & (part.units == size), [nest.parcels for nest in nests], need[order],
            useful, size, cost,
        )  # fmt: skip
        paid = int(cost[good].sum())
        affordable = money is None or paid <= money
        if affordable and not cheapest:
            return good
        most = paid if affordable or money is None else money
        self._listed += 1
        return listed(
            nests, size, cost, reduced, useful, need[order], price, most * PRICE_SCALE - least,
            compiled=loaded() or (self._listed > FEW and ready()),
        )  # fmt: skip


def completed(
    good: Bools, groups: Sequence[Ints], need: Ints, useful: Bools, size: Ints, cost: Ints
) -> Bools:
    """bool[R]: some parcels, and what each group of parcels still misses of its need (units).

    That comes from the cheapest one or two parcels that suffice, or from the cheapest land where
    more are needed. The useful parcels are known to be enough.
    """
    good = good.copy()
    for own, wanted in zip(groups, need.tolist(), strict=True):
        missing = wanted - int(size[own[good[own]]].sum())
        while missing > 0:
            free = own[useful[own] & ~good[own]]
            taken = free[_one_or_two(size[free], cost[free], missing)]
            good[taken] = True
            missing -= int(size[taken].sum())
    return good


def _one_or_two(size: Ints, cost: Ints, missing: int) -> list[int]:
    """The cheapest one or two parcels that restore enough, else the best one (the first)."""
    order = np.argsort(-size, kind="stable")
    largest, price = size[order], cost[order]
    # The cheapest of the k largest, for every k: that of the first to cost so little.
    so_far = np.minimum.accumulate(price)
    first = np.append(True, so_far[1:] < so_far[:-1])
    at = np.maximum.accumulate(np.where(first, np.arange(len(price)), 0))
    alone = int(np.searchsorted(-largest, -missing, side="right"))
    # Of the cheapest pair one parcel at least is not the cheapest of those that suffice beside it.
    beside = np.searchsorted(-largest, largest - missing, side="right") - 1
    fits = (beside >= 0) & (at[beside] != np.arange(len(price)))
    never = np.iinfo(np.int64).max
    pair = np.where(fits, price + so_far[beside], never)
    best = int(np.argmin(pair))
    if alone and so_far[alone - 1] <= pair[best]:
        return [int(order[at[alone - 1]])]
    if pair[best] < never:
        return [int(order[best]), int(order[at[beside[best]]])]
    return [0]
