"""Changes of several requirements together, where no single one is enough."""

from __future__ import annotations

import time

import numpy as np
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st
from test_easing import with_limit

from siteselect.optimise import solve
from siteselect.optimise.diagnose import conflict_left
from siteselect.optimise.easing import easings
from siteselect.optimise.together import changed_together, one_sided
from siteselect.problem import Budget, Group, SelectionProblem, TotalArea


def test_two_conflicts_need_two_changes() -> None:
    """One site of the west and two sites of 100 ha are wanted, for 10 k€ where they cost 14."""
    west = Group("west", np.zeros(0, np.int64), 1)
    area = TotalArea("area", np.array([100, 100, 1, 1]), 200)
    budget = Budget("budget", np.array([7, 7, 5, 5]), 10)
    problem = SelectionProblem(
        np.arange(4, dtype=np.int32), np.ones(4, np.int64), 2, constraints=(west, area, budget)
    )
    assert [str(one) for one in solve(problem).remedies] == [
        "budget: 4 k€ more, 14 k€ in all; and west: minimum lowered by 1, to 0",
        "area: minimum lowered by 1.98 ha, to 0.02 ha; and west: minimum lowered by 1, to 0",
    ]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), min_size=3, max_size=9))
def test_no_part_of_a_joint_change_can_be_smaller(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    if solve_by_enumeration(problem).value is not None:
        return
    if easings(problem, problem.constraints, time_limit_s=60):
        return
    end = time.perf_counter() + 60
    before = {
        (type(one), str(one.name), getattr(one, "at_most", None) is None): one
        for one in one_sided(problem).constraints
    }
    for joint in changed_together(
        problem, conflict_left, seconds_left=lambda: end - time.perf_counter()
    ):
        assert joint.least
        assert solve_by_enumeration(joint.problem).value is not None
        for i, new in enumerate(joint.problem.constraints):
            old = before[type(new), str(new.name), getattr(new, "at_most", None) is None]
            for name in ("at_least", "at_most", "limit_keur", "cap"):
                was, now = getattr(old, name, None), getattr(new, name, None)
                if was != now:
                    less = with_limit(joint.problem, i, name, now + (1 if was > now else -1))
                    assert solve_by_enumeration(less).value is None
