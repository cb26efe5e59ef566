"""``solve``, CP-SAT and HiGHS on the same medium problems: one optimum, three ways to it."""

from __future__ import annotations

import pytest
from medium import Size, by_highs, medium_problem

from siteselect.optimise import solve, solve_plainly
from siteselect.problem import SelectionProblem, objective, violations

SIZES = {
    "one-variant": Size(150, 10, variants=False),
    "variants": Size(90, 8),
    "whole": Size(80, 8, whole=True),
    "coverage": Size(45, 5, shared="coverage"),
    "coverage-whole": Size(50, 6, shared="coverage", whole=True),
    "workforce": Size(45, 6, shared="workforce"),
    "workforce-whole": Size(40, 5, shared="workforce", whole=True),
}
INFEASIBLE = {("coverage-whole", 3), ("workforce-whole", 3)}


def value_of(problem: SelectionProblem, columns: list[int], restored: list[int]) -> int:
    """The exact value of a portfolio that breaks nothing."""
    assert violations(problem, columns, restored) == ()
    return objective(problem, columns)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SIZES)
def test_three_ways_to_one_optimum(name: str, seed: int) -> None:
    problem = medium_problem(SIZES[name], seed)
    ours = solve(problem, explain=False)
    plain = solve_plainly(problem)
    value, columns, restored = by_highs(problem)
    assert (value is None) == ((name, seed) in INFEASIBLE)
    assert ours.status == plain.status == ("infeasible" if value is None else "optimal")
    assert ours.objective == ours.bound == plain.objective == plain.bound == value
    if value is None:
        return
    assert value_of(problem, ours.columns.tolist(), ours.restored.tolist()) == value
    assert value_of(problem, plain.columns.tolist(), plain.restored.tolist()) == value
    assert value_of(problem, columns, restored) == value
