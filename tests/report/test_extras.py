"""Deliverables made on demand, opened again by other readers than their writers."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pypdf
import pytest
import shapely
from PIL import Image

import siteselect
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.pack import sha256_of
from siteselect.report.extras import FOLDER, LIST, make_deliverables
from siteselect.report.geojson import collection
from siteselect.report.isochrones import isochrones
from siteselect.report.levels import ledger_by_level
from siteselect.report.maps import Ground, national_map
from siteselect.rundir import read_run
from siteselect.runs import Run
from tests.tinypack import build_tiny_pack

HOSTILE = '#eval("1") *gras* $x$ <script>alert(1)</script> \\ "guillemets"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("extras")
    build_tiny_pack(place / "pack")
    siteselect.run(
        {
            "pack": str(place / "pack"),
            "title": HOSTILE,
            "count": 4,
            "reserve": 3,
            "constraints": {"region_max": 3, "max_per_epci": 1, "separation_km": 5.0},
            "zan": {"ledgers": [{"level": "region", "default_cap_ha": 5.0}]},
        },
        out=place / "run",
        cache=False,
    )
    make_deliverables(read_run(place / "run"), place / "run", Translator("fr"), crate=True)
    return place / "run"


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Run:
    return read_run(folder)


def test_the_list_names_every_file(folder: Path) -> None:
    place = folder / FOLDER
    listed = json.loads((place / LIST).read_text(encoding="utf-8"))
    found = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()} - {LIST}
    assert set(listed["files"]) == found
    assert all(sha256_of(place / name) == digest for name, digest in listed["files"].items())
    assert {"committee.pdf", "site_sheets.pdf", "siteselect.gpkg", "shortlist.geojson"} <= found
    assert {"maps/national.svg", "maps/national.png", "maps/region_11.png"} <= found
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("name", ["committee.pdf", "site_sheets.pdf"])
def test_pdf_is_tagged_and_embeds_its_fonts(folder: Path, name: str) -> None:
    reader = pypdf.PdfReader(folder / FOLDER / name)
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert root["/StructTreeRoot"]
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata.stream.get_data()
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            for inner in font.get_object()["/DescendantFonts"]:
                descriptor = inner.get_object()["/FontDescriptor"].get_object()
                assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def elements_of(node: object) -> list[dict[str, object]]:
    """Every element of a structure tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [one for part in node for one in elements_of(part)]
    if not isinstance(node, dict):
        return []
    below = elements_of(node["/K"]) if "/K" in node else []
    return [node, *below] if "/S" in node else below


