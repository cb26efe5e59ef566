"""The road graph: arrays for work, networkx to read and edit, times between places."""

from siteselect.network.graph import RoadGraph, graph_from_tables, with_speeds
from siteselect.network.model import from_networkx, to_networkx
from siteselect.network.snap import Snapped, snap
from siteselect.network.travel import Routing, TimeMatrix, nearest_ms, time_matrix

__all__ = [
    "RoadGraph",
    "Routing",
    "Snapped",
    "TimeMatrix",
    "from_networkx",
    "graph_from_tables",
    "nearest_ms",
    "snap",
    "time_matrix",
    "to_networkx",
    "with_speeds",
]
