"""The engines against networkx on the embedded graph of France."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from siteselect.network import (
    RoadGraph,
    Snapped,
    graph_from_tables,
    nearest_ms,
    snap,
    time_matrix,
    to_networkx,
)  # fmt: skip
from siteselect.scenario import NetworkSettings

PACK = Path(__file__).resolve().parents[2] / "data" / "france"
CUTOFF_MS = 2_700_000


@pytest.fixture(scope="module")
def graph() -> RoadGraph:
    return graph_from_tables(
        pd.read_parquet(PACK / "road_nodes.parquet"),
        pd.read_parquet(PACK / "road_edges.parquet"),
        speed_kmh=NetworkSettings().speed_kmh,
    )


def placed(graph: RoadGraph, name: str, count: int) -> Snapped:
    layer = gpd.read_parquet(PACK / name)
    chosen = layer.iloc[np.random.default_rng(4).permutation(len(layer))[:count]]
    point = chosen.geometry.representative_point()
    return snap(graph, np.column_stack([point.x, point.y]), max_m=15_000)


@pytest.fixture(scope="module")
def sites(graph: RoadGraph) -> Snapped:
    return placed(graph, "sites.parquet", 60)


@pytest.fixture(scope="module")
def homes(graph: RoadGraph) -> Snapped:
    return placed(graph, "communes.parquet", 8_000)


def reached(model: nx.MultiDiGraph, snapped: Snapped, label: np.ndarray, i: int) -> dict[int, int]:
    """Nodes from which place i is reached within the cutoff, with the time."""
    found: dict[int, int] = {}
    for end in (0, 1):
        start = int(snapped.in_ms[i, end])
        if start < 0:
            continue
        times = nx.single_source_dijkstra_path_length(
            model, int(label[snapped.node[i, end]]), cutoff=CUTOFF_MS - start, weight="duration_ms"
        )
        for node, ms in times.items():
            found[node] = min(found.get(node, CUTOFF_MS + 1), start + ms)
    return found


def test_matrix_equals_networkx(graph: RoadGraph, sites: Snapped, homes: Snapped) -> None:
    """All ways over nodes; pairs on one road may only be quicker than those."""
    model = to_networkx(graph).reverse(copy=False)
    expected: dict[tuple[int, int], int] = {}
    for i in range(len(sites)):
        times = reached(model, sites, graph.node_id, i)
        for j in range(len(homes)):
            for end in (0, 1):
                way = int(homes.out_ms[j, end])
                node = int(graph.node_id[homes.node[j, end]])
                if way >= 0 and node in times and times[node] + way <= CUTOFF_MS:
                    total = times[node] + way
                    expected[i, j] = min(total, expected.get((i, j), total))
    assert len(expected) > 2_000
    for engine in ("scipy", "numba", "hierarchy"):
        found = time_matrix(graph, sites, homes, cutoff_ms=CUTOFF_MS, engine=engine, workers=2)
        rows = np.repeat(np.arange(len(sites)), np.diff(found.indptr))
        times = dict(
            zip(zip(rows.tolist(), found.column.tolist(), strict=True),
                found.duration_ms.tolist(), strict=True)
        )  # fmt: skip
        same_road = {
            (i, j)
            for i, j in times
            if sites.segment[i] == homes.segment[j] and sites.segment[i] >= 0
        }
        assert {k: v for k, v in times.items() if k not in same_road} == {
            k: v for k, v in expected.items() if k not in same_road
        }
        assert all(times[k] <= expected.get(k, CUTOFF_MS) for k in same_road)


def test_nearest_equals_networkx(graph: RoadGraph, sites: Snapped) -> None:
    stations = placed(graph, "stations.parquet", 200)
    model = to_networkx(graph).reverse(copy=False)
    model = nx.MultiDiGraph(model)
    for j in range(len(stations)):
        for end in (0, 1):
            if stations.in_ms[j, end] >= 0:
                node = int(graph.node_id[stations.node[j, end]])
                model.add_edge("source", node, duration_ms=int(stations.in_ms[j, end]))
    times = nx.single_source_dijkstra_path_length(model, "source", weight="duration_ms")
    for engine in ("scipy", "numba"):
        found = nearest_ms(graph, sites, stations, engine=engine)
        for i in range(len(sites)):
            over_nodes = min(
                times.get(int(graph.node_id[sites.node[i, end]]), np.inf)
                 + (int(sites.out_ms[i, end]) if sites.out_ms[i, end] >= 0 else np.inf)
                 for end in (0, 1)
            )  # fmt: skip
            if sites.segment[i] in stations.segment:
                assert found[i] <= over_nodes
            else:
                assert found[i] == over_nodes


def test_corsica_reaches_no_continent(graph: RoadGraph) -> None:
    """An island is unreachable, not near: from Bastia to Nice no road leads."""
    bastia, nice = (
        snap(graph, np.array([xy]), max_m=15_000)
        for xy in ((1_226_000.0, 6_198_000.0), (1_043_000.0, 6_298_000.0))
    )
    assert bastia.on_network.all()
    assert nice.on_network.all()
    assert nearest_ms(graph, bastia, nice).tolist() == [np.inf]
    assert nearest_ms(graph, nice, nice).tolist() == [2 * nice.access_ms[0]]
