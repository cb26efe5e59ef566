"""What every reader of a table hands on: the rows kept, and a line of report for each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.sources import locating, values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.placing import Points

Frame = TypeVar("Frame", pd.DataFrame, gpd.GeoDataFrame)

CODE_NAMES = (
    "code_insee",
    "insee_com",
    "insee",
    "codgeo",
    "code_commune",
    "comm_insee",
    "depcom",
    "idcom",
    "com",
    "code",
)
NAME_NAMES = ("name", "nom", "libelle", "libgeo", "toponyme", "label")
LON_NAMES = ("lon", "longitude", "x_wgs84", "lng", "long", "x", "x_l93", "coordonnee_x")
LAT_NAMES = ("lat", "latitude", "y_wgs84", "y", "y_l93", "coordonnee_y")
POINT_NAMES = ("geompoint", "wkt", "point", "geo_point", "point_on_surface")


@dataclass(frozen=True)
class Part(Generic[Frame]):
    """A table read.

    Attributes
    ----------
    table
        the rows kept, as a table of the pack.
    report
        row, site_id (identifier or code), issue, value, action: as in
        :class:`siteselect.sources.findings.Findings`.
    rows
        rows of the file; each was kept, or has a line ``left_out``.
    """

    table: Frame
    report: pd.DataFrame
    rows: int

    @property
    def left_out(self) -> int:
        """Rows that are not in the table; each has a line of report at least."""
        return int(self.report.loc[self.report["action"] == "left_out", "row"].nunique())

    def counts(self) -> Mapping[str, int]:
        """Lines of report by issue, the most frequent first."""
        return {str(k): int(n) for k, n in self.report["issue"].value_counts().items()}


def points_of(opened: Opened, findings: Findings) -> Points:
    """A point by row, metres EPSG:2154, NaN where there is none.

    From the geometry where the file has one, else from a WKT column or longitude and latitude
    (swapped or projected ones are mended and noted).
    """
    if opened.geometry is not None:
        inside = shapely.point_on_surface(opened.geometry)
        return np.column_stack([shapely.get_x(inside), shapely.get_y(inside)])
    frame = pd.DataFrame(
        {
            "lon": opened.cells(LON_NAMES),
            "lat": opened.cells(LAT_NAMES),
            "point": opened.cells(POINT_NAMES),
        }
    )
    return locating.read_points(frame, findings)


def true_at(index: pd.Index[int], rows: object) -> pd.Series[bool]:
    """A column of bool with that index."""
    return pd.Series(np.asarray(rows, dtype=bool), index=index)


def codes_of(opened: Opened, findings: Findings, *, what: str) -> pd.Series[str]:
    """INSEE codes mended (zero eaten, small letter); rows without one are left out."""
    stated = opened.need(CODE_NAMES, what=what)
    codes = values.insee_codes(values.present(stated).fillna(""))
    findings.leave_out(codes == "", "no_code", stated)
    findings.note((codes != stated) & (codes != ""), "code_mended", stated, "corrected")
    return codes


def rows_not_asked(whole: Opened, chosen: Opened) -> pd.DataFrame:
    """Lines of report of the rows that the build file does not ask for (``where``)."""
    rows = whole.frame.index.difference(chosen.frame.index)
    first = whole.frame.columns[0] if len(whole.frame.columns) else None
    return pd.DataFrame(
        {
            "row": rows.to_numpy(dtype="int64"),
            "site_id": None,
            "issue": "not_asked",
            "value": "" if first is None else whole.frame.loc[rows, first].to_numpy(),
            "action": "left_out",
        }
    ).astype({"site_id": "str", "issue": "str", "value": "str", "action": "str"})
