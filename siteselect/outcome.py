"""From a solution to what people read: statuses, ranks, reasons, ledger, totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.catchment import Reached, reach_for, reached_by, reference_jobs_of
from siteselect.formulate import Formulation
from siteselect.ledger import ledger_table
from siteselect.measuring import Measured
from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import Conflicts, Separation
from siteselect.ranking import Standing
from siteselect.rulebook import Rulebook
from siteselect.scenario import Scenario
from siteselect.straddling import spread
from siteselect.units import SCORE_SCALE, ha_to_units, score_from_units, units_to_ha
from siteselect.variants import full_variant

SELECTED = ("selected", "forced_in")
ORDER = (
    "site_id", "name", "kind", "status", "rank", "variant", "score", "score_access",
    "score_workforce", "score_network", "reliability", "reason", "code_insee", "commune", "epci",
    "epci_name", "scot", "scot_name", "departement", "departement_name", "region", "region_name",
    "area_ha", "usable_ha", "artificialised_ha", "impermeable_ha", "non_artificialised_ha",
    "enaf_ha", "new_artificialisation_ha", "cost_keur", "replacement_cost", "score_units",
)  # fmt: skip
"""First columns of the table of sites; the measures follow."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The tables of a run (see :class:`siteselect.runs.Run`)."""

    sites: gpd.GeoDataFrame
    shortlist: gpd.GeoDataFrame
    ledger: pd.DataFrame
    restoration: gpd.GeoDataFrame
    totals: Mapping[str, float]


def outcome_of(
    measured: Measured,
    formulation: Formulation,
    solution: Solution,
    scenario: Scenario,
    rulebook: Rulebook,
    standing: Standing | None = None,
) -> Outcome:
    """Everything that follows from the chosen columns and the restored parcels.

    ``standing`` gives replacement costs and the model's reserve, where the scenario asks.

    ``reason`` columns hold :class:`~siteselect.messages.Msg`; the pipeline renders them.
    """
    chosen = formulation.columns.iloc[solution.columns]
    sites = _described(measured.sites, formulation, chosen, scenario, rulebook)
    reached = _reached(sites, measured, scenario)
    sites = _ranked(sites, scenario, standing)
    hired = _hired(sites, formulation, solution, scenario)
    sites["reason"] = _reasons(sites, formulation, scenario)
    restored = _restored(formulation, solution)
    developed = sites[sites["status"].isin(SELECTED)]
    ledger = ledger_table(
        formulation.caps,
        spread(
            developed,
            developed["new_units"].to_numpy(np.int64),
            formulation.straddling,
            apart=formulation.apart,
        ),
        restored,
        rulebook,
        vintage=measured.vintage,
    )
    totals = {**_totals(developed, restored), **_covered(reached), **hired}
    sites = _arranged(sites)
    return Outcome(
        sites=sites,
        shortlist=_shortlist(sites),
        ledger=ledger,
        restoration=_restoration_table(restored),
        totals=totals,
    )


def _described(
    sites: gpd.GeoDataFrame,
    formulation: Formulation,
    chosen: pd.DataFrame,
    scenario: Scenario,
    rulebook: Rulebook,
) -> gpd.GeoDataFrame:
    """Every site with the figures of its chosen variant, or of the full one."""
    shown = full_variant(sites, scenario.costs, rulebook)
    shown.insert(0, "site_id", sites["site_id"].to_numpy())
    shown = shown.set_index("site_id")
    picked = chosen.assign(site_id=formulation.sites["site_id"].to_numpy()[chosen["site"]])
    picked = picked.set_index("site_id")
    numbers = ["usable_units", "new_units", "cost_keur", "score_units"]
    shown.loc[picked.index, numbers] = picked[numbers]
    result = sites.copy()
    result["variant"] = result["site_id"].map(picked["variant"]).astype(object)
    result["variant"] = result["variant"].where(result["variant"].notna(), None)
    result["usable_ha"] = units_to_ha(shown["usable_units"])
    result["new_artificialisation_ha"] = units_to_ha(shown["new_units"])
    result["new_units"] = shown["new_units"].to_numpy(np.int64)
    result["cost_keur"] = shown["cost_keur"].to_numpy(np.int64)
    result["score_units"] = shown["score_units"].to_numpy(np.int64)
    result["replacement_cost"] = np.nan
    offered = set(formulation.sites["site_id"].to_numpy()[formulation.columns["site"].unique()])
    result["offered_"] = result["site_id"].isin(offered)
    return result


