"""Consumption of natural, agricultural and forest land (ENAF) → caps of territories, 2021-2031.

Cerema publishes the consumption of each commune from the land files. The trajectory of the law
Climat et résilience halves it: cap = (1 − reduction) × consumption 2011-2020, at least the
guarantee of 1 ha a commune, less what was already consumed since 2021. A territory that has
consumed its cap already has 0 ha left: no portfolio can mend that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.part import CODE_NAMES, Part, true_at
from siteselect.sources.plan import Input
from siteselect.territories import LEVEL_COLUMNS
from siteselect.units import M2_PER_HA

REFERENCE = range(2011, 2021)
"""Years of the reference decade."""
PERIOD = range(2021, 2031)
"""Years of the first period."""
WIDE = re.compile(r"naf(\d\d)art(\d\d)", re.IGNORECASE)
"""Cerema's national table: ``naf11art12`` is what was consumed during 2011, m²."""
YEAR_NAMES = ("year", "annee", "année")
TOTAL_NAMES = ("total", "conso_m2", "consommation", "naftot")
LAND_NAMES = ("land_id", *CODE_NAMES)
TYPE_NAMES = ("land_type",)
CAP_COLUMNS = (
    "level",
    "code",
    "name",
    "communes",
    "reference_ha",
    "since_ha",
    "last_year",
    "reduction",
    "objective_ha",
    "cap_ha",
    "exceeded_ha",
)


@dataclass(frozen=True)
class Consumption:
    """Hectares consumed by commune and year: code_insee, year, consumed_ha."""

    table: pd.DataFrame


def read_consumption(opened: Opened, known: set[str]) -> Part[pd.DataFrame]:
    """code_insee, year, consumed_ha from Cerema's wide table or a long one (land_id, year, total).

    Rows of other levels (EPCI…) are left out: communes are added up instead.
    """
    wide = [name for name in opened.frame.columns if WIDE.fullmatch(str(name))]
    stated = opened.need(LAND_NAMES, what="the INSEE codes")
    findings = Findings(stated)
    index = opened.frame.index
    kinds = opened.find(TYPE_NAMES)
    if kinds is not None:
        findings.leave_out(kinds.str.upper() != "COMM", "other_level", kinds + " " + stated)
    codes = values.commune_of_district(values.insee_codes(stated))
    findings.leave_out(~codes.isin(list(known)), "unknown_code", stated)
    if wide:
        table = _wide(opened, wide, codes, findings)
    else:
        year = values.numbers(opened.need(YEAR_NAMES, what="the year"))
        total = opened.need(TOTAL_NAMES, what="the area consumed")
        area_m2 = values.numbers(total)
        findings.leave_out(true_at(index, ~(year % 1 == 0)), "wrong_value", stated)
        findings.leave_out(true_at(index, ~(area_m2 >= 0)), "wrong_value", total)
        counted = year.isin([*REFERENCE, *PERIOD])
        findings.leave_out(~counted, "other_period", year.astype("str"))
        kept = findings.kept
        table = pd.DataFrame(
            {
                "code_insee": codes[kept],
                "year": year[kept].astype(int),
                "consumed_ha": area_m2[kept] / M2_PER_HA,
            }
        )
    summed = table.groupby(["code_insee", "year"], as_index=False)["consumed_ha"].sum()
    return Part(summed, findings.report(opened.damaged), opened.rows)


def _wide(
    opened: Opened, names: list[str], codes: pd.Series[str], findings: Findings
) -> pd.DataFrame:
    parts = []
    for name in names:
        year = 2000 + int(re.findall(r"\d\d", name)[0])
        if year not in REFERENCE and year not in PERIOD:
            continue
        area_m2 = values.numbers(opened.frame[name])
        wrong = true_at(opened.frame.index, ~(area_m2 >= 0))
        findings.leave_out(wrong, "wrong_value", name + ": " + opened.frame[name])
        parts.append((year, area_m2))
    kept = findings.kept
    tables = [
        pd.DataFrame(
            {"code_insee": codes[kept], "year": year, "consumed_ha": area_m2[kept] / M2_PER_HA}
        )
        for year, area_m2 in parts
    ]
    return pd.concat(tables, ignore_index=True) if tables else _no_years(opened)


