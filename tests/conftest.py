"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Forget compiled functions older than any file of their package: what they call may differ."""
    if hasattr(config, "workerinput"):
        return
    optimise = ROOT / "siteselect" / "optimise"
    sources = ("tree/*.py", "*_kernels.py", "compiled.py")
    newest = max(one.stat().st_mtime for some in sources for one in optimise.glob(some))
    for kept in optimise.glob("**/__pycache__/*.nbi"):
        if kept.stat().st_mtime < newest:
            kept.unlink()


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


@pytest.fixture(scope="session")
def _tiny_pack_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.tinypack import build_tiny_pack

    folder = tmp_path_factory.mktemp("packs") / "tiny"
    build_tiny_pack(folder)
    return folder


@pytest.fixture
def tiny_pack(_tiny_pack_once: Path, tmp_path: Path) -> Path:
    """A copy of the tiny pack that a test may spoil."""
    import shutil

    return Path(shutil.copytree(_tiny_pack_once, tmp_path / "tiny"))


@pytest.fixture(autouse=True)
def _no_shared_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the user's cache of stages."""
    monkeypatch.setenv("SITESELECT_CACHE", str(tmp_path / "cache"))
