"""Trips along one road: two points on the same edge need not pass any node."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siteselect.network.snap import Snapped

__all__ = ["Pairs", "expand", "same_road_pairs"]

Int64s = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Some pairs with their time, int64 each: ``row``, ``column``, ``duration_ms``."""

    row: Int64s
    column: Int64s
    duration_ms: Int64s

    def swapped(self) -> Pairs:
        """Rows for columns."""
        return replace(self, row=self.column, column=self.row)


def expand(start: Int64s, count: Int64s) -> tuple[Int64s, Int64s]:
    """For ranges ``start[i] … start[i] + count[i]``: which i, and each position in it."""
    which = np.repeat(np.arange(start.size, dtype=np.int64), count)
    first = np.repeat(start - (np.cumsum(count) - count), count)
    return which, first + np.arange(which.size, dtype=np.int64)


def same_road_pairs(origins: Snapped, targets: Snapped) -> Pairs:
    """Trips origin → target along the road that both lie on, both off-road legs included.

    On a one-way road only forwards. Two points with the same foot meet there, however the road
    may be driven.
    """
    order = np.argsort(targets.segment, kind="stable").astype(np.int64)
    sorted_segment = targets.segment[order]
    start = np.searchsorted(sorted_segment, origins.segment, side="left").astype(np.int64)
    end = np.searchsorted(sorted_segment, origins.segment, side="right").astype(np.int64)
    count = np.where(origins.on_network, end - start, 0)
    row, position = expand(start, count)
    column = order[position]
    gap = targets.fraction[column] - origins.fraction[row]
    along_from = origins.along_ms[row].astype(np.int64)
    along_to = targets.along_ms[column].astype(np.int64)
    forwards = (gap > 0) & (along_from[:, 0] >= 0)
    backwards = (gap < 0) & (along_from[:, 1] >= 0)
    along = np.where(
        forwards,
        along_to[:, 0] - along_from[:, 0],
        np.where(backwards, along_to[:, 1] - along_from[:, 1], 0),
    )
    possible = (gap == 0) | forwards | backwards
    total = along + origins.access_ms[row] + targets.access_ms[column]
    return Pairs(row[possible], column[possible], total[possible])
