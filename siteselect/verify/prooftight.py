"""A requirement said more tightly, each step of it checked: the same portfolios respect both.

Of a row Σ a·x − Σ d·z ≤ b with a, d ≥ 0 and z ≥ 0, let the columns of all sites but s charge at
most U < b. Taking δ ≤ b − U off b and off what the columns of s charge (none under 0) changes
nothing for whole choices: without s the row cannot be broken before or after, with s the same
land is missing. Where one column of the row at most may be chosen, all of them count as one site
and U = 0. Columns that are never chosen charge nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from siteselect.verify.proofmodel import AuditRow, audit_row
from siteselect.verify.prooftree import BadProofError

Ints = NDArray[np.int64]
EVERY = -1
"""In the place of a site: all columns of the row, of which one at most is chosen."""


def tighter(
    row: AuditRow,
    limit: AuditRow,
    steps: Sequence[tuple[int, int]],
    site: Ints,
    never: NDArray[np.bool_],
) -> AuditRow:
    """The row after steps (site or :data:`EVERY`, δ).

    ``limit`` counts columns, those of the row among them; ``site`` int64[J] and ``never`` bool[J]
    are of the model.

    Raises
    ------
    BadProofError
        The row is no cap, the limit does not hold its columns, or a step takes too much.
    """
    if row.lower is not None or row.upper is None or np.any(row.factors < 0):
        raise BadProofError(f"the row {row.name} is no cap")
    if np.any(row.parcel_factors > 0):
        raise BadProofError(f"restoration does not ease the row {row.name}")
    charge = np.where(never[row.columns], 0, row.factors)
    many = _most(limit, row.columns[charge > 0])
    cap, of = int(row.upper), site[row.columns]
    for place, spare in steps:
        own = np.ones(len(of), bool) if place == EVERY else of == place
        free = cap - _others(charge[~own], of[~own], many)
        if (place == EVERY and many > 1) or not 0 <= spare <= free:
            raise BadProofError(f"a step of {spare} in the row {row.name}, {free} to spare")
        charge[own] = np.maximum(charge[own] - spare, 0)
        cap -= spare
    return audit_row(row.name, row.columns, charge, None, cap, row.parcels, row.parcel_factors)


def _most(limit: AuditRow, columns: Ints) -> int:
    """How many of these columns may be chosen."""
    counts = limit.upper is not None and not len(limit.parcels) and np.all(limit.factors == 1)
    if not counts or limit.upper is None or not np.all(np.isin(columns, limit.columns)):
        raise BadProofError(f"the row {limit.name} does not limit the columns")
    return max(0, limit.upper)


def _others(charge: Ints, of: Ints, many: int) -> int:
    """The most that so many sites can charge, one column each."""
    largest: dict[int, int] = {}
    for one, units in zip(of.tolist(), charge.tolist(), strict=True):
        largest[one] = max(largest.get(one, 0), units)
    return sum(sorted(largest.values(), reverse=True)[:many])
