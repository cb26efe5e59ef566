"""Fronts against enumeration; the price of zero net on the tiny pack."""

import itertools

import numpy as np
import pytest

from siteselect.problem import SelectionProblem, violations
from siteselect.reopen import solved
from siteselect.tradeoffs import column_values, price_of_zan, three_objectives, two_objectives
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
    named = list(zip(("one", "two"), values, strict=True))
    front = two_objectives(problem, *named, points=1000)
    assert {point.values for point in front.points} == efficient(problem, values)
    assert front.proven


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_short_front_holds_exact_end_points_and_no_dominated_point(seed):
    problem, values = instance(seed, 2)
    named = list(zip(("one", "two"), values, strict=True))
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
    named = list(zip(("one", "two", "three"), values, strict=True))
    front = three_objectives(problem, named, divisions=5, grid=4)
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
