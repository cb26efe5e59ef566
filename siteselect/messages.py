"""Messages that can be translated after they were made.

The core never prints and never chooses a language: it raises or returns :class:`Msg` objects,
an English template with its values. Whoever shows them (command line, report, web) renders
them through a catalogue (:mod:`siteselect.i18n`). Every template is written as a literal in a
call of ``Msg(...)`` so that the catalogue's completeness can be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Translate = Callable[[str], str]


@dataclass(frozen=True, init=False)
class Msg:
    """An English template and the values that fill it.

    ``str(msg)`` gives English; ``msg.render(translate)`` another language. A value that is
    itself a :class:`Msg` is rendered with the same translation.
    """

    template: str
    values: Mapping[str, object]

    def __init__(self, template: str, /, **values: object) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", MappingProxyType(values))

    def render(self, translate: Translate) -> str:
        """The text in the language of ``translate`` (a template → a template)."""
        filled = {
            key: value.render(translate) if isinstance(value, Msg) else value
            for key, value in self.values.items()
        }
        return translate(self.template).format(**filled)

    def __str__(self) -> str:
        return self.render(_same)

    def __reduce__(self) -> tuple[Callable[..., Msg], tuple[str, dict[str, object]]]:
        return _rebuild, (self.template, dict(self.values))

    def __hash__(self) -> int:
        return hash((self.template, str(self)))


def _same(template: str) -> str:
    return template


def _rebuild(template: str, values: dict[str, object]) -> Msg:
    return Msg(template, **values)
