"""Random road graphs, and an independent way to compute every time: networkx and brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from siteselect.network import RoadGraph, Snapped

INF = float("inf")


def half_up(value: float) -> int:
    """The rule of rounding of the package, on float64."""
    return math.floor(value + 0.5)


@st.composite
def models(draw: st.DrawFn, max_nodes: int = 9) -> nx.MultiDiGraph:
    """Directed multigraphs: loops, parallel arcs, zero times, islands, one-ways, two-ways."""
    n = draw(st.integers(1, max_nodes))
    coordinate = st.integers(0, 12).map(lambda v: 500_000.0 + 1000.0 * v)
    model = nx.MultiDiGraph()
    for node in range(n):
        model.add_node(node, x=draw(coordinate), y=draw(coordinate))
    node = st.integers(0, n - 1)
    time = st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 500_000))
    road = st.tuples(node, node, time, st.booleans())
    for edge, (tail, head, ms, oneway) in enumerate(draw(st.lists(road, max_size=3 * n))):
        data = {"duration_ms": ms, "edge": edge, "oneway": oneway, "road_class": "primary",
                "length_m": 1.0, "car_kmh": None}  # fmt: skip
        model.add_edge(tail, head, **data)
        if not oneway:
            model.add_edge(head, tail, **data)
    return model


@st.composite
def points(draw: st.DrawFn, min_size: int = 0, max_size: int = 6) -> np.ndarray:
    value = st.one_of(
        st.integers(0, 12).map(lambda v: 500_000.0 + 1000.0 * v),
        st.floats(498_000, 514_000, allow_nan=False),
    )
    pairs = draw(st.lists(st.tuples(value, value), min_size=min_size, max_size=max_size))
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def with_places(graph: RoadGraph, model: nx.MultiDiGraph, places: dict[str, Snapped]) -> nx.DiGraph:
    """The model with a road side for every foot and a private node for every place.

    Every road that carries a foot is cut at all feet on it (in order along the road, the time
    of each part a difference of rounded times), so that a trip along one road is a path like
    any other.
    """
    result = nx.DiGraph()
    result.add_nodes_from(model.nodes)

    def link(tail: object, head: object, ms: int) -> None:
        if not result.has_edge(tail, head) or result[tail][head]["ms"] > ms:
            result.add_edge(tail, head, ms=ms)

    for tail, head, ms in model.edges(data="duration_ms"):
        link(tail, head, ms)
    label = graph.node_id.tolist()
    feet: dict[tuple[int, int], set[float]] = {}
    for name, snapped in places.items():
        for i in range(len(snapped)):
            result.add_node((name, i))
            if not snapped.on_network[i]:
                continue
            a, b = label[snapped.node[i, 0]], label[snapped.node[i, 1]]
            fraction = float(snapped.fraction[i])
            feet.setdefault((a, b), {0.0, 1.0}).add(fraction)
            foot = foot_name(a, b, fraction)
            link((name, i), foot, int(snapped.access_ms[i]))
            link(foot, (name, i, "arrive"), int(snapped.access_ms[i]))
    for (a, b), cuts in feet.items():
        for tail, head, turned in ((a, b, False), (b, a, True)):
            if not model.has_edge(tail, head):
                continue
            road = min(data["duration_ms"] for data in model[tail][head].values())
            at = {f: half_up((1 - f if turned else f) * road) for f in sorted(cuts)}
            line = sorted(cuts, reverse=turned)
            for start, end in pairwise(line):
                link(foot_name(a, b, start), foot_name(a, b, end), at[end] - at[start])
    return result


def foot_name(a: int, b: int, fraction: float) -> object:
    if fraction == 0:
        return a
    if fraction == 1:
        return b
    return (a, b, fraction)


def oracle_matrix(
    graph: RoadGraph, model: nx.MultiDiGraph, origins: Snapped, targets: Snapped
) -> np.ndarray:
    """float64[origins, targets]: ms by networkx, inf where there is no path."""
    world = with_places(graph, model, {"from": origins, "to": targets})
    table = np.full((len(origins), len(targets)), INF)
    for i in range(len(origins)):
        found = nx.single_source_dijkstra_path_length(world, ("from", i), weight="ms")
        for j in range(len(targets)):
            table[i, j] = found.get(("to", j, "arrive"), INF)
    return table
