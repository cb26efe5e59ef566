"""Other good portfolios: near-optimal ones that differ, and what all of them have in common.

*Modelling to generate alternatives* (Brill, Chang and Hopkins 1982, Management Science 28:
221-235): portfolios within a stated loss of the optimum, each as different as asked from those
before it. Every one is an exact solve of the same model with two rows more: its value must
reach the floor, and at most p − k of each earlier portfolio's sites may return.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import Group, SelectionProblem, TotalArea
from siteselect.ranking import Replacement
from siteselect.whatif import Solve, difference, exact, names, with_constraints, with_scores

Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Alternative:
    """One other portfolio.

    ``loss`` is what it gives up of the objective, score × 10⁶; ``differs`` how many of its sites
    the reference portfolio does not have; ``proven`` that none better (or more different) exists.
    """

    sites: tuple[str, ...]
    columns: tuple[int, ...]
    objective: int
    loss: int
    differs: int
    enter: tuple[str, ...]
    leave: tuple[str, ...]
    proven: bool


@dataclass(frozen=True)
class Alternatives:
    """Near-optimal portfolios and the sites that none can do without.

    Attributes
    ----------
    floor
        least value accepted, score × 10⁶.
    common
        sites in **every** portfolio worth at least the floor (exact, from replacement costs).
    portfolios
        the alternatives found, in order.
    ended
        ``asked``: as many as asked for; ``exhausted``: proven that no further one exists;
        ``limit``: the search stopped before it could tell.
    """

    floor: int
    min_different: int
    common: tuple[str, ...]
    portfolios: tuple[Alternative, ...]
    ended: Literal["asked", "exhausted", "limit"]


def near_optimal(
    problem: SelectionProblem,
    solution: Solution,
    *,
    loss_share: float,
    min_different: int,
    how_many: int = 5,
    solve: Solve | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Alternative, ...], Literal["asked", "exhausted", "limit"]]:
    """The best portfolios that differ in at least ``min_different`` sites from all before.

    The first is the best that differs so much from the run, and so on, until the loss passes
    ``loss_share`` of the objective (0.01: one per cent), or there are ``how_many``.

    Raises
    ------
    ValueError
        A negative loss, or fewer than one different site asked for.
    """
    _check(loss_share, min_different)
    search = solve or exact(ties=False)
    floor = floor_of(solution, loss_share)
    found: list[Alternative] = []
    before = [solution.chosen]
    while len(found) < how_many:
        other = search(_apart(problem, before, min_different))
        if other.status == "infeasible":
            return tuple(found), "exhausted"
        if other.objective is None or not other.proven:
            return tuple(found), "limit"
        if other.objective < floor:
            return tuple(found), "exhausted"
        found.append(alternative(problem, solution, other))
        before.append(other.chosen)
        if progress is not None:
            progress("alternatives", len(found) / how_many)
    return tuple(found), "asked"


def most_different(
    problem: SelectionProblem,
    solution: Solution,
    *,
    loss_share: float,
    solve: Solve | None = None,
) -> Alternative | None:
    """A portfolio within the loss that shares as few sites with the run as can be.

    Of those that share as few, the best: solved in two exact steps. ``None`` where the search
    stopped at its limit. Needs a problem without union catchment, whose value is not a sum.

    Raises
    ------
    ValueError
        A negative loss, or a problem with union catchment.
    """
    _check(loss_share, 1)
    if not problem.is_sum:
        raise ValueError(Msg("the most different portfolio needs an objective that is a sum"))
    search = solve or exact(ties=False)
    outside = ~np.isin(problem.site, solution.chosen)
    held = with_constraints(problem, value_at_least(problem, floor_of(solution, loss_share)))
    widest = search(with_scores(held, outside.astype(np.int64)))
    if widest.objective is None or not widest.proven:
        return None
    different = widest.objective
    row = Group(Msg("sites that the run has not"), np.flatnonzero(outside), different, None)
    best = search(with_constraints(held, row))
    if best.objective is None:
        return None
    return alternative(problem, solution, best)


def value_at_least(problem: SelectionProblem, floor: int) -> TotalArea:
    """The value of a portfolio as a row: Σ score x ≥ floor (no union catchment)."""
    return TotalArea(Msg("value of the portfolio"), problem.score, floor, None)


def common_sites(
    replacements: Sequence[Replacement], solution: Solution, *, loss_share: float
) -> tuple[str, ...]:
    """Sites that every portfolio within the loss contains.

    A site belongs to all of them exactly when the best portfolio without it falls under the
    floor, that is, when its replacement cost is more than the loss.
    """
    allowed = int(solution.objective or 0) - floor_of(solution, loss_share)
    return tuple(
        sorted(
            one.site_id
            for one in replacements
            if one.status == "infeasible" or (one.cost is not None and one.cost > allowed)
        )
    )


def alternatives(
    problem: SelectionProblem,
    solution: Solution,
    replacements: Sequence[Replacement],
    *,
    loss_share: float = 0.01,
    min_different: int = 5,
    how_many: int = 5,
    solve: Solve | None = None,
    progress: Progress | None = None,
) -> Alternatives:
    """Near-optimal portfolios, and the sites common to every one within the loss."""
    found, ended = near_optimal(
        problem, solution, loss_share=loss_share, min_different=min_different,
        how_many=how_many, solve=solve, progress=progress,
    )  # fmt: skip
    return Alternatives(
        floor_of(solution, loss_share),
        min_different,
        common_sites(replacements, solution, loss_share=loss_share),
        found,
        ended,
    )


def floor_of(solution: Solution, loss_share: float) -> int:
    """Least integer value within the loss."""
    best = int(solution.objective or 0)
    return best - math.floor(abs(best) * loss_share)


def alternative(problem: SelectionProblem, solution: Solution, other: Solution) -> Alternative:
    """A solution beside the reference one, valued by the scores of ``problem``."""
    from siteselect.problem import objective

    value = objective(problem, other.columns.tolist())
    enter, leave = difference(problem, solution.chosen, other.chosen)
    return Alternative(
        names(problem, other.chosen),
        tuple(other.columns.tolist()),
        value,
        int(solution.objective or 0) - value,
        len(enter),
        enter,
        leave,
        other.proven,
    )


def _apart(
    problem: SelectionProblem, before: Sequence[Ints], min_different: int
) -> SelectionProblem:
    rows = []
    for number, sites in enumerate(before):
        columns = np.flatnonzero(np.isin(problem.site, sites))
        most = max(len(sites) - min_different, 0)
        rows.append(Group(Msg("unlike portfolio {number}", number=number), columns, 0, most))
    return replace(problem, constraints=(*problem.constraints, *rows))


def _check(loss_share: float, min_different: int) -> None:
    if loss_share < 0:
        raise ValueError(Msg("the loss accepted cannot be negative"))
    if min_different < 1:
        raise ValueError(Msg("alternatives must differ in at least one site"))
