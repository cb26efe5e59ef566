"""The queue with workers that do nothing but speak: order, limits, cancelling, restarts."""

from __future__ import annotations

import json
import sys
import time

import pytest

from siteselect.web.jobs import Asked, JobFiles, new_job
from siteselect.web.queue import MOST_ATTEMPTS, Queue
from siteselect.web.settings import settings_for

SPEAKER = """
import json, os, sys, threading, time
def watch():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
folder = json.loads(sys.argv[1])["runs"]
print("what a library prints")
print(json.dumps({"stage": "sites", "share": 0.5}), flush=True)
open(os.path.join(folder, "begun"), "a").write("x")
while not os.path.exists(os.path.join(folder, "go")):
    time.sleep(0.01)
print(json.dumps({"state": "done", "run_id": "abc"}), flush=True)
"""
SILENT = "import sys; sys.exit(3)"


@pytest.fixture
def opened(tmp_path):
    """Makes queues on one store, as when the application is started again; all are closed."""
    (tmp_path / "runs").mkdir()
    queues = []

    def make(code=SPEAKER, workers=1):
        settings = settings_for(tmp_path, workers=workers)
        queue = Queue(settings, worker=(sys.executable, "-S", "-c", code))
        queue.open()
        queues.append(queue)
        return queue

    yield make
    for queue in queues:
        queue.close()


def go(tmp_path):
    (tmp_path / "runs" / "go").touch()


def until(true, limit_s=20.0):
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def job():
    return new_job(Asked("run", scenario="essai"), "Essai", "fr")


def states(queue):
    return [one.state for one in reversed(queue.newest_first())]


def test_jobs_run_in_the_order_asked_and_no_more_at_a_time_than_allowed(opened, tmp_path):
    queue = opened(workers=2)
    for _ in range(4):
        queue.add(job())
    until(lambda: states(queue) == ["running", "running", "queued", "queued"])
    go(tmp_path)
    until(lambda: states(queue) == ["done"] * 4)
    ended = queue.newest_first()
    assert all(one.outcome == {"run_id": "abc"} for one in ended)
    assert all(one.stages == {"sites": 0.5} for one in ended)


def test_every_change_is_told_and_kept(opened, tmp_path):
    queue, told = opened(), []
    stop = queue.listen(lambda name: told.append(queue.get(name).state))
    one = queue.add(job())
    until(lambda: queue.get(one.id).stages)
    go(tmp_path)
    until(lambda: queue.get(one.id).state == "done")
    assert told[0] == "queued"
    assert told[-1] == "done"
    assert "running" in told
    stop()
    assert JobFiles(tmp_path / "runs").read_all() == [queue.get(one.id)]


def test_a_worker_that_dies_without_a_word_has_failed(opened):
    queue = opened(SILENT)
    one = queue.add(job())
    until(lambda: queue.get(one.id).state == "failed")
    assert queue.get(one.id).outcome == {"lost": "killed"}


def test_cancelling_frees_the_place_at_once(opened, tmp_path):
    queue = opened()
    first, second = queue.add(job()), queue.add(job())
    until(lambda: queue.get(first.id).stages)
    assert queue.cancel(first.id).state == "cancelled"
    until(lambda: queue.get(second.id).state == "running")
    go(tmp_path)
    until(lambda: queue.get(second.id).state == "done")
    assert queue.get(first.id).state == "cancelled"
    assert queue.cancel(second.id).state == "done"
    assert queue.cancel("20200101T000000000000-000000") is None


def test_a_stop_that_was_asked_for_costs_no_attempt(opened, tmp_path):
    queue = opened()
    one = queue.add(job())
    for _ in range(MOST_ATTEMPTS + 1):
        until(lambda queue=queue: queue.get(one.id).stages)
        queue.close()
        assert JobFiles(tmp_path / "runs").read_all()[0].attempts == 0
        queue = opened()
    go(tmp_path)
    until(lambda: queue.get(one.id).state == "done")


def test_a_job_that_takes_the_application_down_is_not_begun_for_ever(opened, tmp_path):
    files = JobFiles(tmp_path / "runs")
    one = job()
    files.write(one)
    path = files.folder / f"{one.id}.json"
    told = json.loads(path.read_text())
    for attempts, state in ((MOST_ATTEMPTS - 1, "done"), (MOST_ATTEMPTS, "failed")):
        path.write_text(json.dumps({**told, "state": "running", "attempts": attempts}))
        go(tmp_path)
        queue = opened()
        until(lambda queue=queue, state=state: queue.get(one.id).state == state)
        queue.close()


def test_damaged_files_of_jobs_stop_nothing(opened, tmp_path):
    folder = JobFiles(tmp_path / "runs").folder
    folder.mkdir()
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text('{"id": "b"}')
    (folder / "c.json").write_text("[1, 2]")
    go(tmp_path)
    queue = opened()
    one = queue.add(job())
    until(lambda: queue.get(one.id).state == "done")
