"""Scenarios as the application reads, checks and writes them.

A scenario sent by somebody names packs and other scenarios by their name only. In the file that is
written the pack becomes a path relative to it, so that the command line reads the same file.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from siteselect.errors import Fault, InputError, SiteSelectError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.pack import embedded_packs
from siteselect.scenario_files import (
    Change,
    LoadedScenario,
    open_base,
)
from siteselect.web.faults import faults_json
from siteselect.web.paths import Workspace, checked_name


class ChangeAnswer(BaseModel):
    """One key that differs: ``key: old → new``."""

    key: str
    old: Any
    new: Any
    text: str


@dataclass(frozen=True)
class Opened:
    """A scenario of the workspace, with what is wrong with it where it cannot be read."""

    name: str
    title: str
    description: str
    base: str | None
    read_only: bool
    pack: str
    toml: str
    values: dict[str, Any]
    loaded: LoadedScenario | None
    faults: list[dict[str, Any]] = field(default_factory=list)


def open_all(place: Workspace, reader: Translator) -> list[Opened]:
    """Every scenario of the workspace; those that cannot be read have faults."""
    return [_open(place, name, path, reader) for name, path in place.scenario_files().items()]


def open_scenario(place: Workspace, name: str, reader: Translator) -> Opened:
    """One scenario. Raises NotFoundError."""
    return _open(place, name, place.scenario_file(name), reader)


def _open(place: Workspace, name: str, path: Path, reader: Translator) -> Opened:
    read_only = not place.is_own(path)
    text = text_of(path)
    try:
        base = open_base(path, grids=True)
        loaded = base.derive({}, path.name)
    except SiteSelectError as error:
        return Opened(
            name, name, "", base_name(text), read_only, "", text, {}, None,
            faults_json(error, reader),
        )  # fmt: skip
    scenario = loaded.scenario
    pack = pack_name(place, scenario.pack, path.parent)
    values = {**scenario.model_dump(mode="json"), "pack": pack or scenario.pack, **base.grid}
    shown = pack or Path(scenario.pack).name
    return Opened(
        name, scenario.title, scenario.description, base_name(text), read_only, shown, text,
        values, loaded,
    )  # fmt: skip


def base_name(text: str) -> str | None:
    """The name of the scenario that a file extends."""
    try:
        base = tomllib.loads(text).get("extends")
    except tomllib.TOMLDecodeError:
        return None
    return Path(base).name.removesuffix(".toml") if isinstance(base, str) else None


def changes_of(opened: Opened, reader: Translator) -> list[ChangeAnswer]:
    """What a scenario changes from what it extends."""
    return [] if opened.loaded is None else shown_changes(opened.loaded.changes, reader)


def shown_changes(changes: tuple[Change, ...], reader: Translator) -> list[ChangeAnswer]:
    """Changes with their text."""
    return [_change(one, reader) for one in changes]


def _change(one: Change, reader: Translator) -> ChangeAnswer:
    old, new = one.old, one.new
    if one.key == "pack":  # by its name: where it lies on this machine is nobody's business
        old, new = (Path(str(value)).name for value in (old, new))
    text = f"{one.key}: {_shown(old, reader)} → {_shown(new, reader)}"
    return ChangeAnswer(key=one.key, old=old, new=new, text=text)


def _shown(value: object, reader: Translator) -> str:
    if value is None:
        return reader.text(Msg("none"))
    if isinstance(value, bool):
        return reader.text(Msg("yes")) if value else reader.text(Msg("no"))
    if isinstance(value, float):
        return reader.text(Msg("{value}", value=value))
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one, reader) for one in value) or "—"
    return str(value) or "—"


def pack_name(place: Workspace, value: str, folder: Path) -> str | None:
    """The name of the pack that a scenario in ``folder`` names; ``None``: not of the workspace."""
    known = place.pack_folders()
    if value in known:
        return value
    try:
        meant = Path(os.path.normpath(folder / value))
        return next((name for name, one in known.items() if one == meant), None)
    except (OSError, ValueError):
        return None


def pack_reference(place: Workspace, name: str) -> str:
    """How a scenario file of the workspace names a pack."""
    if name in embedded_packs():
        return name
    path = os.path.relpath(place.packs / checked_name(name), place.scenarios)
    return Path(path).as_posix()


def own_pack(place: Workspace, loaded: LoadedScenario) -> Path:
    """Folder of the pack of a scenario. Raises InputError where it is not of the workspace."""
    beside = loaded.path.parent if loaded.path else place.scenarios
    name = pack_name(place, loaded.scenario.pack, beside)
    if name is None:
        raise InputError(
            Fault(
                Msg("the data pack of this scenario is not in the folder of packs"),
                where="pack",
                value=Path(loaded.scenario.pack).name,
                remedy=Msg("copy it there, or choose another pack"),
            )
        )
    return place.pack_folder(name)


def version_of(path: Path) -> str:
    """Changes with a file; that of no file is the version of an empty one."""
    return version_of_text(text_of(path))


def version_of_text(text: str) -> str:
    """Changes with the text of a scenario."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def text_of(path: Path) -> str:
    """The text of a scenario; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
