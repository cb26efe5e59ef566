"""The keys of [ranking] in a run: costs, order and the reserve as the model would take it."""

from dataclasses import replace

import pytest

import siteselect
from siteselect.optimise import solve
from siteselect.problem import SelectionProblem
from siteselect.ranking import replacement_costs, reserve_list, standing_of
from siteselect.reopen import solved
from siteselect.scenario import RankingSettings
from siteselect.verify import verify_run
from tests.test_pipeline import mapping

ASKED = {"replacement_costs": True, "order": "replacement_cost", "reserve": "model"}


def test_ranks_by_replacement_cost_and_the_reserve_of_the_model(tiny_pack, tmp_path):
    run = siteselect.run(mapping(tiny_pack, ranking=ASKED), out=tmp_path / "run")
    case = solved(mapping(tiny_pack))
    costs = replacement_costs(case.problem, case.solution)
    expected = {one.site_id: one.cost / 1e6 for one in costs}
    selected = run.shortlist[run.shortlist["status"] == "selected"]
    assert dict(zip(selected["site_id"], selected["replacement_cost"], strict=True)) == (
        pytest.approx(expected)
    )
    assert selected["replacement_cost"].is_monotonic_decreasing
    assert selected["rank"].tolist() == [1, 2, 3, 4]
    reserve = reserve_list(case.problem, case.solution, costs, size=3)
    listed = run.shortlist[run.shortlist["status"] == "reserve"]
    assert listed["site_id"].tolist() == [one.site_id for one in reserve.sites]
    assert listed["rank"].tolist() == list(range(1, len(listed) + 1))
    assert verify_run(tmp_path / "run")


def test_costs_alone_leave_the_order_by_score(tiny_pack, tmp_path):
    run = siteselect.run(
        mapping(tiny_pack, ranking={"replacement_costs": True}), out=tmp_path / "run"
    )
    plain = siteselect.run(mapping(tiny_pack))
    assert plain.result.reserve_by == run.result.reserve_by == "model"  # one site an EPCI: full
    assert run.shortlist["site_id"].tolist() == plain.shortlist["site_id"].tolist()
    assert run.shortlist["replacement_cost"].notna().sum() == 4
    assert plain.shortlist["replacement_cost"].isna().all()
    assert verify_run(tmp_path / "run")


def standing(problem, size, **settings):
    return standing_of(problem, solve(problem), RankingSettings(**settings), size=size)


def test_next_is_what_the_model_takes_with_more_places_not_the_next_scores():
    """C scores best outside but stands with nobody; with two more places D and E are taken."""
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 7, 6], count=2, site_ids=list("ABCDE"),
        conflicts=[(0, 2), (1, 2), (2, 3), (2, 4)],
    )  # fmt: skip
    found = standing(problem, 2)
    assert (found.reserve, found.reserve_by, found.costs) == (("D", "E"), "next", {})
    assert standing(problem, 2, reserve="score").reserve is None
    assert standing(problem, 0).reserve is None


def test_a_reserve_is_as_long_as_there_is_room_for():
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 7, 6], count=2, site_ids=list("ABCDE"), conflicts=[(0, 2), (0, 4), (1, 4)],
    )  # fmt: skip
    assert standing(problem, 1).reserve == ("D",)
    # C stands in for A, but not beside it; E stands in for nobody
    assert (standing(problem, 3).reserve, standing(problem, 3).reserve_by) == (("D", "C"), "model")


def test_an_unproven_portfolio_has_its_reserve_by_score(tiny_pack):
    problem = SelectionProblem.from_arrays([10, 9, 8, 7], count=2, site_ids=list("ABCD"))
    solution = replace(solve(problem), status="limit")
    found = standing_of(problem, solution, RankingSettings(), size=2)
    assert (found.reserve, found.reserve_by) == (None, "score")


def test_the_reserve_of_a_run_keeps_its_distances(tiny_pack, tmp_path):
    wide = {"max_per_epci": 3, "region_max": 6, "separation_km": 5.0}
    run = siteselect.run(mapping(tiny_pack, reserve=3, constraints=wide), out=tmp_path / "run")
    assert run.result.reserve_by == "next"
    listed = run.shortlist[run.shortlist["status"] == "reserve"]
    assert len(listed) == 3
    assert verify_run(tmp_path / "run")
    places = run.shortlist.geometry.representative_point()
    apart = min(a.distance(b) for i, a in enumerate(places) for b in list(places)[:i])
    assert apart >= 1000 * run.scenario.constraints.separation_km
