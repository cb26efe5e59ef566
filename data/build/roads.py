"""The road graph of France and 60 km around, from OpenStreetMap through scgraph-data (ODbL)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.build.dead_ends import join_dead_ends
from data.build.networks import Network, inside, landmass, read_network, stitch

MARGIN_M = 60_000.0
"""Roads are kept this far beyond the border: detours through a neighbour are real."""
GAP_M = 1_000.0
LAND_GAP_M = 2_000.0
"""On one landmass of France a separate piece of road is a fault of the data, not an island."""
LENGTH_FACTOR = 1.05
"""The package's lengths run straight between its nodes: 2 to 7 % short."""


@dataclass(frozen=True)
class Roads:
    """The road network; ``french`` marks nodes in France, ``main`` those of the mainland."""

    network: Network
    french: NDArray[np.bool_]
    main: NDArray[np.bool_]
    joins: int

    @property
    def connected_share(self) -> float:
        """Share of the French nodes that belong to the largest component."""
        return float(self.main[self.french].mean())

    def nodes_table(self) -> pd.DataFrame:
        """``x, y`` in metres; the row number is the node."""
        return pd.DataFrame({"x": self.network.xy[:, 0], "y": self.network.xy[:, 1]})

    def edges_table(self) -> pd.DataFrame:
        """Edges of the pack: undirected, class unknown."""
        return pd.DataFrame(
            {
                "tail": self.network.tail.astype(np.int32),
                "head": self.network.head.astype(np.int32),
                "length_m": self.network.length_m,
                "road_class": "unclassified",
                "oneway": False,
            }
        )


def load_roads(archive: Path, france: shapely.Geometry) -> Roads:
    """Clip, stitch gaps under 1 km (2 km on one landmass of France), join dead ends, lengthen.

    Components without any node in France (Kent, the Channel Islands, Sardinia) are dropped:
    nothing can reach them. Corsica and the islands stay, unconnected as they are.
    """
    whole = read_network(archive, "world_highways")
    clipped = whole.keep(inside(whole, france.buffer(MARGIN_M)))
    nearly, joins = stitch(clipped, gap_m=GAP_M)
    joined, more = stitch(nearly, gap_m=LAND_GAP_M, on_land=landmass(nearly, france))
    labels = joined.components()
    french_labels = np.unique(labels[inside(joined, france)])
    network, ends = join_dead_ends(joined.keep(np.isin(labels, french_labels)))
    length_m = np.round(network.length_m * LENGTH_FACTOR, 1)
    network = Network(network.xy, network.tail, network.head, length_m)
    labels = network.components()
    main = labels == np.bincount(labels).argmax()
    return Roads(network, inside(network, france), main, joins + more + ends)
