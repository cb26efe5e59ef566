"""Rows that whole choices respect and fractions do not, derived again from what a proof names.

A sum of rows with whole weights reads Σ a x + Σ d z + Σ c σ = b, where x are columns (0 or 1), z
parcels (0 to 1) and σ ≥ 0 what a row leaves free on the side that is named. With some x and z
replaced by 1 − x and 1 − z, mixed-integer rounding (Nemhauser and Wolsey 1990; Marchand and Wolsey
2001) to any δ > 0, with r0 = b mod δ and r = a mod δ, gives for every whole choice

    Σ (⌊a/δ⌋ (δ − r0) + max(0, r − r0)) x ≤ ⌊b/δ⌋ (δ − r0) + Σ max(0, −d) z + Σ max(0, −c) σ.

σ is then written out again, and the row divided by a whole number: factors down, the side up, which
holds because x and z are not negative. Nothing is taken from the proof but weights, δ, and which
columns and parcels are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from siteselect.verify.proofmodel import Ints
from siteselect.verify.prooftree import (
    LARGEST,
    BadProofError,
    Given,
    Part,
    WholeRow,
    pairs,
    whole_number,
)

GROWTH = 4.0
"""Sums grow by so much more than their terms when x and z are replaced and written out again."""


@dataclass(frozen=True, eq=False)
class _Term:
    """weight × (factors·x + parcel factors·z), the side it stands on, and whether that is above."""

    weight: int
    x: Ints
    z: Ints
    side: int
    above: bool

    @property
    def unmet(self) -> int:
        """How often the freedom σ of the row counts against the sum."""
        return max(0, -self.weight if self.above else self.weight)


def whole_rows(
    listed: Sequence[Mapping[str, Any]], part: Part, given: Given, high: Ints, high_parcels: Ints
) -> list[WholeRow]:
    """The rows of a proof; each may use those before it.

    ``high`` and ``high_parcels`` give for each index of the proof that of the model.

    Raises
    ------
    BadProofError
        A weight, divisor or index is none, or sums would not fit into 64 bits.
    """
    made: list[WholeRow] = []
    place = np.full(int(max(part.column.max(initial=-1), high.max(initial=-1))) + 1, -1, np.int64)
    place[part.column] = np.arange(len(part.column))
    for one in listed:
        terms = [*_terms(one, part, given), *_earlier(one, made)]
        columns = place[high[_indices(one, "high", len(high))]]
        parcels = high_parcels[_indices(one, "high_parcels", len(high_parcels))]
        if np.any(columns < 0):
            raise BadProofError("a column that is not left is replaced")
        made.append(_rounded(one, part, terms, np.unique(columns), np.unique(parcels)))
    return made


def _terms(one: Mapping[str, Any], part: Part, given: Given) -> list[_Term]:
    """Rows on either side, cliques and lemmas over the columns of the part."""
    made: list[_Term] = []
    none = np.zeros(part.z.shape[1], np.int64)
    for name, above in (("rows", True), ("rows_below", False)):
        for k, weight in pairs(one, name, len(given.rows)):
            side = given.rows[k].upper if above else given.rows[k].lower
            if side is None:
                raise BadProofError(f"the row {given.rows[k].name} has no such side")
            x = np.asarray(part.x[[k]].toarray(), np.int64)[0]
            z = np.asarray(part.z[[k]].toarray(), np.int64)[0]
            made.append(_Term(weight, x, z, side, above))
    for k, weight in pairs(one, "cliques", len(given.cliques)):
        x = np.isin(part.site, given.cliques[k]).astype(np.int64)
        made.append(_Term(weight, x, none, 1, True))
    for k, weight in pairs(one, "lemmas", len(given.lemmas)):
        x = np.isin(part.column, given.lemmas[k]).astype(np.int64)
        made.append(_Term(weight, x, none, len(given.lemmas[k]) - 1, True))
    return made


def _earlier(one: Mapping[str, Any], made: Sequence[WholeRow]) -> list[_Term]:
    return [
        _Term(weight, made[k].x, made[k].z, made[k].upper, True)
        for k, weight in pairs(one, "roundings", len(made))
    ]


def _indices(one: Mapping[str, Any], name: str, many: int) -> Ints:
    found = [whole_number(i, name) for i in one.get(name, [])]
    if any(not 0 <= i < many for i in found):
        raise BadProofError(f"{name}: no such number")
    return np.array(found, np.int64)


def _rounded(
    one: Mapping[str, Any], part: Part, terms: Sequence[_Term], high: Ints, high_z: Ints
) -> WholeRow:
    divisor, by = whole_number(one.get("divisor"), "divisor"), whole_number(one.get("by"), "by")
    if divisor <= 0 or by <= 0:
        raise BadProofError(f"divisor {divisor}, {by}")
    _fits(terms, divisor)
    a, d = np.zeros(len(part.column), np.int64), np.zeros(part.z.shape[1], np.int64)
    b = 0
    for term in terms:
        a += term.weight * term.x
        d += term.weight * term.z
        b += term.weight * term.side
    b -= int(a[high].sum())
    b -= int(d[high_z].sum())
    a[high] *= -1
    d[high_z] *= -1
    over = b % divisor
    times, left = np.divmod(a, divisor)
    x = times * (divisor - over) + np.maximum(left - over, 0)
    z = -np.maximum(-d, 0)
    upper = (b // divisor) * (divisor - over)
    upper -= int(x[high].sum()) + int(z[high_z].sum())
    x[high] *= -1
    z[high_z] *= -1
    for term in terms:
        # σ = side − row read as its upper side, row − side read as its lower one.
        back = term.unmet if term.above else -term.unmet
        x += back * term.x
        z += back * term.z
        upper += back * term.side
    return WholeRow(x // by, z // by, -(-upper // by))


def _fits(terms: Sequence[_Term], divisor: int) -> None:
    """Whether 64 bits hold all that follows, with the sums over columns and parcels."""
    size = float(divisor)
    for term in terms:
        row = float(np.abs(term.x).sum()) + float(np.abs(term.z).sum()) + abs(term.side)
        size += abs(term.weight) * row
    if GROWTH * size >= LARGEST:
        raise BadProofError("numbers too large")
