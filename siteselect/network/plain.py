"""The plain engine: ``scipy.sparse.csgraph.dijkstra`` in blocks of bounded memory.

Nothing to compile, so it serves all small work. Places enter the graph as extra nodes with
arcs to both ends of their road; since no arc leads to them, they change no other path.

scipy stores times as float64: exact for whole milliseconds below 2⁵³. An arc of zero time is an
explicit zero of a sparse matrix, which csgraph keeps as an arc; parallel arcs are reduced to
the quickest beforehand, so that no version of scipy can add them up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csgraph

from siteselect.network.graph import RoadGraph
from siteselect.network.pairs import Pairs, expand

__all__ = ["Arcs", "Block", "Search", "arcs", "by_node", "joined", "least", "matrix", "nearest"]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Progress = Callable[[str, float], None]

_BLOCK_BYTES = 24_000_000
"""Small enough for the allocator to reuse: fresh pages cost more than the search itself."""
_BLOCK_ROWS = 16
"""Rows a block at least: each block costs a pass over the whole graph."""


@dataclass(frozen=True, eq=False)
class Arcs:
    """A simple directed graph: ``indptr`` int64[n + 1], ``head`` and ``duration_ms`` int32[m]."""

    indptr: Int64s
    head: Int32s
    duration_ms: Int32s

    @property
    def node_count(self) -> int:
        """Number of nodes, n."""
        return int(self.indptr.size - 1)


@dataclass(frozen=True, eq=False)
class Search:
    """One matrix to compute: seeds of the rows, targets of the columns, trips without a node.

    ``seed_node``, ``seed_ms`` int32[rows, 2]; ``target_node``, ``target_ms`` int32[columns, 2];
    −1 ms: not usable.
    """

    arcs: Arcs
    seed_node: Int32s
    seed_ms: Int32s
    target_node: Int32s
    target_ms: Int32s
    direct: Pairs
    cutoff_ms: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return len(self.seed_node), len(self.target_node)

    def in_order(self, order: Int64s) -> Search:
        """The same search with row ``order[i]`` as row i."""
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        return replace(
            self,
            seed_node=self.seed_node[order],
            seed_ms=self.seed_ms[order],
            direct=replace(self.direct, row=place[self.direct.row]),
        )


def arcs(graph: RoadGraph, *, reverse: bool) -> Arcs:
    """The arcs without loops, the quickest of parallel ones only; turned round if ``reverse``."""
    tail, head = graph.arc_tail, graph.head
    keep = tail != head
    keep[1:] &= (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    before = np.concatenate([[0], np.cumsum(keep)])
    indptr, head, duration = before[graph.indptr], head[keep], graph.duration_ms[keep]
    if reverse:
        n = graph.node_count
        turned = sp.csr_array((duration, head, indptr), shape=(n, n)).tocsc()  # keeps zeros
        indptr, head, duration = turned.indptr, turned.indices, turned.data
    return Arcs(indptr.astype(np.int64), head.astype(np.int32), duration)


def by_node(node: Int32s, offset_ms: Int32s, node_count: int) -> tuple[Int64s, Int64s, Int64s]:
    """Places listed by node: ``indptr``, place and its offset; unusable ends left out."""
    usable = np.flatnonzero(offset_ms.ravel() >= 0)
    at = node.ravel()[usable]
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at, minlength=node_count)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    width = node.shape[1] if node.ndim == 2 else 1
    return indptr, usable[order] // width, offset_ms.ravel()[usable][order].astype(np.int64)


def nearest(arcs: Arcs, nodes: Int32s, offset_ms: Int32s, cutoff_ms: int) -> Floats:
    """float64[n]: the least of offset + time from any of the seeds; inf beyond the cutoff."""
    if nodes.size == 0:
        return np.full(arcs.node_count, np.inf)
    one = np.zeros((1, nodes.size), dtype=np.int32)
    extended = _with_sources(arcs, nodes[None, :] + one, offset_ms[None, :])
    found = csgraph.dijkstra(extended, indices=np.array([arcs.node_count]), limit=float(cutoff_ms))
    return np.asarray(found[0, : arcs.node_count], dtype=np.float64)


def matrix(search: Search, *, progress: Progress | None = None) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays ``indptr``, ``column``, ``duration_ms`` of the pairs within the cutoff."""
    rows, columns = search.shape
    extended = _with_sources(search.arcs, search.seed_node, search.seed_ms)
    places = by_node(search.target_node, search.target_ms, search.arcs.node_count)
    direct = _sorted_by_row(search.direct)
    size = max(_BLOCK_BYTES // (8 * extended.shape[0]), _BLOCK_ROWS)
    size = max(1, min(size, 2**31 // max(columns, 1)))
    blocks = []
    for low in range(0, rows, size):
        high = min(low + size, rows)
        blocks.append(_block(search, extended, places, direct, (low, high)))
        if progress is not None:
            progress("routing", high / rows)
    return joined(blocks, rows)


def _with_sources(arcs: Arcs, seed_node: Int32s, seed_ms: Int32s) -> sp.csr_array:
    """The graph with one more node per row of seeds, with arcs to its seeds."""
    row = np.repeat(np.arange(len(seed_node), dtype=np.int64), seed_node.shape[1])
    node, ms = seed_node.ravel(), seed_ms.ravel()
    usable = ms >= 0
    row, node, ms = row[usable], node[usable], ms[usable]
    order = np.lexsort((ms, node, row))
    row, node, ms = row[order], node[order], ms[order]
    first = np.ones(row.size, dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (node[1:] != node[:-1])
    row, node, ms = row[first], node[first], ms[first]
    ends = arcs.indptr[-1] + np.cumsum(np.bincount(row, minlength=len(seed_node)))
    count = arcs.node_count + len(seed_node)
    data = np.concatenate([arcs.duration_ms, ms]).astype(np.float64)
    index_type = np.int32 if data.size < 2**31 else np.int64
    return sp.csr_array(
        (
            data,
            np.concatenate([arcs.head, node]).astype(index_type),
            np.concatenate([arcs.indptr, ends]).astype(index_type),
        ),
        shape=(count, count),
    )


def _sorted_by_row(pairs: Pairs) -> Pairs:
    order = np.argsort(pairs.row, kind="stable")
    return Pairs(pairs.row[order], pairs.column[order], pairs.duration_ms[order])


Block = tuple[Int64s, Int32s, Int32s]
"""Consecutive rows: pairs per row, columns, times."""


def _block(
    search: Search,
    extended: sp.csr_array,
    places: tuple[Int64s, Int64s, Int64s],
    direct: Pairs,
    rows: tuple[int, int],
) -> Block:
    """Pairs per row, columns and times of the rows ``low`` to ``high``."""
    low, high = rows
    nodes = search.arcs.node_count
    found = csgraph.dijkstra(
        extended, indices=np.arange(nodes + low, nodes + high), limit=float(search.cutoff_ms)
    )
    indptr, place, offset_ms = places
    width = found.shape[1]
    cell = np.flatnonzero(found.ravel() <= search.cutoff_ms)
    cell = cell[cell % width < nodes]
    row, node = cell // width, cell % width
    duration = found.ravel()[cell].astype(np.int64)
    which, position = expand(indptr[node], indptr[node + 1] - indptr[node])
    total = duration[which] + offset_ms[position]
    a, b = np.searchsorted(direct.row, [low, high])
    return least(
        np.concatenate([row[which], direct.row[a:b] - low]),
        np.concatenate([place[position], direct.column[a:b]]),
        np.concatenate([total, direct.duration_ms[a:b]]),
        shape=(high - low, search.shape[1]),
        cutoff_ms=search.cutoff_ms,
    )


def least(
    row: Int64s, column: Int64s, total_ms: Int64s, *, shape: tuple[int, int], cutoff_ms: int
) -> Block:
    """The quickest of the trips of each pair, in order of row and column.

    The pair and its time are packed into one integer (pairs < 2³¹, times < 2³¹) to sort once.
    """
    inside = total_ms <= cutoff_ms
    pair = row[inside] * shape[1] + column[inside]
    packed = np.sort((pair << 31) | total_ms[inside])
    pair = packed >> 31
    first = np.ones(packed.size, dtype=np.bool_)
    first[1:] = pair[1:] != pair[:-1]
    pair, packed = pair[first], packed[first]
    count = np.bincount(pair // max(shape[1], 1), minlength=shape[0])
    return (
        count.astype(np.int64),
        (pair % max(shape[1], 1)).astype(np.int32),
        (packed & (2**31 - 1)).astype(np.int32),
    )


def joined(blocks: list[Block], rows: int) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays of blocks of consecutive rows."""
    if not blocks:
        return np.zeros(rows + 1, dtype=np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
    counts, columns, durations = zip(*blocks, strict=True)
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return indptr, np.concatenate(columns), np.concatenate(durations)
