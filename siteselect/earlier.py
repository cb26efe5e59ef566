"""What earlier waves of a programme restored: it counts and is paid, and is not restored again.

The land of a wave that was labelled is given back once. The next wave starts from what is left:
smaller parcels, caps raised by what was given back, a budget lowered by what was paid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.ledger import TerritoryCap, in_territory
from siteselect.messages import Msg
from siteselect.scenario import Scenario
from siteselect.units import ha_to_units


@dataclass(frozen=True, eq=False)
class Earlier:
    """Restoration of earlier waves, and what it leaves.

    Attributes
    ----------
    parcels
        parcels restored, at least in part, by earlier waves: ``before_units`` (0.01 ha).
    left
        parcels with land left to restore: ``before_units``, ``left_units`` (0.01 ha) and
        ``left_keur``, the cost of what is left, rounded up.
    paid_keur
        what the earlier restoration cost, k€, rounded up once.
    """

    parcels: gpd.GeoDataFrame
    left: gpd.GeoDataFrame
    paid_keur: int

    @property
    def sites(self) -> frozenset[str]:
        """Sites whose land was restored, and is not built on any more."""
        return frozenset(self.parcels["site_id"].dropna().astype(str))

    def units_in(self, cap: TerritoryCap) -> int:
        """Units of 0.01 ha restored before in the territory of a ledger."""
        if self.parcels.empty:
            return 0
        return int(self.parcels.loc[in_territory(self.parcels, cap), "before_units"].sum())


def earlier_waves(offered: gpd.GeoDataFrame, scenario: Scenario) -> Earlier:
    """Split the parcels offered into what was restored before and what is left.

    Parameters
    ----------
    offered
        parcels in the order of the problem: parcel_id, site_id, area_ha, cost_keur and territory
        columns; none where the scenario admits no offsets (nothing is deducted then).

    Raises
    ------
    InputError
        ``zan.restored_ha`` names an unknown parcel, more land than a parcel has, a site that is
        forced in, or costs more than the budget.
    """
    stated = scenario.zan.restored_ha if scenario.zan.offsets else {}
    parcels = offered.copy()
    whole = ha_to_units(parcels["area_ha"])
    units = ha_to_units(parcels["parcel_id"].map(stated).astype(float).fillna(0.0))
    _check_parcels(parcels, whole, stated, scenario)
    cost = parcels["cost_keur"].to_numpy(np.int64)
    parcels["before_units"], parcels["left_units"] = units, whole - units
    parcels["left_keur"] = -(-cost * (whole - units) // np.maximum(whole, 1))
    touched = np.flatnonzero(units > 0).tolist()
    paid = math.ceil(sum(Fraction(int(cost[r] * units[r]), int(whole[r])) for r in touched))
    _check_budget(paid, scenario)
    return Earlier(
        gpd.GeoDataFrame(parcels.iloc[touched]),
        gpd.GeoDataFrame(parcels[whole > units]).reset_index(drop=True),
        paid,
    )


def _check_parcels(
    parcels: pd.DataFrame, whole: NDArray[np.int64], stated: Mapping[str, float], scenario: Scenario
) -> None:
    log = FaultLog()
    capacity = dict(zip(parcels["parcel_id"], whole.tolist(), strict=True))
    on_site = dict(zip(parcels["parcel_id"], parcels["site_id"], strict=True))
    for name, area_ha in sorted(stated.items()):
        if name not in capacity:
            near = nearest_name(name, capacity)
            log.add(
                Msg("no restoration parcel of the pack has this identifier"),
                where="zan.restored_ha",
                value=name,
                remedy=Msg("did you mean {near}?", near=near) if near else Msg("remove it"),
            )
        elif int(ha_to_units(area_ha)) > capacity[name]:
            log.add(
                Msg("{name}: more land was restored than the parcel has", name=name),
                where="zan.restored_ha",
                value=area_ha,
                remedy=Msg("give at most {most:g} ha", most=capacity[name] / 100),
            )
        elif on_site[name] in scenario.locks.include:
            log.add(
                Msg("{name}: the land of a site that is forced in was restored", name=name),
                where="zan.restored_ha",
                value=on_site[name],
                remedy=Msg("remove the site from locks.include, or the parcel from the list"),
            )
    log.check()


def _check_budget(paid_keur: int, scenario: Scenario) -> None:
    budget = scenario.constraints.budget_keur
    if budget is not None and paid_keur > int(budget):
        raise InputError(
            Fault(
                Msg("what earlier waves restored already costs more than the budget"),
                where="constraints.budget_keur",
                value=budget,
                remedy=Msg("give at least {least:,} k€", least=paid_keur),
            )
        )
