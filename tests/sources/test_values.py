from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.sources import values


def column(*cells: str) -> pd.Series[str]:
    return pd.Series(list(cells), dtype="str")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234.5", 1234.5),
        ("1234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u202f234\u00a0567,25", 1234567.25),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1'234", 1234.0),
        ("-3", -3.0),
        ("1.2E+05", 120000.0),
    ],
)
def test_numbers(text: str, number: float) -> None:
    assert values.numbers(column(text)).tolist() == [number]


@pytest.mark.parametrize("text", ["", "NA", "nan", "inf", "-inf", "12 ha", "1,2,3", "abc", "0x10"])
def test_no_numbers(text: str) -> None:
    assert np.isnan(values.numbers(column(text)).iloc[0])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_written_either_way_are_the_same(number: float) -> None:
    text = repr(number)
    assert values.numbers(column(text, text.replace(".", ","))).tolist() == [number, number]


def test_codes() -> None:
    codes = values.insee_codes(column("1004", "1004.0", "2a004", " 75056 ", "abc", ""))
    assert list(codes) == ["01004", "01004", "2A004", "75056", "abc".upper(), ""]


def test_districts() -> None:
    found = values.commune_of_district(
        column("75101", "75120", "75121", "75056", "69381", "69390", "13201", "13216", "13217")
    )
    assert list(found) == [
        "75056", "75056", "75121", "75056", "69123", "69390", "13055", "13055", "13217",
    ]  # fmt: skip


def test_words() -> None:
    known = ("pollution avérée", "friche d'habitat")
    found = values.words(
        column("POLLUTION AVEREE", "friche d’habitat", "avérée", "autre chose"),
        known,
        {"averee": "pollution avérée"},
    )
    assert found.iloc[:3].tolist() == ["pollution avérée", "friche d'habitat", "pollution avérée"]
    assert pd.isna(found.iloc[3])


def test_dates() -> None:
    dates = values.iso_dates(column("2024-02-13", "13/02/2024", "2024", "hier", "", "2024-02"))
    assert list(dates) == ["2024-02-13", "2024-02-13", "2024", "", "", "2024-02"]


def test_blank_words() -> None:
    assert values.present(column("NA", "n/a", " ", "NaN", "0", "non")).isna().tolist() == [
        True, True, True, True, False, False,
    ]  # fmt: skip
