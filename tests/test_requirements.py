"""Exclusions, budgets by kind of cost and years of availability: rows, by hand, infeasible.

Sites of the tiny pack have 9 ha: 7.2 ha built on a brownfield (B-…), 1.8 ha on an extension
(E-…). Works cost 790 k€/ha on a brownfield, 250 on an extension; new land 400 and 350.
"""

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
from shapely import MultiPolygon, box

import siteselect
from siteselect.candidates import prepare_candidates
from siteselect.errors import InfeasibleError, InputError
from siteselect.formulate import formulate
from siteselect.measuring import measure_sites
from siteselect.pack import open_pack
from siteselect.problem import Budget, Conflicts, Group, Ledger
from siteselect.rulebook import open_rulebook
from siteselect.scenario import CandidateSettings
from siteselect.scenario_files import scenario_from_mapping
from siteselect.verify import verify_run
from siteselect.verify.planned import broken_plans
from siteselect.verify.portfolio import Choice, Restored, _balances, balances
from tests.tinypack import build_tiny_pack

YEARS = {"B-00": 2024, "B-01": 2026, "E-02": 2027, "E-03": 2030}
LOOSE = {"region_min": 0, "region_max": 9, "max_per_epci": 9, "separation_km": 0}


def tree(pack, constraints, **more):
    base = {
        "pack": str(pack), "count": 2, "reserve": 2, "constraints": {**LOOSE, **constraints},
        "zan": {"enforced": False, "price": False},
    }  # fmt: skip
    return {**base, **more}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return build_tiny_pack(tmp_path_factory.mktemp("packs") / "tiny").folder


def formulated(pack, constraints, **more):
    scenario = scenario_from_mapping(tree(pack, constraints, **more)).scenario
    measured = measure_sites(open_pack(pack), scenario)
    return formulate(measured.sites, measured.parcels, scenario, open_rulebook("net-2031"))


def only(made, kind, word):
    return next(
        one for one in made.problem.constraints if isinstance(one, kind) and word in str(one.name)
    )


def best_two(pack):
    run = siteselect.run(tree(pack, {}), cache=False, reports="none")
    return run.shortlist.loc[run.shortlist["status"] == "selected", "site_id"].tolist()


# ---- sites that exclude each other -------------------------------------------------------------


def test_exclusive_rows_term_by_term(pack):
    rule = {"name": "même friche", "sites": ["B-00", "B-02", "E-01"]}
    made = formulated(pack, {"exclusive": [rule]})
    one = only(made, Conflicts, "même friche")
    ids = made.sites["site_id"].to_numpy()
    assert [tuple(ids[pair]) for pair in one.pairs] == [
        ("B-00", "B-02"), ("B-00", "E-01"), ("B-02", "E-01"),
    ]  # fmt: skip
    rows = one.rows(made.problem)
    assert rows.upper.tolist() == [1, 1, 1]
    names = ids[made.problem.site]
    assert [sorted(set(names[row.indices])) for row in rows.x] == [
        ["B-00", "B-02"], ["B-00", "E-01"], ["B-02", "E-01"],
    ]  # fmt: skip


def test_the_best_two_that_exclude_each_other_are_not_chosen_together(pack, tmp_path):
    first, second = best_two(pack)
    rule = {"name": "l'un ou l'autre", "sites": [first, second]}
    run = siteselect.run(tree(pack, {"exclusive": [rule]}), out=tmp_path / "r", cache=False)
    chosen = set(run.shortlist.loc[run.shortlist["status"] == "selected", "site_id"])
    assert len(chosen & {first, second}) == 1
    assert run.result.status == "optimal"
    left = ({first, second} - chosen).pop()
    assert "l'un ou l'autre" in run.sites.set_index("site_id").loc[left, "reason"]
    assert verify_run(tmp_path / "r", proof=True)


def test_exclusive_sites_forced_in_are_explained(pack):
    rule = {"name": "voisins", "sites": ["B-00", "B-01"]}
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run(
            tree(pack, {"exclusive": [rule]}, locks={"include": ["B-00", "B-01"]}), cache=False
        )
    assert "voisins" in " ".join(map(str, caught.value.reasons))


def test_an_unknown_site_is_named_with_the_nearest(pack):
    rule = {"name": "voisins", "sites": ["B-00", "B-1"]}
    with pytest.raises(InputError, match=r"constraints\.exclusive: voisins.*'B-1'"):
        formulated(pack, {"exclusive": [rule]})


