"""Several objectives audited: floors and caps, and the stages of an order, counted again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.scenario import Scenario
from siteselect.verify.portfolio import Choice
from siteselect.verify.proofmodel import AuditRow, audit_row

Ints = NDArray[np.int64]
FEWER = ("new_ha", "cost_keur")
"""Objectives of which less is better."""
MEANS = {
    "score": 1_000_000,
    "access": 1_000_000,
    "workforce": 1_000_000,
    "network": 1_000_000,
    "brownfield_share": 1,
}
"""Objectives told as a mean over the sites chosen, and their integers a unit."""
TOTALS = {"usable_ha": 100, "new_ha": 100, "cost_keur": 1}


def counted(one: Choice, name: str, scenario: Scenario) -> int:
    """What one site developed one way adds to an objective, in integers."""
    if name == "score":
        return one.score
    if name == "usable_ha":
        return one.usable
    if name == "new_ha":
        return one.new
    if name == "cost_keur":
        return one.cost
    if name == "brownfield_share":
        return int(one.row["kind"] == "brownfield")
    factor = scenario.variants.reuse_factor if one.variant == "reuse" else 1.0
    return round(float(one.row[f"score_{name}"]) * factor * 1_000_000)


def _integers(name: str, shown: float, scenario: Scenario) -> float:
    if name in MEANS:
        return shown * MEANS[name] * scenario.count
    return shown * TOTALS[name]


def check_goals(
    choices: Sequence[Choice], scenario: Scenario, result: Mapping[str, Any]
) -> Iterator[Msg]:
    """Every floor, cap and stage that the portfolio or result.json does not respect."""
    for name, low, high in _limits(scenario):
        value = sum(counted(one, name, scenario) for one in choices)
        if (low is not None and value < low) or (high is not None and value > high):
            yield Msg("objective {name}: {value}, between {low} and {high} asked (integers)",
                      name=name, value=value, low=str(low), high=str(high))  # fmt: skip
    stages = list(result.get("stages", ()))
    asked = scenario.objective.order if scenario.objective.mode == "lexicographic" else ()
    names = [one["by"] for one in stages]
    if names != [one.by for one in asked][: len(names)] or (
        len(names) < len(asked) and result["status"] == "optimal"
    ):
        yield Msg("the stages of result.json are not the objectives of the scenario in order")
        return
    for step, one in zip(asked, stages, strict=False):
        yield from _stage(step.within, step.within_share, one, choices, scenario)
        if result["status"] == "optimal" and one["status"] != "optimal":
            yield Msg("the status is optimal, but stage {name} is not", name=step.by)


def _limits(scenario: Scenario) -> Iterator[tuple[str, int | None, int | None]]:
    wanted = scenario.objective
    for name in sorted({*wanted.floors, *wanted.caps}):
        low, high = wanted.floors.get(name), wanted.caps.get(name)
        yield (
            name,
            None if low is None else math.ceil(_integers(name, low, scenario) - 1e-6),
            None if high is None else math.floor(_integers(name, high, scenario) + 1e-6),
        )


def _stage(
    within: float, share: float, one: Mapping[str, Any], choices: Sequence[Choice],
    scenario: Scenario,
) -> Iterator[Msg]:  # fmt: skip
    """The row that a stage leaves follows from its value, and the portfolio respects it."""
    name, best, bound, kept = one["by"], one["value"], one["bound"], one["kept"]
    fewer = name in FEWER
    given_up = math.floor(max(_integers(name, within, scenario), abs(best) * share) + 1e-6)
    if kept != (best + given_up if fewer else best - given_up):
        yield Msg("stage {name}: what is kept ({kept}) does not follow from {best}", name=name,
                  kept=kept, best=best)  # fmt: skip
    value = sum(counted(one_, name, scenario) for one_ in choices)
    if value > kept if fewer else value < kept:
        yield Msg("stage {name}: the portfolio has {value}, {kept} is kept", name=name,
                  value=value, kept=kept)  # fmt: skip
    if bound > best if fewer else bound < best:
        yield Msg("stage {name}: the bound {bound} is passed by {best}", name=name, bound=bound,
                  best=best)  # fmt: skip
    if (one["status"] == "optimal") != (bound == best):
        yield Msg("stage {name}: status, value and bound do not agree", name=name)
    gap = abs(bound - best) / max(1, abs(best))
    if not math.isclose(one["gap"], gap, rel_tol=1e-6, abs_tol=1e-12):
        yield Msg("stage {name}: the gap {gap} does not follow", name=name, gap=one["gap"])


def goal_rows(
    choices: Sequence[Choice], scenario: Scenario, stages: Sequence[Mapping[str, Any]]
) -> Iterator[AuditRow]:
    """Floors, caps and what the stages keep, as rows over all columns."""
    limits = list(_limits(scenario))
    for one in stages:
        low, high = (None, one["kept"]) if one["by"] in FEWER else (one["kept"], None)
        limits.append((one["by"], low, high))
    every = np.arange(len(choices))
    for name, low, high in limits:
        factors = stage_values(choices, scenario, name)
        yield audit_row(Msg("objective: {name}", name=name), every, factors, low, high)


def stage_values(choices: Sequence[Choice], scenario: Scenario, name: str) -> Ints:
    """int64[J]: the integers of an objective, column by column."""
    return np.array([counted(one, name, scenario) for one in choices], np.int64)
