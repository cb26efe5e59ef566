"""run(scenario) → Run: the one orchestrator."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import geopandas as gpd

from siteselect.cache import Memory, StageCache, default_cache_folder
from siteselect.errors import InfeasibleError, LimitError
from siteselect.formulate import Formulation, formulate
from siteselect.i18n import Translator
from siteselect.measuring import Measured, measure_sites
from siteselect.messages import Msg
from siteselect.optimise import Certificate, Solution, certify, solve
from siteselect.outcome import Outcome, outcome_of
from siteselect.overrides import as_logged, overridden, overrides_priced
from siteselect.pack import DataPack, open_pack
from siteselect.problem import Ledger, SelectionProblem
from siteselect.ranking import Standing, standing_of
from siteselect.report import write_reports
from siteselect.rulebook import Rulebook, open_rulebook
from siteselect.rundir import run_id, write_run
from siteselect.runs import Run, RunResult
from siteselect.scenario import Scenario
from siteselect.scenario_files import LoadedScenario, load_scenario, scenario_from_mapping
from siteselect.stages import Stage, as_written, stage_claim, staged, with_stages
from siteselect.whatif import exact

Progress = Callable[[str, float], None]
MOST_CERTIFYING_S, LEAST_CERTIFYING_S = 120.0, 5.0
"""Seconds that the certificate of a proven bound may take, and of one that is not."""
Lang = Literal["fr", "en"]
LIBRARIES = ("ortools", "highspy", "numpy", "pandas", "geopandas", "rasterio", "exactextract")


@dataclass
class _Clock:
    """Seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def run(
    scenario: str | Path | Scenario | LoadedScenario | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    lang: Lang = "fr",
    progress: Progress | None = None,
    cache: bool = True,
    pack: DataPack | None = None,
    memory: Memory | None = None,
    reports: Literal["all", "none"] = "all",
) -> Run:
    """Measure, choose, explain; write the run directory when ``out`` is given.

    Parameters
    ----------
    scenario
        a TOML file, the name of an embedded scenario, a :class:`Scenario`, or a mapping.
    out
        run directory; complete or absent, an earlier run there is replaced.
    overrides
        ``dotted.key=value`` texts (files only).
    progress
        called with the name of a stage and a share between 0 and 1.
    pack
        the pack of the scenario, already opened and checked.
    memory
        what this process keeps from one run to the next (a batch); none by default.
    reports
        ``none``: write the canonical tables alone, the files for people can follow.

    Raises
    ------
    InputError
        bad input, every fault at once.
    InfeasibleError
        no portfolio satisfies every constraint; ``reasons`` name those in conflict.
    LimitError
        the time limit came before any portfolio.
    """
    loaded = _loaded(scenario, overrides)
    clock = _Clock()
    tell = progress or _silent
    rulebook = open_rulebook(loaded.scenario.land.regime)
    with clock.stage("open"):
        pack = pack or open_pack_of(loaded)
    with clock.stage("measure"):
        stages = StageCache(default_cache_folder() if cache else None)
        measured = measure_sites(pack, loaded.scenario, cache=stages, memory=memory, progress=tell)
    with clock.stage("formulate"):
        tell("formulate", 0.0)
        formulation = formulate(
            measured.sites,
            measured.parcels,
            loaded.scenario,
            rulebook,
            reach=measured.reach,
            straddling=measured.straddling,
        )
    with clock.stage("solve"):
        deadline = time.perf_counter() + loaded.scenario.solve.time_limit_s
        first = formulation
        formulation, ordered = staged(first, loaded.scenario, deadline=deadline)
        left = deadline - time.perf_counter() if ordered else None
        priced = loaded.scenario.ranking.priced
        solution = _solve(
            formulation.problem, loaded.scenario, tell, time_limit_s=left, keep=priced
        )
        solution = _at_best(solution, ordered)
    with clock.stage("price"):
        price = _price_of_zan(formulation, loaded.scenario, solution, tell)
    with clock.stage("rank"):
        standing = _standing(formulation.problem, loaded.scenario, solution, tell)
        log = _overrides(formulation.problem, loaded.scenario, solution, tell)
        solution = replace(solution, kept=None)
    outcome = outcome_of(measured, formulation, solution, loaded.scenario, rulebook, standing)
    outcome = replace(outcome, totals={**outcome.totals, **price})
    log["reserve_by"] = standing.reserve_by
    log["stages"] = as_written(ordered)
    done = _assemble(
        loaded, pack, rulebook, measured, formulation, solution, outcome, clock, log, lang
    )
    if out is not None:
        if reports == "all":
            done = _certified(done, first, solution, tell)
        tell("write", 0.0)
        write_run(
            done,
            Path(out),
            lambda folder: write_reports(done, folder, lang) if reports == "all" else (),
        )
        tell("write", 1.0)
    return done


