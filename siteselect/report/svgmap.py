"""The map of the page: shapes in a plane of about 1000 × 1000, drawn by ``map.svg.j2``.

North is up (Lambert-93 grid). Kinds are told apart by shape as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.pack import DataPack
from siteselect.runs import Run
from siteselect.scenario import KINDS
from siteselect.units import CRS, FRANCE_BOUNDS, M_PER_KM

SPAN = 1000.0
"""Longer side of the map, in map units."""
RADIUS = 10.0
"""Half size of a numbered marker."""
MAJOR_CLASSES = frozenset({"motorway", "trunk", "unclassified"})
"""Roads drawn; a graph without classes is one of main roads."""
MAX_ROAD_EDGES = 200_000


@dataclass(frozen=True)
class Marker:
    """One site on the map: its place, and where its marker is put so that none hides another."""

    index: int
    kind: str
    x: float
    y: float
    label_x: float
    label_y: float

    @property
    def moved(self) -> bool:
        """Whether a line must lead from the marker to the place."""
        return math.hypot(self.label_x - self.x, self.label_y - self.y) > 3.0


@dataclass(frozen=True)
class MapDrawing:
    """All that the template draws; paths are in map units."""

    width: float
    height: float
    land: tuple[tuple[str, str], ...]
    """name of the region, path"""
    borders: str
    roads: str
    dots: tuple[tuple[str, str], ...]
    """kind, path of one dot per candidate that is neither chosen nor in reserve"""
    restored: str
    selected: tuple[Marker, ...]
    reserve: tuple[Marker, ...]
    scale_km: int
    scale_width: float


class _Plane:
    """From Lambert-93 metres to map units, y downwards."""

    def __init__(self, bounds: Sequence[float]) -> None:
        xmin, ymin, xmax, ymax = bounds
        margin = 0.02 * max(xmax - xmin, ymax - ymin, 1.0)
        self.xmin, self.ymax = xmin - margin, ymax + margin
        self.metres = max(xmax - xmin, ymax - ymin, 1.0) + 2 * margin
        self.unit_m = self.metres / SPAN
        self.width = (xmax - xmin + 2 * margin) / self.unit_m
        self.height = (ymax - ymin + 2 * margin) / self.unit_m

    def project(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """N × 2 metres → n × 2 map units."""
        return np.column_stack(
            [(xy[:, 0] - self.xmin) / self.unit_m, (self.ymax - xy[:, 1]) / self.unit_m]
        )


def draw_map(run: Run) -> MapDrawing:
    """The map of a run."""
    outlines = _outlines(run.pack)
    regions = outlines[outlines["level"] == "region"]
    plane = _Plane(_bounds(regions, run.sites))
    sites = pd.DataFrame({"kind": run.sites["kind"], "status": run.sites["status"]})
    places = plane.project(_points(run.sites))
    others = (sites["status"] == "not_selected").to_numpy()
    dots = tuple(
        (kind, _dots(places[others & (sites["kind"] == kind).to_numpy()])) for kind in KINDS
    )
    km, width = _scale(plane)
    chosen = run.shortlist["status"].to_numpy() != "reserve"
    return MapDrawing(
        width=round(plane.width, 1),
        height=round(plane.height, 1),
        land=tuple(
            (str(name), _areas(geometry, plane))
            for name, geometry in zip(regions["name"], regions.geometry, strict=True)
        ),
        borders=_borders(outlines[outlines["level"] == "departement"], plane),
        roads=_roads(run.pack, regions, plane),
        dots=dots,
        restored=_crosses(plane.project(_points(run.restoration))),
        selected=_markers(run.shortlist, chosen, plane, apart=True),
        reserve=_markers(run.shortlist, ~chosen, plane, apart=False),
        scale_km=km,
        scale_width=round(width, 1),
    )


def spread(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Markers moved apart until no two are nearer than ``gap``, each pulled back to its place.

    Deterministic: markers at the same place part along directions given by their index.
    """
    at = places.astype(np.float64).copy()
    n = len(at)
    for _ in range(300):
        step = 0.04 * (places - at)
        for i in range(n):
            delta = at[i] - at
            distance = np.hypot(delta[:, 0], delta[:, 1])
            near = (distance < gap) & (np.arange(n) != i)
            for j in np.flatnonzero(near):
                turn = (i - j) * 2.399963  # golden angle
                away = (
                    delta[j] / distance[j]
                    if distance[j] > 1e-9
                    else np.array([math.cos(turn), math.sin(turn)]) * (1 if i > j else -1)
                )
                step[i] += 0.5 * (gap - distance[j]) * away
        at += step
        if not n or float(np.abs(step).max()) < 0.01:
            break
    return at


