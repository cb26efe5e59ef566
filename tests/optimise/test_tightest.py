"""Where a requirement leaves hardly any portfolio, the search for the most room finds one."""

from __future__ import annotations

import dataclasses
import time

from brute import KINDS, random_problem, solve_by_enumeration
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise.clock import Run
from siteselect.optimise.exact import Referee
from siteselect.optimise.least import least_spent
from siteselect.optimise.model import compile_model
from siteselect.optimise.presolve import presolved
from siteselect.optimise.root import sift
from siteselect.optimise.stop import NEVER_STOP
from siteselect.optimise.tightest import tightest, within_the_tightest
from siteselect.problem import Budget, SelectionProblem, violations


def at_the_least(problem: SelectionProblem) -> SelectionProblem | None:
    """The problem with its first budget at the least that is enough; ``None`` where none is."""
    budget = next(one for one in problem.constraints if isinstance(one, Budget))
    found = least_spent(problem, budget, time_limit_s=20)
    if found is None or found.value is None:
        return None
    other = dataclasses.replace(budget, limit_keur=-found.value)
    kept = tuple(other if one is budget else one for one in problem.constraints)
    return dataclasses.replace(problem, constraints=kept)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.frozensets(st.sampled_from(KINDS), max_size=5))
def test_what_it_finds_is_a_portfolio(seed: int, kinds: frozenset[str]) -> None:
    problem = at_the_least(random_problem(seed, kinds | {"budget"}))
    if problem is None:
        return
    model = presolved(compile_model(problem))
    root = sift(model, stop=NEVER_STOP)
    run = Run(problem, time.perf_counter() + 20, 0.0, None)
    within_the_tightest(run, model, root, Referee(problem, model))
    if isinstance(tightest(run, model, root), Budget):
        assert run.best is not None
    if run.best is not None:
        columns = model.column_of[run.best.columns].tolist()
        assert not violations(problem, columns, run.best.restoration.units.tolist())
        value = solve_by_enumeration(problem).value
        assert value is not None
        assert run.best.value <= value
