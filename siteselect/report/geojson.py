"""GeoJSON in longitude and latitude (RFC 7946): the only place where a file leaves Lambert-93."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.i18n import Translator
from siteselect.report.cells import is_missing
from siteselect.report.facts import notices
from siteselect.report.words import DISCLAIMER
from siteselect.runs import Run
from siteselect.units import CRS_WEB

DIGITS = 6
"""Decimals of a degree: about 10 cm."""


def write_geojson(run: Run, isochrones: gpd.GeoDataFrame, folder: Path, t: Translator) -> None:
    """``shortlist``, ``candidates``, ``restoration``, ``isochrones``, each ``.geojson``.

    Properties have the English names and the values of the canonical tables; unknown is null,
    unreachable the text "inf" (JSON has no infinity). Rings follow the right-hand rule.
    """
    layers = {
        "shortlist": run.shortlist,
        "candidates": run.sites,
        "restoration": run.restoration,
        "isochrones": isochrones,
    }
    said = " ".join([t.text(DISCLAIMER), *notices(run, t)])
    for name, frame in layers.items():
        (folder / f"{name}.geojson").write_text(
            collection(frame, run_id=run.run_id, notice=said), encoding="utf-8"
        )


def collection(frame: gpd.GeoDataFrame, *, run_id: str, notice: str) -> str:
    """A FeatureCollection of the rows of ``frame`` (EPSG:2154)."""
    shapes = shapely.orient_polygons(frame.to_crs(CRS_WEB).geometry.to_numpy())
    # rounding, not snapping to a grid: a parcel must stay valid but need not be re-noded
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, DIGITS))
    rows = pd.DataFrame(frame.drop(columns=[frame.geometry.name])).to_dict("records")
    features = [
        {
            "type": "Feature",
            **({"id": row["site_id"]} if "site_id" in row and "minutes" not in row else {}),
            "geometry": json.loads(text),
            "properties": {str(key): _plain(value) for key, value in row.items()},
        }
        for text, row in zip(shapely.to_geojson(rounded), rows, strict=True)
    ]
    tree = {"type": "FeatureCollection", "run_id": run_id, "notice": notice, "features": features}
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else ("inf" if value > 0 else "-inf")
    return value
