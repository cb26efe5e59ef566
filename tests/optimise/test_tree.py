"""The compiled search beside the one in Python and enumeration; with hardly any room; its bound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numba
import numpy as np
import pytest
from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from medium import medium_problem
from scipy.sparse import csr_array
from test_coverage import towns
from test_medium import SIZES

from siteselect.optimise import nodesearch, prepare, solve, treesearch
from siteselect.optimise.model import Model, compile_model, least_value
from siteselect.optimise.presolve import presolved
from siteselect.optimise.seeking import Outcome
from siteselect.optimise.solution import Solution
from siteselect.optimise.tree import bound, planting
from siteselect.optimise.tree.basis import AT_HIGH, OBJECTIVE, ROWS
from siteselect.optimise.tree.branching import beside
from siteselect.optimise.tree.state import (
    BOUND,
    COVER,
    FLOOR,
    FREE,
    FULL,
    KIND,
    LOOP,
    OFFSET,
    PAUSE,
    PHASE,
    ROOT,
    UNIT,
    WAITING,
)
from siteselect.problem import Budget, Ledger, Locks, Parcels, SelectionProblem

bounded = numba.njit(lambda tree: bound.bounded(tree))


def answer(found: Solution) -> tuple[str, int | None, list[int]]:
    return found.status, found.objective, found.chosen.tolist()


@pytest.fixture(autouse=True)
def _from_the_first_node_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search is compiled where it can be."""
    prepare()
    monkeypatch.setattr("siteselect.optimise.search.EASY", 0)


def in_python(problem: SelectionProblem) -> Solution:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("siteselect.optimise.search.plantable", lambda model: False)
        return solve(problem, explain=False)


def check(problem: SelectionProblem) -> None:
    truth, found = solve_by_enumeration(problem), solve(problem, explain=False)
    assert found.status == ("infeasible" if truth.value is None else "optimal")
    assert found.objective == found.bound == truth.value
    ids = tuple(sorted(problem.site_ids[s] for s in found.chosen.tolist()))
    assert ids == (truth.sites if truth.value is not None else ())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_apart(kind: str) -> None:
    for seed in range(12):
        check(random_problem(seed, frozenset({kind})))


def test_kinds_together() -> None:
    """``test_solve`` asks the same of the search in Python; here with kinds by a fixed seed."""
    g = np.random.default_rng(5)
    for seed in range(300):
        kinds = g.choice(KINDS, int(g.integers(0, 9)), replace=False)
        check(random_problem(seed, frozenset(kinds.tolist())))


def test_one_kind_of_arrays_is_compiled_for() -> None:
    """Another would be compiled for anew, for a minute."""
    solve(towns(2, 600, 16))
    solve(medium_problem(SIZES["whole"], 0), explain=False)
    assert len(treesearch.advance.signatures) == 1


