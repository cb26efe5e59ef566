"""The least changes that make an infeasible problem feasible, by hand and by enumeration."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import least, solve
from siteselect.optimise.easing import easings
from siteselect.problem import (
    Budget,
    Conflicts,
    Constraint,
    Goal,
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


def test_stopped_by_the_clock_it_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Site 0 is needed for the area: 24 + 2 k€. The relaxation mixes it with cheap ones."""
    change = "budget: 21 k€ more, 26 k€ in all"
    area = TotalArea("area", np.array([9, 1, 2, 3, 2]), 9)
    budget = Budget("budget", np.array([24, 26, 17, 2, 3]), 5)
    problem = SelectionProblem(
        np.arange(5, dtype=np.int32), np.ones(5, np.int64), 2, constraints=(area, budget)
    )
    assert [str(one.shown) for one in easings(problem, (budget,), time_limit_s=20)] == [change]
    monkeypatch.setattr(least, "deepen", lambda *_args, **_more: "limit")
    monkeypatch.setattr(least, "_look_among", lambda *_args: None)
    (one,) = easings(problem, (budget,), time_limit_s=20)
    assert not one.least
    assert str(one.shown) == f"{change} (enough; no less than 12 k€ will do)"


def test_goals_in_their_unit() -> None:
    """Two sites of four: 5 and 4 at most, 2 and 3 at least."""
    best = Goal("workers", np.array([5, 4, 3, 2]), 12, None, per_unit=10, unit="thousand")
    found = easings(four_sites(best), (best,), time_limit_s=20)
    assert "workers: floor lowered by 0.3 thousand, to 0.9 thousand" in [
        str(x.shown) for x in found
    ]
    cap = Goal("lorries", np.array([5, 4, 3, 2]), None, 4, per_unit=1, unit="a day")
    found = easings(four_sites(cap), (cap,), time_limit_s=20)
    assert "lorries: cap raised by 1 a day, to 5 a day" in [str(one.shown) for one in found]


def test_the_smallest_share_comes_first() -> None:
    """A tenth of the budget against half of the sites."""
    problem = four_sites(Budget("budget", 11 * ONES, 20))
    shares = [one.share for one in easings(problem, problem.constraints, time_limit_s=20)]
    assert shares == [0.1, 0.5]


def limits(problem: SelectionProblem, after: SelectionProblem) -> set[tuple[int, str, int]]:
    """What an eased problem changes: (place of the constraint, field, new value)."""
    if after.count != problem.count:
        return {(-1, "count", after.count)}
    return {
        (i, name, getattr(new, name))
        for i, (old, new) in enumerate(zip(problem.constraints, after.constraints, strict=True))
        for name in ("at_least", "at_most", "limit_keur", "cap", "distance")
        if getattr(old, name, None) != getattr(new, name, None)
    }


def with_limit(problem: SelectionProblem, place: int, name: str, value: int) -> SelectionProblem:
    if place < 0:
        return dataclasses.replace(problem, count=value)
    own = list(problem.constraints)
    own[place] = dataclasses.replace(own[place], **{name: value})
    return dataclasses.replace(problem, constraints=tuple(own))


def candidates(problem: SelectionProblem) -> Iterator[tuple[int, str, range]]:
    """Every figure with the values that ease it, the nearest first, as far as any can matter."""
    for i, one in enumerate(problem.constraints):
        if isinstance(one, Group):
            yield i, "at_least", range(one.at_least - 1, -1, -1)
            if one.at_most is not None:
                yield i, "at_most", range(one.at_most + 1, problem.count + 1)
        elif isinstance(one, TotalArea):
            if one.at_least is not None:
                yield i, "at_least", range(one.at_least - 1, -1, -1)
            if one.at_most is not None:
                yield i, "at_most", range(one.at_most + 1, int(one.area.sum()) + 1)
        elif isinstance(one, Budget):
            most = int(one.cost_keur.sum() + problem.parcels.cost_keur.sum())
            yield i, "limit_keur", range(one.limit_keur + 1, most + 1)
        elif isinstance(one, Ledger):
            yield i, "cap", range(one.cap + 1, int(one.charge.sum()) + 1)
        elif isinstance(one, Separation):
            yield i, "distance", range(one.distance - 1, -1, -1)


def first_enough(
    problem: SelectionProblem, place: int, name: str, values: Sequence[int]
) -> int | None:
    """The first of some values, each easier than the one before, that is enough."""

    def enough(value: int) -> bool:
        return solve_by_enumeration(with_limit(problem, place, name, value)).value is not None

    if not len(values) or not enough(values[-1]):
        return None
    low, high = -1, len(values) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(values[middle]) else (middle, high)
    return values[high]


def least_changes(problem: SelectionProblem) -> set[tuple[int, str, int]]:
    """The least change of every figure, by enumeration."""
    found = {
        (i, name, value)
        for i, name, values in candidates(problem)
        if (value := first_enough(problem, i, name, values)) is not None
    }
    return found | least_counts(problem)


def least_counts(problem: SelectionProblem) -> set[tuple[int, str, int]]:
    """The most sites under the count or, where there is none, the fewest over it."""
    p = problem.count
    fewer = [] if problem.at_most else range(p - 1, 0, -1)
    for values in (fewer, range(p + 1, min(2 * p, problem.n_sites) + 1)):
        for count in values:
            if solve_by_enumeration(with_limit(problem, -1, "count", count)).value is not None:
                return {(-1, "count", count)}
    return set()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), min_size=2, max_size=8))
def test_changes_are_the_least_by_enumeration(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    if solve_by_enumeration(problem).value is not None:
        return
    found = easings(problem, problem.constraints, time_limit_s=60)
    assert all(one.least and one.needed is None for one in found)
    changed = [limits(problem, one.problem) for one in found]
    assert set().union(*changed) == least_changes(problem)
    assert [one.share for one in found] == sorted(one.share for one in found)
