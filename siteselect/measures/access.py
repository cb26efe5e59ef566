"""Minutes by road from each site to the nearest facility of each class."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd

from siteselect.errors import FaultLog, nearest_name
from siteselect.measures.places import site_index, snap_layer
from siteselect.messages import Msg
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped
from siteselect.network.travel import nearest_ms
from siteselect.scenario import FACILITY_CLASSES, NetworkSettings
from siteselect.units import M_PER_KM, ms_to_min

__all__ = ["measure_access"]

_KNOWN = (*FACILITY_CLASSES, "substation", "siding")


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
        _check_classes(facilities)
        kind = facilities["facility_class"].astype(str)
        for position, name in enumerate(FACILITY_CLASSES):
            chosen = facilities[(kind == name).to_numpy()]
            if len(chosen):
                targets = snap_layer(graph, chosen, name=f"facilities ({name})", settings=settings)
                columns[f"{name}_min"] = ms_to_min(nearest_ms(graph, origins, targets))
            if progress is not None:
                progress("access", (position + 1) / len(FACILITY_CLASSES))
    columns["snap_km"] = origins.distance_m / M_PER_KM
    return pd.DataFrame(columns, index=index)


def _check_classes(facilities: gpd.GeoDataFrame) -> None:
    log = FaultLog()
    for name in sorted(set(facilities["facility_class"].astype(str)) - set(_KNOWN)):
        near = nearest_name(name, _KNOWN)
        log.add(
            Msg("facility class {name} is not known", name=name),
            file="facilities",
            value=name,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("use one of {known}", known=", ".join(_KNOWN)),
        )
    log.check()
