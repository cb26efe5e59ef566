"""Each constraint: its rows term by term, a case by hand, an infeasible one named and remedied.

One table; every line is a constraint beside others where it needs them. Four sites A, B, C, D
(indices 0 to 3), of which B has two variants, so five columns: A, B, b, C, D. Two are chosen; free
of constraints A and B are, worth 90. Two parcels: 4 units for 8 k€, and 6 units for 9 k€ on D.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from siteselect import problem as package
from siteselect.optimise import solve, solve_plainly
from siteselect.optimise.model import INSIDE, OUTSIDE, compile_model
from siteselect.problem import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Constraint,
    Coverage,
    Goal,
    Group,
    Ledger,
    Locks,
    Parcels,
    Rows,
    SelectionProblem,
    Separation,
    TotalArea,
    Workforce,
)

SITE = np.array([0, 1, 1, 2, 3], np.int32)
A, B, b, C, D = range(5)
EVERY, ZERO = np.arange(5), np.zeros(5, np.int64)
PARCELS = Parcels(np.array([4, 6]), np.array([8, 9]), np.array([-1, 3], np.int32))
WHOLE = dataclasses.replace(PARCELS, whole=True)
Row = tuple[list[int], list[int], int | None, int | None]


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def locks(*inside: int, out: tuple[int, ...] = ()) -> Locks:
    return Locks("locks", ints(*inside), ints(*out))


def group(name: str, columns: tuple[int, ...], low: int, high: int | None = None) -> Group:
    return Group(name, ints(*columns), low, high)


def land(cap: int, charge: tuple[int, ...], parcels: tuple[int, ...] = ()) -> Ledger:
    return Ledger("land", "region", "53", EVERY, ints(*charge), ints(*parcels), cap)


def apart(distance_km: int) -> Separation:
    """A at 0 km, B at 3, C at 9, D at 20 along a road."""
    points = np.array([(0, 0), (3, 0), (9, 0), (20, 0)]) * 10_000
    return Separation("apart", points, distance_km * 10_000)


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes
    ----------
    given
        the constraints of the case by hand; the first one is looked at.
    rows
        of that one: coefficients of A, B, b, C, D and of the two parcels, and its bounds.
    best
        the columns chosen, by hand; ``restored`` units where they are certain.
    broken, says
        constraints that no portfolio meets, and what the reasons say.
    remedy, eased
        a remedy that is told, and the constraints with it.
    more, broken_more, eased_more
        other fields of the problem, each time.
    """

    given: tuple[Constraint, ...]
    rows: list[Row]
    best: tuple[int, ...]
    broken: tuple[Constraint, ...]
    says: tuple[str, ...]
    remedy: str
    eased: tuple[Constraint, ...]
    restored: list[int] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    broken_more: dict[str, Any] = field(default_factory=dict)
    eased_more: dict[str, Any] = field(default_factory=dict)


def problem(constraints: tuple[Constraint, ...], **changes: Any) -> SelectionProblem:
    fields = {"site": SITE, "score": ints(50, 40, 30, 20, 10), "count": 2, "parcels": PARCELS}
    return SelectionProblem(**{**fields, "constraints": constraints, **changes})


