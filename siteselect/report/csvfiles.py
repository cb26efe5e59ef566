"""Two CSV dialects: one for Excel in French, one for open data."""

from __future__ import annotations

import csv
import math
from numbers import Real
from pathlib import Path

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.cells import cell, harmless, is_missing
from siteselect.report.columns import RANK, Column
from siteselect.report.tables import Table

LABEL = Msg("To know")
MISSING_OPEN = "NA"
"""Unknown in the open-data file: read as missing by pandas, R and QGIS; infinity is ``inf``."""


def write_people_csv(table: Table, path: Path, translator: Translator, *, label: str) -> None:
    """``;``, decimal comma in French, UTF-8 with BOM, CRLF: opens in Excel with a double click.

    ``label`` (what is simulated or assumed, no ruling) is the last column of every row: a file
    that travels alone, or a row copied from it, still says what it rests on.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        headings = [harmless(translator.text(column.label)) for column in table.columns]
        writer.writerow([*headings, translator.text(LABEL)])
        for row in table.rows:
            cells = [
                _people(value, column, translator)
                for value, column in zip(row, table.columns, strict=True)
            ]
            writer.writerow([*cells, harmless(label)])


def write_open_csv(table: Table, path: Path, *, label: str) -> None:
    """``,``, dot, UTF-8 without BOM, English column names: for machines; ``notice`` comes last."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*(column.key for column in table.columns), "notice"])
        for row in table.rows:
            cells = [_open(value, column) for value, column in zip(row, table.columns, strict=True)]
            writer.writerow([*cells, harmless(label)])


def _people(value: object, column: Column, translator: Translator) -> str:
    content = cell(value, column, translator)
    if isinstance(content, str):
        return harmless(content)
    if column.form is RANK:
        return str(content)
    plain = f"{_plus_zero(content, max(column.form.digits, 2)):.{max(column.form.digits, 2)}f}"
    return plain.replace(".", ",") if translator.lang == "fr" else plain


def _open(value: object, column: Column) -> str:
    if is_missing(value):
        return MISSING_OPEN
    if not column.form.numeric or not isinstance(value, Real):
        return harmless(str(value))
    number = float(value)
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    if column.form is RANK:
        return str(int(number))
    return repr(_plus_zero(number, column.form.digits_open))


def _plus_zero(number: float, digits: int) -> float:
    return round(number, digits) + 0.0  # never "-0"
