"""Readers on damaged files: one clear fault or a report, never a traceback, never a lost row."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.sources.applications import read_applications
from siteselect.sources.cartofriches import read_cartofriches
from siteselect.sources.communes import read_communes
from siteselect.sources.economic_sites import read_economic_sites
from siteselect.sources.exclusions import read_exclusions
from siteselect.sources.facilities import read_facilities
from siteselect.sources.labour import read_labour
from siteselect.sources.landtake import read_consumption
from siteselect.sources.objectives import read_objectives
from siteselect.sources.ocsge import rasterise_ocsge
from siteselect.sources.opening import open_table
from siteselect.sources.plan import Input
from siteselect.sources.roads import read_roads
from siteselect.sources.territories import read_territories

KNOWN = {"01001", "01002", "01003", "01004", "75056"}
FACILITY = Input(role="facilities", file="f", facility_class="port")
ZONE = Input(role="exclusions", file="f", kind="x", buffer_m=10)
HEADERS = {
    "labour": "CODGEO;P22_ACT1564",
    "facilities": "id;nom;lon;lat;tension",
    "communes": "code_insee;nom;population;siren_epci;lon;lat",
    "territories": "id_ti;lib_ti;code",
    "exclusions": "id;nom;x;y",
    "consumption": "land_id;land_type;year;total",
    "economic_sites": "site_id;nom;lon;lat;code_insee;surface_ha",
    "plots": "terr_id;site_id;terr_surf_brute;terr_etat_occup;terr_geomsurf;lon;lat",
    "parks": "site_id;site_etat;site_surf_brute;site_comm_insee;site_geomsurf;site_geompoint",
    "objectives": "land;land_type;objectif_de_reduction",
    "applications": "site_id;name;kind;code_insee;lon;lat;area_ha",
    "friches": "site_id;site_statut;comm_insee;unite_fonciere_surface;lon;lat;geomsurf",
}


def read(role: str, path: Path, communes: gpd.GeoDataFrame) -> tuple[int, int]:
    """Rows of the file, and rows kept or reported as left out."""
    table = communes.assign(
        name="C", population=1, epci="1" * 9, epci_name="E", departement="01",
        departement_name="D", region="84", region_name="R",
    )  # fmt: skip
    if role == "friches":
        found = read_cartofriches(path, table)
        return found.rows, len(found.sites) + found.rows_left_out
    if role in ("economic_sites", "parks", "plots", "applications"):
        reader = read_applications if role == "applications" else read_economic_sites
        part = reader(path, Input(role="friches", file="f"), table, None)
        return part.rows, len(part.table) + part.left_out
    opened = open_table(path)
    readers: dict[str, Callable[[], object]] = {
        "labour": lambda: read_labour(opened, KNOWN, KNOWN),
        "facilities": lambda: read_facilities(opened, FACILITY),
        "communes": lambda: read_communes(opened, table).part,
        "territories": lambda: read_territories(opened, table, KNOWN, kind="t"),
        "exclusions": lambda: read_exclusions(opened, ZONE),
        "consumption": lambda: read_consumption(opened, KNOWN),
        "objectives": lambda: read_objectives(opened),
    }
    part = readers[role]()
    summed = role in ("labour", "consumption", "territories")  # rows are merged there
    kept = part.rows - part.left_out if summed else len(part.table)
    return part.rows, kept + part.left_out


CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "NA",
            "01001",
            "1001",
            "75101",
            "2.5",
            "46,5",
            "-1",
            "1e999",
            "nan",
            "600000",
            "6600000",
            "COMM",
            "2015",
            "POLYGON((0 0,1 1,0 0))",
            "POLYGON((2 46",
            "friche",
            "vacant",
            "annulé",
            "REGION",
            '{"type": "Polygon", "coordinates": [[[2, 46], [2.1, 46], [2, 46.1], [2, 46]]]}',
            '{"type": "Polygon", "coordinates": [[[2',
            "2.5, 46.5",
            "['32', 'REGION']",
            "friche sans projet",
            "inf",
            "1 000,5",
            "=1+1",
            "é",
            "∞",
            "0",
        ]
    ),
    st.text(max_size=8),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("role", sorted(HEADERS))
@given(rows=st.lists(st.lists(CELL, min_size=0, max_size=9), max_size=8))
def test_any_cells(
    role: str, rows: list[list[str]], tmp_path: Path, communes: gpd.GeoDataFrame
) -> None:
    path = tmp_path / "f.csv"
    lines = [HEADERS[role], *(";".join(row) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    try:
        there, told = read(role, path, communes)
    except InputError as error:
        assert str(error)
        return
    assert there == told


CODES = st.sampled_from(["CS1.1.1.1", "CS2.2.1", "CS9", "", "é"])
USES = st.sampled_from(["US2", "US1.1", "US235", "", "2"])
SHAPES = st.sampled_from(
    [
        shapely.box(600_000, 6_600_000, 600_100, 6_600_050),
        shapely.Polygon([(0, 0), (10, 10), (0, 10), (10, 0)]).buffer(0),
        shapely.MultiPolygon([shapely.box(600_000, 6_600_000, 600_020, 6_600_020)]),
        shapely.Polygon(),
        None,
    ]
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow,
          HealthCheck.function_scoped_fixture])  # fmt: skip
@given(rows=st.lists(st.tuples(CODES, USES, SHAPES, st.booleans()), min_size=1, max_size=5))
def test_any_land_cover(rows: list[tuple[str, str, object, bool]], tmp_path: Path) -> None:
    """Every polygon of OCS GE is burnt, or counted with its reason."""
    path = tmp_path / "o.gpkg"
    gpd.GeoDataFrame(
        {"code_cs": [r[0] for r in rows], "code_us": [r[1] for r in rows],
         "crit_seuil": [r[3] for r in rows]},
        geometry=[r[2] for r in rows], crs="EPSG:2154",
    ).to_file(path)  # fmt: skip
    try:
        done = rasterise_ocsge([(path, None)], tmp_path / "o.tif")
    except InputError as error:
        assert "o.gpkg" in str(error)
        return
    assert done.rows == len(rows) == done.burnt + sum(done.left_out.values())


REAL = {
    "labour": "employment/communes_population_active_2022.csv.gz",
    "facilities": "transport/sea_ports_fr_npm.csv",
    "communes": "communes/communes_2026.csv.gz",
    "territories": "territories/territoires_industrie_communes_2026.csv.gz",
    "exclusions": "risk/seveso_seuil_haut_priorite_nationale_2025.csv",
    "consumption": "zan/lyon_metropole_conso_enaf_2009_2023.csv",
    "friches": "friches/cartofriches_standard_cnig_test_2024.csv.gz",
}


def _sample(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _shuffled(content: bytes, seed: int) -> bytes:
    """Columns in another order (rows whose cells hold the separator are left as they are)."""
    lines = content.decode().splitlines()
    order = list(range(lines[0].count(",") + 1))
    random.Random(seed).shuffle(order)
    cells = [line.split(",") for line in lines]
    return "\n".join(
        ",".join(row[i] for i in order) for row in cells if len(row) == len(order)
    ).encode()


@pytest.mark.real
@pytest.mark.parametrize("role", sorted(REAL))
@pytest.mark.parametrize("harm", ["truncated", "latin", "utf16", "shuffled", "gzip", "bytes"])
def test_real_samples_damaged(
    shared_real: Path, tmp_path: Path, role: str, harm: str, communes: gpd.GeoDataFrame
) -> None:
    content = b"\n".join(_sample(shared_real / REAL[role]).splitlines()[:400])
    seed = random.Random(f"{role} {harm}")
    path = tmp_path / "f.csv"
    if harm == "truncated":
        content = content[: seed.randrange(len(content))]
    elif harm == "latin":
        content = content.decode().encode("cp1252", errors="replace")
    elif harm == "utf16":
        content = content.decode().encode("utf-16")
    elif harm == "shuffled":
        content = _shuffled(content, 5)
    elif harm == "gzip":
        content = gzip.compress(content)[:-50]
    else:
        spoilt = bytearray(content)
        for _ in range(200):
            spoilt[seed.randrange(len(spoilt))] = seed.randrange(256)
        content = bytes(spoilt)
    path.write_bytes(content)
    try:
        there, told = read(role, path, communes)
    except InputError as error:
        assert "f.csv" in str(error)
        return
    assert there == told


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "friches/lyon_metropole_friches_polygons.geojson",
        "landcover/bdtopo_v3_olemps_12174.gpkg",
        "transport/osm_roads_major_IDF_2021-07.parquet",
        "friches/ademe_sites_pollues_419.geojson",
    ],
)
@pytest.mark.parametrize("kept", [0.0, 0.001, 0.3, 0.9])
def test_truncated_vector_files(
    shared_real: Path, tmp_path: Path, name: str, kept: float, communes: gpd.GeoDataFrame
) -> None:
    content = (shared_real / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(content[: int(kept * len(content))])
    for reader in (
        lambda: open_table(path, layer="commune" if path.suffix == ".gpkg" else None),
        lambda: read_roads(path, Input(role="roads", file="f", layer=None)),
        lambda: read_cartofriches(path, communes),
    ):
        try:
            reader()
        except InputError as error:
            assert path.name in str(error)
