"""What is in data/france: counts, territories, networks, marks, size."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from siteselect.pack import DataPack
from siteselect.units import CRS, FRANCE_BOUNDS, M2_PER_HA

REGIONS = {"11", "24", "27", "28", "32", "44", "52", "53", "75", "76", "84", "93", "94"}
SIMULATED = {
    "labour.parquet",
    "interchanges.parquet",
    "rail_freight.parquet",
    "substations.parquet",
    "sites.parquet",
    "restoration.parquet",
    "landuse.tif",
}
FROM_ODBL = {
    "road_nodes.parquet",
    "road_edges.parquet",
    "rail.parquet",
    "stations.parquet",
    "interchanges.parquet",
    "rail_freight.parquet",
}
CORSICA = (1_150_000.0, 6_030_000.0, 1_260_000.0, 6_250_000.0)


def test_the_pack_fits_in_git(pack: DataPack) -> None:
    size_mb = sum(path.stat().st_size for path in pack.folder.iterdir()) / 1e6
    assert size_mb <= 22


def test_every_file_is_in_the_manifest(pack: DataPack) -> None:
    listed = {layer.file for layer in pack.manifest.layers}
    present = {path.name for path in pack.folder.iterdir()}
    assert present == listed | {"pack.toml", "NOTICE-ODbL.txt"}


def test_what_is_simulated_is_marked(pack: DataPack) -> None:
    marked = {layer.file for layer in pack.manifest.layers if layer.simulated}
    assert marked == SIMULATED
    assert pack.manifest.seed == 1


def test_share_alike_layers_are_apart_with_their_notice(pack: DataPack) -> None:
    odbl = {layer.file for layer in pack.manifest.layers if layer.licence.startswith("ODbL")}
    notice = (pack.folder / "NOTICE-ODbL.txt").read_text(encoding="utf-8")
    assert odbl == FROM_ODBL
    assert "© OpenStreetMap contributors" in notice
    assert all(f"- {file}:" in notice for file in odbl)


def test_every_layer_says_where_it_comes_from(pack: DataPack) -> None:
    for layer in pack.manifest.layers:
        assert layer.licence, layer.file
        assert layer.attribution, layer.file
        assert layer.source, layer.file
        assert layer.vintage, layer.file
        assert "{" not in layer.note, layer.file


def test_vector_layers_are_lambert_93_and_in_france(pack: DataPack) -> None:
    xmin, ymin, xmax, ymax = FRANCE_BOUNDS
    for role in ("communes", "outlines", "rail", "facilities", "sites", "restoration"):
        frame = pack.vectors(role)
        assert frame.crs == CRS
        assert frame.geometry.notna().all()
        left, bottom, right, top = frame.total_bounds
        assert xmin < left < right < xmax, role
        assert ymin < bottom < top < ymax, role


def test_communes_are_the_real_ones(communes: gpd.GeoDataFrame) -> None:
    assert len(communes) == 34_746
    assert communes["code_insee"].is_unique
    assert communes["code_insee"].str.fullmatch(r"(\d\d|2A|2B)\d{3}").all()
    assert set(communes["region"]) == REGIONS
    assert communes["departement"].nunique() == 96
    assert 65_500_000 < communes["population"].sum() < 67_000_000
    paris = communes.set_index("code_insee").loc["75056"]
    assert paris["name"] == "Paris"
    assert paris["population"] == 2_103_778
    assert np.hypot(paris.geometry.x - 652_000, paris.geometry.y - 6_862_000) < 3_000


def test_only_four_island_communes_have_no_epci(communes: gpd.GeoDataFrame) -> None:
    alone = set(communes.loc[communes["epci"].isna(), "name"])
    assert alone == {"Île-de-Bréhat", "Île-de-Sein", "Ouessant", "L'Île-d'Yeu"}
    assert communes["epci"].dropna().str.fullmatch(r"\d{9}").all()


def test_commune_points_lie_in_their_departement(
    pack: DataPack, communes: gpd.GeoDataFrame
) -> None:
    outlines = pack.vectors("outlines")
    shapes = outlines[outlines["level"] == "departement"].set_index("code").geometry
    of_each = shapes.loc[communes["departement"]].to_numpy()
    distance_m = shapely.distance(of_each, communes.geometry.to_numpy())
    assert (distance_m == 0).mean() > 0.98
    assert distance_m.max() < 40_000  # islets too small to be drawn: Sein, Molène, Ouessant


def test_outlines_share_their_borders(pack: DataPack) -> None:
    outlines = pack.vectors("outlines")
    assert outlines.is_valid.all()
    regions = outlines[outlines["level"] == "region"]
    departements = outlines[outlines["level"] == "departement"]
    assert (len(regions), len(departements)) == (13, 96)
    for level in (regions, departements):
        united = shapely.union_all(level.geometry.to_numpy()).area
        assert level.area.sum() == pytest.approx(united, rel=1e-4)
    assert regions.area.sum() == pytest.approx(departements.area.sum(), rel=1e-3)
    assert 535e9 < regions.area.sum() < 560e9


def test_labour_force_has_the_national_total(pack: DataPack, communes: gpd.GeoDataFrame) -> None:
    labour = pack.table("labour")
    assert labour["code_insee"].tolist() == communes["code_insee"].tolist()
    assert abs(labour["labour_force"].sum() - 30_600_000) < 1_000
    assert (labour["labour_force"] <= communes["population"]).all()


def test_road_tables_agree(pack: DataPack) -> None:
    nodes, edges = pack.table("road_nodes"), pack.table("road_edges")
    assert edges.dtypes.astype(str).to_dict() | {"road_class": "text"} == {
        "tail": "int32",
        "head": "int32",
        "length_m": "float64",
        "road_class": "text",
        "oneway": "bool",
    }
    assert edges[["tail", "head"]].to_numpy().min() == 0
    assert edges[["tail", "head"]].to_numpy().max() == len(nodes) - 1
    assert (edges["tail"] < edges["head"]).all()
    assert not edges.duplicated(["tail", "head"]).any()
    xy = nodes[["x", "y"]].to_numpy()
    straight_m = np.hypot(*(xy[edges["tail"]] - xy[edges["head"]]).T)
    assert (edges["length_m"] > 0.9 * straight_m).all()


def test_roads_are_connected_but_corsica_is_an_island(pack: DataPack) -> None:
    nodes, edges = pack.table("road_nodes"), pack.table("road_edges")
    count = len(nodes)
    matrix = coo_array((np.ones(len(edges)), (edges["tail"], edges["head"])), shape=(count, count))
    labels = connected_components(matrix, directed=False)[1]
    main = labels == np.bincount(labels).argmax()
    left, bottom, right, top = CORSICA
    corsica = (nodes["x"].between(left, right) & nodes["y"].between(bottom, top)).to_numpy()
    assert main.mean() > 0.994
    # Corsica, Oléron and the two ends of Noirmoutier: every other piece of road is reachable
    assert labels.max() + 1 == 5
    assert corsica.sum() > 50
    assert not main[corsica].any()


def test_the_seine_can_be_crossed(pack: DataPack) -> None:
    """Bridges and motorways that the package breaks: the way by road is no absurd detour."""
    nodes, edges = pack.table("road_nodes"), pack.table("road_edges")
    communes = pack.vectors("communes").set_index("code_insee").geometry
    towns = {"Caen": "14118", "Rouen": "76540", "Le Havre": "76351", "Lisieux": "14366"}
    xy = np.array([[communes[code].x, communes[code].y] for code in towns.values()])
    at = cKDTree(nodes[["x", "y"]].to_numpy()).query(xy)[1]
    shape = (len(nodes), len(nodes))
    roads = coo_array((edges["length_m"], (edges["tail"], edges["head"])), shape=shape).tocsr()
    way_km = dijkstra(roads, directed=False, indices=at)[:, at] / 1_000
    straight_km = np.hypot(*(xy[:, None] - xy[None]).T) / 1_000
    assert (way_km < 2.1 * straight_km + 5).all()
    assert way_km[0, 1] < 145


def test_facilities_of_every_class(pack: DataPack) -> None:
    facilities = pack.vectors("facilities")
    counts = facilities["facility_class"].value_counts()
    assert set(counts.index) == {
        "motorway",
        "rail_freight",
        "port",
        "airport",
        "station",
        "substation",
    }
    assert facilities["facility_id"].is_unique
    assert 130 <= counts["station"] <= 230  # not the 5,796 halts
    assert 30 <= counts["port"] <= 60
    assert 40 <= counts["airport"] <= 60
    assert counts["substation"] == 3_000
    substations = facilities[facilities["facility_class"] == "substation"]
    assert set(substations["voltage_kv"]) == {63, 90, 225, 400}


@pytest.mark.parametrize(
    ("facility_class", "expected"),
    [("port", 5), ("airport", 4), ("station", 0), ("motorway", 0), ("rail_freight", 0)],
)
def test_corsica_has_its_ports_and_airports(
    pack: DataPack, facility_class: str, expected: int
) -> None:
    facilities = pack.vectors("facilities")
    there = facilities.cx[CORSICA[0] : CORSICA[2], CORSICA[1] : CORSICA[3]]
    assert (there["facility_class"] == facility_class).sum() == expected


def test_sites_are_enough_in_every_region(sites: gpd.GeoDataFrame, region_of: pd.Series) -> None:
    kinds = sites["kind"].value_counts()
    assert kinds["brownfield"] >= 4_000
    assert kinds["extension"] >= 800
    assert kinds["greenfield"] >= 700
    region = sites["code_insee"].map(region_of)
    table = pd.crosstab(region, sites["kind"])
    assert set(table.index) == REGIONS
    assert table["brownfield"].min() >= 15
    assert table[["extension", "greenfield"]].to_numpy().min() >= 5


def test_sites_are_named_as_simulated(sites: gpd.GeoDataFrame) -> None:
    assert sites["site_id"].is_unique
    assert sites["site_id"].str.fullmatch(r"FR-SIM-[BEG]-\d{5}").all()
    assert sites["name"].str.contains("(simulé", regex=False).all()
    assert sites["name"].is_unique
    brownfield = sites["kind"] == "brownfield"
    assert sites.loc[brownfield, "status_source"].notna().all()
    assert sites.loc[~brownfield, "status_source"].isna().all()


def test_brownfield_areas_are_distributed_like_the_inventory(sites: gpd.GeoDataFrame) -> None:
    areas = sites.loc[sites["kind"] == "brownfield", "area_ha"]
    quartiles = areas.quantile([0.25, 0.5, 0.75]).to_numpy()
    assert quartiles == pytest.approx([1.89, 3.72, 8.86], rel=0.12)
    assert areas.min() >= 1
    assert 150 < areas.max() <= 300


def test_footprints_are_valid_apart_and_measured(sites: gpd.GeoDataFrame) -> None:
    assert sites.is_valid.all()
    assert (sites.geom_type == "Polygon").all()
    assert (sites.area / M2_PER_HA - sites["area_ha"]).abs().max() <= 0.0051
    pairs = sites.sindex.query(sites.geometry, predicate="intersects")
    assert (pairs[0] == pairs[1]).all()


def test_restoration_parcels(
    sites: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, region_of: pd.Series
) -> None:
    assert len(parcels) >= 800
    assert parcels["parcel_id"].is_unique
    assert parcels["area_ha"].between(1, 40).all()
    units = parcels["area_ha"].to_numpy() * 100
    assert np.abs(units - np.rint(units)).max() < 1e-6
    assert (parcels["area_ha"] <= parcels.area / M2_PER_HA + 1e-9).all()
    unit_cost_keur = parcels["cost_keur"] / parcels["area_ha"]
    assert unit_cost_keur.between(598, 3_002).all()
    assert set(parcels["code_insee"].map(region_of)) == REGIONS
    on_sites = parcels.dropna(subset="site_id").set_index("site_id")
    assert len(on_sites) > 100
    footprints = sites.set_index("site_id").geometry.loc[on_sites.index]
    assert footprints.geom_equals(on_sites.geometry).all()
    free = parcels[parcels["site_id"].isna()]
    crossing = sites.sindex.query(free.geometry, predicate="intersects")
    assert crossing.shape[1] == 0
