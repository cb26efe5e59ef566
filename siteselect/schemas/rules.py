"""What a cell may hold: each rule takes a series without nulls and gives one bool a cell."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Elementwise = Callable[["pd.Series[Any]"], "pd.Series[bool]"]


@dataclass(frozen=True)
class Rule:
    """A check of cells, by the name that the messages below go by."""

    name: str
    holds: Elementwise


def _is_text(cells: pd.Series[Any]) -> pd.Series[bool]:
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.str.strip() != ""
    return cells.map(lambda cell: isinstance(cell, str) and cell.strip() != "").astype(bool)


def _numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_bool_dtype(cells.dtype):
        return pd.Series(np.nan, index=cells.index)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.astype("float64")
    texts = cells.map(lambda cell: isinstance(cell, str | bool))
    return pd.to_numeric(cells.mask(texts.astype(bool)), errors="coerce").astype("float64")


def _is_number(cells: pd.Series[Any]) -> pd.Series[bool]:
    numbers = _numbers(cells)
    return numbers.notna() & ~numbers.isin([np.inf, -np.inf])


def _whole(cells: pd.Series[Any]) -> pd.Series[bool]:
    numbers = _numbers(cells)
    return ~_is_number(cells) | (numbers % 1 == 0)


def _matches(pattern: str) -> Elementwise:
    def holds(cells: pd.Series[Any]) -> pd.Series[bool]:
        # What is not text is another fault: not told twice.
        return ~_is_text(cells) | cells.astype(str).str.fullmatch(pattern)

    return holds


def among(valid: Collection[object]) -> Elementwise:
    """One of these values."""

    def holds(cells: pd.Series[Any]) -> pd.Series[bool]:
        return cells.isin(list(valid))

    return holds


TEXT = Rule("text", _is_text)
NUMBER = Rule("number", _is_number)
POSITIVE = Rule("positive", lambda cells: ~(_numbers(cells) <= 0))
NOT_NEGATIVE = Rule("not_negative", lambda cells: ~(_numbers(cells) < 0))
WHOLE = Rule("whole", _whole)
BOOLEAN = Rule("boolean", lambda cells: cells.map(lambda c: isinstance(c, bool | np.bool_)))
INSEE = Rule("insee", _matches(r"(\d\d|2[AB])\d{3}"))
SIREN = Rule("siren", _matches(r"\d{9}"))
GEOMETRY_PROBLEMS = ("empty", "type", "invalid", "outside")


def geometry_rule(problem: str) -> Rule:
    """No geometry has this problem (told as text that starts with its name)."""
    return Rule(f"geometry_{problem}", lambda cells: ~cells.str.startswith(problem))
