"""The command line: exit status, stdout for results, stderr for the rest."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from siteselect.cli import app

SCENARIO = 'title = "Essai"\npack = "tiny"\ncount = 4\n[constraints]\nregion_max = 3\n'


@pytest.fixture
def scenario(tiny_pack):
    path = tiny_pack.parent / "essai.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_run_prints_the_sites_the_balance_and_the_place(scenario, tmp_path):
    result = invoke("run", scenario, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for text in ("Essai", "Commune", "Gauche", "Droite", str(tmp_path / "out")):
        assert text in result.stdout
    assert "labour (essai)" in result.stdout  # the simulated layer is named


def test_json_is_json_and_agrees_with_the_run_directory(scenario, tmp_path):
    result = invoke("run", scenario, "--out", tmp_path / "out", "--json")
    shown = json.loads(result.stdout)
    stored = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert shown == {"folder": str(tmp_path / "out"), **stored}


def test_the_default_place_is_the_same_for_the_same_scenario(scenario, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert invoke("run", scenario, "--quiet").exit_code == 0
    (place,) = (tmp_path / "runs").iterdir()
    assert place.name.startswith("essai-")


def test_verify_says_what_it_checked_and_fails_on_tampering(scenario, tmp_path):
    invoke("run", scenario, "--out", tmp_path / "out", "--quiet")
    result = invoke("verify", tmp_path / "out", "--lang", "en", "--quiet")
    assert result.exit_code == 0
    assert "verified" in result.stdout
    path = tmp_path / "out" / "shortlist.csv"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    result = invoke("verify", tmp_path / "out", "--lang", "en", "--quiet")
    assert result.exit_code == 1
    assert "shortlist.csv was changed" in result.stderr
    assert "verified" not in result.stdout


def test_infeasible_is_three_and_a_limit_is_four(scenario, tmp_path, monkeypatch):
    limits = ("--set", "constraints.region_min=3")
    assert invoke("run", scenario, "--out", tmp_path / "a", "--quiet", *limits).exit_code == 3
    # so small a problem is proven by what the heuristic finds, however short the time
    solver = importlib.import_module("siteselect.optimise.solve")
    monkeypatch.setattr(solver, "heuristic", lambda *_, **__: None)
    hurried = ("--set", "solve.time_limit_s=1e-9", "--lang", "en")
    result = invoke("run", scenario, "--out", tmp_path / "b", "--quiet", *hurried)
    assert result.exit_code == 4
    if not (tmp_path / "b").exists():
        assert "raise solve.time_limit_s" in result.stderr


def test_data_list_says_what_is_simulated():
    result = invoke("data", "list", "--lang", "en")
    assert result.exit_code == 0
    assert "simulated" in result.stdout
    assert "ODbL" in result.stdout
    packs = json.loads(invoke("data", "list", "--json").stdout)
    assert any(layer["simulated"] for layer in packs["france"]["layers"])


def test_help_is_instant_and_loads_nothing_heavy():
    start = time.perf_counter()
    code = (
        "import sys; from siteselect.cli import app; "
        "sys.exit(int(any(m in sys.modules for m in ('numpy', 'geopandas', 'ortools'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
    assert time.perf_counter() - start < 20
