"""Rows made tighter, step by step: each step keeps exactly the same portfolios.

Where a row Σ a x − Σ d z ≤ b cannot be broken without a site (the others, as many as another row
lets be chosen, charge at most U < b), the site may charge δ ≤ b − U less and the cap falls by δ:
without the site the row still holds, with it the same land is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from siteselect.verify.proofmodel import AuditRow, audit_row
from siteselect.verify.prooftree import BadProofError

Ints = NDArray[np.int64]


def tighter(
    row: AuditRow,
    limit: AuditRow,
    steps: Sequence[tuple[int, int]],
    site: Ints,
    never: NDArray[np.bool_],
) -> AuditRow:
    """The row after the steps (site, δ); site −1 stands for all columns of the row.

    ``limit`` says how many of its columns may be chosen, ``site`` int64[J] is the site of every
    column, ``never`` bool[J] the columns that are ruled out.

    Raises
    ------
    BadProofError
        A step is not justified.
    """
    if np.any(row.factors < 0) or np.any(row.parcel_factors > 0) or row.upper is None:
        raise BadProofError(f"the row {row.name} cannot be made tighter")
    many = _most(row, limit)
    charge, cap = np.where(never[row.columns], 0, row.factors), int(row.upper)
    own_site = site[row.columns]
    for one, spare in steps:
        own = own_site == one if one >= 0 else np.ones(len(charge), bool)
        others = _largest(charge, own_site, own, many) if one >= 0 else 0
        if (one < 0 and many > 1) or not 0 < spare <= cap - others:
            raise BadProofError(f"the row {row.name} is made too tight")
        charge = np.where(own, np.maximum(charge - spare, 0), charge)
        cap -= spare
    return audit_row(row.name, row.columns, charge, None, cap, row.parcels, row.parcel_factors)


def _most(row: AuditRow, limit: AuditRow) -> int:
    """How many of the columns of a row another row lets be chosen."""
    counts = bool(np.all(limit.factors == 1)) and not len(limit.parcels)
    if not counts or limit.upper is None or not np.all(np.isin(row.columns, limit.columns)):
        raise BadProofError(f"nothing limits how many sites count in the row {row.name}")
    return limit.upper


def _largest(charge: Ints, site: Ints, own: NDArray[np.bool_], many: int) -> int:
    """The most that ``many`` other sites charge, each once."""
    largest: dict[int, int] = {}
    for one, value in zip(site[~own].tolist(), charge[~own].tolist(), strict=True):
        largest[one] = max(largest.get(one, 0), value)
    return sum(sorted(largest.values(), reverse=True)[: max(many, 0)])
