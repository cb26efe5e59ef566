"""Jobs: asked for, watched, cancelled. Each runs in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from siteselect.batches.grid import steps_of
from siteselect.errors import Fault, InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.screen import stage_name
from siteselect.rundir import read_json, said_again
from siteselect.scenario_files import ScenarioBase
from siteselect.web.asked import Jobs, Name, Place, Reader
from siteselect.web.faults import fault_again, fault_json, without_paths
from siteselect.web.jobs import OF_A_RUN, OF_A_SCENARIO, Asked, Job, Kind, new_job
from siteselect.web.paths import NAME, NotFoundError, Workspace
from siteselect.web.queue import Queue
from siteselect.web.scenarios import own_pack
from siteselect.web.tasks import base_of_job

router = APIRouter(tags=["jobs"])
MOST_IN_BATCH = 2_000
BEAT_S = 0.5
"""How often an open stream of events looks whether the application is stopping."""
QUIET_BEATS = 30
"""Beats without a change after which a stream says that it is alive."""

AskedKind = Literal[
    "run", "batch", "check", "rank", "robustness", "alternatives", "tradeoffs", "equity", "report"
]
"""Kinds that can be asked for by name; files are sent to /api/uploads."""
NameText = Annotated[str, Field(pattern=f"^{NAME}$")]


class Options(BaseModel):
    """Options of a job, by kind; what a kind does not know is not looked at."""

    model_config = ConfigDict(extra="forbid")

    draws: int | None = Field(None, ge=1, le=2000, description="robustness: draws")
    concentration: float | None = Field(None, gt=0, le=1e6, description="robustness: Dirichlet")
    points: int | None = Field(None, ge=2, le=100, description="tradeoffs: points of the front")
    against: Literal["zan", "groups", "new_ha", "cost", "brownfields"] | None = Field(
        None, description="tradeoffs: against what"
    )
    nested: int | None = Field(None, ge=0, le=1000, description="rank: step of the nested order")
    loss_share: float | None = Field(None, ge=0, le=1, description="alternatives: loss accepted")
    min_different: int | None = Field(None, ge=1, le=1000, description="alternatives: sites apart")
    how_many: int | None = Field(None, ge=1, le=100, description="alternatives: portfolios")
    parts: list[Literal["pdf", "sheets", "maps", "geojson", "gis"]] | None = Field(
        None, description="report: deliverables to make"
    )
    jobs: int | None = Field(None, ge=1, le=64, description="batch: processes")


class JobIn(BaseModel):
    """What to do. ``run`` and ``batch`` take a scenario or its TOML; ``check`` a pack; the others
    a finished run.
    """

    model_config = ConfigDict(extra="forbid")

    kind: AskedKind = "run"
    scenario: NameText | None = None
    toml: str | None = Field(None, max_length=1_000_000)
    overrides: list[Annotated[str, Field(max_length=100_000)]] = Field([], max_length=200)
    run: NameText | None = None
    pack: NameText | None = None
    title: str | None = Field(None, max_length=200)
    options: Options = Options()


class StageAnswer(BaseModel):
    """One stage of a job and the share of it that is done."""

    key: str
    text: str
    progress: float


class RemedyAnswer(BaseModel):
    """A change that is enough, and the keys to set."""

    text: str
    edits: dict[str, Any]


class JobAnswer(BaseModel):
    """A job and what became of it."""

    id: str
    kind: Kind
    title: str
    scenario: str | None
    run: str | None
    pack: str | None
    state: str
    stage: str | None
    stage_key: str | None
    progress: float | None
    """share of the stage that is done, 0 to 1"""
    stages: list[StageAnswer]
    created: str
    started: str | None
    ended: str | None
    run_id: str | None
    """directory of the finished run in the store"""
    batch_id: str | None
    faults: list[dict[str, Any]]
    conflict: list[str]
    remedies: list[RemedyAnswer]
    log: str


@router.post("/jobs", status_code=202)
def ask(body: JobIn, place: Place, reader: Reader, jobs: Jobs) -> JobAnswer:
    """Queue a job. What is wrong with it is said at once."""
    options = body.options.model_dump(exclude_none=True)
    asked = Asked(
        body.kind, body.scenario, body.toml, tuple(body.overrides), body.run, body.pack, options
    )
    job = new_job(asked, body.title or _checked_title(asked, place), reader.lang)
    return job_answer(queued(jobs, job), reader)


def queued(jobs: Queue, job: Job) -> Job:
    """The job, queued. Raises InputError where it cannot be written."""
    try:
        return jobs.add(job)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the job cannot be written: {error}", error=error.strerror or error),
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error


def _checked_title(asked: Asked, place: Workspace) -> str:
    """The title of a job whose request holds. Raises InputError."""
    if asked.kind in OF_A_SCENARIO:
        if (asked.scenario is None) == (asked.toml is None) and asked.toml is None:
            raise _missing("scenario", Msg("name a scenario, or send its TOML"))
        base = base_of_job(asked, place)
        loaded = base.derive({}, base.path.name)
        own_pack(place, loaded)
        _check_grid(asked, base)
        return loaded.scenario.title
    if asked.kind in OF_A_RUN:
        if asked.run is None:
            raise _missing("run", Msg("name a finished run"))
        manifest = read_json(place.run_folder(asked.run) / "manifest.json")
        return str(manifest["scenario"]["title"])
    if asked.pack is None:
        raise _missing("pack", Msg("name a data pack"))
    place.pack_folder(asked.pack)
    return asked.pack


def _check_grid(asked: Asked, base: ScenarioBase) -> None:
    if asked.kind == "batch":
        check_batch(asked, base)
    elif base.grid:
        raise InputError(
            Fault(
                Msg("this scenario makes many: it is a batch"),
                where=", ".join(base.grid),
                remedy=Msg("ask for a batch"),
            )
        )


def check_batch(asked: Asked, base: ScenarioBase) -> ScenarioBase:
    """The scenario of a batch whose grid is not too large. Raises InputError."""
    many = len(steps_of(base.grid, file=base.path))
    if many > MOST_IN_BATCH:
        raise InputError(
            Fault(
                Msg("the grid has {total} scenarios, more than {most}", total=many,
                    most=MOST_IN_BATCH),
                where=", ".join(base.grid),
                remedy=Msg("run it on the command line: siteselect batch"),
            )
        )  # fmt: skip
    return base


def _missing(key: str, remedy: Msg) -> InputError:
    return InputError(Fault(Msg("the key is missing"), where=key, remedy=remedy))


@router.get("/jobs")
def listed(reader: Reader, jobs: Jobs) -> list[JobAnswer]:
    """Every job, the newest first, without its log."""
    return [job_answer(job, reader) for job in jobs.newest_first()]


@router.get("/jobs/events", response_class=StreamingResponse)
def events(request: Request, reader: Reader, jobs: Jobs) -> StreamingResponse:
    """Server-sent events: ``job``, a job as it is now, at every change."""
    return StreamingResponse(_stream(request, reader), media_type="text/event-stream")


async def _stream(request: Request, reader: Translator) -> AsyncIterator[str]:
    queue = request.app.state.queue
    loop = asyncio.get_running_loop()
    changed: dict[str, None] = {}  # jobs that changed since, each once
    wake = asyncio.Event()

    def note(job_id: str) -> None:
        changed[job_id] = None
        wake.set()

    def hear(job_id: str) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(note, job_id)

    stop = queue.listen(hear)
    try:
        yield "retry: 1000\n\n"
        quiet = 0
        while not request.app.state.stopping():
            try:
                await asyncio.wait_for(wake.wait(), BEAT_S)
            except TimeoutError:
                quiet += 1
                if quiet % QUIET_BEATS == 0:
                    yield ": still here\n\n"
                continue
            wake.clear()
            quiet = 0
            names = list(changed)
            changed.clear()
            for name in names:
                job = queue.get(name)
                if job is not None:
                    text = job_answer(job, reader).model_dump_json()
                    yield f"event: job\ndata: {text}\n\n"
            await asyncio.sleep(PAUSE_S)
    finally:
        stop()


PAUSE_S = 0.1
"""Changes within this time are told together."""


@router.get("/jobs/{job_id}")
def one(job_id: Name, reader: Reader, jobs: Jobs) -> JobAnswer:
    """One job, with the end of its log."""
    job = jobs.get(job_id)
    if job is None:
        raise _no_job(job_id)
    return job_answer(job, reader, log=without_paths(jobs.log(job_id)))


@router.delete("/jobs/{job_id}")
def cancel(job_id: Name, reader: Reader, jobs: Jobs) -> JobAnswer:
    """Cancel a job that is waiting or running; one that ended stays as it is."""
    job = jobs.cancel(job_id)
    if job is None:
        raise _no_job(job_id)
    return job_answer(job, reader)


def _no_job(job_id: str) -> NotFoundError:
    remedy = Msg("choose one of the list")
    return NotFoundError(Fault(Msg("there is no job of this name"), value=job_id, remedy=remedy))


def job_answer(job: Job, reader: Translator, *, log: str = "") -> JobAnswer:
    """A job in the language of the reader."""
    stages = [
        StageAnswer(key=key, text=reader.text(_stage(key)), progress=share)
        for key, share in job.stages.items()
    ]
    current = stages[-1] if stages and job.state == "running" else None
    outcome = job.outcome
    return JobAnswer(
        id=job.id,
        kind=job.asked.kind,
        title=job.title,
        scenario=job.asked.scenario,
        run=job.asked.run,
        pack=job.asked.pack,
        state=job.state,
        stage=current.text if current else None,
        stage_key=current.key if current else None,
        progress=current.progress if current else None,
        stages=stages,
        created=job.created,
        started=job.started,
        ended=job.ended,
        run_id=outcome.get("run_id"),
        batch_id=outcome.get("batch_id"),
        faults=[fault_json(one, reader) for one in _faults(outcome, job.asked.kind)],
        conflict=[without_paths(reader.text(said_again(x))) for x in outcome.get("conflict", ())],
        remedies=[
            RemedyAnswer(text=reader.text(said_again(x["text"])), edits=x["edits"])
            for x in outcome.get("remedies", ())
        ],
        log=log,
    )


def _faults(outcome: Mapping[str, Any], kind: Kind) -> list[Fault]:
    faults = [fault_again(told) for told in outcome.get("faults", ())]
    if outcome.get("lost") == "error":
        faults.append(Fault(Msg("unexpected error: the log of the job says more")))
    elif "lost" in outcome and kind == "upload":
        remedy = Msg("export it again, or send fewer sites at a time")
        faults.append(
            Fault(Msg("the file took too much memory or time: its reader was stopped"),
                  remedy=remedy)
        )  # fmt: skip
    elif "lost" in outcome:
        faults.append(Fault(Msg("its worker died: killed, or out of memory")))
    return faults


STAGES: Mapping[str, Msg] = {
    "alternatives": Msg("Other good portfolios"),
    "batch": Msg("Scenarios of the batch"),
    "build": Msg("Building the pack"),
    "certify": Msg("Checking the proof"),
    "check": Msg("Checking the pack"),
    "committee": Msg("Committee file"),
    "draws": Msg("Draws"),
    "friches": Msg("Reading the file"),
    "front": Msg("Points of the front"),
    "isochrones": Msg("Isochrones"),
    "maps": Msg("Maps"),
    "overrides": Msg("What the overrides cost"),
    "routing": Msg("Road network"),
    "sheets": Msg("Site sheets"),
    "site maps": Msg("Maps of the sites"),
    "structures": Msg("Structural variants"),
}
"""Words for the stages that jobs tell, beside those of a run."""


def _stage(key: str) -> Msg:
    return STAGES.get(key) or stage_name(key)
