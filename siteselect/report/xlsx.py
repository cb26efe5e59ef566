"""The workbook: sheets that a selection committee opens in Excel and prints on A4."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import facts
from siteselect.report.cells import cells
from siteselect.report.columns import LEDGER, Column, Form
from siteselect.report.levels import ledger_by_level
from siteselect.report.tables import (
    Table,
    all_sites_table,
    criteria_table,
    make_table,
    overrides_table,
    reserve_table,
    restoration_table,
    selection_table,
)
from siteselect.report.words import DISCLAIMER
from siteselect.runs import Run

MAX_TEXT = 32_767
"""Longest text of a cell (limit of the format): longer ones are cut, never dropped."""
PAPER_A3, PAPER_A4 = 8, 9
BARS = frozenset({"score", "final_weight", "mean_contribution"})
SHADES = frozenset({"new_artificialisation_ha", "gross_ha"})
"""Columns shaded: a bar for what is better when greater, a shade for what is to be watched."""


class _Book:
    """A workbook and its formats, made once."""

    def __init__(self, workbook: Workbook, t: Translator) -> None:
        self.workbook = workbook
        self.t = t
        self.title = workbook.add_format({"bold": True, "font_size": 16})
        self.section = workbook.add_format(
            {"bold": True, "font_size": 12, "bottom": 1, "font_color": "#1F3A5F"}
        )
        self.label = workbook.add_format({"valign": "top", "bold": True, "text_wrap": True})
        self.wrapped = workbook.add_format({"valign": "top", "text_wrap": True})
        self.warning = workbook.add_format(
            {"valign": "top", "text_wrap": True, "bold": True, "bg_color": "#FFE8A3", "border": 1}
        )
        self.header = workbook.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "vcenter",
                "bg_color": "#1F3A5F",
                "font_color": "#FFFFFF",
                "border": 1,
            }
        )
        self.exceeded = workbook.add_format(
            {"bold": True, "bg_color": "#7A1A12", "font_color": "#FFFFFF"}
        )
        self.text = workbook.add_format({"valign": "top", "num_format": "@"})
        self.word = workbook.add_format({"valign": "top", "align": "right", "italic": True})
        self._numbers: dict[tuple[str, str], Format] = {}

    def number(self, form: Form) -> Format:
        """The format of a form of number."""
        return self._number(form.excel, "right")

    def figure(self, excel: str) -> Format:
        """The format of a number of the first sheet, under the texts."""
        return self._number(excel, "left")

    def _number(self, excel: str, align: str) -> Format:
        if (excel, align) not in self._numbers:
            self._numbers[excel, align] = self.workbook.add_format(
                {"valign": "top", "num_format": excel, "align": align}
            )
        return self._numbers[excel, align]

    def sheet(self, name: Msg, *, paper: int = PAPER_A4) -> Worksheet:
        """A new sheet, landscape, with page numbers."""
        shown = self.t.text(name)
        sheet = self.workbook.add_worksheet(shown)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer(f"&L{shown}&C{self.t.text(DISCLAIMER)}&R&P / &N".replace("\n", " "))
        return sheet


def write_workbook(run: Run, path: Path, t: Translator) -> None:
    """Write ``shortlist.xlsx``: real numbers, codes as text, nothing that can run."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties(
            {
                "title": run.scenario.title[:255],
                "subject": run.run_id[:255],
                "author": "siteselect",
                "created": run.created.replace(tzinfo=None),
            }
        )
        book = _Book(workbook, t)
        _readme(book, run)
        _table(book, Msg("Selection"), selection_table(run), pages=2, frozen=4)
        _table(book, Msg("Reserve"), reserve_table(run), pages=2, frozen=4)
        _table(book, Msg("All sites"), all_sites_table(run), pages=2, frozen=4)
        _table(book, Msg("ZAN ledger"), make_table(ledger_by_level(run), LEDGER), frozen=3)
        _table(book, Msg("Restoration"), restoration_table(run), frozen=2)
        _table(book, Msg("Criteria"), criteria_table(run, t), frozen=2)
        overrides = _table(book, Msg("Overrides"), overrides_table(run, t), frozen=3)
        _changes(book, overrides, len(overrides_table(run, t)) + 4, run)


def _table(book: _Book, name: Msg, table: Table, *, pages: int = 1, frozen: int = 1) -> Worksheet:
    """``pages``: width in pages; two or more are A3."""
    sheet = book.sheet(name, paper=PAPER_A3 if pages > 1 else PAPER_A4)
    sheet.fit_to_pages(pages, 0)
    sheet.repeat_rows(0)
    if pages > 1:
        sheet.repeat_columns(0, frozen - 1)
    sheet.freeze_panes(1, min(frozen, len(table.columns)))
    sheet.set_row(0, 48)
    for position, column in enumerate(table.columns):
        sheet.set_column(position, position, column.width + 1)
        sheet.write_string(0, position, book.t.text(column.label), book.header)
    by_column = list(zip(*table.rows, strict=True))
    for position, values in enumerate(by_column):
        _write_column(book, sheet, position, table.columns[position], values)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        _shade(book, sheet, table)
    else:
        sheet.write_string(1, 0, book.t.text(Msg("none")), book.text)
    return sheet


