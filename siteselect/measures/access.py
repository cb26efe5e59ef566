"""Minutes by road from each site to the nearest facility of each class."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.measures.facilities import check_facility_classes
from siteselect.measures.places import site_index, snap_layer
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped
from siteselect.network.travel import nearest_ms
from siteselect.scenario import FACILITY_CLASSES, NetworkSettings
from siteselect.units import M_PER_KM, ms_to_min

__all__ = ["measure_access", "nearest_min"]


def measure_access(
    sites: gpd.GeoDataFrame,
    graph: RoadGraph,
    facilities: gpd.GeoDataFrame | None,
    settings: NetworkSettings,
    *,
    snapped: Snapped | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> pd.DataFrame:
    """Access of each site: one row a ``site_id``, in the order given.

    Columns ``<class>_min`` for every class of ``FACILITY_CLASSES``: minutes **from** the site
    **to** the nearest facility, off-road legs at both ends included; inf where none can be
    reached (an island, a site too far from any road), NaN where ``facilities`` has none of the
    class: unknown, not far. ``snap_km``: straight line from the site to the nearest road, also
    where that is beyond ``max_snap_km``.

    Parameters
    ----------
    sites
        ``site_id`` and footprints, EPSG:2154; measured from a point inside the footprint.
    facilities
        ``facility_class`` and points, EPSG:2154; None when the pack has no such layer.
    snapped
        The sites on the road, when already known.

    Raises
    ------
    InputError
        A layer in another CRS, an empty geometry, a misspelt facility class.
    """
    index = site_index(sites)
    origins = snapped or snap_layer(graph, sites, name="sites", settings=settings)
    columns = {f"{name}_min": np.full(len(index), np.nan) for name in FACILITY_CLASSES}
    if facilities is not None and len(facilities):
        log = FaultLog()
        check_facility_classes(facilities["facility_class"].astype(str), "facilities", log)
        log.check()
        kind = facilities["facility_class"].astype(str)
        for position, name in enumerate(FACILITY_CLASSES):
            chosen = facilities[(kind == name).to_numpy()]
            columns[f"{name}_min"] = nearest_min(graph, origins, chosen, settings, name=name)
            if progress is not None:
                progress("access", (position + 1) / len(FACILITY_CLASSES))
    columns["snap_km"] = origins.distance_m / M_PER_KM
    return pd.DataFrame(columns, index=index)


def nearest_min(
    graph: RoadGraph,
    origins: Snapped,
    facilities: gpd.GeoDataFrame,
    settings: NetworkSettings,
    *,
    name: str,
) -> NDArray[np.float64]:
    """float64[origins]: minutes to the nearest of these facilities; NaN where there is none.

    Raises
    ------
    InputError
        A layer in another CRS, an empty geometry; ``name`` is the class, for the message.
    """
    if len(facilities) == 0:
        return np.full(len(origins), np.nan)
    targets = snap_layer(graph, facilities, name=f"facilities ({name})", settings=settings)
    return ms_to_min(nearest_ms(graph, origins, targets))
