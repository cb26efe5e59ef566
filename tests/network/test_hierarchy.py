"""The hierarchy: order, elimination tree, and the same times as Dijkstra after any change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from network_oracles import models

from siteselect.network import RoadGraph, from_networkx, graph_from_tables, snap, time_matrix
from siteselect.network.dissection import dissection_order
from siteselect.network.hierarchy import Topology, contract, stored_topology, topology_key
from siteselect.network.plain import arcs

SPEED = {"fast": 110.0, "slow": 40.0}


def town(side: int, *, seed: int = 1, without: int | None = None, fast: float = 110.0) -> RoadGraph:
    """A jittered grid of streets 1 km apart, some one-way, some fast; one may be closed."""
    random = np.random.default_rng(seed)
    i = np.arange(side * side)
    x = 600_000.0 + 1000 * (i % side) + random.uniform(-300, 300, i.size)
    y = 6_500_000.0 + 1000 * (i // side) + random.uniform(-300, 300, i.size)
    right, below = i[(i + 1) % side > 0], i[i + side < i.size]
    tail, head = np.r_[right, below], np.r_[right + 1, below + side]
    edges = pd.DataFrame(
        {
            "tail": tail,
            "head": head,
            "length_m": np.hypot(x[tail] - x[head], y[tail] - y[head]) * 1.1,
            "road_class": np.where(random.random(tail.size) < 0.2, "fast", "slow"),
            "oneway": random.random(tail.size) < 0.15,
        }
    )
    if without is not None:
        edges = edges.drop(index=without).reset_index(drop=True)
    return graph_from_tables(
        pd.DataFrame({"x": x, "y": y}), edges, speed_kmh={**SPEED, "fast": fast}
    )


def places(count: int, side: int, seed: int) -> np.ndarray:
    span = np.array([1000.0 * side, 1000.0 * side])
    return (
        np.array([600_000.0, 6_500_000.0]) + np.random.default_rng(seed).random((count, 2)) * span
    )


@settings(max_examples=100, deadline=None)
@given(model=models())
def test_order_is_a_permutation_and_links_lead_to_ancestors(model) -> None:
    graph = from_networkx(model)
    topology = contract(arcs(graph, reverse=False), graph.x_m, graph.y_m)
    n = graph.node_count
    assert sorted(topology.rank.tolist()) == list(range(n))
    for v in range(n):
        links = topology.head[topology.indptr[v] : topology.indptr[v + 1]].tolist()
        assert links == sorted(set(links))
        assert topology.parent[v] == (links[0] if links else -1)
        above, node = set(), v
        while topology.parent[node] >= 0:
            node = int(topology.parent[node])
            above.add(node)
        assert set(links) <= above
    for tail, head in zip(graph.arc_tail, graph.head, strict=True):
        low, high = sorted((int(topology.rank[tail]), int(topology.rank[head])))
        if low != high:
            assert high in topology.head[topology.indptr[low] : topology.indptr[low + 1]]


def test_a_line_is_cut_in_the_middle() -> None:
    """Fifteen nodes in a row: each end keeps a quarter, the top node lies between."""
    n = 15
    indptr = np.array([0, *(1 + 2 * k for k in range(n - 1)), 2 * (n - 1)])
    head = np.array(
        [1, *(j for k in range(1, n - 1) for j in (k - 1, k + 1)), n - 2], dtype=np.int32
    )
    order = dissection_order(indptr, head, np.arange(n) * 1.0, np.zeros(n))
    assert sorted(order.tolist()) == list(range(n))
    assert 3 <= order[-1] <= 11


def test_links_stay_few_on_a_grid() -> None:
    """Row after row, a grid of 30 × 30 gets 30 links a node; a dissection needs half of that."""
    graph = town(30)
    topology = contract(arcs(graph, reverse=False), graph.x_m, graph.y_m)
    assert topology.head.size < 16 * graph.node_count


@pytest.mark.parametrize("workers", [1, 3])
def test_equal_to_dijkstra_on_a_town(workers: int) -> None:
    graph = town(45)
    s = snap(graph, places(80, 45, 1), max_m=900)
    h = snap(graph, places(700, 45, 2), max_m=900)
    for cutoff in (0, 240_000, 1_500_000, 10**8):
        plain = time_matrix(graph, s, h, cutoff_ms=cutoff, engine="scipy")
        fast = time_matrix(graph, s, h, cutoff_ms=cutoff, engine="hierarchy", workers=workers)
        for name in ("indptr", "column", "duration_ms"):
            np.testing.assert_array_equal(getattr(fast, name), getattr(plain, name))
    assert plain.pair_count > 10_000


def test_one_order_serves_other_speeds_and_closed_roads() -> None:
    base = town(20)
    topology = contract(arcs(base, reverse=False), base.x_m, base.y_m)
    times = []
    for changed in (base, town(20, fast=20.0), town(20, without=7)):
        s = snap(changed, places(30, 20, 1), max_m=900)
        h = snap(changed, places(90, 20, 2), max_m=900)
        plain = time_matrix(changed, s, h, cutoff_ms=10**7, engine="scipy")
        fast = time_matrix(changed, s, h, cutoff_ms=10**7, engine="hierarchy", hierarchy=topology)
        np.testing.assert_array_equal(fast.column, plain.column)
        np.testing.assert_array_equal(fast.duration_ms, plain.duration_ms)
        times.append(plain.duration_ms.sum())
    assert len(set(times)) == 3, "the changes must be felt"


def test_key_follows_the_roads_not_the_speeds() -> None:
    assert topology_key(town(5)) == topology_key(town(5, fast=20.0))
    assert topology_key(town(5)) != topology_key(town(5, without=7))
    assert topology_key(town(5)) != topology_key(town(5, seed=2))


def test_kept_on_disk(tmp_path: Path) -> None:
    graph = town(6)
    assert stored_topology(graph, folder=tmp_path, build=False) is None
    made = stored_topology(graph, folder=tmp_path / "new")
    assert made is not None
    (file,) = (tmp_path / "new").iterdir()
    read = Topology.load(file)
    for name in ("rank", "indptr", "head", "parent"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    kept = stored_topology(graph, folder=tmp_path / "new", build=False)
    assert kept is not None
