"""The files of a finished run: those that are there, and those that a job makes when asked.

A file is found by looking for its name in the list, never by joining a name to a folder.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from siteselect.messages import Msg
from siteselect.report.extras import FOLDER as DELIVERABLES

MAPS = "maps"
MAPS_FILE = "maps.zip"
"""The folder of maps is taken as one file."""


@dataclass(frozen=True)
class Known:
    """A file that a run has or can have; ``part`` is what a job makes it by."""

    name: str
    title: Msg
    part: str | None = None


RUN_FILES = (
    Known("shortlist.xlsx", Msg("Workbook: selection, reserve, excluded, ledgers, method (Excel)")),
    Known("shortlist.csv", Msg("Shortlist for Excel (CSV, semicolon and decimal comma)")),
    Known("shortlist_open.csv", Msg("Shortlist as open data (CSV, UTF-8)")),
    Known("shortlist.gpkg", Msg("Layers for QGIS (GeoPackage)")),
    Known("report.html", Msg("Page to send: one HTML file with map and tables")),
    Known("scenario.toml", Msg("Resolved scenario (TOML)")),
    Known("sites.parquet", Msg("Every candidate with its measures (GeoParquet)")),
    Known("ledger.parquet", Msg("Ledgers (Parquet)")),
    Known("result.json", Msg("Status, objective, bound (JSON)")),
    Known("manifest.json", Msg("Manifest: inputs, rules, sha256 (JSON)")),
)
MADE = (
    Known("committee.pdf", Msg("Committee file (PDF)"), "pdf"),
    Known("site_sheets.pdf", Msg("Site sheets with maps (PDF)"), "sheets"),
    Known(MAPS_FILE, Msg("Static maps, SVG and PNG (ZIP)"), "maps"),
    Known("siteselect.gpkg", Msg("Layers for QGIS with isochrones (GeoPackage)"), "gis"),
)
GEOJSON = Known("shortlist.geojson", Msg("Web maps (GeoJSON, longitude and latitude)"), "geojson")
MEDIA = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": "text/html; charset=utf-8",
    ".toml": "application/toml",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class Export:
    """One file of the list; ``path`` is None while nobody has asked for it."""

    name: str
    title: Msg
    part: str | None
    path: Path | None
    size: int | None


def exports(folder: Path, lang: str) -> tuple[Export, ...]:
    """The files of a run in the order of the page, deliverables in one language."""
    place = folder / (DELIVERABLES if lang == "fr" else f"{DELIVERABLES}-{lang}")
    found = [_export(one, folder / one.name) for one in RUN_FILES]
    made = [_export(one, place / one.name) for one in MADE if one.name != MAPS_FILE]
    made.insert(2, _maps(place))
    layers = [_export(Known(path.name, GEOJSON.title, "geojson"), path) for path in _geojson(place)]
    listed = (*found, *made, *(layers or [_export(GEOJSON, place / GEOJSON.name)]))
    return tuple(one for one in listed if one.path is not None or one.part is not None)


def find(folder: Path, name: str, lang: str) -> Export | None:
    """The file of this name, where it is there."""
    return next((one for one in exports(folder, lang) if one.name == name and one.path), None)


def maps_archive(place: Path) -> bytes:
    """Every map in one ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _plain_files(place):
            archive.write(path, f"{MAPS}/{path.name}")
    return buffer.getvalue()


def media_type(name: str) -> str:
    """What a file is, by its name."""
    return MEDIA.get(Path(name).suffix, "application/octet-stream")


def _export(known: Known, path: Path) -> Export:
    there = path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
    size = path.stat().st_size if there else None
    return Export(known.name, known.title, known.part, path if there else None, size)


def _maps(place: Path) -> Export:
    known = next(one for one in MADE if one.name == MAPS_FILE)
    files = list(_plain_files(place / MAPS))
    size = sum(path.stat().st_size for path in files) if files else None
    return Export(known.name, known.title, known.part, place / MAPS if files else None, size)


def _geojson(place: Path) -> list[Path]:
    return [path for path in _plain_files(place) if path.suffix == ".geojson"]


def _plain_files(place: Path) -> Iterator[Path]:
    if place.is_symlink() or place.parent.is_symlink() or not place.is_dir():
        return
    for path in sorted(place.iterdir()):
        if path.is_file() and not path.is_symlink():
            yield path
