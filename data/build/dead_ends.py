"""Roads that stop short of each other: dead ends joined where the way round is absurd.

The package breaks some roads inside one component (a bridge over the Seine, a motorway between
two of its tiles): both sides are connected, by a detour of tens of kilometres. Closing gaps
between components (:func:`data.build.networks.stitch`) cannot see them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from data.build.networks import Network

NODE_GAP_M = 1_000.0
"""A dead end is joined to any node this near…"""
END_GAP_M = 3_000.0
"""… or to another dead end this near (the Pont de Normandie leaves 2.6 km)…"""
DETOUR_FACTOR = 5.0
DETOUR_M = 8_000.0
"""… where the way round is both this many times the gap and this long."""
_BATCH = 256


def join_dead_ends(network: Network) -> tuple[Network, int]:
    """The network with the absurd gaps at dead ends closed; also how many.

    Only places that a way already joins are linked: an island stays an island. Every dead end
    gets one link at most, to the nearest node that qualifies; lengths are those of the gap.
    """
    ends = network.degree() == 1
    pairs = _candidates(network, np.flatnonzero(ends), ends)
    added = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    gaps = np.hypot(*(network.xy[added[:, 0]] - network.xy[added[:, 1]]).T)
    joined = Network(
        network.xy,
        np.concatenate([network.tail, added[:, 0]]),
        np.concatenate([network.head, added[:, 1]]),
        np.concatenate([network.length_m, np.maximum(gaps, 1.0)]),
    )
    return joined, len(added)


def _candidates(
    network: Network, dead: NDArray[np.int64], ends: NDArray[np.bool_]
) -> set[tuple[int, int]]:
    count = len(network.xy)
    roads = coo_array((network.length_m, (network.tail, network.head)), shape=(count, count))
    matrix, tree = roads.tocsr(), cKDTree(network.xy)
    limit_m = max(DETOUR_M, DETOUR_FACTOR * END_GAP_M)
    whole = network.components()
    pairs: set[tuple[int, int]] = set()
    for low in range(0, dead.size, _BATCH):
        batch = dead[low : low + _BATCH]
        ways_m = dijkstra(matrix, directed=False, indices=batch, limit=limit_m)
        for node, way_m in zip(batch.tolist(), ways_m, strict=True):
            near = np.array(sorted(tree.query_ball_point(network.xy[node], END_GAP_M)))
            near = near[(near != node) & (whole[near] == whole[node])]
            gap_m = np.hypot(*(network.xy[near] - network.xy[node]).T)
            absurd = way_m[near] > np.maximum(DETOUR_FACTOR * gap_m, DETOUR_M)
            near_enough = (gap_m <= NODE_GAP_M) | ends[near]
            chosen = np.flatnonzero(absurd & near_enough)
            if chosen.size:
                other = int(near[chosen[np.argmin(gap_m[chosen])]])
                pairs.add((min(node, other), max(node, other)))
    return pairs
