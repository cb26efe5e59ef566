"""Replacement costs, reserve and nested order against enumeration of every portfolio."""

import numpy as np
import pytest

from siteselect.optimise import solve
from siteselect.problem import Group, Locks, SelectionProblem, objective, violations
from siteselect.ranking import (
    Replacement,
    nested_order,
    replacement_costs,
    replacement_of,
    replacement_order,
    reserve_list,
)
from siteselect.whatif import scaled_to, with_constraints, with_locks, without_lock
from tests.optimise.brute import random_problem, solve_by_enumeration

KINDS = frozenset({"group", "budget", "variants", "ledgers", "separation"})


def feasible_problems(kinds, wanted, start=0):
    """Random small problems that have a portfolio, with their solution."""
    found, seed = [], start
    while len(found) < wanted:
        problem = random_problem(seed, kinds)
        solution = solve(problem, explain=False)
        if solution.objective is not None:
            found.append((seed, problem, solution))
        seed += 1
    return found


@pytest.mark.parametrize("kinds", [KINDS, KINDS | {"locks"}, frozenset({"coverage", "programme"})])
def test_replacement_costs_are_those_of_enumeration(kinds):
    for seed, problem, solution in feasible_problems(kinds, 12):
        for one in replacement_costs(problem, solution):
            site = problem.site_ids.index(one.site_id)
            inside = {s for c in problem.constraints if isinstance(c, Locks) for s in c.include}
            freed = without_lock(problem, inside & {site})
            without = with_constraints(
                freed, Group("out", np.flatnonzero(problem.site == site), 0, 0)
            )
            answer = solve_by_enumeration(without)
            if answer.value is None:
                assert (one.status, one.cost) == ("infeasible", None), seed
            else:
                assert one.cost == solution.objective - answer.value, seed
                assert one.cost >= 0 or site in inside  # to lose a forced site may be a gain
                assert one.site_id in one.leave
                assert one.site_id not in one.enter


def test_the_settled_replacement_is_the_first_among_equals():
    for _, problem, solution in feasible_problems(KINDS, 8, start=300):
        site = int(solution.chosen[0])
        one = replacement_of(problem, solution, site)
        answer = solve_by_enumeration(with_locks(problem, exclude=[site]))
        if answer.value is None:
            continue
        before = {problem.site_ids[s] for s in solution.chosen}
        assert set(one.enter) == set(answer.sites) - before
        assert set(one.leave) == before - set(answer.sites)


def test_a_site_with_a_good_neighbour_costs_little_to_lose():
    """Scores 10, 9, 8 | 7; A and D cannot stand together, nor B and C: worked out by hand."""
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 1], count=2, site_ids=["A", "B", "C", "D"], conflicts=[(1, 2)]
    )
    solution = solve(problem)
    found = replacement_costs(problem, solution)
    assert {one.site_id: one.cost for one in found} == {"A": 9, "B": 1}  # without A: B, D
    assert replacement_order(found, {"A": 10, "B": 9}) == ("A", "B")


def test_a_site_without_which_nothing_is_feasible_comes_first():
    rows = [
        Replacement("cheap", 1, "optimal", (), ()),
        Replacement("needed", None, "infeasible", (), ()),
        Replacement("dear", 5, "optimal", (), ()),
        Replacement("unknown", None, "limit", (), ()),
    ]
    scores = dict.fromkeys(("cheap", "needed", "dear", "unknown"), 1)
    assert replacement_order(rows, scores) == ("needed", "dear", "cheap", "unknown")


def test_the_reserve_is_what_the_model_takes_not_the_next_scores():
    """The best score outside cannot stand beside anything: the model never takes it."""
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 7, 6], count=2, site_ids=list("ABCDE"),
        groups={"north": ([0, 1, 2], 0, 2), "south": ([3, 4], 0, None)},
        conflicts=[(0, 2), (1, 2), (2, 3), (2, 4)],
    )  # fmt: skip
    solution = solve(problem)
    assert solution.chosen.tolist() == [0, 1]
    found = replacement_costs(problem, solution)
    reserve = reserve_list(problem, solution, found, size=2)
    assert [one.site_id for one in reserve.sites] == ["D", "E"]
    assert reserve.sites[0].replaces == ("A", "B")
    assert reserve.enlarged_status == "optimal"
    assert all(one.taken for one in reserve.sites)


def test_a_forced_out_site_never_stands_in_reserve():
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 7], count=2, site_ids=list("ABCD"), exclude=[2]
    )
    solution = solve(problem)
    found = replacement_costs(problem, solution)
    reserve = reserve_list(problem, solution, found, size=2)
    assert [one.site_id for one in reserve.sites] == ["D"]


def test_nested_steps_are_subsets_and_each_the_best_within_the_next():
    problem = SelectionProblem.from_arrays(
        [9, 8, 7, 6, 5, 4], count=4, site_ids=list("ABCDEF"),
        groups={"south": ([3, 4, 5], 2, None)}, costs=[4, 4, 1, 1, 1, 1], budget=9,
    )  # fmt: skip
    solution = solve(problem)
    steps = nested_order(problem, solution, step=2)
    assert [step.count for step in steps] == [2, 4]
    assert set(steps[0].sites) < set(steps[1].sites)
    # of two sites one must be of the south, and half the budget is 5 (rounded up)
    inside = [problem.site_ids.index(name) for name in steps[1].sites]
    part = scaled_to(problem, 2, keep_minima=True)
    outside = [s for s in range(6) if s not in inside]
    assert steps[0].objective == solve_by_enumeration(with_locks(part, exclude=outside)).value


def test_scaling_keeps_one_site_per_epci_and_land_caps():
    problem = SelectionProblem.from_arrays(
        [1, 1, 1, 1], count=2, groups={"epci": ([0, 1], 0, 1), "region": ([0, 1, 2], 1, 2)},
        charges=[1, 1, 1, 1], programme_cap=3, costs=[1, 1, 1, 1], budget=3,
    )  # fmt: skip
    more = scaled_to(problem, 3, keep_minima=True)
    epci, region, budget, ledger = more.constraints
    assert (epci.at_most, region.at_least, region.at_most) == (1, 1, 3)
    assert budget.limit_keur == 5  # 3 × 3/2, rounded up
    assert ledger.cap == 3
    fewer = scaled_to(problem, 1, keep_minima=True)
    assert fewer.constraints[1].at_least == 0


def test_locks_the_last_word_counts():
    problem = SelectionProblem.from_arrays([3, 2, 1], count=1, include=[2])
    freed = solve(without_lock(problem, [2]))
    assert freed.chosen.tolist() == [0]
    turned = solve(with_locks(problem, exclude=[2, 0]))
    assert turned.chosen.tolist() == [1]
    assert objective(turned and problem, turned.columns.tolist()) == 2
    assert violations(problem, turned.columns.tolist(), [])  # the site forced in is missing
