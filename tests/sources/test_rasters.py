"""Land cover and OCS GE → the raster of a pack, on grids that can be counted."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from siteselect.errors import InputError
from siteselect.land import measure_land
from siteselect.sources import ocsge
from siteselect.sources.covered import covered_share
from siteselect.sources.landclasses import artificialisation_matrix, corine_legend, read_legend
from siteselect.sources.landcover import convert_raster, open_legend
from siteselect.sources.ocsge import apply_threshold, rasterise_ocsge

WEST, NORTH = 600_000, 6_600_000


def write_raster(
    path: Path, values: np.ndarray, *, pixel_m: float = 100.0, **profile: object
) -> Path:
    options = {
        "driver": "GTiff", "dtype": values.dtype, "count": 1, "crs": "EPSG:2154",
        "height": values.shape[0], "width": values.shape[1],
        "transform": from_origin(WEST, NORTH, pixel_m, pixel_m), **profile,
    }  # fmt: skip
    with rasterio.open(path, "w", **options) as out:
        out.write(values, 1)
    return path


def test_corine_measured_by_hand(tmp_path: Path) -> None:
    """Industrial | forest: a square over both is half artificialised, its sealing unknown."""
    source = write_raster(
        tmp_path / "clc.tif", np.array([[121, 311]], dtype="float32"), nodata=float("nan")
    )
    legend = open_legend("corine", tmp_path, source)
    done = convert_raster(source, legend, tmp_path / "landuse.tif")
    assert done.area_ha == {121: 1.0, 311: 1.0}
    assert (done.native_m, done.pixel_m) == (100.0, 25.0)
    assert done.legend["value"].tolist() == [121, 311]
    sites = gpd.GeoDataFrame(
        {"site_id": ["both", "wood"]},
        geometry=[
            shapely.box(WEST + 50, NORTH - 100, WEST + 150, NORTH),
            shapely.box(WEST + 110, NORTH - 90, WEST + 190, NORTH - 10),
        ],
        crs="EPSG:2154",
    )
    land = measure_land(sites, tmp_path / "landuse.tif", done.legend)
    assert land["artificialised_ha"].tolist() == pytest.approx([0.5, 0.0])
    assert land["enaf_ha"].tolist() == pytest.approx([0.5, 0.64])
    assert np.isnan(land["impermeable_ha"].iloc[0])
    assert land["impermeable_ha"].iloc[1] == 0.0


def test_grid_codes_of_corine(tmp_path: Path) -> None:
    source = write_raster(tmp_path / "clc.tif", np.array([[3, 23]], dtype="uint8"), nodata=0)
    assert open_legend("corine", tmp_path, source)["value"].tolist() == list(range(1, 45))
    assert corine_legend().set_index("value").loc[121, "artificialised"] == "1"


def test_unexplained_values_are_told(tmp_path: Path) -> None:
    source = write_raster(tmp_path / "x.tif", np.array([[111, 999]], dtype="uint16"))
    done = convert_raster(source, corine_legend(), tmp_path / "landuse.tif")
    assert done.unexplained == {999: 1.0}


@pytest.mark.parametrize(
    ("values", "profile", "told"),
    [
        (np.array([[1.5]], dtype="float32"), {}, "not whole numbers"),
        (np.array([[-3]], dtype="int16"), {}, "between 0 and"),
        (np.array([[1]], dtype="uint8"), {"crs": None}, "no CRS"),
    ],
)
def test_wrong_rasters(
    tmp_path: Path, values: np.ndarray, profile: dict[str, object], told: str
) -> None:
    source = write_raster(tmp_path / "x.tif", values, **profile)
    with pytest.raises(InputError, match=told):
        convert_raster(source, corine_legend(), tmp_path / "landuse.tif")


def test_truncated_raster(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(1, 40, (400, 400)).astype("uint8")
    source = write_raster(tmp_path / "x.tif", values)
    source.write_bytes(source.read_bytes()[:50_000])
    with pytest.raises(InputError, match="damaged, truncated"):
        convert_raster(source, corine_legend(), tmp_path / "landuse.tif")


def test_legend_of_another_nomenclature(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("value,artificialised,impermeable,enaf\n1,1,,\n2,0,0,1\n")
    assert read_legend(path)["value"].tolist() == [1, 2]
    path.write_text("value,artificialised\n1,yes\n")
    with pytest.raises(InputError, match="neither 1, 0 nor nothing"):
        read_legend(path)


@pytest.mark.real
def test_real_corine_keeps_its_hectares(shared_real: Path, tmp_path: Path) -> None:
    """1,029 km² around Cahors, reprojected: every class keeps its area, to 0.3 %."""
    source = shared_real / "landcover" / "clc2018_lot46_100m.tif"
    with rasterio.open(source) as dataset:
        band = dataset.read(1)
    values, counts = np.unique(band[~np.isnan(band)].astype(int), return_counts=True)
    legend = open_legend("corine", tmp_path, source)
    done = convert_raster(source, legend, tmp_path / "landuse.tif")
    assert not done.unexplained
    assert list(done.area_ha) == values.tolist()
    assert list(done.area_ha.values()) == pytest.approx(counts.tolist(), rel=3e-3)


# --- OCS GE ---------------------------------------------------------------------------------------


def write_ocsge(
    path: Path,
    rows: list[tuple[str, str, shapely.Polygon]],
    layer: str = "OCCUPATION_SOL",
    **columns: object,
) -> Path:
    frame = gpd.GeoDataFrame(
        {"code_cs": [r[0] for r in rows], "code_us": [r[1] for r in rows], **columns},
        geometry=[r[2] for r in rows],
        crs="EPSG:2154",
    )
    frame.to_file(path, layer=layer)
    return path


def square(column: int, row: int, width: int, height: int) -> shapely.Polygon:
    """Pixels of 10 m, from the top left corner."""
    x, y = WEST + 10 * column, NORTH - 10 * row
    return shapely.box(x, y - 10 * height, x + 10 * width, y)


def judged(path: Path) -> np.ndarray:
    """1 artificialised, 0 not, -1 no data."""
    with rasterio.open(path) as dataset:
        codes = dataset.read(1)
    artif = artificialisation_matrix()["artif"].to_numpy()
    return np.where(codes == 0, -1, ocsge._artificialised(codes, artif).astype(int))


def test_thresholds_both_ways_and_buildings(tmp_path: Path) -> None:
    """In a field of 30 × 30: a yard of 24 pixels goes, one of 25 stays, a building of 4 stays; a
    lawn of 16 pixels inside a yard of 100 is artificialised with it."""
    field = square(0, 0, 30, 30)
    yard24, yard25 = square(1, 1, 6, 4), square(10, 1, 5, 5)
    house, yard, lawn = square(20, 1, 2, 2), square(5, 15, 10, 10), square(8, 18, 4, 4)
    whole = shapely.union_all([yard24, yard25, house, yard])
    path = write_ocsge(
        tmp_path / "o.gpkg",
        [
            ("CS2.2.1", "US1.1", field.difference(whole)),
            ("CS1.1.1.2", "US2", yard24),
            ("CS1.1.1.2", "US2", yard25),
            ("CS1.1.1.1", "US2", house),
            ("CS1.1.1.2", "US2", yard.difference(lawn)),
            ("CS2.1.1.1", "US1.1", lawn),
        ],
    )
    done = rasterise_ocsge([(path, None)], tmp_path / "l.tif")
    assert done.rows == done.burnt == 6
    found = judged(tmp_path / "l.tif")
    expected = np.zeros((30, 30), dtype=int)
    expected[1:6, 10:15] = 1
    expected[1:3, 20:22] = 1
    expected[15:25, 5:15] = 1
    assert (found == expected).all()
    assert done.artificialised_ha == pytest.approx(1.29)
    assert done.sieved_ha == pytest.approx(0.24 + 0.16)


def test_delivered_judgement_wins(tmp_path: Path) -> None:
    path = write_ocsge(
        tmp_path / "o.gpkg",
        [("CS2.2.1", "US1.1", square(0, 0, 2, 2)), ("CS1.1.1.2", "US2", square(2, 0, 2, 2))],
        artif=["artif", "non artif"],
        crit_seuil=[True, True],
    )
    done = rasterise_ocsge([(path, None)], tmp_path / "l.tif")
    assert done.delivered and done.sieved_ha == 0
    assert judged(tmp_path / "l.tif").tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]
    legend = tmp_path / "legend.csv"
    done.legend.to_csv(legend, index=False)
    sites = gpd.GeoDataFrame({"site_id": ["S"]}, geometry=[square(0, 0, 4, 2)], crs="EPSG:2154")
    land = measure_land(sites, tmp_path / "l.tif", read_legend(legend))
    assert land["artificialised_ha"].iloc[0] == pytest.approx(0.04)
    # delivered or not, cover and use still say what is impermeable and what is ENAF
    assert land["impermeable_ha"].iloc[0] == pytest.approx(0.04)
    assert land["enaf_ha"].iloc[0] == pytest.approx(0.04)


def test_the_threshold_field_alone_reverses_the_matrix(tmp_path: Path) -> None:
    """Farmland of 400 m² in a yard and a yard in a field, both reversed; a building that is not.

    Nothing is sieved again: IGN has applied the threshold.
    """
    path = write_ocsge(
        tmp_path / "o.gpkg",
        [
            ("CS2.2.1", "US1.1", square(0, 0, 2, 2)),
            ("CS1.1.1.2", "US2", square(2, 0, 2, 2)),
            ("CS1.1.1.1", "US5", square(4, 0, 1, 2)),
        ],
        crit_seuil=[True, True, False],
    )
    done = rasterise_ocsge([(path, None)], tmp_path / "l.tif")
    assert done.delivered and done.sieved_ha == 0
    assert judged(tmp_path / "l.tif").tolist() == [[1, 1, 0, 0, 1]] * 2


def test_the_layer_with_the_judgement_is_read(tmp_path: Path) -> None:
    """A GeoPackage with the plain layer first and IGN's artificialised surfaces second."""
    ground = [("CS2.2.1", "US1.1", square(0, 0, 2, 2))]
    path = write_ocsge(tmp_path / "o.gpkg", ground, layer="OCCUPATION_SOL")
    write_ocsge(path, ground, layer="artif_2021_069", artif=["artif"])
    rasterise_ocsge([(path, None)], tmp_path / "l.tif")
    assert judged(tmp_path / "l.tif").tolist() == [[1, 1]] * 2


