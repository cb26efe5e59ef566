"""How a failure of a schema is told to a planner: file, column, rows, values, remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

from siteselect.errors import Fault, nearest_name
from siteselect.messages import Msg
from siteselect.schemas.tables import Cells, Table

SHOWN = 5
"""Examples shown of each problem; the count is always given."""


def examples(values: Iterable[object], shown: int = SHOWN) -> str:
    """The first few of many values: ``"A, B, C, D, E… (12)"``."""
    listed = list(values)
    text = ", ".join(str(value) for value in islice(listed, shown))
    return f"{text}… ({len(listed)})" if len(listed) > shown else text


class Teller:
    """Turns one pandera failure into one fault."""

    def __init__(self, frame: pd.DataFrame, table: Table, file: Path | str | None) -> None:
        self.frame = frame
        self.table = table
        self.file = file

    def fault(self, error: pa.errors.SchemaError) -> Fault:
        """One column, one kind of problem."""
        if error.reason_code is pa.errors.SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
            return self._missing(str(error.failure_cases))
        column = str(error.schema.name)
        rule = str(error.check.name if isinstance(error.check, pa.Check) else error.check)
        if not isinstance(error.failure_cases, pd.DataFrame):
            return Fault(
                Msg("the column {column} cannot be checked: {error}", column=column, error=error),
                file=self.file,
                remedy=Msg("write one type of value in the whole column"),
            )
        cases = error.failure_cases
        rows = cases["index"].to_numpy()
        values = self.frame.loc[rows, column]
        message, remedy = _explain(rule, column, len(rows), self.table.columns.get(column), values)
        shown = None if rule == "not_nullable" else examples(pd.unique(values))
        return Fault(message, self.file, self._where(rows), shown, remedy)

    def _missing(self, column: str) -> Fault:
        spare = [name for name in map(str, self.frame.columns) if name not in self.table.columns]
        near = nearest_name(column, spare)
        return Fault(
            Msg("the column {column} is missing", column=column),
            file=self.file,
            value=near,
            remedy=Msg("rename {near} to {column}", near=near, column=column)
            if near
            else Msg("add the column {column}", column=column),
        )

    def _where(self, rows: NDArray[np.int64]) -> str:
        name = self.table.name
        if name is None or name not in self.frame:
            return "rows " + examples(rows + 1)
        named = self.frame[name].iloc[rows]
        if named.isna().any():
            return "rows " + examples(rows + 1)
        return f"{name} " + examples(pd.unique(named.astype(str)))


def _explain(
    rule: str, column: str, count: int, cells: Cells | None, values: pd.Series[Any]
) -> tuple[Msg, Msg]:
    """What is wrong with the column, and how to mend it."""
    if rule == "among":
        choices = cells.choices if cells else ()
        near = nearest_name(str(values.iloc[0]), choices)
        known = ", ".join(choices)
        return (
            Msg("{column}: {count} rows with an unknown value", column=column, count=count),
            Msg("did you mean {near}? known: {names}", near=near, names=known)
            if near
            else Msg("known values: {names}", names=known),
        )
    if rule == "geometry_invalid":
        reason = str(values.iloc[0]).removeprefix("invalid: ")
        return (
            Msg("{count} invalid geometries ({reason})", count=count, reason=reason),
            Msg("repair them, for instance with QGIS: Fix geometries"),
        )
    told = _MESSAGES.get(rule)
    if told is None:
        return (
            Msg(
                "{column}: {count} rows break the rule {rule}",
                column=column,
                count=count,
                rule=rule,
            ),
            Msg("correct these rows"),
        )
    message, remedy = told
    return Msg(message.template, column=column, count=count), remedy


_MESSAGES: Mapping[str, tuple[Msg, Msg]] = {
    "not_nullable": (
        Msg("{column}: {count} rows without a value"),
        Msg("fill the column in, or leave these rows out"),
    ),
    "field_uniqueness": (
        Msg("{column}: {count} rows share their identifier with another"),
        Msg("give each row its own, or remove the repeated rows"),
    ),
    "text": (
        Msg("{column}: {count} values that are not text (or are blank)"),
        Msg('write codes and names as text: "01004", never 1004'),
    ),
    "number": (
        Msg("{column}: {count} values that are not finite numbers"),
        Msg("write numbers with a decimal point, without unit"),
    ),
    "positive": (
        Msg("{column}: {count} values that are zero or negative"),
        Msg("write a value above zero, or leave these rows out"),
    ),
    "not_negative": (
        Msg("{column}: {count} negative values"),
        Msg("write zero or more, or leave these rows out"),
    ),
    "whole": (
        Msg("{column}: {count} values that are not whole numbers"),
        Msg("write whole numbers"),
    ),
    "boolean": (
        Msg("{column}: {count} values that are not true or false"),
        Msg("write true or false"),
    ),
    "insee": (
        Msg("{column}: {count} values that are not INSEE codes of a commune"),
        Msg('an INSEE code is text of 5 characters: "01004", "2A004"'),
    ),
    "siren": (
        Msg("{column}: {count} values that are not SIREN numbers"),
        Msg("a SIREN number is text of 9 digits"),
    ),
    "commune": (
        Msg("{column}: {count} codes that match no commune of the pack"),
        Msg("use the current code of the commune (communes that merged have a new one)"),
    ),
    "geometry_empty": (
        Msg("{count} geometries are missing or empty"),
        Msg("draw them, or leave these rows out"),
    ),
    "geometry_type": (
        Msg("{count} geometries are of the wrong type"),
        Msg("export the layer with the type of geometry that the table needs"),
    ),
    "geometry_outside": (
        Msg("{count} geometries lie outside metropolitan France"),
        Msg("check the CRS and the order of the coordinates (EPSG:2154, metres)"),
    ),
}
"""Template of each rule (``column`` and ``count`` are filled in) and its remedy."""
