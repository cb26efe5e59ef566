"""A road graph on disk: Parquet columns that open as arrays, no Python object a road.

Three files in a folder, ``nodes``, ``arcs`` and ``edges``, readable by anybody; the folder is
written beside and renamed, so that it is complete or absent.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from siteselect.errors import FaultLog, InputError
from siteselect.messages import Msg
from siteselect.network.graph import EdgeTable, RoadGraph

__all__ = ["open_graph", "save_graph"]


def save_graph(graph: RoadGraph, folder: Path) -> None:
    """Write the graph to a folder, replacing what was there."""
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    edges = graph.edges
    classes = pa.DictionaryArray.from_arrays(
        pa.array(edges.road_class, mask=edges.road_class < 0),
        pa.array(list(edges.class_names), type=pa.string()),
    )
    tables = {
        "nodes": {
            "x": graph.x_m,
            "y": graph.y_m,
            "node_id": graph.node_id,
            "first_arc": graph.indptr[:-1],
        },
        "arcs": {
            "head": graph.head,
            "duration_ms": graph.duration_ms,
            "edge": graph.arc_edge,
        },
        "edges": {
            "tail": edges.tail,
            "head": edges.head,
            "length_m": edges.length_m,
            "road_class": classes,
            "oneway": edges.oneway,
            "car_kmh": edges.car_kmh,
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), beside / f"{name}.parquet", compression="zstd")
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)


def open_graph(folder: Path) -> RoadGraph:
    """Read what :func:`save_graph` wrote.

    Raises
    ------
    InputError
        A file is missing or is no Parquet file, or the files do not belong together.
    """
    tables = {name: _read(folder / f"{name}.parquet") for name in ("nodes", "arcs", "edges")}
    nodes, arcs, edges = tables["nodes"], tables["arcs"], tables["edges"]
    try:
        classes = edges.column("road_class").combine_chunks()
        graph = RoadGraph(
            x_m=_array(nodes, "x", np.float64),
            y_m=_array(nodes, "y", np.float64),
            node_id=_array(nodes, "node_id", np.int64),
            indptr=np.append(_array(nodes, "first_arc", np.int64), arcs.num_rows),
            head=_array(arcs, "head", np.int32),
            duration_ms=_array(arcs, "duration_ms", np.int32),
            arc_edge=_array(arcs, "edge", np.int32),
            edges=EdgeTable(
                tail=_array(edges, "tail", np.int32),
                head=_array(edges, "head", np.int32),
                length_m=_array(edges, "length_m", np.float64),
                road_class=classes.indices.fill_null(-1).to_numpy().astype(np.int32),
                class_names=tuple(classes.dictionary.to_pylist()),
                oneway=_array(edges, "oneway", np.bool_),
                car_kmh=_array(edges, "car_kmh", np.float64),
            ),
        )
    except (KeyError, AttributeError) as error:
        raise _broken(folder, str(error)) from error
    if not _coherent(graph):
        raise _broken(folder, "arcs")
    return graph


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _broken(path, type(error).__name__) from error


def _array(table: pa.Table, name: str, dtype: type[np.generic]) -> NDArray[Any]:
    return np.ascontiguousarray(table.column(name).to_numpy(), dtype=dtype)


def _coherent(graph: RoadGraph) -> bool:
    """Every arc ends at a node, belongs to an edge and takes no negative time."""
    if graph.node_count == 0 or graph.indptr[0] != 0 or (np.diff(graph.indptr) < 0).any():
        return False
    if graph.arc_count == 0:
        return True
    return bool(
        graph.head.min() >= 0
        and graph.head.max() < graph.node_count
        and graph.arc_edge.min() >= 0
        and graph.arc_edge.max() < len(graph.edges)
        and graph.duration_ms.min() >= 0
        and np.isfinite(graph.x_m).all()
        and np.isfinite(graph.y_m).all()
    )


def _broken(path: Path, detail: str) -> InputError:
    log = FaultLog()
    log.add(
        Msg("the stored road graph cannot be read"),
        file=path,
        value=detail,
        remedy=Msg("delete the folder and build the graph again from the pack"),
    )
    return InputError(log.faults)
