"""The next wave: what is labelled stays as it was, what is withdrawn is replaced."""

import json

import geopandas as gpd
import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.earlier import earlier_waves
from siteselect.errors import InfeasibleError, InputError
from siteselect.ledger import TerritoryCap
from siteselect.reopen import reopen
from siteselect.rounds import choose_round, next_scenario
from siteselect.scenario import Scenario
from siteselect.verify import verify_run
from siteselect.verify.portfolio import _earlier
from tests.test_pipeline import mapping

CHOSEN = ("selected", "forced_in")
WIDE = {"region_max": 6, "max_per_epci": 2, "separation_km": 0.0}


@pytest.fixture
def first(tiny_pack, tmp_path):
    run = siteselect.run(mapping(tiny_pack, constraints=WIDE), out=tmp_path / "first")
    return tmp_path / "first", run


def chosen(run):
    rows = run.sites[run.sites["status"].isin(CHOSEN)]
    return dict(zip(rows["site_id"], rows["variant"], strict=True))


def test_labelled_sites_stay_as_they_were_and_new_ones_come(first, tmp_path):
    folder, run = first
    found = choose_round(folder, tmp_path / "second", add=2)
    before, after = chosen(run), chosen(found.run)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before
    assert (found.difference.sites["movement"] == "entered").sum() == 2
    assert verify_run(tmp_path / "second")


def test_a_withdrawn_site_is_replaced_from_the_reserve(first, tmp_path):
    folder, run = first
    away = sorted(chosen(run))[0]
    found = choose_round(folder, tmp_path / "second", withdrawn=[away])
    after = chosen(found.run)
    assert away not in after
    assert len(after) == 4
    new = set(after) - set(chosen(run))
    reserve = set(run.sites.loc[run.sites["status"] == "reserve", "site_id"])
    assert len(new) == 1
    assert new <= reserve
    assert "retiré" in found.run.scenario.locks.reasons[away]
    assert verify_run(tmp_path / "second")


def test_the_ledger_counts_the_earlier_wave(tiny_pack, tmp_path):
    """4 sites of 7.2 or 1.8 new ha each, then 2 more: caps hold for all six together."""
    settings = {"constraints": WIDE, "zan": {"programme_cap_ha": 8.0, "offsets": False}}
    first = siteselect.run(mapping(tiny_pack, **settings), out=tmp_path / "first")
    found = choose_round(tmp_path / "first", tmp_path / "second", add=2)
    ledger = found.run.ledger
    programme = ledger[ledger["level"] == "programme"].iloc[0]
    assert programme["gross_ha"] >= first.result.totals["new_artificialisation_ha"]
    assert programme["gross_ha"] <= 8.0


def test_budget_is_carried_over(tiny_pack, tmp_path):
    run = siteselect.run(mapping(tiny_pack, constraints=WIDE))
    spent = run.result.totals["total_cost_keur"]
    limits = {**WIDE, "budget_keur": spent}
    siteselect.run(mapping(tiny_pack, constraints=limits), out=tmp_path / "first")
    with pytest.raises(InfeasibleError):
        choose_round(tmp_path / "first", tmp_path / "second", add=2)
    scenario = next_scenario(tmp_path / "first", add=2, more_budget_keur=50_000)
    assert scenario.constraints.budget_keur == spent + 50_000
    assert choose_round(tmp_path / "first", tmp_path / "second", add=2, more_budget_keur=50_000)


def test_bad_waves_are_refused(first):
    folder, run = first
    outside = next(s for s in run.sites["site_id"] if s not in chosen(run))
    with pytest.raises(InputError, match="only a selected site"):
        next_scenario(folder, withdrawn=[outside])
    with pytest.raises(InputError, match="cannot take back"):
        next_scenario(folder, add=-1)


