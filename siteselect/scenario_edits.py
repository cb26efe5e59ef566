"""What-if on the network, drawn by a planner: a small GeoJSON file → tables of the scenario.

The edits become part of the resolved scenario itself, so that a run keeps them, its identifier
depends on them and an auditor needs no other file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import EditKind, NetworkEdit

__all__ = ["embed_edits", "read_edits"]

KINDS: tuple[str, ...] = get_args(EditKind)
GEOMETRIES: Mapping[str, tuple[str, ...]] = {
    "close": ("Point", "LineString"),
    "road": ("LineString",),
    "facility": ("Point",),
    "remove": (),
}
"""Geometries of each kind of edit; none is needed to remove what has a name."""
PROPERTIES = tuple(name for name in NetworkEdit.model_fields if name != "coordinates")
LONGITUDE_LATITUDE = ("CRS84", "4326")


def embed_edits(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tree of a scenario where ``network.edits`` named a file: its edits in its place.

    Raises
    ------
    InputError
        as :func:`read_edits`.
    """
    network = tree.get("network")
    named = network.get("edits") if isinstance(network, dict) else None
    if not isinstance(network, dict) or not isinstance(named, str) or named == "none":
        return tree
    return {**tree, "network": {**network, "edits": read_edits(folder / Path(named).expanduser())}}


def read_edits(path: Path) -> list[dict[str, Any]]:
    """Edits of a GeoJSON file, one a feature, as the tables ``[[network.edits]]``.

    Raises
    ------
    InputError
        every fault found: no such file, no GeoJSON, another coordinate system, coordinates that
        are not longitude and latitude, an unknown kind or property, a geometry that does not fit.
    """
    collection = _read(path)
    log = FaultLog()
    _check_crs(collection, path, log)
    features = collection.get("features")
    edits = [
        _edit(feature, f"features[{index}]", path, log)
        for index, feature in enumerate(features if isinstance(features, list) else [])
    ]
    log.check()
    return edits


def _read(path: Path) -> dict[str, Any]:
    remedy = Msg("name a GeoJSON file (FeatureCollection), relative to the scenario file")
    try:
        collection = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(Fault(Msg("there is no such file"), file=path, remedy=remedy)) from error
    except (OSError, ValueError) as error:
        raise InputError(Fault(Msg("this is no GeoJSON file"), file=path, remedy=remedy)) from error
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise InputError(Fault(Msg("this is no GeoJSON file"), file=path, remedy=remedy))
    return collection


def _check_crs(collection: Mapping[str, Any], path: Path, log: FaultLog) -> None:
    crs = collection.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name")) if isinstance(properties, dict) else str(crs)
    if not name.endswith(LONGITUDE_LATITUDE):
        log.add(
            Msg("the layer is not in EPSG:4326"),
            file=path,
            where="crs",
            value=name,
            remedy=Msg("export it in longitude and latitude (EPSG:4326), as GeoJSON demands"),
        )


def _edit(feature: object, where: str, path: Path, log: FaultLog) -> dict[str, Any]:
    feature = feature if isinstance(feature, dict) else {}
    properties = feature.get("properties")
    properties = dict(properties) if isinstance(properties, dict) else {}
    for name in set(properties) - set(PROPERTIES):
        near = nearest_name(name, PROPERTIES)
        log.add(
            Msg("unknown property"),
            file=path,
            where=where,
            value=name,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("remove it; valid here: {names}", names=", ".join(PROPERTIES)),
        )
    kind = properties.get("kind")
    if kind not in KINDS:
        near = nearest_name(str(kind), KINDS)
        log.add(
            Msg("unknown kind of edit"),
            file=path,
            where=where,
            value=kind,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("write one of {names} in the property kind", names=", ".join(KINDS)),
        )
        return {}
    edit = {name: value for name, value in properties.items() if value is not None}
    if GEOMETRIES[kind]:
        edit["coordinates"] = _coordinates(feature.get("geometry"), kind, where, path, log)
    return edit


def _coordinates(
    geometry: object, kind: str, where: str, path: Path, log: FaultLog
) -> list[list[float]]:
    geometry = geometry if isinstance(geometry, dict) else {}
    form, given = geometry.get("type"), geometry.get("coordinates")
    points = [given] if form == "Point" else given
    if form not in GEOMETRIES[kind] or not _are_points(points):
        log.add(
            Msg("the geometry does not fit the edit {kind}", kind=kind),
            file=path,
            where=where,
            value=form,
            remedy=Msg("draw a {expected}", expected=" / ".join(GEOMETRIES[kind])),
        )
        return []
    assert isinstance(points, list)
    for lon, lat in ((point[0], point[1]) for point in points):
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            log.add(
                Msg("the coordinates are not longitude and latitude"),
                file=path,
                where=where,
                value=(lon, lat),
                remedy=Msg("export it in longitude and latitude (EPSG:4326), as GeoJSON demands"),
            )
            break
    return [[float(point[0]), float(point[1])] for point in points]


def _are_points(points: object) -> bool:
    return (
        isinstance(points, list)
        and bool(points)
        and all(
            isinstance(point, list)
            and len(point) >= 2
            and all(isinstance(value, int | float) and math.isfinite(value) for value in point[:2])
            for point in points
        )
    )
