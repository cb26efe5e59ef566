"""Land under each footprint: artificialised, impermeable and ENAF hectares.

Measured on an OCS GE raster (cover × use) with exactextract, which counts the exact fraction of
every pixel that a footprint covers (Baston, exactextract), or assumed by the scenario where a
pack has no raster. One pixel grid, one nomenclature: a raster that does not lie under a
footprint is a fault, never zero hectares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from siteselect.errors import Fault, FaultLog, InputError
from siteselect.messages import Msg
from siteselect.schemas import check_crs, examples
from siteselect.sources.landclasses import LandClasses, classify_legend
from siteselect.units import CRS, M2_PER_HA

LAND_COLUMNS = (
    "area_ha",
    "artificialised_ha",
    "impermeable_ha",
    "non_artificialised_ha",
    "enaf_ha",
)
MAX_MISSING_SHARE = 0.001
"""Share of a footprint that may lie on no data (a sliver of a pixel at the edge of a raster)."""
RASTER_CACHE_MB = 64
"""Cap on GDAL's block cache, which would take 5 % of the machine's memory otherwise."""
SITES_PER_BATCH = 1_000
LATER_REALISATIONS = ("EPSG:9793", "EPSG:9794")
"""Lambert-93 on RGF93 v2 and v2b, as recent official rasters say."""

Progress = Callable[[str, float], None]


def measure_land(
    sites: gpd.GeoDataFrame,
    raster: Path,
    legend: pd.DataFrame,
    *,
    matrix: pd.DataFrame | None = None,
    legend_file: Path | str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Hectares under each footprint, measured on a land-use raster.

    Parameters
    ----------
    sites
        ``site_id`` and polygons in EPSG:2154; any number of rows.
    raster
        one band of integer codes in EPSG:2154; read by windows, never whole.
    legend
        what each code of the raster means: value, code_cs, code_us (OCS GE), or value,
        artificialised, impermeable, enaf for any other nomenclature, as coarse as it is (see
        :func:`siteselect.sources.landclasses.classify_legend`). Unknown impermeable land under
        a footprint makes its ``impermeable_ha`` NaN.
    matrix
        code_cs, code_us, artif: by default the one of decree 2023-1096
        (:func:`siteselect.sources.landclasses.artificialisation_matrix`).
    legend_file
        name of the legend, for the messages.
    progress
        called with a label and a share between 0 and 1.

    Returns
    -------
    DataFrame
        indexed by ``site_id`` in the order of ``sites``: ``area_ha`` (of the polygon),
        ``artificialised_ha`` + ``non_artificialised_ha`` = ``area_ha``, ``impermeable_ha``,
        ``enaf_ha`` (approximation, see :mod:`siteselect.sources.landclasses`), ``land_origin`` =
        "measured". Up to :data:`MAX_MISSING_SHARE` of a footprint may lie on no data: it is
        shared out like the rest.

    Raises
    ------
    InputError
        the raster cannot be read, is truncated, not in EPSG:2154 or not one band of integers;
        it does not cover a site; it holds a code that the legend does not explain; the legend
        names a pair that the matrix does not have. Nothing is returned in part.
    """
    log = FaultLog()
    check_crs(sites, log)
    log.check()
    classes = classify_legend(legend, matrix, file=legend_file)
    counted = _count_pixels(sites, raster, progress)
    _check_covered(sites, counted, raster, log)
    _check_codes(sites, counted, classes, raster, log)
    log.check()
    return _hectares(sites, counted, classes)


def assume_land(
    sites: gpd.GeoDataFrame,
    artificialised_share: Mapping[str, float] | None,
    impermeable_share: Mapping[str, float] | None,
) -> pd.DataFrame:
    """Hectares under each footprint from shares that the scenario assumes, by kind of site.

    Same columns and order as :func:`measure_land`, ``land_origin`` = "assumed". An unknown
    impermeable share stays unknown (NaN). ``enaf_ha``: a brownfield is read as lying inside
    land already urbanised, so that building on it consumes no ENAF (0 ha: the reading of the
    2021-2031 period, and an assumption as long as nothing is measured); elsewhere all that is
    not artificialised is counted as ENAF.

    Raises
    ------
    InputError
        a kind of site that is present has no assumed artificialised share, or its impermeable
        share is the larger one (impermeable land is artificialised).
    """
    kinds = sites["kind"].astype(str)
    _check_shares(kinds, artificialised_share or {}, impermeable_share or {})
    area_ha = sites.geometry.area.to_numpy(dtype=float) / M2_PER_HA
    artificialised = area_ha * kinds.map(dict(artificialised_share or {})).to_numpy(dtype=float)
    impermeable = area_ha * kinds.map(dict(impermeable_share or {})).to_numpy(dtype=float)
    rest = area_ha - artificialised
    enaf = np.where(kinds.to_numpy() == "brownfield", 0.0, rest)
    columns = (area_ha, artificialised, impermeable, rest, enaf)
    return _table(sites, columns, origin="assumed")


