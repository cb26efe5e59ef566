"""What the builder simulates: areas, shapes, places, names, costs, land."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.build import names, patches
from data.build.communes import LABOUR_FORCE_TOTAL, simulate_labour
from data.build.landuse import Subject, paint, write_landuse
from data.build.legend import CODES, Land, legend_table
from data.build.restoration import cost_keur, floor_ha
from data.build.shapes import draw_areas_ha, draw_footprint, place, radius_m
from data.build.sites import Occupied, find_place
from siteselect.units import FRANCE_BOUNDS

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:rasterio")
seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.floats(1.0, 300.0))
def test_footprints_are_simple_valid_and_of_the_area_asked(seed: int, area_ha: float) -> None:
    shape = draw_footprint(area_ha, np.random.default_rng(seed))
    assert shape.geom_type == "Polygon"
    assert shape.is_valid
    assert not shape.interiors
    assert shape.area == pytest.approx(area_ha * 10_000)
    assert radius_m(shape) < 3_000
    assert place(shape, 500_000.0, 6_500_000.0).area == pytest.approx(shape.area, rel=0.01)


def test_areas_have_the_quartiles_of_a_shifted_lognormal() -> None:
    areas = draw_areas_ha(40_000, np.random.default_rng(1), mu=1.0, sigma=1.6, low=1.0, high=300.0)
    assert areas.min() > 1
    assert areas.max() <= 300
    # 1 + exp(1 ± 0.6745 × 1.6), hardly moved by the cut at 300 ha
    assert np.quantile(areas, [0.25, 0.5, 0.75]) == pytest.approx([1.92, 3.71, 8.95], rel=0.05)


@given(seeds)
def test_circles_taken_never_meet(seed: int) -> None:
    rng = np.random.default_rng(seed)
    occupied, taken = Occupied(), []
    for x, y, radius in rng.uniform((0, 0, 50), (30_000, 30_000, 2_500), (60, 3)):
        if occupied.free(x, y, radius):
            occupied.take(x, y, radius)
            taken.append((x, y, radius))
    for index, (x, y, radius) in enumerate(taken):
        for other_x, other_y, other in taken[:index]:
            assert np.hypot(x - other_x, y - other_y) >= radius + other


def test_a_circle_too_large_for_the_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="3000"):
        Occupied().take(0.0, 0.0, 3_000.0)


def test_find_place_stays_in_the_commune_and_gives_up_when_it_is_full() -> None:
    rng = np.random.default_rng(3)
    commune = shapely.box(0, 0, 4_000, 4_000)
    occupied = Occupied()
    shape = shapely.box(-100, -100, 100, 100)
    placed = find_place(shape, commune, (2_000.0, 2_000.0), 500.0, rng, occupied)
    assert placed is not None
    assert commune.contains(placed)
    occupied.take(2_000.0, 2_000.0, 2_900.0)
    assert find_place(shape, commune, (2_000.0, 2_000.0), 500.0, rng, occupied) is None


def test_labour_sums_to_the_national_total() -> None:
    communes = pd.DataFrame(
        {"code_insee": ["01001", "2A004"], "population": pd.array([40_000_000, 26_000_000])}
    )
    labour = simulate_labour(communes, np.random.default_rng(1))
    assert labour["code_insee"].tolist() == ["01001", "2A004"]
    assert abs(labour["labour_force"].sum() - LABOUR_FORCE_TOTAL) <= 1


def test_an_empty_commune_has_no_labour() -> None:
    communes = pd.DataFrame({"code_insee": ["55039", "75056"], "population": [0, 66_000_000]})
    assert simulate_labour(communes, np.random.default_rng(1))["labour_force"].tolist() == [
        0,
        LABOUR_FORCE_TOTAL,
    ]


@pytest.mark.parametrize(
    ("area_m2", "area_ha"), [(10_000.0, 1.0), (10_099.0, 1.0), (10_100.0, 1.01), (2_900.0, 0.29)]
)
def test_a_credit_is_rounded_down(area_m2: float, area_ha: float) -> None:
    assert floor_ha(np.array([area_m2])).tolist() == [area_ha]


def test_restoring_a_brownfield_is_dearer() -> None:
    area_ha = pd.Series([10.0] * 200)
    on_site = pd.Series([False] * 100 + [True] * 100)
    cost = cost_keur(area_ha, on_site, np.random.default_rng(1))
    assert cost.dtype == np.int64
    assert cost[:100].mean() < cost[100:].mean()
    assert cost.min() >= 6_000
    assert cost.max() <= 30_000


def test_repeated_names_get_a_number() -> None:
    assert names.numbered(["Terrain A, B (simulé)"] * 2 + ["Terrain C, D (simulé)"]) == [
        "Terrain A, B (simulé)",
        "Terrain A, B n° 2 (simulé)",
        "Terrain C, D (simulé)",
    ]


@pytest.mark.parametrize(
    ("noun", "former"),
    [
        ("la filature", "de l'ancienne filature"),
        ("le dépôt pétrolier", "de l'ancien dépôt pétrolier"),
        ("l'usine textile", "de l'ancienne usine textile"),
        ("l'abattoir", "de l'ancien abattoir"),
    ],
)
def test_former_works_agree_in_gender(noun: str, former: str) -> None:
    assert names._former(noun) == former


def test_every_land_has_a_pair_of_the_official_matrix() -> None:
    matrix = pd.read_csv(
        Path(__file__).resolve().parents[2] / "siteselect/tables/ocsge_artificialisation_matrix.csv"
    )
    known = set(zip(matrix["code_cs"], matrix["code_us"], strict=True))
    table = legend_table()
    assert table["value"].tolist() == [int(land) for land in Land]
    assert {(cover, use) for cover, use, _ in CODES.values()} <= known
    assert not table.duplicated(["code_cs", "code_us"]).any()


def test_lowest_takes_its_share_to_a_pixel() -> None:
    field = np.array([[3.0, 1.0], [2.0, 0.0]])
    mask = np.array([[True, True], [True, False]])
    assert patches.lowest(field, mask, 2 / 3).tolist() == [[False, True], [True, False]]
    assert not patches.lowest(field, mask, 0.0).any()


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_brownfield_gets_the_shares_asked(seed: int, share: float, sealed: float) -> None:
    """Artificialised exactly; impermeable too, since buildings and yards make up the share."""
    artificialised, impermeable = share, share * sealed
    inside = np.zeros((40, 50), dtype=bool)
    inside[5:35, 5:45] = True
    codes = np.zeros(inside.shape, dtype=np.uint8)
    patches.paint_brownfield(
        codes, inside, artificialised, impermeable, np.random.default_rng(seed)
    )
    assert (codes[~inside] == 0).all()
    assert (codes[inside] > 0).all()
    wild = np.isin(codes[inside], [Land.IDLE_SHRUBS, Land.IDLE_TREES]).sum()
    hard = np.isin(
        codes[inside],
        [Land.IDLE_BUILDING, Land.IDLE_PAVED, Land.WORKS_BUILDING, Land.WORKS_PAVED],
    ).sum()
    assert wild == pytest.approx((1 - artificialised) * 1200, abs=1)
    assert hard == pytest.approx(impermeable * 1200, abs=2)


@pytest.mark.parametrize("kind", ["brownfield", "extension", "greenfield"])
def test_a_patch_fills_the_footprint_and_160_m_around(kind: str) -> None:
    geometry = shapely.box(500_003, 6_500_004, 500_207, 6_500_309)
    patch = paint(Subject(geometry, kind, 1_000.0, whole=False), np.random.default_rng(5))
    painted = (patch.inside > 0) | (patch.halo > 0)
    assert not ((patch.inside > 0) & (patch.halo > 0)).any()
    rows, columns = np.indices(painted.shape)
    x = FRANCE_BOUNDS[0] + (patch.column + columns + 0.5) * 10
    y = FRANCE_BOUNDS[3] - (patch.row + rows + 0.5) * 10
    distance_m = shapely.distance(geometry, shapely.points(x, y))
    assert painted[distance_m <= 150].all()
    assert (patch.inside[distance_m == 0] > 0).all()
    assert not painted[distance_m > 180].any()


def test_a_parcel_to_restore_is_artificialised_to_its_edge() -> None:
    geometry = shapely.box(500_003, 6_500_004, 500_207, 6_500_309)
    patch = paint(Subject(geometry, "brownfield", 10.0, whole=True), np.random.default_rng(5))
    assert (patch.inside > 0).sum() == 21 * 31
    assert not np.isin(patch.inside, [Land.IDLE_SHRUBS, Land.IDLE_TREES]).any()


def test_the_raster_is_sparse_and_the_same_twice(tmp_path: Path) -> None:
    """Two footprints near a corner of tiles, so that patches are cut; halos overlap."""
    corner_x, corner_y = FRANCE_BOUNDS[0] + 100 * 5_120, FRANCE_BOUNDS[3] - 100 * 5_120
    todo = [
        Subject(
            shapely.box(corner_x - 200, corner_y - 90, corner_x + 50, corner_y + 90),
            "brownfield",
            0.0,
            True,
        ),
        Subject(
            shapely.box(corner_x + 100, corner_y - 90, corner_x + 300, corner_y + 90),
            "greenfield",
            0.0,
            False,
        ),
    ]
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    assert write_landuse(first, todo, (1, 5)) == 4
    write_landuse(second, todo, (1, 5))
    assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.glob("*.tmp"))
    with rasterio.open(first) as raster:
        assert raster.shape == (110_000, 117_000)
        row, column = raster.index(corner_x, corner_y)
        window = rasterio.windows.Window(column - 60, row - 60, 120, 120)
        codes = raster.read(1, window=window)
        transform = raster.window_transform(window)
    for subject in todo:
        inside = rasterio.features.rasterize(
            [subject.geometry], codes.shape, transform=transform
        ).astype(bool)
        idle = np.isin(codes[inside], [int(land) for land in patches.IDLE + patches.WORKS])
        assert idle.all() == subject.whole
        assert (codes[inside] > 0).all()
    assert first.stat().st_size < 1_000_000


def test_seed_streams_do_not_touch_each_other() -> None:
    """A footprint's land depends on its own stream: adding a site leaves the others as they are."""
    geometry = shapely.box(500_000, 6_500_000, 500_200, 6_500_300)
    subject = Subject(geometry, "brownfield", 1_000.0, whole=False)
    first = paint(subject, np.random.default_rng([1, 5, 7]))
    again = paint(subject, np.random.default_rng([1, 5, 7]))
    other = paint(subject, np.random.default_rng([2, 5, 7]))
    assert (first.inside == again.inside).all()
    assert (first.inside != other.inside).any()


def test_sites_keep_their_columns(sites: gpd.GeoDataFrame) -> None:
    assert list(sites.columns) == [
        "site_id",
        "name",
        "kind",
        "code_insee",
        "area_ha",
        "status_source",
        "geometry_origin",
        "stated_pollution",
        "stated_buildings",
        "source",
        "geometry",
    ]