@pytest.mark.parametrize(("easy", "long"), [(4, 1_000), (5, 4)])
def test_the_first_nodes_are_opened_in_python(
    easy: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiled search takes over after as many as there may be; the answer is the same."""
    problem, ran, run = towns(3, 600, 16), list[str](), nodesearch.NodeSearch.run
    usual = solve(problem)

    def counted(search: nodesearch.NodeSearch) -> Outcome:
        outcome = run(search)
        ran.append(f"python {outcome.nodes}")
        return outcome

    def compiled(tree: planting.Tree, steps: int) -> int:
        ran.append("compiled")
        return treesearch_advance(tree, steps)

    treesearch_advance = treesearch.advance
    monkeypatch.setattr(nodesearch.NodeSearch, "run", counted)
    monkeypatch.setattr(treesearch, "advance", compiled)
    monkeypatch.setattr("siteselect.optimise.search.EASY", easy)
    monkeypatch.setattr("siteselect.optimise.search.LONG", long)
    other = solve(problem)
    assert ran[0].startswith("python")
    assert ran[-1] == "compiled"
    assert not any(one.startswith("python") for one in ran[ran.index("compiled") :])
    assert answer(other) == answer(usual)


@pytest.mark.parametrize(("worth", "compiled"), [(30, True), (1_500, False)])
def test_compiling_must_be_worth_it(
    worth: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is compiled yet a search goes on in Python for long."""
    problem, ran, advance = towns(3, 600, 16), list[int](), treesearch.advance
    usual = solve(problem)

    def counted(tree: planting.Tree, steps: int) -> int:
        ran.append(steps)
        return advance(tree, steps)

    monkeypatch.setattr(treesearch, "advance", counted)
    monkeypatch.setattr("siteselect.optimise.search.ready", lambda: False)
    monkeypatch.setattr("siteselect.optimise.search.WORTH_COMPILING", worth)
    assert answer(solve(problem)) == answer(usual)
    assert bool(ran) == compiled


def test_without_time_to_compile_it_stays_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(tree: planting.Tree, steps: int) -> int:
        raise AssertionError

    usual = solve(towns(3, 600, 16))
    monkeypatch.setattr(treesearch, "advance", never)
    monkeypatch.setattr("siteselect.optimise.search.ready", lambda: False)
    monkeypatch.setattr("siteselect.optimise.search.WORTH_COMPILING", 0)
    assert answer(solve(towns(3, 600, 16), time_limit_s=60)) == answer(usual)
    with pytest.raises(AssertionError):
        solve(towns(3, 600, 16))


@pytest.mark.parametrize("size", sorted(SIZES))
@pytest.mark.parametrize("seed", [0, 1])
def test_medium_problems(size: str, seed: int) -> None:
    problem = medium_problem(SIZES[size], seed)
    assert answer(in_python(problem)) == answer(solve(problem, explain=False))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=6),
    st.sampled_from([0.0, 1e-3, 1.0, 1e3, 1e9, 1e200, np.inf, np.nan]),
)  # fmt: skip
def test_any_multipliers_bound_every_portfolio(
    seed: int, kinds: frozenset[str], size: float
) -> None:
    problem = random_problem(seed, kinds)
    truth = solve_by_enumeration(problem).value
    model = presolved(compile_model(problem))
    tree = started(model, least_value(model))
    if tree is None:
        assert truth is None
        return
    # Rows of points, of variants and of conflicts have come; nothing is fixed that matters.
    first, many = len(tree.lp.first), int(tree.lp.size[ROWS])
    tree.lp.reduced[first : first + many] = np.random.default_rng(seed).normal(0, 1, many) * size
    found = bounded(tree)
    if truth is not None:
        assert found >= truth


def at_root(model: Model, floor: int) -> planting.Tree:
    """A search that has bounded its root."""
    tree = started(model, floor)
    assert tree is not None
    return tree


def started(model: Model, floor: int) -> planting.Tree | None:
    """A search that has bounded its root; ``None`` where that is the end of it."""
    shape = (2, model.n_sites)
    tree = planting.planted(
        model, floor, ties=False, losses=np.zeros(shape), tries=np.zeros(shape, np.int64)
    )
    while (event := planting.advance(tree, 1_000)) in (FULL, PAUSE):
        tree = planting.larger(tree) if event == FULL else tree
    return tree if event == ROOT else None


