"""What each code of a land-use raster counts as: artificialised, impermeable, ENAF.

The table of decree 2023-1096 is data (``tables/ocsge_artificialisation_matrix.csv``), as is the
legend of each raster; only the two approximations below are written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.schemas import examples

MATRIX = "ocsge_artificialisation_matrix.csv"
CORINE = "corine_legend.csv"
LEGEND_COLUMNS = ("value", "code_cs", "code_us")
CLASS_COLUMNS = ("artificialised", "impermeable", "enaf")
IMPERMEABLE_COVER = ("CS1.1.1.1", "CS1.1.1.2")
"""Built and unbuilt impermeable cover."""
BUILT_COVER = "CS1.1."
"""Anthropic cover (impermeable or permeable): never ENAF, whatever its use."""
ENAF_USES = ("US1.1", "US1.2", "US1.4", "US1.5", "US6.3", "US6.6")
"""Farming, forestry, fishing and aquaculture, other primary production, no use, unknown use.

Approximation: ENAF consumption is measured by law from the land files, on the extension of
urbanised land; OCS GE does not hold it. A use that nobody knows is not read as favourable.
Extraction (US1.3), land in transition (US6.1) and abandoned land (US6.2) are left out: they were
urbanised or worked.
"""


@dataclass(frozen=True)
class LandClasses:
    """What codes count as: 0 or 1 for each value of the raster, in arrays of one length."""

    values: NDArray[np.int64]
    """Codes of the raster, sorted."""
    artificialised: NDArray[np.float64]
    impermeable: NDArray[np.float64]
    enaf: NDArray[np.float64]

    def knows(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each code is in the legend."""
        return np.isin(codes, self.values)

    def find(self, codes: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where each code, known, stands in the arrays."""
        return np.searchsorted(self.values, codes)


def artificialisation_matrix() -> pd.DataFrame:
    """code_cs, code_us, artif (0 or 1) of all 280 pairs: decree 2023-1096, OCS GE v2."""
    text = (resources.files("siteselect") / "tables" / MATRIX).read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype={"code_cs": str, "code_us": str, "artif": int})


def corine_legend(*, grid_codes: bool = False) -> pd.DataFrame:
    """Legend of CORINE Land Cover: the 44 classes of level 3 (111 to 523, or 1 to 44 in rasters).

    What counts as artificialised is the usual proxy for the decree (131 and 141 are not, 142 is:
    open to discussion). CORINE does not tell impermeable land: unknown where artificialised.
    """
    text = (resources.files("siteselect") / "tables" / CORINE).read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    if grid_codes:
        table["value"] = table["grid_code"]
    table["value"] = table["value"].astype("int64")
    return table.drop(columns="grid_code")


def read_legend(path: Path) -> pd.DataFrame:
    """The legend of a land-use raster: value (int) and what each value means.

    Either ``code_cs`` and ``code_us`` (OCS GE), through the matrix of the decree, or, for any
    other nomenclature, ``artificialised`` (1 or 0). ``artificialised``, ``impermeable`` and
    ``enaf`` beside codes of OCS GE, where filled in, win over the matrix: IGN's own computation.

    Raises
    ------
    InputError
        the file cannot be read, lacks a column, or a value is not a whole number or is there
        twice.
    """
    log = FaultLog()
    try:
        legend = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ParserError and UnicodeDecodeError are ValueErrors
        log.add(
            Msg("the legend cannot be read: {error}", error=error),
            file=path,
            remedy=Msg("give a CSV (UTF-8, comma) with the columns value, code_cs, code_us"),
        )
        log.check()
        raise  # not reached: check raises
    needed = ("value", "artificialised") if _is_plain(legend) else LEGEND_COLUMNS
    for column in needed:
        if column not in legend:
            near = nearest_name(column, legend.columns)
            log.add(
                Msg("the legend lacks the column {column}", column=column),
                file=path,
                value=near,
                remedy=Msg(
                    "the columns are value, code_cs, code_us (OCS GE), or value, "
                    "artificialised, impermeable, enaf (1, 0 or empty)"
                ),
            )
    log.check()
    values = pd.to_numeric(legend["value"], errors="coerce")
    wrong = values.isna() | (values % 1 != 0)
    for problem, rows in (
        (Msg("a value of the legend is not a whole number"), wrong),
        (Msg("a value is in the legend twice"), legend["value"].duplicated() & ~wrong),
    ):
        if rows.any():
            log.add(
                problem,
                file=path,
                value=examples(legend.loc[rows, "value"]),
                remedy=Msg("one row for each value of the raster"),
            )
    for column in CLASS_COLUMNS:
        if column in legend:
            _check_flags(legend[column], column, path, log)
    log.check()
    legend["value"] = values.astype("int64")
    return legend


def _is_plain(legend: pd.DataFrame) -> bool:
    """Whether the legend says what is artificialised without codes of OCS GE."""
    return "artificialised" in legend and not {"code_cs", "code_us"} & set(legend.columns)


def _check_flags(cells: pd.Series[str], column: str, path: Path, log: FaultLog) -> None:
    wrong = ~cells.isin(["0", "1", ""])
    if wrong.any():
        log.add(
            Msg("the column {column} of the legend holds neither 1, 0 nor nothing", column=column),
            file=path,
            value=examples(cells[wrong]),
            remedy=Msg("write 1 for yes, 0 for no, nothing where it is not known"),
        )


def classify_legend(
    legend: pd.DataFrame,
    matrix: pd.DataFrame | None = None,
    *,
    file: Path | str | None = None,
) -> LandClasses:
    """Land classes of a legend: through the matrix for codes of OCS GE, else as it says.

    In a legend without codes of OCS GE, an unknown ``impermeable`` stays unknown (NaN) and an
    unknown ``enaf`` is read as all that is not artificialised: never understated.

    Raises InputError when a pair of the legend is not in the matrix, with the nearest pair, or
    when a class of another nomenclature does not say whether it is artificialised.
    """
    ordered = legend.sort_values("value")
    values = ordered["value"].to_numpy(dtype=np.int64)
    artificialised = _flags(ordered, "artificialised")
    impermeable, enaf = _flags(ordered, "impermeable"), _flags(ordered, "enaf")
    if _is_plain(ordered):
        _check_said(artificialised, values, file)
        return LandClasses(
            values,
            artificialised,
            np.where(np.isnan(impermeable) & (artificialised == 0), 0.0, impermeable),
            np.where(np.isnan(enaf), 1.0 - artificialised, enaf),
        )
    table = artificialisation_matrix() if matrix is None else matrix
    artif = {
        (cover, use): int(value)
        for cover, use, value in zip(
            table["code_cs"], table["code_us"], table["artif"], strict=True
        )
    }
    cover, use = ordered["code_cs"].astype(str), ordered["code_us"].astype(str)
    pairs = list(zip(cover, use, strict=True))
    _check_pairs(pairs, artif, values.tolist(), file)
    natural = ~cover.str.startswith(BUILT_COVER)
    by_matrix = np.array([artif[pair] for pair in pairs], dtype=np.float64)
    by_cover = cover.isin(IMPERMEABLE_COVER).to_numpy().astype(np.float64)
    by_use = (use.isin(ENAF_USES) & natural).to_numpy().astype(np.float64)
    return LandClasses(
        values,
        np.where(np.isnan(artificialised), by_matrix, artificialised),
        np.where(np.isnan(impermeable), by_cover, impermeable),
        np.where(np.isnan(enaf), by_use, enaf),
    )


def _flags(legend: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in legend:
        return np.full(len(legend), np.nan)
    numbers = pd.to_numeric(legend[column], errors="coerce")
    return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def _check_said(
    artificialised: NDArray[np.float64], values: NDArray[np.int64], file: Path | str | None
) -> None:
    unsaid = np.isnan(artificialised)
    if unsaid.any():
        log = FaultLog()
        log.add(
            Msg(
                "the legend does not say whether {count} classes are artificialised",
                count=int(unsaid.sum()),
            ),
            file=file,
            value=examples(values[unsaid]),
            remedy=Msg("fill in the column artificialised with 1 or 0"),
        )
        log.check()


def _check_pairs(
    pairs: list[tuple[str, str]],
    artif: dict[tuple[str, str], int],
    values: list[int],
    file: Path | str | None,
) -> None:
    log = FaultLog()
    known = {f"{cover} × {use}" for cover, use in artif}
    for pair, value in zip(pairs, values, strict=True):
        if pair not in artif:
            name = " × ".join(pair)
            log.add(
                Msg("the artificialisation matrix has no such pair of cover and use"),
                file=file,
                where=f"value {value}",
                value=name,
                remedy=Msg(
                    "write the codes of OCS GE version 2; did you mean {near}?",
                    near=nearest_name(name, known) or "CS1.1.1.1 × US2",
                ),
            )
    log.check()
