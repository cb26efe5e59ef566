"""Whether compiled code is there, loaded or on disk; and without a folder to keep it in."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from medium import medium_problem
from test_medium import SIZES

from siteselect.messages import Msg
from siteselect.optimise import compiled, compiling, solve, wholelists_kernels
from siteselect.optimise.tree import nodes
from siteselect.problem import SelectionProblem
from siteselect.report.screen import stage_name


def pretended(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """Nothing is loaded; what is compiled is kept in a folder."""
    stats = SimpleNamespace(cache_path=None if folder is None else str(folder))
    nothing = SimpleNamespace(overloads={}, stats=stats)
    monkeypatch.setattr(nodes, "advance", nothing)
    monkeypatch.setattr(wholelists_kernels, "best_choice", nothing)


def test_what_was_compiled_before_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended(monkeypatch, tmp_path)
    assert not compiling.loaded()
    assert not compiling.ready()
    (tmp_path / "nodes.other-1.py311.nbi").touch()
    assert not compiling.ready()
    (tmp_path / "nodes.advance-1.py311.nbi").touch()
    assert not compiling.ready()
    (tmp_path / "wholelists_kernels.best_choice-1.py311.nbi").touch()
    assert compiling.ready()


def test_the_garbage_collector_is_as_it_was_after_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is off while modules come in, whatever comes of that."""
    seen: list[bool] = []

    def failing(module: str) -> object:
        seen.append(gc.isenabled())
        raise ImportError(module)

    pretended(monkeypatch, tmp_path)
    monkeypatch.setattr(compiling, "import_module", failing)
    assert gc.isenabled()
    with pytest.raises(ImportError):
        compiling.ready()
    assert seen == [False]
    assert gc.isenabled()
    gc.disable()
    try:
        with pytest.raises(ImportError):
            compiling.ready()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_older_than_its_source_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended(monkeypatch, tmp_path)
    (tmp_path / "wholelists_kernels.best_choice-1.py311.nbi").touch()
    kept = tmp_path / "nodes.advance-1.py311.nbi"
    kept.touch()
    os.utime(kept, (1.0, 1.0))
    assert not compiling.ready()


def test_without_a_folder_nothing_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    pretended(monkeypatch, None)
    assert not compiling.ready()


def test_without_a_folder_it_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*, cache: bool = False, **options: bool) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**options)

    monkeypatch.setattr(compiled, "numba", SimpleNamespace(njit=nowhere))
    assert compiled.compiled(lambda x: 2 * x)(21) == 42


def test_prepared_it_is_loaded() -> None:
    compiling.prepare()
    assert compiling.loaded()
    assert compiling.ready()
    # For what a search gives them: nothing else is compiled on the way.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("siteselect.optimise.search.EASY", 0)
        solve(medium_problem(SIZES["whole"], 0), explain=False)
    assert len(nodes.advance.signatures) == len(wholelists_kernels.best_choice.signatures) == 1


def told(problem: SelectionProblem) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    solve(problem, explain=False, progress=lambda stage, share: found.append((stage, share)))
    return found


def test_who_waits_for_the_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, in the middle of the search; not where it was compiled before."""
    compiling.prepare()
    monkeypatch.setattr("siteselect.optimise.search.EASY", 0)
    problem = medium_problem(SIZES["whole"], 0)
    assert "code" not in dict(told(problem))
    asked = iter([False])
    monkeypatch.setattr("siteselect.optimise.search.ready", lambda: next(asked, True))
    monkeypatch.setattr("siteselect.optimise.search.WORTH_COMPILING", 0)
    stages = told(problem)
    assert [one for one in stages if one[0] == "code"] == [("code", 0.0), ("code", 1.0)]
    begun, done = stages.index(("search", 0.0)), stages.index(("search", 1.0))
    assert begun < stages.index(("code", 0.0)) < done
    for stage in ("compile", "root", "search"):
        assert stages.index((stage, 0.0)) < stages.index((stage, 1.0))


def test_every_stage_that_is_told_has_words() -> None:
    stages = {stage for stage, _ in told(medium_problem(SIZES["whole"], 0))}
    assert stages >= {"compile", "root", "search"}
    for stage in (*stages, "code", "diagnose", "dive", "restoration"):
        assert stage_name(stage) != Msg("Working")


def test_an_easy_solve_loads_none_of_it() -> None:
    """Nearly half a second and 130 MB that most scenarios do without."""
    script = (
        "import sys; from siteselect.optimise import solve; "
        "from siteselect.problem import SelectionProblem; "
        "print(solve(SelectionProblem.from_arrays([5, 9, 7], count=2)).objective, "
        "'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["16", "False"]


def test_a_numba_without_the_option_counts_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_COUNTED", "_never_heard_of")

    def twice(numbers: np.ndarray) -> float:
        return float(2 * numbers.sum())

    for decorate in (compiled.compiled, compiled.lean):
        assert decorate(twice)(np.ones(3)) == 6.0
