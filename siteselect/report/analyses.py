"""Questions about a finished run, answered and kept in ``RUN/analysis/`` with tables and figures.

The command line and the application call the same functions. Each reopens the run, answers, and
writes the answer (complete or absent).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from siteselect.analysis import write_analysis
from siteselect.decisions import (
    alternatives_tables,
    rank_tables,
    robustness_tables,
    tradeoff_tables,
)
from siteselect.draws import Uncertainty
from siteselect.equity import equity
from siteselect.i18n import Translator
from siteselect.reopen import reopen
from siteselect.report.plots import (
    acceptability_plot,
    frequency_plot,
    front_plot,
    price_plot,
    regions_plot,
    replacement_plot,
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Kept:
    """An answer: where it was written, its facts (JSON) and its tables."""

    folder: Path
    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame]


def keep_ranking(
    folder: Path, t: Translator, *, nested: int = 0, progress: Progress | None = None
) -> Kept:
    """Replacement costs, reserve, overrides and, with ``nested``, the nested order by that step.

    Raises
    ------
    InputError
        the folder is no run, or cannot be written.
    """
    case = reopen(folder, progress=progress)
    facts, tables = rank_tables(case, nested=nested, progress=progress)
    figures = {"replacement": replacement_plot(tables["replacement"], t)}
    place = write_analysis(folder, "ranking", facts=facts, tables=tables, figures=figures)
    return Kept(place, facts, tables)


def keep_robustness(
    folder: Path,
    t: Translator,
    *,
    draws: int = 200,
    seed: int | None = None,
    concentration: float = 50.0,
    workers: int = 2,
    progress: Progress | None = None,
) -> Kept:
    """Which sites stay when weights, data and caps vary. ``seed``: that of the scenario. Raises
    InputError as :func:`keep_ranking`.
    """
    case = reopen(folder, progress=progress)
    chosen = Uncertainty(
        draws=draws,
        seed=case.scenario.seed if seed is None else seed,
        concentration=concentration,
    )
    facts, tables = robustness_tables(case, chosen, workers=workers, progress=progress)
    figures = {
        "frequency": frequency_plot(tables["sites"], t),
        "acceptability": acceptability_plot(tables["acceptability"], t),
    }
    place = write_analysis(
        folder, "robustness", facts=facts, tables=tables, figures=figures, show=t.text
    )
    return Kept(place, facts, tables)


def keep_alternatives(
    folder: Path,
    *,
    loss_share: float = 0.01,
    min_different: int = 5,
    how_many: int = 5,
    progress: Progress | None = None,
) -> Kept:
    """Other good portfolios. Raises InputError as :func:`keep_ranking`."""
    case = reopen(folder, progress=progress)
    facts, tables = alternatives_tables(
        case,
        loss_share=loss_share,
        min_different=min_different,
        how_many=how_many,
        progress=progress,
    )
    place = write_analysis(folder, "alternatives", facts=facts, tables=tables)
    return Kept(place, facts, tables)


def keep_tradeoffs(
    folder: Path,
    t: Translator,
    *,
    against: str = "zan",
    points: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> Kept:
    """What is exchanged against what: a front, or the price of ZAN. Raises InputError as
    :func:`keep_ranking`, and where nothing is called ``against``.
    """
    case = reopen(folder, progress=progress)
    facts, tables = tradeoff_tables(
        case, against, points=points, workers=workers, progress=progress
    )
    table = tables["points"]
    labels = [t.text(label) for label in facts.pop("labels")]
    here = facts.get("run")
    figure = (
        price_plot(table, t)
        if against == "zan"
        else front_plot(table, t, labels=labels, run=list(here.values()) if here else None)
    )
    place = write_analysis(
        folder, f"tradeoffs-{against}", facts=facts, tables=tables, figures={"front": figure}
    )
    return Kept(place, facts, tables)


def keep_equity(folder: Path, t: Translator, *, progress: Progress | None = None) -> Kept:
    """Who is served. Raises InputError as :func:`keep_ranking`."""
    found = equity(reopen(folder, progress=progress), progress=progress)
    facts = {
        "concentration": found.concentration,
        "notices": [t.text(notice) for notice in found.notices],
        "reach": found.reach.to_dict("records"),
    }
    tables: dict[str, pd.DataFrame] = {
        "regions": found.regions,
        "territories": found.territories,
        "unemployment": found.unemployment,
        "reach": found.reach,
    }
    figures = {"regions": regions_plot(found.regions, t)}
    place = write_analysis(folder, "equity", facts=facts, tables=tables, figures=figures)
    return Kept(place, facts, tables)
