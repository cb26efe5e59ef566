"""What is given up for what: Pareto fronts and the price of zero net artificialisation.

Two exact ways to an efficient portfolio. *Weighted sums* (Aneja and Nair 1979 for two objectives)
reach the points on the hull of the front and are as quick as the choice itself. The
*epsilon-constraint* method (Haimes, Lasdon and Wismer 1971) in its hybrid form (Chankong and
Haimes 1983; compare AUGMECON, Mavrotas 2009, Applied Mathematics and Computation 213: 455-465)
reaches those between: maximise a sum in which every objective has a positive weight, subject to
a floor on each of the others. Either way the answer is efficient: a portfolio that dominated it
would satisfy the same floors and be worth more. End points are lexicographic optima. A search
that stops before its proof gives no point; it is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.manysolves import Answer, solve_draws
from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import Ledger, SelectionProblem, TotalArea, ledger_net
from siteselect.reopen import Case
from siteselect.units import SCORE_SCALE
from siteselect.whatif import (
    Solve,
    difference,
    exact,
    names,
    with_constraints,
    with_programme_cap,
)

Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]
PRIMARY = 1000
"""Weight of the objective that has no floor, against 1 for the others: any positive one will do."""
WEIGHT_UNITS = 10_000
"""Weights of a sum are whole numbers of this size."""
GROUP_UNITS = 10_000
"""Group scores count in these parts of a point: finer differences mean nothing to anybody."""
COST_KEUR = 100
"""Costs count in steps of so many k€: they are estimates by ratios."""
OBJECTIVES = ("score", "access", "workforce", "network", "new_ha", "cost", "brownfields")


@dataclass(frozen=True)
class Point:
    """One efficient portfolio: the value of each objective, as integers to be maximised."""

    values: tuple[int, ...]
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
    """

    objectives: tuple[str, ...]
    points: tuple[Point, ...]
    solves: int
    open: int

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


@dataclass(frozen=True, eq=False)
class _Family:
    """Numbered problems: weighted sums first, then floors on all but the first (picklable)."""

    base: SelectionProblem
    values: tuple[Ints, ...]
    weights: tuple[tuple[int, ...], ...]
    floors: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.weights) + len(self.floors)

    def problem(self, number: int) -> SelectionProblem:
        """One of them."""
        if number < len(self.weights):
            return _weighted(self.base, self.values, self.weights[number])
        return _hybrid(self.base, self.values, self.floors[number - len(self.weights)])


def column_values(case: Case, name: str) -> Ints:
    """What each column adds to an objective, integer, the more the better.

    ``score`` is the objective of the scenario; ``access``, ``workforce``, ``network`` the score of
    the group (0 to 1, × 10⁴) times the factor of the variant; ``new_ha`` minus 0.01 ha newly
    artificialised; ``cost`` minus the works, in steps of 100 k€; ``brownfields`` 1 a site.

    Raises
    ------
    KeyError
        An unknown objective.
    """
    columns, sites = case.formulation.columns, case.formulation.sites
    if name == "score":
        return case.problem.score
    if name == "new_ha":
        charged: Ints = -columns["new_units"].to_numpy(np.int64)
        return charged
    if name == "cost":
        works: Ints = -np.rint(columns["cost_keur"].to_numpy() / COST_KEUR).astype(np.int64)
        return works
    position = columns["site"].to_numpy()
    if name == "brownfields":
        brown: Ints = (sites["kind"] == "brownfield").to_numpy(np.int64)[position]
        return brown
    if name not in OBJECTIVES:
        raise KeyError(name)
    factor = np.where(columns["variant"] == "reuse", case.scenario.variants.reuse_factor, 1.0)
    points = sites[f"score_{name}"].to_numpy(dtype=float)[position] * factor
    rounded: Ints = np.rint(points * GROUP_UNITS).astype(np.int64)
    return rounded


def in_units(name: str, values: pd.Series[int]) -> pd.Series[float]:
    """Integers of an objective in the unit that people read, sign as people read it."""
    if name == "score":
        return values / SCORE_SCALE
    if name in ("access", "workforce", "network"):
        return values / GROUP_UNITS
    if name == "new_ha":
        return -values / 100
    return -values * float(COST_KEUR) if name == "cost" else values.astype(float)


