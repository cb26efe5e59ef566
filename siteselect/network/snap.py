"""Points put on the nearest road: on the edge, not on the node.

The foot of the perpendicular divides the road; a trip from the point first crosses to it
off-road (``distance_m`` at the access speed), then follows the road to either end, at most as
one-way streets allow. A point farther from any road than the bound is unreachable, never
silently near. Roads are straight between their nodes here, as the graph stores no bends.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.network.graph import MAX_MS, RoadGraph, Segments, round_half_up

__all__ = ["Snapped", "snap"]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]

NO_WAY = -1
"""No road leads that way."""


@dataclass(frozen=True, eq=False)
class Snapped:
    """Where k points meet the road, and the time to both ends of that road.

    Attributes
    ----------
    distance_m
        float64[k]: straight line to the nearest road, also beyond the bound; inf without roads.
    segment, fraction
        int32[k] position in ``graph.segments`` (−1: beyond the bound), float64[k] 0 at its
        node ``a``, 1 at ``b`` (NaN beyond).
    access_ms
        int32[k]: the off-road leg, −1 beyond the bound.
    node
        int32[k, 2]: the nodes ``a`` and ``b``.
    out_ms, in_ms
        int32[k, 2]: point → node and node → point, off-road leg included; −1: no way.
    along_ms
        int32[k, 2]: time from ``a`` to the foot on the way a → b, from ``b`` on the way
        b → a; −1: one-way. For trips between two points of one road.
    """

    distance_m: Floats
    segment: Int32s
    fraction: Floats
    access_ms: Int32s
    node: Int32s
    out_ms: Int32s
    in_ms: Int32s
    along_ms: Int32s

    def __len__(self) -> int:
        return int(self.segment.size)

    @property
    def on_network(self) -> NDArray[np.bool_]:
        """bool[k]: within the bound of some road."""
        return self.segment >= 0

    def take(self, rows: NDArray[np.int64]) -> Snapped:
        """Some of the points, in the order given."""
        return Snapped(*(getattr(self, field.name)[rows] for field in fields(self)))


def snap(
    graph: RoadGraph,
    points_xy: Floats,
    *,
    max_m: float,
    access_speed_kmh: float = 30.0,
) -> Snapped:
    """Snap points to the nearest road of the graph.

    Parameters
    ----------
    points_xy
        float64[k, 2], metres, EPSG:2154.
    max_m
        A point farther than this from every road is off the network.
    access_speed_kmh
        Speed between a point and its road.

    Ties between roads at the same distance go to the first in ``graph.segments``; at a shared
    node any of them gives the same times, because a foot on a node may leave by all its roads.

    Raises
    ------
    InputError
        A coordinate that is not finite.
    """
    points = np.asarray(points_xy, dtype=np.float64).reshape(-1, 2)
    _check_points(points)
    segments = graph.segments
    if len(segments) == 0 or len(points) == 0:
        return _nowhere(np.full(len(points), np.inf))
    nearest = _nearest_segment(graph, points)
    fraction, distance_m = _foot(graph, segments, nearest, points)
    access_ms = round_half_up(distance_m * 3600.0 / access_speed_kmh)
    on = (distance_m <= max_m) & (access_ms <= MAX_MS // 4)
    result = _nowhere(distance_m)
    result.segment[on] = nearest[on]
    result.fraction[on] = fraction[on]
    result.access_ms[on] = access_ms[on]
    _times(result, segments, np.flatnonzero(on))
    return result


def _check_points(points: Floats) -> None:
    log = FaultLog()
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        log.add(
            Msg("{count} points have no finite coordinates", count=int(bad.size)),
            where=f"row {int(bad[0])}",
            value=tuple(points[bad[0]].tolist()),
            remedy=Msg("give every point coordinates in metres, EPSG:2154"),
        )
    log.check()


def _nowhere(distance_m: Floats) -> Snapped:
    count = distance_m.size
    return Snapped(
        distance_m=distance_m,
        segment=np.full(count, -1, dtype=np.int32),
        fraction=np.full(count, np.nan),
        access_ms=np.full(count, NO_WAY, dtype=np.int32),
        node=np.zeros((count, 2), dtype=np.int32),
        out_ms=np.full((count, 2), NO_WAY, dtype=np.int32),
        in_ms=np.full((count, 2), NO_WAY, dtype=np.int32),
        along_ms=np.full((count, 2), NO_WAY, dtype=np.int32),
    )


def _nearest_segment(graph: RoadGraph, points: Floats) -> NDArray[np.int64]:
    """int64[k]: the nearest segment, the first of those at the same distance."""
    import shapely  # heavy; the arrays alone do not need it

    found = graph.segment_tree.query_nearest(shapely.points(points), all_matches=True)
    nearest = np.full(len(points), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(nearest, found[0], found[1].astype(np.int64))
    return nearest


def _foot(
    graph: RoadGraph, segments: Segments, which: NDArray[np.int64], points: Floats
) -> tuple[Floats, Floats]:
    """Position along the segment (0 to 1) and distance of the nearest point of it."""
    a, b = segments.a[which], segments.b[which]
    ax, ay = graph.x_m[a], graph.y_m[a]
    dx, dy = graph.x_m[b] - ax, graph.y_m[b] - ay
    squared = dx * dx + dy * dy
    dot = (points[:, 0] - ax) * dx + (points[:, 1] - ay) * dy
    fraction = np.clip(np.divide(dot, squared, out=np.zeros_like(dot), where=squared > 0), 0, 1)
    # at the end itself, not a rounding error away from it
    px = np.where(fraction == 1, graph.x_m[b], ax + fraction * dx)
    py = np.where(fraction == 1, graph.y_m[b], ay + fraction * dy)
    return fraction, np.hypot(points[:, 0] - px, points[:, 1] - py)


def _times(snapped: Snapped, segments: Segments, rows: NDArray[np.int64]) -> None:
    """Fill the times of the points on the network.

    The foot divides a time exactly: from one end to the foot plus from the foot to the other
    end is the time of the road, so that passing a point never gains or loses a millisecond.
    """
    which = snapped.segment[rows]
    fraction = snapped.fraction[rows]
    access = snapped.access_ms[rows].astype(np.int64)
    ends = np.column_stack([segments.a[which], segments.b[which]])
    snapped.node[rows] = ends
    out = np.full((rows.size, 2), NO_WAY, dtype=np.int64)
    into = out.copy()
    for start, road_ms, part in (
        (0, segments.forward_ms[which].astype(np.int64), fraction),
        (1, segments.backward_ms[which].astype(np.int64), 1 - fraction),
    ):
        open_ = road_ms >= 0
        along = round_half_up(part * road_ms)
        snapped.along_ms[rows, start] = np.where(open_, along, NO_WAY)
        into[:, start] = np.where(open_, access + along, NO_WAY)
        out[:, 1 - start] = np.where(open_, access + road_ms - along, NO_WAY)
    for end, here in ((0, fraction == 0), (1, fraction == 1)):
        out[here, end] = access[here]
        into[here, end] = access[here]
    too_long = MAX_MS
    snapped.out_ms[rows] = np.where(out > too_long, NO_WAY, out)
    snapped.in_ms[rows] = np.where(into > too_long, NO_WAY, into)
