"""The selection problem: integer arrays and named constraints, no geography and no solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from siteselect.problem.arrays import ArraySource, build
from siteselect.problem.checks import check_problem
from siteselect.problem.constraints import (
    Constraint,
    Ints,
    Parcels,
    Rows,
    RowSpec,
    make_rows,
)
from siteselect.problem.coverage import Coverage
from siteselect.problem.workforce import Workforce


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """Choose columns (a site and a way of developing it) for the greatest total score.

    maximise Σ score_j x_j + Σ_i w_i · [demand point i reached] + value · jobs filled, with
    exactly ``count`` columns (``at_most``: no more than ``count``), one column a site at most, and
    the constraints.

    Attributes
    ----------
    site
        int32[J], site index (0 … n_sites − 1) of each column.
    score
        int64[J], value of each column (scores × 10⁶ in siteselect).
    count
        Number of columns to choose.
    at_most
        Choose at most ``count`` instead of exactly ``count``.
    n_sites
        Number of sites; 0 takes the largest index of ``site`` plus one.
    site_ids
        Text identifier of each site: among portfolios of equal value the one whose sorted
        identifiers come first is returned. Without: index order.
    parcels
        Land that may be restored.
    constraints
        Objects of :mod:`siteselect.problem.constraints`.
    coverage
        Union catchment, or ``None``.
    workforce
        Workers that sites compete for, or ``None``: filled jobs add to the objective.

    Raises
    ------
    siteselect.errors.InputError
        Arrays of the wrong length, indices out of range, values that cannot be right: all
        faults at once.
    """

    site: NDArray[np.int32]
    score: Ints
    count: int
    at_most: bool = False
    n_sites: int = 0
    site_ids: tuple[str, ...] | None = None
    parcels: Parcels = field(default_factory=Parcels)
    constraints: tuple[Constraint, ...] = ()
    coverage: Coverage | None = None
    workforce: Workforce | None = None

    def __post_init__(self) -> None:
        if self.n_sites == 0 and len(self.site):
            object.__setattr__(self, "n_sites", int(np.max(self.site)) + 1)
        check_problem(self)

    @property
    def is_sum(self) -> bool:
        """Whether the objective is a sum over columns: no catchment that sites share."""
        return self.coverage is None and self.workforce is None

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.site)

    def sites_of(self, columns: ArrayLike) -> Ints:
        """Site indices of columns, ascending."""
        return np.sort(self.site[np.asarray(columns, np.int64)].astype(np.int64))

    def structure_rows(self) -> Rows:
        """The count, one row per site with several columns, one per parcel on a site."""
        return make_rows(self._structure_specs(), self.n_columns, len(self.parcels))

    def _structure_specs(self) -> list[RowSpec]:
        columns = np.arange(self.n_columns)
        ones = np.ones(self.n_columns, np.int64)
        specs = [RowSpec(columns, ones, None if self.at_most else self.count, self.count)]
        order = np.argsort(self.site, kind="stable").astype(np.int64)
        starts = np.searchsorted(self.site[order], np.arange(self.n_sites + 1))
        for one in np.flatnonzero(np.diff(starts) > 1).tolist():
            own = order[starts[one] : starts[one + 1]]
            specs.append(RowSpec(own, np.ones(len(own), np.int64), None, 1))
        for parcel in np.flatnonzero(self.parcels.on_site >= 0).tolist():
            one = int(self.parcels.on_site[parcel])
            own = order[starts[one] : starts[one + 1]]
            unit = np.ones(1, np.int64)
            specs.append(
                RowSpec(own, np.ones(len(own), np.int64), None, 1, np.array([parcel]), unit)
            )
        return specs

    def rows(self) -> Rows:
        """Every row of the problem, structure first: the plain reading of the model."""
        specs = self._structure_specs()
        for one in self.constraints:
            specs.extend(one.specs(self))
        return make_rows(specs, self.n_columns, len(self.parcels))

    @classmethod
    def from_arrays(
        cls,
        scores: ArrayLike,
        *,
        count: int,
        at_most: bool = False,
        sites: ArrayLike | None = None,
        site_ids: Sequence[str] | None = None,
        groups: Mapping[str, tuple[ArrayLike, int, int | None]] | None = None,
        areas: ArrayLike | None = None,
        area_at_least: int | None = None,
        area_at_most: int | None = None,
        costs: ArrayLike | None = None,
        budget: int | None = None,
        charges: ArrayLike | None = None,
        territories: Mapping[str, Sequence[str]] | None = None,
        caps: Mapping[str, Mapping[str, int]] | None = None,
        programme_cap: int | None = None,
        parcels: Parcels | None = None,
        parcel_territories: Mapping[str, Sequence[str]] | None = None,
        conflicts: ArrayLike | None = None,
        points: ArrayLike | None = None,
        separation: int | None = None,
        coverage: tuple[csr_array, ArrayLike] | None = None,
        include: ArrayLike = (),
        exclude: ArrayLike = (),
    ) -> SelectionProblem:
        """Build a problem from plain arrays, J columns over S sites.

        Parameters
        ----------
        scores
            int[J].
        count, at_most
            Number of columns to choose, exactly or at most.
        sites
            int[J], site of each column; by default one column a site.
        site_ids
            S identifiers, for the order among ties.
        groups
            name → (columns: indices or bool[J], at least, at most or ``None``).
        areas, area_at_least, area_at_most
            int[J] and the bounds of the total.
        costs, budget
            int[J] and the limit, restoration included.
        charges
            int[J], land charged by each column to every ledger of its territories.
        territories
            level → S codes: the territory of each site.
        caps
            level → code → cap. Territories without a cap have no ledger.
        programme_cap
            Cap of the balance of everything.
        parcels, parcel_territories
            Land that may be restored, and level → R codes.
        conflicts
            int[K, 2], pairs of sites that exclude each other.
        points, separation
            int[S, 2] and the distance under which two sites exclude each other.
        coverage
            Sparse reach, S × demand, and the integer weight of each demand point.
        include, exclude
            Sites forced in and out.
        """
        source = ArraySource(
            scores, count, at_most, sites, site_ids, groups, areas, area_at_least, area_at_most,
            costs, budget, charges, territories, caps, programme_cap, parcels,
            parcel_territories, conflicts, points, separation, coverage, include, exclude,
        )  # fmt: skip
        return cls(**build(source))

    @classmethod
    def maximal_covering(
        cls,
        reach: csr_array,
        weight: ArrayLike,
        count: int,
        *,
        at_most: bool = False,
        site_ids: Sequence[str] | None = None,
    ) -> SelectionProblem:
        """The maximal covering location problem (Church and ReVelle 1974).

        ``reach`` is sparse, sites × demand, non-zero where a site reaches a demand point;
        ``weight`` holds integers. Exactly ``count`` sites are chosen.
        """
        return cls.from_arrays(
            np.zeros(csr_array(reach).shape[0], np.int64),
            count=count,
            at_most=at_most,
            site_ids=site_ids,
            coverage=(csr_array(reach), weight),
        )
