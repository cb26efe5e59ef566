"""A folder with a tiny pack and scenarios, and the command line as a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from siteselect.pack import sha256_of
from siteselect.rundir import TABLES

LIMIT_S = 240
BASE = """\
title = "Essai"
pack = "tiny"
count = 4
reserve = 3
[constraints]
region_max = 3
[zan]
price = false
"""
GRID = """\
extends = "base.toml"
[sweep]
weights.access = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
"""


@dataclass
class Workshop:
    """Files of a batch, and processes started on them (all ended with the test)."""

    folder: Path
    cache: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.folder / "runs"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *command: str, before=None, quiet=False) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=self.folder,
            env={**os.environ, "SITESELECT_CACHE": str(self.cache), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=before,
        )
        self.processes.append(process)
        return process

    def batch(self, *arguments, store: Path | None = None, before=None) -> subprocess.Popen[str]:
        """``siteselect batch grid.toml --json …`` started."""
        given = arguments or ("grid.toml",)
        return self.start(
            sys.executable, "-c", "from siteselect.cli import main; main()", "batch", *given,
            "--json", "--store", str(store or self.store), "--lang", "en", before=before,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> list[dict]:
        """Wait for the end; the events."""
        out, err = process.communicate(timeout=LIMIT_S)
        events = [json.loads(line) for line in out.splitlines()]
        assert events or process.returncode, err
        process.told = err  # type: ignore[attr-defined]
        return events

    def until_done(self, process: subprocess.Popen[str], count: int) -> list[dict]:
        """Read events until so many runs are done."""
        events: list[dict] = []
        for line in process.stdout:
            events.append(json.loads(line))
            if sum(event["event"] == "done" for event in events) >= count:
                return events
        raise AssertionError(f"ended before: {events} {process.stderr.read()}")

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=LIMIT_S)


def of(events: list[dict], kind: str) -> list[dict]:
    return [event for event in events if event["event"] == kind]


def tables_in(store: Path) -> dict[str, list[str]]:
    """sha256 of the tables of every run of a store; what was half-written has a hidden name."""
    return {
        place.name: [sha256_of(place / name) for name in TABLES]
        for place in sorted(store.iterdir())
        if (place / "result.json").is_file() and not place.name.startswith(".")
    }


def children_of(pid: int) -> list[int]:
    """Processes whose parent is this one (Linux)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def workshop(tiny_pack, tmp_path) -> Iterator[Workshop]:
    place = Workshop(tmp_path, tmp_path / "cache")
    place.write("base.toml", BASE)
    place.write("grid.toml", GRID)
    yield place
    place.end()


@pytest.fixture(scope="session")
def expected(_tiny_pack_once, tmp_path_factory) -> dict[str, list[str]]:
    """Tables of the grid, computed one scenario after the other without any batch."""
    from siteselect.batches import plan_batch
    from siteselect.pipeline import run

    folder = tmp_path_factory.mktemp("expected")
    (folder / "tiny").symlink_to(_tiny_pack_once)
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "grid.toml").write_text(GRID, encoding="utf-8")
    for one in plan_batch(folder / "grid.toml", lang="en").runs:
        run(one.loaded, out=folder / "runs" / one.folder, lang="en", cache=False, reports="none")
    return tables_in(folder / "runs")
