"""The tables of a run against what is measured and counted again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.measuring import Measured
from siteselect.messages import Msg
from siteselect.rulebook import Rulebook
from siteselect.rundir import read_table
from siteselect.scenario import Scenario
from siteselect.verify.catchment import check_catchment
from siteselect.verify.goals import check_goals
from siteselect.verify.planned import broken_plans
from siteselect.verify.planners import overrides_log, reserve_stands
from siteselect.verify.portfolio import (
    Choice,
    Restored,
    balances,
    broken_rules,
    can_be_developed,
    choice,
    objective,
    pene_units,
    restoration_cost,
)
from siteselect.verify.straddling import places_of

CHOSEN = ("selected", "forced_in")
TOLERANCE = 1e-9
SHOWN = 5


@dataclass(frozen=True, eq=False)
class RunTables:
    """The canonical tables of a run."""

    sites: pd.DataFrame
    contributions: pd.DataFrame
    shortlist: pd.DataFrame
    ledger: pd.DataFrame
    restoration: pd.DataFrame


def read_tables(folder: Path) -> RunTables:
    """Read the canonical tables. Raises InputError when one is missing or damaged."""
    return RunTables(
        **{
            name: read_table(folder, f"{name}.parquet")
            for name in ("sites", "contributions", "shortlist", "ledger", "restoration")
        }
    )


def check_tables(
    tables: RunTables,
    measured: Measured,
    scenario: Scenario,
    rulebook: Rulebook,
    result: Mapping[str, Any],
    problems: list[Msg],
) -> list[Msg]:
    """Adds every disagreement to ``problems``; returns what was checked."""
    problems += _measures(tables, measured)
    if problems:
        return []  # a portfolio cannot be judged on figures that are not the sites'
    choices = _choices(tables.sites, scenario, rulebook, measured)
    restored = _restored(tables.restoration, measured.parcels, problems)
    every = tables.sites.to_dict("records")
    problems += _eligible(choices, measured)
    problems += broken_rules(choices, restored, every, scenario)
    problems += broken_plans(choices, restored, scenario)
    points = check_catchment(choices, tables.sites, measured.reach, scenario, result, problems)
    problems += _result(choices, restored, tables.sites, result, points)
    problems += _shown(choices, tables.sites)
    problems += _ranks(tables, scenario, result)
    problems += overrides_log(scenario, result)
    problems += check_goals(choices, scenario, result)
    problems += _ledger(tables.ledger, choices, restored, scenario)
    return [
        Msg("the measures of {count} sites follow from the data pack", count=len(tables.sites)),
        Msg("{count} selected sites respect every rule of the scenario", count=len(choices)),
        Msg("objective, totals, ranks and {count} ledger rows recomputed in integers",
            count=len(tables.ledger)),
        *_rests_on_the_search(scenario, result),
    ]  # fmt: skip


def _rests_on_the_search(scenario: Scenario, result: Mapping[str, Any]) -> Iterator[Msg]:
    """What is shown but cannot be recomputed without the optimiser."""
    if scenario.ranking.priced:
        yield Msg("replacement costs rest on the search: they are not recomputed")
    if result["reserve_by"] != "score":
        yield Msg("the reserve that the model takes rests on the search: it is not chosen again")
    if result["overrides"]:
        yield Msg("the costs of overrides rest on the search: they are not recomputed")


def _measures(tables: RunTables, measured: Measured) -> Iterator[Msg]:
    """Every column that is measured is the same, site by site."""
    again = measured.sites.drop(columns=["excluded_reason"])
    if list(tables.sites["site_id"]) != list(again["site_id"]):
        yield Msg("the sites are not those of the data pack")
        return
    for column in again.columns:
        if column not in tables.sites:
            yield Msg("sites.parquet lacks the column {column}", column=column)
            continue
        yield from _same(tables.sites, again, column, "sites.parquet")
    parts = measured.contributions.reindex(tables.sites["site_id"])
    if list(tables.contributions.index) != list(parts.index):
        yield Msg("contributions.parquet is not of these sites")
        return
    for column in parts.columns:
        here = tables.contributions.reset_index().rename(columns={"index": "site_id"})
        yield from _same(here, parts.reset_index(), column, "contributions.parquet")


def _same(here: pd.DataFrame, again: pd.DataFrame, column: str, file: str) -> Iterator[Msg]:
    if column not in here:
        yield Msg("{file} lacks the column {column}", file=file, column=column)
        return
    differs = _differs(here[column], again[column])
    if differs.any():
        first = int(np.flatnonzero(differs)[0])
        yield Msg(
            "{file}: {column} of {site_id} is {stated}, recomputed {again} ({count} in all)",
            file=file,
            column=column,
            site_id=here["site_id"].iloc[first],
            stated=_short(here[column].iloc[first]),
            again=_short(again[column].iloc[first]),
            count=int(differs.sum()),
        )


def _differs(stated: pd.Series[Any], again: pd.Series[Any]) -> NDArray[np.bool_]:
    if isinstance(stated, gpd.GeoSeries):
        same = stated.geom_equals_exact(gpd.GeoSeries(again), 0.0, align=False)
        return ~np.asarray(same, dtype=bool)
    if pd.api.types.is_numeric_dtype(again) and pd.api.types.is_numeric_dtype(stated):
        left = stated.to_numpy(dtype=float, na_value=np.nan)
        right = again.to_numpy(dtype=float, na_value=np.nan)
        close = np.isclose(left, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        return np.asarray(~close, dtype=bool)
    both_null = stated.isna().to_numpy() & again.isna().to_numpy()
    equal = stated.astype(object).to_numpy() == again.astype(object).to_numpy()
    return np.asarray(~(both_null | equal), dtype=bool)


def _short(value: object) -> str:
    return str(value)[:80]


def _choices(
    sites: pd.DataFrame, scenario: Scenario, rulebook: Rulebook, measured: Measured
) -> list[Choice]:
    places = places_of(measured.straddling)
    rows = sites[sites["status"].isin(CHOSEN)].to_dict("records")
    return [choice(row, str(row["variant"]), scenario, rulebook, places) for row in rows]


def _restored(stated: pd.DataFrame, parcels: pd.DataFrame, problems: list[Msg]) -> list[Restored]:
    known = {row["parcel_id"]: row for row in parcels.to_dict("records")}
    found = []
    for row in stated.to_dict("records"):
        parcel = known.get(row["parcel_id"])
        if parcel is None:
            problems.append(
                Msg("restored parcel {name} is not in the data pack", name=row["parcel_id"])
            )
            continue
        one = Restored(
            parcel,
            round(row["restored_ha"] * 100),
            round(parcel["area_ha"] * 100),
            int(parcel["cost_keur"]),
        )
        found.append(one)
        if not math.isclose(row["cost_keur"], one.cost_keur * one.units / one.capacity):
            problems.append(
                Msg("restored parcel {name}: its cost does not follow", name=row["parcel_id"])
            )
    if len({one.row["parcel_id"] for one in found}) != len(found):
        problems.append(Msg("a parcel is restored twice"))
    return found


def _eligible(choices: Sequence[Choice], measured: Measured) -> Iterator[Msg]:
    excluded = measured.sites.set_index("site_id")["excluded_reason"]
    for one in choices:
        reason = excluded[one.row["site_id"]]
        if isinstance(reason, Msg):
            yield Msg("{site_id} is selected although it is excluded: {reason}",
                      site_id=one.row["site_id"], reason=reason)  # fmt: skip


def _result(
    choices: Sequence[Choice],
    restored: Sequence[Restored],
    sites: pd.DataFrame,
    result: Mapping[str, Any],
    points: int,
) -> Iterator[Msg]:
    new, back = sum(one.new for one in choices), sum(one.units for one in restored)
    works = float(sum(one.cost for one in choices))
    restoration = float(restoration_cost(restored))
    brown = sum(one.row["kind"] == "brownfield" for one in choices)
    expected = {
        "usable_ha": sum(one.usable for one in choices) / 100,
        "new_artificialisation_ha": new / 100,
        "restored_ha": back / 100,
        "net_ha": (new - back) / 100,
        "cost_keur": works,
        "restoration_cost_keur": restoration,
        "total_cost_keur": works + restoration,
        "brownfield_share": brown / max(len(choices), 1),
        "lowest_score": min((one.score for one in choices), default=0) / 1_000_000,
    }
    for name, value in expected.items():
        stated = result["totals"].get(name)
        if stated is None or not math.isclose(stated, value, rel_tol=TOLERANCE, abs_tol=1e-6):
            yield Msg("result.json: {name} is {stated}, recomputed {value}", name=name,
                      stated=stated, value=value)  # fmt: skip
    yield from _search(objective(choices) + points, result)
    for status, number in sites["status"].value_counts().items():
        if result["counts"].get(status) != number:
            yield Msg("result.json: {status} is counted {stated} times, recomputed {number}",
                      status=status, stated=result["counts"].get(status),
                      number=number)  # fmt: skip


def _search(value: int, result: Mapping[str, Any]) -> Iterator[Msg]:
    """Objective, bound, gap and status agree."""
    stated, bound, gap = result["objective"], result["bound"], result["gap"]
    if stated != value:
        yield Msg("result.json: the objective is {stated}, recomputed {value}", stated=stated,
                  value=value)  # fmt: skip
    if bound < value:
        yield Msg("the bound {bound} is under the objective {value}", bound=bound, value=value)
    if not math.isclose(gap, (bound - value) / max(value, 1), rel_tol=1e-6, abs_tol=1e-12):
        yield Msg("the gap {gap} does not follow from objective and bound", gap=gap)
    if result["status"] == "optimal" and bound != value:
        yield Msg("the status is optimal, but objective and bound differ")
    price, other = (result["totals"].get(k) for k in ("price_of_zan", "counterfactual_objective"))
    if price is not None and (other is None or abs(other - value) != abs(price)):
        yield Msg("the price of zero net does not follow from the two objectives")


def _shown(choices: Sequence[Choice], sites: pd.DataFrame) -> Iterator[Msg]:
    """The figures shown for each selected site are the integers that were counted."""
    rows = sites.set_index("site_id")
    for one in choices:
        row: dict[Any, Any] = rows.loc[one.row["site_id"]].to_dict()
        expected = {
            "usable_ha": one.usable / 100,
            "new_artificialisation_ha": one.new / 100,
            "cost_keur": one.cost,
            "score_units": one.score,
        }
        for column, value in expected.items():
            if not math.isclose(row[column], value, rel_tol=TOLERANCE):
                yield Msg("{site_id}: {column} is {stated}, recomputed {value}",
                          site_id=one.row["site_id"], column=column, stated=row[column],
                          value=value)  # fmt: skip


def _ranks(tables: RunTables, scenario: Scenario, result: Mapping[str, Any]) -> Iterator[Msg]:
    """The shortlist is the selected, then the reserve, in the order that the scenario asks."""
    by_score = ["score_units", "site_id"]
    ordered = tables.sites.sort_values(by_score, ascending=[False, True])
    by_model = result["reserve_by"] != "score"
    selected = _selected_in_order(ordered, scenario)
    standing = ordered[ordered["status"] == "reserve"]
    reserve = list((standing.sort_values("rank") if by_model else standing)["site_id"])
    if list(tables.shortlist["site_id"]) != selected + reserve:
        yield (
            Msg("the shortlist is not the selected sites and the reserve in the order asked")
            if scenario.ranking.priced or by_model
            else Msg("the shortlist is not the selected sites and the reserve in order of score")
        )
        return
    ranks = [*range(1, len(selected) + 1), *range(1, len(reserve) + 1)]
    if list(tables.shortlist["rank"]) != ranks:
        yield Msg("the ranks of the shortlist are not in order")
    if len(reserve) > scenario.reserve:
        yield Msg("{number} sites in reserve, {asked} asked", number=len(reserve),
                  asked=scenario.reserve)  # fmt: skip
    rows = tables.sites.set_index("site_id").loc[tables.shortlist["site_id"]].reset_index()
    for column in tables.shortlist.columns:
        yield from _same(tables.shortlist, rows, column, "shortlist.parquet")
    by = result["reserve_by"]
    if by not in (scenario.ranking.reserve, "score") and not (
        by == "model" and scenario.ranking.reserve == "next"
    ):
        yield Msg("the reserve was not drawn up as the scenario asks")
    if not by_model:  # what the model would take next rests on the search
        yield from _passed_over(ordered, len(reserve), scenario)
    elif by == "next":
        yield from reserve_stands(tables.sites, scenario)


def _selected_in_order(ordered: pd.DataFrame, scenario: Scenario) -> list[str]:
    """Selected sites by score, or by stated replacement cost (which rests on the search)."""
    selected = ordered[ordered["status"].isin(CHOSEN)]
    if scenario.ranking.order == "replacement_cost":
        selected = selected.sort_values(
            ["replacement_cost", "score_units", "site_id"],
            ascending=[False, False, True],
            na_position="first",
        )
    return list(selected["site_id"])


def _passed_over(ordered: pd.DataFrame, listed: int, scenario: Scenario) -> Iterator[Msg]:
    """No site that could be developed has a better score than the reserve."""
    reserve = ordered.loc[ordered["status"] == "reserve", "score_units"]
    lowest = int(reserve.min()) if listed == scenario.reserve and listed else -1
    left = ordered[(ordered["status"] == "not_selected") & (ordered["score_units"] > lowest)]
    for row in left.to_dict("records"):
        if can_be_developed(row, scenario):
            yield Msg("{site_id} has a better score than the reserve", site_id=row["site_id"])


def _ledger(
    ledger: pd.DataFrame,
    choices: Sequence[Choice],
    restored: Sequence[Restored],
    scenario: Scenario,
) -> Iterator[Msg]:
    """Every row of the ledger, and no territory where land moves is left out."""
    levels: set[str] = {"region", *(rule.level for rule in scenario.zan.ledgers)}
    expected = {("programme", ""): (
        sum(one.new for one in choices), sum(one.units for one in restored)
    )}  # fmt: skip
    if scenario.zan.pene.sites:
        expected[("pene", "")] = (pene_units(choices, scenario.zan), 0)
    for level in levels:
        for code, moved in balances(choices, restored, level, scenario.zan).items():
            expected[(level, code)] = moved
    listed = set()
    for row in ledger.to_dict("records"):
        key = (row["level"], row["code"])
        listed.add(key)
        gross, back = expected.get(key, (0, 0))
        cap = _stated_cap(key, scenario)
        figures = {
            "gross_ha": gross / 100,
            "restored_ha": back / 100,
            "net_ha": (gross - back) / 100,
            "cap_ha": math.nan if cap is None else cap,
            "balance_ha": math.nan if cap is None else cap - (gross - back) / 100,
        }
        for column, value in figures.items():
            if not np.isclose(row[column], value, rtol=0, atol=1e-6, equal_nan=True):
                yield Msg("ledger: {column} of {level} {code} is {stated}, recomputed {value}",
                          column=column, level=key[0], code=key[1], stated=row[column],
                          value=value)  # fmt: skip
    for level, code in sorted(
        key for key, moved in expected.items() if key not in listed and moved != (0, 0)
    ):
        if level == "region" or _stated_cap((level, code), scenario) is not None:
            yield Msg("ledger: {level} {code} is missing", level=level, code=code)


def _stated_cap(key: tuple[str, str], scenario: Scenario) -> float | None:
    """The cap in hectares to 0.01, rounded down as the model states."""
    level, code = key
    of_all = {"programme": scenario.zan.programme_cap_ha, "pene": scenario.zan.pene.cap_ha}
    cap = of_all.get(level)
    for rule in scenario.zan.ledgers:
        if rule.level == level:
            cap = rule.caps_ha.get(code, rule.default_cap_ha)
    return None if cap is None else math.floor(cap * 100 + 1e-4) / 100
