"""From a value of a table to what a person reads in a cell, and cells that cannot run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np

from siteselect.i18n import UNKNOWN, UNREACHABLE, Translator
from siteselect.report.columns import RANK, WORD, Column
from siteselect.report.words import word

Cell: TypeAlias = str | float | int

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN, NaT or pandas.NA: not known, or not there."""
    if isinstance(value, float):
        return value != value  # the only value that differs from itself: NaN
    if value is None:
        return True
    return type(value).__name__ in ("NAType", "NaTType")


def cell(value: object, column: Column, translator: Translator) -> Cell:
    """A value for people: a real number, a text, or the word for unknown and unreachable.

    Infinity is « injoignable » and NaN « inconnu »: never a blank that could read as zero.
    """
    if is_missing(value) or value == "":
        return translator.text(UNKNOWN if column.empty is None else column.empty)
    if not column.form.numeric:
        return word(column.key, value, translator) if column.form is WORD else str(value)
    if not isinstance(value, float | int | np.number):
        return str(value)
    number = float(value)
    if math.isinf(number):
        return translator.text(UNREACHABLE)
    return int(number) if column.form is RANK else number


def cells(values: Iterable[object], column: Column, translator: Translator) -> Iterator[Cell]:
    """:func:`cell` of a whole column: each word is looked up once, plain numbers pass."""
    known: dict[str, Cell] = {}
    plain_number = column.form.numeric and column.form is not RANK
    for value in values:
        if plain_number and type(value) is float and -math.inf < value < math.inf:
            yield value
        elif type(value) is str:
            if value not in known:
                known[value] = cell(value, column, translator)
            yield known[value]
        else:
            yield cell(value, column, translator)


def shown(value: object, column: Column, translator: Translator) -> str:
    """The same in text, numbers written in the language (for the page)."""
    content = cell(value, column, translator)
    if isinstance(content, str):
        return content
    if column.form.name in ("share", "weight"):
        return translator.percent(content, 1 if column.form.name == "weight" else 0)
    return translator.number(content, column.form.digits)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula when it opens a CSV file.

    Source: OWASP, CSV Injection: such a text gets an apostrophe in front.
    """
    return "'" + text if text.lstrip(" \u00a0").startswith(_STARTS) else text
