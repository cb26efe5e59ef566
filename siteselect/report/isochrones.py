"""The area from which the workers of a site come within 30 and 45 minutes, for maps and GIS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import shapely

from siteselect.measures.places import snap_layer
from siteselect.measures.roads import scenario_graph
from siteselect.network.isochrone import isochrone
from siteselect.runs import Run
from siteselect.units import CRS, min_to_ms

MINUTES = (30, 45)
SIMPLIFIED_M = 150.0
"""Tolerance of the outlines: the road graph is placed to about 100 m."""
Progress = Callable[[str, float], None]


def isochrones(
    run: Run, *, minutes: Sequence[int] = MINUTES, progress: Progress | None = None
) -> gpd.GeoDataFrame:
    """Isochrones of every site of the shortlist, by car, towards the site.

    Returns
    -------
    GeoDataFrame in EPSG:2154: ``site_id``, ``minutes`` (int), ``geometry`` (multipolygon), by
    site in the order of the shortlist, then by minutes; nothing for a site off the network.
    Empty where the pack has no road graph.
    """
    if not (run.pack.has("road_nodes") and run.pack.has("road_edges")):
        return no_isochrones()
    settings = run.scenario.network
    graph = scenario_graph(run.pack.table("road_nodes"), run.pack.table("road_edges"), settings)
    places = snap_layer(graph, run.shortlist, name="sites", settings=settings)
    wanted = [(row, limit) for row in range(len(run.shortlist)) for limit in sorted(minutes)]

    def one(at: tuple[int, int]) -> shapely.Geometry:
        row, limit = at
        shape = isochrone(
            graph,
            places.take(np.array([row], dtype=np.int64)),
            cutoff_ms=min_to_ms(limit),
            access_speed_kmh=settings.access_speed_kmh,
        )
        return _many(shapely.simplify(shape, SIMPLIFIED_M))

    shapes = []
    with ThreadPoolExecutor(run.scenario.solve.workers) as threads:  # unions release the GIL
        for shape in threads.map(one, wanted):
            shapes.append(shape)
            if progress is not None:
                progress("isochrones", len(shapes) / len(wanted))
    site_ids = run.shortlist["site_id"].tolist()
    table = {
        "site_id": np.array([site_ids[row] for row, _ in wanted], dtype=object),
        "minutes": np.array([limit for _, limit in wanted], dtype=np.int64),
    }
    found = gpd.GeoDataFrame(table, geometry=shapes, crs=CRS)
    return gpd.GeoDataFrame(found[~found.geometry.is_empty]).reset_index(drop=True)


def no_isochrones() -> gpd.GeoDataFrame:
    """The table of isochrones where none was computed."""
    columns = {"site_id": np.array([], dtype=object), "minutes": np.array([], dtype=np.int64)}
    return gpd.GeoDataFrame(columns, geometry=[], crs=CRS)


def _many(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.multipolygons([shape]) if shape.geom_type == "Polygon" else shape