def _outlines(pack: DataPack) -> gpd.GeoDataFrame:
    if pack.has("outlines"):
        return pack.vectors("outlines")
    empty = pd.DataFrame(columns=["level", "code", "name"])
    return gpd.GeoDataFrame(empty, geometry=[], crs=CRS)


def _bounds(regions: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Sequence[float]:
    for frame in (regions, sites):
        if len(frame):
            return [float(value) for value in frame.total_bounds]
    return FRANCE_BOUNDS


def _points(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    if not len(frame):
        return np.empty((0, 2))
    points = shapely.centroid(frame.geometry.to_numpy())
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _markers(
    shortlist: gpd.GeoDataFrame, kept: NDArray[np.bool_], plane: _Plane, *, apart: bool
) -> tuple[Marker, ...]:
    places = plane.project(_points(shortlist))[kept]
    labels = spread(places, 2 * RADIUS + 1) if apart else places
    kinds = shortlist["kind"].to_numpy()[kept]
    return tuple(
        Marker(
            int(index),
            str(kind),
            *(round(float(v), 1) for v in (*place, *label)),
        )
        for index, kind, place, label in zip(
            np.flatnonzero(kept), kinds, places, labels, strict=True
        )
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-0.", "-.") if value else "0"


def _line(xy: NDArray[np.float64], plane: _Plane, *, closed: bool) -> str:
    """A path in relative steps of 0.1 unit: a third of the size of absolute coordinates."""
    tenths = np.rint(plane.project(xy) * 10).astype(np.int64)
    keep = np.ones(len(tenths), dtype=bool)
    keep[1:] = (np.diff(tenths, axis=0) != 0).any(axis=1)
    tenths = tenths[keep]
    if len(tenths) < 2:
        return ""
    steps = np.diff(tenths, axis=0) / 10
    moves = " ".join(f"{_number(dx)} {_number(dy)}" for dx, dy in steps)
    start = tenths[0] / 10
    return f"M{_number(start[0])} {_number(start[1])}l{moves}" + ("z" if closed else "")


def _areas(geometry: shapely.Geometry, plane: _Plane) -> str:
    simple = shapely.simplify(geometry, plane.unit_m / 2)
    rings = [
        ring
        for part in shapely.get_parts(simple)
        for ring in (part.exterior, *part.interiors)
        if ring is not None and len(ring.coords) > 3
    ]
    return "".join(_line(shapely.get_coordinates(ring), plane, closed=True) for ring in rings)


def _borders(departements: gpd.GeoDataFrame, plane: _Plane) -> str:
    if not len(departements):
        return ""
    # a border shared by two départements is drawn once
    lines = shapely.line_merge(
        shapely.unary_union(shapely.boundary(departements.geometry.to_numpy()))
    )
    return _lines(shapely.get_parts(lines), plane)


def _roads(pack: DataPack, regions: gpd.GeoDataFrame, plane: _Plane) -> str:
    if not (pack.has("road_nodes") and pack.has("road_edges")):
        return ""
    edges = pack.table("road_edges", columns=["tail", "head", "road_class"])
    edges = edges[edges["road_class"].isin(MAJOR_CLASSES)]
    if not 0 < len(edges) <= MAX_ROAD_EDGES:
        return ""
    nodes = pack.table("road_nodes", columns=["x", "y"]).to_numpy(dtype=np.float64)
    ends = np.unique(np.sort(edges[["tail", "head"]].to_numpy(dtype=np.int64), axis=1), axis=0)
    segments = shapely.linestrings(nodes[ends])
    if len(regions):
        country = shapely.union_all(regions.geometry.to_numpy())
        shapely.prepare(country)
        segments = segments[shapely.intersects(country, segments)]
    merged = shapely.line_merge(shapely.multilinestrings(segments))
    return _lines(shapely.get_parts(merged), plane)


def _lines(lines: Iterable[shapely.Geometry], plane: _Plane) -> str:
    simple = shapely.simplify(np.asarray(list(lines), dtype=object), plane.unit_m)
    return "".join(_line(shapely.get_coordinates(line), plane, closed=False) for line in simple)


def _dots(places: NDArray[np.float64]) -> str:
    """Lines of no length: their caps, round or square, are the dots."""
    return "".join(f"M{_number(x)} {_number(y)}h0" for x, y in np.round(places, 1))


def _crosses(places: NDArray[np.float64]) -> str:
    return "".join(f"M{_number(x - 3)} {_number(y)}h6m-3 -3v6" for x, y in np.round(places, 1))


def _scale(plane: _Plane) -> tuple[int, float]:
    """A round length in km of about a fifth of the map, and its width in map units."""
    target = plane.metres / 5 / M_PER_KM
    magnitude = 10 ** math.floor(math.log10(max(target, 1.0)))
    km = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= max(target, 1.0))
    return int(km), km * M_PER_KM / plane.unit_m
