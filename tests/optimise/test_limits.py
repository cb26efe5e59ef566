"""The clock is kept inside the linear programmes too, and what cannot be packed is said at once."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import solve
from siteselect.optimise.diagnose import quick_checks
from siteselect.optimise.exact import Referee
from siteselect.optimise.greedy import repaired
from siteselect.optimise.model import compile_model
from siteselect.optimise.packing import most_apart, packed_too_tightly
from siteselect.optimise.root import ceiling, sift
from siteselect.optimise.stop import NEVER_STOP, stop_at
from siteselect.problem import Group, Locks, SelectionProblem, Separation, objective, violations


def crowded(distance: int, *, n: int = 2_500, count: int = 30) -> SelectionProblem:
    """Sites at random in a square of 1000 × 1000, far apart: the relaxation takes very long."""
    g = np.random.default_rng(5)
    region = g.integers(0, 5, n)
    groups = tuple(Group(f"region {k}", np.flatnonzero(region == k), 3, 9) for k in range(5))
    apart = Separation("apart", g.integers(0, 1000, (n, 2)), distance)
    return SelectionProblem(
        np.arange(n, dtype=np.int32), g.integers(0, 10**6, n), count,
        constraints=(*groups, apart),
    )  # fmt: skip


@pytest.mark.parametrize(("distance", "limit"), [(100, 0.0), (140, 0.0), (140, 0.1), (140, 1.5)])
def test_a_limit_is_kept_and_gives_an_answer(distance: int, limit: float) -> None:
    problem = crowded(distance)
    began = time.perf_counter()
    found = solve(problem, time_limit_s=limit)
    assert time.perf_counter() - began < limit + 4
    assert found.status in ("limit", "optimal")
    assert found.objective is not None
    assert not violations(problem, found.columns.tolist(), [])
    assert found.objective == objective(problem, found.columns.tolist())
    best = np.sort(problem.score)[::-1][: problem.count]
    assert found.objective <= found.bound <= best.sum()


def test_the_root_is_stopped_inside_its_linear_programmes() -> None:
    """At this distance the root alone takes half a minute."""
    problem = crowded(200)
    began = time.perf_counter()
    found = solve(problem, time_limit_s=3.0)
    assert time.perf_counter() - began < 7
    assert found.status == "limit"
    assert found.info["root_rounds"] > 0
    assert found.bound <= np.sort(problem.score)[::-1][: problem.count].sum()


def brute_most_apart(points: np.ndarray, distance: int) -> int:
    for size in range(len(points), 0, -1):
        for some in itertools.combinations(range(len(points)), size):
            pairs = itertools.combinations(some, 2)
            if all(((points[a] - points[b]) ** 2).sum() >= distance**2 for a, b in pairs):
                return size
    return 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=8),
    st.integers(1, 25),
)
def test_the_packing_bound_holds(points: list[tuple[int, int]], distance: int) -> None:
    array = np.unique(np.array(points, np.int64), axis=0)
    most = most_apart(array, distance)
    assert most is not None
    assert brute_most_apart(array, distance) <= most <= len(array) * 4


def test_packing_by_hand() -> None:
    """A square of side 10: its corners are 10 or 14.1 apart."""
    corners = np.array([(0, 0), (10, 0), (0, 10), (10, 10)])
    assert most_apart(corners, 10) == 4
    assert most_apart(corners, 30) == 1


def test_too_many_sites_wanted_are_refused_at_once() -> None:
    problem = crowded(400)
    tight = packed_too_tightly(problem)
    assert tight is not None
    assert tight[1] < 30
    began = time.perf_counter()
    assert solve(problem, explain=False).status == "infeasible"
    assert time.perf_counter() - began < 6
    assert f"apart: at most {tight[1]} sites can be so far apart, 30 are wanted" in [
        str(one) for one in quick_checks(problem)
    ]


def test_sites_locked_out_do_not_count_for_the_packing() -> None:
    corners = np.array([(0, 0), (10, 0), (0, 10), (10, 10)])
    apart = Separation("apart", corners, 10)
    out = Locks("out", np.zeros(0, np.int64), np.array([3]))
    site = np.arange(4, dtype=np.int32)
    plain = SelectionProblem(site, np.ones(4, np.int64), 4, constraints=(apart,))
    assert packed_too_tightly(plain) is None
    without = SelectionProblem(site, np.ones(4, np.int64), 4, constraints=(apart, out))
    assert packed_too_tightly(without) == (apart, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=6))
def test_stopped_bounds_hold_and_repairs_are_feasible(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem)
    model = compile_model(problem)
    stopped = sift(model, stop=stop_at(0.0))
    found = repaired(
        model, Referee(problem, model), np.arange(model.n_columns), model.score / 10.0,
        stop=NEVER_STOP,
    )  # fmt: skip
    if truth.value is None:
        assert found is None
        return
    assert min(stopped.bound.value, ceiling(model)) >= truth.value
    if found is not None:
        columns = model.column_of[found.columns]
        assert found.value <= truth.value
        assert not violations(problem, columns.tolist(), found.restoration.units.tolist())
