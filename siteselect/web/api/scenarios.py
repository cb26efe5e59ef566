"""Scenarios: those shipped, the planner's own, and every key that they may set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from siteselect.errors import Fault, InputError, SiteSelectError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.web.asked import Name, Place, Reader
from siteselect.web.faults import faults_json
from siteselect.web.keys import KeyAnswer, keys_of
from siteselect.web.paths import NAME, ConflictError, Workspace
from siteselect.web.scenarios import (
    ChangeAnswer,
    Opened,
    changes_of,
    open_all,
    open_scenario,
    shown_changes,
    version_of,
    version_of_text,
)
from siteselect.web.sending import nested, open_sent, read_toml, remove, save

router = APIRouter(tags=["scenarios"])


class ScenarioEntry(BaseModel):
    """A scenario of the list."""

    name: str
    title: str
    description: str
    base: str | None
    read_only: bool
    pack: str
    faults: list[dict[str, Any]]


class ScenarioIn(BaseModel):
    """A scenario to check or save: its TOML, or what it extends and the keys it sets.

    ``values`` are dotted keys; null takes an optional value away.
    """

    model_config = ConfigDict(extra="forbid")

    toml: str | None = Field(None, max_length=1_000_000)
    extends: Annotated[str, Field(pattern=rf"^{NAME}$")] | None = None
    values: dict[Annotated[str, Field(min_length=1, max_length=300)], Any] = Field({})
    version: str | None = Field(
        None, description="version that was read: refused (409) where the file is another by now"
    )


class CheckAnswer(BaseModel):
    """What a scenario would be: its faults, its differences from what it extends, its file."""

    faults: list[dict[str, Any]]
    changes: list[ChangeAnswer]
    toml: str
    values: dict[str, Any]


class ScenarioAnswer(BaseModel):
    """A scenario as its file says it and as it is resolved."""

    name: str
    title: str
    base: str | None
    read_only: bool
    pack: str
    toml: str
    version: str
    """changes with the file: send it back when saving"""
    values: dict[str, Any]
    """the resolved scenario, nested as in the file"""
    changes: list[ChangeAnswer]
    """what differs from what it extends"""
    faults: list[dict[str, Any]]


@router.get("/scenario/keys")
def keys(reader: Reader) -> list[KeyAnswer]:
    """Every key of a scenario: type, unit, default, bounds, meaning."""
    return keys_of(reader)


@router.get("/scenarios")
def scenarios(place: Place, reader: Reader) -> list[ScenarioEntry]:
    """The planner's own scenarios, then those shipped."""
    return [_entry(one) for one in open_all(place, reader)]


@router.post("/scenarios/check")
def check(body: ScenarioIn, place: Place, reader: Reader) -> CheckAnswer:
    """What is wrong with a scenario, without saving it."""
    text, faults, changes = body.toml or "", [], []
    values: dict[str, Any] = {}
    try:
        tree = tree_of(body)
        sent = open_sent(place, tree, "scenario", body.toml)
        text, changes = sent.toml, shown_changes(sent.changes, reader)
        values = sent.check()
    except SiteSelectError as error:
        faults = faults_json(error, reader)
    return CheckAnswer(faults=faults, changes=changes, toml=text, values=values)


@router.get("/scenarios/{name}")
def scenario(name: Name, place: Place, reader: Reader) -> ScenarioAnswer:
    """One scenario."""
    return _answer(open_scenario(place, name, reader), reader)


@router.put("/scenarios/{name}")
def put(name: Name, body: ScenarioIn, place: Place, reader: Reader) -> ScenarioAnswer:
    """Save a scenario of the planner's as TOML; nothing is written where it is wrong."""
    file = place.own_scenario(name)
    _check_writable(place, name, file)
    if body.version is not None and body.version != version_of(file):
        raise ConflictError(
            Fault(
                Msg("the scenario was changed meanwhile, in another window perhaps"),
                file=file,
                remedy=Msg("open it again, or save yours under another name"),
            )
        )
    save(place, name, tree_of(body), body.toml)
    return _answer(open_scenario(place, name, reader), reader)


@router.delete("/scenarios/{name}", status_code=204)
def delete(name: Name, place: Place) -> Response:
    """Remove a scenario of the planner's; its runs stay."""
    file = place.scenario_file(name)
    _check_writable(place, name, file)
    remove(place, name)
    return Response(status_code=204)


def _check_writable(place: Workspace, name: str, file: Path) -> None:
    known = place.scenario_files().get(name, file)
    if not place.is_own(known):
        raise InputError(
            Fault(
                Msg("this scenario is shipped with siteselect and stays as it is"),
                value=name,
                remedy=Msg("save yours under another name"),
            )
        )


def tree_of(body: ScenarioIn) -> dict[str, Any]:
    """What a body says as nested tables. Raises InputError."""
    if body.toml is not None:
        return read_toml(body.toml)
    base = {} if body.extends is None else {"extends": body.extends}
    return {**base, **nested(body.values)}


def _answer(opened: Opened, reader: Translator) -> ScenarioAnswer:
    return ScenarioAnswer(
        toml=opened.toml,
        version=version_of_text(opened.toml),
        values=opened.values,
        changes=changes_of(opened, reader),
        **_entry(opened).model_dump(exclude={"description"}),
    )


def _entry(opened: Opened) -> ScenarioEntry:
    return ScenarioEntry(
        name=opened.name,
        title=opened.title,
        description=opened.description,
        base=opened.base,
        read_only=opened.read_only,
        pack=opened.pack,
        faults=opened.faults,
    )
