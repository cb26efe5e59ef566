"""Potential and competition: what a place is worth when others can reach it, too.

Pure functions of a :class:`~siteselect.network.travel.TimeMatrix`; rows are sites, columns the
places people live. A pair that is absent counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from siteselect.network.travel import TimeMatrix

__all__ = [
    "Decay",
    "floating_catchment",
    "labour_competition",
    "market_potential",
    "potential",
]

Floats = NDArray[np.float64]

_SHORTEST_MS = 60_000
"""Times below a minute count as a minute in 1/t, which would be infinite at 0."""


@dataclass(frozen=True)
class Decay:
    """How much a place counts at a time t, between 0 and 1; nothing beyond ``cutoff_ms``.

    ``step``: 1. ``exponential``: 2^(−t / scale), the scale being a half-life (Hansen 1959).
    ``gaussian``: exp(−(t / scale)² / 2).

    Raises
    ------
    ValueError
        A scale that is not above 0.
    """

    shape: Literal["step", "exponential", "gaussian"]
    cutoff_ms: int
    scale_ms: float = 900_000.0

    def __post_init__(self) -> None:
        if not self.scale_ms > 0:
            raise ValueError(f"the scale of a decay is above 0, not {self.scale_ms}")

    def weight(self, duration_ms: NDArray[np.int32]) -> Floats:
        """float64: the weight of each time."""
        ratio = duration_ms / self.scale_ms
        if self.shape == "exponential":
            result = np.exp2(-ratio)
        elif self.shape == "gaussian":
            result = np.exp(-0.5 * ratio * ratio)
        else:
            result = np.ones(duration_ms.size)
        return np.where(duration_ms <= self.cutoff_ms, result, 0.0)


def potential(times: TimeMatrix, weight: Floats, *, decay: Decay) -> Floats:
    """float64[sites]: Σ weight · f(t) (Hansen 1959)."""
    return np.asarray(_weights(times, decay) @ np.asarray(weight, dtype=np.float64))


def market_potential(times: TimeMatrix, weight: Floats, *, cutoff_ms: int) -> Floats:
    """float64[sites]: Σ weight / t, t in minutes and one minute at least (Harris 1954)."""
    step = _weights(times, Decay("step", cutoff_ms))
    step.data = step.data / (np.maximum(times.duration_ms, _SHORTEST_MS) / 60_000)
    return np.asarray(step @ np.asarray(weight, dtype=np.float64))


def floating_catchment(
    times: TimeMatrix, *, jobs: Floats, workers: Floats, decay: Decay
) -> tuple[Floats, Floats]:
    """Two-step floating catchment area (Luo and Wang 2003), enhanced where the decay is (2009).

    The sites are where jobs are, the columns where workers live. Step one: each site shares its
    jobs among all workers who reach it; step two: each worker adds up the shares within reach.

    Returns
    -------
    float64[sites], float64[columns]
        Jobs per worker at each site, R = S / Σ D f(t) (NaN where nobody reaches it); jobs
        accessible to each worker, A = Σ R f(t). Where every site is reached by somebody,
        Σ A · workers = Σ jobs: competition counts every job once.

    Raises
    ------
    ValueError
        Lengths that do not fit the matrix, or negative numbers.
    """
    supply, demand = np.asarray(jobs, dtype=np.float64), np.asarray(workers, dtype=np.float64)
    if (supply.size, demand.size) != times.shape:
        raise ValueError(f"{supply.size} sites and {demand.size} places, not {times.shape}")
    if not (supply >= 0).all() or not (demand >= 0).all():
        raise ValueError("jobs and workers are 0 or more")
    weights = _weights(times, decay)
    reached = np.asarray(weights @ demand)
    ratio = np.divide(supply, reached, out=np.full(supply.size, np.nan), where=reached > 0)
    return ratio, np.asarray(weights.T @ np.nan_to_num(ratio, nan=0.0))


def labour_competition(times: TimeMatrix, *, jobs: Floats, workers: Floats, decay: Decay) -> Floats:
    """float64[sites]: workers per job at each site when all sites recruit at once.

    The two-step floating catchment seen from the site (Shen 1998; Luo and Wang 2003; enhanced
    where the decay is, Luo and Qi 2009). Step one: each place shares its workers among all jobs
    within reach, R = L / Σ J f(t); step two: each site adds up the shares, A = Σ R f(t). So
    Σ A · jobs is the number of workers who reach any site: each is counted once.

    Raises
    ------
    ValueError
        Lengths that do not fit the matrix, or numbers that are not 0 or more.
    """
    people, posts = np.asarray(workers, dtype=np.float64), np.asarray(jobs, dtype=np.float64)
    if (posts.size, people.size) != times.shape:
        raise ValueError(f"{posts.size} sites and {people.size} places, not {times.shape}")
    if not (posts >= 0).all() or not (people >= 0).all():
        raise ValueError("jobs and workers are 0 or more")
    weights = _weights(times, decay)
    sought = np.asarray(weights.T @ posts)
    share = np.divide(people, sought, out=np.zeros(people.size), where=sought > 0)
    return np.asarray(weights @ share)


def _weights(times: TimeMatrix, decay: Decay) -> sp.csr_array:
    if decay.cutoff_ms > times.cutoff_ms:
        raise ValueError(f"times are known up to {times.cutoff_ms} ms, not {decay.cutoff_ms}")
    data = decay.weight(times.duration_ms)
    return sp.csr_array((data, times.column, times.indptr), shape=times.shape)
