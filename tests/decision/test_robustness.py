"""Draws, frequencies and acceptability: against enumeration, formulas and a second way."""

import itertools
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from siteselect.draws import Uncertainty, assumed_of, drawn_from
from siteselect.formulate import formulate
from siteselect.hectares import land_facts, land_of
from siteselect.manysolves import answer, solve_draws
from siteselect.optimise import solve
from siteselect.problem import Budget, Ledger, SelectionProblem, TotalArea
from siteselect.reopen import solved
from siteselect.robustness import acceptabilities, frequency_class, robustness, wilson
from siteselect.whatif import with_caps_scaled, with_scores
from tests.test_pipeline import LIMITS, mapping
from tests.tinypack import seal


def test_acceptability_with_all_weights_enumerated():
    """Two criteria, 21 weightings: every portfolio tried by hand for each."""
    g = np.random.default_rng(4)
    points = g.integers(0, 100, (7, 2))
    problem = SelectionProblem.from_arrays(
        points.sum(axis=1), count=3, site_ids=list("ABCDEFG"), conflicts=[(0, 1), (2, 3)]
    )
    weights = [(k, 20 - k) for k in range(21)]
    answers = [answer(with_scores(problem, points @ np.array(w))) for w in weights]
    sites, ranks = acceptabilities(problem, answers, ["A"])
    times = dict.fromkeys("ABCDEFG", 0)
    for w in weights:
        scores = points @ np.array(w)
        allowed = [
            c for c in itertools.combinations(range(7), 3)
            if not {0, 1} <= set(c) and not {2, 3} <= set(c)
        ]  # fmt: skip
        best = max(int(scores[list(c)].sum()) for c in allowed)
        winners = [c for c in allowed if int(scores[list(c)].sum()) == best]
        assert len(winners) == 1  # no tie in this instance: the answer is one
        for i in winners[0]:
            times["ABCDEFG"[i]] += 1
    for row in sites.itertuples():
        assert row.draws_chosen == times[row.site_id]
        assert row.frequency == times[row.site_id] / 21
    ranked = ranks.set_index("site_id").sum(axis=1)
    assert ranked.to_dict() == pytest.approx(dict(zip(sites["site_id"], sites["frequency"],
                                                      strict=True)))  # fmt: skip


def test_ranks_stand_in_their_tenth():
    """12 sites of 12, scores falling: the first ten rank 1-10, the others 11-12."""
    problem = SelectionProblem.from_arrays(
        list(range(12, 0, -1)), count=12, site_ids=[f"S{i:02d}" for i in range(12)]
    )
    _, ranks = acceptabilities(problem, [answer(problem)], [])
    table = ranks.set_index("site_id")
    assert list(table.columns) == ["rank_1_10", "rank_11_12"]
    assert table.loc["S09", "rank_1_10"] == 1
    assert table.loc["S10", "rank_11_12"] == 1


