"""Which sites exclude each other: asked site by site, never written out in full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from siteselect.optimise.ragged import rows_of
from siteselect.problem import Conflicts, Constraint, Separation
from siteselect.problem.constraints import Ints

Bools = NDArray[np.bool_]


class ConflictGraph:
    """Neighbours of a site: too near by a separation, or listed as a conflict.

    ``rank`` renames the sites of the constraints: rank[s] is the index used here.
    """

    def __init__(self, constraints: Sequence[Constraint], rank: Ints) -> None:
        self._known: dict[int, Ints] = {}
        self._points: list[tuple[Ints, cKDTree, int]] = []
        self._listed: list[Ints] = []
        for one in constraints:
            if isinstance(one, Separation) and one.distance > 0:
                points = np.empty_like(one.points)
                points[rank] = one.points
                self._points.append((points, cKDTree(points.astype(np.float64)), one.distance))
            elif isinstance(one, Conflicts) and len(one.pairs):
                pairs = rank[one.pairs]
                self._listed.append(np.concatenate([pairs, pairs[:, ::-1]]))
        self._starts: Ints | None = None
        self._ends = np.zeros(0, np.int64)
        if self._listed:
            every = np.unique(np.concatenate(self._listed), axis=0)
            self._starts = np.searchsorted(every[:, 0], np.arange(len(rank) + 1))
            self._ends = every[:, 1]

    def __bool__(self) -> bool:
        return bool(self._points) or self._starts is not None

    def neighbours(self, site: int) -> Ints:
        """Sites that a site excludes, ascending, itself left out."""
        found = self._known.get(site)
        if found is None:
            found = self._known[site] = self._find(site)
        return found

    def any_in(self, chosen: Bools) -> bool:
        """Whether some of the sites chosen, bool[S], exclude each other."""
        near = [self.neighbours(site) for site in np.flatnonzero(chosen).tolist()]
        return bool(near) and bool(chosen[np.concatenate(near)].any())

    def _find(self, site: int) -> Ints:
        parts = []
        for points, tree, distance in self._points:
            near = np.asarray(
                tree.query_ball_point(points[site].astype(float), distance * (1 + 1e-9)), np.int64
            )
            apart = points[near] - points[site]
            near = near[(apart * apart).sum(axis=1) < distance * distance]
            parts.append(near[near != site])
        if self._starts is not None:
            parts.append(self._ends[self._starts[site] : self._starts[site + 1]])
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def restricted(self, sites: Ints) -> ConflictGraph:
        """The graph on some sites, renumbered in their order."""
        return ListedConflicts(self.among(sites))

    def among(self, sites: Ints) -> Bools:
        """bool[len(sites), len(sites)]: which of these sites exclude each other."""
        made = np.zeros((len(sites), len(sites)), bool)
        for points, _, distance in self._points:
            own = points[sites]
            reach = distance * (1 + 1e-9)
            one, other = cKDTree(own.astype(np.float64)).query_pairs(reach, output_type="ndarray").T
            apart = own[one] - own[other]
            near = (apart * apart).sum(axis=1) < distance * distance
            made[one[near], other[near]] = made[other[near], one[near]] = True
        if self._starts is not None:
            place = np.full(len(self._starts) - 1, -1)
            place[sites] = np.arange(len(sites))
            one = np.repeat(np.arange(len(sites)), self._starts[sites + 1] - self._starts[sites])
            other = place[self._ends[rows_of(self._starts, sites)]]
            made[one[other >= 0], other[other >= 0]] = True
        return made


class ListedConflicts(ConflictGraph):
    """Conflicts among few sites, written out."""

    def __init__(self, matrix: Bools) -> None:
        super().__init__((), np.zeros(0, np.int64))
        self._matrix = matrix
        self._any = bool(matrix.any())

    def __bool__(self) -> bool:
        return self._any

    def _find(self, site: int) -> Ints:
        return np.flatnonzero(self._matrix[site]).astype(np.int64)

    def among(self, sites: Ints) -> Bools:
        """Which of these sites exclude each other."""
        return self._matrix[np.ix_(sites, sites)]


def violated_cliques(
    conflict: Bools, value: NDArray[np.float64], tolerance: float = 1e-6
) -> list[Ints]:
    """Cliques of the conflict matrix whose values add up to more than 1 (greedy, no repeats).

    Returned as index arrays into the matrix, each grown to a maximal clique of the matrix.
    """
    order = np.argsort(-value, kind="stable")
    found: dict[tuple[int, ...], None] = {}
    # Most sites have no neighbours that could fill a clique: only the others are tried.
    most = value + conflict @ value
    for start in order[(value > tolerance)[order] & (most > 1 + tolerance)[order]].tolist():
        clique = [start]
        open_to = conflict[start].copy()
        for other in order.tolist():
            if open_to[other]:
                clique.append(other)
                open_to &= conflict[other]
        if value[clique].sum() > 1 + tolerance:
            found[tuple(sorted(clique))] = None
    return [np.array(one, np.int64) for one in found]
