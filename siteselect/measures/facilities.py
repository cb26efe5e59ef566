"""Facilities of a pack with those that a scenario adds or removes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.network.edits import lambert_xy
from siteselect.scenario import FACILITY_CLASSES, NetworkEdit
from siteselect.units import FRANCE_BOUNDS

__all__ = ["KNOWN_CLASSES", "check_facility_classes", "edited_facilities"]

KNOWN_CLASSES = (*FACILITY_CLASSES, "substation", "siding")
_MARGIN_M = 200_000.0
"""A port or an airport across the border serves too; one on another continent is a mistake."""


def edited_facilities(
    facilities: gpd.GeoDataFrame, edits: Sequence[NetworkEdit]
) -> gpd.GeoDataFrame:
    """``facility_id, facility_class, name, geometry`` with the edits of a scenario applied.

    Raises
    ------
    InputError
        A class or an identifier that does not exist, one that exists twice, a point far away.
    """
    log = FaultLog()
    known = set(facilities["facility_id"].astype(str))
    rows = []
    for index, edit in enumerate(edits):
        where = f"network.edits[{index}]"
        if edit.kind == "facility":
            check_facility_classes([edit.facility_class], where, log)
            rows.append(_added(edit, where, known, log))
        elif edit.kind == "remove" and edit.facility_id not in known:
            near = nearest_name(edit.facility_id, known)
            log.add(
                Msg("no facility of the pack has this identifier"),
                where=where,
                value=edit.facility_id,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("give the facility_id of the pack"),
            )
    log.check()
    removed = {edit.facility_id for edit in edits if edit.kind == "remove"}
    kept = facilities[~facilities["facility_id"].astype(str).isin(removed)]
    if not rows:
        return kept
    new = gpd.GeoDataFrame(rows, geometry="geometry", crs=facilities.crs)
    return gpd.GeoDataFrame(pd.concat([kept, new], ignore_index=True), crs=facilities.crs)


def check_facility_classes(classes: Iterable[str], where: str, log: FaultLog) -> None:
    """Faults for classes of facility that are not known."""
    for name in sorted(set(classes) - set(KNOWN_CLASSES)):
        near = nearest_name(name, KNOWN_CLASSES)
        log.add(
            Msg("facility class {name} is not known", name=name),
            file=where,
            value=name,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("use one of {known}", known=", ".join(KNOWN_CLASSES)),
        )


def _added(edit: NetworkEdit, where: str, known: set[str], log: FaultLog) -> dict[str, object]:
    name = edit.facility_id or where
    if name in known:
        log.add(
            Msg("a facility has this identifier already"),
            where=where,
            value=name,
            remedy=Msg("leave facility_id out, or give another"),
        )
    known.add(name)
    xy = lambert_xy(edit.coordinates)
    west, south, east, north = FRANCE_BOUNDS
    low = np.array([west, south]) - _MARGIN_M
    high = np.array([east, north]) + _MARGIN_M
    if len(xy) != 1 or not ((xy >= low) & (xy <= high)).all():
        log.add(
            Msg("the facility is not in France nor near it"),
            where=where,
            value=edit.coordinates[0] if edit.coordinates else None,
            remedy=Msg("give one point, longitude then latitude (EPSG:4326)"),
        )
        xy = np.zeros((1, 2))
    return {
        "facility_id": name,
        "facility_class": edit.facility_class,
        "name": edit.name or name,
        "geometry": shapely.Point(xy[0]),
    }
