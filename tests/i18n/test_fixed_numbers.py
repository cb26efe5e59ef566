"""Numbers with fixed decimals, written without asking Babel, are those that Babel writes."""

from __future__ import annotations

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from siteselect.i18n import Translator
from siteselect.messages import Msg

TRANSLATORS = {lang: Translator(lang) for lang in ("fr", "en")}


@given(
    st.floats(-1e12, 1e12),
    st.sampled_from([(0, "0"), (1, "0.0"), (3, "0.000"), (6, "0.000000")]),
    st.sampled_from(["fr", "en"]),
)
def test_the_same_as_babel(value, form, lang):
    digits, pattern = form
    translator = TRANSLATORS[lang]
    shown = translator.text(Msg("{x:." + str(digits) + "f}", x=value))
    assert shown == format_decimal(value, "#" + pattern, locale=translator.locale)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0005, "0,000"), (0.0015, "0,002"), (-2.5, "-2,500")]
)
def test_half_to_even_as_everywhere(value, shown):
    assert TRANSLATORS["fr"].text(Msg("{x:.3f}", x=value)) == shown