def test_unknown_codes_are_counted(tmp_path: Path) -> None:
    path = write_ocsge(
        tmp_path / "o.gpkg",
        [("CS2.2.1", "US1.1", square(0, 0, 2, 2)), ("CS9", "US2", square(2, 0, 2, 2))],
    )
    done = rasterise_ocsge([(path, None)], tmp_path / "l.tif")
    assert (done.rows, done.burnt, done.left_out) == (2, 1, {"unknown_pair": 1})
    assert done.examples == {"unknown_pair": "CS9 × US2"}


def test_windows_sieve_like_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    matrix = artificialisation_matrix()["artif"].to_numpy()
    artificial, natural = np.flatnonzero(matrix == 1)[0] + 1, np.flatnonzero(matrix == 0)[0] + 1
    noise = random.random((200, 230)) < 0.45
    codes = np.where(noise, artificial, natural).astype(np.uint16)
    codes[random.random(codes.shape) < 0.02] = 0
    buildings = (random.random(codes.shape) < 0.001) & noise & (codes > 0)
    whole, parts = codes.copy(), codes.copy()
    apply_threshold(whole, buildings, matrix)
    monkeypatch.setattr(ocsge, "WINDOW", 64)
    apply_threshold(parts, buildings, matrix)
    same = ocsge._artificialised(whole, matrix) == ocsge._artificialised(parts, matrix)
    assert same.all()
    assert (whole != codes).sum() > 1_000


def test_covered_share(tmp_path: Path) -> None:
    source = write_raster(
        tmp_path / "x.tif", np.array([[1, 0], [1, 1]], dtype="uint16"), pixel_m=10, nodata=0
    )
    sites = gpd.GeoDataFrame(
        {"site_id": list("abc")},
        geometry=[square(0, 0, 2, 2), square(0, 1, 2, 1), square(50, 50, 2, 2)],
        crs="EPSG:2154",
    )
    assert covered_share(sites, source).tolist() == pytest.approx([0.75, 1.0, 0.0])
