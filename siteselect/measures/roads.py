"""The road graph that a scenario drives on: its vehicle, its speeds, its closed and new roads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from siteselect.errors import FaultLog
from siteselect.network.edits import check_classes, edited_roads
from siteselect.network.graph import RoadGraph, graph_from_tables
from siteselect.network.vehicles import edges_for_hgv
from siteselect.scenario import NetworkEdit, NetworkSettings, Vehicle

__all__ = ["road_edits", "scenario_graph", "speeds_of"]


def scenario_graph(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    settings: NetworkSettings,
    *,
    vehicle: Vehicle = "car",
) -> RoadGraph:
    """The graph of the pack's ``road_nodes`` and ``road_edges`` under a scenario.

    Raises
    ------
    InputError
        Tables that make no graph, a class without speed, an edit far from every road.
    """
    edits = road_edits(settings)
    if edits:
        log = FaultLog()
        known = [name for name in settings.speed_kmh if name in settings.hgv_speed_kmh]
        check_classes(settings.edits, known, log)
        log.check()
        nodes, edges = edited_roads(nodes, edges, settings.edits)
    if vehicle == "hgv":
        edges = edges_for_hgv(edges, hgv_speed_kmh=settings.hgv_speed_kmh)
    return graph_from_tables(nodes, edges, speed_kmh=speeds_of(settings, vehicle))


def speeds_of(settings: NetworkSettings, vehicle: Vehicle) -> dict[str, float]:
    """Speed by road class of a vehicle, km/h."""
    return settings.hgv_speed_kmh if vehicle == "hgv" else settings.speed_kmh


def road_edits(settings: NetworkSettings) -> Sequence[NetworkEdit]:
    """The edits that change roads, not facilities."""
    return [edit for edit in settings.edits if edit.kind in ("close", "road")]
