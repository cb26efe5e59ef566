"""Workforce with capacity: sites need workers, communes have few, as many jobs as possible filled.

A choice of columns offers jobs; a worker of a commune fills one job of one chosen site within
reach. The jobs filled are a maximum flow, a submodular function of the choice (Megiddo 1974,
Mathematical Programming 7: 97-107): one site more never fills more jobs beside others than alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from siteselect.problem.constraints import Ints

MOST_WORKERS = 2**31 - 1
"""Workers (and jobs) in all stay under this: flows are counted in 32 bits."""


@dataclass(frozen=True, eq=False)
class Workforce:
    """Who can work where, and what a filled job is worth.

    Attributes
    ----------
    indptr, indices
        int64[sites + 1] and int32[pairs]: communes within reach of each site, ascending (CSR).
    supply
        int64[communes] ≥ 0, workers that each commune can send.
    jobs
        int64[columns] ≥ 0, jobs that each way of developing a site offers.
    value
        what one filled job adds to the objective, in the unit of the scores, ≥ 0.
    """

    indptr: Ints
    indices: NDArray[np.int32]
    supply: Ints
    jobs: Ints
    value: int

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.indptr) - 1

    def matrix(self) -> csr_array:
        """Sites × communes, int64 ones."""
        ones = np.ones(len(self.indices), np.int64)
        return csr_array((ones, self.indices, self.indptr), shape=(self.n_sites, len(self.supply)))

    def filled(self, sites: Ints, jobs: Ints) -> int:
        """Jobs filled when ``sites`` (each once) offer ``jobs``."""
        return jobs_filled(self.matrix()[np.asarray(sites, np.int64)], self.supply, jobs).total

    @staticmethod
    def from_matrix(reach: csr_array, supply: Ints, jobs: Ints, value: int) -> Workforce:
        """From a sparse matrix sites × communes: any stored non-zero means *within reach*."""
        clean = csr_array(reach, copy=True)
        clean.sum_duplicates()
        clean.eliminate_zeros()
        clean.sort_indices()
        return Workforce(
            clean.indptr.astype(np.int64),
            clean.indices.astype(np.int32),
            np.asarray(supply, np.int64),
            np.asarray(jobs, np.int64),
            int(value),
        )


@dataclass(frozen=True, eq=False)
class Filled:
    """A maximum flow: jobs filled in all and at each site, and which sites compete in vain.

    ``short`` bool[sites] marks the sites on the source side of the minimum cut: all the workers
    within reach of them together are taken: ``taken`` bool[communes].
    """

    total: int
    at_site: Ints
    short: NDArray[np.bool_]
    taken: NDArray[np.bool_]


def jobs_filled(
    reach: csr_array, supply: Ints, jobs: Ints, *, load: NDArray[np.float64] | None = None
) -> Filled:
    """The most jobs that workers can fill; rows of ``reach`` go with ``jobs``.

    Communes reached by the same sites count as one. A site chosen in part (``load`` 0 … 1) draws
    on that share of the workers of a commune at most.
    """
    n = reach.shape[0]
    jobs = np.asarray(jobs, np.int64)
    group, patterns, held = _merged(reach, supply)
    none = np.zeros(reach.shape[1], bool)
    if not len(held) or not jobs.any():
        return Filled(0, np.zeros(n, np.int64), jobs > 0, none)
    graph = _network(patterns, held, jobs, np.ones(n) if load is None else load)
    found = maximum_flow(graph, 0, 1, method="dinic")
    flow = csr_array(found.flow)
    at_site = flow[[0], 2 : 2 + n].toarray().ravel().astype(np.int64)
    residual = csr_array(graph - flow)
    residual.data = (residual.data > 0).astype(np.int32)
    residual.eliminate_zeros()
    seen = _reached(residual, 0)
    taken = (group >= 0) & seen[2 + n :][np.maximum(group, 0)]
    return Filled(int(found.flow_value), at_site, seen[2 : 2 + n], taken)


def _merged(reach: csr_array, supply: Ints) -> tuple[Ints, list[Ints], Ints]:
    """Group of each commune (−1: no worker, or out of reach), and sites and workers of each."""
    by_commune = csr_array(reach.T)
    by_commune.sort_indices()
    workers: dict[bytes, int] = {}
    kept: dict[bytes, Ints] = {}
    number: dict[bytes, int] = {}
    group = np.full(reach.shape[1], -1, np.int64)
    sizes = np.diff(by_commune.indptr)
    for i in np.flatnonzero((sizes > 0) & (supply > 0)).tolist():
        own = by_commune.indices[by_commune.indptr[i] : by_commune.indptr[i + 1]]
        key = own.tobytes()
        kept.setdefault(key, own.astype(np.int64))
        workers[key] = workers.get(key, 0) + int(supply[i])
        group[i] = number.setdefault(key, len(number))
    return group, list(kept.values()), np.array(list(workers.values()), np.int64)


def _network(patterns: list[Ints], held: Ints, jobs: Ints, load: NDArray[np.float64]) -> csr_array:
    """Source 0 → sites → groups of communes → sink 1, capacities int32."""
    n, m = len(jobs), len(patterns)
    site = np.concatenate(patterns)
    group = np.repeat(np.arange(m), [len(one) for one in patterns])
    tail = np.concatenate([np.zeros(n, np.int64), 2 + site, 2 + n + np.arange(m)])
    head = np.concatenate([2 + np.arange(n), 2 + n + group, np.ones(m, np.int64)])
    arc = np.minimum(jobs[site], np.ceil(held[group] * load[site]).astype(np.int64))
    held = np.minimum(held, int(jobs.sum()))
    capacity = np.concatenate([jobs, arc, held]).astype(np.int32)
    some = capacity > 0
    size = 2 + n + m
    return csr_array((capacity[some], (tail[some], head[some])), shape=(size, size))


def _reached(graph: csr_array, start: int) -> NDArray[np.bool_]:
    """Nodes that a path from ``start`` reaches."""
    seen = np.zeros(graph.shape[0], bool)
    seen[start] = True
    front = np.array([start])
    while len(front):
        step = np.zeros(graph.shape[0], bool)
        for node in front.tolist():
            step[graph.indices[graph.indptr[node] : graph.indptr[node + 1]]] = True
        front = np.flatnonzero(step & ~seen)
        seen[front] = True
    return seen
