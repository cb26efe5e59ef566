"""The price of zero net artificialisation: the objective against the programme's cap.

The cap is moved step by step and everything chosen again, exactly: an epsilon-constraint on the
programme's ledger (Haimes, Lasdon and Wismer 1971). The caps of territories stay: they are law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from siteselect.manysolves import Answer, solve_draws
from siteselect.messages import Msg
from siteselect.optimise import Solution
from siteselect.problem import Ledger, SelectionProblem, ledger_net
from siteselect.reopen import Case
from siteselect.whatif import difference, exact, with_programme_cap

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class PriceCurve:
    """Objective against the programme's cap on net artificialisation.

    Attributes
    ----------
    steps
        per cap, tightest first: cap_ha, status, objective, ``price`` (what is lost against no
        programme cap, score × 10⁶), net_ha, gross_ha, restored_ha, and the sites that enter and
        leave against the step before (the looser side: reading from tight to loose).
    free_objective
        without the programme's cap, the other ledgers kept.
    """

    steps: pd.DataFrame
    free_objective: int | None
    proven: bool


@dataclass(frozen=True, eq=False)
class _Caps:
    """Numbered problems that differ by the programme's cap (picklable)."""

    base: SelectionProblem
    caps: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.caps)

    def problem(self, number: int) -> SelectionProblem:
        """The problem under one cap."""
        return with_programme_cap(self.base, self.caps[number])


def price_of_zan(
    case: Case,
    *,
    steps: int = 10,
    caps_ha: Sequence[float] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PriceCurve:
    """The objective for caps from zero net to what the free choice takes.

    Parameters
    ----------
    caps_ha
        caps to try, ha; by default ``steps`` even ones from the scenario's cap (or 0) to the net
        of the best portfolio without a programme cap.
    """
    held = case.formulation.with_zan(True)
    programme = [one for one in held.constraints if _is_programme(one)]
    if not programme:
        cap = case.scenario.zan.programme_cap_ha
        raise ValueError(Msg("the scenario has no programme cap (it is {cap})", cap=cap))
    ledger = programme[0]
    assert isinstance(ledger, Ledger)
    limit = case.scenario.solve.time_limit_s
    free_problem = replace(
        held, constraints=tuple(one for one in held.constraints if one is not ledger)
    )
    free = exact(time_limit_s=limit, ties=False)(free_problem)
    caps = _caps(ledger, free, steps, caps_ha)
    answers = solve_draws(_Caps(held, caps), workers=workers, time_limit_s=limit, progress=progress)
    table = _curve(held, ledger, caps, answers, free)
    proven = free.proven and all(one.status in ("optimal", "infeasible") for one in answers)
    return PriceCurve(table, free.objective, proven)


def _is_programme(one: object) -> bool:
    return isinstance(one, Ledger) and one.level == "programme"


def _caps(
    ledger: Ledger, free: Solution, steps: int, caps_ha: Sequence[float] | None
) -> tuple[int, ...]:
    if caps_ha is not None:
        return tuple(sorted({int(np.floor(cap * 100 + 1e-6)) for cap in caps_ha}))
    top = ledger_net(ledger, free.columns.tolist(), free.restored.tolist())
    low = min(ledger.cap, top)
    return tuple(sorted({low + (top - low) * i // max(steps, 1) for i in range(steps + 1)}))


def _curve(
    problem: SelectionProblem,
    ledger: Ledger,
    caps: Sequence[int],
    answers: Sequence[Answer],
    free: Solution,
) -> pd.DataFrame:
    charge = dict(zip(ledger.columns.tolist(), ledger.charge.tolist(), strict=True))
    rows, before = [], None
    for cap, one in zip(caps, answers, strict=True):
        row: dict[str, object] = {"cap_ha": cap / 100, "status": one.status}
        chosen = problem.site[one.columns].tolist()
        row["objective"] = one.objective
        known = one.objective is not None and free.objective is not None
        row["price"] = free.objective - one.objective if known else None  # type: ignore[operator]
        row["gross_ha"] = sum(charge.get(int(j), 0) for j in one.columns) / 100
        enter, leave = difference(problem, chosen if before is None else before, chosen)
        row["enter"], row["leave"] = " ".join(enter), " ".join(leave)
        if one.objective is not None:
            before = chosen
        rows.append(row)
    return pd.DataFrame(rows)
