from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest

from siteselect.errors import InputError
from siteselect.sources.applications import COLUMNS, read_applications
from siteselect.sources.plan import Input
from siteselect.sources.template import write_template
from tests.sources.conftest import degrees

ONE = Input(role="applications", file="c.xlsx", attribution="Région")
LON, LAT = degrees(600_100, 6_600_100)
RIGHT: dict[str, object] = {
    "site_id": "S1", "name": "Filature", "kind": "friche", "code_insee": "01001",
    "lon": float(LON), "lat": float(LAT), "area_ha": 4.0, "status": "friche sans projet",
    "land_control": "publique", "available_year": 2027, "power_mw": 12,
}  # fmt: skip


def fill(path: Path, *rows: dict[str, object]) -> Path:
    """The workbook of ``data template``, filled in from row 4 on."""
    write_template(path)
    book = openpyxl.load_workbook(path)
    sheet = book["Sites"]
    for number, row in enumerate(rows, start=4):
        for column, spec in enumerate(COLUMNS, start=1):
            if spec.key in row:
                sheet.cell(number, column, row[spec.key])
    book.save(path)
    return path


def test_round_trip(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    wkt = f"POLYGON(({LON} {LAT}, 2.001 46.5, 2.0 46.51, {LON} {LAT}))"
    path = fill(tmp_path / "c.xlsx", RIGHT, {**RIGHT, "site_id": "S2", "kind": "Terrain neuf"})
    part = read_applications(path, ONE, communes, None)
    assert part.table["site_id"].tolist() == ["S1", "S2"]
    assert part.table["kind"].tolist() == ["brownfield", "greenfield"]
    assert part.table["status_source"].fillna("").tolist() == ["friche sans projet", ""]
    assert part.table["available_year"].tolist() == [2027, 2027]
    assert part.table.geometry.area.tolist() == pytest.approx([40_000, 40_000])
    # row 2 (help) and row 3 (example) are told, and are no sites
    assert (part.rows, part.left_out) == (4, 2)
    assert wkt


def test_every_faulty_cell_is_told(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    wrong = {**RIGHT, "site_id": "S2", "kind": "usine", "area_ha": "beaucoup", "name": None,
             "available_year": 1999}  # fmt: skip
    path = fill(tmp_path / "c.xlsx", RIGHT, wrong, {**RIGHT, "lat": 12.0})
    part = read_applications(path, ONE, communes, None)
    assert part.table["site_id"].tolist() == ["S1"]
    told = part.report[part.report["row"] == 5]
    assert sorted(told["value"]) == [
        "B5 Nom du site", "C5 Nature: usine", "G5 Surface (ha): beaucoup",
        "M5 Disponible en: 1999",
    ]  # fmt: skip
    assert set(told["issue"]) == {"missing_cell", "choice_unknown", "wrong_cell"}
    assert part.rows == len(part.table) + part.left_out
    assert part.report.query("row == 6")["issue"].tolist() == ["repeated_site_id"]


def test_export_of_a_form(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    path = tmp_path / "form.csv"
    path.write_text(
        "ref;titre;type;insee;x;y;hectares\n"
        f"F1;Gare;friche;1001;{LON.replace('.', ',')};{LAT.replace('.', ',')};2,5\n",
        encoding="utf-8",
    )
    mapping = {"site_id": "ref", "name": "titre", "kind": "type", "code_insee": "insee",
               "lon": "x", "lat": "y", "area_ha": "hectares"}  # fmt: skip
    one = Input(role="applications", file="form.csv", columns=mapping)
    part = read_applications(path, one, communes, None)
    assert part.table[["site_id", "code_insee", "area_ha"]].values.tolist() == [
        ["F1", "01001", 2.5]
    ]


def test_a_form_with_its_own_answers_and_order(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    """Answers are mapped to the words of the workbook; a fault names the cell of the form."""
    path = tmp_path / "form.csv"
    header = "hectares;x;y;insee;ref;titre;Nature du terrain;maitrise"
    row = f"2,5;{LON.replace('.', ',')};{LAT.replace('.', ',')};01001"
    path.write_text(
        f"{header}\n{row};F1;Gare;Ancien site industriel;Acquis\n{row};F2;Port;Autre;Acquis\n",
        encoding="utf-8",
    )
    mapping = {"site_id": "ref", "name": "titre", "kind": "Nature du terrain", "lon": "x",
               "lat": "y", "code_insee": "insee", "area_ha": "hectares",
               "land_control": "maitrise"}  # fmt: skip
    words = {"kind": {"ancien site industriel": "friche"}, "land_control": {"Acquis": "publique"}}
    one = Input(role="applications", file="form.csv", columns=mapping, words=words)
    part = read_applications(path, one, communes, None)
    (site,) = part.table.itertuples()
    assert (site.site_id, site.kind, site.stated_control) == ("F1", "brownfield", "publique")
    assert part.report["value"].tolist() == ["G3 Nature: Autre"]
    assert part.rows == len(part.table) + part.left_out


def test_missing_column(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    path = tmp_path / "form.csv"
    path.write_text("Identifiant;Nom du site\nA;B\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column holds Nature"):
        read_applications(path, ONE, communes, None)
