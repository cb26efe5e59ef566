"""Data packs: what is in them, what is simulated or assumed, their outlines and roads."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from siteselect.errors import Fault, SiteSelectError
from siteselect.i18n import Translator
from siteselect.measuring import notices
from siteselect.messages import Msg
from siteselect.pack import DataPack, Layer, embedded_packs, open_pack
from siteselect.scenario_files import ScenarioBase
from siteselect.web import packviews
from siteselect.web.api.jobs import JobAnswer, job_answer, queued
from siteselect.web.api.scenarios import ScenarioIn, tree_of
from siteselect.web.asked import AtDesk, Jobs, Name, Place, Reader
from siteselect.web.desk import Desk
from siteselect.web.faults import faults_json, without_paths
from siteselect.web.jobs import Asked, new_job
from siteselect.web.paths import NAME, NotFoundError, Workspace
from siteselect.web.sending import base_from, base_named
from siteselect.web.tasks import check_file

router = APIRouter(prefix="/packs", tags=["packs"])
MEASURED_BY = {"candidates", "land", "network", "criteria", "weights"}
"""The parts of a scenario that decide how candidates are measured and scored."""


class LayerAnswer(BaseModel):
    """One layer of a pack."""

    role: str
    title: str
    source: str
    licence: str
    attribution: str
    vintage: str
    simulated: bool
    assumed: bool
    note: str
    rows: int | None
    """rows of a table; null for a raster"""


class PackAnswer(BaseModel):
    """A pack: its layers and what must be known before reading figures made with it."""

    name: str
    title: str
    note: str
    embedded: bool
    simulated: bool
    assumed: list[str]
    """what is simulated or assumed, in words"""
    layers: list[LayerAnswer]
    faults: list[dict[str, object]]
    """why the pack cannot be opened; empty where it can"""


@router.get("")
def packs(place: Place, reader: Reader) -> list[PackAnswer]:
    """Every pack that a scenario can name."""
    return [_pack(name, folder, reader) for name, folder in place.pack_folders().items()]


@router.get("/{name}")
def pack(name: Name, place: Place, reader: Reader) -> PackAnswer:
    """One pack."""
    return _pack(name, place.pack_folder(name), reader)


def _pack(name: str, folder: Path, reader: Translator) -> PackAnswer:
    embedded = name in embedded_packs()
    try:
        opened = open_pack(folder, check=False)
    except SiteSelectError as error:
        return PackAnswer(
            name=name, title=name, note="", embedded=embedded, simulated=False, assumed=[],
            layers=[], faults=faults_json(error, reader),
        )  # fmt: skip
    layers = opened.manifest.layers
    return PackAnswer(
        name=name,
        title=opened.manifest.title,
        note=opened.manifest.note,
        embedded=embedded,
        simulated=any(layer.simulated for layer in layers),
        assumed=[reader.text(notice) for notice in notices(opened)],
        layers=[_layer(opened, layer) for layer in layers],
        faults=[],
    )


def _layer(opened: DataPack, layer: Layer) -> LayerAnswer:
    return LayerAnswer(
        role=layer.role,
        title=layer.title,
        source=layer.source,
        licence=layer.licence,
        attribution=layer.attribution,
        vintage=layer.vintage,
        simulated=layer.simulated,
        assumed=layer.assumed,
        note=layer.note,
        rows=_rows(opened.folder / layer.file, layer.sha256),
    )


@lru_cache(maxsize=4096)
def _rows(file: Path, sha256: str) -> int | None:
    """Rows of a table, from its footer; ``sha256`` makes a new version be read again."""
    if file.suffix != ".parquet":
        return None
    try:
        return int(pq.read_metadata(file).num_rows)
    except (OSError, pa.ArrowException):
        return None


Level = Literal["region", "departement"]
Zoom = Literal["low", "high"]


@router.get("/{name}/outlines.geojson")
async def outlines(
    name: Name, place: Place, desk: AtDesk, request: Request, level: Level = "region"
) -> Response:
    """Outlines of regions or départements (WGS 84), simplified for a map."""
    folder, digest = _opened(place, name)
    key = ["outlines", digest, level]
    return await desk.answer(
        request, "outlines", key, packviews.outlines_geojson, folder, digest, level
    )


@router.get("/{name}/roads.geojson")
async def roads(
    name: Name, place: Place, desk: AtDesk, request: Request, zoom: Zoom = "low"
) -> Response:
    """Main roads (WGS 84), simplified for the whole country or for one region."""
    folder, digest = _opened(place, name)
    key = ["roads", digest, zoom]
    return await desk.answer(request, "roads", key, packviews.roads_geojson, folder, digest, zoom)


@router.get("/{name}/sites")
async def sites(
    name: Name,
    place: Place,
    reader: Reader,
    desk: AtDesk,
    request: Request,
    scenario: Annotated[str, Query(pattern=f"^{NAME}$")] = "reference",
) -> Response:
    """Every candidate of a pack by columns, as a scenario of the workspace measures it."""
    base = base_named(place, scenario)
    return await _sites(name, base, place, reader, desk, request)


@router.post("/{name}/sites")
async def sites_of(
    name: Name, body: ScenarioIn, place: Place, reader: Reader, desk: AtDesk, request: Request
) -> Response:
    """The same for a scenario that is not saved."""
    base = base_from(place, tree_of(body), "scenario")
    return await _sites(name, base, place, reader, desk, request)


async def _sites(
    name: str,
    base: ScenarioBase,
    place: Workspace,
    reader: Translator,
    desk: Desk,
    request: Request,
) -> Response:
    folder, digest = _opened(place, name)
    scenario = base.derive({}, base.path.name).scenario
    decides = scenario.model_dump_json(include=MEASURED_BY)
    key = ["sites", digest, decides, reader.lang]
    return await desk.answer(
        request, "sites", key, packviews.candidates, folder, digest, decides, reader.lang
    )


def _opened(place: Workspace, name: str) -> tuple[str, str]:
    """Folder and content hash of a pack. Raises InputError where its manifest is wrong."""
    opened = open_pack(place.pack_folder(name), check=False)
    return str(opened.folder), opened.digest


class ProblemAnswer(BaseModel):
    """One kind of problem of a pack."""

    severity: Literal["error", "warning", "note"]
    layer: str
    what: str
    count: int
    examples: str
    remedy: str | None


class CheckAnswer(BaseModel):
    """What a check of a pack found."""

    problems: list[ProblemAnswer]
    current: bool
    """false: the pack was changed since"""


@router.get("/{name}/check")
def check(name: Name, place: Place, reader: Reader) -> CheckAnswer:
    """The report of the last check of a pack; 404 where it was never checked."""
    opened = open_pack(place.pack_folder(name), check=False)
    try:
        kept = json.loads(check_file(place, name).read_text(encoding="utf-8"))
        problems = [
            ProblemAnswer(**{**one, "what": without_paths(one["message"])})
            for one in kept[reader.lang]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        remedy = Msg("check it now")
        raise NotFoundError(
            Fault(Msg("this pack was not checked yet"), value=name, remedy=remedy)
        ) from None
    return CheckAnswer(problems=problems, current=kept["digest"] == opened.digest)


@router.post("/{name}/check", status_code=202)
def check_now(name: Name, place: Place, reader: Reader, jobs: Jobs) -> JobAnswer:
    """Check a pack: a job."""
    place.pack_folder(name)
    return job_answer(queued(jobs, new_job(Asked("check", pack=name), name, reader.lang)), reader)
