"""The union catchment of a scenario, on the grid of the tiny pack.

Communes stand 10 km apart, i.e. 7.06 min at 85 km/h; the brownfield of a commune lies 1 km east
of it on the road to the next one. Commune n has 1,000 (n + 1) workers.
"""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import siteselect
from siteselect.cache import StageCache
from siteselect.catchment import coverage_of, reach_for, reached_by, worker_points
from siteselect.decisions import alternatives_tables, tradeoff_tables
from siteselect.errors import InputError
from siteselect.measures.reach import Reach
from siteselect.measuring import measure_sites
from siteselect.pack import open_pack
from siteselect.ranking import replacement_costs
from siteselect.reopen import reopen
from siteselect.rundir import read_json
from siteselect.scenario import Scenario
from siteselect.scenario_files import scenario_from_mapping
from siteselect.verify import verify_run
from siteselect.verify.catchment import check_catchment
from siteselect.verify.portfolio import Choice
from tests.tinypack import seal

FREE = {
    "constraints": {
        "region_min": 0, "region_max": 9, "max_per_epci": None, "separation_km": 0,
    },
    "zan": {"enforced": False, "price": False},
    "variants": {"reuse": False},
}  # fmt: skip


def settings(pack, minutes=5.0, weight=0.35, **catchment):
    return {
        "pack": str(pack),
        "count": 3,
        "reserve": 2,
        **FREE,
        "catchment": {"minutes": minutes, "weight": weight, "mode": "union", **catchment},
    }


@pytest.fixture(scope="module")
def measured_8min(_tiny_pack_once):
    scenario = scenario_from_mapping(settings(_tiny_pack_once, 8.0)).scenario
    return measure_sites(open_pack(_tiny_pack_once), scenario)


def communes_of(measured, site_id):
    row = list(measured.sites["site_id"]).index(site_id)
    return measured.reach.of_site(row).tolist()


def test_who_reaches_a_site_by_hand(measured_8min):
    """B-00 lies between communes 0 and 3 (the next column); E-00 between 0 and 1 (the next row)."""
    assert communes_of(measured_8min, "B-00") == [0, 3]
    assert communes_of(measured_8min, "E-00") == [0, 1]
    assert communes_of(measured_8min, "B-09") == [9]
    assert measured_8min.reach.workers.tolist() == [1_000 * (n + 1) for n in range(12)]


def test_points_of_workers_by_hand():
    reach = Reach(30.0, np.array([0, 1]), np.array([0], np.int32), np.array([30, 10, 0]))
    scenario = Scenario.model_validate(
        {"count": 2, "catchment": {"mode": "union", "minutes": 30, "weight": 0.5}}
    )
    # all 40 workers are worth 0.5 point for each of 2 sites: 1 point, 25,000 units a worker
    assert worker_points(reach, scenario).tolist() == [750_000, 250_000, 0]
    half = scenario.model_copy(
        update={"catchment": scenario.catchment.model_copy(update={"reference_workers": 80.0})}
    )
    assert worker_points(reach, half).tolist() == [375_000, 125_000, 0]


def test_a_reach_within_another_time_is_refused(measured_8min):
    other = scenario_from_mapping(settings("france", 30.0)).scenario
    with pytest.raises(ValueError, match="30 min"):
        reach_for(other, measured_8min.reach)
    with pytest.raises(ValueError, match="not measured"):
        reach_for(other, None)
    assert reach_for(Scenario(), measured_8min.reach) is None


