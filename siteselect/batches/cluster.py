"""Workers of an existing Dask cluster: the only module that imports dask.

Inputs (packs and measured stages) are registered as a plugin: the scheduler sends them once to
each worker, those that come later or come back included. A worker makes its run in a folder of
its own and sends it back; only the batch writes to the store, so that no shared disk is needed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, WorkerPlugin, get_worker

from siteselect.batches.engine import WorkersLostError
from siteselect.batches.shipping import packed_run, receive_run, unbundle
from siteselect.batches.store import RunStore
from siteselect.batches.work import Done, Task, attempt, run_log
from siteselect.cache import CACHE_VARIABLE
from siteselect.errors import Fault, InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.rundir import RESULT, read_json

CLOSE_S = 5.0
CONNECT_S = 10.0
LOOK_S = 2.0
"""Time between two looks at whether the cluster has workers."""
PREFETCH = 1
"""Runs sent ahead to each worker, so that it never waits for the next."""

Lines = list[tuple[str, str]]
Returned = tuple[Done, bytes, Lines]
_GONE = Msg("the Dask scheduler is gone; start the batch again: what is done is kept")


class Inputs(WorkerPlugin):  # type: ignore[misc]
    """Packs and measures of a batch, laid out once on each worker."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.folder: Path | None = None
        self.one_at_a_time: threading.Lock | None = None

    def setup(self, worker: Any) -> None:
        """On a worker that joins: lay the inputs out."""
        self.folder = Path(tempfile.mkdtemp(prefix="siteselect-", dir=worker.local_directory))
        unbundle(self.content, self.folder)
        self.content = b""
        self.one_at_a_time = threading.Lock()  # the numerical libraries use threads themselves
        os.environ[CACHE_VARIABLE] = str(self.folder / "stages")

    def teardown(self, worker: Any) -> None:
        """On a worker that leaves: leave nothing behind."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    """The workers of a Dask scheduler.

    Raises
    ------
    InputError
        nothing answers at that address.
    """

    died: tuple[type[BaseException], ...] = ()
    """Dask itself runs again what its workers lose."""

    def __init__(
        self,
        address: str,
        store: RunStore,
        logs: Path,
        *,
        batch_id: str,
        inputs: bytes,
        translator: Translator,
        patience_s: float,
    ) -> None:
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                Fault(
                    Msg("no Dask scheduler answers: {error}", error=error),
                    where="--scheduler",
                    value=address,
                    remedy=Msg("check the address, for example tcp://127.0.0.1:8786"),
                )
            ) from error
        self._store, self._logs, self._translator = store, logs, translator
        self._gone = False
        self._patience_s = patience_s
        self._last_look = self._last_seen = time.monotonic()
        self._name = f"siteselect-{batch_id}"
        self._client.register_plugin(Inputs(self._name, inputs))
        self._executor = self._client.get_executor(pure=False, retries=0)

    @property
    def slots(self) -> int:
        """Runs to hand out at a time: one for each thread, and a few ahead."""
        try:
            threads = self._client.nthreads()
        except Exception as error:
            raise self._lost() from error
        return max(1, int(sum(threads.values())) + PREFETCH * len(threads))

    def submit(self, task: Task) -> Future[Done]:
        """Hand out one run; its directory is in the store before the future is done."""
        try:
            remote = self._executor.submit(_on_worker, task, self._name)
        except Exception as error:  # whatever a client says whose scheduler is gone
            raise self._lost() from error
        local: Future[Done] = Future()
        threading.Thread(target=self._deliver, args=(task, remote, local), daemon=True).start()
        return local

    def check(self) -> None:
        """Workers may be queued, or restarting: wait for them, but not without end."""
        now = time.monotonic()
        if now - self._last_look < LOOK_S:
            return
        self._last_look = now
        try:
            workers = self._client.nthreads()
        except Exception as error:
            raise self._lost() from error
        if workers:
            self._last_seen = now
        elif now - self._last_seen > self._patience_s:
            minutes = self._patience_s / 60.0
            nobody = Msg(
                "the Dask cluster has had no worker for {minutes} min; start some and the batch "
                "again: what is done is kept",
                minutes=self._translator.number(minutes, 0 if minutes >= 1 else 2),
            )
            raise WorkersLostError(self._translator.text(nobody))

    def revive(self) -> None:
        """Dask itself replaces the workers that it can."""

    def close(self) -> None:
        """Let the cluster go; what it still runs for this batch is cancelled."""
        if not self._gone:
            with suppress(Exception):  # it may go while we leave
                self._executor.shutdown(wait=False)
            with suppress(Exception):
                self._client.unregister_worker_plugin(self._name)
        with suppress(Exception):
            self._client.close(timeout=CLOSE_S)

    def _lost(self) -> WorkersLostError:
        self._gone = True
        return WorkersLostError(self._translator.text(_GONE))

    def _deliver(self, task: Task, remote: Future[Returned], local: Future[Done]) -> None:
        try:
            local.set_result(self._received(task, *remote.result()))
        except CancelledError:
            local.set_exception(self._lost())
        except KilledWorker:
            killed = Msg("its worker died each time: killed, or out of memory")
            local.set_result(Done("failed", self._translator.text(killed)))
        except InputError as error:  # nothing more can be written in the store
            reason = error.render(self._translator.text)
            local.set_result(Done("failed", reason, store_lost=True))
        except BaseException as error:
            local.set_exception(error)

    def _received(self, task: Task, done: Done, content: bytes, lines: Lines) -> Done:
        with run_log(self._logs, task.name) as log:
            for what, text in lines:
                log(what, text)
        if done.status == "infeasible":
            self._store.keep_infeasible(task.folder, done.reason)
        if done.has_run:
            receive_run(self._store, task.folder, content, task.pack_folder)
        return done


def _on_worker(task: Task, plugin: str) -> Returned:
    """On a worker: make one run in a folder of its own, and send it back."""
    inputs = get_worker().plugins[plugin]
    lines: Lines = []
    start = time.perf_counter()

    def log(what: str, text: str) -> None:
        lines.append((what, text))

    here = replace(task, pack_folder=str(inputs.folder / "packs" / task.pack_digest))
    with tempfile.TemporaryDirectory(dir=inputs.folder) as scratch:
        place = Path(scratch) / task.folder
        with inputs.one_at_a_time:
            done = attempt(here, place, log)
        done = replace(done, seconds=round(time.perf_counter() - start, 3), store_lost=False)
        if done.has_run and read_json(place / RESULT)["run_id"] != task.run_id:
            other = Msg("the workers have another version of siteselect than this machine")
            return Done("failed", Translator(task.lang).text(other)), b"", lines
        return done, packed_run(place) if done.has_run else b"", lines
