"""Batches on the real inventory: seconds, memory, time per scenario, cluster against cluster.

::

    python tests/benchmarks/bench_batch.py --runs 200 --jobs 2 --json
    python tests/benchmarks/bench_batch.py --steps 10,30,100 --json
    python tests/benchmarks/bench_batch.py --cluster 100 --json
    python tests/benchmarks/bench_batch.py --index 10000 --json

Needs the pack of the real inventory (``siteselect data build packs/cartofriches …``). Each
figure is taken from processes started for it, on a store of its own that is removed afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "packs" / "cartofriches"
GRID = """\
extends = {base}
pack = {pack}
[zan]
price = false
[design]
runs = {runs}
seed = {seed}
[design.ranges]
"weights.access" = [0.1, 0.7]
"weights.workforce" = [0.1, 0.7]
"weights.network" = [0.1, 0.7]
"constraints.budget_keur" = [1.6e6, 2.2e6]
"zan.programme_cap_ha" = [0.0, 50.0]
"""


def grid_file(folder: Path, runs: int, seed: int = 1) -> Path:
    """Scenarios that differ in weights and caps."""
    path = folder / "grid.toml"
    base = json.dumps(str(ROOT / "scenarios" / "real_inventory.toml"))
    text = GRID.format(base=base, pack=json.dumps(str(PACK)), runs=runs, seed=seed)
    path.write_text(text, encoding="utf-8")
    return path


def tree_of(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        queue += children.get(one, [])
    return found


def shared_fairly_mb(pids: list[int]) -> float:
    """Memory of processes together, pages they share counted once (PSS)."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return total / 1024


