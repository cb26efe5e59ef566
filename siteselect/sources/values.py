"""Cells of French official tables: missing values, numbers, codes, words of an enumeration.

Every function takes a column of text and gives a column with the same index; what cannot be
read becomes missing, and the caller compares with what was there in order to report it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

MISSING = ("", "na", "nan", "n/a", "#n/a", "null", "none", "nc", "-")
"""Ways to leave a cell empty, folded; the first four are those of the CNIG standard."""

CITIES = {"751": "75056", "132": "13055", "693": "69123"}
"""Codes of districts (arrondissements municipaux), by their beginning → the commune."""
_DISTRICTS = re.compile(r"751(0[1-9]|1\d|20)|132(0[1-9]|1[0-6])|6938[1-9]")
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f']+")


def blank(cells: pd.Series[str]) -> pd.Series[bool]:
    """Whether each cell is empty or one of the usual words for it."""
    return cells.str.strip().str.casefold().isin(MISSING)


def present(cells: pd.Series[str]) -> pd.Series[str]:
    """The cells with every way of being empty turned into a missing value."""
    return cells.where(~blank(cells))


def numbers(cells: pd.Series[str]) -> pd.Series[float]:
    """Numbers: decimal comma or point, spaces between thousands; NaN where there is none.

    Infinite values are no numbers. ``"1.234,5"`` and ``"1,234.5"`` are read by their last mark.
    """
    plain = cells.where(~blank(cells), "").str.replace(_SPACES, "", regex=True)
    both = plain.str.contains(",", regex=False) & plain.str.contains(".", regex=False)
    comma_last = plain.str.rfind(",") > plain.str.rfind(".")
    plain = plain.mask(both & comma_last, plain.str.replace(".", "", regex=False))
    plain = plain.mask(both & ~comma_last, plain.str.replace(",", "", regex=False))
    plain = plain.str.replace(",", ".", regex=False)
    values = pd.to_numeric(plain, errors="coerce").astype("float64")
    return values.where(np.isfinite(values))


def insee_codes(cells: pd.Series[str]) -> pd.Series[str]:
    """Codes of communes as text of 5 characters, mended where a spreadsheet ate the zero.

    ``"1004"``, ``"1004.0"`` → ``"01004"``; ``"2a004"`` → ``"2A004"``; what is no code stays.
    """
    codes = cells.str.strip().str.upper().str.replace(r"\.0+$", "", regex=True)
    return codes.mask(codes.str.fullmatch(r"\d{4}"), "0" + codes)


def commune_of_district(codes: pd.Series[str]) -> pd.Series[str]:
    """Districts of Paris, Lyon and Marseille → the code of the city; other codes unchanged."""
    district = codes.str.fullmatch(_DISTRICTS).fillna(False).astype(bool)
    return codes.mask(district, codes.str[:3].map(CITIES))


def fold(text: str) -> str:
    """A word without case, accents, kinds of apostrophe and repeated spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("`", "'"))
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(letters.casefold().replace("œ", "oe").split())


def words(
    cells: pd.Series[str], known: Sequence[str], variants: Mapping[str, str] | None = None
) -> pd.Series[str]:
    """Words of an enumeration, whatever their case and accents; missing where unknown.

    ``variants`` maps further spellings found in real exports to words of the enumeration.
    """
    table = {fold(word): word for word in known}
    table |= {fold(variant): word for variant, word in (variants or {}).items()}
    distinct = {cell: table.get(fold(cell)) for cell in cells.dropna().unique()}
    return cells.map(distinct).astype("str")


def iso_dates(cells: pd.Series[str]) -> pd.Series[str]:
    """Dates as ``AAAA-MM-JJ`` (or ``AAAA``), from ISO or JJ/MM/AAAA; "" where there is none."""
    french = cells.str.replace(r"^(\d\d)/(\d\d)/(\d{4})", r"\3-\2-\1", regex=True)
    return french.str.extract(r"^(\d{4}(?:-\d\d(?:-\d\d)?)?)", expand=False).fillna("")