def open_pack_of(loaded: LoadedScenario) -> DataPack:
    """The pack that a scenario names, looked for beside its file too."""
    beside = loaded.path.parent if loaded.path else None
    return open_pack(loaded.scenario.pack, relative_to=beside)


def _loaded(
    scenario: str | Path | Scenario | LoadedScenario | Mapping[str, Any], overrides: Sequence[str]
) -> LoadedScenario:
    if isinstance(scenario, LoadedScenario):
        return scenario
    if isinstance(scenario, Scenario):
        return LoadedScenario(scenario, None, ())
    if isinstance(scenario, Mapping):
        return scenario_from_mapping(scenario)
    return load_scenario(scenario, overrides=overrides)


def _solve(
    problem: SelectionProblem, scenario: Scenario, tell: Progress, *, explain: bool = True,
    time_limit_s: float | None = None, keep: bool = False,
) -> Solution:  # fmt: skip
    limit = scenario.solve.time_limit_s if time_limit_s is None else max(1.0, time_limit_s)
    solution = solve(
        problem,
        time_limit_s=limit,
        gap=scenario.solve.gap,
        explain=explain,
        keep=keep,
        progress=tell,
    )
    if solution.status == "infeasible":
        raise InfeasibleError(solution.explanation)
    if not len(solution.columns):
        if solution.status == "interrupted":
            raise LimitError(Msg("interrupted before any portfolio was found"))
        raise LimitError(
            Msg(
                "no portfolio was found within {seconds:g} s; raise solve.time_limit_s",
                seconds=scenario.solve.time_limit_s,
            )
        )
    return solution


def _at_best(solution: Solution, stages: Sequence[Stage]) -> Solution:
    """A choice is no more proven than the stages that it rests on."""
    open_stages = [one.status for one in stages if one.status != "optimal"]
    if solution.status == "optimal" and open_stages:
        status = "within_gap" if set(open_stages) == {"within_gap"} else "limit"
        return replace(solution, status=status)  # type: ignore[arg-type]
    return solution


Number = TypeVar("Number", int, float)


def _known(value: Number | None) -> Number:
    """A figure that a solution with a portfolio always has."""
    if value is None:
        raise ValueError("a solution with a portfolio states objective, bound and gap")
    return value


def _price_of_zan(
    formulation: Formulation, scenario: Scenario, solution: Solution, tell: Progress
) -> dict[str, float]:
    """Solve once more with the ledgers flipped: what zero net costs in the objective.

    ``price_of_zan`` is an exact difference when both solves are proven; nothing is stated when
    the twin is infeasible or not proven, or when there is no ledger at all.
    """
    if not scenario.zan.price or solution.status != "optimal":
        return {}
    if scenario.objective.mode == "lexicographic":
        return {}  # without the ledgers the earlier stages would leave other rows
    twin = formulation.with_zan(not scenario.zan.enforced)
    same = not any(
        isinstance(one, Ledger) for one in (*twin.constraints, *formulation.problem.constraints)
    )
    if same:
        return {}
    tell("price", 0.0)
    try:
        other = _solve(twin, scenario, _silent, explain=False)
    except (InfeasibleError, LimitError):
        return {}
    if other.status != "optimal":
        return {}
    free, held = (other, solution) if scenario.zan.enforced else (solution, other)
    return {
        "counterfactual_objective": float(_known(other.objective)),
        "price_of_zan": float(_known(free.objective) - _known(held.objective)),
        "counterfactual_new_ha": float(
            formulation.columns["new_units"].to_numpy()[other.columns].sum() / 100
        ),
        "counterfactual_kept": float(len(set(other.chosen) & set(solution.chosen))),
    }


def _certified(run: Run, formulation: Formulation, solution: Solution, tell: Progress) -> Run:
    """The run with a certificate of its bound, where the scenario asks for one.

    A search that stopped early has no bound worth a long proof: it is given a few seconds.
    """
    limits = run.scenario.solve
    if not limits.certificate:
        return run
    tell("certify", 0.0)
    start = time.perf_counter()
    longest = MOST_CERTIFYING_S if solution.proven else LEAST_CERTIFYING_S

    def proof(problem: SelectionProblem, bound: int) -> Certificate:
        return certify(
            problem,
            bound,
            time_limit_s=min(limits.time_limit_s, longest),
            labels=formulation.columns["variant"].tolist(),
        )

    earlier = []
    for one in run.result.stages:
        problem, bound = stage_claim(formulation, run.scenario, one)
        earlier.append(proof(problem, bound))
        formulation = with_stages(formulation, run.scenario, [one])
    made = proof(formulation.problem, run.result.bound)
    seconds = {**run.result.timings_s, "certify": round(time.perf_counter() - start, 3)}
    tell("certify", 1.0)
    return replace(
        run,
        result=replace(run.result, timings_s=seconds),
        proof=made.packed([one.content for one in earlier]),
    )


