"""``verify --proof``: honest certificates hold, tampered ones fail and say where."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.errors import VerificationError
from siteselect.rundir import PROOF
from siteselect.verify import verify_run
from tests.tinypack import build_tiny_pack
from tests.verify.test_verify import SETTINGS, reseal

TIGHT = {
    **SETTINGS,
    "constraints": {**SETTINGS["constraints"], "budget_keur": 21_000},
    "zan": {"programme_cap_ha": 0.0, "ledgers": [{"level": "region", "default_cap_ha": 2.0}]},
}
MANY_RULES: dict[str, dict[str, Any]] = {
    "settings": SETTINGS,
    "tight": TIGHT,
    "no zan": {**SETTINGS, "zan": {"enforced": False}},
    "whole parcels": {**TIGHT, "zan": {**TIGHT["zan"], "whole_parcels": True}},
    "every level": {
        **SETTINGS,
        "zan": {
            "programme_cap_ha": 1.0,
            "ledgers": [
                {"level": level, "default_cap_ha": 3.0}
                for level in ("commune", "epci", "departement", "region", "national")
            ],
        },
    },
    "locks": {
        **SETTINGS,
        "locks": {"include": ["E-03"], "exclude": ["B-05"], "variants": {"B-02": "reuse"}},
    },
    "areas": {
        **SETTINGS,
        "constraints": {
            **SETTINGS["constraints"],
            "max_total_usable_ha": 30.0,
            "max_per_epci": 2,
            "groups": [
                {"name": "est", "regions": ["24"], "at_most": 2},
                {"name": "one", "sites": ["B-01", "E-07"], "at_least": 1, "at_most": 1},
            ],
        },
    },
    "catchment": {**SETTINGS, "catchment": {"mode": "union", "minutes": 20, "weight": 0.5}},
    "jobs": {
        **SETTINGS,
        "catchment": {"mode": "capacity", "minutes": 20, "jobs_per_ha": 200, "weight": 0.5},
    },
    "earlier wave": {**TIGHT, "zan": {**TIGHT["zan"], "restored_ha": {"P-00": 0.5, "P-05": 0.25}}},
    "several objectives": {
        **SETTINGS,
        "objective": {
            "mode": "lexicographic",
            "order": [{"by": "access", "within_share": 0.05}, {"by": "new_ha", "within": 1}],
            "floors": {"brownfield_share": 0.25},
        },
    },
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proofs") / "pack"
    build_tiny_pack(folder)
    return folder


@pytest.fixture(scope="module")
def honest(pack: Path) -> Path:
    siteselect.run({"pack": str(pack), **TIGHT}, out=pack.parent / "run", cache=False)
    return pack.parent / "run"


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def tampered(folder: Path, edit: Callable[[dict[str, Any]], None]) -> str:
    """What is said of a run whose proof was changed, manifest and all."""
    path = folder / PROOF
    content = json.loads(gzip.decompress(path.read_bytes()))
    edit(content)
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    reseal(folder)
    with pytest.raises(VerificationError) as caught:
        verify_run(folder, proof=True)
    return str(caught.value)


@pytest.mark.parametrize("name", MANY_RULES)
def test_every_rule_of_a_scenario_is_a_row_that_the_auditor_knows(pack, tmp_path, name) -> None:
    siteselect.run({"pack": str(pack), **MANY_RULES[name]}, out=tmp_path / "run", cache=False)
    checks = [str(check) for check in verify_run(tmp_path / "run", proof=True)]
    assert any("the proof holds" in check for check in checks)
    assert "certified without any solver" in checks[-1]


def test_without_being_asked_nothing_is_said_of_a_certificate(run) -> None:
    assert not any("the proof holds" in str(check) for check in verify_run(run))


def test_the_same_run_writes_the_same_bytes(pack, honest, tmp_path) -> None:
    siteselect.run({"pack": str(pack), **TIGHT}, out=tmp_path / "again", cache=False)
    assert (tmp_path / "again" / PROOF).read_bytes() == (honest / PROOF).read_bytes()


def test_a_scenario_may_ask_for_none(pack, tmp_path) -> None:
    settings = {"pack": str(pack), **SETTINGS, "solve": {"certificate": False}}
    done = siteselect.run(settings, out=tmp_path / "run", cache=False)
    assert not (tmp_path / "run" / PROOF).exists()
    with pytest.raises(VerificationError, match="run the scenario again with"):
        verify_run(tmp_path / "run", proof=True)
    verify_run(tmp_path / "run")
    asked = siteselect.run({"pack": str(pack), **SETTINGS}, cache=False)
    assert asked.run_id == done.run_id  # the tables are the same with and without


def steps(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step of the proof, the root's first."""
    found = [content["root"]] if content["root"] else []
    return found + [step for node in content["nodes"] for step in node["steps"]]


