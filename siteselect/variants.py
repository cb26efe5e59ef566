"""Ways to develop a site, as integers: usable land, new artificialisation, cost, score.

*full* develops the whole footprint; *reuse* only the land already artificialised, so that it
artificialises nothing. A variant that leaves less usable land than the scenario asks for is not
offered, nor a reuse variant that would equal the full one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from siteselect.rulebook import Rulebook
from siteselect.scenario import CostSettings, Kind, Scenario
from siteselect.units import ha_to_units, ha_to_units_up, score_to_units

VARIANTS = ("full", "reuse")


def site_variants(sites: pd.DataFrame, scenario: Scenario, rulebook: Rulebook) -> pd.DataFrame:
    """The columns of the model: one row per site and variant offered.

    Parameters
    ----------
    sites
        considered sites, row number = position: kind, area_ha, artificialised_ha,
        non_artificialised_ha, enaf_ha, score.

    Returns
    -------
    DataFrame sorted by position then variant: ``site`` (position), ``variant``,
    ``usable_units`` and ``new_units`` (int, 0.01 ha; usable rounded, new rounded up),
    ``cost_keur`` (int, rounded), of which ``works_keur`` on land already artificialised,
    ``score_units`` (int, × 10⁶).
    """
    offered = []
    full = full_variant(sites, scenario.costs, rulebook)
    if scenario.variants.full:
        offered.append(full)
    if scenario.variants.reuse:
        reuse = reuse_variant(sites, scenario)
        same = np.zeros(len(sites), dtype=bool)
        if scenario.variants.full:
            same = np.asarray(full["new_units"] == 0) & np.asarray(
                full["usable_units"] == reuse["usable_units"]
            )
        offered.append(reuse[~same])
    columns = pd.concat(offered)
    least = int(ha_to_units_up(np.array([scenario.variants.min_usable_ha]))[0])
    columns = columns[columns["usable_units"] >= least]
    return columns.sort_values(["site", "variant"], ignore_index=True)


def full_variant(sites: pd.DataFrame, costs: CostSettings, rulebook: Rulebook) -> pd.DataFrame:
    """The whole footprint of every site, in the columns of :func:`site_variants`."""
    reused_keur = _cost(sites, costs.reuse_keur_per_ha) * sites["artificialised_ha"]
    new_keur = _cost(sites, costs.new_keur_per_ha) * sites["non_artificialised_ha"]
    return _columns(
        "full",
        usable_ha=sites["area_ha"],
        new_ha=sites[rulebook.charge],
        works_keur=reused_keur,
        cost_keur=reused_keur + new_keur,
        score=sites["score"],
    )


def reuse_variant(sites: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Only the land already artificialised, in the columns of :func:`site_variants`."""
    return _columns(
        "reuse",
        usable_ha=sites["artificialised_ha"],
        new_ha=sites["artificialised_ha"] * 0.0,
        works_keur=_cost(sites, scenario.costs.reuse_keur_per_ha) * sites["artificialised_ha"],
        cost_keur=_cost(sites, scenario.costs.reuse_keur_per_ha) * sites["artificialised_ha"],
        score=sites["score"] * scenario.variants.reuse_factor,
    )


def _columns(
    variant: str,
    *,
    usable_ha: pd.Series[float],
    new_ha: pd.Series[float],
    works_keur: pd.Series[float],
    cost_keur: pd.Series[float],
    score: pd.Series[float],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "site": np.arange(len(usable_ha), dtype=np.int64),
            "variant": variant,
            "usable_units": ha_to_units(usable_ha),
            "new_units": ha_to_units_up(new_ha),
            "works_keur": np.rint(np.asarray(works_keur)).astype(np.int64),
            "cost_keur": np.rint(np.asarray(cost_keur)).astype(np.int64),
            "score_units": score_to_units(score),
        }
    )


def _cost(sites: pd.DataFrame, keur_per_ha: Mapping[Kind, float]) -> pd.Series[float]:
    return sites["kind"].map(keur_per_ha).astype(np.float64)
