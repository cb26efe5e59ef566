"""An order of contraction for a road graph: nested dissection from coordinates and small cuts.

A cell of the map is cut in two by the least number of roads between its two ends in some
direction (inertial flow: Schild and Sommer 2015), for four directions, the smallest cut
winning; the nodes along the cut become its separator and are contracted last; both halves are
cut in turn. Small separators near the top are what makes a contraction hierarchy fast.

The order depends on the roads and their places only, not on speeds: it is computed once per
topology and kept. The computation is deterministic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from siteselect.network.plain import Arcs

__all__ = ["dissection_order", "undirected"]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., Any])

_LEAF = 3
_END_SHARE = 0.25
"""Share of a cell that each end of a direction must keep: cuts are between the two ends."""


def _compiled(function: _F) -> _F:
    return cast(_F, numba.njit(cache=True, nogil=True)(function))


def undirected(arcs: Arcs) -> tuple[Int64s, Int32s]:
    """``indptr``, ``head`` of the neighbours of each node, whichever way the road leads."""
    n = arcs.node_count
    tail = np.repeat(np.arange(n, dtype=np.int64), np.diff(arcs.indptr))
    head = arcs.head.astype(np.int64)
    road = tail != head
    key = np.unique(np.concatenate([tail[road] * n + head[road], head[road] * n + tail[road]]))
    counts = np.bincount(key // max(n, 1), minlength=n)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, (key % max(n, 1)).astype(np.int32)


def dissection_order(indptr: Int64s, head: Int32s, x_m: Floats, y_m: Floats) -> Int32s:
    """int32[n]: the nodes in order of contraction, the top separator last.

    ``indptr``, ``head`` as from :func:`undirected`.
    """
    order = np.arange(x_m.size, dtype=np.int32)
    _dissect(indptr, head, _twins(indptr, head), x_m, y_m, order)
    return order


@_compiled
def _twins(indptr: Int64s, head: Int32s) -> Int32s:
    """For each arc the arc that leads back. Neighbours are sorted, so a cursor each is enough."""
    n = indptr.size - 1
    twin = np.empty(head.size, dtype=np.int32)
    cursor = indptr[:-1].copy()
    for node in range(n):
        for arc in range(indptr[node], indptr[node + 1]):
            other = head[arc]
            twin[cursor[other]] = arc
            cursor[other] += 1
    return twin


@_compiled
def _dissect(
    indptr: Int64s, head: Int32s, twin: Int32s, x_m: Floats, y_m: Floats, order: Int32s
) -> None:
    """Cut cell after cell in place: a cell is a range of ``order``, its separator the end of it."""
    n = order.size
    place = np.empty(n, dtype=np.int32)
    for i in range(n):
        place[order[i]] = i
    flow = np.zeros(head.size, dtype=np.int8)
    level = np.full(n, -1, dtype=np.int32)
    cursor = np.zeros(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.int32)
    path = np.empty(n + 1, dtype=np.int64)
    part = np.zeros(n, dtype=np.int8)  # 1: first end, 2: last end, 0: between
    side = np.zeros(n, dtype=np.int8)
    best_side = np.zeros(n, dtype=np.int8)
    low_stack, high_stack = [0], [n]
    while len(low_stack) > 0:
        low, high = low_stack.pop(), high_stack.pop()
        size = high - low
        if size <= _LEAF:
            continue
        cell = order[low:high].copy()
        end = max(1, int(size * _END_SHARE))
        best_cut = 1 << 40
        best_small = 0
        for direction in range(4):
            along = np.empty(size)
            for i in range(size):
                node = cell[i]
                if direction == 0:
                    along[i] = x_m[node]
                elif direction == 1:
                    along[i] = y_m[node]
                elif direction == 2:
                    along[i] = x_m[node] + y_m[node]
                else:
                    along[i] = x_m[node] - y_m[node]
            rank = np.argsort(along, kind="mergesort")
            for i in range(size):
                part[cell[rank[i]]] = 1 if i < end else (2 if i >= size - end else 0)
            cut = _min_cut(
                indptr, head, twin, place, low, high, cell, part, flow, level, cursor, queue,
                path, side, best_cut,
            )  # fmt: skip
            small = 0
            for i in range(size):
                small += side[cell[i]]
            small = min(small, size - small)
            if cut < best_cut or (cut == best_cut and small > best_small):
                best_cut, best_small = cut, small
                for i in range(size):
                    best_side[cell[i]] = side[cell[i]]
        _arrange(indptr, head, place, low, high, cell, best_side, order, low_stack, high_stack)


@_compiled
def _arrange(
    indptr: Int64s, head: Int32s, place: Int32s, low: int, high: int, cell: Int32s, side: Any,
    order: Int32s, low_stack: Any, high_stack: Any,
) -> None:  # fmt: skip
    """Write the cell as first half, second half, separator; put the halves on the stack."""
    border = np.zeros(2, dtype=np.int64)
    edge = np.zeros(cell.size, dtype=np.int8)
    for i in range(cell.size):
        node = cell[i]
        for arc in range(indptr[node], indptr[node + 1]):
            other = head[arc]
            if low <= place[other] < high and side[other] != side[node]:
                edge[i] = 1
                border[side[node]] += 1
                break
    chosen = 0 if border[0] < border[1] else 1
    first, second, top = low, 0, high
    for i in range(cell.size):
        if edge[i] == 1 and side[cell[i]] == chosen:
            top -= 1
    last = top
    for i in range(cell.size):
        if edge[i] == 1 and side[cell[i]] == chosen:
            order[last] = cell[i]
            last += 1
        elif side[cell[i]] == 0:
            order[first] = cell[i]
            first += 1
    second = first
    for i in range(cell.size):
        if side[cell[i]] == 1 and not (edge[i] == 1 and chosen == 1):
            order[second] = cell[i]
            second += 1
    for i in range(low, high):
        place[order[i]] = i
    if first - low < high - low:
        low_stack.append(low)
        high_stack.append(first)
    if top - first < high - low:
        low_stack.append(first)
        high_stack.append(top)


@_compiled
def _min_cut(
    indptr: Int64s, head: Int32s, twin: Int32s, place: Int32s, low: int, high: int,
    cell: Int32s, part: Any, flow: Any, level: Int32s, cursor: Int64s, queue: Int32s,
    path: Int64s, side: Any, give_up: int,
) -> int:  # fmt: skip
    """Least number of roads between the two ends of a cell (Dinic, each road once).

    ``side`` becomes 0 for the nodes on the side of the first end and 1 for the others, of the
    two extreme least cuts the more balanced one. Stops when the cut cannot be below ``give_up``.
    """
    for i in range(cell.size):
        for arc in range(indptr[cell[i]], indptr[cell[i] + 1]):
            flow[arc] = 0
    total = 0
    while True:
        reached = _levels(indptr, head, place, low, high, cell, part, flow, level, queue)
        if not reached:
            break
        for i in range(cell.size):
            cursor[cell[i]] = indptr[cell[i]]
        for i in range(cell.size):
            if part[cell[i]] == 1:
                total += _block(
                    indptr, head, twin, place, low, high, cell[i], part, flow, level, cursor, path
                )
                if total > give_up:
                    return total
    first_side = 0
    for i in range(cell.size):
        side[cell[i]] = 0 if level[cell[i]] >= 0 else 1
        first_side += level[cell[i]] >= 0
    last_side = _from_the_end(indptr, head, twin, place, low, high, cell, part, flow, level, queue)
    if min(last_side, cell.size - last_side) > min(first_side, cell.size - first_side):
        for i in range(cell.size):
            side[cell[i]] = 1 if level[cell[i]] >= 0 else 0
    return total


@_compiled
def _levels(
    indptr: Int64s, head: Int32s, place: Int32s, low: int, high: int, cell: Int32s, part: Any,
    flow: Any, level: Int32s, queue: Int32s,
) -> bool:  # fmt: skip
    """Breadth-first levels from the first end; whether the last end is reached."""
    tail = 0
    for i in range(cell.size):
        if part[cell[i]] == 1:
            level[cell[i]] = 0
            queue[tail] = cell[i]
            tail += 1
        else:
            level[cell[i]] = -1
    reached = False
    at = 0
    while at < tail:
        node = queue[at]
        at += 1
        if part[node] == 2:
            reached = True
            continue
        for arc in range(indptr[node], indptr[node + 1]):
            other = head[arc]
            if low <= place[other] < high and level[other] < 0 and flow[arc] < 1:
                level[other] = level[node] + 1
                queue[tail] = other
                tail += 1
    return reached


@_compiled
def _block(
    indptr: Int64s, head: Int32s, twin: Int32s, place: Int32s, low: int, high: int, start: int,
    part: Any, flow: Any, level: Int32s, cursor: Int64s, path: Int64s,
) -> int:  # fmt: skip
    """Send all flow that the levels allow out of one node of the first end."""
    sent = 0
    depth = 0  # path[0:depth] are the arcs followed
    node = start
    while True:
        if part[node] == 2:
            for i in range(depth):
                flow[path[i]] += 1
                flow[twin[path[i]]] -= 1
            sent += 1
            depth = 0
            node = start
        moved = False
        while cursor[node] < indptr[node + 1]:
            arc = cursor[node]
            other = head[arc]
            if low <= place[other] < high and level[other] == level[node] + 1 and flow[arc] < 1:
                path[depth] = arc
                depth += 1
                node = other
                moved = True
                break
            cursor[node] += 1
        if moved:
            continue
        if depth == 0:
            return sent
        depth -= 1
        arc = path[depth]
        node = head[twin[arc]]
        cursor[node] += 1


@_compiled
def _from_the_end(
    indptr: Int64s, head: Int32s, twin: Int32s, place: Int32s, low: int, high: int,
    cell: Int32s, part: Any, flow: Any, level: Int32s, queue: Int32s,
) -> int:  # fmt: skip
    """Mark (level ≥ 0) the nodes from which the last end could still be reached; their number."""
    tail = 0
    for i in range(cell.size):
        if part[cell[i]] == 2:
            level[cell[i]] = 0
            queue[tail] = cell[i]
            tail += 1
        else:
            level[cell[i]] = -1
    at = 0
    while at < tail:
        node = queue[at]
        at += 1
        for arc in range(indptr[node], indptr[node + 1]):
            other = head[arc]
            if low <= place[other] < high and level[other] < 0 and flow[twin[arc]] < 1:
                level[other] = 0
                queue[tail] = other
                tail += 1
    return tail
