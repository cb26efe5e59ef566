"""Every scenario that ships is solved to proven optimality, on the pack that ships."""

from __future__ import annotations

from pathlib import Path

import pytest

import siteselect
from siteselect.pack import open_pack
from siteselect.scenario_files import load_scenario
from siteselect.sources.build import build_pack
from siteselect.verify import verify_run

ROOT = Path(__file__).resolve().parents[1]
ON_FRANCE = (
    "reference", "zan_strict", "friches_seulement", "sans_zan", "emploi_d_abord", "bassins",
    "embauche",
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One cache for the module: the measures are the same for all these scenarios."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _use_kept(kept, monkeypatch):
    monkeypatch.setenv("SITESELECT_CACHE", str(kept))


def selected(run):
    return run.sites[run.sites["status"].isin(["selected", "forced_in"])]


@pytest.mark.parametrize("name", ON_FRANCE)
def test_proven_on_the_embedded_pack(name):
    run = siteselect.run(ROOT / "scenarios" / f"{name}.toml")
    chosen = selected(run)
    assert run.result.status == "optimal"
    reached = run.result.totals.get("catchment_points", 0)
    assert run.result.objective == run.result.bound == chosen["score_units"].sum() + reached
    assert (reached > 0) == (name in ("bassins", "embauche"))
    assert len(chosen) == 50
    assert (run.sites["status"] == "reserve").sum() == 20
    by_region = chosen["region"].value_counts()
    assert len(by_region) == 13
    assert by_region.max() <= 8
    assert chosen["epci"].value_counts().max() == 1
    assert any("Simulated" in str(notice) for notice in run.notices)
    if name == "friches_seulement":
        assert set(chosen["kind"]) == {"brownfield"}
    if name != "sans_zan":
        assert run.ledger.loc[run.ledger["level"] == "programme", "net_ha"].item() <= 0
        assert (run.ledger["balance_ha"].dropna() >= -1e-9).all()
    else:
        assert run.result.totals["price_of_zan"] > 0
    if name == "zan_strict":
        assert run.result.totals["new_artificialisation_ha"] == 0


def test_the_reference_is_verified_from_its_files(tmp_path):
    siteselect.run(ROOT / "scenarios" / "reference.toml", out=tmp_path / "run")
    assert len(verify_run(tmp_path / "run")) >= 5


@pytest.mark.real
def test_the_real_inventory_gives_fifty_real_places(shared_real, tmp_path):
    friches = shared_real / "friches" / "cartofriches_points_2024-03-10.csv.gz"
    build_pack(tmp_path / "pack", friches=friches, base=open_pack("france"))
    loaded = load_scenario(
        ROOT / "scenarios" / "real_inventory.toml", overrides=[f"pack={tmp_path / 'pack'}"]
    )
    run = siteselect.run(loaded, out=tmp_path / "run")
    chosen = selected(run)
    assert run.result.status == "optimal"
    assert run.result.objective == run.result.bound
    assert 9_600 <= run.result.counts["considered"] <= 9_800
    assert len(chosen) == 50
    assert set(chosen["land_origin"]) == {"assumed"}
    assert set(chosen["geometry_origin"]) == {"disc"}
    assert set(chosen["status_source"]) <= {
        "friche potentielle", "friche sans projet", "friche avec projet",
    }  # fmt: skip
    text = " ".join(str(notice) for notice in run.notices)
    assert "Assumed land" in text
    verify_run(tmp_path / "run")
