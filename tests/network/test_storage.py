"""The graph on disk: the same arrays back, and nothing broken is opened."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from network_oracles import models
from test_graph import SPEED, edges, nodes

from siteselect.errors import InputError
from siteselect.network import RoadGraph, from_networkx, graph_from_tables, with_speeds
from siteselect.network.storage import open_graph, save_graph


def same(one: RoadGraph, two: RoadGraph) -> None:
    for a, b in ((one, two), (one.edges, two.edges)):
        for field in dataclasses.fields(a):
            if field.name == "edges":
                continue
            x, y = getattr(a, field.name), getattr(b, field.name)
            if isinstance(x, tuple):
                assert x == y
            else:
                assert x.dtype == y.dtype, field.name
                np.testing.assert_array_equal(x, y)


@settings(max_examples=40, deadline=None)
@given(model=models())
def test_round_trip(model, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("graph") / "roads"
    graph = from_networkx(model)
    save_graph(graph, folder)
    same(open_graph(folder), graph)


def test_classes_and_speeds_survive(tmp_path: Path) -> None:
    table = edges(car_kmh=[50.0, np.nan, np.nan], road_class=[None, "primary", "unclassified"])
    graph = graph_from_tables(nodes(), table, speed_kmh=SPEED)
    save_graph(graph, tmp_path / "roads")
    again = open_graph(tmp_path / "roads")
    same(again, graph)
    save_graph(graph, tmp_path / "roads")
    assert [path.name for path in tmp_path.iterdir()] == ["roads"]
    faster = {**SPEED, "primary": 130.0}
    same(with_speeds(again, speed_kmh=faster), with_speeds(graph, speed_kmh=faster))


def test_broken_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "roads"
    with pytest.raises(InputError, match="cannot be read"):
        open_graph(folder)
    save_graph(graph_from_tables(nodes(), edges(), speed_kmh=SPEED), folder)
    arcs = folder / "arcs.parquet"
    whole = arcs.read_bytes()
    arcs.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"arcs\.parquet"):
        open_graph(folder)
    table = pq.read_table(pa.BufferReader(whole))
    far = pa.array(np.full(table.num_rows, 99, dtype=np.int32))
    pq.write_table(table.set_column(0, "head", far), arcs)
    with pytest.raises(InputError, match="build the graph again"):
        open_graph(folder)
    pq.write_table(table.drop_columns("duration_ms"), arcs)
    with pytest.raises(InputError, match="duration_ms"):
        open_graph(folder)
