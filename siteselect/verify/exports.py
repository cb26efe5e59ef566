"""The files for people hold the values of the canonical tables: workbook, GeoPackage, CSV.

Read with other readers than their writers (XML of the workbook, SQLite of the GeoPackage), so
that an error of writing is found and not repeated.
"""

from __future__ import annotations

import csv
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from siteselect.i18n import Lang, Translator
from siteselect.messages import Msg
from siteselect.report.columns import LEDGER, SITES, WORD, Column
from siteselect.report.words import word
from siteselect.verify.tables import RunTables
from siteselect.verify.workbook import Value, read_sheets

SHOWN = 5
MAX_TEXT = 32_767
EXACT = 1e-14
"""Relative difference that 16 significant digits leave."""
WORKBOOK, GEOPACKAGE, OPEN_CSV = "shortlist.xlsx", "shortlist.gpkg", "shortlist_open.csv"


def check_exports(folder: Path, tables: RunTables, lang: Lang, problems: list[Msg]) -> list[Msg]:
    """Adds every disagreement to ``problems``; returns what was checked.

    Files that the run did not write are not asked for: the manifest lists those it did.
    """
    t = Translator(lang)
    checks = []
    for name, check in (
        (WORKBOOK, _workbook),
        (GEOPACKAGE, _geopackage),
        (OPEN_CSV, _csv),
    ):
        path = folder / name
        if path.is_file():
            found = list(check(path, tables, t))
            problems += found[:SHOWN]
            if not found:
                checks.append(Msg("{file} holds the values of the canonical tables", file=name))
    return checks


def _workbook(path: Path, tables: RunTables, t: Translator) -> Iterator[Msg]:
    try:
        sheets = read_sheets(path)
    except ValueError as error:
        yield Msg("{file} cannot be read again: {error}", file=path.name, error=str(error))
        return
    short = tables.shortlist
    reserve = short["status"] == "reserve"
    for title, frame in (
        (Msg("Selection"), short[~reserve]),
        (Msg("Reserve"), short[reserve]),
        (Msg("All sites"), tables.sites),
    ):
        sheet = t.text(title)
        yield from _sheet(path.name, sheet, sheets.get(sheet, []), frame, SITES, "site_id", t)
    balance = t.text(Msg("ZAN ledger"))
    rows = sheets.get(balance, [])
    ledger = tables.ledger.reset_index(drop=True)
    # rows after those of the ledger say the other levels
    yield from _sheet(path.name, balance, rows[: len(ledger) + 1], ledger, LEDGER, None, t)


def _sheet(
    file: str,
    sheet: str,
    rows: Sequence[Sequence[Value]],
    frame: pd.DataFrame,
    columns: Sequence[Column],
    key: str | None,
    t: Translator,
) -> Iterator[Msg]:
    by_label = {t.text(column.label): column for column in columns}
    heads = [by_label.get(str(head)) for head in rows[0]] if rows else []
    body = [row for row in rows[1:] if any(value is not None for value in row)]
    if not len(frame):
        return  # « none » stands where there is nothing
    if not rows or len(body) != len(frame):
        yield Msg(
            "{file}, {sheet}: {found} rows instead of {expected}",
            file=file, sheet=sheet, found=len(body), expected=len(frame),
        )  # fmt: skip
        return
    shown = {column.key for column in heads if column is not None}
    for asked in columns:
        if asked.key in frame and asked.key not in shown and frame[asked.key].notna().any():
            yield Msg("{file}, {sheet}: no column {column}", file=file, sheet=sheet,
                      column=t.text(asked.label))  # fmt: skip
    records = frame.to_dict("records")
    if key is not None:
        at = next((i for i, c in enumerate(heads) if c is not None and c.key == key), 0)
        known = {str(record[key]): record for record in records}
        records = [known.get(str(row[at]), {}) for row in body]
    for number, (row, record) in enumerate(zip(body, records, strict=True), start=2):
        for column, value in zip(heads, row, strict=False):
            if column is not None and not _says(value, record.get(column.key), column, t):
                yield Msg(
                    "{file}, {sheet}, row {row}, {column}: {found} instead of {expected}",
                    file=file, sheet=sheet, row=number, column=column.key, found=str(value),
                    expected=str(record.get(column.key)),
                )  # fmt: skip


