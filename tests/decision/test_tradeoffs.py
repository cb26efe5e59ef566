"""Fronts against enumeration; the price of zero net on the tiny pack."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siteselect.hull import upper_facets
from siteselect.problem import SelectionProblem, objective, violations
from siteselect.reopen import solved
from siteselect.stakes import Objective, column_values, objective_of
from siteselect.tradeoffs import three_objectives, two_objectives
from siteselect.zanprice import price_of_zan
from tests.test_pipeline import mapping


def instance(seed, objectives):
    g = np.random.default_rng(seed)
    n = 9
    problem = SelectionProblem.from_arrays(
        g.integers(20, 100, n), count=4, costs=g.integers(1, 9, n), budget=20
    )
    return problem, [g.integers(0, 40, n) for _ in range(objectives)]


def efficient(problem, values):
    """Efficient vectors, by trying every portfolio."""
    vectors = {
        tuple(int(v[list(chosen)].sum()) for v in values)
        for chosen in itertools.combinations(range(problem.n_columns), problem.count)
        if not violations(problem, chosen, [])
    }
    return {
        a
        for a in vectors
        if not any(b != a and all(x >= y for x, y in zip(b, a, strict=True)) for b in vectors)
    }


@pytest.mark.parametrize("seed", range(1, 11))
def test_the_whole_front_of_two_objectives_is_found(seed):
    problem, values = instance(seed, 2)
    named = [Objective(*pair) for pair in zip(("one", "two"), values, strict=True)]
    front = two_objectives(problem, *named, points=1000)
    assert {point.values for point in front.points} == efficient(problem, values)
    assert front.proven


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_short_front_holds_exact_end_points_and_no_dominated_point(seed):
    problem, values = instance(seed, 2)
    named = [Objective(*pair) for pair in zip(("one", "two"), values, strict=True)]
    front = two_objectives(problem, *named, points=3)
    every = efficient(problem, values)
    got = [point.values for point in front.points]
    assert set(got) <= every
    assert got == sorted(got, reverse=True)
    assert got[0] == max(every)
    assert got[-1] == min(every)  # least of the first is most of the second
    assert len(got) == min(3, len(every))


@pytest.mark.parametrize("seed", range(1, 11))
def test_points_of_three_objectives_are_efficient_and_hold_the_end_points(seed):
    problem, values = instance(seed, 3)
    named = [Objective(*pair) for pair in zip(("one", "two", "three"), values, strict=True)]
    front = three_objectives(problem, named, points=1000)
    every = efficient(problem, values)
    got = {point.values for point in front.points}
    assert got <= every
    for k in range(3):
        assert max(v[k] for v in got) == max(v[k] for v in every)
    assert len(got) >= min(4, len(every))


def test_group_scores_of_columns_add_up_to_the_objective(tiny_pack):
    case = solved(mapping(tiny_pack), cache=False)
    groups = ("access", "workforce", "network")
    weights = case.scenario.weights
    total = sum(getattr(weights, name) * column_values(case, name) / 10_000 for name in groups)
    assert total == pytest.approx(case.problem.score / 1_000_000, abs=2e-4)
    with pytest.raises(KeyError):
        column_values(case, "beauty")


def test_the_price_of_zan_falls_as_the_cap_rises(tiny_pack):
    case = solved(mapping(tiny_pack, zan={"offsets": False}), cache=False)
    curve = price_of_zan(case, steps=4)
    steps = curve.steps
    assert steps["cap_ha"].is_monotonic_increasing
    assert steps["objective"].is_monotonic_increasing
    assert steps["price"].iloc[-1] == 0
    assert steps["objective"].iloc[0] == case.objective  # cap 0 is the scenario's
    assert (steps["gross_ha"] <= steps["cap_ha"] + 1e-9).all()
    free = solved(mapping(tiny_pack, zan={"offsets": False, "programme_cap_ha": "none"}),
                  cache=False)  # fmt: skip
    assert free.objective == curve.free_objective
    # each step is what a new run shows
    middle = float(steps["cap_ha"].iloc[2])
    again = solved(
        mapping(tiny_pack, zan={"offsets": False, "programme_cap_ha": middle}), cache=False
    )
    assert again.objective == steps["objective"].iloc[2]


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_front_against_the_score_counts_the_union_catchment(seed):
    """Sites share demand points: the score is no sum, and the front still is the enumerated one."""
    g = np.random.default_rng(seed)
    reach = csr_array((g.random((8, 6)) < 0.4).astype(np.int64))
    problem = SelectionProblem.from_arrays(
        g.integers(0, 30, 8), count=3, coverage=(reach, g.integers(1, 20, 6))
    )
    land = -g.integers(0, 40, 8)
    score = Objective("score", problem.score, problem.coverage)
    front = two_objectives(problem, score, Objective("new_ha", land), points=1000)
    vectors = {
        (objective(problem, chosen), int(land[list(chosen)].sum()))
        for chosen in itertools.combinations(range(8), 3)
    }
    every = {
        a for a in vectors if not any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in vectors)
    }
    assert {point.values for point in front.points} == every
    with pytest.raises(ValueError, match="comes first"):
        two_objectives(problem, Objective("new_ha", land), score)


def test_the_score_of_a_scenario_with_a_catchment_is_its_objective(tiny_pack):
    wanted = {"mode": "union", "minutes": 20.0, "weight": 0.3}
    case = solved(mapping(tiny_pack, catchment=wanted), cache=False)
    score = objective_of(case, "score")
    assert score.of(case.problem, case.solution.columns) == case.objective
    front = two_objectives(case.problem, score, objective_of(case, "new_ha"), points=4)
    assert front.points[0].values[0] == case.objective
    assert front.ends == (True, True)


def test_the_hull_of_four_points_by_hand():
    """Three corners of a plane, and a point above it that cuts it into three facets."""
    corners = [(9, 0, 0), (0, 9, 0), (0, 0, 9)]
    own = [one for one in upper_facets(corners) if len(one.key) == 3]
    assert [one.key for one in own] == [frozenset(corners)]
    assert own[0].width == pytest.approx(2**0.5)
    assert own[0].normal == pytest.approx([3**-0.5 / 9] * 3)
    cut = [one for one in upper_facets([*corners, (4, 4, 4)]) if len(one.key) == 3]
    assert {one.key for one in cut} == {
        frozenset({(4, 4, 4), *pair}) for pair in itertools.combinations(corners, 2)
    }
    assert upper_facets([(1, 2, 3)]) == ()


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 3), min_size=2, max_size=12, unique=True))
def test_no_point_stands_above_a_facet(points):
    for facet in upper_facets(points):
        level = [float(np.dot(facet.normal, corner)) for corner in facet.key]
        assert max(level) == pytest.approx(min(level), abs=1e-6)
        assert max(float(np.dot(facet.normal, one)) for one in points) <= max(level) + 1e-6
