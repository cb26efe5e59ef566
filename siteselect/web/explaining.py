"""« Why (not) this site? » asked from a page: one helper process answers, one after another.

Reopening a run measures and formulates again, and an answer solves several problems: seconds to
a minute. The helper keeps the last runs open, so that the next question is quicker; it is a
process of its own, so that the pages stay quick and a crash takes nothing with it.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import Any

from siteselect.errors import Fault, InputError, SiteSelectError
from siteselect.i18n import Lang, Translator
from siteselect.messages import Msg

ANSWER_S = 300.0
"""An answer that takes longer is given up."""
MOST_WAITING = 20
MOST_KEPT = 400
NICENESS = 10

Key = tuple[str, str, str, Lang]
"""folder, run_id, site, language"""
Answer = dict[str, Any]
Work = Callable[[str, str, Lang], Answer]


def explained(folder: str, site_id: str, lang: Lang) -> Answer:
    """The answer as ``siteselect explain --json`` gives it."""
    from siteselect.explain import explain
    from siteselect.report.decision import explanation_json

    return explanation_json(explain(_case(folder, _stamp(folder)), site_id), Translator(lang))


def _stamp(folder: str) -> float:
    from siteselect.rundir import RESULT

    return (Path(folder) / RESULT).stat().st_mtime


@lru_cache(maxsize=2)
def _case(folder: str, stamp: float) -> Any:
    from siteselect.reopen import reopen

    del stamp  # a run made again in the same place is another one
    return reopen(folder)


class Explainer:
    """Questions and their answers. ``work`` must be importable by a fresh process."""

    def __init__(self, work: Work = explained, *, limit_s: float = ANSWER_S) -> None:
        self._work, self._limit_s = work, limit_s
        self._kept: OrderedDict[Key, Future[Answer]] = OrderedDict()
        self._lock = threading.Lock()
        self._asked: Queue[tuple[Key, Future[Answer]]] = Queue()
        self._thread: threading.Thread | None = None

    def ask(self, key: Key) -> Future[Answer]:
        """The answer to come, or the one found before; what failed is asked again.

        Raises
        ------
        InputError
            too many questions are waiting.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is not None and not (known.done() and known.exception() is not None):
                self._kept.move_to_end(key)
                return known
            if self._asked.qsize() >= MOST_WAITING:
                raise InputError(
                    Fault(
                        Msg("{count} questions are waiting for their answer", count=MOST_WAITING),
                        remedy=Msg("wait for the answers, then ask again"),
                    )
                )
            future: Future[Answer] = Future()
            self._kept[key] = future
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            self._asked.put((key, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, daemon=True)
                self._thread.start()
            return future

    def _serve(self) -> None:
        helper: _Helper | None = None
        while True:
            (folder, _, site_id, lang), future = self._asked.get()
            if helper is None or not helper.alive:
                helper = _Helper(self._work)
            try:
                _settle(future, helper.answer((folder, site_id, lang), self._limit_s))
            except (OSError, EOFError):
                helper.stop()
                _settle(future, _lost())


class _Helper:
    """The process; it ends with the application (daemon)."""

    def __init__(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_loop, args=(work, theirs), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def answer(self, question: tuple[str, str, Lang], limit_s: float) -> Answer | SiteSelectError:
        self._ours.send(question)
        if not self._ours.poll(limit_s):
            self.stop()
            return InputError(
                Fault(
                    Msg("no answer within {limit:.0f} s", limit=limit_s),
                    remedy=Msg("ask on the command line: siteselect explain"),
                )
            )
        found: Answer | SiteSelectError = self._ours.recv()
        return found

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(5.0)


def _loop(work: Work, pipe: Connection) -> None:
    """The life of the helper process."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    while True:
        try:
            folder, site_id, lang = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send(work(folder, site_id, lang))
        except SiteSelectError as error:
            pipe.send(error)


def _settle(future: Future[Answer], found: Answer | SiteSelectError) -> None:
    try:
        if isinstance(found, SiteSelectError):
            future.set_exception(found)
        else:
            future.set_result(found)
    except InvalidStateError:  # nobody waits any more
        return


def _lost() -> InputError:
    return InputError(
        Fault(
            Msg("the process that looks for the answer was lost"),
            remedy=Msg("ask again; on a machine with little memory, stop the jobs first"),
        )
    )
