"""The page in a real browser, from file://, with hostile names: the map comes up, nothing runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import RESERVE, SELECTED  # type: ignore[import-not-found]

from siteselect.i18n import Translator
from siteselect.report.html import write_page
from siteselect.runs import Run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_map_comes_up_from_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(run, path, Translator("fr"))
    assert BROWSER is not None
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    done = subprocess.run(
        [BROWSER, "--headless", *sandbox, "--enable-unsafe-swiftshader", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000", "--dump-dom",
         path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    dom = done.stdout
    if "has-gl" not in dom:
        pytest.skip("this browser has no WebGL: the drawing stays")
    assert dom.count('class="mark ') == SELECTED + RESERVE
    assert dom.count('class="locate"') == SELECTED + RESERVE
    # the violations of the policy and the errors of scripts are said on the console
    assert "Content Security Policy" not in done.stderr
    assert "Uncaught" not in done.stderr
    assert "<img src=x" not in dom.split('id="map-data"')[0]
