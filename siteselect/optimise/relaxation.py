"""The linear relaxation of a model: few columns, few rows, both added when they are wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from siteselect.optimise.bound import (
    Block,
    Bound,
    Cut,
    Multipliers,
    exact_bound,
)
from siteselect.optimise.conflicts import violated_cliques
from siteselect.optimise.coverage import CoverageForm, Crossing, GroupCuts
from siteselect.optimise.lp import INFINITE, Floats, GrowingLp
from siteselect.optimise.model import INSIDE, OUTSIDE, Model, needed_at_zero
from siteselect.optimise.rounding import Held, Rounding, largest_coefficients, roundings
from siteselect.optimise.workers import Hall, HallCuts
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

TOLERANCE = 1e-6
BATCH = 400
"""Columns added at a time."""
MOST_GROWN = 40
"""A clique grows by no more sites than this."""
MOST_ROWS = 300
"""With no more rows than this the linear programme holds them all from the start."""


class Relaxation:
    """max c·x + coverage over the columns present; rows are added when they are violated.

    ``unit`` scales the objective: the greatest value of a column is about 1.
    """

    def __init__(self, model: Model, columns: Ints, *, grouped: bool = False) -> None:
        self.model = model
        self.lp = GrowingLp()
        gain = model.alone().astype(np.float64)
        largest = float(np.abs(model.parcels_alone()).max(initial=0.0))
        self.unit = max(1.0, float(np.abs(gain).max(initial=1.0)), largest)
        self.coverage: CoverageForm | None = None
        if model.reach is not None:
            form = GroupCuts if grouped else Crossing
            self.coverage = form(model, self.lp, self.unit)
        self.workers: HallCuts | None = None
        if model.flow is not None:
            self.workers = HallCuts(model.flow, model.site, self.lp, self.unit)
        self._worth = gain
        self._gain = model.score / self.unit
        if self.coverage is not None:
            self._gain = self._gain + (self.coverage.gain() / self.unit)[model.site]
        if model.flow is not None:
            self._gain = self._gain + model.flow.alone() / self.unit
        self._position = np.full(model.n_columns, -1, np.int64)
        self.columns = np.zeros(0, np.int64)
        self._row_position = np.full(len(model.lower), -1, np.int64)
        self._row_list: list[int] = []
        self._row_lp: list[int] = []
        self._block: Block | None = None
        self._row_scale = largest_coefficients(model.x)
        self.cuts: list[Cut] = []
        self._cut_lp: list[int] = []
        self._cut_keys: set[tuple[bytes, int]] = set()
        self.rounded: list[Rounding] = []
        self._rounded_lp: list[int] = []
        self._variant_row: dict[int, int] = {}
        self.state = model.state.copy()
        self.shut = model.shut.copy()
        self.parcels = self._add_parcels()
        self.x = np.zeros(0)
        self.add_columns(columns)
        core = needed_at_zero(model)
        if len(core) <= MOST_ROWS:
            core = np.ones(len(core), bool)
        self.add_model_rows(np.flatnonzero(core))
        self._require_inside(np.flatnonzero(self.state == INSIDE))

    @property
    def worth(self) -> Floats:
        """float[J], value of each column by itself; the greatest is about 1."""
        return self._worth / self.unit

    # ---- growing -------------------------------------------------------------------------

    def _add_parcels(self) -> Ints:
        many = self.model.n_parcels
        empty = np.zeros(0, np.int64)
        return self.lp.add_columns(
            self.model.parcels_alone() / self.unit, np.zeros(many), np.ones(many),
            np.zeros(many + 1, np.int64), empty, np.zeros(0),
        )  # fmt: skip

    def add_columns(self, columns: Ints) -> None:
        """Bring columns of the model into the programme."""
        new = columns[self._position[columns] < 0]
        if not len(new):
            return
        rows, cols, values = self._entries(new)
        order = np.lexsort((rows, cols))
        starts = np.searchsorted(cols[order], np.arange(len(new) + 1))
        low, high = self._column_bounds(new)
        placed = self.lp.add_columns(self._gain[new], low, high, starts, rows[order], values[order])
        self._position[new] = placed
        self.columns = np.concatenate([self.columns, new])

    def _entries(self, new: Ints) -> tuple[Ints, Ints, Floats]:
        """Row, column and value of every coefficient of new columns in the rows present."""
        part = self.model.x_columns[:, new].tocoo()
        where = self._row_position[part.row]
        keep = where >= 0
        rows, cols = [where[keep]], [part.col[keep].astype(np.int64)]
        values = [part.data[keep] / self._row_scale[part.row[keep]]]
        rank = np.argsort(new, kind="stable")
        for cut, lp_row in zip(self.cuts, self._cut_lp, strict=True):
            spot = np.searchsorted(new[rank], cut.columns)
            spot[spot == len(new)] = 0
            hit = rank[spot[new[rank][spot] == cut.columns]]
            rows.append(np.full(len(hit), lp_row, np.int64))
            cols.append(hit)
            values.append(np.ones(len(hit)))
        more = [] if self.coverage is None else [self.coverage.entries(self.model.site[new])]
        more += [] if self.workers is None else [self.workers.entries(new)]
        for row, col, value in more:
            rows.append(row)
            cols.append(col)
            values.append(value)
        return np.concatenate(rows), np.concatenate(cols), np.concatenate(values)

    def add_model_rows(self, rows: Ints) -> None:
        """Bring rows of the model into the programme."""
        rows = rows[self._row_position[rows] < 0]
        if not len(rows):
            return
        part, part_z = self.model.x[rows].tocoo(), self.model.z[rows].tocoo()
        where = self._position[part.col]
        keep = where >= 0
        row = np.concatenate([part.row[keep], part_z.row]).astype(np.int64)
        column = np.concatenate([where[keep], self.parcels[part_z.col]])
        value = np.concatenate([part.data[keep], part_z.data]) / self._row_scale[rows[row]]
        order = np.argsort(row, kind="stable")
        starts = np.searchsorted(row[order], np.arange(len(rows) + 1))
        lower, upper = self.model.lower[rows], self.model.upper[rows]
        placed = self.lp.add_rows(
            np.where(lower == NO_LOWER, -INFINITE, lower / self._row_scale[rows]),
            np.where(upper == NO_UPPER, INFINITE, upper / self._row_scale[rows]),
            starts, column[order], value[order],
        )  # fmt: skip
        self._row_position[rows] = placed
        self._row_list.extend(rows.tolist())
        self._row_lp.extend(placed.tolist())

    def add_cuts(self, cuts: list[Cut]) -> int:
        """Add rows Σ columns ≤ upper that are not there yet; how many were new."""
        new = []
        for cut in cuts:
            key = (cut.columns.tobytes(), cut.upper)
            if key not in self._cut_keys:
                self._cut_keys.add(key)
                new.append(cut)
        if not new:
            return 0
        present = [self._position[cut.columns] for cut in new]
        present = [one[one >= 0] for one in present]
        starts = np.concatenate([[0], np.cumsum([len(one) for one in present])])
        placed = self.lp.add_rows(
            np.full(len(new), -INFINITE), np.array([float(cut.upper) for cut in new]), starts,
            np.concatenate(present), np.ones(int(starts[-1])),
        )  # fmt: skip
        self.cuts.extend(new)
        self._cut_lp.extend(placed.tolist())
        return len(new)

    def add_rounded(self, rows: list[Rounding]) -> int:
        """Add rows of whole choices; every column of the model must be here. How many."""
        for row in rows:
            column = np.concatenate([self._position[row.columns], self.parcels[row.parcels]])
            value = np.concatenate([row.factor, row.parcel_factor]) / row.largest
            placed = self.lp.add_rows(
                np.array([-INFINITE]), np.array([row.upper / row.largest]),
                np.array([0, len(column)]), column, value,
            )  # fmt: skip
            self._rounded_lp.append(int(placed[0]))
        self.rounded.extend(rows)
        return len(rows)

    def rounded_in_use(self) -> list[Rounding]:
        """Rows of whole choices with a price in the present solution."""
        prices = self.lp.dual[self._rounded_lp]
        return [row for row, y in zip(self.rounded, prices.tolist(), strict=True) if y > 1e-9]

    def round_off(self) -> int:
        """Rows that whole choices respect and the present solution does not; how many were added.

        From the rows of the tableau in which a column is chosen in part, and from each row alone.
        """
        held, places, scale = self._held()
        x = np.zeros(self.model.n_columns)
        x[self.columns] = np.clip(self.x, 0.0, 1.0)
        z = np.clip(self.lp.value[self.parcels], 0.0, 1.0)
        part = np.flatnonzero((self.x > TOLERANCE) & (self.x < 1 - TOLERANCE))
        tableau = self.lp.inverse_rows(self._position[self.columns[part]])
        heavy = np.flatnonzero(self._row_scale[self._row_list] > 1)
        alone = np.eye(len(places))[heavy]
        weights = np.concatenate([tableau[:, places] / scale, alone])
        return self.add_rounded(roundings(held, weights, x, z))

    def _held(self) -> tuple[Held, Ints, Floats]:
        """The rows without coverage and workers, their places in the programme, their scales."""
        rows = np.array(self._row_list, np.int64)
        n, r = self.model.n_columns, self.model.n_parcels
        given = [(cut.columns, np.ones(len(cut.columns), np.int64)) for cut in self.cuts]
        given += [(row.columns, row.factor) for row in self.rounded]
        none = np.zeros(0, np.int64)
        given_z = [(none, none)] * len(self.cuts)
        given_z += [(row.parcels, row.parcel_factor) for row in self.rounded]
        x = vstack([self.model.x[rows], _csr(given, n)], format="csr")
        z = vstack([self.model.z[rows], _csr(given_z, r)], format="csr")
        more = [*(cut.upper for cut in self.cuts), *(row.upper for row in self.rounded)]
        held = Held(
            csr_array(x), csr_array(z),
            np.concatenate([self.model.lower[rows], np.full(len(more), NO_LOWER)]),
            np.concatenate([self.model.upper[rows], np.array(more, np.int64)]),
            (*self._row_list, *self.cuts, *self.rounded),
        )  # fmt: skip
        places = np.array([*self._row_lp, *self._cut_lp, *self._rounded_lp], np.int64)
        largest = [float(row.largest) for row in self.rounded]
        scale = np.concatenate([self._row_scale[rows], np.ones(len(self.cuts)), largest])
        return held, places, scale

    # ---- fixing --------------------------------------------------------------------------

    def _column_bounds(self, columns: Ints) -> tuple[Floats, Floats]:
        site = self.model.site[columns]
        closed = self.shut[columns] | (self.state[site] == OUTSIDE)
        alone = np.diff(self.model.start)[site] == 1
        low = np.where((self.state[site] == INSIDE) & alone & ~closed, 1.0, 0.0)
        return low, np.where(closed, 0.0, 1.0)

    def fix(self, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> None:
        """Move to other fixings; only what differs is sent to the solver."""
        before, closed_before = self.state, self.shut
        self.state, self.shut = state.copy(), shut.copy()
        # Columns that this brings in get their bounds from the new state as they come.
        self._require_inside(np.flatnonzero(state != before))
        moved = (state != before)[self.model.site[self.columns]]
        touched = self.columns[moved | (shut != closed_before)[self.columns]]
        low, high = self._column_bounds(touched)
        self.lp.set_column_bounds(self._position[touched], low, high)

    def _require_inside(self, moved: Ints) -> None:
        """Sites with variants are held in by the lower bound of their own row."""
        several = moved[np.diff(self.model.start)[moved] > 1]
        for site in several.tolist():
            inside = self.state[site] == INSIDE
            if site not in self._variant_row:
                if not inside:
                    continue
                self._add_variant_row(site)
            row = np.array([self._variant_row[site]])
            low = np.array([1.0 if inside else -INFINITE])
            self.lp.set_row_bounds(row, low, np.ones(1))

    def _add_variant_row(self, site: int) -> None:
        own = np.arange(self.model.start[site], self.model.start[site + 1])
        self.add_columns(own)
        # The row is two-sided from the start: its slacks serve both sides.
        self.cuts.append(Cut(own, 1, implicit=True))
        self._cut_keys.add((own.tobytes(), 1))
        placed = self.lp.add_rows(
            np.array([0.0]), np.ones(1), np.array([0, len(own)]), self._position[own],
            np.ones(len(own)),
        )  # fmt: skip
        self._cut_lp.append(int(placed[0]))
        self._variant_row[site] = int(placed[0])

    def leave_money(self, share: float) -> bool:
        """Hold back a share of every limit that pays for restoration; whether there is any.

        0 gives the limits back. For dives only: bounds taken meanwhile still hold.
        """
        model = self.model
        given = np.asarray(model.z.minimum(0).sum(axis=1)).ravel() < 0
        pays = (np.diff(model.z.indptr) > 0) & ~given
        limited = (model.upper != NO_UPPER) & (model.upper > 1) & (self._row_position >= 0)
        rows = np.flatnonzero(pays & limited)
        upper = self.model.upper[rows] * (1 - share) / self._row_scale[rows]
        lower = self.model.lower[rows]
        low = np.where(lower == NO_LOWER, -INFINITE, lower / self._row_scale[rows])
        self.lp.set_row_bounds(self._row_position[rows], low, upper)
        return bool(len(rows))

    # ---- solving -------------------------------------------------------------------------

    def solve(self, *, primal: bool = False) -> None:
        """Solve the programme as it stands."""
        try:
            self.lp.solve(primal=primal)
        finally:
            self._read()

    def bound_for(self, floor: int) -> Bound:
        """The exact bound of a solution, or the first met under which nothing is worth ``floor``.

        Slacks in use are not made dearer: see :meth:`insist`.
        """
        enough = self._enough(floor)
        try:
            self.lp.solve_once(enough=enough)
            bound = self.bound()
            if bound.value >= floor and self.lp.ended_early:
                self.lp.solve_once()
                bound = self.bound()
        finally:
            self._read()
        return bound

    def _enough(self, floor: int) -> float:
        """The objective of the programme under which no portfolio is worth ``floor``."""
        constant = 0.0 if self.coverage is None else self.coverage.constant
        return floor / self.unit - constant - TOLERANCE

    def trial(self, floor: int, limit: int) -> tuple[float, Bound | None]:
        """A few iterations from where it stands: the objective reached, and the exact bound where
        that may be under ``floor``. The present solution stays as it was read.
        """
        enough = self._enough(floor)
        value = self.lp.trial(limit, enough)
        return value, self.bound() if value <= enough else None

    def _read(self) -> None:
        """The values reached: out of time they are as good a hint as any; after an interrupt there
        may be none for the columns that came last.
        """
        if len(self.lp.value) == self.lp.n_columns:
            self.x = self.lp.value[self._position[self.columns]]

    def insist(self) -> bool:
        """Make the slacks in use dearer; whether there were any."""
        return self.lp.raise_penalties()

    def separate(self) -> int:
        """Add the rows that the present solution violates; how many."""
        return (
            self._separate_variants()
            + self._separate_rows()
            + self._separate_cliques()
            + self._separate_demand()
        )

    def _separate_variants(self) -> int:
        load = self.loads()
        many = 0
        for site in np.flatnonzero(load > 1 + TOLERANCE).tolist():
            if site not in self._variant_row:
                self._add_variant_row(site)
                many += 1
        return many

    def _separate_rows(self) -> int:
        model = self.model
        if not np.any(self._row_position < 0):
            return 0
        support = self.x > TOLERANCE
        activity = model.x_columns[:, self.columns[support]] @ self.x[support]
        if model.n_parcels:
            activity = activity + model.z @ self.lp.value[self.parcels]
        slack = TOLERANCE * self._row_scale
        low = np.where(model.lower == NO_LOWER, -np.inf, model.lower.astype(np.float64))
        high = np.where(model.upper == NO_UPPER, np.inf, model.upper.astype(np.float64))
        broken = (activity < low - slack) | (activity > high + slack)
        rows = np.flatnonzero(broken & (self._row_position < 0))
        self.add_model_rows(rows)
        return len(rows)

    def _separate_cliques(self) -> int:
        if not self.model.conflicts:
            return 0
        load = self.loads()
        sites = np.flatnonzero(load > TOLERANCE)
        conflict = self.model.conflicts.among(sites)
        if not conflict.any():
            return 0
        cliques = [sites[one] for one in violated_cliques(conflict, load[sites])]
        return self.add_cuts([clique_cut(self.model, one, self._worth) for one in cliques])

    def _separate_demand(self) -> int:
        positions, made = self._position[self.columns], 0
        if self.coverage is not None:
            made += self.coverage.separate(self.loads(), self.columns, positions)
        if self.workers is not None:
            made += self.workers.separate(self.columns, positions)
        return made

    # ---- bounding ------------------------------------------------------------------------

    def multipliers(self) -> Multipliers:
        """The duals of the present solution."""
        dual = self.lp.dual * self.unit
        rows = self._row_list
        if self._block is None or len(self._block.rows) != len(rows):
            self._block = Block(self.model, np.array(rows, np.int64))
        demand, mu = np.zeros(0, np.int64), np.zeros(0)
        if self.coverage is not None:
            demand, mu = self.coverage.multipliers(dual)
        halls: tuple[Hall, ...] = ()
        hall_y = np.zeros(0)
        if self.workers is not None:
            halls, hall_y = self.workers.multipliers(dual)
        return Multipliers(
            self._block,
            dual[self._row_lp] / self._row_scale[rows] if rows else np.zeros(0),
            tuple(self.cuts),
            dual[self._cut_lp] if self.cuts else np.zeros(0),
            demand,
            mu,
            halls,
            hall_y,
            tuple(self.rounded),
            dual[self._rounded_lp] / [row.largest for row in self.rounded]
            if self.rounded
            else np.zeros(0),
        )

    def bound(self) -> Bound:
        """The exact bound of the present multipliers."""
        return exact_bound(self.model, self.multipliers(), self.state, self.shut)

    def loads(self) -> Floats:
        """float[S], how much of each site the solution chooses."""
        loads = np.bincount(self.model.site[self.columns], self.x, minlength=self.model.n_sites)
        return loads.astype(np.float64)


def _csr(rows: list[tuple[Ints, Ints]], wide: int) -> csr_array:
    """int64 CSR of rows given as columns and values."""
    starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns = np.concatenate([np.zeros(0, np.int64), *(one for one, _ in rows)])
    values = np.concatenate([np.zeros(0, np.int64), *(one for _, one in rows)])
    return csr_array((values, columns, starts), shape=(len(rows), wide))


def clique_cut(model: Model, sites: Ints, worth: Floats) -> Cut:
    """A clique of sites grown by the most valuable sites (float[J]) that all of them exclude."""
    members = sites.tolist()
    open_to = model.conflicts.neighbours(members[0])
    for other in members[1:]:
        open_to = np.intersect1d(open_to, model.conflicts.neighbours(other), assume_unique=True)
    first = np.minimum(model.start[open_to], model.n_columns - 1)
    open_to = open_to[np.argsort(-worth[first], kind="stable")[:MOST_GROWN]]
    while len(open_to):
        taken = int(open_to[0])
        members.append(taken)
        open_to = open_to[np.isin(open_to, model.conflicts.neighbours(taken))]
    parts = [np.arange(model.start[s], model.start[s + 1]) for s in sorted(members)]
    return Cut(np.concatenate(parts), 1)


def improving(model: Model, bound: Bound, columns: Ints, unit: float) -> Ints:
    """Columns beside those of a programme whose reduced cost says they would improve it.

    A column improves the programme when choosing it costs less than leaving its site as it is:
    its penalty is then under the site's own value. The best ones first cut to ``BATCH``.
    """
    absent = ~model.shut
    absent[columns] = False
    gain = bound.site_penalty[model.site] - bound.column_penalty
    threshold = int(1e-9 * unit * bound.scale) + 1
    wanted = np.flatnonzero(absent & (gain > threshold))
    if len(wanted) <= BATCH:
        return wanted
    return np.sort(wanted[np.argsort(-gain[wanted], kind="stable")[:BATCH]])
