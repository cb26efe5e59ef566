"""What stands in a cell, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.i18n import Translator
from siteselect.report.cells import cell, harmless, is_missing, shown
from siteselect.report.columns import BY_KEY, LEDGER

FR = Translator("fr")


@pytest.mark.parametrize("value", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT])
def test_missing_is_unknown(value: object) -> None:
    assert is_missing(value)
    assert cell(value, BY_KEY["motorway_min"], FR) == "inconnu"
    assert cell(value, BY_KEY["stated_pollution"], FR) == "inconnu"


@pytest.mark.parametrize("value", [0, 0.0, "", "nan", np.inf, False])
def test_present(value: object) -> None:
    assert not is_missing(value)


def test_unreachable() -> None:
    assert cell(np.inf, BY_KEY["motorway_min"], FR) == "injoignable"
    assert cell(np.float64(0.0), BY_KEY["motorway_min"], FR) == 0.0


def test_what_is_empty_by_nature() -> None:
    cap = next(column for column in LEDGER if column.key == "cap_ha")
    assert cell(np.nan, cap, FR) == "sans plafond"
    assert cell(pd.NA, BY_KEY["rank"], FR) == "—"
    assert cell(np.int64(3), BY_KEY["rank"], FR) == 3


def test_words_and_codes() -> None:
    assert cell("brownfield", BY_KEY["kind"], FR) == "friche"
    assert cell("forced_in", BY_KEY["status"], FR) == "retenu (imposé)"
    assert cell("something new", BY_KEY["kind"], FR) == "something new"
    assert cell("01004", BY_KEY["code_insee"], FR) == "01004"


def test_shown() -> None:
    assert shown(1234.5, BY_KEY["usable_ha"], FR) == "1\u202f234,50"
    assert shown(0.851, BY_KEY["reliability"], FR) == "85\u00a0%"


@pytest.mark.parametrize(
    "text", ["=1+1", "+33", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "＝1"]
)
def test_texts_that_could_run(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["Friche", "", "L'étang", "a=b", "1-2"])
def test_texts_left_alone(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_never_begins_like_a_formula(text: str) -> None:
    result = harmless(text)
    assert not result.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert result.endswith(text)
