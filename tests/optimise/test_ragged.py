"""Places of the entries of some rows, one row behind the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from siteselect.optimise.ragged import ranges, rows_of


def test_by_hand() -> None:
    assert ranges(np.array([7, 2, 4]), np.array([2, 0, 3])).tolist() == [7, 8, 4, 5, 6]
    assert ranges(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


@given(st.lists(st.integers(0, 4), max_size=9), st.data())
def test_rows_in_any_order_and_more_than_once(sizes: list[int], data: st.DataObject) -> None:
    pointers = np.cumsum([0, *sizes]).astype(np.int32)
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=9)) if sizes else []
    found = rows_of(pointers, np.array(rows, np.int64))
    assert found.tolist() == [k for row in rows for k in range(pointers[row], pointers[row + 1])]
