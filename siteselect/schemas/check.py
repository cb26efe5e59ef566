"""Check a table, and its CRS before anything else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyproj
import shapely
from numpy.typing import NDArray

from siteselect.errors import Fault, FaultLog, InputError
from siteselect.messages import Msg
from siteselect.schemas.rules import among, geometry_rule
from siteselect.schemas.tables import TABLES, Table
from siteselect.schemas.telling import Teller
from siteselect.units import CRS, FRANCE_BOUNDS

Frame = TypeVar("Frame", bound=pd.DataFrame)


def check_crs(frame: gpd.GeoDataFrame, log: FaultLog, *, file: Path | str | None = None) -> None:
    """Note a missing CRS or one that is not EPSG:2154."""
    crs = getattr(frame, "crs", None)
    if crs is None:
        log.add(
            Msg("the layer has no CRS"),
            file=file,
            remedy=Msg("write it with its CRS; a pack is in {crs}", crs=CRS),
        )
    elif not pyproj.CRS.from_user_input(crs).equals(CRS, ignore_axis_order=True):
        log.add(
            Msg("the layer is not in {crs}", crs=CRS),
            file=file,
            value=pyproj.CRS.from_user_input(crs).to_string(),
            remedy=Msg("reproject it to {crs}", crs=CRS),
        )


def check_table(
    frame: Frame,
    schema_name: str,
    *,
    file: Path | str | None = None,
    communes: Collection[str] | None = None,
) -> Frame:
    """Check a table of a pack or of a run; gives it back unchanged.

    Parameters
    ----------
    frame
        the table; with a geometry where the schema has one.
    schema_name
        a key of :data:`TABLES`.
    file
        where the table comes from, for the messages.
    communes
        codes that ``code_insee`` may have; not checked when None.

    Raises
    ------
    InputError
        everything wrong with the table at once: one fault for each column and kind of problem,
        with the number of rows, the first few names and values, and the remedy. A wrong CRS is
        told alone: coordinates mean nothing then.
    KeyError
        there is no schema of that name.
    """
    table = TABLES[schema_name]
    log = FaultLog()
    if table.geometry and isinstance(frame, gpd.GeoDataFrame):
        check_crs(frame, log, file=file)
        log.check()
    columns = {name: cells.pandera() for name, cells in table.columns.items()}
    if communes is not None and "code_insee" in columns:
        columns["code_insee"].checks.append(pa.Check(among(communes), name="commune"))
    plain = _without_geometry(frame, table, columns)
    try:
        pa.DataFrameSchema(columns).validate(plain, lazy=True)
    except pa.errors.SchemaErrors as found:
        teller = Teller(plain, table, file)
        raise InputError(_distinct(teller.fault(e) for e in found.schema_errors)) from found
    return frame


def _distinct(faults: Iterable[Fault]) -> list[Fault]:
    return list({fault.render(): fault for fault in faults}.values())


def _without_geometry(
    frame: pd.DataFrame, table: Table, columns: dict[str, pa.Column]
) -> pd.DataFrame:
    """The frame with its geometry replaced by what is wrong with it, as text ("" when right)."""
    plain = pd.DataFrame(frame).reset_index(drop=True)
    if not table.geometry:
        return plain
    columns["geometry"] = pa.Column(
        checks=[pa.Check(rule.holds, name=rule.name) for rule in map(geometry_rule, table.checks)]
    )
    if isinstance(frame, gpd.GeoDataFrame) and "geometry" in plain:
        shapes = np.asarray(frame.geometry.values, dtype=object)
        plain["geometry"] = _geometry_problems(shapes, table)
    elif "geometry" in plain:
        plain["geometry"] = "type"
    return plain


def _geometry_problems(shapes: NDArray[np.object_], table: Table) -> NDArray[np.object_]:
    problems = np.full(len(shapes), "", dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    kinds = np.array([shapely.GeometryType[kind.upper()].value for kind in table.geometry])
    other = ~empty & ~np.isin(shapely.get_type_id(shapes), kinds)
    bounds = shapely.bounds(shapes)
    west, south, east, north = FRANCE_BOUNDS
    # "not inside" rather than "outside", so that NaN and infinite coordinates are caught.
    inside = (
        (bounds[:, 0] >= west)
        & (bounds[:, 1] >= south)
        & (bounds[:, 2] <= east)
        & (bounds[:, 3] <= north)
    )
    problems[~inside & ~empty] = "outside"
    if "invalid" in table.checks:
        invalid = np.flatnonzero(~empty & ~shapely.is_valid(shapes))
        problems[invalid] = "invalid: " + np.atleast_1d(
            shapely.is_valid_reason(shapes[invalid])
        ).astype(object)
    problems[other] = np.array(
        [f"type: {shape.geom_type}" for shape in shapes[other]], dtype=object
    )
    problems[empty] = "empty"
    return problems
