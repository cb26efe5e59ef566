"""Checks of a pack on the map: places, footprints, network, raster."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from siteselect.messages import Msg
from siteselect.schemas import examples
from siteselect.sources.covered import MAX_MISSING_SHARE, covered_share
from siteselect.sources.placing import outside_m
from siteselect.sources.problems import Problem, Tables
from siteselect.units import M2_PER_HA, M_PER_KM

FAR_FACILITY_M = 5_000.0
FAR_SITE_M = 15_000.0
"""As the bound of snapping of the scenarios: farther, a site is unreachable."""
AREA_TOLERANCE = 0.2
OUTSIDE_M = 100.0
"""A point this near the outline of its commune may be drawn so, not wrong."""
SAME_FOOTPRINT = 0.9
"""Footprints that share this much of the smaller one are the same land told twice."""


def check_places(tables: Tables) -> Iterator[Problem]:
    """Sites against the outlines of communes."""
    sites, contours = tables.shapes("sites"), tables.shapes("contours")
    if sites is None:
        return
    if contours is None:
        none = pd.Series("", index=sites.index, dtype="str")
        issues = sites.get("import_issues", none)
        doubtful = sites[issues.fillna("").str.contains("outside_commune|far_from|elsewhere")]
        remedy = Msg("give outlines of communes (role contours) for an exact test")
        away = ""
    else:
        points = sites.geometry.representative_point()
        xy = np.column_stack([points.x, points.y])
        distance_m = outside_m(xy, list(sites["code_insee"]), contours)
        doubtful = sites[distance_m > OUTSIDE_M]
        far_km = float(np.nanmax(distance_m, initial=0.0)) / M_PER_KM
        away = f" ({far_km:.0f} km)"
        remedy = Msg("correct the commune or the coordinates; territories are taken from the code")
    if len(doubtful):
        yield Problem(
            "warning", "sites", Msg("sites outside their commune"), len(doubtful),
            examples(doubtful["site_id"]) + away, remedy,
        )  # fmt: skip
    shares = tables.get("shares")
    if shares is not None:
        counts = shares.groupby("site_id").size()
        several = counts.index[counts > 1]
        if len(several):
            yield Problem(
                "note", "sites", Msg("sites over several communes"), len(several),
                examples(several),
                Msg("their land is charged to each of them by area (layer shares)"),
            )  # fmt: skip


def check_areas(tables: Tables) -> Iterator[Problem]:
    """Areas stated against footprints; discs; pieces."""
    sites = tables.shapes("sites")
    if sites is None:
        return
    measured_ha = sites.geometry.area / M2_PER_HA
    stated_ha = sites["area_ha"].astype(float)
    differs = (measured_ha - stated_ha).abs() > AREA_TOLERANCE * np.maximum(measured_ha, stated_ha)
    if differs.any():
        told = [
            f"{site} ({stated:.2f} / {measured:.2f} ha)"
            for site, stated, measured in zip(
                sites["site_id"][differs], stated_ha[differs], measured_ha[differs], strict=True
            )
        ]
        yield Problem(
            "warning", "sites", Msg("areas stated that differ from the footprint by over a fifth"),
            int(differs.sum()), examples(told),
            Msg("the footprint is what counts; correct the one that is wrong"),
        )  # fmt: skip
    discs = int((sites["geometry_origin"] == "disc").sum())
    if discs:
        yield Problem(
            "warning", "sites", Msg("footprints that are discs of the area stated"), discs, "",
            Msg("give outlines: land and neighbours are measured under them"),
        )  # fmt: skip
    if "contiguous_ha" in sites:
        split = sites["contiguous_ha"] < (1 - AREA_TOLERANCE) * measured_ha
        if split.any():
            yield Problem(
                "note", "sites", Msg("footprints in several pieces"), int(split.sum()),
                examples(sites["site_id"][split]),
                Msg("contiguous_ha is the area of the largest piece"),
            )  # fmt: skip


def check_twice(tables: Tables) -> Iterator[Problem]:
    """The same land told twice."""
    sites = tables.shapes("sites")
    if sites is None or not len(sites):
        return
    shapes = sites.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    least = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    ids = sites["site_id"].to_numpy()
    for message, rows, remedy in (
        (
            Msg("pairs of sites on the same land (over nine tenths of the smaller one)"),
            shared > SAME_FOOTPRINT * least,
            Msg("keep one of the two; otherwise only one of them is ever chosen"),
        ),
        (
            Msg("pairs of sites that overlap in part"),
            (shared > 1.0) & (shared <= SAME_FOOTPRINT * least),
            Msg("only one of each pair is ever chosen; discs overlap more than real outlines"),
        ),
    ):
        if rows.any():
            pairs = [f"{ids[a]} + {ids[b]}" for a, b in zip(first[rows], second[rows], strict=True)]
            yield Problem("warning", "sites", message, int(rows.sum()), examples(pairs), remedy)


def _lines(tables: Tables) -> tuple[NDArray[np.object_], NDArray[np.float64]] | None:
    nodes, edges = tables.get("road_nodes"), tables.get("road_edges")
    if nodes is None or edges is None or not len(edges):
        return None
    xy = nodes[["x", "y"]].to_numpy(dtype=float)
    ends = edges[["tail", "head"]].to_numpy()
    lines: NDArray[np.object_] = shapely.linestrings(xy[ends])
    return lines, xy


def check_network(tables: Tables) -> Iterator[Problem]:
    """Connected parts; what lies far from any road."""
    nodes, edges = tables.get("road_nodes"), tables.get("road_edges")
    if nodes is None or edges is None or not len(edges):
        return
    if edges[["tail", "head"]].to_numpy().max() >= len(nodes):
        yield Problem(
            "error", "road_edges", Msg("roads that end at no node"),
            int((edges[["tail", "head"]].max(axis=1) >= len(nodes)).sum()), "",
            Msg("build the pack again"),
        )  # fmt: skip
        return
    n = len(nodes)
    links = coo_array(
        (np.ones(len(edges), np.int8), (edges["tail"].to_numpy(), edges["head"].to_numpy())),
        shape=(n, n),
    )
    label = connected_components(links, directed=False)[1]
    sizes = np.sort(np.bincount(label))[::-1]
    if len(sizes) > 1:
        yield Problem(
            "warning", "road_edges",
            Msg(
                "parts of the road network that are not connected; {share:.1%} of the nodes lie "
                "outside the largest one",
                share=1 - sizes[0] / n,
            ),
            len(sizes), ", ".join(str(size) for size in sizes[:6]),
            Msg("join the gaps (gap_m), add ferries or the missing roads; islands are normal"),
        )  # fmt: skip
    found = _lines(tables)
    sites, communes = tables.shapes("sites"), tables.shapes("communes")
    if found is not None and communes is not None:
        off = _beyond(found[0], communes, FAR_FACILITY_M)
        if off.any():
            people = int(communes.loc[off, "population"].fillna(0).sum())
            yield Problem(
                "warning",
                "communes",
                Msg(
                    "communes whose point is farther than 5 km from any road "
                    "({people} inhabitants)",
                    people=people,
                ),
                int(off.sum()),
                examples(communes.loc[off].sort_values("population", ascending=False)["name"]),
                Msg("a hole in the roads counts their workers too far: complete the roads"),
            )
    if found is None or sites is None:
        return
    far = _beyond(found[0], sites, FAR_SITE_M)
    if far.any():
        yield Problem(
            "warning", "sites", Msg("sites farther than 15 km from any road: unreachable"),
            int(far.sum()), examples(sites["site_id"][far]),
            Msg("complete the roads around them, or reduce the area of the pack"),
        )  # fmt: skip


def _beyond(
    lines: NDArray[np.object_], layer: gpd.GeoDataFrame, bound_m: float
) -> NDArray[np.bool_]:
    """Rows of a layer that lie farther than this from every line."""
    points = shapely.point_on_surface(layer.geometry.to_numpy())
    near, _ = shapely.STRtree(lines).query_nearest(points, max_distance=bound_m, all_matches=False)
    far = np.ones(len(layer), dtype=bool)
    far[near] = False
    return far


def check_facilities(tables: Tables) -> Iterator[Problem]:
    """Places far from roads, approximate ones, classes that lack."""
    facilities = tables.shapes("facilities")
    found = _lines(tables)
    if facilities is None:
        return
    for name, rows in facilities.groupby("facility_class").groups.items():
        group = facilities.loc[rows]
        if found is not None and name not in ("substation", "siding"):
            far = _beyond(found[0], group, FAR_FACILITY_M)
            if far.any():
                yield Problem(
                    "warning", f"facilities ({name})",
                    Msg("places farther than 5 km from any road of the pack"), int(far.sum()),
                    examples(group["name"][far].fillna(group["facility_id"])),
                    Msg("normal outside the area of the roads; else correct their coordinates"),
                )  # fmt: skip
        if "approximate" in group:
            doubtful = group["approximate"].fillna(False).astype(bool)
            if doubtful.any():
                yield Problem(
                    "warning", f"facilities ({name})", Msg("places whose position is approximate"),
                    int(doubtful.sum()),
                    examples(group["name"][doubtful].fillna(group["facility_id"])),
                    Msg("distances to them are assumed; give exact coordinates where they matter"),
                )  # fmt: skip
    wanted = ("motorway", "rail_freight", "port", "airport", "station", "substation")
    lacking = sorted(set(wanted) - set(facilities["facility_class"]))
    if lacking:
        yield Problem(
            "warning", "facilities", Msg("classes of facility that the pack does not have"),
            len(lacking), ", ".join(lacking),
            Msg("criteria on them stay unknown and lower the reliability of every site"),
        )  # fmt: skip


def check_raster(tables: Tables) -> Iterator[Problem]:
    """Land use under the sites."""
    pack, sites = tables.pack, tables.shapes("sites")
    if not pack.has("landuse"):
        yield Problem(
            "warning", "landuse", Msg("no land-use raster: land is assumed by the scenario"), 1, "",
            Msg("add OCS GE, or a raster with its legend"),
        )  # fmt: skip
        return
    path = pack.path("landuse")
    try:
        with rasterio.open(path) as dataset:
            crs = dataset.crs
        if sites is None or crs is None:
            return
        share = covered_share(sites, path)
    except (RasterioError, OSError) as error:
        yield Problem(
            "error", "landuse", Msg("the land-use raster cannot be read: {error}", error=error), 1,
            path.name, Msg("restore the file, or build the pack again"),
        )  # fmt: skip
        return
    holes = share < 1.0 - MAX_MISSING_SHARE
    if holes.any():
        yield Problem(
            "error", "landuse", Msg("sites that the land-use raster does not wholly cover"),
            int(holes.sum()), examples(sites["site_id"][holes]),
            Msg("take a raster that covers them, or set under_raster in the build file"),
        )  # fmt: skip


def check_extents(tables: Tables) -> Iterator[Problem]:
    """Roads and sites that do not overlap."""
    sites, nodes = tables.shapes("sites"), tables.get("road_nodes")
    if sites is None or nodes is None or not len(sites) or not len(nodes):
        return
    west, south, east, north = sites.total_bounds
    apart = (
        nodes["x"].max() < west
        or nodes["x"].min() > east
        or nodes["y"].max() < south
        or nodes["y"].min() > north
    )
    if apart:
        yield Problem(
            "error", "road_nodes", Msg("roads and sites do not overlap at all"), 1,
            "", Msg("give the roads of the territory of the sites, in its CRS"),
        )  # fmt: skip
