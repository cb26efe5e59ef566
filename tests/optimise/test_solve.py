"""``solve`` against enumeration: every kind of constraint, apart and together."""

from __future__ import annotations

import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import solve
from siteselect.problem import SelectionProblem, violations


def check(problem: SelectionProblem) -> None:
    truth = solve_by_enumeration(problem)
    found = solve(problem, explain=False)
    if truth.value is None:
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == found.bound == truth.value
    assert found.gap == 0
    assert violations(problem, found.columns.tolist(), found.restored.tolist()) == ()
    ids = tuple(sorted(problem.site_ids[s] for s in found.chosen.tolist()))
    assert ids == truth.sites


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_apart(kind: str) -> None:
    for seed in range(12):
        check(random_problem(seed, frozenset({kind})))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=8))
def test_kinds_together(seed: int, kinds: frozenset[str]) -> None:
    check(random_problem(seed, kinds))
