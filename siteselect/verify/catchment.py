"""The workers within reach of a selection counted again, with sets and Python integers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import pandas as pd
from networkx.algorithms.flow import dinitz

from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.scenario import Scenario
from siteselect.verify.portfolio import Choice, commune_points, reached

COLUMNS = ("catchment_workers", "catchment_added_workers")
TOTALS = ("covered_workers", "reference_workers", "covered_share", "catchment_points")
JOBS = ("offered_jobs", "filled_jobs", "reference_jobs")


def check_catchment(
    choices: Sequence[Choice],
    sites: pd.DataFrame,
    reach: Reach | None,
    scenario: Scenario,
    result: Mapping[str, Any],
    problems: list[Msg],
) -> int:
    """What the workers reached bring to the objective, score × 10⁶; 0 without a catchment.

    Adds every disagreement of totals and columns to ``problems``.
    """
    if scenario.catchment.mode == "off" or reach is None:
        problems += [
            Msg("result.json states {name} although the scenario has no catchment", name=name)
            for name in (*TOTALS, *JOBS)
            if name in result["totals"]
        ]
        return 0
    places = {str(name): row for row, name in enumerate(sites["site_id"])}
    if scenario.catchment.mode == "capacity":
        return _jobs(
            choices, sites, reached(choices, places, reach), reach, scenario, result, problems
        )
    times: Counter[int] = Counter()
    for own in reached(choices, places, reach):
        times.update(own)
    points = commune_points(reach, scenario)
    workers = reach.workers.tolist()
    covered = sum(workers[i] for i in times)
    everybody = scenario.catchment.reference_workers
    reference = sum(workers) if everybody is None else round(everybody)
    brought = sum(points[i] for i in times)
    expected = (covered, reference, covered / reference, brought)
    for name, value in zip(TOTALS, expected, strict=True):
        stated = result["totals"].get(name)
        if stated is None or not math.isclose(stated, value, rel_tol=1e-9):
            problems.append(
                Msg("result.json: {name} is {stated}, recomputed {value}", name=name,
                    stated=stated, value=value)
            )  # fmt: skip
    problems += _columns(choices, sites, reach, times)
    return brought


def _jobs(
    choices: Sequence[Choice],
    sites: pd.DataFrame,
    communes: Sequence[set[int]],
    reach: Reach,
    scenario: Scenario,
    result: Mapping[str, Any],
    problems: list[Msg],
) -> int:
    """What the jobs filled bring; every disagreement of totals and of selected sites is added."""
    wanted = scenario.catchment
    offered = [round(one.usable / 100 * wanted.jobs_per_ha) for one in choices]
    stated = wanted.reference_jobs
    reference = scenario.count * 60 * wanted.jobs_per_ha if stated is None else stated
    value = round(wanted.weight * scenario.count * 1_000_000 / reference)
    hire = [math.floor(some * wanted.available_share + 1e-9) for some in reach.workers.tolist()]
    filled = _filled(communes, offered, hire)
    expected = {
        "offered_jobs": sum(offered), "filled_jobs": filled, "reference_jobs": reference,
        "catchment_points": value * filled,
    }  # fmt: skip
    for name, again in expected.items():
        here = result["totals"].get(name)
        if here is None or not math.isclose(here, again, rel_tol=1e-9):
            problems.append(
                Msg("result.json: {name} is {stated}, recomputed {value}", name=name, stated=here,
                    value=again)
            )  # fmt: skip
    rows = sites.set_index("site_id")
    for k, one in enumerate(choices):
        fewer = [j for j in range(len(choices)) if j != k]
        without = _filled([communes[j] for j in fewer], [offered[j] for j in fewer], hire)
        for column, again in (
            ("catchment_jobs", offered[k]),
            ("catchment_added_jobs", filled - without),
        ):
            here = rows[column].get(one.row["site_id"]) if column in rows else None
            if here != again:
                problems.append(
                    Msg("{site_id}: {column} is {stated}, recomputed {value}",
                        site_id=one.row["site_id"], column=column, stated=here, value=again)
                )  # fmt: skip
    return value * filled


def _filled(communes: Sequence[set[int]], offered: Sequence[int], hire: Sequence[int]) -> int:
    """The most jobs that can be filled: a maximum flow over groups of communes (networkx)."""
    reached_by: dict[int, list[int]] = {}
    for site, own in enumerate(communes):
        for i in own:
            reached_by.setdefault(i, []).append(site)
    groups: Counter[tuple[int, ...]] = Counter()
    for i, members in reached_by.items():
        groups[tuple(members)] += hire[i]
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(("jobs", "workers"))
    for site, jobs in enumerate(offered):
        graph.add_edge("jobs", site, capacity=jobs)
    for group, workers in groups.items():
        graph.add_edge(group, "workers", capacity=workers)
        for site in group:
            graph.add_edge(site, group)
    return int(nx.maximum_flow_value(graph, "jobs", "workers", flow_func=dinitz))


def _columns(
    choices: Sequence[Choice], sites: pd.DataFrame, reach: Reach, times: Counter[int]
) -> list[Msg]:
    """Both columns of workers, site by site; the first disagreement of each."""
    missing = [name for name in COLUMNS if name not in sites]
    if missing:
        return [Msg("sites.parquet lacks the column {column}", column=name) for name in missing]
    chosen = {str(one.row["site_id"]) for one in choices}
    workers = reach.workers.tolist()
    stated = zip(sites["site_id"], *(sites[name] for name in COLUMNS), strict=True)
    for row, (site_id, in_reach, added) in enumerate(stated):
        communes = reach.of_site(row).tolist()
        mine = 1 if site_id in chosen else 0
        again = (
            sum(workers[i] for i in communes),
            sum(workers[i] for i in communes if times[i] == mine),
        )
        for column, here, there in zip(COLUMNS, (in_reach, added), again, strict=True):
            if here != there:
                return [
                    Msg("{site_id}: {column} is {stated}, recomputed {value}", site_id=site_id,
                        column=column, stated=here, value=there)
                ]  # fmt: skip
    return []
