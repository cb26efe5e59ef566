"""The model that a proof is about, as the auditor reads it: plain integers, no optimiser.

Maximise Σ score·x + Σ weight·[demand point reached] over columns x (0 or 1, one a site at most)
and parcels restored in whole units, under rows ``lower ≤ factors·x + parcel factors·z ≤ upper``
(z: the share of a parcel restored), sites that exclude each other, and sites held in or out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.messages import Msg

Ints = NDArray[np.int64]


def _none() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class AuditRow:
    """One row, indices ascending, factors not zero; ``None``: no bound on that side."""

    name: Msg | str
    columns: Ints
    factors: Ints
    lower: int | None
    upper: int | None
    parcels: Ints = field(default_factory=_none)
    parcel_factors: Ints = field(default_factory=_none)

    def key(self) -> bytes:
        """Equal for rows with the same factors, whatever their bounds."""
        parts = (self.columns, self.factors, self.parcels, self.parcel_factors)
        return b"|".join(np.ascontiguousarray(part, np.int64).tobytes() for part in parts)


@dataclass(frozen=True, eq=False)
class Hiring:
    """Workers who fill jobs, each one: sites × communes within reach, workers, jobs, value.

    ``jobs`` int64[J]; ``value`` is what one filled job adds to the objective.
    """

    near: csr_array
    workers: Ints
    jobs: Ints
    value: int


@dataclass(frozen=True, eq=False)
class AuditModel:
    """What a portfolio is chosen from.

    Attributes
    ----------
    sites
        identifier of each site.
    site, variant, score
        int64[J] site, J texts, int64[J] value of each column.
    count
        columns to choose, exactly; ``None`` where fewer may be chosen.
    rows
        every requirement that is a row, the count included.
    exclude
        whether two sites (indices) exclude each other.
    parcels, capacity, cost, on_site, whole
        identifiers, int64[R] units and k€, int64[R] site whose land it is or −1.
    inside, outside
        sites held in and out.
    reach, weights
        sites × demand points and int64 weights ≥ 0, or ``None``.
    hiring
        jobs that workers fill besides, or ``None``.
    """

    sites: tuple[str, ...]
    site: Ints
    variant: tuple[str, ...]
    score: Ints
    count: int | None
    rows: tuple[AuditRow, ...]
    exclude: Callable[[int, int], bool]
    parcels: tuple[str, ...] = ()
    capacity: Ints = field(default_factory=_none)
    cost: Ints = field(default_factory=_none)
    on_site: Ints = field(default_factory=_none)
    whole: bool = False
    inside: Ints = field(default_factory=_none)
    outside: Ints = field(default_factory=_none)
    reach: csr_array | None = None
    weights: Ints = field(default_factory=_none)
    hiring: Hiring | None = None


def audit_row(
    name: Msg | str,
    columns: Ints,
    factors: Ints,
    lower: int | None,
    upper: int | None,
    parcels: Ints | None = None,
    parcel_factors: Ints | None = None,
) -> AuditRow:
    """A row put in order: indices ascending, zero factors left out."""
    one, two = _ordered(columns, factors)
    three, four = (_none(), _none())
    if parcels is not None and parcel_factors is not None:
        three, four = _ordered(parcels, parcel_factors)
    return AuditRow(name, one, two, lower, upper, three, four)


def _ordered(indices: Ints, factors: Ints) -> tuple[Ints, Ints]:
    indices, factors = np.asarray(indices, np.int64), np.asarray(factors, np.int64)
    order = np.argsort(indices, kind="stable")
    order = order[factors[order] != 0]
    return indices[order], factors[order]
