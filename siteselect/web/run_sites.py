"""The sites of a finished run for a page: every candidate by columns, one site as a sheet.

Only the files of the run are read. Missing values are ``None``, unreachable ones ``"inf"``: JSON
has neither, and the page says both in words.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from siteselect.errors import Fault, InputError, nearest_name
from siteselect.i18n import Lang, Translator
from siteselect.messages import Msg
from siteselect.report.cells import shown
from siteselect.report.columns import BY_KEY, IDENTITY, LAND, MEASURED, PROVENANCE, SCORES, Column
from siteselect.report.words import criterion_label
from siteselect.rundir import SCENARIO
from siteselect.scenario import Scenario
from siteselect.scenario_files import load_scenario
from siteselect.scoring import GROUPS, criterion_weights
from siteselect.units import CRS, CRS_WEB
from siteselect.web.paths import NotFoundError

SITES = "sites.parquet"
TEXTS = (
    "site_id", "name", "commune", "code_insee", "departement", "region", "region_name", "kind",
    "variant", "status", "reason",
)  # fmt: skip
NUMBERS = {
    "rank": 0, "usable_ha": 2, "artificialised_ha": 2, "new_artificialisation_ha": 2,
    "cost_keur": 0, "score": 4, "score_access": 4, "score_workforce": 4, "score_network": 4,
    "reliability": 3, "replacement_cost": 6,
}  # fmt: skip
"""Columns of numbers and the decimals sent."""
PLACES = 5
"""Decimals of a degree: about a metre."""
FACTS: Mapping[str, tuple[Column, ...]] = {
    "identity": tuple(c for c in IDENTITY if c.key not in ("rank", "status", "name")),
    "land": LAND,
    "scores": SCORES,
    "measures": MEASURED,
    "provenance": tuple(c for c in PROVENANCE if c.key != "reason"),
}


def criteria_of(scenario: Scenario, t: Translator) -> list[dict[str, Any]]:
    """The criteria of a run: key, label, family, share of the score, value at 1 and at 0."""
    shares = criterion_weights(scenario.criteria, scenario.weights)
    return [
        {
            "key": key,
            "label": criterion_label(key, t),
            "family": group,
            "share": shares[key],
            "best": one.best,
            "worst": one.worst,
        }
        for group in GROUPS
        for key, one in scenario.criteria.of(group).items()
    ]


def scenario_of(folder: Path) -> Scenario:
    """The resolved scenario of a run. Raises InputError where this version cannot read it."""
    return load_scenario(folder / SCENARIO).scenario


@lru_cache(maxsize=8)
def packed_sites(folder: Path, stamp: str, lang: Lang) -> bytes:
    """Every candidate by columns, as gzipped JSON; ``stamp`` tells one content from another."""
    text = json.dumps(site_columns(folder, Translator(lang)), ensure_ascii=False, allow_nan=False)
    return gzip.compress(text.encode("utf-8"), compresslevel=5, mtime=0)


def site_columns(folder: Path, t: Translator) -> dict[str, Any]:
    """Every candidate of a run, one list a column, rows in the order of the file."""
    criteria = criteria_of(scenario_of(folder), t)
    file = _opened(folder)
    there = set(file.schema_arrow.names)
    keys = [one["key"] for one in criteria if one["key"] in there]
    wanted = [name for name in (*TEXTS, *NUMBERS, *keys, "geometry") if name in there]
    table = file.read(columns=list(dict.fromkeys(wanted)))
    lon, lat = _centres(table["geometry"])
    return {
        **{name: _texts(table, name) for name in TEXTS},
        **{name: _numbers(table, name, digits) for name, digits in NUMBERS.items()},
        "lon": _plain(lon, PLACES),
        "lat": _plain(lat, PLACES),
        "criteria": criteria,
        "measures": {key: _numbers(table, key, _digits(key)) for key in keys},
    }


def site_sheet(folder: Path, site_id: str, t: Translator) -> dict[str, Any]:
    """What the run knows of one site, by groups, and its footprint in longitude and latitude.

    Measures that are criteria are left to :func:`site_columns`.

    Raises
    ------
    NotFoundError
        the run has no such site.
    """
    from shapely import from_wkb

    file = _opened(folder)
    ids = file.read(columns=["site_id"])["site_id"].to_pylist()
    if site_id not in ids:
        near = nearest_name(site_id, ids)
        raise NotFoundError(
            Fault(
                Msg("the run has no site with this identifier"),
                where="site_id",
                value=site_id,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("choose one of the list"),
            )
        )
    table = file.read().slice(ids.index(site_id), 1)
    row = {name: table[name][0].as_py() for name in table.column_names}
    scored = {one["key"] for one in criteria_of(scenario_of(folder), t)}
    geometry = from_wkb(row.pop("geometry"))
    return {
        "site_id": site_id,
        "name": row["name"],
        "facts": [
            _fact(group, column, row, t)
            for group, columns in FACTS.items()
            for column in columns
            if column.key in row and column.key not in scored and not _hidden(column.key, row)
        ],
        "footprint": None if geometry is None else to_web(geometry),
    }


def _fact(group: str, column: Column, row: Mapping[str, Any], t: Translator) -> dict[str, str]:
    text = shown(row[column.key], column, t)
    return {"group": group, "label": t.text(column.label), "text": text}


def _hidden(key: str, row: Mapping[str, Any]) -> bool:
    """What an inventory states of brownfields only, and what was not computed."""
    if key in ("status_source", "stated_pollution"):
        return row.get("kind") != "brownfield"
    if key == "replacement_cost":
        return row.get(key) is None or math.isnan(row[key])
    return key in BY_KEY and key.startswith("labour_") and row.get(key) is None


def to_web(geometry: Any) -> dict[str, Any]:
    """A geometry of Lambert-93 as GeoJSON in longitude and latitude."""
    from shapely import set_precision, to_geojson, transform

    moved = transform(geometry, _to_degrees, interleaved=False)
    rounded = set_precision(moved, 1e-6, mode="pointwise")
    found: dict[str, Any] = json.loads(to_geojson(rounded))
    return found


def _to_degrees(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Any, Any]:
    return _transformer().transform(x, y)  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _transformer() -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(CRS, CRS_WEB, always_xy=True)


def _centres(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point for each footprint; a mark on a map needs no more."""
    from shapely import centroid, from_wkb, get_x, get_y

    points = centroid(from_wkb(column.to_numpy()))
    lon, lat = _to_degrees(get_x(points), get_y(points))
    return np.asarray(lon), np.asarray(lat)


