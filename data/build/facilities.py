"""Real facilities: high-speed stations, cargo ports, airports. One file per source and licence."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pandas as pd

from data.build.lists import (
    CARGO_PORTS,
    HIGH_SPEED_STATIONS,
    PORTS_AT_COMMUNES,
    SCHEDULED_AIRPORTS,
)
from data.build.packages import PackageError, read_member
from siteselect.units import CRS, CRS_WEB


def load_stations(archive: Path) -> gpd.GeoDataFrame:
    """Stations with high-speed service (class ``station``)."""
    text = read_member(archive, "package/src/static.js").decode("utf-8")
    rows = json.loads(text[text.index("[") : text.rindex("]") + 1])
    by_uic = {row["uic"]: row for row in rows if row.get("uic") and row.get("latitude")}
    wanted = [entry.strip().split("|") for entry in HIGH_SPEED_STATIONS.split(";")]
    _same_names({uic: name for name, uic in wanted}, {u: r["name"] for u, r in by_uic.items()})
    return facility_table(
        "station",
        ids=[f"UIC-{uic}" for _, uic in wanted],
        names=[name for name, _ in wanted],
        lon=[float(by_uic[uic]["longitude"]) for _, uic in wanted],
        lat=[float(by_uic[uic]["latitude"]) for _, uic in wanted],
    )


def load_ports(archive: Path) -> gpd.GeoDataFrame:
    """Cargo ports found in the ports file (class ``port``)."""
    member = "searoute-1.6.0/searoute/data/ports.geojson"
    features = json.loads(read_member(archive, member))["features"]
    places = {row["properties"]["port"]: row["geometry"]["coordinates"] for row in features}
    _all_present(CARGO_PORTS, places)
    return facility_table(
        "port",
        ids=list(CARGO_PORTS),
        names=list(CARGO_PORTS.values()),
        lon=[places[code][0] for code in CARGO_PORTS],
        lat=[places[code][1] for code in CARGO_PORTS],
    )


def ports_at_communes(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cargo ports that the file lacks, at the point of their commune (class ``port``)."""
    points = communes.set_index("code_insee").geometry
    _all_present(PORTS_AT_COMMUNES, points.index)
    return gpd.GeoDataFrame(
        {
            "facility_id": [f"PORT-{code}" for code in PORTS_AT_COMMUNES],
            "facility_class": "port",
            "name": list(PORTS_AT_COMMUNES.values()),
        },
        geometry=list(points.loc[list(PORTS_AT_COMMUNES)]),
        crs=CRS,
    )


def load_airports(archive: Path) -> gpd.GeoDataFrame:
    """Airports with scheduled passenger flights (class ``airport``)."""
    raw = read_member(archive, "airportsdata/airports.csv")
    table = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False)
    table = table[(table["country"] == "FR") & table["iata"].isin(SCHEDULED_AIRPORTS)]
    table = table.drop_duplicates("iata").sort_values("iata")
    _all_present(SCHEDULED_AIRPORTS, set(table["iata"]))
    return facility_table(
        "airport",
        ids=("IATA-" + table["iata"]).tolist(),
        names=table["name"].tolist(),
        lon=table["lon"].astype(float).tolist(),
        lat=table["lat"].astype(float).tolist(),
    )


def facility_table(
    facility_class: str,
    *,
    ids: list[str],
    names: list[str],
    lon: list[float],
    lat: list[float],
) -> gpd.GeoDataFrame:
    """The pack's table of facilities from degrees; points rounded to the metre."""
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=CRS_WEB).to_crs(CRS)
    rounded = gpd.points_from_xy(points.x.round(), points.y.round())
    return gpd.GeoDataFrame(
        {"facility_id": ids, "facility_class": facility_class, "name": names},
        geometry=rounded,
        crs=CRS,
    )


def _same_names(expected: dict[str, str], found: dict[str, str]) -> None:
    wrong = {uic: name for uic, name in expected.items() if found.get(uic) != name}
    if wrong:
        raise PackageError(
            f"stations of the hand-kept list that the package does not have: {wrong}"
        )


def _all_present(wanted: Iterable[str], found: Iterable[str]) -> None:
    known = set(found)
    missing = [code for code in wanted if code not in known]
    if missing:
        raise PackageError(f"entries of a hand-kept list not in the package: {missing}")
