"""The figures of requirements, each side by itself: how it is eased, found and told.

A minimum is eased downwards, a maximum upwards. Without it, the most (the least) of the quantity
it limits, over the portfolios of all other requirements, is the figure that would be enough.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from siteselect.messages import Msg
from siteselect.optimise.least import Extreme, least_spent, lowest_cap, most_of
from siteselect.problem import (
    Budget,
    Constraint,
    Goal,
    Group,
    Ledger,
    SelectionProblem,
    TotalArea,
)
from siteselect.problem.constraints import Ints
from siteselect.units import AREA_UNITS_PER_HA


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a requirement.

    Attributes
    ----------
    figure
        the minimum or maximum now, in the unit of the model.
    sign
        −1 where easing lowers the figure (a minimum), 1 where it raises it (a maximum).
    extreme
        seconds → the most of the quantity over the portfolios of all other requirements, or its
        least, negated, where there is a maximum.
    eased
        the problem with another figure.
    text
        (change, new figure) → what is offered.
    amount
        a change in the planner's units.
    most
        where the figure counts sites: no change over this can matter, and each can be tried.
    """

    figure: int
    sign: int
    extreme: Callable[[float], Extreme | None]
    eased: Callable[[int], SelectionProblem]
    text: Callable[[int, int], Msg]
    amount: Callable[[int], Msg]
    most: int | None = None


def sides_of(problem: SelectionProblem, one: Constraint) -> Iterator[Side]:
    """The figures of a constraint that can be eased."""
    if isinstance(one, Group):
        yield from _group(problem, one)
    elif isinstance(one, TotalArea):  # a goal too
        yield from _total(problem, one)
    elif isinstance(one, Budget):
        yield _budget(problem, one)
    elif isinstance(one, Ledger):
        yield _ledger(problem, one)


def fewer_sites(problem: SelectionProblem) -> Side:
    """The number of sites lowered: the most that can be chosen, one at least."""
    every = np.arange(problem.n_columns)
    some = dataclasses.replace(
        problem, at_most=True, constraints=(*problem.constraints, Group("", every, 1))
    )
    return Side(
        problem.count, -1, partial(_most, some, np.ones_like(every)),
        lambda count: dataclasses.replace(problem, count=count),
        lambda many, to: Msg("{many} sites fewer: {to} in all", many=many, to=to), _sites,
        problem.count - 1,
    )  # fmt: skip


def more_sites(problem: SelectionProblem) -> Side:
    """The number of sites raised, to twice as many at most."""
    p, every = problem.count, np.arange(problem.n_columns)
    some = dataclasses.replace(
        problem, at_most=True, count=min(2 * p, problem.n_sites),
        constraints=(*problem.constraints, Group("", every, p + 1)),
    )  # fmt: skip
    return Side(
        p, 1, partial(_most, some, -np.ones_like(every)),
        lambda count: dataclasses.replace(problem, count=count),
        lambda many, to: Msg("{many} sites more: {to} in all", many=many, to=to), _sites,
        some.count - p,
    )  # fmt: skip


def _group(problem: SelectionProblem, one: Group) -> Iterator[Side]:
    inside = np.zeros(problem.n_columns, np.int64)
    inside[one.columns] = 1
    if one.at_least > 0:
        yield _plain(
            problem, one, "at_least", one.at_least, inside,
            lambda many, to: Msg(
                "{name}: minimum lowered by {many}, to {to}", name=one.name, many=many, to=to
            ),
            _sites, one.at_least,
        )  # fmt: skip
    if one.at_most is not None:
        yield _plain(
            problem, one, "at_most", one.at_most, inside,
            lambda many, to: Msg(
                "{name}: maximum raised by {many}, to {to}", name=one.name, many=many, to=to
            ),
            _sites, problem.count - one.at_most,
        )  # fmt: skip