def test_the_command_shows_the_difference(first, tmp_path):
    folder, _ = first
    options = ["--out", str(tmp_path / "second"), "--add", "1", "--json"]
    done = CliRunner().invoke(app, ["round", str(folder), *options])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert len(answer["entered"]) == 1
    assert answer["left"] == []


TIGHT = {
    "zan": {"programme_cap_ha": 0.0, "offsets": True},
    "constraints": {**WIDE, "min_total_usable_ha": 30.0},
}
"""Reuse alone gives 7.2 or 1.8 ha a site: 30 ha in four take whole footprints, and restoration."""


def restored(run):
    table = run.restoration
    return dict(zip(table["parcel_id"], table["restored_ha"], strict=True))


def test_what_a_wave_restored_stays_restored_and_is_not_restored_again(tiny_pack, tmp_path):
    first = siteselect.run(mapping(tiny_pack, **TIGHT), out=tmp_path / "first")
    assert restored(first)
    scenario = next_scenario(tmp_path / "first", add=1)
    assert scenario.zan.restored_ha == restored(first)
    found = choose_round(tmp_path / "first", tmp_path / "second", add=1)
    after = restored(found.run)
    assert all(after.get(name, 0.0) >= area for name, area in restored(first).items())
    programme = found.run.ledger.query("level == 'programme'").iloc[0]
    assert programme["restored_ha"] == pytest.approx(sum(after.values()))
    assert programme["net_ha"] <= 0
    assert verify_run(tmp_path / "second")
    assert reopen(tmp_path / "second", cache=False).selected == tuple(sorted(chosen(found.run)))
    third = next_scenario(tmp_path / "second", add=1)  # a wave after that carries both
    assert third.zan.restored_ha == after


def test_the_auditor_sees_that_earlier_restoration_is_gone(tiny_pack):
    first = siteselect.run(mapping(tiny_pack, **TIGHT))
    name = next(iter(restored(first)))
    scenario = first.scenario.model_copy(
        update={"zan": first.scenario.zan.model_copy(update={"restored_ha": {name: 5.0}})}
    )
    told = [str(one) for one in _earlier([], scenario)]
    assert told == [f"parcel {name}: 5 ha were restored by an earlier wave, 0 now"]


def parcels(**more):
    table = {"parcel_id": ["P", "Q"], "site_id": [None, "B"], "area_ha": [4.0, 1.0],
             "cost_keur": [1000, 300], "region": ["11", "24"]}  # fmt: skip
    return gpd.GeoDataFrame({**table, **more}, geometry=[None, None])


def test_earlier_restoration_leaves_smaller_parcels_and_less_money():
    """1.5 of 4 ha of P for 1,000 k€: 375 paid, 2.5 ha and 625 k€ left; Q is gone, and site B."""
    zan = {"restored_ha": {"P": 1.5, "Q": 1.0}}
    before = earlier_waves(parcels(), Scenario.model_validate({"zan": zan}))
    assert before.paid_keur == 375 + 300
    assert before.left[["parcel_id", "left_units", "left_keur"]].values.tolist() == [
        ["P", 250, 625]
    ]
    assert before.sites == {"B"}
    cap = TerritoryCap("region", "11", "", 0, "")
    assert before.units_in(cap) == 150
    assert before.units_in(TerritoryCap("programme", "", "", 0, "")) == 250


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ({"zan": {"restored_ha": {"R": 1.0}}}, "no restoration parcel"),
        ({"zan": {"restored_ha": {"P": 4.01}}}, "more land was restored"),
        ({"zan": {"restored_ha": {"Q": 1.0}}, "locks": {"include": ["B"]}}, "forced in was"),
        ({"zan": {"restored_ha": {"P": 4.0}}, "constraints": {"budget_keur": 999}}, "1,000 k€"),
    ],
)
def test_impossible_earlier_restoration_is_refused(scenario, told):
    with pytest.raises(InputError, match=told):
        earlier_waves(parcels(), Scenario.model_validate(scenario))
