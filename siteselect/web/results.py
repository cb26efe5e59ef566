"""What a finished run says of itself, from its own files; no pack is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.words import DISCLAIMER, RUN_STATUS
from siteselect.rundir import MANIFEST, RESULT, read_json, said_again
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
    overrides: list[dict[str, str]]
    """sites forced in or out: site_id, direction, reason"""
    scenario: dict[str, Any]


def describe_run(folder: Path, reader: Translator) -> RunAnswer:
    """A run as its manifest and result tell it. Raises InputError where they are damaged."""
    result, manifest = read_json(folder / RESULT), read_json(folder / MANIFEST)
    scenario, pack, rules = manifest["scenario"], manifest["pack"], manifest["rulebook"]
    status = str(result["status"])
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
        criteria=criteria_of(scenario_of(folder), reader),
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
        overrides=_overrides(scenario.get("locks", {})),
        scenario={**scenario, "pack": without_paths(str(scenario.get("pack", "")))},
    )


def _overrides(locks: Mapping[str, Any]) -> list[dict[str, str]]:
    reasons = locks.get("reasons", {})
    return [
        {"site_id": site, "direction": direction, "reason": str(reasons.get(site, ""))}
        for direction in ("include", "exclude")
        for site in locks.get(direction, ())
    ]