@given(n=st.integers(1, 400), share=st.floats(0, 1))
def test_the_interval_is_wilsons(n, share):
    times = round(share * n)
    low, high = wilson(times, n)
    expected = binomtest(times, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_classes():
    assert [frequency_class(k, 4) for k in (4, 2, 1, 0)] == [
        "always", "often", "sometimes", "never",
    ]  # fmt: skip


def test_without_uncertainty_every_draw_is_the_run(tiny_pack):
    case = solved(mapping(tiny_pack))
    none = Uncertainty(draws=3, concentration=0, measured_spread=0, assumed_spread=0, cap_spread=0)
    family = drawn_from(case, none)
    assert (family.problem(1).score == case.problem.score).all()
    found = robustness(case, none, structures=False)
    assert found.draws["objective"].tolist() == [case.objective] * 3
    assert set(found.sites["class"]) == {"always"}
    assert set(found.sites["site_id"]) == set(case.selected)


def test_a_draw_is_a_run_with_its_weights(tiny_pack):
    """The problem of a draw is the one that the scenario with those weights formulates."""
    case = solved(mapping(tiny_pack))
    family = drawn_from(case, Uncertainty(measured_spread=0, assumed_spread=0, cap_spread=0))
    shares = np.zeros(len(family.shares))
    shares[:5] = 0.2  # the five criteria of access alone
    criteria = {
        "access": {
            name: {"weight": 1.0, "best": one.best, "worst": one.worst}
            for name, one in case.scenario.criteria.access.items()
        }
    }
    weights = {"access": 1.0, "workforce": 0.0, "network": 0.0}
    other = solved(mapping(tiny_pack, weights=weights, criteria=criteria))
    assert (family.column_scores(family.measures, shares) == other.problem.score).all()


def test_draws_do_not_depend_on_the_number_of_workers(tiny_pack):
    case = solved(mapping(tiny_pack))
    family = drawn_from(case, Uncertainty(draws=6, seed=7))
    one, two = solve_draws(family), solve_draws(family, workers=2)
    assert [a.objective for a in one] == [a.objective for a in two]
    assert [a.columns.tolist() for a in one] == [a.columns.tolist() for a in two]
    other = solve_draws(drawn_from(case, Uncertainty(draws=6, seed=8)))
    assert [a.objective for a in one] != [a.objective for a in other]


def test_assumed_measures_vary_more_than_measured_ones(tiny_pack):
    case = solved(mapping(tiny_pack))
    assumed = assumed_of(case.pack)
    assert {"labour_30min", "labour_45min", "labour_potential"} <= assumed
    assert all(name.startswith("labour") for name in assumed)
    family = drawn_from(case, Uncertainty())
    order = [
        name
        for group in ("access", "workforce", "network")
        for name in case.scenario.criteria.of(group)
    ]
    spreads = dict(zip(order, family.spreads, strict=True))
    assert (spreads["labour_30min"], spreads["motorway_min"]) == (0.20, 0.05)


def test_the_weights_drawn_are_around_those_of_the_scenario(tiny_pack):
    case = solved(mapping(tiny_pack))
    family = drawn_from(case, Uncertainty(draws=1, concentration=50))
    g = np.random.default_rng(0)
    drawn = np.array([family._weights(g) for _ in range(4000)])
    assert drawn.sum(axis=1) == pytest.approx(1)
    assert drawn.mean(axis=0) == pytest.approx(family.shares, abs=0.005)
    spread = np.sqrt(family.shares * (1 - family.shares) / 51)  # variance of a Dirichlet
    assert drawn.std(axis=0) == pytest.approx(spread, rel=0.08)


def test_structures_are_the_runs_with_those_rules(tiny_pack):
    case = solved(mapping(tiny_pack))
    found = robustness(case, Uncertainty(draws=2)).structures.set_index("variant")
    names = {str(name): row for name, row in found.iterrows()}
    zan = {"ledgers": [{"level": "region", "default_cap_ha": 5.0}], "offsets": False}
    assert names["without offsets"]["objective"] == solved(mapping(tiny_pack, zan=zan)).objective
    regime = solved(mapping(tiny_pack, land={"regime": "enaf-2021"}))
    assert names["legal regime enaf-2021"]["objective"] == regime.objective
    criteria = {"access": {"motorway_min": {"weight": 0.0, "best": 5, "worst": 30}}}
    without = solved(mapping(tiny_pack, criteria=criteria))
    assert names["without the criterion motorway_min"]["objective"] == without.objective
    zan = {"ledgers": [{"level": "region", "default_cap_ha": 4.5}]}
    assert names["land caps −10 %"]["objective"] == solved(mapping(tiny_pack, zan=zan)).objective


def test_caps_scale_and_zero_stays_zero(tiny_pack):
    case = solved(mapping(tiny_pack))
    caps = [one.cap for one in with_caps_scaled(case.problem, 1.1).constraints
            if one.kind == "ledger"]  # fmt: skip
    assert sorted(caps) == [0, 550, 550]


def land(tiny_pack, measured=0.05, assumed=0.2, **settings):
    case = solved(mapping(tiny_pack, **settings))
    return case, land_of(case, measured, assumed)


def test_hectares_vary_by_how_they_are_known(tiny_pack):
    _, measured = land(tiny_pack)
    assert set(measured.part_spread) == {0.05}
    assert set(measured.area_spread) == {0.0}  # polygons: their area is known
    table = gpd.read_parquet(tiny_pack / "sites.parquet")
    table["geometry_origin"] = ["disc", *["polygon"] * (len(table) - 1)]
    table.to_parquet(tiny_pack / "sites.parquet")
    (tiny_pack / "landuse.tif").unlink()
    seal(tiny_pack)
    share = {"brownfield": 0.8, "extension": 0.2}
    case, assumed = land(tiny_pack, land={"assumed_artificialised_share": share})
    assert set(assumed.part_spread) == {0.2}
    assert assumed.area_spread.tolist() == [0.05, *[0.0] * (len(table) - 1)]
    assert land_facts(case) == {
        "part_measured": 0, "part_assumed_or_simulated": 24, "area_stated": 1
    }  # fmt: skip


def test_a_draw_of_hectares_is_the_problem_of_those_hectares(tiny_pack):
    """Ledgers, totals, budget and size classes are those that the drawn sites formulate."""
    size = {"name": "s", "min_ha": 8.0, "at_least": 1}
    limits = {**LIMITS, "budget_keur": 9000, "min_total_usable_ha": 5, "size_classes": [size]}
    case, drawn = land(tiny_pack, constraints=limits)
    sites = drawn.sites(np.random.default_rng(3))
    full = case.measured.sites.drop(columns=[c for c in sites if c != "site_id"]).merge(
        sites, on="site_id"
    )
    other = formulate(
        gpd.GeoDataFrame(full, geometry="geometry", crs=case.formulation.sites.crs),
        case.measured.parcels, case.scenario, case.rulebook,
    )  # fmt: skip
    assert len(other.problem.site) == case.problem.n_columns  # no variant fell under the least
    changed = replace(case.problem, constraints=drawn.constraints(np.random.default_rng(3)))
    one = solve(with_scores(changed, other.problem.score))
    assert one.objective == solve(other.problem).objective
    by_kind = {}
    for problem in (changed, other.problem):
        for each in problem.constraints:
            if isinstance(each, Budget):
                by_kind.setdefault("budget", []).append(each.cost_keur.tolist())
            elif isinstance(each, TotalArea):
                by_kind.setdefault("area", []).append(each.area.tolist())
            elif isinstance(each, Ledger):
                by_kind.setdefault(each.code, []).append(each.charge.tolist())
            elif "size class" in str(each.name):
                by_kind.setdefault("size", []).append(each.columns.tolist())
    assert len(by_kind) >= 4
    assert all(first == second for first, second in by_kind.values())


def test_hectares_stay_possible_and_keep_their_mean(tiny_pack):
    _, drawn = land(tiny_pack, measured=0.3)
    g = np.random.default_rng(0)
    runs = [drawn.sites(g) for _ in range(300)]
    for one in runs[:20]:
        total = one["artificialised_ha"] + one["non_artificialised_ha"]
        assert total.to_numpy() == pytest.approx(one["area_ha"].to_numpy())
        assert (one["artificialised_ha"] <= one["area_ha"] + 1e-9).all()
        assert (one["enaf_ha"] <= one["non_artificialised_ha"] + 1e-9).all()
    extension = [one.loc[one["kind"] == "extension", "artificialised_ha"].mean() for one in runs]
    assert np.mean(extension) == pytest.approx(1.8, rel=0.02)  # 6 columns of pixels in 30 of 9 ha


def test_variants_that_a_draw_leaves_too_small_are_not_chosen(tiny_pack):
    case, _ = land(tiny_pack, variants={"min_usable_ha": 1.8})
    offered = np.zeros(case.problem.n_columns, bool)
    offered[case.solution.columns] = True

    def solved_with(allowed):
        made = case.formulation
        rules = made.with_hectares(made.columns, allowed, case.scenario)
        return solve(replace(case.problem, constraints=rules))

    assert solved_with(offered).columns.tolist() == case.solution.columns.tolist()
    offered[case.solution.columns[0]] = False
    assert solved_with(offered).status == "infeasible"