@pytest.mark.parametrize("multiplier", [0.0, 0.5, 1.0, 3.0, 100.0])
def test_the_row_of_a_point_is_worth_no_more_than_its_weight(multiplier: float) -> None:
    """Two sites worth 5 and 6 reach the only point, of weight 10: both together are worth 21."""
    reach = csr_array(np.array([[1], [1], [0]]))
    problem = SelectionProblem.from_arrays([5, 6, 0], count=2, coverage=(reach, [10]))
    tree = at_root(compile_model(problem), 0)
    rows = np.flatnonzero(tree.rows[: tree.lp.size[ROWS], KIND] == COVER)
    assert len(rows) == 1
    first = len(tree.lp.first)
    tree.lp.reduced[first : first + int(tree.lp.size[ROWS])] = 0.0
    tree.lp.reduced[first + rows] = -multiplier
    assert bounded(tree) >= 21


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.frozensets(st.sampled_from(KINDS), max_size=5))
def test_a_look_beside_bounds_a_child_and_leaves_all_as_it_was(
    seed: int, kinds: frozenset[str]
) -> None:
    """Of each site in part, out and in: what is worth more than the bound has it otherwise."""
    problem = random_problem(seed, kinds)
    model = presolved(compile_model(problem))
    tree = started(model, least_value(model))
    assume(tree is not None)
    part = np.flatnonzero((tree.state == FREE) & (tree.load > 0.01) & (tree.load < 0.99))
    for s, direction in itertools.product(part[:3].tolist(), (0, 1)):
        many, every = int(tree.lp.size[ROWS]), len(tree.lp.first) + int(tree.lp.size[ROWS])
        place, basic = tree.lp.place[:every].copy(), tree.lp.basic[:many].copy()
        value, state = tree.lp.value[:many].copy(), tree.state.copy()
        found = beside(tree, s, direction)
        # A site with variants may have got its row, loose.
        assert tree.lp.place[:every].tolist() == place.tolist()
        assert tree.lp.basic[:many].tolist() == basic.tolist()
        assert tree.lp.value[:many] == pytest.approx(value)
        assert tree.state.tolist() == state.tolist()
        own, none = model.site_of[[s]], np.zeros(0, np.int64)
        locks = Locks("look", *((own, none) if direction else (none, own)))
        truth = solve_by_enumeration(
            replace(problem, constraints=(*problem.constraints, locks))
        ).value
        assert truth is None or found >= truth


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5])
def test_what_is_left_out_changes_no_optimum(seed: int) -> None:
    """Without the columns and parcels that are sure the programme is worth what bounds the root."""
    problem = medium_problem(SIZES["whole"], seed)
    optimum = solve(problem, explain=False).objective
    tree = at_root(presolved(compile_model(problem)), optimum)
    left_out = tree.dead[: len(tree.site) + len(tree.parcel)]
    assert left_out.any()
    objective = (tree.lp.real[OBJECTIVE] + tree.real[OFFSET]) * tree.real[UNIT]
    assert objective == pytest.approx(float(tree.now[BOUND]), abs=2.0)
    rows_agree(tree)


def rows_agree(tree: planting.Tree) -> None:
    """What a row of the programme leaves out is in its constant, or in what stands for it."""
    lp, many = tree.lp, int(tree.lp.size[ROWS])
    at_bound = np.where(lp.place == AT_HIGH, lp.high, lp.low)
    every = np.where(lp.place >= 0, lp.value[np.maximum(lp.place, 0)], at_bound)
    parcels = len(tree.site) + np.arange(len(tree.parcel))
    every[parcels] = every[tree.leader]
    for i in range(many):
        own = slice(tree.begin[i], tree.begin[i + 1])
        activity = tree.factor[own] @ every[tree.member[own]] / tree.scale[i]
        assert activity == pytest.approx(-every[len(lp.first) + i], abs=1e-6)


def objective_agrees(tree: planting.Tree) -> None:
    """The programme is worth its columns and all parcels."""
    z = tree.lp.place[tree.leader]
    restored = np.where(z >= 0, tree.lp.value[np.maximum(z, 0)], np.where(z == AT_HIGH, 1.0, 0.0))
    worth = tree.gain @ tree.x + tree.parcel @ restored
    assert tree.lp.real[OBJECTIVE] * tree.real[UNIT] == pytest.approx(worth)


