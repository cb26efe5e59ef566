"""Compiled searches for large work: bounded Dijkstra on a 4-ary heap, in numba.

Each search settles only what lies within the cutoff and puts its scratch arrays back as it
found them, so that a search costs what it reaches and not the size of the graph. Heap entries
pack time and node in one integer; a node may be in the heap more than once (a stale entry is
skipped), which is quicker than moving entries.

The kernels release the interpreter's lock: Python threads take chunks of rows, each with its
own scratch. Rows do not depend on each other, and chunks are joined in their order, so that the
result is the same for any number of threads. Compilation is kept on disk (``cache=True``).
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from siteselect.network.graph import MAX_MS
from siteselect.network.plain import Arcs, Block, Search, by_node, least

__all__ = ["in_turn", "matrix", "nearest", "run_rows"]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Progress = Callable[[str, float], None]
_F = TypeVar("_F", bound=Callable[..., Any])

_CHUNK_ROWS = 64
_FAR = np.int32(MAX_MS + 1)
_LOW = np.int64(2**32 - 1)


def _compiled(function: _F) -> _F:
    return cast(_F, numba.njit(cache=True, nogil=True)(function))


def interleaved(arcs: Arcs) -> Int32s:
    """int32[m, 2]: head and time side by side, for one memory access instead of two."""
    return np.ascontiguousarray(np.column_stack([arcs.head, arcs.duration_ms]), dtype=np.int32)


def nearest(arcs: Arcs, nodes: Int32s, offset_ms: Int32s, cutoff_ms: int) -> Floats:
    """float64[n]: the least of offset + time from any of the seeds; inf beyond the cutoff."""
    dist = np.full(arcs.node_count, _FAR, dtype=np.int32)
    _spread(arcs.indptr, interleaved(arcs), nodes, offset_ms, int(cutoff_ms), dist)
    return np.where(dist == _FAR, np.inf, dist.astype(np.float64))


def matrix(
    search: Search, *, workers: int = 1, progress: Progress | None = None
) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays ``indptr``, ``column``, ``duration_ms`` of the pairs within the cutoff."""
    rows, columns = search.shape
    search, order_by_place = in_turn(search)
    nodes = search.arcs.node_count
    links = interleaved(search.arcs)
    t_indptr, t_place, t_ms = by_node(search.target_node, search.target_ms, nodes)
    places = np.column_stack([t_place, t_ms]).astype(np.int32)
    starts = np.column_stack([search.arcs.indptr, t_indptr]).astype(np.int32)
    order = np.argsort(search.direct.row, kind="stable")
    d_indptr = np.searchsorted(search.direct.row[order], np.arange(rows + 1)).astype(np.int64)
    direct = np.column_stack([search.direct.column, search.direct.duration_ms])[order]
    size = max(1, min(_CHUNK_ROWS, 2**31 // max(columns, 1)))
    scratch: queue.SimpleQueue[tuple[Int32s, Int32s, Int32s]] = queue.SimpleQueue()
    for _ in range(max(workers, 1)):
        scratch.put(
            (
                np.full(nodes, _FAR, dtype=np.int32),
                np.empty(nodes, dtype=np.int32),
                np.full(columns, _FAR, dtype=np.int32),
            )
        )

    def chunk(low: int) -> tuple[Int64s, Int32s, Int32s]:
        high = min(low + size, rows)
        mine = scratch.get()
        try:
            count, column, duration = _rows(
                starts, links, search.seed_node[low:high], search.seed_ms[low:high], places,
                d_indptr[low : high + 1], direct,
                int(search.cutoff_ms), *mine,
            )  # fmt: skip
        finally:
            scratch.put(mine)
        row = np.repeat(np.arange(high - low, dtype=np.int64), count)
        return least(
            row, column.astype(np.int64), duration.astype(np.int64),
            shape=(high - low, columns), cutoff_ms=search.cutoff_ms,
        )  # fmt: skip

    return run_rows(chunk, order_by_place, size=size, workers=workers, progress=progress)


def run_rows(
    chunk: Callable[[int], Block],
    order: Int64s,
    *,
    size: int,
    workers: int,
    progress: Progress | None,
) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays of all rows, computed ``size`` at a time by threads; see :func:`in_turn`."""
    blocks = []
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for done, block in enumerate(pool.map(chunk, range(0, order.size, size)), start=1):
            blocks.append(block)
            if progress is not None:
                progress("routing", min(1.0, done * size / order.size))
    return join_rows(blocks, order)


def in_turn(search: Search) -> tuple[Search, Int64s]:
    """The rows sorted by place, and their order: neighbours share memory that is cached."""
    order = np.argsort(search.seed_node[:, 0], kind="stable")
    return search.in_order(order), order


def join_rows(blocks: list[Block], order: Int64s) -> tuple[Int64s, Int32s, Int32s]:
    """CSR arrays of blocks of rows, row i of the blocks as row ``order[i]``; empties the list.

    Each block is dropped once copied, so that the pairs are in memory twice at no time.
    """
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(block[0] for block in blocks)])
    indptr = np.zeros(order.size + 1, dtype=np.int64)
    indptr[order + 1] = counts
    np.cumsum(indptr, out=indptr)
    column = np.empty(indptr[-1], dtype=np.int32)
    duration = np.empty(indptr[-1], dtype=np.int32)
    done = 0
    blocks.reverse()
    while blocks:
        count, columns, durations = blocks.pop()
        rows = order[done : done + count.size]
        _copy_rows(indptr, rows, count, columns, durations, column, duration)
        done += count.size
    return indptr, column, duration


@_compiled
def _copy_rows(
    indptr: Int64s, rows: Int64s, count: Int64s, columns: Int32s, durations: Int32s,
    column: Int32s, duration: Int32s,
) -> None:  # fmt: skip
    item = 0
    for i in range(rows.size):
        start = indptr[rows[i]]
        for k in range(count[i]):
            column[start + k] = columns[item]
            duration[start + k] = durations[item]
            item += 1


@_compiled
def _push(heap: Int64s, size: int, key: Any) -> None:
    """Insert a key in the 4-ary heap of ``size`` keys; there is room for it."""
    place = size
    while place > 0:
        parent = (place - 1) >> 2
        if heap[parent] <= key:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = key


@_compiled
def _pop(heap: Int64s, size: int) -> None:
    """Remove the least key of the 4-ary heap of ``size`` keys."""
    size -= 1
    key = heap[size]
    place = 0
    while True:
        child = 4 * place + 1
        if child + 3 < size:  # all four children: compare in pairs
            one = child if heap[child] < heap[child + 1] else child + 1
            two = child + 2 if heap[child + 2] < heap[child + 3] else child + 3
            best = one if heap[one] < heap[two] else two
        elif child < size:
            best = child
            for other in range(child + 1, size):
                if heap[other] < heap[best]:
                    best = other
        else:
            break
        if heap[best] >= key:
            break
        heap[place] = heap[best]
        place = best
    heap[place] = key


@_compiled
def _wider(array: Any) -> Any:
    """A copy twice as long."""
    result = np.empty(2 * array.size, dtype=array.dtype)
    result[: array.size] = array
    return result


@_compiled
def _spread(
    indptr: Int64s, links: Int32s, nodes: Int32s, offset_ms: Int32s, cutoff_ms: int, dist: Int32s
) -> None:
    """Dijkstra from many seeds at once; ``dist`` comes in as far everywhere."""
    heap = np.empty(links.shape[0] + nodes.size, dtype=np.int64)  # an entry an arc at most
    size = 0
    for seed in range(nodes.size):
        ms, node = np.int64(offset_ms[seed]), nodes[seed]
        if 0 <= ms <= cutoff_ms and ms < dist[node]:
            dist[node] = ms
            _push(heap, size, (ms << 32) | np.int64(node))
            size += 1
    while size > 0:
        top = heap[0]
        _pop(heap, size)
        size -= 1
        node = top & _LOW
        ms = top >> 32
        if ms > dist[node]:
            continue
        for arc in range(indptr[node], indptr[node + 1]):
            head = links[arc, 0]
            reached = ms + links[arc, 1]
            if reached <= cutoff_ms and reached < dist[head]:
                dist[head] = reached
                _push(heap, size, (reached << 32) | np.int64(head))
                size += 1


@_compiled
def _rows(
    starts: Int32s, links: Int32s, seed_node: Int32s, seed_ms: Int32s, places: Int32s,
    d_indptr: Int64s, direct: Int64s,
    cutoff_ms: int, dist: Int32s, touched: Int32s, best: Int32s,
) -> tuple[Int64s, Int32s, Int32s]:  # fmt: skip
    """Pairs within the cutoff of each row: counts, columns (in no order) and times.

    ``starts`` int32[n + 1, 2]: where the links and the places of each node begin.
    ``dist``, ``best`` are far everywhere before and after; ``touched`` is scratch.
    """
    rows = seed_node.shape[0]
    counts = np.zeros(rows, dtype=np.int64)
    heap = np.empty(links.shape[0] + 2, dtype=np.int64)  # an entry an arc at most
    column = np.empty(1024, dtype=np.int32)
    duration = np.empty(1024, dtype=np.int32)
    total = 0
    for row in range(rows):
        first = total
        while column.size < total + best.size:  # room for a whole row
            column, duration = _wider(column), _wider(duration)
        for pair in range(d_indptr[row], d_indptr[row + 1]):
            place = direct[pair, 0]
            ms = direct[pair, 1]
            if ms <= cutoff_ms and ms < best[place]:
                if best[place] == _FAR:
                    column[total] = place
                    total += 1
                best[place] = ms
        size = 0
        reached_nodes = 0
        for end in range(seed_node.shape[1]):
            ms = np.int64(seed_ms[row, end])
            node = np.int64(seed_node[row, end])
            if 0 <= ms <= cutoff_ms and ms < dist[node]:
                if dist[node] == _FAR:
                    touched[reached_nodes] = node
                    reached_nodes += 1
                dist[node] = ms
                _push(heap, size, (ms << 32) | node)
                size += 1
        while size > 0:
            top = heap[0]
            _pop(heap, size)
            size -= 1
            node = top & _LOW
            ms = top >> 32
            if ms > dist[node]:
                continue
            for item in range(starts[node, 1], starts[node + 1, 1]):
                place = places[item, 0]
                there = ms + places[item, 1]
                if there <= cutoff_ms and there < best[place]:
                    if best[place] == _FAR:
                        column[total] = place
                        total += 1
                    best[place] = there
            for arc in range(starts[node, 0], starts[node + 1, 0]):
                head = links[arc, 0]
                reached = ms + links[arc, 1]
                if reached <= cutoff_ms and reached < dist[head]:
                    if dist[head] == _FAR:
                        touched[reached_nodes] = head
                        reached_nodes += 1
                    dist[head] = reached
                    _push(heap, size, (reached << 32) | np.int64(head))
                    size += 1
        for item in range(first, total):
            duration[item] = best[column[item]]
            best[column[item]] = _FAR
        for item in range(reached_nodes):
            dist[touched[item]] = _FAR
        counts[row] = total - first
    return counts, column[:total], duration[:total]
