"""What a worker does for each kind of job, by the batch engine and the run store.

Each task gives how the job ended: ``state`` and, where there are any, ``run_id`` (directory of the
store), ``batch_id``, ``faults``, ``conflict``, ``remedies``. Messages are kept as messages, so
that the pages say them in the language of their reader. A worker does one job: it imports what
that job needs and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from siteselect.batches import RunStore, plan_batch, run_plan
from siteselect.batches.plan import Planned
from siteselect.batches.store import BATCHES
from siteselect.batches.work import Done, Task, compute
from siteselect.errors import Fault, InfeasibleError, InputError, SiteSelectError
from siteselect.i18n import LANGS, Translator
from siteselect.messages import Msg
from siteselect.pack import open_pack
from siteselect.report import FILES
from siteselect.rundir import read_run, said
from siteselect.scenario_files import ScenarioBase
from siteselect.web.faults import fault_told, faults_of
from siteselect.web.jobs import FOLDER, Asked, Job
from siteselect.web.paths import Workspace
from siteselect.web.remedies import read_reasons
from siteselect.web.scenarios import own_pack
from siteselect.web.sending import base_from, base_named, read_toml

Outcome = dict[str, Any]
Tell = Callable[[str, float], None]
LOGS = "logs"


def do(job: Job, place: Workspace, tell: Tell) -> Outcome:
    """Do a job; what a planner can cause becomes a state and its faults."""
    try:
        return _TASKS[job.asked.kind](job, place, tell)
    except InfeasibleError as error:
        return {"state": "infeasible", "conflict": [said(one) for one in error.reasons]}
    except SiteSelectError as error:
        return {"state": "failed", "faults": [fault_told(one) for one in faults_of(error)]}


# ---- scenarios -------------------------------------------------------------------------------


def base_of_job(asked: Asked, place: Workspace) -> ScenarioBase:
    """The scenario of a job, from its text or its name. Raises InputError."""
    if asked.toml is not None:
        name = asked.scenario or "scenario"
        return base_from(place, read_toml(asked.toml), name, asked.overrides)
    return base_named(place, asked.scenario or "", asked.overrides)


def _run(job: Job, place: Workspace, tell: Tell) -> Outcome:
    base = base_of_job(job.asked, place)
    loaded = base.derive({}, base.path.name)
    own_pack(place, loaded)
    one = plan_batch(loaded, lang=job.lang).runs[0]
    if one.error is not None:
        raise one.error
    task = task_of(one, job)
    done = compute(task, str(place.runs), str(place.runs / FOLDER / LOGS), tell)
    if done.has_run and not _has_reports(place.runs / one.folder):
        tell("write", 0.0)
        RunStore(place.runs).add_reports(one.folder, job.lang)
    return _outcome(one, done)


def task_of(one: Planned, job: Job) -> Task:
    """A planned run as the batch engine takes it, with its files for people."""
    assert one.loaded is not None
    assert one.pack is not None
    folder = str(one.pack.folder.resolve())
    return Task(
        job.id, one.run_id, one.folder, one.loaded, folder, one.pack.digest, job.lang, reports=True
    )


def _has_reports(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _outcome(one: Planned, done: Done) -> Outcome:
    if done.has_run:
        state = "limit" if done.status == "limit" else "done"
        return {"state": state, "run_id": one.folder}
    if isinstance(done.error, InfeasibleError) and one.loaded is not None:
        conflict, remedies = read_reasons(done.error.reasons, one.loaded.scenario)
        return {
            "state": "infeasible",
            "conflict": [said(reason) for reason in conflict],
            "remedies": [{"text": said(each.text), "edits": each.edits} for each in remedies],
        }
    faults = faults_of(done.error) if done.error else (Fault(Msg("{text}", text=done.reason)),)
    state = "infeasible" if done.status == "infeasible" else "failed"
    return {"state": state, "faults": [fault_told(fault) for fault in faults]}


def _batch(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.batches.papers import write_synthesis

    base = base_of_job(job.asked, place)
    plan = plan_batch(base, lang=job.lang)
    for one in plan.runs:
        if one.loaded is not None:
            own_pack(place, one.loaded)
    ended = 0

    def heard(event: dict[str, Any]) -> None:
        nonlocal ended
        if event["event"] == "plan":
            ended = len(plan.runs) - int(event["to_run"])
        elif event["event"] == "done":
            ended += 1
        tell("batch", ended / max(1, len(plan.runs)))

    jobs = int(job.asked.options.get("jobs", 1))
    finished = run_plan(plan, store=place.runs, jobs=jobs, on_event=heard)
    tell("write", 0.0)
    write_synthesis(finished)
    return {"state": "done", "batch_id": finished.folder.name}


# ---- questions about a run -------------------------------------------------------------------


def _rank(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report import analyses

    options, folder = job.asked.options, _folder(job, place)
    nested = int(options.get("nested", 0))
    analyses.keep_ranking(folder, Translator(job.lang), nested=nested, progress=tell)
    return _about(job)


def _robustness(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report import analyses

    options = job.asked.options
    analyses.keep_robustness(
        _folder(job, place),
        Translator(job.lang),
        draws=int(options.get("draws", 100)),
        concentration=float(options.get("concentration", 50.0)),
        workers=1,
        progress=tell,
    )
    return _about(job)


def _alternatives(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report import analyses

    options = job.asked.options
    analyses.keep_alternatives(
        _folder(job, place),
        loss_share=float(options.get("loss_share", 0.01)),
        min_different=int(options.get("min_different", 5)),
        how_many=int(options.get("how_many", 5)),
        progress=tell,
    )
    return _about(job)


def _tradeoffs(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report import analyses

    options = job.asked.options
    analyses.keep_tradeoffs(
        _folder(job, place),
        Translator(job.lang),
        against=str(options.get("against", "zan")),
        points=int(options.get("points", 10)),
        workers=1,
        progress=tell,
    )
    return _about(job)


def _equity(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report import analyses

    analyses.keep_equity(_folder(job, place), Translator(job.lang), progress=tell)
    return _about(job)


def _report(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report.extras import PARTS, make_deliverables

    folder = _folder(job, place)
    if not _has_reports(folder):
        tell("write", 0.0)
        RunStore(place.runs).add_reports(folder.name, job.lang)
    wanted = job.asked.options.get("parts", PARTS)
    parts = [part for part in PARTS if part in wanted]
    make_deliverables(read_run(folder), folder, Translator(job.lang), parts=parts, progress=tell)
    return _about(job)


def _folder(job: Job, place: Workspace) -> Path:
    return place.run_folder(job.asked.run or "")


def _about(job: Job) -> Outcome:
    return {"state": "done", "run_id": job.asked.run}


# ---- packs -----------------------------------------------------------------------------------


def _check(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.report.packreport import as_records
    from siteselect.sources.packcheck import check_pack

    name = job.asked.pack or ""
    pack = open_pack(place.pack_folder(name), check=False)
    problems = check_pack(pack, progress=tell)
    kept: dict[str, Any] = {
        "digest": pack.digest,
        **{lang: as_records(problems, Translator(lang)) for lang in LANGS},
    }
    path = check_file(place, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    beside.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    beside.replace(path)
    return {"state": "done"}


def _upload(job: Job, place: Workspace, tell: Tell) -> Outcome:
    from siteselect.web.uploads import limit_this_process, make_pack

    limit_this_process()
    try:
        make_pack(job, place, tell)
    except MemoryError:
        remedy = Msg("send fewer sites at a time")
        raise InputError(Fault(Msg("the file takes too much memory"), remedy=remedy)) from None
    return {"state": "done"}


def check_file(place: Workspace, name: str) -> Path:
    """Where the report on a pack is kept."""
    return place.runs / FOLDER / "checks" / f"{name}.json"


def batches_of(place: Workspace) -> Path:
    """Folder of the batches of a store."""
    return place.runs / BATCHES


_TASKS: Mapping[str, Callable[[Job, Workspace, Tell], Outcome]] = {
    "run": _run,
    "batch": _batch,
    "check": _check,
    "rank": _rank,
    "robustness": _robustness,
    "alternatives": _alternatives,
    "tradeoffs": _tradeoffs,
    "equity": _equity,
    "report": _report,
    "upload": _upload,
}
__all__ = ["base_of_job", "batches_of", "check_file", "do"]
