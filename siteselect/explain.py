"""Why this site, why not that one: what forcing or forbidding a site costs, solved again.

The answer is a contrastive explanation (Miller 2019, "Explanation in artificial intelligence:
insights from the social sciences", Artificial Intelligence 267: 1-38): the best portfolio that
respects the planner's counterproposal, beside the one chosen. Costs, entering and leaving sites
are those that a new run shows with the site in ``locks.include`` or ``locks.exclude``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from siteselect.messages import Msg
from siteselect.obstacles import Obstacle, obstacles_of
from siteselect.optimise import Solution, solve
from siteselect.problem import SelectionProblem
from siteselect.reopen import Case
from siteselect.scoring import GROUPS, criterion_weights, value
from siteselect.territories import SCOT_NAME
from siteselect.units import score_from_units
from siteselect.whatif import difference, locked, with_locks

Standing = Literal["selected", "forced_in", "not_selected", "forced_out", "excluded", "no_variant"]


@dataclass(frozen=True)
class Measure:
    """One measure of the site beside those of the selected sites.

    ``points`` is what it brings to the score (0 to ``share``); ``needed`` the value that would
    get the site chosen, everything else equal: ``None`` where no value would do, or where the
    site is selected.
    """

    name: str
    value: float | None
    selected_lowest: float | None
    selected_median: float | None
    selected_highest: float | None
    points: float
    share: float
    needed: float | None


@dataclass(frozen=True)
class Explanation:
    """The answer to "why (not) this site?".

    Attributes
    ----------
    standing
        what the run says of the site.
    proven
        both portfolios compared are proven optimal: costs are exact.
    forcing_cost
        objective lost when the site is forced in, score × 10⁶; ``None`` for a selected site, and
        where no portfolio holds it (``reasons`` say why).
    replacement_cost
        objective lost when a selected site is forbidden; ``None`` for the others.
    enter, leave
        sites that enter and leave the portfolio then, the site itself among them.
    changed
        sites of both portfolios that would be developed another way: site → variant.
    needed_gain
        what its value (score of the variant, × 10⁶) would have to gain to be chosen.
    obstacles
        constraints without any one of which it would be chosen.
    figures
        figures of the site: areas, costs, score, reliability.
    """

    site_id: str
    name: str
    standing: Standing
    proven: bool
    forcing_cost: int | None
    replacement_cost: int | None
    enter: tuple[str, ...]
    leave: tuple[str, ...]
    changed: Mapping[str, str]
    reasons: tuple[Msg, ...]
    needed_gain: int | None
    obstacles: tuple[Obstacle, ...]
    measures: tuple[Measure, ...]
    figures: Mapping[str, float | str | None]
    override_reason: str | None


def explain(case: Case, site_id: str, *, obstacles: bool = True) -> Explanation:
    """Why a site is, or is not, in the portfolio of a case.

    Parameters
    ----------
    obstacles
        solve once more without each constraint that touches the site, to say which one stops it
        (some solves more; ``False`` leaves them out).

    Raises
    ------
    InputError
        The pack has no such site (with the nearest identifier).
    """
    site = case.position(site_id)
    row = _row(case, site_id)
    blank = Explanation(
        site_id, str(row["name"]), "excluded", case.solution.proven, None, None, (), (), {}, (),
        None, (), _measures(case, row, None), _figures(case, row),
        case.scenario.locks.reasons.get(site_id),
    )  # fmt: skip
    if site is None:
        reason = Msg("the scenario leaves it out: {reason}", reason=row["excluded_reason"])
        return replace(blank, reasons=(reason,))
    if not np.any(case.problem.site == site):
        least = case.scenario.variants.min_usable_ha
        reason = Msg("no variant leaves {least_ha:g} ha of usable land", least_ha=least)
        return replace(blank, standing="no_variant", reasons=(reason,))
    if site in set(case.solution.chosen.tolist()):
        return _selected(case, site, blank)
    return _left_out(case, site, row, blank, look=obstacles)


def _selected(case: Case, site: int, blank: Explanation) -> Explanation:
    """What a selected site brings, and who replaces it."""
    inside, _ = locked(case.problem)
    problem = with_locks(case.problem, exclude=[site])
    other = _searched(case, problem)
    standing: Standing = "forced_in" if site in inside else "selected"
    variant = _variant_of(case, site)
    about: list[Msg] = [
        Msg("selected with {points:.6f} points of the objective of {total:.6f}",
            points=score_from_units(int(variant["score_units"])),
            total=score_from_units(case.objective)),
    ]  # fmt: skip
    if standing == "forced_in":
        about.insert(0, Msg("forced in by a planner"))
    done = replace(blank, standing=standing, reasons=tuple(about))
    if other.objective is None:
        more = Msg("without it no portfolio satisfies every constraint")
        return replace(done, reasons=(*about, more, *other.reasons))
    enter, leave = difference(case.problem, case.solution.chosen, other.chosen)
    return replace(
        done,
        proven=case.solution.proven and other.proven,
        replacement_cost=case.objective - other.objective,
        enter=enter,
        leave=leave,
        changed=_changed(case, other),
    )


def _left_out(
    case: Case, site: int, row: Mapping[str, Any], blank: Explanation, *, look: bool
) -> Explanation:
    """What forcing a site in costs, and what would get it chosen."""
    _, outside = locked(case.problem)
    forced_out = site in outside
    done = replace(blank, standing="forced_out" if forced_out else "not_selected")
    other = _searched(case, with_locks(case.problem, include=[site]))
    reasons = [Msg("forced out by a planner")] if forced_out else []
    if other.objective is None:
        reasons.append(Msg("no portfolio that holds it satisfies every constraint"))
        return replace(done, reasons=(*reasons, *other.reasons))
    cost = case.objective - other.objective
    enter, leave = difference(case.problem, case.solution.chosen, other.chosen)
    found = obstacles_of(case, site, other) if look and not forced_out else ()
    reasons += [one.message for one in found]
    if not found:
        reasons.append(_cheaper(cost))
    gain = cost + 1
    factor = _factor(case, other, site)
    return replace(
        done,
        proven=case.solution.proven and other.proven,
        forcing_cost=cost,
        enter=enter,
        leave=leave,
        changed=_changed(case, other),
        reasons=tuple(reasons),
        needed_gain=gain,
        obstacles=found,
        measures=_measures(case, row, gain / factor / 1_000_000 if factor else None),
    )


def _cheaper(cost: int) -> Msg:
    if cost <= 0:
        return Msg("as good as a selected site: the first identifiers win among equals")
    return Msg(
        "any portfolio that holds it is worth at least {cost:.6f} points less",
        cost=score_from_units(cost),
    )


def _searched(case: Case, problem: SelectionProblem) -> Solution:
    """Solved with the reasons when nothing is feasible, as a new run would."""
    limits = case.scenario.solve
    return solve(problem, time_limit_s=limits.time_limit_s, gap=limits.gap)


def _variant_of(case: Case, site: int) -> dict[str, Any]:
    columns = case.chosen_columns
    row = columns[columns["site"] == site].iloc[0]
    return {str(key): item for key, item in row.items()}


def _factor(case: Case, other: Solution, site: int) -> float:
    """Points of the objective per point of score, for the variant that forcing it in takes."""
    column = other.columns[case.problem.site[other.columns] == site]
    variant = str(case.formulation.columns["variant"].iloc[int(column[0])])
    return case.scenario.variants.reuse_factor if variant == "reuse" else 1.0


def _changed(case: Case, other: Solution) -> dict[str, str]:
    """Sites in both portfolios whose variant differs: site → the other variant."""
    columns = case.formulation.columns
    ids = case.formulation.sites["site_id"].to_numpy()

    def chosen(solution: Solution) -> dict[str, str]:
        rows = columns.iloc[solution.columns]
        return dict(zip(ids[rows["site"].to_numpy()], rows["variant"], strict=True))

    before, after = chosen(case.solution), chosen(other)
    both = sorted(before.keys() & after.keys())
    return {name: after[name] for name in both if before[name] != after[name]}


def _row(case: Case, site_id: str) -> dict[str, Any]:
    sites = case.measured.sites
    row = sites[sites["site_id"] == site_id].iloc[0]
    return {str(key): item for key, item in row.items()}


def _measures(case: Case, row: Mapping[str, Any], missing: float | None) -> tuple[Measure, ...]:
    """Every criterion; ``missing`` is the score that it would take, all else equal."""
    sites = case.measured.sites
    chosen = sites[sites["site_id"].isin(set(case.selected))]
    shares = criterion_weights(case.scenario.criteria, case.scenario.weights)
    found = []
    for group in GROUPS:
        for name, criterion in case.scenario.criteria.of(group).items():
            here = _number(row[name])
            beside = chosen[name].to_numpy(dtype=float, na_value=np.nan)
            beside = beside[np.isfinite(beside)]
            worth = float(value(np.array([np.nan if here is None else here]), criterion)[0])
            needed = None
            if missing is not None and shares[name] > 0:
                wanted = worth + missing / shares[name]
                if wanted <= 1:
                    needed = criterion.worst + wanted * (criterion.best - criterion.worst)
            found.append(
                Measure(
                    name, here, *_spread(beside), worth * shares[name], shares[name], needed
                )
            )  # fmt: skip
    return tuple(found)


def _spread(values: Any) -> tuple[float | None, float | None, float | None]:
    if not len(values):
        return None, None, None
    return float(values.min()), float(np.median(values)), float(values.max())


def _number(value_: Any) -> float | None:
    return None if value_ is None or pd.isna(value_) else float(value_)


FIGURES = (
    "kind", "code_insee", "commune", "epci_name", "scot_name", "departement", "region_name",
    "area_ha", "artificialised_ha", "impermeable_ha", "enaf_ha", "score", "score_access",
    "score_workforce", "score_network", "reliability",
)  # fmt: skip


def _figures(case: Case, row: Mapping[str, Any]) -> dict[str, float | str | None]:
    found: dict[str, float | str | None] = {}
    for name in FIGURES:
        if name == SCOT_NAME and name not in row:
            continue  # not every pack knows its SCoT
        here = row.get(name)
        found[name] = here if isinstance(here, str) else _number(here)
    position = case.position(str(row["site_id"]))
    if position is not None:
        columns = case.formulation.columns
        chosen = set(case.solution.columns.tolist())
        for index, one in columns[columns["site"] == position].iterrows():
            variant = one["variant"]
            found[f"{variant}_usable_ha"] = one["usable_units"] / 100
            found[f"{variant}_new_ha"] = one["new_units"] / 100
            found[f"{variant}_cost_keur"] = float(one["cost_keur"])
            if index in chosen:
                found["variant"] = str(variant)
    return found
