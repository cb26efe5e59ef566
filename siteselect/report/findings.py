"""What the analyses kept beside a run add to its page and to the committee pack.

A run is written once; ``siteselect robustness`` puts its tables into ``RUN/analysis``
later. Analyses of another run (an older one in the same place) are left aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from siteselect.analysis import FACTS, FOLDER
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.columns import NOTHING, RANK, SHARE, TEXT, Column
from siteselect.report.tables import Table
from siteselect.report.words import RUN_STATUS
from siteselect.rundir import read_json
from siteselect.runs import Run

CHALLENGERS = 15
"""Sites that the run does not choose and other draws choose most often."""
BAR = ("frequency", "low", "high")
CLASSES: Mapping[str, Msg] = {
    "always": Msg("always"),
    "often": Msg("often"),
    "sometimes": Msg("sometimes"),
    "never": Msg("never"),
}
NO_ROBUSTNESS = Msg(
    "Not computed: siteselect robustness RUN, then siteselect report RUN, show how sure this "
    "choice is when weights, data and caps vary."
)
SITES = (
    Column("rank", Msg("Rank"), RANK, 6, NOTHING),
    Column("name", Msg("Name"), TEXT, 34),
    Column("region_name", Msg("Region"), TEXT, 20),
    Column("frequency", Msg("Chosen in"), SHARE, 9),
    Column("low", Msg("95% interval, from"), SHARE, 9),
    Column("high", Msg("to"), SHARE, 9),
    Column("class", Msg("How often"), TEXT, 16),
)
STRUCTURES = (
    Column("variant", Msg("If instead"), TEXT, 34),
    Column("status", Msg("Status"), TEXT, 18),
    Column("kept", Msg("Sites kept"), RANK, 9, NOTHING),
    Column("jaccard", Msg("Agreement (Jaccard)"), SHARE, 11, NOTHING),
)


@dataclass(frozen=True, eq=False)
class Findings:
    """Analyses of a run that exist; ``None``: not computed.

    Attributes
    ----------
    robustness
        facts and the tables ``sites`` and ``structures`` of ``siteselect robustness``.
    """

    robustness: tuple[Mapping[str, Any], pd.DataFrame, pd.DataFrame] | None = None


@dataclass(frozen=True)
class Stability:
    """How sure the choice is: sentences, and tables ready to be laid out."""

    lines: tuple[str, ...]
    chosen: Table
    challengers: Table
    structures: Table
    bars: tuple[tuple[float, float, float], ...]
    """frequency and its interval, of the chosen sites then of the challengers"""


def read_findings(folder: Path, run: Run) -> Findings:
    """The analyses in a run directory that are of this very run."""
    robust = _facts(folder, "robustness", run)
    return Findings(
        None
        if robust is None
        else (robust, _table(folder, "robustness", "sites"), _structures(folder)),
    )


def _facts(folder: Path, name: str, run: Run) -> Mapping[str, Any] | None:
    try:
        facts: Mapping[str, Any] = read_json(folder / FOLDER / name / FACTS)
    except InputError:
        return None
    return facts if facts.get("run_id") == run.run_id else None


def _table(folder: Path, name: str, table: str) -> pd.DataFrame:
    return pd.read_parquet(folder / FOLDER / name / f"{table}.parquet")


def _structures(folder: Path) -> pd.DataFrame:
    return _table(folder, "robustness", "structures")


def stability(findings: Findings, run: Run, t: Translator) -> Stability | None:
    """The robustness of a run for people; None where it was not computed."""
    if findings.robustness is None:
        return None
    facts, sites, structures = findings.robustness
    ranks = run.shortlist[run.shortlist["status"] != "reserve"].set_index("site_id")["rank"]
    chosen = sites[sites["selected"]].assign(rank=lambda d: d["site_id"].map(ranks))
    chosen = chosen.sort_values(["rank", "site_id"])
    others = sites[~sites["selected"]].sort_values(
        ["frequency", "site_id"], ascending=[False, True]
    )
    others = others.head(CHALLENGERS).assign(rank=None)
    return Stability(
        tuple(_lines(facts, chosen, t)),
        _rows(chosen, SITES, t),
        _rows(others, SITES[1:], t),
        _rows(structures, STRUCTURES, t),
        tuple(map(tuple, pd.concat([chosen, others])[list(BAR)].to_numpy(dtype=float).tolist())),
    )


def _lines(facts: Mapping[str, Any], chosen: pd.DataFrame, t: Translator) -> list[str]:
    how = facts["uncertainty"]
    said = [
        Msg(
            "{draws} draws, each solved again ({proven} proven): weights around those of the "
            "scenario, measured values ± {measured}, simulated or assumed values ± {assumed}, "
            "caps ± {caps}. These spreads are assumptions, not measurements.",
            draws=how["draws"],
            proven=facts["proven"],
            measured=t.percent(how["measured_spread"]),
            assumed=t.percent(how["assumed_spread"]),
            caps=t.percent(how["cap_spread"]),
        ),
        Msg(
            "Of the {count} sites chosen, {always} are chosen in every draw, {often} in most, "
            "{sometimes} in some and {never} in none.",
            count=len(chosen),
            **{name: int((chosen["class"] == name).sum()) for name in CLASSES},
        ),
    ]
    return [t.text(line) for line in said]


def _rows(table: pd.DataFrame, columns: tuple[Column, ...], t: Translator) -> Table:
    words = {**CLASSES, **RUN_STATUS}

    def cell(key: str, value: Any) -> Any:
        return t.text(words[value]) if key in ("class", "status") and value in words else value

    return Table(
        columns,
        tuple(
            tuple(cell(column.key, row[column.key]) for column in columns)
            for row in table.to_dict("records")
        ),
    )
