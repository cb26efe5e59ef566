"""A good choice of whole parcels, and what decides without a list."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import wholeparcels
from siteselect.optimise.forest import nested
from siteselect.optimise.wholelists import NotListedError
from siteselect.optimise.wholeparcels import WholeParcels, _one_or_two, completed


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 8)), min_size=1, max_size=8),
    st.integers(1, 14),
)
def test_one_or_two_by_enumeration(parcels: list[tuple[int, int]], missing: int) -> None:
    size, cost = (np.array(one) for one in zip(*parcels, strict=True))
    taken = _one_or_two(size, cost, missing)
    assert len(set(taken)) == len(taken)
    enough = [
        cost[list(few)].sum()
        for many in (1, 2)
        for few in itertools.combinations(range(len(parcels)), many)
        if size[list(few)].sum() >= missing
    ]
    if enough:
        assert size[taken].sum() >= missing
        assert cost[taken].sum() == min(enough)
    else:
        assert taken == [0]


def test_completed_by_hand() -> None:
    """The region misses 2 of 5: its second parcel; the country then 3 more: the cheapest pair."""
    size, cost = np.array([3, 4, 1, 2, 2]), np.array([1, 6, 2, 5, 6])
    groups = [np.array([0, 1]), np.arange(5)]
    found = completed(
        np.array([True, False, False, False, False]), groups, np.array([5, 10]),
        np.ones(5, bool), size, cost,
    )  # fmt: skip
    assert found.tolist() == [True, True, True, True, False]


def test_what_is_affordable_needs_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any choice that the money pays will do; the cheapest, or none at all, takes a list."""
    asked: list[int] = []
    listed = wholeparcels.listed

    def counted(*given: object, **more: object) -> object:
        asked.append(1)
        return listed(*given, **more)

    monkeypatch.setattr(wholeparcels, "listed", counted)
    size, cost = np.array([2, 3, 4]), np.array([2, 6, 12])
    nests = nested([np.arange(3)], 3)
    parcels, every, need = WholeParcels(size, cost), np.ones(3, bool), np.array([6])
    # 11 k€ in part; completed to all three for 20, while the first and the last are enough.
    good = parcels.chosen(nests, need, every, 20, cheapest=False)
    assert good is not None
    assert good.all()
    assert asked == []
    best = parcels.chosen(nests, need, every, 20, cheapest=True)
    assert best is not None
    assert best.tolist() == [True, False, True]
    assert asked == [1]
    assert parcels.chosen(nests, need, every, 13, cheapest=False) is None
    assert asked == [1, 1]
    assert parcels.chosen(nests, need, every, 10, cheapest=False) is None
    assert parcels.chosen(nests, np.array([10]), every, None, cheapest=False) is None
    assert asked == [1, 1]


def test_where_ledgers_cross_nothing_is_known() -> None:
    one = np.ones(1, np.int64)
    with pytest.raises(NotListedError):
        WholeParcels(one, one).chosen(None, one, np.ones(1, bool), None, cheapest=True)
