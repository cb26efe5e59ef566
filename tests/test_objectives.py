"""Several objectives: floors, caps and an order with tolerances, against enumeration."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.errors import InfeasibleError, InputError, VerificationError
from siteselect.formulate import Formulation, formulate
from siteselect.i18n import Translator
from siteselect.measuring import measure_sites
from siteselect.objectives import MEASURES, column_integers, kept_within
from siteselect.pack import open_pack
from siteselect.problem import Goal, violations
from siteselect.reopen import reopen, solved
from siteselect.report import facts
from siteselect.rulebook import open_rulebook
from siteselect.rundir import read_run
from siteselect.scenario import ObjectiveStep, Scenario
from siteselect.scenario_files import scenario_from_mapping
from siteselect.verify import verify_run
from tests.tinypack import build_tiny_pack
from tests.verify.test_verify import reseal

COUNT = 3
BASE: dict[str, Any] = {
    "count": COUNT,
    "reserve": 2,
    "candidates": {"kinds": ["brownfield", "extension"]},
    "constraints": {"region_max": 3, "separation_km": 5.0, "max_per_epci": 2},
    "zan": {"programme_cap_ha": 9.0, "ledgers": []},
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objectives") / "pack"
    build_tiny_pack(folder)
    return folder


@pytest.fixture(scope="module")
def feasible(pack: Path) -> list[tuple[int, ...]]:
    """Every portfolio that respects the rules, floors, caps and stages apart."""
    return list(portfolios(formulated(pack)[1]))


def formulated(pack: Path, **objective: Any) -> tuple[Scenario, Formulation]:
    scenario = scenario_from_mapping({"pack": str(pack), **BASE, "objective": objective}).scenario
    measured = measure_sites(open_pack(str(pack)), scenario)
    rulebook = open_rulebook(scenario.land.regime)
    return scenario, formulate(measured.sites, measured.parcels, scenario, rulebook)


def portfolios(formulation: Formulation) -> Iterator[tuple[int, ...]]:
    """Every choice of columns that respects every rule, all land restored that is not built on.

    Restoring as much as there is never breaks a rule here: there is no budget.
    """
    problem = formulation.problem
    parcels = problem.parcels
    for chosen in itertools.combinations(range(problem.n_columns), COUNT):
        built = np.isin(parcels.on_site, problem.site[list(chosen)])
        if not violations(problem, chosen, np.where(built, 0, parcels.capacity).tolist()):
            yield chosen


def counter(formulation: Formulation, scenario: Scenario) -> Any:
    """What a portfolio has of an objective, in integers: name, columns → value."""
    values = {
        name: column_integers(formulation.columns, formulation.sites, scenario, name).tolist()
        for name in MEASURES
    }
    return lambda name, chosen: sum(values[name][j] for j in chosen)


def test_what_a_column_adds_by_hand(pack: Path) -> None:
    """A brownfield of 9 ha is built on 24 parts of 30, an extension on 6."""
    scenario, made = formulated(pack)
    ids = made.sites["site_id"].to_numpy()[made.columns["site"]]
    for name, site, variant, expected in (
        ("usable_ha", "B-00", "reuse", 720),
        ("new_ha", "B-00", "full", 180),
        ("new_ha", "B-00", "reuse", 0),
        ("brownfield_share", "B-00", "full", 1),
        ("brownfield_share", "E-00", "full", 0),
        ("cost_keur", "B-00", "reuse", round(790 * 7.2)),
    ):
        values = column_integers(made.columns, made.sites, scenario, name)
        at = np.flatnonzero((ids == site) & (made.columns["variant"] == variant).to_numpy())
        assert values[at].tolist() == [expected]
    row = made.sites[made.sites["site_id"] == "B-00"].iloc[0]
    at = np.flatnonzero((ids == "B-00") & (made.columns["variant"] == "reuse").to_numpy())
    values = column_integers(made.columns, made.sites, scenario, "access")
    assert values[at].tolist() == [round(row["score_access"] * 0.95 * 1_000_000)]
    with pytest.raises(KeyError):
        column_integers(made.columns, made.sites, scenario, "beauty")


def test_floors_and_caps_are_named_rows(pack: Path) -> None:
    """Term by term: 0.5 of three sites is two brownfields at least; 2.5 ha are 250 units."""
    _, made = formulated(
        pack, mode="epsilon", floors={"brownfield_share": 0.5}, caps={"new_ha": 2.5}
    )
    rows = {str(one.name): one for one in made.problem.constraints if isinstance(one, Goal)}
    assert set(rows) == {"objective: share of brownfields", "objective: new artificialisation"}
    brown, new = rows["objective: share of brownfields"], rows["objective: new artificialisation"]
    assert (brown.at_least, brown.at_most) == (2, None)
    assert (new.at_least, new.at_most) == (None, 250)
    assert new.shown(250) == "2.5 ha"
    assert brown.shown(2) == "0.666667"
    compiled = new.rows(made.problem)
    assert compiled.x.toarray()[0].tolist() == made.columns["new_units"].tolist()
    assert compiled.upper.tolist() == [250]


@pytest.mark.parametrize(
    ("floors", "caps"),
    [
        ({"access": 0.6}, {}),
        ({"brownfield_share": 0.34, "workforce": 0.02}, {"new_ha": 3.0}),
        ({"usable_ha": 22.0}, {"cost_keur": 16_000.0}),
        ({}, {"brownfield_share": 0.0}),
    ],
)
def test_epsilon_by_enumeration(
    pack: Path, feasible: Any, tmp_path: Path, floors: Any, caps: Any
) -> None:
    settings = {"mode": "epsilon", "floors": floors, "caps": caps}
    scenario, made = formulated(pack, **settings)
    worth = counter(made, scenario)

    def shown(name: str, chosen: tuple[int, ...]) -> float:
        return MEASURES[name].shown(worth(name, chosen), COUNT)

    left = [
        one
        for one in feasible
        if all(shown(name, one) >= least for name, least in floors.items())
        and all(shown(name, one) <= most for name, most in caps.items())
    ]
    assert 0 < len(left) < len(feasible)
    best = max(int(made.problem.score[list(one)].sum()) for one in left)
    run = siteselect.run({"pack": str(pack), **BASE, "objective": settings}, out=tmp_path / "run")
    assert run.result.status == "optimal"
    assert run.result.objective == best
    assert run.result.stages == ()
    checks = verify_run(tmp_path / "run", proof=True)
    assert "certified without any solver" in str(checks[-1])


ORDERS: tuple[tuple[dict[str, Any], ...], ...] = (
    ({"by": "new_ha"},),
    ({"by": "brownfield_share"}, {"by": "cost_keur", "within_share": 0.2}),
    ({"by": "access", "within": 0.05}, {"by": "new_ha", "within": 1.0}),
    ({"by": "score", "within_share": 0.1}, {"by": "usable_ha"}),
)


@pytest.mark.parametrize("order", ORDERS)
def test_order_by_enumeration(pack: Path, feasible: Any, tmp_path: Path, order: Any) -> None:
    settings = {"mode": "lexicographic", "order": list(order)}
    scenario, made = formulated(pack, **settings)
    left, worth = feasible, counter(made, scenario)
    expected = []
    for step in scenario.objective.order:
        sign = MEASURES[step.by].sign
        best = max(sign * worth(step.by, one) for one in left) * sign
        kept = kept_within(step, best, COUNT)
        expected.append((step.by, best, best, kept))
        left = [one for one in left if sign * worth(step.by, one) >= sign * kept]
    run = siteselect.run({"pack": str(pack), **BASE, "objective": settings}, out=tmp_path / "run")
    got = [(one["by"], one["value"], one["bound"], one["kept"]) for one in run.result.stages]
    assert got == expected
    assert {one["status"] for one in run.result.stages} == {"optimal"}
    assert run.result.status == "optimal"
    assert run.result.objective == max(int(made.problem.score[list(one)].sum()) for one in left)
    checks = verify_run(tmp_path / "run", proof=True)
    assert "certified without any solver" in str(checks[-1])
    again = reopen(tmp_path / "run")
    assert again.objective == run.result.objective
    assert len(again.stages) == len(order)
    assert read_run(tmp_path / "run").result.stages == run.result.stages


def test_tolerances_by_hand() -> None:
    """Of 12.00 ha at best, 0.5 ha or 10 % may be given up: 12.50 or 13.20; of a mean, its count."""
    assert kept_within(ObjectiveStep(by="new_ha", within=0.5), 1_200, 3) == 1_250
    assert kept_within(ObjectiveStep(by="new_ha", within_share=0.1), 1_200, 3) == 1_320
    assert kept_within(ObjectiveStep(by="access", within=0.1), 2_000_000, 3) == 1_700_000
    assert kept_within(ObjectiveStep(by="usable_ha"), 2_700, 3) == 2_700


@pytest.fixture(scope="module")
def ordered(pack: Path) -> Path:
    settings = {"mode": "lexicographic", "order": [{"by": "new_ha", "within": 0.5}]}
    folder = pack.parent / "ordered"
    siteselect.run({"pack": str(pack), **BASE, "objective": settings}, out=folder)
    return folder


def test_in_memory_it_is_the_same(ordered: Path) -> None:
    run = read_run(ordered)
    assert solved(run.scenario).objective == run.result.objective


@pytest.mark.parametrize(
    ("key", "change", "said"),
    [
        ("kept", 100, "does not follow from"),
        ("value", 1, "stage new_ha"),
        ("bound", -1, "status, value and bound do not agree"),
    ],
)
def test_a_forged_stage_is_seen(
    ordered: Path, tmp_path: Path, key: str, change: int, said: str
) -> None:
    import shutil

    folder = Path(shutil.copytree(ordered, tmp_path / "run"))
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["stages"][0][key] += change
    path.write_text(json.dumps(result), encoding="utf-8")
    reseal(folder)
    with pytest.raises(VerificationError, match=said):
        verify_run(folder)


def test_a_stage_that_lies_all_through_fails_its_proof(ordered: Path, tmp_path: Path) -> None:
    """A better best, with the row, the bound and the gap that follow: only the proof can tell."""
    import shutil

    folder = Path(shutil.copytree(ordered, tmp_path / "run"))
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    stage = result["stages"][0]
    stage["value"], stage["bound"], stage["kept"] = 10, 10, 60
    path.write_text(json.dumps(result), encoding="utf-8")
    reseal(folder)
    with pytest.raises(VerificationError, match="the proof is of the bound"):
        verify_run(folder, proof=True)


def test_the_screen_says_every_stage(pack: Path, tmp_path: Path) -> None:
    text = (
        f'pack = "{pack}"\ncount = 3\n[constraints]\nregion_max = 3\n'
        '[objective]\nmode = "lexicographic"\n[[objective.order]]\nby = "new_ha"\nwithin = 0.5\n'
    )
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    command = ["run", str(tmp_path / "s.toml"), "--out", str(tmp_path / "r"), "--lang", "en"]
    done = CliRunner().invoke(app, [*command, "--quiet"])
    assert done.exit_code == 0, done.output
    assert "objective 1, new artificialisation: best 0 ha" in done.output
    assert "kept at 0.5 ha" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ({"floors": {"access": 0.5}}, "the mode does not use them"),
        ({"order": [{"by": "score"}]}, "the mode does not use one"),
        ({"mode": "epsilon"}, "needs a floor or a cap"),
        ({"mode": "lexicographic"}, "needs objectives in order"),
        (
            {"mode": "lexicographic", "order": [{"by": "score"}, {"by": "score"}]},
            "stands twice",
        ),
        (
            {"mode": "lexicographic",
             "order": [{"by": "score", "within": 0.1, "within_share": 0.1}]},
            "two tolerances",
        ),
        (
            {"mode": "epsilon", "floors": {"new_ha": 3.0}, "caps": {"new_ha": 2.0}},
            "above the cap",
        ),
        ({"mode": "epsilon", "floors": {"beauty": 1.0}}, "objective.floors"),
    ],
)  # fmt: skip
def test_keys_that_do_not_go_together(pack: Path, objective: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        formulated(pack, **objective)


def test_an_impossible_floor_is_explained_in_its_unit(pack: Path) -> None:
    settings = {"mode": "epsilon", "floors": {"usable_ha": 40.0}}
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run({"pack": str(pack), **BASE, "objective": settings})
    text = str(caught.value)
    assert "objective: total usable area: at least 40 ha wanted, the best sites reach 27 ha" in text
    assert "floor lowered by 13 ha, to 27 ha" in text


def test_the_report_says_every_stage(ordered: Path) -> None:
    run = read_run(ordered)
    found = {fact.label: fact.value for fact in facts.totals(run, Translator("en"))}
    assert found["Objective 1: new artificialisation"].startswith("0 ha (bound 0 ha, ")
    assert found["Objective 1: new artificialisation"].endswith("kept at 0.5 ha")
    assert any("optimised in order" in str(said) for said in facts.method(run))
