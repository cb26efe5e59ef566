"""Variants by hand: areas, charges, costs and scores in model units."""

import pandas as pd

from siteselect.rulebook import open_rulebook
from siteselect.scenario_files import scenario_from_mapping
from siteselect.variants import site_variants

SITES = pd.DataFrame(
    {
        "kind": ["brownfield", "greenfield", "brownfield"],
        "area_ha": [10.0, 4.0, 3.0],
        "artificialised_ha": [8.004, 0.5, 3.0],
        "non_artificialised_ha": [1.996, 3.5, 0.0],
        "enaf_ha": [0.0, 3.5, 0.0],
        "score": [0.8, 0.5, 0.25],
    }
)
COSTS = {
    "reuse_keur_per_ha": {"brownfield": 800, "greenfield": 200},
    "new_keur_per_ha": {"brownfield": 400, "greenfield": 300},
}


def variants(regime="net-2031", **settings):
    scenario = scenario_from_mapping({"costs": COSTS, **settings}).scenario
    return site_variants(SITES, scenario, open_rulebook(regime))


def test_figures_by_hand():
    table = variants(variants={"reuse_factor": 0.9, "min_usable_ha": 1})
    assert table.to_dict("records") == [
        {"site": 0, "variant": "full", "usable_units": 1000, "new_units": 200,
         "works_keur": 6403, "cost_keur": 7202, "score_units": 800_000},
        {"site": 0, "variant": "reuse", "usable_units": 800, "new_units": 0,
         "works_keur": 6403, "cost_keur": 6403, "score_units": 720_000},
        {"site": 1, "variant": "full", "usable_units": 400, "new_units": 350,
         "works_keur": 100, "cost_keur": 1150, "score_units": 500_000},
        {"site": 2, "variant": "full", "usable_units": 300, "new_units": 0,
         "works_keur": 2400, "cost_keur": 2400, "score_units": 250_000},
    ]  # fmt: skip


def test_the_regime_decides_what_is_charged():
    table = variants("enaf-2021")
    charged = table[table["variant"] == "full"].set_index("site")["new_units"]
    assert charged.to_dict() == {0: 0, 1: 350, 2: 0}


def test_too_little_usable_land_is_not_offered():
    table = variants(variants={"min_usable_ha": 3.5})
    assert list(zip(table["site"], table["variant"], strict=True)) == [
        (0, "full"), (0, "reuse"), (1, "full"),
    ]  # fmt: skip


def test_one_variant_alone():
    assert set(variants(variants={"full": False})["variant"]) == {"reuse"}
    only = variants(variants={"full": False})
    assert only["site"].tolist() == [0, 2]
    assert set(variants(variants={"reuse": False})["variant"]) == {"full"}