TABLE = {
    "at least": Case(
        (group("Corse", (C, D), 1),), [([0, 0, 0, 1, 1], [0, 0], 1, None)], (A, C),
        (group("Corse", (D,), 2),), ("Corse: at least 2 wanted, 1 candidates",),
        "Corse: minimum lowered by 1, to 1", (group("Corse", (D,), 1),),
    ),
    "at most": Case(
        (group("EPCI", (A, B, b), 0, 1),), [([1, 1, 1, 0, 0], [0, 0], None, 1)], (A, C),
        (group("EPCI", (A, B, b, C, D), 0, 1),), ("EPCI: at most 1",),
        "EPCI: maximum raised by 1, to 2", (group("EPCI", (A, B, b, C, D), 0, 2),),
    ),
    "either or": Case(
        (group("either", (A, B), 1, 1),), [([1, 1, 0, 0, 0], [0, 0], 1, 1)], (A, b),
        (group("either", (A, B, b), 1, 1), locks(0, 1)),
        ("these 2 requirements cannot hold together", "either: at least 1, at most 1", "locks"),
        "either: maximum raised by 1, to 2", (group("either", (A, B, b), 1, 2), locks(0, 1)),
    ),
    "budget": Case(
        (Budget("budget", ints(9, 9, 3, 5, 1), 12),),
        [([9, 9, 3, 5, 1], [8, 9], None, 12)], (A, b),
        (Budget("budget", ints(9, 9, 3, 5, 1), 3),),
        ("budget: at most 3 k€ allowed, the cheapest sites cost 4 k€",),
        "budget: 1 k€ more, 4 k€ in all", (Budget("budget", ints(9, 9, 3, 5, 1), 4),),
    ),
    "budget of one kind of cost": Case(
        (Budget("works", ints(9, 9, 3, 5, 1), 12, with_parcels=False),
         land(0, (2, 0, 0, 0, 0), (0,))),
        [([9, 9, 3, 5, 1], [0, 0], None, 12)], (A, b),
        (Budget("works", ints(9, 9, 3, 5, 1), 3, with_parcels=False),),
        ("works: at most 3 k€ allowed",), "works: 1 k€ more, 4 k€ in all",
        (Budget("works", ints(9, 9, 3, 5, 1), 4, with_parcels=False),),
    ),
    "budget of restoration alone": Case(
        (Budget("restoration", ZERO, 3), land(2, (2, 2, 2, 0, 0), (0,))),
        [([0, 0, 0, 0, 0], [8, 9], None, 3)], (A, C),
        (Budget("restoration", ZERO, 3), land(0, (2, 2, 2, 2, 2), (0,))),
        ("restoration: at most 3 k€", "land: at most 0.0 ha"),
        "restoration: 5 k€ more, 8 k€ in all",
        (Budget("restoration", ZERO, 8), land(0, (2, 2, 2, 2, 2), (0,))),
    ),
    "area at least": Case(
        (TotalArea("area", ints(10, 10, 10, 40, 40), 50),),
        [([10, 10, 10, 40, 40], [0, 0], 50, None)], (A, C),
        (TotalArea("area", ints(10, 10, 10, 40, 40), 90),),
        ("area: at least 0.9 ha wanted, the largest sites make 0.8 ha",),
        "area: minimum lowered by 0.1 ha, to 0.8 ha",
        (TotalArea("area", ints(10, 10, 10, 40, 40), 80),),
    ),
    "area at most": Case(
        (TotalArea("area", ints(30, 30, 10, 20, 10), None, 40),),
        [([30, 30, 10, 20, 10], [0, 0], None, 40)], (A, b),
        (TotalArea("area", ints(30, 30, 10, 20, 10), None, 15),),
        ("area: at most 0.15 ha allowed, the smallest sites make 0.2 ha",),
        "area: maximum raised by 0.05 ha, to 0.2 ha",
        (TotalArea("area", ints(30, 30, 10, 20, 10), None, 20),),
    ),
    "floor of an objective": Case(
        (Goal("jobs", ints(10, 10, 10, 40, 40), 50, per_unit=10, unit="jobs"),),
        [([10, 10, 10, 40, 40], [0, 0], 50, None)], (A, C),
        (Goal("jobs", ints(10, 10, 10, 40, 40), 90, per_unit=10, unit="jobs"),),
        ("jobs: at least 9 jobs wanted, the best sites reach 8 jobs",),
        "jobs: floor lowered by 1 jobs, to 8 jobs",
        (Goal("jobs", ints(10, 10, 10, 40, 40), 80, per_unit=10, unit="jobs"),),
    ),
    "cap of an objective": Case(
        (Goal("noise", ints(30, 30, 10, 20, 10), None, 40),),
        [([30, 30, 10, 20, 10], [0, 0], None, 40)], (A, b),
        (Goal("noise", ints(30, 30, 10, 20, 10), None, 15),),
        ("noise: at most 15 allowed, the best sites make 20",),
        "noise: cap raised by 5, to 20", (Goal("noise", ints(30, 30, 10, 20, 10), None, 20),),
    ),
    "ledger": Case(
        (Ledger("land", "commune", "1", ints(A, B, C), ints(5, 5, 1), ints(), 6),),
        [([5, 5, 0, 1, 0], [0, 0], None, 6)], (A, b),
        (land(9, (5, 5, 5, 5, 5)),), ("land: at most 0.09 ha",),
        "land: raised by 0.01 ha, to 0.1 ha", (land(10, (5, 5, 5, 5, 5)),),
    ),
    "two levels of ledger": Case(
        (land(6, (5, 5, 1, 1, 0)),
         Ledger("commune", "commune", "1", ints(A, C), ints(5, 1), ints(), 4)),
        [([5, 5, 1, 1, 0], [0, 0], None, 6)], (B, C),
        (land(2, (3, 3, 3, 3, 3)),
         Ledger("commune", "commune", "1", EVERY, ints(2, 2, 2, 2, 2), ints(), 1)),
        ("at most 0.0",), "land: raised by 0.04 ha, to 0.06 ha; and commune: raised by 0.03 ha, "
        "to 0.04 ha",
        (land(6, (3, 3, 3, 3, 3)),
         Ledger("commune", "commune", "1", EVERY, ints(2, 2, 2, 2, 2), ints(), 4)),
    ),
    "programme": Case(
        (Ledger("programme", "programme", "", EVERY, ints(5, 5, 0, 1, 0), ints(0, 1), -1),),
        [([5, 5, 0, 1, 0], [-4, -6], None, -1)], (A, b),
        (Ledger("programme", "programme", "", EVERY, ints(7, 7, 7, 7, 7), ints(0, 1), 0),),
        ("programme: at most 0.0 ha",), "programme: raised by 0.04 ha, to 0.04 ha",
        (Ledger("programme", "programme", "", EVERY, ints(7, 7, 7, 7, 7), ints(0, 1), 4),),
    ),
    "parcels in part": Case(
        (land(3, (3, 3, 0, 0, 0), (0,)), Budget("budget", ZERO, 6)),
        [([3, 3, 0, 0, 0], [-4, 0], None, 3)], (A, B),
        (land(3, (3, 3, 3, 3, 3), (0,)), Budget("budget", ZERO, 5)),
        ("land: at most 0.03 ha", "budget: at most 5 k€"), "budget: 1 k€ more, 6 k€ in all",
        (land(3, (3, 3, 3, 3, 3), (0,)), Budget("budget", ZERO, 6)), restored=[3, 0],
    ),
    "whole parcels": Case(
        (land(3, (3, 3, 0, 0, 0), (0,)), Budget("budget", ZERO, 7)),
        [([3, 3, 0, 0, 0], [-4, 0], None, 3)], (A, b),
        (land(3, (3, 3, 3, 3, 3), (0,)), Budget("budget", ZERO, 6)),
        ("land: at most 0.03 ha", "budget: at most 6 k€"), "budget: 2 k€ more, 8 k€ in all",
        (land(3, (3, 3, 3, 3, 3), (0,)), Budget("budget", ZERO, 8)), more={"parcels": WHOLE},
    ),
    "a parcel on a site": Case(
        (land(0, (6, 0, 0, 0, 0), (1,)), locks(3)),
        [([6, 0, 0, 0, 0], [0, -6], None, 0)], (B, D),
        (land(0, (6, 0, 0, 0, 0), (1,)), locks(0, 3)),
        ("these 2 requirements cannot hold together", "land: at most 0.0 ha", "locks"),
        "3 no longer forced in", (land(0, (6, 0, 0, 0, 0), (1,)), locks(0)),
    ),
    "conflicts": Case(
        (Conflicts("overlap", np.array([[0, 1]])),), [([1, 1, 1, 0, 0], [0, 0], None, 1)], (A, C),
        (Conflicts("overlap", np.array([(i, k) for i in range(4) for k in range(i)])),),
        ("overlap",), "1 sites fewer: 1 in all",
        (Conflicts("overlap", np.array([(i, k) for i in range(4) for k in range(i)])),),
        eased_more={"count": 1},
    ),
    "exclusive sites": Case(
        (Conflicts("exclusive", np.array([[0, 1], [0, 2], [1, 2]])),),
        [([1, 1, 1, 0, 0], [0, 0], None, 1), ([1, 0, 0, 1, 0], [0, 0], None, 1),
         ([0, 1, 1, 1, 0], [0, 0], None, 1)], (A, D),
        (Conflicts("exclusive", np.array([[0, 1], [0, 2], [1, 2]])), locks(0, 1)),
        ("these 2 requirements cannot hold together", "exclusive", "locks"),
        "1 no longer forced in",
        (Conflicts("exclusive", np.array([[0, 1], [0, 2], [1, 2]])), locks(0)),
    ),
    "separation": Case(
        (apart(5),), [([1, 1, 1, 0, 0], [0, 0], None, 1)], (A, C),
        (apart(21),), ("apart",), "apart: 1 km less, 20 km", (apart(20),),
    ),
    "locked in": Case(
        (locks(3),), [([0, 0, 0, 0, 1], [0, 0], 1, None)], (A, D),
        (locks(0, 2, 3),), ("this requirement alone cannot be met for 2 sites: locks",),
        "0 no longer forced in", (locks(2, 3),),
    ),
    "locked out": Case(
        (locks(out=(0,)),), [([1, 0, 0, 0, 0], [0, 0], None, 0)], (B, C),
        (locks(out=(0, 1, 2)),), ("2 sites are wanted but there are only 1 candidates", "locks"),
        "0 no longer forced out", (locks(out=(1, 2)),),
    ),
}  # fmt: skip
LINES = pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)


