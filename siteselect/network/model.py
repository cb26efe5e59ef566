"""networkx as the model that people read, build and edit; the arrays are derived from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.network.graph import MAX_MS, EdgeTable, RoadGraph, assemble

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_networkx", "to_networkx"]


def to_networkx(graph: RoadGraph) -> nx.MultiDiGraph[int]:
    """The graph as a ``MultiDiGraph``, one networkx edge an arc.

    Nodes are labelled by ``node_id`` (int) with ``x`` and ``y`` (float, metres). Arcs carry
    ``duration_ms`` (int), ``length_m`` (float), ``road_class`` (str), ``oneway`` (bool),
    ``car_kmh`` (float or None) and ``edge`` (int: both ways of one road have the same).
    """
    import networkx as nx  # a third of a second, and a run works on the arrays alone

    result: nx.MultiDiGraph[int] = nx.MultiDiGraph(crs="EPSG:2154")
    label = graph.node_id.tolist()
    xy = zip(graph.x_m.tolist(), graph.y_m.tolist(), strict=True)
    result.add_nodes_from((i, {"x": x, "y": y}) for i, (x, y) in zip(label, xy, strict=True))
    attributes = _edge_attributes(graph.edges)
    arcs = zip(
        graph.arc_tail.tolist(),
        graph.head.tolist(),
        graph.duration_ms.tolist(),
        graph.arc_edge.tolist(),
        strict=True,
    )
    result.add_edges_from(
        (label[tail], label[head], {"duration_ms": ms, "edge": edge, **attributes[edge]})
        for tail, head, ms, edge in arcs
    )
    return result


def _edge_attributes(edges: EdgeTable) -> list[dict[str, object]]:
    names = (*edges.class_names, "")
    return [
        {
            "length_m": length_m,
            "road_class": names[code],
            "oneway": oneway,
            "car_kmh": None if car_kmh != car_kmh else car_kmh,
        }
        for length_m, code, oneway, car_kmh in zip(
            edges.length_m.tolist(),
            edges.road_class.tolist(),
            edges.oneway.tolist(),
            edges.car_kmh.tolist(),
            strict=True,
        )
    ]


def from_networkx(model: nx.MultiDiGraph[int]) -> RoadGraph:
    """Arrays of a ``MultiDiGraph`` in the form of :func:`to_networkx`.

    Only ``x``, ``y`` and ``duration_ms`` are required. Two opposite arcs with the same ``edge``,
    the same time and ``oneway`` false make one two-way road; any other arc is a road driven one
    way.

    Raises
    ------
    InputError
        A label that is not a whole number, a node without coordinates, a time that is missing,
        negative, not whole or beyond 24 days.
    """
    log = FaultLog()
    label = sorted(node for node in model.nodes if _is_whole(log, node))
    row = {node: i for i, node in enumerate(label)}
    x_m = np.array([_coordinate(log, model.nodes[node], node, "x") for node in label])
    y_m = np.array([_coordinate(log, model.nodes[node], node, "y") for node in label])
    roads = _roads(log, model)
    log.check()
    names = tuple(dict.fromkeys(str(data.get("road_class", "unclassified")) for *_, data in roads))
    code = {name: i for i, name in enumerate(names)}
    edges = EdgeTable(
        tail=np.array([row[tail] for tail, *_ in roads], dtype=np.int32),
        head=np.array([row[head] for _, head, *_ in roads], dtype=np.int32),
        length_m=np.array([float(data.get("length_m", np.nan)) for *_, data in roads], dtype=float),
        road_class=np.array(
            [code[str(data.get("road_class", "unclassified"))] for *_, data in roads],
            dtype=np.int32,
        ),
        class_names=names,
        oneway=np.array([oneway for *_, oneway, _ in roads], dtype=np.bool_),
        car_kmh=np.array(
            [np.nan if data.get("car_kmh") is None else data["car_kmh"] for *_, data in roads],
            dtype=float,
        ),
    )
    edge_ms = np.array([data["duration_ms"] for *_, data in roads], dtype=np.int32)
    return assemble(x_m, y_m, node_id=np.array(label, dtype=np.int64), edges=edges, edge_ms=edge_ms)


_Road = tuple[int, int, bool, dict[str, Any]]


def _roads(log: FaultLog, model: nx.MultiDiGraph[int]) -> list[_Road]:
    """Arcs paired into roads: tail, head, oneway, attributes."""
    roads: list[_Road] = []
    waiting: dict[tuple[int, int, object], list[int]] = {}
    for tail, head, data in model.edges(data=True):
        if not _is_time(data.get("duration_ms")):
            log.add(
                Msg("duration_ms is not a whole number of milliseconds, 0 to 24 days"),
                file="networkx",
                where=f"{tail} → {head}",
                value=data.get("duration_ms"),
                remedy=Msg("give every arc its time as an integer"),
            )
            continue
        if data.get("edge") is None or data.get("oneway", True):
            roads.append((tail, head, True, data))
            continue
        opposite = waiting.get((head, tail, data["edge"]), [])
        mate = next((i for i in opposite if roads[i][3] == data), None)
        if mate is None:
            waiting.setdefault((tail, head, data["edge"]), []).append(len(roads))
            roads.append((tail, head, True, data))
        else:
            opposite.remove(mate)
            first = roads[mate]
            roads[mate] = (first[0], first[1], False, first[3])
    return roads


def _is_whole(log: FaultLog, node: object) -> bool:
    if isinstance(node, int) and not isinstance(node, bool):
        return True
    log.add(
        Msg("the label of a node is not a whole number"),
        file="networkx",
        value=node,
        remedy=Msg("relabel with networkx.convert_node_labels_to_integers"),
    )
    return False


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MS


def _coordinate(log: FaultLog, data: dict[str, Any], node: int, name: str) -> float:
    value = data.get(name)
    if isinstance(value, int | float) and np.isfinite(value):
        return float(value)
    log.add(
        Msg("the node has no coordinate {name}", name=name),
        file="networkx",
        where=str(node),
        value=value,
        remedy=Msg("give every node x and y in metres, EPSG:2154"),
    )
    return 0.0
