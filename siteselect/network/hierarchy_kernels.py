"""Compiled stages of the contraction hierarchy; :mod:`siteselect.network.hierarchy` explains them.

All nodes are ranks. ``_FAR`` stands for no way. Every function leaves its scratch as found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from siteselect.network.graph import MAX_MS

__all__ = ["climb_all", "fill_in", "put_arcs", "read", "triangles_above", "triangles_below"]

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., Any])

_FAR = np.int32(MAX_MS + 1)


def _compiled(function: _F) -> _F:
    return cast(_F, numba.njit(cache=True, nogil=True)(function))


@_compiled
def _longer(array: Any, size: int) -> Any:
    """A copy with room for ``size`` values at least, doubling."""
    result = np.empty(max(2 * array.size, size), dtype=array.dtype)
    result[: array.size] = array
    return result


@_compiled
def fill_in(
    indptr: Int64s, head: Int32s, order: Int32s, rank: Int32s
) -> tuple[Int64s, Int32s, Int32s]:
    """Links upwards: own roads and those handed on by the children in the elimination tree."""
    n = order.size
    up_indptr = np.zeros(n + 1, dtype=np.int64)
    up_head = np.empty(max(4 * n, 16), dtype=np.int32)
    parent = np.full(n, -1, dtype=np.int32)
    first_child = np.full(n, -1, dtype=np.int32)
    next_child = np.full(n, -1, dtype=np.int32)
    mark = np.full(n, -1, dtype=np.int32)
    total = 0
    for v in range(n):
        start = total
        mark[v] = v
        node = order[v]
        if total + n - v > up_head.size:
            room = indptr[node + 1] - indptr[node]
            child = first_child[v]
            while child >= 0:
                room += up_indptr[child + 1] - up_indptr[child]
                child = next_child[child]
            if total + room > up_head.size:
                up_head = _longer(up_head, total + room)
        for arc in range(indptr[node], indptr[node + 1]):
            other = rank[head[arc]]
            if other > v and mark[other] != v:
                mark[other] = v
                up_head[total] = other
                total += 1
        child = first_child[v]
        while child >= 0:
            for link in range(up_indptr[child], up_indptr[child + 1]):
                other = up_head[link]
                if mark[other] != v:
                    mark[other] = v
                    up_head[total] = other
                    total += 1
            child = next_child[child]
        up_head[start:total].sort()
        up_indptr[v + 1] = total
        if total > start:
            above = up_head[start]
            parent[v] = above
            next_child[v] = first_child[above]
            first_child[above] = v
    return up_indptr, up_head[:total].copy(), parent


@_compiled
def put_arcs(
    indptr: Int64s, head: Int32s, duration_ms: Int32s, rank: Int32s, up_indptr: Int64s,
    up_head: Int32s, up: Int32s, down: Int32s,
) -> None:  # fmt: skip
    """Times of the roads themselves on their links."""
    for node in range(indptr.size - 1):
        for arc in range(indptr[node], indptr[node + 1]):
            a, b = rank[node], rank[head[arc]]
            if a == b:
                continue
            lower, upper = min(a, b), max(a, b)
            left, right = up_indptr[lower], up_indptr[lower + 1]
            while left < right:
                middle = (left + right) >> 1
                if up_head[middle] < upper:
                    left = middle + 1
                else:
                    right = middle
            if a < b:
                up[left] = min(up[left], duration_ms[arc])
            else:
                down[left] = min(down[left], duration_ms[arc])


@_compiled
def triangles_below(indptr: Int64s, head: Int32s, up: Int32s, down: Int32s) -> None:
    """Ways over each node between two of its higher neighbours, lowest nodes first."""
    for v in range(indptr.size - 1):
        end = indptr[v + 1]
        for one in range(indptr[v], end):
            low = head[one]
            link = indptr[low]
            for two in range(one + 1, end):
                high = head[two]
                while head[link] < high:
                    link += 1
                way = np.int64(down[one]) + up[two]  # low → v → high
                if way < up[link]:
                    up[link] = way
                way = np.int64(down[two]) + up[one]  # high → v → low
                if way < down[link]:
                    down[link] = way


@_compiled
def triangles_above(
    indptr: Int64s, head: Int32s, up: Int32s, down: Int32s, keep_up: Any, keep_down: Any
) -> None:
    """Exact times from the higher neighbours, highest nodes first; links beaten are dropped.

    The links above v are exact when v is reached. A link as quick as a way over a third node is
    dropped too: the way over that node remains. Equal ways do not drop each other, since with
    times of zero that might drop both: a link is dropped only when the way is strictly quicker.
    """
    for v in range(indptr.size - 2, -1, -1):
        start, end = indptr[v], indptr[v + 1]
        for one in range(start, end):
            low = head[one]
            link = indptr[low]
            for two in range(one + 1, end):
                high = head[two]
                while head[link] < high:
                    link += 1
                way = np.int64(up[two]) + down[link]  # v → high → low
                if way < up[one]:
                    up[one] = way
                    keep_up[one] = False
                way = np.int64(up[link]) + down[two]  # low → high → v
                if way < down[one]:
                    down[one] = way
                    keep_down[one] = False
                way = np.int64(up[one]) + up[link]  # v → low → high
                if way < up[two]:
                    up[two] = way
                    keep_up[two] = False
                way = np.int64(down[link]) + down[one]  # high → low → v
                if way < down[two]:
                    down[two] = way
                    keep_down[two] = False


@_compiled
def _ancestors(parent: Int32s, seeds: Int32s, ms: Int32s, cutoff_ms: int, path: Int32s) -> int:
    """All nodes above the usable seeds (one or two), ascending, into ``path``; their number."""
    a, b = np.int32(-1), np.int32(-1)
    if 0 <= ms[0] <= cutoff_ms:
        a = seeds[0]
    if seeds.size > 1 and 0 <= ms[1] <= cutoff_ms:
        b = seeds[1]
    count = 0
    while a >= 0 or b >= 0:
        node = a if b < 0 or 0 <= a <= b else b
        if a == node:
            a = parent[a]
        if b == node:
            b = parent[b]
        path[count] = node
        count += 1
    return count


@_compiled
def _climb(
    parent: Int32s, indptr: Int64s, links: Int32s, back_indptr: Int64s, back_links: Int32s,
    seeds: Int32s, ms: Int32s, cutoff_ms: int, dist: Int32s, path: Int32s, summit: Int32s,
) -> int:  # fmt: skip
    """Search up the tree; possible summits (node, ms) of a way into ``summit``, their number.

    A node that a way over a higher node reaches as soon need not be a summit: the higher one
    serves instead, so that of equal summits the highest remains. ``dist`` is far everywhere
    before and after.
    """
    count = _ancestors(parent, seeds, ms, cutoff_ms, path)
    for end in range(seeds.size):
        if 0 <= ms[end] <= cutoff_ms:
            dist[seeds[end]] = min(dist[seeds[end]], ms[end])
    for i in range(count):
        node = path[i]
        here = np.int64(dist[node])
        if here > cutoff_ms:
            continue
        for link in range(indptr[node], indptr[node + 1]):
            there = here + links[link, 1]
            if there < dist[links[link, 0]]:
                dist[links[link, 0]] = there
    found = 0
    for i in range(count):
        node = path[i]
        here = np.int64(dist[node])
        if here > cutoff_ms:
            continue
        beaten = False
        for link in range(back_indptr[node], back_indptr[node + 1]):
            if np.int64(dist[back_links[link, 0]]) + back_links[link, 1] <= here:
                beaten = True
                break
        if not beaten:
            summit[found, 0] = node
            summit[found, 1] = here
            found += 1
    for i in range(count):
        dist[path[i]] = _FAR
    return found


@_compiled
def climb_all(
    parent: Int32s, indptr: Int64s, links: Int32s, back_indptr: Int64s, back_links: Int32s,
    seeds: Int32s, ms: Int32s, number: Int32s, cutoff_ms: int,
) -> tuple[Int32s, Int32s, Int32s]:  # fmt: skip
    """Entries of many targets, by their ``number``: rank, target, ms."""
    n = parent.size
    dist = np.full(n, _FAR, dtype=np.int32)
    path = np.empty(n, dtype=np.int32)
    summit = np.empty((n, 2), dtype=np.int32)
    at = np.empty(1024, dtype=np.int32)
    target = np.empty(1024, dtype=np.int32)
    time_ms = np.empty(1024, dtype=np.int32)
    total = 0
    for item in range(seeds.shape[0]):
        found = _climb(
            parent, indptr, links, back_indptr, back_links, seeds[item], ms[item], cutoff_ms,
            dist, path, summit,
        )  # fmt: skip
        if total + found > at.size:
            at = _longer(at, total + found)
            target = _longer(target, total + found)
            time_ms = _longer(time_ms, total + found)
        for i in range(found):
            at[total] = summit[i, 0]
            target[total] = number[item]
            time_ms[total] = summit[i, 1]
            total += 1
    return at[:total].copy(), target[:total].copy(), time_ms[:total].copy()


@_compiled
def read(
    parent: Int32s, indptr: Int64s, links: Int32s, back_indptr: Int64s, back_links: Int32s,
    seeds: Int32s, ms: Int32s, b_indptr: Int64s, buckets: Int32s, d_indptr: Int64s,
    direct: Int64s, cutoff_ms: int, columns: int,
) -> tuple[Int64s, Int32s, Int32s]:  # fmt: skip
    """Pairs within the cutoff of each row: counts, columns (in no order) and times."""
    n = parent.size
    dist = np.full(n, _FAR, dtype=np.int32)
    path = np.empty(n, dtype=np.int32)
    summit = np.empty((n, 2), dtype=np.int32)
    best = np.full(columns, _FAR, dtype=np.int32)
    touched = np.empty(columns, dtype=np.int32)
    counts = np.zeros(seeds.shape[0], dtype=np.int64)
    column = np.empty(1024, dtype=np.int32)
    duration = np.empty(1024, dtype=np.int32)
    total = 0
    for row in range(seeds.shape[0]):
        count = 0
        for pair in range(d_indptr[row], d_indptr[row + 1]):
            there = direct[pair, 1]
            place = direct[pair, 0]
            if there <= cutoff_ms and there < best[place]:
                if best[place] == _FAR:
                    touched[count] = place
                    count += 1
                best[place] = there
        found = _climb(
            parent, indptr, links, back_indptr, back_links, seeds[row], ms[row], cutoff_ms,
            dist, path, summit,
        )  # fmt: skip
        for i in range(found):
            node = summit[i, 0]
            left = cutoff_ms - summit[i, 1]
            for entry in range(b_indptr[node], b_indptr[node + 1]):
                if buckets[entry, 1] > left:
                    break
                place = buckets[entry, 0]
                there = summit[i, 1] + buckets[entry, 1]
                if there < best[place]:
                    if best[place] == _FAR:
                        touched[count] = place
                        count += 1
                    best[place] = there
        if total + count > column.size:
            column = _longer(column, total + count)
            duration = _longer(duration, total + count)
        for item in range(count):
            column[total] = touched[item]
            duration[total] = best[touched[item]]
            best[touched[item]] = _FAR
            total += 1
        counts[row] = count
    return counts, column[:total].copy(), duration[:total].copy()
