"""The exact bound: integer multipliers, evaluated in integer arithmetic.

For **any** multipliers y (sign according to the side of the row), UB = Σ b·y + Σ_i μ_i +
Σ_s max(0, max_m rc_sm) + Σ_r max(0, rc_r) is at least the value of every feasible portfolio, where
rc = c − Aᵀy, and for a demand point of weight w any 0 ≤ μ ≤ w gives w·min(1, X) ≤ (w − μ) X + μ.
The floating-point solver only proposes y and μ; they are rounded to multiples of 1/scale and all
that follows is exact: 64-bit where the range is proven, Python integers where sums may grow.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.optimise.model import INSIDE, OUTSIDE, Model
from siteselect.optimise.rounding import Rounding, largest_coefficients
from siteselect.optimise.workers import Hall
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

RANGE_BITS = 58
NEVER = np.int64(2) ** 62
"""Penalty of what is fixed already: larger than any gap."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A row made during the search: Σ of the columns ≤ upper; ``implicit`` where the bound
    knows it already (one variant a site).
    """

    columns: Ints
    upper: int
    implicit: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of a model, taken out once for many bounds: when they are first asked for."""

    model: Model
    rows: Ints

    @cached_property
    def x(self) -> csr_array:
        """int64 CSR, rows × J."""
        return csr_array(self.model.x[self.rows])

    @cached_property
    def z(self) -> csr_array:
        """int64 CSR, rows × R."""
        return csr_array(self.model.z[self.rows])

    @cached_property
    def lower(self) -> Ints:
        """int64[rows]."""
        return self.model.lower[self.rows]

    @cached_property
    def upper(self) -> Ints:
        """int64[rows]."""
        return self.model.upper[self.rows]

    @cached_property
    def largest(self) -> NDArray[np.float64]:
        """float[rows], the largest coefficient of each."""
        return np.maximum(largest_coefficients(self.x), largest_coefficients(self.z))

    @cached_property
    def columns(self) -> csr_array:
        """The rows of x by column: int64 CSR, J × rows."""
        return csr_array(self.x.T)

    @cached_property
    def parcels(self) -> csr_array:
        """The rows of z by parcel: int64 CSR, R × rows."""
        return csr_array(self.z.T)


@dataclass(frozen=True, eq=False)
class Multipliers:
    """What the linear programme proposes, in units of the objective.

    ``block`` holds rows of the model, ``y`` the dual of each; ``cuts`` and ``cut_y``;
    ``demand`` indexes demand points with the dual ``mu`` of their over-coverage; ``halls`` are
    rows of workers with the dual ``hall_y`` of each, ``rounded`` rows that only whole choices
    respect with ``rounded_y``.
    """

    block: Block
    y: NDArray[np.float64]
    cuts: tuple[Cut, ...]
    cut_y: NDArray[np.float64]
    demand: Ints
    mu: NDArray[np.float64]
    halls: tuple[Hall, ...] = ()
    hall_y: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    rounded: tuple[Rounding, ...] = ()
    rounded_y: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def to_keep(self) -> Multipliers:
        """The same without the rows that were taken out for them: many may be kept."""
        return dataclasses.replace(self, block=Block(self.block.model, self.block.rows))

    def prices(self, model: Model) -> NDArray[np.float64] | None:
        """float[demand], μ of every point; ``None`` without coverage."""
        if model.reach is None:
            return None
        prices = np.zeros(len(model.weights))
        prices[self.demand] = self.mu
        return prices


@dataclass(frozen=True, eq=False)
class Bound:
    """An upper bound that holds exactly, and what it costs to go against it.

    ``scaled`` is ``scale`` × the bound. ``column_penalty`` int64[J] is what the bound loses when
    the column is chosen, ``site_penalty`` int64[S] when the site is left out, both × scale.
    """

    scaled: int
    scale: int
    column_penalty: Ints
    site_penalty: Ints

    @property
    def value(self) -> int:
        """The bound: no feasible portfolio is worth more than this integer."""
        return self.scaled // self.scale


def exact_sum(values: Ints) -> int:
    """The sum of int64 values as a Python integer, without overflow."""
    high = int((values >> 31).sum())
    low = int((values & (2**31 - 1)).sum())
    return (high << 31) + low


def _scale(largest: float) -> int:
    """The largest power of two for which every 64-bit intermediate stays in range."""
    bits = math.ceil(math.log2(largest))
    return int(2 ** max(0, min(30, RANGE_BITS - bits)))


