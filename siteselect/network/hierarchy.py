"""Customisable contraction hierarchy with buckets: many times between many places, fast.

Dibbelt, Strasser and Wagner, *Customizable contraction hierarchies* (2016); buckets after Knopp
and others, *Computing many-to-many shortest paths using highway hierarchies* (2007). In three
stages:

1. :func:`contract` (the roads only, kept per topology): nodes are removed in the order of a
   nested dissection, linking their remaining neighbours. What results is an *elimination tree*:
   every quickest way goes up it and then down.
2. :func:`customise` (the times; seconds, after any change of speeds): the time of every link,
   from the triangles below it, then exact times and removal of links that no quickest way needs.
3. :func:`matrix`: each target leaves an entry (itself, its time) at every node above it; each
   source climbs the tree and reads the entries it meets.

Times are sums of the same whole milliseconds, so the result equals that of Dijkstra exactly.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siteselect.network import hierarchy_kernels as kernel
from siteselect.network.dissection import dissection_order, undirected
from siteselect.network.graph import MAX_MS, RoadGraph
from siteselect.network.kernels import in_turn, run_rows
from siteselect.network.plain import Arcs, Search, arcs, least

__all__ = [
    "Hierarchy",
    "Topology",
    "contract",
    "customise",
    "matrix",
    "stored_topology",
    "topology_key",
]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Progress = Callable[[str, float], None]

_FORMAT = 1
_CHUNK_ROWS = 256
_FAR = np.int32(MAX_MS + 1)


@dataclass(frozen=True, eq=False)
class Topology:
    """The elimination tree of a road graph, whatever the times.

    ``rank`` int32[n]: place of each node of the graph in the order of contraction. Everything
    else speaks of ranks: ``indptr`` int64[n + 1] and ``head`` int32[k], the links of each node
    to higher ones in ascending order; ``parent`` int32[n], the lowest of them, −1 at a root.
    """

    rank: Int32s
    indptr: Int64s
    head: Int32s
    parent: Int32s

    def save(self, path: Path) -> None:
        """Write to a file, beside and renamed."""
        beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with beside.open("wb") as file:
            np.savez(file, rank=self.rank, indptr=self.indptr, head=self.head, parent=self.parent)
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Topology:
        """Read what :meth:`save` wrote."""
        with np.load(path) as stored:
            return cls(*(stored[name] for name in ("rank", "indptr", "head", "parent")))


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A topology with times: links that some quickest way needs, upwards and downwards.

    ``up_*``: links lower → higher; ``down_*``: links higher → lower, listed at the lower node.
    ``reverse``: the times are those of the roads turned round, for searches from the sites back.
    """

    topology: Topology
    reverse: bool
    up_indptr: Int64s
    up_links: Int32s
    down_indptr: Int64s
    down_links: Int32s


