from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.schemas import SITE_STATUSES, check_table
from siteselect.sources.cartofriches import DOUBTS, Inventory, read_cartofriches
from siteselect.sources.cnig import BUILDINGS, POLLUTION, TYPES, ZONES
from siteselect.sources.findings import ACTIONS, ISSUES, REPORT_COLUMNS

WriteInventory = Callable[..., Path]
NATIONAL = "friches/cartofriches_points_2024-03-10.csv.gz"
STANDARD = "friches/cartofriches_standard_cnig_test_2024.csv.gz"


def consistent(found: Inventory, communes: gpd.GeoDataFrame) -> Inventory:
    """What holds of any inventory whatever its file: nothing is lost, nothing is told twice."""
    left_out = found.report[found.report["action"] == "left_out"]
    assert found.rows == len(found.sites) + len(left_out)
    assert not left_out["row"].duplicated().any()
    assert list(found.report.columns) == list(REPORT_COLUMNS)
    assert set(found.report["issue"]) <= set(ISSUES)
    assert set(found.report["action"]) <= set(ACTIONS)
    assert found.report["row"].is_monotonic_increasing
    if len(found.sites):
        check_table(found.sites, "sites", communes=set(communes["code_insee"]))
        assert found.sites["site_id"].is_monotonic_increasing
        areas = found.sites.geometry.area / 1e4
        discs = found.sites["geometry_origin"] == "disc"
        assert np.allclose(areas[discs], found.sites["area_ha"][discs], rtol=1e-6)
    return found


def issues(found: Inventory) -> dict[str, list[str]]:
    """Issue → the identifiers it was noted for."""
    groups = found.report.groupby("issue")["site_id"]
    return {str(issue): sorted(ids.fillna("?")) for issue, ids in groups}


