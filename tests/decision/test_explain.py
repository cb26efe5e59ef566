"""Explanations against real new runs with the site in locks.include or locks.exclude."""

import json

import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.errors import InfeasibleError, InputError, VerificationError
from siteselect.explain import explain
from siteselect.reopen import reopen, solved
from siteselect.verify import verify_run
from tests.test_pipeline import LIMITS, REGION_CAP, mapping

CHOSEN = ("selected", "forced_in")


def chosen(run):
    return set(run.sites.loc[run.sites["status"].isin(CHOSEN), "site_id"])


@pytest.fixture
def run_folder(tiny_pack, tmp_path):
    siteselect.run(mapping(tiny_pack), out=tmp_path / "run")
    return tmp_path / "run"


def test_reopening_gives_the_portfolio_that_was_written(tiny_pack, run_folder):
    case = reopen(run_folder)
    again = siteselect.run(mapping(tiny_pack))
    assert set(case.selected) == chosen(again)
    assert case.objective == again.result.objective
    assert case.run_id == again.run_id


def test_every_site_is_explained_as_a_new_run_shows(tiny_pack):
    """The contract: costs, entering and leaving sites are those of a run with the lock."""
    base = siteselect.run(mapping(tiny_pack))
    case = solved(mapping(tiny_pack))
    for site_id in base.sites["site_id"]:
        one = explain(case, site_id, obstacles=False)
        inside = site_id in chosen(base)
        locks = {"exclude" if inside else "include": [site_id]}
        try:
            other = siteselect.run(mapping(tiny_pack, locks=locks))
        except InfeasibleError:
            assert one.forcing_cost is None
            assert one.replacement_cost is None
            continue
        cost = one.replacement_cost if inside else one.forcing_cost
        assert cost == base.result.objective - other.result.objective >= 0
        assert set(one.enter) == chosen(other) - chosen(base)
        assert set(one.leave) == chosen(base) - chosen(other)
        assert one.proven


def test_the_gain_stated_is_the_least_that_gets_the_site_chosen(tiny_pack):
    """With one unit less the site stays out, with the gain it comes in: tried on the model."""
    import numpy as np

    from siteselect.optimise import solve
    from siteselect.whatif import with_scores

    case = solved(mapping(tiny_pack))
    tried = 0
    for site_id in case.formulation.sites["site_id"]:
        one = explain(case, site_id, obstacles=False)
        if one.needed_gain is None:
            continue
        own = (case.problem.site == case.position(site_id)).astype(np.int64)
        enough = solve(with_scores(case.problem, case.problem.score + one.needed_gain * own))
        less = solve(with_scores(case.problem, case.problem.score + (one.needed_gain - 2) * own))
        assert case.position(site_id) in enough.chosen
        assert one.needed_gain < 2 or case.position(site_id) not in less.chosen
        tried += 1
    assert tried >= 10


def test_an_obstacle_named_is_one_whose_removal_gets_the_site_chosen(tiny_pack):
    case = solved(mapping(tiny_pack, constraints={**LIMITS, "region_max": 2}))
    named = 0
    for site_id in case.formulation.sites["site_id"]:
        for one in explain(case, site_id).obstacles:
            named += 1
            if one.kind == "separation":
                freer = {**LIMITS, "region_max": 2, "separation_km": 0.0}
                other = solved(mapping(tiny_pack, constraints=freer))
                assert site_id in other.selected
                assert one.blockers
            if one.kind == "ledger" and one.name.values.get("code") is None:
                cap = {**REGION_CAP, "programme_cap_ha": one.sufficient}
                limits = {**LIMITS, "region_max": 2}
                other = solved(mapping(tiny_pack, constraints=limits, zan=cap))
                assert site_id in other.selected
    assert named > 0


def test_an_excluded_site_says_why_and_an_unknown_one_its_neighbour(tiny_pack):
    case = solved(mapping(tiny_pack, candidates={"kinds": ["brownfield"]}))
    one = explain(case, "E-03")
    assert one.standing == "excluded"
    assert "the scenario leaves it out" in str(one.reasons[0])
    with pytest.raises(InputError, match="did you mean"):
        explain(case, "B-99")


def test_overridden_sites_are_told_as_such(tiny_pack):
    locks = {"include": ["E-09"], "exclude": ["B-00"], "reasons": {"E-09": "préfet, 3 mai"}}
    case = solved(mapping(tiny_pack, locks=locks))
    assert explain(case, "E-09").standing == "forced_in"
    out = explain(case, "B-00")
    assert out.standing == "forced_out"
    assert out.forcing_cost is not None


def test_the_command_gives_the_json_of_the_contract(run_folder):
    case = reopen(run_folder)
    inside = case.selected[0]
    done = CliRunner().invoke(app, ["explain", str(run_folder), inside, "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert {"replacement_cost", "enter", "leave", "reasons"} <= answer.keys()
    assert "forcing_cost" not in answer
    outside = next(s for s in case.formulation.sites["site_id"] if s not in case.selected)
    done = CliRunner().invoke(app, ["explain", str(run_folder), outside, "--json"])
    answer = json.loads(done.stdout)
    assert "forcing_cost" in answer
    assert answer["forcing_cost"] == explain(case, outside).forcing_cost
    bad = CliRunner().invoke(app, ["explain", str(run_folder), "nowhere"])
    assert bad.exit_code == 2


def test_a_changed_pack_or_portfolio_cannot_be_reopened(tiny_pack, run_folder):
    import geopandas as gpd

    sites = gpd.read_parquet(run_folder / "sites.parquet")
    away = sites.index[sites["status"] == "selected"][0]
    sites.loc[away, "status"] = "not_selected"
    sites.to_parquet(run_folder / "sites.parquet")
    with pytest.raises(VerificationError):
        reopen(run_folder)


def test_the_commands_leave_the_run_verified(run_folder):
    for command in (
        ["rank", "--nested", "2"], ["alternatives", "--different", "1"], ["jobs", "--quiet"],
        ["equity"],
        ["tradeoffs", "--against", "zan", "--points", "3", "--workers", "1"],
        ["tradeoffs", "--against", "new_ha", "--points", "4"],
        ["tradeoffs", "--against", "groups", "--workers", "1"],
        ["robustness", "--draws", "5", "--workers", "1"],
    ):  # fmt: skip
        name, *options = command
        done = CliRunner().invoke(app, [name, str(run_folder), *options, "--json"])
        assert done.exit_code == 0, (command, done.output)
        folder = json.loads(done.stdout)["folder"]
        assert "analysis" in folder
    places = {path.name for path in (run_folder / "analysis").iterdir()}
    assert {"ranking", "robustness", "alternatives", "tradeoffs-zan", "jobs", "equity"} <= places
    for stem in ("replacement", "reserve", "overrides"):
        assert (run_folder / "analysis" / "ranking" / f"{stem}.csv").is_file()
    assert (run_folder / "analysis" / "robustness" / "frequency.svg").is_file()
    assert (run_folder / "analysis" / "robustness" / "frequency.png").is_file()
    assert verify_run(run_folder)
