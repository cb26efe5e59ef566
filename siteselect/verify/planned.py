"""What planners add to a portfolio, counted again: exclusions, budgets, dates of availability."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from siteselect.messages import Msg
from siteselect.scenario import AvailabilityClass, BudgetRule, Scenario
from siteselect.verify.portfolio import Choice, Restored, Row, restoration_cost


def paid(one: Choice, budget: BudgetRule, scenario: Scenario) -> int:
    """k€ of one site that a budget pays, restoration apart."""
    works = one.cost
    if one.variant != "reuse":
        per_ha = float(scenario.costs.reuse_keur_per_ha[one.row["kind"]])
        works = round(per_ha * float(one.row["artificialised_ha"]))
    return works * ("works" in budget.costs) + (one.cost - works) * ("servicing" in budget.costs)


def in_years(row: Row, group: AvailabilityClass) -> bool:
    """Whether a site is available in the years of a class; without a date it is in none."""
    year = row.get("available_year")
    if not isinstance(year, int | float) or math.isnan(year):
        return False
    last = math.inf if group.to_year is None else group.to_year
    return group.from_year <= year <= last


def broken_plans(
    choices: Sequence[Choice], restored: Sequence[Restored], scenario: Scenario
) -> Iterator[Msg]:
    """Every rule of ``exclusive``, ``budgets`` and ``availability`` that the portfolio breaks."""
    limits = scenario.constraints
    ids = {str(one.row["site_id"]) for one in choices}
    for rule in limits.exclusive:
        both = sorted(ids & set(rule.sites))
        if len(both) > 1:
            yield Msg("{name}: {sites} are selected together", name=rule.name,
                      sites=", ".join(both))  # fmt: skip
    for budget in limits.budgets:
        cost = sum(paid(one, budget, scenario) for one in choices)
        total = cost + (restoration_cost(restored) if "restoration" in budget.costs else 0)
        if total > int(budget.limit_keur):
            yield Msg("{name}: {cost:.3f} k€, over the limit of {limit:g} k€", name=budget.name,
                      cost=float(total), limit=budget.limit_keur)  # fmt: skip
    for group in limits.availability:
        number = sum(in_years(one.row, group) for one in choices)
        if number < group.at_least:
            yield Msg("{name}: {number} sites, at least {least} asked", name=group.name,
                      number=number, least=group.at_least)  # fmt: skip
        if group.at_most is not None and number > group.at_most:
            yield Msg("{name}: {number} sites, at most {most} asked", name=group.name,
                      number=number, most=group.at_most)  # fmt: skip
