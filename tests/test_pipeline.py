"""The whole path on a pack small enough to check by hand."""

import itertools
import json

import pandas as pd
import pytest

import siteselect
from siteselect.errors import InfeasibleError, InputError
from siteselect.measuring import measure_sites
from siteselect.pack import open_pack
from siteselect.rundir import TABLES
from siteselect.scenario_files import scenario_from_mapping
from tests.tinypack import seal

LIMITS = {"region_max": 3, "max_per_epci": 1, "separation_km": 5.0}
REGION_CAP = {"ledgers": [{"level": "region", "default_cap_ha": 5.0}]}


def mapping(folder, **settings):
    base = {"pack": str(folder), "count": 4, "reserve": 3, "constraints": LIMITS,
            "zan": REGION_CAP}  # fmt: skip
    return {**base, **settings}


def test_land_under_a_footprint_is_what_was_drawn(tiny_pack):
    run = siteselect.run(mapping(tiny_pack), cache=False)
    brown = run.sites[run.sites["kind"] == "brownfield"]
    assert brown["artificialised_ha"].round(9).unique().tolist() == [7.2]  # 24 columns of 30
    assert brown["area_ha"].round(9).unique().tolist() == [9.0]
    extension = run.sites[run.sites["kind"] == "extension"]
    assert extension["non_artificialised_ha"].round(9).unique().tolist() == [7.2]


def test_the_choice_is_the_best_of_all_portfolios(tiny_pack):
    """Brute force over every portfolio of reuse variants: 24 sites, 4 to choose."""
    settings = {"variants": {"full": False}, "zan": {"offsets": False}}
    run = siteselect.run(mapping(tiny_pack, **settings), cache=False)
    sites = run.sites.set_index("site_id")
    points = (sites["score"] * 0.95 * 1_000_000).round().astype(int)
    best = max(
        sum(points[list(four)])
        for four in itertools.combinations(sites.index, 4)
        if sites.loc[list(four), "epci"].nunique() == 4
        and sites.loc[list(four), "region"].nunique() == 2
    )
    assert run.result.status == "optimal"
    assert run.result.objective == run.result.bound == best


def test_offsets_pay_for_the_land_that_is_taken(tiny_pack):
    run = siteselect.run(mapping(tiny_pack), cache=False)
    programme = run.ledger[run.ledger["level"] == "programme"].iloc[0]
    assert programme["gross_ha"] == run.result.totals["new_artificialisation_ha"] > 0
    assert programme["net_ha"] <= 0
    assert run.restoration["restored_ha"].sum() == pytest.approx(programme["restored_ha"])
    assert (run.ledger["balance_ha"].dropna() >= -1e-9).all()
    # 300 k€/ha in the pack
    assert run.restoration["cost_keur"].sum() == pytest.approx(300 * programme["restored_ha"])


def test_without_offsets_nothing_new_is_taken(tiny_pack):
    run = siteselect.run(mapping(tiny_pack, zan={"offsets": False}), cache=False)
    assert run.result.totals["new_artificialisation_ha"] == 0
    assert len(run.restoration) == 0
    assert set(run.shortlist.loc[run.shortlist["status"] == "selected", "variant"]) == {"reuse"}
    assert run.result.totals["price_of_zan"] > 0


def test_the_price_of_zan_is_the_same_from_both_sides(tiny_pack):
    zan = {"offsets": False}
    held = siteselect.run(mapping(tiny_pack, zan=zan), cache=False)
    free = siteselect.run(mapping(tiny_pack, zan={**zan, "enforced": False}), cache=False)
    price = held.result.totals["price_of_zan"]
    assert price == free.result.totals["price_of_zan"]
    assert free.result.objective - held.result.objective == price
    assert free.ledger["cap_ha"].notna().any()


def test_statuses_reasons_and_ranks(tiny_pack):
    locks = {"include": ["E-09"], "exclude": ["B-00"], "reasons": {"E-09": "préfet, 3 mai"}}
    run = siteselect.run(
        mapping(tiny_pack, locks=locks, candidates={"max_area_ha": 9.0},
                ranking={"reserve": "score"}),
        cache=False, lang="en",
    )  # fmt: skip
    sites = run.sites.set_index("site_id")
    assert sites.loc["E-09", "status"] == "forced_in"
    assert "préfet, 3 mai" in sites.loc["E-09", "reason"]
    assert sites.loc["B-00", "status"] == "forced_out"
    assert sites["status"].isin({"selected", "forced_in"}).sum() == 4
    assert (sites["status"] == "reserve").sum() == 3
    assert (sites["reason"].str.len() > 0).all()
    assert run.shortlist["rank"].tolist() == [1, 2, 3, 4, 1, 2, 3]
    chosen = run.shortlist.iloc[:4]
    assert chosen["score_units"].is_monotonic_decreasing
    near = sites[sites["reason"].str.startswith("less than 5 km from")]
    assert len(near) > 0
    # the reserve is the best of what is left
    left = sites[sites["status"] == "not_selected"]["score_units"]
    assert run.shortlist.iloc[4:]["score_units"].min() >= left.max()


