"""The raster of data/france, read pixel by pixel without the project's own land measures."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.windows import from_bounds

from siteselect.pack import DataPack
from siteselect.units import CRS, FRANCE_BOUNDS

ROOT = Path(__file__).resolve().parents[2]
MATRIX = ROOT / "siteselect" / "tables" / "ocsge_artificialisation_matrix.csv"


# rasterio 1.4 multiplies its transforms in a way that affine 3 announces to drop
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:rasterio")


@pytest.fixture(scope="session")
def lookup(pack: DataPack) -> tuple[np.ndarray, np.ndarray]:
    """Artificialised and impermeable (0 or 1) by raster value."""
    legend = pd.read_csv(pack.path("landuse_legend")).merge(
        pd.read_csv(MATRIX), on=["code_cs", "code_us"], how="left", validate="one_to_one"
    )
    assert legend["artif"].notna().all()
    artificialised, impermeable = np.zeros(256), np.zeros(256)
    artificialised[legend["value"]] = legend["artif"]
    impermeable[legend["value"]] = legend["code_cs"].isin(["CS1.1.1.1", "CS1.1.1.2"])
    return artificialised, impermeable


@pytest.fixture(scope="session")
def counts(
    pack: DataPack, sites: gpd.GeoDataFrame, lookup: tuple[np.ndarray, np.ndarray]
) -> pd.DataFrame:
    """Per site: pixels whose centre is inside, artificialised, impermeable; empty touched ones."""
    rows = []
    with rasterio.open(pack.path("landuse")) as raster:
        for geometry in sites.geometry:
            codes, transform = _read(raster, geometry)
            inside = rasterize([geometry], codes.shape, transform=transform).astype(bool)
            touched = rasterize(
                [geometry], codes.shape, transform=transform, all_touched=True
            ).astype(bool)
            within = codes[inside]
            rows.append(
                (
                    within.size,
                    lookup[0][within].sum(),
                    lookup[1][within].sum(),
                    (codes[touched] == 0).sum(),
                )
            )
    frame = pd.DataFrame(rows, columns=["pixels", "artificialised", "impermeable", "empty"])
    frame["kind"] = sites["kind"].to_numpy()
    return frame


def test_grid(pack: DataPack) -> None:
    with rasterio.open(pack.path("landuse")) as raster:
        assert raster.crs == CRS
        assert raster.res == (10.0, 10.0)
        assert tuple(raster.bounds) == FRANCE_BOUNDS
        assert raster.nodata == 0
        assert raster.count == 1
        assert raster.dtypes[0] in {"uint8", "uint16"}
        assert raster.block_shapes == [(512, 512)]
        assert raster.compression is not None


def test_no_pixel_of_a_footprint_is_empty(counts: pd.DataFrame) -> None:
    assert counts["empty"].sum() == 0


def test_around_footprints_is_painted_to_150_m(pack: DataPack, sites: gpd.GeoDataFrame) -> None:
    with rasterio.open(pack.path("landuse")) as raster:
        for geometry in sites.geometry.iloc[::50]:
            around = geometry.buffer(150)
            codes, transform = _read(raster, around)
            touched = rasterize([around], codes.shape, transform=transform).astype(bool)
            assert (codes[touched] > 0).all()


def test_only_legend_values(pack: DataPack, sites: gpd.GeoDataFrame) -> None:
    known = {0, *pd.read_csv(pack.path("landuse_legend"))["value"]}
    with rasterio.open(pack.path("landuse")) as raster:
        for geometry in sites.geometry.iloc[::50]:
            assert set(np.unique(_read(raster, geometry)[0])) <= known


@pytest.mark.parametrize(
    ("kind", "column", "low", "high"),
    [
        ("brownfield", "artificialised", 0.75, 0.85),
        ("brownfield", "impermeable", 0.30, 0.40),
        ("extension", "artificialised", 0.20, 0.40),
        ("extension", "impermeable", 0.01, 0.10),
        ("greenfield", "artificialised", 0.003, 0.05),
    ],
)
def test_shares_by_area(
    counts: pd.DataFrame, kind: str, column: str, low: float, high: float
) -> None:
    chosen = counts[counts["kind"] == kind]
    assert low < chosen[column].sum() / chosen["pixels"].sum() < high


def test_brownfields_differ(counts: pd.DataFrame) -> None:
    brownfields = counts[counts["kind"] == "brownfield"]
    share = brownfields["artificialised"] / brownfields["pixels"]
    assert share.quantile(0.1) < 0.5
    assert share.median() > 0.9


def test_restoration_parcels_are_wholly_artificialised(
    pack: DataPack, parcels: gpd.GeoDataFrame, lookup: tuple[np.ndarray, np.ndarray]
) -> None:
    with rasterio.open(pack.path("landuse")) as raster:
        for geometry in parcels.geometry.iloc[::3]:
            codes, transform = _read(raster, geometry)
            touched = rasterize(
                [geometry], codes.shape, transform=transform, all_touched=True
            ).astype(bool)
            assert (lookup[0][codes[touched]] == 1).all()


def test_patches_are_coherent_not_salt_and_pepper(pack: DataPack, sites: gpd.GeoDataFrame) -> None:
    """Most neighbouring pixels of a footprint hold the same code."""
    same = total = 0
    with rasterio.open(pack.path("landuse")) as raster:
        for geometry in sites.geometry.iloc[::40]:
            codes, _ = _read(raster, geometry)
            same += int((codes[:, 1:] == codes[:, :-1]).sum())
            total += codes[:, 1:].size
    assert same / total > 0.75


def _read(
    raster: rasterio.DatasetReader, geometry: shapely.Geometry
) -> tuple[np.ndarray, rasterio.Affine]:
    left, bottom, right, top = geometry.bounds
    window = from_bounds(left - 10, bottom - 10, right + 10, top + 10, raster.transform)
    window = window.round_offsets().round_lengths()
    return raster.read(1, window=window), raster.window_transform(window)
