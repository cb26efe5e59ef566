"""Demand points that the same sites reach are one: few are left where few sites are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

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
    groups: dict[bytes, int] = {}
    members: list[NDArray[np.int32]] = []
    label = np.full(len(weights), -1, np.int64)
    for i in np.flatnonzero(shared).tolist():
        own = sites[starts[i] : starts[i + 1]]
        known = groups.setdefault(own.tobytes(), len(members))
        if known == len(members):
            members.append(own)
        label[i] = known
    ends = np.concatenate([[0], np.cumsum([len(one) for one in members])]).astype(np.int64)
    flat = np.concatenate(members) if members else np.zeros(0, np.int32)
    shape = (reach.shape[0], len(members))
    made = csc_array((np.ones(len(flat), np.int64), flat, ends), shape=shape)
    return Merged(csr_array(made), label, alone)