# ---- budgets by kind of cost -------------------------------------------------------------------


def test_budget_rows_term_by_term(pack):
    rules = [
        {"name": "travaux", "costs": ["works"], "limit_keur": 6000},
        {"name": "viabilisation", "costs": ["servicing"], "limit_keur": 900},
        {"name": "renaturation", "costs": ["restoration"], "limit_keur": 50},
        {"name": "tout", "costs": ["works", "servicing", "restoration"], "limit_keur": 9000},
    ]
    made = formulated(pack, {"budgets": rules})
    works, servicing, back, every = (only(made, Budget, rule["name"]) for rule in rules)
    kind = made.sites["kind"].to_numpy()[made.columns["site"]]
    variant = made.columns["variant"].to_numpy()
    for k, v, cost, new in (
        ("brownfield", "full", 5688, 720), ("brownfield", "reuse", 5688, 0),
        ("extension", "full", 450, 2520), ("extension", "reuse", 450, 0),
    ):  # fmt: skip
        mine = (kind == k) & (variant == v)
        assert set(works.cost_keur[mine]) == {cost}
        assert set(servicing.cost_keur[mine]) == {new}
    assert not back.cost_keur.any()
    assert every.cost_keur.tolist() == made.columns["cost_keur"].tolist()
    assert [one.with_parcels for one in (works, servicing, back, every)] == [
        False, False, True, True,
    ]  # fmt: skip
    assert back.rows(made.problem).z.toarray().tolist() == [made.problem.parcels.cost_keur.tolist()]
    assert [one.limit_keur for one in (works, servicing, back, every)] == [6000, 900, 50, 9000]


def test_no_money_for_new_land_means_reuse(pack, tmp_path):
    """Each full brownfield needs 720 k€ of servicing: with 719 only the built land is used."""
    rule = {"name": "viabilisation", "costs": ["servicing"], "limit_keur": 719}
    settings = {"candidates": {"kinds": ["brownfield"]}}
    run = siteselect.run(tree(pack, {"budgets": [rule]}, **settings), out=tmp_path / "r")
    chosen = run.sites[run.sites["status"] == "selected"]
    assert chosen["variant"].tolist() == ["reuse", "reuse"]
    assert verify_run(tmp_path / "r", proof=True)
    rich = {**rule, "limit_keur": 720}
    run = siteselect.run(tree(pack, {"budgets": [rich]}, **settings), reports="none")
    assert sorted(run.sites.loc[run.sites["status"] == "selected", "variant"]) == ["full", "reuse"]


def test_a_budget_too_small_is_explained(pack):
    rule = {"name": "travaux", "costs": ["works"], "limit_keur": 899}  # two extensions: 900
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run(tree(pack, {"budgets": [rule]}), cache=False)
    assert "budget travaux" in " ".join(map(str, caught.value.reasons))


# ---- years of availability ---------------------------------------------------------------------


def test_availability_rows_term_by_term(pack):
    rule = {"name": "2025-27", "from_year": 2025, "to_year": 2027, "at_least": 1, "at_most": 2}
    made = formulated(pack, {"availability": [rule]}, candidates={"available_year": YEARS})
    one = only(made, Group, "2025-27")
    names = made.sites["site_id"].to_numpy()[made.problem.site[one.columns]]
    assert sorted(set(names)) == ["B-01", "E-02"]
    assert (one.at_least, one.at_most, len(one.columns)) == (1, 2, 4)


def test_a_class_of_years_brings_in_the_best_of_it(pack, tmp_path):
    late = {"E-02": 2030}
    assert "E-02" not in best_two(pack)
    rule = {"name": "2028 et après", "from_year": 2028, "at_least": 1}
    run = siteselect.run(
        tree(pack, {"availability": [rule]}, candidates={"available_year": late}),
        out=tmp_path / "r",
    )
    table = run.sites.set_index("site_id")
    assert table.loc["E-02", "status"] == "selected"
    assert table.loc["E-02", "available_year"] == 2030
    assert verify_run(tmp_path / "r", proof=True)


def test_too_many_asked_of_a_year_is_explained(pack):
    rule = {"name": "2024", "from_year": 2024, "to_year": 2024, "at_least": 2}
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run(
            tree(pack, {"availability": [rule]}, candidates={"available_year": YEARS}), cache=False
        )
    assert "availability 2024" in " ".join(map(str, caught.value.reasons))


