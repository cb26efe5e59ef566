"""The tables that people receive, as rows of plain values: the same for XLSX, CSV and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.columns import (
    CRITERIA_COLUMNS,
    LEDGER,
    OVERRIDE_COST,
    OVERRIDES,
    RESTORATION,
    SITES,
    Column,
)
from siteselect.report.words import criterion_label
from siteselect.runs import STATUSES, Run
from siteselect.scenario import MEASURES
from siteselect.scoring import criterion_weights
from siteselect.units import score_from_units

OPTIONAL = frozenset({"replacement_cost", "commune_shares"})
"""Columns shown only where a run has values for them."""


@dataclass(frozen=True)
class Table:
    """Columns and rows of raw values (numbers, texts, None), one value a column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def records(self) -> list[dict[str, Any]]:
        """Rows as dictionaries by key."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, row, strict=True)) for row in self.rows]


def make_table(frame: pd.DataFrame, columns: Sequence[Column]) -> Table:
    """The columns that ``frame`` has, in the order asked; row order is kept."""
    kept = tuple(
        column
        for column in columns
        if column.key in frame.columns
        and not (column.key in OPTIONAL and bool(frame[column.key].isna().all()))
    )
    values = [frame[column.key].astype(object).tolist() for column in kept]
    rows = tuple(zip(*values, strict=True)) if values else ()
    return Table(kept, rows)


def selection_table(run: Run) -> Table:
    """Sites selected, by rank."""
    chosen = run.shortlist[run.shortlist["status"] != "reserve"]
    return make_table(pd.DataFrame(chosen), SITES)


def reserve_table(run: Run) -> Table:
    """Reserve list, by rank."""
    return make_table(pd.DataFrame(run.shortlist[run.shortlist["status"] == "reserve"]), SITES)


def shortlist_table(run: Run) -> Table:
    """Selection then reserve."""
    return make_table(pd.DataFrame(run.shortlist), SITES)


def all_sites_table(run: Run) -> Table:
    """Every candidate: by status in the order people read, rank, then score."""
    frame = pd.DataFrame(run.sites)
    order = {status: position for position, status in enumerate(STATUSES)}
    # the whole shortlist keeps its ranks: a site forced in stands among the selected
    order["forced_in"] = order["selected"]
    keys = pd.DataFrame(
        {
            "status": frame["status"].map(order).fillna(len(order)),
            "rank": floats(frame["rank"], math.inf),
            "score": -floats(frame["score"], -1.0),
            "site_id": frame["site_id"],
        }
    )
    sequence = keys.sort_values(["status", "rank", "score", "site_id"], kind="stable").index
    return make_table(frame.loc[sequence], SITES)


def ledger_table(run: Run) -> Table:
    """ZAN ledgers: the programme, then every territory that has a cap or a charge."""
    return make_table(run.ledger, LEDGER)


def restoration_table(run: Run) -> Table:
    """Parcels restored, largest first."""
    frame = pd.DataFrame(run.restoration)
    if len(frame):
        frame = frame.sort_values(["restored_ha", "parcel_id"], ascending=[False, True])
    return make_table(frame, RESTORATION)


def criteria_table(run: Run, translator: Translator) -> Table:
    """Weights, bounds and mean contribution of every criterion to the sites selected."""
    chosen = run.shortlist.loc[run.shortlist["status"] != "reserve", "site_id"]
    known = run.contributions.index.intersection(pd.Index(chosen))
    means = run.contributions.loc[known].mean(numeric_only=True)
    groups = run.scenario.weights
    total = sum(getattr(groups, group) for group in MEASURES) or 1.0
    finals = criterion_weights(run.scenario.criteria, groups)
    rows = []
    for group in MEASURES:
        criteria = run.scenario.criteria.of(group)
        inside = sum(criterion.weight for criterion in criteria.values()) or 1.0
        for measure, criterion in criteria.items():
            rows.append(
                (
                    group,
                    criterion_label(measure, translator),
                    getattr(groups, group) / total,
                    criterion.weight / inside,
                    finals[measure],
                    criterion.best,
                    criterion.worst,
                    float(means[measure]) if measure in means.index else None,
                )
            )
    return Table(CRITERIA_COLUMNS, tuple(rows))


def overrides_table(run: Run, translator: Translator) -> Table:
    """Sites forced in or out by a planner, with the reason given and the cost (points).

    A site held by an earlier wave is a commitment, not an override: it has no cost.
    """
    locks = run.scenario.locks
    sites = pd.DataFrame(run.sites).set_index("site_id")
    decisions = [(site, Msg("Forced in")) for site in locks.include]
    decisions += [(site, Msg("Forced out")) for site in locks.exclude]
    rows = []
    for site, decision in decisions:
        known: Any = sites.loc[site] if site in sites.index else {}
        rows.append(
            (
                translator.text(decision),
                site,
                known.get("name"),
                known.get("commune"),
                known.get("status"),
                known.get("score"),
                locks.reasons.get(site) or translator.text(Msg("no reason given")),
            )
        )
    if not run.result.overrides:
        return Table(OVERRIDES, tuple(rows))
    costs = {
        one["site_id"]: None if one["cost"] is None else score_from_units(one["cost"])
        for one in run.result.overrides
    }
    return Table((*OVERRIDES, OVERRIDE_COST), tuple((*row, costs.get(row[1])) for row in rows))


def floats(values: pd.Series[Any], missing: float) -> NDArray[np.float64]:
    """A column as float64, ``missing`` standing for None, NaN and pandas.NA."""
    array = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(array), missing, array)
