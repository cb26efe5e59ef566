"""Who is served: regions, concentration, and the share of the labour force within reach.

Concentration over regions is the Herfindahl-Hirschman index (Hirschman 1945, Herfindahl 1950)
and the Gini index (Gini 1912) of sites per inhabitant, weighted by population; the labour force
within reach is a maximal covering (Church and ReVelle 1974): every commune counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.measures.places import snap_layer
from siteselect.measures.roads import scenario_graph
from siteselect.messages import Msg
from siteselect.network.travel import time_matrix
from siteselect.reopen import Case
from siteselect.units import min_to_ms

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]
REACH_MIN = (30, 45)
TERRITORY = "territoire_industrie"
"""Kind of territory of the pack that the programme is about."""


@dataclass(frozen=True, eq=False)
class Equity:
    """How a portfolio is spread.

    Attributes
    ----------
    regions
        per region: sites, usable_ha, population, share of sites and of population, their ratio
        (location quotient: 1 = as many sites as its population would give).
    territories
        per Territoire d'industrie, where the sites carry ``territoire_industrie_code``; else
        empty.
    unemployment
        sites and usable hectares by third of the unemployment rate of the communes of the pack,
        where the communes carry ``unemployment_rate``; else empty.
    concentration
        ``herfindahl`` (1/regions … 1), ``gini`` (0: sites follow population … 1).
    reach
        per cutoff in minutes: workers within reach of a selected site, and their share.
    notices
        what could not be computed, and what rests on simulated data.
    """

    regions: pd.DataFrame
    territories: pd.DataFrame
    unemployment: pd.DataFrame
    concentration: dict[str, float]
    reach: pd.DataFrame
    notices: tuple[Msg, ...]


def equity(case: Case, *, progress: Progress | None = None) -> Equity:
    """The spread of the portfolio of a case over people and territories."""
    communes = case.pack.vectors("communes")
    chosen = _chosen(case)
    regions = by_region(chosen, communes)
    notices = list(case.measured.notices)
    territories = by_territory(chosen)
    if not len(territories):
        notices.append(Msg("the pack does not say which Territoire d'industrie a site is in"))
    unemployment = by_unemployment(chosen, communes)
    if not len(unemployment):
        notices.append(Msg("the pack has no unemployment rates"))
    return Equity(
        regions=regions,
        territories=territories,
        unemployment=unemployment,
        concentration={
            "herfindahl": herfindahl(regions["sites"].to_numpy(float)),
            "gini": gini(regions["sites"].to_numpy(float), regions["population"].to_numpy(float)),
        },
        reach=_reach(case, communes, chosen, progress),
        notices=tuple(notices),
    )


def by_region(chosen: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    """Sites, hectares and population of each region of the pack."""
    people = communes.groupby(["region", "region_name"])["population"].sum().reset_index()
    table = people.astype({"population": "int64"})
    counts = chosen["region"].value_counts()
    table["sites"] = table["region"].map(counts).fillna(0).astype(int)
    area = chosen.groupby("region")["usable_ha"].sum()
    table["usable_ha"] = table["region"].map(area).fillna(0.0).round(2)
    table["share_of_sites"] = table["sites"] / max(int(table["sites"].sum()), 1)
    table["share_of_population"] = table["population"] / max(int(table["population"].sum()), 1)
    table["ratio"] = table["share_of_sites"] / table["share_of_population"].where(
        table["share_of_population"] > 0
    )
    return table


def by_unemployment(chosen: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    """Sites by third of the unemployment rate of communes weighted by population."""
    if "unemployment_rate" not in communes:
        return pd.DataFrame(columns=["third", "lowest", "highest", "sites", "usable_ha"])
    known = communes.dropna(subset=["unemployment_rate"]).sort_values("unemployment_rate")
    weight = known["population"].to_numpy(float).cumsum()
    third = np.minimum((3 * (weight - weight[0]) / max(weight[-1], 1)).astype(int), 2)
    of = dict(zip(known["code_insee"], third, strict=True))
    mine = chosen["code_insee"].map(of)
    rows = []
    for k in range(3):
        rates = known["unemployment_rate"].to_numpy(float)[third == k]
        inside = chosen[mine == k]
        if len(rates):
            rows.append((k + 1, rates.min(), rates.max(), len(inside), inside["usable_ha"].sum()))
    return pd.DataFrame(rows, columns=["third", "lowest", "highest", "sites", "usable_ha"])


def herfindahl(amounts: Floats) -> float:
    """Σ shares²; NaN when there is nothing."""
    total = amounts.sum()
    return float(((amounts / total) ** 2).sum()) if total > 0 else float("nan")


def gini(amounts: Floats, weights: Floats) -> float:
    """Gini index of amounts per weight (sites per inhabitant), each unit counting its weight."""
    used = weights > 0
    amounts, weights = amounts[used], weights[used]
    if amounts.sum() <= 0:
        return float("nan")
    order = np.argsort(amounts / weights, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(weights[order]) / weights.sum()])
    held = np.concatenate([[0.0], np.cumsum(amounts[order]) / amounts.sum()])
    area = float(((held[1:] + held[:-1]) / 2 * np.diff(people)).sum())
    return 1.0 - 2.0 * area


def _chosen(case: Case) -> gpd.GeoDataFrame:
    columns = case.chosen_columns.set_index("site_id")
    sites = case.measured.sites
    chosen = sites[sites["site_id"].isin(columns.index)].copy()
    chosen["usable_ha"] = columns.loc[chosen["site_id"], "usable_units"].to_numpy() / 100
    return chosen


def by_territory(chosen: pd.DataFrame) -> pd.DataFrame:
    """Sites by Territoire d'industrie; a site in two counts in both, "—" is in none.

    Empty where the sites have no column ``territoire_industrie_code`` (codes apart by "; ").
    """
    column = f"{TERRITORY}_code"
    rows: dict[str, list[float]] = {}
    if column in chosen:
        for codes, area_ha in zip(chosen[column], chosen["usable_ha"], strict=True):
            known = isinstance(codes, str) and codes != ""
            for code in codes.split("; ") if known else ["—"]:
                rows.setdefault(code, []).append(float(area_ha))
    table = [(code, len(rows[code]), sum(rows[code])) for code in sorted(rows)]
    return pd.DataFrame(table, columns=[TERRITORY, "sites", "usable_ha"])


def _reach(
    case: Case, communes: gpd.GeoDataFrame, chosen: gpd.GeoDataFrame, progress: Progress | None
) -> pd.DataFrame:
    """Workers within each cutoff of at least one selected site, on the road graph."""
    names = ["minutes", "workers", "share"]
    if not case.pack.has("labour"):
        return pd.DataFrame(columns=names)
    settings = case.scenario.network
    graph = scenario_graph(case.pack.table("road_nodes"), case.pack.table("road_edges"), settings)
    times = time_matrix(
        graph,
        snap_layer(graph, chosen, name="sites", settings=settings),
        snap_layer(graph, communes, name="communes", settings=settings),
        cutoff_ms=max(min_to_ms(minutes) for minutes in REACH_MIN),
        progress=progress,
    )
    labour = case.pack.table("labour").set_index("code_insee")["labour_force"]
    workers = labour.reindex(communes["code_insee"]).to_numpy(dtype=float, na_value=0.0)
    rows = []
    for minutes in REACH_MIN:
        reached = times.within(min_to_ms(minutes)).sum(axis=0) > 0
        inside = float(workers[np.asarray(reached).ravel()].sum())
        rows.append((minutes, inside, inside / max(workers.sum(), 1.0)))
    return pd.DataFrame(rows, columns=names)
