"""The seam between the pipeline and everything that shows or re-checks a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd

from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.rulebook import Rulebook
from siteselect.scenario import Scenario
from siteselect.scenario_files import Change

SHORTLIST_STATUSES = ("selected", "forced_in", "reserve")
STATUSES = ("selected", "forced_in", "reserve", "not_selected", "forced_out", "excluded")
"""Order in which people read the statuses of sites."""


@dataclass(frozen=True)
class RunResult:
    """What the search found, as written to ``result.json``.

    ``objective``, ``bound`` are integers of the model (score × 10⁶); ``gap`` is relative
    (0 = proven optimal).
    """

    status: str
    """optimal | within_gap | limit | interrupted"""
    objective: int
    bound: int
    gap: float
    counts: Mapping[str, int]
    """candidates, considered, excluded, selected, reserve, columns, …"""
    totals: Mapping[str, float]
    """usable_ha, new_artificialisation_ha, restored_ha, net_ha, cost_keur,
    restoration_cost_keur, brownfield_share …"""
    timings_s: Mapping[str, float]
    seed: int
    versions: Mapping[str, str]
    stages: tuple[Mapping[str, Any], ...] = ()
    """objectives in order: by, status, value, bound, gap, kept (integers of the objective)"""
    routing: Mapping[str, str] = field(default_factory=dict)
    """how each measure by road was computed, and why so; nothing for what the cache held"""
    reserve_by: str = "score"
    """how the reserve was drawn up: next, model or score (see ``[ranking]``)"""
    ties_settled: bool = True
    """whether the portfolio is proven to come first, by identifiers, of those worth as much"""
    overrides: tuple[Mapping[str, Any], ...] = ()
    """log of the planners: site_id, direction, reason, cost (score × 10⁶ lost, ``None``: not
    proven), status, enter, leave"""
    overrides_cost: int | None = 0
    """what all overrides cost together, score × 10⁶; ``None``: not proven"""


@dataclass(frozen=True)
class Run:
    """A finished run: inputs, tables, result.

    Tables
    ------
    sites
        every candidate of the pack, one row per ``site_id`` (column, not index), EPSG:2154
        footprints: the columns of the table of sites in docs/architecture.md.
    shortlist
        rows of ``sites`` selected (ranked 1..p) then the reserve (ranked 1..k), in that order.
    ledger
        level, code, name, period, regime, vintage, gross_ha, restored_ha, net_ha, cap_ha
        (NaN: no cap), balance_ha, cap_origin; the programme row has level ``programme``.
    restoration
        parcels restored: parcel_id, name, code_insee, commune, region, region_name, restored_ha,
        area_ha, cost_keur, geometry.
    notices
        what is simulated or assumed, to be said on screen, in every export and on the map.
    """

    run_id: str
    created: datetime
    """when the run was made, UTC; not part of the tables, which stay the same byte for byte"""
    scenario: Scenario
    changes: tuple[Change, ...]
    pack: DataPack
    rulebook: Rulebook
    result: RunResult
    sites: gpd.GeoDataFrame
    contributions: pd.DataFrame
    """points that each criterion brings: index ``site_id``, one column per criterion"""
    shortlist: gpd.GeoDataFrame
    ledger: pd.DataFrame
    restoration: gpd.GeoDataFrame
    notices: tuple[Msg, ...]
    lang: str = "fr"
    """language of the texts inside the tables (``reason``)"""
    proof: bytes | None = None
    """certificate of the bound, as it is written; none where nothing is written"""