def _reached(sites: gpd.GeoDataFrame, measured: Measured, scenario: Scenario) -> Reached | None:
    """Who the selection reaches, where the scenario has a catchment; adds columns in place.

    ``catchment_workers``: workers within reach of the site; ``catchment_added_workers``: those
    that no other selected site reaches (what it adds, or would add).
    """
    reach = reach_for(scenario, measured.reach)
    if reach is None or scenario.catchment.mode != "union":
        return None
    found = reached_by(reach, sites["variant"].notna().to_numpy(), scenario)
    sites["catchment_workers"] = found.of_site
    sites["catchment_added_workers"] = found.added
    return found


def _hired(
    sites: gpd.GeoDataFrame, formulation: Formulation, solution: Solution, scenario: Scenario
) -> dict[str, float]:
    """Jobs offered and filled, where the scenario fills jobs; adds columns in place.

    ``catchment_jobs``: jobs that the site offers; ``catchment_added_jobs``: jobs fewer filled
    without a selected site, jobs more with one of the reserve (unknown for the others).
    """
    problem = formulation.problem
    force = problem.workforce
    if force is None:
        return {}
    ids = formulation.sites["site_id"].to_numpy()
    most = np.zeros(problem.n_sites, np.int64)
    np.maximum.at(most, problem.site, force.jobs)
    most[problem.site[solution.columns]] = force.jobs[solution.columns]
    chosen, jobs = solution.chosen, most[solution.chosen]
    filled = force.filled(chosen, jobs)
    added: dict[str, int] = {}
    for k, site in enumerate(chosen.tolist()):
        others = np.arange(len(chosen)) != k
        added[ids[site]] = filled - force.filled(chosen[others], jobs[others])
    for site in np.flatnonzero(np.isin(ids, sites.loc[sites["status"] == "reserve", "site_id"])):
        both = force.filled(np.append(chosen, site), np.append(jobs, most[site]))
        added[ids[site]] = both - filled
    sites["catchment_jobs"] = sites["site_id"].map(dict(zip(ids, most.tolist(), strict=True)))
    sites["catchment_added_jobs"] = sites["site_id"].map(added).astype(float)
    return {
        "offered_jobs": float(jobs.sum()),
        "filled_jobs": float(filled),
        "reference_jobs": float(reference_jobs_of(scenario)),
        "catchment_points": float(filled * force.value),
    }


def _covered(reached: Reached | None) -> dict[str, float]:
    """Workers within reach of the selection, each once, and what they bring to the objective."""
    if reached is None:
        return {}
    return {
        "covered_workers": float(reached.covered),
        "reference_workers": float(reached.reference),
        "covered_share": reached.covered / reached.reference,
        "catchment_points": float(reached.points),
    }


def _ranked(
    sites: gpd.GeoDataFrame, scenario: Scenario, standing: Standing | None
) -> gpd.GeoDataFrame:
    """Statuses, and ranks of the selected and of the reserve (ties: by site_id).

    By score, or as ``[ranking]`` asks: a site without which nothing is feasible has no cost and
    comes first.
    """
    include, exclude = set(scenario.locks.include), set(scenario.locks.exclude)
    chosen = sites["variant"].notna()
    status = np.where(chosen, "selected", "not_selected").astype(object)
    status[(chosen & sites["site_id"].isin(include)).to_numpy()] = "forced_in"
    status[(~chosen & sites["site_id"].isin(exclude)).to_numpy()] = "forced_out"
    status[sites["excluded_reason"].notna().to_numpy()] = "excluded"
    sites["status"] = status
    if standing is not None:
        lost = sites["site_id"].map(standing.costs).astype(float)
        sites["replacement_cost"] = lost / SCORE_SCALE
    order = sites.sort_values(["score_units", "site_id"], ascending=[False, True])
    if standing is not None and standing.reserve is not None:
        reserve = list(standing.reserve)
    else:
        free = order[(order["status"] == "not_selected") & order["offered_"]]
        reserve = free["site_id"].head(scenario.reserve).tolist()
    sites.loc[sites["site_id"].isin(set(reserve)), "status"] = "reserve"
    rank = pd.Series(pd.NA, index=sites.index, dtype="Int64")
    if scenario.ranking.order == "replacement_cost":
        order = sites.sort_values(
            ["replacement_cost", "score_units", "site_id"],
            ascending=[False, False, True],
            na_position="first",
        )
    listed = order.index[order["site_id"].isin(sites.loc[chosen, "site_id"])]
    rank[listed] = np.arange(1, len(listed) + 1)
    row = pd.Series(sites.index, index=sites["site_id"])
    rank[row.loc[reserve]] = np.arange(1, len(reserve) + 1)
    sites["rank"] = rank
    return sites


