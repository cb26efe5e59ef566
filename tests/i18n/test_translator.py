"""Numbers, dates and texts in both languages, by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from babel.messages.catalog import Catalog

from siteselect.i18n import Translator
from siteselect.i18n.update import save
from siteselect.messages import Msg

NARROW = "\u202f"
NBSP = "\u00a0"


@pytest.fixture
def fr(tmp_path: Path) -> Translator:
    catalogue = Catalog(locale="fr")
    catalogue.add("{n} site", "{n} site")
    catalogue.add("{n} sites", "{n} sites")
    catalogue.add("share {share:.1%} of {what}", "part de {what} : {share:.1%}")
    catalogue.add("unknown", "inconnu")
    catalogue.add("unreachable", "injoignable")
    catalogue.add("land", "sol")
    save(catalogue, tmp_path / "fr.po")
    return Translator("fr", catalogue=tmp_path / "fr.po")


EN = Translator("en")


def test_numbers(fr: Translator) -> None:
    assert fr.number(1234567.891, 2) == f"1{NARROW}234{NARROW}567,89"
    assert EN.number(1234567.891, 2) == "1,234,567.89"
    assert fr.ha(0.5) == f"0,50{NBSP}ha"
    assert fr.number(-3.14159, 1) == "\u22123,1"
    assert fr.number(-0.001, 2) == "0,00"
    assert fr.signed(2.0, 1) == "+2,0"
    assert fr.signed(-2.0, 1) == "\u22122,0"
    assert fr.signed(0.0, 1) == "0,0"
    assert fr.percent(0.3456, 1) == f"34,6{NBSP}%"
    assert EN.percent(0.3456) == "35%"


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, np.float64("nan")])
def test_unknown_is_said(fr: Translator, missing: object) -> None:
    assert fr.number(missing, 2) == "inconnu"  # type: ignore[arg-type]
    assert fr.ha(missing) == "inconnu"  # type: ignore[arg-type]
    assert fr.percent(missing) == "inconnu"  # type: ignore[arg-type]
    assert EN.number(missing) == "unknown"  # type: ignore[arg-type]


def test_unreachable_is_said(fr: Translator) -> None:
    assert fr.number(float("inf"), 1) == "injoignable"
    assert fr.ha(np.inf) == "injoignable"


def test_dates(fr: Translator) -> None:
    assert fr.date(date(2026, 3, 7)) == "07/03/2026"
    assert EN.date(date(2026, 3, 7)) == "7 Mar 2026"


def test_plural_follows_the_language(fr: Translator) -> None:
    def many(t: Translator, n: int) -> str:
        return t.plural(n, Msg("{n} site", n=n), Msg("{n} sites", n=n))

    assert [many(fr, n) for n in (0, 1, 2)] == ["0 site", "1 site", "2 sites"]
    assert [many(EN, n) for n in (0, 1, 2)] == ["0 sites", "1 site", "2 sites"]


def test_texts_and_their_numbers(fr: Translator) -> None:
    message = Msg("share {share:.1%} of {what}", share=0.125, what=Msg("land"))
    assert fr.text(message) == f"part de sol : 12,5{NBSP}%"
    assert EN.text(message) == "share 12.5% of land"
    assert fr.text(Msg("not in the catalogue {x:.2f}", x=1.5)) == "not in the catalogue 1,50"
    assert fr.text(Msg("{year} {x} {s!r}", year=2031, x=0.5, s="a.b")) == "2031 0,5 'a.b'"
    assert fr.text(Msg("{n:,}", n=12345)) == f"12{NARROW}345"
    assert EN.text(Msg("{n:,}", n=12345)) == "12,345"
    assert fr.text("land") == "sol"


def test_braces_in_values_are_left_alone(fr: Translator) -> None:
    assert fr.text(Msg("{what}", what="{0} {x}")) == "{0} {x}"
