"""Applications: sites proposed by territories, in the workbook of ``data template`` or a form.

Every cell is checked; a row with a faulty cell is left out, with one line of report for each of
its faulty cells, so that the territory corrects them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from openpyxl.utils import get_column_letter

from siteselect.schemas import SITE_STATUSES
from siteselect.sources import cnig, locating, values
from siteselect.sources.findings import REPORT_COLUMNS, Findings
from siteselect.sources.opening import Opened, open_table
from siteselect.sources.part import Part, true_at
from siteselect.sources.placing import Communes
from siteselect.sources.plan import Input
from siteselect.units import CRS, M2_PER_HA

KINDS = {
    "friche": "brownfield",
    "extension de zone d'activité": "extension",
    "terrain neuf": "greenfield",
}
"""Words of the workbook → kinds of site."""
CONTROL = ("publique", "privée, accord signé", "privée, négociation", "privée", "inconnue")
EXAMPLE = "EXEMPLE"
"""Rows whose identifier begins so are the workbook's own, and are no site."""
MOST_HA = 1_000.0


@dataclass(frozen=True)
class Column:
    """A column of the workbook.

    ``valid`` tells which of the cells that are filled in are right; ``example`` is a row that
    shows how.
    """

    key: str
    heading: str
    help: str
    example: str | float
    required: bool = False
    choices: tuple[str, ...] = ()
    number: bool = False
    valid: Callable[[pd.Series], pd.Series] | None = None


def _between(low: float, high: float) -> Callable[[pd.Series], pd.Series]:
    return lambda cells: values.numbers(cells).between(low, high)


def _code(cells: pd.Series) -> pd.Series:
    return values.insee_codes(cells).str.fullmatch(r"(\d\d|2[AB])\d{3}")


COLUMNS = (
    Column("site_id", "Identifiant", "unique, au choix du territoire", "EXEMPLE-1", True),
    Column("name", "Nom du site", "", "Ancienne filature", True),
    Column("kind", "Nature", "à choisir dans la liste", "friche", True, tuple(KINDS)),
    Column("code_insee", "Code INSEE", "commune, 5 caractères, en texte", "59512", True,
           valid=_code),
    Column("lon", "Longitude", "degrés (WGS 84)", 3.17, True, number=True,
           valid=_between(*locating.LON_RANGE)),
    Column("lat", "Latitude", "degrés (WGS 84)", 50.69, True, number=True,
           valid=_between(*locating.LAT_RANGE)),
    Column("area_ha", "Surface (ha)", "emprise disponible, en hectares", 12.5, True, number=True,
           valid=_between(0.01, MOST_HA)),
    Column("wkt", "Contour (WKT)", "facultatif : POLYGON((lon lat, …)) ; sinon un disque", ""),
    Column("status", "Statut de la friche", "liste CNIG, friches seulement",
           "friche sans projet", choices=SITE_STATUSES),
    Column("pollution", "Pollution", "liste CNIG", "pollution supposée", choices=cnig.POLLUTION),
    Column("buildings", "État du bâti", "liste CNIG", "dégradation moyenne",
           choices=cnig.BUILDINGS),
    Column("land_control", "Maîtrise foncière", "à choisir dans la liste", "publique",
           choices=CONTROL),
    Column("available_year", "Disponible en", "année, 2024 à 2050", 2027, number=True,
           valid=_between(2024, 2050)),
    Column("power_mw", "Puissance électrique (MW)", "raccordable sans renforcement", 8,
           number=True, valid=_between(0, 5_000)),
    Column("contact", "Contact", "nom, courriel", ""),
    Column("comment", "Commentaire", "", ""),
)  # fmt: skip


def read_applications(
    path: Path,
    one: Input,
    communes: gpd.GeoDataFrame,
    contours: gpd.GeoDataFrame | None,
) -> Part[gpd.GeoDataFrame]:
    """Table ``sites`` of a pack from a workbook filled in, or from the export of a form.

    ``one.columns`` maps our names (:data:`COLUMNS`) to those of the form, ``one.words`` its
    answers to the words of the workbook; the headings of the workbook are known. Besides the
    columns of every site: ``stated_control``, ``available_year``, ``power_mw``, ``contact``.

    Raises
    ------
    InputError
        the file cannot be read, or lacks a column that must be filled in.
    """
    opened = open_table(path, layer=one.layer).renamed(one.columns).where(one.where)
    cells = _in_our_words(_cells(opened), one.words)
    findings = Findings(values.present(cells["site_id"]))
    example = cells["site_id"].str.upper().str.startswith(EXAMPLE)
    helped = cells["site_id"] == COLUMNS[0].help
    findings.leave_out(example | helped, "example", cells["site_id"])
    ids = cells["site_id"].where(findings.kept, "")
    again = (ids != "") & ids.duplicated()
    findings.leave_out(again, "repeated_site_id", ids)
    faults = _faults(cells, findings.kept, _letters(opened, one.columns))
    wrong = true_at(cells.index, cells.index.isin(faults["row"]))
    findings.kept &= ~wrong
    table = _table(cells, one, communes, contours, findings)
    report = pd.concat([findings.report(opened.damaged), faults], ignore_index=True)
    return Part(table, report.sort_values("row", kind="stable", ignore_index=True), opened.rows)


