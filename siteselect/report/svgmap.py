"""The map of the page: shapes in a plane of about 10,000 × 10,000, in whole numbers.

Drawn by ``map.html.j2``.
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

from siteselect.report.geography import borders, centres, outlines
from siteselect.runs import Run
from siteselect.scenario import KINDS
from siteselect.units import FRANCE_BOUNDS, M_PER_KM

SPAN = 10_000.0
"""Longer side of the map, in map units."""
RADIUS = 100
"""Half size of a numbered marker."""
RADIUS_RESERVE = 50
"""Half size of a marker of the reserve."""
TOLERANCE = 0.1
"""Markers are at rest when none moves by more, in map units."""


@dataclass(frozen=True)
class Marker:
    """One site on the map: its place, and where its marker is put so that none hides another."""

    index: int
    kind: str
    x: int
    y: int
    label_x: int
    label_y: int

    @property
    def moved(self) -> bool:
        """Whether a line must lead from the marker to the place."""
        return math.hypot(self.label_x - self.x, self.label_y - self.y) > 30.0


@dataclass(frozen=True)
class MapDrawing:
    """All that the template draws; paths are in map units."""

    width: int
    height: int
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
    scale_width: int


class _Plane:
    """From Lambert-93 metres to map units, y downwards."""

    def __init__(self, bounds: Sequence[float]) -> None:
        xmin, ymin, xmax, ymax = bounds
        margin = 0.02 * max(xmax - xmin, ymax - ymin, 1.0)
        self.xmin, self.ymax = xmin - margin, ymax + margin
        self.metres = max(xmax - xmin, ymax - ymin, 1.0) + 2 * margin
        self.unit_m = self.metres / SPAN
        self.km = self.metres / 1000  # a thousandth of the map: a km on a map of France
        self.width = (xmax - xmin + 2 * margin) / self.unit_m
        self.height = (ymax - ymin + 2 * margin) / self.unit_m

    def project(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """N × 2 metres → n × 2 map units."""
        return np.column_stack(
            [(xy[:, 0] - self.xmin) / self.unit_m, (self.ymax - xy[:, 1]) / self.unit_m]
        )


def draw_map(run: Run, roads: NDArray[np.object_]) -> MapDrawing:
    """The map of a run; ``roads`` are lines in metres."""
    drawn = outlines(run.pack)
    regions = drawn[drawn["level"] == "region"]
    plane = _Plane(_bounds(regions, run.sites))
    sites = pd.DataFrame({"kind": run.sites["kind"], "status": run.sites["status"]})
    places = plane.project(centres(run.sites))
    others = (sites["status"] == "not_selected").to_numpy()
    dots = tuple(
        (kind, _dots(places[others & (sites["kind"] == kind).to_numpy()])) for kind in KINDS
    )
    km, width = _scale(plane)
    chosen = run.shortlist["status"].to_numpy() != "reserve"
    markers = _markers(run.shortlist, plane)
    return MapDrawing(
        width=round(plane.width),
        height=round(plane.height),
        land=tuple(
            (str(name), _areas(geometry, plane))
            for name, geometry in zip(regions["name"], regions.geometry, strict=True)
        ),
        borders=_borders(drawn[drawn["level"] == "departement"], plane),
        roads=_path(shapely.simplify(roads, plane.km), plane, closed=False),
        dots=dots,
        restored=_crosses(plane.project(centres(run.restoration))),
        selected=tuple(m for m in markers if chosen[m.index]),
        reserve=tuple(m for m in markers if not chosen[m.index]),
        scale_km=km,
        scale_width=round(width),
    )


def spread(places: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Markers moved apart until none hides another, each pulled back to its place.

    ``places`` is n × 2, ``radii`` the half size of each marker, both in map units.
    Deterministic: markers at the same place part along directions given by their index.
    """
    at = places.astype(np.float64).copy()
    n = len(at)
    index = np.arange(n)
    turn = (index[:, None] - index) * 2.399963  # golden angle
    aside = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * np.sign(turn)[..., None]
    aside = (aside - aside.transpose(1, 0, 2)) / 2  # what pushes i away from j pushes j from i
    gap = (radii[:, None] + radii) * 1.05
    np.fill_diagonal(gap, 0.0)
    for _ in range(400):
        delta = at[:, None, :] - at
        distance = np.hypot(delta[..., 0], delta[..., 1])
        apart = np.where(
            (distance > 1e-9)[..., None], delta / np.maximum(distance, 1e-9)[..., None], aside
        )
        push = 0.5 * np.maximum(gap - distance, 0.0)
        step = 0.03 * (places - at) + (push[..., None] * apart).sum(axis=1)
        at += step
        if not n or float(np.abs(step).max()) < TOLERANCE:
            break
    return at


