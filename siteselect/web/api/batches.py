"""Batches: planned before they run, and what came of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from siteselect.batches import Planned, RunStore, plan_batch
from siteselect.batches.papers import FILES
from siteselect.errors import Fault
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.web import batchviews
from siteselect.web.api.jobs import NameText, check_batch
from siteselect.web.asked import AtDesk, Name, Place, Reader
from siteselect.web.faults import faults_json
from siteselect.web.jobs import Asked
from siteselect.web.paths import NotFoundError
from siteselect.web.scenarios import ChangeAnswer, own_pack, shown_changes
from siteselect.web.tasks import base_of_job

router = APIRouter(prefix="/batches", tags=["batches"])


class PlanIn(BaseModel):
    """A scenario with a grid ([named], [sweep], [design]), by name or as TOML."""

    model_config = ConfigDict(extra="forbid")

    scenario: NameText | None = None
    toml: str | None = Field(None, max_length=1_000_000)
    overrides: list[str] = Field([], max_length=200)


class PlannedAnswer(BaseModel):
    """One scenario of a plan; ``state``: to_run, there (already), refused."""

    name: str
    title: str
    state: str
    run: str | None
    keys: dict[str, Any]
    changes: list[ChangeAnswer]
    faults: list[dict[str, Any]]


class BatchEntry(BaseModel):
    """A batch of the list; ``states`` counts its scenarios by how they ended."""

    id: str
    title: str
    created: str
    scenarios: int
    finished: bool
    states: dict[str, int]


@router.get("")
def batches(place: Place) -> list[BatchEntry]:
    """Every batch, the newest first."""
    return [BatchEntry(**batchviews.entry(one)) for one in batchviews.batch_folders(place)]


@router.post("/plan")
def plan(body: PlanIn, place: Place, reader: Reader) -> list[PlannedAnswer]:
    """What a batch would run; nothing is computed."""
    asked = Asked("batch", body.scenario, body.toml, tuple(body.overrides))
    base = check_batch(asked, base_of_job(asked, place))
    own_pack(place, base.derive({}, base.path.name))
    store = RunStore(place.runs)
    return [_planned(one, store, reader) for one in plan_batch(base, lang=reader.lang).runs]


def _planned(one: Planned, store: RunStore, reader: Translator) -> PlannedAnswer:
    state = "refused" if one.error else "there" if store.is_settled(one.folder) else "to_run"
    return PlannedAnswer(
        name=one.name,
        title=one.title,
        state=state,
        run=one.folder or None,
        keys=dict(one.keys),
        changes=shown_changes(one.changes, reader),
        faults=faults_json(one.error, reader) if one.error else [],
    )


@router.get("/{name}")
async def batch(name: Name, place: Place, desk: AtDesk, request: Request) -> Response:
    """A batch: scenarios with their figures, sites by how often they are chosen, regions."""
    folder = batchviews.batch_folder(place, name)
    if folder is None:
        raise _no_batch(name)
    key = ["batch", str(place.runs), batchviews.stamp(folder)]
    return await desk.answer(request, "batch", key, batchviews.view, str(folder), str(place.runs))


@router.get("/{name}/files/{file}", response_class=FileResponse)
def file(name: Name, file: Name, place: Place) -> FileResponse:
    """A file of the synthesis, to be saved."""
    folder = batchviews.batch_folder(place, name)
    if folder is None or file not in FILES or not (folder / file).is_file():
        raise _no_batch(f"{name}/{file}")
    return FileResponse(folder / file, filename=f"{name}-{file}")


def _no_batch(name: str) -> NotFoundError:
    remedy = Msg("choose one of the list")
    return NotFoundError(Fault(Msg("there is no batch of this name"), value=name, remedy=remedy))
