"""Distances by bisection: what is found holds for its own distance, the rest is not said."""

from __future__ import annotations

import numpy as np
import pytest

from siteselect.optimise import solve
from siteselect.optimise.distances import Distances, nearest
from siteselect.optimise.solution import Solution
from siteselect.problem import SelectionProblem, Separation

LINE = np.array([(0, 0), (400, 0), (1000, 0), (1900, 0)])


def three_of_four(distance: int) -> tuple[SelectionProblem, Separation]:
    """On a line at 0, 400, 1000, 1900: the best three are 900 apart."""
    apart = Separation("apart", LINE, distance)
    problem = SelectionProblem(
        np.arange(4, dtype=np.int32), np.array([1, 5, 1, 1]), 3, constraints=(apart,)
    )
    return problem, apart


def any_portfolio(problem: SelectionProblem) -> Solution:
    return solve(problem, time_limit_s=20, gap=1e300, ties=False, explain=False)


def test_the_longest_distance_is_found_and_proven() -> None:
    problem, apart = three_of_four(1500)
    found = Distances(problem, apart, any_portfolio).shorter(lambda: 20.0)
    assert found is not None
    assert (found.enough, found.most) == (900, 900)


@pytest.mark.parametrize(("answers_under", "proves_from"), [(500, 1200), (900, 1000), (50, 1400)])
def test_what_is_not_told_is_not_said(answers_under: int, proves_from: int) -> None:
    """Between what is found and what is proven too long, the truth; and no endless search."""
    problem, apart = three_of_four(1500)
    asked: list[int] = []

    def slow(changed: SelectionProblem) -> Solution | None:
        (one,) = changed.constraints
        assert isinstance(one, Separation)
        asked.append(one.distance)
        told = one.distance <= answers_under or one.distance >= proves_from
        return any_portfolio(changed) if told else None

    found = Distances(problem, apart, slow).shorter(lambda: 20.0 - len(asked))
    assert found is not None
    assert found.enough <= 900 <= found.most < proves_from
    assert len(asked) < 40


def test_the_distance_that_points_keep() -> None:
    apart = Separation("apart", LINE, 500)
    assert nearest(LINE[[0, 2]], apart) == 500
    assert nearest(LINE[[0, 1]], apart) == 400
    assert nearest(LINE[[0]], apart) == 500
