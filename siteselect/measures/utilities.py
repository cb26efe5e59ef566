"""Straight-line distances to the networks that a factory is connected to."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.measures.places import points_xy, site_index
from siteselect.units import M_PER_KM

__all__ = ["measure_utilities"]

Floats = NDArray[np.float64]


def measure_utilities(
    sites: gpd.GeoDataFrame,
    substations: gpd.GeoDataFrame | None,
    rail: gpd.GeoDataFrame | None,
    sidings: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Kilometres in a straight line from each site, indexed by ``site_id``.

    ``substation_km`` to the nearest high-voltage substation (points), ``rail_km`` to the nearest
    railway line (linestrings), ``siding_km`` to the nearest private siding (points); all from a
    point inside the footprint, EPSG:2154. NaN where the pack has no such layer: unknown, not far.

    Raises
    ------
    InputError
        A layer in another CRS, an empty geometry.
    """
    index = site_index(sites)
    origins = shapely.points(points_xy(sites, name="sites"))
    return pd.DataFrame(
        {
            "substation_km": _nearest_km(origins, substations, name="substations"),
            "rail_km": _nearest_km(origins, rail, name="rail"),
            "siding_km": _nearest_km(origins, sidings, name="sidings"),
        },
        index=index,
    )


def _nearest_km(
    origins: NDArray[np.object_], layer: gpd.GeoDataFrame | None, *, name: str
) -> Floats:
    distance_km = np.full(len(origins), np.nan)
    if layer is None or len(layer) == 0 or len(origins) == 0:
        return distance_km
    points_xy(layer, name=name)  # refuses another CRS and empty geometries
    tree = shapely.STRtree(layer.geometry.to_numpy())
    found, distance_m = tree.query_nearest(origins, all_matches=False, return_distance=True)
    distance_km[found[0]] = distance_m / M_PER_KM
    return distance_km
