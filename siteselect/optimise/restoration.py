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

from siteselect.optimise.lp import INFINITE, GrowingLp
from siteselect.problem import Budget, Ledger, SelectionProblem, restoration_cost
from siteselect.problem.constraints import Ints

COST_SCALE = 1_000_000
"""CP-SAT counts costs per unit in millionths of k€, rounded down: never above the truth."""

PRICE_SCALE = 2**16
"""Multipliers of the Lagrangian are multiples of 1/65,536 k€ a unit."""


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
        """Whole parcels, or ledgers that cross: CP-SAT on what the multipliers leave open."""
        parcels = self._problem.parcels
        wanted = [i for i, need in enumerate(needs) if need > 0]
        members = np.array([self._members[i] for i in wanted]).reshape(len(wanted), len(parcels))
        need = np.array([needs[i] for i in wanted], np.int64)
        useful = members.any(axis=0) & ~closed
        taken = self._fixed(members, need, useful, money) if parcels.whole else None
        if taken is None:
            taken = np.where(useful, -1, 0)
        return self._ask(members, need, taken)

    def _fixed(
        self, members: NDArray[np.bool_], need: Ints, useful: NDArray[np.bool_], money: int | None
    ) -> Ints | None:
        """int[R]: 1 taken, 0 left, −1 open, by reduced costs of a Lagrangian; exact integers.

        The multipliers are those of the linear programme; ceiling is the budget or, where it is
        lower, what a greedy choice costs. ``None`` when nothing can be said.
        """
        parcels = self._problem.parcels
        greedy = self._greedy_whole(members, need, useful)
        if greedy is None:
            return np.zeros(len(parcels), np.int64)
        ceiling = int(parcels.cost_keur[greedy].sum())
        if money is not None:
            ceiling = min(ceiling, money)
        lp = GrowingLp()
        own = np.flatnonzero(useful)
        empty = np.zeros(0, np.int64)
        lp.add_columns(
            -parcels.cost_keur[own].astype(np.float64), np.zeros(len(own)), np.ones(len(own)),
            np.zeros(len(own) + 1, np.int64), empty, np.zeros(0),
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
        least = int(price @ need) + int(np.minimum(reduced[own], 0).sum())
        room = ceiling * PRICE_SCALE - least
        state = np.where(useful, -1, 0)
        state[useful & (reduced > room)] = 0
        state[useful & (-reduced > room)] = 1
        return state

    def _greedy_whole(
        self, members: NDArray[np.bool_], need: Ints, useful: NDArray[np.bool_]
    ) -> NDArray[np.bool_] | None:
        """Cheapest whole parcels, smallest ledger first; ``None`` when even all are too few."""
        parcels = self._problem.parcels
        chosen = np.zeros(len(parcels), bool)
        for i in np.argsort(members.sum(axis=1), kind="stable").tolist():
            missing = int(need[i] - parcels.capacity[chosen & members[i]].sum())
            for r in self._cheapest:
                if missing <= 0:
                    break
                if members[i, r] and useful[r] and not chosen[r]:
                    chosen[r] = True
                    missing -= int(parcels.capacity[r])
            if missing > 0:
                return None
        return chosen

    def _ask(self, members: NDArray[np.bool_], need: Ints, state: Ints) -> Ints | None:
        """CP-SAT on the open parcels, cheapest unit first; one worker, so always the same."""
        parcels = self._problem.parcels
        unit = parcels.capacity if parcels.whole else np.ones(len(parcels), np.int64)
        top = np.ones(len(parcels), np.int64) if parcels.whole else parcels.capacity
        price = parcels.cost_keur
        if not parcels.whole:
            price = price * COST_SCALE // parcels.capacity
        model = cp_model.CpModel()
        taken = {r: model.new_int_var(0, int(top[r]), "") for r in self._cheapest if state[r] == -1}
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
        model.minimize(
            cp_model.LinearExpr.weighted_sum(list(taken.values()), [int(price[r]) for r in taken])
        )
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        if solver.solve(model) != cp_model.OPTIMAL:
            return None
        units = sure.copy()
        for r, variable in taken.items():
            units[r] = solver.value(variable) * int(unit[r])
        return units
