"""Where a site is measured from, and whether a layer can be measured at all."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped, snap
from siteselect.scenario import NetworkSettings
from siteselect.units import CRS, M_PER_KM

__all__ = ["points_xy", "site_index", "snap_layer"]

Floats = NDArray[np.float64]


def site_index(sites: gpd.GeoDataFrame) -> pd.Index[str]:
    """The index of every table of measures: ``site_id``, from the column or the index."""
    if "site_id" in sites.columns:
        index: pd.Index[str] = pd.Index(sites["site_id"], name="site_id")
        return index
    if sites.index.name == "site_id":
        given: pd.Index[str] = sites.index
        return given
    log = FaultLog()
    log.add(
        Msg("the column {column} is missing", column="site_id"),
        file="sites",
        remedy=Msg("add the column {column}", column="site_id"),
    )
    log.check()
    raise AssertionError


def points_xy(layer: gpd.GeoDataFrame, *, name: str) -> Floats:
    """float64[k, 2]: a point inside each geometry, EPSG:2154 (``representative_point``).

    Raises
    ------
    InputError
        Another coordinate system, or an empty or missing geometry.
    """
    log = FaultLog()
    if layer.crs is None or layer.crs != CRS:
        log.add(
            Msg("the layer is not in EPSG:2154"),
            file=name,
            value=None if layer.crs is None else layer.crs.to_string(),
            remedy=Msg("project it to EPSG:2154")
            if layer.crs is not None
            else Msg("state its coordinate system and project it to EPSG:2154"),
        )
        log.check()
    geometry = layer.geometry
    empty = np.flatnonzero((geometry.isna() | geometry.is_empty).to_numpy())
    if empty.size:
        first = int(empty[0])
        log.add(
            Msg("{count} geometries are empty", count=int(empty.size)),
            file=name,
            where=str(layer["site_id"].iloc[first])
            if "site_id" in layer.columns
            else f"row {first}",
            remedy=Msg("give every row a geometry, or leave the row out"),
        )
        log.check()
    points = geometry.representative_point()
    return np.column_stack([points.x.to_numpy(), points.y.to_numpy()]).astype(np.float64)


def snap_layer(
    graph: RoadGraph, layer: gpd.GeoDataFrame, *, name: str, settings: NetworkSettings
) -> Snapped:
    """A layer's points on the road, with the bound and access speed of the scenario."""
    return snap(
        graph,
        points_xy(layer, name=name),
        max_m=settings.max_snap_km * M_PER_KM,
        access_speed_kmh=settings.access_speed_kmh,
    )
