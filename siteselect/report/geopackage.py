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
from siteselect.report.columns import LEDGER, RESTORATION, SITES, WORD, Column
from siteselect.report.facts import label
from siteselect.report.geography import territory_shapes
from siteselect.report.levels import LEVELS, ledger_by_level
from siteselect.report.qml import style_of
from siteselect.report.tables import floats
from siteselect.report.words import word
from siteselect.runs import Run
from siteselect.units import CRS

LAYERS = ("selected", "reserve", "candidates", "restoration")
_UNREACHABLE = Column("unreachable", Msg("Not reachable by road"))
_UNKNOWN = Column("unknown", Msg("Not known"))


def write_geopackage(
    run: Run, path: Path, t: Translator, *, isochrones: gpd.GeoDataFrame | None = None
) -> None:
    """Selected, reserve, candidates (all sites), restoration, ledgers; isochrones when given.

    ``ledger_region``, ``ledger_departement``, ``ledger_scot``, ``ledger_epci`` and
    ``ledger_commune`` are polygons, as far as the pack has outlines (of communes for the last
    three); ``ledger`` is a table of every
    territory at every level. Styles for QGIS and aliases of the columns are in the file.

    Codes stay as in the canonical tables; ``<column>_label`` says them in words. SQLite has no
    infinity: an unreachable or unknown measure is NULL, and the columns ``unreachable`` and
    ``unknown`` name those concerned, so that no blank is read as zero.
    """
    path.unlink(missing_ok=True)
    short, ledger = run.shortlist, _ledger_table(run, t)
    layers = {
        "selected": _sites(short[short["status"] != "reserve"], t),
        "reserve": _sites(short[short["status"] == "reserve"], t),
        "candidates": _sites(run.sites, t),
        "restoration": _plain(run.restoration, RESTORATION),
        **_territories(run, ledger),
    }
    if isochrones is not None and len(isochrones):
        layers["isochrones"] = isochrones
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
        pyogrio.write_dataframe(ledger, path, layer="ledger", driver="GPKG", append=True)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": previous})
    columns = {name: list(frame.columns) for name, frame in layers.items()}
    rows = _aliases({**columns, "ledger": list(ledger.columns)}, t)
    with closing(sqlite3.connect(path)) as connection, connection:
        _write_aliases(connection, rows)
        _write_styles(connection, list(layers), rows, stamp, t)
        connection.execute("UPDATE gpkg_contents SET description = ?", (label(run, t),))


def _ledger_table(run: Run, t: Translator) -> pd.DataFrame:
    """Every territory at every level, with the word of its level."""
    table = ledger_by_level(run)
    frame = pd.DataFrame(
        {c.key: _values(table[c.key], c) for c in LEDGER if c.key in table},
        index=range(len(table)),
    )
    frame["level_label"] = [word("level", level, t) for level in table["level"]]
    return frame


def _territories(run: Run, table: pd.DataFrame) -> dict[str, gpd.GeoDataFrame]:
    """The ledgers of the levels whose outlines the pack has, as polygons."""
    layers = {}
    for level in LEVELS:
        rows = table[table["level"] == level]
        shapes = territory_shapes(run.pack, level, set(rows["code"]))
        joined = shapes.merge(rows, on="code", how="inner")
        if len(joined):
            ordered = [*rows.columns, "geometry"]
            layers[f"ledger_{level}"] = gpd.GeoDataFrame(joined[ordered], crs=CRS)
    return layers


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


def _aliases(columns: dict[str, list[str]], t: Translator) -> list[tuple[str, str, str]]:
    """Layer, column, name for people."""
    code = t.text(Msg("code"))
    minutes = Column("minutes", Msg("Minutes by car"))
    rows = []
    for layer, names in columns.items():
        first = LEDGER if layer.startswith("ledger") else ()
        every = (*RESTORATION, *SITES, _UNREACHABLE, _UNKNOWN, minutes, *LEDGER, *first)
        labels = {column.key: t.text(column.label) for column in every}
        for name in names:
            base = name.removesuffix("_label")
            if base in labels:
                coded = base == name and f"{name}_label" in names
                rows.append((layer, name, f"{labels[base]} ({code})" if coded else labels[base]))
    return rows


def _write_aliases(connection: sqlite3.Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    """Names of columns for people, by the schema extension (OGC GeoPackage 1.2.1, F.9)."""
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


def _write_styles(
    connection: sqlite3.Connection,
    layers: Sequence[str],
    aliases: Sequence[tuple[str, str, str]],
    stamp: str,
    t: Translator,
) -> None:
    """``layer_styles``, where QGIS looks for the style of each layer it opens."""
    connection.execute(
        "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "f_table_catalog VARCHAR(256), f_table_schema VARCHAR(256), f_table_name VARCHAR(256), "
        "f_geometry_column VARCHAR(256), styleName VARCHAR(30), styleQML VARCHAR, "
        "styleSLD VARCHAR, useAsDefault BOOLEAN, description VARCHAR, owner VARCHAR(30), "
        "ui VARCHAR(30), update_time DATETIME)"
    )
    for layer in layers:
        named = {column: alias for table, column, alias in aliases if table == layer}
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
            "owner, update_time) VALUES ('', '', ?, 'geom', 'siteselect', ?, '', 1, "
            "'siteselect', '', ?)",
            (layer, style_of(layer, named, t), stamp),
        )
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
        (stamp,),
    )
