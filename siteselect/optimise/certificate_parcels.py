"""Why no restoration goes with a choice of columns: a small tree of integer multipliers.

With the columns decided, what is left are the rows over parcels. Multipliers y prove at a node
that nothing satisfies them when Σ y·side + Σ_r max over the parcel's range of −(yᵀB)_r is
negative (Farkas); otherwise a parcel is split at a number of units. The linear programme, which
asks for the cheapest restoration, only proposes; Python integers decide. Whole parcels in ledgers
that are nested or apart may want too large a tree: then prices of the ledgers are handed on, with
which an auditor lists what is worth looking at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.optimise.lp import INFINITE, GrowingLp
from siteselect.optimise.model import Model
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

MOST_NODES = 5_000
FEW_NODES = 40
"""So many nodes are tried where the auditor can list the restorations instead."""
PRICE_SCALE = 2**16
TINY = 1e-6
SCALE = 2**24


@dataclass(frozen=True)
class ParcelNode:
    """Multipliers (row of the model, y) that close a node, or parcel r split at ``units``.

    The first child restores at most ``units`` of the parcel, the second more.
    """

    rows: tuple[tuple[int, int], ...] = ()
    parcel: int = -1
    units: int = 0


@dataclass(frozen=True)
class Listing:
    """Prices of ledgers (row of the model, price × scale) and the row that pays."""

    prices: tuple[tuple[int, int], ...]
    pays: int
    scale: int = PRICE_SCALE


@dataclass(frozen=True)
class Lemma:
    """No restoration goes with the choice: nodes in preorder, or prices to list them by."""

    nodes: tuple[ParcelNode, ...] = ()
    listing: Listing | None = None


@dataclass(frozen=True, eq=False)
class _System:
    """lower ≤ z-part ≤ upper for the rows that some restoration may break, columns decided."""

    rows: Ints
    z: csr_array
    lower: tuple[int | None, ...]
    upper: tuple[int | None, ...]
    capacity: Ints
    whole: bool


def impossible(
    model: Model, chosen: Ints, capacity: Ints, *, whole: bool, stop: Stop
) -> Lemma | None:
    """The proof that no restoration goes with ``chosen`` (columns of the model).

    ``capacity`` int64[R], units of each parcel of the model. ``None`` where there is a
    restoration, or where the proof would be too long.
    """
    system = _system(model, chosen, capacity, whole=whole)
    alone = _broken_alone(system)
    if alone is not None:
        return Lemma((ParcelNode(rows=(alone,)),))
    if not model.n_parcels or not len(system.rows):
        return None
    listing = _listing(system, stop) if whole else None
    nodes = _tree(system, stop, most=FEW_NODES if listing is not None else MOST_NODES)
    if nodes is not None:
        return Lemma(nodes)
    return None if listing is None else Lemma(listing=listing)


def _tree(system: _System, stop: Stop, *, most: int) -> tuple[ParcelNode, ...] | None:
    """Split parcels until multipliers close every node; ``None`` where that takes too many."""
    many = len(system.capacity)
    lp = _programme(system)
    lp.seconds_left = stop.seconds_left
    waiting = [(np.zeros(many, np.int64), system.capacity.copy())]
    nodes: list[ParcelNode] = []
    every = np.arange(many)
    while waiting:
        low, high = waiting.pop()
        if len(nodes) >= most or stop():
            return None
        lp.set_column_bounds(every, low / system.capacity, high / system.capacity)
        try:
            lp.solve()
        except OutOfTimeError:
            return None
        rows = _refuted(system, lp.dual, low, high)
        if rows is not None:
            nodes.append(ParcelNode(rows=rows))
            continue
        split = _split(system, lp.value[:many], low, high)
        if split is None:
            return None
        parcel, units = split
        nodes.append(ParcelNode(parcel=parcel, units=units))
        less, more = high.copy(), low.copy()
        less[parcel] = units
        more[parcel] = high[parcel] if system.whole else units + 1
        waiting += [(more, high), (low, less)]
    return tuple(nodes)


def _listing(system: _System, stop: Stop) -> Listing | None:
    """Prices of the ledgers, where one row pays and the ledgers are nested or apart."""
    dense = system.z.toarray()
    pays = [i for i, up in enumerate(system.upper) if up is not None and bool((dense[i] > 1).any())]
    needs = [
        i for i, up in enumerate(system.upper)
        if up is not None and up < 0 and not bool((dense[i] > 0).any())
    ]  # fmt: skip
    members = [dense[i] < 0 for i in needs]
    if not pays or not needs or not _laminar(members):
        return None
    pay = min(pays, key=lambda i: (system.upper[i], i))
    lp = GrowingLp()
    lp.seconds_left = stop.seconds_left
    many, empty = len(system.capacity), np.zeros(0, np.int64)
    # Parcels on chosen sites are left out: their own row says so.
    shut = np.zeros(many, bool)
    for i, up in enumerate(system.upper):
        if up == 0 and bool((dense[i] >= 0).all()):
            shut |= dense[i] > 0
    lp.add_columns(
        -np.maximum(dense[pay], 0).astype(np.float64), np.zeros(many), np.where(shut, 0.0, 1.0),
        np.zeros(many + 1, np.int64), empty, np.zeros(0),
    )  # fmt: skip
    largest = max(1, int(system.capacity.max()))
    row, column = np.nonzero(np.array(members))
    lp.add_rows(
        np.array([-(system.upper[i] or 0) for i in needs]) / largest,
        np.full(len(needs), INFINITE), np.searchsorted(row, np.arange(len(needs) + 1)), column,
        system.capacity[column] / largest,
    )  # fmt: skip
    try:
        lp.solve()
    except OutOfTimeError:
        return None
    price = np.maximum(0, np.rint(-lp.dual / largest * PRICE_SCALE)).astype(np.int64)
    rows = system.rows[needs].tolist()
    return Listing(tuple(zip(rows, price.tolist(), strict=True)), int(system.rows[pay]))


def _laminar(members: list[NDArray[np.bool_]]) -> bool:
    for i, first in enumerate(members):
        for second in members[:i]:
            both = int((first & second).sum())
            if both and both not in (int(first.sum()), int(second.sum())):
                return False
    return True


def _system(model: Model, chosen: Ints, capacity: Ints, *, whole: bool) -> _System:
    taken = np.asarray(model.x_columns[:, chosen].sum(axis=1)).ravel().astype(np.int64)
    most = np.asarray(model.z.maximum(0).sum(axis=1)).ravel() + taken
    least = np.asarray(model.z.minimum(0).sum(axis=1)).ravel() + taken
    over = (model.upper != NO_UPPER) & (most > model.upper)
    under = (model.lower != NO_LOWER) & (least < model.lower)
    rows = np.flatnonzero(over | under)
    low = [None if v == NO_LOWER else v - a for v, a in zip(
        model.lower[rows].tolist(), taken[rows].tolist(), strict=True)]  # fmt: skip
    high = [None if v == NO_UPPER else v - a for v, a in zip(
        model.upper[rows].tolist(), taken[rows].tolist(), strict=True)]  # fmt: skip
    return _System(rows, csr_array(model.z[rows]), tuple(low), tuple(high), capacity, whole)


def _broken_alone(system: _System) -> tuple[int, int] | None:
    """A row that every restoration breaks, with its multiplier."""
    most = np.asarray(system.z.maximum(0).sum(axis=1)).ravel().tolist()
    least = np.asarray(system.z.minimum(0).sum(axis=1)).ravel().tolist()
    for i, row in enumerate(system.rows.tolist()):
        low, high = system.lower[i], system.upper[i]
        if high is not None and least[i] > high:
            return row, 1
        if low is not None and most[i] < low:
            return row, -1
    return None


def _programme(system: _System) -> GrowingLp:
    """The cheapest restoration: what pays least into the rows that limit from above."""
    many = len(system.capacity)
    size = np.maximum(abs(system.z).max(axis=1).toarray().ravel(), 1).astype(np.float64)
    paid = np.zeros(many)
    coordinates = system.z.tocoo()
    share = coordinates.data / size[coordinates.row]
    limited = np.array([one is not None for one in system.upper])[coordinates.row]
    np.add.at(paid, coordinates.col, np.where((share > 0) & limited, share, 0.0))
    lp = GrowingLp()
    empty = np.zeros(0, np.int64)
    lp.add_columns(
        -paid, np.zeros(many), np.ones(many), np.zeros(many + 1, np.int64), empty, np.zeros(0)
    )
    low = np.array([-INFINITE if v is None else v for v in system.lower], dtype=float)
    high = np.array([INFINITE if v is None else v for v in system.upper], dtype=float)
    factors = system.z.data / np.repeat(size, np.diff(system.z.indptr))
    lp.add_rows(
        low / size, high / size, system.z.indptr.astype(np.int64),
        system.z.indices.astype(np.int64), factors,
    )  # fmt: skip
    return lp


def _refuted(
    system: _System, dual: NDArray[np.float64], low: Ints, high: Ints
) -> tuple[tuple[int, int], ...] | None:
    """Integer multipliers under which the rows cannot all hold, where the duals give them."""
    size = np.maximum(abs(system.z).max(axis=1).toarray().ravel(), 1).astype(np.float64)
    proposed = dual / size
    largest = float(np.abs(proposed).max(initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return None
    y = [round(value / largest * SCALE * SCALE) for value in proposed.tolist()]
    y = [
        0 if (v > 0 and up is None) or (v < 0 and down is None) else v
        for v, down, up in zip(y, system.lower, system.upper, strict=True)
    ]
    if farkas(system, y, low, high) >= 0:
        return None
    return tuple((row, v) for row, v in zip(system.rows.tolist(), y, strict=True) if v)


def farkas(system: _System, y: list[int], low: Ints, high: Ints) -> int:
    """Negative: no restoration within low … high units satisfies the rows."""
    total = 0
    for value, down, up in zip(y, system.lower, system.upper, strict=True):
        side = up if value > 0 else down
        if value and side is not None:
            total += value * side
    gain = [0] * len(system.capacity)
    z = system.z
    for i, value in enumerate(y):
        if value:
            own = slice(z.indptr[i], z.indptr[i + 1])
            for r, coefficient in zip(z.indices[own].tolist(), z.data[own].tolist(), strict=True):
                gain[r] -= value * coefficient
    for r, value in enumerate(gain):
        units = int(high[r] if value > 0 else low[r])
        total += -((-value * units) // int(system.capacity[r]))
    return total


def _split(
    system: _System, share: NDArray[np.float64], low: Ints, high: Ints
) -> tuple[int, int] | None:
    """The parcel restored most in part, and the units of the first child."""
    units = share * system.capacity
    part = (
        np.minimum(share, 1 - share)
        if system.whole
        else np.minimum(units - np.floor(units + TINY), np.ceil(units - TINY) - units)
    )
    part = np.where(high > low, part, 0.0)
    parcel = int(np.argmax(part))
    if part[parcel] <= TINY:
        return None
    return parcel, 0 if system.whole else int(np.floor(units[parcel]))
