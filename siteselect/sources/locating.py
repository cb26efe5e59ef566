"""Points, outlines and communes of the rows of an inventory, with what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from siteselect.sources import parcels, values
from siteselect.sources.findings import Findings
from siteselect.sources.placing import (
    FAR_FROM_ALL_M,
    Communes,
    Points,
    discs,
    in_bounds,
    outside_m,
    project,
)
from siteselect.units import CRS, CRS_WEB, M_PER_KM

LON_RANGE, LAT_RANGE = (-6.0, 10.5), (41.0, 52.0)
"""Metropolitan France in degrees: apart enough to tell a longitude from a latitude."""


@dataclass(frozen=True)
class Places:
    """Where each row is (index: number of the row)."""

    points: pd.DataFrame
    """x, y in metres EPSG:2154, NaN where unknown."""
    polygons: pd.Series[Any]
    """Outline stated, in EPSG:2154; missing where there is none that can be used."""
    codes: pd.Series[str]
    """Commune, current code."""

    def xy(self) -> Points:
        """The points as an array."""
        return self.points[["x", "y"]].to_numpy(dtype=float)

    def footprints(self, area_m2: pd.Series[float]) -> NDArray[np.object_]:
        """Outlines of the rows of ``area_m2``, discs of that area where none is stated."""
        rows = area_m2.index
        shapes = self.polygons.loc[rows].to_numpy(dtype=object, copy=True)
        centres = self.points.loc[rows, ["x", "y"]].to_numpy(dtype=float)
        missing = shapely.is_missing(shapes)
        shapes[missing] = discs(centres[missing], area_m2.to_numpy(dtype=float)[missing])
        return shapes


def locate(cells: pd.DataFrame, communes: Communes, findings: Findings) -> Places:
    """Points, outlines and codes of communes.

    ``cells``: text columns lon, lat, point (WKT), polygon (WKT), code_insee. Rows without a
    point in metropolitan France are left out; what was swapped, projected or replaced is noted.
    """
    polygons = _outlines(cells["polygon"], findings)
    xy = read_points(cells, findings)
    # An outline says where a site is even where its point is missing.
    lost = ~np.isfinite(xy).all(axis=1) & ~shapely.is_missing(polygons)
    if lost.any():
        xy[lost] = shapely.get_coordinates(shapely.point_on_surface(polygons[lost]))
    stated = written_point(cells)
    missing = pd.Series(~np.isfinite(xy).all(axis=1), index=cells.index)
    findings.leave_out(missing, "no_coordinates", stated)
    codes, near_m = communes.nearest(xy)
    abroad = ~in_bounds(xy) | (near_m > FAR_FROM_ALL_M)
    findings.leave_out(pd.Series(abroad, index=cells.index), "outside_france", stated)
    nearest = pd.Series(codes, index=cells.index, dtype="str")
    return Places(
        pd.DataFrame(xy, columns=["x", "y"], index=cells.index),
        pd.Series(polygons, index=cells.index, dtype=object),
        _communes(cells["code_insee"], nearest, xy, communes, findings),
    )


def written_point(cells: pd.DataFrame) -> pd.Series[str]:
    """What the file says of each place, for the report."""
    pair = (cells["lon"] + " " + cells["lat"]).str.strip()
    return cells["point"].where(cells["point"] != "", pair)


def read_points(cells: pd.DataFrame, findings: Findings) -> Points:
    """Points in EPSG:2154 from geompoint, or else from lon and lat."""
    a = np.array(values.numbers(cells["lon"]), dtype=np.float64)
    b = np.array(values.numbers(cells["lat"]), dtype=np.float64)
    shapes = _wkt(cells["point"])
    centres = shapely.centroid(shapes)
    given = ~shapely.is_missing(centres) & ~shapely.is_empty(centres)
    a[given], b[given] = shapely.get_x(centres[given]), shapely.get_y(centres[given])
    swapped = _within(a, LAT_RANGE) & _within(b, LON_RANGE)
    a[swapped], b[swapped] = b[swapped], a[swapped]
    written = written_point(cells)
    index = cells.index
    findings.note(pd.Series(swapped, index=index), "coordinates_swapped", written, "corrected")
    flat = np.column_stack([a, b])
    metric = in_bounds(flat)
    findings.note(pd.Series(metric, index=index), "coordinates_projected", written, "corrected")
    degrees = (np.abs(a) <= 180) & (np.abs(b) <= 90)
    xy: Points = np.full((len(cells), 2), np.nan)
    xy[degrees] = project(a[degrees], b[degrees])
    xy[metric] = flat[metric]
    return xy


def degrees(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres of EPSG:2154 → longitude, latitude."""
    transformer = pyproj.Transformer.from_crs(CRS, CRS_WEB, always_xy=True)
    lon, lat = transformer.transform(points[:, 0], points[:, 1])
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def _within(numbers: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (numbers >= bounds[0]) & (numbers <= bounds[1])
    return inside


def _wkt(cells: pd.Series[str]) -> NDArray[np.object_]:
    """Geometries of WKT texts (an SRID prefix is dropped); None where there is none."""
    texts = values.present(cells).str.replace(r"^SRID=\d+;\s*", "", regex=True)
    plain = np.array([text if isinstance(text, str) else None for text in texts], dtype=object)
    shapes: NDArray[np.object_] = shapely.from_wkt(plain, on_invalid="ignore")
    return shapes


def _outlines(cells: pd.Series[str], findings: Findings) -> NDArray[np.object_]:
    """Valid polygons in EPSG:2154 from WKT in degrees; what cannot be used is noted."""
    shapes = _wkt(cells)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    usable = polygonal & shapely.is_valid(shapes)
    shapes[~usable] = None
    if usable.any():
        shapes[usable] = shapely.transform(
            shapely.force_2d(shapes[usable]), lambda xy: to_metres(xy)
        )
        bounds = shapely.bounds(shapes)
        inside = in_bounds(bounds[:, :2]) & in_bounds(bounds[:, 2:])
        usable &= inside & shapely.is_valid(shapes)
        shapes[~usable] = None
    wrong = ~values.blank(cells).to_numpy() & ~usable
    findings.note(
        pd.Series(wrong, index=cells.index), "polygon_unusable", cells.str[:80], "corrected"
    )
    return shapes


def to_metres(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees → metres; what is metres already stays. Never NaN: shapely would raise."""
    if in_bounds(xy).all():
        return xy
    degrees = (np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)
    metres = np.zeros_like(xy)
    metres[degrees] = project(xy[degrees, 0], xy[degrees, 1])
    return np.nan_to_num(metres, nan=0.0, posinf=0.0, neginf=0.0)


def _heirs(
    codes: pd.Series[str], nearest: pd.Series[str], xy: Points, communes: Communes
) -> pd.Series[str]:
    """For codes of no current commune, the nearest one of the same département if it is near.

    Communes merge inside their département: the nearest point may lie across its border.
    """
    found = nearest.loc[codes.index].copy()
    for prefix, rows in codes.str[:2].groupby(codes.str[:2]).groups.items():
        at = codes.index.get_indexer(rows)
        heirs, distance_m = communes.within(str(prefix)).nearest(xy[at])
        near = distance_m <= FAR_FROM_ALL_M
        found.loc[rows[near]] = heirs[near]
    return found


def _communes(
    stated: pd.Series[str],
    nearest: pd.Series[str],
    xy: Points,
    communes: Communes,
    findings: Findings,
) -> pd.Series[str]:
    """Current codes: mended, districts joined to their city, unknown ones → nearest commune."""
    text = values.present(stated).fillna("")
    mended = values.insee_codes(text)
    codes = values.commune_of_district(mended)
    unknown = ~codes.isin(communes.codes)
    codes = codes.mask(unknown, _heirs(codes[unknown], nearest, xy[unknown.to_numpy()], communes))
    replaced = unknown | (codes != mended)
    arrow = stated + " → " + codes.fillna("")
    findings.note(replaced, "code_replaced", arrow, "corrected")
    findings.note(~replaced & (mended != text), "code_mended", arrow, "corrected")
    return codes


def check_communes(
    cells: pd.DataFrame,
    places: Places,
    communes: Communes,
    contours: gpd.GeoDataFrame | None,
    findings: Findings,
) -> None:
    """Note the points that are not in the commune stated; the sites are kept.

    With outlines of communes the test is exact. Without, two weaker ones: no parcel in the
    commune (exact where it speaks), and a point far from the commune's and near another's.
    """
    codes = places.codes.fillna("")
    index = cells.index
    if contours is not None:
        away_km = pd.Series(outside_m(places.xy(), list(codes), contours) / M_PER_KM, index=index)
        told = codes + " (" + away_km.map("{:.1f} km".format).astype("str") + ")"
        findings.note(away_km > 0, "outside_commune", told, "kept")
        return
    sets = parcels.parcel_sets(values.present(cells["parcels"]).fillna(""))
    elsewhere = parcels.elsewhere(sets, codes, set(communes.codes))
    findings.note(elsewhere, "parcels_elsewhere", codes + " / " + cells["parcels"].str[:14], "kept")
    far_km = pd.Series(communes.far_m(places.xy(), list(codes)) / M_PER_KM, index=index)
    told = codes + " (" + far_km.map("{:.1f} km".format).astype("str") + ")"
    findings.note(far_km.notna() & ~elsewhere, "far_from_commune", told, "kept")
