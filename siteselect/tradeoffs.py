"""What is given up for what: Pareto fronts of two or three objectives, every point proven.

Two exact ways to an efficient portfolio. *Weighted sums* reach the points on the hull of the
front and are as quick as the choice itself: for two objectives Aneja and Nair (1979), for three
the facets of the hull of what is known, the widest first (Solanki, Appino and Cohon 1993,
European Journal of Operational Research 68: 356-373). The *epsilon-constraint* method (Haimes,
Lasdon and Wismer 1971) in its hybrid form (Chankong and Haimes 1983; compare AUGMECON, Mavrotas
2009, Applied Mathematics and Computation 213: 455-465) reaches those between: a sum in which
every objective has a positive weight, with a floor on some of them. Either way the answer is
efficient: a portfolio that dominated it would satisfy the same floors and be worth more. End
points are lexicographic optima. A search that stops before its proof gives no point; it is
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.hull import Facet, upper_facets
from siteselect.messages import Msg
from siteselect.problem import SelectionProblem, TotalArea
from siteselect.stakes import Objective, in_units, weighted
from siteselect.whatif import Solve, exact, names, with_constraints

Ints = NDArray[np.int64]
Values = tuple[int, ...]
Progress = Callable[[str, float], None]
PRIMARY = 1000
"""Weight of the objective that has no floor, against 1 for the other, at most: any will do."""
LARGEST_SUM = 1_000_000_000
"""A sum of objectives stays about under this: multipliers are proposed in floating point."""
LEAST_SHARE = 1e-2
"""What an objective that a facet does not weigh counts for, as a share of the one most weighed."""
END_PATIENCE = 6
"""How much longer the search for an end point may take than one inside the front."""


@dataclass(frozen=True)
class Point:
    """One efficient portfolio: the value of each objective, as integers to be maximised."""

    values: Values
    sites: tuple[str, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Front:
    """Efficient points, none dominated, best first objective first.

    Attributes
    ----------
    objectives
        names; ``new_ha`` and ``cost`` are minimised, their values stand with the sign changed.
    solves
        searches made.
    open
        searches that stopped before their proof: their points are left out, so that every point
        shown is proven efficient, but one between two of them may be missing.
    ends
        whether the end point of each objective is proven; where it is not, a point that leans to
        the objective stands in.
    widest
        widest gap that is left between neighbours, as a share of the range of the end points.
    """

    objectives: tuple[str, ...]
    points: tuple[Point, ...]
    solves: int
    open: int
    ends: tuple[bool, ...]
    widest: float

    @property
    def proven(self) -> bool:
        """Whether every search reached its proof."""
        return self.open == 0

    def table(self) -> pd.DataFrame:
        """One row a point: objectives in their own units (points, ha, k€, sites), and sites."""
        frame = pd.DataFrame([point.values for point in self.points], columns=list(self.objectives))
        for name in self.objectives:
            frame[name] = in_units(name, frame[name])
        frame["sites"] = [" ".join(point.sites) for point in self.points]
        return frame


def two_objectives(
    problem: SelectionProblem,
    first: Objective,
    second: Objective,
    *,
    points: int = 12,
    solve: Solve | None = None,
    patience_s: float = 5.0,
    progress: Progress | None = None,
) -> Front:
    """A front of two objectives: exact end points, then the widest gap filled again and again.

    Gaps are measured on both axes, each scaled by its range, so that the points spread evenly.
    Fewer points come back where the front has no more within the gaps.

    Parameters
    ----------
    second
        Without a union catchment: floors stand on it.
    patience_s
        seconds given to a search inside a gap; end points have the limit of ``solve``, or
        :data:`END_PATIENCE` times as many.
    """
    if second.coverage is not None:
        raise ValueError(Msg("the objective with a union catchment comes first"))
    state = _Search(problem, (first, second), solve, patience_s)
    if state.end_point(0) is None or state.end_point(1) is None:
        return state.front(1.0)
    closed: set[tuple[Values, Values]] = set()
    while len(state.found) < points:
        gap = _widest(sorted(state.found), closed, 1 / (4 * points))
        if gap is None:
            break
        if state.between(*gap) is None:
            closed.add(gap)
        elif progress is not None:
            progress("front", len(state.found) / points)
    return state.front(_width(sorted(state.found)))


def _widest(
    values: Sequence[Values], closed: set[tuple[Values, Values]], least: float
) -> tuple[Values, Values] | None:
    """The widest open gap (left: more of the first objective), or ``None``.

    A gap under the ``least`` share of the range is too narrow to show anything.
    """
    span = _spans(values)
    best, widest = None, least
    for low, high in pairwise(values):
        gap = (high, low)
        width = max((high[0] - low[0]) / span[0], (low[1] - high[1]) / span[1])
        if gap not in closed and low[1] - high[1] > 1 and width > widest:
            best, widest = gap, width
    return best


def _width(values: Sequence[Values]) -> float:
    """The widest gap of a front of two objectives, as a share of the range."""
    span = _spans(values)
    return max(
        (max(abs(a[k] - b[k]) / span[k] for k in (0, 1)) for a, b in pairwise(values)), default=0.0
    )


def _spans(values: Sequence[Values]) -> list[int]:
    return [max(1, max(v[k] for v in values) - min(v[k] for v in values)) for k in (0, 1)]


def three_objectives(
    problem: SelectionProblem,
    objectives: Sequence[Objective],
    *,
    points: int = 40,
    solve: Solve | None = None,
    patience_s: float = 5.0,
    progress: Progress | None = None,
) -> Front:
    """A front of three objectives: exact end points, then the widest facet of the hull, again.

    The sum that a facet's normal weighs finds the point farthest above it, or proves that the
    hull ends there; then a point under the facet, between its two farthest corners, is looked
    for with a floor on what each of them has less of.

    Parameters
    ----------
    points
        how many to find; fewer come back where the front has no more.
    patience_s
        seconds given to each search; end points have the limit of ``solve``, or
        :data:`END_PATIENCE` times as many.
    """
    state = _Search(problem, tuple(objectives), solve, patience_s)
    ends = [state.end_point(k) for k in range(len(objectives))]
    closed: dict[frozenset[Values], int] = {}
    widest = 1.0
    while all(ends):
        facets = [one for one in upper_facets(sorted(state.found)) if one.width > 0]
        widest = max((one.width for one in facets), default=0.0)
        todo = [one for one in facets if closed.get(one.key, 0) < len(_TRIES)]
        if not todo or len(state.found) >= points:
            break
        # Sums first, everywhere: they take a tenth of the time of a search under a facet.
        facet = min(todo, key=lambda one: (closed.get(one.key, 0), -one.width, sorted(one.key)))
        tried = closed.get(facet.key, 0)
        if _TRIES[tried](state, facet) is None:
            closed[facet.key] = tried + 1
        elif progress is not None:
            progress("front", len(state.found) / points)
    return state.front(widest)


class _Search:
    """Efficient points of some objectives, one solve each."""

    def __init__(
        self,
        problem: SelectionProblem,
        objectives: tuple[Objective, ...],
        solve: Solve | None,
        patience_s: float,
    ) -> None:
        self.problem, self.objectives = problem, objectives
        self.solve = solve or exact(time_limit_s=END_PATIENCE * patience_s, ties=False)
        self.quick = exact(time_limit_s=patience_s, ties=False)
        self.sizes = [max(1, one.size(problem)) for one in objectives]
        self.found: dict[Values, Point] = {}
        self.ends = [False] * len(objectives)
        self.solves, self.open = 0, 0

    def front(self, widest: float) -> Front:
        """What was found."""
        chosen = tuple(self.found[key] for key in sorted(self.found, reverse=True))
        labels = tuple(one.name for one in self.objectives)
        return Front(labels, _efficient(chosen), self.solves, self.open, tuple(self.ends), widest)

    def _solved(self, problem: SelectionProblem, solve: Solve) -> Point | None:
        self.solves += 1
        found = solve(problem)
        if found.proven:
            values = tuple(one.of(self.problem, found.columns) for one in self.objectives)
            sites = names(self.problem, self.problem.site[found.columns].tolist())
            return Point(values, sites, tuple(int(j) for j in found.columns))
        self.open += found.status != "infeasible"
        return None

    def _new(self, point: Point | None) -> Point | None:
        """A point that was not known, now kept."""
        if point is None or point.values in self.found:
            return None
        self.found[point.values] = point
        return point

    def sum_of(self, weights: Values, floors: Sequence[TotalArea] = ()) -> Point | None:
        """The best of a sum with floors."""
        problem = with_constraints(weighted(self.problem, self.objectives, weights), *floors)
        return self._solved(problem, self.quick)

    def whole(self, shares: Sequence[float]) -> Values:
        """Positive whole weights in about the proportion of the shares, so that the sum stays
        under :data:`LARGEST_SUM`.
        """
        least = LEAST_SHARE * max(
            share * size for share, size in zip(shares, self.sizes, strict=True)
        )
        held = [max(s, least / size) for s, size in zip(shares, self.sizes, strict=True)]
        sums = sum(share * size for share, size in zip(held, self.sizes, strict=True))
        return tuple(max(1, round(share * LARGEST_SUM / sums)) for share in held)

    def end_point(self, k: int) -> Point | None:
        """The best of one objective and, among those, the best sum of the others.

        A sum that leans to the objective and reaches its optimum holds the best of the others;
        it need not lean outright, which floating-point multipliers carry badly. Where none is
        proven to, the one that leans most stands in, and ``ends`` says so.
        """
        many = len(self.objectives)
        alone = tuple(int(i == k) for i in range(many))
        best = self._solved(weighted(self.problem, self.objectives, alone), self.solve)
        others = sum(one.span(self.problem) for i, one in enumerate(self.objectives) if i != k)
        most = max(1, LARGEST_SUM // self.sizes[k])
        tries: list[tuple[int, list[TotalArea]]] = [(most, [])]
        if best is not None and self.objectives[k].coverage is None:
            tries.append((most, [self.floor(k, best.values[k])]))
        stand_in = None
        for weight, floors in (*tries, (others + 1, [])):
            weights = tuple(weight if i == k else 1 for i in range(many))
            problem = with_constraints(weighted(self.problem, self.objectives, weights), *floors)
            point = self._solved(problem, self.solve)
            if point is not None and best is not None and point.values[k] == best.values[k]:
                self.ends[k] = True
                return self._kept(point)
            stand_in = stand_in or point
        return None if stand_in is None else self._kept(stand_in)

    def _kept(self, point: Point) -> Point:
        return self.found.setdefault(point.values, point)

    def between(self, left: Values, right: Values) -> Point | None:
        """A point of two objectives inside a gap (left: more of the first one)."""
        slope = (right[1] - left[1], left[0] - right[0])
        point = self.sum_of(self.whole(slope))
        if point is not None and left[1] < point.values[1] < right[1]:
            return self._new(point)
        floor = max((left[1] + right[1] + 1) // 2, left[1] + 1)
        heavy = max(1, min(PRIMARY, LARGEST_SUM // self.sizes[0]))
        for least in dict.fromkeys((floor, left[1] + 1)):
            point = self.sum_of((heavy, 1), [self.floor(1, least)])
            if point is not None and left[1] < point.values[1] < right[1]:
                return self._new(point)
        return None

    def above(self, facet: Facet) -> Point | None:
        """The point farthest above a facet of the hull."""
        return self._new(self.sum_of(self.whole(facet.normal)))

    def under(self, facet: Facet) -> Point | None:
        """A point between the two farthest corners of a facet."""
        one, other = facet.farthest
        less, more = min, max
        floors = [
            self.floor(k, (one[k] + other[k]) // 2 + 1)
            for k in (
                more(range(len(one)), key=lambda k: (one[k] - other[k]) * facet.normal[k]),
                less(range(len(one)), key=lambda k: (one[k] - other[k]) * facet.normal[k]),
            )
        ]
        return self._new(self.sum_of(self.whole(facet.normal), floors))

    def floor(self, k: int, least: int) -> TotalArea:
        """Σ values x ≥ least."""
        values = self.objectives[k].values
        return TotalArea(Msg("floor of an objective"), np.asarray(values, np.int64), least, None)


_TRIES: tuple[Callable[[_Search, Facet], Point | None], ...] = (_Search.above, _Search.under)
"""What is tried on a facet, one after the other."""


def _efficient(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without dominated points: a second line of defence, none is expected."""
    kept = []
    for one in points:
        beaten = any(
            other.values != one.values
            and all(a >= b for a, b in zip(other.values, one.values, strict=True))
            for other in points
        )
        if not beaten:
            kept.append(one)
    return tuple(kept)
