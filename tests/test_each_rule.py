"""Each rule of a scenario: its rows term by term, a case by hand, an infeasible one and its remedy.

Two of the 24 sites of the tiny pack are chosen: brownfields B-00 to B-11 (7.2 ha built of 9) and
extensions E-00 to E-11 (1.8 ha built of 9), one of each a commune. Every site is offered whole
("full") or on its built land ("reuse"). The scores are not the pack's but chosen here, so that a
hand can tell the best: the earlier a site stands in that list the better, by 10 points a place;
reuse is a little better than full or, in the cases of land, a little worse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from siteselect.formulate import Formulation, formulate
from siteselect.measuring import measure_sites
from siteselect.optimise import Solution, solve, solve_plainly
from siteselect.pack import open_pack
from siteselect.problem import NO_LOWER, NO_UPPER, Separation
from siteselect.rulebook import open_rulebook
from siteselect.scenario_files import scenario_from_mapping
from tests.tinypack import add_scot, build_tiny_pack

Settings = dict[str, Any]
BASE: Settings = {
    "count": 2,
    "constraints": {"region_min": 0, "region_max": 9, "max_per_epci": 9, "separation_km": 0},
    "candidates": {"available_year": {"B-00": 2024, "B-01": 2026, "E-03": 2030}},
    "zan": {"enforced": False, "price": False, "programme_cap_ha": None},
}


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes
    ----------
    given
        settings of the case by hand.
    name, terms, bounds
        the constraint looked at (a part of its name), the coefficient of each site and variant in
        its row, and the bounds of the row.
    best
        what is chosen, by hand.
    broken, says
        settings that no portfolio meets, and what the reasons say.
    remedy, eased
        a remedy that is told, and the settings with it.
    full
        whole footprints are worth more than built land.
    restores
        the row counts what parcels cost.
    """

    given: Settings
    name: str
    terms: Callable[[str, str], int]
    bounds: tuple[int | None, int | None]
    best: tuple[str, ...]
    broken: Settings
    says: tuple[str, ...]
    remedy: str
    eased: Settings
    full: bool = False
    restores: bool = False


def rule(**constraints: Any) -> Settings:
    return {"constraints": constraints}


def both(*settings: Settings) -> Settings:
    """Settings merged, table by table."""
    merged: Settings = {}
    for one in settings:
        for key, value in one.items():
            old = merged.get(key)
            merged[key] = both(old, value) if isinstance(old, dict) else value
    return merged


def inside(*sites: str, **variants: str) -> Settings:
    return {"locks": {"include": list(sites), "variants": variants}}


def size(**more: Any) -> Settings:
    return rule(size_classes=[{"name": "taille", **more}])


def year(least: int) -> Settings:
    return rule(availability=[{"name": "2030", "from_year": 2030, "at_least": least}])


def money(limit: int, *costs: str) -> Settings:
    return rule(budgets=[{"name": "part", "costs": list(costs), "limit_keur": limit}])


def group(**more: Any) -> Settings:
    return rule(groups=[{"name": "g", **more}])


def works(site: str, variant: str) -> int:
    return 5688 if site < "E" else 450


def servicing(site: str, variant: str) -> int:
    return 0 if variant == "reuse" else 720 if site < "E" else 2520


def usable(site: str, variant: str) -> int:
    return 900 if variant == "full" else 720 if site < "E" else 180


def new_land(site: str, variant: str) -> int:
    return 0 if variant == "reuse" else 180 if site < "E" else 720


def number(site: str) -> int:
    return int(site[2:])


