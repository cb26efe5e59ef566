"""Whole commands, timed from outside: first run, second run, real inventory, help, verify.

python tests/benchmarks/bench_run.py [--real FRICHES.csv.gz] [--repeat 3] --json

Each command runs in a process of its own with a cache folder of its own; memory is the peak of
that process, from the operating system. Figures are reported, never asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from siteselect.cli import main; main()"]
REAL = ROOT.parent / "shared" / "real" / "friches" / "cartofriches_points_2024-03-10.csv.gz"


def timed(arguments: list[str], cache: Path) -> dict[str, float]:
    """Wall and CPU seconds and peak MB of one command."""
    environment = {**os.environ, "SITESELECT_CACHE": str(cache)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: status {os.waitstatus_to_exitcode(status)}")
    return {
        "wall_s": round(time.perf_counter() - start, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def measure(real: Path | None, repeat: int) -> dict[str, object]:
    """All commands, ``repeat`` times each."""
    figures: dict[str, list[dict[str, float]]] = {}
    for turn in range(repeat):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            out, cache = str(folder / "run"), folder / "cache"
            reference = ["run", "scenarios/reference.toml", "--out", out, "--quiet"]
            steps = {
                "help": ["--help"],
                "reference, first run": reference,
                "reference, second run": reference,
                "verify": ["verify", out, "--quiet"],
            }
            if real is not None:
                pack = str(folder / "pack")
                steps["real inventory, data build"] = [
                    "data", "build", pack, "--friches", str(real), "--quiet",
                ]  # fmt: skip
                steps["real inventory, first run"] = [
                    "run", "scenarios/real_inventory.toml", "--set", f"pack={pack}",
                    "--out", str(folder / "real"), "--quiet",
                ]  # fmt: skip
            for label, arguments in steps.items():
                figures.setdefault(label, []).append(timed(arguments, cache))
                print(turn + 1, label, figures[label][-1], file=sys.stderr)
    return {label: median(runs) for label, runs in figures.items()}


def main() -> None:
    """Parse, measure, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=REAL if REAL.is_file() else None)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="indent nothing: one line")
    options = parser.parse_args()
    result = measure(options.real, options.repeat)
    print(json.dumps(result, ensure_ascii=False, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
