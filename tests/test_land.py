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
from numpy.typing import NDArray
from rasterio.transform import from_origin

from siteselect.errors import InputError
from siteselect.land import LAND_COLUMNS, assume_land, measure_land

X, Y = 600_000.0, 6_600_030.0  # upper left corner of the 3 × 3 raster, pixels of 10 m
LEGEND = pd.DataFrame(
    {
        "value": [1, 2, 3, 4],
        # building, industry | car park, industry | field | lawn of a dwelling (artificialised)
        "code_cs": ["CS1.1.1.1", "CS1.1.1.2", "CS2.2.1", "CS2.2.1"],
        "code_us": ["US2", "US2", "US1.1", "US5"],
    }
)
THREE = [[1, 2, 3], [1, 4, 3], [3, 3, 3]]


def write(
    path: Path,
    codes: object = THREE,
    *,
    crs: str | None = "EPSG:2154",
    dtype: str = "uint16",
    **options: object,
) -> Path:
    array: NDArray[np.generic] = np.asarray(codes, dtype=dtype)
    bands = array[np.newaxis] if array.ndim == 2 else array
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=bands.shape[0],
        dtype=dtype,
        crs=crs,
        transform=from_origin(X, Y, 10, 10),
        nodata=0,
        **options,
    ) as raster:
        raster.write(bands)
    return path


