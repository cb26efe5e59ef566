"""``shortlist.gpkg``: what a GIS officer opens in QGIS, in Lambert-93."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.columns import RESTORATION, SITES, WORD, Column
from siteselect.report.tables import floats
from siteselect.report.words import word
from siteselect.runs import Run
from siteselect.units import CRS

LAYERS = ("selected", "reserve", "candidates", "restoration")
_UNREACHABLE = Column("unreachable", Msg("Not reachable by road"))
_UNKNOWN = Column("unknown", Msg("Not known"))


def write_geopackage(run: Run, path: Path, t: Translator) -> None:
    """Four layers: selected, reserve, candidates (all sites), restoration.

    Codes stay as in the canonical tables; ``<column>_label`` says them in words. SQLite has no
    infinity: an unreachable or unknown measure is NULL, and the columns ``unreachable`` and
    ``unknown`` name those concerned, so that no blank is read as zero.
    """
    path.unlink(missing_ok=True)
    short = run.shortlist
    layers = {
        "selected": _sites(short[short["status"] != "reserve"], t),
        "reserve": _sites(short[short["status"] == "reserve"], t),
        "candidates": _sites(run.sites, t),
        "restoration": _plain(run.restoration, RESTORATION),
    }
    stamp = f"{run.created:%Y-%m-%dT%H:%M:%S}.000Z"
    previous = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    # the library stamps every layer with the present time: two runs would never be the same file
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        for name, frame in layers.items():
            pyogrio.write_dataframe(
                frame,
                path,
                layer=name,
                driver="GPKG",
                geometry_type="MultiPolygon",
                promote_to_multi=True,
                append=name != LAYERS[0],
                layer_options={"GEOMETRY_NAME": "geom"},
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": previous})
    _write_aliases(path, {name: list(frame.columns) for name, frame in layers.items()}, t)


def _plain(frame: gpd.GeoDataFrame, columns: Sequence[Column]) -> gpd.GeoDataFrame:
    kept = [column for column in columns if column.key in frame.columns]
    data = {column.key: _values(frame[column.key], column) for column in kept}
    table = pd.DataFrame(data, index=range(len(frame)))
    return gpd.GeoDataFrame(table, geometry=list(frame.geometry), crs=CRS)


def _sites(frame: gpd.GeoDataFrame, t: Translator) -> gpd.GeoDataFrame:
    plain = _plain(frame, SITES)
    for column in SITES:
        if column.form is WORD and column.key in plain.columns:
            labels = [
                word(column.key, v, t) if isinstance(v, str) else None for v in plain[column.key]
            ]
            plain[f"{column.key}_label"] = pd.Series(labels, dtype=object, index=plain.index)
    measures = [c for c in SITES if c.form.numeric and c.key in frame.columns]
    plain["unreachable"] = _named(frame, measures, t, math.isinf)
    plain["unknown"] = _named(frame, [c for c in measures if c.empty is None], t, math.isnan)
    return plain


def _values(series: pd.Series[Any], column: Column) -> object:
    if not column.form.numeric:
        return [str(v) if isinstance(v, str) and v else None for v in series]
    array = floats(series, math.nan)
    array[np.isinf(array)] = math.nan
    if column.form.name == "rank":
        return pd.array([None if math.isnan(v) else int(v) for v in array], dtype="Int64")
    return array


def _named(
    frame: gpd.GeoDataFrame,
    columns: Sequence[Column],
    t: Translator,
    test: Callable[[float], bool],
) -> list[str]:
    names: list[list[str]] = [[] for _ in range(len(frame))]
    for column in columns:
        for row, value in enumerate(floats(frame[column.key], math.nan)):
            if test(float(value)):
                names[row].append(t.text(column.label))
    return ["; ".join(found) for found in names]


def _write_aliases(path: Path, columns: dict[str, list[str]], t: Translator) -> None:
    """Names of columns for people, by the schema extension (OGC GeoPackage 1.2.1, F.9)."""
    every = (*RESTORATION, *SITES, _UNREACHABLE, _UNKNOWN)
    labels = {column.key: t.text(column.label) for column in every}
    code = t.text(Msg("code"))
    rows = []
    for layer, names in columns.items():
        for name in names:
            base = name.removesuffix("_label")
            if base in labels:
                coded = base == name and f"{name}_label" in names
                rows.append((layer, name, f"{labels[base]} ({code})" if coded else labels[base]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS gpkg_data_columns (table_name TEXT NOT NULL, "
            "column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT, "
            "constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), "
            "CONSTRAINT gdc_tn UNIQUE (table_name, name))"
        )
        connection.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, name) VALUES (?, ?, ?)", rows
        )
        connection.execute(
            "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, "
            "scope) VALUES ('gpkg_data_columns', NULL, 'gpkg_schema', "
            "'http://www.geopackage.org/spec121/#extension_schema', 'read-write')"
        )