@pytest.mark.parametrize("name", ["committee.pdf", "site_sheets.pdf"])
def test_pdf_can_be_read_aloud(folder: Path, name: str) -> None:
    """PDF/UA (ISO 14289-1): a title, pages read in the order of the tree, figures told in words,
    headings that skip no level, header cells that say what they head."""
    reader = pypdf.PdfReader(folder / FOLDER / name)
    root = reader.trailer["/Root"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None and reader.metadata.title
    assert all("/StructParents" in page and page["/Tabs"] == "/S" for page in reader.pages)
    elements = elements_of(root["/StructTreeRoot"]["/K"])
    figures = [one for one in elements if one["/S"] == "/Figure"]
    assert figures and all(str(one.get("/Alt", "")).strip() for one in figures)
    levels = [int(str(one["/S"])[2:]) for one in elements if str(one["/S"])[:2] == "/H"]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    heads = [one for one in elements if one["/S"] == "/TH"]
    scopes = [part.get_object() for one in heads for part in as_list(one["/A"])]
    assert heads and len([scope for scope in scopes if "/Scope" in scope]) == len(heads)


def as_list(value: object) -> list[object]:
    value = value.get_object() if hasattr(value, "get_object") else value
    return list(value) if isinstance(value, list) else [value]


def test_one_page_a_site_with_its_figures(folder: Path, tiny: Run) -> None:
    reader = pypdf.PdfReader(folder / FOLDER / "site_sheets.pdf")
    assert len(reader.pages) == len(tiny.shortlist)
    for page, row in zip(reader.pages, tiny.shortlist.itertuples(), strict=True):
        text = " ".join(page.extract_text().split())
        assert str(row.site_id) in text
        assert str(row.name).split()[0] in text
        assert f"{row.area_ha:.2f}".replace(".", ",") in text
        assert "ne vaut pas bilan réglementaire" in text


def test_markup_in_a_title_is_only_text(folder: Path) -> None:
    text = pypdf.PdfReader(folder / FOLDER / "committee.pdf").pages[0].extract_text()
    assert '#eval("1") *gras* $x$ <script>' in " ".join(text.split())


def test_committee_pack_says_what_a_committee_needs(folder: Path, tiny: Run) -> None:
    reader = pypdf.PdfReader(folder / FOLDER / "committee.pdf")
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    for heading in ("Sélection", "Réserve", "Bilan ZAN", "Renaturation", "Arbitrages", "Méthode"):
        assert heading in text
    assert all(str(name) in text for name in tiny.shortlist["name"])


def test_the_same_run_gives_the_same_pdf(folder: Path, tiny: Run, tmp_path: Path) -> None:
    make_deliverables(tiny, tmp_path, Translator("fr"), parts=("pdf",))
    again = (tmp_path / FOLDER / "committee.pdf").read_bytes()
    assert again == (folder / FOLDER / "committee.pdf").read_bytes()


def test_geojson_is_in_degrees_and_keeps_the_values(folder: Path, tiny: Run) -> None:
    place = folder / FOLDER
    read = gpd.read_file(place / "shortlist.geojson")
    assert read["site_id"].tolist() == tiny.shortlist["site_id"].tolist()
    assert read["code_insee"].tolist() == tiny.shortlist["code_insee"].tolist()
    np.testing.assert_array_equal(read["usable_ha"], tiny.shortlist["usable_ha"])
    back = read.to_crs("EPSG:2154").geometry.area.to_numpy()
    np.testing.assert_allclose(back, tiny.shortlist.geometry.area, rtol=1e-3)
    tree = json.loads((place / "shortlist.geojson").read_text(encoding="utf-8"))
    ring = shapely.LinearRing(tree["features"][0]["geometry"]["coordinates"][0])
    assert ring.is_ccw  # RFC 7946: right-hand rule


def test_geojson_says_unknown_and_unreachable() -> None:
    frame = gpd.GeoDataFrame(
        {"site_id": ["A"], "port_min": [np.inf], "airport_min": [np.nan]},
        geometry=[shapely.box(6e5, 6.6e6, 6.001e5, 6.6001e6)],
        crs="EPSG:2154",
    )
    (feature,) = json.loads(collection(frame, run_id="r", notice="n"))["features"]
    assert feature["properties"] == {"site_id": "A", "port_min": "inf", "airport_min": None}
    assert feature["id"] == "A"


def test_isochrones_hold_their_site_and_grow(tiny: Run) -> None:
    zones = isochrones(tiny, minutes=(5, 15))
    sites = tiny.shortlist.set_index("site_id").geometry
    for site_id, some in zones.groupby("site_id"):
        near, far = some.sort_values("minutes").geometry
        assert near.area < far.area
        assert far.buffer(500).covers(near)
        assert near.distance(sites[site_id]) < 1_500  # the road is 1 km from the footprint


def test_isochrones_are_in_the_geopackage(folder: Path, tiny: Run) -> None:
    zones = gpd.read_file(folder / FOLDER / "siteselect.gpkg", layer="isochrones")
    assert set(zones["site_id"]) <= set(tiny.shortlist["site_id"])
    assert sorted(set(zones["minutes"])) == [30, 45]
    assert zones.crs.to_epsg() == 2154


def test_maps_open_again(folder: Path, tiny: Run) -> None:
    maps = folder / FOLDER / "maps"
    names = {path.stem for path in maps.iterdir()}
    assert {"national", "region_11", "region_24", "site_01", "site_R01"} <= names
    for path in maps.iterdir():
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            with Image.open(path) as image:
                assert image.width > 900
                assert len(image.convert("RGB").resize((60, 60)).getcolors(3600) or []) > 20


def test_a_map_tells_kinds_apart_without_colour(tiny: Run) -> None:
    figure = national_map(Ground(tiny), Translator("fr"))
    legend = figure.legends[0]
    markers = {line.get_marker() for line in legend.get_lines()}  # type: ignore[attr-defined]
    assert {"o", "s", "D"} <= markers


def test_levels_add_up_to_the_programme(tiny: Run) -> None:
    table = ledger_by_level(tiny)
    programme = table[table["level"] == "programme"].iloc[0]
    for level in ("region", "departement", "epci", "commune"):
        some = table[table["level"] == level]
        assert not some["code"].duplicated().any()
        assert some["gross_ha"].sum() == pytest.approx(programme["gross_ha"])
        assert some["restored_ha"].sum() == pytest.approx(programme["restored_ha"])
        assert some["net_ha"].sum() == pytest.approx(programme["net_ha"])
    pd.testing.assert_frame_equal(table.head(len(tiny.ledger)), tiny.ledger, check_dtype=False)


def test_crate_names_files_sources_and_software(folder: Path, tiny: Run) -> None:
    crate = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    things = {one["@id"]: one for one in crate["@graph"]}
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert things["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    parts = {part["@id"] for part in things["./"]["hasPart"]}
    assert {"sites.parquet", "result.json", "deliverables/committee.pdf"} <= parts
    assert parts <= set(things)
    for name in parts:
        assert things[name]["sha256"] == sha256_of(folder / name)
    for layer in tiny.pack.manifest.layers:
        assert things[f"#pack/{layer.file}"]["sha256"] == layer.sha256
    assert {one["@id"] for one in things["#run"]["object"]} <= set(things)


def test_other_parts_are_kept_and_each_language_has_its_place(tiny: Run, tmp_path: Path) -> None:
    make_deliverables(tiny, tmp_path, Translator("fr"), parts=("geojson",))
    make_deliverables(tiny, tmp_path, Translator("fr"), parts=("gis",))
    names = {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert {"shortlist.geojson", "siteselect.gpkg", LIST} <= names
    make_deliverables(tiny, tmp_path, Translator("en"), parts=("gis",))
    english = tmp_path / "deliverables-en"
    assert {path.name for path in english.iterdir()} == {"siteselect.gpkg", LIST}
    assert (tmp_path / FOLDER / "shortlist.geojson").is_file()


def test_a_place_that_is_taken_is_left_alone(tiny: Run, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="taken"):
        make_deliverables(tiny, tmp_path, Translator("fr"), parts=("gis",))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["mine.txt"]


def test_a_pack_without_roads_has_no_isochrones(tiny: Run) -> None:
    manifest = tiny.pack.manifest
    layers = tuple(layer for layer in manifest.layers if layer.role != "road_edges")
    pack = type(tiny.pack)(tiny.pack.folder, manifest.model_copy(update={"layers": layers}))
    assert not len(isochrones(replace(tiny, pack=pack)))
