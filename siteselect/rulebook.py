"""The legal regimes as versioned data: rules may change, so they are read, never coded.

Sources: Code de l'urbanisme L101-2-1; laws 2021-1104 and 2023-630; decree 2023-1096.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from siteselect.errors import Fault, InputError, nearest_name
from siteselect.messages import Msg


@dataclass(frozen=True)
class Rulebook:
    """One regime: what land is charged, over which period, by which texts."""

    id: str
    version: str
    title_fr: str
    title_en: str
    period: str
    charge: Literal["non_artificialised_ha", "enaf_ha"]
    sources: tuple[str, ...]
    note_fr: str
    note_en: str

    def title(self, lang: str) -> str:
        """Title in ``fr`` or ``en``."""
        return self.title_fr if lang == "fr" else self.title_en

    def note(self, lang: str) -> str:
        """What a reader must know of the regime, in ``fr`` or ``en``."""
        return self.note_fr if lang == "fr" else self.note_en


def rulebook_names() -> tuple[str, ...]:
    """Identifiers of the regimes known."""
    folder = resources.files("siteselect") / "rules"
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def open_rulebook(name: str) -> Rulebook:
    """The regime of that name. Raises InputError with the nearest name when unknown."""
    names = rulebook_names()
    if name not in names:
        near = nearest_name(name, names) or names[0]
        raise InputError(
            Fault(
                Msg("unknown legal regime"),
                where="land.regime",
                value=name,
                remedy=Msg(
                    "did you mean {near}? known: {names}", near=near, names=", ".join(names)
                ),
            )
        )
    text = (resources.files("siteselect") / "rules" / f"{name}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    data["sources"] = tuple(data["sources"])
    return Rulebook(**data)
