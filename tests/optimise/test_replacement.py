"""What each site is worth to the portfolio: exact, and the same on any number of threads."""

from __future__ import annotations

import dataclasses
import threading
import time
from importlib import import_module

import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration, with_workforce
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coverage import towns

from siteselect.optimise import Replacement, replacement_costs, solve
from siteselect.optimise.branching import Pseudocosts
from siteselect.problem import Locks, SelectionProblem


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=6))
def test_replacement_costs_by_enumeration(seed: int, kinds: frozenset[str]) -> None:
    costs_are_those_of_enumeration(random_problem(seed, kinds - {"locks"}))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=6), st.integers(0, 2)
)  # fmt: skip
def test_replacement_costs_beyond_the_columns_near(
    seed: int, kinds: frozenset[str], near: int
) -> None:
    """The searches among few columns find nothing, or too little: the others are searched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("siteselect.optimise.outlook.NEAR", near)
        patch.setattr("siteselect.optimise.outlook.HELD", 1)
        costs_are_those_of_enumeration(random_problem(seed, kinds - {"locks"}))


@pytest.mark.parametrize("near", [0, 1, 2, 20])
def test_replacement_costs_of_medium_problems(near: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a whole solve without each site: few columns near, many that are as good."""
    monkeypatch.setattr("siteselect.optimise.outlook.NEAR", near)
    monkeypatch.setattr("siteselect.optimise.outlook.HELD", max(1, near))
    for problem in (towns(1, 120, 8), towns(4, 160, 10)):
        found = solve(problem)
        for one in replacement_costs(problem, found):
            out = Locks("out", np.zeros(0, np.int64), np.array([one.site]))
            without = dataclasses.replace(problem, constraints=(*problem.constraints, out))
            truth = solve(without, ties=False)
            assert one.status == "optimal"
            assert truth.objective is not None
            assert one.cost == found.objective - truth.objective


def costs_are_those_of_enumeration(problem: SelectionProblem) -> None:
    found = solve(problem, explain=False)
    for one in replacement_costs(problem, found):
        out = Locks("out", np.zeros(0, np.int64), np.array([one.site]))
        without = dataclasses.replace(problem, constraints=(*problem.constraints, out))
        truth = solve_by_enumeration(without)
        if truth.value is None:
            assert one.status == "infeasible"
            continue
        assert one.status == "optimal"
        assert one.cost == one.least_cost == found.objective - truth.value
        assert one.site in one.leaving
        assert one.site not in one.entering


@pytest.mark.parametrize("kinds", [{"group", "budget"}, {"coverage", "separation"}, {"workers"}])
def test_a_relaxation_that_was_kept_changes_no_cost(kinds: set[str]) -> None:
    for seed in range(6):
        problem = random_problem(seed, frozenset(kinds - {"workers"}))
        if "workers" in kinds:
            problem = with_workforce(problem, seed)
        cold, warm = solve(problem, explain=False), solve(problem, explain=False, keep=True)
        assert cold.kept is None
        if warm.objective is None:
            continue
        assert warm.kept is not None
        costs = [(one.site, one.status, one.cost) for one in replacement_costs(problem, cold)]
        again = [(one.site, one.status, one.cost) for one in replacement_costs(problem, warm)]
        assert costs == again


def test_a_relaxation_that_was_kept_is_not_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = SelectionProblem.from_arrays([9, 8, 5, 1], count=2)
    cold, warm = solve(problem), solve(problem, keep=True)
    asked = []
    sift = import_module("siteselect.optimise.replacement").sift

    def counted(model: object, **more: object) -> object:
        asked.append(model)
        return sift(model, **more)

    monkeypatch.setattr("siteselect.optimise.replacement.sift", counted)
    assert [one.cost for one in replacement_costs(problem, warm)] == [4, 3]
    assert not asked
    assert [one.cost for one in replacement_costs(problem, cold)] == [4, 3]
    assert len(asked) == 1


def test_a_relaxation_kept_of_another_problem_is_not_used() -> None:
    """With a score changed in place of the problem, the costs are those of the new one."""
    problem = SelectionProblem.from_arrays([9, 8, 5, 1], count=2)
    other = SelectionProblem.from_arrays([9, 8, 7, 1], count=2)
    found = solve(problem, keep=True)
    assert [one.cost for one in replacement_costs(problem, found)] == [4, 3]
    assert [one.cost for one in replacement_costs(other, found)] == [2, 1]


