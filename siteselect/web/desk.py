"""The desk: helper processes that prepare answers for the pages, and answers kept on disk.

What takes long or much memory is prepared away from the process that serves the pages, packed
(gzip) and kept by the content of what it was made from: the same question is answered from the
file at once, also after a restart.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from siteselect.cache import default_cache_folder
from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.web.answers import finite

HELPERS = 2
MOST_KEPT_BYTES = 500_000_000
NICENESS = 5
Make = Callable[..., Any]
"""Makes an answer (JSON) from plain arguments; importable by a fresh process."""


class Desk:
    """Prepares answers, each once however often it is asked for at the same time."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or default_cache_folder() / "web"
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._hand: Connection | None = None
        self._making: dict[str, Future[None]] = {}

    async def answer(
        self, request: Request, kind: str, key: object, make: Make, *args: Any
    ) -> Response:
        """The answer that ``make(*args)`` gives; ``key`` (JSON) is all that decides it.

        Raises
        ------
        InputError
            as ``make`` does, or the helper was lost.
        """
        digest = hashlib.sha256(json.dumps([code_stamp(), key]).encode()).hexdigest()[:24]
        headers = {"etag": f'"{digest}"', "cache-control": "no-cache", "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        path = self._folder / f"{kind}-{digest}.json.gz"
        body = _read(path)
        if body is None:
            await asyncio.wrap_future(self._asked(path, make, args))
            body = _read(path)
        if body is None:
            raise _lost()
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        return Response(body, media_type="application/json", headers=headers)

    def close(self) -> None:
        """Stop the helpers at once."""
        with self._lock:
            self._stop()

    def _asked(self, path: Path, make: Make, args: tuple[Any, ...]) -> Future[None]:
        with self._lock:
            known = self._making.get(path.name)
            if known is not None:
                return known
            try:
                future = self._helpers().submit(_make, str(path), make, args)
            except BrokenProcessPool:
                self._stop()
                future = self._helpers().submit(_make, str(path), make, args)
            answer: Future[None] = Future()
            self._making[path.name] = answer
        future.add_done_callback(lambda done: self._made(path.name, done, answer))
        return answer

    def _made(self, name: str, done: Future[None], answer: Future[None]) -> None:
        with self._lock:
            self._making.pop(name, None)
        error = _lost() if done.cancelled() else done.exception()
        if isinstance(error, BrokenProcessPool):
            error = _lost()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(None)

    def _helpers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            self._hand = theirs
            self._pool = ProcessPoolExecutor(
                HELPERS, mp_context=context, initializer=_live_with, initargs=(ours,)
            )
        return self._pool

    def _stop(self) -> None:
        if self._hand is not None:
            self._hand.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._hand = self._pool = None


@cache
def code_stamp() -> str:
    """Changes with the program: what another version kept is not served."""
    root = Path(__file__).parents[1]
    files = sorted(root.rglob("*.py"))
    stamps = [(str(f.relative_to(root)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(json.dumps([version("siteselect"), stamps]).encode()).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        body = path.read_bytes()
        os.utime(path)  # used: kept longer
    except OSError:
        return None
    return body


def _make(path: str, make: Make, args: tuple[Any, ...]) -> None:
    """In a helper: make an answer and keep it, beside and renamed."""
    try:
        text = json.dumps(finite(make(*args)), ensure_ascii=False, separators=(",", ":"))
        packed = gzip.compress(text.encode("utf-8", "replace"), compresslevel=5, mtime=0)
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.{uuid4().hex[:8]}.tmp")
        beside.write_bytes(packed)
        beside.replace(place)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the answer cannot be kept: {error}", error=error.strerror or "OSError"),
                remedy=Msg("make room on the disk"),
            )
        ) from None
    with suppress(OSError):
        _make_room(place.parent)


def _make_room(folder: Path) -> None:
    """Remove the answers unused for longest where they take too much room."""
    files = sorted(folder.glob("*.json.gz"), key=_last_used, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > MOST_KEPT_BYTES:
            file.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    return path.stat().st_mtime


def _live_with(application: Connection) -> None:
    """In a helper: stop when the application does, whatever happened to it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)

    def watch() -> None:
        with suppress(EOFError, OSError):
            application.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _lost() -> InputError:
    return InputError(
        Fault(
            Msg("the process that prepares the answer was lost"),
            remedy=Msg("ask again; on a machine with little memory, stop the jobs first"),
        )
    )
