"""Rows that whole choices respect and fractions do not: mixed-integer rounding, exactly.

Any sum of rows with whole multipliers, brought to the form Σ a x + Σ d z + Σ c σ ≤ b (x whole, z
and the slacks σ not negative), gives for every δ > 0, with r0 = b mod δ and r = a mod δ,

    Σ (⌊a/δ⌋ (δ − r0) + max(0, r − r0)) x ≤ ⌊b/δ⌋ (δ − r0) + Σ max(0, −d) z + Σ max(0, −c) σ

(Marchand and Wolsey 2001, "Aggregation and mixed integer rounding to solve MIPs"), also with some
x and z replaced by 1 − x and 1 − z. The multipliers are those of the simplex tableau, rounded: what
the linear programme says only proposes them, the row is derived in whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SUM_BITS, FACTOR_BITS = 44, 20
"""Sums of rows stay under 2^44, the factors of a row that is kept under 2^20."""
MOST_DIVISORS, MOST_ROWS = 12, 12
LEAST_FRACTION = 0.02
"""A remainder this near to nothing or to the divisor rounds nothing off."""
WORTH = 1e-4
"""A row must be violated by this much of its length."""
PARALLEL = 0.95


@dataclass(frozen=True, eq=False)
class Derivation:
    """How a row of whole choices follows from others: all that is needed to derive it again.

    ``rows`` are what the programme knows of each row that is summed, int64 ``weights`` of them,
    ``above`` whether a row is read as its upper side; ``high`` and ``high_parcels`` index the
    columns and parcels replaced by 1 − themselves. The sum is rounded to ``divisor``, the row then
    divided by ``by``.
    """

    rows: tuple[Any, ...]
    weights: Ints
    above: Bools
    high: Ints
    high_parcels: Ints
    divisor: int
    by: int


@dataclass(frozen=True, eq=False)
class Rounding:
    """Σ factor x + Σ parcel factor z ≤ upper over columns and parcels of a model (ascending).

    ``why`` is told over the columns where the row was derived; ``None`` where it is used elsewhere.
    """

    columns: Ints
    factor: Ints
    parcels: Ints
    parcel_factor: Ints
    upper: int
    why: Derivation | None

    def among(self, columns: Ints) -> Rounding | None:
        """The row over some of the columns (ascending), renumbered; ``None``: nothing is left."""
        kept = np.isin(self.columns, columns)
        if not kept.any():
            return None
        spot = np.searchsorted(columns, self.columns)
        return Rounding(
            spot[kept], self.factor[kept], self.parcels, self.parcel_factor, self.upper, None
        )

    @cached_property
    def largest(self) -> int:
        """The largest factor, at least 1."""
        factors = np.concatenate([self.factor, self.parcel_factor])
        return int(np.abs(factors).max(initial=1))


@dataclass(frozen=True, eq=False)
class Held:
    """Rows of a programme: int64 CSR n × J and n × R, their sides int64[n], and whatever the
    programme knows each of them by.
    """

    x: csr_array
    z: csr_array
    lower: Ints
    upper: Ints
    known_by: tuple[Any, ...]

    def sides(self, x: Floats, z: Floats) -> tuple[Bools, Ints, Floats]:
        """For each row whether it is read as its upper side, that side, and its slack."""
        activity = self.x @ x + self.z @ z
        over = np.where(self.upper == NO_UPPER, np.inf, self.upper - activity)
        under = np.where(self.lower == NO_LOWER, np.inf, activity - self.lower)
        above = over <= under
        side = np.where(above, self.upper, self.lower)
        return above, side, np.maximum(0.0, np.where(above, over, under))

    def whole(self, multipliers: Floats) -> Ints:
        """int64[k, n]: multipliers (float[k, n]) as whole numbers whose sums of rows stay small."""
        largest = np.maximum(largest_coefficients(self.x), largest_coefficients(self.z))
        top = (np.abs(multipliers) * largest).max(axis=1, initial=0.0)
        fine = np.isfinite(top) & (top > 0)
        scale = 2.0**SUM_BITS / (top[fine] * len(largest))
        whole: Ints = np.rint(multipliers[fine] * scale[:, None]).astype(np.int64)
        return whole


def largest_coefficients(matrix: csr_array) -> Floats:
    """float[rows], the largest absolute coefficient of each row, at least 1."""
    if not matrix.nnz:
        return np.ones(matrix.shape[0])
    found = abs(matrix).max(axis=1).toarray().ravel().astype(np.float64)
    return np.maximum(found, 1.0)


def roundings(held: Held, multipliers: Floats, x: Floats, z: Floats) -> list[Rounding]:
    """Rows that x (float[J]) and z (float[R]) violate, from float[k, n] multipliers of the rows.

    The most violated first, none nearly parallel to one before.
    """
    once = held.whole(multipliers)
    weights = np.concatenate([once, -once])
    if not len(weights):
        return []
    above, side, slack = held.sides(x, z)
    sum_x, sum_z = (held.x.T @ weights.T).T, (held.z.T @ weights.T).T
    unmet = np.maximum(np.where(above, -weights, weights), 0)
    loose = unmet @ slack
    found: list[tuple[float, Rounding]] = []
    for i, b in enumerate((weights @ side).tolist()):
        base = _Sum(sum_x[i], sum_z[i], b, x, z)
        divisor = base.divisor(float(loose[i]))
        if divisor is None:
            continue
        factor, given, upper = base.rounded(divisor)
        back = np.where(above, unmet[i], -unmet[i])
        factor, given = factor + held.x.T @ back, given + held.z.T @ back
        made = _kept(factor, given, upper + int(back @ side), x, z)
        if made is not None:
            used = np.flatnonzero(weights[i])
            why = Derivation(
                tuple(held.known_by[k] for k in used.tolist()), weights[i][used], above[used],
                np.flatnonzero(base.high), np.flatnonzero(base.high_z), divisor, made.by,
            )  # fmt: skip
            found.append((made.violated, made.row(why)))
    found.sort(key=lambda one: -one[0])
    return _different([one for _, one in found], len(x), len(z))


class _Sum:
    """Σ a x + Σ d z ≤ b but for slacks; what is nearer to 1 than to 0 is replaced by 1 − itself."""

    def __init__(self, a: Ints, d: Ints, b: int, x: Floats, z: Floats) -> None:
        self.high, self.high_z = x > 0.5, z > 0.5
        self.b = b - int(a[self.high].sum()) - int(d[self.high_z].sum())
        self.a = np.where(self.high, -a, a)
        self.rest = np.maximum(np.where(self.high_z, d, -d), 0)
        self.near = np.where(self.high, 1 - x, x)
        self.near_z = np.where(self.high_z, 1 - z, z)

    def divisor(self, loose: float) -> int | None:
        """The divisor whose rounding is violated most; ``None`` where none is."""
        part = self.near > 1e-6
        divisors = np.unique(np.abs(self.a[part]))[::-1][:MOST_DIVISORS]
        divisors = divisors[divisors > 0]
        share = self.b % divisors / divisors
        divisors = divisors[(share > LEAST_FRACTION) & (share < 1 - LEAST_FRACTION)]
        if not len(divisors):
            return None
        factor, upper = self._factors(divisors)
        loose += float(self.rest @ self.near_z)
        length = np.sqrt((factor.astype(np.float64) ** 2).sum(axis=1)) + 1e-9
        violated = ((factor * self.near).sum(axis=1) - upper - loose) / length
        best = int(np.argmax(violated))
        return int(divisors[best]) if violated[best] > WORTH else None

    def rounded(self, divisor: int) -> tuple[Ints, Ints, int]:
        """The rounding to a divisor in x and z again: factors of each, and upper."""
        factors, uppers = self._factors(np.array([divisor]))
        own = factors[0]
        top = int(uppers[0]) - int(own[self.high].sum()) + int(self.rest[self.high_z].sum())
        return (
            np.where(self.high, -own, own), np.where(self.high_z, self.rest, -self.rest), top
        )  # fmt: skip

    def _factors(self, divisors: Ints) -> tuple[Ints, Ints]:
        """int64[k, J] factors after rounding to each divisor, int64[k] uppers."""
        over = self.b % divisors
        times, left = np.divmod(self.a, divisors[:, None])
        room = divisors - over
        factor = times * room[:, None] + np.maximum(left - over[:, None], 0)
        return factor, (self.b // divisors) * room


@dataclass(frozen=True, eq=False)
class _Kept:
    """A row with small factors, by how much of its length it is violated."""

    violated: float
    factor: Ints
    given: Ints
    upper: int
    by: int

    def row(self, why: Derivation) -> Rounding:
        columns, parcels = np.flatnonzero(self.factor), np.flatnonzero(self.given)
        return Rounding(
            columns, self.factor[columns], parcels, self.given[parcels], self.upper, why
        )


def _kept(factor: Ints, given: Ints, upper: int, x: Floats, z: Floats) -> _Kept | None:
    """The row with small factors (rounded down; x and z are not negative), if still violated."""
    largest = max(int(np.abs(factor).max(initial=0)), int(np.abs(given).max(initial=0)))
    by = max(1, -(-largest // 2**FACTOR_BITS))
    factor, given, upper = factor // by, given // by, -(-upper // by)
    squares = (factor.astype(np.float64) ** 2).sum() + (given.astype(np.float64) ** 2).sum()
    length = max(float(np.sqrt(squares)), 1.0)
    violated = float(factor @ x) + float(given @ z) - upper
    if violated <= WORTH * length:
        return None
    return _Kept(violated / length, factor, given, upper, by)


def _different(rows: list[Rounding], columns: int, parcels: int) -> list[Rounding]:
    kept: list[Rounding] = []
    ways: list[Floats] = []
    for one in rows:
        way = np.zeros(columns + parcels)
        way[one.columns], way[columns + one.parcels] = one.factor, one.parcel_factor
        way /= np.linalg.norm(way) + 1e-12
        if all(float(way @ other) < PARALLEL for other in ways):
            kept.append(one)
            ways.append(way)
        if len(kept) == MOST_ROWS:
            break
    return kept
