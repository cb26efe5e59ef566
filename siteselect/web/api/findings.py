"""What a finished run found: sites, ledgers, analyses, files; runs side by side."""

from __future__ import annotations

import hashlib
from concurrent.futures import TimeoutError as TooLongError
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.rundir import MANIFEST, RESULT, read_json
from siteselect.web import run_exports, run_findings, run_sites
from siteselect.web.asked import Name, Place, Reader
from siteselect.web.explaining import Explainer
from siteselect.web.paths import NAME, NotFoundError

router = APIRouter(prefix="/runs", tags=["findings"])

SiteId = Annotated[str, InPath(min_length=1, max_length=200, description="identifier of a site")]
FIRST_WAIT_S = 1.5
"""An answer that comes within this time is given at once."""
AGAIN_MS = 700
MOST_COMPARED = 4


class LedgerRow(BaseModel):
    """A row of the ledger of a run; hectares."""

    level: str
    level_label: str
    code: str | None
    name: str
    period: str | None
    regime: str | None
    vintage: str | None
    gross_ha: float
    restored_ha: float
    net_ha: float
    cap_ha: float | None
    balance_ha: float | None
    cap_origin: str | None


class ExportAnswer(BaseModel):
    """A file of a run; one that is not made is made by a job of kind report, ``part`` in parts."""

    name: str
    title: str
    size: int | None
    made: bool
    part: str | None
    url: str


class Column(BaseModel):
    """A column of a table: heading in the reader's language; ``run`` names a run compared."""

    key: str
    label: str
    numeric: bool
    run: str | None = None


class TableAnswer(BaseModel):
    """A table: ``total`` rows, of which the first are sent."""

    name: str | None = None
    title: str | None = None
    columns: list[Column]
    rows: list[list[Any]]
    total: int


class PlotAnswer(BaseModel):
    """A figure."""

    url: str
    title: str
    alt: str


class DecisionAnswer(BaseModel):
    """An analysis kept beside a run."""

    name: str
    title: str
    facts: dict[str, Any]
    tables: list[TableAnswer]
    plots: list[PlotAnswer]


class ComparedRun(BaseModel):
    """One of the runs compared; ``label`` is its letter in the tables."""

    id: str
    label: str
    title: str
    pack: str


class ComparisonAnswer(BaseModel):
    """Runs side by side, the first being the reference."""

    runs: list[ComparedRun]
    notices: list[str]
    sites: dict[str, Any]
    agreement: TableAnswer
    regions: TableAnswer
    criteria: TableAnswer
    ledgers: TableAnswer
    totals: TableAnswer
    settings: TableAnswer


@router.get("/compare")
def compare(
    place: Place,
    reader: Reader,
    run: Annotated[list[str], Query(description="two to four runs, the first is the reference")],
) -> ComparisonAnswer:
    """Two runs or more side by side: sites kept, entered, left; regions, criteria, ledgers."""
    if len(run) > MOST_COMPARED:
        raise InputError(
            Fault(
                Msg("at most {most} results are compared", most=MOST_COMPARED),
                where="run",
                value=len(run),
                remedy=Msg("leave some out"),
            )
        )
    runs = [run_findings.Named(name, place.run_folder(name)) for name in dict.fromkeys(run)]
    return ComparisonAnswer(**run_findings.comparison(runs, reader))


@router.get("/{name}/sites")
def sites(name: Name, place: Place, reader: Reader, request: Request) -> Response:
    """Every candidate, one list a column: who, where, status, areas, scores, criteria, measures.

    Missing values are null, unreachable minutes ``"inf"``; rows keep their order.
    """
    folder = place.run_folder(name)
    stamp = _stamp(folder, reader.lang)
    tag = f'"{stamp}"'
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding, cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    body = run_sites.packed_sites(folder, stamp, reader.lang)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        import gzip

        body = gzip.decompress(body)
    return Response(body, media_type="application/json", headers=headers)