def sites(*shapes: shapely.Geometry, kind: str = "brownfield") -> gpd.GeoDataFrame:
    ids = [f"S{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"site_id": ids, "kind": kind}, geometry=list(shapes), crs="EPSG:2154")


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Metres from the lower left corner of the 3 × 3 raster."""
    return shapely.box(X + west, Y - 30 + south, X + east, Y - 30 + north)


def test_whole_raster_by_hand(tmp_path: Path) -> None:
    # 9 pixels of 0.01 ha: 2 of code 1, 1 of code 2, 1 of code 4, 5 of code 3.
    land = measure_land(sites(box(0, 0, 30, 30)), write(tmp_path / "lu.tif"), LEGEND)
    assert list(land.columns) == [*LAND_COLUMNS, "land_origin"]
    assert land.index.name == "site_id"
    expected = {
        "area_ha": 0.09,
        "artificialised_ha": 0.04,
        "impermeable_ha": 0.03,
        "non_artificialised_ha": 0.05,
        "enaf_ha": 0.05,
    }
    assert land.loc["S0", list(expected)].to_dict() == pytest.approx(expected, abs=1e-9)
    assert land.loc["S0", "land_origin"] == "measured"


def test_fractions_of_pixels_by_hand(tmp_path: Path) -> None:
    # 5 m of the two pixels of code 1 on the left, 2.5 m of a 2 above and of a 4 below it:
    # 50 + 50 + 25 + 25 m².
    shape = box(5, 10, 12.5, 30)
    land = measure_land(sites(shape), write(tmp_path / "lu.tif"), LEGEND).loc["S0"]
    assert land["area_ha"] == pytest.approx(0.015)
    assert land["artificialised_ha"] == pytest.approx(0.015)  # 1, 2 and 4 all are
    assert land["impermeable_ha"] == pytest.approx(0.010 + 0.0025)
    assert land["enaf_ha"] == 0.0


def test_two_parts_and_a_hole(tmp_path: Path) -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))  # all but the lawn
    parts = shapely.MultiPolygon([box(0, 20, 10, 30), box(20, 0, 30, 10)])  # one 1, one 3
    land = measure_land(sites(ring, parts), write(tmp_path / "lu.tif"), LEGEND)
    assert land["artificialised_ha"].tolist() == pytest.approx([0.03, 0.01])
    assert land["non_artificialised_ha"].tolist() == pytest.approx([0.05, 0.01])


def test_order_of_sites_is_kept(tmp_path: Path) -> None:
    shapes = [
        box(10 * (i % 3), 10 * (i // 3), 10 * (i % 3) + 10, 10 * (i // 3) + 10) for i in range(9)
    ]
    shuffled = [shapes[i] for i in (5, 0, 8, 3, 1, 7, 2, 6, 4)]
    land = measure_land(sites(*shuffled), write(tmp_path / "lu.tif"), LEGEND)
    lower_left_first = np.flipud(np.array(THREE)).ravel()
    codes = lower_left_first[[5, 0, 8, 3, 1, 7, 2, 6, 4]]
    assert land["artificialised_ha"].tolist() == pytest.approx(list(0.01 * (codes != 3)))
    assert list(land.index) == [f"S{i}" for i in range(9)]


def test_no_sites(tmp_path: Path) -> None:
    land = measure_land(sites(), write(tmp_path / "lu.tif"), LEGEND)
    assert land.empty
    assert list(land.columns) == [*LAND_COLUMNS, "land_origin"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1, 199), st.floats(1, 199)), min_size=3, max_size=8, unique=True),
    st.integers(0, 2**31),
)
def test_hectares_close_and_agree_with_intersections(
    tmp_path_factory: pytest.TempPathFactory, corners: list[tuple[float, float]], seed: int
) -> None:
    """Against an independent oracle: shapely's intersection with each pixel."""
    hull = shapely.convex_hull(shapely.MultiPoint(corners))
    if hull.geom_type != "Polygon" or hull.area < 20:
        return
    codes = np.random.default_rng(seed).integers(1, 5, (20, 20))
    path = write(tmp_path_factory.mktemp("law") / "lu.tif", codes)
    shape = shapely.transform(hull, lambda xy: np.add(xy, [X, Y - 200]))
    land = measure_land(sites(shape), path, LEGEND).loc["S0"]
    assert land["artificialised_ha"] + land["non_artificialised_ha"] == pytest.approx(
        land["area_ha"], abs=1e-9
    )
    assert 0 <= land["impermeable_ha"] <= land["artificialised_ha"] + 1e-12
    assert 0 <= land["enaf_ha"] <= land["non_artificialised_ha"] + 1e-12
    column, row = np.meshgrid(np.arange(20), np.arange(20))
    pixels = shapely.box(X + 10 * column, Y - 10 * row - 10, X + 10 * column + 10, Y - 10 * row)
    under = shapely.area(shapely.intersection(pixels, shape)) / 1e4
    assert land["area_ha"] == pytest.approx(under.sum(), abs=1e-9)
    assert land["impermeable_ha"] == pytest.approx(
        under[(codes == 1) | (codes == 2)].sum(), abs=1e-6
    )
    assert land["enaf_ha"] == pytest.approx(under[codes == 3].sum(), abs=1e-6)


# --- guards ---------------------------------------------------------------------------------------


def complaint(shapes: gpd.GeoDataFrame, raster: Path, legend: pd.DataFrame = LEGEND) -> str:
    with pytest.raises(InputError) as caught:
        measure_land(shapes, raster, legend, legend_file="legend.csv")
    return str(caught.value)


def test_site_outside_the_raster_is_a_fault_not_zero(tmp_path: Path) -> None:
    shapes = sites(box(0, 0, 30, 30), box(500, 500, 510, 510), box(20, 20, 40, 30))
    text = complaint(shapes, write(tmp_path / "lu.tif"))
    assert "lu.tif: S1, S2: the raster does not cover 2 sites" in text
    assert "100.0%" in text


def test_no_data_under_a_site_is_a_fault(tmp_path: Path) -> None:
    raster = write(tmp_path / "lu.tif", [[1, 2, 3], [1, 0, 3], [3, 3, 3]])
    assert "S0: the raster does not cover 1 sites" in complaint(sites(box(0, 0, 30, 30)), raster)
    # A sliver of it is shared out: 0.001 of 200.001 m² lies on the hole.
    corner = box(0, 20, 20, 30).union(box(10, 19.999, 11, 20))
    land = measure_land(sites(corner), raster, LEGEND).loc["S0"]
    assert land["artificialised_ha"] == pytest.approx(corner.area / 1e4, abs=1e-9)


def test_unset_no_data_does_not_become_land(tmp_path: Path) -> None:
    path = write(tmp_path / "lu.tif", [[1, 2, 3], [1, 0, 3], [3, 3, 3]])
    with rasterio.open(path, "r+") as raster:
        raster.nodata = None
    assert "codes that the legend does not explain: 0" in complaint(sites(box(0, 0, 30, 30)), path)


def test_code_absent_from_the_legend(tmp_path: Path) -> None:
    raster = write(tmp_path / "lu.tif", [[1, 2, 3], [1, 77, 3], [3, 3, 3]])
    text = complaint(sites(box(0, 0, 5, 5), box(0, 0, 30, 30)), raster)
    assert "S1: the raster holds codes that the legend does not explain: 77" in text


def test_pair_absent_from_the_matrix(tmp_path: Path) -> None:
    legend = LEGEND.assign(code_us=["US2", "US2", "US1.1", "US55"])
    text = complaint(sites(box(0, 0, 30, 30)), write(tmp_path / "lu.tif"), legend)
    assert "legend.csv: value 4: the artificialisation matrix has no such pair" in text
    assert "did you mean CS2.2.1 × US5?" in text


def test_missing_raster(tmp_path: Path) -> None:
    text = complaint(sites(box(0, 0, 30, 30)), tmp_path / "none.tif")
    assert "none.tif: there is no such file" in text


def test_a_file_that_is_no_raster(tmp_path: Path) -> None:
    (tmp_path / "lu.tif").write_text("value,code\n1,CS1.1.1.1\n")
    assert "not a raster" in complaint(sites(box(0, 0, 30, 30)), tmp_path / "lu.tif")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("tiled", [True, False])
def test_truncated_raster(tmp_path: Path, share: float, tiled: bool) -> None:
    codes = np.random.default_rng(1).integers(1, 5, (512, 512))
    layout = {"blockxsize": 128, "blockysize": 128} if tiled else {}
    path = write(tmp_path / "lu.tif", codes, tiled=tiled, compress="deflate", **layout)
    whole = shapely.box(X, Y - 5120, X + 5120, Y)
    assert measure_land(sites(whole), path, LEGEND)["area_ha"].iloc[0] == pytest.approx(2621.44)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "lu.tif: the raster" in complaint(sites(whole), path)


def test_corrupt_raster(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(1, 5, (512, 512))
    path = write(tmp_path / "lu.tif", codes, compress="deflate")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = b"\x55" * 4000
    path.write_bytes(bytes(content))
    assert "damaged" in complaint(sites(shapely.box(X, Y - 5120, X + 5120, Y)), path)


@pytest.mark.parametrize(
    ("crs", "expected"),
    [("EPSG:3857", "EPSG:3857"), ("EPSG:4326", "EPSG:4326"), (None, "the raster has no CRS")],
)
def test_raster_in_another_crs(tmp_path: Path, crs: str | None, expected: str) -> None:
    assert expected in complaint(sites(box(0, 0, 30, 30)), write(tmp_path / "lu.tif", crs=crs))


@pytest.mark.parametrize("crs", ["EPSG:9794", "ESRI:102110"])
def test_other_names_of_lambert_93(tmp_path: Path, crs: str) -> None:
    land = measure_land(sites(box(0, 0, 30, 30)), write(tmp_path / "lu.tif", crs=crs), LEGEND)
    assert land["area_ha"].tolist() == pytest.approx([0.09])


def test_footprints_with_heights(tmp_path: Path) -> None:
    flat = box(5, 10, 12.5, 30)
    raster = write(tmp_path / "lu.tif")
    land = measure_land(sites(flat, shapely.force_3d(flat, 12.0)), raster, LEGEND)
    assert land.loc["S0", list(LAND_COLUMNS)].equals(land.loc["S1", list(LAND_COLUMNS)])


def test_sites_in_another_crs(tmp_path: Path) -> None:
    shapes = sites(box(0, 0, 30, 30)).to_crs(4326)
    assert "EPSG:4326" in complaint(shapes, write(tmp_path / "lu.tif"))


def test_raster_of_floats_or_of_three_bands(tmp_path: Path) -> None:
    shape = sites(box(0, 0, 30, 30))
    floats = write(tmp_path / "a.tif", dtype="float32")
    assert "one band of integer codes (value: 'float32')" in complaint(shape, floats)
    assert "uint8, uint8" in complaint(
        shape, write(tmp_path / "b.tif", [THREE, THREE], dtype="uint8")
    )


def test_progress_goes_up_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    measure_land(
        sites(box(0, 0, 30, 30)),
        write(tmp_path / "lu.tif"),
        LEGEND,
        progress=lambda _label, share: seen.append(share),
    )
    assert seen == [1.0]


# --- assumed --------------------------------------------------------------------------------------


def test_assumed_land_by_hand() -> None:
    shapes = sites(box(0, 0, 100, 100), box(0, 0, 200, 100))
    shapes["kind"] = ["brownfield", "greenfield"]
    land = assume_land(shapes, {"brownfield": 0.8, "greenfield": 0.1}, {"brownfield": 0.35})
    assert land["artificialised_ha"].tolist() == pytest.approx([0.8, 0.2])
    assert land["non_artificialised_ha"].tolist() == pytest.approx([0.2, 1.8])
    assert land["impermeable_ha"].iloc[0] == pytest.approx(0.35)
    assert np.isnan(land["impermeable_ha"].iloc[1])  # unknown stays unknown
    assert land["enaf_ha"].tolist() == pytest.approx([0.0, 1.8])
    assert set(land["land_origin"]) == {"assumed"}
    assert list(land.columns) == [*LAND_COLUMNS, "land_origin"]


@pytest.mark.parametrize("shares", [None, {}, {"greenfield": 0.1}])
def test_no_assumed_share_is_a_clear_error(shares: dict[str, float] | None) -> None:
    with pytest.raises(InputError) as caught:
        assume_land(sites(box(0, 0, 100, 100)), shares, None)
    text = str(caught.value)
    assert "land.assumed_artificialised_share.brownfield" in text
    assert "no land-use raster" in text
    assert "[land.assumed_artificialised_share] brownfield = 0.80" in text


def test_more_impermeable_than_artificialised_is_an_error() -> None:
    with pytest.raises(InputError, match=r"assumed_impermeable_share.brownfield.*at most 0.5"):
        assume_land(sites(box(0, 0, 100, 100)), {"brownfield": 0.5}, {"brownfield": 0.6})
