"""Every key of a scenario as a form needs it: kind of value, bounds, choices, words."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from siteselect.i18n import Translator
from siteselect.scenario_keys import Key, scenario_keys


class KeyAnswer(BaseModel):
    """One key; ``*`` in a path is a name of the planner's, ``[]`` an entry of a list."""

    path: str
    type: str
    """text, number, integer, boolean, choice, list, table or tables (entries with keys)"""
    of: str | None
    """kind of the entries of a list or a table"""
    unit: str
    default: Any
    required: bool
    optional: bool
    """the text "none" takes the value away"""
    minimum: float | None
    maximum: float | None
    exclusive: bool
    """the minimum itself is not allowed"""
    choices: list[str] | None
    meaning: str
    group: str
    """first part of the path; "general" for keys at the top of the file"""


def keys_of(reader: Translator) -> list[KeyAnswer]:
    """Every key, in the order of the model, its meaning in the language of the reader."""
    return [_key(key, reader) for key in scenario_keys()]


def _key(key: Key, reader: Translator) -> KeyAnswer:
    form = key.form
    return KeyAnswer(
        path=key.path,
        type=form.kind,
        of=form.of,
        unit=key.unit,
        default=form.default,
        required=form.required,
        optional=form.optional,
        minimum=form.minimum,
        maximum=form.maximum,
        exclusive=form.exclusive,
        choices=list(form.choices) or None,
        meaning=reader.gettext(key.meaning),
        group=key.path.partition(".")[0] if "." in key.path else "general",
    )
