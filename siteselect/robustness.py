"""How sure: the choice made again with other weights, other data, other caps, other rules.

Stochastic multicriteria acceptability analysis (SMAA-2, Lahdelma and Salminen 2001, Operations
Research 49: 444-454) applied to portfolios solved exactly: weights are drawn from a Dirichlet
distribution around those of the scenario, measures from a lognormal one, land caps uniformly.
Every draw is solved exactly, a new proven optimum unless :data:`DRAW_LIMIT_S` ends its search (the
share that is proven is always said); what is uncertain is the share of draws, given with its
Wilson (1927) confidence interval. Draws are numbered and seeded: the same seed gives the same
draws on any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.compare import agreement
from siteselect.draws import Drawn, Uncertainty, drawn_from
from siteselect.errors import InputError
from siteselect.manysolves import Answer, answer, solve_draws
from siteselect.messages import Msg
from siteselect.problem import Ledger, SelectionProblem
from siteselect.reopen import Case, with_scenario
from siteselect.rulebook import rulebook_names
from siteselect.scenario import Scenario
from siteselect.scoring import GROUPS, criterion_weights
from siteselect.whatif import names, with_caps_scaled, with_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]
Z95 = 1.959963984540054
CLASSES = ("always", "often", "sometimes", "never")


DRAW_LIMIT_S = 10.0
"""Clock of one draw: where caps and hectares both move, one in four of the embedded reference needs
minutes to close a gap under 1 %, and hundreds of draws must end."""


@dataclass(frozen=True, eq=False)
class Robustness:
    """What stays and what moves.

    Attributes
    ----------
    sites
        per site chosen at least once or selected by the run: ``draws_chosen``, ``frequency``,
        ``low``, ``high`` (95 %), ``class`` (always, often ≥ half, sometimes, never), ``selected``.
    acceptability
        per site: share of draws in which it ranks 1-10, 11-20, … among the chosen, by score;
        the row sums to ``frequency``.
    draws
        per draw: status, objective, bound, sites shared with the run, Jaccard index.
    structures
        one solve each: caps ± 10 %, without or with offsets, every regime, each criterion left
        out: status, objective, kept, entered, left, Jaccard, and which sites.
    """

    uncertainty: Uncertainty
    sites: pd.DataFrame
    acceptability: pd.DataFrame
    draws: pd.DataFrame
    structures: pd.DataFrame

    @property
    def proven(self) -> int:
        """Draws whose optimum is proven."""
        return int((self.draws["status"] == "optimal").sum())


def robustness(
    case: Case,
    uncertainty: Uncertainty | None = None,
    *,
    structures: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> Robustness:
    """Selection frequency, rank acceptability and structural variants of a case.

    Parameters
    ----------
    workers
        processes; with more than one, guard the main code of a script.
    """
    chosen = uncertainty or Uncertainty()
    family = drawn_from(case, chosen)
    limit = min(case.scenario.solve.time_limit_s, DRAW_LIMIT_S)
    answers = solve_draws(family, workers=workers, time_limit_s=limit, progress=progress)
    sites, acceptability = acceptabilities(case.problem, answers, case.selected)
    rows = list(_structures(case, family, progress)) if structures else []
    return Robustness(chosen, sites, acceptability, _draws(case, answers), pd.DataFrame(rows))


def acceptabilities(
    problem: SelectionProblem, answers: Sequence[Answer], selected: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Selection frequency and rank acceptability over portfolios (draws without one left out).

    Ranks among the chosen are by the value of that draw, ties by identifier.
    """
    solved = [one for one in answers if one.objective is not None]
    count = max((len(one.columns) for one in solved), default=0)
    bins = max(1, -(-count // 10))
    tally: dict[str, Ints] = {name: np.zeros(bins, np.int64) for name in selected}
    for one in solved:
        ids = [names(problem, [s])[0] for s in problem.site[one.columns].tolist()]
        order = sorted(range(len(ids)), key=lambda i: (-int(one.scores[i]), ids[i]))
        for rank, i in enumerate(order):
            tally.setdefault(ids[i], np.zeros(bins, np.int64))[rank // 10] += 1
    return _frequencies(tally, len(solved), set(selected)), _shares(tally, len(solved), count)


def _frequencies(tally: Mapping[str, Ints], n: int, selected: set[str]) -> pd.DataFrame:
    rows = []
    for name in sorted(tally, key=lambda name: (-int(tally[name].sum()), name)):
        times = int(tally[name].sum())
        low, high = wilson(times, n)
        rows.append(
            {
                "site_id": name,
                "draws_chosen": times,
                "frequency": times / n if n else float("nan"),
                "low": low,
                "high": high,
                "class": frequency_class(times, n),
                "selected": name in selected,
            }
        )
    return pd.DataFrame(rows)


def _shares(tally: Mapping[str, Ints], n: int, count: int) -> pd.DataFrame:
    bins = len(next(iter(tally.values()))) if tally else 0
    labels = [f"rank_{10 * b + 1}_{min(10 * b + 10, count)}" for b in range(bins)]
    order = sorted(tally, key=lambda name: (-int(tally[name].sum()), name))
    shares = np.array([tally[name] for name in order]).reshape(len(order), bins) / max(n, 1)
    table = pd.DataFrame(shares, columns=labels)
    table.insert(0, "site_id", order)
    return table


def frequency_class(times: int, n: int) -> str:
    """Always (every draw), often (half or more), sometimes, never."""
    if n and times == n:
        return "always"
    if times == 0:
        return "never"
    return "often" if 2 * times >= n else "sometimes"


def wilson(times: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): it stays within 0 and 1."""
    if n == 0:
        return float("nan"), float("nan")
    share, z2 = times / n, Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _draws(case: Case, answers: Sequence[Answer]) -> pd.DataFrame:
    selected = set(case.selected)
    rows = []
    for number, one in enumerate(answers):
        chosen = set(names(case.problem, case.problem.site[one.columns].tolist()))
        rows.append(
            {
                "draw": number,
                "status": one.status,
                "objective": one.objective,
                "bound": one.bound,
                "kept": len(chosen & selected),
                "jaccard": agreement(chosen, selected),
            }
        )
    return pd.DataFrame(rows)


def _structures(
    case: Case, family: Drawn, progress: Progress | None
) -> Iterator[dict[str, object]]:
    """One exact solve for each way in which the rules, not the figures, could differ."""
    questions = list(_questions(case, family))
    selected = set(case.selected)
    for number, (name, problem) in enumerate(questions):
        one = answer(problem, case.scenario.solve.time_limit_s)
        chosen = set(names(problem, problem.site[one.columns].tolist()))
        yield {
            "variant": name,
            "status": one.status,
            "objective": one.objective,
            "kept": len(chosen & selected),
            "entered": " ".join(sorted(chosen - selected)),
            "left": " ".join(sorted(selected - chosen)) if one.objective is not None else "",
            "jaccard": agreement(chosen, selected) if one.objective is not None else np.nan,
        }
        if progress is not None:
            progress("structures", (number + 1) / len(questions))


def _questions(case: Case, family: Drawn) -> Iterator[tuple[Msg, SelectionProblem]]:
    problem, scenario = case.problem, case.scenario
    if any(isinstance(one, Ledger) and one.cap != 0 for one in problem.constraints):
        yield Msg("land caps −10 %"), with_caps_scaled(problem, 0.9)
        yield Msg("land caps +10 %"), with_caps_scaled(problem, 1.1)
    zan = scenario.zan.model_copy(update={"offsets": not scenario.zan.offsets})
    flipped = Msg("without offsets") if scenario.zan.offsets else Msg("with offsets")
    yield flipped, with_scenario(case, scenario.model_copy(update={"zan": zan})).problem
    for regime in rulebook_names():
        if regime != scenario.land.regime:
            land = scenario.land.model_copy(update={"regime": regime})
            other = with_scenario(case, scenario.model_copy(update={"land": land}))
            yield Msg("legal regime {regime}", regime=regime), other.problem
    for name, shares in _left_out(scenario, family):
        yield (
            Msg("without the criterion {name}", name=name),
            with_scores(problem, family.column_scores(family.measures, shares)),
        )


def _left_out(scenario: Scenario, family: Drawn) -> Iterator[tuple[str, Floats]]:
    """Shares with each criterion left out, its group weighing as before where others remain."""
    order = [name for group in GROUPS for name in scenario.criteria.of(group)]
    for group in GROUPS:
        for name, criterion in scenario.criteria.of(group).items():
            if family.shares[order.index(name)] <= 0:
                continue
            members = {**scenario.criteria.of(group)}
            members[name] = criterion.model_copy(update={"weight": 0.0})
            criteria = scenario.criteria.model_copy(update={group: members})
            weights = scenario.weights
            if all(one.weight == 0 for one in members.values()):
                weights = weights.model_copy(update={group: 0.0})
            try:
                shares = criterion_weights(criteria, weights)
            except InputError:
                continue  # the only criterion of all: nothing would be left to score with
            yield name, np.array([shares[one] for one in order])
