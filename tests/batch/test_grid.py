"""Sweeps, named variants and designs: worked out by hand, then by law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.batches.grid import steps_of
from siteselect.errors import InputError


def test_no_grid_is_one_scenario_as_it_is():
    (step,) = steps_of({})
    assert (step.name, dict(step.keys)) == ("", {})


def test_a_sweep_is_every_combination_in_order():
    steps = steps_of({"sweep": {"count": [30, 50], "weights": {"access": [0.1, 0.2]}}})
    assert [(step.name, dict(step.keys)) for step in steps] == [
        ("001", {"count": 30, "weights.access": 0.1}),
        ("002", {"count": 30, "weights.access": 0.2}),
        ("003", {"count": 50, "weights.access": 0.1}),
        ("004", {"count": 50, "weights.access": 0.2}),
    ]
    assert steps[0].tree() == {"count": 30, "weights": {"access": 0.1}}


def test_a_key_may_be_written_dotted_or_as_tables():
    dotted = steps_of({"sweep": {"zan.offsets": [True, False]}})
    tables = steps_of({"sweep": {"zan": {"offsets": [True, False]}}})
    assert dotted == tables


def test_a_value_may_be_a_list_itself():
    steps = steps_of({"sweep": {"candidates.kinds": [["brownfield"], ["extension"]]}})
    assert [step.keys["candidates.kinds"] for step in steps] == [["brownfield"], ["extension"]]


def test_variants_by_name_multiply_with_the_sweep():
    grid = {
        "named": {"strict": {"zan.offsets": False}, "loose": {"zan": {"enforced": False}}},
        "sweep": {"count": [30, 50]},
    }
    assert [(step.name, dict(step.keys)) for step in steps_of(grid)] == [
        ("strict-001", {"zan.offsets": False, "count": 30}),
        ("strict-002", {"zan.offsets": False, "count": 50}),
        ("loose-001", {"zan.enforced": False, "count": 30}),
        ("loose-002", {"zan.enforced": False, "count": 50}),
    ]
    alone = steps_of({"named": grid["named"]})
    assert [step.name for step in alone] == ["strict", "loose"]


def design(**settings):
    ranges = {"weights.access": [0.0, 1.0], "count": [1, 4]}
    return {"design": {"runs": 8, "seed": 3, "ranges": ranges, **settings}}


def test_a_latin_hypercube_has_one_point_in_each_slice():
    steps = steps_of(design())
    slices = sorted(int(step.keys["weights.access"] * 8) for step in steps)
    assert slices == list(range(8))
    # 8 points over the whole numbers 1 to 4: two in each
    assert sorted(step.keys["count"] for step in steps) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert all(isinstance(step.keys["count"], int) for step in steps)


@given(st.integers(1, 40), st.integers(0, 2**31), st.sampled_from(["latin_hypercube", "sobol"]))
def test_a_design_is_the_same_for_the_same_seed_and_stays_in_its_ranges(runs, seed, method):
    grid = design(runs=runs, seed=seed, method=method)
    steps = steps_of(grid)
    assert steps == steps_of(grid)
    assert len(steps) == runs
    assert len({step.name for step in steps}) == runs
    for step in steps:
        assert 0 <= step.keys["weights.access"] <= 1
        assert step.keys["count"] in (1, 2, 3, 4)


def test_another_seed_gives_other_points():
    assert steps_of(design(seed=1)) != steps_of(design(seed=2))


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"sweep": {"cont": [1]}}, "did you mean count"),
        ({"sweep": {"count": 30}}, "list of values"),
        ({"sweep": {"count": []}}, "list of values"),
        ({"sweep": [1]}, "table of keys"),
        ({"named": {"a": 3}}, "table of keys"),
        ({"named": {"a": {"weights.acess": 1}}}, "did you mean weights.access"),
        ({"design": {"runs": 3}}, "design.ranges"),
        (design(runs=0), "design.runs"),
        (design(runs=True), "design.runs"),
        (design(seed=-1), "design.seed"),
        (design(method="random"), "design.method"),
        (design(steps=3), "design.steps"),
        (design(ranges={"count": [4, 1]}), "least and its greatest"),
        ({**design(), "sweep": {"count": [3]}}, "set the same key"),
        ({"sweep": {"count": list(range(400)), "reserve": list(range(400))}}, "160000 scenarios"),
    ],
)
def test_faults_name_the_key_and_the_remedy(grid, said):
    with pytest.raises(InputError) as caught:
        steps_of(grid)
    assert said in str(caught.value)


def test_every_fault_is_told_at_once():
    with pytest.raises(InputError) as caught:
        steps_of({"sweep": {"cont": [1], "reserve": 3}, "named": {"a": 3}})
    assert len(caught.value.faults) == 3
