"""What a finished run says of itself, from its own files; no pack is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pydantic import BaseModel

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import facts
from siteselect.report.words import DISCLAIMER, RUN_STATUS
from siteselect.rundir import MANIFEST, RESULT, read_json, said_again
from siteselect.runs import Run, RunResult
from siteselect.scenario_files import Change
from siteselect.units import score_from_units
from siteselect.web.faults import without_paths
from siteselect.web.run_sites import criteria_of, scenario_of
from siteselect.web.scenarios import ChangeAnswer, shown_changes


class RunAnswer(BaseModel):
    """A finished run. ``objective`` and ``bound`` are points (score), ``gap`` a share."""

    id: str
    run_id: str
    title: str
    description: str
    created: str
    lang: str
    status: str
    status_text: str
    proven: bool
    objective: float
    bound: float
    gap: float
    totals: dict[str, float | None]
    counts: dict[str, int]
    timings_s: dict[str, float]
    seed: int
    versions: dict[str, str]
    regime: dict[str, str]
    criteria: list[dict[str, Any]]
    """key, label, family, share of the score, value worth 1 (best) and 0 (worst)"""
    simulated: list[str]
    """titles of the layers that describe no real place"""
    pack: dict[str, Any]
    notices: list[str]
    disclaimer: str
    changes: list[ChangeAnswer]
    objective_label: str
    """what the objective sums"""
    facts: list[dict[str, str]]
    """label and value of what the catchment and the objectives before the score came to"""
    overrides: list[dict[str, Any]]
    """sites forced in or out: site_id, direction, reason, cost in points (null: not computed)"""
    scenario: dict[str, Any]


def describe_run(folder: Path, reader: Translator) -> RunAnswer:
    """A run as its manifest and result tell it. Raises InputError where they are damaged."""
    result, manifest = read_json(folder / RESULT), read_json(folder / MANIFEST)
    scenario, pack, rules = manifest["scenario"], manifest["pack"], manifest["rulebook"]
    status = str(result["status"])
    known = _known(folder, result)
    return RunAnswer(
        id=folder.name,
        run_id=str(result["run_id"]),
        title=str(scenario["title"]),
        description=str(scenario.get("description", "")).strip(),
        created=str(result["created"]),
        lang=str(manifest["lang"]),
        status=status,
        status_text=reader.text(RUN_STATUS.get(status, Msg("unknown"))),
        proven=status == "optimal",
        objective=score_from_units(int(result["objective"])),
        bound=score_from_units(int(result["bound"])),
        gap=float(result["gap"]),
        totals=result["totals"],
        counts=result["counts"],
        timings_s=result["timings_s"],
        seed=int(result["seed"]),
        versions=result["versions"],
        regime={
            "id": rules["id"],
            "version": rules["version"],
            "period": rules["period"],
            "title": rules[f"title_{reader.lang}"],
            "note": rules[f"note_{reader.lang}"],
        },
        criteria=criteria_of(known.scenario, reader),
        simulated=[str(one["title"]) for one in pack["layers"] if one.get("simulated")],
        pack={
            "name": Path(str(pack["folder"])).name,
            "title": pack["title"],
            "digest": pack["digest"],
            "layers": pack["layers"],
        },
        notices=[reader.text(said_again(said)) for said in manifest["notices"]],
        disclaimer=reader.text(DISCLAIMER),
        changes=shown_changes(tuple(Change(**one) for one in manifest["changes"]), reader),
        objective_label=reader.text(facts.objective_name(known)),
        facts=[
            {"label": one.label, "value": one.value}
            for one in (*facts.catchment(known, reader), *facts.goals(known, reader))
        ],
        overrides=_overrides(scenario.get("locks", {}), result),
        scenario={**scenario, "pack": without_paths(str(scenario.get("pack", "")))},
    )


def _known(folder: Path, result: Mapping[str, Any]) -> Run:
    """The scenario and the result of a run, under the names that :mod:`report.facts` reads.

    The whole run would need its pack and every table: too slow for a page, and the pack may be
    gone.
    """
    told = {one.name: result[one.name] for one in fields(RunResult) if one.name in result}
    found = SimpleNamespace(scenario=scenario_of(folder), result=RunResult(**told))
    return cast(Run, found)


def _overrides(locks: Mapping[str, Any], result: Mapping[str, Any]) -> list[dict[str, Any]]:
    reasons = locks.get("reasons", {})
    costs = {one["site_id"]: one["cost"] for one in result.get("overrides", ())}
    return [
        {
            "site_id": site,
            "direction": direction,
            "reason": str(reasons.get(site, "")),
            "cost": None if costs.get(site) is None else score_from_units(int(costs[site])),
        }
        for direction in ("include", "exclude")
        for site in locks.get(direction, ())
    ]
