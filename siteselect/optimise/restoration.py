"""The cheapest restoration for a given choice of columns, exactly.

A choice needs so many units (0.01 ha) restored in each ledger. Where the ledgers are nested or
apart (laminar) and parcels may be restored in part, taking the cheapest land of each ledger, the
innermost first, is optimal, and whole units lose nothing (:mod:`~siteselect.optimise.forest`).
Whole parcels in such ledgers are listed (:mod:`~siteselect.optimise.wholeparcels`). Where ledgers
cross CP-SAT decides (:mod:`~siteselect.optimise.crossing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from siteselect.optimise.crossing import Crossing
from siteselect.optimise.forest import Nest, filled, nested
from siteselect.optimise.ragged import rows_of
from siteselect.optimise.stop import NEVER_STOP, Seconds
from siteselect.optimise.wholelists import NotListedError
from siteselect.optimise.wholeparcels import WholeParcels
from siteselect.problem import Budget, Ledger, SelectionProblem, restoration_cost
from siteselect.problem.constraints import Ints, Parcels


@dataclass(frozen=True, eq=False)
class Restoration:
    """What is restored: int64[R] units of 0.01 ha, and what it costs, k€."""

    units: Ints
    cost_keur: Fraction


class Restorer:
    """Finds, for each choice of columns, the cheapest restoration that its ledgers need.

    ``seconds_left`` is asked before CP-SAT, which stops then with ``OutOfTimeError``.
    """

    def __init__(self, problem: SelectionProblem) -> None:
        self._problem = problem
        self.seconds_left: Seconds = NEVER_STOP.seconds_left
        parcels = problem.parcels
        self._ledgers = [one for one in problem.constraints if isinstance(one, Ledger)]
        self._charges = _Charges.of(self._ledgers, problem.n_columns)
        self._budgets = [one for one in problem.constraints if isinstance(one, Budget)]
        self._by_rank = _cheapest_first(parcels)
        self._size, self._cost = parcels.capacity[self._by_rank], parcels.cost_keur[self._by_rank]
        rank = np.empty(len(parcels), np.int64)
        rank[self._by_rank] = np.arange(len(parcels))
        self._inside = [np.sort(rank[one.parcels]) for one in self._ledgers]
        self._forests: dict[tuple[int, ...], tuple[Nest, ...] | None] = {}
        self._whole = WholeParcels(self._size, self._cost)

    @property
    def parcels(self) -> Parcels:
        """The land there is."""
        return self._problem.parcels

    @property
    def exact(self) -> bool:
        """Whether what it finds is the cheapest to the cent, not to a millionth of k€ a unit."""
        return self.parcels.whole or self._nests(range(len(self._ledgers))) is not None

    def charge(self, ledger: int, columns: Ints) -> int:
        """Land that a choice charges to a ledger (by its place among the ledgers), units."""
        return int(self._charges.to(columns)[ledger])

    def restore(
        self, columns: Ints, *, cheapest: bool = True, caps: Mapping[int, int] | None = None
    ) -> Restoration | None:
        """The cheapest restoration with which the choice respects ledgers and budgets.

        ``None`` when there is none. Without ``cheapest`` any that the budgets can pay will do.
        ``caps`` holds for some ledgers, by their place among the ledgers, another cap (units).
        """
        caps = caps or {}
        cap = [caps.get(i, one.cap) for i, one in enumerate(self._ledgers)]
        needs = self._charges.to(columns) - np.array(cap, np.int64)
        money = self._money(columns)
        if money is not None and money < 0:
            return None
        units = np.zeros(len(self.parcels), np.int64)
        if np.all(needs <= 0):
            return Restoration(units, Fraction(0))
        found = self._search(needs, self._closed(columns), money, cheapest=cheapest)
        if found is None:
            return None
        units[self._by_rank] = found
        cost = restoration_cost(self._problem, units.tolist())
        return Restoration(units, cost) if money is None or cost <= money else None

    def _money(self, columns: Ints) -> int | None:
        """What the budgets leave for restoration, k€; ``None`` without limit.

        A budget that does not pay for restoration is settled here: negative when overspent.
        """
        left: list[int] = []
        for one in self._budgets:
            rest = one.limit_keur - sum(one.cost_keur[columns].tolist())
            if one.with_parcels:
                left.append(rest)
            elif rest < 0:
                return -1
        return min(left) if left else None

    def _closed(self, columns: Ints) -> NDArray[np.bool_]:
        """Parcels that lie on a chosen site, by rank."""
        chosen = np.zeros(self._problem.n_sites + 1, bool)
        chosen[self._problem.site[columns]] = True
        chosen[-1] = False
        return chosen[self.parcels.on_site][self._by_rank]

    def _search(
        self, needs: Ints, closed: NDArray[np.bool_], money: int | None, *, cheapest: bool
    ) -> Ints | None:
        """int64[R] units by rank, from parcels that are not ``closed``."""
        wanted = np.flatnonzero(needs > 0).tolist()
        need, nests = needs[wanted], self._nests(wanted)
        useful = np.zeros(len(self._size), bool)
        for i in wanted:
            useful[self._inside[i]] = True
        useful &= ~closed
        if not self.parcels.whole:
            if nests is None:
                return self._crossing(wanted, need, useful).in_part(money)
            found = filled(nests, np.where(useful, self._size, 0), need)
            return None if found is None else found.units
        try:
            taken = self._whole.chosen(nests, need, useful, money, cheapest=cheapest)
        except NotListedError:
            taken = self._crossing(wanted, need, useful).whole(money, cheapest=cheapest)
        return None if taken is None else np.where(taken, self._size, 0)

    def _crossing(self, wanted: list[int], need: Ints, useful: NDArray[np.bool_]) -> Crossing:
        members = np.zeros((len(wanted), len(self._size)), bool)
        for row, i in zip(members, wanted, strict=True):
            row[self._inside[i]] = True
        return Crossing(self._size, self._cost, members, need, useful, self.seconds_left)

    def _nests(self, ledgers: Sequence[int]) -> tuple[Nest, ...] | None:
        """These ledgers as a forest; ``None`` where they cross."""
        key = tuple(ledgers)
        if key not in self._forests:
            self._forests[key] = nested([self._inside[i] for i in key], len(self._size))
        return self._forests[key]


@dataclass(frozen=True, eq=False)
class _Charges:
    """What each column charges: of column j the entries start[j] … start[j + 1] − 1."""

    ledgers: int
    start: Ints
    ledger: Ints
    units: Ints

    @staticmethod
    def of(ledgers: Sequence[Ledger], n_columns: int) -> _Charges:
        """Those of the ledgers, in their order."""
        table = csc_array(
            (
                np.concatenate([np.zeros(0, np.int64), *(one.charge for one in ledgers)]),
                (
                    np.repeat(np.arange(len(ledgers)), [len(one.columns) for one in ledgers]),
                    np.concatenate([np.zeros(0, np.int64), *(one.columns for one in ledgers)]),
                ),
            ),
            shape=(len(ledgers), n_columns),
        )
        start, ledger = table.indptr.astype(np.int64), table.indices.astype(np.int64)
        return _Charges(len(ledgers), start, ledger, table.data)

    def to(self, columns: Ints) -> Ints:
        """int64[ledgers], units that some columns charge to each."""
        charged = np.zeros(self.ledgers, np.int64)
        own = rows_of(self.start, columns)
        np.add.at(charged, self.ledger[own], self.units[own])
        return charged


def _cheapest_first(parcels: Parcels) -> Ints:
    """int64[R], the parcels by cost of a unit, those of the same by their ids."""
    names = range(len(parcels)) if parcels.ids is None else np.argsort(np.array(parcels.ids))
    place = {int(r): i for i, r in enumerate(names)}
    cost, size = parcels.cost_keur.tolist(), parcels.capacity.tolist()
    return np.array(
        sorted(range(len(parcels)), key=lambda r: (Fraction(cost[r], size[r]), place[r])), np.int64
    )