def test_a_row_becomes_a_site(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    path = inventory(
        {"sol_pollution_existe": "pollution avérée", "bati_etat": "dégradation moyenne"}
    )
    found = consistent(read_cartofriches(path, communes), communes)
    site = found.sites.iloc[0]
    expected = {
        "site_id": "S0",
        "name": "Usine",
        "kind": "brownfield",
        "code_insee": "01001",
        "area_ha": 2.0,
        "status_source": "friche sans projet",
        "geometry_origin": "disc",
        "stated_pollution": "pollution avérée",
        "stated_buildings": "dégradation moyenne",
        "stated_type": "friche industrielle",
        "stated_zone": "U",
        "stated_date": "2024-01-01",
        "source": "EPF Test",
    }
    assert site[list(expected)].to_dict() == expected
    assert site.geometry.centroid.distance(shapely.Point(600_100, 6_600_100)) < 0.1
    assert issues(found) == {"no_parcels": ["S0"]}


def test_unknown_stays_unknown(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    path = inventory(
        {
            "site_nom": "NA",
            "sol_pollution_existe": "inconnu",
            "site_statut": "inconnu",
            "urba_zone_type": "",
            "site_actu_date": "",
            "site_type": "NA",
        }
    )
    site = read_cartofriches(path, communes).sites.iloc[0]
    for column in ("name", "status_source", "stated_pollution", "stated_zone", "stated_date"):
        assert pd.isna(site[column]), column


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        ({"site_id": ""}, "no_site_id"),
        ({"lon": "", "lat": ""}, "no_coordinates"),
        ({"lon": "2,5°"}, "no_coordinates"),
        ({"lon": "inf"}, "no_coordinates"),
        ({"lon": "-61.1", "lat": "14.6"}, "outside_france"),  # Martinique
        ({"lon": "-0.12", "lat": "51.5"}, "outside_france"),  # London
        ({"lon": "0", "lat": "0"}, "outside_france"),
        ({"unite_fonciere_surface": ""}, "no_area"),
        ({"unite_fonciere_surface": "NA"}, "no_area"),
        ({"unite_fonciere_surface": "-20"}, "wrong_area"),
        ({"unite_fonciere_surface": "0"}, "wrong_area"),
        ({"unite_fonciere_surface": "2 ha"}, "wrong_area"),
        ({"unite_fonciere_surface": "inf"}, "wrong_area"),
        ({"unite_fonciere_surface": "", "site_surface": "31214.45"}, "drawn_area"),
        ({"unite_fonciere_surface": "10000001"}, "estate"),
        ({"site_statut": "friche reconvertie"}, "reconverted"),
        ({"site_statut": "Reconvertie"}, "reconverted"),
    ],
)
def test_rows_left_out_with_their_reason(
    inventory: WriteInventory, communes: gpd.GeoDataFrame, row: dict[str, object], issue: str
) -> None:
    path = inventory({"site_id": "kept"}, row)
    found = consistent(read_cartofriches(path, communes), communes)
    assert list(found.sites["site_id"]) == ["kept"]
    (line,) = found.report[found.report["action"] == "left_out"].to_dict("records")
    assert (line["row"], line["issue"]) == (3, issue)


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        ({"comm_insee": "1001"}, "code_mended"),
        ({"comm_insee": "01999"}, "code_replaced"),
        ({"comm_insee": ""}, "code_replaced"),
        ({"unite_fonciere_surface": "", "site_surface": "20000"}, "area_of_site"),
        ({"site_statut": "Friche Sans Projet"}, "word_mapped"),
        ({"site_statut": "sans projet"}, "word_mapped"),
        ({"unite_fonciere_surface": "20 000,0"}, None),
        ({"lon": "600100", "lat": "6600100"}, "coordinates_projected"),
        ({"geomsurf": "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))"}, "polygon_unusable"),
        ({"geomsurf": "nothing"}, "polygon_unusable"),
    ],
)
def test_what_is_corrected_gives_the_same_site(
    inventory: WriteInventory, communes: gpd.GeoDataFrame, row: dict[str, object], issue: str | None
) -> None:
    plain = read_cartofriches(inventory({}), communes).sites
    found = consistent(read_cartofriches(inventory(row), communes), communes)
    corrected = found.report[found.report["action"] == "corrected"]["issue"].tolist()
    assert corrected == ([] if issue is None else [issue])
    columns = ["site_id", "code_insee", "area_ha", "status_source", "geometry_origin"]
    pd.testing.assert_frame_equal(pd.DataFrame(found.sites[columns]), pd.DataFrame(plain[columns]))
    assert shapely.distance(found.sites.centroid.iloc[0], plain.centroid.iloc[0]) < 0.1


def test_swapped_coordinates(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    plain = read_cartofriches(inventory({}), communes).sites
    path = inventory({})
    rows = list(csv.reader(io.StringIO(path.read_text())))
    lon, lat = rows[0].index("lon"), rows[0].index("lat")
    rows[1][lon], rows[1][lat] = rows[1][lat], rows[1][lon]
    path.write_text("\n".join(",".join(row) for row in rows))
    found = consistent(read_cartofriches(path, communes), communes)
    assert "coordinates_swapped" in issues(found)
    assert shapely.distance(found.sites.centroid.iloc[0], plain.centroid.iloc[0]) < 0.1


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("Usine  Granges ", "Usine Granges"),
        ("Appel à projet Fonds Vert 2023 -Ilot gare", "Ilot gare"),
        ("Appel à projet Fonds Vert 2023 -", "Appel à projet Fonds Vert 2023 -"),
        (
            "Appel à projet Recyclage Foncier 2021 3ième édition (Dossier N° 8308731) - Occitanie"
            ' - 34003 - friche: Friche Industrielle "La Méditerranéenne"',
            'Friche Industrielle "La Méditerranéenne"',
        ),
        (
            "Appel à projet Recyclage Foncier 2021 (Dossier N° 3726062) - Pays de la Loire - 49"
            " - Maine-et-Loire - Saint-Lambert-la-Potherie ",
            "Saint-Lambert-la-Potherie (dossier 3726062)",
        ),
    ],
)
def test_names_without_the_name_of_a_call(
    inventory: WriteInventory, communes: gpd.GeoDataFrame, stated: str, name: str
) -> None:
    site = read_cartofriches(inventory({"site_nom": stated}), communes).sites.iloc[0]
    assert site["name"] == name
    assert pd.isna(site["stated_name"]) if stated == name else site["stated_name"] == stated.strip()


