"""The same answer for any order of the rows; honest statuses."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import numpy as np
import pytest
from brute import KINDS, random_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack

from siteselect.optimise import solve
from siteselect.problem import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Constraint,
    Coverage,
    Group,
    Ledger,
    Locks,
    Parcels,
    SelectionProblem,
    Separation,
    TotalArea,
)


def shuffled(problem: SelectionProblem, seed: int) -> SelectionProblem:
    """The same problem with its columns, sites and constraints in another order."""
    g = np.random.default_rng(seed)
    column, site = g.permutation(problem.n_columns), g.permutation(problem.n_sites)
    rank, column_rank = np.argsort(site), np.argsort(column)
    on_site = problem.parcels.on_site.copy()
    on_site[on_site >= 0] = rank[on_site[on_site >= 0]]
    cover = problem.coverage
    if cover is not None:
        cover = Coverage.from_matrix(csr_array(cover.matrix()[site]), cover.weights)
    moved = [_moved(one, column, column_rank, site, rank) for one in problem.constraints]
    return dataclasses.replace(
        problem,
        site=rank[problem.site[column]].astype(np.int32),
        score=problem.score[column],
        site_ids=tuple(problem.site_ids[s] for s in site),
        parcels=dataclasses.replace(problem.parcels, on_site=on_site),
        constraints=tuple(moved[i] for i in g.permutation(len(moved))),
        coverage=cover,
    )


def _moved(one: Constraint, column, column_rank, site, rank) -> Constraint:
    if isinstance(one, Group):
        return dataclasses.replace(one, columns=column_rank[one.columns])
    if isinstance(one, Budget):
        return dataclasses.replace(one, cost_keur=one.cost_keur[column])
    if isinstance(one, TotalArea):
        return dataclasses.replace(one, area=one.area[column])
    if isinstance(one, Ledger):
        return dataclasses.replace(one, columns=column_rank[one.columns])
    if isinstance(one, Conflicts):
        return dataclasses.replace(one, pairs=rank[one.pairs])
    if isinstance(one, Separation):
        return dataclasses.replace(one, points=one.points[site])
    assert isinstance(one, Locks)
    return dataclasses.replace(one, include=rank[one.include], exclude=rank[one.exclude])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=8))
def test_order_of_the_rows_does_not_matter(seed: int, kinds: frozenset[str]) -> None:
    problem = random_problem(seed, kinds)
    other = shuffled(problem, seed + 1)
    first, second = solve(problem, explain=False), solve(other, explain=False)
    assert first.status == second.status
    assert first.objective == second.objective
    assert sorted(problem.site_ids[s] for s in first.chosen) == sorted(
        other.site_ids[s] for s in second.chosen
    )
    assert first.restored.tolist() == second.restored.tolist()


def medium(seed: int) -> SelectionProblem:
    """200 sites with two variants, six regions, budget, ledgers, separation, union catchment."""
    g = np.random.default_rng(seed)
    n = 200
    site = np.repeat(np.arange(n), 2)
    region = g.integers(0, 6, n)[site]
    charge = g.integers(0, 90, 2 * n)
    parcels = Parcels(g.integers(20, 200, 40), g.integers(10, 90, 40), np.full(40, -1, np.int32))
    of_parcel = g.integers(0, 6, 40)
    constraints: list[Constraint] = [
        Group(f"region {k}", np.flatnonzero(region == k), 1, 4) for k in range(6)
    ]
    constraints += [
        Ledger(
            f"land {k}", "region", str(k), np.flatnonzero(region == k), charge[region == k],
            np.flatnonzero(of_parcel == k), 60,
        )
        for k in range(6)
    ]  # fmt: skip
    cost = g.integers(50, 400, 2 * n)
    constraints += [
        Budget("budget", cost, 2_200),
        Ledger("programme", "programme", "", np.arange(2 * n), charge, np.arange(40), 0),
        Separation("separation", g.integers(0, 1000, (n, 2)), 60),
        TotalArea("area", g.integers(100, 900, 2 * n), 5_000),
    ]
    reach = csr_array((g.random((n, 150)) < 0.06).astype(np.int64))
    return SelectionProblem(
        site.astype(np.int32),
        g.integers(0, 100_000, 2 * n),
        12,
        parcels=parcels,
        constraints=tuple(constraints),
        coverage=Coverage.from_matrix(reach, g.integers(1, 9_000, 150)),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_medium_problems_agree_with_the_plain_model_in_highs(seed: int) -> None:
    problem = dataclasses.replace(medium(seed), coverage=None)
    found = solve(problem)
    rows = problem.rows()
    low = np.where(rows.lower == NO_LOWER, -np.inf, rows.lower.astype(float))
    high = np.where(rows.upper == NO_UPPER, np.inf, rows.upper.astype(float))
    n, r = problem.n_columns, len(problem.parcels)
    plain = milp(
        np.concatenate([-problem.score, np.zeros(r)]).astype(float),
        integrality=np.concatenate([np.ones(n), np.zeros(r)]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(hstack([rows.x, rows.z])).astype(float), low, high),
        options={"mip_rel_gap": 0},
    )
    assert plain.status == 0
    assert found.status == "optimal"
    assert found.objective == round(-plain.fun)


def test_a_limit_is_reported_with_a_bound_that_holds() -> None:
    problem = medium(1)
    best = solve(problem)
    assert best.status == "optimal"
    for limit in (0.001, 0.02, 0.05):
        found = solve(problem, time_limit_s=limit)
        assert found.status in ("limit", "optimal")
        assert found.bound >= best.objective
        if found.objective is None:
            assert found.gap is None
        else:
            assert found.objective <= best.objective
            assert found.gap == (found.bound - found.objective) / found.objective


def test_a_gap_that_is_allowed_is_said() -> None:
    problem = medium(2)
    best, near = solve(problem), solve(problem, gap=0.05)
    assert near.status in ("within_gap", "optimal")
    assert near.gap <= 0.05
    assert near.bound >= best.objective >= near.objective


def test_interrupted_returns_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after the proof: optimal, and ties may be open."""
    module = import_module("siteselect.optimise.solve")
    real = module.deepen

    def interrupted(*args, **kwargs):
        real(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "deepen", interrupted)
    found = solve(medium(1))
    assert found.status == "optimal"
    assert found.objective == found.bound
    assert not found.info["ties_settled"]