@pytest.fixture(scope="module")
def done(_tiny_pack_once, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    run = siteselect.run(settings(_tiny_pack_once, 8.0, 0.9), out=folder, cache=False)
    return run, folder


def test_the_portfolio_is_the_best_of_all(done, measured_8min):
    """Every choice of 3 of the 24 sites, worth its scores and each commune reached once."""
    run, _ = done
    scores = [round(score * 1_000_000) for score in measured_8min.sites["score"]]
    workers = measured_8min.reach.workers
    worth = [round(0.9 * 3 * 1_000_000 * int(w) / int(workers.sum())) for w in workers]
    reach = [set(measured_8min.reach.of_site(row).tolist()) for row in range(24)]

    def value(some):
        return sum(scores[s] for s in some) + sum(
            worth[i] for i in set().union(*(reach[s] for s in some))
        )

    best = max(value(some) for some in itertools.combinations(range(24), 3))
    assert run.result.status == "optimal"
    assert run.result.objective == run.result.bound == best


def test_what_a_run_says_of_its_workers(done, measured_8min):
    run, _ = done
    rows = {name: row for row, name in enumerate(run.sites["site_id"])}
    chosen = run.shortlist.loc[run.shortlist["status"] == "selected", "site_id"]
    reach = [set(measured_8min.reach.of_site(rows[name]).tolist()) for name in chosen]
    union = set().union(*reach)
    totals = run.result.totals
    assert totals["covered_workers"] == sum(1_000 * (i + 1) for i in union)
    assert totals["reference_workers"] == 78_000
    assert totals["covered_share"] == totals["covered_workers"] / 78_000
    table = run.sites.set_index("site_id")
    for number, name in enumerate(chosen):
        others = set().union(*(some for k, some in enumerate(reach) if k != number))
        mine = sum(1_000 * (i + 1) for i in reach[number] - others)
        assert table.loc[name, "catchment_added_workers"] == mine
        assert table.loc[name, "catchment_workers"] == sum(1_000 * (i + 1) for i in reach[number])
    assert run.result.objective == table.loc[chosen, "score_units"].sum() + int(
        totals["catchment_points"]
    )
    assert "that no other selected site reaches" in _in_english(run)


def _in_english(run):
    again = siteselect.run(run.scenario, lang="en", cache=False, reports="none")
    return " ".join(again.shortlist["reason"])


def test_the_auditor_counts_the_workers_again(done):
    _, folder = done
    assert len(verify_run(folder)) >= 5
    case = reopen(folder, cache=False)
    assert case.problem.coverage is not None
    assert case.objective == read_json(folder / "result.json")["objective"]


def _choices(run):
    chosen = run.sites[run.sites["status"] == "selected"]
    return [Choice(row, "full", 0, 0, 0, 0) for row in chosen.to_dict("records")]


@pytest.mark.parametrize("name", ["covered_workers", "covered_share", "catchment_points"])
def test_the_auditor_sees_a_wrong_total(done, measured_8min, name):
    run, folder = done
    result = read_json(folder / "result.json")
    result["totals"][name] *= 1.01
    problems = []
    check_catchment(
        _choices(run), run.sites, measured_8min.reach, run.scenario, result, problems
    )  # fmt: skip
    assert len(problems) == 1
    assert name in str(problems[0])


@pytest.mark.parametrize("column", ["catchment_workers", "catchment_added_workers"])
def test_the_auditor_sees_a_wrong_site(done, measured_8min, column):
    run, folder = done
    sites = pd.DataFrame(run.sites)
    sites.loc[7, column] += 1
    problems = []
    result = read_json(folder / "result.json")
    check_catchment(_choices(run), sites, measured_8min.reach, run.scenario, result, problems)
    assert [column in str(one) for one in problems] == [True]


def test_totals_without_a_catchment_are_noticed(done):
    run, folder = done
    problems = []
    result = read_json(folder / "result.json")
    assert check_catchment(_choices(run), run.sites, None, Scenario(), result, problems) == 0
    assert len(problems) == 4


def test_without_labour_nobody_can_be_counted(tiny_pack):
    seal(tiny_pack, without=("labour",))
    with pytest.raises(InputError, match="no labour layer"):
        siteselect.run(settings(tiny_pack), cache=False, reports="none")


def test_nothing_is_measured_or_said_without_a_catchment(tiny_pack):
    run = siteselect.run({**settings(tiny_pack), "catchment": {}}, cache=False, reports="none")
    assert not any("catchment" in name for name in (*run.sites.columns, *run.result.totals))


def test_the_reach_is_kept_by_content(tiny_pack, tmp_path):
    def measured(minutes):
        stages = StageCache(tmp_path / "kept")
        scenario = scenario_from_mapping(settings(tiny_pack, minutes)).scenario
        return measure_sites(open_pack(tiny_pack), scenario, cache=stages).reach, stages.hits

    first, before = measured(8.0)
    again, hits = measured(8.0)
    assert "reach" not in before
    assert "reach" in hits
    assert np.array_equal(first.commune, again.commune)
    assert np.array_equal(first.indptr, again.indptr)
    farther, hits = measured(90.0)  # beyond what the measures of labour know
    assert "reach" not in hits
    assert len(farther.commune) > len(again.commune)


def _reaches(draw_rows, workers):
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in draw_rows])])
    communes = np.array([i for row in draw_rows for i in sorted(row)], np.int32)
    return Reach(30.0, indptr.astype(np.int64), communes, np.array(workers, np.int64))


@given(
    st.lists(st.frozensets(st.integers(0, 5)), min_size=1, max_size=6),
    st.lists(st.integers(0, 99), min_size=6, max_size=6),
    st.integers(0, 63),
)
def test_laws_of_the_union(rows, workers, pick):
    reach = _reaches(rows, [*workers[:5], workers[5] + 1])
    chosen = np.array([bool(pick >> s & 1) for s in range(len(rows))])
    scenario = Scenario.model_validate({"catchment": {"mode": "union", "minutes": 30}})
    found = reached_by(reach, chosen, scenario)
    assert found.covered <= found.of_site[chosen].sum()
    for site in range(len(rows)):
        flipped = chosen.copy()
        flipped[site] = not chosen[site]
        other = reached_by(reach, flipped, scenario)
        assert abs(found.covered - other.covered) == found.added[site]
        assert found.added[site] == other.added[site]
    model = coverage_of(reach, np.arange(len(rows)), scenario)
    assert model.value(np.flatnonzero(chosen)) == found.points
    backwards = _reaches(rows[::-1], [*workers[:5], workers[5] + 1])
    assert (
        dataclasses.astuple(reached_by(backwards, chosen[::-1], scenario))[2:]
        == (dataclasses.astuple(found)[2:])
    )