def _check_shares(
    kinds: pd.Series[str], artificialised: Mapping[str, float], impermeable: Mapping[str, float]
) -> None:
    log = FaultLog()
    for kind in sorted(set(kinds)):
        if kind not in artificialised:
            log.add(
                Msg(
                    "the pack has no land-use raster, so the share of the footprint assumed "
                    "artificialised must be stated for each kind of site: none for {kind} "
                    "({count} sites)",
                    kind=kind,
                    count=int((kinds == kind).sum()),
                ),
                where=f"land.assumed_artificialised_share.{kind}",
                remedy=Msg(
                    "write in the scenario, with your own value: {example}",
                    example=f"[land.assumed_artificialised_share] {kind} = 0.80",
                ),
            )
        elif impermeable.get(kind, 0.0) > artificialised[kind]:
            log.add(
                Msg("impermeable land is artificialised: its share cannot be the larger one"),
                where=f"land.assumed_impermeable_share.{kind}",
                value=impermeable[kind],
                remedy=Msg("write at most {most:g}", most=artificialised[kind]),
            )
    log.check()


@dataclass(frozen=True)
class _Counted:
    """Pixels under the footprints: one entry per (site, code of the raster)."""

    site: NDArray[np.int64]
    code: NDArray[np.int64]
    share: NDArray[np.float64]
    """Share of the site's pixels with data that has this code; sums to 1 by site."""
    covered_m2: NDArray[np.float64]
    """Area of each site (one entry per site) that lies on pixels with data."""


class _Windows(RasterioRasterSource):  # type: ignore[misc]
    """Reads plain windows: exactextract compares with nodata itself, a mask doubles the time."""

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.generic]:
        window: NDArray[np.generic] = self.ds.read(1, window=Window(x0, y0, nx, ny))
        return window


def _count_pixels(sites: gpd.GeoDataFrame, raster: Path, progress: Progress | None) -> _Counted:
    # Along a Hilbert curve, neighbours share the blocks just decompressed.
    order = np.argsort(sites.geometry.hilbert_distance().to_numpy() if len(sites) else [])
    shapes = np.asarray(sites.geometry.values, dtype=object)
    parts = []
    try:
        with rasterio.Env(GDAL_CACHEMAX=RASTER_CACHE_MB), rasterio.open(raster) as dataset:
            _check_raster(dataset, raster)
            source = _Windows(dataset)
            # The CRS was checked: under the raster's own name for it exactextract has no doubt.
            footprints = gpd.GeoDataFrame(
                {"row": np.arange(len(sites))}, geometry=shapes, crs=dataset.crs.to_wkt()
            )
            pixel_m2 = abs(dataset.transform.a * dataset.transform.e)
            for start in range(0, len(sites), SITES_PER_BATCH):
                batch = footprints.iloc[order[start : start + SITES_PER_BATCH]]
                parts.append(_extract(source, batch))
                if progress is not None:
                    progress("land", min(1.0, (start + SITES_PER_BATCH) / len(sites)))
    except (RasterioError, OSError) as error:
        raise InputError(_unreadable(raster, error)) from error
    return _gather(parts, len(sites), pixel_m2)


def _extract(source: RasterioRasterSource, batch: gpd.GeoDataFrame) -> pd.DataFrame:
    found: pd.DataFrame = exact_extract(
        source, batch, ["unique", "frac", "count"], include_cols=["row"], output="pandas"
    )
    return found


def _gather(parts: list[pd.DataFrame], sites: int, pixel_m2: float) -> _Counted:
    covered_m2 = np.zeros(sites)
    rows: list[NDArray[np.int64]] = []
    codes: list[NDArray[np.int64]] = []
    shares: list[NDArray[np.float64]] = []
    for part in parts:
        row = part["row"].to_numpy(dtype=np.int64)
        covered_m2[row] = part["count"].to_numpy(dtype=float) * pixel_m2
        rows.append(np.repeat(row, [len(codes) for codes in part["unique"]]))
        codes += [np.asarray(found, dtype=np.int64) for found in part["unique"]]
        shares += [np.asarray(found, dtype=np.float64) for found in part["frac"]]
    return _Counted(
        np.concatenate([*rows, np.empty(0, np.int64)]),
        np.concatenate([*codes, np.empty(0, np.int64)]),
        np.concatenate([*shares, np.empty(0)]),
        covered_m2,
    )


