"""A finished run reopened: its inputs measured again, its problem rebuilt, its portfolio checked.

Everything that supports a decision (ranking, explanations, robustness, alternatives, trade-offs)
works on a :class:`Case`, whether it comes from a run directory or from a scenario just solved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.cache import StageCache, default_cache_folder
from siteselect.errors import Fault, InfeasibleError, InputError, VerificationError, nearest_name
from siteselect.formulate import Formulation, formulate
from siteselect.measuring import Measured, measure_sites
from siteselect.messages import Msg
from siteselect.optimise import Solution, solve
from siteselect.pack import DataPack, open_pack
from siteselect.problem import SelectionProblem, objective, violations
from siteselect.rulebook import Rulebook, open_rulebook
from siteselect.rundir import MANIFEST, RESULT, SCENARIO, read_json, read_table, run_id
from siteselect.scenario import Scenario
from siteselect.scenario_files import load_scenario
from siteselect.stages import as_written, staged, with_stages
from siteselect.units import ha_to_units
from siteselect.whatif import Solve, exact, names

Progress = Callable[[str, float], None]
CHOSEN = ("selected", "forced_in")


@dataclass(frozen=True, eq=False)
class Case:
    """A scenario, its problem and its portfolio: what a committee asks questions about.

    Attributes
    ----------
    folder
        run directory, ``None`` for a scenario solved in memory.
    formulation
        ``formulation.problem`` is the selection problem, ``formulation.sites`` its sites.
    solution
        the portfolio of the run, in the indices of that problem.
    stages
        objectives optimised before, in order; what they keep are rows of the problem.
    """

    run_id: str
    folder: Path | None
    scenario: Scenario
    pack: DataPack
    rulebook: Rulebook
    measured: Measured
    formulation: Formulation
    solution: Solution
    stages: tuple[Mapping[str, Any], ...] = ()

    @property
    def problem(self) -> SelectionProblem:
        """The selection problem of the run."""
        return self.formulation.problem

    @property
    def objective(self) -> int:
        """Value of the portfolio, score × 10⁶."""
        if self.solution.objective is None:
            raise ValueError("a case has a portfolio")
        return self.solution.objective

    @property
    def selected(self) -> tuple[str, ...]:
        """Identifiers of the selected sites, sorted."""
        return names(self.problem, self.solution.chosen)

    @property
    def chosen_columns(self) -> pd.DataFrame:
        """Variants chosen, with ``site_id``: rows of ``formulation.columns``."""
        rows = self.formulation.columns.iloc[self.solution.columns]
        ids = self.formulation.sites["site_id"].to_numpy()[rows["site"].to_numpy()]
        return rows.assign(site_id=ids)

    @property
    def solver(self) -> Solve:
        """The exact solver with the limits of the scenario, ties settled as in a run."""
        limits = self.scenario.solve
        return exact(time_limit_s=limits.time_limit_s, gap=limits.gap)

    def position(self, site_id: str) -> int | None:
        """Index of a site in the problem; ``None`` when the scenario leaves it out.

        Raises
        ------
        InputError
            The pack has no such site.
        """
        every = self.measured.sites["site_id"]
        if site_id not in set(every):
            near = nearest_name(site_id, set(every))
            raise InputError(
                Fault(
                    Msg("the pack has no site with this identifier"),
                    where="site_id",
                    value=site_id,
                    remedy=Msg("did you mean {near}?", near=near)
                    if near
                    else Msg("take an identifier of the first column of the tables"),
                )
            )
        found = np.flatnonzero((self.formulation.sites["site_id"] == site_id).to_numpy())
        return int(found[0]) if len(found) else None


def reopen(folder: str | Path, *, cache: bool = True, progress: Progress | None = None) -> Case:
    """The case of a run directory.

    Raises
    ------
    InputError
        the folder is not a run, its files are damaged, or its pack cannot be opened.
    VerificationError
        pack, rulebook or program are no longer those of the run, or the portfolio written there
        does not have the value stated.
    """
    place = Path(folder)
    manifest, result = read_json(place / MANIFEST), read_json(place / RESULT)
    scenario = load_scenario(place / SCENARIO).scenario
    rulebook = open_rulebook(scenario.land.regime)
    pack = _pack_of(manifest, place)
    _check_identity(result, manifest, scenario, pack, rulebook)
    case = _prepared(scenario, pack, rulebook, cache=cache, progress=progress)
    case = replace(case, folder=place, run_id=str(result["run_id"]))
    case = _after(case, result.get("stages", ()))
    return replace(case, solution=_portfolio(case.formulation, place, result))


def solved(
    scenario: Scenario | Mapping[str, Any] | str | Path,
    *,
    cache: bool = True,
    progress: Progress | None = None,
) -> Case:
    """The case of a scenario, solved now, nothing written.

    Raises
    ------
    InputError, InfeasibleError
        as :func:`siteselect.run`.
    """
    from siteselect.scenario_files import scenario_from_mapping

    beside: Path | None = None
    if isinstance(scenario, str | Path):
        loaded = load_scenario(scenario)
        beside, scenario = (loaded.path.parent if loaded.path else None), loaded.scenario
    elif not isinstance(scenario, Scenario):
        scenario = scenario_from_mapping(scenario).scenario
    rulebook = open_rulebook(scenario.land.regime)
    pack = open_pack(scenario.pack, relative_to=beside)
    case = _prepared(scenario, pack, rulebook, cache=cache, progress=progress)
    limits = scenario.solve
    deadline = time.perf_counter() + limits.time_limit_s
    case = _after(case, as_written(staged(case.formulation, scenario, deadline=deadline)[1]))
    solution = solve(case.problem, time_limit_s=limits.time_limit_s, gap=limits.gap)
    if solution.objective is None:
        raise InfeasibleError(solution.explanation)
    return replace(case, solution=solution)


def with_scenario(case: Case, scenario: Scenario) -> Formulation:
    """The problem of another scenario on the same measured sites.

    For changes that leave measures and scores as they are: caps, offsets, regime, locks, limits.
    """
    rulebook = open_rulebook(scenario.land.regime)
    made = formulate(
        case.measured.sites,
        case.measured.parcels,
        scenario,
        rulebook,
        reach=case.measured.reach,
        straddling=case.measured.straddling,
    )
    return with_stages(made, scenario, case.stages)


def _after(case: Case, stages: Sequence[Mapping[str, Any]]) -> Case:
    """The case with what the stages of its objectives keep."""
    formulation = with_stages(case.formulation, case.scenario, stages)
    return replace(case, formulation=formulation, stages=tuple(stages))


def _prepared(
    scenario: Scenario,
    pack: DataPack,
    rulebook: Rulebook,
    *,
    cache: bool,
    progress: Progress | None,
) -> Case:
    stages = StageCache(default_cache_folder() if cache else None)
    measured = measure_sites(pack, scenario, cache=stages, progress=progress)
    formulation = formulate(
        measured.sites,
        measured.parcels,
        scenario,
        rulebook,
        reach=measured.reach,
        straddling=measured.straddling,
    )
    nothing: NDArray[np.int64] = np.zeros(0, np.int64)
    empty = Solution("limit", nothing, nothing, nothing, None, None, None)
    identity = run_id(scenario, pack, rulebook)
    return Case(identity, None, scenario, pack, rulebook, measured, formulation, empty)


def _pack_of(manifest: dict[str, Any], place: Path) -> DataPack:
    """The pack of the run, where it stood or by its name."""
    stated = manifest["pack"]
    try:
        return open_pack(str(stated["folder"]), relative_to=place)
    except InputError:
        return open_pack(str(stated["name"]), relative_to=place)


def _check_identity(
    result: dict[str, Any],
    manifest: dict[str, Any],
    scenario: Scenario,
    pack: DataPack,
    rulebook: Rulebook,
) -> None:
    problems = []
    if pack.digest != manifest["pack"]["digest"]:
        problems.append(Msg("the data pack is not the one of the run (content differs)"))
    if result.get("run_id") != run_id(scenario, pack, rulebook):
        problems.append(
            Msg(
                "the run cannot be reopened: scenario, pack, rulebook or version of siteselect "
                "are no longer those of run {run_id}; run the scenario again",
                run_id=result.get("run_id"),
            )
        )
    if problems:
        raise VerificationError(problems)


def _portfolio(formulation: Formulation, place: Path, result: dict[str, Any]) -> Solution:
    """The portfolio as it was written, checked against problem and stated objective."""
    sites = read_table(place, "sites.parquet")
    restoration = read_table(place, "restoration.parquet")
    chosen = sites[sites["status"].isin(CHOSEN)]
    wanted = set(zip(chosen["site_id"], chosen["variant"], strict=True))
    ids = formulation.sites["site_id"].to_numpy()[formulation.columns["site"].to_numpy()]
    taken = [pair in wanted for pair in zip(ids, formulation.columns["variant"], strict=True)]
    columns = np.flatnonzero(taken).astype(np.int64)
    stated = restoration.set_index("parcel_id")["restored_ha"]
    parcels = formulation.parcels  # what earlier waves restored is not chosen by this run
    written = parcels["parcel_id"].map(stated).astype(float).fillna(0.0)
    restored = np.maximum(ha_to_units(written) - parcels["before_units"].to_numpy(np.int64), 0)
    problem = formulation.problem
    broken = list(violations(problem, columns.tolist(), restored.tolist()))
    value = objective(problem, columns.tolist())
    if value != result["objective"]:
        broken.append(
            Msg(
                "the portfolio of the run is worth {value}, not {stated} as written",
                value=value,
                stated=result["objective"],
            )
        )
    if broken:
        raise VerificationError(broken)
    return Solution(
        result["status"],
        problem.sites_of(columns),
        columns,
        restored,
        value,
        int(result["bound"]),
        float(result["gap"]),
    )
