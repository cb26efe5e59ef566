"""Times kept on disk by content: a second run routes nothing, ten new sites route ten sites.

One file for each network, set of places, direction and cutoff; in it one row for each site ever
asked, known by where it meets the road. Nothing needs to be declared stale: another speed,
another road or another commune is another key. A file that cannot be read is made anew.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from siteselect.network.graph import RoadGraph
from siteselect.network.pairs import expand
from siteselect.network.snap import Snapped
from siteselect.network.travel import Direction, Engine, Progress, TimeMatrix, time_matrix

if TYPE_CHECKING:
    from siteselect.network.hierarchy import Hierarchy, Topology

__all__ = ["kept_time_matrix", "network_key"]

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a matrix by the key of their site: ``key`` S32[rows], CSR arrays."""

    key: NDArray[np.bytes_]
    indptr: Int64s
    column: Int32s
    duration_ms: Int32s

    def take(self, rows: Int64s) -> tuple[Int64s, Int32s, Int32s]:
        """CSR arrays of some of the rows, in the order given."""
        count = self.indptr[rows + 1] - self.indptr[rows]
        _, item = expand(self.indptr[rows], count)
        indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        return indptr, self.column[item], self.duration_ms[item]

    def with_rows(self, key: NDArray[np.bytes_], found: TimeMatrix) -> _Rows:
        """These rows and those of a matrix."""
        return _Rows(
            np.concatenate([self.key, key]),
            np.concatenate([self.indptr, self.indptr[-1] + found.indptr[1:]]),
            np.concatenate([self.column, found.column]),
            np.concatenate([self.duration_ms, found.duration_ms]),
        )


def kept_time_matrix(
    graph: RoadGraph,
    sites: Snapped,
    others: Snapped,
    *,
    folder: Path,
    cutoff_ms: int,
    direction: Direction = "to_sites",
    engine: Engine = "auto",
    hierarchy: Hierarchy | Topology | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> TimeMatrix:
    """:func:`~siteselect.network.travel.time_matrix`, routing only sites not seen before.

    ``routing`` of the result tells of the new sites only: ``sources`` 0 when all were known.
    """
    path = folder / f"times-{_matrix_key(graph, others, direction, int(cutoff_ms))}.npz"
    known = _read(path)
    keys = _site_keys(sites)
    before = int(np.isin(keys, known.key).sum())
    unique, first = np.unique(keys, return_index=True)
    new = np.sort(first[~np.isin(unique, known.key)])
    found = time_matrix(
        graph,
        sites.take(new),
        others,
        cutoff_ms=cutoff_ms,
        direction=direction,
        engine=engine,
        hierarchy=hierarchy,
        workers=workers,
        progress=progress,
    )
    if new.size:
        known = known.with_rows(keys[new], found)
        _write(path, known)
    order = np.argsort(known.key)
    rows = order[np.searchsorted(known.key[order], keys)]
    indptr, column, duration = known.take(rows)
    routing = replace(
        found.routing,
        reason=f"{found.routing.reason}; {before} of {len(sites)} sites kept",
    )
    return TimeMatrix((len(sites), len(others)), indptr, column, duration, int(cutoff_ms), routing)


def network_key(graph: RoadGraph) -> str:
    """Hash of everything that times depend on: nodes, roads and durations."""
    return _digest(graph.x_m, graph.y_m, graph.indptr, graph.head, graph.duration_ms)


def _matrix_key(graph: RoadGraph, others: Snapped, direction: str, cutoff_ms: int) -> str:
    text = f"{_FORMAT} {network_key(graph)} {direction} {cutoff_ms}"
    return _digest(text, *_of_place(others))


def _of_place(snapped: Snapped) -> tuple[NDArray[np.generic], ...]:
    return (
        snapped.segment,
        snapped.fraction,
        snapped.access_ms,
        snapped.node,
        snapped.out_ms,
        snapped.in_ms,
        snapped.along_ms,
    )


def _site_keys(sites: Snapped) -> NDArray[np.bytes_]:
    """S32[sites]: hash of where each site meets the road."""
    if len(sites) == 0:
        return np.empty(0, dtype="S32")
    rows = [np.ascontiguousarray(part).reshape(len(sites), -1) for part in _of_place(sites)]
    width = sum(part.itemsize * part.shape[1] for part in rows)
    table = np.empty((len(sites), width), dtype=np.uint8)
    at = 0
    for part in rows:
        size = part.itemsize * part.shape[1]
        table[:, at : at + size] = part.view(np.uint8).reshape(len(sites), size)
        at += size
    return np.array([_digest(row) for row in table], dtype="S32")


def _digest(*parts: str | NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).data)
    return digest.hexdigest()[:32]


def _read(path: Path) -> _Rows:
    if path.is_file():
        try:
            with np.load(path) as stored:
                names = ("key", "indptr", "column", "duration_ms")
                rows = _Rows(*(stored[name] for name in names))
            if rows.indptr.size == rows.key.size + 1 and rows.indptr[-1] == rows.column.size:
                return rows
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass
    return _Rows(
        np.empty(0, dtype="S32"),
        np.zeros(1, dtype=np.int64),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int32),
    )


def _write(path: Path, rows: _Rows) -> None:
    """Beside and renamed: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        np.savez(
            file,
            key=rows.key,
            indptr=rows.indptr,
            column=rows.column,
            duration_ms=rows.duration_ms,
        )
    beside.replace(path)
