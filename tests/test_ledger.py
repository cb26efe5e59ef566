"""Caps and balances, by hand."""

import numpy as np
import pandas as pd
import pytest

from siteselect.errors import InputError
from siteselect.ledger import (
    LEDGER_COLUMNS,
    as_spread,
    charges_by_cap,
    ledger_table,
    territory_caps,
)
from siteselect.rulebook import open_rulebook
from siteselect.scenario import ZanSettings

TERRITORIES = pd.DataFrame(
    {
        "code_insee": ["01001", "01002", "2A004"],
        "commune": ["Un", "Deux", "Ajaccio"],
        "epci": ["200000001", "200000001", None],
        "epci_name": ["CC", "CC", None],
        "departement": ["01", "01", "2A"],
        "departement_name": ["Ain", "Ain", "Corse-du-Sud"],
        "region": ["84", "84", "94"],
        "region_name": ["Auvergne-Rhône-Alpes", "Auvergne-Rhône-Alpes", "Corse"],
    }
)


def caps(**zan):
    return territory_caps(TERRITORIES, ZanSettings.model_validate(zan))


def test_programme_and_regions_are_always_listed():
    found = caps()
    assert [(c.level, c.code, c.cap_units) for c in found] == [
        ("programme", "", 0),
        ("region", "84", None),
        ("region", "94", None),
    ]


def test_caps_by_code_default_and_rounding_down():
    found = caps(
        programme_cap_ha=None,
        ledgers=[
            {"level": "region", "default_cap_ha": 5.009, "caps_ha": {"94": -1.001}},
            {"level": "epci", "default_cap_ha": 2},
            {"level": "national", "default_cap_ha": 7},
        ],
    )
    assert {(c.level, c.code): c.cap_units for c in found} == {
        ("programme", ""): None,
        ("epci", "200000001"): 200,
        ("national", "FR"): 700,
        ("region", "84"): 500,
        ("region", "94"): -101,
    }


def test_a_cap_for_an_unknown_territory_names_the_nearest():
    with pytest.raises(InputError, match=r"2A04.*did you mean 2A004\?"):
        caps(ledgers=[{"level": "commune", "caps_ha": {"2A04": 1.0}}])


def test_balances_by_hand():
    found = caps(ledgers=[{"level": "region", "default_cap_ha": 3, "origin": "essai"},
                          {"level": "commune", "default_cap_ha": 4}])  # fmt: skip
    developed = as_spread(TERRITORIES, np.array([250, 0, 130]))
    restored = TERRITORIES.iloc[[1]].assign(restored_units=[50])
    table = ledger_table(found, developed, restored, open_rulebook("net-2031"), vintage="2026")
    assert list(table.columns) == list(LEDGER_COLUMNS)
    rows = {(r.level, r.code): r for r in table.itertuples()}
    assert (rows["programme", ""].gross_ha, rows["programme", ""].net_ha) == (3.80, 3.30)
    assert rows["region", "84"].net_ha == 2.00
    assert rows["region", "84"].balance_ha == 1.00
    assert rows["region", "84"].cap_origin == "essai"
    assert rows["region", "94"].restored_ha == 0.0
    assert set(rows) == {("programme", ""), ("region", "84"), ("region", "94"),
                         ("commune", "01001"), ("commune", "01002"),
                         ("commune", "2A004")}  # fmt: skip
    assert np.isclose(table["gross_ha"] - table["restored_ha"], table["net_ha"]).all()


def test_levels_are_in_order_of_size_whatever_the_scenario():
    levels = ["national", "departement", "region", "commune", "epci", "scot"]
    placed = TERRITORIES.assign(scot=["7", None, None], scot_name=["S", None, None])
    zan = {"ledgers": [{"level": level, "default_cap_ha": 1} for level in levels]}
    found = territory_caps(placed, ZanSettings.model_validate(zan))
    assert list(dict.fromkeys(cap.level for cap in found)) == [
        "programme", "commune", "epci", "scot", "departement", "region", "national"
    ]  # fmt: skip
    assert [(cap.code, cap.name) for cap in found if cap.level == "scot"] == [("7", "S")]


def test_a_level_that_nothing_lies_in_is_no_empty_ledger():
    bare = TERRITORIES.assign(epci=None, epci_name=None)
    zan = ZanSettings.model_validate({"ledgers": [{"level": "epci", "default_cap_ha": 1}]})
    with pytest.raises(InputError, match=r"zan.ledgers: no site or parcel.*'epci'"):
        territory_caps(bare, zan)


def test_sites_without_epci_are_charged_to_no_epci():
    found = caps(ledgers=[{"level": "epci", "default_cap_ha": 9}])
    developed = as_spread(TERRITORIES, np.array([100, 100, 100]))
    none = TERRITORIES.iloc[:0].assign(restored_units=[])
    table = ledger_table(found, developed, none, open_rulebook("enaf-2021"), vintage="")
    epci = table[table["level"] == "epci"]
    assert epci["gross_ha"].tolist() == [2.0]
    assert table["regime"].unique().tolist() == ["enaf-2021"]


def test_an_unknown_regime_names_the_nearest():
    with pytest.raises(InputError, match=r"net-2030.*did you mean net-2031"):
        open_rulebook("net-2030")


def test_charges_are_looked_up_and_added_once_a_row():
    """Row 0 lies in two communes of one EPCI (2 + 3 units), row 1 in the second commune alone."""
    found = caps(ledgers=[{"level": "epci", "default_cap_ha": 9},
                          {"level": "commune", "default_cap_ha": 9}])  # fmt: skip
    spread = as_spread(TERRITORIES, np.array([2, 3, 7])).assign(row=[0, 0, 1])
    told = {
        (cap.level, cap.code): (rows.tolist(), units.tolist())
        for cap, rows, units in charges_by_cap(found, spread)
    }
    assert told == {
        ("programme", ""): ([0, 1], [5, 7]),
        ("region", "84"): ([0], [5]),
        ("region", "94"): ([1], [7]),
        ("epci", "200000001"): ([0], [5]),
        ("commune", "01001"): ([0], [2]),
        ("commune", "01002"): ([0], [3]),
        ("commune", "2A004"): ([1], [7]),
    }
