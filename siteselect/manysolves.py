"""Many exact solves of one problem with other values or caps, in one process or several.

The problem crosses to the workers once; each task sends only what changes. Results do not
depend on the number of workers: every draw carries its own seed, and each search is
deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise import prepare, solve
from siteselect.problem import SelectionProblem

Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Answer:
    """What is kept of one solve: status, value, bound, columns and the values searched with."""

    status: str
    objective: int | None
    bound: int | None
    columns: Ints
    scores: Ints
    """int64, value of each chosen column in that draw, in the order of ``columns``"""

    @property
    def proven(self) -> bool:
        """Whether the portfolio is proven optimal."""
        return self.status == "optimal"


class Draws(Protocol):
    """A family of changed problems, numbered. Must be picklable for several workers."""

    def __len__(self) -> int:
        """How many."""

    def problem(self, number: int) -> SelectionProblem:
        """The changed problem of that number."""


_DRAWS: list[Draws] = []
"""In a worker process: the family that it was started with."""


def solve_draws(
    draws: Draws,
    *,
    workers: int = 1,
    time_limit_s: float = 600.0,
    progress: Progress | None = None,
) -> tuple[Answer, ...]:
    """Solve every problem of a family, in order.

    With ``workers`` > 1 processes are spawned: a script that asks for it must guard its main
    code with ``if __name__ == "__main__"``.
    """
    found: list[Answer] = []
    for answer in _answers(draws, workers, time_limit_s):
        found.append(answer)
        if progress is not None:
            progress("draws", len(found) / len(draws))
    return tuple(found)


def _answers(draws: Draws, workers: int, time_limit_s: float) -> Iterator[Answer]:
    numbers: Sequence[int] = range(len(draws))
    prepare()
    if workers <= 1 or len(draws) < 2 * workers:
        for number in numbers:
            yield answer(draws.problem(number), time_limit_s)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(draws,)
    ) as pool:
        yield from pool.map(_one, numbers, [time_limit_s] * len(draws), chunksize=4)


def _start(draws: Draws) -> None:
    _DRAWS[:] = [draws]


def _one(number: int, time_limit_s: float) -> Answer:
    return answer(_DRAWS[0].problem(number), time_limit_s)


def answer(problem: SelectionProblem, time_limit_s: float = 600.0) -> Answer:
    """Solve one problem and keep the little that statistics need."""
    solution = solve(problem, time_limit_s=time_limit_s, ties=False, explain=False)
    return Answer(
        solution.status,
        solution.objective,
        solution.bound,
        solution.columns,
        problem.score[solution.columns],
    )
