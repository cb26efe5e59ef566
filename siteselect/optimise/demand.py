"""Demand points that the same sites reach are one: few are left where few sites are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from siteselect.optimise.ragged import ranges
from siteselect.problem.constraints import Ints

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, eq=False)
class Merged:
    """Demand points merged.

    Attributes
    ----------
    reach
        int64 CSR sites × points left.
    label
        int64[points before], the point that each has become, −1 where it left the matrix.
    alone
        int64[S], weight of the points that left, at the site they belong to.
    """

    reach: csr_array
    label: Ints
    alone: Ints

    def total(self, values: NDArray[Number]) -> NDArray[Number]:
        """Values of the points before, added up over the points left."""
        kept = self.label >= 0
        made = np.zeros(self.reach.shape[1], values.dtype)
        np.add.at(made, self.label[kept], values[kept])
        return made


def merge_demand(reach: csr_array, weights: Ints, inside: NDArray[np.bool_]) -> Merged:
    """Points with the same reach merged.

    Points reached by one site only leave the matrix: their weight is that site's alone. So do
    those that a site ``inside`` (bool[S], chosen whatever happens) reaches: the first one's.
    """
    by_demand = csc_array(reach)
    by_demand.sort_indices()
    sizes, starts, sites = np.diff(by_demand.indptr), by_demand.indptr, by_demand.indices
    alone = np.zeros(reach.shape[0], np.int64)
    single = np.flatnonzero(sizes == 1)
    np.add.at(alone, sites[starts[single]], weights[single])
    shared = (sizes > 1) & (weights > 0)
    if inside.any():
        sure = np.flatnonzero(inside[sites])
        point, first = np.unique(np.searchsorted(starts, sure, side="right") - 1, return_index=True)
        held = shared[point]
        np.add.at(alone, sites[sure[first[held]]], weights[point[held]])
        shared[point] = False
    shared_points = np.flatnonzero(shared)
    first, group = _alike(starts.astype(np.int64), sites, shared_points)
    label = np.full(len(weights), -1, np.int64)
    label[shared_points] = group
    made = csr_array(by_demand[:, shared_points[first]])
    ones = np.ones(made.nnz, np.int64)
    made = csr_array((ones, made.indices, made.indptr), shape=made.shape)
    return Merged(made, label, alone)


def _alike(starts: Ints, sites: NDArray[np.int32], points: Ints) -> tuple[Ints, Ints]:
    """The first of each group of points with the same sites, and the group of each point."""
    sizes = starts[points + 1] - starts[points]
    entry = ranges(starts[points], sizes)
    g = np.random.default_rng(0)
    while True:
        # A sum of random numbers for each set of sites: the same for others almost never, and then
        # other numbers are drawn.
        drawn = g.integers(0, 2**63, sites.max(initial=0) + 1, np.uint64)
        before = np.concatenate([np.zeros(1, np.uint64), np.cumsum(drawn[sites[entry]])])
        ends = np.cumsum(sizes)
        sums = before[ends] - before[ends - sizes]
        _, first, group = np.unique(sums, return_index=True, return_inverse=True)
        place = np.empty(len(first), np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        leader = first[group]
        if np.array_equal(sizes, sizes[leader]) and np.array_equal(
            sites[entry], sites[ranges(starts[points][leader], sizes)]
        ):
            return np.sort(first), place[group]
