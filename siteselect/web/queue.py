"""The queue: each job in a process of its own, a few at a time, none lost.

One thread hands jobs out; one thread a running job listens to its worker. Every change of state is
written before it is told. A worker stops by itself when the application dies (its standard input
closes), and its job goes back to the queue when the application starts again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from siteselect.web.jobs import MOST_KEPT, SHORT, Job, JobFiles, State, now
from siteselect.web.settings import Settings

MOST_ATTEMPTS = 3
MOST_SHORT = 1
"""Short jobs at a time, beside the others: a file is read while ten runs wait."""
MOST_LOG_CHARACTERS = 20_000
Listener = Callable[[str], None]
"""Told the name of a job that changed."""


# -P: nothing is imported from the folder it is started in
WORKER = (sys.executable, "-P", "-m", "siteselect.web.worker")


class Queue:
    """Jobs of one store of runs. Safe to use from any thread.

    ``worker`` is the command of a worker, which is given its order as last argument.
    """

    def __init__(self, settings: Settings, *, worker: Sequence[str] = WORKER) -> None:
        self._settings = settings
        self._worker = tuple(worker)
        self._files = JobFiles(settings.runs)
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self._listeners: set[Listener] = set()
        self._closing = False
        self._thread: threading.Thread | None = None

    # ---- life ------------------------------------------------------------------------------

    def open(self) -> None:
        """Read the jobs; those that were running when the application died are queued again."""
        for job in self._files.read_all():
            self._jobs[job.id] = job
            if job.state == "running":
                self._put(_begun_again(job))
        self._thread = threading.Thread(target=self._hand_out, name="queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop every worker; their jobs are queued again when the application starts."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            workers = dict(self._workers)
        for job_id, worker in workers.items():
            _kill(worker)
            self._give_back(job_id)
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _give_back(self, job_id: str) -> None:
        """A job interrupted by a stop that was asked for: it did nothing wrong."""
        with self._changed, suppress(OSError):
            job = self._jobs[job_id]
            if job.state == "running":
                again = replace(job, state="queued", stages={}, started=None)
                self._put(replace(again, attempts=job.attempts - 1))

    # ---- what the pages ask ----------------------------------------------------------------

    def add(self, job: Job) -> Job:
        """Queue a job. Raises OSError where it cannot be written."""
        with self._changed:
            self._put(job)
            self._forget_old()
            self._changed.notify_all()
        return job

    def get(self, job_id: str) -> Job | None:
        """A job by its name."""
        return self._jobs.get(job_id)

    def newest_first(self) -> list[Job]:
        """Every job that is remembered."""
        with self._changed:
            return sorted(self._jobs.values(), key=_id_of, reverse=True)

    def cancel(self, job_id: str) -> Job | None:
        """Stop a job that is waiting or running; one that ended stays as it is."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None or not job.is_open:
                return job
            job = self._put(replace(job, state="cancelled", ended=now()))
            worker = self._workers.get(job_id)
        if worker is not None:
            _kill(worker)
        return job

    def log(self, job_id: str) -> str:
        """The end of what the worker of a job printed."""
        try:
            text = self._files.log(job_id).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return text[-MOST_LOG_CHARACTERS:]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every change; the answer ends it."""
        with self._changed:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    # ---- work ------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        while True:
            with self._changed:
                job = None
                while not self._closing and (job := self._next()) is None:
                    self._changed.wait()
                if self._closing or job is None:
                    return
                job = self._put(
                    replace(job, state="running", started=now(), attempts=job.attempts + 1)
                )
                worker = self._start(job)
                if worker is not None:
                    self._workers[job.id] = worker
                    threading.Thread(
                        target=self._follow, args=(job.id, worker), name=job.id, daemon=True
                    ).start()

    def _next(self) -> Job | None:
        """The oldest job for which there is a place; short ones have a place of their own."""
        short = sum(self._jobs[name].asked.kind in SHORT for name in self._workers)
        full = {
            True: short >= MOST_SHORT,
            False: len(self._workers) - short >= self._settings.workers,
        }
        waiting = [
            job
            for job in self._jobs.values()
            if job.state == "queued" and not full[job.asked.kind in SHORT]
        ]
        return min(waiting, key=_id_of, default=None)

    def _start(self, job: Job) -> subprocess.Popen[str] | None:
        order = {
            "job": job.id,
            "workspace": str(self._settings.workspace),
            "packs": str(self._settings.packs),
            "runs": str(self._settings.runs),
        }
        try:
            with self._files.log(job.id).open("ab") as log:
                return subprocess.Popen(
                    [*self._worker, json.dumps(order)],
                    cwd=self._settings.workspace,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,
                )
        except OSError as error:
            self._end(job.id, {"state": "failed", "lost": str(error.strerror)})
            return None

    def _follow(self, job_id: str, worker: subprocess.Popen[str]) -> None:
        """Listen to a worker until it ends."""
        assert worker.stdout is not None
        outcome: dict[str, Any] = {"state": "failed", "lost": "killed"}
        for said in _objects(worker.stdout):
            if "state" in said:
                outcome = said
            elif "stage" in said:
                self._progress(job_id, str(said["stage"]), float(said["share"]))
        worker.wait()
        with suppress(OSError):
            if worker.stdin is not None:
                worker.stdin.close()
        with self._changed:
            self._workers.pop(job_id, None)
            if not self._closing:
                self._end(job_id, outcome)
            self._changed.notify_all()

    def _progress(self, job_id: str, stage: str, share: float) -> None:
        with self._changed:
            job = self._jobs[job_id]
            if job.state == "running":
                self._jobs[job_id] = replace(job, stages={**job.stages, stage: share})
                self._tell(job_id)

    def _end(self, job_id: str, outcome: dict[str, Any]) -> None:
        with self._changed:
            job = self._jobs[job_id]
            if job.state == "running":  # not cancelled meanwhile
                state: State = outcome.pop("state")
                with suppress(OSError):
                    self._put(replace(job, state=state, ended=now(), outcome=outcome))

    # ---- keeping ---------------------------------------------------------------------------

    def _put(self, job: Job) -> Job:
        """Write a job, then tell of it."""
        self._files.write(job)
        self._jobs[job.id] = job
        self._tell(job.id)
        return job

    def _tell(self, job_id: str) -> None:
        for listener in tuple(self._listeners):
            listener(job_id)

    def _forget_old(self) -> None:
        ended = [job for job in self._jobs.values() if not job.is_open]
        for job in sorted(ended, key=_id_of)[: max(0, len(ended) - MOST_KEPT)]:
            self._files.remove(job)
            del self._jobs[job.id]


def _begun_again(job: Job) -> Job:
    """A job that was running when the application died; one that did so often has failed."""
    if job.attempts >= MOST_ATTEMPTS:
        return replace(job, state="failed", ended=now(), outcome={"lost": "killed"})
    return replace(job, state="queued", stages={}, started=None)


def _id_of(job: Job) -> str:
    return job.id


def _objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """JSON objects, one a line; what is none is left out."""
    for line in lines:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def _kill(worker: subprocess.Popen[str]) -> None:
    """Stop a worker and the processes it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(worker.pid, signal.SIGKILL)
        else:  # pragma: no cover
            worker.kill()
