"""Any categorical raster (CORINE, CLC+ Backbone, …) → the land-use raster of a pack.

Reprojected to EPSG:2154 by nearest neighbour on a finer grid than its own, by windows, as codes.
Such rasters are too coarse for a ledger: the layer is marked *assumed* and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform
from rasterio.windows import Window

from siteselect.errors import nearest_name
from siteselect.messages import Msg
from siteselect.sources.landclasses import corine_legend, read_legend
from siteselect.sources.opening import fault
from siteselect.units import CRS, M2_PER_HA

Progress = Callable[[str, float], None]

BLOCK = 512
WINDOW = 4 * BLOCK
FINER = 4
"""The grid is this much finer than the source's, so that borders move by an eighth of a pixel."""
LEAST_M = 10.0
LARGEST_PIXELS = 4_000_000_000
COARSE_M = 20.0
"""Pixels larger than this are too coarse for a ledger: the layer says so."""
NO_DATA = 0
LARGEST_CODE = 65_535


@dataclass(frozen=True)
class Converted:
    """What became of a raster.

    Attributes
    ----------
    legend
        rows of the legend whose value is in the raster.
    native_m
        side of a pixel of the source, metres.
    pixel_m
        side of a pixel of the result, metres.
    area_ha
        hectares by value, in the result.
    unexplained
        hectares by value that the legend does not have.
    """

    legend: pd.DataFrame
    native_m: float
    pixel_m: float
    area_ha: dict[int, float]
    unexplained: dict[int, float]


def open_legend(name: str, folder: Path, raster: Path) -> pd.DataFrame:
    """The legend named in a build file: ``corine``, or a CSV in the folder of the files."""
    if name.casefold() == "corine":
        return corine_legend(grid_codes=_largest(raster) <= 48)
    path = folder / name
    if not path.is_file():
        near = nearest_name(name, ["corine"])
        raise fault(
            path,
            Msg("there is no such legend"),
            Msg('did you mean "{near}"?', near=near)
            if near
            else Msg('give the name of a CSV, or "corine"'),
        )
    return read_legend(path)


def convert_raster(
    source: Path,
    legend: pd.DataFrame,
    target: Path,
    *,
    resolution_m: float | None = None,
    progress: Progress | None = None,
) -> Converted:
    """Write the land-use raster of a pack: uint16 codes, EPSG:2154, tiled, sparse, nodata 0.

    Parameters
    ----------
    resolution_m
        side of a pixel of the result; by default a quarter of the source's, 10 m at least.

    Raises
    ------
    InputError
        the raster cannot be read, is truncated, has no CRS, several bands, values that are not
        whole numbers, or a legend with values outside 1 to 65,535.
    """
    known = legend["value"].to_numpy(dtype=np.int64)
    if ((known <= NO_DATA) | (known > LARGEST_CODE)).any():
        raise fault(
            source,
            Msg("values of the legend must lie between 1 and {most}", most=LARGEST_CODE),
            Msg("renumber the classes, in the raster and in the legend"),
        )
    try:
        with rasterio.open(source) as dataset:
            _check(dataset, source)
            native_m = _native_m(dataset)
            pixel_m = resolution_m or max(LEAST_M, native_m / FINER)
            counts = _write(dataset, target, pixel_m, source, progress)
    except (RasterioError, OSError) as error:
        raise fault(
            source,
            Msg("the raster is damaged, truncated or not a raster: {error}", error=error),
            Msg("download it again"),
        ) from error
    hectares = {v: n * pixel_m**2 / M2_PER_HA for v, n in sorted(counts.items())}
    return Converted(
        legend[legend["value"].isin(list(counts))].reset_index(drop=True),
        native_m,
        pixel_m,
        hectares,
        {value: area for value, area in hectares.items() if value not in set(known.tolist())},
    )


