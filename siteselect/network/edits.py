"""What-if on the roads: closed edges and new ones, on the tables before the graph is built.

Only the tables change, so that everything after them (engines, oracles, kept times) sees an
ordinary graph. Roads are straight between their nodes, as in the graph itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import NetworkEdit
from siteselect.units import CRS, CRS_WEB, M_PER_KM

__all__ = ["NEAR_M", "edited_roads", "lambert_xy"]

Floats = NDArray[np.float64]

NEAR_M = 2_000.0
"""A closure or the end of a new road farther than this from every road is a mistake."""
_SAME_M = 1.0
"""Nearer than this to a node, a new road joins at the node."""


def lambert_xy(coordinates: Sequence[tuple[float, float]]) -> Floats:
    """float64[k, 2], metres EPSG:2154, of longitudes and latitudes; inf outside the projection."""
    transformer = pyproj.Transformer.from_crs(CRS_WEB, CRS, always_xy=True)
    given = np.array(coordinates, dtype=np.float64).reshape(-1, 2)
    return np.column_stack(transformer.transform(given[:, 0], given[:, 1]))


def edited_roads(
    nodes: pd.DataFrame, edges: pd.DataFrame, edits: Sequence[NetworkEdit]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables ``road_nodes`` and ``road_edges`` with closures, then new roads, applied.

    Closures are of the roads as given: the one nearest to a point (with those parallel to it
    between the same nodes: both ways of a divided road), or all that a line crosses. A new road
    follows its line and joins, at each end, the nearest road at the nearest place of it, which
    becomes a node. It meets no other road on the way. Other edits are left to others.

    Raises
    ------
    InputError
        No road within ``NEAR_M`` of a point or of the end of a new road, a line that crosses no
        road, a line without length.
    """
    log = FaultLog()
    draft = _Draft(nodes, edges)
    for kind, apply in (("close", _close), ("road", _add)):
        for index, edit in enumerate(edits):
            if edit.kind == kind:
                apply(draft, edit, f"network.edits[{index}]", log)
    log.check()
    return draft.tables()


