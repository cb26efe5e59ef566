"""No restoration goes with a choice of columns: a small tree of multipliers, or a listing.

With the columns decided, multipliers y prove that nothing satisfies the rows when
Σ y·side + Σ_r max over the parcel's range of −(yᵀB)_r is negative (Farkas). A parcel is split at
a number of units. Or prices of the ledgers are given, with which
:mod:`siteselect.verify.restoring` lists all that is worth looking at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siteselect.verify.proofmodel import AuditModel, AuditRow
from siteselect.verify.prooftree import BadProofError, pairs
from siteselect.verify.restoring import Task, TooManyError, affordable

Ints = NDArray[np.int64]


def impossible(
    model: AuditModel, chosen: Ints, proof: Mapping[str, Any], rows: Sequence[AuditRow]
) -> bool:
    """Whether the proof shows that no restoration goes with these columns."""
    left = [_left(row, chosen) for row in rows]
    if "prices" in proof:
        try:
            return not affordable(_task(model, chosen, proof, rows, left))
        except TooManyError:
            return False
    return _tree(model, proof.get("nodes", []), rows, left)


Sides = tuple[int | None, int | None]


def _left(row: AuditRow, chosen: Ints) -> Sides:
    """What the columns leave of both sides of a row."""
    used = sum(row.factors[np.isin(row.columns, chosen)].tolist())
    return (
        None if row.lower is None else row.lower - used,
        None if row.upper is None else row.upper - used,
    )


def _tree(
    model: AuditModel, nodes: Sequence[Mapping[str, Any]], rows: Sequence[AuditRow],
    left: Sequence[Sides],
) -> bool:  # fmt: skip
    top = model.capacity.tolist()
    waiting = [([0] * len(top), top)]
    for node in nodes:
        if not waiting:
            raise BadProofError("a parcel node hangs nowhere")
        low, high = waiting.pop()
        if "parcel" not in node:
            if _value(model, node, rows, left, low, high) >= 0:
                return False
            continue
        r, units = int(node["parcel"]), int(node["units"])
        less, more = list(high), list(low)
        less[r] = min(high[r], units)
        more[r] = max(low[r], model.capacity.tolist()[r] if model.whole else units + 1)
        if not 0 <= units < int(model.capacity[r]):
            raise BadProofError(f"parcel {r} split at {units}")
        if model.whole:
            less[r] = 0
        waiting += [(more, high), (low, less)]
    return not waiting and len(nodes) > 0


def _value(
    model: AuditModel, node: Mapping[str, Any], rows: Sequence[AuditRow], left: Sequence[Sides],
    low: Sequence[int], high: Sequence[int],
) -> int:  # fmt: skip
    """Negative: nothing between low and high satisfies the rows."""
    total = 0
    gain: dict[int, int] = {}
    for k, y in pairs(node, "rows", len(rows)):
        side = left[k][1] if y > 0 else left[k][0]
        if side is None:
            raise BadProofError(f"a multiplier {y} on the open side of a row")
        total += y * side
        for r, factor in zip(
            rows[k].parcels.tolist(), rows[k].parcel_factors.tolist(), strict=True
        ):
            gain[r] = gain.get(r, 0) - y * factor
    for r, value in gain.items():
        units = high[r] if value > 0 else low[r]
        total += -((-value * units) // int(model.capacity[r]))
    return total


def _task(
    model: AuditModel, chosen: Ints, proof: Mapping[str, Any], rows: Sequence[AuditRow],
    left: Sequence[Sides],
) -> Task:  # fmt: skip
    """The ledgers that need something, at the prices given, and the money left."""
    if not model.whole:
        raise BadProofError("prices are for whole parcels")
    built = np.isin(model.on_site, model.site[chosen]) & (model.on_site >= 0)
    members, need, prices = [], [], []
    for k, price in pairs(proof, "prices", len(rows)):
        row, upper = rows[k], left[k][1]
        if not np.array_equal(row.parcel_factors, -model.capacity[row.parcels]):
            raise BadProofError("a price for a row that is no ledger")
        if price < 0:
            raise BadProofError(f"a price {price} under zero")
        if upper is not None and upper < 0:
            inside = np.zeros(len(model.capacity), bool)
            inside[row.parcels] = True
            members.append(inside)
            need.append(-upper)
            prices.append(price)
    pays = proof["pays"]
    if not (isinstance(pays, int) and 0 <= pays < len(rows)):
        raise BadProofError(f"no row {pays!r} pays")
    money, row = left[pays][1], rows[pays]
    scale = proof["scale"]
    if money is None or not isinstance(scale, int) or scale <= 0 or not members:
        raise BadProofError("nothing to pay with, or nothing to restore")
    cost = np.zeros(len(model.capacity), np.int64)
    cost[row.parcels] = row.parcel_factors
    if np.any(cost < 0):
        raise BadProofError("a cost under zero")
    useful = np.logical_or.reduce(members) & ~built
    table = np.array(members)[:, useful]
    return Task(model.capacity[useful], cost[useful], table, need, money, prices, scale)
