"""Outlines of communes as a planner has them: ADMIN EXPRESS or any layer with INSEE codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from siteselect.errors import Fault, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.units import CRS

CODE_COLUMNS = ("code_insee", "insee_com", "code", "insee", "codgeo")


def read_contours(path: Path, *, columns: Mapping[str, str] | None = None) -> gpd.GeoDataFrame:
    """code_insee and polygons in EPSG:2154; repaired where they are not valid.

    ``columns``: code_insee → name in the file, where it is not one of the usual.

    Raises
    ------
    InputError
        the file cannot be read, has no CRS, no polygons, or no column of INSEE codes.
    """
    frame = _read(path)
    if frame.crs is None:
        raise _fault(path, Msg("the layer has no CRS"), Msg("write it with its CRS"))
    named = {str(name).casefold(): name for name in frame.columns}
    usual = [*(name.casefold() for name in (columns or {}).values()), *CODE_COLUMNS]
    column = next((named[name] for name in usual if name in named), None)
    if column is None:
        near = next(filter(None, (nearest_name(name, named) for name in CODE_COLUMNS)), None)
        raise _fault(
            path,
            Msg("no column of INSEE codes among {names}", names=", ".join(CODE_COLUMNS)),
            Msg("rename the column of codes to {name}", name=CODE_COLUMNS[0]),
            near,
        )
    polygons = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise _fault(path, Msg("the layer has no polygons"), Msg("give outlines of communes"))
    projected = polygons.to_crs(CRS)
    shapes = shapely.make_valid(projected.geometry.values)
    codes = projected[column].astype(str).to_numpy()
    table = gpd.GeoDataFrame({"code_insee": codes}, geometry=shapes, crs=CRS)
    return table.dissolve("code_insee", as_index=False) if _repeats(table) else table


def _repeats(table: gpd.GeoDataFrame) -> bool:
    return bool(table["code_insee"].duplicated().any())


def _read(path: Path) -> gpd.GeoDataFrame:
    try:
        if path.suffix == ".parquet":
            return gpd.read_parquet(path)
        return pyogrio.read_dataframe(path)
    except (OSError, ValueError, TypeError, pyogrio.errors.DataSourceError) as error:
        raise _fault(
            path,
            Msg("the outlines cannot be read: {error}", error=error),
            Msg("give GeoParquet, GeoPackage, GeoJSON or a shapefile"),
        ) from error


def _fault(path: Path, message: Msg, remedy: Msg, value: object = None) -> InputError:
    return InputError(Fault(message, file=path, value=value, remedy=remedy))