def topology_key(graph: RoadGraph) -> str:
    """Hash of what the topology depends on: roads and places, not times."""
    digest = hashlib.sha256(f"{_FORMAT}".encode())
    for array in (graph.indptr, graph.head, graph.x_m, graph.y_m):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def stored_topology(graph: RoadGraph, *, folder: Path, build: bool = True) -> Topology | None:
    """The topology kept in ``folder`` for these roads; made and kept where missing.

    ``build=False``: None where missing, for a caller with too little work to repay it. A file
    that cannot be read is made anew.
    """
    path = folder / f"topology-{topology_key(graph)}.npz"
    if path.is_file():
        try:
            return Topology.load(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
    if not build:
        return None
    topology = contract(arcs(graph, reverse=False), graph.x_m, graph.y_m)
    folder.mkdir(parents=True, exist_ok=True)
    topology.save(path)
    return topology


def contract(roads: Arcs, x_m: Floats, y_m: Floats) -> Topology:
    """Order the nodes and build the elimination tree; depends on the roads, not on the times."""
    indptr, head = undirected(roads)
    order = dissection_order(indptr, head, x_m, y_m)
    rank = np.empty(order.size, dtype=np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    up_indptr, up_head, parent = kernel.fill_in(indptr, head, order, rank)
    return Topology(rank, up_indptr, up_head, parent)


def customise(topology: Topology, roads: Arcs, *, reverse: bool = False) -> Hierarchy:
    """Give the links their times. ``roads`` may lack roads of the topology, not add any."""
    size = topology.head.size
    up = np.full(size, _FAR, dtype=np.int32)
    down = np.full(size, _FAR, dtype=np.int32)
    kernel.put_arcs(
        roads.indptr, roads.head, roads.duration_ms, topology.rank, topology.indptr, topology.head,
        up, down,
    )  # fmt: skip
    kernel.triangles_below(topology.indptr, topology.head, up, down)
    keep_up = np.ones(size, dtype=np.bool_)
    keep_down = np.ones(size, dtype=np.bool_)
    kernel.triangles_above(topology.indptr, topology.head, up, down, keep_up, keep_down)
    keep_up &= up != _FAR
    keep_down &= down != _FAR
    return Hierarchy(
        topology,
        reverse,
        *_kept(topology, up, keep_up),
        *_kept(topology, down, keep_down),
    )


def _kept(topology: Topology, times: Int32s, keep: NDArray[np.bool_]) -> tuple[Int64s, Int32s]:
    before = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
    links = np.column_stack([topology.head[keep], times[keep]]).astype(np.int32)
    return before[topology.indptr], np.ascontiguousarray(links)


def matrix(
    search: Search,
    hierarchy: Hierarchy,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays ``indptr``, ``column``, ``duration_ms`` of the pairs within the cutoff.

    ``hierarchy`` is customised with ``search.arcs``. Equal to ``kernels.matrix``.
    """
    rows, columns = search.shape
    search, order_by_place = in_turn(search)
    b_indptr, buckets = _buckets(search, hierarchy, workers)
    topology = hierarchy.topology
    seed_rank = topology.rank[search.seed_node]
    order = np.argsort(search.direct.row, kind="stable")
    d_indptr = np.searchsorted(search.direct.row[order], np.arange(rows + 1)).astype(np.int64)
    direct = np.column_stack([search.direct.column, search.direct.duration_ms])[order]
    size = max(1, min(_CHUNK_ROWS, 2**31 // max(columns, 1)))

    def chunk(low: int) -> tuple[Int64s, Int32s, Int32s]:
        high = min(low + size, rows)
        count, column, duration = kernel.read(
            topology.parent, hierarchy.up_indptr, hierarchy.up_links, hierarchy.down_indptr,
            hierarchy.down_links, seed_rank[low:high], search.seed_ms[low:high], b_indptr, buckets,
            d_indptr[low : high + 1], direct, int(search.cutoff_ms), columns,
        )  # fmt: skip
        row = np.repeat(np.arange(high - low, dtype=np.int64), count)
        return least(
            row, column.astype(np.int64), duration.astype(np.int64),
            shape=(high - low, columns), cutoff_ms=search.cutoff_ms,
        )  # fmt: skip

    return run_rows(chunk, order_by_place, size=size, workers=workers, progress=progress)


def _buckets(search: Search, hierarchy: Hierarchy, workers: int) -> tuple[Int64s, Int32s]:
    """Entries (target, ms) left at each rank, nearest first: ``indptr``, int32[entries, 2]."""
    topology = hierarchy.topology
    target_rank = topology.rank[search.target_node]
    turn = np.argsort(target_rank[:, 0], kind="stable").astype(np.int32)  # neighbours together
    target_rank, target_ms = target_rank[turn], search.target_ms[turn]
    size = 4096

    def chunk(low: int) -> tuple[Int32s, Int32s, Int32s]:
        high = min(low + size, turn.size)
        found: tuple[Int32s, Int32s, Int32s] = kernel.climb_all(
            topology.parent, hierarchy.down_indptr, hierarchy.down_links, hierarchy.up_indptr,
            hierarchy.up_links, target_rank[low:high], target_ms[low:high], turn[low:high],
            int(search.cutoff_ms),
        )  # fmt: skip
        return found

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        parts = list(pool.map(chunk, range(0, turn.size, size)))
    if not parts:
        return np.zeros(topology.rank.size + 1, dtype=np.int64), np.empty((0, 2), dtype=np.int32)
    at, target, ms = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort((at.astype(np.int64) << 31) | ms, kind="stable")
    counts = np.bincount(at, minlength=topology.rank.size)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    entries = np.empty((order.size, 2), dtype=np.int32)
    entries[:, 0], entries[:, 1] = target[order], ms[order]
    return indptr, entries
