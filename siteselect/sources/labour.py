"""Labour force by commune: INSEE tables (actifs de 15 à 64 ans) or any table of code and value."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.part import CODE_NAMES, Part, codes_of, true_at

LABOUR_NAMES = ("labour_force", "actifs", "population_active")
LABOUR_PATTERN = re.compile(r"actifs_15_?64.*|[pc]\d\d_act1564", re.IGNORECASE)
"""``P22_ACT1564`` (INSEE), ``actifs_1564_2022`` (derived tables)."""


def labour_names(columns: Collection[str]) -> tuple[str, ...]:
    """Columns that may hold the labour force, the usual names first, the latest vintage first."""
    found = [name for name in columns if LABOUR_PATTERN.fullmatch(name)]
    return (*LABOUR_NAMES, *sorted(found, reverse=True))


def read_labour(
    opened: Opened, known: Collection[str], kept: Collection[str]
) -> Part[pd.DataFrame]:
    """Table ``labour`` of a pack: code_insee, labour_force (whole persons).

    Parameters
    ----------
    known
        codes of all current communes: others are reported.
    kept
        codes of the communes of the pack: the rest is left out as outside it.

    Districts of Paris, Lyon and Marseille are added up, and the city's own row, where the table
    has both, is the one kept. Values are rounded to whole persons.

    Raises
    ------
    InputError
        no column holds INSEE codes or the labour force.
    """
    stated = opened.need(labour_names(opened.frame.columns), what="the labour force")
    opened.need(CODE_NAMES, what="the INSEE codes")
    findings = Findings(opened.cells(CODE_NAMES))
    codes = codes_of(opened, findings, what="the INSEE codes")
    number = values.numbers(stated)
    index = opened.frame.index
    findings.leave_out(values.blank(stated), "no_value", stated)
    findings.leave_out(true_at(index, ~(number >= 0)), "wrong_value", stated)
    cities = values.commune_of_district(codes)
    districts = cities != codes
    has_city = cities.isin(set(codes[findings.kept & ~districts]))
    findings.leave_out(districts & has_city, "repeated_code", codes)
    findings.note(districts, "districts_joined", codes + " → " + cities, "corrected")
    findings.leave_out(~cities.isin(list(known)), "unknown_code", codes)
    findings.leave_out(~cities.isin(list(kept)), "outside_area", codes)
    again = codes.where(findings.kept).dropna().duplicated()
    findings.leave_out(again.reindex(index, fill_value=False), "repeated_code", codes)
    rows = findings.kept
    total = number[rows].groupby(cities[rows]).sum()
    table = pd.DataFrame(
        {
            "code_insee": total.index.astype("str"),
            "labour_force": np.rint(total.to_numpy()).astype(np.int64),
        }
    )
    return Part(table, findings.report(opened.damaged), opened.rows)
