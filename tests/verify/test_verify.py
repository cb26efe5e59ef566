"""The auditor agrees with an honest run, and fails loudly on any tampering."""

import json
import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import siteselect
from siteselect.errors import InputError, VerificationError
from siteselect.pack import sha256_of
from siteselect.verify import verify_run
from tests.tinypack import build_tiny_pack

SETTINGS = {
    "count": 4,
    "reserve": 3,
    "constraints": {
        "region_max": 3,
        "separation_km": 5.0,
        "budget_keur": 40_000,
        "min_total_usable_ha": 20.0,
        "size_classes": [{"name": "grands", "min_ha": 8.0, "at_least": 1}],
        "groups": [{"name": "friches", "kinds": ["brownfield"], "at_least": 1}],
    },
    "zan": {"ledgers": [{"level": "region", "default_cap_ha": 5.0}]},
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    build_tiny_pack(folder / "pack")
    siteselect.run({"pack": str(folder / "pack"), **SETTINGS}, out=folder / "run", cache=False)
    return folder / "run"


@pytest.fixture
def run(honest, tmp_path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def reseal(folder: Path) -> None:
    """A clever forger writes the new sha256 into the manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name in manifest["outputs"]:
        manifest["outputs"][name] = sha256_of(folder / name)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def problems(folder: Path) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_run(folder)
    return str(caught.value)


def change(folder: Path, table: str, edit) -> None:
    path = folder / table
    geographic = table not in ("ledger.parquet", "contributions.parquet")
    frame = gpd.read_parquet(path) if geographic else pd.read_parquet(path)
    edit(frame).to_parquet(path)
    reseal(folder)


def change_result(folder: Path, edit) -> None:
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    edit(result)
    path.write_text(json.dumps(result), encoding="utf-8")
    reseal(folder)


def test_an_honest_run_is_verified(run):
    checks = [str(check) for check in verify_run(run)]
    assert any("24 sites" in check for check in checks)
    assert any("respect every rule" in check for check in checks)


@pytest.mark.parametrize(
    "name", ["shortlist.csv", "shortlist.xlsx", "report.html", "sites.parquet", "result.json"]
)
def test_one_changed_byte_in_any_file_is_seen(run, name):
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(bytes(content))
    try:
        text = problems(run)
    except AssertionError:
        raise
    except InputError as error:  # the byte made the file unreadable
        text = str(error)
    assert name in text


def test_a_missing_file_is_seen(run):
    (run / "shortlist.xlsx").unlink()
    assert "shortlist.xlsx is missing" in problems(run)


@pytest.mark.parametrize(
    ("column", "value"),
    [("score", 0.99), ("artificialised_ha", 9.0), ("region", "24"), ("motorway_min", 0.0)],
)
def test_a_forged_measure_is_recomputed(run, column, value):
    def edit(sites):
        sites.loc[0, column] = value
        return sites

    change(run, "sites.parquet", edit)
    assert f"sites.parquet: {column} of B-00" in problems(run)


@pytest.mark.parametrize(
    ("column", "value"),
    [("usable_ha", 8.5), ("new_artificialisation_ha", 0.0), ("cost_keur", 1), ("score_units", 9)],
)
def test_a_forged_figure_of_a_selected_site(run, column, value):
    def edit(sites):
        row = sites.index[sites["status"] == "selected"][0]
        sites[column] = sites[column].astype(float)
        sites.loc[row, column] = value
        return sites

    change(run, "sites.parquet", edit)
    assert column in problems(run)


def test_a_swapped_site_breaks_the_rules_it_breaks(run):
    """Replace a selected site by its neighbour in the same commune's EPCI, 1.4 km away."""

    def edit(sites):
        chosen = sites.index[sites["status"] == "selected"]
        other = sites.index[
            (sites["epci"] == sites.loc[chosen[0], "epci"]) & ~sites.index.isin(chosen)
        ][0]
        sites.loc[chosen[1], ["status", "variant"]] = ["not_selected", None]
        sites.loc[other, ["status", "variant"]] = ["selected", "full"]
        return sites

    change(run, "sites.parquet", edit)
    assert "EPCI" in problems(run)


def test_one_site_too_many(run):
    def edit(sites):
        row = sites.index[sites["status"] == "not_selected"][0]
        sites.loc[row, ["status", "variant"]] = ["selected", "full"]
        return sites

    change(run, "sites.parquet", edit)
    assert "5 sites selected, 4 asked" in problems(run)


@pytest.mark.parametrize("column", ["gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha"])
def test_a_forged_ledger(run, column):
    def edit(ledger):
        ledger.loc[1, column] += 0.01
        return ledger

    change(run, "ledger.parquet", edit)
    assert f"ledger: {column} of region 11" in problems(run)


def test_a_ledger_row_left_out(run):
    change(run, "ledger.parquet", lambda ledger: ledger.drop(index=1))
    assert "ledger: region 11 is missing" in problems(run)


def test_less_restored_than_the_balance_needs(run):
    def edit(parcels):
        parcels.loc[0, ["restored_ha", "cost_keur"]] = [0.01, 3.0]
        return parcels

    change(run, "restoration.parquet", edit)
    assert "over the cap of 0 ha" in problems(run)


def test_a_parcel_that_does_not_exist(run):
    def edit(parcels):
        parcels.loc[0, "parcel_id"] = "P-99"
        return parcels

    change(run, "restoration.parquet", edit)
    assert "P-99 is not in the data pack" in problems(run)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda r: r.update(objective=r["objective"] + 1), "the objective is"),
        (lambda r: r.update(bound=r["objective"] - 1), "under the objective"),
        (lambda r: r.update(bound=r["bound"] + 5), "does not follow from objective and bound"),
        (lambda r: r.update(gap=0.5), "does not follow from objective and bound"),
        (lambda r: r["totals"].update(net_ha=-1.0), "net_ha is -1.0"),
        (lambda r: r["totals"].update(brownfield_share=1.0), "brownfield_share"),
        (lambda r: r["totals"].update(price_of_zan=7.0), "price of zero net"),
        (lambda r: r["counts"].update(reserve=1), "reserve is counted 1 times"),
        (lambda r: r.update(run_id="0"), "run id of result.json"),
    ],
)
def test_a_forged_result(run, edit, expected):
    change_result(run, edit)
    assert expected in problems(run)


def test_a_shortlist_in_another_order(run):
    change(run, "shortlist.parquet", lambda table: table.iloc[::-1].reset_index(drop=True))
    assert "the shortlist is not the selected sites and the reserve" in problems(run)


def test_a_shortlist_with_another_figure(run):
    def edit(table):
        table.loc[0, "area_ha"] = 10.0
        return table

    change(run, "shortlist.parquet", edit)
    assert "shortlist.parquet: area_ha" in problems(run)


def test_another_scenario_than_the_manifest_says(run):
    path = run / "scenario.toml"
    text = path.read_text(encoding="utf-8").replace("region_max = 3", "region_max = 4")
    path.write_text(text, encoding="utf-8")
    reseal(run)
    assert "scenario.toml is not the scenario of the manifest" in problems(run)


def test_a_pack_that_has_gone(run, tmp_path):
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["pack"] |= {"folder": str(tmp_path / "gone"), "name": "gone"}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "nothing can be recomputed" in problems(run)


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        verify_run(tmp_path)
