"""Where a site is: its point, its commune, the disc that stands for its footprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from siteselect.units import CRS, CRS_WEB, FRANCE_BOUNDS

DISC_SIDES = 32
FAR_FROM_ALL_M = 25_000.0
"""Farther than this from every commune's point is abroad or at sea (the largest commune, Arles,
reaches 24 km from its point)."""
NEIGHBOURS = 6

Points = NDArray[np.float64]
"""Coordinates, metres EPSG:2154, shape (n, 2); NaN where there is no point."""


def project(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Points:
    """Degrees → metres of EPSG:2154; NaN where the projection has no answer."""
    transformer = pyproj.Transformer.from_crs(CRS_WEB, CRS, always_xy=True)
    x, y = transformer.transform(lon, lat)
    points = np.column_stack([x, y]).astype(np.float64).reshape(-1, 2)
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return points


def in_bounds(points: Points) -> NDArray[np.bool_]:
    """Whether each point is in the rectangle around metropolitan France."""
    west, south, east, north = FRANCE_BOUNDS
    x, y = points[:, 0], points[:, 1]
    inside: NDArray[np.bool_] = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return inside


@dataclass(frozen=True)
class Communes:
    """The points of the communes, searchable."""

    codes: NDArray[np.object_]
    points: Points
    tree: cKDTree
    spacing_m: NDArray[np.float64]
    """Median distance of each commune to its nearest neighbours: the scale of the place."""

    @classmethod
    def of(cls, table: gpd.GeoDataFrame) -> Communes:
        """From the table of a pack (code_insee, point geometry in EPSG:2154)."""
        points = shapely.get_coordinates(table.geometry.values)
        tree = cKDTree(points)
        if not len(points):
            return cls(np.empty(0, dtype=object), points, tree, np.empty(0))
        near = min(NEIGHBOURS + 1, len(points))
        distances = np.atleast_2d(tree.query(points, k=near)[0]).reshape(len(points), near)
        spacing = np.median(distances[:, 1:], axis=1) if near > 1 else np.full(len(points), np.inf)
        return cls(table["code_insee"].to_numpy(dtype=object), points, tree, spacing)

    def within(self, departement: str) -> Communes:
        """Those whose code begins so."""
        chosen = self.codes.astype(f"U{max(1, len(departement))}") == departement
        points = self.points[chosen]
        return Communes(self.codes[chosen], points, cKDTree(points), self.spacing_m[chosen])

    def nearest(self, points: Points) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
        """The nearest commune's code and its distance, metres (None, inf for no point)."""
        real = np.isfinite(points).all(axis=1)
        code = np.full(len(points), None, dtype=object)
        distance_m = np.full(len(points), np.inf)
        if real.any() and len(self.points):
            distance_m[real], found = self.tree.query(points[real])
            code[real] = self.codes[found]
        return code, distance_m

    def far_m(self, points: Points, codes: Sequence[str]) -> NDArray[np.float64]:
        """Distance to the stated commune's point where that is suspect, NaN elsewhere, metres.

        Suspect: another commune's point is over three times nearer, and the stated one is
        farther than the communes around it usually are from each other. Points cannot do
        better: of 194 rows found in the national inventory of March 2024, 36 % lie outside the
        outline of their commune, and 20 % of those that do by more than 500 m are found, 43 %
        of those by more than 2 km. It says "look at it", not "wrong".
        """
        at = pd.Index(self.codes).get_indexer(pd.Index(codes))
        own = np.linalg.norm(points - self.points[at], axis=1)
        _, nearest_m = self.nearest(points)
        suspect = (at >= 0) & (own > 3.0 * nearest_m) & (own > self.spacing_m[at])
        return np.where(suspect, own, np.nan)


def outside_m(points: Points, codes: Sequence[str], contours: gpd.GeoDataFrame) -> Points:
    """Distance of each point to the outline of its commune, metres; NaN where unknown, 0 inside.

    ``contours``: code_insee and polygons in EPSG:2154. The sound test, where outlines are given.
    """
    shapes = contours.set_index("code_insee").geometry.reindex(pd.Index(codes)).to_numpy()
    distance: Points = shapely.distance(shapely.points(points), shapes)
    return distance


def discs(points: Points, area_m2: NDArray[np.float64]) -> NDArray[np.object_]:
    """Regular polygons of :data:`DISC_SIDES` sides of exactly these areas around the points."""
    angle = np.linspace(0.0, 2.0 * np.pi, DISC_SIDES, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    unit_m2 = DISC_SIDES / 2 * np.sin(2 * np.pi / DISC_SIDES)
    radius = np.sqrt(area_m2 / unit_m2)
    corners = points[:, np.newaxis, :] + radius[:, np.newaxis, np.newaxis] * circle
    polygons: NDArray[np.object_] = shapely.polygons(corners)
    return polygons
