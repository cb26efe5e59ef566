"""The simulated land-use raster: 10 m, EPSG:2154, sparse, written tile row by tile row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.windows import Window
from scipy.ndimage import distance_transform_edt

from data.build import patches
from siteselect.units import CRS, FRANCE_BOUNDS

PIXEL_M = 10.0
TILE = 512
HALO_PIXELS = 16
"""160 m around every footprint are painted too."""
TOWN_DENSITY = 400.0
"""Inhabitants per km² above which the surroundings of a brownfield are a town."""
FULLY_ARTIFICIALISED = 0.5
"""Share of the brownfields that are artificialised throughout (the median of Lyon's is)."""


@dataclass(frozen=True)
class Patch:
    """Codes of one footprint in its window; 0 where it says nothing."""

    row: int
    column: int
    halo: NDArray[np.uint8]
    inside: NDArray[np.uint8]


@dataclass(frozen=True)
class Subject:
    """One footprint to paint; ``whole`` when all of it must be artificialised."""

    geometry: shapely.Polygon
    kind: str
    density: float
    whole: bool


def subjects(
    sites: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, context: pd.DataFrame
) -> list[Subject]:
    """Sites, then the restoration parcels that are not a site."""
    density = context.set_index("code_insee")["density"].to_dict()
    restored = set(parcels["site_id"].dropna())
    free = parcels[parcels["site_id"].isna()]
    return [
        Subject(geometry, kind, density[code], site_id in restored)
        for geometry, kind, code, site_id in zip(
            sites.geometry, sites["kind"], sites["code_insee"], sites["site_id"], strict=True
        )
    ] + [
        Subject(geometry, "brownfield", density[code], True)
        for geometry, code in zip(free.geometry, free["code_insee"], strict=True)
    ]


def paint(subject: Subject, rng: np.random.Generator) -> Patch:
    """The land under a footprint and 160 m around it."""
    row, column, shape = _window(subject.geometry)
    xmin, _, _, ymax = FRANCE_BOUNDS
    transform = from_origin(xmin + column * PIXEL_M, ymax - row * PIXEL_M, PIXEL_M, PIXEL_M)
    touched = _burn(subject.geometry, shape, transform, all_touched=True)
    own = touched if subject.whole else _burn(subject.geometry, shape, transform)
    around = (distance_transform_edt(~touched) <= HALO_PIXELS) & ~own
    codes = np.zeros(shape, dtype=np.uint8)
    side = patches.direction(shape, rng.uniform(0, 2 * np.pi))
    if subject.kind == "brownfield":
        artificialised, impermeable = _brownfield_shares(subject.whole, rng)
        patches.paint_brownfield(codes, own, artificialised, impermeable, rng)
        urban = subject.density > TOWN_DENSITY or rng.random() < 0.3
        (patches.paint_town if urban else patches.paint_farmland)(codes, around, rng)
    elif subject.kind == "extension":
        patches.paint_farmland(codes, own | around, rng, roads=False)
        patches.paint_extension(codes, own, side, rng.uniform(0.2, 0.4), rng)
        patches.paint_business_park(codes, around & (side < -0.1), rng)
    else:
        patches.paint_farmland(codes, own | around, rng)
    return Patch(row, column, np.where(own, 0, codes), np.where(own, codes, 0))


def write_landuse(
    path: Path,
    todo: list[Subject],
    seed: tuple[int, int],
    progress: Callable[[float], None] | None = None,
) -> int:
    """Write the raster beside ``path`` and rename it; the number of tiles written.

    Each footprint has its own generator, so that its land does not depend on the others. Where
    two halos meet the later wins; a halo never covers another footprint.
    """
    xmin, ymin, xmax, ymax = FRANCE_BOUNDS
    profile = {
        "driver": "GTiff",
        "width": round((xmax - xmin) / PIXEL_M),
        "height": round((ymax - ymin) / PIXEL_M),
        "count": 1,
        "dtype": "uint8",
        "crs": CRS,
        "transform": from_origin(xmin, ymax, PIXEL_M, PIXEL_M),
        "nodata": 0,
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "DEFLATE",
        "zlevel": 9,
        "SPARSE_OK": "TRUE",
    }
    temporary = path.with_suffix(".tmp")
    written = 0
    with rasterio.open(temporary, "w", **profile) as raster:
        for tile_row, tile_column, codes in _tiles(todo, seed):
            window = Window(
                tile_column * TILE,
                tile_row * TILE,
                min(TILE, raster.width - tile_column * TILE),
                min(TILE, raster.height - tile_row * TILE),
            )
            raster.write(codes[: window.height, : window.width], 1, window=window)
            written += 1
            if progress is not None:
                progress(tile_row * TILE / raster.height)
    temporary.replace(path)
    return written


def _tiles(
    todo: list[Subject], seed: tuple[int, int]
) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    windows = [_window(subject.geometry) for subject in todo]
    by_row: dict[int, list[int]] = {}
    for index, (row, _, shape) in enumerate(windows):
        for tile_row in range(row // TILE, (row + shape[0] - 1) // TILE + 1):
            by_row.setdefault(tile_row, []).append(index)
    cache: dict[int, Patch] = {}
    for tile_row, indices in sorted(by_row.items()):
        cache = {index: cache[index] for index in indices if index in cache}
        for index in indices:
            if index not in cache:
                cache[index] = paint(todo[index], np.random.default_rng([*seed, index]))
        tiles: dict[int, NDArray[np.uint8]] = {}
        for part in ("halo", "inside"):
            for index in indices:
                _stamp(tiles, cache[index], tile_row, part)
        for tile_column, codes in sorted(tiles.items()):
            if codes.any():
                yield tile_row, tile_column, codes


def _stamp(tiles: dict[int, NDArray[np.uint8]], patch: Patch, tile_row: int, part: str) -> None:
    codes: NDArray[np.uint8] = getattr(patch, part)
    height, width = codes.shape
    top = max(patch.row, tile_row * TILE)
    bottom = min(patch.row + height, (tile_row + 1) * TILE)
    for tile_column in range(patch.column // TILE, (patch.column + width - 1) // TILE + 1):
        left = max(patch.column, tile_column * TILE)
        right = min(patch.column + width, (tile_column + 1) * TILE)
        source = codes[
            top - patch.row : bottom - patch.row, left - patch.column : right - patch.column
        ]
        tile = tiles.setdefault(tile_column, np.zeros((TILE, TILE), dtype=np.uint8))
        target = tile[
            top - tile_row * TILE : bottom - tile_row * TILE,
            left - tile_column * TILE : right - tile_column * TILE,
        ]
        np.copyto(target, source, where=source != 0)


def _window(geometry: shapely.Polygon) -> tuple[int, int, tuple[int, int]]:
    left, bottom, right, top = geometry.bounds
    xmin, _, _, ymax = FRANCE_BOUNDS
    margin = HALO_PIXELS + 1
    row = int(np.floor((ymax - top) / PIXEL_M)) - margin
    column = int(np.floor((left - xmin) / PIXEL_M)) - margin
    height = int(np.ceil((ymax - bottom) / PIXEL_M)) + margin - row
    width = int(np.ceil((right - xmin) / PIXEL_M)) + margin - column
    return row, column, (height, width)


def _burn(
    geometry: shapely.Polygon,
    shape: tuple[int, int],
    transform: rasterio.Affine,
    *,
    all_touched: bool = False,
) -> NDArray[np.bool_]:
    burned = rasterize([geometry], shape, transform=transform, all_touched=all_touched)
    mask: NDArray[np.bool_] = burned.astype(bool)
    return mask


def _brownfield_shares(whole: bool, rng: np.random.Generator) -> tuple[float, float]:
    """Shares artificialised and impermeable: means 0.80 and 0.35, widely spread, as at Lyon."""
    full = rng.random() < FULLY_ARTIFICIALISED
    partly = rng.beta(2.1, 1.3)
    artificialised = 1.0 if whole or full else partly
    return artificialised, artificialised * rng.beta(0.75, 0.95)