def _standing(
    problem: SelectionProblem, scenario: Scenario, solution: Solution, tell: Progress
) -> Standing:
    """Replacement costs where the scenario asks for them, and the reserve."""
    if solution.status == "interrupted":
        return Standing({}, None, "score")
    return standing_of(
        problem,
        solution,
        scenario.ranking,
        size=scenario.reserve,
        time_limit_s=scenario.solve.time_limit_s,
        workers=scenario.solve.workers,
        progress=tell,
    )


def _overrides(
    problem: SelectionProblem, scenario: Scenario, solution: Solution, tell: Progress
) -> dict[str, Any]:
    """The log of the planners with what each override costs; nothing when there is none."""
    if not overridden(scenario.locks):
        return {}
    tell("overrides", 0.0)
    search = exact(time_limit_s=scenario.solve.time_limit_s, gap=scenario.solve.gap)
    costs, total = overrides_priced(problem, solution, scenario.locks, solve=search)
    return {"overrides": tuple(as_logged(one) for one in costs), "overrides_cost": total}


def _assemble(
    loaded: LoadedScenario,
    pack: DataPack,
    rulebook: Rulebook,
    measured: Measured,
    formulation: Formulation,
    solution: Solution,
    outcome: Outcome,
    clock: _Clock,
    log: Mapping[str, Any],
    lang: Lang,
) -> Run:
    statuses = outcome.sites["status"].value_counts()
    counts = {
        "sites": len(outcome.sites),
        "considered": len(formulation.sites),
        "columns": formulation.problem.n_columns,
        "parcels": len(formulation.parcels),
        "constraints": len(formulation.problem.constraints),
        **{str(status): int(count) for status, count in sorted(statuses.items())},
    }
    result = RunResult(
        status=solution.status,
        objective=_known(solution.objective),
        bound=_known(solution.bound),
        gap=_known(solution.gap),
        counts=counts,
        totals=outcome.totals,
        timings_s={**clock.seconds, **{f"solve_{k}": v for k, v in solution.timings.items()}},
        seed=loaded.scenario.seed,
        versions=_versions(),
        routing=measured.routing,
        ties_settled=solution.ties_settled,
        **log,
    )
    translator = Translator(lang)
    return Run(
        run_id=run_id(loaded.scenario, pack, rulebook),
        created=_now(),
        scenario=loaded.scenario,
        changes=loaded.changes,
        pack=pack,
        rulebook=rulebook,
        result=result,
        sites=_rendered(outcome.sites, translator),
        contributions=measured.contributions,
        shortlist=_rendered(outcome.shortlist, translator),
        ledger=outcome.ledger,
        restoration=outcome.restoration,
        notices=(*measured.notices, *_open_ties(solution)),
        lang=lang,
    )


def _open_ties(solution: Solution) -> tuple[Msg, ...]:
    """What is to be said where the limit left open which of equally good portfolios comes first."""
    if not solution.proven or solution.ties_settled:
        return ()
    text = Msg(
        "the value is proven, but other portfolios may be worth exactly as much: the search "
        "stopped before it knew which of them comes first"
    )
    return (text,)


def _rendered(sites: gpd.GeoDataFrame, translator: Translator) -> gpd.GeoDataFrame:
    """Reasons as text of the run's language."""
    result = sites.copy()
    result["reason"] = [translator.text(reason) for reason in sites["reason"]]
    return result


def _now() -> datetime:
    """The moment of the run, or the one that SOURCE_DATE_EPOCH imposes (reproducible builds)."""
    imposed = os.environ.get("SOURCE_DATE_EPOCH")
    if imposed is not None and imposed.isdigit():
        return datetime.fromtimestamp(int(imposed), tz=UTC)
    return datetime.now(tz=UTC).replace(microsecond=0)


def _versions() -> dict[str, str]:
    return {
        "siteselect": importlib.metadata.version("siteselect"),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _silent(stage: str, share: float) -> None:
    """No progress is asked for."""


def run_folder(loaded: LoadedScenario) -> Path:
    """``runs/NAME-ID``: the same scenario on the same pack has the same place."""
    rulebook = open_rulebook(loaded.scenario.land.regime)
    pack = open_pack_of(loaded)
    name = loaded.path.stem if loaded.path else "scenario"
    return Path("runs") / f"{name}-{run_id(loaded.scenario, pack, rulebook)}"
