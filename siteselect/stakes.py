"""What can be traded: objectives as integers over the columns of a problem, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.problem import Coverage, SelectionProblem
from siteselect.reopen import Case
from siteselect.units import SCORE_SCALE

Ints = NDArray[np.int64]
GROUP_UNITS = 10_000
"""Group scores count in these parts of a point: finer differences mean nothing to anybody."""
COST_KEUR = 100
"""Costs count in steps of so many k€: they are estimates by ratios."""
OBJECTIVES = ("score", "access", "workforce", "network", "new_ha", "cost", "brownfields")


@dataclass(frozen=True, eq=False)
class Objective:
    """One objective, to be maximised: Σ values over the columns, and the workers reached.

    Attributes
    ----------
    values
        int64[J], what each column adds.
    coverage
        union catchment that counts besides, in the same unit; ``None`` where nothing is shared.
    """

    name: str
    values: Ints
    coverage: Coverage | None = None

    def of(self, problem: SelectionProblem, columns: Ints) -> int:
        """The value of a portfolio."""
        total = int(sum(self.values[columns].tolist()))
        if self.coverage is not None:
            total += self.coverage.value(problem.sites_of(columns))
        return total

    def size(self, problem: SelectionProblem) -> int:
        """No portfolio is worth more, whatever the sign."""
        most = problem.count * int(np.abs(self.values).max(initial=0))
        return most + (0 if self.coverage is None else sum(self.coverage.weights.tolist()))

    def span(self, problem: SelectionProblem) -> int:
        """By how much two portfolios can differ, at most."""
        ordered = np.sort(self.values)
        apart = int(ordered[-problem.count :].sum() - ordered[: problem.count].sum())
        return apart + (0 if self.coverage is None else sum(self.coverage.weights.tolist()))


def objective_of(case: Case, name: str) -> Objective:
    """An objective of a case by its name.

    ``score`` is the objective of the scenario, its union catchment included; ``access``,
    ``workforce``, ``network`` the score of the group (0 to 1, × 10⁴) times the factor of the
    variant; ``new_ha`` minus 0.01 ha newly artificialised; ``cost`` minus the works, in steps of
    100 k€; ``brownfields`` 1 a site.

    Raises
    ------
    KeyError
        An unknown objective.
    """
    coverage = case.problem.coverage if name == "score" else None
    return Objective(name, column_values(case, name), coverage)


def column_values(case: Case, name: str) -> Ints:
    """What each column adds to an objective, integer, the more the better.

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


def weighted(
    problem: SelectionProblem, objectives: tuple[Objective, ...], weights: tuple[int, ...]
) -> SelectionProblem:
    """The problem that maximises Σ weight × objective (whole weights, 0 or more)."""
    total = np.zeros(problem.n_columns, np.int64)
    coverage = None
    for one, weight in zip(objectives, weights, strict=True):
        total = total + weight * one.values
        if one.coverage is not None and weight:
            if coverage is not None:
                raise ValueError("one objective at most counts a union catchment")
            coverage = replace(one.coverage, weights=one.coverage.weights * weight)
    score = np.asarray(total, np.int64)
    return replace(problem, coverage=coverage, workforce=None, score=score)


FRONTS: Mapping[str, tuple[str, str]] = {
    "new_ha": ("score", "new_ha"),
    "cost": ("score", "cost"),
    "brownfields": ("score", "brownfields"),
}
"""Fronts of the scenario's objective against another figure."""
