"""Objectives in order: each optimised, then kept within its tolerance while the next one is.

The last stage is the ordinary choice (the score) under the rows that the earlier ones leave, so
that everything that explains a choice explains this one too.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siteselect.errors import InfeasibleError, LimitError
from siteselect.formulate import Formulation
from siteselect.messages import Msg
from siteselect.objectives import MEASURES, column_integers, goal, kept_within
from siteselect.optimise import Solution, solve
from siteselect.problem import SelectionProblem
from siteselect.scenario import ObjectiveStep, Scenario

LEAST_S = 1.0
"""A stage is always given this long."""


@dataclass(frozen=True)
class Stage:
    """One objective of the order, in the integers of its measure.

    Attributes
    ----------
    by
        the objective.
    status
        of its search; ``optimal``: no portfolio does better under the stages before.
    value, bound
        the best found and what no portfolio can pass (above; below where less is better).
    gap
        |bound − value| / max(1, |value|).
    kept
        later stages reach at least this (at most, where less is better).
    """

    by: str
    status: str
    value: int
    bound: int
    gap: float
    kept: int


def staged(
    formulation: Formulation, scenario: Scenario, *, deadline: float
) -> tuple[Formulation, tuple[Stage, ...]]:
    """Every objective of the order but the score at the end; the formulation that is left.

    ``deadline`` is a moment of ``time.perf_counter``.

    Raises
    ------
    InfeasibleError
        no portfolio satisfies every constraint.
    LimitError
        a stage ended before any portfolio.
    """
    if scenario.objective.mode != "lexicographic":
        return formulation, ()
    done: list[Stage] = []
    for step in scenario.objective.order:
        problem = stage_problem(formulation, scenario, step.by)
        left = max(LEAST_S, deadline - time.perf_counter())
        found = solve(
            problem, time_limit_s=left, gap=scenario.solve.gap, ties=False, explain=not done
        )
        stage = _stage(step, found, scenario.count)
        done.append(stage)
        formulation = _with_row(formulation, scenario, stage)
        if found.status == "interrupted":
            break
    return formulation, tuple(done)


def stage_problem(formulation: Formulation, scenario: Scenario, by: str) -> SelectionProblem:
    """The problem as it stands with another objective to maximise."""
    values = column_integers(formulation.columns, formulation.sites, scenario, by)
    changes: dict[str, Any] = {"score": MEASURES[by].sign * values, "coverage": None}
    if hasattr(formulation.problem, "workforce"):
        changes["workforce"] = None
    return dataclasses.replace(formulation.problem, **changes)


def stage_claim(
    formulation: Formulation, scenario: Scenario, stage: Mapping[str, Any]
) -> tuple[SelectionProblem, int]:
    """What a stage maximised and its bound, for a certificate; ``formulation`` as it stood."""
    problem = stage_problem(formulation, scenario, stage["by"])
    return problem, MEASURES[stage["by"]].sign * int(stage["bound"])


def _stage(step: ObjectiveStep, found: Solution, count: int) -> Stage:
    if found.status == "infeasible":
        raise InfeasibleError(found.explanation)
    if found.objective is None or found.bound is None or found.gap is None:
        raise LimitError(
            Msg("no portfolio was found for the objective {name}; raise solve.time_limit_s",
                name=step.by)
        )  # fmt: skip
    sign = MEASURES[step.by].sign
    value = sign * found.objective
    return Stage(
        step.by, found.status, value, sign * found.bound, found.gap,
        kept_within(step, value, count),
    )  # fmt: skip


def with_stages(
    formulation: Formulation, scenario: Scenario, stages: Sequence[Mapping[str, Any]]
) -> Formulation:
    """The formulation with the rows that the stages of a run left (``stages`` of result.json)."""
    for one in stages:
        formulation = _with_row(formulation, scenario, Stage(**dict(one)))
    return formulation


def _with_row(formulation: Formulation, scenario: Scenario, stage: Stage) -> Formulation:
    values = column_integers(formulation.columns, formulation.sites, scenario, stage.by)
    more = MEASURES[stage.by].sign > 0
    row = goal(
        stage.by, values, stage.kept if more else None, None if more else stage.kept,
        scenario.count,
    )  # fmt: skip
    constraints = (*formulation.problem.constraints, row)
    problem = dataclasses.replace(formulation.problem, constraints=constraints)
    return dataclasses.replace(formulation, problem=problem)


def as_written(stages: Sequence[Stage]) -> tuple[dict[str, Any], ...]:
    """For result.json: see :class:`Stage`."""
    return tuple(dataclasses.asdict(one) for one in stages)
