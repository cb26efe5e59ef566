"""Scenarios: those shipped, the planner's own, and every key that they may set."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from siteselect.web.asked import Name, Place, Reader
from siteselect.web.keys import KeyAnswer, keys_of
from siteselect.web.scenarios import ChangeAnswer, Opened, changes_of, open_all, open_scenario

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


class ScenarioAnswer(BaseModel):
    """A scenario as its file says it and as it is resolved."""

    name: str
    title: str
    base: str | None
    read_only: bool
    pack: str
    toml: str
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


@router.get("/scenarios/{name}")
def scenario(name: Name, place: Place, reader: Reader) -> ScenarioAnswer:
    """One scenario."""
    opened = open_scenario(place, name, reader)
    return ScenarioAnswer(
        toml=opened.toml,
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
