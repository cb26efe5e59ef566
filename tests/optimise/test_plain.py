"""The plain model in CP-SAT: against enumeration, exact to the last fraction, honest at a limit."""

from __future__ import annotations

import os
import signal
import threading
from fractions import Fraction

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration, with_workforce
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from test_interrupt import dense

from siteselect.errors import VerificationError
from siteselect.optimise import plain, plainmodel, solve, solve_plainly
from siteselect.optimise.plainmodel import Term, add_row
from siteselect.problem import (
    Budget,
    Coverage,
    Group,
    Ledger,
    Parcels,
    SelectionProblem,
    objective,
    restoration_cost,
    violations,
)


def check(problem: SelectionProblem) -> None:
    truth = solve_by_enumeration(problem)
    found = solve_plainly(problem)
    if truth.value is None:
        assert found.status == "infeasible"
        assert (found.objective, found.bound, len(found.chosen)) == (None, None, 0)
        return
    assert found.status == "optimal"
    assert found.objective == found.bound == truth.value
    assert objective(problem, found.columns.tolist()) == truth.value
    assert violations(problem, found.columns.tolist(), found.restored.tolist()) == ()
    assert problem.site[found.columns].tolist() == found.chosen.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_apart(kind: str) -> None:
    for seed in range(20):
        check(random_problem(seed, frozenset({kind})))
        check(with_workforce(random_problem(seed, frozenset({kind})), seed))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=8), st.booleans())
def test_kinds_together(seed: int, kinds: frozenset[str], workforce: bool) -> None:
    problem = random_problem(seed, kinds)
    check(with_workforce(problem, seed) if workforce else problem)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=6), st.integers(10, 18)
)
def test_rows_in_limbs_are_the_same_rows(seed: int, kinds: frozenset[str], bits: int) -> None:
    """As if CP-SAT counted to a few thousand only: every row of figures is split, none changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plainmodel, "LARGEST", 2**bits)
        check(random_problem(seed, kinds | {"budget", "ledgers"}))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(2**90), 2**90), st.integers(0, 7)), min_size=1, max_size=5),
    st.integers(-2, 2),
    st.booleans(),
)
def test_sums_of_any_size_are_compared_exactly(
    terms: list[tuple[int, int]], off: int, below: bool
) -> None:
    """Every variable fixed, the bound one off the sum or on it: only the exact sum decides."""
    model = cp_model.CpModel()
    fixed = [Term(a, model.new_int_var(v, v, ""), v) for a, v in terms]
    total = sum(a * v for a, v in terms)
    add_row(model, fixed, *((None, total + off) if below else (total - off, None)))
    held = cp_model.CpSolver().solve(model) != cp_model.INFEASIBLE
    assert held == (off >= 0)


PRIMES = (1_000_000_007, 1_000_000_009, 1_000_000_021)


def three_fractions(side: int) -> tuple[SelectionProblem, Fraction]:
    """One unit of three parcels must be restored: the costs sum to a whole number + side / Π.

    The budget is the whole number next to it. Π of the three primes has 90 bits.
    """
    product = PRIMES[0] * PRIMES[1] * PRIMES[2]
    cost = [side * pow(product // one, -1, one) % one for one in PRIMES]
    spent = sum((Fraction(c, one) for c, one in zip(cost, PRIMES, strict=True)), Fraction(0))
    assert abs(spent - round(spent)) == Fraction(1, product)
    one = np.zeros(1, np.int64)
    ledgers = [
        Ledger(f"land {r}", "commune", str(r), one, one + 1, np.array([r]), 0) for r in range(3)
    ]
    problem = SelectionProblem(
        np.zeros(1, np.int32), np.ones(1, np.int64), 1,
        parcels=Parcels(np.array(PRIMES), np.array(cost), np.full(3, -1, np.int32)),
        constraints=(*ledgers, Budget("budget", one, round(spent))),
    )  # fmt: skip
    return problem, spent


@pytest.mark.parametrize(("side", "status"), [(-1, "optimal"), (1, "infeasible")])
def test_a_budget_in_fractions_is_never_rounded(side: int, status: str) -> None:
    """10⁻²⁷ k€ under the limit is under it, 10⁻²⁷ k€ over it is over it."""
    problem, spent = three_fractions(side)
    found = solve_plainly(problem)
    assert found.status == solve(problem, explain=False).status == status
    if status == "optimal":
        assert found.restored.tolist() == [1, 1, 1]
        assert restoration_cost(problem, found.restored.tolist()) == spent


def test_points_reached_by_the_same_sites_are_one_variable() -> None:
    """Points 0 and 2 are reached by site 0 alone; point 3 by none, point 4 is worth nothing."""
    cover = Coverage(np.array([0, 4, 6]), np.array([0, 1, 2, 4, 1, 4]), np.array([3, 5, 4, 9, 0]))
    problem = SelectionProblem(np.arange(2, dtype=np.int32), np.array([0, 6]), 1, coverage=cover)
    kinds = [one.name for one in plainmodel.plain_model(problem).model.proto.variables]
    assert kinds.count("y") == 3  # 3 + 4 together, 5, and 9 that nothing reaches
    found = solve_plainly(problem)
    assert (found.chosen.tolist(), found.objective) == ([0], 12)


def test_the_same_every_time() -> None:
    problem = random_problem(5, frozenset({"ties", "ledgers", "group"}))
    first, second = (solve_plainly(problem) for _ in range(2))
    assert first.columns.tolist() == second.columns.tolist()
    assert first.restored.tolist() == second.restored.tolist()
    assert not first.ties_settled
    assert (first.info["bound_by"], first.info["certified"]) == ("CP-SAT", False)


def test_no_row_that_can_hold_is_said() -> None:
    nobody = Group("nobody", np.zeros(0, np.int64), 1)
    problem = SelectionProblem(np.arange(2, dtype=np.int32), np.ones(2, np.int64), 1,
                               constraints=(nobody,))  # fmt: skip
    assert solve_plainly(problem).status == "infeasible"


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_at_a_limit_the_bound_still_holds(limit: float) -> None:
    problem = dense(500)
    found = solve_plainly(problem, time_limit_s=limit)
    assert found.status == "limit"
    assert found.bound is not None
    if found.objective is None:
        assert len(found.columns) == 0
        return
    assert violations(problem, found.columns.tolist(), []) == ()
    assert objective(problem, found.columns.tolist()) == found.objective <= found.bound


def test_an_interrupt_returns_what_cp_sat_has() -> None:
    problem = dense(500)
    alarm = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    alarm.start()
    try:
        found = solve_plainly(problem, time_limit_s=60)
    finally:
        alarm.cancel()
    assert found.status == "interrupted"
    if found.objective is not None:
        assert violations(problem, found.columns.tolist(), []) == ()


def test_what_does_not_hold_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_problem(1, frozenset({"group"}))
    assert solve_plainly(problem).proven
    monkeypatch.setattr(plain, "objective", lambda *_: 10**6)
    with pytest.raises(VerificationError):
        solve_plainly(problem)