class _Draft:
    """Tables being edited: rows of the pack, which of them still stand, and what is new."""

    def __init__(self, nodes: pd.DataFrame, edges: pd.DataFrame) -> None:
        self.nodes, self.edges = nodes, edges
        self.xy = nodes[["x", "y"]].to_numpy(dtype=np.float64)
        self.tail, self.head = edges["tail"].to_numpy(), edges["head"].to_numpy()
        self.open = np.ones(len(edges), dtype=np.bool_)
        self.new_xy: list[Floats] = []
        self.new_edges: list[dict[str, Any]] = []
        lines = np.stack([self.xy[self.tail], self.xy[self.head]], axis=1)
        self.lines = shapely.linestrings(lines)
        self.tree = shapely.STRtree(self.lines)

    def place(self, node: int) -> Floats:
        """Coordinates of a node, of the pack or new."""
        row: Floats = self.xy[node] if node < len(self.xy) else self.new_xy[node - len(self.xy)]
        return row

    def add_node(self, xy: Floats) -> int:
        """A new node; its number."""
        self.new_xy.append(xy)
        return len(self.xy) + len(self.new_xy) - 1

    def nearest(self, point: shapely.Point) -> int | None:
        """The nearest open edge: a row of the pack, or rows + its number among the new ones."""
        rows = self.tree.query(point, predicate="dwithin", distance=NEAR_M)
        rows = np.sort(rows[self.open[rows]])
        new = [i for i, edge in enumerate(self.new_edges) if edge["open"]]
        ends = [(self.new_edges[i]["tail"], self.new_edges[i]["head"]) for i in new]
        drawn = [shapely.LineString([self.place(a), self.place(b)]) for a, b in ends]
        away = shapely.distance(point, [*self.lines[rows], *drawn])
        if not away.size or away.min() > NEAR_M:
            return None
        found = int(np.argmin(away))
        return int(rows[found]) if found < rows.size else len(self.edges) + new[found - rows.size]

    def row(self, edge: int) -> dict[str, Any]:
        """Everything known of an edge."""
        if edge < len(self.edges):
            return {str(key): value for key, value in self.edges.iloc[edge].items()}
        return {
            key: v for key, v in self.new_edges[edge - len(self.edges)].items() if key != "open"
        }

    def close(self, edge: int) -> None:
        """The edge is no more."""
        if edge < len(self.edges):
            self.open[edge] = False
        else:
            self.new_edges[edge - len(self.edges)]["open"] = False

    def add_edge(self, row: dict[str, Any]) -> None:
        """A new edge."""
        self.new_edges.append({**row, "open": True})

    def join(self, xy: Floats) -> int | None:
        """A node on the nearest road: one that stands near, or one that cuts the road in two."""
        edge = self.nearest(shapely.Point(xy))
        if edge is None:
            return None
        row = self.row(edge)
        tail, head = int(row["tail"]), int(row["head"])
        start, end = self.place(tail), self.place(head)
        along = end - start
        share = float(np.clip((xy - start) @ along / max(float(along @ along), 1e-9), 0, 1))
        foot = start + share * along
        for node, at in ((tail, start), (head, end)):
            if np.hypot(*(foot - at)) <= _SAME_M:
                return node
        middle, length_m = self.add_node(foot), float(row["length_m"])
        self.close(edge)
        self.add_edge({**row, "head": middle, "length_m": share * length_m})
        self.add_edge({**row, "tail": middle, "length_m": (1 - share) * length_m})
        return middle

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The tables as edited; rows of the pack keep their order, what is new follows."""
        nodes = pd.DataFrame(
            {
                "x": np.concatenate([self.xy[:, 0], [xy[0] for xy in self.new_xy]]),
                "y": np.concatenate([self.xy[:, 1], [xy[1] for xy in self.new_xy]]),
            }
        )
        kept = self.edges[self.open]
        new = [
            {k: v for k, v in edge.items() if k != "open"}
            for edge in self.new_edges
            if edge["open"]
        ]
        if not new:
            return nodes, kept.reset_index(drop=True)
        added = pd.DataFrame(new)
        speeds = [name for name in ("car_kmh", "hgv_kmh") if name in self.edges.columns]
        kept = kept.astype(dict.fromkeys(speeds, float))
        return nodes, pd.concat([kept, added], ignore_index=True).astype({"oneway": bool})


def _close(draft: _Draft, edit: NetworkEdit, where: str, log: FaultLog) -> None:
    xy = lambert_xy(edit.coordinates)
    if len(xy) == 1:
        edge = draft.nearest(shapely.Point(xy[0])) if np.isfinite(xy).all() else None
        if edge is None:
            _far(edit.coordinates[0], where, log)
            return
        ends = {int(draft.tail[edge]), int(draft.head[edge])}
        same = np.isin(draft.tail, list(ends)) & np.isin(draft.head, list(ends))
        draft.open[same & (draft.tail != draft.head)] = False
        return
    crossed = (
        draft.tree.query(shapely.LineString(xy), predicate="intersects")
        if len(xy) and np.isfinite(xy).all()
        else np.empty(0, dtype=np.int64)
    )
    if not crossed.size:
        log.add(
            Msg("the line closes no road: it crosses none"),
            where=where,
            value=edit.name or None,
            remedy=Msg("draw it across the roads to close, in longitude and latitude"),
        )
    draft.open[crossed] = False


def _add(draft: _Draft, edit: NetworkEdit, where: str, log: FaultLog) -> None:
    xy = lambert_xy(edit.coordinates)
    if len(xy) < 2 or not (np.ptp(xy, axis=0) > 0).any():
        log.add(
            Msg("the new road has no length"),
            where=where,
            value=edit.name or None,
            remedy=Msg("draw a line of two points or more"),
        )
        return
    ends = []
    for at in (0, -1):
        node = draft.join(xy[at]) if np.isfinite(xy[at]).all() else None
        if node is None:
            _far(edit.coordinates[at], where, log)
            return
        ends.append(node)
    path = [ends[0], *(draft.add_node(place) for place in xy), ends[1]]
    for tail, head in pairwise(path):
        length_m = float(np.hypot(*(draft.place(tail) - draft.place(head))))
        draft.add_edge(
            {
                "tail": tail,
                "head": head,
                "length_m": length_m,
                "road_class": edit.road_class,
                "oneway": edit.oneway,
                "car_kmh": np.nan if edit.car_kmh is None else edit.car_kmh,
                "hgv_kmh": np.nan if edit.hgv_kmh is None else edit.hgv_kmh,
            }
        )


def _far(at: tuple[float, float], where: str, log: FaultLog) -> None:
    log.add(
        Msg("there is no road within {km:g} km", km=NEAR_M / M_PER_KM),
        where=where,
        value=tuple(at),
        remedy=Msg("give longitude then latitude (EPSG:4326), on the roads of the pack"),
    )


def check_classes(edits: Sequence[NetworkEdit], known: Sequence[str], log: FaultLog) -> None:
    """Faults for new roads of a class that has no speed."""
    for index, edit in enumerate(edits):
        if edit.kind == "road" and edit.road_class not in known:
            near = nearest_name(edit.road_class, known)
            log.add(
                Msg("road class {name} has no speed", name=edit.road_class),
                where=f"network.edits[{index}]",
                value=edit.road_class,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("use one of {known}", known=", ".join(known)),
            )
