"""Kills, full disks, read-only folders, two batches at once: with real processes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.batch.conftest import children_of, is_alive, of, tables_in, wait_until

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="kills are tested where /proc tells processes"
)
RUNS = 8


def leftovers(store: Path) -> list[str]:
    return [path.name for path in store.glob(".*") if path.name != ".locks"]


def test_kill_9_of_the_batch_loses_nothing_and_leaves_no_orphan(workshop, expected):
    first = workshop.batch("grid.toml", "--jobs", "2")
    workshop.until_done(first, 2)
    workers = children_of(first.pid)
    assert len(workers) >= 2
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert wait_until(lambda: not any(is_alive(pid) for pid in workers)), "orphans go on"
    kept = tables_in(workshop.store)
    assert 2 <= len(kept) < RUNS
    second = workshop.batch("grid.toml", "--jobs", "1")
    events = workshop.finish(second)
    assert second.returncode == 0
    assert of(events, "plan")[0]["reused"] == len(kept)
    assert len(of(events, "started")) == RUNS - len(kept)  # only what was missing
    assert tables_in(workshop.store) == expected
    assert leftovers(workshop.store) == []


def test_kill_9_of_a_worker_is_mended_within_the_batch(workshop, expected):
    process = workshop.batch("grid.toml", "--jobs", "2")
    workshop.until_done(process, 1)
    worker = next(pid for pid in children_of(process.pid) if b"spawn_main" in _command(pid))
    os.kill(worker, signal.SIGKILL)
    events = workshop.finish(process)
    assert process.returncode == 0, events
    assert of(events, "finished")[0]["optimal"] == RUNS
    assert tables_in(workshop.store) == expected


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_closed_laptop_goes_on_where_it_was(workshop, expected):
    process = workshop.batch("grid.toml", "--jobs", "2")
    workshop.until_done(process, 1)
    os.killpg(process.pid, signal.SIGSTOP)
    assert not wait_until(lambda: process.poll() is not None, seconds=1.0)
    os.killpg(process.pid, signal.SIGCONT)
    workshop.finish(process)
    assert process.returncode == 0
    assert tables_in(workshop.store) == expected


def test_two_batches_at_once_share_the_work_and_the_store(workshop, expected):
    both = [workshop.batch("grid.toml", "--jobs", "1") for _ in range(2)]
    events = [workshop.finish(process) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    computed = [event["run"] for one in events for event in of(one, "done") if not event["reused"]]
    assert sorted(computed) == sorted(expected)  # each run by exactly one of them
    assert tables_in(workshop.store) == expected
    assert leftovers(workshop.store) == []


def test_one_bad_scenario_fails_alone_with_its_reason(workshop, expected):
    workshop.write("bad.toml", 'extends = "base.toml"\ncont = 5\n')
    workshop.write("greedy.toml", 'extends = "base.toml"\n[constraints]\nregion_min = 3\n')
    workshop.write("lost.toml", 'extends = "base.toml"\npack = "nowhere"\n')
    workshop.write(
        "locks.toml", 'extends = "base.toml"\n[locks]\ninclude = ["B-99"]\n'
    )  # only the pack tells that there is no such site
    process = workshop.batch(".", "--jobs", "1")
    events = workshop.finish(process)
    assert process.returncode == 1
    refused = {one["name"]: one["reason"] for one in of(events, "plan")[0]["refused"]}
    assert set(refused) == {"bad", "lost"}
    assert "did you mean count" in refused["bad"]
    ended = {event["name"]: event for event in of(events, "done")}
    assert ended["greedy"]["status"] == "infeasible"
    assert "Gauche" in ended["greedy"]["reason"]
    assert ended["locks"]["status"] == "failed"
    assert "B-99" in ended["locks"]["reason"]
    assert expected.items() <= tables_in(workshop.store).items()
    workshop_files = {path.name for path in next((workshop.store / "batches").iterdir()).iterdir()}
    assert {"synthesis.xlsx", "synthesis.html", "batch.json", "events.jsonl"} <= workshop_files
    # called again: « infeasible » is proven and is not sought twice, a failure is
    process = workshop.batch(".", "--jobs", "1")
    events = workshop.finish(process)
    assert process.returncode == 1
    assert [event["name"] for event in of(events, "started")] == ["locks"]
    kept = json.loads(next((workshop.store / "batches").glob("*/batch.json")).read_text("utf-8"))
    told = {one["name"]: one for one in kept["scenarios"]}
    assert told["greedy"]["reason"] == ended["greedy"]["reason"]
    assert told["greedy"]["reused"]


@pytest.fixture
def small_disk(workshop):
    """A disk of 2 MB, where the system lets us mount one."""
    place = workshop.folder / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_the_batch_and_the_next_call_goes_on(workshop, small_disk, expected):
    store = small_disk / "runs"
    filler = small_disk / "filler"
    one_run = sum(path.stat().st_size for path in _any_run(workshop).iterdir())
    filler.write_bytes(b"\0" * (1024 * 1024 - int(3.5 * one_run) - 200_000))
    process = workshop.batch("grid.toml", "--jobs", "2", store=store)
    events = workshop.finish(process)
    assert process.returncode == 1
    said = str(of(events, "done")) + process.told
    assert "No space left on device" in said
    kept = tables_in(store)
    assert len(kept) < RUNS
    assert kept.items() <= expected.items()  # whole, or not there
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    process = workshop.batch("grid.toml", "--jobs", "1", store=store)
    events = workshop.finish(process)
    assert process.returncode == 0, process.told
    assert len(of(events, "started")) == RUNS - len(kept)
    assert tables_in(store) == expected


def _any_run(workshop) -> Path:
    from siteselect.pipeline import run

    run(workshop.folder / "base.toml", out=workshop.folder / "one", reports="none")
    return workshop.folder / "one"


def test_a_disk_quota_stops_the_batch_and_the_next_call_goes_on(workshop, expected):
    """The same without a disk of our own: the system refuses files over 20 kB."""

    def meanly() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = workshop.batch("grid.toml", "--jobs", "1", before=meanly)
    events = workshop.finish(process)
    assert process.returncode == 1
    ended = of(events, "done")
    assert ended[0]["status"] == "failed"
    assert "File too large" in ended[0]["reason"]
    assert {event["status"] for event in ended[1:]} == {"lost"}  # no use in going on
    assert tables_in(workshop.store) == {}
    process = workshop.batch("grid.toml", "--jobs", "1")
    workshop.finish(process)
    assert process.returncode == 0
    assert tables_in(workshop.store) == expected


def test_a_folder_that_may_not_be_written_is_said_before_anything_is_computed(workshop, request):
    store = workshop.folder / "closed"
    store.mkdir()
    if os.geteuid() == 0:  # permissions do not stop root: a read-only disk does
        disk = request.getfixturevalue("small_disk")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        store = disk / "runs"
    else:
        store.chmod(0o555)
    process = workshop.batch("grid.toml", store=store)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert out == ""
    assert "cannot be written" in err
    assert "choose a folder" in err


def test_an_interrupted_batch_stops_its_workers(workshop, expected):
    process = workshop.batch("grid.toml", "--jobs", "2")
    workshop.until_done(process, 1)
    workers = children_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert wait_until(lambda: not any(is_alive(pid) for pid in workers))
    assert tables_in(workshop.store).items() <= expected.items()


def test_the_real_command_is_what_is_tested(workshop):
    """``siteselect batch`` of the console script behaves as the module run above."""
    script = Path(sys.executable).with_name("siteselect")
    if not script.exists():
        pytest.skip("the console script is not installed beside this Python")
    process = workshop.start(str(script), "batch", "grid.toml", "--dry-run", "--lang", "en")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "weights.access: 0.4 → 0.1" in out
    assert not workshop.store.exists()
