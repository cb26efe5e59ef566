"""What the interactive map of the page draws, as compact JSON in longitude and latitude.

Lines and rings are flat lists of whole numbers: the first point, then steps, in units of
``1 / scale`` degree. The page works without it: the drawing of :mod:`svgmap` stays for readers
without a script, without WebGL, and for paper.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.cells import is_missing
from siteselect.report.geography import borders, centres, outlines
from siteselect.runs import Run
from siteselect.units import CRS, CRS_WEB

COARSE, FINE = 10_000, 1_000_000
"""Units in a degree: about 10 m for the country, 10 cm for footprints."""
OUTLINE_M, ROAD_M, ISOCHRONE_M = 400.0, 250.0, 300.0
"""Tolerances of what is drawn beneath the sites."""
MAX_TEXTS = 15_000
"""More candidates than this are drawn without their names and reasons."""

# what the controls of the library say
CONTROLS = {
    "NavigationControl.ZoomIn": Msg("Zoom in"),
    "NavigationControl.ZoomOut": Msg("Zoom out"),
    "Map.Title": Msg("Interactive map of the sites"),
    "Popup.Close": Msg("Close"),
    "CooperativeGesturesHandler.WindowsHelpText": Msg("Use Ctrl and the wheel to zoom the map"),
    "CooperativeGesturesHandler.MacHelpText": Msg("Use ⌘ and the wheel to zoom the map"),
    "CooperativeGesturesHandler.MobileHelpText": Msg("Use two fingers to move the map"),
    "ScaleControl.Meters": Msg("m"),
    "ScaleControl.Kilometers": Msg("km"),
}
WORDS = {
    "sheet": Msg("Site sheet"),
    "row": Msg("In the list"),
    "whole": Msg("Whole map"),
    "reach": Msg("Show the area within 30 and 45 min"),
    "show": Msg("Show on the map: {name}", name="{name}"),
    "score": Msg("score {score}", score="{score}"),
    "restored": Msg("Restored parcel"),
}


def map_data(
    run: Run,
    roads: NDArray[np.object_],
    t: Translator,
    isochrones: gpd.GeoDataFrame | None = None,
) -> str:
    """The JSON of the map, safe inside a script element."""
    drawn = outlines(run.pack)
    regions = drawn[drawn["level"] == "region"]
    departements = drawn[drawn["level"] == "departement"]
    simple = shapely.simplify(regions.geometry.to_numpy(), OUTLINE_M)
    others = run.sites[run.sites["status"] == "not_selected"]
    tree = {
        "coarse": COARSE,
        "fine": FINE,
        "bounds": _bounds(run, regions),
        "land": [_rings(shape, COARSE) for shape in simple],
        "borders": _lines(shapely.simplify(borders(departements), OUTLINE_M), COARSE),
        "roads": _lines(shapely.simplify(roads, ROAD_M), COARSE),
        "candidates": _candidates(gpd.GeoDataFrame(others), t),
        "sites": _shortlist(run),
        "restored": [
            {"name": str(name), "rings": _rings(shape, FINE)}
            for name, shape in zip(run.restoration["name"], run.restoration.geometry, strict=True)
        ],
        "isochrones": _isochrones(run, isochrones),
        "controls": {key: t.text(said) for key, said in CONTROLS.items()},
        "words": {key: t.text(said) for key, said in WORDS.items()},
    }
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=1)
def _to_degrees() -> Transformer:
    return Transformer.from_crs(CRS, CRS_WEB, always_xy=True)


def _degrees(xy: NDArray[np.float64], scale: int) -> NDArray[np.int64]:
    """N × 2 metres (EPSG:2154) → whole units of a degree."""
    if not len(xy):
        return np.empty((0, 2), dtype=np.int64)
    longitude, latitude = _to_degrees().transform(xy[:, 0], xy[:, 1])
    units: NDArray[np.int64] = np.rint(np.column_stack([longitude, latitude]) * scale).astype(int)
    return units


def _lines(lines: Iterable[Any], scale: int) -> list[list[int]]:
    """Lines → flat steps; points that fall on the one before are dropped."""
    parts = np.asarray(list(lines), dtype=object)
    if not len(parts):
        return []
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    units = _degrees(xy, scale)
    first = np.diff(owner, prepend=-1) != 0
    steps = np.diff(units, axis=0, prepend=units[:1])
    steps[first] = units[first]
    kept = first | (steps != 0).any(axis=1)
    flat: list[int] = steps[kept].ravel().tolist()
    cuts = [*(2 * np.flatnonzero(first[kept])).tolist(), len(flat)]
    return [flat[start:end] for start, end in pairwise(cuts)]


def _rings(shape: Any, scale: int) -> list[list[list[int]]]:
    """Polygons → rings → steps."""
    return [_lines(shapely.get_rings(part), scale) for part in shapely.get_parts(shape)]


def _bounds(run: Run, regions: gpd.GeoDataFrame) -> list[float]:
    frame = regions if len(regions) else run.sites
    if not len(frame):
        return [-5.2, 41.3, 9.6, 51.2]
    west, south, east, north = frame.to_crs(CRS_WEB).total_bounds
    return [round(float(value), 4) for value in (west, south, east, north)]


def _candidates(frame: gpd.GeoDataFrame, t: Translator) -> dict[str, Any]:
    """Parallel lists: flat steps of the places, kinds, and texts where there is room for them."""
    table = pd.DataFrame(frame)
    texts = len(frame) <= MAX_TEXTS
    return {
        "at": _steps_of_points(_degrees(centres(frame), COARSE)),
        "kind": "".join(str(kind)[0] for kind in table["kind"]),
        "name": [str(name) for name in table["name"]] if texts else [],
        "place": [_place(row) for row in table.itertuples()] if texts else [],
        "score": [t.number(_number(score), 3) for score in table["score"]] if texts else [],
        "reason": ["" if is_missing(r) else str(r) for r in table["reason"]] if texts else [],
    }


def _steps_of_points(units: NDArray[np.int64]) -> list[int]:
    if not len(units):
        return []
    steps = np.diff(units, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    flat: list[int] = steps.ravel().tolist()
    return flat


def _shortlist(run: Run) -> list[dict[str, Any]]:
    short = run.shortlist
    places = _degrees(centres(short), FINE)
    return [
        {
            "index": index,
            "rank": str(row.rank),
            "kind": str(row.kind),
            "spare": row.status == "reserve",
            "name": str(row.name),
            "place": _place(row),
            "at": place.tolist(),
            "rings": _rings(row.geometry, FINE),
        }
        for index, (row, place) in enumerate(zip(short.itertuples(), places, strict=True))
    ]


def _isochrones(run: Run, found: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Rings of each, with the row of its site in the shortlist; the widest are drawn first."""
    if found is None:
        return []
    rows = {site: index for index, site in enumerate(run.shortlist["site_id"])}
    ordered = found.sort_values("minutes", ascending=False, kind="stable")
    shapes = shapely.simplify(ordered.geometry.to_numpy(), ISOCHRONE_M)
    return [
        {"i": rows[site], "minutes": int(minutes), "rings": _rings(shape, COARSE)}
        for site, minutes, shape in zip(ordered["site_id"], ordered["minutes"], shapes, strict=True)
    ]


def _place(row: Any) -> str:
    return f"{row.commune} ({row.departement})"


def _number(value: object) -> float | None:
    return None if is_missing(value) else float(value)  # type: ignore[arg-type]
