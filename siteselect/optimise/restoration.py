"""The cheapest restoration for a given choice of columns, exactly.

A choice needs so many units (0.01 ha) restored in each ledger. Where the ledgers are nested or
apart (laminar) and parcels may be restored in part, taking the cheapest land of each ledger, the
innermost first, is optimal, and whole units lose nothing. Whole parcels in such ledgers are listed
(:mod:`~siteselect.optimise.wholeparcels`). Where ledgers cross CP-SAT decides, on integers, with
one worker; what it returns is evaluated again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise import wholeparcels
from siteselect.optimise.compiling import loaded, ready
from siteselect.optimise.lp import INFINITE, GrowingLp
from siteselect.optimise.stop import NEVER_STOP, OutOfTimeError, Seconds
from siteselect.problem import Budget, Ledger, SelectionProblem, restoration_cost
from siteselect.problem.constraints import Ints, Parcels

COST_SCALE = 1_000_000
"""CP-SAT counts costs per unit in millionths of k€, rounded down: never above the truth."""

LEAST_S = 0.2
"""CP-SAT always gets so many seconds: what is judged while time runs out has a chance."""
OPEN = -1
"""State of a parcel that CP-SAT decides."""
MOST_PAIRED = 400
PRICE_SCALE = 2**16
"""Multipliers of the Lagrangian are multiples of 1/65,536 k€ a unit."""

FEW = 20
"""After so many lists of whole parcels compiled code is worth loading, where it is there."""


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
        self._charges = [
            dict(zip(one.columns.tolist(), one.charge.tolist(), strict=True))
            for one in self._ledgers
        ]
        self._budgets = [one for one in problem.constraints if isinstance(one, Budget)]
        order = range(len(parcels)) if parcels.ids is None else np.argsort(np.array(parcels.ids))
        rank = {int(r): i for i, r in enumerate(order)}
        self._cheapest = sorted(
            range(len(parcels)),
            key=lambda r: (
                Fraction(int(parcels.cost_keur[r]), int(parcels.capacity[r])),
                rank[r],
            ),
        )
        self._rank = np.empty(len(parcels), np.int64)
        self._rank[self._cheapest] = np.arange(len(parcels))
        self._members = [np.isin(np.arange(len(parcels)), one.parcels) for one in self._ledgers]
        self._laminar = self._nested()
        self._listed = 0

    def _nested(self) -> bool:
        """Whether any two ledgers' parcels are nested or apart."""
        distinct = {one.tobytes(): one for one in self._members}
        sets = list(distinct.values())
        for i, first in enumerate(sets):
            for second in sets[:i]:
                both = int((first & second).sum())
                if both and both != int(first.sum()) and both != int(second.sum()):
                    return False
        return True

    @property
    def parcels(self) -> Parcels:
        """The land there is."""
        return self._problem.parcels

    @property
    def exact(self) -> bool:
        """Whether what it finds is the cheapest to the cent, not to a millionth of k€ a unit."""
        return self._laminar or self.parcels.whole

    def charge(self, ledger: int, columns: Ints) -> int:
        """Land that a choice charges to a ledger (by its place among the ledgers), units."""
        charge = self._charges[ledger]
        return sum(int(charge.get(j, 0)) for j in columns.tolist())

    def restore(
        self, columns: Ints, *, cheapest: bool = True, caps: Mapping[int, int] | None = None
    ) -> Restoration | None:
        """The cheapest restoration with which the choice respects ledgers and budgets.

        ``None`` when there is none. Without ``cheapest`` any that the budgets can pay will do.
        ``caps`` holds for some ledgers, by their place among the ledgers, another cap (units).
        """
        caps = caps or {}
        needs = [
            self.charge(i, columns) - caps.get(i, one.cap) for i, one in enumerate(self._ledgers)
        ]
        money = self._money(columns)
        if money is not None and money < 0:
            return None
        nothing = np.zeros(len(self._problem.parcels), np.int64)
        if all(need <= 0 for need in needs):
            return Restoration(nothing, Fraction(0))
        closed = self._closed(columns)
        if self._problem.parcels.whole or not self._laminar:
            found = self._search(needs, closed, money, cheapest=cheapest)
        else:
            found = self._greedy(needs, closed)
        if found is None:
            return None
        cost = restoration_cost(self._problem, found.tolist())
        return Restoration(found, cost) if money is None or cost <= money else None

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
        """Parcels that lie on a chosen site."""
        chosen = np.zeros(self._problem.n_sites + 1, bool)
        chosen[self._problem.site[columns]] = True
        chosen[-1] = False
        return chosen[self._problem.parcels.on_site]

    def _greedy(self, needs: list[int], closed: NDArray[np.bool_]) -> Ints | None:
        """Innermost ledger first, cheapest land first."""
        room = np.where(closed, 0, self._problem.parcels.capacity)
        units = np.zeros(len(room), np.int64)
        sizes = [int(members.sum()) for members in self._members]
        for i in sorted(range(len(needs)), key=lambda k: (sizes[k], k)):
            members = self._members[i]
            missing = needs[i] - sum(units[members].tolist())
            if missing <= 0:
                continue
            for r in self._cheapest:
                if missing <= 0:
                    break
                if members[r] and units[r] < room[r]:
                    taken = min(missing, int(room[r] - units[r]))
                    units[r] += taken
                    missing -= taken
            if missing > 0:
                return None
        return units

    def _search(
        self, needs: list[int], closed: NDArray[np.bool_], money: int | None, *, cheapest: bool
    ) -> Ints | None:
        """Whole parcels, or ledgers that cross: CP-SAT on what the multipliers leave open."""
        parcels = self._problem.parcels
        wanted = [i for i, need in enumerate(needs) if need > 0]
        members = np.array([self._members[i] for i in wanted]).reshape(len(wanted), len(parcels))
        need = np.array([needs[i] for i in wanted], np.int64)
        useful = members.any(axis=0) & ~closed
        if not parcels.whole:
            return self._in_part(members, need, np.where(useful, OPEN, 0), money)
        if np.any(members @ np.where(useful, parcels.capacity, 0) < need):
            return None
        return self._whole(members, need, useful, money, cheapest=cheapest)

    def _in_part(
        self, members: NDArray[np.bool_], need: Ints, state: Ints, money: int | None
    ) -> Ints | None:
        """In millionths of k€ and, where only what they leave out is over the budget, exactly."""
        found = self._ask(members, need, state)
        if found is None or money is None:
            return found
        told = int((self._rounded_down() * found).sum())
        exact = restoration_cost(self._problem, found.tolist())
        if told <= money * COST_SCALE and exact > money:
            return self._ask(members, need, state, money)
        return found

    def _rounded_down(self) -> Ints:
        """int64[R], cost of a unit of each parcel in millionths of k€."""
        return self._problem.parcels.cost_keur * COST_SCALE // self._problem.parcels.capacity

    def _whole(
        self, members: NDArray[np.bool_], need: Ints, useful: NDArray[np.bool_], money: int | None,
        *, cheapest: bool,
    ) -> Ints | None:  # fmt: skip
        """Whole parcels: bound, good choice, then all that the reduced costs leave open."""
        parcels = self._problem.parcels
        least, price, reduced, share = self._priced(members, need, useful)
        if money is not None and least > money * PRICE_SCALE:
            return None
        good = self._rounded(members, need, useful, share)
        cost = int(parcels.cost_keur[good].sum())
        affordable = money is None or cost <= money
        if affordable and not cheapest:
            return np.where(good, parcels.capacity, 0)
        room = (cost if affordable or money is None else money) * PRICE_SCALE - least
        own = np.array([r for r in self._cheapest if useful[r]], np.int64)
        listed = wholeparcels.Parcels(
            parcels.capacity[own], parcels.cost_keur[own], members[:, own], need, price,
            reduced[own], compiled=loaded() or (self._listed >= FEW and ready()),
        )  # fmt: skip
        self._listed += 1
        try:
            taken = wholeparcels.cheapest(listed, room)
        except wholeparcels.NotListedError:
            state = np.where(useful, OPEN, 0)
            state[useful & (reduced > room)] = 0
            state[useful & (-reduced > room)] = 1
            return self._ask(members, need, state)
        if taken is None:
            return None
        units = np.zeros(len(parcels), np.int64)
        units[own[taken]] = parcels.capacity[own[taken]]
        return units

    def _rounded(
        self, members: NDArray[np.bool_], need: Ints, useful: NDArray[np.bool_],
        share: NDArray[np.float64],
    ) -> NDArray[np.bool_]:  # fmt: skip
        """The parcels that the linear programme takes whole, completed ledger by ledger.

        What a ledger still misses comes from the cheapest one or two parcels that suffice, or
        from the cheapest land where more are needed. The capacity is known to be enough.
        """
        parcels = self._problem.parcels
        chosen = useful & (share > 1 - 1e-6)
        for i in np.argsort(members.sum(axis=1), kind="stable").tolist():
            missing = int(need[i] - parcels.capacity[chosen & members[i]].sum())
            free = np.flatnonzero(members[i] & useful & ~chosen)
            while missing > 0:
                taken = self._one_or_two(free, missing)
                chosen[taken] = True
                free = free[~np.isin(free, taken)]
                missing -= int(parcels.capacity[taken].sum())
        return chosen

    def _one_or_two(self, free: Ints, missing: int) -> Ints:
        """The cheapest one or two parcels that restore enough, else the best one."""
        # Parcels dearer per unit than the first few hundred never help; pairs stay affordable.
        rank = np.argsort(self._rank[free], kind="stable")[:MOST_PAIRED]
        free = free[rank]
        size, cost = self._problem.parcels.capacity[free], self._problem.parcels.cost_keur[free]
        never = np.iinfo(np.int64).max // 4
        single = np.where(size >= missing, cost, never)
        best = int(np.argmin(single))
        pair_cost = cost[:, None] + cost[None, :]
        fits = (size[:, None] + size[None, :] >= missing) & ~np.eye(len(free), dtype=bool)
        pair = np.where(fits, pair_cost, never)
        flat = int(np.argmin(pair))
        if single[best] <= pair.flat[flat] and single[best] < never:
            return free[[best]]
        if pair.flat[flat] < never:
            return free[[flat // len(free), flat % len(free)]]
        return free[[int(np.argmin(cost / size))]]

    def _priced(
        self, members: NDArray[np.bool_], need: Ints, useful: NDArray[np.bool_]
    ) -> tuple[int, Ints, Ints, NDArray[np.float64]]:
        """Lower bound of the cost, price of each need and reduced cost of each parcel,
        × PRICE_SCALE, exact integers; and the share of each parcel that the programme takes.

        The multipliers are those of the linear programme, rounded.
        """
        parcels = self._problem.parcels
        own = np.flatnonzero(useful)
        lp = GrowingLp()
        lp.add_columns(
            -parcels.cost_keur[own].astype(np.float64), np.zeros(len(own)), np.ones(len(own)),
            np.zeros(len(own) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
        row, column = np.nonzero(members[:, own])
        largest = max(1, int(parcels.capacity.max()))
        starts = np.searchsorted(row, np.arange(len(need) + 1))
        lp.add_rows(
            need / largest, np.full(len(need), INFINITE), starts, column,
            parcels.capacity[own[column]] / largest,
        )  # fmt: skip
        lp.solve()
        price = np.maximum(0, np.rint(-lp.dual / largest * PRICE_SCALE)).astype(np.int64)
        reduced = parcels.cost_keur * PRICE_SCALE - (price @ members) * parcels.capacity
        share = np.zeros(len(parcels))
        share[own] = lp.value[: len(own)]
        least = int(price @ need) + int(np.minimum(reduced[own], 0).sum())
        return least, price, reduced, share

    def _ask(
        self, members: NDArray[np.bool_], need: Ints, state: Ints, money: int | None = None
    ) -> Ints | None:
        """CP-SAT on the open parcels, cheapest unit first; one worker, so always the same.

        ``money`` in k€ is kept to the last fraction, for parcels in part none of which is sure.
        """
        from ortools.sat.python import cp_model  # seldom wanted, and slow to load

        parcels = self._problem.parcels
        unit = parcels.capacity if parcels.whole else np.ones(len(parcels), np.int64)
        top = np.ones(len(parcels), np.int64) if parcels.whole else parcels.capacity
        price = parcels.cost_keur if parcels.whole else self._rounded_down()
        model = cp_model.CpModel()
        taken = {
            r: model.new_int_var(0, int(top[r]), "") for r in self._cheapest if state[r] == OPEN
        }
        sure = np.where(state == 1, parcels.capacity, 0)
        for own, wanted in zip(members, need.tolist(), strict=True):
            inside = [r for r in taken if own[r]]
            gain = [int(unit[r]) for r in inside]
            rest = wanted - int(sure[own].sum())
            if rest > sum(int(parcels.capacity[r]) for r in inside):
                return None
            if rest > 0:
                model.add(
                    cp_model.LinearExpr.weighted_sum([taken[r] for r in inside], gain) >= rest
                )
        if money is not None:
            from siteselect.optimise.plainmodel import Term, add_row

            cost, size = parcels.cost_keur.tolist(), parcels.capacity.tolist()
            terms = [Term(cost[r], one, size[r], size[r]) for r, one in taken.items()]
            add_row(model, terms, None, money)
        model.minimize(
            cp_model.LinearExpr.weighted_sum(list(taken.values()), [int(price[r]) for r in taken])
        )
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        # An interrupt must end the whole search, not pass here for a choice without restoration.
        solver.parameters.catch_sigint_signal = False
        # Knapsack covers gain nothing from presolve: twice as fast without.
        solver.parameters.cp_model_presolve = False
        left = self.seconds_left()
        if left < math.inf:
            solver.parameters.max_time_in_seconds = max(left, LEAST_S)
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            raise OutOfTimeError
        units = sure.copy()
        for r, variable in taken.items():
            units[r] = solver.value(variable) * int(unit[r])
        return units
