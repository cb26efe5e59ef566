"""When to stop: asked between two steps, and how long a linear programme may take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

Seconds = Callable[[], float]


class OutOfTimeError(Exception):
    """A linear programme was stopped by the clock: its multipliers are valid, not optimal."""


def _not_yet() -> bool:
    return False


@dataclass(frozen=True)
class Stop:
    """Called, says whether to stop: no seconds left, or ``enough``."""

    seconds_left: Seconds
    enough: Callable[[], bool] = _not_yet

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.seconds_left() < 0 or self.enough()


NEVER_STOP = Stop(lambda: math.inf)
"""No limit."""


def stop_at(deadline: float) -> Stop:
    """Stop at a moment of ``time.perf_counter``."""
    return Stop(lambda: deadline - time.perf_counter())
