"""The road graph as arrays: what every computation of time works on.

A :class:`RoadGraph` is built once from the tables of a pack (or from a networkx graph, see
:mod:`siteselect.network.model`). Its nodes are sorted along a Morton curve, because the order
of nodes in memory decides more of the speed of a shortest-path search than the language does.

Times are whole milliseconds in int32. One rule of rounding everywhere: half up,
``floor(length_m · 3600 / speed_kmh + 0.5)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.network.checks import (
    car_speed,
    check_coordinates,
    check_lengths,
    edge_classes,
    edge_ends,
    edge_oneway,
    edge_speed,
    flag,
    need_columns,
    numbers,
)

__all__ = [
    "MAX_MS",
    "EdgeTable",
    "RoadGraph",
    "Segments",
    "assemble",
    "graph_from_tables",
    "round_half_up",
    "with_speeds",
]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_MS = 2**31 - 2
"""The longest time that is represented, 24.8 days: beyond it a place is unreachable."""


@dataclass(frozen=True, eq=False)
class EdgeTable:
    """Roads as a planner knows them: one row an edge, whichever way it may be driven.

    ``tail`` and ``head`` int32[e] are nodes of the graph, ``length_m`` float64[e],
    ``road_class`` int32[e] positions in ``class_names``, ``oneway`` bool[e] (only tail → head),
    ``car_kmh`` float64[e] (NaN where the speed of the class holds).
    """

    tail: Int32s
    head: Int32s
    length_m: Floats
    road_class: Int32s
    class_names: tuple[str, ...]
    oneway: Bools
    car_kmh: Floats

    def __len__(self) -> int:
        return int(self.tail.size)


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight lines between nodes that some road joins, both ways and parallel roads together.

    ``a`` < ``b`` int32[k] are the end nodes; ``forward_ms`` int32[k] is the quickest road a → b,
    ``backward_ms`` b → a; −1 where none leads that way. Loops are left out.
    """

    a: Int32s
    b: Int32s
    forward_ms: Int32s
    backward_ms: Int32s

    def __len__(self) -> int:
        return int(self.a.size)


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """A directed road graph with times, nodes in Morton order. Never changed in place.

    Attributes
    ----------
    x_m, y_m
        float64[n], EPSG:2154.
    node_id
        int64[n]: the row of the table (or the networkx label) that each node came from.
    indptr, head, duration_ms, arc_edge
        Arcs leaving each node (CSR): ``head`` int32[m], ``duration_ms`` int32[m] ≥ 0,
        ``arc_edge`` int32[m] the edge each arc came from. A two-way edge gives two arcs.
        Arcs of one tail are sorted by head, then by time.
    edges
        The roads themselves.
    """

    x_m: Floats
    y_m: Floats
    node_id: Int64s
    indptr: Int64s
    head: Int32s
    duration_ms: Int32s
    arc_edge: Int32s
    edges: EdgeTable

    @property
    def node_count(self) -> int:
        """Number of nodes, n."""
        return int(self.x_m.size)

    @property
    def arc_count(self) -> int:
        """Number of arcs, m."""
        return int(self.head.size)

    @cached_property
    def arc_tail(self) -> Int32s:
        """int32[m]: the node each arc leaves."""
        return np.repeat(np.arange(self.node_count, dtype=np.int32), np.diff(self.indptr))

    @cached_property
    def segments(self) -> Segments:
        """The lines that points are snapped to."""
        return _segments(self)

    @cached_property
    def segment_tree(self) -> shapely.STRtree:
        """Spatial index over :attr:`segments`, in their order."""
        seg = self.segments
        ends = np.empty((len(seg), 2, 2))
        ends[:, 0, 0], ends[:, 0, 1] = self.x_m[seg.a], self.y_m[seg.a]
        ends[:, 1, 0], ends[:, 1, 1] = self.x_m[seg.b], self.y_m[seg.b]
        return shapely.STRtree(shapely.linestrings(ends))


