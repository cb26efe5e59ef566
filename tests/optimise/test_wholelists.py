"""Whole parcels for nested ledgers, against every subset of parcels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import wholelists
from siteselect.optimise.forest import Nest, nested
from siteselect.optimise.wholelists import NotListedError, _Choices, _paired, cheapest
from siteselect.optimise.wholelists_kernels import paired

SCALE = 8


@dataclass(frozen=True)
class Case:
    """Parcels, the cheapest per unit first, and ledgers with any multipliers."""

    nests: tuple[Nest, ...]
    size: np.ndarray
    cost: np.ndarray
    members: np.ndarray
    need: np.ndarray
    price: np.ndarray

    @property
    def reduced(self) -> np.ndarray:
        return self.cost * SCALE - (self.price @ self.members) * self.size

    @property
    def bound(self) -> int:
        return int(self.need @ self.price) + int(np.minimum(self.reduced, 0).sum())

    def cheapest(self, money: int, *, compiled: bool = False) -> np.ndarray | None:
        """The cheapest choice worth at most so much."""
        order = [nest.ledger for nest in self.nests]
        return cheapest(
            self.nests, self.size, self.cost, self.reduced, np.ones(len(self.size), bool),
            self.need[order], self.price[order], money * SCALE - self.bound, compiled=compiled,
        )  # fmt: skip


def case_of(size, cost, members, need, price) -> Case:
    nests = nested([np.flatnonzero(one) for one in members], len(size))
    assert nests is not None
    return Case(nests, size, cost, members, need, price)


def made(seed: int) -> Case:
    """Two regions inside one programme, up to 9 parcels, any multipliers."""
    g = np.random.default_rng(seed)
    n = int(g.integers(1, 10))
    size, cost = g.integers(1, 9, n), g.integers(0, 30, n)
    order = np.argsort(cost / size, kind="stable")
    side = g.integers(0, 3, n)
    members = np.array([side == 0, side == 1, side >= 0])[g.permutation(3)]
    need, price = g.integers(0, 12, 3), g.integers(0, 4 * SCALE, 3)
    return case_of(size[order], cost[order], members, need, price)


def by_enumeration(case: Case) -> int | None:
    """The least cost over all subsets."""
    costs = []
    for bits in itertools.product((False, True), repeat=len(case.size)):
        taken = np.array(bits)
        if np.all(case.members[:, taken] @ case.size[taken] >= case.need):
            costs.append(int(case.cost[taken].sum()))
    return min(costs, default=None)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 60))
def test_every_subset(seed: int, money: int) -> None:
    """With a room up to ``money`` the least cost is found when it is no dearer."""
    case = made(seed)
    taken, compiled = case.cheapest(money), case.cheapest(money, compiled=True)
    assert (taken is None) == (compiled is None)
    assert taken is None or taken.tolist() == compiled.tolist()
    truth = by_enumeration(case)
    if truth is None or (truth > money and taken is None):
        assert taken is None
        return
    assert taken is not None
    assert np.all(case.members[:, taken] @ case.size[taken] >= case.need)
    if truth <= money:
        assert int(case.cost[taken].sum()) == truth


@pytest.mark.parametrize("compiled", [False, True])
def test_by_hand(compiled: bool) -> None:
    """Need 5 in all, 3 in the region (the last parcel alone): 4 + 1 for 9 k€ beats 4 + 2."""
    size, cost = np.array([1, 2, 4]), np.array([1, 2, 8])
    members = np.array([[False, False, True], [True, True, True]])
    case = case_of(size, cost, members, np.array([3, 5]), np.zeros(2, np.int64))
    assert case.cheapest(9, compiled=compiled).tolist() == [True, False, True]
    assert case.cheapest(8, compiled=compiled) is None


@pytest.mark.parametrize("compiled", [False, True])
def test_more_parcels_than_a_word_has_bits(compiled: bool) -> None:
    """Seventy parcels of one unit in each of two regions inside a programme with sixty more.

    Each region needs all of its parcels but one, the programme 150: the dearest of each region is
    left, and of the programme's own the twelve cheapest are taken.
    """
    size = np.ones(200, np.int64)
    region = np.arange(200) % 10
    members = np.array([region < 3.5, region > 6.5, region >= 0])
    members[0, 180:] = members[1, 180:] = False
    cost = np.sort(np.random.default_rng(7).choice(10_000, 200, replace=False))
    mine = [np.flatnonzero(members[0]), np.flatnonzero(members[1])]
    need = np.array([len(mine[0]) - 1, len(mine[1]) - 1, 150])
    case = case_of(size, cost, members, need, np.array([3, 0, 9]) * SCALE)
    wanted = np.zeros(200, bool)
    wanted[mine[0][:-1]] = wanted[mine[1][:-1]] = True
    rest = [r for r in range(200) if not wanted[r]]
    wanted[rest[: 150 - int(wanted.sum())]] = True
    best = int(cost[wanted].sum())
    taken = case.cheapest(best, compiled=compiled)
    assert taken is not None
    assert taken.tolist() == wanted.tolist()
    assert case.cheapest(best - 1, compiled=compiled) is None


@pytest.mark.parametrize("compiled", [False, True])
def test_too_many_to_list(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholelists, "MOST_CHOICES", 3)
    size = 2 ** np.arange(6)
    case = case_of(size, size, np.ones((1, 6), bool), np.array([33]), np.zeros(1, np.int64))
    with pytest.raises(NotListedError):
        case.cheapest(60, compiled=compiled)


def staircase(g: np.random.Generator, many: int, dearest: int) -> tuple[np.ndarray, ...]:
    """A list as the search keeps it: cheapest first, each restoring more than all before."""
    units = np.cumsum(g.integers(1, 50, many))
    cost = np.sort(g.choice(dearest, many, replace=False))
    taken = g.integers(0, 2**63, (many, 3)).astype(np.uint64)
    return units, cost, g.integers(0, 1_000, many), taken


@pytest.mark.parametrize("dearest", [400, 30_000, 900_000])
@pytest.mark.parametrize("room", [0, 300, 900, 5_000])
def test_pairs_of_long_lists_alike(dearest: int, room: int) -> None:
    """Compiled they are sorted out by ranges of costs first."""
    g = np.random.default_rng(dearest + room)
    first, second = staircase(g, 150, dearest), staircase(g, 90, dearest)
    plain = _paired(_Choices(*first), _Choices(*second), room)
    for ours, theirs in zip(
        paired(first, second, 0, room),
        (plain.units, plain.cost, plain.penalty, plain.taken),
        strict=True,
    ):
        assert ours.tolist() == theirs.tolist()
