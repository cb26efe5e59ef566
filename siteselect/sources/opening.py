"""Open a table whatever its format: text cells by row, and geometry where it has one.

Every reader of a table begins here, so that a planner may bring the same content as CSV,
GeoJSON, GeoPackage, shapefile, GeoParquet or a spreadsheet.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.sources import values
from siteselect.sources.delimited import read_delimited
from siteselect.units import CRS

Shapes = NDArray[np.object_]

VECTOR_SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb", ".gml", ".kml", ".sqlite")
SPREADSHEETS = (".xlsx", ".xlsm")
READING_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    RuntimeError,
    AttributeError,
    pa.ArrowException,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    shapely.errors.ShapelyError,
    pyproj.exceptions.ProjError,
)
"""What the libraries raise on damaged files: told as one clear fault, never as a traceback."""


@dataclass(frozen=True)
class Opened:
    """A table of texts.

    Attributes
    ----------
    frame
        every cell stripped text, "" when empty; the index is the number of the row as the
        person who opens the file sees it (the header of a CSV is row 1).
    geometry
        shapes in EPSG:2154 by row (None where a row has none); None for a plain table.
    damaged
        rows that could not be read: their number and how they begin.
    path
        the file.
    """

    frame: pd.DataFrame
    geometry: Shapes | None
    damaged: Mapping[int, str]
    path: Path

    @property
    def rows(self) -> int:
        """Rows of the file, damaged or not, without the header."""
        return len(self.frame) + len(self.damaged)

    def renamed(self, columns: Mapping[str, str]) -> Opened:
        """With the planner's mapping applied: our name → the name in the file.

        Raises InputError when the file has no such column, with the nearest one.
        """
        if not columns:
            return self
        by_name = {str(name).casefold(): str(name) for name in self.frame.columns}
        log = FaultLog()
        frame = self.frame.copy()
        for ours, theirs in columns.items():
            if theirs.casefold() not in by_name:
                near = nearest_name(theirs, self.frame.columns)
                log.add(
                    Msg("the file has no column {column}", column=theirs),
                    file=self.path,
                    where=f"columns.{ours}",
                    remedy=Msg("did you mean {near}?", near=near)
                    if near
                    else Msg("its columns are {names}", names=_shown(self.frame.columns)),
                )
                continue
            frame[ours] = self.frame[by_name[theirs.casefold()]]
        log.check()
        return replace(self, frame=frame)

    def where(self, conditions: Mapping[str, Sequence[str]]) -> Opened:
        """Only the rows whose columns hold one of these values."""
        kept = np.ones(len(self.frame), dtype=bool)
        for column, wanted in conditions.items():
            cells = self.need([column], what=column)
            folded = {values.fold(str(value)) for value in wanted}
            kept &= cells.map(values.fold).isin(folded).to_numpy()
        shapes = None if self.geometry is None else self.geometry[kept]
        return replace(self, frame=self.frame[kept], geometry=shapes)

    def find(self, names: Iterable[str]) -> pd.Series[str] | None:
        """The first of these columns that is there, whatever its case."""
        by_name = {str(name).casefold(): name for name in self.frame.columns}
        found = next((by_name[n.casefold()] for n in names if n.casefold() in by_name), None)
        return None if found is None else self.frame[found]

    def cells(self, names: Iterable[str]) -> pd.Series[str]:
        """The same, or empty cells where there is none."""
        found = self.find(names)
        return pd.Series("", index=self.frame.index, dtype="str") if found is None else found

    def need(self, names: Sequence[str], *, what: str) -> pd.Series[str]:
        """The same, or InputError: ``what`` is what the column would hold."""
        found = self.find(names)
        if found is not None:
            return found
        near = next(
            (n for n in (nearest_name(name, self.frame.columns) for name in names) if n), None
        )
        raise InputError(
            Fault(
                Msg("no column holds {what}", what=what),
                file=self.path,
                value=near,
                remedy=Msg(
                    "name it in the build file under columns, or rename it to {name}; "
                    "the columns are {names}",
                    name=names[0],
                    names=_shown(self.frame.columns),
                ),
            )
        )


def _shown(names: Iterable[Any]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:15]) + (", …" if len(listed) > 15 else "")


def open_table(path: Path, *, layer: str | None = None) -> Opened:
    """Open a CSV (plain or gzipped), a spreadsheet, GeoParquet or any vector file.

    ``layer``: name of the layer or sheet, where the file has several.

    Raises
    ------
    InputError
        the file is not there or cannot be read, has no rows, or its layer has no CRS.
    """
    path = Path(path)
    if not path.is_file():
        raise fault(path, Msg("there is no such file"), Msg("check the path of the file"))
    suffix = path.suffix.casefold()
    try:
        if suffix in SPREADSHEETS:
            return _spreadsheet(path, layer)
        if suffix == ".parquet":
            return _parquet(path)
        if suffix in VECTOR_SUFFIXES or (suffix == ".zip" and _zipped_shape(path)):
            return _vector(path, layer)
    except InputError:
        raise
    except READING_ERRORS as error:
        raise fault(
            path,
            Msg("the file cannot be read: {error}", error=_first_line(error)),
            Msg("download or export it again; open it in QGIS to see whether it is whole"),
        ) from error
    read = read_delimited(path)
    return Opened(read.frame, None, read.damaged, path)


def fault(
    path: Path, message: Msg, remedy: Msg, *, value: object = None, where: str | None = None
) -> InputError:
    """One fault of one file."""
    return InputError(Fault(message, file=path, where=where, value=value, remedy=remedy))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _zipped_shape(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


# --- formats --------------------------------------------------------------------------------------


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as stripped text, "" for a missing one, whole numbers without a decimal."""
    columns = {str(name): frame[name].map(_text).astype("str") for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index)


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, list | tuple | dict | np.ndarray):
        return json.dumps(cell, default=str, ensure_ascii=False)
    if cell is None or cell is pd.NaT or cell != cell:  # NaN differs from itself
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row"))