def much_land(seed: int, *, whole: bool = False) -> SelectionProblem:
    """Ten of sixty sites, whose land is restored on ninety parcels in two regions, three of each
    cost per unit from cheap to dear, for a budget that also pays for the sites.
    """
    g = np.random.default_rng(seed)
    size, region = g.integers(5, 15, 90), np.arange(90) % 2
    cost = size * (np.arange(90) // 6 + 1) * 3
    charge, columns = g.integers(10, 50, 60), np.arange(60)
    own = [columns % 2 == k for k in (0, 1)]
    ledgers = [
        Ledger(f"r{k}", "region", str(k), columns[own[k]], charge[own[k]],
               np.flatnonzero(region == k), 30)
        for k in (0, 1)
    ]  # fmt: skip
    programme = Ledger("programme", "programme", "", columns, charge, np.arange(90), -40)
    return SelectionProblem(
        columns.astype(np.int32), g.integers(900, 2_000, 60), 10,
        parcels=Parcels(size, cost, np.full(90, -1, np.int32), whole),
        constraints=(*ledgers, programme, Budget("budget", g.integers(100, 500, 60), 4_500)),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_land_surely_restored_stays_in_the_programme(seed: int) -> None:
    """Some parcels are left out at 1, some at nothing, others are restored together."""
    problem = much_land(seed)
    optimum = solve(problem, explain=False).objective
    assert optimum is not None
    model = presolved(compile_model(problem))
    # Restored land is worth a little here: what stands for others is worth all of them.
    model = replace(model, parcel_score=problem.parcels.capacity[model.parcel_of] // 4)
    tree = at_root(model, optimum + 30)
    parcels = len(tree.site) + np.arange(len(tree.parcel))
    alone = tree.leader == parcels
    left_out = tree.dead[parcels] & alone
    assert (left_out & (tree.lp.place[parcels] == AT_HIGH)).any()
    assert (left_out & (tree.lp.place[parcels] != AT_HIGH)).any()
    assert (~alone).any()
    assert tree.dead[parcels][~alone].all()
    assert not tree.dead[tree.leader[~alone]].any()
    rows_agree(tree)
    objective_agrees(tree)
    # Asked again, with less room above the floor, it begins anew.
    tree.now[FLOOR] += 10
    tree.now[PHASE] = LOOP
    assert planting.advance(tree, 1_000) == ROOT
    rows_agree(tree)
    objective_agrees(tree)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_land_restored_together_changes_no_answer(seed: int, whole: bool) -> None:
    """In Python every parcel is for itself."""
    problem = much_land(seed, whole=whole)
    assert answer(solve(problem)) == answer(in_python(problem))


def tight(patch: pytest.MonkeyPatch) -> list[int]:
    """No room to spare; how often a search asked for more is counted."""
    patch.setattr(planting, "SPARE_ROWS", 0)
    patch.setattr(planting, "SPARE_ROWS_OF_POINTS", 0)
    patch.setattr(planting, "FIRST_WAITING", 2)
    asked, advance = list[int](), treesearch.advance

    def counted(tree: planting.Tree, steps: int) -> int:
        event = advance(tree, steps)
        if event == FULL:
            asked.append(len(tree.scale))
        return event

    patch.setattr(treesearch, "advance", counted)
    return asked


@pytest.mark.parametrize("seed", [2, 3, 15])
def test_room_is_made_where_it_lacks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = towns(seed, 600, 16)
    usual = solve(problem)
    asked = tight(monkeypatch)
    cramped = solve(problem)
    assert len(asked) > 0
    assert usual.ties_settled
    assert answer(cramped) == answer(usual)


@pytest.mark.parametrize("seed", [2, 3, 15])
def test_with_too_many_nodes_the_newest_comes_next(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = towns(seed, 600, 16)
    usual = solve(problem)
    most, advance = list[int](), treesearch.advance

    def counted(tree: planting.Tree, steps: int) -> int:
        event = advance(tree, steps)
        most.append(int(tree.now[WAITING]))
        return event

    monkeypatch.setattr(treesearch, "advance", counted)
    monkeypatch.setattr(treesearch, "MOST_WORK", 1)
    monkeypatch.setattr(planting, "MOST_WAITING", 1)
    deep = solve(problem)
    assert max(most) > 1
    assert answer(deep) == answer(usual)


def test_with_too_many_rows_a_search_goes_on_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = towns(3, 600, 16)
    usual = solve(problem)
    tight(monkeypatch)
    monkeypatch.setattr(treesearch, "MOST_GROWN", 100)
    went_on, run = list[int](), nodesearch.NodeSearch.run

    def counted(search: nodesearch.NodeSearch) -> Outcome:
        went_on.append(search.model.n_columns)
        return run(search)

    monkeypatch.setattr(nodesearch.NodeSearch, "run", counted)
    other = solve(problem)
    assert went_on
    assert answer(other) == answer(usual)


def test_steps_grow_fewer_with_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is looked at in time: fewer steps between where each is dear."""
    steps, advance = list[tuple[int, int]](), treesearch.advance

    def counted(tree: planting.Tree, many: int) -> int:
        steps.append((int(tree.lp.size[ROWS]), many))
        return advance(tree, many)

    monkeypatch.setattr(treesearch, "advance", counted)
    solve(towns(2, 600, 16))
    assert all(many == max(20, 20_000_000 // (1 + rows**2)) for rows, many in steps)
    assert len({many for _, many in steps}) > 1
