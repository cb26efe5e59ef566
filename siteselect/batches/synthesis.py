"""The whole batch in three tables: scenarios, regions, and sites by how often they are chosen.

A site chosen whatever the scenario belongs to the robust core: what differs between scenarios
does not matter for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from siteselect.batches.plan import Planned
from siteselect.batches.work import Done
from siteselect.outcome import SELECTED
from siteselect.rundir import read_table
from siteselect.units import CRS, score_from_units

if TYPE_CHECKING:
    from siteselect.batches.running import Batch

FIGURES = (
    "usable_ha", "new_artificialisation_ha", "restored_ha", "net_ha", "brownfield_share",
    "cost_keur", "restoration_cost_keur", "total_cost_keur", "price_of_zan",
)  # fmt: skip
"""Totals of a run that the table of scenarios shows."""
SITE_COLUMNS = (
    "site_id", "name", "kind", "code_insee", "commune", "departement", "departement_name",
    "region", "region_name", "geometry",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Synthesis:
    """The tables of a batch.

    Attributes
    ----------
    runs
        one row a scenario, in the order of the batch: ``name``, ``title``, ``run``, ``status``,
        ``reason``, ``objective`` and ``bound`` (points), ``gap``, ``selected``, ``budget_keur``
        (asked for), the totals of the run, and one column for each key that a grid sets.
    regions
        sites chosen by scenario (rows, by name) and region (columns, by name).
    sites
        one row a site chosen in at least one scenario: ``chosen_in`` (scenarios), ``share`` of
        the scenarios that have a run, ``reserve_in``, ``forced_in``, ``best_rank``,
        ``mean_rank``, ``core`` (chosen in every one); most chosen first.
    keys
        the dotted keys that grids set: columns of ``runs``.
    """

    runs: pd.DataFrame
    regions: pd.DataFrame
    sites: gpd.GeoDataFrame
    keys: tuple[str, ...]

    @property
    def core(self) -> gpd.GeoDataFrame:
        """Sites chosen in every scenario that has a run."""
        return gpd.GeoDataFrame(self.sites[self.sites["core"]])


def synthesis_of(batch: Batch) -> Synthesis:
    """Put the runs of a batch together. Raises InputError where a run cannot be read."""
    pairs = list(zip(batch.plan.runs, batch.done, strict=True))
    keys = tuple(dict.fromkeys(key for planned, _ in pairs for key in planned.keys))
    runs = pd.DataFrame([_row(planned, done) for planned, done in pairs])
    for key in keys:  # as objects: a column of numbers would turn 30 into 30.0
        runs[key] = pd.Series([_value_of(key, planned) for planned, _ in pairs], dtype=object)
    listed = _shortlists(batch, pairs)
    chosen = listed[listed["status"].isin(SELECTED)]
    regions = pd.crosstab(chosen["scenario"], chosen["region_name"])
    regions = regions.reindex([one.name for one, done in pairs if done.has_run], fill_value=0)
    finished = sum(done.has_run for _, done in pairs)
    return Synthesis(runs, regions, _sites(listed, finished), keys)


def _value_of(key: str, planned: Planned) -> Any:
    """What a scenario says of a key that some grid of the batch sets: its own value otherwise."""
    if key in planned.keys or planned.loaded is None:
        return planned.keys.get(key)
    value: Any = planned.loaded.scenario.model_dump(mode="json")
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _row(planned: Planned, done: Done) -> dict[str, Any]:
    scenario = planned.loaded.scenario if planned.loaded else None
    return {
        "name": planned.name,
        "title": planned.title,
        "run": planned.folder,
        "status": done.status,
        "reason": done.reason,
        "objective": _points(done.objective),
        "bound": _points(done.bound),
        "gap": done.gap,
        "selected": _selected(done),
        "budget_keur": scenario.constraints.budget_keur if scenario else None,
        **{name: _figure(name, done) for name in FIGURES},
    }


def _points(units: int | None) -> float | None:
    return None if units is None else score_from_units(units)


def _selected(done: Done) -> int | None:
    if not done.has_run:
        return None
    return sum(int(done.counts.get(status, 0)) for status in SELECTED)


def _figure(name: str, done: Done) -> float | None:
    value = done.totals.get(name)
    return score_from_units(value) if name == "price_of_zan" and value is not None else value


def _shortlists(batch: Batch, pairs: list[tuple[Planned, Done]]) -> gpd.GeoDataFrame:
    """Selections and reserves of every scenario, one under the other."""
    read: dict[str, pd.DataFrame] = {}
    parts = list(_parts(batch, pairs, read))
    if parts:
        return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=CRS)
    columns = [*SITE_COLUMNS, "status", "rank", "scenario"]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return gpd.GeoDataFrame(empty, geometry="geometry", crs=CRS)


def _parts(
    batch: Batch, pairs: list[tuple[Planned, Done]], read: dict[str, pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    for planned, done in pairs:
        if done.has_run:
            if planned.folder not in read:
                table = read_table(batch.store.place(planned.folder), "shortlist.parquet")
                read[planned.folder] = table[[*SITE_COLUMNS, "status", "rank"]]
            yield read[planned.folder].assign(scenario=planned.name)


def _sites(listed: gpd.GeoDataFrame, finished: int) -> gpd.GeoDataFrame:
    chosen = listed["status"].isin(SELECTED)
    ranks = listed["rank"].astype(float).where(chosen)
    counted = pd.DataFrame(
        {
            "site_id": listed["site_id"],
            "chosen_in": chosen.astype(int),
            "reserve_in": (listed["status"] == "reserve").astype(int),
            "forced_in": (listed["status"] == "forced_in").astype(int),
        }
    )
    sums = counted.groupby("site_id").sum()
    sums["best_rank"] = ranks.groupby(listed["site_id"]).min()
    sums["mean_rank"] = ranks.groupby(listed["site_id"]).mean()
    sums["share"] = sums["chosen_in"] / max(finished, 1)
    sums["core"] = (sums["chosen_in"] == max(finished, 1)).astype(bool)
    described = listed[list(SITE_COLUMNS)].drop_duplicates("site_id")
    table = described.merge(sums[sums["chosen_in"] > 0].reset_index(), on="site_id")
    order = table.sort_values(
        ["chosen_in", "mean_rank", "site_id"], ascending=[False, True, True], ignore_index=True
    )
    return gpd.GeoDataFrame(order, geometry="geometry", crs=CRS)
