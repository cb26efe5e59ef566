"""A Dask cluster of real processes: the same bytes, and nothing lost when parts of it die."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.batch.conftest import Workshop, of, tables_in

pytest.importorskip("distributed", reason="the extra « cluster » is not installed")
RUNS = 8


class Cluster:
    """One scheduler and some workers, each a process of its own."""

    def __init__(self, workshop: Workshop) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._workshop = workshop
        self.scheduler = self._dask("scheduler", "--port", str(port), "--host", "127.0.0.1")

    def worker(self, name: str):
        # a folder of its own, and no cache: it has what the batch sends, nothing else
        return self._dask(
            "worker", self.address, "--nthreads", "1", "--local-directory",
            str(self._workshop.folder / name), "--host", "127.0.0.1",
        )  # fmt: skip

    def _dask(self, *command: str):
        process = self._workshop.start(
            sys.executable, "-m", "dask", *command, "--no-dashboard", quiet=True
        )
        return process


@pytest.fixture
def cluster(workshop) -> Cluster:
    return Cluster(workshop)


def test_a_cluster_gives_the_same_bytes_as_this_machine(workshop, cluster, expected):
    cluster.worker("one")
    cluster.worker("two")
    workshop.write("greedy.toml", 'extends = "base.toml"\n[constraints]\nregion_min = 3\n')
    process = workshop.batch("grid.toml", "greedy.toml", "--scheduler", cluster.address)
    events = workshop.finish(process)
    assert process.returncode == 3, (events, process.told)  # infeasible: told as at home
    assert of(events, "finished")[0] == {
        "event": "finished", "exit_status": 3, "infeasible": 1, "optimal": RUNS,
    }  # fmt: skip
    assert tables_in(workshop.store) == expected
    manifest = next(workshop.store.glob("*/manifest.json")).read_text(encoding="utf-8")
    assert str(workshop.folder / "tiny") in manifest  # not the folder of a worker
    again = workshop.batch("grid.toml", "--jobs", "1")
    assert of(workshop.finish(again), "plan")[0]["reused"] == RUNS
    # the workers keep nothing of a batch that ended
    kept = [*workshop.folder.glob("one/**/siteselect-*"), *workshop.folder.glob("two/**/pack.toml")]
    assert kept == []


def test_kill_9_of_a_worker_of_the_cluster(workshop, cluster, expected):
    victim = cluster.worker("one")
    process = workshop.batch("grid.toml", "--scheduler", cluster.address)
    workshop.until_done(process, 1)
    os.killpg(victim.pid, signal.SIGKILL)  # with its nanny: nothing is left that could restart it
    cluster.worker("two")
    events = workshop.finish(process)
    assert process.returncode == 0, (events, process.told)
    assert tables_in(workshop.store) == expected


def test_kill_9_of_the_scheduler_ends_the_batch_and_the_next_call_goes_on(
    workshop, cluster, expected
):
    cluster.worker("one")
    process = workshop.batch("grid.toml", "--scheduler", cluster.address)
    workshop.until_done(process, 2)
    os.kill(cluster.scheduler.pid, signal.SIGKILL)
    events = workshop.finish(process)
    assert process.returncode == 1
    lost = [event for event in of(events, "done") if event["status"] == "lost"]
    assert lost
    assert {event["reason"] for event in lost} == {
        "the Dask scheduler is gone; start the batch again: what is done is kept"
    }
    kept = tables_in(workshop.store)
    assert 2 <= len(kept) < RUNS
    assert kept.items() <= expected.items()
    process = workshop.batch("grid.toml", "--jobs", "1")
    events = workshop.finish(process)
    assert process.returncode == 0
    assert len(of(events, "started")) == RUNS - len(kept)
    assert tables_in(workshop.store) == expected


def test_a_cluster_that_loses_every_worker_does_not_hold_the_batch_without_end(
    workshop, cluster, expected
):
    victim = cluster.worker("one")
    process = workshop.batch("grid.toml", "--scheduler", cluster.address, "--patience", "0.05")
    workshop.until_done(process, 2)
    os.killpg(victim.pid, signal.SIGKILL)  # with its nanny
    events = workshop.finish(process)
    assert process.returncode == 1
    lost = [event["reason"] for event in of(events, "done") if event["status"] == "lost"]
    assert lost
    assert set(lost) == {
        "the Dask cluster has had no worker for 0.05 min; start some and the batch again: "
        "what is done is kept"
    }
    kept = tables_in(workshop.store)
    assert 2 <= len(kept) < RUNS
    cluster.worker("two")  # queued for longer than a look: the batch waits for it
    process = workshop.batch("grid.toml", "--scheduler", cluster.address)
    workshop.finish(process)
    assert process.returncode == 0
    assert tables_in(workshop.store) == expected


def test_no_scheduler_there_is_bad_input(workshop):
    process = workshop.batch("grid.toml", "--scheduler", "tcp://127.0.0.1:9")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "no Dask scheduler answers" in err
    assert not any(Path(workshop.store).glob("*/result.json"))


def test_the_cluster_of_a_notebook(workshop, expected, monkeypatch):
    """``LocalCluster`` in this very process, as the README shows."""
    from distributed import LocalCluster

    import siteselect

    monkeypatch.chdir(workshop.folder)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        done = siteselect.batch(
            "grid.toml", store=workshop.store, scheduler=cluster.scheduler_address, lang="en"
        )
    assert done.exit_status == 0
    assert tables_in(workshop.store) == expected