def _cells(opened: Opened) -> pd.DataFrame:
    """The columns by our names, found by heading or by name."""
    found: dict[str, pd.Series[str]] = {}
    by_fold = {values.fold(str(name)): str(name) for name in opened.frame.columns}
    for column in COLUMNS:
        for name in (column.key, column.heading):
            if values.fold(name) in by_fold:
                found[column.key] = opened.frame[by_fold[values.fold(name)]]
                break
        else:
            if column.required:
                opened.need([column.heading, column.key], what=column.heading)
            found[column.key] = pd.Series("", index=opened.frame.index, dtype="str")
    return pd.DataFrame(found)


def _in_our_words(cells: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Answers of a form turned into the words of the workbook, as the build file says."""
    result = cells.copy()
    for key, table in words.items():
        if key in result:
            known = {values.fold(answer): word for answer, word in table.items()}
            mapped = result[key].map(values.fold).map(known)
            result[key] = mapped.where(mapped.notna(), result[key]).astype("str")
    return result


def _letters(opened: Opened, mapped: Mapping[str, str]) -> dict[str, str]:
    """Letter of the column of the file that holds each of ours (``AB``), "" where it has none."""
    found = {}
    place = {values.fold(str(name)): i for i, name in enumerate(opened.frame.columns)}
    for column in COLUMNS:
        names = (mapped.get(column.key, ""), column.key, column.heading)
        at = next((place[values.fold(n)] for n in names if values.fold(n) in place), None)
        found[column.key] = "" if at is None else get_column_letter(at + 1)
    return found


def _faults(cells: pd.DataFrame, rows: pd.Series[bool], letters: Mapping[str, str]) -> pd.DataFrame:
    """One line a faulty cell: ``C4 Surface (ha): abc``."""
    parts = []
    for column in COLUMNS:
        text = cells[column.key]
        empty = values.blank(text)
        checks = [("missing_cell", empty & column.required)]
        if column.choices:
            word = values.words(values.present(text), column.choices)
            checks.append(("choice_unknown", ~empty & word.isna()))
        if column.valid is not None:
            right = column.valid(text).fillna(False).astype(bool)
            checks.append(("wrong_cell", ~empty & ~right))
        for issue, bad in checks:
            chosen = text[bad & rows]
            place = [f"{letters[column.key]}{row} {column.heading}" for row in chosen.index]
            told = [f"{at}: {cell}" if cell else at for at, cell in zip(place, chosen, strict=True)]
            parts.append(
                pd.DataFrame(
                    {
                        "row": chosen.index.to_numpy(dtype="int64"),
                        "site_id": cells["site_id"].reindex(chosen.index).to_numpy(),
                        "issue": issue,
                        "value": told,
                        "action": "left_out",
                    }
                )
            )
    joined = pd.concat(parts, ignore_index=True)
    return joined.astype({name: "str" for name in REPORT_COLUMNS if name != "row"})


def _table(
    cells: pd.DataFrame,
    one: Input,
    communes: gpd.GeoDataFrame,
    contours: gpd.GeoDataFrame | None,
    findings: Findings,
) -> gpd.GeoDataFrame:
    known = Communes.of(communes)
    blank = pd.Series("", index=cells.index, dtype="str")
    located = pd.DataFrame(
        {
            "lon": cells["lon"],
            "lat": cells["lat"],
            "point": blank,
            "polygon": cells["wkt"],
            "code_insee": cells["code_insee"],
        }
    )
    places = locating.locate(located, known, findings)
    locating.check_communes(pd.DataFrame({"parcels": blank}), places, known, contours, findings)
    kept = findings.kept.index[findings.kept]
    stated_m2 = values.numbers(cells["area_ha"]) * M2_PER_HA
    outline = pd.Series(shapely.area(places.polygons.to_numpy()), index=cells.index)
    area_m2 = outline.where(outline > 0, stated_m2).loc[kept]
    chosen = cells.loc[kept]
    kinds = values.words(chosen["kind"], tuple(KINDS)).map(KINDS)
    table = pd.DataFrame(
        {
            "site_id": chosen["site_id"],
            "name": values.present(chosen["name"]),
            "kind": kinds,
            "code_insee": places.codes.loc[kept],
            "area_ha": stated_m2.loc[kept] / M2_PER_HA,
            "status_source": _word(chosen["status"], SITE_STATUSES).where(kinds == "brownfield"),
            "geometry_origin": np.where(places.polygons.loc[kept].isna(), "disc", "polygon"),
            "stated_pollution": _word(chosen["pollution"], cnig.POLLUTION),
            "stated_buildings": _word(chosen["buildings"], cnig.BUILDINGS),
            "stated_control": _word(chosen["land_control"], CONTROL),
            "available_year": values.numbers(chosen["available_year"]).astype("Int64"),
            "power_mw": values.numbers(chosen["power_mw"]),
            "contact": values.present(chosen["contact"]),
            "source": one.attribution,
        },
        index=kept,
    )
    frame = gpd.GeoDataFrame(table, geometry=places.footprints(area_m2), crs=CRS)
    return frame.sort_values("site_id", ignore_index=True)


def _word(cells: pd.Series[str], known: tuple[str, ...]) -> pd.Series[str]:
    return values.words(values.present(cells), known)
