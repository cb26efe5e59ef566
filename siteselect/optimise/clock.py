"""One call of the optimiser: its clock, its counts, the best portfolio and the bound that holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import Model
from siteselect.optimise.solution import Kept
from siteselect.optimise.stop import Stop
from siteselect.problem import SelectionProblem

Progress = Callable[[str, float], None]
RESERVE, MOST_RESERVE_S, LEAST_GRACE_S = 0.25, 20.0, 1.0
"""Share of the time kept for a heuristic answer, its most, and what it may run over."""


@dataclass
class Run:
    """One call of ``solve``: clock, counts, the best portfolio, the bound that holds."""

    problem: SelectionProblem
    deadline: float
    gap: float
    progress: Progress | None
    started: float = field(default_factory=time.perf_counter)
    model: Model | None = None
    best: Portfolio | None = None
    bound: int | None = None
    rescue: Callable[[], None] | None = None
    timings: dict[str, float] = field(default_factory=dict)
    info: dict[str, float | int | str | bool] = field(default_factory=dict)
    kept: Kept | None = None

    def seconds_left(self) -> float:
        """Time left; without an answer a share of it is kept back for the heuristic."""
        reserve = 0.0
        if self.best is None:
            reserve = min(MOST_RESERVE_S, RESERVE * (self.deadline - self.started))
        return self.deadline - reserve - time.perf_counter()

    @property
    def late(self) -> Stop:
        """Out of time."""
        return Stop(self.seconds_left)

    def a_moment(self) -> Stop:
        """Out of time even for the heuristic, which is always given a moment from now on."""
        end = max(self.deadline, time.perf_counter() + LEAST_GRACE_S)
        return Stop(lambda: end - time.perf_counter())

    @property
    def stop(self) -> Stop:
        """Out of time, or the gap is good enough."""
        return Stop(self.seconds_left, self.good_enough)

    def good_enough(self) -> bool:
        """Whether the gap allowed is reached."""
        if self.best is None or self.gap <= 0:
            return False
        if self.bound is None:
            return False
        return self.bound - self.best.value <= self.gap * max(1, abs(self.best.value))

    def found(self, portfolio: Portfolio) -> None:
        """Keep a portfolio when it is the best so far."""
        if self.best is None or portfolio.value > self.best.value:
            self.best = portfolio

    def earlier(self, portfolio: Portfolio) -> None:
        """Keep a portfolio that is better, or as good and first among equals."""
        self.best = portfolio

    def begin(self, name: str) -> None:
        """Say what comes next: it may take long."""
        if self.progress is not None:
            self.progress(name, 0.0)

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap under a name."""
        now = time.perf_counter()
        self.timings[name] = now - self.started - sum(self.timings.values())
        if self.progress is not None:
            self.progress(name, 1.0)
