"""A window of a land-use raster, grouped into a few kinds of land that a map can show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window, from_bounds

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.sources.landclasses import artificialisation_matrix, classify_legend, read_legend

LAND_KINDS = ("unknown", "impermeable", "permeable", "grass", "wood", "bare")
"""No data; artificialised impermeable; artificialised otherwise; not artificialised: herbaceous,
woody, without vegetation (bare, water)."""
WOODY, HERBACEOUS = "CS2.1", "CS2.2"
MAX_PIXELS = 1_500
"""Longer side of a window; larger ones are read coarser (a map has no more dots)."""


@dataclass(frozen=True, eq=False)
class LandWindow:
    """Positions in :data:`LAND_KINDS` (uint8, rows from north to south) and the metres covered."""

    kinds: NDArray[np.uint8]
    bounds_m: tuple[float, float, float, float]
    """xmin, ymin, xmax, ymax in EPSG:2154"""


class LandRaster:
    """A land-use raster and its legend, opened once for many windows.

    Raises
    ------
    InputError
        the raster or its legend cannot be read.
    """

    def __init__(self, raster: Path, legend: Path) -> None:
        self._path = raster
        self._kind_of = _kinds(legend)
        try:
            self._source = rasterio.open(raster)
        except (RasterioIOError, RasterioError) as error:
            raise _unreadable(raster, error) from error

    def __enter__(self) -> LandRaster:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def window(self, bounds_m: tuple[float, float, float, float]) -> LandWindow:
        """The pixels that meet ``bounds_m`` (EPSG:2154); what lies outside is ``unknown``."""
        source = self._source
        asked = from_bounds(*bounds_m, transform=source.transform)
        whole = Window(
            np.floor(asked.col_off),
            np.floor(asked.row_off),
            np.ceil(asked.width) + 1,
            np.ceil(asked.height) + 1,
        )
        coarser = max(1.0, max(whole.width, whole.height) / MAX_PIXELS)
        shape = (int(whole.height / coarser), int(whole.width / coarser))
        try:
            codes = source.read(1, window=whole, boundless=True, fill_value=0, out_shape=shape)
        except (RasterioIOError, RasterioError) as error:
            raise _unreadable(self._path, error) from error
        left, bottom, right, top = source.window_bounds(whole)
        known = np.minimum(codes.astype(np.int64), len(self._kind_of) - 1)
        return LandWindow(self._kind_of[known], (left, bottom, right, top))


def _kinds(legend_file: Path) -> NDArray[np.uint8]:
    """Code of the raster → position in LAND_KINDS."""
    legend = read_legend(legend_file)
    classes = classify_legend(legend, artificialisation_matrix(), file=legend_file)
    cover = legend.sort_values("value")["code_cs"].astype(str).to_numpy()
    table = np.zeros(max(int(classes.values.max()), 0) + 2, dtype=np.uint8)
    for value, artificial, sealed, code in zip(
        classes.values, classes.artificialised, classes.impermeable, cover, strict=True
    ):
        table[value] = LAND_KINDS.index(_kind(bool(artificial), bool(sealed), str(code)))
    return table


def _kind(artificial: bool, sealed: bool, cover: str) -> str:
    if sealed:
        return "impermeable"
    if artificial:
        return "permeable"
    if cover.startswith(WOODY):
        return "wood"
    return "grass" if cover.startswith(HERBACEOUS) else "bare"


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        Fault(
            Msg("the land-use raster cannot be read: {error}", error=error),
            file=path,
            remedy=Msg("restore the file, or build the pack again"),
        )
    )
