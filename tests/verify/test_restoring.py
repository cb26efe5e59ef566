"""Whole parcels for the money left: the listing against every choice of parcels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.verify.restoring import Task, TooManyError, affordable


def by_enumeration(task: Task) -> bool:
    for taken in itertools.product([False, True], repeat=len(task.size)):
        which = np.array(taken)
        served = all(
            int(task.size[which & own].sum()) >= need
            for own, need in zip(task.members, task.need, strict=True)
        )
        if served and int(task.cost[which].sum()) <= task.money:
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9))
def test_against_every_choice(seed: int) -> None:
    """Two ledgers apart inside a third, any prices at all, money near the least cost."""
    g = np.random.default_rng(seed)
    many = int(g.integers(2, 9))
    first = g.random(many) < 0.4
    second = ~first & (g.random(many) < 0.6)
    members = np.array([first, second, np.ones(many, bool)])
    need = [int(value) for value in g.integers(1, 12, 3)]
    task = Task(
        g.integers(1, 9, many), g.integers(0, 20, many), members, need, int(g.integers(0, 60)),
        [int(value) for value in g.integers(0, 40, 3)], 8,
    )  # fmt: skip
    assert affordable(task) == by_enumeration(task)


def test_by_hand() -> None:
    """5 units wanted: 3 + 3 at 4 + 4, or 6 at 9; 8 k€ are enough, 7 are not."""
    members = np.ones((1, 3), bool)
    for money, enough in ((8, True), (7, False)):
        task = Task(np.array([3, 3, 6]), np.array([4, 4, 9]), members, [5], money, [11], 8)
        assert affordable(task) is enough


def test_ledgers_that_cross_are_refused() -> None:
    members = np.array([[True, True, False], [False, True, True]])
    task = Task(np.array([2, 2, 2]), np.ones(3, np.int64), members, [3, 3], 3, [1, 1], 1)
    with pytest.raises(TooManyError):
        affordable(task)
