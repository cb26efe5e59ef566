"""The most or the least of a quantity: restoration counted, proven, and bounded when stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from brute import KINDS, random_problem
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise import least
from siteselect.optimise.bound import Block, Multipliers, exact_bound
from siteselect.optimise.least import Extreme, least_spent, lowest_cap, most_of, without
from siteselect.optimise.model import compile_model
from siteselect.problem import (
    Budget,
    Constraint,
    Ledger,
    Parcels,
    SelectionProblem,
    Separation,
    violations,
)

EVERY = np.arange(4)
NOTHING = np.zeros(0, np.int64)
MONEY = frozenset({"budget", "ledgers", "programme"})
OTHERS = st.frozensets(st.sampled_from([k for k in KINDS if k != "coverage"]), max_size=5)


def two_of_four(*constraints: Constraint, whole: bool = False) -> SelectionProblem:
    """Sites that charge 5 units each; parcels of 3 and 8 units, 3 k€ a unit and 5 k€ a unit."""
    parcels = Parcels(np.array([3, 8]), np.array([9, 40]), np.full(2, -1, np.int32), whole=whole)
    return SelectionProblem(
        np.arange(4, dtype=np.int32), np.zeros(4, np.int64), 2, parcels=parcels,
        constraints=constraints,
    )  # fmt: skip


@pytest.mark.parametrize(("whole", "spent"), [(False, 7 + 8 + 9 + 5), (True, 7 + 8 + 40)])
def test_the_least_money_pays_for_the_cheapest_restoration(whole: bool, spent: int) -> None:
    """The two cheapest sites, and of the land 4 units are restored: 3 cheap ones, 1 dear one."""
    budget = Budget("budget", np.array([9, 7, 8, 10]), 1)
    land = Ledger("land", "region", "53", EVERY, np.full(4, 5), np.arange(2), 6)
    found = least_spent(two_of_four(budget, land, whole=whole), budget, time_limit_s=20)
    assert found is not None
    assert (found.value, found.bound) == (-spent, -spent)
    assert sorted(found.columns.tolist()) == [1, 2]


@pytest.mark.parametrize(("whole", "cap"), [(False, 10 - 3 - 2), (True, 10 - 3)])
def test_the_lowest_cap_is_what_the_money_can_restore(whole: bool, cap: int) -> None:
    """Beside sites for 14 k€, 19 k€ restore 3 cheap units and 2 of the dear parcel's."""
    budget = Budget("budget", np.full(4, 7), 14 + 9 + 10)
    land = Ledger("land", "region", "53", EVERY, np.full(4, 5), np.arange(2), 0)
    found = lowest_cap(two_of_four(budget, land, whole=whole), land, time_limit_s=20)
    assert found is not None
    assert (found.value, found.bound) == (-cap, -cap)


def test_nothing_where_the_rest_is_impossible() -> None:
    budget = Budget("budget", np.full(4, 7), 14)
    apart = Separation("apart", np.zeros((4, 2), np.int64), 5)
    assert least_spent(two_of_four(budget, apart), budget, time_limit_s=20) is None
    assert most_of(two_of_four(apart), np.ones(4, np.int64), time_limit_s=20) is None


def stop_before_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every optimisation ends after its heuristic, as if time were out."""
    monkeypatch.setattr(least, "deepen", lambda *_args, **_more: "limit")


def extremes(problem: SelectionProblem) -> Iterator[tuple[Extreme | None, Constraint, str]]:
    for one in problem.constraints:
        if isinstance(one, Budget):
            yield least_spent(problem, one, time_limit_s=20), one, "limit_keur"
        if isinstance(one, Ledger):
            yield lowest_cap(problem, one, time_limit_s=20), one, "cap"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), OTHERS, st.frozensets(st.sampled_from(sorted(MONEY)), min_size=1))
def test_stopped_early_the_bound_still_holds(
    seed: int, kinds: frozenset[str], money: frozenset[str]
) -> None:
    problem = random_problem(seed, kinds | money)
    proven = list(extremes(problem))
    with pytest.MonkeyPatch.context() as patch:
        stop_before_the_proof(patch)
        stopped = list(extremes(problem))
    for (full, one, name), (early, _, _) in zip(proven, stopped, strict=True):
        if full is None:
            assert early is None or early.value is None
            continue
        assert full.value == full.bound
        assert early is not None
        assert early.bound >= full.bound
        for found in (full, early):
            if found.value is not None:
                assert found.value <= full.bound
                eased = dataclasses.replace(one, **{name: -found.value})
                free = without(problem, one)
                whole = dataclasses.replace(free, constraints=(*free.constraints, eased))
                assert not violations(whole, found.columns.tolist(), found.restored.tolist())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), OTHERS, st.floats(0, 50))
def test_any_multipliers_bound_the_money(seed: int, kinds: frozenset[str], spread: float) -> None:
    """With restored land in the objective the bound holds for multipliers of any kind."""
    problem = random_problem(seed, kinds | {"budget", "ledgers"})
    budget = next(one for one in problem.constraints if isinstance(one, Budget))
    found = least_spent(problem, budget, time_limit_s=20)
    if found is None or not budget.with_parcels:
        return
    free = dataclasses.replace(without(problem, budget), score=-budget.cost_keur)
    model = compile_model(free)
    price = -problem.parcels.cost_keur[model.parcel_of]
    model = dataclasses.replace(model, parcel_score=price)
    g = np.random.default_rng(seed)
    many = len(model.lower)
    proposed = Multipliers(
        Block(model, np.arange(many)), g.normal(0, spread, many), (), np.zeros(0), NOTHING,
        np.zeros(0),
    )  # fmt: skip
    assert exact_bound(model, proposed, model.state, model.shut).value >= found.bound
