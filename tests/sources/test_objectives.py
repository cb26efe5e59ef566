"""Objectives of reduction by territory: read, and turned into caps by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from siteselect.errors import InputError
from siteselect.sources.landtake import Objectives, caps
from siteselect.sources.objectives import read_objectives, reductions_of
from siteselect.sources.opening import open_table
from siteselect.sources.plan import Input
from siteselect.territories import joined

COMMUNES = pd.DataFrame(
    {
        "code_insee": ["60001", "60002", "60003", "75056"],
        "name": ["Un", "Deux", "Trois", "Paris"],
        "epci": ["200000001", "200000002", None, "200054781"],
        "epci_name": ["E1", "E2", None, "MGP"],
        "departement": ["60", "60", "60", "75"],
        "departement_name": ["Oise"] * 3 + ["Paris"],
        "region": ["32", "32", "32", "11"],
        "region_name": ["HdF"] * 3 + ["IdF"],
    }
)
STATED = pd.DataFrame(
    {
        "level": ["region", "epci", "scot"],
        "code": ["32", "200000001", "77"],
        "reduction": [0.5447, 0.611, 0.2],
    }
)
SCOT = pd.DataFrame(
    {"kind": ["scot"] * 2, "code": ["77"] * 2, "name": ["S"] * 2,
     "code_insee": ["60001", "60002"]}
)  # fmt: skip
PLACED = joined(COMMUNES, SCOT)
"""The communes with their SCoT: 60003 and Paris are in none."""


def test_the_nearest_territory_with_an_objective_wins() -> None:
    found = reductions_of(PLACED, STATED, 0.5)
    assert found.to_dict() == {"60001": 0.611, "60002": 0.2, "60003": 0.5447, "75056": 0.5}
    without = reductions_of(COMMUNES, STATED, 0.5)
    assert without["60002"] == 0.5447


def test_caps_by_hand() -> None:
    """10 ha consumed by each commune in 2011-2020, 1 ha since."""
    years = [(code, year, 1.0) for code in COMMUNES["code_insee"] for year in range(2011, 2022)]
    consumption = pd.DataFrame(years, columns=["code_insee", "year", "consumed_ha"])
    objectives = Objectives(reductions_of(PLACED, STATED, 0.5), STATED)

    def level(name: str, **options: object) -> dict[str, float]:
        one = Input.model_validate({"role": "consumption", "file": "f", "level": name, **options})
        table = caps(consumption, PLACED, one, objectives)
        return dict(zip(table["code"], table["cap_ha"].round(6), strict=True))

    # (1 − reduction) × 10 − 1
    assert level("commune") == {"60001": 2.89, "60002": 7.0, "60003": 3.553, "75056": 4.0}
    assert level("commune", floor_ha=5.0)["60001"] == 4.0
    # the region's own objective, not the sum of those within it (3.89 + 8 + 4.553 − 3)
    assert level("region") == {"32": pytest.approx(0.4553 * 30 - 3), "11": 4.0}
    # the département has none: its communes are added up
    assert level("departement") == {"60": pytest.approx(3.89 + 8 + 4.553 - 3), "75": 4.0}
    assert level("epci") == {"200000001": 2.89, "200000002": 7.0, "200054781": 4.0}
    # the SCoT has its own: 0.8 × 20 − 2, whatever its EPCI asks; communes in none are in no row
    assert level("scot") == {"77": pytest.approx(14.0)}


def test_forms_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(
        "land_id;land_type;objectif\n32;REGION;54,47\n75;DEPART;0,5\n200000001;EPCI;120\n"
        ";EPCI;50\n9;PAYS;50\n32;Région;60\n"
    )
    part = read_objectives(open_table(path))
    assert part.table.to_numpy().tolist() == [["region", "32", 0.5447], ["departement", "75", 0.5]]
    assert part.report["issue"].tolist() == [
        "not_a_share", "no_name", "other_level", "repeated_code"
    ]  # fmt: skip
    assert part.rows == len(part.table) + part.left_out
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="the territories"):
        read_objectives(open_table(path))


@pytest.mark.real
def test_the_real_objectives_of_a_region(shared_real: Path) -> None:
    part = read_objectives(open_table(shared_real / "zan" / "territorialisation_objectifs_zan.csv"))
    assert part.rows == 46 == len(part.table)
    assert part.table["level"].value_counts().to_dict() == {"scot": 40, "epci": 5, "region": 1}
    region = part.table[part.table["level"] == "region"].iloc[0]
    assert (region["code"], region["reduction"]) == ("32", pytest.approx(0.5447))
    assert part.table["reduction"].between(0.12, 0.83).all()
