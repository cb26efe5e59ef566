"""All the fields of the standard CNIG friches 1.0.6, read as they are written.

The list of fields, types and enumerations is data (``tables/cnig_friches.csv``, from the schema
that CNIG publishes). Those that choices rest on become columns of the sites; every field is kept
beside them, by site, in the layer ``site_details``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from io import StringIO

import pandas as pd

from siteselect.sources import values
from siteselect.sources.findings import Findings

TABLE = "cnig_friches.csv"
READ_ELSEWHERE = (
    "site_statut",
    "sol_pollution_existe",
    "bati_etat",
    "site_type",
    "urba_zone_type",
    "geompoint",
    "geomsurf",
    "unite_fonciere_surface",
)
"""Fields whose cells :mod:`siteselect.sources.cartofriches` checks itself."""


VARIANTS = {"bati_vacance": {"partiellement inoccupé": "partiellement occupé"}}
"""Words of real exports → words of the standard."""


@dataclass(frozen=True)
class Field:
    """One field of the standard."""

    name: str
    type: str
    words: tuple[str, ...]


def cnig_fields() -> tuple[Field, ...]:
    """The 51 fields, in the order of the standard."""
    text = (resources.files("siteselect") / "tables" / TABLE).read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    return tuple(
        Field(name, kind, tuple(words.split("|")) if words else ())
        for name, kind, words in zip(table["field"], table["type"], table["words"], strict=True)
    )


def read_details(frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """The fields of the standard that a file has, cleaned, for the rows that are kept.

    Words of enumerations in the spelling of the standard (missing where it does not have them),
    whole numbers and dates checked, everything else as it is written; noted field by field.
    Columns ``site_id`` and the names of the standard; indexed by row.
    """
    by_name = {str(name).casefold(): str(name) for name in frame.columns}
    columns: dict[str, pd.Series[str]] = {"site_id": findings.site_ids}
    for field in cnig_fields():
        if field.name == "site_id" or field.name not in by_name:
            continue
        cells = frame[by_name[field.name]]
        stated = values.present(cells)
        read = _read(field, stated)
        if field.name not in READ_ELSEWHERE:
            told = field.name + ": " + cells
            lost = stated.notna() & read.isna()
            issue = {"integer": "not_a_number", "date": "not_a_date"}.get(
                field.type, "word_unknown"
            )
            findings.note(lost, issue, told, "kept")
            if field.words:
                mapped = read.notna() & (read != stated)
                findings.note(mapped, "word_mapped", told, "corrected")
        columns[field.name] = read
    return pd.DataFrame(columns)[findings.kept]


def _read(field: Field, stated: pd.Series[str]) -> pd.Series[str]:
    if field.words:
        return values.words(stated, field.words, VARIANTS.get(field.name))
    if field.type == "integer":
        return stated.where(values.numbers(stated.fillna("")).notna())
    if field.type == "date":
        dates = values.iso_dates(stated.fillna(""))
        return dates.where(dates != "")
    return stated
