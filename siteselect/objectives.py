"""The objectives beside the score: what each column adds to them, and floors and caps on them.

*Epsilon-constraint* (Haimes, Lasdon and Wismer 1971): the score is maximised under floors and
caps on other objectives. *Lexicographic* with tolerances (Marler and Arora 2004, section 3.3):
objectives in order of importance, each kept within a tolerance of its best value while the next
one is optimised; the score decides at the end, so that the choice is efficient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.problem import Goal
from siteselect.scenario import ObjectiveStep, Scenario
from siteselect.units import SCORE_SCALE

Ints = NDArray[np.int64]
ROUNDING = 1e-6
"""A floor is missed, a cap exceeded, by more than this part of an integer."""


@dataclass(frozen=True)
class Measure:
    """How an objective is counted in integers and told to people.

    Attributes
    ----------
    sign
        1 where more is better, −1 where less is.
    per_unit
        integers in one unit shown.
    mean
        shown as a mean over the sites chosen, not as a total.
    unit
        of the figure shown; "" for points and shares.
    """

    sign: int
    per_unit: int
    mean: bool
    unit: str

    def integers(self, shown: float, count: int) -> float:
        """A figure as people read it in integers of the model."""
        return shown * self.per_unit * (count if self.mean else 1)

    def shown(self, value: int, count: int) -> float:
        """The integer of a portfolio as people read it."""
        return value / self.per_unit / (max(count, 1) if self.mean else 1)


MEASURES: Mapping[str, Measure] = {
    "score": Measure(1, SCORE_SCALE, True, ""),
    "access": Measure(1, SCORE_SCALE, True, ""),
    "workforce": Measure(1, SCORE_SCALE, True, ""),
    "network": Measure(1, SCORE_SCALE, True, ""),
    "usable_ha": Measure(1, 100, False, "ha"),
    "brownfield_share": Measure(1, 1, True, ""),
    "new_ha": Measure(-1, 100, False, "ha"),
    "cost_keur": Measure(-1, 1, False, "k€"),
}
"""Scores and the share of brownfields are means over the sites chosen; areas and costs totals.
``score`` is the sum that the weights make, without a catchment; ``cost_keur`` the works on the
sites, without restoration."""


def objective_name(name: str) -> Msg:
    """The words for an objective."""
    return {
        "score": Msg("mean score"),
        "access": Msg("mean score of access"),
        "workforce": Msg("mean score of workforce"),
        "network": Msg("mean score of networks"),
        "usable_ha": Msg("total usable area"),
        "brownfield_share": Msg("share of brownfields"),
        "new_ha": Msg("new artificialisation"),
        "cost_keur": Msg("cost of the works"),
    }[name]


def column_integers(
    columns: pd.DataFrame, sites: pd.DataFrame, scenario: Scenario, name: str
) -> Ints:
    """int64[J]: what each column adds to an objective, in the integers of its measure.

    ``columns`` as of :func:`siteselect.variants.site_variants`, ``sites`` the considered ones.

    Raises
    ------
    KeyError
        An unknown objective.
    """
    plain = {
        "score": "score_units",
        "new_ha": "new_units",
        "cost_keur": "cost_keur",
        "usable_ha": "usable_units",
    }
    if name in plain:
        return columns[plain[name]].to_numpy(np.int64)
    position = columns["site"].to_numpy()
    if name == "brownfield_share":
        brown: Ints = (sites["kind"] == "brownfield").to_numpy(np.int64)[position]
        return brown
    if name not in MEASURES:
        raise KeyError(name)
    factor = np.where(columns["variant"] == "reuse", scenario.variants.reuse_factor, 1.0)
    points = sites[f"score_{name}"].to_numpy(dtype=float)[position] * factor
    rounded: Ints = np.rint(points * SCORE_SCALE).astype(np.int64)
    return rounded


def goals(columns: pd.DataFrame, sites: pd.DataFrame, scenario: Scenario) -> Iterator[Goal]:
    """The floors and caps of a scenario, one row each."""
    wanted = scenario.objective
    for name in sorted({*wanted.floors, *wanted.caps}):
        measure = MEASURES[name]
        low, high = wanted.floors.get(name), wanted.caps.get(name)
        at_least = None if low is None else measure.integers(low, scenario.count)
        at_most = None if high is None else measure.integers(high, scenario.count)
        yield goal(
            name,
            column_integers(columns, sites, scenario, name),
            None if at_least is None else math.ceil(at_least - ROUNDING),
            None if at_most is None else math.floor(at_most + ROUNDING),
            scenario.count,
        )


def goal(name: str, values: Ints, at_least: int | None, at_most: int | None, count: int) -> Goal:
    """Σ values x between two integers, named and shown in the unit of the objective."""
    measure = MEASURES[name]
    per_unit = measure.per_unit * (count if measure.mean else 1)
    return Goal(
        Msg("objective: {name}", name=objective_name(name)), values, at_least, at_most,
        float(per_unit), measure.unit,
    )  # fmt: skip


def kept_within(step: ObjectiveStep, best: int, count: int) -> int:
    """The integer that a portfolio may not fall short of (less is better: exceed).

    ``best`` is the best value found for the objective, in its integers.
    """
    measure = MEASURES[step.by]
    given_up = max(measure.integers(step.within, count), abs(best) * step.within_share)
    slack = math.floor(given_up + ROUNDING)
    return best - measure.sign * slack


def stage_figures(stage: Mapping[str, Any], count: int) -> tuple[str, str, str]:
    """Best, bound and what is kept of a stage of result.json, in the unit of its objective."""
    measure = MEASURES[str(stage["by"])]
    best, bound, kept = (
        f"{measure.shown(int(stage[key]), count):.6g} {measure.unit}".rstrip()
        for key in ("value", "bound", "kept")
    )
    return best, bound, kept


def check_objective(scenario: Scenario) -> None:
    """The keys of ``[objective]`` go together.

    Raises
    ------
    InputError
        All that does not, at once.
    """
    log, wanted = FaultLog(), scenario.objective
    limits = bool(wanted.floors or wanted.caps)
    if wanted.mode != "lexicographic" and wanted.order:
        log.add(Msg("an order of objectives is given, but the mode does not use one"),
                where="objective.order", value=wanted.mode,
                remedy=Msg('set objective.mode = "lexicographic", or remove it'))  # fmt: skip
    if wanted.mode == "weighted" and limits:
        log.add(Msg("floors or caps are given, but the mode does not use them"),
                where="objective.mode", value=wanted.mode,
                remedy=Msg('set objective.mode = "epsilon" or "lexicographic"'))  # fmt: skip
    if wanted.mode == "epsilon" and not limits:
        log.add(Msg("the mode epsilon needs a floor or a cap"), where="objective.mode",
                value=wanted.mode,
                remedy=Msg("give objective.floors or objective.caps"))  # fmt: skip
    if wanted.mode == "lexicographic" and not wanted.order:
        log.add(Msg("the mode lexicographic needs objectives in order"),
                where="objective.order", value=wanted.mode,
                remedy=Msg("give [[objective.order]] with the key by, once each"))  # fmt: skip
    names = [step.by for step in wanted.order]
    for name in sorted({name for name in names if names.count(name) > 1}):
        log.add(Msg("the same objective stands twice in the order"), where="objective.order",
                value=name, remedy=Msg("keep it once"))  # fmt: skip
    for step in wanted.order:
        if step.within and step.within_share:
            log.add(Msg("two tolerances are given for one objective"), where="objective.order",
                    value=step.by, remedy=Msg("keep within or within_share"))  # fmt: skip
    for name in sorted(set(wanted.floors) & set(wanted.caps)):
        if wanted.floors[name] > wanted.caps[name]:
            log.add(Msg("the floor is above the cap"), where=f"objective.floors.{name}",
                    value=wanted.floors[name],
                    remedy=Msg("lower the floor or raise the cap"))  # fmt: skip
    log.check()
