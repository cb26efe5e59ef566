"""Seeded covering instances from plain points: what peers are given, and what nobody closes.

``scattered`` is the instance of the textbooks and of spopt's own examples: demand points and
candidate sites anywhere in a square, a service radius. ``towns`` is the hard one: clustered
points, each of them a candidate, so that neighbours reach nearly the same demand.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOWNS, SPREAD = 12, 0.08
"""Clusters in the unit square and their standard deviation."""


@dataclass(frozen=True, eq=False)
class Covering:
    """Choose ``count`` sites; a demand point counts once a chosen site is within ``radius``.

    Attributes
    ----------
    demand, sites
        float64[n, 2], in the unit square (clusters reach a little beyond).
    weight
        int64[demand].
    """

    demand: Floats
    sites: Floats
    weight: Ints
    radius: float
    count: int

    def problem(self) -> Any:
        """The selection problem, the search for what is within reach included."""
        from scipy.sparse import csr_array
        from scipy.spatial import cKDTree

        from siteselect import SelectionProblem

        near = cKDTree(self.demand).query_ball_point(self.sites, self.radius, return_sorted=True)
        ends = np.concatenate([[0], np.cumsum([len(one) for one in near])])
        inside = np.concatenate([np.asarray(one, np.int64) for one in near])
        shape = (len(self.sites), len(self.demand))
        reach = csr_array((np.ones(len(inside), np.int64), inside, ends), shape=shape)
        return SelectionProblem.maximal_covering(reach, self.weight, self.count)


def scattered(demand: int, sites: int, seed: int, *, radius: float, count: int) -> Covering:
    """Points anywhere in the unit square, weights 1 to 99."""
    g = np.random.default_rng([seed, demand, sites])
    points, places = g.random((demand, 2)), g.random((sites, 2))
    return Covering(points, places, g.integers(1, 100, demand), radius, count)


def towns(points: int, seed: int, *, radius: float, count: int) -> Covering:
    """Points around a dozen towns, each of them a candidate, weights 1 to 999."""
    g = np.random.default_rng(seed)
    centres = g.random((TOWNS, 2))
    places = centres[g.integers(0, TOWNS, points)] + g.normal(0, SPREAD, (points, 2))
    return Covering(places, places, g.integers(1, 1000, points), radius, count)


def make_scattered(
    path: Path, demand: int, sites: int, seed: int, radius: float, count: int
) -> None:
    """Write the instance twice: for this interpreter, and as plain arrays for another one."""
    made = scattered(demand, sites, seed, radius=radius, count=count)
    path.write_bytes(pickle.dumps(made, protocol=5))
    np.savez(
        path.with_suffix(".npz"), demand=made.demand, sites=made.sites, weight=made.weight,
        radius=made.radius, count=made.count,
    )  # fmt: skip


def make_towns(path: Path, points: int, seed: int, radius: float, count: int) -> None:
    """Write a dense instance."""
    made = towns(points, seed, radius=radius, count=count)
    path.write_bytes(pickle.dumps(made, protocol=5))
