"""A selection problem compiled for the optimiser: sorted columns, integer rows, conflicts.

Columns are put in a canonical order (site identifier, land charge, cost), so that the search
takes the same path, and gives the same answer, for any order of the input rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from siteselect.optimise.conflicts import ConflictGraph
from siteselect.optimise.demand import merge_demand
from siteselect.optimise.incidence import Incidence
from siteselect.optimise.ragged import rows_of
from siteselect.optimise.workers import Flow
from siteselect.problem import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Ledger,
    Locks,
    SelectionProblem,
    Separation,
)
from siteselect.problem.constraints import Ints, RowSpec, make_rows

FREE, INSIDE, OUTSIDE = 0, 1, 2
"""State of a site: open, fixed in, fixed out."""


@dataclass(frozen=True, eq=False)
class Model:
    """Canonical integer form: maximise c·x + coverage over lower ≤ X x + Z z ≤ upper.

    Attributes
    ----------
    score
        int64[J].
    site
        int64[J], ascending: columns of a site are adjacent.
    start
        int64[S + 1], columns of site s are start[s] … start[s+1] − 1.
    x, z
        int64 CSR, rows × J and rows × R; ``x_columns`` is x by columns (CSC).
    lower, upper
        int64[rows], with NO_LOWER and NO_UPPER.
    origin
        int64[rows], index of the constraint a row comes from, −1 for the structure.
    state
        int8[S], sites fixed by locks.
    shut
        bool[J], columns that can never be chosen.
    reach
        Sites × demand, or ``None``; ``weights`` int64[demand].
    flow
        Workers that sites compete for, or ``None``.
    mu
        float[demand], price of a worker covered more than once in a programme nearby: a guess that
        saves rows, or ``None``.
    label
        int64[demand], the point of this model that each of the model before has become, −1 where
        it left; ``None`` where this is no part of another model.
    parcel_score
        int64[R], what each parcel adds to the objective when it is restored whole (in proportion
        in part), or ``None``: nothing.
    column_of, site_of, parcel_of
        Index in the problem of each column, site and parcel of the model.
    """

    score: Ints
    site: Ints
    start: Ints
    x: csr_array
    z: csr_array
    x_columns: csc_array
    lower: Ints
    upper: Ints
    origin: Ints
    state: NDArray[np.int8]
    shut: NDArray[np.bool_]
    conflicts: ConflictGraph
    reach: Incidence | None
    weights: Ints
    column_of: Ints
    site_of: Ints
    parcel_of: Ints
    count: int
    at_most: bool
    flow: Flow | None = None
    mu: NDArray[np.float64] | None = None
    label: Ints | None = None
    parcel_score: Ints | None = None

    @property
    def n_columns(self) -> int:
        """J."""
        return len(self.site)

    @property
    def n_sites(self) -> int:
        """S."""
        return len(self.start) - 1

    def alone(self) -> Ints:
        """int64[J], value of each column by itself: score, all that it reaches, all its jobs."""
        gain = self.score.copy()
        if self.reach is not None:
            gain += (self.reach @ self.weights)[self.site]
        return gain if self.flow is None else gain + self.flow.alone()

    def activity(self, columns: Ints) -> Ints:
        """int64[rows], what some columns add up to in each row."""
        own = rows_of(self.x_columns.indptr, columns)
        found = np.zeros(len(self.lower), np.int64)
        np.add.at(found, self.x_columns.indices[own], self.x_columns.data[own])
        return found

    def reach_or_fail(self) -> Incidence:
        """The reach of a model with coverage.

        Raises
        ------
        ValueError
            Without coverage.
        """
        if self.reach is None:
            raise ValueError("no coverage")
        return self.reach

    @property
    def n_parcels(self) -> int:
        """R."""
        return len(self.parcel_of)

    def parcels_alone(self) -> Ints:
        """int64[R], what each whole parcel adds to the objective."""
        return (
            np.zeros(self.n_parcels, np.int64) if self.parcel_score is None else self.parcel_score
        )


def _site_order(problem: SelectionProblem) -> Ints:
    if problem.site_ids is None:
        return np.arange(problem.n_sites)
    return np.array(
        sorted(range(problem.n_sites), key=problem.site_ids.__getitem__), dtype=np.int64
    )


def _parcel_order(problem: SelectionProblem) -> Ints:
    ids = problem.parcels.ids
    if ids is None:
        return np.arange(len(problem.parcels))
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def preference(problem: SelectionProblem) -> tuple[Ints, Ints]:
    """Land charged and cost of each column: the variant preferred among ties has the least."""
    charge, cost = np.zeros(problem.n_columns, np.int64), np.zeros(problem.n_columns, np.int64)
    for one in problem.constraints:
        if isinstance(one, Ledger):
            np.add.at(charge, one.columns, one.charge)
        elif isinstance(one, Budget):
            cost += one.cost_keur
    return charge, cost


def _compile_rows(problem: SelectionProblem) -> tuple[list[RowSpec], list[int]]:
    """Every row but those of conflicts, locks and variants, which the model holds otherwise."""
    columns = np.arange(problem.n_columns)
    ones = np.ones(problem.n_columns, np.int64)
    specs = [RowSpec(columns, ones, None if problem.at_most else problem.count, problem.count)]
    origin = [-1]
    for i, one in enumerate(problem.constraints):
        if not isinstance(one, Conflicts | Separation | Locks):
            made = one.specs(problem)
            specs.extend(made)
            origin.extend([i] * len(made))
    for parcel in np.flatnonzero(problem.parcels.on_site >= 0).tolist():
        own = np.flatnonzero(problem.site == problem.parcels.on_site[parcel])
        parcel_ones = np.ones(1, np.int64)
        specs.append(
            RowSpec(own, np.ones(len(own), np.int64), None, 1, np.array([parcel]), parcel_ones)
        )
        origin.append(-1)
    return specs, origin


def compile_model(problem: SelectionProblem) -> Model:
    """The canonical form of a problem."""
    site_of, parcel_of = _site_order(problem), _parcel_order(problem)
    rank = np.empty(problem.n_sites, np.int64)
    rank[site_of] = np.arange(problem.n_sites)
    charge, cost = preference(problem)
    ranked = rank[problem.site] if problem.n_columns else np.zeros(0, np.int64)
    column_of = np.lexsort((-problem.score, cost, charge, ranked)).astype(np.int64)
    specs, origin = _compile_rows(problem)
    rows = make_rows(specs, problem.n_columns, len(problem.parcels))
    by_column = csc_array(rows.x)
    if not np.array_equal(column_of, np.arange(problem.n_columns)):
        by_column = csc_array(by_column[:, column_of])
    z = rows.z
    if problem.parcels.ids is not None:
        z = csr_array(z[:, parcel_of])
    site = ranked[column_of]
    state = np.zeros(problem.n_sites, np.int8)
    for one in problem.constraints:
        if isinstance(one, Locks):
            state[rank[one.include]] = INSIDE
            state[rank[one.exclude]] = OUTSIDE
    cover = problem.coverage
    reach = None if cover is None else Incidence(cover.indptr, cover.indices, cover.n_demand)
    if reach is not None and not np.array_equal(site_of, np.arange(len(site_of))):
        reach = reach.ordered(site_of)
    return Model(
        score=problem.score[column_of],
        site=site,
        start=np.searchsorted(site, np.arange(problem.n_sites + 1)).astype(np.int64),
        x=csr_array(by_column),
        z=z,
        x_columns=by_column,
        lower=rows.lower,
        upper=rows.upper,
        origin=np.array(origin, np.int64),
        state=state,
        shut=np.zeros(problem.n_columns, bool),
        conflicts=ConflictGraph(problem.constraints, rank),
        reach=reach,
        weights=np.zeros(0, np.int64) if cover is None else cover.weights,
        column_of=column_of,
        site_of=site_of,
        parcel_of=parcel_of,
        count=problem.count,
        at_most=problem.at_most,
        flow=None
        if problem.workforce is None
        else Flow.of(problem.workforce, site_of, column_of, site),
    )


def needed_at_zero(model: Model) -> NDArray[np.bool_]:
    """bool[rows]: rows that choosing and restoring nothing would break; never left to be lazy."""
    low = (model.lower != NO_LOWER) & (model.lower > 0)
    high = (model.upper != NO_UPPER) & (model.upper < 0)
    return np.asarray(low | high)


def restrict(
    model: Model, columns: Ints, state: NDArray[np.int8], *, for_good: bool = False
) -> Model:
    """The model on some of its columns (ascending); every other column counts as shut.

    ``state`` fixes sites. Sites without a column left vanish, rows that no choice among these
    columns can break too, and demand points reached by the same sites become one (those that a
    single site reaches are added to its score). ``for_good``: sites fixed in stay in, and what
    they reach is theirs.
    """
    sites, site = np.unique(model.site[columns], return_inverse=True)
    by_column = csc_array(model.x_columns[:, columns])
    keep = _breakable(by_column, model)
    by_column = _on_rows(by_column, keep)
    score = model.score[columns].copy()
    reach, weights, mu, label = model.reach, model.weights, model.mu, None
    if reach is not None:
        inside = state[sites] == INSIDE if for_good else np.zeros(len(sites), bool)
        merged = merge_demand(reach[sites], weights, inside)
        reach, weights = Incidence.of(merged.reach), merged.total(weights)
        label = merged.label
        mu = None if mu is None else merged.total(mu)
        score += merged.alone[site]
    return Model(
        score=score,
        site=site.astype(np.int64),
        start=np.searchsorted(site, np.arange(len(sites) + 1)).astype(np.int64),
        x=csr_array(by_column),
        z=csr_array(model.z[keep]),
        x_columns=by_column,
        lower=model.lower[keep],
        upper=model.upper[keep],
        origin=model.origin[keep],
        state=state[sites],
        shut=model.shut[columns],
        conflicts=model.conflicts.restricted(sites),
        reach=reach,
        weights=weights,
        column_of=columns,
        site_of=sites,
        parcel_of=model.parcel_of,
        count=model.count,
        at_most=model.at_most,
        flow=None if model.flow is None else model.flow.restricted(columns, sites),
        mu=mu,
        label=label,
        parcel_score=model.parcel_score,
    )


def _breakable(by_column: csc_array, model: Model) -> Ints:
    """Rows that some choice of 0 ≤ x, z ≤ 1 breaks."""
    high = np.zeros(len(model.lower), np.int64)
    low = np.zeros(len(model.lower), np.int64)
    of_z = np.repeat(np.arange(len(model.lower)), np.diff(model.z.indptr))
    for row, factor in ((by_column.indices, by_column.data), (of_z, model.z.data)):
        np.add.at(high, row, np.maximum(factor, 0))
        np.add.at(low, row, np.minimum(factor, 0))
    over = (model.upper != NO_UPPER) & (high > model.upper)
    under = (model.lower != NO_LOWER) & (low < model.lower)
    return np.flatnonzero(over | under)


def _on_rows(by_column: csc_array, rows: Ints) -> csc_array:
    """Some rows (ascending) of a matrix kept by column: what scipy does by way of rows."""
    place = np.full(by_column.shape[0], -1)
    place[rows] = np.arange(len(rows))
    row = place[by_column.indices]
    kept = row >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])[by_column.indptr]
    shape = (len(rows), by_column.shape[1])
    return csc_array((by_column.data[kept], row[kept], starts), shape=shape)


def least_value(model: Model) -> int:
    """No portfolio is worth less than this."""
    lowest = np.minimum(model.score, 0)
    restored: int = sum(np.minimum(model.parcels_alone(), 0).tolist())
    chosen: int = sum(np.sort(lowest)[: model.count].tolist())
    return chosen + restored