def _total(problem: SelectionProblem, one: TotalArea) -> Iterator[Side]:
    if one.at_least is not None:
        text, amount = _of_goal(one, -1) if isinstance(one, Goal) else _of_area(one, -1)
        yield _plain(problem, one, "at_least", one.at_least, one.area, text, amount)
    if one.at_most is not None:
        text, amount = _of_goal(one, 1) if isinstance(one, Goal) else _of_area(one, 1)
        yield _plain(problem, one, "at_most", one.at_most, one.area, text, amount)


def _budget(problem: SelectionProblem, one: Budget) -> Side:
    return Side(
        one.limit_keur, 1, lambda seconds: least_spent(problem, one, time_limit_s=seconds),
        lambda value: _with(problem, one, "limit_keur", value),
        lambda extra, to: Msg(
            "{name}: {extra:,} k€ more, {to:,} k€ in all", name=one.name, extra=extra, to=to
        ),
        lambda extra: Msg("{extra:,} k€", extra=extra),
    )  # fmt: skip


def _ledger(problem: SelectionProblem, one: Ledger) -> Side:
    return Side(
        one.cap, 1, lambda seconds: lowest_cap(problem, one, time_limit_s=seconds),
        lambda value: _with(problem, one, "cap", value),
        lambda units, to: Msg(
            "{name}: raised by {ha:.10g} ha, to {to:.10g} ha",
            name=one.name, ha=_ha(units), to=_ha(to),
        ),
        _area,
    )  # fmt: skip


def _plain(
    problem: SelectionProblem, one: Constraint, field: str, figure: int, each: Ints,
    text: Callable[[int, int], Msg], amount: Callable[[int], Msg], most: int | None = None,
) -> Side:  # fmt: skip
    """A side that limits a sum of ``each`` (int64[J]) over the columns alone."""
    sign = -1 if field == "at_least" else 1
    free = _with(problem, one, field, 0 if isinstance(one, Group) and sign < 0 else None)
    return Side(
        figure, sign, partial(_most, free, -sign * each),
        lambda value: _with(problem, one, field, value), text, amount, most,
    )  # fmt: skip


def _most(problem: SelectionProblem, score: Ints, seconds: float) -> Extreme | None:
    return most_of(problem, score, time_limit_s=seconds)


def _with(
    problem: SelectionProblem, one: Constraint, field: str, value: int | None
) -> SelectionProblem:
    """The problem with a figure of one of its constraints changed."""
    other = dataclasses.replace(one, **{field: value})  # type: ignore[type-var]
    kept = tuple(other if each is one else each for each in problem.constraints)
    return dataclasses.replace(problem, constraints=kept)


# ---- in the planner's words --------------------------------------------------------------


def _of_area(one: TotalArea, sign: int) -> tuple[Callable[[int, int], Msg], Callable[[int], Msg]]:
    def lowered(units: int, to: int) -> Msg:
        return Msg(
            "{name}: minimum lowered by {ha:.10g} ha, to {to:.10g} ha",
            name=one.name, ha=_ha(units), to=_ha(to),
        )  # fmt: skip

    def raised(units: int, to: int) -> Msg:
        return Msg(
            "{name}: maximum raised by {ha:.10g} ha, to {to:.10g} ha",
            name=one.name, ha=_ha(units), to=_ha(to),
        )  # fmt: skip

    return (lowered if sign < 0 else raised), _area


def _of_goal(one: Goal, sign: int) -> tuple[Callable[[int, int], Msg], Callable[[int], Msg]]:
    def lowered(by: int, to: int) -> Msg:
        return Msg(
            "{name}: floor lowered by {by}, to {to}",
            name=one.name, by=one.shown(by), to=one.shown(to),
        )  # fmt: skip

    def raised(by: int, to: int) -> Msg:
        return Msg(
            "{name}: cap raised by {by}, to {to}",
            name=one.name, by=one.shown(by), to=one.shown(to),
        )  # fmt: skip

    return (lowered if sign < 0 else raised), lambda by: Msg("{by}", by=one.shown(by))


def _sites(many: int) -> Msg:
    return Msg("{many} sites", many=many)


def _area(units: int) -> Msg:
    return Msg("{ha:.10g} ha", ha=_ha(units))


def _ha(units: int) -> float:
    return units / AREA_UNITS_PER_HA
