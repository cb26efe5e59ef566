"""The area from which a site is reached within a time, for maps and site sheets.

Along each road that is reached, the time left at a point allows a disc off-road around it (at
the access speed, bounded). Along one road the time left falls evenly, so that the discs sweep
the convex hull of the first and the last. The area is the union over all roads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from siteselect.network import plain
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped
from siteselect.network.travel import Direction

__all__ = ["isochrone"]

Floats = NDArray[np.float64]

_QUARTER = 6
"""Segments of a quarter of a disc: its border is less than 1 % inside the circle."""


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Parts of roads: where they begin and end, and the time spent at both."""

    start_xy: Floats
    end_xy: Floats
    start_ms: Floats
    end_ms: Floats


def isochrone(
    graph: RoadGraph,
    place: Snapped,
    *,
    cutoff_ms: int,
    direction: Direction = "to_sites",
    aside_m: float = 2_000.0,
    access_speed_kmh: float = 30.0,
) -> shapely.Geometry:
    """Polygon (or multipolygon) in EPSG:2154 of what lies within the cutoff of one place.

    ``to_sites`` (default): from where the place is reached; ``from_sites``: what is reached from
    it. ``aside_m`` bounds the way off-road. Empty where the place is off the network or too far
    from its road.

    Raises
    ------
    ValueError
        Not exactly one place.
    """
    if len(place) != 1:
        raise ValueError(f"an isochrone is of one place, not of {len(place)}")
    if not place.on_network[0] or place.access_ms[0] > cutoff_ms:
        return shapely.Polygon()
    parts = [_from_nodes(graph, place, cutoff_ms, direction), _from_foot(graph, place, direction)]
    shapes = [_swept(part, cutoff_ms, aside_m, access_speed_kmh) for part in parts]
    return shapely.union_all(np.concatenate(shapes))


def _from_nodes(
    graph: RoadGraph, place: Snapped, cutoff_ms: int, direction: Direction
) -> _Stretches:
    """Every road left from a node that is reached."""
    reverse = direction == "to_sites"
    offset = place.in_ms if reverse else place.out_ms
    usable = offset[0] >= 0
    times = plain.nearest(
        plain.arcs(graph, reverse=reverse), place.node[0][usable], offset[0][usable], cutoff_ms
    )
    segments = graph.segments
    there, back = segments.forward_ms, segments.backward_ms
    if reverse:  # going back from a to b is to come from b to a
        there, back = back, there
    tail = np.concatenate([segments.a, segments.b])
    head = np.concatenate([segments.b, segments.a])
    road_ms = np.concatenate([there, back]).astype(np.float64)
    go = np.isfinite(times[tail]) & (road_ms >= 0)
    xy = np.column_stack([graph.x_m, graph.y_m])
    return _cut(xy[tail[go]], xy[head[go]], times[tail[go]], road_ms[go], cutoff_ms)


def _from_foot(graph: RoadGraph, place: Snapped, direction: Direction) -> _Stretches:
    """The road that the place lies on, both ways from the foot."""
    xy = np.column_stack([graph.x_m, graph.y_m])[place.node[0]]
    fraction = place.fraction[0]
    foot = (1 - fraction) * xy[0] + fraction * xy[1]
    access = float(place.access_ms[0])
    ends = (place.in_ms if direction == "to_sites" else place.out_ms)[0].astype(np.float64)
    go = ends >= 0
    start = np.repeat(foot[None, :], 1 + go.sum(), axis=0)
    return _Stretches(
        start,
        np.concatenate([foot[None, :], xy[go]]),
        np.full(len(start), access),
        np.concatenate([[access], ends[go]]),
    )


def _cut(start: Floats, end: Floats, at_ms: Floats, road_ms: Floats, cutoff_ms: int) -> _Stretches:
    """Roads only as far as the time lasts."""
    left = cutoff_ms - at_ms
    share = np.where(road_ms > left, left / np.where(road_ms > 0, road_ms, 1), 1.0)
    reached = start + share[:, None] * (end - start)
    return _Stretches(start, reached, at_ms, at_ms + share * road_ms)


def _swept(
    part: _Stretches, cutoff_ms: int, aside_m: float, access_speed_kmh: float
) -> NDArray[np.object_]:
    """The area swept by the disc of the time left along each stretch."""
    m_per_ms = access_speed_kmh / 3600.0
    left_start, left_end = cutoff_ms - part.start_ms, cutoff_ms - part.end_ms
    over = left_end < 0  # the road of the place itself, longer than the time
    if over.any():
        share = left_start / np.where(over, part.end_ms - part.start_ms, 1.0)
        reached = part.start_xy + share[:, None] * (part.end_xy - part.start_xy)
        end_xy = np.where(over[:, None], reached, part.end_xy)
    else:
        end_xy = part.end_xy
    radius = np.clip(np.stack([left_start, left_end]) * m_per_ms, 0.01, aside_m)
    whole = np.asarray((radius >= aside_m).all(axis=0), dtype=bool)
    once = _once(part.start_xy, end_xy, whole)
    discs = [
        shapely.buffer(shapely.points(xy[once]), r[once], quad_segs=_QUARTER)
        for xy, r in zip((part.start_xy, end_xy), radius, strict=True)
    ]
    pairs = np.stack(discs, axis=1)
    return np.asarray(shapely.convex_hull(shapely.geometrycollections(pairs)))


def _once(start_xy: Floats, end_xy: Floats, whole: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows to draw: a road reached from both its ends with time to spare sweeps one area twice."""
    there = np.column_stack([start_xy, end_xy])
    back = np.column_stack([end_xy, start_xy])
    turned = (there[:, 0] > back[:, 0]) | ((there[:, 0] == back[:, 0]) & (there[:, 1] > back[:, 1]))
    ends = np.where(turned[:, None], back, there)[whole]
    _, first = np.unique(ends, axis=0, return_index=True)
    rows: NDArray[np.int64] = np.concatenate([np.flatnonzero(~whole), np.flatnonzero(whole)[first]])
    return rows
