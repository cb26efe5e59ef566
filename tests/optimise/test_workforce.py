"""Filled jobs: by hand, against enumeration with another library's flows, and their laws."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from brute import KINDS, jobs_by_networkx, random_problem, solve_by_enumeration, with_workforce
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from siteselect.errors import InputError
from siteselect.optimise import replacement_costs, solve
from siteselect.optimise.bound import Block, Multipliers, exact_bound
from siteselect.optimise.model import compile_model
from siteselect.optimise.root import sift
from siteselect.optimise.stop import NEVER_STOP
from siteselect.optimise.workers import hall_of
from siteselect.problem import SelectionProblem, Workforce, objective
from siteselect.problem.workforce import jobs_filled

SETS = st.frozensets(st.sampled_from(KINDS), max_size=5)


def by_hand(count: int = 2, **other) -> SelectionProblem:
    """Sites 0 and 1 share commune 0 (30 workers); site 2 has commune 1 alone (10 workers)."""
    reach = csr_array(np.array([[1, 0], [1, 0], [0, 1]]))
    force = Workforce.from_matrix(reach, np.array([30, 10]), np.array([25, 20, 40]), 2)
    fields = {"site": np.arange(3, dtype=np.int32), "score": np.array([5, 9, 1]), "count": count}
    return SelectionProblem(**{**fields, "workforce": force, **other})


def test_rivals_for_the_same_workers_by_hand() -> None:
    """0 and 1 together fill 30 jobs: 14 + 60; 0 and 2: 6 + 2 (25 + 10) = 76; 1 and 2: 70."""
    problem = by_hand()
    worth = {pair: objective(problem, pair) for pair in itertools.combinations(range(3), 2)}
    assert worth == {(0, 1): 74, (0, 2): 76, (1, 2): 70}
    found = solve(problem)
    assert (found.status, found.chosen.tolist(), found.objective, found.bound) == (
        "optimal", [0, 2], 76, 76,
    )  # fmt: skip


def test_who_is_short_by_hand() -> None:
    reach = csr_array(np.array([[1, 0], [1, 0], [0, 1]]))
    found = jobs_filled(reach, np.array([30, 10]), np.array([25, 20, 5]))
    assert found.total == 35
    assert found.at_site[[0, 1]].sum() == 30
    assert found.at_site[2] == 5
    assert found.short.tolist() == [True, True, False]
    assert jobs_filled(reach, np.array([0, 0]), np.array([1, 1, 0])).total == 0


def test_variants_offer_jobs_of_their_own() -> None:
    """The large variant of site 0 fills 25 jobs, the small one 8 with a better score."""
    reach = csr_array(np.array([[1]]))
    force = Workforce.from_matrix(reach, np.array([30]), np.array([25, 8]), 2)
    site = np.zeros(2, np.int32)
    assert solve(
        SelectionProblem(site, np.array([0, 33]), 1, workforce=force)
    ).columns.tolist() == [0]
    assert solve(
        SelectionProblem(site, np.array([0, 35]), 1, workforce=force)
    ).columns.tolist() == [1]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), SETS)
def test_the_optimum_is_that_of_enumeration(seed: int, kinds: frozenset[str]) -> None:
    problem = with_workforce(random_problem(seed, kinds), seed)
    truth = solve_by_enumeration(problem)
    found = solve(problem, explain=False)
    if truth.value is None:
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == found.bound == truth.value
    assert tuple(sorted(problem.site_ids[s] for s in found.chosen)) == truth.sites


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_flows_against_another_library_and_a_linear_programme(seed: int) -> None:
    problem = with_workforce(random_problem(seed, frozenset()), seed)
    force = problem.workforce
    chosen = tuple(range(problem.n_columns))
    found = jobs_filled(force.matrix()[problem.site], force.supply, force.jobs)
    assert found.total == jobs_by_networkx(problem, chosen) == int(found.at_site.sum())
    assert (found.at_site <= force.jobs).all()
    pairs = [
        (s, int(i)) for s in chosen for i in force.indices[force.indptr[s] : force.indptr[s + 1]]
    ]
    if not pairs:
        assert found.total == 0
        return
    limits = np.zeros((problem.n_columns + len(force.supply), len(pairs)))
    for k, (s, i) in enumerate(pairs):
        limits[s, k] = limits[problem.n_columns + i, k] = 1
    best = linprog(-np.ones(len(pairs)), limits, np.concatenate([force.jobs, force.supply]))
    assert -best.fun == pytest.approx(found.total)
    # the minimum cut: jobs of those who are not short, workers within reach of those who are
    communes = np.unique(force.matrix()[np.flatnonzero(found.short)].indices)
    cut = int(force.jobs[~found.short].sum()) + int(force.supply[communes].sum())
    assert cut == found.total


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), SETS, st.floats(0, 30))
def test_any_prices_of_workers_give_a_bound(
    seed: int, kinds: frozenset[str], spread: float
) -> None:
    problem = with_workforce(random_problem(seed, kinds), seed)
    truth = solve_by_enumeration(problem)
    if truth.value is None:
        return
    model = compile_model(problem)
    g = np.random.default_rng(seed)
    many = len(model.lower)
    halls = []
    for _ in range(4):
        communes = np.flatnonzero(g.random(len(model.flow.supply)) < 0.5)
        left_out = np.flatnonzero(g.random(model.n_sites) < 0.2)
        halls.append(hall_of(model.flow, model.site, communes, left_out))
    given_multipliers = Multipliers(
        Block(model, np.arange(many)), g.normal(0, spread, many), (), np.zeros(0),
        np.arange(len(model.weights)), g.uniform(0, 60, len(model.weights)), tuple(halls),
        g.uniform(0, spread + 1, 4),
    )  # fmt: skip
    assert exact_bound(model, given_multipliers, model.state, model.shut).value >= truth.value
    assert sift(model, stop=NEVER_STOP).bound.value >= truth.value


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_one_site_more_never_helps_more_beside_others(seed: int) -> None:
    """Submodular: the marginal gain of a site falls as others are chosen."""
    problem = with_workforce(random_problem(seed, frozenset()), seed)
    force = dataclasses.replace(problem.workforce, value=1)
    worth = {
        some: force.filled(np.array(some, np.int64), force.jobs[list(some)])
        for size in range(problem.n_sites + 1)
        for some in itertools.combinations(range(problem.n_sites), size)
    }
    for some in worth:
        for new in set(range(problem.n_sites)) - set(some):
            gain = worth[tuple(sorted((*some, new)))] - worth[some]
            assert gain >= 0
            for left in some:
                fewer = tuple(s for s in some if s != left)
                assert gain <= worth[tuple(sorted((*fewer, new)))] - worth[fewer]


def test_replacement_costs_count_filled_jobs() -> None:
    problem = by_hand()
    found = {one.site: one.cost for one in replacement_costs(problem, solve(problem))}
    assert found == {0: 76 - 70, 2: 76 - 74}


def random_instance(n: int, seed: int, count: int = 20) -> SelectionProblem:
    """Sites and communes at random in a square; workers are scarce around most sites."""
    g = np.random.default_rng(seed)
    sites, communes = g.random((n, 2)), g.random((n // 2, 2))
    near = ((sites[:, None, :] - communes[None, :, :]) ** 2).sum(axis=2) < 0.08**2
    force = Workforce.from_matrix(
        csr_array(near.astype(np.int64)), g.integers(1, 200, n // 2), g.integers(100, 2_000, n), 300
    )
    return SelectionProblem(
        np.arange(n, dtype=np.int32), g.integers(0, 1_000_000, n), count, workforce=force
    )


@pytest.mark.parametrize("n", [100, 400])
def test_a_middling_instance_is_proven_and_independent_of_the_order(n: int) -> None:
    problem = random_instance(n, 3)
    found = solve(problem)
    assert found.status == "optimal"
    assert found.objective == objective(problem, found.columns.tolist())
    turned = np.random.default_rng(1).permutation(n)
    force = problem.workforce
    mixed = SelectionProblem(
        problem.site, problem.score[turned], problem.count,
        workforce=Workforce.from_matrix(
            force.matrix()[turned], force.supply, force.jobs[turned], force.value
        ),
    )  # fmt: skip
    assert solve(mixed).objective == found.objective


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"jobs": np.array([1, 2])}, "2 values where 3 are needed"),
        ({"supply": np.array([-1, 5])}, "out of range"),
        ({"supply": np.array([2**31, 5])}, "too many in all"),
        ({"value": -1}, r"workforce\.value"),
        ({"value": 2**40}, r"workforce\.value"),
        ({"indices": np.array([0, 0, 7], np.int32)}, "index outside"),
        ({"indptr": np.array([0, 3])}, "rows of reach"),
    ],
)
def test_bad_figures_are_refused(changed: dict, words: str) -> None:
    force = dataclasses.replace(by_hand().workforce, **changed)
    with pytest.raises(InputError, match=words):
        by_hand(workforce=force)