NET_ZERO = {"zan": {"enforced": True, "programme_cap_ha": 0.0}}
WHOLE_B0 = {"locks": {"include": ["B-00"], "variants": {"B-00": "full"}}}
PAIR = rule(exclusive=[{"name": "paire", "sites": ["B-00", "B-01"]}])
TABLE = {
    "size class, at least": Rule(
        size(min_ha=8, at_least=1), "taille", lambda s, v: int(v == "full"), (1, None),
        ("B-00 full", "B-01 reuse"), size(min_ha=10, at_least=1),
        ("size class taille: at least 1 wanted, 0 candidates",),
        "size class taille: minimum lowered by 1, to 0", size(min_ha=10),
    ),
    "size class, at most": Rule(
        size(max_ha=8, at_most=1), "taille", lambda s, v: int(v == "reuse"), (None, 1),
        ("B-00 full", "B-01 reuse"), size(at_most=1), ("size class taille: at most 1",),
        "size class taille: maximum raised by 1, to 2", size(at_most=2),
    ),
    "availability": Rule(
        year(1), "2030", lambda s, v: int(s == "E-03"), (1, None), ("B-00 reuse", "E-03 reuse"),
        year(2), ("availability 2030: at least 2 wanted, 1 candidates",),
        "availability 2030: minimum lowered by 1, to 1", year(1),
    ),
    "group": Rule(
        group(kinds=["extension"], at_least=1), "group g", lambda s, v: int(s >= "E"), (1, None),
        ("B-00 reuse", "E-00 reuse"), group(sites=["E-05"], at_least=2),
        ("group g: at least 2 wanted, 1 candidates",), "group g: minimum lowered by 1, to 1",
        group(sites=["E-05"], at_least=1),
    ),
    "least of a region": Rule(
        rule(region_min=1), "region Droite", lambda s, v: int(number(s) >= 6), (1, 9),
        ("B-00 reuse", "B-06 reuse"), rule(region_min=2),
        ("the minimums of 2 groups without a site in common make 4", "region Droite"),
        "2 sites more: 4 in all", both(rule(region_min=2), {"count": 4}),
    ),
    "most of a region": Rule(
        rule(region_max=1), "region Gauche", lambda s, v: int(number(s) < 6), (None, 1),
        ("B-00 reuse", "B-06 reuse"), both(rule(region_max=1), {"count": 3}),
        ("region Gauche: at most 1", "region Droite: at most 1"), "1 sites fewer: 2 in all",
        rule(region_max=1),
    ),
    "most of an EPCI": Rule(
        rule(max_per_epci=1), "EPCI CC 0", lambda s, v: int(number(s) < 3), (None, 1),
        ("B-00 reuse", "B-03 reuse"), both(rule(max_per_epci=1), {"count": 5}),
        ("EPCI CC 0", "EPCI CC 3"), "1 sites fewer: 4 in all",
        both(rule(max_per_epci=1), {"count": 4}),
    ),
    "budget": Rule(
        rule(budget_keur=6138), "budget", lambda s, v: works(s, v) + servicing(s, v), (None, 6138),
        ("B-00 reuse", "E-00 reuse"), rule(budget_keur=899),
        ("budget: at most 899 k€ allowed, the cheapest sites cost 900 k€",),
        "budget: 1 k€ more, 900 k€ in all", rule(budget_keur=900), restores=True,
    ),
    "budget of works": Rule(
        money(6138, "works"), "budget part", works, (None, 6138), ("B-00 reuse", "E-00 reuse"),
        money(899, "works"), ("budget part: at most 899 k€",),
        "budget part: 1 k€ more, 900 k€ in all", money(900, "works"),
    ),
    "budget of servicing": Rule(
        money(720, "servicing"), "budget part", servicing, (None, 720), ("B-00 full", "B-01 reuse"),
        both(money(719, "servicing"), WHOLE_B0), ("budget part: at most 719 k€", "B-00"),
        "budget part: 1 k€ more, 720 k€ in all", both(money(720, "servicing"), WHOLE_B0), full=True,
    ),
    "budget of restoration": Rule(
        both(money(540, "restoration"), NET_ZERO), "budget part", lambda s, v: 0, (None, 540),
        ("B-00 full", "B-01 reuse"), both(money(539, "restoration"), NET_ZERO, WHOLE_B0),
        ("budget part: at most 539 k€", "net artificialisation of the portfolio"),
        "budget part: 1 k€ more, 540 k€ in all",
        both(money(540, "restoration"), NET_ZERO, WHOLE_B0), full=True, restores=True,
    ),
    "least usable area": Rule(
        rule(min_total_usable_ha=16.2), "total usable", usable, (1620, None),
        ("B-00 full", "B-01 reuse"), rule(min_total_usable_ha=18.5),
        ("total usable area: at least 18.5 ha wanted, the largest sites make 18.0 ha",),
        "total usable area: minimum lowered by 0.5 ha, to 18 ha", rule(min_total_usable_ha=18),
    ),
    "most usable area": Rule(
        rule(max_total_usable_ha=9), "total usable", usable, (None, 900),
        ("B-00 reuse", "E-00 reuse"), rule(max_total_usable_ha=3.5),
        ("total usable area: at most 3.5 ha allowed, the smallest sites make 3.6 ha",),
        "total usable area: maximum raised by 0.1 ha, to 3.6 ha", rule(max_total_usable_ha=3.6),
    ),
    "exclusive sites": Rule(
        PAIR, "paire", lambda s, v: int(s in ("B-00", "B-01")), (None, 1),
        ("B-00 reuse", "B-02 reuse"), both(PAIR, inside("B-00", "B-01")),
        ("sites that exclude each other: paire", "sites forced in or out by a planner"),
        "B-01 no longer forced in", both(PAIR, inside("B-00")),
    ),
    # The furthest pair is E-02 and B-09: 31 km east, 21 km south.
    "separation": Rule(
        rule(separation_km=15), "at least 15 km", lambda s, v: int(s in ("B-00", "B-01")),
        (None, 1), ("B-00 reuse", "B-02 reuse"), rule(separation_km=60),
        ("at least 60 km between two sites",),
        "at least 60 km between two sites: 22.5568 km less, 37.4432 km",
        rule(separation_km=37.4432),
    ),
    "forced in": Rule(
        inside("E-11"), "forced in", lambda s, v: int(s == "E-11"), (1, None),
        ("B-00 reuse", "E-11 reuse"),
        both(inside("B-00", "E-11"), rule(max_total_usable_ha=8)),
        ("sites forced in or out by a planner", "total usable area: at most 8.0 ha"),
        "B-00 no longer forced in", both(inside("E-11"), rule(max_total_usable_ha=8)),
    ),
    "forced out": Rule(
        {"locks": {"exclude": ["B-00"]}}, "forced in or out", lambda s, v: int(s == "B-00"),
        (None, 0), ("B-01 reuse", "B-02 reuse"),
        both(group(sites=["B-00"], at_least=1), {"locks": {"exclude": ["B-00"]}}),
        ("group g: at least 1 wanted, 0 candidates", "sites forced in or out by a planner"),
        "B-00 no longer forced out", group(sites=["B-00"], at_least=1),
    ),
    "developed one way": Rule(
        {"locks": {"variants": {"B-00": "full"}}}, "B-00 is developed one way only",
        lambda s, v: int((s, v) == ("B-00", "reuse")), (None, 0), ("B-00 full", "B-01 reuse"),
        both(WHOLE_B0, rule(max_total_usable_ha=9)),
        ("B-00 is developed one way only", "total usable area: at most 9.0 ha"),
        "total usable area: maximum raised by 1.8 ha, to 10.8 ha",
        both(WHOLE_B0, rule(max_total_usable_ha=10.8)),
    ),
}  # fmt: skip


