"""Infeasible problems are explained: what is impossible alone, or the smallest conflict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import solve
from siteselect.optimise.diagnose import quick_checks
from siteselect.optimise.quickxplain import smallest_conflict
from siteselect.problem import (
    Budget,
    Conflicts,
    Constraint,
    Group,
    Ledger,
    Locks,
    Parcels,
    SelectionProblem,
    Separation,
    TotalArea,
)

SCORES = np.array([5, 4, 3, 2])


def four_sites(*constraints: Constraint, count: int = 2) -> SelectionProblem:
    return SelectionProblem(
        np.arange(4, dtype=np.int32), SCORES, count, constraints=constraints,
        parcels=Parcels(np.array([3]), np.array([1]), np.full(1, -1, np.int32)),
    )  # fmt: skip


ONES = np.ones(4, np.int64)


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (Group("Corse", np.zeros(0, np.int64), 1), ["Corse", "at least 1", "0 candidates"]),
        (Group("all", np.arange(4), 3), ["all", "at least 3", "2 sites"]),
        (Group("none", np.arange(4), 0, 1), ["none: at most 1"]),
        (TotalArea("area", 100 * ONES, 300), ["area", "3.0 ha", "2.0 ha"]),
        (TotalArea("area", 100 * ONES, None, 100), ["area", "1.0 ha", "2.0 ha"]),
        (Budget("budget", 7 * ONES, 13), ["budget", "13 k€", "14 k€"]),
        (
            Ledger("land", "region", "53", np.arange(4), 5 * ONES, np.array([0]), 6),
            ["land: at most 0.06 ha"],
        ),
        (Conflicts("overlap", np.array([(a, b) for a in range(4) for b in range(a)])), ["overlap"]),
        (Separation("apart", np.zeros((4, 2), np.int64), 5), ["apart"]),
        (Locks("locks", np.arange(3), np.zeros(0, np.int64)), ["locks"]),
        (Locks("locks", np.zeros(0, np.int64), np.arange(3)), ["2 sites", "only 1"]),
    ],
)
def test_every_kind_is_explained(constraint: Constraint, words: list[str]) -> None:
    found = solve(four_sites(constraint))
    assert found.status == "infeasible"
    assert found.objective is None
    assert len(found.chosen) == 0
    text = "\n".join(str(reason) for reason in found.reasons)
    for word in words:
        assert word in text, text


def test_too_few_candidates() -> None:
    assert "5 sites are wanted" in str(solve(four_sites(count=5)).reasons[0])


def test_sites_forced_out_are_named_where_they_leave_too_few() -> None:
    """Site 3 is the only one of Corse; that site 0 is forced out as well matters to nobody."""
    out = Locks("locks", np.zeros(0, np.int64), np.array([0, 3]))
    found = solve(four_sites(Group("Corse", np.array([3]), 1), out))
    assert [str(reason) for reason in found.reasons] == [
        "Corse: at least 1 wanted, 0 candidates",
        "locks",
    ]
    assert [str(one) for one in found.remedies] == [
        "3 no longer forced out",
        "Corse: minimum lowered by 1, to 0",
    ]
    innocent = solve(four_sites(Group("Corse", np.array([1]), 2), out))
    assert [str(reason) for reason in innocent.reasons] == [
        "Corse: at least 2 wanted, 1 candidates"
    ]


def test_two_requirements_that_cannot_hold_together() -> None:
    """Two of sites 2 and 3 are wanted, but together they cost 11 of 10; the area is innocent."""
    pair = Group("west", np.array([2, 3]), 2)
    budget = Budget("budget", np.array([1, 1, 5, 6]), 10)
    innocent = TotalArea("area", ONES, 1)
    found = solve(four_sites(innocent, pair, budget))
    assert [str(reason) for reason in found.reasons] == [
        "these 2 requirements cannot hold together for 2 sites",
        "west: at least 2",
        "budget: at most 10 k€",
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), min_size=2, max_size=7))
def test_the_conflict_is_infeasible_and_minimal(seed: int, kinds: frozenset[str]) -> None:
    problem = dataclasses.replace(random_problem(seed, kinds), coverage=None)
    if solve_by_enumeration(problem).value is not None:
        return
    conflict = smallest_conflict(problem)
    assert solve_by_enumeration(dataclasses.replace(problem, constraints=conflict)).value is None
    for i in range(len(conflict)):
        fewer = dataclasses.replace(problem, constraints=conflict[:i] + conflict[i + 1 :])
        assert solve_by_enumeration(fewer).value is not None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=6))
def test_quick_checks_never_cry_wolf(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    if quick_checks(problem):
        assert solve_by_enumeration(problem).value is None
