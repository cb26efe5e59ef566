"""Alternatives and common sites against enumeration of every portfolio."""

import itertools

import numpy as np
import pytest

from siteselect.alternatives import (
    alternatives,
    common_sites,
    floor_of,
    most_different,
    near_optimal,
)
from siteselect.optimise import solve
from siteselect.problem import SelectionProblem, objective, violations
from siteselect.ranking import replacement_costs

LOSS = 0.15


def instance(seed):
    g = np.random.default_rng(seed)
    n = 9
    return SelectionProblem.from_arrays(
        g.integers(20, 100, n), count=4, site_ids=[f"S{i}" for i in range(n)],
        costs=g.integers(1, 9, n), budget=20, groups={"g": (g.random(n) < 0.5, 1, 3)},
    )  # fmt: skip


def portfolios(problem):
    """Every feasible portfolio: (value, frozenset of sites)."""
    found = []
    for chosen in itertools.combinations(range(problem.n_columns), problem.count):
        if not violations(problem, chosen, []):
            found.append((objective(problem, chosen), frozenset(chosen)))
    return found


@pytest.mark.parametrize("seed", range(1, 9))
def test_each_alternative_is_the_best_that_differs_enough_from_all_before(seed):
    problem = instance(seed)
    solution = solve(problem)
    every = portfolios(problem)
    floor = floor_of(solution, LOSS)
    found, ended = near_optimal(problem, solution, loss_share=LOSS, min_different=2, how_many=4)
    before = [frozenset(solution.chosen.tolist())]
    for one in found:
        best = max(v for v, s in every if all(len(s & b) <= 2 for b in before))
        assert one.objective == best >= floor
        assert one.loss == solution.objective - best
        assert one.proven
        before.append(frozenset(problem.site_ids.index(name) for name in one.sites))
        assert len(before[-1] - before[0]) == one.differs >= 2
    if ended == "exhausted":
        left = [v for v, s in every if all(len(s & b) <= 2 for b in before)]
        assert max(left, default=-1) < floor
    else:
        assert len(found) == 4


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_most_different_portfolio_shares_the_fewest_sites(seed):
    problem = instance(seed)
    solution = solve(problem)
    base = frozenset(solution.chosen.tolist())
    near = [(len(s - base), v) for v, s in portfolios(problem) if v >= floor_of(solution, LOSS)]
    one = most_different(problem, solution, loss_share=LOSS)
    assert (one.differs, one.objective) == max(near)


@pytest.mark.parametrize("seed", range(1, 9))
def test_common_sites_are_in_every_portfolio_within_the_loss(seed):
    problem = instance(seed)
    solution = solve(problem)
    near = [s for v, s in portfolios(problem) if v >= floor_of(solution, LOSS)]
    expected = sorted(problem.site_ids[s] for s in frozenset.intersection(*near))
    costs = replacement_costs(problem, solution)
    assert list(common_sites(costs, solution, loss_share=LOSS)) == expected
    whole = alternatives(problem, solution, costs, loss_share=LOSS, min_different=2, how_many=2)
    assert list(whole.common) == expected


def test_bad_questions_are_refused():
    problem = instance(0)
    solution = solve(problem)
    with pytest.raises(ValueError, match="negative"):
        near_optimal(problem, solution, loss_share=-0.1, min_different=1)
    with pytest.raises(ValueError, match="at least one site"):
        near_optimal(problem, solution, loss_share=0.1, min_different=0)
