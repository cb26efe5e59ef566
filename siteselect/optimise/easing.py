"""The least change of one requirement that makes a portfolio possible, in the planner's units.

Exact solves of the whole problem with that requirement changed: by steps that grow until one is
feasible, then by bisection. Every change that is offered comes with a portfolio checked in
integers against the problem so changed; ``least`` says that one step less is proven infeasible.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from siteselect.messages import Msg
from siteselect.optimise.solution import Solution
from siteselect.problem import (
    Budget,
    Constraint,
    Goal,
    Group,
    Ledger,
    Locks,
    SelectionProblem,
    Separation,
    TotalArea,
    violations,
)
from siteselect.problem.constraints import Ints
from siteselect.units import AREA_UNITS_PER_HA

DECIMETRES_PER_KM = 10_000
ANY_PORTFOLIO = 1e300
"""A gap so wide that the first portfolio found ends the search."""
MOST_TRIED = 16
MOST_LOCKS = 8
GROWTH, NEAR = 4, 0.1
"""Steps grow by this; where time does not tell, a tenth of the change is near enough."""
MOST_S = 2.0
"""Seconds for one solve."""
STEPS, DISTANCE_STEPS = 500, 50
"""Areas and money are changed by steps of 1/500 of the figure, distances by 1/50; sites by one."""


@dataclass(frozen=True, eq=False)
class Easing:
    """One requirement changed, and the problem that is feasible with it.

    ``share`` is the change as a share of the figure changed: what orders different units.
    ``least``: no smaller change of this requirement alone is enough, proven.
    """

    text: Msg
    problem: SelectionProblem
    share: float
    least: bool

    @property
    def shown(self) -> Msg:
        """The text, with a word where a smaller change may do."""
        if self.least:
            return self.text
        return Msg("{change} (enough; less may do)", change=self.text)


def easings(
    problem: SelectionProblem, conflict: Sequence[Constraint], *, time_limit_s: float
) -> tuple[Easing, ...]:
    """Changes of a single requirement of an infeasible problem that make it feasible.

    ``conflict`` holds the requirements to try, the number of sites is always tried; the smallest
    change comes first. Out of time, fewer are found.
    """
    finder = _Finder(problem, time.perf_counter() + time_limit_s)
    found = [*finder.count(), *(one for c in conflict[:MOST_TRIED] for one in finder.change(c))]
    return tuple(sorted(found, key=lambda one: (not one.least, one.share)))


class _Finder:
    """Changes one requirement after the other, within one limit of time."""

    def __init__(self, problem: SelectionProblem, deadline: float) -> None:
        self.problem = dataclasses.replace(problem, coverage=None)
        self.deadline = deadline

    # ---- solving -------------------------------------------------------------------------

    def solve(self, problem: SelectionProblem) -> Solution | None:
        """Any portfolio of a changed problem; ``None`` out of time."""
        from siteselect.optimise.solve import solve

        left = min(MOST_S, self.deadline - time.perf_counter())
        if left <= 0:
            return None
        return solve(problem, time_limit_s=left, gap=ANY_PORTFOLIO, ties=False, explain=False)

    def least(
        self, make: Callable[[int], SelectionProblem], most: int
    ) -> tuple[int, SelectionProblem, bool] | None:
        """The smallest k from 1 to ``most`` for which the problem is feasible, and whether proven.

        ``None`` where even ``most`` is not, or nothing was found in time. Feasibility grows with k.
        """
        if most < 1 or not self.feasible(make(most)):
            return None
        low, high, proven, step = 0, most, True, 1
        while high - low > 1:
            # Growing steps from below, then halves.
            middle = max(low + 1, min(low + step, (low + high) // 2))
            answer = self.feasible(make(middle))
            if answer:
                high, step = middle, most
            else:
                low, step = middle, GROWTH * step
            if answer is None:
                proven = False
                if high - low <= NEAR * high or time.perf_counter() > self.deadline:
                    break
        return high, make(high), proven

    def feasible(self, problem: SelectionProblem) -> bool | None:
        """Whether there is a portfolio, checked in integers; ``None`` where time does not tell."""
        found = self.solve(problem)
        if found is None:
            return None
        if found.objective is None:
            return False if found.status == "infeasible" else None
        return not violations(problem, found.columns.tolist(), found.restored.tolist())

    def changed(
        self, one: Constraint, other: Constraint, score: Ints | None = None
    ) -> SelectionProblem:
        """The problem with a constraint replaced; and another objective, where one is given."""
        constraints = tuple(other if each is one else each for each in self.problem.constraints)
        score = self.problem.score if score is None else score
        return dataclasses.replace(self.problem, constraints=constraints, score=score)

    def steps(
        self, one: Constraint, figure: int, unit: int, most: int, make: Callable[[int], Constraint],
        text: Callable[[int, int], Msg], *, sign: int, score: Ints | None = None,
    ) -> Iterator[Easing]:  # fmt: skip
        """A figure of a constraint changed by multiples of a unit, up to ``most`` in all.

        ``score`` is what a portfolio should have much of to need little change: it leads the
        search for any portfolio there.
        """

        def at(k: int) -> int:
            return figure + sign * min(k * unit, most)

        found = self.least(lambda k: self.changed(one, make(at(k)), score), -(-most // unit))
        if found is not None:
            value = at(found[0])
            change = abs(value - figure)
            eased = self.changed(one, make(value))
            yield Easing(text(change, value), eased, change / max(1, abs(figure)), least=found[2])

    # ---- requirements --------------------------------------------------------------------

    def change(self, one: Constraint) -> Iterator[Easing]:
        """The changes of one constraint."""
        if isinstance(one, Group):
            yield from self.group(one)
        elif isinstance(one, Goal):
            yield from self.goal(one)
        elif isinstance(one, TotalArea):
            yield from self.area(one)
        elif isinstance(one, Budget):
            yield from self.budget(one)
        elif isinstance(one, Ledger):
            yield from self.ledger(one)
        elif isinstance(one, Separation):
            yield from self.separation(one)
        elif isinstance(one, Locks):
            yield from self.locks(one)

    def count(self) -> Iterator[Easing]:
        """Fewer sites, or more."""
        problem, p = self.problem, self.problem.count
        if problem.at_most:
            return

        def of(count: int) -> SelectionProblem:
            return dataclasses.replace(problem, count=count)

        def from_(least: int) -> SelectionProblem:
            wanted = Group("", np.arange(problem.n_columns), least)
            constraints = (*problem.constraints, wanted)
            return dataclasses.replace(problem, at_most=True, constraints=constraints)

        found = self.least(lambda k: from_(p - k), p - 1)
        if found is not None:
            many = found[0]
            text = Msg("{many} sites fewer: {to} in all", many=many, to=p - many)
            yield Easing(text, of(p - many), many / p, least=found[2])
            return
        found = self.least(lambda k: of(p + k), min(p, problem.n_sites - p))
        if found is not None:
            many = found[0]
            text = Msg("{many} sites more: {to} in all", many=many, to=p + many)
            yield Easing(text, found[1], many / p, least=found[2])

    def group(self, one: Group) -> Iterator[Easing]:
        """A lower minimum, a higher maximum."""
        inside = np.zeros(self.problem.n_columns, np.int64)
        inside[one.columns] = 1
        yield from self.steps(
            one, one.at_least, 1, one.at_least,
            lambda value: dataclasses.replace(one, at_least=value),
            lambda many, to: Msg(
                "{name}: minimum lowered by {many}, to {to}", name=one.name, many=many, to=to
            ),
            sign=-1, score=inside,
        )  # fmt: skip
        if one.at_most is not None:
            yield from self.steps(
                one, one.at_most, 1, max(0, self.problem.count - one.at_most),
                lambda value: dataclasses.replace(one, at_most=value),
                lambda many, to: Msg(
                    "{name}: maximum raised by {many}, to {to}", name=one.name, many=many, to=to
                ),
                sign=1, score=-inside,
            )  # fmt: skip

    def area(self, one: TotalArea) -> Iterator[Easing]:
        """Less area at least, more at most."""
        if one.at_least is not None:
            yield from self.steps(
                one, one.at_least, _unit(one.at_least, STEPS), max(0, one.at_least),
                lambda value: dataclasses.replace(one, at_least=value),
                lambda units, to: Msg(
                    "{name}: minimum lowered by {ha:g} ha, to {to:g} ha",
                    name=one.name, ha=_ha(units), to=_ha(to),
                ),
                sign=-1, score=one.area,
            )  # fmt: skip
        if one.at_most is not None:
            yield from self.steps(
                one, one.at_most, _unit(one.at_most, STEPS), max(0, _sum(one.area) - one.at_most),
                lambda value: dataclasses.replace(one, at_most=value),
                lambda units, to: Msg(
                    "{name}: maximum raised by {ha:g} ha, to {to:g} ha",
                    name=one.name, ha=_ha(units), to=_ha(to),
                ),
                sign=1, score=-one.area,
            )  # fmt: skip

    def goal(self, one: Goal) -> Iterator[Easing]:
        """A lower floor, a higher cap, in the unit of the objective."""
        if one.at_least is not None:
            yield from self.steps(
                one, one.at_least, _unit(one.at_least, STEPS), max(0, one.at_least),
                lambda value: dataclasses.replace(one, at_least=value),
                lambda by, to: Msg(
                    "{name}: floor lowered by {by}, to {to}",
                    name=one.name, by=one.shown(by), to=one.shown(to),
                ),
                sign=-1, score=one.area,
            )  # fmt: skip
        if one.at_most is not None:
            yield from self.steps(
                one, one.at_most, _unit(one.at_most, STEPS), max(0, _sum(one.area) - one.at_most),
                lambda value: dataclasses.replace(one, at_most=value),
                lambda by, to: Msg(
                    "{name}: cap raised by {by}, to {to}",
                    name=one.name, by=one.shown(by), to=one.shown(to),
                ),
                sign=1, score=-one.area,
            )  # fmt: skip

    def budget(self, one: Budget) -> Iterator[Easing]:
        """More money."""
        dearest = _sum(one.cost_keur) + _sum(self.problem.parcels.cost_keur)
        yield from self.steps(
            one, one.limit_keur, _unit(one.limit_keur, STEPS), max(0, dearest - one.limit_keur),
            lambda value: dataclasses.replace(one, limit_keur=value),
            lambda extra, to: Msg(
                "{name}: {extra:,} k€ more, {to:,} k€ in all", name=one.name, extra=extra, to=to
            ),
            sign=1, score=-one.cost_keur,
        )  # fmt: skip

    def ledger(self, one: Ledger) -> Iterator[Easing]:
        """A higher cap."""
        charge = np.zeros(self.problem.n_columns, np.int64)
        charge[one.columns] = one.charge
        yield from self.steps(
            one, one.cap, _unit(_sum(one.charge) // 10, STEPS), max(0, _sum(one.charge) - one.cap),
            lambda value: dataclasses.replace(one, cap=value),
            lambda units, to: Msg(
                "{name}: raised by {ha:g} ha, to {to:g} ha",
                name=one.name, ha=_ha(units), to=_ha(to),
            ),
            sign=1, score=-charge,
        )  # fmt: skip

    def separation(self, one: Separation) -> Iterator[Easing]:
        """A shorter distance."""
        yield from self.steps(
            one, one.distance, _unit(one.distance, DISTANCE_STEPS), one.distance,
            lambda value: dataclasses.replace(one, distance=value),
            lambda less, to: Msg(
                "{name}: {km:g} km less, {to:g} km",
                name=one.name, km=less / DECIMETRES_PER_KM, to=to / DECIMETRES_PER_KM,
            ),
            sign=-1,
        )  # fmt: skip

    def locks(self, one: Locks) -> Iterator[Easing]:
        """One site no longer forced in or out."""
        names = self.problem.site_ids
        for side, sites in (("include", one.include), ("exclude", one.exclude)):
            for site in sites[:MOST_LOCKS].tolist():
                other = Locks(
                    one.name,
                    one.include[one.include != site] if side == "include" else one.include,
                    one.exclude[one.exclude != site] if side == "exclude" else one.exclude,
                )
                eased = self.changed(one, other)
                if self.feasible(eased):
                    label = str(site) if names is None else names[site]
                    text = (
                        Msg("{site} no longer forced in", site=label)
                        if side == "include"
                        else Msg("{site} no longer forced out", site=label)
                    )
                    yield Easing(text, eased, 1 / len(sites), least=True)


def _unit(figure: int, steps: int) -> int:
    """A step of a figure: a round number, about 1/steps of it."""
    wanted = max(1, abs(figure) // steps)
    return int(10 ** (len(str(wanted)) - 1))


def _ha(units: int) -> float:
    return units / AREA_UNITS_PER_HA


def _sum(values: Ints) -> int:
    """The sum of what is positive."""
    return sum(v for v in values.tolist() if v > 0)
