"""The exact bound holds for any multipliers, and its penalties are honest."""

from __future__ import annotations

import itertools

import numpy as np
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise.bound import Block, Multipliers, exact_bound, exact_sum
from siteselect.optimise.conflicts import violated_cliques
from siteselect.optimise.model import compile_model
from siteselect.optimise.root import sift
from siteselect.optimise.stop import NEVER_STOP
from siteselect.problem import SelectionProblem

SETS = st.frozensets(st.sampled_from([k for k in KINDS if k != "ties"]), max_size=6)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), SETS, st.floats(0, 50))
def test_any_multipliers_give_a_bound(seed: int, kinds: frozenset[str], spread: float) -> None:
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem)
    if truth.value is None:
        return
    model = compile_model(problem)
    g = np.random.default_rng(seed)
    many = len(model.lower)
    demand = np.arange(len(model.weights))
    given_multipliers = Multipliers(
        Block(model, np.arange(many)), g.normal(0, spread, many), (), np.zeros(0), demand,
        g.uniform(-5, 80, len(demand)),
    )  # fmt: skip
    assert exact_bound(model, given_multipliers, model.state, model.shut).value >= truth.value


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), SETS)
def test_root_bound_and_penalties(seed: int, kinds: frozenset[str]) -> None:
    """With a column forced, the optimum is at most the bound minus the column's penalty."""
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem)
    model = compile_model(problem)
    bound = sift(model, stop=NEVER_STOP).bound
    if truth.value is None:
        return
    assert bound.value >= truth.value
    site_of = {name: i for i, name in enumerate(problem.site_ids)}
    chosen = {site_of[name] for name in truth.sites}
    for s in range(model.n_sites):
        own = range(model.start[s], model.start[s + 1])
        if int(model.site_of[s]) in chosen:
            room = max(bound.scaled - int(bound.column_penalty[j]) for j in own)
        else:
            room = bound.scaled - int(bound.site_penalty[s])
        assert room >= truth.value * bound.scale


def test_exact_sum_does_not_overflow() -> None:
    values = np.full(100, 2**62, np.int64)
    assert exact_sum(values) == 100 * 2**62
    assert exact_sum(-values) == -100 * 2**62


def test_root_bound_by_hand() -> None:
    """Three sites worth 10, 8 and 5; two wanted; a budget of 3 with costs 2, 2, 1.

    The relaxation takes 10 and 5 whole with nothing left: 15, the optimum.
    """
    problem = SelectionProblem.from_arrays([10, 8, 5], count=2, costs=[2, 2, 1], budget=3)
    assert sift(compile_model(problem), stop=NEVER_STOP).bound.value == 15


@given(st.integers(0, 10**6))
def test_cliques_are_cliques_and_violated(seed: int) -> None:
    g = np.random.default_rng(seed)
    conflict = np.triu(g.random((7, 7)) < 0.5, 1)
    conflict |= conflict.T
    value = g.random(7)
    for clique in violated_cliques(conflict, value):
        assert value[clique].sum() > 1
        assert all(conflict[i, k] for i, k in itertools.combinations(clique.tolist(), 2))