def _no_years(opened: Opened) -> pd.DataFrame:
    opened.need(("naf11art12",), what="the years 2011 to 2030")
    return pd.DataFrame(columns=["code_insee", "year", "consumed_ha"])


@dataclass(frozen=True)
class Objectives:
    """Reductions that documents of planning set.

    ``by_commune``: share by which each commune (index: code) reduces; ``stated``: level, code,
    reduction of the territories that have an objective of their own.
    """

    by_commune: pd.Series[float]
    stated: pd.DataFrame


def caps(
    consumption: pd.DataFrame,
    communes: pd.DataFrame,
    one: Input,
    objectives: Objectives | None = None,
) -> pd.DataFrame:
    """Table ``caps`` of a pack, one row a territory of the level (:data:`CAP_COLUMNS`).

    ``communes``: all of them, with their SCoT (:func:`siteselect.territories.joined`) where the
    level is that of the SCoT; communes in none are in no row.
    ``reference_ha`` 2011-2020, ``since_ha`` from 2021 to ``last_year``, ``reduction`` the share by
    which the territory as a whole reduces (before any guarantee), ``objective_ha`` what the
    period may consume in all, ``cap_ha`` what is left of it (never under 0), ``exceeded_ha`` what
    went beyond. Only communes with all ten reference years count. The objective of a territory
    is its own where ``objectives`` states one, else the sum over its communes.
    """
    years = consumption.assign(
        reference=consumption["year"].isin(list(REFERENCE)),
        since=consumption["year"].isin(list(PERIOD)),
    )
    grouped = years.groupby("code_insee")
    by_commune = pd.DataFrame(
        {
            "reference_ha": years["consumed_ha"]
            .where(years["reference"], 0.0)
            .groupby(years["code_insee"])
            .sum(),
            "since_ha": years["consumed_ha"]
            .where(years["since"], 0.0)
            .groupby(years["code_insee"])
            .sum(),
            "years": grouped["reference"].sum(),
        }
    )
    by_commune = by_commune[by_commune["years"] == len(REFERENCE)]
    code, name = LEVEL_COLUMNS[one.level]
    columns = list(dict.fromkeys(["code_insee", code, name]))
    places = pd.DataFrame(communes[columns]).set_index("code_insee", drop=False)
    joined = by_commune.join(places, how="inner").dropna(subset=[code]).rename_axis(None)
    reduction = pd.Series(one.reduction, index=joined.index)
    if objectives is not None:
        reduction = objectives.by_commune.reindex(joined.index)
    joined["target_ha"] = (1.0 - reduction) * joined["reference_ha"]
    joined["guaranteed_ha"] = np.maximum(joined["target_ha"], one.floor_ha)
    groups = joined.groupby(code)
    table = groups[["reference_ha", "since_ha", "target_ha", "guaranteed_ha"]].sum()
    if objectives is not None and one.level != "commune":
        own = objectives.stated[objectives.stated["level"] == one.level]
        stated = pd.Series(table.index, index=table.index).map(
            own.set_index("code")["reduction"].astype(float)
        )
        table["target_ha"] = ((1.0 - stated) * table["reference_ha"]).fillna(table["target_ha"])
    objective = table["target_ha"]
    if one.level == "commune" or one.pool_floor:
        objective = table[["target_ha", "guaranteed_ha"]].max(axis=1)
    left = objective - table["since_ha"]
    target, reference = table["target_ha"].to_numpy(), table["reference_ha"].to_numpy()
    whole = np.divide(target, reference, out=np.full(len(table), np.nan), where=reference > 0)
    result = pd.DataFrame(
        {
            "level": one.level,
            "code": table.index.astype("str"),
            "name": groups[name].first().to_numpy(),
            "communes": groups.size().to_numpy(),
            "reference_ha": table["reference_ha"].to_numpy(),
            "since_ha": table["since_ha"].to_numpy(),
            "last_year": int(consumption["year"].max()),
            "reduction": 1.0 - whole,
            "objective_ha": objective.to_numpy(),
            "cap_ha": np.maximum(left.to_numpy(), 0.0),
            "exceeded_ha": np.maximum(-left.to_numpy(), 0.0),
        }
    )
    return result[list(CAP_COLUMNS)]
