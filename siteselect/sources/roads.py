"""Roads from OpenStreetMap (tables of ways, ``.osm.pbf``) and from BD TOPO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import READING_ERRORS, Opened, fault, open_table
from siteselect.sources.part import true_at
from siteselect.sources.plan import Input
from siteselect.sources.ways import Ways
from siteselect.units import CRS, CRS_WEB

OSM_CLASSES = {
    "motorway": "motorway",
    "trunk": "trunk",
    "primary": "primary",
    "secondary": "secondary",
    "tertiary": "secondary",
}
"""Value of ``highway`` (without ``_link``) → class of the pack."""
LINK_KMH = {"motorway": 60.0, "trunk": 50.0, "primary": 40.0, "secondary": 40.0, "tertiary": 35.0}
"""Slip roads without a speed limit (assumption)."""
TERTIARY_KMH = 50.0
CLASS_NAMES = ("fclass", "highway")
ONEWAY = {"f": 1, "yes": 1, "true": 1, "1": 1, "t": -1, "-1": -1, "reverse": -1}
"""``F``, ``T``, ``B`` of Geofabrik's files, and the words of OpenStreetMap; others: both ways."""

BDTOPO_SENS = {"sens direct": 1, "direct": 1, "sens inverse": -1, "inverse": -1}
BDTOPO_IMPORTANCE = {"1": "trunk", "2": "primary", "3": "secondary", "4": "secondary"}
BDTOPO_KMH = {"4": 50.0, "5": 40.0, "6": 30.0}
BDTOPO_NOT_ROADS = (
    "sentier",
    "chemin",
    "escalier",
    "piste cyclable",
    "bac ou liaison maritime",
    "route empierree",
)
BDTOPO_NOT_THERE = ("en projet", "en construction", "en ruine")
"""States of a road that nobody drives on yet, or any more; « En service » otherwise."""
BDTOPO_NO_ACCESS = ("physiquement impossible", "restreint aux ayants droit")


class ReadWays:
    """Ways and what was found on the way to them."""

    def __init__(self, ways: Ways, report: pd.DataFrame, rows: int, *, assumed: bool) -> None:
        self.ways = ways
        self.report = report
        self.rows = rows
        self.assumed = assumed
        """No road has a class: all are read as unclassified."""


def read_roads(path: Path, one: Input) -> ReadWays:
    """Roads of any file: OpenStreetMap as ``.osm.pbf`` or as a table of ways, BD TOPO.

    Raises
    ------
    InputError
        the file cannot be read, or holds no line of road.
    """
    if path.name.casefold().endswith((".pbf", ".osm", ".osm.bz2", ".osm.gz")):
        return _extract(path, one)
    opened = open_table(path, layer=one.layer).renamed(one.columns).where(one.where)
    if opened.geometry is None:
        raise fault(
            path,
            Msg("the roads have no geometry"),
            Msg("give lines: GeoPackage, shapefile, GeoParquet or .osm.pbf"),
        )
    return _table(opened, one)


def _table(opened: Opened, one: Input) -> ReadWays:
    index = opened.frame.index
    findings = Findings(values.present(opened.cells(("osm_id", "id", "cleabs"))))
    shapes = opened.geometry
    assert shapes is not None
    linear = np.isin(shapely.get_type_id(shapes), (1, 5))
    findings.leave_out(true_at(index, ~linear), "no_geometry", findings.site_ids)
    described = _osm(opened, one) if opened.find(CLASS_NAMES) is not None else _bdtopo(opened)
    lost = described["road_class"] == ""
    findings.leave_out(lost, "not_a_road", described["stated"])
    kept = findings.kept.to_numpy()
    if not kept.any():
        raise fault(
            opened.path,
            Msg("no road is in the file"),
            Msg("give the lines of roads with their class (fclass, highway, nature)"),
        )
    unclassed = described["stated"].eq("") & findings.kept
    assumed = bool(unclassed.sum() == kept.sum())
    if not assumed:
        findings.note(unclassed, "no_class", described["stated"], "kept")
    parts, of = shapely.get_parts(shapes[kept], return_index=True)
    table = described[kept].iloc[of]
    ways = Ways(
        parts,
        table["road_class"].to_numpy(dtype=object),
        table["motorway_link"].to_numpy(dtype=bool),
        table["oneway"].to_numpy(dtype=np.int8),
        table["car_kmh"].to_numpy(dtype=float),
    )
    return ReadWays(ways, findings.report(opened.damaged), opened.rows, assumed=assumed)


def _osm(opened: Opened, one: Input) -> pd.DataFrame:
    stated = opened.cells(CLASS_NAMES).str.casefold()
    limit = values.numbers(
        opened.cells(("maxspeed",)).str.extract(r"^\s*(\d+)", expand=False).fillna("")
    )
    return describe_osm(stated, opened.cells(("oneway",)), limit, one.speed_factor)


