"""What a worker does: one run, and everything that can go wrong told as a value."""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from siteselect.batches.store import RunStore
from siteselect.cache import Memory
from siteselect.errors import Fault, InfeasibleError, InputError, SiteSelectError
from siteselect.i18n import Lang, Translator
from siteselect.messages import Msg
from siteselect.pack import DataPack, open_pack
from siteselect.pipeline import run
from siteselect.rundir import RESULT, read_json
from siteselect.scenario_files import LoadedScenario

Progress = Callable[[str, float], None]
STORE_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)
"""What the system says when nothing more can be written: every other run would fail too."""


@dataclass(frozen=True)
class Task:
    """One run to make, as sent to a worker."""

    name: str
    run_id: str
    folder: str
    """name of the run directory in the store"""
    loaded: LoadedScenario
    pack_folder: str
    pack_digest: str
    lang: Lang
    reports: bool


@dataclass(frozen=True)
class Done:
    """What became of one run.

    ``status`` is optimal, within_gap or limit; infeasible; failed (with its reason); or lost: not
    run because the whole batch had to stop. ``objective`` and ``bound`` are score × 10⁶.
    """

    status: str
    reason: str = ""
    reused: bool = False
    """the run was there already"""
    seconds: float = 0.0
    objective: int | None = None
    bound: int | None = None
    gap: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)
    store_lost: bool = False
    """nothing more can be written: there is no use in going on"""
    error: SiteSelectError | None = field(default=None, compare=False)
    """what was raised, for whoever says it in other words than ``reason``"""

    @property
    def has_run(self) -> bool:
        """Whether there is a run directory to read."""
        return self.status in ("optimal", "within_gap", "limit", "interrupted")


@cache
def memory_of_this_process() -> Memory:
    """What a worker keeps from one run to the next: opened packs and their measures."""
    return Memory()


def outcome_in(store: RunStore, folder: str) -> Done:
    """What a finished run of the store says of itself. Raises InputError when it is damaged."""
    result = read_json(store.place(folder) / RESULT)
    return Done(
        str(result["status"]),
        objective=int(result["objective"]),
        bound=int(result["bound"]),
        gap=float(result["gap"]),
        counts=result["counts"],
        totals=result["totals"],
    )


def settled_in(store: RunStore, folder: str) -> Done | None:
    """What the store knows of a scenario already; None where it has to be computed.

    A run that is damaged is made again. « Infeasible » is a proven answer: it is not sought twice;
    a failure is (what caused it may have gone).
    """
    if store.has(folder):
        with suppress(InputError, KeyError, ValueError):
            return replace(outcome_in(store, folder), reused=True)
        return None
    reason = store.infeasible_reason(folder)
    if reason is None:
        return None
    error = InfeasibleError(store.infeasible_reasons(folder))
    return Done("infeasible", reason, reused=True, error=error)


def compute(task: Task, store_folder: str, log_folder: str, tell: Progress | None = None) -> Done:
    """Make one run in the store, or find it made; never raises what a scenario can cause."""
    store, start = RunStore(store_folder), time.perf_counter()
    with run_log(Path(log_folder), task.name) as log, store.claim(task.folder):
        if found := settled_in(store, task.folder):
            log("found", "made by another process")
            return found
        done = attempt(task, store.place(task.folder), log, tell=tell)
        if isinstance(done.error, InfeasibleError):
            store.keep_infeasible(task.folder, done.reason, done.error.reasons)
        return replace(done, seconds=round(time.perf_counter() - start, 3))


Log = Callable[[str, str], None]


def attempt(
    task: Task,
    place: Path,
    log: Log,
    *,
    pack: DataPack | None = None,
    tell: Progress | None = None,
) -> Done:
    """Run a scenario into a folder; what goes wrong becomes a status and a reason."""
    translator = Translator(task.lang)
    try:
        memory = memory_of_this_process()
        done = run(
            task.loaded,
            out=place,
            lang=task.lang,
            progress=_stages(log, tell),
            pack=pack or _pack(task, memory),
            memory=memory,
            reports="all" if task.reports else "none",
        )
    except InfeasibleError as error:
        done_as = Done("infeasible", error.render(translator.text), error=error)
    except SiteSelectError as error:
        lost = _says_store_lost(error)
        done_as = Done("failed", error.render(translator.text), store_lost=lost, error=error)
    except MemoryError:
        done_as = Done("failed", translator.text(Msg("there is not enough memory for this run")))
    except Exception as error:
        log("error", traceback.format_exc())
        unexpected = Msg("unexpected error, see the log: {error}", error=repr(error))
        done_as = Done("failed", translator.text(unexpected), store_lost=_is_store_lost(error))
    else:
        result = done.result
        log(result.status, f"objective {result.objective}, bound {result.bound}")
        return Done(
            result.status,
            objective=result.objective,
            bound=result.bound,
            gap=result.gap,
            counts=dict(result.counts),
            totals=dict(result.totals),
        )
    log(done_as.status, done_as.reason)
    return done_as


def _pack(task: Task, memory: Memory) -> DataPack:
    """The pack of a task, opened and checked once by each worker."""
    folder, digest = task.pack_folder, task.pack_digest
    pack = memory.recall(("pack", folder, digest), lambda: open_pack(folder))
    if pack.digest != digest:
        raise InputError(
            Fault(
                Msg("the data pack changed while the batch was running"),
                file=pack.folder,
                remedy=Msg("start the batch again"),
            )
        )
    return pack


def _says_store_lost(error: SiteSelectError) -> bool:
    return isinstance(error.__cause__, OSError) and _is_store_lost(error.__cause__)


def _is_store_lost(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in STORE_LOST


def _stages(log: Log, tell: Progress | None) -> Progress:
    """A log line at the first word of each stage; every word for whoever listens."""
    seen: set[str] = set()

    def heard(stage: str, share: float) -> None:
        if stage not in seen:
            seen.add(stage)
            log("stage", stage)
        if tell is not None:
            tell(stage, share)

    return heard


@contextmanager
def run_log(folder: Path, name: str) -> Iterator[Log]:
    """The log of one run, ``NAME.log``; a log that cannot be written stops nothing."""
    stream: TextIO | None = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / f"{file_name(name)}.log").open("a", encoding="utf-8")

    def log(what: str, text: str) -> None:
        if stream is not None:
            with suppress(OSError, ValueError):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
                stream.write(f"{stamp}Z {what}: {text}\n")
                stream.flush()

    try:
        yield log
    finally:
        if stream is not None:
            with suppress(OSError):
                stream.close()


def file_name(name: str) -> str:
    """A name that every file system takes."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:120]


def plain(done: Done) -> dict[str, Any]:
    """What became of a run, for JSON."""
    return {
        "status": done.status,
        "reason": done.reason,
        "reused": done.reused,
        "seconds": done.seconds,
        "objective": done.objective,
        "bound": done.bound,
        "gap": done.gap,
        "net_ha": done.totals.get("net_ha"),
    }