def test_doubts_travel_with_the_site(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    path = inventory({"site_id": "a", "comm_insee": "01999"}, {"site_id": "b", "tup_ids": "01001A"})
    sites = read_cartofriches(path, communes).sites
    assert sites["import_issues"].iloc[0] == "code_replaced,no_parcels"
    assert pd.isna(sites["import_issues"].iloc[1])
    assert set(DOUBTS) <= set(ISSUES)


def test_unknown_words_are_read_as_unknown_and_told(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    found = read_cartofriches(inventory({"sol_pollution_existe": "un peu"}), communes)
    assert pd.isna(found.sites["stated_pollution"].iloc[0])
    line = found.report[found.report["issue"] == "word_unknown"].iloc[0]
    assert (line["value"], line["action"]) == ("un peu", "kept")


def test_same_parcels_keep_the_verified_and_latest_row(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    doubtful = {"site_statut": "friche potentielle", "site_actu_date": "2024-06-01"}
    path = inventory(
        {"site_id": "a", "tup_ids": "01001000AB0001|01001000AB0002", **doubtful},
        {"site_id": "b", "tup_ids": "01001000AB0002|01001000AB0001"},
        {
            "site_id": "c",
            "tup_ids": "01001000AB0001|01001000AB0002",
            "site_actu_date": "02/01/2024",
        },
        {"site_id": "d", "tup_ids": "01001000AB0002"},
    )
    found = consistent(read_cartofriches(path, communes), communes)
    assert list(found.sites["site_id"]) == ["c", "d"]
    same = found.report[found.report["issue"] == "same_parcels"]
    assert dict(zip(same["site_id"], same["value"], strict=True)) == {"a": "c", "b": "c"}
    shared = found.report[found.report["issue"] == "shared_parcels"]
    assert dict(zip(shared["site_id"], shared["value"], strict=True)) == {"c": "d", "d": "c"}


def test_a_row_without_a_place_does_not_speak_for_its_parcels(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    path = inventory(
        {"site_id": "a", "tup_ids": "P", "lon": "", "lat": ""}, {"site_id": "b", "tup_ids": "P"}
    )
    found = consistent(read_cartofriches(path, communes), communes)
    assert list(found.sites["site_id"]) == ["b"]


def test_repeated_identifier_does_not_depend_on_the_order(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    rows = [{"site_id": "a", "site_nom": "x"}, {"site_id": "a", "site_nom": "y"}]
    for order in (rows, rows[::-1]):
        found = consistent(read_cartofriches(inventory(*order), communes), communes)
        assert found.sites["name"].tolist() == ["x"]
        assert issues(found)["repeated_site_id"] == ["a"]


def test_districts_belong_to_their_city(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    path = inventory({"comm_insee": "75112", "x": 650_000, "y": 6_640_000})
    found = consistent(read_cartofriches(path, communes), communes)
    assert found.sites["code_insee"].tolist() == ["75056"]
    assert found.report["value"].tolist()[0] == "75112 → 75056"


def test_points_outside_their_commune(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    path = inventory(
        {"site_id": "far", "x": 605_050, "y": 6_605_050},  # 7 km off, on 01004
        {"site_id": "near"},
        {"site_id": "parcels", "tup_ids": "01002000AB0001"},
    )
    found = consistent(read_cartofriches(path, communes), communes)
    told = issues(found)
    assert told["far_from_commune"] == ["far"]
    assert told["parcels_elsewhere"] == ["parcels"]
    assert len(found.sites) == 3
    box = shapely.box(599_000, 6_599_000, 601_000, 6_601_000)
    contours = gpd.GeoDataFrame({"code_insee": ["01001"]}, geometry=[box], crs="EPSG:2154")
    told = issues(consistent(read_cartofriches(path, communes, contours=contours), communes))
    assert told["outside_commune"] == ["far"]
    assert "far_from_commune" not in told
    assert "parcels_elsewhere" not in told


def test_standard_columns_with_an_outline(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    square = shapely.box(600_000, 6_600_000, 600_200, 6_600_100)
    wkt = gpd.GeoSeries([square], crs=2154).to_crs(4326).to_wkt(rounding_precision=12).iloc[0]
    point = "POINT (" + " ".join(map(str, (2.0, 46.5))) + ")"
    path = inventory({"geompoint": point, "geomsurf": wkt, "lon": "", "lat": ""})
    found = consistent(read_cartofriches(path, communes), communes)
    site = found.sites.iloc[0]
    assert site["geometry_origin"] == "polygon"
    assert site["area_ha"] == 2.0
    assert site.geometry.area / 1e4 == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a;b;c", ["it has none of the columns of one (value: 'a, b, c')"]),
        ("site_id;a;b", ["site_statut", "comm_insee", "unite_fonciere_surface / site_surface"]),
        ("siteid;site_statut;comm_insee;lon;lat;site_surface", ["rename siteid to site_id"]),
        ("site_id;site_statut;comm_insee;longitude;site_surface", ["geompoint / lat / latitude"]),
    ],
)
def test_a_file_that_is_no_inventory(
    tmp_path: Path, communes: gpd.GeoDataFrame, header: str, expected: list[str]
) -> None:
    path = tmp_path / "friches.csv"
    path.write_text(header + "\n" + ";".join("1" for _ in header.split(";")) + "\n")
    with pytest.raises(InputError) as caught:
        read_cartofriches(path, communes)
    for words in expected:
        assert words in str(caught.value)


def test_a_header_alone(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    path = inventory({})
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(InputError, match="a header and no rows"):
        read_cartofriches(path, communes)


def test_all_rows_left_out_is_an_empty_table(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    found = consistent(read_cartofriches(inventory({"lon": ""}), communes), communes)
    assert len(found.sites) == 0


def test_damaged_rows_alone(inventory: WriteInventory, communes: gpd.GeoDataFrame) -> None:
    path = inventory({})
    path.write_text(path.read_text().splitlines()[0] + "\n1,2,3\n")
    with pytest.raises(InputError, match=r"none of the 1 rows has as many .*'1,2,3'"):
        read_cartofriches(path, communes)


def test_a_damaged_row_is_left_out_and_told(
    inventory: WriteInventory, communes: gpd.GeoDataFrame
) -> None:
    path = inventory({})
    path.write_text(path.read_text() + "1,2,3\n")
    found = consistent(read_cartofriches(path, communes), communes)
    (line,) = found.report[found.report["issue"] == "damaged_row"].to_dict("records")
    assert (line["row"], line["value"], line["action"]) == (3, "1,2,3", "left_out")


# --- real files -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_communes(shared_real: Path) -> gpd.GeoDataFrame:
    table = pd.read_csv(shared_real / "communes/communes_2026.csv.gz", dtype=str)
    table = table[table["departement"].str.len() == 2]
    points = gpd.points_from_xy(table["lon"].astype(float), table["lat"].astype(float), crs=4326)
    return gpd.GeoDataFrame(
        {"code_insee": table["code"].to_numpy()}, geometry=points.to_crs(2154), crs="EPSG:2154"
    )


@pytest.mark.real
def test_enumerations_are_those_of_the_standard(shared_real: Path) -> None:
    import json

    schema = json.loads((shared_real / "friches/cnig_schema_friches.json").read_text("utf-8"))
    enums = {f["name"]: f["constraints"].get("enum") for f in schema["fields"]}
    assert list(SITE_STATUSES) == enums["site_statut"]
    assert list(POLLUTION) == enums["sol_pollution_existe"]
    assert list(TYPES) == enums["site_type"]
    assert list(BUILDINGS) == enums["bati_etat"]
    assert list(ZONES) == enums["urba_zone_type"]


@pytest.fixture(scope="module")
def national(shared_real: Path, real_communes: gpd.GeoDataFrame) -> Inventory:
    return consistent(read_cartofriches(shared_real / NATIONAL, real_communes), real_communes)


@pytest.fixture(scope="module")
def standard(shared_real: Path, real_communes: gpd.GeoDataFrame) -> Inventory:
    return consistent(read_cartofriches(shared_real / STANDARD, real_communes), real_communes)


@pytest.mark.real
def test_national_inventory(national: Inventory) -> None:
    found = national
    counts = found.counts()
    assert found.rows == 23_878
    assert counts["same_parcels"] >= 1_565
    assert counts["outside_france"] == 92  # départements 971 to 976
    assert counts["estate"] <= 16
    assert counts["reconverted"] <= 159
    assert counts["word_unknown"] == 9  # urba_doc_type POS, which the standard does not have
    assert "damaged_row" not in counts
    # 9,732 by a plain deduplication on the text of tup_ids, before areas of sites are used.
    assert (found.sites["area_ha"] >= 1).sum() == pytest.approx(9_732, abs=30)
    assert set(found.sites["status_source"]) == {
        "friche potentielle", "friche sans projet", "friche avec projet",
    }  # fmt: skip


@pytest.mark.real
def test_standard_export(standard: Inventory) -> None:
    found = standard
    assert found.rows == 2_594
    assert found.counts()["code_mended"] > 100  # 1004 for 01004
    assert "no_coordinates" not in found.counts()
    assert len(found.sites) > 2_500


@pytest.mark.real
def test_two_exports_of_one_site_agree(national: Inventory, standard: Inventory) -> None:
    a, b = national.sites.set_index("site_id"), standard.sites.set_index("site_id")
    both = a.index.intersection(b.index)
    assert len(both) > 1_500
    assert (a.loc[both, "code_insee"] == b.loc[both, "code_insee"]).mean() > 0.999
    assert (a.loc[both].distance(b.loc[both]) < 5).mean() > 0.999
    same_area = np.isclose(a.loc[both, "area_ha"], b.loc[both, "area_ha"], atol=1.1e-4)
    assert same_area.mean() > 0.95  # the others were updated in between


# --- fuzz -----------------------------------------------------------------------------------------


DEPARTEMENT = "16"


class Sample(dict[str, list[list[str]]]):
    """The header and 60 rows, of one département, of each real file."""

    def __repr__(self) -> str:  # hypothesis prints its arguments
        return "Sample"


@pytest.fixture(scope="module")
def sample(shared_real: Path) -> Sample:
    found = Sample()
    for name in (NATIONAL, STANDARD):
        text = gzip.decompress((shared_real / name).read_bytes()).decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        code = rows[0].index("comm_insee")
        near = [row for row in rows[1:] if row[code].startswith(DEPARTEMENT)]
        found[name] = [rows[0], *random.Random(1).sample(near, 60)]
    return found


@pytest.fixture(scope="module")
def near_communes(real_communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return real_communes[real_communes["code_insee"].str.startswith(DEPARTEMENT)]


def saved(rows: list[list[str]], separator: str, encoding: str, packed: bool) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    content = out.getvalue().encode(encoding, errors="replace")
    return gzip.compress(content) if packed else content


@pytest.fixture(scope="module")
def plain(
    sample: Sample, near_communes: gpd.GeoDataFrame, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Inventory]:
    """Each sample as it is."""
    folder, found = tmp_path_factory.mktemp("plain"), {}
    for name, rows in sample.items():
        read = read_or_fault(saved(rows, ",", "utf-8", False), folder, near_communes)
        assert read is not None
        found[name] = read
    return found


def read_or_fault(content: bytes, folder: Path, communes: gpd.GeoDataFrame) -> Inventory | None:
    path = folder / "friches.csv"
    path.write_bytes(content)
    try:
        return consistent(read_cartofriches(path, communes), communes)
    except InputError as error:
        assert "friches.csv" in str(error)
        return None


fuzz = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.real
@fuzz
@given(
    name=st.sampled_from([NATIONAL, STANDARD]),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    packed=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_reencoded_and_shuffled_columns_give_the_same_sites(
    sample: Sample,
    plain: dict[str, Inventory],
    near_communes: gpd.GeoDataFrame,
    tmp_path: Path,
    name: str,
    separator: str,
    encoding: str,
    packed: bool,
    seed: int,
) -> None:
    rows = sample[name]
    order = random.Random(seed).sample(range(len(rows[0])), len(rows[0]))
    shuffled = [[row[i] for i in order] for row in rows]
    other = read_or_fault(saved(shuffled, separator, encoding, packed), tmp_path, near_communes)
    assert other is not None
    assert other.rows == 60
    columns = ["site_id", "code_insee", "area_ha", "status_source", "stated_pollution"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(plain[name].sites[columns]), pd.DataFrame(other.sites[columns])
    )


@pytest.mark.real
@fuzz
@given(name=st.sampled_from([NATIONAL, STANDARD]), share=st.floats(0, 1), packed=st.booleans())
def test_truncated_files_lose_no_row_in_silence(
    sample: Sample,
    near_communes: gpd.GeoDataFrame,
    tmp_path: Path,
    name: str,
    share: float,
    packed: bool,
) -> None:
    content = saved(sample[name], ",", "utf-8", packed)
    cut = content[: int(len(content) * share)]
    found = read_or_fault(cut, tmp_path, near_communes)
    if packed:
        assert (found is None) == (len(cut) < len(content))
    elif found is not None:
        # csv ends each record with \r\n, and cells hold no \r\n: the cut file has this many.
        assert found.rows in (cut.count(b"\r\n") - 1, cut.count(b"\r\n"))


@pytest.mark.real
@fuzz
@given(
    name=st.sampled_from([NATIONAL, STANDARD]),
    edits=st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 47), st.text(max_size=12)), max_size=60
    ),
)
def test_any_cells_give_sites_or_lines_of_report(
    sample: Sample,
    near_communes: gpd.GeoDataFrame,
    tmp_path: Path,
    name: str,
    edits: list[tuple[int, int, str]],
) -> None:
    rows = [list(row) for row in sample[name]]
    for row, column, text in edits:
        rows[row][column] = text.replace("\0", "")
    read_or_fault(saved(rows, ";", "utf-8", False), tmp_path, near_communes)


@pytest.mark.real
@fuzz
@given(
    name=st.sampled_from([NATIONAL, STANDARD]),
    noise=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=3)), max_size=30),
)
def test_any_damage_gives_sites_or_lines_of_report(
    sample: Sample,
    near_communes: gpd.GeoDataFrame,
    tmp_path: Path,
    name: str,
    noise: list[tuple[float, bytes]],
) -> None:
    content = bytearray(saved(sample[name], ",", "utf-8", False))
    for at, bytes_ in noise:
        start = int(at * len(content))
        content[start : start + len(bytes_)] = bytes_
    read_or_fault(bytes(content), tmp_path, near_communes)


@pytest.mark.real
@fuzz
@given(
    name=st.sampled_from([NATIONAL, STANDARD]),
    order=st.permutations(range(1, 61)),
)
def test_the_order_of_rows_does_not_matter(
    sample: Sample,
    plain: dict[str, Inventory],
    near_communes: gpd.GeoDataFrame,
    tmp_path: Path,
    name: str,
    order: list[int],
) -> None:
    rows = sample[name]
    mixed = [rows[0], *(rows[i] for i in order)]
    other = read_or_fault(saved(mixed, ",", "utf-8", False), tmp_path, near_communes)
    assert other is not None
    pd.testing.assert_frame_equal(pd.DataFrame(plain[name].sites), pd.DataFrame(other.sites))


@pytest.mark.real
def test_fields_are_those_of_the_standard(shared_real: Path) -> None:
    """The 51 fields and their enumerations, word by word."""
    import json

    from siteselect.sources.cnig_fields import cnig_fields

    schema = json.loads((shared_real / "friches" / "cnig_schema_friches.json").read_text("utf-8"))
    official = [
        (one["name"], tuple(one.get("constraints", {}).get("enum") or ()))
        for one in schema["fields"]
    ]
    assert [(field.name, field.words) for field in cnig_fields()] == official
    assert len(official) == 51