def test_years_that_nobody_gave_are_asked_for(pack):
    rule = {"name": "2024", "from_year": 2024}
    with pytest.raises(InputError, match="no site has a year"):
        formulated(pack, {"availability": [rule]})
    with pytest.raises(InputError, match=r"candidates\.available_year.*'B-99'"):
        formulated(pack, {}, candidates={"available_year": {"B-99": 2024}})


def test_the_year_of_the_pack_is_read_and_the_scenario_wins(pack):
    opened = open_pack(pack)
    sites, communes = opened.vectors("sites"), opened.vectors("communes")
    sites["available_year"] = [2024] * len(sites)
    settings = CandidateSettings(available_year={"B-00": 2029})
    year = prepare_candidates(sites, communes, settings).set_index("site_id")["available_year"]
    assert (year["B-00"], year["B-01"]) == (2029, 2024)


# ---- contiguous area ---------------------------------------------------------------------------


def test_the_largest_piece_of_a_footprint_decides(pack):
    """Two squares of 4.5 ha apart, and two that share a side: the second is one piece of 9 ha."""
    opened = open_pack(pack)
    sites, communes = opened.vectors("sites"), opened.vectors("communes")
    x, y = sites.geometry.iloc[0].bounds[:2]
    apart = MultiPolygon([box(x, y, x + 150, y + 300), box(x + 200, y, x + 350, y + 300)])
    joined = MultiPolygon([box(x, y, x + 150, y + 300), box(x + 150, y, x + 300, y + 300)])
    shapes = [apart, joined, *sites.geometry.iloc[2:]]
    changed = gpd.GeoDataFrame(sites.drop(columns="geometry"), geometry=shapes, crs=sites.crs)
    done = prepare_candidates(changed, communes, CandidateSettings(min_contiguous_ha=5.0))
    reason = done.set_index("site_id")["excluded_reason"]
    split, whole = sites["site_id"].iloc[0], sites["site_id"].iloc[1]
    assert str(reason[split]) == "its largest piece has 4.50 ha, under the least admitted, 5 ha"
    assert reason[whole] is None
    free = prepare_candidates(changed, communes, CandidateSettings())
    assert free["excluded_reason"].isna().all()


# ---- the auditor -------------------------------------------------------------------------------


def test_the_auditor_sees_each_rule_broken(pack):
    scenario = scenario_from_mapping(
        tree(
            pack,
            {
                "exclusive": [{"name": "paire", "sites": ["B-00", "B-01"]}],
                "budgets": [
                    {"name": "travaux", "costs": ["works"], "limit_keur": 11_375},
                    {"name": "terre", "costs": ["restoration"], "limit_keur": 1},
                ],
                "availability": [
                    {"name": "tôt", "from_year": 2020, "to_year": 2024, "at_least": 2},
                    {"name": "tard", "from_year": 2026, "at_most": 0},
                ],
            },
        )
    ).scenario

    def site(name, year):
        row = {"site_id": name, "kind": "brownfield", "artificialised_ha": 7.2,
               "available_year": year}  # fmt: skip
        return Choice(row, "full", 900, 180, 6408, 0)

    chosen = [site("B-00", 2024), site("B-01", 2026.0)]
    back = [Restored({"parcel_id": "P"}, 100, 500, 1500)]
    said = [str(one) for one in broken_plans(chosen, back, scenario)]
    assert [one.split(":")[0] for one in said] == ["paire", "travaux", "terre", "tôt", "tard"]
    assert "11376.000 k€" in said[1]
    unknown = dataclasses.replace(chosen[1], row={**chosen[1].row, "available_year": np.nan})
    assert "tard" not in " ".join(
        str(one) for one in broken_plans([chosen[0], unknown], [], scenario)
    )


# ---- projects of national or European scale ----------------------------------------------------

PENE = {
    "enforced": True, "price": False, "offsets": False, "programme_cap_ha": None,
    "ledgers": [{"level": "region", "default_cap_ha": 0.0}, {"level": "national",
                                                              "default_cap_ha": 0.0}],
}  # fmt: skip