# ---- land: the same case at every level ------------------------------------------------------

WHOLE_E0 = {"count": 1, "locks": {"include": ["E-00"], "variants": {"E-00": "full"}}}
FORCED_E0 = {"count": 1, "locks": {"include": ["E-00"]}}
LEVELS: dict[str, tuple[str, range]] = {
    "commune": ("01000", range(1)), "epci": ("200000000", range(3)), "scot": ("501", range(5)),
    "departement": ("01", range(3)), "region": ("11", range(6)), "national": ("FR", range(12)),
}  # fmt: skip
"""Code of the territory in which E-00 lies, and the communes of it."""


def capped(level: str, cap_ha: float) -> Settings:
    """Land of one ledger alone limited, without anything to restore."""
    zan: Settings = {"enforced": True, "offsets": False}
    if level == "programme":
        zan["programme_cap_ha"] = cap_ha
    elif level == "pene":
        zan["pene"] = {"sites": ["E-00"], "cap_ha": cap_ha}
    else:
        zan["ledgers"] = [{"level": level, "caps_ha": {LEVELS[level][0]: cap_ha}}]
    return {"zan": zan}


def of_level(level: str) -> Rule:
    """E-00 takes 7.2 ha whole: 7.2 ha allow it, 5 ha are 2.2 too few."""
    communes = LEVELS[level][1] if level in LEVELS else range(12)
    name = {"programme": "programme: net", "pene": "(PENE)"}.get(level, "cap of ")

    def terms(site: str, variant: str) -> int:
        here = site == "E-00" if level == "pene" else number(site) in communes
        return here * new_land(site, variant)

    return Rule(
        both(FORCED_E0, capped(level, 7.2)), name, terms, (None, 720), ("E-00 full",),
        both(WHOLE_E0, capped(level, 5.0)), (name, "at most 5.0 ha", "E-00 is developed one way"),
        "raised by 2.2 ha, to 7.2 ha", both(WHOLE_E0, capped(level, 7.2)), full=True,
    )  # fmt: skip


