"""What the files of a pack leave out, on three towns and four brownfields."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from siteselect.pack import open_pack
from siteselect.sources.packcheck import check_pack
from siteselect.sources.packgaps import check_holes, check_outlines, check_unknown
from siteselect.sources.problems import Tables
from tests import tinypack


@pytest.fixture
def towns(tiny_pack: Path) -> Tables:
    """01001 and 01002 have 10 km of road each, 01003 has 500 m; 01004 is a village without any."""
    squares = [shapely.box(10_000 * k, 0, 10_000 * (k + 1), 10_000) for k in range(4)]
    codes = [f"0100{k + 1}" for k in range(4)]
    communes = pd.DataFrame(
        {"code_insee": codes, "name": ["A", "B", "C", "D"],
         "population": pd.array([20_000, 30_000, 40_000, 900], dtype="Int64")}
    )  # fmt: skip
    nodes = pd.DataFrame({"x": [0.0, 10_000, 20_000, 20_500], "y": [5_000.0] * 4})
    edges = pd.DataFrame({"tail": [0, 1, 2], "head": [1, 2, 3]})
    contours = gpd.GeoDataFrame({"code_insee": codes}, geometry=squares, crs="EPSG:2154")
    frames = {"communes": communes, "road_nodes": nodes, "road_edges": edges, "contours": contours}
    return Tables(open_pack(tiny_pack), frames)


def test_a_town_with_hardly_any_road_is_a_hole(towns: Tables) -> None:
    (problem,) = check_holes(towns)
    assert (problem.severity, problem.count, problem.examples) == ("warning", 1, "C")
    assert "40000 inhabitants" in str(problem.message)
    del towns.frames["contours"]
    assert not list(check_holes(towns))


def test_communes_without_outline(towns: Tables) -> None:
    assert not list(check_outlines(towns))
    towns.frames["contours"] = towns.frames["contours"].iloc[:3]
    (problem,) = check_outlines(towns)
    assert problem.examples == "01004 D"


def test_facts_mostly_unknown_are_told(towns: Tables) -> None:
    towns.frames["sites"] = pd.DataFrame(
        {
            "kind": ["brownfield"] * 4 + ["extension"],
            "stated_pollution": ["inconnu", None, "", "pollution avérée", "x"],
            "status_source": ["friche sans projet"] * 2 + [None] * 3,
        }
    )
    (problem,) = check_unknown(towns)  # half of the statuses are known: not told
    assert problem.count == 3
    assert "pollution of the soil (75%)" in str(problem.message)


def test_notes_leave_out_what_is_not_in_the_pack(tiny_pack: Path) -> None:
    """S1 was noted and then left out: only its leaving is told."""
    report = pd.DataFrame(
        {
            "row": [1, 2, 0], "site_id": ["S0", "S1", "S1"],
            "issue": ["outside_commune", "outside_commune", "outside_area"],
            "value": ["", "", ""], "action": ["kept", "kept", "left_out"],
            "role": "friches", "file": "f.csv",
        }
    )  # fmt: skip
    report.to_parquet(tiny_pack / "import_report.parquet", index=False)
    tinypack.ROLES["report"] = "import_report.parquet"
    try:
        pack = tinypack.seal(tiny_pack)
    finally:
        del tinypack.ROLES["report"]
    notes = {str(p.message): (p.count, p.examples) for p in check_pack(pack) if p.layer == "f.csv"}
    assert notes == {
        "the point lies outside the outline of its commune: kept as it is": (1, "S0"),
        "outside the territory of the pack: left out": (1, "S1"),
    }
