"""Scenarios sent by somebody: refused, checked, written, removed.

What is sent names packs and other scenarios by their name only. In the file that is written the
pack becomes a path relative to it, so that the command line reads the same file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomli_w

from siteselect.batches.grid import steps_of
from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.pack import embedded_packs
from siteselect.scenario_files import (
    GRID_TABLES,
    Change,
    ScenarioBase,
    base_of,
    open_base,
    read_override,
)
from siteselect.web.paths import Workspace
from siteselect.web.scenarios import base_name, pack_name, pack_reference, text_of

MOST_TOML_CHARACTERS = 1_000_000
MOST_DEPTH = 30


def usable(place: Workspace, tree: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a scenario sent by somebody, its pack made relative.

    Raises
    ------
    InputError
        it names a pack, a scenario or a file that is not of the workspace.
    """
    check_depth(tree)
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
    check_depth(dict(values))
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


def check_depth(tree: object) -> None:
    """Refuse tables in tables in tables without end. Raises InputError."""
    level: list[object] = [tree]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, Mapping) else one)  # type: ignore[attr-defined]
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return
    raise InputError(
        Fault(
            Msg("tables are nested more than {most} deep", most=MOST_DEPTH),
            remedy=Msg("a scenario has no such key"),
        )
    )


def _without_null(value: Any) -> Any:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return {str(key): _without_null(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_null(one) for one in value if one is not None]
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode()  # half characters: no file has them
    return value


def read_toml(text: str, *, file: str = "scenario.toml") -> dict[str, Any]:
    """A TOML text as nested tables. Raises InputError."""
    if len(text) > MOST_TOML_CHARACTERS:
        raise InputError(Fault(Msg("this scenario is too long"), file=file, value=len(text)))
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
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


@dataclass(frozen=True)
class Sent:
    """A scenario sent by somebody, read but not checked yet."""

    base: ScenarioBase
    toml: str

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it changes from what it extends."""
        return self.base.changes

    def check(self) -> dict[str, Any]:
        """The resolved values. Raises InputError with every fault."""
        loaded = self.base.derive({}, self.base.path.name)
        steps_of(self.base.grid, file=self.base.path)
        return {**loaded.scenario.model_dump(mode="json"), **self.base.grid}


def open_sent(place: Workspace, tree: Mapping[str, Any], name: str, text: str | None) -> Sent:
    """Read a scenario sent by somebody, as if it were saved under ``name``.

    ``text`` is kept as the planner wrote it (comments!) where nothing had to be changed in it.

    Raises
    ------
    InputError
        as :func:`usable`.
    """
    ready = usable(place, tree)
    if text is None or ready != dict(tree):
        text = _toml(ready)
    return Sent(base_of(ready, place.own_scenario(name), grids=True), text)


def _toml(tree: Mapping[str, Any]) -> str:
    try:
        return tomli_w.dumps(tree)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            Fault(
                Msg("this cannot be written as TOML: {error}", error=error),
                remedy=Msg("send texts, numbers, true or false, lists and tables"),
            )
        ) from error


def save(place: Workspace, name: str, tree: Mapping[str, Any], text: str | None) -> Path:
    """Write a scenario of the planner's, beside and renamed.

    Raises
    ------
    InputError
        it is wrong, or the place cannot be written.
    """
    path = place.own_scenario(name)
    sent = open_sent(place, tree, name, text)
    sent.check()
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        beside.write_text(sent.toml, encoding="utf-8")
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


def remove(place: Workspace, name: str) -> None:
    """Remove a scenario of the planner's.

    Raises
    ------
    InputError
        others extend it, or it cannot be removed.
    """
    others = [
        other
        for other, path in place.scenario_files().items()
        if place.is_own(path) and other != name and base_name(text_of(path)) == name
    ]
    if others:
        raise InputError(
            Fault(
                Msg("other scenarios extend this one: {names}", names=", ".join(others)),
                value=name,
                remedy=Msg("remove them first, or keep it"),
            )
        )
    try:
        place.own_scenario(name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the scenario cannot be removed: {error}", error=error.strerror or error),
                value=name,
                remedy=Msg("close the files that are open, check that you may write there"),
            )
        ) from error
