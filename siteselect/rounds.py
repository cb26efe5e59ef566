"""The next wave of a programme: what is labelled stays, what is withdrawn is replaced.

A wave is an ordinary scenario made from a finished run, so that everything else (proof, audit,
explanations) holds for it: labelled sites are forced in, each developed as it was labelled;
withdrawn ones are forced out and at least as many sites come from the reserve; budget, areas,
quotas and ledgers count the whole programme, earlier waves included. What a wave restored stays
restored and paid: the next one restores other land, or the rest of a parcel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from siteselect.compare import CHOSEN, Comparison, compare_runs
from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.pack import embedded_packs
from siteselect.pipeline import run
from siteselect.rundir import MANIFEST, RESULT, SCENARIO, read_json, read_table
from siteselect.runs import Run
from siteselect.scenario import GroupRule, Scenario
from siteselect.scenario_files import load_scenario

Progress = Callable[[str, float], None]
REPLACEMENTS = "remplaçants issus de la réserve"
"""Name of the group of the next scenario that draws replacements from the reserve."""


@dataclass(frozen=True, eq=False)
class Round:
    """A wave that was chosen, and its difference from the one before."""

    run: Run
    folder: Path
    difference: Comparison


def next_scenario(
    folder: str | Path,
    *,
    add: int = 0,
    withdrawn: Sequence[str] = (),
    more_budget_keur: float = 0.0,
    from_reserve: bool = True,
) -> Scenario:
    """The scenario of the next wave.

    Parameters
    ----------
    folder
        run directory of the wave before; its selected sites are the labelled ones.
    add
        sites to choose besides those labelled; withdrawn sites are replaced on top.
    withdrawn
        labelled sites that fall out.
    more_budget_keur
        money of the new wave, added to the budget of the whole, k€.
    from_reserve
        at least as many new sites as were withdrawn come from the reserve of the wave before.

    Raises
    ------
    InputError
        A withdrawn site that was not selected, a negative number.
    """
    place = Path(folder)
    sites = read_table(place, "sites.parquet")
    identity = read_json(place / RESULT)["run_id"]
    scenario = load_scenario(place / SCENARIO).scenario
    labelled = sites[sites["status"].isin(CHOSEN)].sort_values("site_id")
    _check(labelled, add, withdrawn, more_budget_keur)
    kept = labelled[~labelled["site_id"].isin(set(withdrawn))]
    reserve = tuple(sites.loc[sites["status"] == "reserve"].sort_values("rank")["site_id"])
    groups = tuple(g for g in scenario.constraints.groups if g.name != REPLACEMENTS)
    if withdrawn and from_reserve:
        drawn = GroupRule(name=REPLACEMENTS, sites=reserve, at_least=len(set(withdrawn)))
        groups = (*groups, drawn)
    budget = scenario.constraints.budget_keur
    constraints = scenario.constraints.model_copy(
        update={
            "groups": groups,
            "budget_keur": None if budget is None else budget + more_budget_keur,
        }
    )
    restored = read_table(place, "restoration.parquet")
    given_back = dict(zip(restored["parcel_id"], restored["restored_ha"], strict=True))
    locks = scenario.locks.model_copy(
        update={
            "include": tuple(kept["site_id"]),
            "exclude": tuple(sorted({*scenario.locks.exclude, *withdrawn})),
            "reasons": {
                **scenario.locks.reasons,
                **dict.fromkeys(kept["site_id"], f"labellisé ({identity})"),
                **dict.fromkeys(withdrawn, f"retiré ({identity})"),
            },
            "variants": dict(zip(kept["site_id"], kept["variant"], strict=True)),
        }
    )
    changed = {
        "title": f"{scenario.title} — vague suivante de {identity}",
        "pack": _pack(scenario, place),
        "count": len(labelled) + add,
        "constraints": constraints,
        "locks": locks,
        "zan": scenario.zan.model_copy(update={"restored_ha": given_back}),
    }
    # validated again: a copy alone would let an impossible count through
    return Scenario.model_validate({**scenario.model_dump(), **_dumped(changed)})


def choose_round(
    folder: str | Path,
    out: str | Path,
    *,
    add: int = 0,
    withdrawn: Sequence[str] = (),
    more_budget_keur: float = 0.0,
    from_reserve: bool = True,
    progress: Progress | None = None,
) -> Round:
    """Choose the next wave, write its run directory, and compare it with the one before.

    Raises
    ------
    InputError, InfeasibleError
        as :func:`siteselect.run`; as :func:`next_scenario`.
    """
    scenario = next_scenario(
        folder, add=add, withdrawn=withdrawn, more_budget_keur=more_budget_keur,
        from_reserve=from_reserve,
    )  # fmt: skip
    done = run(scenario, out=out, progress=progress)
    return Round(done, Path(out), compare_runs([folder, out]))


def _pack(scenario: Scenario, place: Path) -> str:
    """The pack by its name when it is an embedded one, else where it stood."""
    if scenario.pack in embedded_packs():
        return scenario.pack
    return str(read_json(place / MANIFEST)["pack"]["folder"])


def _dumped(changed: dict[str, object]) -> dict[str, object]:
    return {
        key: value.model_dump() if hasattr(value, "model_dump") else value
        for key, value in changed.items()
    }


def _check(
    labelled: pd.DataFrame, add: int, withdrawn: Sequence[str], more_budget_keur: float
) -> None:
    log = FaultLog()
    known = set(labelled["site_id"])
    for site_id in sorted(set(withdrawn) - known):
        near = nearest_name(site_id, known)
        log.add(
            Msg("only a selected site can be withdrawn"),
            where="withdrawn",
            value=site_id,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg("take an identifier of the shortlist of that run"),
        )
    for name, value in (("add", add), ("more_budget_keur", more_budget_keur)):
        if value < 0:
            log.add(Msg("a wave cannot take back"), where=name, value=value,
                    remedy=Msg("give 0 or more"))  # fmt: skip
    log.check()
