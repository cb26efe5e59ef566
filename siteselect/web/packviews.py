"""What the pages draw of a data pack: outlines, main roads, candidates under a scenario.

Made in a helper process (:mod:`siteselect.web.desk`) from plain arguments.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from siteselect.cache import Memory, StageCache, default_cache_folder
from siteselect.i18n import Lang, Translator
from siteselect.measuring import measure_sites
from siteselect.messages import Msg
from siteselect.pack import DataPack, open_pack
from siteselect.report.geography import main_roads, outlines
from siteselect.report.words import criterion_label
from siteselect.scenario import MEASURES, Scenario
from siteselect.scoring import GROUPS, criterion_weights, value
from siteselect.units import CRS, CRS_WEB

OUTLINE_M = {"region": 400.0, "departement": 400.0}
ROADS_M = {"low": 800.0, "high": 60.0}
"""Tolerances of what is drawn, metres."""
PLACES = {"low": 3, "high": 4, "outline": 4, "site": 5}
"""Decimals of a degree: 3 are about 100 m, 5 about 1 m."""
BORDER_M = 500.0
TEXTS = {
    "site_id": "site_id", "name": "name", "commune": "commune", "code_insee": "code_insee",
    "departement": "departement", "departement_name": "departement_name",
    "region": "region_name", "region_code": "region", "kind": "kind",
}  # fmt: skip
"""Name in the answer → column of the table of sites."""
HECTARES = {"usable_ha": "area_ha", "artificialised_ha": "artificialised_ha"}


@cache
def _memory() -> Memory:
    """What this helper keeps from one question to the next."""
    return Memory()


def _pack(folder: str, digest: str) -> DataPack:
    return _memory().recall(("pack", folder, digest), lambda: open_pack(folder))


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs(CRS, CRS_WEB, always_xy=True)


def _degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    longitude, latitude = _to_degrees().transform(xy[:, 0], xy[:, 1])
    return np.column_stack([longitude, latitude])


def _collection(shapes: Iterable[Any], facts: Iterable[dict[str, Any]], places: int) -> Any:
    """GeoJSON in longitude and latitude, rounded."""
    turned = shapely.transform(np.asarray(list(shapes), dtype=object), _degrees)
    rounded = shapely.set_precision(turned, 10.0**-places, mode="pointwise")
    features = [
        {"type": "Feature", "properties": said, "geometry": _geometry(shape, places)}
        for shape, said in zip(rounded, facts, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def _geometry(shape: Any, places: int) -> Any:
    tree = json.loads(shapely.to_geojson(shape))
    return {"type": tree["type"], "coordinates": _rounded(tree["coordinates"], places)}


def _rounded(tree: Any, places: int) -> Any:
    if isinstance(tree, list):
        return [_rounded(one, places) for one in tree]
    return round(tree, places)


def outlines_geojson(folder: str, digest: str, level: str) -> Any:
    """Outlines of the regions or départements of a pack: code and name."""
    frame = outlines(_pack(folder, digest))
    frame = frame[frame["level"] == level]
    shapes = shapely.simplify(frame.geometry.to_numpy(), OUTLINE_M[level])
    facts = [
        {"code": str(code), "name": str(name)}
        for code, name in zip(frame["code"], frame["name"], strict=True)
    ]
    return _collection(shapes, facts, PLACES["outline"])


def roads_geojson(folder: str, digest: str, zoom: str) -> Any:
    """Main roads of a pack as one line of many parts."""
    pack = _pack(folder, digest)
    drawn = outlines(pack)
    lines = main_roads(pack, drawn[drawn["level"] == "region"], near_m=BORDER_M)
    if not len(lines):
        return {"type": "FeatureCollection", "features": []}
    simple = shapely.simplify(shapely.multilinestrings(list(lines)), ROADS_M[zoom])
    return _collection([simple], [{}], PLACES[zoom])


def candidates(folder: str, digest: str, scenario_json: str, lang: Lang) -> dict[str, Any]:
    """Every candidate by columns, as the scenario measures and scores it.

    ``values`` are those of :mod:`siteselect.scoring` (null: unknown, earns nothing); measures are
    null where unknown and ``"inf"`` where unreachable. Rows keep the order of the pack.
    """
    pack, t = _pack(folder, digest), Translator(lang)
    scenario = Scenario.model_validate_json(scenario_json)
    cache = StageCache(default_cache_folder())
    found = measure_sites(pack, scenario, cache=cache, memory=_memory())
    sites = pd.DataFrame(found.sites.drop(columns="geometry"))
    points = shapely.point_on_surface(found.sites.geometry.to_numpy())
    places = _degrees(np.column_stack([shapely.get_x(points), shapely.get_y(points)]))
    measured = [name for names in MEASURES.values() for name in names if name in sites]
    return {
        **{name: _texts(sites[column]) for name, column in TEXTS.items()},
        **{name: _numbers(sites[column], 2) for name, column in HECTARES.items()},
        "lon": _rounded(places[:, 0].tolist(), PLACES["site"]),
        "lat": _rounded(places[:, 1].tolist(), PLACES["site"]),
        "excluded_reason": [
            t.text(reason) if isinstance(reason, Msg) else None
            for reason in sites["excluded_reason"]
        ],
        "criteria": criteria_of(scenario, t),
        "values": {
            key: _values(sites[key], key, scenario)
            for group in GROUPS
            for key in scenario.criteria.of(group)
        },
        "measures": {key: _numbers(sites[key], _digits(key)) for key in measured},
        "score": _numbers(sites["score"], 6),
        "notices": [t.text(notice) for notice in found.notices],
    }


def criteria_of(scenario: Scenario, t: Translator) -> list[dict[str, Any]]:
    """The criteria of a scenario: key, label, family, unit, weight, share, best, worst."""
    shares = criterion_weights(scenario.criteria, scenario.weights)
    return [
        {
            "key": key,
            "label": criterion_label(key, t),
            "family": group,
            "unit": _unit(key),
            "weight": one.weight,
            "share": shares[key],
            "best": one.best,
            "worst": one.worst,
        }
        for group in GROUPS
        for key, one in scenario.criteria.of(group).items()
    ]


def _unit(key: str) -> str:
    """What a measure is counted in; nothing for persons."""
    return (
        "" if key.startswith("labour") else {"min": "min", "km": "km"}.get(key[-3:].strip("_"), "")
    )


def _values(column: pd.Series[Any], key: str, scenario: Scenario) -> list[float | None]:
    criterion = next(
        one for group in GROUPS for name, one in scenario.criteria.of(group).items() if name == key
    )
    measured = column.to_numpy(dtype=np.float64, na_value=np.nan)
    worth = value(measured, criterion)
    unknown = np.isnan(measured)
    return [None if no else round(x, 6) for x, no in zip(worth.tolist(), unknown, strict=True)]


def _texts(column: pd.Series[Any]) -> list[str | None]:
    return [None if pd.isna(one) else str(one) for one in column]


def _numbers(column: pd.Series[Any], digits: int) -> list[float | str | None]:
    given = column.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
    return [_number(one, digits) for one in given]


def _number(one: float, digits: int) -> float | str | None:
    if math.isfinite(one):
        return round(one, digits) if digits else round(one)
    return None if math.isnan(one) else "inf"


def _digits(key: str) -> int:
    """Decimals sent: enough for scores that agree to 10⁻⁵."""
    if key.endswith("_per_job"):
        return 4
    return 0 if key.startswith(("labour", "market")) else 3