def test_the_same_scenario_gives_the_same_bytes(tiny_pack, tmp_path):
    for name, workers in (("a", 1), ("b", 2)):
        siteselect.run(mapping(tiny_pack, solve={"workers": workers}), out=tmp_path / name)
    for table in (*TABLES, "shortlist.csv", "shortlist_open.csv"):
        assert (tmp_path / "a" / table).read_bytes() == (tmp_path / "b" / table).read_bytes(), table


def test_the_order_of_the_rows_does_not_matter(tiny_pack):
    before = siteselect.run(mapping(tiny_pack), cache=False)
    for role in ("sites", "restoration", "communes"):
        table = open_pack(tiny_pack).vectors(role)
        table.sample(frac=1, random_state=3).to_parquet(tiny_pack / f"{role}.parquet")
        seal(tiny_pack)
    after = siteselect.run(mapping(tiny_pack), cache=False)
    columns = ["site_id", "status", "rank", "variant", "score", "reason"]
    pd.testing.assert_frame_equal(before.sites[columns], after.sites[columns])


def test_the_run_directory_is_complete(tiny_pack, tmp_path):
    out = tmp_path / "run"
    run = siteselect.run(mapping(tiny_pack), out=out)
    names = {path.name for path in out.iterdir()}
    assert {"result.json", "manifest.json", "scenario.toml", *TABLES, "shortlist.xlsx",
            "shortlist.csv", "shortlist.gpkg", "report.html"} <= names  # fmt: skip
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["status"] == "optimal"
    assert result["gap"] == 0
    assert result["objective"] == run.result.objective
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["outputs"].keys() == names - {"manifest.json"}
    assert manifest["rulebook"]["id"] == "net-2031"
    assert not list(tmp_path.glob(".*"))


def test_an_earlier_run_is_replaced_but_nothing_else(tiny_pack, tmp_path):
    out = tmp_path / "run"
    siteselect.run(mapping(tiny_pack), out=out)
    siteselect.run(mapping(tiny_pack, reserve=2), out=out)
    assert json.loads((out / "result.json").read_text())["counts"]["reserve"] == 2
    other = tmp_path / "mine"
    other.mkdir()
    (other / "notes.txt").write_text("précieux")
    with pytest.raises(InputError, match="this place is taken"):
        siteselect.run(mapping(tiny_pack), out=other)
    assert [path.name for path in other.iterdir()] == ["notes.txt"]


def test_nothing_half_written_when_a_report_fails(tiny_pack, tmp_path, monkeypatch):
    def full_disk(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("siteselect.pipeline.write_reports", full_disk)
    with pytest.raises(InputError, match="No space left"):
        siteselect.run(mapping(tiny_pack), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.glob(".run*"))


def test_infeasible_names_the_constraints_in_conflict(tiny_pack):
    limits = {**LIMITS, "region_min": 3, "max_per_epci": 2}
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run(mapping(tiny_pack, constraints=limits), cache=False)
    assert "Gauche" in str(caught.value)
    assert "Droite" in str(caught.value)


def test_measures_are_read_from_the_cache_the_second_time(tiny_pack, monkeypatch):
    siteselect.run(mapping(tiny_pack))

    def never(*_args, **_kwargs):
        raise AssertionError("routed again")

    monkeypatch.setattr("siteselect.measures.measure_access", never)
    run = siteselect.run(mapping(tiny_pack, weights={"access": 1.0}))
    assert run.result.status == "optimal"


def test_a_pack_without_raster_needs_assumed_shares(tiny_pack):
    seal(tiny_pack, without=("landuse", "landuse_legend"))
    with pytest.raises(InputError, match="assumed_artificialised_share"):
        siteselect.run(mapping(tiny_pack), cache=False)
    shares = {"brownfield": 0.8, "extension": 0.3}
    run = siteselect.run(
        mapping(tiny_pack, land={"assumed_artificialised_share": shares}), cache=False
    )
    assert set(run.sites["land_origin"]) == {"assumed"}
    assert any("Assumed land" in str(notice) for notice in run.notices)
    brown = run.sites[run.sites["kind"] == "brownfield"]
    assert brown["artificialised_ha"].round(9).unique().tolist() == [7.2]


def test_simulated_layers_lower_reliability_and_are_named(tiny_pack):
    run = siteselect.run(mapping(tiny_pack), cache=False)
    # labour is simulated: 35 % of the weight
    assert run.sites["reliability"].round(9).unique().tolist() == [0.65]
    assert any("labour" in str(notice) for notice in run.notices)


def test_measuring_needs_no_optimiser(tiny_pack):
    scenario = scenario_from_mapping(mapping(tiny_pack)).scenario
    measured = measure_sites(open_pack(tiny_pack), scenario)
    assert len(measured.sites) == 24
    assert measured.contributions.sum(axis=1).to_numpy() == pytest.approx(
        measured.sites["score"].to_numpy()
    )


def test_every_table_says_what_is_simulated_and_that_it_decides_nothing(tiny_pack, tmp_path):
    run = siteselect.run(mapping(tiny_pack), out=tmp_path / "run")
    for name in TABLES:
        label = pd.read_parquet(tmp_path / "run" / name).attrs["siteselect"]
        assert label["run_id"] == run.run_id
        assert label["regime"].startswith("net-2031")
        assert "ne vaut pas bilan réglementaire" in label["notice"]
        assert any("labour" in notice for notice in label["notices"])
