"""Exchanges: what they promise is what the referee says, and they only make things better."""

from __future__ import annotations

import numpy as np
import pytest
from brute import random_problem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from test_coverage import towns

from siteselect.optimise import solve
from siteselect.optimise.exact import Portfolio, Referee
from siteselect.optimise.exchange import NEVER, Exchange
from siteselect.optimise.model import INSIDE, compile_model
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


def four_sites(start: list[int], *, inside: tuple[int, ...] = ()) -> tuple[Exchange, Portfolio]:
    """Two of four; 0 and 1 reach the same 10, 2 reaches 6 and 3 reaches 5 more."""
    reach = csr_array(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    problem = SelectionProblem.maximal_covering(reach, [10, 6, 5], count=2)
    model = compile_model(problem)
    model.state[list(inside)] = INSIDE
    referee = Referee(problem, model)
    portfolio = referee.judge(np.array(start))
    assert portfolio is not None
    return Exchange(model, referee, np.arange(4), stop=NEVER_STOP), portfolio


def test_by_hand() -> None:
    """One of the two that reach the same goes for the one that reaches 6 more."""
    exchange, start = four_sites([0, 1])
    assert start.value == 10
    better = exchange.improved(start)
    assert better.value == 16
    assert 2 in better.columns


@pytest.mark.parametrize(("inside", "built"), [((), [0, 2]), ((3,), [0, 3])])
def test_built_from_nothing_by_hand(inside: tuple[int, ...], built: list[int]) -> None:
    """The site of 10 first, then the one that reaches 6 more; a site fixed in stays."""
    exchange, start = four_sites([1, 3], inside=inside)
    found = exchange.built(start)
    assert found is not None
    assert found.columns.tolist() == built


def test_a_search_that_finds_nothing_better_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built with draws, again and again; what it comes back with is never worse."""
    monkeypatch.setattr("siteselect.optimise.exchange.PATIENCE", 3)
    monkeypatch.setattr("siteselect.optimise.exchange.MOST_SHAKEN", 20)
    exchange, start = four_sites([0, 1])
    drawn, build = [], exchange.built

    def built(start: Portfolio, draws: np.random.Generator | None = None) -> Portfolio | None:
        drawn.append(draws)
        return build(start, draws)

    monkeypatch.setattr(exchange, "built", built)
    assert exchange.shaken(start).value == 16
    assert len(drawn) == 6
    assert all(draws is not None for draws in drawn)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), KINDS, st.booleans())
def test_what_is_built_holds_or_is_refused(seed: int, kinds: frozenset[str], drawn: bool) -> None:
    problem = random_problem(seed, kinds)
    found = solve(problem, explain=False)
    assume(found.objective is not None)
    model = compile_model(problem)
    referee = Referee(problem, model)
    start = referee.judge(np.sort(np.argsort(model.column_of)[found.columns]))
    assert start is not None
    draws = np.random.default_rng(seed) if drawn else None
    exchange = Exchange(model, referee, np.arange(model.n_columns), stop=NEVER_STOP)
    made = exchange.built(start, draws)
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
