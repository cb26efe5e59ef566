"""Files for people: workbook, two CSV dialects, GeoPackage, one self-contained page."""

from __future__ import annotations

from pathlib import Path

from siteselect.i18n import Lang, Translator
from siteselect.report.csvfiles import write_open_csv, write_people_csv
from siteselect.report.facts import label
from siteselect.report.geopackage import write_geopackage
from siteselect.report.html import write_page
from siteselect.report.tables import shortlist_table
from siteselect.report.xlsx import write_workbook
from siteselect.runs import Run

__all__ = ["FILES", "write_reports"]

FILES = (
    "shortlist.xlsx",
    "shortlist.csv",
    "shortlist_open.csv",
    "shortlist.gpkg",
    "report.html",
)


def write_reports(run: Run, folder: Path, lang: Lang = "fr") -> tuple[str, ...]:
    """Write the files for people into ``folder`` and give their names.

    The caller writes the folder beside its final place and renames it: nothing half-written is
    ever seen. Raises OSError where a file cannot be written.
    """
    t = Translator(lang)
    shortlist = shortlist_table(run)
    write_workbook(run, folder / "shortlist.xlsx", t)
    said = label(run, t)
    write_people_csv(shortlist, folder / "shortlist.csv", t, label=said)
    write_open_csv(shortlist, folder / "shortlist_open.csv", label=said)
    write_geopackage(run, folder / "shortlist.gpkg", t)
    write_page(run, folder / "report.html", t)
    return FILES
