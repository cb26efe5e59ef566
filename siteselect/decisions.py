"""The analyses of a case as tables and facts: what the command line writes beside a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from siteselect.alternatives import alternatives, most_different
from siteselect.draws import Uncertainty
from siteselect.errors import Fault, InputError, nearest_name
from siteselect.hectares import land_facts
from siteselect.messages import Msg
from siteselect.overrides import OverrideCost, overrides_priced
from siteselect.ranking import (
    Replacement,
    nested_order,
    replacement_costs,
    replacement_order,
    reserve_list,
)
from siteselect.reopen import Case
from siteselect.robustness import robustness
from siteselect.stakes import FRONTS, Objective, in_units, objective_of
from siteselect.tradeoffs import three_objectives, two_objectives
from siteselect.zanprice import price_of_zan

Progress = Callable[[str, float], None]
Facts = dict[str, Any]
Tables = dict[str, pd.DataFrame]
MILLION = 1_000_000
LABELS: Mapping[str, Msg] = {
    "score": Msg("objective (points)"),
    "access": Msg("access (points)"),
    "workforce": Msg("workforce (points)"),
    "network": Msg("networks (points)"),
    "new_ha": Msg("newly artificialised land (ha)"),
    "cost": Msg("cost of works (k€)"),
    "brownfields": Msg("number of brownfields"),
}
AGAINST = ("zan", "groups", *FRONTS)


def rank_tables(
    case: Case, *, nested: int = 0, progress: Progress | None = None
) -> tuple[Facts, Tables]:
    """Replacement costs, the reserve as the model would take it, overrides, nested order."""
    problem, solution = case.problem, case.solution
    found = _costs(case, progress)
    scores = _scores(case)
    order = replacement_order(found, scores)
    by_id = {one.site_id: one for one in found}
    by_score = sorted(order, key=lambda name: (-scores[name], name))
    rows = [
        {
            "rank": place,
            "rank_by_score": by_score.index(name) + 1,
            "site_id": name,
            "score": scores[name] / MILLION,
            "replacement_cost": _points(by_id[name].cost),
            "status": by_id[name].status,
            "enter": " ".join(by_id[name].enter),
            "leave": " ".join(by_id[name].leave),
        }
        for place, name in enumerate(order, 1)
    ]
    reserve = reserve_list(problem, solution, found, size=case.scenario.reserve, solve=case.solver)
    listed = [
        {
            "rank": place,
            "site_id": one.site_id,
            "replaces": len(one.replaces),
            "replaces_sites": " ".join(one.replaces),
            "taken": one.taken,
        }
        for place, one in enumerate(reserve.sites, 1)
    ]
    locks = case.scenario.locks
    overrides, together = overrides_priced(problem, solution, locks, solve=case.solver)
    tables = {
        "replacement": _named(case, pd.DataFrame(rows)),
        "reserve": _named(case, pd.DataFrame(listed, columns=list(listed[0]) if listed else
                          ["rank", "site_id", "replaces", "replaces_sites", "taken"])),
        "overrides": _overrides(overrides),
    }  # fmt: skip
    facts: Facts = {
        **_facts(case, "Cabeza and Moilanen 2006"),
        "proven": all(one.cost is not None or one.status == "infeasible" for one in found),
        "replacement_costs": {one.site_id: one.cost for one in found},
        "reserve": [one.site_id for one in reserve.sites],
        "reserve_enlarged_status": reserve.enlarged_status,
        "overrides_cost": together,
    }
    if nested:
        steps = nested_order(problem, solution, step=nested, solve=case.solver)
        tables["nested"] = pd.DataFrame(
            [(s.count, s.status, _points(s.objective), " ".join(s.sites)) for s in steps],
            columns=["count", "status", "objective", "sites"],
        )
    return facts, tables


def _costs(case: Case, progress: Progress | None) -> tuple[Replacement, ...]:
    asked = case.scenario.solve
    return replacement_costs(
        case.problem, case.solution, time_limit_s=asked.time_limit_s, workers=asked.workers,
        progress=progress,
    )  # fmt: skip


def robustness_tables(
    case: Case,
    uncertainty: Uncertainty,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Facts, Tables]:
    """Frequencies, rank acceptability, draws and structural variants."""
    found = robustness(case, uncertainty, workers=workers, progress=progress)
    facts = {
        **_facts(case, "Lahdelma and Salminen 2001"),
        "uncertainty": vars(uncertainty),
        "hectares": land_facts(case),
        "proven": found.proven,
        "classes": found.sites["class"].value_counts().to_dict(),
        "mean_jaccard": float(found.draws["jaccard"].mean()),
    }
    return facts, {
        "sites": _named(case, found.sites),
        "acceptability": _named(case, found.acceptability),
        "draws": _in_points(found.draws, "objective", "bound"),
        "structures": _in_points(found.structures, "objective"),
    }


def alternatives_tables(
    case: Case,
    *,
    loss_share: float,
    min_different: int,
    how_many: int,
    progress: Progress | None = None,
) -> tuple[Facts, Tables]:
    """Near-optimal portfolios, the most different one, and the sites common to all."""
    problem, solution = case.problem, case.solution
    costs = _costs(case, progress)
    found = alternatives(
        problem, solution, costs, loss_share=loss_share, min_different=min_different,
        how_many=how_many, progress=progress,
    )  # fmt: skip
    portfolios = [(f"{k}", one) for k, one in enumerate(found.portfolios, 1)]
    if problem.is_sum:
        widest = most_different(problem, solution, loss_share=loss_share)
        portfolios += [("max", widest)] if widest is not None else []
    rows = [
        (name, one.objective / MILLION, one.loss / MILLION, one.differs, one.proven,
         " ".join(one.enter), " ".join(one.leave), " ".join(one.sites))
        for name, one in portfolios
    ]  # fmt: skip
    columns = ["name", "objective", "loss", "differs", "proven", "enter", "leave", "sites"]
    facts = {
        **_facts(case, "Brill, Chang and Hopkins 1982"),
        "loss_share": loss_share,
        "floor": found.floor,
        "min_different": min_different,
        "ended": found.ended,
        "common": found.common,
    }
    common = pd.DataFrame({"site_id": list(found.common)}, dtype=object)
    return facts, {
        "portfolios": pd.DataFrame(rows, columns=columns),
        "common": _named(case, common),
    }


def tradeoff_tables(
    case: Case,
    against: str,
    *,
    points: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Facts, Tables]:
    """A Pareto front (``groups``, ``new_ha``, ``cost``, ``brownfields``) or the price of ZAN.

    Raises
    ------
    InputError
        An unknown trade-off, a scenario without a programme cap for ``zan``, or, for
        ``groups``, a scenario with a catchment.
    """
    if against not in AGAINST:
        near = nearest_name(against, AGAINST) or AGAINST[0]
        raise InputError(
            Fault(Msg("unknown trade-off"), where="--against", value=against,
                  remedy=Msg("did you mean {near}?", near=near))
        )  # fmt: skip
    if against == "zan":
        return _price(case, points or 10, workers, progress)
    if against == "groups" or case.problem.workforce is not None:
        _check_is_a_sum(case)
    names = ("access", "workforce", "network") if against == "groups" else FRONTS[against]
    wanted = [objective_of(case, name) for name in names]
    if against == "groups":
        front = three_objectives(case.problem, wanted, points=points or 40, progress=progress)
    else:
        front = two_objectives(case.problem, *wanted, points=points or 10, progress=progress)
    facts = {
        **_facts(
            case,
            "Aneja and Nair 1979; Solanki, Appino and Cohon 1993; Chankong and Haimes 1983; "
            "Mavrotas 2009",
        ),
        "objectives": names,
        "run": _here(case, wanted),
        "solves": front.solves,
        "open": front.open,
        "end_points_proven": front.ends,
        "widest_gap": front.widest,
        "labels": [LABELS[name] for name in names],
    }
    return facts, {"points": front.table()}


def _here(case: Case, objectives: Sequence[Objective]) -> dict[str, float]:
    """Where the portfolio of the run stands, in the units of a front's table."""
    found = {}
    for one in objectives:
        value = pd.Series([one.of(case.problem, case.solution.columns)])
        found[one.name] = float(in_units(one.name, value).iloc[0])
    return found


