"""Languages: texts through a gettext catalogue, numbers and dates through Babel.

French is the default. The code says everything in English (:class:`siteselect.messages.Msg`);
``fr.po`` beside this file gives the French, and is read as it is (no compiled catalogue to
forget). ``python -m siteselect.i18n.update`` adds to it what the code says and it lacks.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, get_decimal_symbol

from siteselect.messages import Msg

__all__ = ["CATALOGUE", "LANGS", "Lang", "Translator"]

Lang = Literal["fr", "en"]
LANGS: tuple[Lang, ...] = ("fr", "en")
CATALOGUE = Path(__file__).with_name("fr.po")

NBSP = "\u00a0"
MINUS = "\u2212"
UNKNOWN = Msg("unknown")
UNREACHABLE = Msg("unreachable")

_SPEC = re.compile(r"(?P<sign>\+?)(?P<comma>,?)(?:\.(?P<digits>\d+))?(?P<type>[f%d]?)")


@lru_cache(maxsize=4)
def _catalogue(path: Path) -> Mapping[str, str]:
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale="fr")
    return MappingProxyType(
        {
            message.id: message.string
            for message in catalogue
            if isinstance(message.id, str)
            and isinstance(message.string, str)
            and message.id
            and message.string
        }
    )


class Translator:
    """Texts, numbers and dates in one language.

    Parameters
    ----------
    lang
        ``fr`` (the default) or ``en``.
    catalogue
        The French catalogue, for tests; a template it lacks is shown in English.
    """

    def __init__(self, lang: Lang = "fr", *, catalogue: Path = CATALOGUE) -> None:
        self.lang: Lang = lang
        self.locale = Locale("fr", "FR") if lang == "fr" else Locale("en", "GB")
        self._texts: Mapping[str, str] = _catalogue(catalogue) if lang == "fr" else {}
        self._formatter = _LocalFormatter(self)

    def gettext(self, template: str) -> str:
        """A template in this language, its placeholders untouched (a ``Translate``)."""
        return self._texts.get(template, template)

    def text(self, message: Msg | str) -> str:
        """A message rendered, its numbers too; a plain string is looked up as a template."""
        if isinstance(message, str):
            return self.gettext(message)
        values = {
            key: self.text(value) if isinstance(value, Msg) else value
            for key, value in message.values.items()
        }
        return self._formatter.vformat(self.gettext(message.template), (), values)

    def plural(self, n: int, one: Msg, other: Msg) -> str:
        """``one`` or ``other`` by the plural rule of the language (French: 0 is singular)."""
        return self.text(one if self.locale.plural_form(n) == "one" else other)

    def number(self, x: float | None, digits: int = 0) -> str:
        """A number with a fixed count of decimals; unknown and unreachable are said in words."""
        if _is_unknown(x):
            return self.text(UNKNOWN)
        assert x is not None
        if math.isinf(x):
            return self.text(UNREACHABLE)
        rounded = round(float(x), digits) + 0.0  # + 0.0: never "-0"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(rounded, pattern, locale=self.locale).replace("-", MINUS)

    def signed(self, x: float | None, digits: int = 0) -> str:
        """A number with its sign, for balances."""
        shown = self.number(x, digits)
        if _is_unknown(x) or not math.isfinite(float(x or 0)) or round(float(x or 0), digits) <= 0:
            return shown
        return "+" + shown

    def ha(self, x: float | None) -> str:
        """Hectares with two decimals and the unit."""
        return self._with_unit(x, 2, "ha")

    def percent(self, x: float | None, digits: int = 0) -> str:
        """A share of 0 to 1 as a percentage."""
        if _is_unknown(x) or not math.isfinite(float(x or 0)):
            return self.number(x)
        assert x is not None
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        pattern += f"{NBSP}%" if self.lang == "fr" else "%"
        return format_percent(x, pattern, locale=self.locale).replace("-", MINUS)

    def date(self, d: date) -> str:
        """JJ/MM/AAAA in French, day month year in English."""
        pattern = "dd/MM/yyyy" if self.lang == "fr" else "d MMM yyyy"
        return format_date(d, pattern, locale=self.locale)

    def _with_unit(self, x: float | None, digits: int, unit: str) -> str:
        shown = self.number(x, digits)
        known = not _is_unknown(x) and math.isfinite(float(x or 0))
        return f"{shown}{NBSP}{unit}" if known else shown


_EXACT = 1e15
"""Beyond this decimals mean nothing to a float, and the short way below does not apply."""


class _LocalFormatter(string.Formatter):
    """``str.format`` whose numbers follow the language: ``{share:.1f}`` gives 0,5 in French.

    Whole numbers without a format are left alone: they may be years, codes or ranks.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._decimal = get_decimal_symbol(translator.locale)

    def format_field(self, value: Any, format_spec: str) -> str:
        if type(value) is str and not format_spec:
            return value
        if isinstance(value, bool) or not (type(value) is float or isinstance(value, Real)):
            return str(super().format_field(value, format_spec))
        if not format_spec and isinstance(value, Integral):
            return str(int(value))
        spec = _read_spec(format_spec)
        if spec is None or not math.isfinite(value):
            shown = str(super().format_field(value, format_spec))
            return shown.replace(".", ",") if self._translator.lang == "fr" else shown
        return self._localised(float(value), spec)

    def vformat(self, format_string: str, args: Any, kwargs: Any) -> str:
        """As ``str.format``; a run fills the same few templates tens of thousands of times."""
        parts = _parts(format_string)
        if parts is None:
            return super().vformat(format_string, args, kwargs)
        shown = []
        for literal, name, spec, conversion in parts:
            shown.append(literal)
            if name is not None:
                value = kwargs[name]
                if conversion:
                    value = self.convert_field(value, conversion)
                shown.append(self.format_field(value, spec or ""))
        return "".join(shown)

    def _fixed(self, value: float, digits: int) -> str:
        """As ``format_decimal`` without thousands, which reads its pattern again every time."""
        rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
        return f"{rounded:f}".replace(".", self._decimal)

    def _localised(self, value: float, spec: re.Match[str]) -> str:
        digits, kind = spec["digits"], spec["type"]
        if kind == "%":
            return self._translator.percent(value, 6 if digits is None else int(digits))
        if digits is not None or kind:
            count = 0 if kind == "d" else 6 if digits is None else int(digits)
            if not spec["comma"] and abs(value) < _EXACT:
                shown = self._fixed(value, count)
                return "+" + shown if spec["sign"] and value >= 0 else shown
            pattern = "0" + ("." + "0" * count if count else "")
        else:
            pattern = "0.######"
        pattern = ("#,##" if spec["comma"] else "#") + pattern
        shown = format_decimal(value, pattern, locale=self._translator.locale)
        return "+" + shown if spec["sign"] and value >= 0 else shown


_Part = tuple[str, str | None, str | None, str | None]


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[_Part, ...] | None:
    """A template taken apart; ``None`` for one with fields inside fields."""
    parts = tuple(string.Formatter().parse(template))
    plain = all(
        name is None or (name.isidentifier() and "{" not in (spec or ""))
        for _, name, spec, _ in parts
    )
    return parts if plain else None


@lru_cache(maxsize=256)
def _read_spec(format_spec: str) -> re.Match[str] | None:
    return _SPEC.fullmatch(format_spec)


def _is_unknown(x: float | None) -> bool:
    # pandas.NA has no truth value and is not a number: anything that is not one is unknown
    return not isinstance(x, Real) or math.isnan(x)
