"""Zones where a site may not be (or that must be told): Natura 2000, flood, ZNIEFF, Seveso.

Polygons, lines or points, with a buffer; whichever footprint they touch is marked.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.part import (
    LAT_NAMES,
    LON_NAMES,
    NAME_NAMES,
    POINT_NAMES,
    Part,
    points_of,
    true_at,
)
from siteselect.sources.plan import Input
from siteselect.units import CRS

SLIVER_M2 = 1.0
"""Footprints that share less than this with a zone only touch it."""
ID_NAMES = ("sitecode", "id_mnhn", "id", "code_aiot", "gid", "code")
SITE_NAMES = ("sitename", "nom_site", "nom_ets", "nom_sitem", *NAME_NAMES)


def read_exclusions(opened: Opened, one: Input) -> Part[gpd.GeoDataFrame]:
    """Table ``exclusions`` of a pack: kind, name, effect, min_share, buffer_m and polygons.

    Raises
    ------
    InputError
        neither geometry nor coordinates; points or lines without a buffer leave no zone and are
        reported row by row.
    """
    index = opened.frame.index
    findings = Findings(values.present(opened.cells(ID_NAMES)))
    if opened.geometry is None:
        if opened.find(POINT_NAMES) is None:
            opened.need(LON_NAMES, what="the longitude")
            opened.need(LAT_NAMES, what="the latitude")
        xy = points_of(opened, findings)
        known = np.isfinite(xy).all(axis=1)
        shapes = np.full(len(index), None, dtype=object)
        shapes[known] = shapely.points(xy[known])
    else:
        shapes = opened.geometry.copy()
    present = ~shapely.is_missing(shapes)
    broken = present & ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    if one.buffer_m > 0:
        shapes[present] = shapely.buffer(shapes[present], one.buffer_m)
    usable = present & (shapely.area(shapes) > 0)
    names = values.present(opened.cells(SITE_NAMES))
    findings.leave_out(true_at(index, ~usable), "no_geometry", names.fillna(""))
    kept = findings.kept.to_numpy()
    frame = gpd.GeoDataFrame(
        {
            "kind": one.kind,
            "name": names[kept].to_numpy(),
            "effect": one.effect,
            "min_share": one.min_share,
            "buffer_m": one.buffer_m,
        },
        index=pd.RangeIndex(int(kept.sum())),
        geometry=_polygons(shapes[kept]),
        crs=CRS,
    )
    return Part(frame, findings.report(opened.damaged), opened.rows)


def _polygons(shapes: np.ndarray) -> np.ndarray:
    """Polygons only: a repaired outline may be a collection with a line in it."""
    mixed = shapely.get_type_id(shapes) == 7
    result = shapes.copy()
    result[mixed] = [
        shapely.union_all([p for p in shapely.get_parts(shape) if p.area > 0])
        for shape in shapes[mixed]
    ]
    return result


def mark(sites: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The sites with ``excluded_by`` and ``flagged_by``: kinds of the zones, by comma, or null.

    A site is marked when zones of one kind and effect share more than ``min_share`` of its
    footprint together (any part over 1 m² when that is 0).
    """
    footprints = sites.geometry.to_numpy()
    tree = shapely.STRtree(footprints)
    marked: dict[str, list[pd.Series[str]]] = {"exclude": [], "flag": []}
    for (kind, effect, least), rows in zones.groupby(
        ["kind", "effect", "min_share"]
    ).groups.items():
        shapes = zones.geometry.loc[rows].to_numpy()
        zone, site = tree.query(shapes, predicate="intersects")
        if not len(site):
            continue
        parts = pd.Series(shapely.intersection(shapes[zone], footprints[site])).groupby(site)
        shared_m2 = parts.agg(lambda cut: shapely.union_all(cut.to_numpy()).area)
        area_m2 = shapely.area(footprints[shared_m2.index])
        inside = shared_m2.to_numpy() > np.maximum(SLIVER_M2, float(least) * area_m2)
        marked[str(effect)].append(pd.Series(str(kind), index=shared_m2.index[inside]))
    result = sites.copy()
    for effect, column in (("exclude", "excluded_by"), ("flag", "flagged_by")):
        joined = pd.concat(marked[effect]) if marked[effect] else pd.Series(dtype="str")
        text = joined.groupby(level=0).agg(lambda kinds: ", ".join(sorted(set(kinds))))
        result[column] = text.reindex(range(len(sites))).astype("str").to_numpy()
    return result
