"""Union catchment in linear programmes: merged points, the two forms, the way to the optimum."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from brute import random_problem, solve_by_enumeration
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siteselect.optimise import solve
from siteselect.optimise.demand import merge_demand
from siteselect.optimise.model import compile_model, restrict
from siteselect.optimise.nodesearch import NodeSearch
from siteselect.optimise.relaxation import Relaxation
from siteselect.optimise.root import first_columns, resift, sift
from siteselect.optimise.seeking import Outcome
from siteselect.optimise.stop import NEVER_STOP
from siteselect.problem import SelectionProblem

SEEDS = st.integers(0, 10**6)
KINDS = st.frozensets(
    st.sampled_from(["group", "budget", "area", "ledgers", "conflicts", "variants", "locks"]),
    max_size=4,
)


def towns(seed: int, sites: int = 400, count: int = 12) -> SelectionProblem:
    """Sites and points around a few towns: catchments overlap, some sites exclude each other."""
    g = np.random.default_rng(seed)
    centres = g.integers(0, 3_000, (8, 2))
    where = centres[g.integers(0, 8, sites)] + g.integers(-400, 400, (sites, 2))
    point = centres[g.integers(0, 8, 900)] + g.integers(-600, 600, (900, 2))
    near = ((where[:, None, :] - point[None, :, :]) ** 2).sum(axis=2) < 350**2
    return SelectionProblem.from_arrays(
        g.integers(0, 3_000, sites), count=count, points=where, separation=90,
        costs=g.integers(1, 60, sites), budget=25 * count,
        coverage=(csr_array(near.astype(np.int64)), g.integers(1, 90, 900)),
    )  # fmt: skip


@given(SEEDS, st.integers(1, 5), st.integers(1, 9))
def test_merging_keeps_what_is_covered(seed: int, sites: int, points: int) -> None:
    g = np.random.default_rng(seed)
    reach = csr_array((g.random((sites, points)) < 0.5).astype(np.int64))
    weights, inside = g.integers(0, 9, points), g.random(sites) < 0.3
    merged = merge_demand(reach, weights, inside)
    left = merged.total(weights)
    for chosen in itertools.product((False, True), repeat=sites):
        taken = np.array(chosen)
        if np.any(inside & ~taken):
            continue
        covered = weights[np.asarray(reach[taken].sum(axis=0)).ravel() > 0].sum()
        again = left[np.asarray(merged.reach[taken].sum(axis=0)).ravel() > 0].sum()
        assert covered == again + merged.alone[taken].sum()


def test_merging_by_hand() -> None:
    """Points 0 and 1 have the same sites; 2 is site 0's alone; 3 is reached by 1, which stays."""
    reach = csr_array(np.array([[1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 0, 1]]))
    merged = merge_demand(reach, np.array([5, 7, 2, 4]), np.array([False, True, False]))
    assert merged.label.tolist() == [0, 0, -1, -1]
    assert merged.total(np.array([5, 7, 2, 4])).tolist() == [12]
    assert merged.alone.tolist() == [2, 4, 0]
    assert merged.reach.toarray().tolist() == [[1], [0], [1]]


class Drawn:
    """The same number for every site at first, then others."""

    def __init__(self, seed: int) -> None:
        self.g, self.times = np.random.Generator(np.random.PCG64(seed)), 0

    def integers(self, low: int, high: int, size: int, dtype: type) -> np.ndarray:
        self.times += 1
        return self.g.integers(low, high, size, dtype) if self.times > 1 else np.ones(size, dtype)


