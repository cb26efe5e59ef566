"""Every file is opened again by another reader than its writer."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
from conftest import HOSTILE, RESERVE, SELECTED  # type: ignore[import-not-found]

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import FILES, write_reports
from siteselect.report.levels import ledger_by_level
from siteselect.runs import Run


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run")
    assert write_reports(run, place) == FILES
    assert sorted(path.name for path in place.iterdir()) == sorted(FILES)
    return place


@pytest.fixture(scope="module")
def book(folder: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(folder / "shortlist.xlsx")


def rows(book: openpyxl.Workbook, sheet: str) -> list[dict[str, object]]:
    head, *body = book[sheet].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in body]


def test_sheets(book: openpyxl.Workbook, run: Run) -> None:
    assert book.sheetnames == [
        "Lisez-moi",
        "Sélection",
        "Réserve",
        "Tous les sites",
        "Bilan ZAN",
        "Renaturation",
        "Critères",
        "Arbitrages",
    ]
    assert [book[name].max_row - 1 for name in book.sheetnames[1:7]] == [
        SELECTED, RESERVE, 60, len(ledger_by_level(run)), 2, 10,
    ]  # fmt: skip


def test_workbook_holds_the_values_of_the_run(book: openpyxl.Workbook, run: Run) -> None:
    chosen = run.shortlist[run.shortlist["status"] != "reserve"].reset_index(drop=True)
    for row, (_, site) in zip(rows(book, "Sélection"), chosen.iterrows(), strict=True):
        assert row["Identifiant"] == site["site_id"]
        assert row["Nom"] == site["name"]  # unchanged to the eye: no apostrophe, no formula
        assert row["Code INSEE"] == site["code_insee"]
        assert row["Surface utile (ha)"] == pytest.approx(site["usable_ha"], rel=1e-14)
        assert row["Rang"] == site["rank"]
        assert row["Score (0 à 1)"] == pytest.approx(site["score"], rel=1e-14)


def test_types_of_cells(book: openpyxl.Workbook) -> None:
    sheet = book["Sélection"]
    head = {cell.value: cell.column for cell in sheet[1]}
    for line in range(2, sheet.max_row + 1):
        assert sheet.cell(line, head["Code INSEE"]).data_type == "s"
        assert sheet.cell(line, head["SIREN de l'EPCI"]).data_type == "s"
        area = sheet.cell(line, head["Surface utile (ha)"])
        assert (area.data_type, area.number_format) == ("n", "#,##0.00")


def test_unknown_and_unreachable_are_words(book: openpyxl.Workbook) -> None:
    body = {row["Identifiant"]: row for row in rows(book, "Tous les sites")}
    assert body["S001"]["Port (min)"] == "injoignable"
    assert body["S002"]["Aéroport (min)"] == "inconnu"
    assert body["S000"]["Poste HTB (km)"] == "inconnu"
    assert body["S000"]["SIREN de l'EPCI"] == "inconnu"
    assert all(value is not None for row in body.values() for value in row.values())


def test_nothing_can_run(book: openpyxl.Workbook) -> None:
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d"}  # never "f"
    assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)
    names = [row["Nom"] for row in rows(book, "Sélection")]
    assert HOSTILE[1] in names


def test_long_texts_are_cut_not_dropped(run: Run, tmp_path: Path) -> None:
    shortlist = run.shortlist.copy()
    shortlist.loc[0, "name"] = "x" * 40_000
    write_reports(replace(run, shortlist=shortlist), tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "shortlist.xlsx")["Sélection"]
    assert sheet["D2"].value == "x" * 32_767


def test_print_and_freeze(book: openpyxl.Workbook) -> None:
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        wide = sheet.title in ("Sélection", "Réserve", "Tous les sites")
        assert int(sheet.page_setup.paperSize) == (8 if wide else 9)  # A3, A4
    for name in ("Sélection", "Tous les sites", "Bilan ZAN"):
        assert book[name].freeze_panes is not None
        assert book[name].auto_filter.ref.startswith("A1:")
        assert book[name].print_title_rows == "$1:$1"


def test_read_me_says_what_must_be_known(book: openpyxl.Workbook, run: Run) -> None:
    text = " | ".join(
        str(cell.value) for row in book["Lisez-moi"].iter_rows() for cell in row if cell.value
    )
    for wanted in (
        "Aide à la décision : ne vaut pas bilan réglementaire ZAN.",
        run.run_id,
        run.scenario.title,
        "Optimum prouvé",
        "Décret n° 2023-1096",
        "Couche sites & compagnie",
        "Licence Ouverte 2.0",
        "simulé",
        "9.876543",
    ):
        assert wanted in text


def test_overrides_give_the_reason(book: openpyxl.Workbook) -> None:
    body = rows(book, "Arbitrages")[:2]
    assert [(row["Décision"], row["Identifiant"], row["Motif indiqué"]) for row in body] == [
        ("Imposé", "S003", "=Vœu <i>du</i> préfet"),
        ("Exclu d'office", "S020", "aucun motif indiqué"),
    ]


def test_the_date_is_a_date(book: openpyxl.Workbook, run: Run) -> None:
    lines = {row[0].value: row[1] for row in book["Lisez-moi"].iter_rows(max_col=2)}
    assert lines["Date"].is_date
    assert lines["Date"].value.date() == run.created.date()


def test_scales_survive_black_and_white(book: openpyxl.Workbook) -> None:
    kinds = {
        rule.type for found in book["Sélection"].conditional_formatting for rule in found.rules
    }
    assert kinds == {"dataBar", "colorScale"}


def test_criteria_weights_sum_to_one(book: openpyxl.Workbook) -> None:
    body = rows(book, "Critères")
    assert sum(float(str(row["Poids dans le score"])) for row in body) == pytest.approx(1.0)
    assert body[0]["Contribution moyenne à la sélection (sur 1)"] == pytest.approx(0.05)


def test_csv_for_excel(folder: Path, run: Run) -> None:
    raw = (folder / "shortlist.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    body = list(csv.DictReader(text.splitlines(keepends=True), delimiter=";"))
    assert len(body) == SELECTED + RESERVE
    assert body[1]["Port (min)"] == "injoignable"
    assert body[2]["Aéroport (min)"] == "inconnu"
    assert body[0]["Échangeur autoroutier (min)"] == "12,35"  # 12.345 s to two decimals
    area = float(body[0]["Surface utile (ha)"].replace(",", "."))
    assert area == pytest.approx(run.shortlist["usable_ha"].iloc[0], abs=0.005)
    assert body[1]["Nom"] == "'" + HOSTILE[1]
    assert not any(
        value.lstrip().startswith(("=", "@", "+", "-")) for row in body for value in row.values()
    )


def test_open_csv(folder: Path, run: Run) -> None:
    path = folder / "shortlist_open.csv"
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
    codes = dict.fromkeys(["code_insee", "departement", "region", "epci"], str)
    frame = pd.read_csv(path, dtype=codes, keep_default_na=False, na_values=["NA"])
    assert frame["site_id"].tolist() == run.shortlist["site_id"].tolist()
    assert frame["code_insee"].tolist() == run.shortlist["code_insee"].tolist()
    assert np.isinf(frame["port_min"].iloc[1])
    assert np.isnan(frame["airport_min"].iloc[2])
    np.testing.assert_allclose(frame["usable_ha"], run.shortlist["usable_ha"], atol=5e-5)
    assert frame["name"].iloc[4] == "'" + HOSTILE[4]
    assert "reason" in frame and "replacement_cost" not in frame  # no value anywhere


def test_geopackage(folder: Path, run: Run) -> None:
    path = folder / "shortlist.gpkg"
    layers = {str(name): str(kind) for name, kind in pyogrio.list_layers(path)}
    tables = ("ledger", "layer_styles")
    polygons = ("selected", "reserve", "candidates", "restoration",
                "ledger_region", "ledger_departement")  # fmt: skip
    assert {name: kind for name, kind in layers.items() if name not in tables} == dict.fromkeys(
        (name for name in polygons if name in layers), "MultiPolygon"
    )
    assert {*tables, *polygons[:5]} <= set(layers)
    selected = pyogrio.read_dataframe(path, layer="selected")
    assert selected.crs.to_epsg() == 2154
    assert len(selected) == SELECTED
    assert len(pyogrio.read_dataframe(path, layer="reserve")) == RESERVE
    assert len(pyogrio.read_dataframe(path, layer="candidates")) == 60
    assert selected["kind_label"].iloc[0] == "friche"
    assert selected["name"].tolist()[:7] == list(HOSTILE)
    assert np.isnan(selected["port_min"].iloc[1])
    assert "Port (min)" in selected["unreachable"].iloc[1]
    assert "Aéroport (min)" in selected["unknown"].iloc[2]
    assert "Aéroport (min)" not in selected["unknown"].iloc[1]
    expected = run.shortlist.geometry.area.to_numpy()[:SELECTED]
    np.testing.assert_allclose(selected.area, expected)


def test_ledgers_are_polygons(folder: Path, run: Run) -> None:
    path = folder / "shortlist.gpkg"
    regions = pyogrio.read_dataframe(path, layer="ledger_region").set_index("code")
    stated = run.ledger[run.ledger["level"] == "region"].set_index("code")
    for code, row in regions.iterrows():
        assert row["net_ha"] == stated.loc[code, "net_ha"]
        assert row.geometry.area == pytest.approx(200e3 * 180e3)
    table = pyogrio.read_dataframe(path, layer="ledger", read_geometry=False)
    gross = run.shortlist[run.shortlist["status"] != "reserve"]["new_artificialisation_ha"].sum()
    for level in ("departement", "commune"):  # every site stands in one of each
        assert table[table["level"] == level]["gross_ha"].sum() == pytest.approx(gross, abs=0.1)


def test_every_layer_has_a_style_that_is_well_formed(folder: Path) -> None:
    with sqlite3.connect(folder / "shortlist.gpkg") as connection:
        styles = dict(
            connection.execute(
                "SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1"
            ).fetchall()
        )
    layers = {name for name, kind in pyogrio.list_layers(folder / "shortlist.gpkg") if kind}
    assert set(styles) == layers
    for name, qml in styles.items():
        root = ElementTree.fromstring(qml.partition("\n")[2])
        renderer = root.find("renderer-v2")
        assert renderer is not None, name
        symbols = {symbol.get("name") for symbol in renderer.findall("symbols/symbol")}
        used = {c.get("symbol") for c in renderer.iter() if c.tag in ("category", "range")}
        assert used <= symbols and symbols, name
    selected = ElementTree.fromstring(styles["selected"].partition("\n")[2])
    assert {c.get("label") for c in selected.iter("category")} == {
        "friche", "extension de zone d'activité", "terrain nu",
    }  # fmt: skip
    assert selected.find("aliases/alias[@field='usable_ha']").get("name") == "Surface utile (ha)"  # type: ignore[union-attr]


def test_geopackage_aliases(folder: Path) -> None:
    query = "SELECT column_name, name FROM gpkg_data_columns WHERE table_name = 'selected'"
    with sqlite3.connect(folder / "shortlist.gpkg") as connection:
        aliases = dict(connection.execute(query).fetchall())
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert aliases["usable_ha"] == "Surface utile (ha)"
    assert aliases["kind_label"] == "Type de site"


def test_same_run_same_bytes(run: Run, folder: Path, tmp_path: Path) -> None:
    write_reports(run, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_english(run: Run, tmp_path: Path) -> None:
    write_reports(run, tmp_path, "en")
    assert "Selection" in openpyxl.load_workbook(tmp_path / "shortlist.xlsx").sheetnames
    head = (tmp_path / "shortlist.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "Usable area (ha)" in head
    assert '<html lang="en">' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_empty_reserve_and_restoration(run: Run, tmp_path: Path) -> None:
    poorer = replace(
        run,
        shortlist=run.shortlist[run.shortlist["status"] != "reserve"].reset_index(drop=True),
        restoration=run.restoration.iloc[:0],
        notices=(Msg("simulated"),),
    )
    write_reports(poorer, tmp_path)
    assert len(pyogrio.read_dataframe(tmp_path / "shortlist.gpkg", layer="restoration")) == 0
    book = openpyxl.load_workbook(tmp_path / "shortlist.xlsx")
    assert book["Réserve"]["A2"].value == "aucun"


def test_files_that_travel_alone_say_what_they_rest_on(run: Run, tmp_path: Path) -> None:
    write_reports(run, tmp_path, "fr")
    said = "ne vaut pas bilan réglementaire"
    notice = Translator("fr").text(run.notices[0])
    for name, delimiter, column in (
        ("shortlist.csv", ";", "À savoir"),
        ("shortlist_open.csv", ",", "notice"),
    ):
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter=delimiter))
        assert rows
        assert all(said in row[column] and notice in row[column] for row in rows)
    with closing(sqlite3.connect(tmp_path / "shortlist.gpkg")) as connection:
        texts = connection.execute("SELECT description FROM gpkg_contents").fetchall()
    assert texts
    assert all(said in text for (text,) in texts)
