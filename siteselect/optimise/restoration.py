"""The cheapest restoration for a given choice of columns, exactly.

A choice needs so many units (0.01 ha) restored in each ledger. Where the ledgers are nested or
apart (laminar) and parcels may be restored in part, taking the cheapest land of each ledger, the
innermost first, is optimal, and whole units lose nothing. Otherwise (whole parcels, ledgers that
cross) CP-SAT decides, on integers, with one worker; what it returns is evaluated again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from siteselect.problem import Budget, Ledger, SelectionProblem, restoration_cost
from siteselect.problem.constraints import Ints

COST_SCALE = 1_000_000
"""CP-SAT counts costs per unit in millionths of k€, rounded down: never above the truth."""


@dataclass(frozen=True, eq=False)
class Restoration:
    """What is restored: int64[R] units of 0.01 ha, and what it costs, k€."""

    units: Ints
    cost_keur: Fraction


class Restorer:
    """Finds, for each choice of columns, the cheapest restoration that its ledgers need."""

    def __init__(self, problem: SelectionProblem) -> None:
        self._problem = problem
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
        self._members = [np.isin(np.arange(len(parcels)), one.parcels) for one in self._ledgers]
        self._laminar = self._nested()

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

    def restore(self, columns: Ints) -> Restoration | None:
        """The cheapest restoration with which the choice respects ledgers and budgets.

        ``None`` when there is none.
        """
        needs = [
            sum(int(charge.get(j, 0)) for j in columns.tolist()) - one.cap
            for one, charge in zip(self._ledgers, self._charges, strict=True)
        ]
        money = self._money(columns)
        if money is not None and money < 0:
            return None
        nothing = np.zeros(len(self._problem.parcels), np.int64)
        if all(need <= 0 for need in needs):
            return Restoration(nothing, Fraction(0))
        closed = self._closed(columns)
        if self._problem.parcels.whole or not self._laminar:
            found = self._search(needs, closed, money)
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
        self, needs: list[int], closed: NDArray[np.bool_], money: int | None
    ) -> Ints | None:
        """CP-SAT: whole parcels, or ledgers that cross."""
        parcels = self._problem.parcels
        useful = np.zeros(len(parcels), bool)
        for need, members in zip(needs, self._members, strict=True):
            if need > 0:
                useful |= members
        useful &= ~closed
        model = cp_model.CpModel()
        taken = {}
        for r in self._cheapest:
            if useful[r]:
                top = 1 if parcels.whole else int(parcels.capacity[r])
                taken[r] = model.new_int_var(0, top, "")
        for need, members in zip(needs, self._members, strict=True):
            if need > 0:
                inside = [r for r in taken if members[r]]
                gain = [int(parcels.capacity[r]) if parcels.whole else 1 for r in inside]
                model.add(
                    cp_model.LinearExpr.weighted_sum([taken[r] for r in inside], gain) >= need
                )
        price = {
            r: int(parcels.cost_keur[r])
            if parcels.whole
            else int(parcels.cost_keur[r]) * COST_SCALE // int(parcels.capacity[r])
            for r in taken
        }
        model.minimize(cp_model.LinearExpr.weighted_sum(list(taken.values()), list(price.values())))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        if solver.solve(model) != cp_model.OPTIMAL:
            return None
        units = np.zeros(len(parcels), np.int64)
        for r, variable in taken.items():
            unit = int(parcels.capacity[r]) if parcels.whole else 1
            units[r] = solver.value(variable) * unit
        return units
