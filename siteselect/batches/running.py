"""batch(scenarios) → Batch: plan, run what is missing, put the results together."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import geopandas as gpd
import pandas as pd

from siteselect.batches.engine import Engine, Workers
from siteselect.batches.local import LocalPool
from siteselect.batches.plan import Plan, Planned, Source, plan_batch
from siteselect.batches.shipping import bundle
from siteselect.batches.store import BATCHES, RunStore
from siteselect.batches.work import Done, Task, plain, settled_in
from siteselect.cache import StageCache, default_cache_folder
from siteselect.errors import Fault, InputError, SiteSelectError
from siteselect.i18n import Lang, Translator
from siteselect.measuring import measure_sites
from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.rundir import read_table
from siteselect.scenario import Scenario

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
DEFAULT_STORE = "runs"
PATIENCE_MIN = 10.0
"""A cluster without workers for this long has lost them, or will not get them."""
MOST_MEASURED_HERE = 4
"""With more settings of routing than this, the workers of a cluster measure for themselves."""


@dataclass(frozen=True)
class Batch:
    """A finished batch: what was planned, what became of each, and where the runs are."""

    plan: Plan
    done: tuple[Done, ...]
    """one for each scenario of the plan, in its order"""
    store: RunStore
    folder: Path
    """events, logs and synthesis of the batch"""

    @property
    def exit_status(self) -> int:
        """1: some could not be run; 3: some are infeasible; 4: some are not proven; else 0."""
        found = {done.status for done in self.done}
        if found & {"failed", "lost"}:
            return 1
        return 3 if "infeasible" in found else 4 if found & {"limit", "interrupted"} else 0

    @property
    def runs(self) -> pd.DataFrame:
        """One row a scenario: status, objective, balance, costs, regions, keys of its grid."""
        from siteselect.batches.synthesis import synthesis_of

        return synthesis_of(self).runs

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """One row a site chosen anywhere: in how many scenarios, the robust core first."""
        from siteselect.batches.synthesis import synthesis_of

        return synthesis_of(self).sites

    def shortlist(self, name: str) -> gpd.GeoDataFrame:
        """Selection and reserve of one scenario, by its name."""
        return gpd.GeoDataFrame(self.table(name, "shortlist"))

    def table(self, name: str, table: str) -> pd.DataFrame:
        """A canonical table (sites, shortlist, ledger, restoration, contributions) of a run.

        Raises
        ------
        InputError
            the batch has no such scenario, or it has no run.
        """
        for planned, done in zip(self.plan.runs, self.done, strict=True):
            if planned.name == name and done.has_run:
                return read_table(self.store.place(planned.folder), f"{table}.parquet")
        raise InputError(
            Fault(
                Msg("the batch has no finished run of this name"),
                value=name,
                remedy=Msg("the names are in the table batch.runs"),
            )
        )


def batch(
    sources: Source | Iterable[Source] | Mapping[str, Source],
    *,
    store: str | Path = DEFAULT_STORE,
    jobs: int | None = None,
    scheduler: str | None = None,
    patience_min: float = PATIENCE_MIN,
    overrides: Sequence[str] = (),
    lang: Lang = "fr",
    reports: bool = False,
    on_event: OnEvent | None = None,
) -> Batch:
    """Run many scenarios; those that the store has already are not run again.

    Parameters
    ----------
    sources
        scenario files, grids, folders of them, embedded names, objects; or objects by name.
    store
        folder of runs; one directory a run, named by the content of what made it.
    jobs
        processes of this machine (default: one for each processor).
    scheduler
        address of a Dask scheduler: the runs are made there instead.
    patience_min
        minutes that a cluster may stay without any worker before the batch ends; what is done is
        kept, and the same call goes on.
    reports
        write the files for people of every run too (they can follow: ``siteselect runs report``).
    on_event
        told of ``plan``, ``started``, ``done`` and ``finished``, as mappings ready for JSON.

    In a script, call it under ``if __name__ == "__main__":``, as for every pool of processes.

    Raises
    ------
    InputError
        there is nothing to run, a path does not exist, the store cannot be written, or no
        scheduler answers. A scenario that is wrong does not raise: it fails alone.
    """
    plan = plan_batch(sources, overrides=overrides, lang=lang)
    return run_plan(
        plan,
        store=store,
        jobs=jobs,
        scheduler=scheduler,
        patience_min=patience_min,
        reports=reports,
        on_event=on_event,
    )


def run_plan(
    plan: Plan,
    *,
    store: str | Path = DEFAULT_STORE,
    jobs: int | None = None,
    scheduler: str | None = None,
    patience_min: float = PATIENCE_MIN,
    reports: bool = False,
    on_event: OnEvent | None = None,
) -> Batch:
    """As :func:`batch`, for a plan already made."""
    runs = RunStore(store)
    folder = runs.folder / BATCHES / plan.batch_id
    _open_folder(folder)
    translator = Translator(plan.lang)
    with _journal(folder / "events.jsonl", on_event) as tell:
        keeper = _Keeper(plan, runs, tell, translator)
        missing = keeper.missing(reports)
        jobs = min(jobs or os.cpu_count() or 1, max(len(missing), 1))
        tell(keeper.planned(len(missing), jobs if scheduler is None else None))
        if missing:
            workers = _workers(
                plan, runs, folder, jobs, scheduler, translator, patience_min=patience_min
            )
            try:
                Engine(workers, keeper.heard, translator).work_off(missing)
            finally:
                workers.close()
        result = Batch(plan, keeper.results(), runs, folder)
        _write_json(folder / "batch.json", _described(result))
        tell({"event": "finished", "exit_status": result.exit_status, **keeper.counts()})
    return result


class _Keeper:
    """Who is done, who is not: one :class:`Done` for each scenario."""

    def __init__(self, plan: Plan, store: RunStore, tell: OnEvent, translator: Translator) -> None:
        self._plan, self._store, self._tell, self._translator = plan, store, tell, translator
        self._by_folder: dict[str, Done] = {}

    def missing(self, reports: bool) -> list[Task]:
        """The runs that the store lacks, each once; the others are known from here on."""
        tasks: dict[str, Task] = {}
        for one in self._plan.runs:
            if one.loaded is None or one.pack is None or one.folder in self._by_folder:
                continue
            if known := settled_in(self._store, one.folder):
                self._by_folder[one.folder] = known
                continue
            tasks.setdefault(one.folder, _task(one, self._plan.lang, reports))
        return list(tasks.values())

    def planned(self, missing: int, jobs: int | None) -> Event:
        """The first event: what will be run, what is there, what is refused."""
        refused = [one for one in self._plan.runs if one.error is not None]
        return {
            "event": "plan",
            "batch": self._plan.batch_id,
            "scenarios": len(self._plan.runs),
            "to_run": missing,
            "reused": len(self._by_folder),
            "jobs": jobs,
            "refused": [
                {"name": one.name, "reason": one.error.render(self._translator.text)}
                for one in refused
                if one.error is not None
            ],
        }

    def heard(self, what: str, task: Task, done: Done | None) -> None:
        """From the engine: a run started, or ended."""
        if done is None:
            self._tell({"event": what, "name": task.name, "run": task.folder})
            return
        self._by_folder[task.folder] = done
        self._tell({"event": "done", "name": task.name, "run": task.folder, **plain(done)})

    def results(self) -> tuple[Done, ...]:
        """In the order of the plan."""
        return tuple(self._result(one) for one in self._plan.runs)

    def _result(self, one: Planned) -> Done:
        if one.error is not None:
            return Done("failed", one.error.render(self._translator.text))
        return self._by_folder.get(one.folder, Done("lost"))

    def counts(self) -> dict[str, int]:
        """How many ended how."""
        statuses = [done.status for done in self.results()]
        return {status: statuses.count(status) for status in sorted(set(statuses))}


def _task(one: Planned, lang: Lang, reports: bool) -> Task:
    assert one.loaded is not None
    assert one.pack is not None
    return Task(
        one.name,
        one.run_id,
        one.folder,
        one.loaded,
        str(one.pack.folder.resolve()),
        one.pack.digest,
        lang,
        reports,
    )


def _workers(
    plan: Plan,
    store: RunStore,
    folder: Path,
    jobs: int,
    scheduler: str | None,
    translator: Translator,
    *,
    patience_min: float,
) -> Workers:
    logs = folder / "logs"
    if scheduler is None:
        return LocalPool(jobs, store.folder.resolve(), logs.resolve())
    try:
        from siteselect.batches.cluster import Cluster
    except ImportError as error:
        raise InputError(
            Fault(
                Msg("Dask is not installed"),
                where="--scheduler",
                remedy=Msg("install it: pip install 'siteselect[cluster]'"),
            )
        ) from error
    return Cluster(
        scheduler,
        store,
        logs,
        batch_id=plan.batch_id,
        inputs=_inputs(plan),
        translator=translator,
        patience_s=60.0 * patience_min,
    )


def _inputs(plan: Plan) -> bytes:
    """The packs of a batch and their measures, taken here once for every worker."""
    packs: dict[str, DataPack] = {}
    settings: dict[str, tuple[DataPack, Scenario]] = {}
    for one in plan.runs:
        if one.loaded is not None and one.pack is not None:
            packs[one.pack.digest] = one.pack
            scenario = one.loaded.scenario
            key = (one.pack.digest, scenario.land.model_dump_json(), scenario.network)
            settings.setdefault(str(key), (one.pack, scenario))
    stages = StageCache(default_cache_folder())
    if len(settings) <= MOST_MEASURED_HERE:
        for pack, scenario in settings.values():
            with suppress(SiteSelectError):  # its runs will say what is wrong
                measure_sites(pack, scenario, cache=stages)
    return bundle(packs.values(), stages.files)


def _open_folder(folder: Path) -> None:
    """Make sure before anything is computed that results can be kept."""
    probe = folder / f".{uuid4().hex[:8]}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"\n" * 4096)
        probe.unlink()
    except OSError as error:
        with suppress(OSError):
            probe.unlink()
        raise InputError(
            Fault(
                Msg("the store cannot be written: {error}", error=error.strerror or error),
                file=folder,
                where="--store",
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error


@contextmanager
def _journal(path: Path, on_event: OnEvent | None) -> Iterator[OnEvent]:
    """Events, one JSON object a line; a journal that cannot be written stops nothing."""
    stream: TextIO | None = None
    with suppress(OSError):
        stream = path.open("a", encoding="utf-8")

    def tell(event: Event) -> None:
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.write(json.dumps(event, ensure_ascii=False) + "\n")
                stream.flush()
        if on_event is not None:
            on_event(event)

    try:
        yield tell
    finally:
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _described(result: Batch) -> dict[str, Any]:
    return {
        "batch": result.plan.batch_id,
        "lang": result.plan.lang,
        "exit_status": result.exit_status,
        "scenarios": [
            {
                "name": one.name,
                "title": one.title,
                "run": one.folder,
                "keys": dict(one.keys),
                "changes": [str(change) for change in one.changes],
                **plain(done),
            }
            for one, done in zip(result.plan.runs, result.done, strict=True)
        ],
    }


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Beside, then renamed; a full disk must not hide what became of the runs."""
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        beside.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