def test_pene_rows_term_by_term(pack):
    """A project charges the programme and its envelope, no territory; the others the reverse."""
    zan = {**PENE, "programme_cap_ha": 5.0, "pene": {"sites": ["E-00"], "cap_ha": 7.5}}
    made = formulated(pack, {}, zan=zan)
    ledgers = {(one.level, one.code): one for one in made.problem.constraints
               if isinstance(one, Ledger)}  # fmt: skip
    ids = made.sites["site_id"].to_numpy()[made.problem.site]

    def charged(level, code=""):
        one = ledgers[(level, code)]
        return {n: int(u) for n, u in zip(ids[one.columns], one.charge, strict=True) if u}

    assert charged("pene") == {"E-00": 720}
    assert (ledgers[("pene", "")].cap, len(ledgers[("pene", "")].parcels)) == (750, 0)
    assert charged("programme")["E-00"] == 720
    assert len(charged("programme")) == 24
    for level, code, many in (("region", "11", 11), ("region", "24", 12), ("national", "FR", 23)):
        assert "E-00" not in charged(level, code)
        assert len(charged(level, code)) == many


def test_only_the_envelope_lets_new_land_be_taken(pack, tmp_path):
    """No territory may take any land: full development is for the project of the list alone."""
    extensions = {"candidates": {"kinds": ["extension"]}, "locks": {"include": ["E-00"]}}
    zan = {**PENE, "pene": {"sites": ["E-00"], "cap_ha": 7.2, "origin": "arrêté"}}
    run = siteselect.run(tree(pack, {}, zan=zan, **extensions), out=tmp_path / "r", cache=False)
    chosen = run.sites[run.sites["variant"].notna()].set_index("site_id")
    assert chosen["variant"].value_counts().to_dict() == {"reuse": 1, "full": 1}
    assert chosen.loc["E-00", "variant"] == "full"
    row = run.ledger[run.ledger["level"] == "pene"].iloc[0]
    assert (row["gross_ha"], row["cap_ha"], row["cap_origin"]) == (7.2, 7.2, "arrêté")
    assert run.ledger.loc[run.ledger["level"] == "national", "gross_ha"].tolist() == [0.0]
    assert verify_run(tmp_path / "r", proof=True)
    small = {**zan, "pene": {**zan["pene"], "cap_ha": 7.19}}
    run = siteselect.run(tree(pack, {}, zan=small, **extensions), cache=False, reports="none")
    assert set(run.sites["variant"].dropna()) == {"reuse"}


def test_an_envelope_too_small_is_explained_and_audited(pack):
    zan = {**PENE, "pene": {"sites": ["E-00"], "cap_ha": 1.0}}
    held = {"locks": {"include": ["E-00"], "variants": {"E-00": "full"}}}
    with pytest.raises(InfeasibleError) as caught:
        siteselect.run(tree(pack, {}, zan=zan, **held), cache=False)
    assert "national or European scale" in " ".join(map(str, caught.value.reasons))
    scenario = scenario_from_mapping(tree(pack, {}, zan=zan)).scenario
    row = {"site_id": "E-00", "region": "11"}
    taken = Choice(row, "full", 900, 720, 0, 0)
    assert balances([taken], [], "national", scenario.zan) == {}
    assert [str(one) for one in _balances([taken], [], scenario)] == [
        "PENE: 7.20 ha, over the envelope of 1 ha"
    ]
    with pytest.raises(InputError, match=r"zan\.pene\.sites.*'E-99'"):
        formulated(pack, {}, zan={**PENE, "pene": {"sites": ["E-99"]}})


def test_other_hectares_keep_every_requirement(pack):
    """Draws of other hectares write budgets again: none may be lost, nor any other rule."""
    rules = {
        "budgets": [{"name": "travaux", "costs": ["works"], "limit_keur": 6000}],
        "exclusive": [{"name": "paire", "sites": ["B-00", "B-01"]}],
    }
    zan = {**PENE, "pene": {"sites": ["E-00"], "cap_ha": 7.5}}
    more = {"zan": zan, "candidates": {"available_year": YEARS}}
    made = formulated(
        pack, {**rules, "availability": [{"name": "2024", "from_year": 2024}]}, **more
    )
    scenario = scenario_from_mapping(tree(pack, rules, **more)).scenario
    offered = np.ones(len(made.columns), bool)
    dearer = made.columns.assign(works_keur=made.columns["works_keur"] * 2)
    again = made.with_hectares(dearer, offered, scenario)
    names = sorted(str(one.name) for one in again)
    assert names == sorted(str(one.name) for one in made.problem.constraints)
    before = only(made, Budget, "travaux").cost_keur
    after = next(one for one in again if str(one.name) == "budget travaux").cost_keur
    assert after.tolist() == (2 * before).tolist()
