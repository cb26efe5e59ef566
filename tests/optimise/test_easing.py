"""The least changes that make an infeasible problem feasible, by hand and by enumeration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import solve
from siteselect.optimise.easing import Easing, easings
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

ONES = np.ones(4, np.int64)
EVERY = np.arange(4)
NONE = np.zeros(0, np.int64)


def four_sites(*constraints: Constraint, count: int = 2) -> SelectionProblem:
    return SelectionProblem(
        np.arange(4, dtype=np.int32), np.array([5, 4, 3, 2]), count, constraints=constraints,
        parcels=Parcels(np.array([3]), np.array([1]), np.full(1, -1, np.int32)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        (Budget("budget", 7 * ONES, 11), "budget: 3 k€ more, 14 k€ in all"),
        (Ledger("land", "region", "53", EVERY, 5 * ONES, np.array([0]), 5),
         "land: raised by 0.02 ha, to 0.07 ha"),
        (Group("few", EVERY, 0, 1), "few: maximum raised by 1, to 2"),
        (Group("many", np.array([1]), 2), "many: minimum lowered by 1, to 1"),
        (TotalArea("area", 100 * ONES, 203), "area: minimum lowered by 0.03 ha, to 2 ha"),
        (TotalArea("area", 100 * ONES, None, 198), "area: maximum raised by 0.02 ha, to 2 ha"),
        (Conflicts("overlap", np.array([(a, b) for a in range(4) for b in range(a)])),
         "1 sites fewer: 1 in all"),
        (Locks("locks", np.arange(3), NONE), "0 no longer forced in"),
        (Locks("locks", NONE, np.arange(3)), "2 no longer forced out"),
        (Separation("apart", np.array([(0, 0), (0, 0), (0, 0), (3, 4)]) * 10_000, 60_000),
         "apart: 1 km less, 5 km"),
    ],
)  # fmt: skip
def test_every_kind_by_hand(constraint: Constraint, change: str) -> None:
    problem = four_sites(constraint)
    found = easings(problem, problem.constraints, time_limit_s=20)
    assert change in [str(one.shown) for one in found]
    for one in found:
        assert solve(one.problem).status == "optimal"


def test_the_smallest_change_comes_first_and_solve_tells_them() -> None:
    """Two sites cost 14; 10 k€ are given for two, 5 k€ more than a free site of one."""
    problem = four_sites(Budget("budget", 7 * ONES, 13))
    found = solve(problem)
    assert found.status == "infeasible"
    assert [str(one) for one in found.remedies] == [
        "budget: 1 k€ more, 14 k€ in all",
        "1 sites fewer: 1 in all",
    ]


def test_minimums_that_add_up_to_too_many() -> None:
    low, high = Group("west", np.array([0, 1]), 2), Group("east", np.array([2, 3]), 1)
    found = solve(four_sites(low, high))
    assert [str(one) for one in found.reasons] == [
        "2 sites are wanted, and the minimums of 2 groups without a site in common make 3",
        "west: at least 2",
        "east: at least 1",
    ]
    assert {str(one) for one in found.remedies} == {
        "1 sites more: 3 in all",
        "west: minimum lowered by 1, to 1",
        "east: minimum lowered by 1, to 0",
    }


def one_less(problem: SelectionProblem, eased: Easing) -> SelectionProblem | None:
    """The problem with a change smaller by one; ``None`` where there is no such thing."""
    after = eased.problem
    if after.count != problem.count:
        return dataclasses.replace(after, count=after.count + np.sign(problem.count - after.count))
    for old, new in zip(problem.constraints, after.constraints, strict=True):
        if old is not new and not isinstance(old, Locks):
            for name in ("at_least", "at_most", "limit_keur", "cap", "distance"):
                was, now = getattr(old, name, None), getattr(new, name, None)
                if was != now:
                    back = dataclasses.replace(new, **{name: now + int(np.sign(was - now))})
                    rest = [back if one is new else one for one in after.constraints]
                    return dataclasses.replace(after, constraints=tuple(rest))
    return None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), min_size=3, max_size=8))
def test_changes_are_enough_and_least_by_enumeration(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    if solve_by_enumeration(problem).value is not None:
        return
    for one in easings(problem, problem.constraints, time_limit_s=20):
        assert solve_by_enumeration(one.problem).value is not None
        less = one_less(problem, one)
        if one.least and less is not None:
            assert solve_by_enumeration(less).value is None
