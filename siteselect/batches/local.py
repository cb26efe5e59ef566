"""Workers on this machine: a pool of processes that die with the batch and are replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path

from siteselect.batches.work import Done, Task, compute


class LocalPool:
    """Processes started afresh (``spawn``: safe beside threads, the same on every system).

    Each watches a pipe whose other end only the batch holds. It closes when the batch dies, even
    by kill -9, and the workers stop at once: no orphan goes on computing or writing.
    """

    died = (BrokenProcessPool,)
    """what a run raises when its worker died"""

    def __init__(self, jobs: int, store: Path, logs: Path) -> None:
        self.jobs = jobs
        self._folders = (str(store), str(logs))
        self._start()

    @property
    def slots(self) -> int:
        """Runs to hand out at a time."""
        return self.jobs

    def submit(self, task: Task) -> Future[Done]:
        """Hand out one run."""
        return self._pool.submit(compute, task, *self._folders)

    def revive(self) -> None:
        """New workers in the place of those that died."""
        self.close()
        self._start()

    def check(self) -> None:
        """Those that die are replaced."""

    def close(self) -> None:
        """Stop every worker at once, whatever it is doing."""
        self._hand.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        self._hand = theirs
        self._pool = ProcessPoolExecutor(
            self.jobs, mp_context=context, initializer=_live_with, initargs=(ours,)
        )


def _live_with(batch: Connection) -> None:
    """In a worker: stop when the batch lets go of the pipe; leave Ctrl-C to the batch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        try:
            batch.recv()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