def _stamp(folder: Any, lang: str) -> str:
    told = read_json(folder / MANIFEST)
    outputs = told.get("outputs", {})
    parts = [lang, *(str(outputs.get(name)) for name in (run_sites.SITES, "scenario.toml"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


@router.get("/{name}/sites/{site_id}")
def site(name: Name, site_id: SiteId, place: Place, reader: Reader) -> dict[str, Any]:
    """What is known of one site, by groups, and its footprint (GeoJSON, WGS 84)."""
    return run_sites.site_sheet(place.run_folder(name), site_id, reader)


@router.get("/{name}/sites/{site_id}/explain", responses={202: {"description": "not yet"}})
def explain(
    name: Name, site_id: SiteId, place: Place, reader: Reader, request: Request
) -> Response:
    """Why (not) this site, as ``siteselect explain --json``; 202 while the answer is looked for."""
    folder = place.run_folder(name)
    run_sites.site_sheet(folder, site_id, reader)  # an unknown site is refused at once
    run_id = str(read_json(folder / RESULT)["run_id"])
    future = _explainer(request).ask((str(folder), run_id, site_id, reader.lang))
    try:
        return JSONResponse(future.result(timeout=FIRST_WAIT_S))
    except TooLongError:
        return JSONResponse({"waiting": True, "again_ms": AGAIN_MS}, status_code=202)


def _explainer(request: Request) -> Explainer:
    state = request.app.state
    if not hasattr(state, "explainer"):
        state.explainer = Explainer()
    found: Explainer = state.explainer
    return found


@router.get("/{name}/ledger")
def ledger(name: Name, place: Place, reader: Reader) -> list[LedgerRow]:
    """The ledger of every territory."""
    rows = run_findings.ledger_rows(place.run_folder(name), reader)
    return [LedgerRow(**{k: row.get(k) for k in LedgerRow.model_fields}) for row in rows]


@router.get("/{name}/restoration.geojson")
def restoration(name: Name, place: Place) -> dict[str, Any]:
    """The parcels restored (GeoJSON, WGS 84)."""
    return run_findings.restoration_geojson(place.run_folder(name))


@router.get("/{name}/decisions")
def decisions(name: Name, place: Place, reader: Reader) -> list[DecisionAnswer]:
    """The analyses that were made of a run: ranking, robustness, trade-offs, alternatives."""
    url = f"/api/runs/{name}/decisions/{{name}}/{{plot}}"
    found = run_findings.decisions(place.run_folder(name), reader, plot_url=url)
    return [DecisionAnswer(**one) for one in found]


PlotName = Annotated[str, InPath(pattern=rf"^{NAME}\.png$")]


@router.get("/{name}/decisions/{analysis}/{plot}", response_class=FileResponse)
def plot(
    name: Name, analysis: Annotated[str, InPath(pattern=f"^{NAME}$")], plot: PlotName, place: Place
) -> FileResponse:
    """A figure of an analysis (PNG)."""
    path = run_findings.plot_file(place.run_folder(name), analysis, plot)
    if path is None:
        raise _no_file(plot)
    return FileResponse(path, media_type="image/png", headers={"cache-control": "no-cache"})


@router.get("/{name}/exports")
def exports(name: Name, place: Place, reader: Reader) -> list[ExportAnswer]:
    """The files of a run, made or not."""
    return [
        ExportAnswer(
            name=one.name,
            title=reader.text(one.title),
            size=one.size,
            made=one.path is not None,
            part=one.part,
            url=f"/api/runs/{name}/exports/{one.name}",
        )
        for one in run_exports.exports(place.run_folder(name), reader.lang)
    ]


@router.get("/{name}/exports/{file}", response_class=FileResponse)
def export(
    name: Name, file: Annotated[str, InPath(pattern=f"^{NAME}$")], place: Place, reader: Reader
) -> Response:
    """One file, to be saved."""
    found = run_exports.find(place.run_folder(name), file, reader.lang)
    if found is None or found.path is None:
        raise _no_file(file)
    media = run_exports.media_type(file)
    kept = f"{name}-{file}"
    if found.path.is_dir():
        headers = {"content-disposition": f'attachment; filename="{kept}"'}
        return Response(run_exports.maps_archive(found.path), media_type=media, headers=headers)
    return FileResponse(found.path, media_type=media, filename=kept)


def _no_file(name: str) -> NotFoundError:
    return NotFoundError(
        Fault(Msg("the run has no such file"), value=name, remedy=Msg("choose one of the list"))
    )
