"""The workers within reach of a selection counted again, with sets and Python integers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.scenario import Scenario
from siteselect.verify.portfolio import Choice, commune_points, reached

COLUMNS = ("catchment_workers", "catchment_added_workers")
TOTALS = ("covered_workers", "reference_workers", "covered_share", "catchment_points")


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
            for name in TOTALS
            if name in result["totals"]
        ]
        return 0
    places = {str(name): row for row, name in enumerate(sites["site_id"])}
    times: Counter[int] = Counter()
    for communes in reached(choices, places, reach):
        times.update(communes)
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
