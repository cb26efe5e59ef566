"""Tables → arrays → networkx and back; what is refused, and how it is said."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from network_oracles import models

from siteselect.errors import InputError
from siteselect.network import from_networkx, graph_from_tables, to_networkx, with_speeds
from siteselect.network.graph import MAX_MS, morton_code, round_half_up

SPEED = {"motorway": 110.0, "primary": 75.0, "unclassified": 70.0}


def nodes() -> pd.DataFrame:
    return pd.DataFrame({"x": [600_000.0, 601_000.0, 601_000.0], "y": [6.5e6, 6.5e6, 6.501e6]})


def edges(**changes: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "tail": np.array([0, 1, 0], dtype=np.int32),
            "head": np.array([1, 2, 2], dtype=np.int32),
            "length_m": [1100.0, 1000.0, 1500.0],
            "road_class": ["motorway", "primary", "unclassified"],
            "oneway": [True, False, False],
        }
    )
    return table.assign(**changes)


def arcs_of(graph) -> set[tuple[int, int, int]]:
    label = graph.node_id
    return {
        (int(label[t]), int(label[h]), int(ms))
        for t, h, ms in zip(graph.arc_tail, graph.head, graph.duration_ms, strict=True)
    }


def test_times_by_hand() -> None:
    """1,100 m at 110 km/h: 36 s; 1,000 m at 75: 48 s; 1,500 m at 70: 77.142857 s."""
    graph = graph_from_tables(nodes(), edges(), speed_kmh=SPEED)
    assert arcs_of(graph) == {
        (0, 1, 36_000), (1, 2, 48_000), (2, 1, 48_000), (0, 2, 77_143), (2, 0, 77_143),
    }  # fmt: skip


def test_own_speed_wins_over_the_class() -> None:
    graph = graph_from_tables(nodes(), edges(car_kmh=[np.nan, 36.0, np.nan]), speed_kmh=SPEED)
    assert (1, 2, 100_000) in arcs_of(graph)
    assert (0, 1, 36_000) in arcs_of(graph)
    slower = with_speeds(graph, speed_kmh={**SPEED, "motorway": 55.0, "primary": 1.0})
    assert (0, 1, 72_000) in arcs_of(slower)
    assert (1, 2, 100_000) in arcs_of(slower)


def test_a_class_without_speed_is_fine_where_the_edge_has_its_own() -> None:
    table = edges(car_kmh=[np.nan, 36.0, np.nan], road_class=["motorway", "track", "unclassified"])
    assert (1, 2, 100_000) in arcs_of(graph_from_tables(nodes(), table, speed_kmh=SPEED))


def test_half_goes_up() -> None:
    assert round_half_up(np.array([0.5, 1.5, 2.5, 2.4999, 0.0])).tolist() == [1, 2, 3, 2, 0]


def test_morton_order_by_hand() -> None:
    x = np.array([0.0, 1.0, 0.0, 1.0])
    y = np.array([0.0, 0.0, 1.0, 1.0])
    assert np.argsort(morton_code(x, y)).tolist() == [0, 1, 2, 3]
    graph = graph_from_tables(nodes(), edges(), speed_kmh=SPEED)
    assert np.all(np.diff(morton_code(graph.x_m, graph.y_m).astype(np.int64)) >= 0)
    np.testing.assert_array_equal(graph.x_m, nodes()["x"].to_numpy()[graph.node_id])


@settings(max_examples=150, deadline=None)
@given(model=models())
def test_round_trip_through_networkx(model: nx.MultiDiGraph) -> None:
    graph = from_networkx(model)
    again = to_networkx(graph)
    assert dict(again.nodes(data=True)) == dict(model.nodes(data=True))
    key = ("duration_ms", "oneway", "road_class", "length_m")
    listed = [
        sorted((t, h, *(d[k] for k in key)) for t, h, d in m.edges(data=True))
        for m in (model, again)
    ]
    assert listed[0] == listed[1]
    twice = from_networkx(again)
    for name in ("x_m", "node_id", "indptr", "head", "duration_ms"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(graph, name))


@settings(max_examples=100, deadline=None)
@given(model=models())
def test_segments_keep_the_quickest_road_each_way(model: nx.MultiDiGraph) -> None:
    graph = from_networkx(model)
    quickest: dict[tuple[int, int], int] = {}
    for tail, head, ms in model.edges(data="duration_ms"):
        quickest[tail, head] = min(ms, quickest.get((tail, head), MAX_MS))
    label, seg = graph.node_id.tolist(), graph.segments
    seen = set()
    for a, b, fwd, bwd in zip(seg.a, seg.b, seg.forward_ms, seg.backward_ms, strict=True):
        assert fwd == quickest.get((label[a], label[b]), -1)
        assert bwd == quickest.get((label[b], label[a]), -1)
        seen.add(frozenset((label[a], label[b])))
    assert seen == {frozenset(pair) for pair in quickest if pair[0] != pair[1]}


def test_an_edited_arc_becomes_a_road_of_its_own() -> None:
    graph = graph_from_tables(nodes(), edges(), speed_kmh=SPEED)
    model = to_networkx(graph)
    model[2][1][0]["duration_ms"] = 99_000
    assert {(1, 2, 48_000), (2, 1, 99_000)} <= arcs_of(from_networkx(model))


def refused(node_table: pd.DataFrame, edge_table: pd.DataFrame, **speeds: float) -> str:
    with pytest.raises(InputError) as caught:
        graph_from_tables(node_table, edge_table, speed_kmh=speeds or SPEED)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"length_m": [1.0, -5.0, 1.0]}, ["road_edges: row 1", "negative", "-5.0", "metres"]),
        ({"length_m": [1.0, 1.0, np.nan]}, ["row 2", "no length"]),
        ({"length_m": [0.0, 1.0, 0.0]}, ["row 0", "zero", "2 rows"]),
        ({"length_m": [1e12, 1.0, 1.0]}, ["row 0", "24 days"]),
        ({"tail": [0, 3, 0]}, ["row 1", "tail is not a node", "0 to 2"]),
        ({"head": [1, -1, 0]}, ["row 1", "head is not a node"]),
        ({"head": [1, 1.5, 0]}, ["row 1", "head is not a node"]),
        ({"road_class": ["motorwy", "primary", "primary"]}, ["'motorwy'", "did you mean motorway"]),
        ({"road_class": ["motorway", None, "primary"]}, ["row 1", "unclassified"]),
        ({"car_kmh": [np.nan, -3.0, 50.0]}, ["row 1", "car_kmh", "-3.0"]),
        ({"oneway": [None, True, False]}, ["oneway", "true or false"]),
    ],
)
def test_bad_edges_are_refused(changes: dict[str, object], says: list[str]) -> None:
    message = refused(nodes(), edges(**changes))
    for part in says:
        assert part in message


def test_all_faults_come_together() -> None:
    table = edges(length_m=[-1.0, 1.0, 1.0], road_class=["zzz", "primary", "primary"])
    message = refused(nodes(), table)
    assert "negative" in message
    assert "zzz" in message


def test_bad_nodes_are_refused() -> None:
    assert "no coordinate x" in refused(nodes().assign(x=[np.nan, 1e6, 1e6]), edges())
    degrees = pd.DataFrame({"x": [2.3, 2.4, 2.4], "y": [48.8, 48.8, 48.9]})
    assert "EPSG:2154" in refused(degrees, edges())
    assert "no node" in refused(nodes().iloc[:0], edges().iloc[:0])
    assert "rename lenght_m to length_m" in refused(
        nodes(), edges().rename(columns={"length_m": "lenght_m"})
    )
    assert "not above 0" in refused(nodes(), edges(), motorway=0.0, primary=1.0, unclassified=1.0)


@pytest.mark.parametrize("bad", [-1, None, 1.5, float("nan"), 2**31])
def test_bad_times_in_networkx_are_refused(bad: object) -> None:
    model = nx.MultiDiGraph()
    model.add_node(0, x=6e5, y=6.5e6)
    model.add_node(1, x=6.1e5, y=6.5e6)
    model.add_edge(0, 1, duration_ms=bad)
    with pytest.raises(InputError, match="0 → 1: duration_ms"):
        from_networkx(model)


def test_nodes_without_coordinates_in_networkx_are_refused() -> None:
    model = nx.MultiDiGraph()
    model.add_node(7, x=6e5)
    with pytest.raises(InputError, match="7: the node has no coordinate y"):
        from_networkx(model)
    model = nx.MultiDiGraph()
    model.add_node("Paris", x=6e5, y=6.5e6)
    with pytest.raises(InputError, match="whole number"):
        from_networkx(model)