def _largest(model: Model, given: Multipliers) -> float:
    """No intermediate exceeds this, at scale 1; infinite where a multiplier is no number."""
    largest = float(np.abs(model.score).max(initial=1)) + float(model.weights.sum())
    largest += float(np.abs(model.parcels_alone()).max(initial=0))
    largest += float(np.abs(given.y) @ given.block.largest)
    if model.flow is not None:
        jobs = float(model.flow.jobs.max(initial=0))
        largest += 2 * model.flow.value * jobs + float(given.hall_y.sum()) * (1 + jobs)
    largest += sum(
        row.largest * (1 + abs(y)) for row, y in zip(given.rounded, given.rounded_y, strict=True)
    )
    largest += float(np.abs(given.cut_y).sum()) + len(given.y) + len(given.cuts) + 1
    return largest if math.isfinite(largest) else math.inf


def exact_bound(
    model: Model, given: Multipliers, state: NDArray[np.int8], shut: NDArray[np.bool_]
) -> Bound:
    """The bound for the sites fixed by ``state`` and the columns ``shut``."""
    largest = _largest(model, given)
    if largest >= 2**RANGE_BITS:
        # A programme stopped early may propose anything; multipliers of zero always hold.
        given = dataclasses.replace(
            given,
            y=0 * given.block.largest,
            cut_y=np.zeros(len(given.cuts)),
            mu=np.zeros(len(given.demand)),
            hall_y=np.zeros(len(given.halls)),
            rounded_y=np.zeros(len(given.rounded)),
        )
        largest = _largest(model, given)
    scale = _scale(largest)
    block = given.block
    y = _signed(np.rint(given.y * scale).astype(np.int64), block)
    reduced = model.score * scale - block.columns @ y
    upper, lower = block.upper, block.lower
    total = 0
    for value, low, high in zip(y.tolist(), lower.tolist(), upper.tolist(), strict=True):
        total += value * high if value > 0 else value * low if value < 0 else 0
    for cut, dual in zip(given.cuts, given.cut_y.tolist(), strict=True):
        value = max(0, round(dual * scale))
        if value and not cut.implicit:
            reduced[cut.columns] -= value
            total += value * cut.upper
    if model.reach is not None:
        weight = model.weights * scale
        mu = np.clip(np.rint(given.mu * scale).astype(np.int64), 0, weight[given.demand])
        weight[given.demand] -= mu
        reduced += (model.reach @ weight)[model.site]
        total += exact_sum(mu)
    if model.flow is not None:
        worker = np.full(model.n_sites, model.flow.value * scale)
        for hall, dual in zip(given.halls, given.hall_y.tolist(), strict=True):
            price = max(0, round(dual * scale))
            worker[hall.sites] -= price
            reduced[hall.columns] += price * hall.outside
            total += price * hall.workers
        reduced += model.flow.jobs * np.maximum(worker, 0)[model.site]
    restored = model.parcels_alone() * scale - block.parcels @ y
    for row, dual in zip(given.rounded, given.rounded_y.tolist(), strict=True):
        value = max(0, round(dual * scale))
        if value:
            reduced[row.columns] -= value * row.factor
            restored[row.parcels] -= value * row.parcel_factor
            total += value * row.upper
    if model.n_parcels:
        total += exact_sum(np.maximum(restored, 0))
    return _close(model, reduced, total, scale, state, shut)


def _signed(y: Ints, block: Block) -> Ints:
    """A multiplier without the bound it would stand on is worth nothing."""
    y = np.where((y > 0) & (block.upper == NO_UPPER), 0, y)
    return np.where((y < 0) & (block.lower == NO_LOWER), 0, y)


def _close(
    model: Model, reduced: Ints, total: int, scale: int, state: NDArray[np.int8],
    shut: NDArray[np.bool_],
) -> Bound:  # fmt: skip
    """Best variant of every site, and the penalties."""
    lowest = np.int64(-(2**61))
    reduced = np.where(shut, lowest, reduced)
    best = np.full(model.n_sites, lowest)
    with_columns = np.flatnonzero(np.diff(model.start) > 0)
    if len(with_columns):
        best[with_columns] = np.maximum.reduceat(reduced, model.start[with_columns])
    inside = state == INSIDE
    if np.any(best[inside] == lowest):
        # A site fixed in has no column left: nothing is feasible, any bound holds.
        never = np.full(model.n_columns, NEVER)
        return Bound(-(2**80), 1, never, np.full(model.n_sites, NEVER))
    value = np.where(inside, best, np.where(state == OUTSIDE, 0, np.maximum(best, 0)))
    total += exact_sum(value)
    penalty = value[model.site] - reduced
    penalty[shut | (state[model.site] == OUTSIDE)] = NEVER
    out = np.where(inside, NEVER, value)
    return Bound(total, scale, penalty, out)