def _unreadable(raster: Path, error: Exception) -> Fault:
    if not raster.is_file():
        message = Msg("there is no such file")
    elif isinstance(error, RasterioIOError):
        message = Msg("the raster is damaged, truncated or not a raster: {error}", error=error)
    else:
        message = Msg("the raster cannot be read: {error}", error=error)
    return Fault(
        message, file=raster, remedy=Msg("put the whole file back, or build the pack again")
    )


def _check_raster(dataset: rasterio.DatasetReader, raster: Path) -> None:
    log = FaultLog()
    crs = None if dataset.crs is None else pyproj.CRS.from_user_input(dataset.crs)
    if crs is None:
        log.add(
            Msg("the raster has no CRS"),
            file=raster,
            remedy=Msg("write it with its CRS; land is measured in {crs}", crs=CRS),
        )
    elif not _is_lambert93(crs):
        log.add(
            Msg("the raster is not in {crs}", crs=CRS),
            file=raster,
            value=crs.to_string(),
            remedy=Msg("reproject it to {crs} (nearest neighbour: it holds codes)", crs=CRS),
        )
    if dataset.count != 1 or not np.issubdtype(np.dtype(dataset.dtypes[0]), np.integer):
        log.add(
            Msg("a land-use raster has one band of integer codes"),
            file=raster,
            value=", ".join(dataset.dtypes),
            remedy=Msg("export the band of codes alone, as uint8 or uint16"),
        )
    if dataset.transform.b or dataset.transform.d:
        log.add(
            Msg("the raster is rotated"),
            file=raster,
            remedy=Msg("resample it on a grid along the axes of {crs}", crs=CRS),
        )
    log.check()


def _is_lambert93(crs: pyproj.CRS) -> bool:
    """EPSG:2154, by whatever name, or its later realisations (centimetres apart)."""
    return any(
        crs.equals(pyproj.CRS.from_user_input(name), ignore_axis_order=True)
        for name in (CRS, *LATER_REALISATIONS)
    )


def _check_covered(sites: gpd.GeoDataFrame, counted: _Counted, raster: Path, log: FaultLog) -> None:
    missing = 1.0 - counted.covered_m2 / sites.geometry.area.to_numpy(dtype=float)
    # "not <=" and not ">": a footprint without area gives NaN, which is not covered either.
    bare = ~(missing <= MAX_MISSING_SHARE)
    if bare.any():
        log.add(
            Msg(
                "the raster does not cover {count} sites (the most uncovered: {share:.1%} of its "
                "footprint has no data)",
                count=int(bare.sum()),
                share=float(np.nanmax(missing[bare], initial=0.0)),
            ),
            file=raster,
            where=examples(sites.loc[bare, "site_id"]),
            remedy=Msg(
                "take a raster that covers them, leave the sites out (locks.exclude does not "
                "suffice: remove the rows), or build the pack without raster and assume shares"
            ),
        )


def _check_codes(
    sites: gpd.GeoDataFrame,
    counted: _Counted,
    classes: LandClasses,
    raster: Path,
    log: FaultLog,
) -> None:
    unknown = ~classes.knows(counted.code)
    if unknown.any():
        log.add(
            Msg(
                "the raster holds codes that the legend does not explain: {codes}",
                codes=examples(np.unique(counted.code[unknown])),
            ),
            file=raster,
            where=examples(sites["site_id"].iloc[np.unique(counted.site[unknown])]),
            remedy=Msg("add these values to the legend, with what they mean"),
        )


def _hectares(sites: gpd.GeoDataFrame, counted: _Counted, classes: LandClasses) -> pd.DataFrame:
    area_ha = sites.geometry.area.to_numpy(dtype=float) / M2_PER_HA
    at = classes.find(counted.code)

    def hectares(of_class: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = counted.share * of_class[at]
        share = np.bincount(counted.site, weights=weights, minlength=len(sites))
        found: NDArray[np.float64] = area_ha * np.clip(share, 0.0, 1.0)
        return found

    artificialised = hectares(classes.artificialised)
    columns = (
        area_ha,
        artificialised,
        hectares(classes.impermeable),
        area_ha - artificialised,
        hectares(classes.enaf),
    )
    return _table(sites, columns, origin="measured")


def _table(
    sites: gpd.GeoDataFrame, columns: tuple[NDArray[np.float64], ...], *, origin: str
) -> pd.DataFrame:
    table = pd.DataFrame(
        dict(zip(LAND_COLUMNS, columns, strict=True)),
        index=pd.Index(sites["site_id"].to_numpy(), name="site_id"),
    )
    table["land_origin"] = origin
    return table
