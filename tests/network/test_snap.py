"""Snapping to edges: by hand, and against every edge one by one."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from network_oracles import models, points

from siteselect.errors import InputError
from siteselect.network import from_networkx, nearest_ms, snap, time_matrix


def street(*, oneway: bool = False, ms: int = 100_000) -> nx.MultiDiGraph:
    """One road of 1 km, west to east."""
    model = nx.MultiDiGraph()
    model.add_node(0, x=600_000.0, y=6_500_000.0)
    model.add_node(1, x=601_000.0, y=6_500_000.0)
    data = {"duration_ms": ms, "edge": 0, "oneway": oneway}
    model.add_edge(0, 1, **data)
    if not oneway:
        model.add_edge(1, 0, **data)
    return model


def at(*xy: tuple[float, float]) -> np.ndarray:
    return np.array([(600_000.0 + x, 6_500_000.0 + y) for x, y in xy])


def test_by_hand() -> None:
    """300 m along and 250 m aside, at 30 km/h: 30 s to the road, then 30 s and 70 s."""
    found = snap(from_networkx(street()), at((300, 250)), max_m=250, access_speed_kmh=30)
    assert found.distance_m.tolist() == [250.0]
    assert found.fraction.tolist() == [0.3]
    assert found.access_ms.tolist() == [30_000]
    assert found.node.tolist() == [[0, 1]]
    assert found.out_ms.tolist() == [[60_000, 100_000]]
    assert found.in_ms.tolist() == [[60_000, 100_000]]


def test_one_way_leads_one_way() -> None:
    found = snap(from_networkx(street(oneway=True)), at((300, 0)), max_m=1)
    assert found.out_ms.tolist() == [[-1, 70_000]]
    assert found.in_ms.tolist() == [[30_000, -1]]


def test_a_foot_on_a_node_leaves_by_the_node() -> None:
    found = snap(from_networkx(street(oneway=True)), at((-30, 0), (1000, 0)), max_m=50)
    assert found.out_ms.tolist() == [[3_600, 103_600], [-1, 0]]
    assert found.in_ms.tolist() == [[3_600, -1], [100_000, 0]]


def test_beyond_the_bound_is_unreachable_and_says_how_far() -> None:
    graph = from_networkx(street())
    found = snap(graph, at((500, 400), (500, 401)), max_m=400)
    assert found.on_network.tolist() == [True, False]
    assert found.distance_m.tolist() == [400.0, 401.0]
    assert np.isnan(found.fraction[1])
    far, near = snap(graph, at((500, 401)), max_m=400), snap(graph, at((500, 0)), max_m=400)
    assert nearest_ms(graph, far, near).tolist() == [np.inf]
    assert nearest_ms(graph, near, far).tolist() == [np.inf]
    assert time_matrix(graph, near, far, cutoff_ms=10**8).pair_count == 0


def test_along_one_road_without_passing_a_node() -> None:
    graph = from_networkx(street())
    west, east = snap(graph, at((300, 0)), max_m=1), snap(graph, at((500, 0)), max_m=1)
    assert nearest_ms(graph, west, east).tolist() == [20_000]
    assert nearest_ms(graph, east, west).tolist() == [20_000]
    alley = from_networkx(street(oneway=True))
    west, east = snap(alley, at((300, 0)), max_m=1), snap(alley, at((500, 0)), max_m=1)
    assert nearest_ms(alley, west, east).tolist() == [20_000]
    assert nearest_ms(alley, east, west).tolist() == [np.inf]
    assert nearest_ms(alley, east, east).tolist() == [0]


def test_parts_of_a_road_sum_to_the_road() -> None:
    """A third of 100 ms is rounded once: 33 on one side, 67 on the other."""
    graph = from_networkx(street(ms=100))
    found = snap(graph, at((1000 / 3, 0), (500, 0)), max_m=1)
    through = found.in_ms[:, 0] + found.out_ms[:, 1]
    assert through.tolist() == [100, 100]
    assert found.in_ms[:, 0].tolist() == [33, 50]


@settings(max_examples=200, deadline=None)
@given(model=models(), where=points(min_size=1))
def test_nearest_edge_equals_brute_force(model: nx.MultiDiGraph, where: np.ndarray) -> None:
    graph = from_networkx(model)
    found = snap(graph, where, max_m=2_000)
    place = {n: (d["x"], d["y"]) for n, d in model.nodes(data=True)}
    lines = [shapely.LineString([place[t], place[h]]) for t, h in set(model.edges()) if t != h]
    for i, xy in enumerate(where):
        nearest = min((line.distance(shapely.Point(xy)) for line in lines), default=np.inf)
        assert found.distance_m[i] == pytest.approx(nearest, abs=1e-6)
        assert found.on_network[i] == (found.distance_m[i] <= 2_000)
        if found.on_network[i]:
            a, b = found.node[i]
            foot = (1 - found.fraction[i]) * np.array([graph.x_m[a], graph.y_m[a]]) + (
                found.fraction[i] * np.array([graph.x_m[b], graph.y_m[b]])
            )
            assert np.hypot(*(foot - xy)) == pytest.approx(nearest, abs=1e-6)


def test_a_graph_without_roads_serves_nobody() -> None:
    model = nx.MultiDiGraph()
    model.add_node(0, x=600_000.0, y=6_500_000.0)
    model.add_edge(0, 0, duration_ms=5)
    graph = from_networkx(model)
    found = snap(graph, at((0, 0)), max_m=1e9)
    assert found.on_network.tolist() == [False]
    assert np.isinf(found.distance_m).all()
    assert nearest_ms(graph, found, found).tolist() == [np.inf]


def test_points_without_coordinates_are_refused() -> None:
    with pytest.raises(InputError, match="row 1"):
        snap(from_networkx(street()), np.array([[0.0, 0.0], [np.nan, 0.0]]), max_m=1)