def listed(rows: Rows) -> list[Row]:
    low = [None if v == NO_LOWER else v for v in rows.lower.tolist()]
    high = [None if v == NO_UPPER else v for v in rows.upper.tolist()]
    return list(zip(rows.x.toarray().tolist(), rows.z.toarray().tolist(), low, high, strict=True))


def test_no_constraint_is_missing() -> None:
    made = {type(case.given[0]) for case in TABLE.values()}
    offered = {getattr(package, name) for name in package.__all__}
    assert made == {one for one in offered if isinstance(one, type) and hasattr(one, "specs")} - {
        Constraint
    }


@LINES
def test_rows_term_by_term(case: Case) -> None:
    """As the constraint compiles itself, and as the optimiser's own form of the model holds it."""
    one, made = case.given[0], problem(case.given, **case.more)
    assert listed(one.rows(made)) == case.rows
    model = compile_model(made)
    back = np.argsort(model.column_of)
    if isinstance(one, Locks):
        assert np.flatnonzero(model.state == INSIDE).tolist() == one.include.tolist()
        assert np.flatnonzero(model.state == OUTSIDE).tolist() == one.exclude.tolist()
    elif isinstance(one, Conflicts | Separation):
        pairs = {(i, k) for k in range(4) for i in range(k)}
        sites = [set(SITE[np.flatnonzero(x)].tolist()) for x, *_ in case.rows]
        apart = {two for two in pairs if model.conflicts.among(np.array(two)).any()}
        assert apart == {two for two in pairs if set(two) in sites}
    else:
        own = np.flatnonzero(model.origin == 0)
        kept = Rows(
            csr_array(model.x[own][:, back]), csr_array(model.z[own]), model.lower[own],
            model.upper[own],
        )  # fmt: skip
        assert listed(kept) == case.rows


