"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of open data kept beside the project; required where CI=true."""
    folder = Path(os.environ.get("SITESELECT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        reason = f"no open data at {folder}: set SITESELECT_SHARED to the folder that holds real/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared_real(shared: Path) -> Path:
    """Real open data: tests and benchmarks only."""
    return shared / "real"