def test_what_a_committee_asks_of_a_union(done):
    """Costs and alternatives honour the workers; a front of sums refuses them."""
    _, folder = done
    case = reopen(folder, cache=False)
    for one in replacement_costs(case.problem, case.solution):
        banned = {"locks": {"exclude": [one.site_id]}}
        tree = {**case.scenario.model_dump(mode="json"), **banned}
        again = siteselect.run(tree, cache=False, reports="none")
        assert one.cost == case.objective - again.result.objective
    _, tables = alternatives_tables(case, loss_share=0.5, min_different=1, how_many=2)
    worth = tables["portfolios"]["objective"]
    assert "max" not in set(tables["portfolios"]["name"])
    assert (worth * 1_000_000 <= case.objective).all()
    with pytest.raises(InputError, match=r"catchment\.mode"):
        tradeoff_tables(case, "groups")


# ---- capacity: each worker fills one job -------------------------------------------------------


@pytest.fixture(scope="module")
def hiring(_tiny_pack_once, tmp_path_factory):
    """1 % of the workers can be hired (10 n + 10 in commune n); a site of 9 ha offers 180 jobs."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    tree = settings(_tiny_pack_once, 8.0, 0.9, mode="capacity", available_share=0.01)
    return siteselect.run(tree, out=folder, cache=False), folder


def test_jobs_are_filled_as_well_as_can_be(hiring, measured_8min):
    """Every choice of 3 sites: workers of the communes within reach, 180 a site at most."""
    run, _ = hiring
    scores = [round(score * 1_000_000) for score in measured_8min.sites["score"]]
    reach = [set(measured_8min.reach.of_site(row).tolist()) for row in range(24)]
    value = round(0.9 * 3 * 1_000_000 / (3 * 60 * 20))

    def filled(some):
        # by the minimum cut, over all sets of sites that may be short of workers
        return min(
            sum(10 * (i + 1) for i in set().union(set(), *(reach[s] for s in short)))
            + 180 * (len(some) - len(short))
            for size in range(len(some) + 1)
            for short in itertools.combinations(some, size)
        )

    best = max(
        sum(scores[s] for s in some) + value * filled(some)
        for some in itertools.combinations(range(24), 3)
    )
    assert run.result.status == "optimal"
    assert run.result.objective == run.result.bound == best
    rows = {name: row for row, name in enumerate(run.sites["site_id"])}
    chosen = run.shortlist.loc[run.shortlist["status"] == "selected", "site_id"]
    some = [rows[name] for name in chosen]
    totals, table = run.result.totals, run.sites.set_index("site_id")
    assert (totals["offered_jobs"], totals["filled_jobs"]) == (540, filled(some))
    assert totals["reference_jobs"] == 3_600
    assert totals["catchment_points"] == value * filled(some)
    for name in chosen:
        without = [row for row in some if row != rows[name]]
        assert table.loc[name, "catchment_added_jobs"] == filled(some) - filled(without)
    for name in run.shortlist.loc[run.shortlist["status"] == "reserve", "site_id"]:
        gain = filled([*some, rows[name]]) - filled(some)
        assert table.loc[name, "catchment_added_jobs"] == gain


def test_the_auditor_counts_the_jobs_again(hiring, measured_8min):
    run, folder = hiring
    assert len(verify_run(folder)) >= 5
    assert reopen(folder, cache=False).problem.workforce is not None
    result = read_json(folder / "result.json")
    chosen = run.sites[run.sites["status"] == "selected"].to_dict("records")
    choices = [Choice(row, "full", 900, 0, 0, 0) for row in chosen]

    def found(sites, totals):
        problems = []
        against = {**result, "totals": {**result["totals"], **totals}}
        check_catchment(choices, sites, measured_8min.reach, run.scenario, against, problems)
        return [str(one) for one in problems]

    assert found(run.sites, {}) == []
    for name in ("offered_jobs", "filled_jobs", "reference_jobs", "catchment_points"):
        (said,) = found(run.sites, {name: result["totals"][name] + 1})
        assert name in said
    for column in ("catchment_jobs", "catchment_added_jobs"):
        wrong = pd.DataFrame(run.sites)
        wrong.loc[wrong["site_id"] == chosen[0]["site_id"], column] += 1
        (said,) = found(wrong, {})
        assert column in said
    with pytest.raises(InputError, match=r"catchment\.mode"):
        tradeoff_tables(reopen(folder, cache=False), "cost")


def test_a_job_worth_nothing_is_refused(tiny_pack):
    tree = settings(tiny_pack, 8.0, 0.001, mode="capacity", reference_jobs=1e9)
    with pytest.raises(InputError, match="less than a millionth"):
        siteselect.run(tree, cache=False, reports="none")
