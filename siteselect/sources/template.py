"""The workbook that territories fill in: lists to choose from, units, an example row."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from siteselect.messages import Msg
from siteselect.sources.applications import COLUMNS, EXAMPLE
from siteselect.sources.opening import fault

ROWS = 500
"""Rows that have lists and formats."""
LONG_LIST = 255
"""Characters that a list in a cell may have; longer ones are read from a sheet."""


def write_template(path: Path) -> None:
    """Write the XLSX for applications, beside and renamed.

    Row 1 headings, row 2 what to write, row 3 an example (identifiers that begin with
    ``EXEMPLE`` are never read as sites). Codes are text, so that 01004 keeps its zero.

    Raises InputError where the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(beside)
        beside.replace(path)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        beside.unlink(missing_ok=True)
        raise fault(
            path,
            Msg("the file cannot be written: {error}", error=error),
            Msg("close it if a spreadsheet has it open, or choose another folder"),
        ) from error


def _write(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet, lists = book.add_worksheet("Sites"), book.add_worksheet("Listes")
        heading = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DDE6F0", "border": 1}
        )
        wanted = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#F3D9A4", "border": 1}
        )
        helped = book.add_format({"italic": True, "font_color": "#555555", "text_wrap": True})
        text, plain = book.add_format({"num_format": "@"}), book.add_format()
        for number, column in enumerate(COLUMNS):
            width = max(14, min(34, len(column.heading) + 6))
            sheet.set_column(number, number, width, plain if column.number else text)
            sheet.write(0, number, column.heading, wanted if column.required else heading)
            sheet.write(1, number, column.help, helped)
            sheet.write(2, number, column.example, helped)
            if column.choices:
                lists.write(0, number, column.heading, heading)
                lists.write_column(1, number, column.choices)
                letter = chr(ord("A") + number)
                source: object = f"=Listes!${letter}$2:${letter}${len(column.choices) + 1}"
                sheet.data_validation(
                    3, number, ROWS, number,
                    {
                        "validate": "list",
                        "source": source,
                        "error_title": column.heading,
                        "error_message": "Choisir un mot de la liste.",
                    },
                )  # fmt: skip
        sheet.freeze_panes(1, 2)
        sheet.write_comment(
            0, 0, f"Orange : à remplir. Les lignes « {EXAMPLE}… » ne sont pas lues comme des sites."
        )
        lists.protect()