def _check_is_a_sum(case: Case) -> None:
    """A front sets sums against one another: a union of workers is not one."""
    if not case.problem.is_sum:
        raise InputError(
            Fault(
                Msg("fronts set sums of points, ha or k€ against one another; the catchment of "
                    "this scenario counts workers that several sites share"),
                where="catchment.mode",
                value=case.scenario.catchment.mode,
                remedy=Msg('ask --against new_ha, cost, brownfields or zan, where it counts; or '
                           'run the scenario with catchment.mode = "none"'),
            )
        )  # fmt: skip


def _price(
    case: Case, points: int, workers: int, progress: Progress | None
) -> tuple[Facts, Tables]:
    if case.scenario.zan.programme_cap_ha is None:
        raise InputError(
            Fault(
                Msg("the scenario has no programme cap, so there is no price to draw"),
                where="zan.programme_cap_ha",
                remedy=Msg("give zan.programme_cap_ha, for example 0"),
            )
        )
    curve = price_of_zan(case, steps=points, workers=workers, progress=progress)
    facts = {
        **_facts(case, "epsilon-constraint on the programme ledger"),
        "free_objective": curve.free_objective,
        "open": int((~curve.steps["status"].isin(["optimal", "infeasible"])).sum()),
        "labels": [],
    }
    return facts, {"points": _in_points(curve.steps, "objective", "price")}


def _facts(case: Case, source: str) -> Facts:
    return {
        "run_id": case.run_id,
        "method": source,
        "objective": case.objective,
        "unit": "score × 1e6",
        "run_status": case.solution.status,
        "notices": [str(notice) for notice in case.measured.notices],
        "notice": "aide à la décision, ne vaut pas bilan réglementaire",
    }


def _scores(case: Case) -> dict[str, int]:
    """Value of the chosen variant of each selected site."""
    columns = case.chosen_columns
    return {
        str(name): int(score)
        for name, score in zip(columns["site_id"], columns["score_units"], strict=True)
    }


def _in_points(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Some columns in points of the objective, as people read tables; unknown stays unknown."""
    shown = {name: table[name].astype(float) / MILLION for name in columns if name in table}
    return table.assign(**shown)


def _points(units: int | None) -> float:
    return float("nan") if units is None else units / MILLION


def _named(case: Case, table: pd.DataFrame) -> pd.DataFrame:
    """With the name and place of each site after its identifier."""
    facts = case.measured.sites.set_index("site_id")[["name", "commune", "region_name"]]
    wanted = [name for name in facts if name not in table]
    joined = table.join(facts[wanted], on="site_id")
    if "score" not in joined and "rank" in joined:
        joined["score"] = joined["site_id"].map(case.measured.sites.set_index("site_id")["score"])
    return joined


def _overrides(overrides: tuple[OverrideCost, ...]) -> pd.DataFrame:
    rows = [
        (one.site_id, one.direction, one.reason, _points(one.cost), " ".join(one.enter),
         " ".join(one.leave))
        for one in overrides
    ]  # fmt: skip
    columns = ["site_id", "direction", "reason", "objective_lost", "enter", "leave"]
    return pd.DataFrame(rows, columns=columns)
