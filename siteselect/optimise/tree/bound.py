"""The bound of a node in whole numbers, and what it fixes.

The multipliers of the programme, rounded to multiples of 1/scale, are summed up in 64-bit integers
whose range is proven before; :mod:`siteselect.optimise.bound` says why any multipliers will do.
"""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import lean_inner
from siteselect.optimise.tree.basis import COLUMNS, ROWS
from siteselect.optimise.tree.state import (
    BASE,
    CAP,
    CONSTANT,
    COVER,
    FLOOR,
    FREE,
    IMPLICIT,
    INSIDE,
    KIND,
    LOWER,
    OUTSIDE,
    SCALE,
    SCALED,
    SPREAD,
    UNIT,
    UPPER,
    Tree,
)
from siteselect.problem import NO_LOWER, NO_UPPER

RANGE_BITS, MOST_BITS = 60, 30
NOTHING = -(2**62)
"""The bound of a node that holds no portfolio."""


@lean_inner
def _scale(t: Tree) -> int:
    """The largest power of two that keeps every sum of :func:`bounded` in range; 0 where none."""
    room, unit = t.lp.first.size, t.real[UNIT]
    largest, total = t.real[BASE], t.real[SPREAD]
    for i in range(t.lp.size[ROWS]):
        if t.rows[i, KIND] == IMPLICIT:
            continue
        y = abs(t.lp.reduced[room + i] * unit / t.scale[i]) + 1.0
        side = 0.0
        if t.rows[i, UPPER] != NO_UPPER:
            side = abs(float(t.rows[i, UPPER]))
        if t.rows[i, LOWER] != NO_LOWER:
            side = max(side, abs(float(t.rows[i, LOWER])))
        largest += y * t.scale[i]
        total += y * side
    total += largest * (t.state.size + t.parcel.size + 1)
    if not np.isfinite(total):
        return 0
    bits = RANGE_BITS - int(np.ceil(np.log2(total)))
    return 1 << min(MOST_BITS, bits) if bits >= 0 else 0


@lean_inner
def _priced(t: Tree, scale: int) -> int:
    """Values of columns and parcels less what they use of the rows; what the rows are worth.

    Multipliers of nothing where ``scale`` is 0: they always hold.
    """
    lp, room, many = t.lp, t.lp.first.size, t.site.size
    for j in range(many):
        t.reduced[j] = t.gain[j] * max(1, scale)
    for r in range(t.parcel.size):
        t.reduced[many + r] = t.parcel[r] * max(1, scale)
    t.reduced[many + t.parcel.size : lp.size[COLUMNS]] = 0
    total = t.now[CONSTANT] * max(1, scale)
    for i in range(lp.size[ROWS]):
        kind, upper, lower = t.rows[i, KIND], t.rows[i, UPPER], t.rows[i, LOWER]
        if scale == 0 or kind == IMPLICIT:
            continue
        y = int(np.rint(-lp.reduced[room + i] * t.real[UNIT] / t.scale[i] * scale))
        if kind == COVER:
            y = min(y, t.rows[i, CAP] * scale)
        if y == 0 or (y > 0 and upper == NO_UPPER) or (y < 0 and lower == NO_LOWER):
            # A multiplier without the side it would stand on is worth nothing.
            continue
        total += y * (upper if y > 0 else lower)
        for e in range(t.begin[i], t.begin[i + 1]):
            t.reduced[t.member[e]] -= y * t.factor[e]
    for r in range(t.parcel.size):
        total += max(0, t.reduced[many + r])
    return int(total)


@lean_inner
def bounded(t: Tree) -> int:
    """No portfolio of the node is worth more; ``NOTHING`` where a site to choose has no column.

    Fills ``SCALED`` and ``SCALE``, ``reduced`` and the ``value`` of each site.
    """
    scale = _scale(t)
    total = _priced(t, scale)
    for s in range(t.state.size):
        best = NOTHING
        if t.state[s] != OUTSIDE:
            for j in range(t.start[s], t.start[s + 1]):
                if not t.shut[j]:
                    best = max(best, t.reduced[j])
            if t.state[s] == INSIDE and best == NOTHING:
                return NOTHING
        t.value[s] = best if t.state[s] == INSIDE else max(0, best)
        total += t.value[s]
    t.now[SCALED], t.now[SCALE] = total, max(1, scale)
    return int(total // t.now[SCALE])


@lean_inner
def fixed(t: Tree) -> bool:
    """Fix what the bound cannot afford; whether no portfolio is left in the node."""
    room = t.now[SCALED] - t.now[FLOOR] * t.now[SCALE]
    for s in range(t.state.size):
        if t.state[s] == OUTSIDE:
            continue
        left = 0
        for j in range(t.start[s], t.start[s + 1]):
            if not t.shut[j]:
                t.shut[j] = t.value[s] - t.reduced[j] > room
                left += not t.shut[j]
        if t.state[s] == FREE and t.value[s] > room:
            t.state[s] = INSIDE
        if left == 0:
            if t.state[s] == INSIDE:
                return True
            t.state[s] = OUTSIDE
    return _excluded(t)


@lean_inner
def _excluded(t: Tree) -> bool:
    """Sites in conflict with one that is in are out; whether two of them are in."""
    if t.conflict.shape[0] == 0:
        return False
    for s in range(t.state.size):
        if t.state[s] == INSIDE:
            for other in range(t.state.size):
                if t.conflict[s, other]:
                    if t.state[other] == INSIDE:
                        return True
                    t.state[other] = OUTSIDE
    return False