@LINES
def test_by_hand(case: Case) -> None:
    made = problem(case.given, **case.more)
    worth = int(made.score[list(case.best)].sum())
    for found in (solve(made), solve_plainly(made)):
        assert (found.status, found.objective, found.bound) == ("optimal", worth, worth)
        assert found.columns.tolist() == list(case.best)
    if case.restored is not None:
        assert solve(made).restored.tolist() == case.restored


@LINES
def test_infeasible_is_named_and_its_remedy_is_enough(case: Case) -> None:
    made = problem(case.broken, **{**case.more, **case.broken_more})
    assert solve_plainly(made).status == "infeasible"
    found = solve(made)
    assert found.status == "infeasible"
    reasons = "\n".join(map(str, found.reasons))
    for words in case.says:
        assert words in reasons
    assert case.remedy in [str(one) for one in found.remedies]
    eased = problem(case.eased, **{**case.more, **case.eased_more})
    assert solve(eased).status == solve_plainly(eased).status == "optimal"


# ---- what every problem has ------------------------------------------------------------------


def test_the_count_the_variants_and_the_parcels_on_sites_are_rows() -> None:
    count: Row = ([1, 1, 1, 1, 1], [0, 0], 2, 2)
    variants: Row = ([0, 1, 1, 0, 0], [0, 0], None, 1)
    on_site: Row = ([0, 0, 0, 0, 1], [0, 1], None, 1)
    assert listed(problem(()).structure_rows()) == [count, variants, on_site]
    at_most: Row = ([1, 1, 1, 1, 1], [0, 0], None, 2)
    assert listed(problem((), at_most=True).structure_rows())[0] == at_most


