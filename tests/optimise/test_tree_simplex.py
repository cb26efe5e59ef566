"""The compiled dual simplex against scipy's linprog, by hand, and against its own inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from siteselect.optimise.tree.basis import (
    COLUMNS,
    CONSTANT,
    LIVE,
    OBJECTIVE,
    ROWS,
    Programme,
    add_column,
    add_row,
    empty,
    invert,
    refresh,
    shrink,
)
from siteselect.optimise.tree.simplex import EMPTY, ENOUGH, LIMIT, OPTIMAL, solve

NEVER = -1e300
Row = tuple[np.ndarray, np.ndarray, float, float]


def programme(cost: np.ndarray, rows: int, entries: int) -> Programme:
    """Columns between 0 and 1, no row yet."""
    lp = empty(len(cost), rows, entries)
    for one in cost.tolist():
        add_column(lp, one, 0.0, 1.0)
    return lp


def random_rows(g: np.random.Generator, n: int, m: int) -> list[Row]:
    """Rows with one side or two, tight at some point or out of reach."""
    rows = []
    for _ in range(m):
        many = int(g.integers(1, n + 1))
        columns = np.sort(g.choice(n, many, replace=False)).astype(np.int64)
        values = g.choice([1.0, 1.0, 0.5, -1.0, 0.3], many) * g.choice([1.0, g.random()])
        at = float(values @ g.random(n)[columns])
        low, high = [(-np.inf, at), (at, np.inf), (at - 0.3, at), (at, at)][g.integers(4)]
        rows.append((columns, values, low, high))
    return rows


def by_linprog(lp: Programme, cost: np.ndarray, rows: list[Row]) -> float | None:
    """The optimum over the bounds that the programme has now; ``None`` where there is none."""
    n = len(cost)
    table = np.zeros((len(rows), n))
    for i, (columns, values, _, _) in enumerate(rows):
        table[i, columns] = values
    low, high = np.array([one[2] for one in rows]), np.array([one[3] for one in rows])
    bounded_above, bounded_below = high < np.inf, low > -np.inf
    found = linprog(
        -cost, np.vstack([table[bounded_above], -table[bounded_below]]),
        np.concatenate([high[bounded_above], -low[bounded_below]]),
        bounds=list(zip(lp.low[:n], lp.high[:n], strict=True)),
    )  # fmt: skip
    assert found.status in (0, 2)
    return None if found.status == 2 else -float(found.fun)


def inverse(lp: Programme) -> np.ndarray:
    """The inverse of the basis written out: columns of rows that are not tight are unit vectors."""
    m, room = int(lp.size[ROWS]), len(lp.first)
    found = np.zeros((m, m))
    for i, place in enumerate(lp.place[room : room + m].tolist()):
        found[:, i] = lp.inverse[i, :m] if place < 0 else np.arange(m) == place
    return found


def check(lp: Programme, cost: np.ndarray, rows: list[Row]) -> None:
    refresh(lp)
    status = solve(lp, 10_000, NEVER, True)
    truth = by_linprog(lp, cost, rows)
    assert status == (EMPTY if truth is None else OPTIMAL)
    if truth is not None:
        assert lp.real[OBJECTIVE] == pytest.approx(truth, abs=1e-7)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9))
def test_rows_added_and_bounds_moved(seed: int) -> None:
    """Warm from one programme to the next, with a new inverse now and then."""
    g = np.random.default_rng(seed)
    n, m = int(g.integers(2, 25)), int(g.integers(1, 14))
    cost, rows = g.normal(size=n), random_rows(g, n, m)
    lp = programme(cost, m, n * m)
    half = m // 2
    for columns, values, low, high in rows[:half]:
        add_row(lp, columns, values, low, high)
    if half:
        check(lp, cost, rows[:half])
    for columns, values, low, high in rows[half:]:
        add_row(lp, columns, values, low, high)
    check(lp, cost, rows)
    for _ in range(4):
        moved = g.choice(n, max(1, n // 3), replace=False)
        lp.low[moved] = g.integers(0, 2, len(moved))
        lp.high[moved] = np.maximum(lp.low[moved], g.integers(0, 2, len(moved)))
        if g.random() < 0.5:
            invert(lp)
        check(lp, cost, rows)


def after_some_steps(g: np.random.Generator, n: int, m: int) -> tuple[Programme, np.ndarray]:
    """A random programme some way to its optimum; its rows over all variables."""
    lp, table = programme(g.normal(size=n), m, n * m), np.zeros((m, n + m))
    for i, (columns, values, low, high) in enumerate(random_rows(g, n, m)):
        add_row(lp, columns, values, low, high)
        table[i, columns], table[i, n + i] = values, 1.0
    refresh(lp)
    solve(lp, int(g.integers(1, 20)), NEVER, True)
    return lp, table


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_the_inverse_is_the_inverse(seed: int) -> None:
    """After some steps and after :func:`invert` alike: inverse × basis = unit matrix."""
    n, m = 12, 8
    lp, table = after_some_steps(np.random.default_rng(seed), n, m)
    for _ in range(2):
        assert inverse(lp) @ table[:, lp.basic] == pytest.approx(np.eye(m), abs=1e-8)
        assert lp.norm == pytest.approx((inverse(lp) ** 2).sum(axis=1))
        assert np.all(lp.place[lp.basic] == np.arange(m))
        invert(lp)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_the_inverse_stays_the_inverse_without_loose_rows(seed: int) -> None:
    """Some rows that are not tight are dropped: basis, norms and sides of the others stay."""
    g, n, m = np.random.default_rng(seed), 12, 9
    lp, table = after_some_steps(g, n, m)
    kept = np.flatnonzero((lp.place[n : n + m] < 0) | (g.random(m) < 0.4))
    lp.some[: len(kept)] = kept
    sides = lp.low[n + kept].copy(), lp.high[n + kept].copy()
    shrink(lp, len(kept))
    m = len(kept)
    assert lp.size[ROWS] == m
    whole = np.hstack([table[kept, :n], np.eye(m)])
    assert inverse(lp) @ whole[:, lp.basic[:m]] == pytest.approx(np.eye(m), abs=1e-8)
    assert lp.norm[:m] == pytest.approx((inverse(lp) ** 2).sum(axis=1))
    assert np.all(lp.place[lp.basic[:m]] == np.arange(m))
    assert np.sum(lp.place[: n + m] >= 0) == m
    assert [lp.low[n : n + m].tolist(), lp.high[n : n + m].tolist()] == [s.tolist() for s in sides]


def knapsack() -> Programme:
    """max 3a + 2b + c where a + b + c ≤ 1.5: 3 + 1 = 4."""
    lp = programme(np.array([3.0, 2.0, 1.0]), 1, 3)
    add_row(lp, np.arange(3), np.ones(3), -np.inf, 1.5)
    refresh(lp)
    return lp


def test_by_hand() -> None:
    lp = knapsack()
    assert solve(lp, 100, NEVER, True) == OPTIMAL
    assert lp.real[OBJECTIVE] == 4.0
    multiplier = -lp.reduced[len(lp.first)]
    assert multiplier == 2.0
    assert lp.reduced[:3].tolist() == [1.0, 0.0, -1.0]


def test_it_ends_where_the_objective_is_low_enough() -> None:
    """All three are worth 6 without the row; one step goes to 4."""
    assert solve(knapsack(), 100, 4.5, True) == ENOUGH
    assert solve(knapsack(), 100, 4.5, False) == OPTIMAL
    assert solve(knapsack(), 0, 4.5, True) == LIMIT


def test_what_nothing_satisfies_has_multipliers_that_show_it() -> None:
    """a + b ≥ 3 over two columns up to 1: along the ray the dual objective falls without end."""
    lp = programme(np.array([3.0, 2.0]), 1, 2)
    add_row(lp, np.arange(2), np.ones(2), 3.0, np.inf)
    refresh(lp)
    assert solve(lp, 100, -50.0, True) == EMPTY
    y = -lp.reduced[len(lp.first)]
    assert y < 0
    assert 3 * y + sum(max(0.0, c - y) for c in (3.0, 2.0)) < -50


def test_columns_left_out_count_in_rows_and_objective() -> None:
    """b stands at 1 outside the programme: a has 0.5 left of the row, and 2 is added."""
    lp = programme(np.array([3.0, 2.0, 1.0]), 1, 2)
    add_row(lp, np.array([0, 2]), np.ones(2), -np.inf, 1.5)
    lp.live[:2], lp.size[LIVE] = [0, 2], 2
    lp.base[0], lp.real[CONSTANT] = 1.0, 2.0
    refresh(lp)
    assert solve(lp, 100, NEVER, True) == OPTIMAL
    assert lp.real[OBJECTIVE] == 3.5
    assert (lp.size[COLUMNS], lp.size[ROWS]) == (3, 1)


def test_a_singular_basis_goes_back_to_the_logicals() -> None:
    lp = programme(np.array([1.0, 1.0]), 2, 4)
    for _ in range(2):
        add_row(lp, np.arange(2), np.ones(2), -np.inf, 1.0)
    lp.basic[:], lp.place[:2], lp.place[2:4] = [0, 1], [0, 1], -1
    invert(lp)
    refresh(lp)
    assert inverse(lp).tolist() == np.eye(2).tolist()
    assert solve(lp, 100, NEVER, True) == OPTIMAL
    assert lp.real[OBJECTIVE] == 1.0
