"""How much of each footprint a raster has data under: before sites and raster are put together."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray
from rasterio.windows import Window

MAX_MISSING_SHARE = 0.001
"""As in :mod:`siteselect.land` (which lies above this package): what measuring tolerates."""
CACHE_MB = 64


class _Windows(RasterioRasterSource):  # type: ignore[misc]
    """Plain windows: exactextract compares with nodata itself."""

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.generic]:
        window: NDArray[np.generic] = self.ds.read(1, window=Window(x0, y0, nx, ny))
        return window


def covered_share(sites: gpd.GeoDataFrame, raster: Path) -> NDArray[np.float64]:
    """Share of each footprint on pixels with data; sites and raster in EPSG:2154."""
    share = np.zeros(len(sites))
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MB), rasterio.open(raster) as dataset:
        west, south, east, north = dataset.bounds
        bounds = sites.geometry.bounds.to_numpy()
        touching = (
            (bounds[:, 2] > west)
            & (bounds[:, 0] < east)
            & (bounds[:, 3] > south)
            & (bounds[:, 1] < north)
        )
        rows = np.flatnonzero(touching)
        if not len(rows):
            return share
        footprints = gpd.GeoDataFrame(
            {"row": rows},
            geometry=sites.geometry.to_numpy()[rows],
            crs=dataset.crs.to_wkt(),
        )
        pixel_m2 = abs(dataset.transform.a * dataset.transform.e)
        found = exact_extract(
            _Windows(dataset), footprints, ["count"], include_cols=["row"], output="pandas"
        )
    row = found["row"].to_numpy(dtype=np.int64)
    area_m2 = sites.geometry.area.to_numpy(dtype=float)
    share[row] = found["count"].to_numpy(dtype=float) * pixel_m2 / area_m2[row]
    return share


__all__ = ["MAX_MISSING_SHARE", "covered_share"]
