"""Ctrl-C: the best so far, audited, and never a choice that nothing has checked."""

from __future__ import annotations

import _thread
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from test_restoration import by_hand

from siteselect.errors import LimitError
from siteselect.optimise import solve
from siteselect.optimise.lp import GrowingLp
from siteselect.optimise.stop import OutOfTimeError
from siteselect.pipeline import _solve
from siteselect.problem import Ledger, Parcels, SelectionProblem, objective
from siteselect.scenario import Scenario
from siteselect.verify import verify_run

SLOW = """
import sys, time
from siteselect.optimise import prepare, search
from siteselect.optimise.treesearch import TreeSearch
search.EASY = 0
prepare()
done = TreeSearch._done
def slow(self, event):
    print("searching", file=sys.stderr, flush=True)
    time.sleep(0.5)
    return done(self, event)
TreeSearch._done = slow
from siteselect.cli import main
main()
"""
"""The command itself, but for a pause wherever its search stops for a moment."""


def dense(points: int = 1_800, radius: float = 0.15) -> SelectionProblem:
    """Every point of a few towns a candidate: a covering whose proof takes minutes."""
    g = np.random.default_rng(4)
    towns = g.random((12, 2))
    where = towns[g.integers(0, 12, points)] + g.normal(0, 0.08, (points, 2))
    near = ((where[:, None, :] - where[None, :, :]) ** 2).sum(axis=2) < radius**2
    weight = g.integers(1, 1_000, points)
    return SelectionProblem.maximal_covering(csr_array(near.astype(np.int64)), weight, 15)


@pytest.mark.parametrize("after_s", [0.8, 5.0])
def test_an_interrupt_returns_the_best_so_far(after_s: float) -> None:
    problem = dense()
    alarm = threading.Timer(after_s, _thread.interrupt_main)
    alarm.start()
    try:
        found = solve(problem, time_limit_s=60)
    finally:
        alarm.cancel()
    assert found.status == "interrupted"
    assert len(found.columns) == 15
    assert objective(problem, found.columns.tolist()) == found.objective < found.bound


@pytest.mark.parametrize("number", [2, 5, 9])
def test_an_interrupt_inside_a_linear_programme(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns have come in that no value is known of yet."""
    run, calls = GrowingLp._run, iter(range(1_000))

    def interrupted(lp: GrowingLp) -> None:
        if next(calls) == number:
            raise KeyboardInterrupt
        run(lp)

    monkeypatch.setattr(GrowingLp, "_run", interrupted)
    problem = dense(400)
    found = solve(problem)
    assert found.status == "interrupted"
    assert objective(problem, found.columns.tolist()) == found.objective <= found.bound


def test_an_interrupt_before_any_portfolio_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(model: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["siteselect.optimise.solve"], "compile_model", interrupted)
    with pytest.raises(LimitError, match="interrupted before any portfolio"):
        _solve(dense(40), Scenario(), lambda stage, share: None)


def interrupted_process(arguments: list[str], cache: Path) -> tuple[int, str]:
    """Exit status and stdout of the command, sent SIGINT at the first pause of its search."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "SITESELECT_CACHE": str(cache)},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "searching" in line:
                process.send_signal(signal.SIGINT)
                break
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out


def test_the_command_writes_what_it_has_and_says_so(tiny_pack: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        f'pack = "{tiny_pack}"\ncount = 5\nreserve = 2\n[constraints]\nseparation_km = 3\n'
        "max_per_epci = 2\nbudget_keur = 9000\nmin_total_usable_ha = 10\n"
        "[zan]\nprogramme_cap_ha = -1.0\n[ranking]\nreplacement_costs = true\n",
        encoding="utf-8",
    )
    folder = tmp_path / "run"
    status, out = interrupted_process(
        ["run", str(scenario), "--out", str(folder), "--json"], tmp_path / "cache"
    )
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert status == 4
    assert json.loads(out)["status"] == result["status"] == "interrupted"
    assert result["bound"] >= result["objective"] > 0
    assert verify_run(folder)
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def crossing() -> tuple[Ledger, ...]:
    """Two ledgers that share a parcel, neither within the other: what CP-SAT decides."""
    one, five = np.array([0]), np.array([5])
    return (
        Ledger("left", "region", "1", one, five, np.array([0, 1]), 0),
        Ledger("right", "scot", "2", one, five, np.array([1, 2]), 0),
    )


def test_cp_sat_keeps_to_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledgers that cross, restored whole: out of time is not "impossible"."""
    from ortools.sat.python import cp_model

    from siteselect.optimise.restoration import Restorer

    parcels = Parcels(np.array([3, 4, 3]), np.array([5, 9, 5]), np.full(3, -1, np.int32), True)
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1, parcels=parcels, constraints=crossing(),
    )  # fmt: skip
    free = Restorer(problem)
    found = free.restore(np.array([0]))
    assert found is not None
    assert found.units.tolist() == [3, 4, 3]  # 5 on each side: the middle one and both others
    asked: list[float] = []

    def no_answer(solver: cp_model.CpSolver, model: object) -> int:
        asked.append(solver.parameters.max_time_in_seconds)
        return int(cp_model.UNKNOWN)

    monkeypatch.setattr(cp_model.CpSolver, "solve", no_answer)
    late = Restorer(problem)
    late.seconds_left = lambda: 1.25
    with pytest.raises(OutOfTimeError):
        late.restore(np.array([0]))
    assert asked == [1.25]
    assert by_hand(whole=True).seconds_left() == float("inf")


def test_out_of_time_on_parcels_is_a_limit_not_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole solve: neither infeasible nor optimal may come of a question left open."""
    from siteselect.optimise.crossing import Crossing

    def late(*_: object, **__: object) -> None:
        raise OutOfTimeError

    parcels = Parcels(np.array([3, 4, 3]), np.array([5, 9, 5]), np.full(3, -1, np.int32))
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1, parcels=parcels, constraints=crossing(),
    )  # fmt: skip
    monkeypatch.setattr(Crossing, "_ask", late)
    assert solve(problem).status == "limit"
