"""Readers of plain tables, on rows that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from siteselect.errors import InputError
from siteselect.sources.communes import read_communes
from siteselect.sources.exclusions import mark, read_exclusions
from siteselect.sources.facilities import read_facilities
from siteselect.sources.labour import read_labour
from siteselect.sources.landtake import caps, read_consumption
from siteselect.sources.opening import open_table
from siteselect.sources.plan import Input
from siteselect.sources.straddling import commune_shares, contiguous_ha
from siteselect.sources.territories import read_territories
from tests.sources.conftest import degrees

KNOWN = {"01001", "01002", "01003", "01004", "75056"}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def issues(report: pd.DataFrame) -> dict[str, int]:
    return report["issue"].value_counts().to_dict()


def test_labour(tmp_path: Path) -> None:
    path = write(
        tmp_path / "actifs.csv",
        "CODGEO;LIBGEO;P22_ACT1564\n1001;A;120,6\n01002;B;\n01003;C;-4\n01003;C;7\n99999;X;5\n"
        "75101;P1;10\n75102;P2;20\n01004;D;300\n",
    )
    part = read_labour(open_table(path), KNOWN, KNOWN - {"01004"})
    by_code = part.table.set_index("code_insee")["labour_force"]
    assert by_code.to_dict() == {"01001": 121, "01003": 7, "75056": 30}
    assert part.left_out == 4
    assert issues(part.report)["no_value"] == 1
    assert issues(part.report)["wrong_value"] == 1
    assert issues(part.report)["unknown_code"] == 1
    assert issues(part.report)["outside_area"] == 1


def test_labour_adds_districts_up(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "code,actifs\n75101,10\n75102,20\n")
    part = read_labour(open_table(path), KNOWN, KNOWN)
    assert part.table.to_dict("records") == [{"code_insee": "75056", "labour_force": 30}]
    assert issues(part.report) == {"districts_joined": 2}
    both = write(tmp_path / "b.csv", "code,actifs\n75101,10\n75056,35\n")
    part = read_labour(open_table(both), KNOWN, KNOWN)
    assert part.table["labour_force"].tolist() == [35]
    assert part.left_out == 1


def test_column_not_found_names_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "code,labour_forse\n01001,1\n")
    with pytest.raises(InputError, match="labour_forse"):
        read_labour(open_table(path), KNOWN, KNOWN)
    with pytest.raises(InputError, match=r"columns\.labour_force.*did you mean labour_forse"):
        open_table(path).renamed({"labour_force": "labour_fors"})
    mended = open_table(path).renamed({"labour_force": "labour_forse"})
    assert read_labour(mended, KNOWN, KNOWN).table["labour_force"].tolist() == [1]


def test_facilities(tmp_path: Path) -> None:
    lon, lat = degrees(600_000, 6_600_000)
    path = write(
        tmp_path / "postes.csv",
        f"code,nom,lon,lat,tension,src\nA,Un,{lon},{lat},225000,exact\nB,Deux,{lat},{lon},63,centre\n"
        f"C,Trois,{lon},{lat},63,exact\nD,Quatre,,,63,exact\nE,Cinq,2.5,10,63,exact\n"
        "F,Six,700000,6650000,90,exact\n",
    )
    one = Input(
        role="facilities", file="f", facility_class="substation", approximate={"src": ("centre",)}
    )
    part = read_facilities(open_table(path), one)
    # B is swapped and lies where A does: the same place, left out, like C
    assert part.table["facility_id"].tolist() == ["A", "F"]
    assert part.table["voltage_kv"].tolist() == [225.0, 90.0]
    assert part.table.geometry.iloc[0].distance(shapely.Point(600_000, 6_600_000)) < 0.1
    assert part.rows == len(part.table) + part.left_out
    assert issues(part.report) == {
        "coordinates_swapped": 1, "same_point": 2, "no_coordinates": 1, "outside_france": 1,
        "coordinates_projected": 1,
    }  # fmt: skip


def test_communes_from_polygons(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    base = communes.assign(
        name="C", population=10, epci="200000001", epci_name="E", departement="01",
        departement_name="Ain", region="84", region_name="ARA",
    )  # fmt: skip
    frame = gpd.GeoDataFrame(
        {
            "INSEE_COM": ["01001", "01002", "97101", None],
            "NOM": ["Un", "Deux", "Trois", "Quatre"],
            "SIREN_EPCI": ["200000002/200000003", None, None, None],
            "POPULATION": [100, 200, 300, 400],
        },
        geometry=[shapely.box(6e5, 66e5, 6.01e5, 66.01e5)] * 4,
        crs="EPSG:2154",
    )
    path = tmp_path / "admin.gpkg"
    frame.to_file(path, layer="commune")
    read = read_communes(open_table(path), base)
    table = read.part.table.set_index("code_insee")
    assert table["name"].to_dict() == {"01001": "Un", "01002": "Deux"}
    assert table["epci"].to_dict() == {"01001": "200000002", "01002": "200000001"}
    assert table["region_name"].tolist() == ["ARA", "ARA"]
    assert read.part.rows == 4 == len(table) + read.part.left_out
    assert read.contours is not None and len(read.contours) == 2


def test_territories_three_ways(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    communes = communes.assign(epci=["1" * 9, "1" * 9, "2" * 9, None, None])
    listed = write(tmp_path / "l.csv", "id_ti,lib_ti,code\nT1,Un,01001\nT1,Un,1002\nT2,Deux,99\n")
    part = read_territories(open_table(listed), communes, KNOWN, kind="ti")
    assert part.table["code_insee"].tolist() == ["01001", "01002"]
    assert part.left_out == 1
    by_epci = write(
        tmp_path / "e.csv", f"id_ti,lib_ti,siren_epci\nT1,Un,{'1' * 9}\nT2,D,{'9' * 9}\n"
    )
    part = read_territories(open_table(by_epci), communes, KNOWN, kind="ti")
    assert part.table["code_insee"].tolist() == ["01001", "01002"]
    assert issues(part.report) == {"no_such_member": 1}
    drawn = tmp_path / "p.gpkg"
    gpd.GeoDataFrame(
        {"id": ["T1", "T2"], "nom": ["Un", "Deux"]},
        geometry=[shapely.box(599_000, 6_599_000, 601_000, 6_606_000), shapely.box(0, 0, 1, 1)],
        crs="EPSG:2154",
    ).to_file(drawn)
    part = read_territories(open_table(drawn), communes, KNOWN, kind="ti")
    assert part.table["code_insee"].tolist() == ["01001", "01003"]
    assert part.rows == 2 and part.left_out == 1


def test_caps_by_hand(tmp_path: Path) -> None:
    """A consumed 8 ha in ten years and 1 since: 8/2 − 1 = 3. B consumed 0.5: 1 ha − 0.2 = 0.8.
    C consumed 2 and 3 since: nothing left, 2 beyond. As one EPCI: 10.5/2 − 4.2 = 1.05."""
    years = ",".join(f"naf{y:02d}art{y + 1:02d}" for y in range(11, 23))
    rows = [
        ("01001", [8_000.0] * 10 + [10_000.0, 0.0]),
        ("01002", [500.0] * 10 + [2_000.0, 0.0]),
        ("01003", [2_000.0] * 10 + [10_000.0, 20_000.0]),
    ]
    text = f"idcom,{years}\n" + "".join(f"{c},{','.join(map(str, v))}\n" for c, v in rows)
    path = write(tmp_path / "naf.csv", text + "99999," + ",".join("1" * 12) + "\n")
    part = read_consumption(open_table(path), KNOWN)
    assert part.rows == 4 and part.left_out == 1
    places = pd.DataFrame(
        {"code_insee": ["01001", "01002", "01003"], "name": list("ABC"), "epci": "2" * 9,
         "epci_name": "E"}
    )  # fmt: skip
    one = Input(role="consumption", file="f")
    table = caps(part.table, places, one)
    assert table["cap_ha"].tolist() == pytest.approx([3.0, 0.8, 0.0])
    assert table["exceeded_ha"].tolist() == pytest.approx([0.0, 0.0, 2.0])
    epci = caps(part.table, places, one.model_copy(update={"level": "epci"}))
    assert epci["cap_ha"].tolist() == pytest.approx([1.05])
    pooled = one.model_copy(update={"level": "epci", "pool_floor": True})
    assert caps(part.table, places, pooled)["cap_ha"].tolist() == pytest.approx([6 - 4.2])


def test_exclusions_with_buffers() -> None:
    sites = gpd.GeoDataFrame(
        {"site_id": ["A", "B", "C"]},
        geometry=[
            shapely.box(0, 0, 10, 10),
            shapely.box(20, 0, 30, 10),
            shapely.box(50, 0, 60, 10),
        ],
        crs="EPSG:2154",
    )
    zones = gpd.GeoDataFrame(
        {
            "kind": ["natura", "natura", "seveso"],
            "effect": ["exclude", "exclude", "flag"],
            "min_share": [0.5, 0.5, 0.0],
        },
        geometry=[shapely.box(0, 0, 3, 10), shapely.box(3, 0, 6, 10), shapely.box(25, 0, 51, 10)],
        crs="EPSG:2154",
    )
    marked = mark(sites, zones)
    # neither zone holds half of A, both together do
    assert marked["excluded_by"].fillna("").tolist() == ["natura", "", ""]
    assert marked["flagged_by"].fillna("").tolist() == ["", "seveso", "seveso"]


def test_points_become_zones_by_their_buffer(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "nom_ets,x,y\nUsine,600000,6600000\nPerdue,,\n")
    one = Input(role="exclusions", file="s", kind="seveso", buffer_m=500)
    part = read_exclusions(open_table(path), one)
    assert part.table.geometry.area.iloc[0] == pytest.approx(np.pi * 500**2, rel=0.01)
    assert (part.rows, len(part.table), part.left_out) == (2, 1, 1)
    none = read_exclusions(open_table(path), one.model_copy(update={"buffer_m": 0.0}))
    assert none.table.empty and none.left_out == 2


def test_largest_piece_and_shares() -> None:
    """100 + 300 m² apart: 300. Two squares side by side are one piece. 3/4 and 1/4 of a site."""
    shapes = np.array(
        [
            shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 30)]),
            shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(10, 5, 20, 15)]),
        ],
        dtype=object,
    )
    assert contiguous_ha(shapes).tolist() == pytest.approx([0.03, 0.02])
    sites = gpd.GeoDataFrame(
        {"site_id": ["S", "T", "U"], "code_insee": ["01002", "01001", "01009"]},
        geometry=[
            shapely.box(70, 0, 110, 10),
            shapely.box(1, 1, 2, 2),
            shapely.box(900, 0, 910, 9),
        ],
    )
    contours = gpd.GeoDataFrame(
        {"code_insee": ["01001", "01002"]},
        geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)],
    )
    shares = commune_shares(sites, contours)
    assert shares.values.tolist() == [
        ["S", "01001", 0.75], ["S", "01002", 0.25], ["T", "01001", 1.0], ["U", "01009", 1.0],
    ]  # fmt: skip
