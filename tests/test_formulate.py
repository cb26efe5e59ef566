"""From sites and a scenario to the model: every rule becomes the constraint it should."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from siteselect.errors import InputError
from siteselect.formulate import formulate, overlapping_pairs
from siteselect.measuring import measure_sites
from siteselect.pack import open_pack
from siteselect.problem import (
    Budget,
    Conflicts,
    Group,
    Ledger,
    Locks,
    Separation,
    TotalArea,
)
from siteselect.rulebook import open_rulebook
from siteselect.scenario_files import scenario_from_mapping


@pytest.fixture
def formulated(tiny_pack):
    def make(**settings):
        scenario = scenario_from_mapping({"pack": str(tiny_pack), "count": 4, **settings}).scenario
        measured = measure_sites(open_pack(tiny_pack), scenario)
        return formulate(
            measured.sites, measured.parcels, scenario, open_rulebook(scenario.land.regime)
        )

    return make


def of_kind(formulation, kind):
    return [one for one in formulation.problem.constraints if isinstance(one, kind)]


def test_columns_and_quotas(formulated):
    made = formulated(constraints={"region_min": 1, "region_max": 3, "max_per_epci": 2})
    assert made.problem.n_columns == 48
    assert made.problem.site_ids == tuple(sorted(made.problem.site_ids))
    groups = of_kind(made, Group)
    regions = [g for g in groups if "region" in str(g.name)]
    assert [(g.at_least, g.at_most, len(g.columns)) for g in regions] == [(1, 3, 24), (1, 3, 24)]
    epci = [g for g in groups if "EPCI" in str(g.name)]
    assert [(g.at_least, g.at_most, len(g.columns)) for g in epci] == [(0, 2, 12)] * 4


def test_totals_budget_and_size_classes(formulated):
    made = formulated(
        constraints={
            "budget_keur": 5000,
            "min_total_usable_ha": 20,
            "max_total_usable_ha": 40,
            "size_classes": [{"name": "grands", "min_ha": 8, "at_least": 2}],
        }
    )
    (budget,) = of_kind(made, Budget)
    assert budget.limit_keur == 5000
    assert budget.cost_keur.tolist() == made.columns["cost_keur"].tolist()
    (area,) = of_kind(made, TotalArea)
    assert (area.at_least, area.at_most) == (2000, 4000)
    (large,) = [g for g in of_kind(made, Group) if "grands" in str(g.name)]
    full = made.columns.index[made.columns["usable_units"] >= 800]
    assert large.columns.tolist() == full.tolist()
    assert len(full) == 24


def test_ledgers_by_territory_with_their_parcels(formulated):
    made = formulated(zan={"ledgers": [{"level": "region", "caps_ha": {"11": 3.5}}]})
    programme, region = of_kind(made, Ledger)
    assert (programme.level, programme.cap, len(programme.parcels)) == ("programme", 0, 12)
    assert (region.code, region.cap, region.parcels.tolist()) == ("11", 350, [0, 1, 2, 3, 4, 5])
    inside = made.sites["region"].to_numpy()[made.columns["site"]] == "11"
    assert region.columns.tolist() == np.flatnonzero(inside).tolist()
    assert region.charge.tolist() == made.columns["new_units"][inside].tolist()


def test_a_parcel_on_a_site_knows_it(formulated):
    made = formulated()
    on_site = made.problem.parcels.on_site
    assert made.sites["site_id"][on_site[0]] == "B-00"
    assert (on_site[1:] == -1).all()


def test_no_offsets_no_parcels_and_no_ledger_when_not_enforced(formulated):
    assert len(formulated(zan={"offsets": False}).problem.parcels) == 0
    assert of_kind(formulated(zan={"enforced": False}), Ledger) == []
    twin = formulated(zan={"enforced": False}).with_zan(True)
    assert sum(isinstance(one, Ledger) for one in twin.constraints) == 1


def test_separation_and_overlap(formulated):
    made = formulated(constraints={"separation_km": 1.5})
    (apart,) = of_kind(made, Separation)
    assert apart.distance == 15_000
    # the two sites of a commune are 1 km east and 1 km north of it: 1 414 m apart
    assert len(apart.pairs()) == 12
    assert of_kind(made, Conflicts) == []


def test_overlapping_pairs_by_hand():
    shapes = gpd.GeoSeries(
        [box(0, 0, 10, 10), box(5, 5, 15, 15), box(10, 0, 20, 10), box(100, 0, 110, 10)]
    )
    # 0 and 2 share an edge, 1 overlaps both
    assert overlapping_pairs(shapes.to_numpy()).tolist() == [[0, 1], [1, 2]]
    assert overlapping_pairs(shapes.to_numpy()[3:]).tolist() == []


def test_locks(formulated):
    made = formulated(locks={"include": ["E-03"], "exclude": ["B-00", "B-01"]})
    (locks,) = of_kind(made, Locks)
    ids = made.sites["site_id"]
    assert ids[locks.include].tolist() == ["E-03"]
    assert ids[locks.exclude].tolist() == ["B-00", "B-01"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"locks": {"include": ["E-3"]}}, r"locks.include.*'E-3'.*did you mean E-0?3"),
        ({"locks": {"exclude": ["zzzz"]}}, r"locks.exclude.*'zzzz'"),
        (
            {"locks": {"include": ["E-03"]}, "candidates": {"kinds": ["brownfield"]}},
            "forced in, but it is excluded: kind not admitted",
        ),
        (
            {"constraints": {"groups": [{"name": "g", "regions": ["12"]}]}},
            r"constraints.groups: g: region.*'12'",
        ),
        (
            {"zan": {"ledgers": [{"level": "region", "caps_ha": {"99": 1.0}}]}},
            r"zan.ledgers \(region\).*'99'",
        ),
    ],
)
def test_names_that_do_not_exist(formulated, settings, expected):
    with pytest.raises(InputError, match=expected):
        formulated(**settings)


def test_groups_take_what_fits_every_filter(formulated):
    rule = {"name": "g", "kinds": ["brownfield"], "regions": ["24"], "at_most": 1}
    made = formulated(constraints={"groups": [rule]})
    (group,) = [g for g in of_kind(made, Group) if str(g.name) == "group g"]
    picked = made.sites.iloc[made.columns["site"].iloc[group.columns].unique()]
    assert set(picked["kind"]) == {"brownfield"}
    assert set(picked["region"]) == {"24"}
    assert len(picked) == 6
