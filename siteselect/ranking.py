"""Ranking by what a site is worth to the portfolio, and the reserve as the model would take it.

The *replacement cost* of a selected site is what the objective loses when the site is forbidden
and everything is chosen again (Cabeza and Moilanen 2006, "Replacement cost: a practical measure
of site value for cost-effective reserve planning", Biological Conservation 132: 336-342). It
is exact where both solves are proven. A score says how good a site is alone; the replacement
cost says how much worse off the programme is without it: a good site with a good neighbour costs
little to lose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from siteselect import optimise
from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import SelectionProblem
from siteselect.scenario import RankingSettings
from siteselect.whatif import (
    Solve,
    difference,
    exact,
    locked,
    names,
    scaled_to,
    with_locks,
    without_lock,
)

Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]
ReserveBy = Literal["next", "model", "score"]
"""How a reserve list was drawn up, see ``[ranking]`` of a scenario."""


@dataclass(frozen=True)
class Replacement:
    """What happens when one selected site is forbidden.

    Attributes
    ----------
    site_id
        the site forbidden.
    cost
        objective lost, score × 10⁶; ``None`` when no portfolio exists without the site, or when
        the search stopped before its proof.
    status
        of the search without the site: ``optimal``, ``infeasible``, ``limit``…
    enter, leave
        sites that enter and leave (the site itself among them), as a new run would show.
    """

    site_id: str
    cost: int | None
    status: str
    enter: tuple[str, ...]
    leave: tuple[str, ...]


@dataclass(frozen=True)
class ReserveSite:
    """One site of the reserve list and why it stands there.

    ``replaces`` are the selected sites that it would stand in for; ``taken`` tells whether
    the model takes it when it may choose p + k sites around the selection.
    """

    site_id: str
    replaces: tuple[str, ...]
    taken: bool


@dataclass(frozen=True)
class Reserve:
    """The reserve list in order, and under which rules p + k sites were chosen."""

    sites: tuple[ReserveSite, ...]
    enlarged_status: str
    """status of the search with p + k sites: ``optimal``, ``infeasible``, ``not asked``…"""


@dataclass(frozen=True)
class Standing:
    """What a scenario asks of ranks: costs by site, and the reserve as the model would take it.

    ``costs`` holds ``None`` where no portfolio exists without the site, or none is proven;
    ``reserve`` is ``None`` where the reserve goes by score, as ``reserve_by`` then says.
    """

    costs: Mapping[str, int | None]
    reserve: tuple[str, ...] | None
    reserve_by: ReserveBy


@dataclass(frozen=True)
class NestedStep:
    """One step of a nested order: ``count`` sites, all of them in the next step."""

    count: int
    sites: tuple[str, ...]
    objective: int | None
    status: str


def replacement_costs(
    problem: SelectionProblem,
    solution: Solution,
    *,
    time_limit_s: float = 600.0,
    workers: int = 2,
    progress: Progress | None = None,
) -> tuple[Replacement, ...]:
    """The replacement cost of every selected site, in the order of their identifiers.

    All searches share one root relaxation; ``workers`` threads share the searches, with the same
    result on any number of them. Costs are exact; among equally good portfolios the
    sites that enter and leave need not be those that a new run settles on. A site that was
    forced in is freed and then forbidden: what it costs to lose it is asked of it too.
    """
    inside, _ = locked(problem)
    warm = optimise.replacement_costs(
        problem, solution, time_limit_s=time_limit_s, workers=workers, progress=progress
    )
    found = []
    for one in warm:
        if one.site in inside:
            search = exact(time_limit_s=time_limit_s, ties=False)
            found.append(replacement_of(problem, solution, one.site, solve=search))
            continue
        found.append(
            Replacement(
                names(problem, [one.site])[0],
                one.cost if one.status == "optimal" and solution.proven else None,
                one.status,
                names(problem, one.entering.tolist()),
                names(problem, one.leaving.tolist()),
            )
        )
    return tuple(sorted(found, key=lambda one: one.site_id))


def replacement_of(
    problem: SelectionProblem, solution: Solution, site: int, *, solve: Solve | None = None
) -> Replacement:
    """What happens without one selected site (its index)."""
    without = (solve or exact())(with_locks(problem, exclude=[site]))
    return _compared(problem, solution, without, site)


def _compared(
    problem: SelectionProblem, solution: Solution, other: Solution, site: int
) -> Replacement:
    name = names(problem, [site])[0]
    if other.objective is None or solution.objective is None:
        return Replacement(name, None, other.status, (), ())
    enter, leave = difference(problem, solution.chosen, other.chosen)
    proven = other.status == solution.status == "optimal"
    cost = solution.objective - other.objective if proven else None
    return Replacement(name, cost, other.status, enter, leave)


def standing_of(
    problem: SelectionProblem,
    solution: Solution,
    settings: RankingSettings,
    *,
    size: int,
    time_limit_s: float = 600.0,
    workers: int = 2,
    progress: Progress | None = None,
) -> Standing:
    """What ``[ranking]`` asks for: costs of the selected sites, and ``size`` sites in reserve.

    Where there is no room for ``size`` more sites beside the selection, sites that replace one
    that falls out are listed first, as for ``model``. The reserve goes by score where the
    portfolio, or a search that the reserve needs, is not proven: it would otherwise depend on
    the speed of the machine.
    """

    def replaced() -> tuple[Replacement, ...]:
        return replacement_costs(
            problem, solution, time_limit_s=time_limit_s, workers=workers, progress=progress
        )

    found = replaced() if settings.priced else ()
    costs = {one.site_id: one.cost for one in found}
    if settings.reserve == "score" or size == 0 or not solution.proven:
        return Standing(costs, None, "score")
    search = exact(time_limit_s=time_limit_s)
    by, falling = settings.reserve, found if settings.reserve == "model" else ()
    taken = reserve_list(problem, solution, falling, size=size, solve=search)
    if by == "next" and len(taken.sites) < size:
        by, falling = "model", found or replaced()
        taken = reserve_list(problem, solution, falling, size=size, solve=search)
    known = all(one.status in ("optimal", "infeasible") for one in falling)
    if not known or taken.enlarged_status != "optimal":
        return Standing(costs, None, "score")
    return Standing(costs, tuple(one.site_id for one in taken.sites), by)


def replacement_order(
    replacements: Sequence[Replacement], scores: Mapping[str, int]
) -> tuple[str, ...]:
    """Selected sites, the hardest to lose first.

    Sites without which nothing is feasible come first; ties by score, then by identifier.
    """
    return tuple(
        one.site_id
        for one in sorted(
            replacements,
            key=lambda one: (-_weight(one), -scores[one.site_id], one.site_id),
        )
    )


def _weight(one: Replacement) -> float:
    if one.cost is not None:
        return float(one.cost)
    return float("inf") if one.status == "infeasible" else -1.0


def reserve_list(
    problem: SelectionProblem,
    solution: Solution,
    replacements: Sequence[Replacement],
    *,
    size: int,
    solve: Solve | None = None,
) -> Reserve:
    """What the model would take next, ``size`` sites at most.

    First the sites that enter when a selected site falls out (in order of how many they stand in
    for; none where ``replacements`` is empty); then those of the best portfolio of p + ``size``
    sites around the selection, with budget, areas and quotas in proportion, land caps as they
    are (of fewer sites where there is no room for so many). Ties by score, then identifier.
    """
    search = solve or exact()
    stands_in: dict[str, list[str]] = {}
    selected = set(names(problem, solution.chosen))
    for one in replacements:
        for entering in one.enter:
            stands_in.setdefault(entering, []).append(one.site_id)
    taken, status = _enlarged(problem, solution, size, search)
    score = _best_scores(problem)
    banned = selected | set(names(problem, _forced_out(problem)))
    candidates = sorted(
        (set(stands_in) | taken) - banned,
        key=lambda name: (-len(stands_in.get(name, ())), name not in taken, -score[name], name),
    )
    sites = tuple(
        ReserveSite(name, tuple(sorted(stands_in.get(name, ()))), name in taken)
        for name in candidates[:size]
    )
    return Reserve(sites, status)


def _forced_out(problem: SelectionProblem) -> set[int]:
    return locked(problem)[1]


def _enlarged(
    problem: SelectionProblem, solution: Solution, size: int, solve: Solve
) -> tuple[set[str], str]:
    """Sites beyond the selection in the best portfolio of p + size that contains it."""
    if size <= 0:
        return set(), "not asked"
    larger = scaled_to(problem, problem.count + size, keep_minima=True)
    larger = with_locks(larger, include=solution.chosen.tolist())
    found = solve(larger)
    if found.status == "infeasible":
        # There is no room for so many more: as many as are worth it.
        found = solve(replace(larger, at_most=True))
    if found.objective is None:
        return set(), found.status
    enter, _ = difference(problem, solution.chosen, found.chosen)
    return set(enter), found.status


def _best_scores(problem: SelectionProblem) -> dict[str, int]:
    best = np.full(problem.n_sites, np.iinfo(np.int64).min)
    np.maximum.at(best, problem.site, problem.score)
    ids = problem.site_ids or tuple(map(str, range(problem.n_sites)))
    return dict(zip(ids, best.tolist(), strict=True))


def nested_order(
    problem: SelectionProblem,
    solution: Solution,
    *,
    step: int = 10,
    solve: Solve | None = None,
) -> tuple[NestedStep, ...]:
    """Top 10 ⊂ top 20 ⊂ … ⊂ the selection, each the best within the next.

    Sites are taken away from the outside in. Each step keeps to land caps and distances, to
    budget and areas in proportion to its number of sites, and to minima of quotas in proportion,
    rounded down: a wave that could be labelled first and stand alone. A step that is infeasible
    ends the order (its ``sites`` are empty).

    Raises
    ------
    ValueError
        A step under 1.
    """
    if step < 1:
        raise ValueError(Msg("a nested order needs steps of 1 or more"))
    search = solve or exact()
    steps = [
        NestedStep(
            len(solution.chosen), names(problem, solution.chosen), solution.objective,
            solution.status,
        )
    ]  # fmt: skip
    inside = set(solution.chosen.tolist())
    for count in range((len(inside) - 1) // step * step, 0, -step):
        outside = [s for s in range(problem.n_sites) if s not in inside]
        smaller = scaled_to(problem, count, keep_minima=True)
        found = search(with_locks(_freed(smaller), exclude=outside))
        steps.append(NestedStep(count, names(problem, found.chosen), found.objective, found.status))
        if found.objective is None:
            break
        inside = set(found.chosen.tolist())
    return tuple(reversed(steps))


def _freed(problem: SelectionProblem) -> SelectionProblem:
    """Without sites forced in: a smaller wave need not hold them all."""
    return without_lock(problem, locked(problem)[0])
