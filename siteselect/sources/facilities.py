"""Places that sites are measured from: substations, yards, tolls, ports, airports, stations.

Any table of points with a small mapping: class, name, coordinates.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.locating import written_point
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
from siteselect.sources.placing import in_bounds
from siteselect.sources.plan import Input
from siteselect.units import CRS

ID_NAMES = ("facility_id", "id", "code", "code_uic", "unlocode", "bus_id", "idreseau", "idgaia")
NAMES = (
    *NAME_NAMES,
    "nomgare",
    "gare",
    "nom du chantier",
    "nom_site",
    "poste",
    "nom_ets",
    "ville",
    "commune",
)
VOLTAGE_NAMES = ("voltage_kv", "voltage", "tension", "tension_kv", "u_nom")
VOLTS = 1_000.0
"""A voltage over this is in volts, not in kilovolts."""
SAME_PLACE_M = 1.0


def read_facilities(opened: Opened, one: Input) -> Part[gpd.GeoDataFrame]:
    """Table ``facilities`` of a pack from any table of points.

    Rows without coordinates, outside metropolitan France and its rectangle, or at the place of
    another row (within a metre) are left out and reported; ``approximate`` names the rows whose
    position is only about right, which are kept, noted, and make the layer *assumed*.

    Raises
    ------
    InputError
        no column holds coordinates; a column of the mapping is not there.
    """
    if opened.geometry is None and opened.find(POINT_NAMES) is None:
        opened.need(LON_NAMES, what="the longitude")
        opened.need(LAT_NAMES, what="the latitude")
    index = opened.frame.index
    ids = _ids(opened, str(one.facility_class))
    findings = Findings(ids)
    xy = points_of(opened, findings)
    written = _written(opened)
    findings.leave_out(true_at(index, ~np.isfinite(xy).all(axis=1)), "no_coordinates", written)
    findings.leave_out(true_at(index, ~in_bounds(xy)), "outside_france", written)
    place = pd.Series(
        [tuple(p) for p in np.floor(np.nan_to_num(xy) / SAME_PLACE_M).tolist()], index=index
    )
    again = place.where(findings.kept).dropna().duplicated()
    findings.leave_out(again.reindex(index, fill_value=False), "same_point", written)
    doubtful = _doubtful(opened, one)
    findings.note(doubtful, "approximate_position", written, "kept")
    kept = findings.kept.to_numpy()
    named = values.present(opened.cells(NAMES)).str.replace(r"\s+", " ", regex=True).str.strip()
    columns: dict[str, object] = {
        "facility_id": ids[kept],
        "facility_class": str(one.facility_class),
        "name": named[kept],
        "approximate": doubtful[kept],
    }
    if one.facility_class == "substation":
        columns["voltage_kv"] = _voltage(opened)[kept]
    frame = gpd.GeoDataFrame(
        pd.DataFrame(columns, index=index[kept]),
        geometry=gpd.points_from_xy(*xy[kept].T),
        crs=CRS,
    )
    return Part(
        frame.sort_values("facility_id", ignore_index=True),
        findings.report(opened.damaged),
        opened.rows,
    )


def _ids(opened: Opened, prefix: str) -> pd.Series[str]:
    """Identifiers of the file where they are one to a row, else class and number of row."""
    stated = values.present(opened.cells(ID_NAMES))
    if len(stated) and stated.notna().all() and stated.is_unique:
        return stated
    numbered = pd.Series(opened.frame.index, index=opened.frame.index).astype("str")
    return (prefix + "-" + numbered).astype("str")


def _written(opened: Opened) -> pd.Series[str]:
    cells = pd.DataFrame(
        {
            "lon": opened.cells(LON_NAMES),
            "lat": opened.cells(LAT_NAMES),
            "point": opened.cells(POINT_NAMES),
        }
    )
    return written_point(cells)


def _doubtful(opened: Opened, one: Input) -> pd.Series[bool]:
    if one.position_assumed:
        return true_at(opened.frame.index, np.ones(len(opened.frame)))
    rows = np.zeros(len(opened.frame), dtype=bool)
    for column, wanted in one.approximate.items():
        cells = opened.need([column], what=column)
        rows |= cells.map(values.fold).isin({values.fold(w) for w in wanted}).to_numpy()
    return true_at(opened.frame.index, rows)


def _voltage(opened: Opened) -> pd.Series[float]:
    stated = values.numbers(opened.cells(VOLTAGE_NAMES))
    stated = stated.where(stated > 0)
    return stated.where(~(stated > VOLTS), stated / VOLTS)
