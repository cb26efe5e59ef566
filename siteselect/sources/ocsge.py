"""OCS GE (IGN): polygons of cover × use → the 10 m land-use raster of a pack.

The value of a pixel is the pair of cover and use in the order of the matrix of the decree, plus
an offset that says how it was judged: by the matrix, or as IGN delivers it, or after the threshold
of 2,500 m² (decree 2023-1096): an enclave smaller than that takes the class around it, both ways,
except buildings of 50 m² and more.

IGN's vector product « surfaces artificialisées » has two fields for that (seen in the tools that
read it, layers ``artif_YEAR_DEPARTEMENT``): ``artif`` says « artif » or « non artif », and
``crit_seuil`` is true where the threshold reversed what the pair of codes says. ``artif`` wins;
``crit_seuil`` alone says the same together with the matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.features import rasterize, sieve
from rasterio.transform import Affine, from_origin
from rasterio.windows import Window

from siteselect.errors import nearest_name
from siteselect.messages import Msg
from siteselect.sources import values
from siteselect.sources.landclasses import artificialisation_matrix
from siteselect.sources.opening import READING_ERRORS, fault
from siteselect.units import CRS, M2_PER_HA, M_PER_KM

Progress = Callable[[str, float], None]

PIXEL_M = 10.0
SIEVE_PIXELS = 25
"""2,500 m² at 10 m."""
BUILDING = "CS1.1.1.1"
BUILDING_M2 = 50.0
STATED_ARTIF, STATED_NOT = 300, 600
"""Offsets of the value: judged artificialised, judged not; under them the matrix speaks."""
BATCH = 20_000
MOST_KM = 250.0
"""Longest side of the extent of one file: no département is as long, and all of it is in memory."""
MARGIN = SIEVE_PIXELS + 2
"""A connected enclave of 25 pixels reaches no farther than this: windows that overlap by as much
sieve exactly like the whole raster."""
WINDOW = 2_048
BLOCK = 512
COVER_NAMES, USE_NAMES = ("code_cs", "cs"), ("code_us", "us")
ARTIF_NAMES, THRESHOLD_NAMES = ("artif",), ("crit_seuil", "critere_seuil")
YEAR_NAMES = ("millesime", "annee")
YES = ("artif", "artificialise", "artificialisee", "1", "true", "oui", "t")
NO = ("non artif", "non artificialise", "non artificialisee", "0", "false", "non", "f")


@dataclass
class Rasterised:
    """What became of the polygons of one or several files.

    ``legend`` is that of the raster; ``rows`` = ``burnt`` + the left out, by reason, with
    examples of their values.
    """

    legend: pd.DataFrame
    rows: int = 0
    burnt: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    vintages: set[str] = field(default_factory=set)
    delivered: bool = False
    """IGN's own computation was used."""
    artificialised_ha: float = 0.0
    sieved_ha: float = 0.0
    """Hectares whose class the threshold changed."""


@dataclass(frozen=True, eq=False)
class _Batch:
    shapes: NDArray[np.object_]
    value: NDArray[np.uint16]
    building: NDArray[np.bool_]


@dataclass(frozen=True)
class _Fields:
    cover: str
    use: str
    artif: str | None
    threshold: str | None
    year: str | None

    @property
    def judged(self) -> bool:
        """IGN's computation is in the layer."""
        return self.artif is not None or self.threshold is not None


def rasterise_ocsge(
    sources: list[tuple[Path, str | None]], target: Path, *, progress: Progress | None = None
) -> Rasterised:
    """Write the raster of one or several départements: uint16, 10 m, EPSG:2154, nodata 0.

    ``sources``: files with the layer to read (None: the one that has codes of cover and use).
    Polygons are read in batches and burnt at pixel centres; memory holds one département.

    Raises
    ------
    InputError
        a file cannot be read, or has no codes of cover and use, or no polygon is usable.
    """
    matrix = artificialisation_matrix()
    result = Rasterised(legend=_legend(matrix))
    opened = [_open(path, layer) for path, layer in sources]
    bounds = np.array([info[2] for info in opened])
    west, south = np.floor(bounds[:, :2].min(axis=0) / PIXEL_M) * PIXEL_M
    east, north = np.ceil(bounds[:, 2:].max(axis=0) / PIXEL_M) * PIXEL_M
    width, height = int((east - west) / PIXEL_M), int((north - south) / PIXEL_M)
    profile = {
        "driver": "GTiff", "dtype": "uint16", "count": 1, "crs": CRS,
        "transform": from_origin(west, north, PIXEL_M, PIXEL_M),
        "width": width, "height": height, "nodata": 0, "tiled": True,
        "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "sparse_ok": True,
        "bigtiff": "if_safer",
    }  # fmt: skip
    try:
        with rasterio.open(target, "w+", **profile) as out:
            for number, (path, _) in enumerate(sources):
                _one(path, opened[number], out, matrix, result, progress)
    except RasterioError as error:
        raise fault(
            target, Msg("the raster cannot be written: {error}", error=error),
            Msg("choose a folder that can be written, on a disk with room"),
        ) from error  # fmt: skip
    if not result.burnt:
        raise fault(
            sources[0][0],
            Msg("no polygon has codes of OCS GE version 2 that the matrix knows"),
            Msg("write code_cs as CS1.1.1.1 and code_us as US2"),
            value=next(iter(result.examples.values()), None),
        )
    return result