@pytest.mark.parametrize("unlucky", [False, True])
@given(seed=SEEDS, sites=st.integers(1, 5), points=st.integers(0, 12))
def test_points_are_merged_with_their_like_only(
    seed: int, sites: int, points: int, unlucky: bool
) -> None:
    """Also where the numbers drawn would take all of as many sites for alike."""
    g = np.random.default_rng(seed)
    reach, weights = g.random((sites, points)) < 0.6, g.integers(0, 3, points)
    with pytest.MonkeyPatch.context() as patch:
        if unlucky:
            patch.setattr("siteselect.optimise.demand.np.random.default_rng", Drawn)
        merged = merge_demand(csr_array(reach.astype(np.int64)), weights, np.zeros(sites, bool))
    groups: dict[bytes, int] = {}
    label = [
        groups.setdefault(own.tobytes(), len(groups)) if own.sum() > 1 and weight else -1
        for own, weight in zip(reach.T, weights.tolist(), strict=True)
    ]
    assert merged.label.tolist() == label
    assert merged.reach.toarray().T.tolist() == [
        np.frombuffer(own, bool).astype(int).tolist() for own in groups
    ]


@settings(max_examples=60, deadline=None)
@given(SEEDS, KINDS)
def test_any_guess_of_prices_leads_to_the_same_relaxation(seed: int, kinds: frozenset[str]) -> None:
    """Which side of 1 a point is guessed on saves rows and changes nothing."""
    problem = random_problem(seed, kinds | {"coverage"})
    model = compile_model(problem)
    g = np.random.default_rng(seed)
    found = []
    for mu in (None, g.random(len(model.weights)) * model.weights, model.weights * 1.0):
        guessed = dataclasses.replace(model, mu=mu)
        relaxation = Relaxation(guessed, np.arange(model.n_columns))
        relaxation.solve()
        while relaxation.separate():
            relaxation.solve()
        assume(relaxation.lp.excess < 1e-6)
        assert relaxation.coverage is not None
        found.append(relaxation.unit * (relaxation.lp.objective + relaxation.coverage.constant))
        truth = solve_by_enumeration(problem)
        if truth.value is not None:
            assert relaxation.bound().value >= truth.value
    assert found == pytest.approx([found[0]] * 3, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_way_to_the_root_ends_where_the_long_one_does(seed: int) -> None:
    model = compile_model(towns(seed, 1_200))
    quick = sift(model, stop=NEVER_STOP)
    relaxation = Relaxation(model, first_columns(model), grouped=True)
    long = resift(model, relaxation, stop=NEVER_STOP)
    assert quick.finished
    assert long.finished
    assert quick.bound.value == pytest.approx(long.bound.value, abs=2)
    assert np.all(quick.multipliers.mu <= model.weights[quick.multipliers.demand])


@pytest.mark.parametrize("seed", [2, 3, 15])
def test_parts_searched_apart_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether nodes get programmes of their own, and whether roots are written anew."""
    monkeypatch.setattr("siteselect.optimise.search.plantable", lambda model: False)
    problem, searches = towns(seed, 600, 16), list[int]()
    run = NodeSearch.run

    def counted(search: NodeSearch) -> Outcome:
        searches.append(search.model.n_columns)
        return run(search)

    monkeypatch.setattr(NodeSearch, "run", counted)
    usual = solve(problem)
    assert len(searches) > usual.info["deepenings"]
    monkeypatch.setattr("siteselect.optimise.nodesearch.APART", 0.0)
    monkeypatch.setattr("siteselect.optimise.nodesearch.SHRUNK", 0.0)
    plain = solve(problem)
    assert usual.status == plain.status == "optimal"
    assert usual.ties_settled
    assert (usual.objective, usual.chosen.tolist()) == (plain.objective, plain.chosen.tolist())


def test_what_is_inside_for_good_is_in_the_score_of_a_part() -> None:
    """Sites 0 and 1 share 10; 0 is in: the part has no point left and 1 is worth its score."""
    reach = csr_array(np.array([[1, 0], [1, 1], [0, 1]]))
    problem = SelectionProblem.from_arrays([3, 4, 5], count=2, coverage=(reach, [10, 6]))
    model = compile_model(problem)
    state = np.array([1, 0, 0], np.int8)
    part = restrict(model, np.arange(3), state, for_good=True)
    assert part.reach is not None
    assert part.reach.shape == (3, 1)
    assert part.score.tolist() == [13, 4, 5]
    assert restrict(model, np.arange(3), state).reach.shape == (3, 2)