def _opened(folder: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(folder / SITES)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            Fault(
                Msg("this file of the run cannot be read: {error}", error=type(error).__name__),
                file=SITES,
                remedy=Msg("run the scenario again"),
            )
        ) from error


def _digits(key: str) -> int:
    return BY_KEY[key].form.digits + 1 if key in BY_KEY else 3


def _texts(table: pa.Table, name: str) -> list[str | None]:
    if name not in table.column_names:
        return [None] * len(table)
    return [value or None for value in table[name].to_pylist()]


def _numbers(table: pa.Table, name: str, digits: int) -> list[float | str | None]:
    if name not in table.column_names:
        return [None] * len(table)
    column = table[name].combine_chunks().cast(pa.float64())
    return _plain(column.to_numpy(zero_copy_only=False), digits)


def _plain(values: NDArray[np.float64], digits: int) -> list[float | str | None]:
    rounded = np.round(values.astype(np.float64), digits)
    finite = np.isfinite(rounded)
    if finite.all():
        return _short(rounded.tolist(), digits)
    said = [None if math.isnan(x) else "inf" if math.isinf(x) else x for x in rounded.tolist()]
    return _short(said, digits)


def _short(values: list[Any], digits: int) -> list[Any]:
    """Whole numbers without their ``.0``: a third of the bytes."""
    return [int(x) if isinstance(x, float) else x for x in values] if digits == 0 else values
