"""Jobs asked for in the application, one small JSON file each in ``runs/.queue/``.

A job is what was asked and what became of it. Its results stand where the command line puts them:
in the run store, in ``analysis/`` of a run, in the folder of a batch.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from siteselect.i18n import Lang

State = Literal["queued", "running", "done", "failed", "infeasible", "limit", "cancelled"]
Kind = Literal[
    "run", "batch", "check", "rank", "robustness", "alternatives", "tradeoffs", "equity", "report",
    "upload",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
OF_A_SCENARIO: tuple[Kind, ...] = ("run", "batch")
OF_A_RUN: tuple[Kind, ...] = (
    "rank", "robustness", "alternatives", "tradeoffs", "equity", "report",
)  # fmt: skip
SHORT: tuple[Kind, ...] = ("check", "upload")
"""Kinds that do not wait behind computations."""
OPEN: tuple[State, ...] = ("queued", "running")
FOLDER = ".queue"
MOST_KEPT = 500
"""Finished jobs that are remembered; their results stay whatever becomes of them."""


@dataclass(frozen=True)
class Asked:
    """What a job is to do.

    ``scenario`` names one of the workspace, or ``toml`` is its text; ``overrides`` are
    ``key=value``; ``run`` is the directory of a finished run; ``pack`` a pack to check.
    """

    kind: Kind
    scenario: str | None = None
    toml: str | None = None
    overrides: tuple[str, ...] = ()
    run: str | None = None
    pack: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A job and what became of it.

    Attributes
    ----------
    stages
        share done of each stage begun so far, in order.
    outcome
        what the worker said at the end: run_id, batch_id, faults, conflict, remedies.
    attempts
        how often it was begun: a job that takes the application down is not begun for ever.
    """

    id: str
    title: str
    asked: Asked
    created: str
    lang: Lang
    state: State = "queued"
    stages: Mapping[str, float] = field(default_factory=dict)
    started: str | None = None
    ended: str | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in OPEN


def new_job(asked: Asked, title: str, lang: Lang) -> Job:
    """A job whose name sorts by the moment it was asked for."""
    moment = datetime.now(tz=UTC)
    name = f"{moment:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
    return Job(name, title, asked, now(), lang)


def now() -> str:
    """The moment as text, UTC."""
    return datetime.now(tz=UTC).isoformat(timespec="milliseconds")


class JobFiles:
    """The jobs of a store of runs on disk."""

    def __init__(self, runs: Path) -> None:
        self.folder = runs / FOLDER

    def read_all(self) -> list[Job]:
        """Every job, in the order asked; a damaged file is left out."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                found.append(_job(json.loads(path.read_text(encoding="utf-8"))))
        return found

    def write(self, job: Job) -> None:
        """Keep a job, beside and renamed. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{job.id}.json"
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
        beside.replace(path)

    def remove(self, job: Job) -> None:
        """Forget a job."""
        for path in (self.folder / f"{job.id}.json", self.log(job.id)):
            with suppress(OSError):
                path.unlink()

    def log(self, job_id: str) -> Path:
        """What the worker of a job printed."""
        return self.folder / f"{job_id}.log"


def _job(tree: Mapping[str, Any]) -> Job:
    known = {one.name for one in fields(Job)}
    values = {key: value for key, value in tree.items() if key in known}
    asked = dict(values.pop("asked"))
    asked["overrides"] = tuple(asked.get("overrides", ()))
    return Job(asked=Asked(**asked), **values)
