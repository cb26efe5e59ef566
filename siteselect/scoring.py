"""From measures to a score between 0 and 1, its parts, and how far to trust it.

Each criterion turns one measured column into a value by a straight line between two bounds of
the scenario, ``worst`` → 0 and ``best`` → 1, clipped, in whichever direction. The score is the
weighted sum of the values: weights are normalised inside each group, then between groups.

Unknown and unreachable differ. *Unknown* (NaN: the pack cannot tell) earns nothing and counts
as not reliable; *unreachable* (inf: no road leads there) earns nothing and is a reliable fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import MEASURES, Criteria, Criterion, CriterionGroup, Weights

__all__ = ["contributions", "criterion_weights", "score_sites", "value"]

Floats = NDArray[np.float64]

GROUPS: tuple[CriterionGroup, ...] = get_args(CriterionGroup)


@dataclass(frozen=True)
class _Weighted:
    """One criterion, its share of its group and of the whole score."""

    group: CriterionGroup
    measure: str
    criterion: Criterion
    inner_share: float
    share: float


def score_sites(
    measures: pd.DataFrame,
    criteria: Criteria,
    weights: Weights,
    *,
    assumed: frozenset[str] = frozenset(),
) -> pd.DataFrame:
    """Scores of each site, indexed like ``measures``.

    Columns, all 0 to 1: ``score_access``, ``score_workforce``, ``score_network`` (each on its
    own scale), ``score`` (their weighted mean) and ``reliability`` (share of the weight whose
    value is known and whose column is not in ``assumed``).

    Parameters
    ----------
    measures
        One row a site, one column a measure.
    assumed
        Measured columns that rest on simulated or assumed layers.

    Raises
    ------
    InputError
        A criterion that is not a measured column, or weights that sum to zero.
    """
    columns = {f"score_{group}": np.zeros(len(measures)) for group in GROUPS}
    score, reliability = np.zeros(len(measures)), np.zeros(len(measures))
    for item in _weighted(measures, criteria, weights):
        measured = _column(measures, item.measure)
        worth = value(measured, item.criterion)
        columns[f"score_{item.group}"] += item.inner_share * worth
        score += item.share * worth
        if item.measure not in assumed:
            reliability += item.share * ~np.isnan(measured)
    table = pd.DataFrame(
        {**columns, "score": score, "reliability": reliability}, index=measures.index
    )
    return table.clip(0.0, 1.0)  # sums of shares may exceed 1 in the last bit


def contributions(measures: pd.DataFrame, criteria: Criteria, weights: Weights) -> pd.DataFrame:
    """What each criterion adds to the score: one column a measure; the row sums to ``score``."""
    return pd.DataFrame(
        {
            item.measure: item.share * value(_column(measures, item.measure), item.criterion)
            for item in _weighted(measures, criteria, weights)
        },
        index=measures.index,
    )


def criterion_weights(criteria: Criteria, weights: Weights) -> dict[str, float]:
    """The share of each measure in the score; the shares sum to 1.

    Raises
    ------
    InputError
        Weights that sum to zero.
    """
    log = FaultLog()
    result = _shares_of_all(log, criteria, weights)
    log.check()
    return {item.measure: item.share for item in result}


def value(measured: Floats, criterion: Criterion) -> Floats:
    """Linear value function: 0 at ``worst``, 1 at ``best``, clipped; NaN and inf are worth 0."""
    finite = np.isfinite(measured)
    span = criterion.best - criterion.worst
    scaled = (np.where(finite, measured, criterion.worst) - criterion.worst) / span
    return np.asarray(np.clip(scaled, 0.0, 1.0))


def _weighted(measures: pd.DataFrame, criteria: Criteria, weights: Weights) -> list[_Weighted]:
    log = FaultLog()
    _check_names(log, measures, criteria)
    result = _shares_of_all(log, criteria, weights)
    log.check()
    return result


def _shares_of_all(log: FaultLog, criteria: Criteria, weights: Weights) -> list[_Weighted]:
    group_weight = {group: float(getattr(weights, group)) for group in GROUPS}
    all_groups = sum(group_weight.values())
    if all_groups <= 0:
        log.add(
            Msg("the weights of the groups sum to zero"),
            file="scenario",
            where="weights",
            value=group_weight,
            remedy=Msg("give at least one of access, workforce, network a weight above 0"),
        )
        return []
    result = []
    for group in GROUPS:
        members = criteria.of(group)
        inner = sum(criterion.weight for criterion in members.values())
        if inner <= 0 and group_weight[group] > 0:
            log.add(
                Msg("the weights of the criteria of {group} sum to zero", group=group),
                file="scenario",
                where=f"criteria.{group}",
                remedy=Msg(
                    "give a criterion a weight above 0, or weights.{group} = 0", group=group
                ),
            )
        for name, criterion in members.items():
            part = criterion.weight / inner if inner > 0 else 0.0
            share = part * group_weight[group] / all_groups
            result.append(_Weighted(group, name, criterion, part, share))
    return result


def _check_names(log: FaultLog, measures: pd.DataFrame, criteria: Criteria) -> None:
    """Every criterion is a measured column, and stands in one group only."""
    possible = [name for names in MEASURES.values() for name in names]
    seen: dict[str, str] = {}
    for group in GROUPS:
        for name in criteria.of(group):
            where = f"criteria.{group}.{name}"
            if name in seen:
                log.add(
                    Msg("the criterion {name} is also in {group}", name=name, group=seen[name]),
                    file="scenario",
                    where=where,
                    remedy=Msg("keep it in one group"),
                )
            seen[name] = group
            if name in measures.columns:
                continue
            near = nearest_name(name, [*possible, *map(str, measures.columns)])
            log.add(
                Msg("the criterion {name} is not a measure", name=name),
                file="scenario",
                where=where,
                value=name,
                remedy=Msg("did you mean {near}?", near=near)
                if near and near != name
                else Msg("use one of {known}", known=", ".join(possible)),
            )


def _column(measures: pd.DataFrame, name: str) -> Floats:
    return measures[name].to_numpy(dtype=np.float64, na_value=np.nan)
