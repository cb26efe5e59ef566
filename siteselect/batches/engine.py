"""Hand runs out to workers, whatever they are, and lose none when some die."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol

from siteselect.batches.work import Done, Task
from siteselect.i18n import Translator
from siteselect.messages import Msg

Tell = Callable[[str, Task, Done | None], None]
"""Told of ``started`` and ``ended`` for each run."""
DEATHS = 2
"""A run whose worker died this often while it ran alone is what kills it."""
POLL_S = 0.5


class WorkersLostError(Exception):
    """The workers cannot be reached any more (the scheduler of a cluster is gone)."""


class Workers(Protocol):
    """A pool of this machine, or a cluster."""

    @property
    def slots(self) -> int:
        """Runs to hand out at a time."""

    @property
    def died(self) -> tuple[type[BaseException], ...]:
        """What a run raises when its worker died."""

    def submit(self, task: Task) -> Future[Done]:
        """Hand out one run."""

    def revive(self) -> None:
        """Replace workers that died, or raise :class:`WorkersLostError`."""

    def check(self) -> None:
        """Raise :class:`WorkersLostError` when nobody will ever make the runs handed out."""

    def close(self) -> None:
        """Stop the workers."""


class Engine:
    """Runs every task once; each ends as a :class:`~siteselect.batches.work.Done`.

    When workers die, what they were running is run again, one at a time: a run that kills its
    worker again and again is told apart and fails alone.
    """

    def __init__(self, workers: Workers, tell: Tell, translator: Translator) -> None:
        self._workers = workers
        self._tell = tell
        self._translator = translator
        self._running: dict[Future[Done], Task] = {}
        self._alone: deque[Task] = deque()
        self._deaths: Counter[str] = Counter()
        self._stopped = ""

    def work_off(self, tasks: Iterable[Task]) -> None:
        """Run them all, or as many as can be before nothing more can be written."""
        waiting = deque(tasks)
        try:
            while waiting or self._alone or self._running:
                if not self._stopped:
                    self._hand_out(waiting)
                elif not self._running:
                    break
                self._collect()
        except WorkersLostError as error:
            self._stopped = str(error)
        for task in (*self._running.values(), *self._alone, *waiting):
            self._tell("ended", task, Done("lost", self._stopped))

    def _hand_out(self, waiting: deque[Task]) -> None:
        queue, slots = (self._alone, 1) if self._alone else (waiting, self._workers.slots)
        while queue and len(self._running) < slots:
            task = queue.popleft()
            try:
                future = self._workers.submit(task)
            except self._workers.died:
                queue.appendleft(task)
                self._recover([])
                return
            self._running[future] = task
            self._tell("started", task, None)

    def _collect(self) -> None:
        self._workers.check()
        finished, _ = wait(self._running, timeout=POLL_S, return_when=FIRST_COMPLETED)
        orphans = []
        for future in finished:
            task = self._running.pop(future)
            try:
                done = future.result()
            except self._workers.died:
                orphans.append(task)
            except WorkersLostError:
                self._alone.append(task)
                raise
            except Exception as error:
                unexpected = Msg("the worker failed: {error}", error=repr(error))
                self._tell("ended", task, Done("failed", self._translator.text(unexpected)))
            else:
                if done.store_lost:
                    self._stopped = done.reason
                self._tell("ended", task, done)
        if orphans:
            self._recover(orphans)

    def _recover(self, orphans: list[Task]) -> None:
        """New workers; the runs of the dead ones are tried again, alone."""
        deadline = time.monotonic() + 10 * POLL_S
        while self._running and time.monotonic() < deadline:  # they died together
            wait(self._running, timeout=POLL_S)
            for future in [one for one in self._running if one.done()]:
                task = self._running.pop(future)
                if future.cancelled() or future.exception() is not None:
                    orphans.append(task)
                else:
                    self._tell("ended", task, future.result())
        together = len(orphans) > 1
        for task in orphans:
            self._deaths[task.folder] += 0 if together else 1
            if self._deaths[task.folder] >= DEATHS:
                killed = Msg("its worker died each time: killed, or out of memory")
                self._tell("ended", task, Done("failed", self._translator.text(killed)))
            else:
                self._alone.append(task)
        self._workers.revive()