def _reasons(
    sites: gpd.GeoDataFrame, formulation: Formulation, scenario: Scenario
) -> pd.Series[Any]:
    """Why each site has its status: the first obstacle found, in the order a planner asks."""
    teller = _Obstacles(sites, formulation, scenario)
    told = [name for name in _REASONED if name in sites]
    rows = pd.DataFrame(sites[told]).astype(object)  # plain values: quick to walk
    messages = [teller.reason(row) for row in rows.itertuples(index=False)]
    return pd.Series(messages, index=sites.index, dtype=object)


_REASONED = (
    "status", "site_id", "excluded_reason", "variant", "offered_", "epci", "region",
    "score", "score_access", "score_workforce", "score_network", "score_units",
    "catchment_added_workers",
)  # fmt: skip
"""What a reason is told from."""


class _Obstacles:
    """What stands between each site and the chosen portfolio, looked up, not solved."""

    def __init__(
        self, sites: gpd.GeoDataFrame, formulation: Formulation, scenario: Scenario
    ) -> None:
        self.scenario = scenario
        self.limits = scenario.constraints
        selected = sites[sites["status"].isin(SELECTED)]
        self.by_epci = selected["epci"].value_counts().to_dict()
        self.by_region = selected["region"].value_counts().to_dict()
        self.lowest = int(selected["score_units"].min()) if len(selected) else 0
        self.near = _neighbours(formulation, set(selected["site_id"]))
        self.excluders = _excluders(formulation, set(selected["site_id"]))
        self.given_back = formulation.before.sites

    def reason(self, row: Any) -> Msg:
        """The reason of one site (a row of the table of sites)."""
        status, site_id = row.status, row.site_id
        if status == "excluded":
            reason: Msg = row.excluded_reason
            return reason
        if status in SELECTED:
            return self._selected(row)
        if status == "forced_out":
            why = self.scenario.locks.reasons.get(site_id)
            return _forced(Msg("forced out by a planner"), why)
        return self._obstacle(row)

    def _selected(self, row: Any) -> Msg:
        parts = Msg(
            "score {score:.3f} (access {access:.3f}, workforce {workforce:.3f}, "
            "networks {network:.3f}), {variant}",
            score=row.score,
            access=row.score_access,
            workforce=row.score_workforce,
            network=row.score_network,
            variant=Msg("only the artificialised land is developed")
            if row.variant == "reuse"
            else Msg("the whole footprint is developed"),
        )
        if row.status == "forced_in":
            why = self.scenario.locks.reasons.get(row.site_id)
            return _forced(Msg("forced in by a planner"), why)
        added = getattr(row, "catchment_added_workers", None)
        if added is None:
            return parts
        return Msg(
            "{parts}; {workers} workers that no other selected site reaches",
            parts=parts,
            workers=int(added),
        )

    def _obstacle(self, row: Any) -> Msg:
        site_id, epci, region = row.site_id, row.epci, row.region
        if not row.offered_:
            return Msg(
                "no variant leaves {least_ha:g} ha of usable land",
                least_ha=self.scenario.variants.min_usable_ha,
            )
        if site_id in self.given_back:
            return Msg("its land was restored by an earlier wave")
        if site_id in self.excluders:
            name, other = self.excluders[site_id]
            return Msg("{name}: {other} is selected", name=name, other=other)
        if site_id in self.near:
            return Msg(
                "less than {km:g} km from {other}, selected",
                km=self.limits.separation_km,
                other=self.near[site_id],
            )
        most = self.limits.max_per_epci
        if most is not None and self.by_epci.get(epci, 0) >= most > 0:
            return Msg("its EPCI already has {most} selected", most=most)
        if self.by_region.get(region, 0) >= self.limits.region_max:
            return Msg("its region already has {most} selected", most=self.limits.region_max)
        score = int(row.score_units)
        added = getattr(row, "catchment_added_workers", None)
        if added is not None:
            return Msg(
                "score {score:.3f}, and {workers} workers more within reach, but another portfolio "
                "is better as a whole",
                score=score_from_units(score),
                workers=int(added),
            )
        if score < self.lowest:
            return Msg(
                "score {score:.3f}, under the lowest selected ({lowest:.3f})",
                score=score_from_units(score),
                lowest=score_from_units(self.lowest),
            )
        return Msg(
            "score {score:.3f}, but land balance, budget or quotas make another portfolio "
            "better as a whole",
            score=score_from_units(score),
        )


