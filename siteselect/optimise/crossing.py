"""The cheapest restoration where ledgers cross, or whole parcels are too many to list: CP-SAT.

On integers, with one worker, so always the same; what it returns is evaluated again. Parcels are
known by their rank, the cheapest per unit first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.forest import PRICE_SCALE
from siteselect.optimise.lp import INFINITE, GrowingLp
from siteselect.optimise.stop import OutOfTimeError, Seconds
from siteselect.optimise.wholeparcels import completed
from siteselect.problem.constraints import Ints

Bools = NDArray[np.bool_]
COST_SCALE = 1_000_000
"""CP-SAT counts costs per unit in millionths of k€, rounded down: never above the truth."""
LEAST_S = 0.2
"""CP-SAT always gets so many seconds: what is judged while time runs out has a chance."""
OPEN = -1
"""State of a parcel that CP-SAT decides."""


def rounded_down(cost: Ints, size: Ints) -> Ints:
    """int64[R], cost of a unit of each parcel in millionths of k€."""
    return cost * COST_SCALE // size


@dataclass(frozen=True, eq=False)
class Crossing:
    """Parcels and the ledgers that need some restored.

    Attributes
    ----------
    size, cost
        int64[R], units of 0.01 ha and k€.
    members
        bool[ledgers, R], which ledger counts which parcel; ``need`` int64[ledgers] units.
    useful
        bool[R], the parcels that may be restored.
    seconds_left
        Asked before CP-SAT, which stops then with ``OutOfTimeError``.
    """

    size: Ints
    cost: Ints
    members: Bools
    need: Ints
    useful: Bools
    seconds_left: Seconds

    def in_part(self, money: int | None) -> Ints | None:
        """int64[R] units: in millionths of k€ and, where only what they leave out is over the
        budget, exactly.
        """
        state = np.where(self.useful, OPEN, 0)
        found = self._ask(state, whole=False)
        if found is None or money is None:
            return found
        told = int((rounded_down(self.cost, self.size) * found).sum())
        if told <= money * COST_SCALE and self._exact(found) > money:
            return self._ask(state, whole=False, money=money)
        return found

    def whole(self, money: int | None, *, cheapest: bool) -> Bools | None:
        """bool[R]: bound, good choice, then all that the reduced costs leave open."""
        if np.any(self.members @ np.where(self.useful, self.size, 0) < self.need):
            return None
        least, reduced, share = self._priced()
        if money is not None and least > money * PRICE_SCALE:
            return None
        groups = [np.flatnonzero(one) for one in self.members]
        order = np.argsort([len(one) for one in groups], kind="stable").tolist()
        good = completed(
            self.useful & (share > 1 - 1e-6), [groups[i] for i in order], self.need[order],
            self.useful, self.size, self.cost,
        )  # fmt: skip
        paid = int(self.cost[good].sum())
        affordable = money is None or paid <= money
        if affordable and not cheapest:
            return good
        room = (paid if affordable or money is None else money) * PRICE_SCALE - least
        state = np.where(self.useful, OPEN, 0)
        state[self.useful & (reduced > room)] = 0
        state[self.useful & (-reduced > room)] = 1
        found = self._ask(state, whole=True)
        return None if found is None else found > 0

    def _exact(self, units: Ints) -> Fraction:
        taken = np.flatnonzero(units)
        paid, size = (self.cost * units)[taken].tolist(), self.size[taken].tolist()
        return sum(map(Fraction, paid, size), Fraction(0))

    def _priced(self) -> tuple[int, Ints, NDArray[np.float64]]:
        """Lower bound of the cost and reduced cost of each parcel, × PRICE_SCALE, exact integers;
        and the share of each parcel that the programme takes.

        The multipliers are those of the linear programme, rounded.
        """
        own, many = np.flatnonzero(self.useful), len(self.need)
        lp = GrowingLp()
        lp.add_columns(
            -self.cost[own].astype(np.float64), np.zeros(len(own)), np.ones(len(own)),
            np.zeros(len(own) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
        row, column = np.nonzero(self.members[:, own])
        largest = max(1, int(self.size.max()))
        lp.add_rows(
            self.need / largest, np.full(many, INFINITE),
            np.searchsorted(row, np.arange(many + 1)), column, self.size[own[column]] / largest,
        )  # fmt: skip
        lp.solve()
        price = np.maximum(0, np.rint(-lp.dual / largest * PRICE_SCALE)).astype(np.int64)
        reduced = self.cost * PRICE_SCALE - (price @ self.members) * self.size
        share = np.zeros(len(self.size))
        share[own] = lp.value[: len(own)]
        least = int(price @ self.need) + int(np.minimum(reduced[own], 0).sum())
        return least, reduced, share

    def _ask(self, state: Ints, *, whole: bool, money: int | None = None) -> Ints | None:
        """CP-SAT on the open parcels, cheapest unit first; one worker, so always the same.

        ``money`` in k€ is kept to the last fraction, for parcels in part none of which is sure.
        """
        from ortools.sat.python import cp_model  # seldom wanted, and slow to load

        unit = self.size if whole else np.ones(len(self.size), np.int64)
        top = np.ones(len(self.size), np.int64) if whole else self.size
        price = self.cost if whole else rounded_down(self.cost, self.size)
        model = cp_model.CpModel()
        taken = {
            r: model.new_int_var(0, int(top[r]), "") for r in np.flatnonzero(state == OPEN).tolist()
        }
        sure = np.where(state == 1, self.size, 0)
        for own, wanted in zip(self.members, self.need.tolist(), strict=True):
            inside = [r for r in taken if own[r]]
            gain = [int(unit[r]) for r in inside]
            rest = wanted - int(sure[own].sum())
            if rest > sum(int(self.size[r]) for r in inside):
                return None
            if rest > 0:
                model.add(
                    cp_model.LinearExpr.weighted_sum([taken[r] for r in inside], gain) >= rest
                )
        if money is not None:
            from siteselect.optimise.plainmodel import Term, add_row

            cost, size = self.cost.tolist(), self.size.tolist()
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
