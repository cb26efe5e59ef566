"""Rows of whole choices as the auditor derives them: they hold, whatever a proof names."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from siteselect.optimise.rounding import Held, roundings
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.verify.proofmodel import AuditRow, audit_row
from siteselect.verify.proofrounding import whole_rows
from siteselect.verify.prooftree import BadProofError, Given, Part, WholeRow

SEEDS = st.integers(0, 10**9)


def rows_of(x: ArrayLike, z: ArrayLike, lower: list, upper: list) -> list[AuditRow]:
    """Rows from dense factors of columns and parcels."""
    a, d = np.asarray(x, np.int64), np.asarray(z, np.int64)
    return [
        audit_row(f"row {k}", np.arange(a.shape[1]), a[k], lower[k], upper[k],
                  np.arange(d.shape[1]), d[k])
        for k in range(len(a))
    ]  # fmt: skip


def part_of(x: ArrayLike, z: ArrayLike) -> Part:
    """Each column a site of its own."""
    a, d = csr_array(np.asarray(x, np.int64)), csr_array(np.asarray(z, np.int64))
    many = a.shape[1]
    return Part(
        np.arange(many), np.arange(many), np.zeros(many, np.int64), many, a, d, None,
        np.zeros(0, np.int64), np.zeros(many, np.int64), 0,
    )  # fmt: skip


def derived(
    listed: list[dict[str, Any]], x: ArrayLike, z: ArrayLike, lower: list, upper: list
) -> list[WholeRow]:
    part = part_of(x, z)
    given = Given(rows_of(x, z, lower, upper), (), ())
    return whole_rows(listed, part, given, np.arange(x_of(x)), np.arange(x_of(z)))


def x_of(factors: ArrayLike) -> int:
    return int(np.shape(factors)[1])


def test_by_hand() -> None:
    """3 x0 + 3 x1 ≤ 4 divided by 3: 2 x0 + 2 x1 ≤ 2, no more than one of them."""
    one = {"rows": [[0, 1]], "divisor": 3, "by": 1}
    row = derived([one], [[3, 3]], np.zeros((1, 0)), [None], [4])[0]
    assert (row.x.tolist(), row.z.tolist(), row.upper) == ([2, 2], [], 2)


def test_by_hand_with_restoration() -> None:
    """5 x − 4 z ≤ 2 divided by 5: 3 x ≤ 4 z, all of x wants three quarters of z."""
    one = {"rows": [[0, 1]], "divisor": 5, "by": 1}
    row = derived([one], [[5]], [[-4]], [None], [2])[0]
    assert (row.x.tolist(), row.z.tolist(), row.upper) == ([3], [-4], 0)


def test_by_hand_from_below() -> None:
    """At least 4 of 3 x0 + 3 x1: both. Read from below, x replaced by 1 − x: ≤ 2 of 3 gives 0."""
    one = {"rows_below": [[0, -1]], "divisor": 3, "by": 1, "high": [0, 1]}
    row = derived([one], [[3, 3]], np.zeros((1, 0)), [4], [None])[0]
    assert [row.x @ np.array(x) <= row.upper for x in ([1, 1], [1, 0], [0, 0])] == [1, 0, 0]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"rows": [[0, 1]], "divisor": 0, "by": 1}, "divisor 0"),
        ({"rows": [[0, 1]], "divisor": 3, "by": -1}, "divisor 3, -1"),
        ({"rows": [[0, 0.5]], "divisor": 3, "by": 1}, "no whole number"),
        ({"rows": [[1, 1]], "divisor": 3, "by": 1}, "no number 1"),
        ({"rows_below": [[0, 1]], "divisor": 3, "by": 1}, "no such side"),
        ({"roundings": [[0, 1]], "divisor": 3, "by": 1}, "no number 0"),
        ({"rows": [[0, 1]], "divisor": 3, "by": 1, "high": [2]}, "high: no such number"),
        ({"rows": [[0, 2**59]], "divisor": 3, "by": 1}, "numbers too large"),
        ({"rows": [[0, 1]], "divisor": 2**60, "by": 1}, "numbers too large"),
    ],
)
def test_what_is_refused(one: dict[str, Any], said: str) -> None:
    with pytest.raises(BadProofError, match=said):
        derived([one], [[3, 3]], np.zeros((1, 0)), [None], [4])


@settings(max_examples=400, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 5), st.integers(0, 2), st.data())
def test_every_whole_choice_respects_them(
    seed: int, rows: int, columns: int, parcels: int, data: st.DataObject
) -> None:
    """Any weights, sides, divisors and replacements, two rows of them on top of one another."""
    g = np.random.default_rng(seed)
    a, d = g.integers(-9, 10, (rows, columns)), g.integers(-9, 10, (rows, parcels))
    upper = g.integers(-3, 14, rows)
    lower = upper - g.integers(0, 20, rows)
    weight = st.integers(-5, 5)
    listed: list[dict[str, Any]] = []
    for number in range(3):
        one: dict[str, Any] = {
            side: [[k, data.draw(weight)] for k in range(rows)] for side in ("rows", "rows_below")
        }
        one["roundings"] = [[k, data.draw(weight)] for k in range(number)]
        one["high"] = data.draw(st.lists(st.integers(0, columns - 1), unique=True))
        one["high_parcels"] = (
            data.draw(st.lists(st.integers(0, parcels - 1), unique=True)) if parcels else []
        )
        one["divisor"] = data.draw(st.integers(1, 30))
        one["by"] = data.draw(st.integers(1, 4))
        listed.append(one)
    found = derived(listed, a, d, lower.tolist(), upper.tolist())
    for choice in itertools.product((0, 1), repeat=columns):
        for share in itertools.product((0, 1, 2, 3, 4), repeat=parcels):
            whole, quarters = np.array(choice), np.array(share, np.int64)
            value = 4 * (a @ whole) + d @ quarters
            if np.any(value > 4 * upper) or np.any(value < 4 * lower):
                continue
            for row in found:
                assert 4 * (row.x @ whole) + row.z @ quarters <= 4 * row.upper


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 6), st.integers(0, 3))
def test_as_the_search_derives_them(seed: int, rows: int, columns: int, parcels: int) -> None:
    """Written down as a proof would, the rows of the search come out again, to the unit."""
    g = np.random.default_rng(seed)
    a, d = g.integers(-9, 10, (rows, columns)), g.integers(-9, 10, (rows, parcels))
    upper = np.where(g.random(rows) < 0.7, g.integers(-3, 12, rows), NO_UPPER)
    lower = np.where(upper == NO_UPPER, g.integers(-12, 3, rows), NO_LOWER)
    held = Held(csr_array(a), csr_array(d), lower, upper, tuple(range(rows)))
    x, z = g.random(columns), g.random(parcels)
    low = [None if one == NO_LOWER else int(one) for one in lower]
    high = [None if one == NO_UPPER else int(one) for one in upper]
    for row in roundings(held, g.normal(0, 1, (6, rows)), x, z):
        why = row.why
        one: dict[str, Any] = {"divisor": why.divisor, "by": why.by}
        one["high"], one["high_parcels"] = why.high.tolist(), why.high_parcels.tolist()
        for k, weight, above in zip(why.rows, why.weights.tolist(), why.above, strict=True):
            one.setdefault("rows" if above else "rows_below", []).append([k, weight])
        again = derived([one], a, d, low, high)[0]
        assert np.flatnonzero(again.x).tolist() == row.columns.tolist()
        assert again.x[row.columns].tolist() == row.factor.tolist()
        assert np.flatnonzero(again.z).tolist() == row.parcels.tolist()
        assert again.z[row.parcels].tolist() == row.parcel_factor.tolist()
        assert again.upper == row.upper
