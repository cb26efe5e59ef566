"""How many sites can be a distance apart: too many wanted is said at once, and exactly.

All the sites in a disc of less than that diameter exclude each other, so a portfolio holds one of
them at most. Discs with weights that cover every site once bound the size of any portfolio; the
linear programme proposes the weights, integers check them.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from siteselect.optimise.lp import INFINITE, GrowingLp
from siteselect.optimise.stop import NEVER_STOP, OutOfTimeError, Stop
from siteselect.problem import Group, Locks, SelectionProblem, Separation
from siteselect.problem.constraints import Ints

DISCS_PER_DISTANCE = 6
"""Centres of discs are a sixth of the distance apart."""
MOST_DISCS = 20_000
WEIGHT_SCALE = 2**20
SAMPLE = 2_000
"""Points looked at first: where these can be far apart there is no need of more."""


def packed_too_tightly(
    problem: SelectionProblem, stop: Stop = NEVER_STOP
) -> tuple[Separation, int] | None:
    """The first separation that no portfolio so large can respect, and the most it lets.

    ``None`` proves nothing: only what is cheap to see is seen.
    """
    groups = [one.at_least for one in problem.constraints if isinstance(one, Group)]
    wanted = max(groups, default=0) if problem.at_most else problem.count
    open_sites = np.zeros(problem.n_sites, bool)
    open_sites[problem.site] = True
    for one in problem.constraints:
        if isinstance(one, Locks):
            open_sites[one.exclude] = False
    for one in problem.constraints:
        if isinstance(one, Separation) and one.distance > 0:
            points = one.points[open_sites]
            few = points[:: max(1, len(points) // SAMPLE)]
            if any(_reaches(some, one.distance, wanted) for some in (few, points)):
                continue
            most = most_apart(np.unique(points, axis=0), one.distance, stop)
            if most is not None and most < wanted:
                return one, most
    return None


def _reaches(points: Ints, distance: int, wanted: int) -> bool:
    """Whether sites taken one after the other from west to east are so many, all far enough."""
    left = points[np.argsort(points[:, 0], kind="stable")]
    for _ in range(wanted):
        if not len(left):
            return False
        apart = left - left[0]
        left = left[(apart * apart).sum(axis=1) >= distance * distance]
    return True


def most_apart(points: Ints, distance: int, stop: Stop = NEVER_STOP) -> int | None:
    """No more than so many of the points (int64[K, 2]) are pairwise ``distance`` apart or more.

    ``None`` where that would take too many discs, or too long.
    """
    if not len(points):
        return 0
    discs = _discs(points, distance)
    if discs is None:
        return None
    weight = _cover(discs, stop)
    least = int((discs @ weight).min())
    return int(weight.sum()) // least if least > 0 else None


def _discs(points: Ints, distance: int) -> csr_array | None:
    """int64 CSR, kinds of point × discs: which discs hold it; points in the same discs are one."""
    step = max(1, distance // DISCS_PER_DISTANCE)
    low, high = points.min(axis=0), points.max(axis=0)
    sides = [np.arange(int(a), int(b) + step, step) for a, b in zip(low, high, strict=True)]
    if len(sides[0]) * len(sides[1]) > MOST_DISCS:
        return None
    centres = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    near = cKDTree(points.astype(np.float64)).query_ball_point(centres.astype(float), distance / 2)
    groups: dict[bytes, list[int]] = {}
    members: list[Ints] = []
    for centre, around in zip(centres, near, strict=True):
        own = np.array(sorted(around), np.int64)
        apart = points[own] - centre
        # Twice the radius stays under the distance, exactly.
        own = own[4 * (apart * apart).sum(axis=1) < distance * distance]
        if len(own) and own.tobytes() not in groups:
            groups[own.tobytes()] = []
            members.append(own)
    disc = np.repeat(np.arange(len(members)), [len(one) for one in members])
    inside = csr_array(
        (np.ones(len(disc), np.int64), (np.concatenate(members), disc)),
        shape=(len(points), len(members)),
    )
    inside.sort_indices()
    keys = {inside.indices[a:b].tobytes(): i for i, (a, b) in enumerate(
        zip(inside.indptr[:-1], inside.indptr[1:], strict=True))}  # fmt: skip
    return csr_array(inside[np.array(sorted(keys.values()), np.int64)])


def _cover(discs: csr_array, stop: Stop) -> Ints:
    """int64[discs], weights that cover every kind of point about ``WEIGHT_SCALE`` times."""
    many, wide = discs.shape
    lp = GrowingLp()
    lp.add_columns(
        -np.ones(wide), np.zeros(wide), np.full(wide, INFINITE), np.zeros(wide + 1, np.int64),
        np.zeros(0, np.int64), np.zeros(0),
    )  # fmt: skip
    lp.add_rows(
        np.ones(many), np.full(many, INFINITE), discs.indptr.astype(np.int64),
        discs.indices.astype(np.int64), discs.data.astype(np.float64), elastic=False,
    )  # fmt: skip
    lp.seconds_left = stop.seconds_left
    with suppress(OutOfTimeError):
        lp.solve()
    weight: NDArray[np.float64] = np.maximum(lp.value[:wide], 0.0)
    return np.rint(weight * WEIGHT_SCALE).astype(np.int64)