class Watch:
    """Peak memory of a process and its children, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid, self._on = pid, True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._on:
            self.peak_mb = max(self.peak_mb, shared_fairly_mb(tree_of(self._pid)))
            time.sleep(0.5)

    def stop(self) -> float:
        self._on = False
        self._thread.join()
        return round(self.peak_mb, 1)


def batch(folder: Path, runs: int, *options: str) -> dict[str, Any]:
    """One batch as a user starts it: wall and CPU seconds, peak memory, how the runs ended."""
    grid_file(folder, runs)
    store = folder / "runs"
    shutil.rmtree(store, ignore_errors=True)
    command = [sys.executable, "-c", "from siteselect.cli import main; main()", "batch",
               str(folder / "grid.toml"), "--store", str(store), "--json", *options]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watch = Watch(process.pid)
    out, _ = process.communicate()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    events = [json.loads(line) for line in out.splitlines()]
    ended = next(event for event in events if event["event"] == "finished")
    seconds = [event["seconds"] for event in events if event["event"] == "done"]
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    shutil.rmtree(store)
    return {
        "runs": runs,
        "wall_s": round(wall, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "peak_mb": watch.stop(),
        "exit_status": process.returncode,
        "ended": {k: v for k, v in ended.items() if k not in ("event", "exit_status")},
        "median_run_s": sorted(seconds)[len(seconds) // 2],
        "disk_mb_per_run": round(size / runs / 1e6, 1),
    }


def cluster(folder: Path, runs: int) -> dict[str, Any]:
    """The same batch on one and on two Dask workers, each a process of one thread.

    The cluster is up before the clock starts; a first batch of two scenarios a worker makes the
    workers import and compile what they need.
    """
    found: dict[str, Any] = {"runs": runs}
    for workers in (1, 2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        dask = [sys.executable, "-m", "dask"]
        processes = [subprocess.Popen([*dask, "scheduler", "--port", str(port), "--no-dashboard"],
                                      **quiet)]  # fmt: skip
        for number in range(workers):
            place = str(folder / f"worker{number}")
            processes.append(
                subprocess.Popen(
                    [
                        *dask,
                        "worker",
                        address,
                        "--nthreads",
                        "1",
                        "--no-dashboard",
                        "--local-directory",
                        place,
                    ],
                    **quiet,
                )
            )
        try:
            time.sleep(5)
            batch(folder, 2 * workers, "--scheduler", address)
            found[f"{workers}_workers"] = batch(folder, runs, "--scheduler", address)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)
    one, two = found["1_workers"]["wall_s"], found["2_workers"]["wall_s"]
    return {**found, "speed_up": round(one / two, 2)}


def index(folder: Path, runs: int) -> dict[str, Any]:
    """Listing a store of so many runs: the first look, the next ones, and the command."""
    from siteselect.batches import RunStore

    # fmt: off
    result = {"run_id": "x", "created": "2026-05-01T10:00:00+00:00", "status": "optimal",
              "objective": 1, "bound": 1, "gap": 0.0, "counts": {"selected": 50},
              "totals": {"net_ha": 0.0, "total_cost_keur": 1.0, "brownfield_share": 0.5}}
    # fmt: on
    manifest = {"scenario": {"title": "Essai"}, "pack": {"name": "france"}}
    for number in range(runs):
        place = folder / "store" / f"{number:012x}"
        place.mkdir(parents=True)
        (place / "manifest.json").write_text(json.dumps(manifest))
        (place / "result.json").write_text(json.dumps({**result, "run_id": place.name}))
    store = RunStore(folder / "store")
    times = []
    for _ in range(4):
        start = time.perf_counter()
        assert len(store.entries()) == runs
        times.append(round(time.perf_counter() - start, 3))
    return {"runs": runs, "first_look_s": times[0], "listed_s": min(times[1:])}


def plot(steps: list[dict[str, Any]], path: Path) -> None:
    """CPU seconds over the number of scenarios, both from zero: a straight line is what we want."""
    width, height, left, bottom = 640, 360, 60, 40
    most_runs = max(step["runs"] for step in steps)
    most_s = max(step["cpu_s"] for step in steps) * 1.1

    def at(runs: float, seconds: float) -> tuple[float, float]:
        x = left + runs / most_runs * (width - left - 20)
        return round(x, 1), round(height - bottom - seconds / most_s * (height - bottom - 20), 1)

    points = [at(step["runs"], step["cpu_s"]) for step in steps]
    labels = "".join(
        f'<circle cx="{x}" cy="{y}" r="4" fill="#1f4e79"/>'
        f'<text x="{x - 8}" y="{y - 8}" text-anchor="end">'
        f"{step['runs']} : {step['cpu_s']:g} s</text>"
        for step, (x, y) in zip(steps, points, strict=True)
    )
    (x0, y0), (x1, _) = at(0, 0), at(most_runs, 0)
    line = " ".join(f"{x},{y}" for x, y in points)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12"><title>CPU seconds by number of scenarios</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{x0},20V{y0}H{x1}" fill="none" stroke="#55606e"/>'
        f'<polyline points="{line}" fill="none" stroke="#1f4e79" stroke-width="2"/>{labels}'
        f'<text x="{x1}" y="{height - 12}" text-anchor="end">scenarios</text>'
        f'<text x="{left + 6}" y="16">CPU s, all processes</text></svg>\n',
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--steps", help="numbers of scenarios, separated by commas")
    parser.add_argument("--plot", type=Path, help="SVG of the steps")
    parser.add_argument("--cluster", type=int, metavar="RUNS")
    parser.add_argument("--index", type=int, metavar="RUNS")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    jobs = ("--jobs", str(given.jobs))
    found: dict[str, Any] = {"load_before": os.getloadavg()[0], "processors": os.cpu_count()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.index:
            found["index"] = index(folder, given.index)
        if given.runs or given.steps:
            batch(folder, 2, *jobs)  # warm: measures in the cache, code compiled
        if given.runs:
            found["batch"] = batch(folder, given.runs, *jobs)
        if given.steps:
            steps = [batch(folder, int(n), *jobs) for n in given.steps.split(",")]
            found["steps"] = steps
            found["cpu_s_per_added_scenario"] = [
                round((b["cpu_s"] - a["cpu_s"]) / (b["runs"] - a["runs"]), 3)
                for a, b in itertools.pairwise(steps)
            ]
            if given.plot:
                plot(steps, given.plot)
        if given.cluster:
            found["cluster"] = cluster(folder, given.cluster)
    found["load_after"] = os.getloadavg()[0]
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
