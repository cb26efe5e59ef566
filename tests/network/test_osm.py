"""The engines against networkx on real OpenStreetMap roads of two regions, holes included."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from siteselect.network import RoadGraph, graph_from_tables, snap, time_matrix, to_networkx

CUTOFF_MS = 1_200_000
SPEED = {"motorway": 110.0, "trunk": 90.0, "primary": 75.0, "secondary": 65.0}
pytestmark = [pytest.mark.real, pytest.mark.slow]


def region_graph(path: Path) -> RoadGraph:
    """Every vertex a node, nodes joined where ways share a coordinate; F, T, B: one-way or both."""
    ways = gpd.read_parquet(path).to_crs(2154)
    ways = ways[_halved(ways)]
    xy, way = shapely.get_coordinates(ways.geometry.to_numpy(), return_index=True)
    nodes, number = np.unique(np.round(xy, 2), axis=0, return_inverse=True)
    number = number.ravel()
    same = way[1:] == way[:-1]
    tail, head, way = number[:-1][same], number[1:][same], way[1:][same]
    against = (ways["oneway"].to_numpy() == "T")[way]
    edges = pd.DataFrame(
        {
            "tail": np.where(against, head, tail),
            "head": np.where(against, tail, head),
            "length_m": np.hypot(*(nodes[tail] - nodes[head]).T),
            "road_class": ways["fclass"].str.removesuffix("_link").to_numpy()[way],
            "oneway": (ways["oneway"] != "B").to_numpy()[way],
            "car_kmh": ways["maxspeed"].astype(float).replace(0, np.nan).to_numpy()[way],
        }
    )
    return graph_from_tables(
        pd.DataFrame({"x": nodes[:, 0], "y": nodes[:, 1]}), edges, speed_kmh=SPEED
    )


def _halved(ways: gpd.GeoDataFrame) -> np.ndarray:
    """The ways of the western half, by number: a whole region takes the tests twice as long."""
    west = ways.geometry.bounds["minx"].to_numpy()
    return west <= np.median(west)


@pytest.mark.parametrize("region", ["IDF", "PACA"])
def test_matrix_equals_networkx(shared_real: Path, region: str) -> None:
    """Places on nodes, so that networkx needs no help: times from every home to every site."""
    graph = region_graph(shared_real / "transport" / f"osm_roads_major_{region}_2021-07.parquet")
    assert graph.node_count > 120_000
    random = np.random.default_rng(6)
    site_node = random.integers(0, graph.node_count, 12)
    home_node = random.permutation(graph.node_count)[:3_000]
    place = np.column_stack([graph.x_m, graph.y_m])
    sites = snap(graph, place[site_node], max_m=0.01)
    homes = snap(graph, place[home_node], max_m=0.01)
    assert sites.on_network.all()
    model = to_networkx(graph).reverse(copy=False)
    label = graph.node_id
    column = {int(label[node]): j for j, node in enumerate(home_node)}
    expected = []
    for node in site_node:
        times = nx.single_source_dijkstra_path_length(
            model, int(label[node]), cutoff=CUTOFF_MS, weight="duration_ms"
        )
        expected.append({column[k]: ms for k, ms in times.items() if k in column})
    assert sum(map(len, expected)) > 300
    for engine in ("scipy", "numba", "hierarchy"):
        found = time_matrix(graph, sites, homes, cutoff_ms=CUTOFF_MS, engine=engine, workers=2)
        for i, row in enumerate(expected):
            part = slice(found.indptr[i], found.indptr[i + 1])
            assert (
                dict(
                    zip(found.column[part].tolist(), found.duration_ms[part].tolist(), strict=True)
                )
                == row
            )
