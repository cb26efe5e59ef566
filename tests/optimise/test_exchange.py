"""Exchanges: what they promise is what the referee says, and they only make things better."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brute import random_problem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from test_coverage import towns

from siteselect.optimise import solve
from siteselect.optimise.exact import Referee
from siteselect.optimise.exchange import NEVER, Exchange
from siteselect.optimise.model import compile_model
from siteselect.optimise.stop import NEVER_STOP
from siteselect.problem import SelectionProblem, objective, violations

KINDS = st.frozensets(st.sampled_from(["variants", "conflicts", "budget", "coverage"]), max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), KINDS)
def test_gains_are_what_exchanges_bring(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    found = solve(problem, explain=False)
    assume(found.objective is not None)
    model = compile_model(problem)
    referee = Referee(problem, model)
    place = np.argsort(model.column_of)
    start = referee.judge(np.sort(place[found.columns]))
    assert start is not None
    candidates = np.arange(model.n_columns)
    gains = Exchange(model, referee, candidates, stop=NEVER_STOP)._gains(start)
    for k in range(len(start.columns)):
        kept = np.delete(start.columns, k)
        for entering in candidates.tolist():
            after = np.append(kept, entering)
            if len(np.unique(model.site[after])) < len(after):
                assert gains[k, entering] <= NEVER // 2
            else:
                assert gains[k, entering] == referee.value(after) - start.value


def test_by_hand() -> None:
    """Two of four sites; 0 and 1 reach the same 10: one goes for 2, which reaches 6 more."""
    reach = csr_array(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    problem = SelectionProblem.maximal_covering(reach, [10, 6, 5], count=2)
    model = compile_model(problem)
    referee = Referee(problem, model)
    start = referee.judge(np.array([0, 1]))
    assert start is not None
    assert start.value == 10
    better = Exchange(model, referee, np.arange(4), stop=NEVER_STOP).improved(start)
    assert better.value == 16
    assert 2 in better.columns


def test_built_from_nothing_by_hand() -> None:
    """The site of 10 first, then the one that reaches 6 more; with a site fixed in, from there."""
    reach = csr_array(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    problem = SelectionProblem.maximal_covering(reach, [10, 6, 5], count=2)
    model = compile_model(problem)
    referee = Referee(problem, model)
    start = referee.judge(np.array([1, 3]))
    assert start is not None
    exchange = Exchange(model, referee, np.arange(4), stop=NEVER_STOP)
    found = exchange.built(start)
    assert found is not None
    assert found.columns.tolist() == [0, 2]
    inside = dataclasses.replace(model, state=np.array([0, 0, 0, 1], np.int8))
    fixed = Exchange(inside, Referee(problem, inside), np.arange(4), stop=NEVER_STOP).built(start)
    assert fixed is not None
    assert fixed.columns.tolist() == [0, 3]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), KINDS)
def test_what_is_built_holds_or_is_refused(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    found = solve(problem, explain=False)
    assume(found.objective is not None)
    model = compile_model(problem)
    referee = Referee(problem, model)
    start = referee.judge(np.sort(np.argsort(model.column_of)[found.columns]))
    assert start is not None
    made = Exchange(model, referee, np.arange(model.n_columns), stop=NEVER_STOP).built(start)
    if made is None:
        return
    columns = model.column_of[made.columns].tolist()
    restored = made.restoration.units.tolist()
    assert not violations(problem, columns, restored)
    assert made.value == objective(problem, columns) <= found.objective


@pytest.mark.parametrize("seed", range(3))
def test_a_search_stopped_early_offers_a_portfolio_that_holds(seed: int) -> None:
    problem = towns(seed, 1_500, 20)
    best = solve(problem)
    stopped = solve(problem, time_limit_s=0.01)
    assert stopped.objective is not None
    assert stopped.bound is not None
    assert stopped.objective <= best.objective <= stopped.bound
    assert not violations(problem, stopped.columns.tolist(), stopped.restored.tolist())
    assert stopped.objective >= 0.85 * best.objective  # a busy machine may give it little
