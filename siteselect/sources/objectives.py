"""Objectives of reduction of ENAF consumption by territory, from a region's documents of planning.

A SRADDET sets an objective for the region, and for the SCoT or EPCI within it: the consumption of
each commune is reduced by the objective of the nearest territory that has one.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.part import Part, true_at
from siteselect.territories import LEVEL_COLUMNS

LAND_NAMES = ("land", "land_id", "code", "code_territoire", "territoire")
LEVEL_NAMES = ("land_type", "level", "niveau", "type_territoire")
REDUCTION_NAMES = ("objectif_de_reduction", "reduction", "objectif", "taux_reduction")
LEVELS = {
    "region": "region",
    "reg": "region",
    "departement": "departement",
    "depart": "departement",
    "dept": "departement",
    "scot": "scot",
    "epci": "epci",
    "commune": "commune",
    "comm": "commune",
}
"""Words for a level, folded."""
COLUMNS = ("level", "code", "reduction")
_PAIR = re.compile(r"\W*(?P<code>\w+)\W+(?P<level>[A-Za-zÀ-ÿ]+)\W*")
"""``['32', 'REGION']``: code and level in one cell."""


def read_objectives(opened: Opened) -> Part[pd.DataFrame]:
    """level, code, reduction (share of 0 to 1): one row a territory.

    Levels are region, departement, scot, epci and commune. Percentages are divided by 100: an
    objective of 1 or less is read as a share.

    Raises
    ------
    InputError
        the columns of territories or of objectives are not found.
    """
    land = opened.need(LAND_NAMES, what="the territories")
    stated = opened.need(REDUCTION_NAMES, what="the objectives of reduction")
    both = land.str.extract(_PAIR)
    code = values.present(both["code"].where(both["level"].notna(), land.str.strip()))
    apart = opened.find(LEVEL_NAMES)
    word = both["level"] if apart is None else apart
    level = word.fillna("").map(values.fold).map(LEVELS)
    number = values.numbers(stated)
    reduction = number.where(number <= 1, number / 100)
    findings = Findings(code)
    findings.leave_out(code.isna(), "no_name", land)
    findings.leave_out(level.isna(), "other_level", land)
    right = (reduction >= 0) & (reduction <= 1)
    findings.leave_out(true_at(land.index, ~right), "not_a_share", stated)
    again = (level + " " + code).duplicated()
    findings.leave_out(again, "repeated_code", land)
    kept = findings.kept
    table = pd.DataFrame({"level": level[kept], "code": code[kept], "reduction": reduction[kept]})
    return Part(table.reset_index(drop=True), findings.report(opened.damaged), opened.rows)


def reductions_of(
    communes: pd.DataFrame, objectives: pd.DataFrame, default: float
) -> pd.Series[float]:
    """The reduction that holds in each commune, indexed by its code.

    The nearest territory with an objective wins: commune, EPCI, SCoT (where the communes have
    theirs: :func:`siteselect.territories.joined`), département, region; else ``default``.
    """
    result = pd.Series(np.nan, index=pd.Index(communes["code_insee"]))
    for level, (code, _) in LEVEL_COLUMNS.items():  # nearest first
        if code not in communes:
            continue
        known = objectives[objectives["level"] == level].set_index("code")["reduction"]
        found = communes.set_index("code_insee", drop=False)[code].map(known)
        result = result.fillna(found.astype(float))
    return result.fillna(default)