def _vector(path: Path, layer: str | None) -> Opened:
    chosen = layer if layer is not None else _only_layer(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL warns of what is reported below row by row
        frame = pyogrio.read_dataframe(path, layer=chosen, on_invalid="ignore")
    if not isinstance(frame, gpd.GeoDataFrame):
        return Opened(_texts(_numbered(frame)), None, {}, path)
    return Opened(_texts(_numbered(_attributes(frame))), _projected(frame, path), {}, path)


def _only_layer(path: Path) -> str | None:
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if len(layers) > 1:
        raise fault(
            path,
            Msg("the file has several layers"),
            Msg("name one under layer in the build file"),
            value=", ".join(layers[:15]),
        )
    return layers[0] if layers else None


def _parquet(path: Path) -> Opened:
    metadata = pq.read_schema(path).metadata or {}
    if b"geo" not in metadata:
        return Opened(_texts(_numbered(pd.read_parquet(path))), None, {}, path)
    frame = gpd.read_parquet(path)
    return Opened(_texts(_numbered(_attributes(frame))), _projected(frame, path), {}, path)


def _attributes(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.drop(columns=frame.geometry.name))


def _projected(frame: gpd.GeoDataFrame, path: Path) -> Shapes:
    """Shapes in EPSG:2154, flat; None where projecting gives no finite coordinate."""
    if frame.crs is None:
        raise fault(
            path,
            Msg("the layer has no CRS"),
            Msg("write it with its CRS (in QGIS: Export, EPSG:2154)"),
        )
    shapes: Shapes = np.array(frame.geometry.values, dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    if not frame.crs.equals(CRS, ignore_axis_order=True):
        transformer = pyproj.Transformer.from_crs(frame.crs, CRS, always_xy=True)

        def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

        shapes = shapely.transform(shapely.force_2d(shapes), move)
    else:
        shapes = shapely.force_2d(shapes)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    shapes[~finite] = None
    return shapes


def _spreadsheet(path: Path, sheet: str | None) -> Opened:
    """The first sheet, or the one named; the first row with two cells or more is the header."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        if sheet is not None and sheet not in book.sheetnames:
            near = nearest_name(sheet, book.sheetnames) or book.sheetnames[0]
            raise fault(
                path,
                Msg("the workbook has no sheet of that name"),
                Msg("did you mean {near}?", near=near),
                value=sheet,
            )
        tab = book[sheet] if sheet is not None else book.worksheets[0]
        rows = [list(row) for row in tab.iter_rows(values_only=True)]
    finally:
        book.close()
    at = next((i for i, row in enumerate(rows) if sum(c is not None for c in row) > 1), None)
    if at is None:
        raise fault(path, Msg("the sheet is empty"), Msg("fill it in, or name another sheet"))
    header = [_text(cell) for cell in rows[at]]
    named = [i for i, name in enumerate(header) if name]
    body = {at + 2 + n: [_text(row[i]) for i in named] for n, row in enumerate(rows[at + 1 :])}
    body = {number: cells for number, cells in body.items() if any(cells)}
    index = pd.Index(list(body), name="row", dtype="int64")
    columns = [header[i] for i in named]
    if len(set(columns)) < len(columns):
        raise fault(path, Msg("two columns have one name"), Msg("rename or remove one of them"))
    return Opened(
        pd.DataFrame(list(body.values()), columns=columns, index=index, dtype="str"),
        None,
        {},
        path,
    )


__all__ = ["Opened", "fault", "open_table"]
