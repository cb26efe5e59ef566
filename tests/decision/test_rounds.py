"""The next wave: what is labelled stays as it was, what is withdrawn is replaced."""

import json

import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.errors import InfeasibleError, InputError
from siteselect.rounds import choose_round, next_scenario
from siteselect.verify import verify_run
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
