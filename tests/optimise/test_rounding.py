"""Rows of whole choices: they hold for every choice, and they change no answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from test_coverage import towns

from siteselect.optimise import prepare, solve
from siteselect.optimise.rounding import Held, Rounding, roundings
from siteselect.optimise.treesearch import TreeSearch
from siteselect.problem import NO_LOWER, NO_UPPER

SEEDS = st.integers(0, 10**6)


def held_of(x: ArrayLike, z: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Held:
    """Rows from lists, each known by its number."""
    return Held(
        csr_array(np.array(x, np.int64)), csr_array(np.array(z, np.int64)),
        np.array(lower, np.int64), np.array(upper, np.int64), tuple(range(np.shape(x)[0])),
    )  # fmt: skip


def test_by_hand() -> None:
    """3 x0 + 3 x1 ≤ 4 at (2/3, 2/3): divided by 3, no more than one of them: x0 + x1 ≤ 1."""
    held = held_of([[3, 3]], np.zeros((1, 0)), [NO_LOWER], [4])
    found = roundings(held, np.eye(1), np.array([2 / 3, 2 / 3]), np.zeros(0))
    assert len(found) == 1
    row = found[0]
    assert row.columns.tolist() == [0, 1]
    assert row.factor[0] == row.factor[1]
    assert row.upper // row.factor[0] == 1


def test_by_hand_with_restoration() -> None:
    """5 x − 4 z ≤ 2 at x = 0.6, z = 0.25: 3 x ≤ 4 z, and all of x wants three quarters of z."""
    held = held_of([[5]], [[-4]], [NO_LOWER], [2])
    found = roundings(held, np.eye(1), np.array([0.6]), np.array([0.25]))
    assert len(found) == 1
    row = found[0]
    assert -4 * row.factor[0] / row.parcel_factor[0] == pytest.approx(3, rel=1e-5)
    assert row.upper == 0


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 5), st.integers(0, 2))
def test_every_whole_choice_respects_them(seed: int, rows: int, columns: int, parcels: int) -> None:
    """Whatever the multipliers and the point: all choices of 0 or 1, parcels in quarters."""
    g = np.random.default_rng(seed)
    a, d = g.integers(-9, 10, (rows, columns)), g.integers(-9, 10, (rows, parcels))
    upper = np.where(g.random(rows) < 0.8, g.integers(-3, 12, rows), NO_UPPER)
    lower = np.where(g.random(rows) < 0.3, g.integers(-12, 3, rows), NO_LOWER)
    one_sided = (upper == NO_UPPER) & (lower == NO_LOWER)
    upper[one_sided] = 5
    held = held_of(a, d, lower, upper)
    x, z = g.random(columns), g.random(parcels)
    found = roundings(held, g.normal(0, 1, (6, rows)), x, z)
    for row in found:
        assert row.factor @ x[row.columns] + row.parcel_factor @ z[row.parcels] > row.upper
    for choice in itertools.product((0, 1), repeat=columns):
        for share in itertools.product((0, 1, 2, 3, 4), repeat=parcels):
            whole, quarters = np.array(choice), np.array(share, np.int64)
            value = 4 * (a @ whole) + d @ quarters
            if np.any((upper != NO_UPPER) & (value > 4 * upper)) or np.any(
                (lower != NO_LOWER) & (value < 4 * lower)
            ):
                continue
            for row in found:
                left = 4 * (row.factor @ whole[row.columns])
                left += row.parcel_factor @ quarters[row.parcels]
                assert left <= 4 * row.upper


def test_a_row_over_some_of_the_columns() -> None:
    """2 a + 3 b + 4 c + z ≤ 5 where a and d alone are left: 2 a + z ≤ 5; without any, no row."""
    held = held_of([[4, 6, 8, 0]], [[2]], [NO_LOWER], [11])
    why = roundings(held, np.eye(1), np.full(4, 0.9), np.ones(1))[0].why
    whole, one = np.array([0, 1, 2]), np.array([0])
    row = Rounding(whole, np.array([2, 3, 4]), one, np.array([1]), 5, why)
    part = row.among(np.array([0, 3]))
    assert part is not None
    assert (part.columns.tolist(), part.factor.tolist()) == ([0], [2])
    assert (part.parcels.tolist(), part.parcel_factor.tolist(), part.upper) == ([0], [1], 5)
    assert part.why is None  # what it follows from is told over other columns
    assert row.among(np.array([3])) is None
    assert row.among(np.zeros(0, np.int64)) is None


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.frozensets(st.sampled_from(KINDS), max_size=8))
def test_they_change_no_answer(seed: int, kinds: frozenset[str]) -> None:
    """Every search from its first node on with rows of whole choices, against enumeration."""
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("siteselect.optimise.deepen.HARD", 0)
        found = solve(problem, explain=False)
    assert found.objective == truth.value
    if truth.value is not None:
        assert found.status == "optimal"
        assert sorted(problem.site_ids[s] for s in found.chosen) == list(truth.sites)


@pytest.mark.parametrize("seed", [2, 3, 15])
def test_a_search_begun_anew_ends_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    monkeypatch.setattr("siteselect.optimise.search.EASY", 0)
    problem, added = towns(seed, 600, 16), list[int]()
    usual = solve(problem)
    put = TreeSearch._put

    def counted(search: TreeSearch, rows: list[Rounding]) -> int:
        added.append(len(rows))
        return put(search, rows)

    monkeypatch.setattr(TreeSearch, "_put", counted)
    monkeypatch.setattr("siteselect.optimise.seeking.HARD", 3)
    anew = solve(problem)
    assert sum(added) > 0
    assert usual.ties_settled
    assert anew.ties_settled
    assert (usual.objective, usual.chosen.tolist()) == (anew.objective, anew.chosen.tolist())
