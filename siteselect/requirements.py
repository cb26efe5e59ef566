"""Requirements that a planner adds to a portfolio: exclusions, budgets by kind of cost, dates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.problem import Budget, Conflicts, Constraint, Group
from siteselect.scenario import AvailabilityClass, BudgetRule, ConstraintSettings

Ints = NDArray[np.int64]


def planned(
    sites: pd.DataFrame,
    considered: pd.DataFrame,
    columns: pd.DataFrame,
    limits: ConstraintSettings,
    *,
    paid_keur: int = 0,
) -> Iterable[Constraint]:
    """Sites that exclude each other, budgets by kind of cost, numbers by date of availability.

    Parameters
    ----------
    sites, considered
        every site of the pack, and those of the model in its order.
    columns
        :func:`siteselect.variants.site_variants`.
    paid_keur
        restoration that earlier waves paid.

    Raises
    ------
    InputError
        A site that the pack does not have, or classes of availability without any date.
    """
    _check(sites, limits)
    position = dict(zip(considered["site_id"], range(len(considered)), strict=True))
    for rule in limits.exclusive:
        inside = sorted(position[name] for name in set(rule.sites) if name in position)
        pairs = np.array(list(combinations(inside, 2)), np.int64).reshape(-1, 2)
        if len(pairs):
            yield Conflicts(Msg("sites that exclude each other: {name}", name=rule.name), pairs)
    yield from budgets(columns, limits, paid_keur=paid_keur)
    for group in limits.availability:
        yield _available(considered, columns, group)


def budgets(
    columns: pd.DataFrame, limits: ConstraintSettings, *, paid_keur: int = 0
) -> Iterable[Constraint]:
    """The limits on some kinds of cost."""
    for budget in limits.budgets:
        with_parcels = "restoration" in budget.costs
        limit = int(budget.limit_keur) - (paid_keur if with_parcels else 0)
        name = Msg("budget {name}", name=budget.name)
        yield Budget(name, cost_of(columns, budget), limit, with_parcels)


def cost_of(columns: pd.DataFrame, budget: BudgetRule) -> Ints:
    """int64[columns], k€ of the kinds of cost that a budget pays for, restoration apart."""
    works = columns["works_keur"].to_numpy(np.int64)
    total: Ints = np.zeros(len(columns), np.int64)
    if "works" in budget.costs:
        total = total + works
    if "servicing" in budget.costs:
        total = total + columns["cost_keur"].to_numpy(np.int64) - works
    return total


def _available(
    considered: pd.DataFrame, columns: pd.DataFrame, group: AvailabilityClass
) -> Constraint:
    """Sites available from one year to another; a site without a date is in no class."""
    year = considered["available_year"].to_numpy(dtype=float, na_value=np.nan)
    inside = year >= group.from_year
    if group.to_year is not None:
        inside &= year <= group.to_year
    members = np.flatnonzero(inside[columns["site"].to_numpy()]).astype(np.int64)
    name = Msg("availability {name}", name=group.name)
    return Group(name, members, group.at_least, group.at_most)


def _check(sites: pd.DataFrame, limits: ConstraintSettings) -> None:
    log, known = FaultLog(), set(sites["site_id"])
    for rule in limits.exclusive:
        for name in sorted(set(rule.sites) - known):
            near = nearest_name(name, known)
            log.add(
                Msg("nothing in the pack has this identifier"),
                where=f"constraints.exclusive: {rule.name}",
                value=name,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("correct or remove it"),
            )
    dated = "available_year" in sites and sites["available_year"].notna().any()
    if limits.availability and not dated:
        log.add(
            Msg("no site has a year of availability"),
            where="constraints.availability",
            value=limits.availability[0].name,
            remedy=Msg(
                "give the sites of the pack a column available_year, or the scenario "
                "candidates.available_year"
            ),
        )
    log.check()
