"""What every map draws beneath the sites: outlines, main roads, facilities of the pack."""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.ledger import CODE_COLUMN
from siteselect.pack import DataPack
from siteselect.territories import SCOT, communes_with_scot
from siteselect.units import CRS

MAJOR_CLASSES = frozenset({"motorway", "trunk", "unclassified"})
"""Roads drawn; a graph without classes is one of main roads."""
MAX_ROAD_EDGES = 200_000


def outlines(pack: DataPack) -> gpd.GeoDataFrame:
    """Regions and départements (level, code, name, geometry); empty where the pack has none."""
    if pack.has("outlines"):
        return pack.vectors("outlines")
    empty = pd.DataFrame(columns=["level", "code", "name"])
    return gpd.GeoDataFrame(empty, geometry=[], crs=CRS)


def territory_shapes(pack: DataPack, level: str, codes: Collection[str]) -> gpd.GeoDataFrame:
    """Outlines of territories of one level: code, geometry; those that the pack can draw.

    Regions and départements have outlines of their own; any level can be put together from the
    outlines of its communes, where the pack has them (role ``contours``).
    """
    drawn = outlines(pack)
    found = drawn[(drawn["level"] == level) & drawn["code"].isin(codes)][["code", "geometry"]]
    rest = set(codes) - set(found["code"])
    if rest and pack.has("contours") and pack.has("communes"):
        column = CODE_COLUMN[level]
        kept = {"code_insee", column} - {SCOT}
        table = communes_with_scot(pack, pack.table("communes", columns=sorted(kept)))
        if column not in table:
            return gpd.GeoDataFrame(found, geometry="geometry", crs=CRS)
        table = table[table[column].isin(rest)].assign(code=lambda d: d[column].astype(str))
        shapes = pack.vectors("contours")[["code_insee", "geometry"]]
        joined = shapes.merge(table[["code_insee", "code"]].drop_duplicates(), on="code_insee")
        if len(joined):
            whole = joined[["code", "geometry"]].dissolve(by="code", as_index=False)
            found = pd.concat([found, whole], ignore_index=True)
    return gpd.GeoDataFrame(found, geometry="geometry", crs=CRS)


def centres(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """N × 2 metres: the centroid of every geometry."""
    if not len(frame):
        return np.empty((0, 2))
    points = shapely.centroid(frame.geometry.to_numpy())
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def main_roads(pack: DataPack, regions: gpd.GeoDataFrame, *, near_m: float) -> NDArray[np.object_]:
    """Lines of the main roads inside the country, joined end to end.

    ``near_m`` is the tolerance of the border: a road that leaves the country is dropped, so that
    no stubs end in the sea. Empty where the graph has no main roads or too many to draw.
    """
    nothing = np.empty(0, dtype=object)
    if not (pack.has("road_nodes") and pack.has("road_edges")):
        return nothing
    edges = pack.table("road_edges", columns=["tail", "head", "road_class"])
    edges = edges[edges["road_class"].isin(MAJOR_CLASSES)]
    if not 0 < len(edges) <= MAX_ROAD_EDGES:
        return nothing
    nodes = pack.table("road_nodes", columns=["x", "y"]).to_numpy(dtype=np.float64)
    ends = np.unique(np.sort(edges[["tail", "head"]].to_numpy(dtype=np.int64), axis=1), axis=0)
    segments = shapely.linestrings(nodes[ends])
    if len(regions):
        country = shapely.union_all(shapely.simplify(regions.geometry.to_numpy(), near_m))
        shapely.prepare(country)
        segments = segments[shapely.covers(country, segments)]
    merged = shapely.line_merge(shapely.multilinestrings(segments))
    lines: NDArray[np.object_] = shapely.get_parts(merged)
    return lines


def facilities(pack: DataPack) -> gpd.GeoDataFrame:
    """Places that measures count to: facility_class, name, geometry; empty where there are none."""
    if not pack.has("facilities"):
        empty = pd.DataFrame(columns=["facility_class", "name"])
        return gpd.GeoDataFrame(empty, geometry=[], crs=CRS)
    table = pack.vectors("facilities")
    return gpd.GeoDataFrame(table[["facility_class", "name", "geometry"]])


def borders(departements: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Lines between départements, each once."""
    if not len(departements):
        return np.empty(0, dtype=object)
    union = shapely.unary_union(shapely.boundary(departements.geometry.to_numpy()))
    lines: NDArray[np.object_] = shapely.get_parts(shapely.line_merge(union))
    return lines