def _says(shown: Value, stated: object, column: Column, t: Translator) -> bool:
    """Whether a cell says a value: numbers as numbers, what is unknown or infinite in words."""
    if _absent(stated) or stated == "":
        return isinstance(shown, str)
    if not column.form.numeric:
        text = word(column.key, stated, t) if column.form is WORD else str(stated)
        return shown == text[:MAX_TEXT]
    number = float(stated)  # type: ignore[arg-type]
    if math.isinf(number):
        return isinstance(shown, str)
    return isinstance(shown, float) and math.isclose(shown, number, rel_tol=EXACT, abs_tol=1e-300)


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _geopackage(path: Path, tables: RunTables, t: Translator) -> Iterator[Msg]:
    short = tables.shortlist
    reserve = short["status"] == "reserve"
    layers = {"selected": short[~reserve], "reserve": short[reserve], "candidates": tables.sites}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for layer, frame in layers.items():
                rows = _layer(connection, layer)
                yield from _features(path.name, layer, rows, frame)
    except sqlite3.Error as error:
        yield Msg("{file} cannot be read again: {error}", file=path.name, error=str(error))


def _layer(connection: sqlite3.Connection, layer: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f'SELECT * FROM "{layer}"')
    names = [str(one[0]) for one in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _features(
    file: str, layer: str, rows: Sequence[Mapping[str, Any]], frame: pd.DataFrame
) -> Iterator[Msg]:
    known = {str(row["site_id"]): row for row in rows}
    if len(rows) != len(frame) or len(known) != len(rows):
        yield Msg(
            "{file}, {sheet}: {found} rows instead of {expected}",
            file=file, sheet=layer, found=len(rows), expected=len(frame),
        )  # fmt: skip
        return
    columns = [c for c in SITES if c.key in frame and rows and c.key in rows[0]]
    for record in frame.to_dict("records"):
        row = known.get(str(record["site_id"]), {})
        for column in columns:
            if not _same(row.get(column.key), record[column.key], column):
                yield Msg(
                    "{file}, {sheet}, row {row}, {column}: {found} instead of {expected}",
                    file=file, sheet=layer, row=str(record["site_id"]), column=column.key,
                    found=str(row.get(column.key)), expected=str(record[column.key]),
                )  # fmt: skip
    drawn = shapely.from_wkb([_wkb(known[str(name)]["geom"]) for name in frame["site_id"]])
    stated = frame["geometry"].to_numpy()
    moved = ~shapely.equals_exact(
        shapely.normalize(_parts(drawn)), shapely.normalize(_parts(stated))
    )
    for name in frame["site_id"].to_numpy()[moved][:SHOWN]:
        yield Msg(
            "{file}, {sheet}: the outline of {site} differs", file=file, sheet=layer, site=name
        )


def _parts(shapes: Any) -> Any:
    """Polygons as multipolygons, which the format holds, in one order of points."""
    many = [shapely.multipolygons(list(shapely.get_parts(shape))) for shape in shapes]
    return shapely.normalize(np.array(many, dtype=object))


def _same(shown: object, stated: object, column: Column) -> bool:
    if _absent(stated) or stated == "":
        return shown is None
    if not column.form.numeric:
        return shown == str(stated)
    number = float(stated)  # type: ignore[arg-type]
    if math.isinf(number):
        return shown is None
    return isinstance(shown, float | int) and float(shown) == number


def _wkb(blob: bytes) -> bytes:
    """The WKB inside a GeoPackage geometry (OGC 12-128r18, 2.1.3): header, envelope, WKB."""
    envelope = (0, 32, 48, 48, 64)[(blob[3] >> 1) & 0b111]
    return blob[8 + envelope :]


def _csv(path: Path, tables: RunTables, t: Translator) -> Iterator[Msg]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if len(rows) != len(tables.shortlist):
        yield Msg(
            "{file}, {sheet}: {found} rows instead of {expected}",
            file=path.name, sheet="—", found=len(rows), expected=len(tables.shortlist),
        )  # fmt: skip
        return
    columns = [column for column in SITES if column.form.numeric]
    for number, (row, record) in enumerate(
        zip(rows, tables.shortlist.to_dict("records"), strict=True), start=2
    ):
        for column in columns:
            if column.key in row and not _rounded(row[column.key], record[column.key], column):
                yield Msg(
                    "{file}, {sheet}, row {row}, {column}: {found} instead of {expected}",
                    file=path.name, sheet="—", row=number, column=column.key,
                    found=row[column.key], expected=str(record[column.key]),
                )  # fmt: skip


def _rounded(shown: str, stated: object, column: Column) -> bool:
    if _absent(stated):
        return shown == "NA"
    number = float(stated)  # type: ignore[arg-type]
    if math.isinf(number):
        return shown == "inf"
    try:
        return abs(float(shown) - number) <= 0.5 * 10.0**-column.form.digits_open + 1e-12
    except ValueError:
        return False
