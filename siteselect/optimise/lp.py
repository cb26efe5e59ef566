"""A growing linear programme in HiGHS that is never infeasible.

Every row has a slack that costs a great deal (elastic rows): an impossible node of the search
therefore ends with multipliers whose exact bound is low, like any other node, and no status of
the floating-point solver is ever trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.stop import OutOfTimeError, Seconds

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
INFINITE = highspy.kHighsInf

FIRST_PENALTY = 1e3
LARGEST_PENALTY = 1e7
ARTIFICIAL_TOLERANCE = 1e-7
LEAST_S = 0.05
"""A linear programme is always given this long: its multipliers are the only bound there is."""


class _Quiet(highspy.Highs):
    """HiGHS without its banner: the ordinary constructor prints before it can be told not to."""

    def __init__(self) -> None:
        highspy._core._Highs.__init__(self)
        self.setOptionValue("output_flag", False)


@dataclass
class Basis:
    """A basis of a programme that had so many rows and columns; it grows when it is restored."""

    basis: highspy.HighsBasis
    rows: int
    columns: int


class GrowingLp:
    """Maximise cost·v over lower ≤ A v ≤ upper, rows and columns added as it goes."""

    def __init__(self) -> None:
        self._highs = _Quiet()
        for name, value in (
            ("presolve", "off"),
            ("solver", "simplex"),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
            # Rows are divided by their largest coefficient already; perturbed costs make a
            # programme that is solved again and again from its last basis wander.
            ("simplex_scale_strategy", 0),
            ("dual_simplex_cost_perturbation_multiplier", 0.0),
        ):
            self._highs.setOptionValue(name, value)
        self.n_columns = 0
        self.n_rows = 0
        self._slack: list[int] = []
        self._penalty: list[float] = []
        self.value = np.zeros(0)
        self.dual = np.zeros(0)
        self.objective = 0.0
        self.iterations = 0
        self.excess = 0.0
        self.ended_early = False
        """Whether the last solve ended at ``enough``: values and multipliers are not optimal."""
        self.seconds_left: Seconds | None = None
        """Asked before each solve where there is a limit."""

    def add_columns(
        self, cost: Floats, lower: Floats, upper: Floats, starts: Index, rows: Index, values: Floats
    ) -> Index:
        """Append columns (CSC over existing rows); their positions."""
        many = len(cost)
        self._highs.addCols(
            many, -cost, lower, upper, len(rows), starts[:-1].astype(np.int32),
            rows.astype(np.int32), values,
        )  # fmt: skip
        self.n_columns += many
        return np.arange(self.n_columns - many, self.n_columns)

    def add_rows(
        self, lower: Floats, upper: Floats, starts: Index, columns: Index, values: Floats,
        *, elastic: bool = True,
    ) -> Index:  # fmt: skip
        """Append rows (CSR over existing columns), each with its slacks; their positions.

        Rows that can always be satisfied need no slack: ``elastic=False``.
        """
        many = len(lower)
        under, over = np.flatnonzero(lower > -INFINITE), np.flatnonzero(upper < INFINITE)
        if not elastic:
            under, over = under[:0], over[:0]
        extra = len(under) + len(over)
        slack = self.add_columns(
            np.full(extra, -FIRST_PENALTY), np.zeros(extra), np.full(extra, INFINITE),
            np.zeros(extra + 1, np.int64), np.zeros(0, np.int64), np.zeros(0),
        )  # fmt: skip
        self._slack.extend(slack.tolist())
        self._penalty.extend([FIRST_PENALTY] * extra)
        row = np.concatenate([np.repeat(np.arange(many), np.diff(starts)), under, over])
        column = np.concatenate([columns, slack])
        value = np.concatenate([values, np.ones(len(under)), -np.ones(len(over))])
        order = np.argsort(row, kind="stable")
        first = np.searchsorted(row[order], np.arange(many))
        self._highs.addRows(
            many, lower, upper, len(row), first.astype(np.int32),
            column[order].astype(np.int32), value[order],
        )  # fmt: skip
        self.n_rows += many
        return np.arange(self.n_rows - many, self.n_rows)

    def set_column_bounds(self, columns: Index, lower: Floats, upper: Floats) -> None:
        """Change the bounds of columns."""
        if len(columns):
            self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def set_row_bounds(self, rows: Index, lower: Floats, upper: Floats) -> None:
        """Change the bounds of rows."""
        for row, low, high in zip(rows.tolist(), lower.tolist(), upper.tolist(), strict=True):
            self._highs.changeRowBounds(row, low, high)

    def solve(self, *, primal: bool = False) -> None:
        """Solve from where it stands; raises the price of slacks while they are used.

        Raises
        ------
        OutOfTimeError
            ``seconds_left`` passed; ``value`` and ``dual`` are those reached.
        """
        self.solve_once(primal=primal)
        while self.raise_penalties():
            self._run()

    def solve_once(self, *, primal: bool = False, enough: float | None = None) -> None:
        """Solve at the present price of slacks; may end where the objective falls to ``enough``.

        For bounds: multipliers are valid whatever the slacks cost.
        """
        self._highs.setOptionValue("simplex_strategy", 4 if primal else 1)
        if enough is not None:
            self._highs.setOptionValue("objective_bound", -enough)
        try:
            self._run()
        finally:
            if enough is not None:
                self._highs.setOptionValue("objective_bound", INFINITE)

    def trial(self, limit: int, enough: float = -INFINITE) -> float:
        """The objective after a few iterations from where it stands (strong branching); ends
        where it falls to ``enough``. Only ``dual`` is read: any multipliers make a bound.
        """
        self._highs.setOptionValue("simplex_iteration_limit", limit)
        self._highs.setOptionValue("objective_bound", -enough)
        self._allow()
        self._highs.run()
        self._highs.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        self._highs.setOptionValue("objective_bound", INFINITE)
        value = -float(self._highs.getInfo().objective_function_value)
        if value <= enough:
            dual = -np.asarray(self._highs.getSolution().row_dual)
            self.dual = dual if len(dual) == self.n_rows else np.zeros(self.n_rows)
        return value

    def inverse_rows(self, columns: Index) -> Floats:
        """float[k, rows]: rows of the inverse of the basis in which these columns are basic."""
        highs: Any = self._highs  # its stubs know neither of the two calls
        basic = np.asarray(highs.getBasicVariables()[1])
        place = np.full(self.n_columns, -1, np.int64)
        inside = np.flatnonzero(basic >= 0)
        place[basic[inside]] = inside
        rows = [
            np.asarray(highs.getBasisInverseRow(int(place[column]))[1])
            for column in columns.tolist()
            if place[column] >= 0
        ]
        return np.array(rows).reshape(len(rows), self.n_rows)

    def basis(self) -> Basis:
        """The basis, to come back to."""
        return Basis(self._highs.getBasis(), self.n_rows, self.n_columns)

    def restore(self, taken: Basis) -> None:
        """Come back to a basis taken earlier; rows and columns added since start basic, at zero."""
        basis, status = taken.basis, highspy.HighsBasisStatus
        more_rows, more_columns = self.n_rows - taken.rows, self.n_columns - taken.columns
        if more_rows:
            basis.row_status = [*basis.row_status, *[status.kBasic] * more_rows]
        if more_columns:
            basis.col_status = [*basis.col_status, *[status.kLower] * more_columns]
        taken.rows, taken.columns = self.n_rows, self.n_columns
        self._highs.setBasis(basis)

    def _allow(self) -> bool:
        """Give the solver the time left; its own clock counts over all its runs."""
        if self.seconds_left is None:
            return True
        left = self.seconds_left()
        self._highs.setOptionValue(
            "time_limit", min(INFINITE, self._highs.getRunTime() + max(left, LEAST_S))
        )
        return left > 0

    def _run(self) -> None:
        status = highspy.HighsModelStatus
        in_time = self._allow()
        self._highs.run()
        ended = self._highs.getModelStatus()
        if ended not in (status.kOptimal, status.kTimeLimit, status.kObjectiveBound):
            # A stalled basis: start again from the slack basis, which always succeeds here.
            self._highs.clearSolver()
            in_time = self._allow()
            self._highs.run()
            ended = self._highs.getModelStatus()
        self.ended_early = ended == status.kObjectiveBound
        info, solution = self._highs.getInfo(), self._highs.getSolution()
        self.iterations += info.simplex_iteration_count
        self.objective = -float(info.objective_function_value)
        value, dual = np.asarray(solution.col_value), -np.asarray(solution.row_dual)
        # Stopped early there may be no solution; multipliers of zero are valid ones too.
        self.value = value if len(value) == self.n_columns else np.zeros(self.n_columns)
        self.dual = dual if len(dual) == self.n_rows else np.zeros(self.n_rows)
        if ended == status.kTimeLimit or not in_time:
            raise OutOfTimeError

    def raise_penalties(self) -> bool:
        """Make the slacks in use dearer; whether there are any that may be."""
        used = self.value[self._slack] if self._slack else np.zeros(0)
        self.excess = float(used.sum())
        again = [
            i
            for i in np.flatnonzero(used > ARTIFICIAL_TOLERANCE).tolist()
            if self._penalty[i] < LARGEST_PENALTY
        ]
        for i in again:
            self._penalty[i] *= 100
            self._highs.changeColCost(self._slack[i], self._penalty[i])
        return bool(again)
