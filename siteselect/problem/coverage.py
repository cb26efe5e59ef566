"""Union catchment: demand points reached by at least one chosen site, each counted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.problem.constraints import Ints


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which site reaches which demand point (CSR, sites × demand) and what a point is worth.

    Attributes
    ----------
    indptr
        int64[sites + 1].
    indices
        int32[pairs], demand points reached, ascending within a site.
    weights
        int64[demand] ≥ 0, in the unit of the scores.
    """

    indptr: Ints
    indices: NDArray[np.int32]
    weights: Ints

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.indptr) - 1

    @property
    def n_demand(self) -> int:
        """Number of demand points."""
        return len(self.weights)

    def matrix(self) -> csr_array:
        """Sites × demand, int64 ones."""
        ones = np.ones(len(self.indices), np.int64)
        return csr_array((ones, self.indices, self.indptr), shape=(self.n_sites, self.n_demand))

    def covered(self, sites: Ints) -> NDArray[np.bool_]:
        """bool[demand]: reached by at least one of the sites."""
        reached = np.zeros(self.n_demand, bool)
        for site in np.asarray(sites).tolist():
            reached[self.indices[self.indptr[site] : self.indptr[site + 1]]] = True
        return reached

    def value(self, sites: Ints) -> int:
        """Σ of the weights of the points reached, each once (Church and ReVelle 1974)."""
        return sum(self.weights[self.covered(sites)].tolist())

    @staticmethod
    def from_matrix(reach: csr_array, weights: Ints) -> Coverage:
        """From a sparse matrix sites × demand: any stored non-zero means *reaches*."""
        clean = csr_array(reach, copy=True)
        clean.sum_duplicates()
        clean.eliminate_zeros()
        clean.sort_indices()
        return Coverage(
            clean.indptr.astype(np.int64),
            clean.indices.astype(np.int32),
            np.asarray(weights, np.int64),
        )
