"""The keys of [ranking] in a run: costs, order and the reserve as the model would take it."""

import pytest

import siteselect
from siteselect.ranking import replacement_costs, reserve_list
from siteselect.reopen import solved
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
    assert run.shortlist["site_id"].tolist() == plain.shortlist["site_id"].tolist()
    assert run.shortlist["replacement_cost"].notna().sum() == 4
    assert plain.shortlist["replacement_cost"].isna().all()
    assert verify_run(tmp_path / "run")