def test_a_changed_multiplier(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        for step in steps(content):
            step["rows"] = [[row, y // 2] for row, y in step["rows"]]

    assert "is not certified" in tampered(run, edit)


def test_a_multiplier_of_the_wrong_sign(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        steps(content)[0]["rows"][-1][1] *= -1

    text = tampered(run, edit)
    assert "is not certified" in text or "open side" in text


def test_a_leaf_left_out(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        del content["nodes"][-1]

    assert "branches end nowhere" in tampered(run, edit)


def test_too_low_a_bound_is_not_certified(run, pack) -> None:
    """The same proof, tried for one unit less: a portfolio is worth as much as the bound."""
    from siteselect.measuring import measure_sites
    from siteselect.pack import open_pack
    from siteselect.rulebook import open_rulebook
    from siteselect.scenario_files import load_scenario
    from siteselect.verify.proof import check_proof, read_proof
    from siteselect.verify.proofrows import model_of_run

    scenario = load_scenario(run / "scenario.toml").scenario
    measured = measure_sites(open_pack(str(pack)), scenario)
    model = model_of_run(measured, scenario, open_rulebook(scenario.land.regime))
    proof = read_proof(run / PROOF)
    assert check_proof(proof, model).complete
    assert not check_proof({**proof, "bound": proof["bound"] - 1}, model).complete


def test_a_leaf_emptied(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["root"] = None
        content["nodes"] = [{"steps": []}]

    assert "0 of 1 leaves are closed (0%)" in tampered(run, edit)


def test_another_bound_claimed(run) -> None:
    def lower(content: dict[str, Any]) -> None:
        content["bound"] -= 1

    def higher(content: dict[str, Any]) -> None:
        content["bound"] += 10**6

    assert "the run states" in tampered(run, lower)
    assert "the run states" in tampered(run, higher)


def test_a_lower_bound_claimed_by_the_run_too(run) -> None:
    path = run / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result |= {"bound": result["bound"] - 1, "objective": result["objective"] - 1}
    path.write_text(json.dumps(result), encoding="utf-8")

    def edit(content: dict[str, Any]) -> None:
        content["bound"] -= 1

    text = tampered(run, edit)
    assert "the objective is" in text  # a forger who lowers both is caught by the re-evaluation


def test_a_row_made_tighter(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        row = next(one for one in content["rows"] if one["upper"] is not None)
        row["upper"] -= 1

    assert "is tighter than the scenario asks" in tampered(run, edit)


def test_a_row_with_another_factor(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["rows"][0]["factors"][0] += 1

    assert "is no requirement of the scenario" in tampered(run, edit)


def test_a_site_worth_less_than_it_is(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["columns"][3][2] -= 5

    assert "the proof values" in tampered(run, edit)


def test_a_column_kept_out_of_the_proof(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["columns"].pop()

    assert "leaves out the column" in tampered(run, edit)


def test_sites_said_to_exclude_each_other(run) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["cliques"].append([0, len(content["sites"]) - 1])

    assert "exclude each other; they do not" in tampered(run, edit)


def test_a_file_that_is_no_proof(run) -> None:
    (run / PROOF).write_bytes(b"nothing")
    reseal(run)
    with pytest.raises(VerificationError, match="cannot be read again"):
        verify_run(run, proof=True)


def test_a_proof_changed_without_the_manifest(run) -> None:
    (run / PROOF).write_bytes((run / PROOF).read_bytes() + b"0")
    with pytest.raises(VerificationError, match="was changed since the run"):
        verify_run(run)


def test_on_the_command_line(run) -> None:
    done = CliRunner().invoke(app, ["verify", str(run), "--proof", "--lang", "en", "--quiet"])
    assert done.exit_code == 0
    assert "certified without any solver" in done.output
    (run / PROOF).unlink()
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    del manifest["outputs"][PROOF]
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = CliRunner().invoke(app, ["verify", str(run), "--proof", "--lang", "en", "--quiet"])
    assert done.exit_code == 1
    assert "solve.certificate = true" in done.output
