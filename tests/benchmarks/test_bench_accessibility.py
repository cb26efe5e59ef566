"""The benchmark runs, with the project's own generator, and finds identical times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).with_name("bench_accessibility.py")


@pytest.mark.slow
def test_engines_agree_on_a_small_graph(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH), "--nodes", "4000", "--sites", "60", "--targets", "300",
         "--peer-sources", "10", "--scipy-sources", "40", "--dijkstra-sources", "60", "--json"],
        check=True, stdout=subprocess.PIPE,
        env={**os.environ, "SITESELECT_SHARED": str(tmp_path)},
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["identical"] is True
    assert set(result["compared"]) == {
        "first 10 sites",
        "first 40 sites",
        "first 60 sites",
        "nearest of 10 classes",
        "nearest of class 0",
    }
    assert result["engines"]["hierarchy"]["pairs"] > 100
    for figures in result["engines"].values():
        assert figures["matrix"]["cpu_s"] >= 0
        assert figures["peak_mb"] > 10