def round_half_up(values: Floats) -> Int64s:
    """Whole numbers, a half going up: 0.5 → 1, 2.5 → 3."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5).astype(np.int64)


def graph_from_tables(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    speed_kmh: Mapping[str, float],
    nodes_file: str = "road_nodes",
    edges_file: str = "road_edges",
) -> RoadGraph:
    """Build the graph from the pack's tables ``road_nodes`` and ``road_edges``.

    Parameters
    ----------
    nodes
        Columns ``x``, ``y`` in metres, EPSG:2154; the row number is the node's id.
    edges
        Columns ``tail``, ``head`` (row numbers of ``nodes``), ``length_m``, ``road_class``,
        ``oneway`` (only tail → head) and, optional, ``car_kmh``: where present it wins over
        the speed of the class.
    speed_kmh
        Car speed by road class, km/h.

    Raises
    ------
    InputError
        A missing column, coordinates that are not finite or in degrees, an end that is not a
        node, a negative, missing or impossible length, a class without speed.
    """
    log = FaultLog()
    need_columns(log, nodes, ("x", "y"), nodes_file)
    need_columns(log, edges, ("tail", "head", "length_m", "road_class", "oneway"), edges_file)
    log.check()
    x_m, y_m = numbers(nodes["x"]), numbers(nodes["y"])
    check_coordinates(log, x_m, y_m, nodes_file)
    tail, head = edge_ends(log, edges, x_m.size, edges_file)
    length_m = numbers(edges["length_m"])
    log.check()
    check_lengths(log, length_m, np.hypot(x_m[tail] - x_m[head], y_m[tail] - y_m[head]), edges_file)
    codes, names = edge_classes(edges["road_class"])
    car_kmh = car_speed(log, edges, edges_file)
    kmh = edge_speed(log, codes, names, car_kmh, speed_kmh, edges_file)
    log.check()
    duration_ms = round_half_up(length_m * 3600.0 / kmh)
    flag(log, duration_ms > MAX_MS, length_m, edges_file, Msg("the edge takes more than 24 days"),
          Msg("lengths are in metres and speeds in km/h"))  # fmt: skip
    oneway = edge_oneway(log, edges, edges_file)
    log.check()
    table = EdgeTable(tail, head, length_m, codes, names, oneway, car_kmh)
    ids = np.arange(x_m.size, dtype=np.int64)
    return assemble(x_m, y_m, node_id=ids, edges=table, edge_ms=duration_ms.astype(np.int32))


def with_speeds(graph: RoadGraph, *, speed_kmh: Mapping[str, float]) -> RoadGraph:
    """The same roads with other speeds by class; an edge's own ``car_kmh`` still wins.

    Raises
    ------
    InputError
        A class of the graph has no speed.
    """
    log = FaultLog()
    edges = graph.edges
    kmh = edge_speed(
        log, edges.road_class, edges.class_names, edges.car_kmh, speed_kmh, "network.speed_kmh"
    )
    log.check()
    edge_ms = np.minimum(round_half_up(edges.length_m * 3600.0 / kmh), MAX_MS).astype(np.int32)
    return replace(
        assemble(graph.x_m, graph.y_m, node_id=graph.node_id, edges=edges, edge_ms=edge_ms)
    )


def assemble(
    x_m: Floats, y_m: Floats, *, node_id: Int64s, edges: EdgeTable, edge_ms: Int32s
) -> RoadGraph:
    """Sort the nodes along the Morton curve and lay out the arcs.

    ``edge_ms`` int32[e] is the time of each edge, the same both ways. Inputs are taken as sound:
    :func:`graph_from_tables` checks what comes from a user.
    """
    order = np.lexsort((node_id, morton_code(x_m, y_m)))
    rank = np.empty(order.size, dtype=np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    table = replace(edges, tail=rank[edges.tail], head=rank[edges.head])
    both = np.flatnonzero(~table.oneway)
    tail = np.concatenate([table.tail, table.head[both]])
    head = np.concatenate([table.head, table.tail[both]])
    arc_edge = np.concatenate([np.arange(len(table)), both]).astype(np.int32)
    duration = np.asarray(edge_ms, dtype=np.int32)[arc_edge]
    by_tail = np.lexsort((arc_edge, duration, head, tail))
    counts = np.bincount(tail, minlength=order.size)
    return RoadGraph(
        x_m=np.ascontiguousarray(x_m[order]),
        y_m=np.ascontiguousarray(y_m[order]),
        node_id=node_id[order],
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        head=head[by_tail],
        duration_ms=duration[by_tail],
        arc_edge=arc_edge[by_tail],
        edges=table,
    )


def morton_code(x_m: Floats, y_m: Floats) -> NDArray[np.uint64]:
    """Position of each point along a Morton (Z) curve over their bounding box, 20 bits an axis."""
    return _spread(_quantise(x_m)) | (_spread(_quantise(y_m)) << np.uint64(1))


def _quantise(values: Floats) -> NDArray[np.uint64]:
    if values.size == 0:
        return np.empty(0, dtype=np.uint64)
    low, span = values.min(), np.ptp(values)
    scaled = np.zeros(values.size) if span == 0 else (values - low) / span
    return np.asarray(scaled * (2**20 - 1)).astype(np.uint64)


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put a zero bit before every bit of the lower 32."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        values = (values | (values << np.uint64(shift))) & np.uint64(mask)
    return values


def _segments(graph: RoadGraph) -> Segments:
    a = np.minimum(graph.arc_tail, graph.head)
    b = np.maximum(graph.arc_tail, graph.head)
    road = a != b
    a, b = a[road], b[road]
    forward = graph.arc_tail[road] == a
    key = a.astype(np.int64) * graph.node_count + b
    unique, place = np.unique(key, return_inverse=True)
    times = np.full((2, unique.size), MAX_MS + 1, dtype=np.int64)
    duration = graph.duration_ms[road].astype(np.int64)
    np.minimum.at(times[0], place[forward], duration[forward])
    np.minimum.at(times[1], place[~forward], duration[~forward])
    times[times > MAX_MS] = -1
    n = max(graph.node_count, 1)
    return Segments(
        a=(unique // n).astype(np.int32),
        b=(unique % n).astype(np.int32),
        forward_ms=times[0].astype(np.int32),
        backward_ms=times[1].astype(np.int32),
    )
