"""The longest distance between sites with which there is a portfolio, by bisection.

Feasibility changes only at distances that two sites really have, so a portfolio found for one
distance is good for its own least distance. Where time does not tell whether a distance is too
long, what is proven too long is brought nearer from above.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from siteselect.optimise.packing import packed_too_tightly
from siteselect.optimise.solution import Solution
from siteselect.optimise.stop import Seconds, Stop
from siteselect.problem import SelectionProblem, Separation, violations
from siteselect.problem.constraints import Ints

NEAR = 0.01
"""Distances nearer than this share of the one asked for are not told apart where time does not."""

PROOF_SHARE = 0.25
"""Share of the time kept to prove distances too long, once one was found that is not."""


@dataclass(frozen=True, eq=False)
class Shorter:
    """A distance that is enough, with its problem; no distance over ``most`` is (both whole
    units: decimetres in siteselect).
    """

    enough: int
    most: int
    problem: SelectionProblem


class Distances:
    """The distances of one separation of an infeasible problem.

    ``solve`` gives any portfolio of a problem, ``None`` out of time.
    """

    def __init__(
        self,
        problem: SelectionProblem,
        one: Separation,
        solve: Callable[[SelectionProblem], Solution | None],
    ) -> None:
        self._problem, self._one, self._solve = problem, one, solve

    def shorter(self, seconds_left: Seconds) -> Shorter | None:
        """The longest distance found that is enough; ``None`` where none was."""
        good = self._good(0)
        if good is None or good < 0:
            return None
        near = max(1, int(NEAR * self._one.distance))
        too_far = self._packed(near, Stop(seconds_left))
        # Good for ``good``, not told or too far at ``high``, proven too far from ``too_far`` on.
        high, kept = too_far, PROOF_SHARE * seconds_left()
        while high - good > (1 if high == too_far else near) and seconds_left() > kept:
            tried = (good + high) // 2
            found = self._good(tried)
            if found is not None and found >= 0:
                good = max(good, found)
                continue
            high = tried
            too_far = high if found is not None else too_far
        while too_far - high > near and seconds_left() > 0:
            tried = (high + too_far) // 2
            found = self._good(tried)
            if found is None:
                high = tried
            elif found < 0:
                too_far = tried
            else:
                good = max(good, found)
                high = max(high, min(too_far, good + 1))
        return Shorter(good, too_far - 1, self._at(good))

    def _packed(self, near: int, stop: Stop) -> int:
        """A distance from which on so many sites do not fit, by discs alone, quickly."""
        fits, too_far = 0, self._one.distance
        while too_far - fits > near and not stop():
            tried = (fits + too_far) // 2
            if packed_too_tightly(self._at(tried), stop) is None:
                fits = tried
            else:
                too_far = tried
        return too_far

    def _at(self, distance: int) -> SelectionProblem:
        other = dataclasses.replace(self._one, distance=distance)
        kept = tuple(other if each is self._one else each for each in self._problem.constraints)
        return dataclasses.replace(self._problem, constraints=kept)

    def _good(self, distance: int) -> int | None:
        """For how long a distance a portfolio found is good; −1: proven none, ``None``: unknown."""
        problem = self._at(distance)
        found = self._solve(problem)
        if found is None or found.objective is None:
            return -1 if found is not None and found.status == "infeasible" else None
        if violations(problem, found.columns.tolist(), found.restored.tolist()):
            return None
        return min(self._one.distance - 1, nearest(self._one.points[found.chosen], self._one))


def nearest(points: Ints, one: Separation) -> int:
    """The longest whole distance that points (int64[K, 2]) keep, that of ``one`` at most."""
    apart = points[:, None, :] - points[None, :, :]
    squared = (apart * apart).sum(axis=2)[~np.eye(len(points), dtype=bool)]
    return min(one.distance, math.isqrt(int(squared.min()))) if len(squared) else one.distance
