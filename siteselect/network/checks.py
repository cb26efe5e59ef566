"""Checks of the road tables: every fault names the file, the row, the value and a remedy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg

__all__ = [
    "car_speed",
    "check_coordinates",
    "check_lengths",
    "edge_classes",
    "edge_ends",
    "edge_oneway",
    "edge_speed",
    "flag",
    "need_columns",
    "numbers",
]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

_COINCIDENT_M = 50.0
"""Two nodes farther apart than this cannot be joined by an edge of length zero."""
_DEGREES = 360.0
"""A network whose coordinates are all smaller than this is in degrees, not in metres."""


def numbers(column: pd.Series) -> Floats:
    """float64 values of a column, NaN where it is no number."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(values, dtype=np.float64)


def need_columns(log: FaultLog, table: pd.DataFrame, columns: tuple[str, ...], file: str) -> None:
    """A fault for every missing column."""
    for name in columns:
        if name not in table.columns:
            near = nearest_name(name, map(str, table.columns))
            log.add(
                Msg("the column {column} is missing", column=name),
                file=file,
                remedy=Msg("rename {near} to {column}", near=near, column=name)
                if near
                else Msg("add the column {column}", column=name),
            )


def flag(
    log: FaultLog, bad: Bools, values: Floats | Int64s, file: str, message: Msg, remedy: Msg
) -> None:
    """One fault for all bad rows: the first one named, the others counted."""
    rows = np.flatnonzero(bad)
    if rows.size:
        first = int(rows[0])
        log.add(
            message
            if rows.size == 1
            else Msg("{what}, and so on {count} rows in all", what=message, count=int(rows.size)),
            file=file,
            where=f"row {first}",
            value=values[first].item(),
            remedy=remedy,
        )


def check_coordinates(log: FaultLog, x_m: Floats, y_m: Floats, file: str) -> None:
    """Nodes exist and lie at finite places, in metres."""
    if x_m.size == 0:
        log.add(
            Msg("the road graph has no node"), file=file, remedy=Msg("give a road graph with nodes")
        )
        return
    remedy = Msg("give every node coordinates in metres, EPSG:2154")
    flag(log, ~np.isfinite(x_m), x_m, file, Msg("the node has no coordinate x"), remedy)
    flag(log, ~np.isfinite(y_m), y_m, file, Msg("the node has no coordinate y"), remedy)
    if np.nanmax(np.abs(x_m), initial=0) <= _DEGREES and np.nanmax(np.abs(y_m), initial=0) <= 90:
        log.add(
            Msg("the coordinates look like degrees, not metres"),
            file=file,
            value=(float(x_m[0]), float(y_m[0])),
            remedy=Msg("project the nodes to EPSG:2154"),
        )


def edge_ends(
    log: FaultLog, edges: pd.DataFrame, node_count: int, file: str
) -> tuple[Int32s, Int32s]:
    """int32 tail and head of each edge; faults where they are not nodes."""
    found = []
    for name in ("tail", "head"):
        values = numbers(edges[name])
        with np.errstate(invalid="ignore"):
            bad = ~((values >= 0) & (values < node_count) & (values == np.floor(values)))
        flag(
            log,
            bad,
            values,
            file,
            Msg("{column} is not a node", column=name),
            Msg("use the row numbers of the nodes, 0 to {last}", last=node_count - 1),
        )
        found.append(np.where(bad, 0, values).astype(np.int32))
    return found[0], found[1]


def check_lengths(log: FaultLog, length_m: Floats, straight_m: Floats, file: str) -> None:
    """Lengths are finite, not negative, and zero between coincident nodes only."""
    remedy = Msg("give the length of the road in metres")
    flag(log, ~np.isfinite(length_m), length_m, file, Msg("the edge has no length"), remedy)
    with np.errstate(invalid="ignore"):
        flag(log, length_m < 0, length_m, file, Msg("the length is negative"), remedy)
        flag(
            log,
            (length_m == 0) & (straight_m > _COINCIDENT_M),
            straight_m,
            file,
            Msg("the length is zero between nodes that are metres apart"),
            remedy,
        )


def edge_classes(column: pd.Series) -> tuple[Int32s, tuple[str, ...]]:
    """int32 code of each edge's class (−1: none) and the names."""
    if isinstance(column.dtype, pd.CategoricalDtype):  # large graphs: no text a row
        categories = column.cat.categories
        return column.cat.codes.to_numpy().astype(np.int32), tuple(map(str, categories))
    codes, names = pd.factorize(column.astype("object"), use_na_sentinel=True, sort=False)
    return codes.astype(np.int32), tuple(str(name) for name in names)


def car_speed(log: FaultLog, edges: pd.DataFrame, file: str) -> Floats:
    """float64 km/h of the edges that state a speed, NaN elsewhere."""
    if "car_kmh" not in edges.columns:
        return np.full(len(edges), np.nan)
    car_kmh = numbers(edges["car_kmh"])
    with np.errstate(invalid="ignore"):
        bad = (car_kmh <= 0) | np.isinf(car_kmh)
    remedy = Msg("give a speed above 0 km/h, or leave it empty where unknown")
    flag(log, bad, car_kmh, file, Msg("car_kmh is not a speed"), remedy)
    return car_kmh


def edge_oneway(log: FaultLog, edges: pd.DataFrame, file: str) -> Bools:
    """bool: the edge may be driven tail → head only."""
    column = edges["oneway"]
    if column.isna().any() or not pd.api.types.is_bool_dtype(column):
        log.add(
            Msg("oneway must be true or false on every row"),
            file=file,
            value=str(column.dtype),
            remedy=Msg("write true where only tail → head may be driven, else false"),
        )
        return np.zeros(len(edges), dtype=np.bool_)
    return column.to_numpy(dtype=np.bool_)


def edge_speed(
    log: FaultLog,
    codes: Int32s,
    names: tuple[str, ...],
    car_kmh: Floats,
    speed_kmh: Mapping[str, float],
    file: str,
) -> Floats:
    """float64[e] km/h: the edge's own speed, else its class's; a fault where neither is known."""
    needed = np.isnan(car_kmh)
    by_class = np.full(len(names) + 1, np.nan)  # the last stands for "no class", code −1
    for code, name in enumerate(names):
        if name in speed_kmh:
            by_class[code] = _valid_speed(log, name, speed_kmh[name])
        elif bool((needed & (codes == code)).any()):
            near = nearest_name(name, speed_kmh)
            log.add(
                Msg("road class {name} has no speed", name=name),
                file=file,
                where=f"row {int(np.flatnonzero(needed & (codes == code))[0])}",
                value=name,
                remedy=Msg("did you mean {near}? Else add it to network.speed_kmh", near=near)
                if near
                else Msg("add it to network.speed_kmh ({known})", known=", ".join(speed_kmh)),
            )
    flag(
        log,
        needed & (codes < 0),
        codes.astype(np.int64),
        file,
        Msg("the edge has neither a road class nor a speed"),
        Msg("write unclassified where the class is unknown"),
    )
    kmh = np.where(needed, by_class[codes], car_kmh)
    return np.where(np.isfinite(kmh) & (kmh > 0), kmh, 1.0)


def _valid_speed(log: FaultLog, name: str, kmh: float) -> float:
    if not (np.isfinite(kmh) and kmh > 0):
        log.add(
            Msg("the speed of road class {name} is not above 0 km/h", name=name),
            file="network.speed_kmh",
            where=name,
            value=kmh,
            remedy=Msg("give a speed in km/h"),
        )
    return float(kmh)