def _forced(forced: Msg, why: str | None) -> Msg:
    if why is None:
        return Msg("{forced}, no reason given", forced=forced)
    return Msg("{forced}: {why}", forced=forced, why=why)


def _neighbours(formulation: Formulation, selected: set[str]) -> dict[str, str]:
    """site_id → the selected site that its separation forbids."""
    found: dict[str, str] = {}
    ids = formulation.sites["site_id"].to_numpy()
    for one in formulation.problem.constraints:
        if isinstance(one, Separation):
            chosen = np.flatnonzero(np.isin(ids, list(selected)))
            for position in chosen.tolist():
                every = np.arange(len(ids))
                near = every[one.too_near(every, np.full(len(ids), position))]
                for other in near.tolist():
                    if other != position:
                        found.setdefault(ids[other], ids[position])
    return found


def _excluders(formulation: Formulation, selected: set[str]) -> dict[str, tuple[Msg | str, str]]:
    """site_id → name of the rule of pairs and the selected site that forbid it."""
    found: dict[str, tuple[Msg | str, str]] = {}
    ids = formulation.sites["site_id"].to_numpy()
    for one in formulation.problem.constraints:
        if isinstance(one, Conflicts):
            for first, second in one.pairs.tolist():
                for this, other in ((first, second), (second, first)):
                    if ids[other] in selected:
                        found.setdefault(ids[this], (one.name, ids[other]))
    return found


def _restored(formulation: Formulation, solution: Solution) -> gpd.GeoDataFrame:
    """Parcels used, by earlier waves too: ``restored_units`` and the exact share of their cost."""
    now = formulation.parcels.assign(restored_units=np.asarray(solution.restored, np.int64))
    done = formulation.before.parcels
    gone = done[~done["parcel_id"].isin(now["parcel_id"])].assign(restored_units=0)
    parcels = pd.concat([now, gone]) if len(gone) else now
    parcels["restored_units"] += parcels["before_units"]
    parcels = parcels[parcels["restored_units"] > 0].sort_values("parcel_id")
    units: NDArray[np.int64] = parcels["restored_units"].to_numpy(np.int64)
    parcels["restored_ha"] = units_to_ha(units)
    parcels["cost_keur"] = parcels["cost_keur"].to_numpy() * units / ha_to_units(parcels["area_ha"])
    return gpd.GeoDataFrame(parcels)


def _restoration_table(restored: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    columns = [
        "parcel_id", "name", "code_insee", "commune", "epci", "scot", "scot_name", "departement",
        "region", "region_name", "restored_ha", "area_ha", "cost_keur", "geometry",
    ]  # fmt: skip
    known = [name for name in columns if name in restored]
    return gpd.GeoDataFrame(restored[known]).reset_index(drop=True)


def _totals(developed: pd.DataFrame, restored: pd.DataFrame) -> dict[str, float]:
    new_units = int(developed["new_units"].sum())
    restored_units = int(restored["restored_units"].sum())
    restoration_keur = float(restored["cost_keur"].sum())
    count = max(len(developed), 1)
    return {
        "usable_ha": round(float(developed["usable_ha"].sum()), 2),
        "new_artificialisation_ha": new_units / 100,
        "restored_ha": restored_units / 100,
        "net_ha": (new_units - restored_units) / 100,
        "cost_keur": float(developed["cost_keur"].sum()),
        "restoration_cost_keur": restoration_keur,
        "total_cost_keur": float(developed["cost_keur"].sum()) + restoration_keur,
        "brownfield_share": float((developed["kind"] == "brownfield").sum()) / count,
        "lowest_score": score_from_units(int(developed["score_units"].min())),
    }


def _arranged(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    kept = sites.drop(columns=["new_units", "offered_", "excluded_reason"])
    first = [name for name in ORDER if name in kept]
    rest = [name for name in kept if name not in first and name != "geometry"]
    return gpd.GeoDataFrame(kept[[*first, *rest, "geometry"]])


def _shortlist(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    selected = sites[sites["status"].isin(SELECTED)].sort_values("rank")
    reserve = sites[sites["status"] == "reserve"].sort_values("rank")
    both = pd.concat([selected, reserve], ignore_index=True)
    return gpd.GeoDataFrame(both, geometry="geometry", crs=sites.crs)
