"""Lines of roads → the road graph of a pack: cut where ways meet, with lengths and speeds."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from siteselect.units import CRS

ROAD_CLASSES = ("motorway", "trunk", "primary", "secondary", "unclassified")
"""Classes that every scenario has a speed for."""
SNAP_M = 0.01
"""Vertices nearer than this are one: coordinates differ in their last digit only."""
HGV_MOST_KMH = 80.0
"""Heavy goods vehicles drive no faster (code de la route R413-8: 80 or 90 km/h by road)."""
CLASS_KMH = {"motorway": 110.0, "trunk": 90.0, "primary": 75.0, "secondary": 65.0}


@dataclass(frozen=True, eq=False)
class Ways:
    """Roads as lines.

    Attributes
    ----------
    shapes
        LineStrings in EPSG:2154.
    road_class
        one of :data:`ROAD_CLASSES` each.
    motorway_link
        slip roads of motorways.
    oneway
        int8: 1 only as drawn, -1 only against, 0 both ways.
    car_kmh
        speed driven by cars, NaN where the speed of the class holds.
    """

    shapes: NDArray[np.object_]
    road_class: NDArray[np.object_]
    motorway_link: NDArray[np.bool_]
    oneway: NDArray[np.int8]
    car_kmh: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.shapes)


@dataclass(frozen=True, eq=False)
class Roads:
    """Tables ``road_nodes`` and ``road_edges`` of a pack, and motorway accesses if derived."""

    nodes: pd.DataFrame
    edges: pd.DataFrame
    interchanges: gpd.GeoDataFrame | None
    joined: int
    """Gaps closed."""

    def components(self) -> NDArray[np.int64]:
        """Nodes of each connected part, the largest first."""
        return component_sizes(len(self.nodes), self.edges)


def join_ways(ways: list[Ways]) -> Ways:
    """All of them, one after the other."""
    return Ways(
        np.concatenate([w.shapes for w in ways]),
        np.concatenate([w.road_class for w in ways]),
        np.concatenate([w.motorway_link for w in ways]),
        np.concatenate([w.oneway for w in ways]),
        np.concatenate([w.car_kmh for w in ways]),
    )


def road_graph(ways: Ways, *, gap_m: float = 0.0, interchanges: bool = False) -> Roads:
    """Cut the ways where they share a vertex; edges keep class, direction, length and speeds.

    Parameters
    ----------
    gap_m
        dead ends nearer than this to a node of another connected part are joined to it: extracts
        are cut at their borders, and files of several regions do not always meet.
    interchanges
        derive a point for each group of slip roads that joins a motorway to the other roads.

    Returns
    -------
    Roads
        nodes x, y; edges tail, head, length_m (planar in EPSG:2154, within 0.1 % of the ground),
        road_class, oneway, car_kmh (null where unknown), hgv_kmh (null where unknown).
    """
    xy, way = shapely.get_coordinates(ways.shapes, return_index=True)
    cells = np.round(xy / SNAP_M).astype(np.int64)
    _, first, vertex, count = np.unique(
        cells[:, 0] * (1 << 31) + cells[:, 1],
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    starts = np.r_[True, way[1:] != way[:-1]] if len(way) else np.zeros(0, bool)
    ends = np.r_[starts[1:], True] if len(way) else np.zeros(0, bool)
    cut = starts | ends | (count[vertex] > 1)
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    step[starts] = 0.0
    along = np.cumsum(step)
    at = np.flatnonzero(cut)
    same = way[at[1:]] == way[at[:-1]]
    tail, head = vertex[at[:-1]][same], vertex[at[1:]][same]
    length = (along[at[1:]] - along[at[:-1]])[same]
    of = way[at[:-1]][same]
    real = tail != head  # a loop leads nowhere
    tail, head, length, of = tail[real], head[real], length[real], of[real]
    used, flat = np.unique(np.r_[tail, head], return_inverse=True)
    tail, head = flat[: len(tail)], flat[len(tail) :]
    against = ways.oneway[of] == -1
    car = ways.car_kmh[of]
    edges = pd.DataFrame(
        {
            "tail": np.where(against, head, tail).astype(np.int32),
            "head": np.where(against, tail, head).astype(np.int32),
            "length_m": length,
            "road_class": pd.Series(ways.road_class[of], dtype="str"),
            "oneway": ways.oneway[of] != 0,
            "car_kmh": car,
            "hgv_kmh": np.minimum(car, HGV_MOST_KMH),
        }
    )
    places = xy[first[used]]
    nodes = pd.DataFrame({"x": places[:, 0], "y": places[:, 1]})
    edges, joined = _joined(nodes, edges, gap_m)
    points = None
    if interchanges:
        points = _interchanges(nodes, edges, np.r_[ways.motorway_link[of], np.zeros(joined, bool)])
    return Roads(nodes, edges, points, joined)


def component_sizes(nodes: int, edges: pd.DataFrame) -> NDArray[np.int64]:
    """Nodes of each connected part (directions ignored), the largest first."""
    sizes = np.bincount(_labels(nodes, edges), minlength=1) if nodes else np.zeros(1, np.int64)
    return np.sort(sizes)[::-1].astype(np.int64)


def _labels(nodes: int, edges: pd.DataFrame) -> NDArray[np.int32]:
    tail, head = edges["tail"].to_numpy(), edges["head"].to_numpy()
    links = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(nodes, nodes))
    labels: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return labels


def _joined(nodes: pd.DataFrame, edges: pd.DataFrame, gap_m: float) -> tuple[pd.DataFrame, int]:
    """Two-way edges over gaps between connected parts, the shortest of each pair of parts."""
    if gap_m <= 0 or not len(nodes):
        return edges, 0
    label = _labels(len(nodes), edges)
    if not label.any():
        return edges, 0
    xy = nodes[["x", "y"]].to_numpy()
    degree = np.bincount(edges[["tail", "head"]].to_numpy().ravel(), minlength=len(nodes))
    dead = np.flatnonzero(degree == 1)
    near = cKDTree(xy[dead]).query_ball_tree(cKDTree(xy), gap_m)
    pairs = [(int(d), n) for d, found in zip(dead, near, strict=True) for n in found]
    if not pairs:
        return edges, 0
    table = pd.DataFrame(pairs, columns=["tail", "head"])
    table = table[label[table["tail"]] != label[table["head"]]]
    ends = table[["tail", "head"]].to_numpy()
    table["length_m"] = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    table["low"] = np.minimum(label[ends[:, 0]], label[ends[:, 1]])
    table["high"] = np.maximum(label[ends[:, 0]], label[ends[:, 1]])
    shortest = table.sort_values(["length_m", "tail", "head"]).drop_duplicates(["low", "high"])
    added = shortest[["tail", "head", "length_m"]].assign(
        road_class="unclassified", oneway=False, car_kmh=np.nan, hgv_kmh=np.nan
    )
    added = added.astype({"tail": np.int32, "head": np.int32})
    return pd.concat([edges, added], ignore_index=True), len(added)


def _interchanges(
    nodes: pd.DataFrame, edges: pd.DataFrame, link: NDArray[np.bool_]
) -> gpd.GeoDataFrame:
    """One point for each group of slip roads that touches a motorway and another road."""
    ends = edges[["tail", "head"]].to_numpy()
    kind = edges["road_class"].to_numpy()

    def touched(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        mask = np.zeros(len(nodes), dtype=bool)
        mask[ends[rows].ravel()] = True
        return mask

    motorway = touched((kind == "motorway") & ~link)
    other = touched(~np.isin(kind, ["motorway"]) & ~link)
    slip = touched(link)
    label = _labels(len(nodes), edges[link])
    on_motorway = np.unique(label[slip & motorway])
    chosen = slip & other & np.isin(label, on_motorway)
    # The two sides of one interchange are two groups of slip roads, some 100 m apart: each
    # stays, since a site reaches the motorway by either.
    points = nodes[chosen].groupby(label[chosen])[["x", "y"]].first()
    numbers = [f"interchange-{n}" for n in range(1, len(points) + 1)]
    return gpd.GeoDataFrame(
        {
            "facility_id": pd.Series(numbers, dtype="str"),
            "facility_class": "motorway",
            "name": pd.Series([None] * len(points), dtype="str"),
            "approximate": False,
        },
        geometry=gpd.points_from_xy(points["x"], points["y"]),
        crs=CRS,
    )
