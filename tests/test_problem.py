"""The selection problem: rows term by term, arrays, checks, exact evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siteselect.errors import InputError
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
    objective,
    restoration_cost,
    violations,
)

# Three sites; site 1 has two variants. Two parcels of 4 and 6 units, the second on site 2.
SITE = np.array([0, 1, 1, 2], np.int32)
PARCELS = Parcels(np.array([4, 6]), np.array([10, 9]), np.array([-1, 2], np.int32))


def problem(*constraints: Constraint, **changes) -> SelectionProblem:
    fields = {
        "site": SITE, "score": np.array([5, 7, 6, 9]), "count": 2, "parcels": PARCELS,
        "constraints": constraints,
    }  # fmt: skip
    return SelectionProblem(**{**fields, **changes})


def rows_of(one: Constraint) -> list[tuple[list[int], list[int], int | None, int | None]]:
    rows = one.rows(problem())
    low = [None if v == NO_LOWER else v for v in rows.lower.tolist()]
    high = [None if v == NO_UPPER else v for v in rows.upper.tolist()]
    return list(zip(rows.x.toarray().tolist(), rows.z.toarray().tolist(), low, high, strict=True))


COST, AREA = np.array([3, 4, 2, 8]), np.array([10, 20, 15, 30])


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (Group("g", np.array([0, 2]), 1, 3), [([1, 0, 1, 0], [0, 0], 1, 3)]),
        (Group("g", np.array([3]), 0, 1), [([0, 0, 0, 1], [0, 0], None, 1)]),
        (Group("g", np.array([1]), 1), [([0, 1, 0, 0], [0, 0], 1, None)]),
        (Budget("b", COST, 12), [([3, 4, 2, 8], [10, 9], None, 12)]),
        (Budget("b", COST, 12, with_parcels=False), [([3, 4, 2, 8], [0, 0], None, 12)]),
        (TotalArea("a", AREA, 25, 50), [([10, 20, 15, 30], [0, 0], 25, 50)]),
        (
            Ledger("l", "region", "53", np.array([1, 3]), np.array([5, 7]), np.array([1]), -2),
            [([0, 5, 0, 7], [0, -6], None, -2)],
        ),
        (Conflicts("c", np.array([[1, 2]])), [([0, 1, 1, 1], [0, 0], None, 1)]),
        (
            Separation("s", np.array([[0, 0], [3, 4], [6, 8]]), 6),
            [([1, 1, 1, 0], [0, 0], None, 1), ([0, 1, 1, 1], [0, 0], None, 1)],
        ),
        (Separation("s", np.array([[0, 0], [3, 4], [6, 8]]), 5), []),
        (
            Locks("k", np.array([1]), np.array([0])),
            [([0, 1, 1, 0], [0, 0], 1, None), ([1, 0, 0, 0], [0, 0], None, 0)],
        ),
    ],
    ids=[
        "group", "group-at-most", "group-at-least", "budget", "budget-sites-only", "area",
        "ledger", "conflicts", "separation", "separation-at-the-distance", "locks",
    ],
)  # fmt: skip
def test_rows_term_by_term(constraint: Constraint, expected: list) -> None:
    assert rows_of(constraint) == expected


def test_structure_rows() -> None:
    rows = problem().structure_rows()
    assert rows.x.toarray().tolist() == [[1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1]]
    assert rows.z.toarray().tolist() == [[0, 0], [0, 0], [0, 1]]
    assert rows.lower.tolist() == [2, NO_LOWER, NO_LOWER]
    assert rows.upper.tolist() == [2, 1, 1]
    assert problem(at_most=True).structure_rows().lower.tolist()[0] == NO_LOWER


def test_rows_of_the_whole_problem_follow_the_constraints() -> None:
    rows = problem(Group("g", np.array([0]), 1), Budget("b", COST, 12)).rows()
    assert len(rows) == 5
    assert rows.x.toarray()[3:].tolist() == [[1, 0, 0, 0], [3, 4, 2, 8]]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12),
    st.integers(0, 20),
)
def test_separation_is_the_strict_integer_test(points: list, distance: int) -> None:
    one = Separation("s", np.array(points), distance)
    expected = [
        [i, k]
        for i in range(len(points))
        for k in range(i + 1, len(points))
        if (points[i][0] - points[k][0]) ** 2 + (points[i][1] - points[k][1]) ** 2 < distance**2
    ]
    assert one.pairs().tolist() == expected


def test_exact_evaluation() -> None:
    ledger = Ledger("land", "region", "53", np.arange(4), np.array([5, 7, 1, 3]), np.arange(2), 6)
    one = problem(Budget("budget", COST, 20), ledger)
    assert objective(one, [0, 1]) == 12
    assert restoration_cost(one, [2, 3]) == 2 * 10 / 4 + 3 * 9 / 6
    assert violations(one, [0, 1], [0, 6]) == ()  # 12 - 6 = 6 units; 7 + 9 = 16 k€
    broken = [str(one_message) for one_message in violations(one, [0, 1], [4, 1])]
    assert broken == ["land: 7.0 over the maximum 6"]
    # Column 3 is site 2, on which parcel 1 lies; the parcel cannot be restored too.
    assert any("built on" in str(m) for m in violations(one, [1, 3], [0, 1]))
    assert any("chosen twice" in str(m) for m in violations(one, [1, 2], [0, 0]))
    assert any("1 sites chosen, 2 wanted" in str(m) for m in violations(one, [1], [0, 0]))
    assert any("5 units restored of 4" in str(m) for m in violations(one, [0, 1], [5, 1]))


def test_violations_of_pairs_and_locks() -> None:
    near = Separation("apart", np.array([[0, 0], [3, 4], [60, 80]]), 6)
    assert [str(m) for m in violations(problem(near), [0, 2], [0, 0])] == ["apart: sites 0 and 1"]
    locks = Locks("locks", np.array([2]), np.array([0]))
    assert [str(m) for m in violations(problem(locks), [0, 1], [0, 0])] == [
        "locks: site 2 is not chosen",
        "locks: site 0 is chosen",
    ]
    pair = Conflicts("overlap", np.array([[0, 2]]))
    assert [str(m) for m in violations(problem(pair), [0, 3], [0, 0])] == ["overlap: sites 0 and 2"]


def test_coverage_counts_each_point_once() -> None:
    reach = csr_array(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]]))
    cover = Coverage.from_matrix(reach, np.array([10, 20, 40]))
    assert cover.value(np.array([0])) == 30
    assert cover.value(np.array([0, 1])) == 70
    assert cover.value(np.array([2])) == 0


def test_maximal_covering_has_no_scores() -> None:
    reach = csr_array(np.array([[1, 1, 0], [0, 1, 1]]))
    one = SelectionProblem.maximal_covering(reach, [10, 20, 40], 1)
    assert one.n_sites == 2
    assert [objective(one, [j]) for j in (0, 1)] == [30, 60]


def test_from_arrays_makes_every_constraint() -> None:
    one = SelectionProblem.from_arrays(
        [5, 7, 6, 9],
        count=2,
        sites=SITE,
        site_ids=["a", "b", "c"],
        groups={"brownfields": ([True, False, False, True], 1, None)},
        areas=AREA,
        area_at_least=25,
        costs=COST,
        budget=12,
        charges=[5, 7, 1, 3],
        territories={"region": ["53", "53", "11"]},
        caps={"region": {"53": 9, "11": 2}},
        programme_cap=0,
        parcels=PARCELS,
        parcel_territories={"region": ["11", "53"]},
        conflicts=[[0, 2]],
        points=[[0, 0], [3, 4], [60, 80]],
        separation=6,
        include=[1],
    )
    kinds = [constraint.kind for constraint in one.constraints]
    assert kinds == [
        "group", "area", "budget", "ledger", "ledger", "ledger", "separation", "conflicts",
        "locks",
    ]  # fmt: skip
    brittany, ile_de_france, programme = (
        constraint for constraint in one.constraints if isinstance(constraint, Ledger)
    )
    assert (brittany.columns.tolist(), brittany.charge.tolist()) == ([0, 1, 2], [5, 7, 1])
    assert (brittany.parcels.tolist(), brittany.cap) == ([1], 9)
    assert (ile_de_france.columns.tolist(), ile_de_france.parcels.tolist()) == ([3], [0])
    assert (programme.level, programme.parcels.tolist()) == ("programme", [0, 1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scores": [0.5, 1.0]}, ["scores", "0.5", "round"]),
        ({"scores": [float("nan")]}, ["scores", "nan"]),
        ({"scores": [1, 2], "budget": 3}, ["budget", "costs"]),
        ({"scores": [1, 2], "programme_cap": 3}, ["caps", "charges"]),
        ({"scores": [1, 2], "separation": 3}, ["separation", "points"]),
        ({"scores": [1, 2], "costs": [1], "budget": 3}, ["1 values where 2", "budget"]),
        ({"scores": [1, 2], "include": [0], "exclude": [0]}, ["forced in and out"]),
        ({"scores": [1, 2], "include": [5]}, ["outside 0 … 1", "5"]),
        ({"scores": [1, 2], "site_ids": ["a", "a"]}, ["two sites", "'a'"]),
        ({"scores": [1, 2], "conflicts": [[1, 1]]}, ["excludes itself"]),
        ({"scores": [1, 2], "groups": {"north": ([0], 2, 1)}}, ["north", "at least 2"]),
        ({"scores": [2**50]}, ["score", "out of range"]),
        ({"scores": [1, 2], "count": -1}, ["count", "-1"]),
    ],
)
def test_bad_arrays_are_refused_with_a_remedy(arguments: dict, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        SelectionProblem.from_arrays(**{"count": 1, **arguments})
    for word in words:
        assert word in str(caught.value)


def test_all_faults_are_raised_together() -> None:
    with pytest.raises(InputError) as caught:
        problem(
            Budget("budget", np.array([1]), 2),
            Group("region", np.array([9]), 1),
            score=np.array([1, 2]),
        )
    assert len(caught.value.faults) == 3