def test_ties_go_to_the_first_identifiers() -> None:
    problem = SelectionProblem.from_arrays([7, 7, 7, 7], count=2, site_ids=["d", "b", "c", "a"])
    assert solve(problem).chosen.tolist() == [1, 3]


def test_of_equal_variants_the_one_that_takes_less_land_then_costs_less() -> None:
    problem = SelectionProblem.from_arrays(
        [5, 5, 5], count=1, sites=[0, 0, 0], charges=[3, 2, 2], programme_cap=9, costs=[1, 4, 3],
        budget=9,
    )  # fmt: skip
    assert solve(problem).columns.tolist() == [2]


def test_maximal_covering_by_hand() -> None:
    """Site 0 alone reaches most, but sites 1 and 2 together reach everything."""
    reach = csr_array(np.array([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 1, 0, 1]]))
    found = solve(SelectionProblem.maximal_covering(reach, [3, 3, 3, 2, 2], 2))
    assert found.chosen.tolist() == [1, 2]
    assert found.objective == found.bound == 13


@pytest.mark.parametrize(
    ("scores", "count", "more", "chosen"),
    [
        ([], 0, {}, []),
        ([], 1, {"at_most": True}, []),
        ([3], 0, {}, []),
        ([3, -2], 2, {}, [0, 1]),
        ([-3, -2], 2, {"at_most": True}, []),
        ([-3, 5], 2, {"at_most": True, "include": [0]}, [0, 1]),
    ],
)
def test_smallest_problems(scores: list, count: int, more: dict, chosen: list) -> None:
    problem = SelectionProblem.from_arrays(np.array(scores, np.int64), count=count, **more)
    found = solve(problem)
    assert found.status == "optimal"
    assert found.chosen.tolist() == chosen
    assert found.objective == found.bound == sum(scores[s] for s in chosen)
