"""Road-like directed graphs of any size, seeded: for benchmarks where no other is at hand.

    python road_graph.py NODES OUT.npz [--seed S]

Towns and country, the Delaunay triangulation thinned to a spanning tree and a part of the rest
(about 2.6 roads a node, as in OpenStreetMap), three tiers of faster roads along shortest paths
between towns, some one-way streets; the largest strongly connected part, in int32 milliseconds.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph
from scipy.spatial import Delaunay, cKDTree

SIDE_M = 740_000.0
TIERS = ((1, 1500, 65.0), (2, 500, 82.0), (3, 80, 112.0))


def build(nodes: int, *, seed: int = 1) -> dict[str, Any]:
    """Arrays ``indptr``, ``indices``, ``w`` (ms), ``cls`` (0 to 3), ``x``, ``y`` (m)."""
    random = np.random.default_rng(seed)
    towns = random.uniform(0.02, 0.98, (min(1500, max(nodes // 50, 3)), 2)) * SIDE_M
    xy = _points(random, nodes, towns)
    tail, head, length = _streets(random, xy)
    speed, tier = random.uniform(25, 50, tail.size), np.zeros(tail.size, dtype=np.int8)
    links = sp.csr_array((length, (tail, head)), shape=(nodes, nodes))
    place = {pair: i for i, pair in enumerate(zip(tail.tolist(), head.tolist(), strict=True))}
    near = cKDTree(xy).query(towns)[1]
    for level, count, kmh in TIERS:
        for edge in _between(links, near[:count], place):
            speed[edge], tier[edge] = kmh, level
    ms = np.maximum(np.rint(length * 1.2 / speed * 3600), 1).astype(np.int64)
    back = ~((tier == 0) & (random.random(tail.size) < 0.04))
    return _connected(
        xy,
        np.r_[tail, head[back]],
        np.r_[head, tail[back]],
        np.r_[ms, ms[back]],
        np.r_[tier, tier[back]],
    )


def _points(random: np.random.Generator, nodes: int, towns: Any) -> Any:
    size = 1 / np.arange(1, len(towns) + 1) ** 0.9
    urban = random.choice(len(towns), int(nodes * 0.45), p=size / size.sum())
    spread = 1500 + 14_000 * np.sqrt(size[urban])[:, None]
    xy = np.r_[
        random.uniform(0, SIDE_M, (nodes - urban.size, 2)),
        towns[urban] + random.normal(0, 0.6, (urban.size, 2)) * spread,
    ]
    return xy[np.lexsort((xy[:, 0], xy[:, 1] // 5000))]


def _streets(random: np.random.Generator, xy: Any) -> tuple[Any, Any, Any]:
    corners = Delaunay(xy).simplices
    pairs = np.sort(np.r_[corners[:, :2], corners[:, 1:], corners[:, ::2]], axis=1)
    pairs = np.unique(pairs, axis=0)
    length = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    tree = csgraph.minimum_spanning_tree(
        sp.csr_array((length + 1e-3, pairs.T), shape=(len(xy), len(xy)))
    ).tocoo()
    key = pairs[:, 0] * len(xy) + pairs[:, 1]
    in_tree = np.isin(key, np.minimum(*tree.coords) * len(xy) + np.maximum(*tree.coords))
    longest = np.quantile(length, 0.7)
    keep = in_tree | ((random.random(key.size) < 0.22) & (length < longest))
    return pairs[keep, 0], pairs[keep, 1], length[keep]


def _between(links: Any, towns: Any, place: dict[tuple[int, int], int]) -> set[int]:
    """Edges on the shortest paths from each town to the next two in the list."""
    found: set[int] = set()
    for k, town in enumerate(towns[:-1]):
        _, before = csgraph.dijkstra(
            links, directed=False, indices=town, return_predecessors=True, limit=120_000
        )
        for goal in towns[k + 1 : k + 3]:
            node = int(goal)
            while before[node] >= 0:
                a, b = sorted((node, int(before[node])))
                found.add(place[a, b])
                node = int(before[node])
    return found


def _connected(xy: Any, tail: Any, head: Any, ms: Any, tier: Any) -> dict[str, Any]:
    shape = (len(xy), len(xy))
    labels = csgraph.connected_components(
        sp.csr_array((np.ones(tail.size), (tail, head)), shape=shape), connection="strong"
    )[1]
    inside = labels == np.bincount(labels).argmax()
    number = np.cumsum(inside) - 1
    keep = inside[tail] & inside[head]
    tail, head, ms, tier = number[tail[keep]], number[head[keep]], ms[keep], tier[keep]
    order = np.lexsort((head, tail))
    counts = np.bincount(tail, minlength=int(inside.sum()))
    return {
        "indptr": np.r_[0, np.cumsum(counts)].astype(np.int32),
        "indices": head[order].astype(np.int32),
        "w": ms[order].astype(np.int32),
        "cls": tier[order],
        "x": xy[inside, 0],
        "y": xy[inside, 1],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", type=int)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    np.savez(given.out, **build(given.nodes, seed=given.seed))
