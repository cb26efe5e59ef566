"""Read a network of scgraph-data without running it, and clip it to France."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from data.build.packages import read_member
from siteselect.units import CRS, CRS_WEB, M_PER_KM

_PAIR = re.compile(r"(\d+): ([\d.eE+-]+)")


@dataclass(frozen=True)
class Network:
    """An undirected network: nodes in metres EPSG:2154, each edge once with tail < head.

    ``xy`` has shape (nodes, 2), ``tail`` and ``head`` (edges,), ``length_m`` (edges,).
    """

    xy: NDArray[np.float64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    length_m: NDArray[np.float64]

    def components(self) -> NDArray[np.int32]:
        """Component number of every node."""
        count = len(self.xy)
        matrix = coo_array((np.ones(len(self.tail)), (self.tail, self.head)), shape=(count, count))
        labels: NDArray[np.int32] = connected_components(matrix, directed=False)[1]
        return labels

    def keep(self, mask: NDArray[np.bool_]) -> Network:
        """The network on the nodes of ``mask``, renumbered in order."""
        number = np.cumsum(mask) - 1
        edges = mask[self.tail] & mask[self.head]
        return Network(
            self.xy[mask],
            number[self.tail[edges]],
            number[self.head[edges]],
            self.length_m[edges],
        )

    def degree(self) -> NDArray[np.int64]:
        """Number of edges at every node."""
        return np.bincount(np.concatenate([self.tail, self.head]), minlength=len(self.xy))


def read_network(archive: Path, name: str) -> Network:
    """Parse ``graph=[{{head: km}}, …]`` and ``nodes=[[lat, lon], …]`` of a module as text.

    The file is never executed. Self-loops are dropped and both directions made one.
    """
    text = read_member(archive, f"scgraph_data/{name}.py").decode("ascii")
    start, middle = text.index("graph=[") + 7, text.index("nodes=[")
    end = text.index("]]", middle) + 2
    latlon = np.array(json.loads(text[middle + 6 : end]), dtype=np.float64)
    rows = text[start:middle].rstrip().rstrip("]").split("}, {")
    return _assemble(latlon, rows)


def _assemble(latlon: NDArray[np.float64], rows: list[str]) -> Network:
    box = (
        (latlon[:, 0] > 40.5)
        & (latlon[:, 0] < 52.0)
        & (latlon[:, 1] > -6.0)
        & (latlon[:, 1] < 10.5)
    )
    number = np.cumsum(box) - 1
    lengths_m: dict[tuple[int, int], float] = {}
    for node in np.flatnonzero(box):
        for other, km in _PAIR.findall(rows[node]):
            if box[int(other)] and int(other) != node:
                a, b = sorted((int(number[node]), int(number[int(other)])))
                length_m = float(km) * M_PER_KM
                lengths_m[a, b] = min(length_m, lengths_m.get((a, b), np.inf))
    pairs = np.array(sorted(lengths_m), dtype=np.int64).reshape(-1, 2)
    transformer = pyproj.Transformer.from_crs(CRS_WEB, CRS, always_xy=True)
    x, y = transformer.transform(latlon[box, 1], latlon[box, 0])
    return Network(
        np.rint(np.column_stack([x, y])),
        pairs[:, 0],
        pairs[:, 1],
        np.array([lengths_m[a, b] for a, b in pairs.tolist()]),
    )


def inside(network: Network, area: shapely.Geometry) -> NDArray[np.bool_]:
    """Whether each node lies in ``area``."""
    shapely.prepare(area)
    mask: NDArray[np.bool_] = shapely.contains_xy(area, network.xy[:, 0], network.xy[:, 1])
    return mask


def landmass(network: Network, land: shapely.Geometry) -> NDArray[np.int64]:
    """Which part of ``land`` (mainland, an island) each node lies on, or -1."""
    tree = shapely.STRtree(shapely.get_parts(land))
    on_land = np.full(len(network.xy), -1, dtype=np.int64)
    nodes, parts = tree.query(shapely.points(network.xy), predicate="within")
    on_land[nodes] = parts
    return on_land


def stitch(
    network: Network, *, gap_m: float, on_land: NDArray[np.int64] | None = None
) -> tuple[Network, int]:
    """Join components across gaps under ``gap_m``, nearest pairs first; also how many joins.

    Only nodes of different components are joined (Kruskal), so no shortcut appears inside one;
    with ``on_land`` (of :func:`landmass`) only nodes on the same landmass.
    """
    pairs = cKDTree(network.xy).query_pairs(gap_m, output_type="ndarray")
    labels = network.components()
    pairs = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
    if on_land is not None:
        a, b = on_land[pairs[:, 0]], on_land[pairs[:, 1]]
        pairs = pairs[(a == b) & (a >= 0)]
    gaps = np.hypot(*(network.xy[pairs[:, 0]] - network.xy[pairs[:, 1]]).T)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], gaps))
    parent = list(range(int(labels.max()) + 1))

    def root(label: int) -> int:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    joins: list[int] = []
    for index in order:
        tail, head = (root(int(labels[node])) for node in pairs[index])
        if tail != head:
            parent[tail] = head
            joins.append(int(index))
    added = np.sort(pairs[joins], axis=1).reshape(-1, 2)
    joined = Network(
        network.xy,
        np.concatenate([network.tail, added[:, 0]]),
        np.concatenate([network.head, added[:, 1]]),
        np.concatenate([network.length_m, np.maximum(gaps[joins], 1.0)]),
    )
    return joined, len(joins)