def _bounds(regions: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Sequence[float]:
    for frame in (regions, sites):
        if len(frame):
            return [float(value) for value in frame.total_bounds]
    return FRANCE_BOUNDS


def _markers(shortlist: gpd.GeoDataFrame, plane: _Plane) -> tuple[Marker, ...]:
    places = plane.project(centres(shortlist))
    chosen = shortlist["status"].to_numpy() != "reserve"
    labels = spread(places, np.where(chosen, RADIUS, RADIUS_RESERVE))
    kinds = shortlist["kind"].tolist()
    return tuple(
        Marker(index, str(kind), *(round(float(value)) for value in (*place, *label)))
        for index, (kind, place, label) in enumerate(zip(kinds, places, labels, strict=True))
    )


def _path(geometries: Iterable[shapely.Geometry], plane: _Plane, *, closed: bool) -> str:
    """Lines as one path of whole numbers, in relative steps: short, and quick to write."""
    lines = np.asarray(list(geometries), dtype=object)
    if not len(lines):
        return ""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    units = np.rint(plane.project(xy)).astype(np.int64)
    steps = np.diff(units, axis=0, prepend=units[:1])
    first = np.diff(owner, prepend=-1) != 0
    kept = first | (steps != 0).any(axis=1)
    parts: list[str] = []
    open_line = False
    for (x, y), (dx, dy), starts in zip(
        units[kept].tolist(), steps[kept].tolist(), first[kept].tolist(), strict=True
    ):
        if starts:
            if open_line and closed:
                parts.append("z")
            parts.append(f"M{x} {y}l")
            open_line = True
        else:
            parts.append(f"{dx} {dy} ")
    text = "".join(parts).replace(" M", "M").replace(" z", "z").replace("lM", "l0 0M").rstrip()
    if text.endswith("l"):
        text += "0 0"
    return text + ("z" if closed else "")


def _areas(geometry: shapely.Geometry, plane: _Plane) -> str:
    simple = shapely.simplify(geometry, plane.km / 2)
    return _path(_rings(simple), plane, closed=True)


def _rings(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    polygons = shapely.get_parts(geometry)
    rings = shapely.get_rings(polygons)
    return [ring for ring in rings if shapely.get_num_coordinates(ring) > 3]


def _borders(departements: gpd.GeoDataFrame, plane: _Plane) -> str:
    lines = shapely.simplify(borders(departements), plane.km)
    return _path(lines, plane, closed=False)


def _dots(places: NDArray[np.float64]) -> str:
    """Lines of no length: their caps, round or square, are the dots."""
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in places.tolist())


def _crosses(places: NDArray[np.float64]) -> str:
    return "".join(f"M{x - 30:.0f} {y:.0f}h60m-30-30v60" for x, y in places.tolist())


def _scale(plane: _Plane) -> tuple[int, float]:
    """A round length in km of about a fifth of the map, and its width in map units."""
    target = plane.metres / 5 / M_PER_KM
    magnitude = 10 ** math.floor(math.log10(max(target, 1.0)))
    km = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= max(target, 1.0))
    return int(km), km * M_PER_KM / plane.unit_m
