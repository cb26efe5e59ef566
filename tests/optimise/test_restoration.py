"""The cheapest restoration, against enumeration and by hand."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
from brute import random_problem
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise.restoration import Restorer
from siteselect.problem import Budget, Ledger, Parcels, SelectionProblem, restoration_cost


def by_hand(*, whole: bool, limit: int = 100) -> Restorer:
    """One column that charges 5; region cap 2, programme cap 0; parcels 4 units at 8 and 3 at 3.

    Parcel 0 lies in the region, parcel 1 outside. 3 units are needed in the region, 5 in all.
    """
    ledgers = (
        Ledger("region", "region", "53", np.array([0]), np.array([5]), np.array([0]), 2),
        Ledger("programme", "programme", "", np.array([0]), np.array([5]), np.arange(2), 0),
    )
    parcels = Parcels(np.array([4, 3]), np.array([8, 3]), np.full(2, -1, np.int32), whole)
    budget = Budget("budget", np.array([1]), limit)
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1, parcels=parcels,
        constraints=(*ledgers, budget),
    )  # fmt: skip
    return Restorer(problem)


def test_in_part_by_hand() -> None:
    found = by_hand(whole=False).restore(np.array([0]))
    assert found is not None
    assert found.units.tolist() == [3, 2]  # 3 at 2 k€ in the region, 2 at 1 k€ elsewhere
    assert found.cost_keur == Fraction(8)


def test_whole_by_hand() -> None:
    found = by_hand(whole=True).restore(np.array([0]))
    assert found is not None
    assert found.units.tolist() == [4, 3]
    assert found.cost_keur == 11


@pytest.mark.parametrize(("whole", "least"), [(False, 9), (True, 12)])
def test_the_budget_decides_to_the_last_keur(whole: bool, least: int) -> None:
    assert by_hand(whole=whole, limit=least).restore(np.array([0])) is not None
    assert by_hand(whole=whole, limit=least - 1).restore(np.array([0])) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_cheapest_by_enumeration(seed: int, whole: bool, budget: bool) -> None:
    kinds = {"ledgers", "programme", "on_site"} | ({"whole"} if whole else set())
    problem = random_problem(seed, frozenset(kinds | ({"budget"} if budget else set())))
    g = np.random.default_rng(seed)
    chosen = np.sort(g.choice(problem.n_columns, problem.count, False))
    found = Restorer(problem).restore(chosen)
    costs = [cost for units, cost in feasible_restorations(problem, chosen)]
    if not costs:
        assert found is None
        return
    assert found is not None
    assert found.cost_keur == min(costs)
    assert restoration_cost(problem, found.units.tolist()) == found.cost_keur
    assert tuple(found.units.tolist()) in {u for u, _ in feasible_restorations(problem, chosen)}


def feasible_restorations(problem: SelectionProblem, chosen: np.ndarray):
    parcels = problem.parcels
    sites = set(problem.site[chosen].tolist())
    steps = [
        [0]
        if int(parcels.on_site[r]) in sites
        else ([0, int(d)] if parcels.whole else range(int(d) + 1))
        for r, d in enumerate(parcels.capacity)
    ]
    for units in itertools.product(*steps):
        cost = restoration_cost(problem, units)
        if all(_respects(one, chosen, units, cost) for one in problem.constraints):
            yield units, cost


def _respects(one, chosen: np.ndarray, units: tuple[int, ...], cost: Fraction) -> bool:
    if isinstance(one, Ledger):
        charge = sum(int(a) for j, a in zip(one.columns, one.charge, strict=True) if j in chosen)
        return charge - sum(units[r] for r in one.parcels) <= one.cap
    if isinstance(one, Budget):
        spent = int(one.cost_keur[chosen].sum())
        return spent + (cost if one.with_parcels else 0) <= one.limit_keur
    return True


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_whole_parcels_many_in_two_levels(seed: int) -> None:
    """Thirty parcels in three regions: CP-SAT after fixing equals dynamic programming."""
    g = np.random.default_rng(seed)
    size, cost = g.integers(1, 9, 30), g.integers(1, 40, 30)
    need = [int(v) for v in g.integers(0, 12, 3)]
    total = sum(need) + int(g.integers(0, 12))
    regions = [np.arange(k, 30, 3) for k in range(3)]
    one = np.array([0])
    ledgers = [
        Ledger(f"r{k}", "region", str(k), one, np.array([need[k]]), regions[k], 0) for k in range(3)
    ]
    ledgers.append(Ledger("p", "programme", "", one, np.array([total]), np.arange(30), 0))
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1,
        parcels=Parcels(size, cost, np.full(30, -1, np.int32), whole=True),
        constraints=tuple(ledgers),
    )  # fmt: skip
    found = Restorer(problem).restore(one)
    assert found is not None
    assert found.cost_keur == _by_tables(size, cost, regions, need, total)


def _by_tables(size, cost, regions, need, total) -> int:
    """Cheapest cost of at least v units, region by region, then combined."""
    top = int(size.sum())
    whole = {0: 0}
    for own, wanted in zip(regions, need, strict=True):
        table = {0: 0}
        for r in own.tolist():
            for v, c in list(table.items()):
                key = min(top, v + int(size[r]))
                table[key] = min(table.get(key, 10**9), c + int(cost[r]))
        table = {v: c for v, c in table.items() if v >= wanted}
        merged: dict[int, int] = {}
        for v, c in whole.items():
            for w, d in table.items():
                merged[v + w] = min(merged.get(v + w, 10**9), c + d)
        whole = merged
    return min(c for v, c in whole.items() if v >= total)


def test_where_ledgers_cross_the_budget_decides_to_the_last_fraction() -> None:
    """A unit of the third parcel counts in both ledgers and costs 1 k€; one of each other parcel
    costs a millionth more together, and a millionth less where each is rounded down.
    """
    one = np.array([0])
    ledgers = (
        Ledger("commune", "commune", "1", one, np.array([1]), np.array([0, 2]), 0),
        Ledger("scot", "scot", "2", one, np.array([1]), np.array([1, 2]), 0),
    )
    parcels = Parcels(np.array([1001, 1041, 1]), np.array([976, 26, 1]), np.full(3, -1, np.int32))
    dear = restoration_cost(SelectionProblem(one, one, 1, parcels=parcels), [1, 1, 0])
    assert dear == 1 + Fraction(1, 1001 * 1041)
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1, parcels=parcels,
        constraints=(*ledgers, Budget("budget", np.zeros(1, np.int64), 1)),
    )  # fmt: skip
    found = Restorer(problem).restore(one)
    assert found is not None
    assert (found.units.tolist(), found.cost_keur) == ([0, 0, 1], 1)
    poor = Budget("budget", one, 0)
    broke = dataclasses.replace(problem, constraints=(*ledgers, poor))
    assert Restorer(broke).restore(one) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_ledgers_that_cross_by_enumeration(seed: int, whole: bool, cheapest: bool) -> None:
    """Any two ledgers over five parcels, with a budget or without."""
    g = np.random.default_rng(seed)
    one = np.array([0])
    inside = [np.flatnonzero(g.random(5) < 0.6) for _ in range(2)]
    ledgers = tuple(
        Ledger(f"l{k}", "scot", str(k), one, np.array([int(g.integers(0, 6))]), inside[k], 0)
        for k in range(2)
    )
    budget = (Budget("budget", np.zeros(1, np.int64), int(g.integers(2, 25))),)
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1,
        parcels=Parcels(g.integers(1, 4, 5), g.integers(0, 12, 5), np.full(5, -1, np.int32), whole),
        constraints=(*ledgers, *(budget if g.random() < 0.5 else ())),
    )  # fmt: skip
    found = Restorer(problem).restore(one, cheapest=cheapest)
    possible = dict(feasible_restorations(problem, one))
    assert (found is None) == (not possible)
    if found is not None:
        assert possible[tuple(found.units.tolist())] == found.cost_keur
        # In part CP-SAT counts in millionths of k€ a unit.
        room = 0 if whole else Fraction(20, 1_000_000)
        assert not cheapest or found.cost_keur <= min(possible.values()) + room