def test_a_group_that_leaves_no_survivor() -> None:
    """Found by hypothesis: after a site is taken away no column survived the first gap."""
    problem = random_problem(89, frozenset({"group", "either"}))
    found = solve(problem)
    assert [one.status for one in replacement_costs(problem, found)]


def whole(found: tuple[Replacement, ...]) -> list[tuple]:
    return [
        (one.site, one.status, one.cost, one.least_cost, one.entering.tolist(),
         one.leaving.tolist())
        for one in found
    ]  # fmt: skip


def coarse(seed: int, covered: bool) -> SelectionProblem:
    """Few different scores: many portfolios are worth as much."""
    problem = towns(seed, 120, 10)
    cover = problem.coverage
    assert cover is not None
    rounded = dataclasses.replace(cover, weights=cover.weights // 30)
    return dataclasses.replace(
        problem, score=problem.score // 1_000, coverage=rounded if covered else None
    )


@pytest.mark.parametrize(("seed", "covered"), [(2, False), (3, False), (0, True), (4, True)])
def test_any_number_of_threads_finds_the_same_portfolios(
    seed: int, covered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the costs alone: who comes in depends on what the searches knew of each other."""
    problem = coarse(seed, covered)
    found = solve(problem)
    alone = whole(replacement_costs(problem, found, workers=1))
    assert len(alone) == 10
    for workers in (2, 3, 8):
        assert whole(replacement_costs(problem, found, workers=workers)) == alone
    monkeypatch.setattr("siteselect.optimise.replacement.AHEAD", 1)
    other = whole(replacement_costs(problem, found))
    assert [one[:4] for one in other] == [one[:4] for one in alone]
    assert other != alone


def test_searches_do_run_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = towns(1, 120, 8)
    found = solve(problem)
    module = import_module("siteselect.optimise.replacement")
    deepen, both, threads = module.deepen, threading.Barrier(2, timeout=20), set()

    def deepened(*given: object, **more: object) -> object:
        if len(threads) < 2:
            threads.add(threading.get_ident())
            both.wait()
        return deepen(*given, **more)

    monkeypatch.setattr(module, "deepen", deepened)
    assert all(one.status == "optimal" for one in replacement_costs(problem, found, workers=2))
    assert len(threads) == 2


def test_an_interrupt_ends_the_searches_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those on other threads see that there is no time left."""
    problem = towns(1, 120, 8)
    found = solve(problem)
    module = import_module("siteselect.optimise.replacement")
    deepen, make, runs, ended = module.deepen, module.Run, [], []

    def made(*given: object) -> object:
        runs.append(make(*given))
        return runs[-1]

    def endless(run: object, *given: object, **more: object) -> object:
        if run is runs[0]:
            return deepen(run, *given, **more)
        while not run.stop():
            time.sleep(0.01)
        ended.append(run)
        return "limit"

    def interrupted(stage: str, share: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "deepen", endless)
    monkeypatch.setattr(module, "Run", made)
    before, start = threading.active_count(), time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        replacement_costs(problem, found, time_limit_s=60, workers=2, progress=interrupted)
    assert time.perf_counter() - start < 30
    assert ended
    assert threading.active_count() == before


def test_what_two_copies_learn_adds_up() -> None:
    shared = Pseudocosts.empty(2, nodes=5)
    shared.note(0, 1, 2.0)
    before, one, other = shared.copy(), shared.copy(), shared.copy()
    one.note(0, 1, 4.0)
    other.note(1, 0, 3.0)
    one.nodes, other.nodes = 9, 6
    shared.add(other, before)
    shared.add(one, before)
    assert shared.total.tolist() == [[0, 6], [3, 0]]
    assert shared.count.tolist() == [[0, 2], [1, 0]]
    assert shared.nodes == 10
    assert before.total.tolist() == [[0, 2], [0, 0]]


def test_out_of_time_every_cost_lies_between_two_that_hold() -> None:
    problem = towns(1, 120, 8)
    found = solve(problem)
    exact = {one.site: one.cost for one in replacement_costs(problem, found)}
    for one in replacement_costs(problem, found, time_limit_s=0.0):
        assert one.status in ("limit", "optimal")
        assert one.least_cost <= exact[one.site]
        assert one.cost is None or one.cost >= exact[one.site]
