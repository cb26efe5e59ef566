from __future__ import annotations

import csv
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from siteselect.pack import open_pack
from siteselect.sources.economic_sites import read_economic_sites
from siteselect.sources.economic_words import ENUMERATIONS, KEPT_AS, TAKEN
from siteselect.sources.plan import Input
from siteselect.sources.recognise import recognise_folder
from tests.sources.conftest import degrees


def test_outlines_discs_and_codes(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    """An outline counts by its own area; without a stated code, the nearest commune's."""
    path = tmp_path / "zae.gpkg"
    gpd.GeoDataFrame(
        {"site_id": ["A", "B", None, "A"], "site_nom": ["Zone", "Parc", "?", "Double"],
         "code_insee": [None, "01002", None, None], "surface_ha": [9.0, 3.0, 1.0, 1.0]},
        geometry=[
            shapely.box(600_000, 6_600_000, 600_200, 6_600_100),
            shapely.Point(605_010, 6_600_010),
            shapely.Point(600_000, 6_600_000),
            shapely.Point(600_000, 6_600_000),
        ],
        crs="EPSG:2154",
    ).to_file(path)  # fmt: skip
    part = read_economic_sites(path, Input(role="economic_sites", file="f"), communes, None)
    table = part.table.set_index("site_id")
    assert table["area_ha"].to_dict() == pytest.approx({"A": 2.0, "B": 3.0})
    assert table["code_insee"].to_dict() == {"A": "01001", "B": "01002"}
    assert table["geometry_origin"].to_dict() == {"A": "polygon", "B": "disc"}
    assert table["kind"].unique().tolist() == ["extension"]
    assert (part.rows, part.left_out) == (4, 2)


@pytest.mark.real
def test_activity_zones_of_bdtopo(shared_real: Path) -> None:
    """21 zones of one commune, outlines and names as IGN writes them; every row is told."""
    one = Input(
        role="economic_sites", file="f", layer="zone_d_activite_ou_d_interet",
        columns={"site_id": "ID", "name": "TOPONYME"}, attribution="IGN",
    )  # fmt: skip
    path = shared_real / "landcover" / "bdtopo_v3_olemps_12174.gpkg"
    part = read_economic_sites(path, one, open_pack("france").vectors("communes"), None)
    assert part.rows == 21 == len(part.table) + part.left_out
    assert part.table["code_insee"].unique().tolist() == ["12174"]
    assert (part.table["geometry_origin"] == "polygon").all()


SITE_ECO = (
    "site_id,pole_id,site_nom,site_type,site_vocadomi,site_etat,site_surf_brute,site_surf_utile,"
    "site_creation_date,site_identif_date,site_actu_date,source_producteur,site_description,"
    "site_quali_territoire,site_evol_urba,site_url,site_epci_nom,site_epci_siren,site_comm_nom,"
    "site_comm_insee,site_moa_type,site_moa_nom,site_moa_amngt,site_moa_comm,site_uf_nbre,"
    "site_uf_vacant_nbre,site_taux_vacance,site_uf_bati_nbre,site_nb_etab,site_nb_emploi,"
    "site_geomsurf,site_geompoint,site_media,site_surf_comm_dispo,site_surf_projet,"
    "site_voca_industrielle,reseau_gaz,autoroute_echang_dist,port_nom,port_dist"
)
TERRAIN_ECO = (
    "terr_id,site_id,terr_refcad,terr_surf_brute,terr_utile,terr_identif_date,terr_actu_date,"
    "terr_maitrise_fonc,terr_stade_amngt,terr_stade_comm,terr_etat_occup,terr_usage,"
    "terr_geomsurf,terr_cle_en_main,terr_acquereur,terr_cession_date,terr_vente_montant,"
    "terr_m2_prix"
)


def geojson(x_m: float, y_m: float, side_m: float) -> str:
    square = gpd.GeoSeries([shapely.box(x_m, y_m, x_m + side_m, y_m + side_m)], crs="EPSG:2154")
    return str(shapely.to_geojson(square.to_crs(4326).iloc[0]))


def write_table(path: Path, columns: str, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns.split(","), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def every_word(name: str, plain: dict[str, str]) -> list[dict[str, str]]:
    """One row for each word of a field of the standard."""
    return [{**plain, name: word} for word in ENUMERATIONS[name]]


def test_every_word_of_the_classes_of_the_standard(
    tmp_path: Path, communes: gpd.GeoDataFrame
) -> None:
    """Each word is read as itself; parks that are gone and plots that are taken go out, told."""
    park = {
        "site_nom": "Zone", "site_surf_brute": "37.2", "site_comm_insee": "01002",
        "site_etat": "existant", "site_actu_date": "2023-08-29", "source_producteur": "DDT",
        "site_geomsurf": geojson(605_000, 6_600_000, 200),
    }  # fmt: skip
    plot = {
        "site_id": "P", "terr_surf_brute": "9.9", "terr_etat_occup": "vacant",
        "terr_geomsurf": geojson(600_000, 6_600_000, 100).replace('"', '\\"'),
    }  # fmt: skip
    for columns, plain, key, gone in (
        (SITE_ECO, park, "site_id", {"déclassé", "annulé"}),
        (TERRAIN_ECO, plot, "terr_id", {word for words in TAKEN.values() for word in words}),
    ):
        for name in set(columns.split(",")) & set(ENUMERATIONS):
            rows = [{**row, key: f"{name}_{k}"} for k, row in enumerate(every_word(name, plain))]
            path = write_table(tmp_path / f"{name}.csv", columns, rows)
            part = read_economic_sites(path, Input(role="economic_sites", file="f"), communes, None)
            assert part.rows == len(rows) == len(part.table) + part.left_out
            lost = part.report[part.report["action"] == "left_out"]
            assert set(lost["value"].str.removeprefix(f"{name}: ")) == gone & set(
                ENUMERATIONS[name]
            )
            assert not (part.report["issue"] == "word_unknown").any()
            kept = [word for word in ENUMERATIONS[name] if word not in gone]
            assert sorted(part.table[KEPT_AS[name]]) == sorted(kept)
            # the outline counts, 4 ha and 1 ha, not the hectares stated
            assert part.table["area_ha"].round(2).unique().tolist() == [
                4.0 if key == "site_id" else 1.0
            ]
            expected = "01002" if key == "site_id" else "01001"  # stated, or where the plot lies
            assert part.table["code_insee"].unique().tolist() == [expected]


def test_points_hectares_and_unknown_words(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    """Without outline the point « lon, lat » and the hectares stated give a disc."""
    lon, lat = degrees(605_100, 6_600_100)
    rows = [
        {"site_id": "A", "site_surf_brute": "3,5", "site_comm_insee": "01002",
         "site_geompoint": f"{lon}, {lat}", "site_etat": "en sommeil"},
        {"site_id": "B", "site_surf_brute": "2", "site_comm_insee": "01002",
         "site_geomsurf": '{"type": "Polygon", "coordinates": [[[1', "site_geompoint": ""},
    ]  # fmt: skip
    path = write_table(tmp_path / "s.csv", SITE_ECO, rows)
    part = read_economic_sites(path, Input(role="economic_sites", file="f"), communes, None)
    (site,) = part.table.itertuples()
    assert (site.site_id, site.geometry_origin) == ("A", "disc")
    assert site.area_ha == pytest.approx(3.5)
    assert site.geometry.centroid.distance(shapely.Point(605_100, 6_600_100)) < 1
    told = part.report.groupby("site_id")["issue"].agg(set).to_dict()
    assert told["A"] == {"word_unknown"}
    assert "no_coordinates" in told["B"]


def test_a_folder_is_recognised(tmp_path: Path) -> None:
    write_table(tmp_path / "terrains.csv", TERRAIN_ECO, [{"terr_id": "T"}])
    write_table(tmp_path / "sites.csv", SITE_ECO, [{"site_id": "S"}])
    roles = {one.file: one.role for one in recognise_folder(tmp_path).plan.inputs}
    assert roles == {"sites.csv": "economic_sites", "terrains.csv": "economic_sites"}
