"""The least change of one requirement that makes a portfolio possible, in the planner's units.

Without the requirement, one exact optimisation finds how near to it a portfolio of all the others
comes: what is missing is the least change, proven to the unit. Stopped by the clock, the nearest
portfolio met is still offered, with what its bound says is needed at least. Distances are bisected,
locks opened one by one. Every change that is offered comes with a portfolio checked in integers
against the problem so changed.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from siteselect.messages import Msg
from siteselect.optimise.distances import Distances
from siteselect.optimise.least import Extreme
from siteselect.optimise.sides import Side, fewer_sites, more_sites, sides_of
from siteselect.optimise.solution import Solution
from siteselect.problem import Constraint, Locks, SelectionProblem, Separation, violations

ANY_PORTFOLIO = 1e300
"""A gap so wide that the first portfolio found ends the search."""
MOST_TRIED = 16
MOST_LOCKS = 8
MOST_S = 2.0
"""Seconds for one solve that only asks whether there is a portfolio."""
MOST_COUNTING_S, MOST_BISECTING_S = 8.0, 15.0
"""Seconds for a number of sites, which may be tried one by one, and for a distance."""
MORE = 1.5
"""A requirement is tried again where there is so many times more time for it."""
DECIMETRES_PER_KM = 10_000


@dataclass(frozen=True, eq=False)
class Easing:
    """One requirement changed, and the problem that is feasible with it.

    Attributes
    ----------
    share
        the change as a share of the figure changed: what orders different units.
    least
        no smaller change of this requirement alone is enough, proven.
    needed
        where it is not: what is needed at least, proven, if that says anything.
    """

    text: Msg
    problem: SelectionProblem
    share: float
    least: bool
    needed: Msg | None = None

    @property
    def shown(self) -> Msg:
        """The text, with what is known where a smaller change may do."""
        if self.least:
            return self.text
        if self.needed is None:
            return Msg("{change} (enough; less may do)", change=self.text)
        return Msg(
            "{change} (enough; no less than {needed} will do)",
            change=self.text, needed=self.needed,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Tried:
    """The changes that one task found, and whether more time may find better ones."""

    found: tuple[Easing, ...] = ()
    settled: bool = True


def easings(
    problem: SelectionProblem, conflict: Sequence[Constraint], *, time_limit_s: float
) -> tuple[Easing, ...]:
    """Changes of a single requirement of an infeasible problem that make it feasible.

    ``conflict`` holds the requirements to try, the number of sites is always tried; the smallest
    change comes first, as a share of its figure. Each has its part of the time that is left, and
    what others leave where that is not enough; out of time, fewer are found. An interrupt ends it
    with what was found.
    """
    finder = _Finder(problem, time.perf_counter() + time_limit_s)
    tasks = finder.tasks(conflict[:MOST_TRIED])
    tried = [_Tried(settled=False)] * len(tasks)
    given = [0.0] * len(tasks)
    with suppress(KeyboardInterrupt):
        for _ in range(2):
            left = [i for i, one in enumerate(tried) if not one.settled]
            for many, i in zip(range(len(left), 0, -1), left, strict=True):
                seconds = finder.allow(many)
                if seconds > MORE * given[i]:
                    given[i] = seconds
                    tried[i] = _better(tasks[i](), tried[i])
    found = (easing for one in tried for easing in one.found)
    return tuple(sorted(found, key=lambda one: (one.share, not one.least)))


class _Finder:
    """Changes one requirement after the other, within one limit of time."""

    def __init__(self, problem: SelectionProblem, deadline: float) -> None:
        self.problem = dataclasses.replace(problem, coverage=None, workforce=None)
        self.deadline = self.end = deadline

    def allow(self, tasks: int) -> float:
        """Give the next of so many tasks its part of the time left: seconds."""
        now = time.perf_counter()
        self.end = now + (self.deadline - now) / tasks
        return self.end - now

    def seconds_left(self) -> float:
        """Time left for the present task."""
        return self.end - time.perf_counter()

    def tasks(self, conflict: Sequence[Constraint]) -> list[Callable[[], _Tried]]:
        """What there is to try, the number of sites first."""
        made: list[Callable[[], _Tried]] = [self.count]
        for one in conflict:
            if isinstance(one, Separation):
                made.append(partial(self.separation, one))
            elif isinstance(one, Locks):
                made.append(partial(self.locks, one))
            else:
                made.extend(partial(self.side, side) for side in sides_of(self.problem, one))
        return made

    def side(self, side: Side) -> _Tried:
        """The least change of one figure, where some change is enough."""
        counted = side.most is not None
        if counted:
            self.end = min(self.end, time.perf_counter() + MOST_COUNTING_S)
        found = side.extreme(self.seconds_left() / (2 if counted else 1))
        if found is None:
            return _Tried()
        needed = max(1, -found.bound - side.sign * side.figure)
        enough = None if found.value is None else -found.value - side.sign * side.figure
        if enough is not None and not _holds(side, enough, found):
            return _Tried()
        if side.most is not None:
            enough, needed = self.counted(side, side.most, enough, needed)
        if enough is None:
            return _Tried(settled=False)
        to, least = side.figure + side.sign * enough, needed >= enough
        says = side.amount(needed) if needed > 1 and not least else None
        share = enough / max(1, abs(side.figure))
        easing = Easing(side.text(enough, to), side.eased(to), share, least, says)
        return _Tried((easing,), settled=least)

    def counted(
        self, side: Side, most: int, enough: int | None, needed: int
    ) -> tuple[int | None, int]:
        """A change of a number of sites tried one by one, from the least upwards, then halved.

        ``enough`` is known to be (``None``: nothing is), ``needed`` at least; both come back.
        """
        low, step = needed - 1, 1
        while self.seconds_left() > 0 and low + 1 < (most + 1 if enough is None else enough):
            middle = low + step if enough is None else min(low + step, (low + enough) // 2)
            middle = min(max(middle, low + 1), most)
            answer = self.feasible(side.eased(side.figure + side.sign * middle))
            if answer:
                enough, step = middle, most
                continue
            if answer is False and middle == needed:
                needed += 1
            low, step = middle, 2 * step
        return enough, needed

    def count(self) -> _Tried:
        """Fewer sites or, where that is never enough, more."""
        problem = self.problem
        tried = _Tried() if problem.at_most else self.side(fewer_sites(problem))
        if tried.found or problem.count >= problem.n_sites:
            return tried
        more = self.side(more_sites(problem))
        return more if more.found else _Tried(settled=tried.settled and more.settled)

    def separation(self, one: Separation) -> _Tried:
        """A shorter distance."""
        self.end = min(self.end, time.perf_counter() + MOST_BISECTING_S)
        found = Distances(self.problem, one, self.solve).shorter(self.seconds_left)
        if found is None:
            return _Tried(settled=False)
        change, needed = one.distance - found.enough, one.distance - found.most
        text = Msg(
            "{name}: {km:.10g} km less, {to:.10g} km",
            name=one.name, km=change / DECIMETRES_PER_KM, to=found.enough / DECIMETRES_PER_KM,
        )  # fmt: skip
        least = needed >= change
        says = Msg("{km:.10g} km", km=needed / DECIMETRES_PER_KM)
        easing = Easing(
            text, found.problem, change / max(1, one.distance), least,
            says if needed > 1 and not least else None,
        )  # fmt: skip
        return _Tried((easing,), settled=least)

    def locks(self, one: Locks) -> _Tried:
        """One site no longer forced in or out."""
        return _Tried(tuple(self.opened(one)))

    def opened(self, one: Locks) -> Iterator[Easing]:
        """The locks that are enough to open, one at a time."""
        names = self.problem.site_ids
        for side, sites in (("include", one.include), ("exclude", one.exclude)):
            for site in sites[:MOST_LOCKS].tolist():
                other = Locks(
                    one.name,
                    one.include[one.include != site] if side == "include" else one.include,
                    one.exclude[one.exclude != site] if side == "exclude" else one.exclude,
                )
                eased = dataclasses.replace(
                    self.problem,
                    constraints=tuple(
                        other if each is one else each for each in self.problem.constraints
                    ),
                )
                if self.feasible(eased):
                    label = str(site) if names is None else names[site]
                    text = (
                        Msg("{site} no longer forced in", site=label)
                        if side == "include"
                        else Msg("{site} no longer forced out", site=label)
                    )
                    yield Easing(text, eased, 1 / len(sites), least=True)

    # ---- whether there is a portfolio ----------------------------------------------------

    def solve(self, problem: SelectionProblem) -> Solution | None:
        """Any portfolio of a changed problem; ``None`` out of time."""
        from siteselect.optimise.solve import solve

        left = min(MOST_S, self.seconds_left())
        if left <= 0:
            return None
        return solve(problem, time_limit_s=left, gap=ANY_PORTFOLIO, ties=False, explain=False)

    def feasible(self, problem: SelectionProblem) -> bool | None:
        """Whether there is a portfolio, checked in integers; ``None`` where time does not tell."""
        found = self.solve(problem)
        if found is None:
            return None
        if found.objective is None:
            return False if found.status == "infeasible" else None
        return not violations(problem, found.columns.tolist(), found.restored.tolist())


def _better(new: _Tried, old: _Tried) -> _Tried:
    """The smaller change of two tries of the same task, the new one where they are equal."""
    if new.settled or not old.found:
        return new
    return new if new.found and new.found[0].share <= old.found[0].share else old


def _holds(side: Side, enough: int, found: Extreme) -> bool:
    """Whether a portfolio, evaluated again, is one of the problem with that change."""
    if enough < 1:
        return False
    problem = side.eased(side.figure + side.sign * enough)
    return not violations(problem, found.columns.tolist(), found.restored.tolist())
