"""Ours on the problem of a finished run: solved cold, then again after the weights change."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTINGS = (
    (0.45, 0.35, 0.20),
    (0.34, 0.33, 0.33),
    (0.60, 0.20, 0.20),
    (0.20, 0.60, 0.20),
    (0.20, 0.20, 0.60),
    (0.50, 0.50, 0.00),
)
"""Weights of access, workforce and network, asked one after the other."""


@dataclass(frozen=True, eq=False)
class Reopened:
    """The problem of a run, and what its columns are worth under each weighting."""

    base: Any
    scores: tuple[Any, ...]
    furthest: int
    """largest difference between the scores put together again and those of the run, × 10⁶"""


def make_reopened(path: Path, run: Path) -> None:
    """Reopen a run and put the scores together for every weighting."""
    from siteselect.draws import Uncertainty, drawn_from
    from siteselect.reopen import reopen
    from siteselect.scenario import Weights
    from siteselect.scoring import GROUPS, criterion_weights

    case = reopen(run)
    family = drawn_from(case, Uncertainty())
    criteria = case.scenario.criteria
    order = [name for group in GROUPS for name in criteria.of(group)]

    def worth(weights: Weights) -> Any:
        shares = criterion_weights(criteria, weights)
        return family.column_scores(family.measures, np.array([shares[name] for name in order]))

    scores = tuple(
        worth(Weights(access=a, workforce=w, network=n)) for a, w, n in WEIGHTINGS
    )  # fmt: skip
    same = worth(case.scenario.weights) - case.problem.score
    made = Reopened(case.problem, scores, int(np.abs(same).max(initial=0)))
    path.write_bytes(pickle.dumps(made, protocol=5))


def solved_again(run: Reopened, options: Any) -> dict[str, Any]:
    """One solve of the run, then one for each weighting; nothing is kept in between.

    Replacement costs, where they are asked for, take over the relaxation of the first.
    """
    from selection_engines import replaced

    found, cold = _timed(run.base, options.limit_s, keep=options.replacement)
    again = []
    for weights, score in zip(WEIGHTINGS, run.scores, strict=True):
        _, figures = _timed(replace(run.base, score=score), options.limit_s)
        again.append({"weights": weights, **figures})
    return {
        "columns": run.base.n_columns, "sites": run.base.n_sites,
        "coverage": run.base.coverage is not None, "scores_differ_by": run.furthest,
        "proven": cold["proven"], "objective": found.objective, "bound": found.bound,
        "cold": cold, "again": again, **replaced(run.base, found, options),
    }  # fmt: skip


def _timed(problem: Any, limit_s: float, *, keep: bool = False) -> tuple[Any, dict[str, Any]]:
    from siteselect.optimise import solve

    wall, cpu = time.perf_counter(), time.process_time()
    found = solve(problem, time_limit_s=limit_s, keep=keep)
    return found, {
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "status": found.status,
        "proven": found.proven,
        "objective": found.objective,
    }
