"""The auditor counts the ledgers of SCoT by itself: rows, proof, and what was tampered with."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import siteselect
from siteselect import outcome
from siteselect.errors import VerificationError
from siteselect.rundir import PROOF
from siteselect.scenario import LEVELS
from siteselect.verify import verify_run
from tests import tinypack
from tests.verify.test_verify import SETTINGS, change, problems, reseal

ZAN = {
    "programme_cap_ha": 0.0,
    "ledgers": [
        {"level": "scot", "caps_ha": {"501": 0.5}, "default_cap_ha": 2.0},
        {"level": "region", "default_cap_ha": 5.0},
    ],
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scot") / "pack"
    tinypack.build_tiny_pack(folder)
    tinypack.add_straddling(folder)
    return tinypack.add_scot(folder).folder


@pytest.fixture(scope="module")
def honest(pack: Path) -> Path:
    scenario = {**SETTINGS, "pack": str(pack), "zan": ZAN, "locks": {"include": ["E-03"]}}
    siteselect.run(scenario, out=pack.parent / "run", cache=False)
    return pack.parent / "run"


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def scot_rows(folder: Path) -> pd.DataFrame:
    ledger = pd.read_parquet(folder / "ledger.parquet")
    return ledger[ledger["level"] == "scot"].set_index("code")


def test_an_honest_run_is_verified(run: Path) -> None:
    """E-03 brings 501 more than its cap: restoration there gives back the rest."""
    row = scot_rows(run).loc["501"]
    assert row["cap_ha"] == 0.5 and row["gross_ha"] >= 5.04 and row["restored_ha"] >= 4.54
    checks = [str(check) for check in verify_run(run, proof=True)]
    assert "certified without any solver" in checks[-1]


HELD = {
    **SETTINGS,
    "locks": {"include": ["E-03"], "variants": {"E-03": "full"}},
    "zan": {
        "programme_cap_ha": None,
        "offsets": False,
        "ledgers": [{"level": "scot", "caps_ha": {"501": 5.04, "502": 2.16}}],
    },
}


@pytest.fixture(scope="module")
def tight(pack: Path) -> Path:
    """E-03 takes all that both SCoT may: 70 and 30 % of 7.2 ha, without any offset."""
    siteselect.run({**HELD, "pack": str(pack)}, out=pack.parent / "tight", cache=False)
    return pack.parent / "tight"


def test_caps_that_bind_cost_score_and_are_in_the_proof(pack: Path, tight: Path) -> None:
    free = {**HELD, "pack": str(pack), "zan": {**HELD["zan"], "enforced": False}}
    held = json.loads((tight / "result.json").read_text(encoding="utf-8"))
    assert held["objective"] < siteselect.run(free, cache=False).result.objective
    assert scot_rows(tight)["balance_ha"].tolist() == pytest.approx([0.0, 0.0])
    verify_run(tight, proof=True)
    rows = json.loads(gzip.decompress((tight / PROOF).read_bytes()))["rows"]
    assert {504, 216} <= {row["upper"] for row in rows}


def test_every_level_at_once_is_proven(pack: Path, tmp_path: Path) -> None:
    ledgers = [{"level": level, "default_cap_ha": 3.0} for level in reversed(LEVELS)]
    zan = {"programme_cap_ha": 1.0, "ledgers": ledgers}
    run = siteselect.run({**SETTINGS, "pack": str(pack), "zan": zan}, out=tmp_path / "run")
    listed = list(dict.fromkeys(run.ledger["level"]))
    assert listed == ["programme", *(level for level in LEVELS if level in listed)]
    verify_run(tmp_path / "run", proof=True)


@pytest.mark.parametrize("column", ["gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha"])
def test_a_tampered_cell(run: Path, column: str) -> None:
    def edit(ledger: pd.DataFrame) -> pd.DataFrame:
        ledger.loc[(ledger["level"] == "scot") & (ledger["code"] == "501"), column] -= 0.01
        return ledger

    change(run, "ledger.parquet", edit)
    assert f"ledger: {column} of scot 501 is" in problems(run)


def test_a_row_taken_out(run: Path) -> None:
    def without(ledger: pd.DataFrame) -> pd.DataFrame:
        return ledger[ledger["code"] != "501"]

    change(run, "ledger.parquet", without)
    assert "ledger: scot 501 is missing" in problems(run)


def test_a_site_said_to_lie_in_another_scot(run: Path) -> None:
    change(run, "sites.parquet", lambda sites: sites.assign(scot="502"))
    assert "scot of" in problems(run)


def test_a_run_that_charges_a_site_whole_to_one_scot(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share of E-03 in its neighbour is not forgotten by the auditor."""
    from siteselect.straddling import nowhere, spread

    monkeypatch.setattr(
        outcome, "spread", lambda sites, units, over, **more: spread(sites, units, nowhere())
    )
    scenario = {**SETTINGS, "pack": str(pack), "zan": ZAN, "locks": {"include": ["E-03"]}}
    siteselect.run(scenario, out=tmp_path / "run", cache=False)
    with pytest.raises(VerificationError, match="gross_ha of scot 501"):
        verify_run(tmp_path / "run")


def test_a_proof_whose_cap_is_tighter(tight: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(tight, tmp_path / "run"))
    content: dict[str, Any] = json.loads(gzip.decompress((run / PROOF).read_bytes()))
    (row,) = (row for row in content["rows"] if row["upper"] == 504)
    row["upper"] -= 1
    (run / PROOF).write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    reseal(run)
    with pytest.raises(VerificationError, match="is tighter than the scenario asks"):
        verify_run(run, proof=True)
