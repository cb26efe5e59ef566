"""Scenarios as the application reads, checks and writes them.

A scenario sent by somebody names packs and other scenarios by their name only. In the file that is
written the pack becomes a path relative to it, so that the command line reads the same file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomli_w
from pydantic import BaseModel

from siteselect.errors import Fault, FaultLog, InputError, SiteSelectError, nearest_name
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.pack import embedded_packs
from siteselect.scenario_files import (
    GRID_TABLES,
    Change,
    LoadedScenario,
    ScenarioBase,
    base_of,
    open_base,
    read_override,
)
from siteselect.web.faults import faults_json
from siteselect.web.paths import Workspace, checked_name

MOST_TOML_CHARACTERS = 1_000_000


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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
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
    return [
        ChangeAnswer(
            key=one.key,
            old=one.old,
            new=one.new,
            text=f"{one.key}: {_shown(one.old, reader)} → {_shown(one.new, reader)}",
        )
        for one in changes
    ]


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


def usable(place: Workspace, tree: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a scenario sent by somebody, its pack made relative.

    Raises
    ------
    InputError
        it names a pack, a scenario or a file that is not of the workspace.
    """
    log = FaultLog()
    result = dict(tree)
    if "extends" in result:
        result["extends"] = _extends(place, result["extends"], log)
    if isinstance(result.get("pack"), str):
        result["pack"] = _pack(place, result["pack"], log)
    for grid in GRID_TABLES:
        _no_files_in(result.get(grid), grid, log)
    network = result.get("network")
    edits = network.get("edits") if isinstance(network, Mapping) else None
    if isinstance(edits, str) and edits != "none":
        log.add(
            Msg("a scenario of the application holds its network edits itself"),
            where="network.edits",
            value=edits[:120],
            remedy=Msg("write the edits as tables [[network.edits]]"),
        )
    log.check()
    return result


def _no_files_in(grid: object, where: str, log: FaultLog) -> None:
    """Grids may set any dotted key: not those that name files."""
    if not isinstance(grid, Mapping):
        return
    for key, value in grid.items():
        name = str(key).replace('"', "").replace(" ", "")
        if name in ("pack", "extends", "network", "network.edits"):
            log.add(
                Msg("a grid of the application does not change this key"),
                where=f"{where}.{name}",
                remedy=Msg("make one scenario for each"),
            )
        _no_files_in(value, f"{where}.{name}", log)


def _extends(place: Workspace, value: object, log: FaultLog) -> object:
    known = place.scenario_files()
    name = value.removesuffix(".toml") if isinstance(value, str) else ""
    if name not in known:
        near = nearest_name(name, known)
        log.add(
            Msg("there is no scenario of this name"),
            where="extends",
            value=str(value)[:120],
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("choose one of the list"),
        )
        return value
    return f"{name}.toml" if place.is_own(known[name]) else name


def _pack(place: Workspace, value: str, log: FaultLog) -> str:
    name = pack_name(place, value, place.scenarios)
    if name is None:
        known = place.pack_folders()
        near = nearest_name(value, known)
        log.add(
            Msg("there is no data pack of this name"),
            where="pack",
            value=value[:120],
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("choose one of the list"),
        )
        return value
    return pack_reference(place, name)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys and their values as nested tables; null becomes the text ``"none"``.

    Raises
    ------
    InputError
        a key stands for a value and for a table.
    """
    tree: dict[str, Any] = {}
    for dotted, value in values.items():
        *above, last = dotted.split(".")
        here = tree
        for part in above:
            inner = here.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InputError(
                    Fault(
                        Msg("this key is given as a value and as a table"),
                        where=dotted[:200],
                        remedy=Msg("keep one of the two"),
                    )
                )
            here = inner
        here[last] = _without_null(value)
    return tree


def _without_null(value: Any) -> Any:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return {str(key): _without_null(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_null(one) for one in value if one is not None]
    return value


def read_toml(text: str, *, file: str = "scenario.toml") -> dict[str, Any]:
    """A TOML text as nested tables. Raises InputError."""
    if len(text) > MOST_TOML_CHARACTERS:
        raise InputError(Fault(Msg("this scenario is too long"), file=file, value=len(text)))
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            Fault(
                Msg("this is not valid TOML: {error}", error=error),
                file=file,
                remedy=Msg("correct that line; texts are written between quotes"),
            )
        ) from error


def base_from(
    place: Workspace, tree: Mapping[str, Any], name: str, overrides: Sequence[str] = ()
) -> ScenarioBase:
    """What a scenario sent by somebody says, as if it were saved under ``name``.

    Raises
    ------
    InputError
        as :func:`siteselect.scenario_files.open_base`, and :func:`usable`.
    """
    base = base_of(usable(place, tree), place.own_scenario(name), grids=True)
    return _overridden(place, base, overrides)


def base_named(place: Workspace, name: str, overrides: Sequence[str] = ()) -> ScenarioBase:
    """A scenario of the workspace with ``key=value`` overrides. Raises InputError."""
    return _overridden(place, open_base(place.scenario_file(name), grids=True), overrides)


def _overridden(place: Workspace, base: ScenarioBase, overrides: Sequence[str]) -> ScenarioBase:
    for text in overrides:
        step = usable(place, read_override(text))
        for key in ("extends", *GRID_TABLES):
            if key in step:
                raise InputError(
                    Fault(
                        Msg("an override does not change this key"),
                        where=key,
                        value=text[:200],
                        remedy=Msg("save another scenario that says so"),
                    )
                )
        if "pack" in step and step["pack"] not in embedded_packs():
            step["pack"] = str(place.packs / Path(step["pack"]).name)
        base = base.with_step(step, f"--set {text}")
    return base


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


def save(place: Workspace, name: str, tree: Mapping[str, Any], text: str | None) -> Path:
    """Write a scenario of the planner's, beside and renamed.

    ``text`` is kept as the planner wrote it (comments!) where nothing had to be changed in it.

    Raises
    ------
    InputError
        it is wrong, or the place cannot be written.
    """
    path = place.own_scenario(name)
    ready = usable(place, tree)
    base_of(ready, path, grids=True).derive({}, path.name)
    if text is None or ready != dict(tree):
        text = tomli_w.dumps(ready)
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            Fault(
                Msg("the scenario cannot be written: {error}", error=error.strerror or error),
                file=path,
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error
    return path