def describe_osm(
    stated: pd.Series[str], oneway: pd.Series[str], limit_kmh: pd.Series[float], factor: float
) -> pd.DataFrame:
    """Class, slip road, direction and speed of ways by their tags.

    The speed driven is the limit × ``factor``; without a limit, that of the class, or that of
    :data:`LINK_KMH` on slip roads.
    """
    link = stated.str.endswith("_link")
    plain = stated.str.removesuffix("_link")
    car = (limit_kmh.where(limit_kmh > 0) * factor).round(1)
    car = car.where(car.notna() | ~link, plain.map(LINK_KMH))
    car = car.where(car.notna() | (plain != "tertiary"), TERTIARY_KMH)
    direction = oneway.str.casefold().map(ONEWAY)
    # A motorway and a roundabout are one-way without a tag that says so.
    implied = pd.Series(np.where(plain == "motorway", 1.0, 0.0), index=stated.index)
    unsaid = oneway.isin(["", "unknown"])
    return pd.DataFrame(
        {
            "stated": stated,
            "road_class": plain.map(OSM_CLASSES).fillna(""),
            "motorway_link": link & (plain == "motorway"),
            "oneway": direction.astype(float).where(~unsaid, implied).fillna(0).astype(np.int8),
            "car_kmh": car.astype(float),
        }
    )


def _bdtopo(opened: Opened) -> pd.DataFrame:
    nature = opened.cells(("nature",)).map(values.fold)
    importance = opened.cells(("importance",)).str.extract(r"^(\d)", expand=False).fillna("")
    motorway = nature.isin(["type autoroutier", "autoroute"])
    link = nature == "bretelle"
    road_class = importance.map(BDTOPO_IMPORTANCE).fillna("unclassified")
    road_class = road_class.mask(motorway, "motorway").mask(nature.isin(BDTOPO_NOT_ROADS), "")
    stated_kmh = values.numbers(opened.cells(("vitesse_moyenne_vl", "vit_moy_vl")))
    car = stated_kmh.where(stated_kmh > 0)
    car = car.where(car.notna(), importance.map(BDTOPO_KMH))
    car = car.where(car.notna() | ~link, LINK_KMH["trunk"])
    sens = opened.cells(("sens_de_circulation", "sens")).map(values.fold)
    state = opened.cells(("etat_de_l_objet", "etat")).map(values.fold)
    access = opened.cells(("acces_vehicule_leger", "acces_vl")).map(values.fold)
    closed = state.isin(BDTOPO_NOT_THERE) | access.isin(BDTOPO_NO_ACCESS)
    road_class = road_class.mask(closed, "")
    told = nature.where(nature != "", importance)
    why = state.where(state.isin(BDTOPO_NOT_THERE), access)
    return pd.DataFrame(
        {
            "stated": told.where(~closed, told + ", " + why),
            "road_class": road_class,
            "motorway_link": link & importance.isin(["1", "2", ""]),
            "oneway": sens.map(BDTOPO_SENS).fillna(0).astype(np.int8),
            "car_kmh": car.astype(float),
        }
    )


# --- .osm.pbf -------------------------------------------------------------------------------------


def _extract(path: Path, one: Input) -> ReadWays:
    """Roads of an extract, tertiary and above, read way by way through pyosmium."""
    tags: list[tuple[str, str, str, str]] = []
    lines: list[NDArray[np.float64]] = []
    incomplete: list[str] = []
    wanted = {name + tail for name in OSM_CLASSES for tail in ("", "_link")}
    try:
        reader = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
        for way in reader.with_locations().with_filter(osmium.filter.KeyFilter("highway")):
            if not isinstance(way, osmium.osm.Way) or way.tags.get("highway") not in wanted:
                continue
            line = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
            if len(line) < 2:
                incomplete.append(str(way.id))
                continue
            circular = way.tags.get("junction") in ("roundabout", "circular")
            tags.append(
                (
                    str(way.id),
                    way.tags["highway"],
                    way.tags.get("oneway") or ("yes" if circular else ""),
                    way.tags.get("maxspeed") or "",
                )
            )
            lines.append(np.array(line))
    except READING_ERRORS as error:
        raise fault(
            path,
            Msg("the extract cannot be read: {error}", error=str(error)[:200]),
            Msg("download it again"),
        ) from error
    if not lines:
        raise fault(
            path,
            Msg("no road is in the file"),
            Msg("give an extract with ways tagged highway, and their nodes"),
        )
    table = pd.DataFrame(tags, columns=["id", "highway", "oneway", "maxspeed"], dtype="str")
    limit = values.numbers(table["maxspeed"].str.extract(r"^\s*(\d+)", expand=False).fillna(""))
    described = describe_osm(table["highway"], table["oneway"], limit, one.speed_factor)
    lost = pd.DataFrame(
        {
            "row": 0,
            "site_id": incomplete,
            "issue": "no_geometry",
            "value": "way",
            "action": "left_out",
        }
    )
    ways = Ways(
        _projected(lines),
        described["road_class"].to_numpy(dtype=object),
        described["motorway_link"].to_numpy(dtype=bool),
        described["oneway"].to_numpy(dtype=np.int8),
        described["car_kmh"].to_numpy(dtype=float),
    )
    return ReadWays(ways, lost, len(lines) + len(incomplete), assumed=False)


def _projected(lines: list[NDArray[np.float64]]) -> NDArray[np.object_]:
    transformer = pyproj.Transformer.from_crs(CRS_WEB, CRS, always_xy=True)
    flat = np.concatenate(lines)
    metres = np.column_stack(transformer.transform(flat[:, 0], flat[:, 1]))
    of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    shapes: NDArray[np.object_] = shapely.linestrings(metres, indices=of)
    return shapes