def _legend(matrix: pd.DataFrame) -> pd.DataFrame:
    """All values: pairs by the matrix, stated artificialised, stated not."""
    parts = []
    for offset, flag in ((0, ""), (STATED_ARTIF, "1"), (STATED_NOT, "0")):
        part = matrix[["code_cs", "code_us"]].copy()
        part.insert(0, "value", np.arange(1, len(matrix) + 1) + offset)
        part["artificialised"] = flag
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


# --- reading --------------------------------------------------------------------------------------


def _open(path: Path, layer: str | None) -> tuple[str | None, _Fields, NDArray[np.float64]]:
    """Layer, names of the fields, bounds in EPSG:2154."""
    if not path.is_file():
        raise fault(path, Msg("there is no such file"), Msg("check the path of the file"))
    try:
        names = [layer] if layer else [str(name) for name, _ in pyogrio.list_layers(path)]
        infos = {
            name: pyogrio.read_info(path, layer=name, force_total_bounds=True) for name in names
        }
    except READING_ERRORS as error:
        raise fault(
            path,
            Msg("the file cannot be read: {error}", error=str(error)[:200]),
            Msg("download or export it again; open it in QGIS to see whether it is whole"),
        ) from error
    layers = {name: _fields([str(c) for c in info["fields"]]) for name, info in infos.items()}
    coded = [(name, fields) for name, fields in layers.items() if fields is not None]
    for name, found in sorted(coded, key=lambda one: not one[1].judged)[:1]:
        info = infos[name]
        if info["crs"] is None:
            raise fault(path, Msg("the layer has no CRS"), Msg("write it with its CRS"))
        extent = info["total_bounds"]
        if extent is None or not np.isfinite(extent).all():
            raise fault(path, Msg("the layer has no outline at all"), Msg("export it again"))
        box = shapely.segmentize(shapely.box(*extent), 1e4)
        bounds = np.array(shapely.bounds(shapely.transform(box, _mover(info["crs"]))))
        _check_extent(path, bounds)
        return name, found, bounds
    fields = [str(column) for info in infos.values() for column in info["fields"]]
    raise fault(
        path,
        Msg("no layer has codes of cover and use (code_cs, code_us)"),
        Msg("give the layer OCCUPATION_SOL of OCS GE"),
        value=nearest_name("code_cs", fields) or ", ".join(fields[:10]),
    )


def _check_extent(path: Path, bounds: NDArray[np.float64]) -> None:
    """One département at a time: the whole extent is held in memory."""
    side_km = float((bounds[2:] - bounds[:2]).max()) / M_PER_KM
    if not side_km <= MOST_KM:
        raise fault(
            path,
            Msg("the layer extends over {side:.0f} km, {most:g} at most", side=side_km,
                most=MOST_KM),
            Msg("give one file a département, and remove outlines that lie far from the others"),
        )  # fmt: skip


def _fields(columns: list[str]) -> _Fields | None:
    by_name = {name.casefold(): name for name in columns}

    def find(names: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in names if name in by_name), None)

    cover, use = find(COVER_NAMES), find(USE_NAMES)
    if cover is None or use is None:
        return None
    return _Fields(cover, use, find(ARTIF_NAMES), find(THRESHOLD_NAMES), find(YEAR_NAMES))