TABLE |= {f"land: {level}": of_level(level) for level in (*LEVELS, "programme", "pene")}
LINES = pytest.mark.parametrize("line", TABLE.values(), ids=TABLE)
Make = Callable[..., Formulation]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    folder = tmp_path_factory.mktemp("packs") / "tiny"
    build_tiny_pack(folder)
    pack = add_scot(folder)
    kept: dict[str, Any] = {}

    def formulated(settings: Settings, *, full: bool = False) -> Formulation:
        scenario = scenario_from_mapping({"pack": str(folder), **both(BASE, settings)}).scenario
        key = str(scenario.candidates)
        if key not in kept:
            kept[key] = measure_sites(open_pack(str(pack.folder)), scenario)
        sites, parcels = kept[key].sites, kept[key].parcels
        made = formulate(sites, parcels, scenario, open_rulebook(scenario.land.regime))
        place = made.problem.site.astype(np.int64)
        more = np.where(made.columns["variant"] == "full", (30 if full else -5) - place, 0)
        score = 1_000 - 10 * place + more
        return dataclasses.replace(made, problem=dataclasses.replace(made.problem, score=score))

    return formulated


def labels(made: Formulation) -> list[tuple[str, str]]:
    ids = made.sites["site_id"].to_numpy()[made.problem.site]
    return list(zip(ids.tolist(), made.columns["variant"], strict=True))


def chosen(made: Formulation, found: Solution) -> tuple[str, ...]:
    named = labels(made)
    return tuple(" ".join(named[j]) for j in found.columns.tolist())


@LINES
def test_rows_term_by_term(line: Rule, make: Make) -> None:
    made = make(line.given, full=line.full)
    one = next(c for c in made.problem.constraints if line.name in str(c.name))
    rows = one.rows(made.problem)
    wanted = [line.terms(site, variant) for site, variant in labels(made)]
    low = [None if v == NO_LOWER else v for v in rows.lower.tolist()]
    high = [None if v == NO_UPPER else v for v in rows.upper.tolist()]
    found = list(zip(rows.x.toarray().tolist(), zip(low, high, strict=True), strict=True))
    if isinstance(one, Separation):
        assert (wanted, line.bounds) in found
    else:
        assert found == [(wanted, line.bounds)]
        assert bool(rows.z.nnz) == line.restores


@LINES
def test_by_hand(line: Rule, make: Make) -> None:
    made = make(line.given, full=line.full)
    for found in (solve(made.problem), solve_plainly(made.problem)):
        assert found.status == "optimal"
        assert chosen(made, found) == line.best


@LINES
def test_infeasible_is_named_and_its_remedy_is_enough(line: Rule, make: Make) -> None:
    made = make(line.broken, full=line.full)
    assert solve_plainly(made.problem).status == "infeasible"
    found = solve(made.problem)
    assert found.status == "infeasible"
    reasons = "\n".join(map(str, found.reasons))
    for words in line.says:
        assert words in reasons
    assert any(str(one).endswith(line.remedy) for one in found.remedies), found.remedies
    eased = make(line.eased, full=line.full).problem
    assert solve(eased).status == solve_plainly(eased).status == "optimal"


def test_land_a_little_short_is_not_taken(make: Make) -> None:
    """One pixel less than E-00 needs whole, at any level: only its built land is used."""
    for level in (*LEVELS, "programme", "pene"):
        made = make(both(FORCED_E0, capped(level, 7.19)), full=True)
        assert chosen(made, solve(made.problem)) == ("E-00 reuse",)


def test_contiguous_area(make: Make) -> None:
    """A filter of candidates, not a row: 9 ha in one piece are enough, 9.01 are not."""
    free = {"candidates": {"min_contiguous_ha": 9.0}}
    made = make(free)
    assert chosen(made, solve(made.problem)) == ("B-00 reuse", "B-01 reuse")
    none = make({"candidates": {"min_contiguous_ha": 9.01}})
    assert none.problem.n_columns == 0
    found = solve(none.problem)
    assert [str(one) for one in found.reasons] == [
        "2 sites are wanted but there are only 0 candidates"
    ]
    assert found.remedies == ()