def _largest(raster: Path) -> float:
    """The largest value of a raster, seen at low resolution (which keeps codes as they are)."""
    try:
        with rasterio.open(raster) as dataset:
            shape = (min(dataset.height, 2000), min(dataset.width, 2000))
            sample = dataset.read(1, out_shape=shape, masked=True)
    except (RasterioError, OSError) as error:
        raise fault(
            raster,
            Msg("the raster is damaged, truncated or not a raster: {error}", error=error),
            Msg("download it again"),
        ) from error
    finite = np.ma.masked_invalid(sample).compressed()
    return float(finite.max()) if finite.size else 0.0


def _check(dataset: rasterio.DatasetReader, source: Path) -> None:
    if dataset.crs is None:
        raise fault(source, Msg("the raster has no CRS"), Msg("write it with its CRS"))
    if dataset.count != 1:
        raise fault(
            source,
            Msg("a land-use raster has one band of integer codes"),
            Msg("export the band of codes alone, not its picture in colours"),
            value=dataset.count,
        )


def _native_m(dataset: rasterio.DatasetReader) -> float:
    """Side of a pixel in metres of EPSG:2154."""
    transform, _, _ = calculate_default_transform(
        dataset.crs, CRS, dataset.width, dataset.height, *dataset.bounds
    )
    side = float(transform.a)
    # Rotated by the projection, a pixel of 100 m is announced as 98 or 103: its own unit is truer.
    return float(dataset.res[0]) if dataset.crs.is_projected else side


def _write(
    dataset: rasterio.DatasetReader,
    target: Path,
    pixel_m: float,
    source: Path,
    progress: Progress | None,
) -> dict[int, int]:
    transform, width, height = calculate_default_transform(
        dataset.crs, CRS, dataset.width, dataset.height, *dataset.bounds, resolution=pixel_m
    )
    if width * height > LARGEST_PIXELS:
        raise fault(
            source,
            Msg("the raster would have {pixels} pixels", pixels=width * height),
            Msg("set a larger resolution_m, or cut the raster to the territory"),
        )
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": 1,
        "crs": CRS,
        "transform": transform,
        "width": width,
        "height": height,
        "nodata": NO_DATA,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "predictor": 2,
        "sparse_ok": True,
        "bigtiff": "if_safer",
    }
    counts: dict[int, int] = {}
    warped = WarpedVRT(
        dataset,
        crs=CRS,
        transform=transform,
        width=width,
        height=height,
        resampling=Resampling.nearest,
        add_alpha=False,
    )
    with warped, rasterio.open(target, "w", **profile) as out:
        tops = range(0, height, WINDOW)
        for row in tops:
            for column in range(0, width, WINDOW):
                window = Window(column, row, min(WINDOW, width - column), min(WINDOW, height - row))
                codes = _codes(warped.read(1, window=window, masked=True), source)
                values, found = np.unique(codes[codes != NO_DATA], return_counts=True)
                for value, count in zip(values.tolist(), found.tolist(), strict=True):
                    counts[value] = counts.get(value, 0) + count
                if len(values):
                    out.write(codes, 1, window=window)
            if progress is not None:
                progress("landcover", min(1.0, (row + WINDOW) / height))
    return counts


def _codes(block: np.ma.MaskedArray, source: Path) -> NDArray[np.uint16]:
    """Whole codes, 0 for no data."""
    values = np.ma.masked_invalid(block).filled(NO_DATA)
    if np.issubdtype(values.dtype, np.floating) and (values != np.floor(values)).any():
        raise fault(
            source,
            Msg("the raster holds values that are not whole numbers: it is no land-cover raster"),
            Msg("give the raster of codes"),
            value=float(values[values != np.floor(values)][0]),
        )
    if values.size and (values.min() < 0 or values.max() > LARGEST_CODE):
        raise fault(
            source,
            Msg("codes of the raster must lie between 0 and {most}", most=LARGEST_CODE),
            Msg("check its nodata value: it is not declared in the file"),
            value=float(values.min() if values.min() < 0 else values.max()),
        )
    codes: NDArray[np.uint16] = values.astype(np.uint16)
    return codes
