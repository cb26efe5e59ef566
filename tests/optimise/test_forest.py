"""Ledgers as a forest, and the cheapest land in part: by hand and against scipy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from siteselect.optimise.forest import PRICE_SCALE, filled, multipliers, nested


def groups(*members: list[int]) -> list[np.ndarray]:
    return [np.array(one, np.int64) for one in members]


def test_the_innermost_first() -> None:
    """A country of six parcels, a region of three, a commune of one in it, another region."""
    nests = nested(groups([0, 1, 2, 3, 4, 5], [1, 2, 4], [2], [0, 5]), 6)
    assert nests is not None
    assert [one.ledger for one in nests] == [2, 3, 1, 0]
    assert [one.inside for one in nests] == [(), (), (0,), (1, 2)]
    assert [one.own.tolist() for one in nests] == [[2], [0, 5], [1, 4], [3]]


def test_ledgers_that_cross() -> None:
    assert nested(groups([0, 1], [1, 2]), 3) is None
    assert nested(groups([0], [1], [0, 1, 2]), 3) is not None


def test_ledgers_of_the_same_parcels_are_nested() -> None:
    nests = nested(groups([0, 2], [0, 2]), 3)
    assert nests is not None
    assert nests[1].inside == (0,)
    assert nests[1].own.tolist() == []


def test_in_part_by_hand() -> None:
    """The region takes 3 of its parcel at 5 k€ a unit, the country the cheapest 4 of the others.

    A unit more of the region costs 5, of the country 2: that is what they are worth.
    """
    size, cost = np.array([3, 4, 6]), np.array([3, 8, 30])  # 1, 2 and 5 k€ a unit
    nests = nested(groups([2], [0, 1, 2]), 3)
    assert nests is not None
    found = filled(nests, size, np.array([3, 7]))
    assert found is not None
    assert found.units.tolist() == [3, 1, 3]
    assert found.last == (2, 1)
    price, worth = multipliers(nests, found.last, size, cost)
    assert price.tolist() == [3 * PRICE_SCALE, 2 * PRICE_SCALE]
    assert worth.tolist() == [2 * PRICE_SCALE, 2 * PRICE_SCALE, 5 * PRICE_SCALE]
    assert filled(nests, size, np.array([7, 7])) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9))
def test_as_good_as_linear_programming(seed: int) -> None:
    """Three levels: the cost is that of the linear programme, and its multipliers prove it."""
    g = np.random.default_rng(seed)
    n = int(g.integers(1, 14))
    size, cost = g.integers(1, 9, n), g.integers(0, 40, n)
    order = np.argsort(cost / size, kind="stable")
    size, cost = size[order], cost[order]
    region = g.integers(0, 3, n)
    commune = region * 2 + g.integers(0, 2, n)
    members = np.array(
        [*(commune == k for k in range(6)), *(region == k for k in range(2)), region >= 0]
    )
    need = g.integers(-2, 14, len(members))
    nests = nested([np.flatnonzero(one) for one in members], n)
    assert nests is not None
    found = filled(nests, size, need)
    truth = linprog(
        cost / size, A_ub=-members.astype(float), b_ub=-need.astype(float),
        bounds=np.column_stack([np.zeros(n), size]), method="highs",
    )  # fmt: skip
    assert (found is None) == (truth.status == 2)
    if found is None:
        return
    assert np.all(members @ found.units >= need)
    assert np.all((found.units >= 0) & (found.units <= size))
    paid = float((found.units * cost / size).sum())
    assert abs(paid - truth.fun) < 1e-6
    price, worth = multipliers(nests, found.last, size, cost)
    ledgers = [one.ledger for one in nests]
    assert np.all(price >= 0)
    assert (price @ members[ledgers]).tolist() == worth.tolist()
    reduced = cost * PRICE_SCALE - worth * size
    least = int(price @ need[ledgers]) + int(np.minimum(reduced, 0).sum())
    # Multipliers are rounded down to 1/65,536 k€ a unit.
    assert least <= paid * PRICE_SCALE + 1e-3
    assert least >= paid * PRICE_SCALE - 2 * int(size.sum()) - 1