def _shade(book: _Book, sheet: Worksheet, table: Table) -> None:
    """Scales that survive black and white: lengths, and one hue from light to dark."""
    last = len(table.rows)
    for position, column in enumerate(table.columns):
        if column.key in BARS:
            rule: dict[str, Any] = {
                "type": "data_bar", "bar_color": "#8FB4D9", "bar_solid": True,
                "bar_border_color": "#1F3A5F", "min_type": "num", "min_value": 0,
            }  # fmt: skip
        elif column.key in SHADES:
            rule = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#E0A36B"}
        elif column.key == "balance_ha":
            rule = {"type": "cell", "criteria": "<", "value": -0.005, "format": book.exceeded}
        else:
            continue
        sheet.conditional_format(1, position, last, position, rule)


def _write_column(
    book: _Book, sheet: Worksheet, position: int, column: Column, values: Sequence[Any]
) -> None:
    number = book.number(column.form)
    style = book.word if column.form.numeric else book.text
    for line, content in enumerate(cells(values, column, book.t), start=1):
        if isinstance(content, str):
            sheet.write_string(line, position, content[:MAX_TEXT], style)
        else:
            sheet.write_number(line, position, content, number)


def _readme(book: _Book, run: Run) -> None:
    t = book.t
    sheet = book.sheet(Msg("Read me"))
    sheet.fit_to_pages(1, 0)
    for position, width in enumerate((34, 70, 28, 60, 16, 12)):
        sheet.set_column(position, position, width)
    sheet.write_string(0, 0, run.scenario.title[:MAX_TEXT], book.title)
    sheet.set_row(0, 24)
    line = 1
    for text in (t.text(DISCLAIMER), *facts.notices(run, t)):
        sheet.merge_range(line, 0, line, 1, "", book.warning)
        sheet.write_string(line, 0, text[:MAX_TEXT], book.warning)
        sheet.set_row(line, 15 * (1 + len(text) // 95))
        line += 1
    for heading, lines in (
        (Msg("Run"), facts.identity(run, t)),
        (Msg("Result"), [*facts.outcome(run, t), *facts.totals(run, t)]),
        (Msg("Law"), facts.law(run, t)),
        (Msg("Units and conventions"), facts.units(t)),
        (Msg("Versions"), _versions(run, t)),
    ):
        line = _section(book, sheet, line + 1, t.text(heading), lines)
    line = _changes(book, sheet, line + 1, run)
    _sources(book, sheet, line + 1, run)


def _section(
    book: _Book, sheet: Worksheet, line: int, heading: str, lines: Sequence[facts.Fact]
) -> int:
    sheet.write_string(line, 0, heading, book.section)
    sheet.write_blank(line, 1, None, book.section)
    for fact in lines:
        line += 1
        sheet.write_string(line, 0, fact.label, book.label)
        if fact.number is not None and math.isfinite(fact.number):
            sheet.write_number(line, 1, fact.number, book.figure(fact.excel))
        else:
            sheet.write_string(line, 1, fact.value[:MAX_TEXT], book.wrapped)
        sheet.set_row(line, 15 * (1 + len(fact.value) // 72))
    return line + 1


def _versions(run: Run, t: Translator) -> list[facts.Fact]:
    lines = [facts.Fact(t.text(Msg("Seed")), str(run.result.seed))]
    return lines + [facts.Fact(name, version) for name, version in run.result.versions.items()]


def _changes(book: _Book, sheet: Worksheet, line: int, run: Run) -> int:
    heading = book.t.text(Msg("Changes made to the base scenario"))
    lines = [
        facts.Fact(change.key, f"{change.old} → {change.new} ({change.origin})")
        for change in run.changes
    ]
    return _section(book, sheet, line, heading, lines or [facts.Fact("—", "—")])


def _sources(book: _Book, sheet: Worksheet, line: int, run: Run) -> None:
    t = book.t
    headings = (
        Msg("Source"),
        Msg("Attribution"),
        Msg("Licence"),
        Msg("Note"),
        Msg("Vintage"),
        Msg("Data"),
    )
    for position, heading in enumerate(headings):
        sheet.write_string(line, position, t.text(heading), book.header)
    for layer in run.pack.manifest.layers:
        line += 1
        longest = max(
            len(layer.title) / 32, len(layer.attribution) / 66, len(layer.licence) / 24,
            len(layer.note) / 56,
        )  # fmt: skip
        sheet.set_row(line, 15 * (1 + int(longest)))
        values = (
            layer.title,
            layer.attribution,
            layer.licence,
            layer.note,
            layer.vintage,
            facts.origin(layer, t),
        )
        warn = book.warning if layer.simulated or layer.assumed else book.wrapped
        for position, value in enumerate(values):
            style = warn if position == len(values) - 1 else book.wrapped
            sheet.write_string(line, position, value[:MAX_TEXT], style)