def _mover(crs: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Coordinates → EPSG:2154 (whose later realisations are centimetres apart)."""
    transformer = pyproj.Transformer.from_crs(crs, CRS, always_xy=True)
    return lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))


def _batches(
    path: Path,
    layer: str | None,
    fields: _Fields,
    index: dict[str, int],
    artif: NDArray[np.int64],
    result: Rasterised,
) -> Iterator[_Batch]:
    wanted = (fields.cover, fields.use, fields.artif, fields.threshold, fields.year)
    columns = [name for name in wanted if name]
    try:
        with pyogrio.open_arrow(path, layer=layer, columns=columns, batch_size=BATCH) as source:
            meta, reader = source
            reader = pa.RecordBatchReader.from_stream(reader)
            move = None if _is_lambert93(meta["crs"]) else _mover(meta["crs"])
            name = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                table = batch.to_pandas()
                shapes = shapely.from_wkb(table[name].to_numpy(), on_invalid="ignore")
                shapes = shapely.force_2d(shapes)
                if move is not None:
                    shapes = shapely.transform(shapes, move)
                yield _coded(shapes, table, fields, index, artif, result)
    except READING_ERRORS as error:
        raise fault(
            path,
            Msg("the file cannot be read: {error}", error=str(error)[:200]),
            Msg("download it again: it may be truncated"),
        ) from error


def _is_lambert93(crs: str) -> bool:
    return pyproj.CRS.from_user_input(crs).equals(CRS, ignore_axis_order=True)


def _coded(
    shapes: NDArray[np.object_],
    table: pd.DataFrame,
    fields: _Fields,
    index: dict[str, int],
    artif: NDArray[np.int64],
    result: Rasterised,
) -> _Batch:
    cover = table[fields.cover].astype("str").str.strip()
    use = table[fields.use].astype("str").str.strip()
    pair = (cover + " " + use).map(index)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    known = pair.notna().to_numpy()
    result.rows += len(table)
    for issue, rows in (("no_geometry", ~polygonal), ("unknown_pair", polygonal & ~known)):
        count = int(rows.sum())
        if count:
            result.left_out[issue] = result.left_out.get(issue, 0) + count
            at = int(np.flatnonzero(rows)[0])
            result.examples.setdefault(issue, f"{cover.iloc[at]} × {use.iloc[at]}")
    kept = polygonal & known
    value = pair[kept].to_numpy(dtype=np.int64)
    value = value + _stated(table, fields, kept, value, artif)
    result.delivered |= fields.judged and bool((value > STATED_ARTIF).any())
    if fields.year is not None:
        result.vintages |= set(table[fields.year].dropna().astype("str"))
    result.burnt += int(kept.sum())
    building = (cover == BUILDING).to_numpy()[kept] & (shapely.area(shapes[kept]) >= BUILDING_M2)
    return _Batch(shapes[kept], value.astype(np.uint16), building)


def _stated(
    table: pd.DataFrame,
    fields: _Fields,
    kept: NDArray[np.bool_],
    pair: NDArray[np.int64],
    artif: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Offset of each polygon kept: what IGN says of it, 0 where it says nothing."""
    offset = np.zeros(len(pair), np.int64)
    if fields.threshold is not None:
        said = table[fields.threshold].astype("str").map(values.fold)
        by_pair = artif[pair - 1] == 1
        reversed_, as_is = said.isin(YES)[kept].to_numpy(), said.isin(NO)[kept].to_numpy()
        offset[(reversed_ & ~by_pair) | (as_is & by_pair)] = STATED_ARTIF
        offset[(reversed_ & by_pair) | (as_is & ~by_pair)] = STATED_NOT
    if fields.artif is not None:
        said = table[fields.artif].astype("str").map(values.fold)
        offset[said.isin(YES)[kept].to_numpy()] = STATED_ARTIF
        offset[said.isin(NO)[kept].to_numpy()] = STATED_NOT
    return offset


# --- burning --------------------------------------------------------------------------------------


def _one(
    path: Path,
    opened: tuple[str | None, _Fields, NDArray[np.float64]],
    out: rasterio.io.DatasetWriter,
    matrix: pd.DataFrame,
    result: Rasterised,
    progress: Progress | None,
) -> None:
    """One file: burnt in memory on its own extent, sieved, then written by windows."""
    layer, fields, bounds = opened
    grid: Affine = out.transform
    left = int((bounds[0] - grid.c) // PIXEL_M)
    top = int((grid.f - bounds[3]) // PIXEL_M)
    width = min(out.width - left, int(np.ceil((bounds[2] - grid.c) / PIXEL_M)) - left)
    height = min(out.height - top, int(np.ceil((grid.f - bounds[1]) / PIXEL_M)) - top)
    transform = from_origin(grid.c + left * PIXEL_M, grid.f - top * PIXEL_M, PIXEL_M, PIXEL_M)
    codes = np.zeros((height, width), dtype=np.uint16)
    kept = np.zeros((height, width), dtype=np.uint8)
    pairs = matrix["code_cs"] + " " + matrix["code_us"]
    index = {pair: number for number, pair in enumerate(pairs, start=1)}
    total = max(1, int(pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"]))
    done = 0
    by_pair = matrix["artif"].to_numpy()
    for batch in _batches(path, layer, fields, index, by_pair, result):
        burn(batch.shapes, batch.value, codes, transform)
        burn(batch.shapes[batch.building], np.ones(batch.building.sum(), np.uint8), kept, transform)
        done += len(batch.shapes)
        if progress is not None:
            progress("ocsge", 0.8 * min(1.0, done / total))
    if not (codes > STATED_ARTIF).any():  # else IGN applied the thresholds itself
        result.sieved_ha += apply_threshold(codes, kept.view(bool), by_pair)
    artif = _artificialised(codes, by_pair)
    result.artificialised_ha += float(artif.sum()) * PIXEL_M**2 / M2_PER_HA
    for row in range(0, height, WINDOW):
        for column in range(0, width, WINDOW):
            part = codes[row : row + WINDOW, column : column + WINDOW]
            if not part.any():
                continue
            window = Window(left + column, top + row, part.shape[1], part.shape[0])
            there = out.read(1, window=window)  # a neighbour's polygons at the border
            out.write(np.where(part > 0, part, there), 1, window=window)
    if progress is not None:
        progress("ocsge", 1.0)


def burn(
    shapes: NDArray[np.object_],
    value: NDArray[np.uint16] | NDArray[np.uint8],
    into: NDArray[np.uint16] | NDArray[np.uint8],
    transform: Affine,
) -> None:
    """Write the value of each polygon into the pixels whose centre it holds."""
    if len(shapes):
        rasterize(
            zip(shapes, value.tolist(), strict=True),
            out=into,
            transform=transform,
            dtype=into.dtype,
        )


def _artificialised(codes: NDArray[np.uint16], artif: NDArray[np.int64]) -> NDArray[np.bool_]:
    table = np.zeros(STATED_NOT + len(artif) + 1, dtype=bool)
    table[1 : len(artif) + 1] = artif == 1
    table[STATED_ARTIF + 1 : STATED_ARTIF + len(artif) + 1] = True
    found: NDArray[np.bool_] = table[codes]
    return found


def apply_threshold(
    codes: NDArray[np.uint16], buildings: NDArray[np.bool_], artif: NDArray[np.int64]
) -> float:
    """Enclaves under 2,500 m² take the class around them, in place; hectares changed.

    ``buildings``: pixels of buildings of 50 m² and more, which stay artificialised. Connected by
    sides (4 neighbours). By overlapping windows, with the same result as on the whole.
    """
    changed = 0
    height, width = codes.shape
    before = codes.copy() if max(height, width) > WINDOW else codes
    for row in range(0, height, WINDOW):
        for column in range(0, width, WINDOW):
            low, west = max(0, row - MARGIN), max(0, column - MARGIN)
            part = before[low : row + WINDOW + MARGIN, west : column + WINDOW + MARGIN]
            if not part.any():
                continue
            judged = _artificialised(part, artif)
            image = np.where(part == 0, 0, np.where(judged, 2, 1)).astype(np.uint8)
            if image.size <= SIEVE_PIXELS:
                continue
            sieved = sieve(image, SIEVE_PIXELS, mask=part > 0, connectivity=4)
            top, left = row - low, column - west
            inside = (slice(top, top + WINDOW), slice(left, left + WINDOW))
            core = codes[row : row + WINDOW, column : column + WINDOW]
            now = (sieved[inside] == 2) | buildings[row : row + WINDOW, column : column + WINDOW]
            was = judged[inside]
            flip = (now != was) & (core > 0)
            core[flip & now] += STATED_ARTIF
            core[flip & ~now] += STATED_NOT
            changed += int(flip.sum())
    return changed * PIXEL_M**2 / M2_PER_HA