def test_a_site_is_developed_one_way() -> None:
    """Without A, both variants of B would be worth 70; B and C are worth 60."""
    made = problem((locks(out=(0,)),))
    assert solve(made).columns.tolist() == solve_plainly(made).columns.tolist() == [B, C]
    alone = problem((), site=np.zeros(5, np.int32), parcels=Parcels())
    found = solve(alone)
    assert str(found.reasons[0]) == "2 sites are wanted but there are only 1 candidates"
    assert [str(one) for one in found.remedies] == ["1 sites fewer: 1 in all"]
    assert solve(dataclasses.replace(alone, count=1)).chosen.tolist() == [0]


@pytest.mark.parametrize(("at_most", "best"), [(False, [A, B, D]), (True, [A, B])])
def test_exactly_or_at_most_so_many(at_most: bool, best: list[int]) -> None:
    """C and D are worth less than nothing: a third site is chosen only where it must be."""
    made = problem((), score=ints(50, 40, 30, -9, -2), count=3, at_most=at_most)
    assert solve(made).columns.tolist() == solve_plainly(made).columns.tolist() == best


def test_more_sites_than_there_are() -> None:
    found = solve(problem((), count=6))
    assert str(found.reasons[0]) == "6 sites are wanted but there are only 4 candidates"
    assert [str(one) for one in found.remedies] == ["2 sites fewer: 4 in all"]
    assert solve(problem((), count=4)).status == "optimal"
    assert solve(problem((), count=6, at_most=True)).columns.tolist() == [A, B, C, D]


# ---- what sites share: no rows, never the reason ---------------------------------------------

REACH = csr_array(np.array([[1, 0], [1, 0], [0, 1], [0, 0]]))
"""A and B reach the same point, C another one."""
COVERAGE = {"coverage": Coverage.from_matrix(REACH, ints(30, 45))}
WORKFORCE = {"workforce": Workforce.from_matrix(REACH, ints(10, 9), ints(8, 8, 3, 9, 5), 5)}


@pytest.mark.parametrize(
    ("shared", "best", "value"),
    [
        (COVERAGE, [A, C], 50 + 20 + 30 + 45),  # A and B: 90 + 30
        (WORKFORCE, [A, C], 50 + 20 + 5 * (8 + 9)),  # A and B: 90 + 5 × 10; A and b: the same
    ],
    ids=["coverage", "workforce"],
)
def test_what_sites_share(shared: dict[str, Any], best: list[int], value: int) -> None:
    made = problem((), **shared)
    assert len(made.rows()) == len(problem(()).rows())
    for found in (solve(made), solve_plainly(made)):
        assert (found.status, found.objective, found.bound) == ("optimal", value, value)
        assert found.columns.tolist() == best
    broken = TABLE["budget"]
    plain, joined = solve(problem(broken.broken)), solve(problem(broken.broken, **shared))
    assert list(map(str, joined.reasons)) == list(map(str, plain.reasons))
    assert broken.remedy in [str(one) for one in joined.remedies]
    assert solve(problem(broken.eased, **shared)).status == "optimal"