def two_objectives(
    problem: SelectionProblem,
    first: tuple[str, Ints],
    second: tuple[str, Ints],
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
    patience_s
        seconds given to a search inside a gap; end points have the limit of ``solve``.
    """
    names_ = (first[0], second[0])
    state = _Search(problem, (first[1], second[1]), solve or exact(ties=False), patience_s)
    start, end = state.end_point(0), state.end_point(1)
    if start is None or end is None:
        return Front(names_, (), state.solves, state.open)
    found = {start.values: start, end.values: end}
    closed: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
    while len(found) < points:
        gap = _widest(sorted(found), closed)
        if gap is None:
            break
        point = state.between(*gap)
        if point is None:
            closed.add(gap)
            continue
        found[point.values] = point
        if progress is not None:
            progress("front", len(found) / points)
    chosen = tuple(found[key] for key in sorted(found, reverse=True))
    return Front(names_, _efficient(chosen), state.solves, state.open)


def _widest(
    values: Sequence[tuple[int, ...]], closed: set[tuple[tuple[int, ...], tuple[int, ...]]]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The widest open gap (left: more of the first objective), or ``None``."""
    span = [max(1, max(v[k] for v in values) - min(v[k] for v in values)) for k in (0, 1)]
    best, widest = None, 0.0
    for low, high in pairwise(values):
        gap = (high, low)
        width = max((high[0] - low[0]) / span[0], (low[1] - high[1]) / span[1])
        if gap not in closed and low[1] - high[1] > 1 and width > widest:
            best, widest = gap, width
    return best


def three_objectives(
    problem: SelectionProblem,
    objectives: Sequence[tuple[str, Ints]],
    *,
    divisions: int = 6,
    grid: int = 4,
    workers: int = 1,
    solve: Solve | None = None,
    patience_s: float = 5.0,
    progress: Progress | None = None,
) -> Front:
    """A front of three objectives: exact end points, weighted sums, and a grid of floors.

    Parameters
    ----------
    divisions
        weights are all multiples of 1/divisions that are positive and sum to 1, each objective
        scaled by its range over the end points.
    grid
        floors on the second and third objective stand at so many even steps between the worst
        and the best value of the end points; 0 leaves them out.
    patience_s
        seconds given to each search, four times as many to an end point. An end point that is
        not proven by then is counted as open, and a sum that leans to its objective stands in.
    """
    labels = tuple(name for name, _ in objectives)
    values = tuple(array for _, array in objectives)
    patient = solve or exact(time_limit_s=4 * patience_s, ties=False)
    state = _Search(problem, values, patient, patience_s)
    ends = [state.end_point(k) or state.leaning(k) for k in range(len(values))]
    known = [end for end in ends if end is not None]
    if not known:
        return Front(labels, (), state.solves, state.open)
    least = [min(end.values[k] for end in known) for k in range(len(values))]
    most = [max(end.values[k] for end in known) for k in range(len(values))]
    span = [max(1, high - low) for low, high in zip(least, most, strict=True)]
    steps = [
        [least[k] + span[k] * i // (grid + 1) for i in range(1, grid + 1)]
        for k in range(1, len(values))
    ]
    family = _Family(problem, values, _simplex(divisions, span), tuple(product(*steps)))
    answers = solve_draws(family, workers=workers, time_limit_s=patience_s, progress=progress)
    found = {end.values: end for end in known}
    for one in answers:
        if one.proven:
            point = _point(problem, values, one.columns)
            found[point.values] = point
    stopped = sum(one.status not in ("optimal", "infeasible") for one in answers)
    chosen = tuple(found[key] for key in sorted(found, reverse=True))
    return Front(labels, _efficient(chosen), state.solves + len(answers), state.open + stopped)


def _simplex(divisions: int, span: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Positive weights in even steps, each divided by the range of its objective."""
    shares = [
        share for share in product(range(1, divisions), repeat=len(span)) if sum(share) == divisions
    ]
    scale = WEIGHT_UNITS * max(span)
    return tuple(
        tuple(
            max(1, part * scale // (divisions * width))
            for part, width in zip(share, span, strict=True)
        )
        for share in shares
    )


class _Search:
    """Efficient points of some objectives, one solve each."""

    def __init__(
        self, problem: SelectionProblem, values: tuple[Ints, ...], solve: Solve, patience_s: float
    ) -> None:
        self.problem, self.values, self.solve = problem, values, solve
        self.quick = exact(time_limit_s=patience_s, ties=False)
        self.solves, self.open = 0, 0

    def _solved(self, problem: SelectionProblem, solve: Solve) -> Point | None:
        self.solves += 1
        found = solve(problem)
        if found.proven:
            return _point(self.problem, self.values, found.columns)
        self.open += found.status != "infeasible"
        return None

    def end_point(self, k: int) -> Point | None:
        """The best of one objective and, among those, the best sum of the others."""
        others = np.asarray(sum(v for i, v in enumerate(self.values) if i != k), np.int64)
        total = (1 + _range(self.problem, others)) * self.values[k] + others
        whole = replace(self.problem, coverage=None, score=np.asarray(total, np.int64))
        return self._solved(whole, self.solve)

    def leaning(self, k: int) -> Point | None:
        """The best of a sum in which one objective weighs a hundred times the others."""
        weights = tuple(100 if i == k else 1 for i in range(len(self.values)))
        return self._solved(_weighted(self.problem, self.values, weights), self.quick)

    def between(self, left: tuple[int, ...], right: tuple[int, ...]) -> Point | None:
        """A point of two objectives inside a gap (left: more of the first one)."""
        slope = (right[1] - left[1], left[0] - right[0])
        largest = max(slope)
        weights = tuple(max(1, part * WEIGHT_UNITS // largest) for part in slope)
        point = self._solved(_weighted(self.problem, self.values, weights), self.quick)
        if point is not None and left[1] < point.values[1] < right[1]:
            return point
        floor = max((left[1] + right[1] + 1) // 2, left[1] + 1)
        for least in dict.fromkeys((floor, left[1] + 1)):
            point = self._solved(_hybrid(self.problem, self.values, (least,)), self.quick)
            if point is not None and left[1] < point.values[1] < right[1]:
                return point
        return None


def _weighted(
    problem: SelectionProblem, values: tuple[Ints, ...], weights: tuple[int, ...]
) -> SelectionProblem:
    """Maximise Σ weight × objective, all weights positive."""
    total = sum(weight * v for weight, v in zip(weights, values, strict=True))
    return replace(problem, coverage=None, score=np.asarray(total, np.int64))


def _range(problem: SelectionProblem, values: Ints) -> int:
    """By how much Σ values can differ between two portfolios: one unit of the objective that
    comes first, times more than this, outweighs all the others.
    """
    ordered = np.sort(values)
    return int(ordered[-problem.count :].sum() - ordered[: problem.count].sum())


def _hybrid(
    problem: SelectionProblem, values: tuple[Ints, ...], floors: tuple[int, ...]
) -> SelectionProblem:
    """Maximise PRIMARY × first + the others, each of them at least its floor."""
    total = PRIMARY * values[0] + sum(values[1:])
    base = replace(problem, coverage=None, score=np.asarray(total, np.int64))
    rows = [floor_row(v, least) for v, least in zip(values[1:], floors, strict=True)]
    return with_constraints(base, *rows)


def floor_row(values: Ints, least: int) -> TotalArea:
    """Σ values x ≥ least."""
    return TotalArea(Msg("floor of an objective"), np.asarray(values, np.int64), int(least), None)


def _point(problem: SelectionProblem, values: tuple[Ints, ...], columns: Ints) -> Point:
    sums = tuple(sum(v[columns].tolist()) for v in values)
    sites = names(problem, problem.site[columns].tolist())
    return Point(sums, sites, tuple(int(j) for j in columns))


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


# --- the price of zero net artificialisation ---------------------------------------------------


@dataclass(frozen=True, eq=False)
class PriceCurve:
    """Objective against the programme's cap on net artificialisation.

    Attributes
    ----------
    steps
        per cap, tightest first: cap_ha, status, objective, ``price`` (what is lost against no
        programme cap, score × 10⁶), net_ha, gross_ha, restored_ha, and the sites that enter and
        leave against the step before (the looser side: reading from tight to loose).
    free_objective
        without the programme's cap, the other ledgers kept.
    """

    steps: pd.DataFrame
    free_objective: int | None
    proven: bool


@dataclass(frozen=True, eq=False)
class _Caps:
    """Numbered problems that differ by the programme's cap (picklable)."""

    base: SelectionProblem
    caps: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.caps)

    def problem(self, number: int) -> SelectionProblem:
        """The problem under one cap."""
        return with_programme_cap(self.base, self.caps[number])


def price_of_zan(
    case: Case,
    *,
    steps: int = 10,
    caps_ha: Sequence[float] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PriceCurve:
    """The objective for caps from zero net to what the free choice takes.

    Parameters
    ----------
    caps_ha
        caps to try, ha; by default ``steps`` even ones from the scenario's cap (or 0) to the net
        of the best portfolio without a programme cap.
    """
    held = case.formulation.with_zan(True)
    programme = [one for one in held.constraints if _is_programme(one)]
    if not programme:
        cap = case.scenario.zan.programme_cap_ha
        raise ValueError(Msg("the scenario has no programme cap (it is {cap})", cap=cap))
    ledger = programme[0]
    assert isinstance(ledger, Ledger)
    limit = case.scenario.solve.time_limit_s
    free_problem = replace(
        held, constraints=tuple(one for one in held.constraints if one is not ledger)
    )
    free = exact(time_limit_s=limit, ties=False)(free_problem)
    caps = _caps(ledger, free, steps, caps_ha)
    answers = solve_draws(_Caps(held, caps), workers=workers, time_limit_s=limit, progress=progress)
    table = _curve(held, ledger, caps, answers, free)
    proven = free.proven and all(one.status in ("optimal", "infeasible") for one in answers)
    return PriceCurve(table, free.objective, proven)


def _is_programme(one: object) -> bool:
    return isinstance(one, Ledger) and one.level == "programme"


def _caps(
    ledger: Ledger, free: Solution, steps: int, caps_ha: Sequence[float] | None
) -> tuple[int, ...]:
    if caps_ha is not None:
        return tuple(sorted({int(np.floor(cap * 100 + 1e-6)) for cap in caps_ha}))
    top = ledger_net(ledger, free.columns.tolist(), free.restored.tolist())
    low = min(ledger.cap, top)
    return tuple(sorted({low + (top - low) * i // max(steps, 1) for i in range(steps + 1)}))


def _curve(
    problem: SelectionProblem,
    ledger: Ledger,
    caps: Sequence[int],
    answers: Sequence[Answer],
    free: Solution,
) -> pd.DataFrame:
    charge = dict(zip(ledger.columns.tolist(), ledger.charge.tolist(), strict=True))
    rows, before = [], None
    for cap, one in zip(caps, answers, strict=True):
        row: dict[str, object] = {"cap_ha": cap / 100, "status": one.status}
        chosen = problem.site[one.columns].tolist()
        row["objective"] = one.objective
        known = one.objective is not None and free.objective is not None
        row["price"] = free.objective - one.objective if known else None  # type: ignore[operator]
        row["gross_ha"] = sum(charge.get(int(j), 0) for j in one.columns) / 100
        enter, leave = difference(problem, chosen if before is None else before, chosen)
        row["enter"], row["leave"] = " ".join(enter), " ".join(leave)
        if one.objective is not None:
            before = chosen
        rows.append(row)
    return pd.DataFrame(rows)


FRONTS: Mapping[str, tuple[str, str]] = {
    "new_ha": ("score", "new_ha"),
    "cost": ("score", "cost"),
    "brownfields": ("score", "brownfields"),
}
"""Fronts of the scenario's objective against another figure."""
