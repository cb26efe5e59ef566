"""Runs whose worker dies: tried again alone, and told apart from their neighbours."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from siteselect.batches.engine import Engine
from siteselect.batches.work import Done, Task
from siteselect.i18n import Translator


def behave(name: str) -> Done:
    """In a worker."""
    if name.startswith("killer"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("wrong"):
        raise RuntimeError("unforeseen")
    if name.startswith("full"):
        return Done("failed", "no room", store_lost=True)
    time.sleep(0.05)
    return Done("optimal", objective=1)


class Pool:
    """Two real processes."""

    died = (BrokenProcessPool,)
    slots = 2

    def __init__(self) -> None:
        self.revived = -1
        self.revive()

    def submit(self, task: Task):
        return self._pool.submit(behave, task.name)

    def revive(self) -> None:
        self.revived += 1
        self._pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))

    def check(self) -> None:
        """Those that die are replaced."""

    def close(self) -> None:
        self._pool.shutdown()


def task(name: str) -> Task:
    return Task(name, name, name, None, "", "", "en", reports=False)  # type: ignore[arg-type]


def work_off(*names: str, pool: Pool | None = None):
    pool = pool or Pool()
    ended: dict[str, Done] = {}
    started: list[str] = []

    def tell(what, one, done):
        if what == "started":
            started.append(one.name)
        else:
            assert one.name not in ended, "told twice"
            ended[one.name] = done

    try:
        Engine(pool, tell, Translator("en")).work_off([task(name) for name in names])
    finally:
        pool.close()
    return ended, started, pool


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_every_run_ends_once():
    ended, started, pool = work_off(*(f"good-{n}" for n in range(7)))
    assert len(ended) == len(started) == 7
    assert {done.status for done in ended.values()} == {"optimal"}
    assert pool.revived == 0


def test_a_run_that_kills_its_worker_fails_alone():
    ended, _, pool = work_off("good-1", "killer", "good-2", "good-3", "good-4")
    assert ended.pop("killer").status == "failed"
    assert {done.status for done in ended.values()} == {"optimal"}
    assert len(ended) == 4
    assert pool.revived >= 2  # once beside another, then alone


def test_two_killers_do_not_drag_the_others_along():
    ended, _, _ = work_off("killer-1", "killer-2", "good-1", "good-2")
    assert {name: done.status for name, done in ended.items()} == {
        "killer-1": "failed", "killer-2": "failed", "good-1": "optimal", "good-2": "optimal",
    }  # fmt: skip
    assert "out of memory" in ended["killer-1"].reason


def test_what_nobody_foresaw_fails_alone():
    ended, _, _ = work_off("wrong", "good")
    assert ended["good"].status == "optimal"
    assert "unforeseen" in ended["wrong"].reason


def test_nothing_is_handed_out_once_the_store_is_lost():
    ended, started, _ = work_off("full", *(f"good-{n}" for n in range(10)))
    assert len(ended) == 11
    lost = [name for name, done in ended.items() if done.status == "lost"]
    assert len(lost) >= 8
    assert {ended[name].reason for name in lost} == {"no room"}
    assert not set(lost) & set(started)
