"""Compiled dual simplex on a programme in memory: solved again and again, from where it stands.

The search asks for thousands of programmes of some dozens of tight rows, each a few iterations from
the last: with the inverse at hand (:mod:`~siteselect.optimise.tree.basis`) one costs microseconds.

Bounded dual simplex with bound flipping and dual steepest edge (Koberstein 2005; the weights are
the norms of the rows of the inverse). The basis of logicals is dual feasible because every
structural variable has two finite bounds. What it says is only proposed: bounds are taken from its
multipliers in whole numbers elsewhere, so neither a status nor a tolerance here can make anything
wrong.
"""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import lean, lean_inner
from siteselect.optimise.tree.basis import (
    AT_HIGH,
    AT_LOW,
    COLUMNS,
    LIVE,
    OBJECTIVE,
    PIVOT,
    ROWS,
    SINCE,
    STEPS,
    TOUCHED,
    Floats,
    Programme,
    add_column_of,
    invert,
    refresh,
)

OPTIMAL, ENOUGH, EMPTY, LIMIT = range(4)
FEASIBLE, TIE, NOTHING, LEAST_NORM = 1e-9, 1e-12, 1e-13, 1e-6
AGREE = 1e-7
"""A pivot seen by row and by column must agree to this, or the inverse is made anew."""
STALLED, SHIFT, GOLDEN = 250, 1e-7, 0.6180339887498949
"""After so many steps reduced costs are moved by about so much, each by another amount."""
OFTEN = 100
"""The inverse is made anew after so many steps, after more where there are many rows."""


@lean_inner
def _leaving(lp: Programme) -> int:
    """The position furthest out of its bounds by the dual steepest edge, or −1."""
    best, at = 0.0, -1
    for p in range(lp.size[ROWS]):
        v, x = lp.basic[p], lp.value[p]
        out = max(lp.low[v] - x, x - lp.high[v])
        if out > FEASIBLE and out * out > best * lp.norm[p]:
            best, at = out * out / lp.norm[p], p
    return at


@lean_inner
def _price_row(lp: Programme, r: int) -> int:
    """``alpha`` = row r of the inverse times all columns, and ``touched``: first the logicals of
    tight rows; how many these are.
    """
    room, touched, listed, alpha = lp.first.size, lp.touched, lp.listed, lp.alpha
    for k in range(lp.size[TOUCHED]):
        alpha[touched[k]], listed[touched[k]] = 0.0, False
    many = 0
    for i in range(lp.size[ROWS]):
        if lp.place[room + i] < 0 and abs(lp.inverse[i, r]) > NOTHING:
            touched[many], alpha[room + i] = room + i, lp.inverse[i, r]
            many += 1
    rows = many
    if lp.basic[r] >= room:
        touched[rows], alpha[lp.basic[r]] = lp.basic[r], 1.0
        rows += 1
    entries, found = 0, rows
    for k in range(rows):
        i = touched[k] - room
        entries += lp.row_start[i + 1] - lp.row_start[i]
    if entries < lp.size[LIVE]:
        for k in range(rows):
            i = touched[k] - room
            for e in range(lp.row_start[i], lp.row_start[i + 1]):
                j = lp.entry_column[e]
                alpha[j] += alpha[room + i] * lp.entry[e]
                touched[found] = j
                found += not listed[j]
                listed[j] = True
    else:  # most columns, so that all are listed
        for k in range(rows):
            i = touched[k] - room
            _add_row_times(alpha[room + i], lp, lp.row_start[i], lp.row_start[i + 1])
        for k in range(lp.size[LIVE]):
            touched[found + k] = lp.live[k]
        found += lp.size[LIVE]
    lp.size[TOUCHED] = found
    return many


@lean_inner
def _add_row_times(factor: float, lp: Programme, first: int, after: int) -> None:
    """Add a multiple of a row, of entries first … after − 1, to ``alpha``."""
    alpha, column, entry = lp.alpha, lp.entry_column, lp.entry
    for e in range(first, after):
        alpha[column[e]] += factor * entry[e]


@lean_inner
def _candidates(lp: Programme, sign: float) -> int:
    """Variables whose reduced cost goes towards zero, listed; how many.

    Without branches: no processor would guess them.
    """
    found = 0
    for k in range(lp.size[TOUCHED]):
        v = lp.touched[k]
        p, a = lp.place[v], sign * lp.alpha[v]
        towards = ((p == AT_LOW) & (a > PIVOT)) | ((p == AT_HIGH) & (a < -PIVOT))
        lp.candidate[found] = v
        found += towards & (lp.low[v] < lp.high[v])
    return int(found)


@lean_inner
def _entering(lp: Programme, many: int, out: float) -> tuple[int, int, float]:
    """The variable that enters once others have flipped (the first so many of ``candidate``), or
    −1 where all may flip and the row stays out of its bounds by what is returned last.
    """
    candidate, ratio, alpha = lp.candidate, lp.ratio, lp.alpha
    for k in range(many):
        ratio[k] = abs(lp.reduced[candidate[k]] / alpha[candidate[k]])
    flipped, slope = 0, out
    while flipped < many:
        best, at = np.inf, -1
        for k in range(flipped, many):
            if ratio[k] < best - TIE or (
                ratio[k] <= best + TIE and at >= 0
                and abs(alpha[candidate[k]]) > abs(alpha[candidate[at]])
            ):  # fmt: skip
                best, at = min(best, ratio[k]), k
        v = candidate[at]
        less = abs(alpha[v]) * (lp.high[v] - lp.low[v])
        if slope - less <= FEASIBLE:
            return v, flipped, slope
        slope -= less
        candidate[at], ratio[at] = candidate[flipped], ratio[flipped]
        candidate[flipped] = v
        flipped += 1
    return -1, flipped, slope


@lean_inner
def _flip(lp: Programme, many: int) -> None:
    """Move variables to their other bounds."""
    m, room = lp.size[ROWS], lp.first.size
    load = lp.load
    for i in range(m):
        load[i] = 0.0
    for k in range(many):
        v = lp.candidate[k]
        by = lp.high[v] - lp.low[v]
        if lp.place[v] == AT_HIGH:
            by = -by
        lp.place[v] = AT_HIGH if lp.place[v] == AT_LOW else AT_LOW
        lp.real[OBJECTIVE] += lp.reduced[v] * by
        if v >= room:
            load[v - room] += by
            continue
        e = lp.first[v]
        while e >= 0:
            load[lp.entry_row[e]] += lp.entry[e] * by
            e = lp.following[e]
    for i in range(m):
        if load[i] != 0.0:
            add_column_of(lp, i, -load[i], lp.value)


@lean_inner
def _column(lp: Programme, v: int) -> None:
    """``column`` = the inverse times the column of a variable."""
    room, column = lp.first.size, lp.column
    for p in range(lp.size[ROWS]):
        column[p] = 0.0
    if v >= room:
        add_column_of(lp, v - room, 1.0, column)
        return
    e = lp.first[v]
    while e >= 0:
        add_column_of(lp, lp.entry_row[e], lp.entry[e], column)
        e = lp.following[e]


@lean_inner
def _swept(lp: Programme, own: Floats, factor: float, many: int) -> None:
    """Subtract a multiple of ``column`` from a column of the inverse, and keep the norms true.

    The column is listed: so many values in ``load``, their positions in ``some``.
    """
    some, value, norm = lp.some, lp.load, lp.norm
    for h in range(many):
        p, less = some[h], factor * value[h]
        was = own[p]
        own[p] = was - less
        norm[p] += less * (less - 2.0 * was)


@lean_inner
def _pivot(lp: Programme, r: int, v: int, side: int, many: int) -> None:
    """Variable v takes position r; what leaves stands at ``side``."""
    m, room, column, norm = lp.size[ROWS], lp.first.size, lp.column, lp.norm
    gone = lp.basic[r]
    goal = lp.low[gone] if side == AT_LOW else lp.high[gone]
    step = lp.reduced[v] / lp.alpha[v]
    by = (lp.value[r] - goal) / column[r]
    lp.real[OBJECTIVE] += by * lp.reduced[v]
    for k in range(lp.size[TOUCHED]):
        lp.reduced[lp.touched[k]] -= step * lp.alpha[lp.touched[k]]
    lp.reduced[v], lp.reduced[gone] = 0.0, -step
    start = lp.low[v] if lp.place[v] == AT_LOW else lp.high[v]
    pivot, was = 1.0 / column[r], norm[r]
    column[r] = 0.0  # the row of this position is divided, not subtracted
    filled = 0
    for p in range(m):
        lp.some[filled], lp.load[filled] = p, column[p]
        filled += abs(column[p]) > NOTHING
    for k in range(many):
        own = lp.inverse[lp.touched[k] - room]
        y = own[r] * pivot
        _swept(lp, own, y, filled)
        own[r] = y
    if gone >= room:
        _becomes_tight(lp, gone - room, r, pivot)
    for h in range(filled):
        p = lp.some[h]
        lp.value[p] -= by * lp.load[h]
        norm[p] = max(norm[p], LEAST_NORM)
    norm[r] = max(was * pivot * pivot, LEAST_NORM)
    lp.value[r] = start + by
    lp.place[v], lp.basic[r], lp.place[gone] = r, v, side
    lp.size[SINCE] += 1
    lp.size[STEPS] += 1


@lean_inner
def _becomes_tight(lp: Programme, i: int, r: int, pivot: float) -> None:
    """The column of row i, whose logical leaves position r, written out: it was a unit vector."""
    own, column = lp.inverse[i], lp.column
    for p in range(lp.size[ROWS]):
        y = -pivot * column[p]
        own[p] = y
        lp.norm[p] += y * y
    own[r] = pivot


@lean_inner
def _perturb(lp: Programme) -> None:
    """Move every reduced cost a little away from zero: ties end, and with them cycles."""
    room = lp.first.size
    for v in range(room + lp.size[ROWS]):
        if lp.place[v] < 0 and (v < lp.size[COLUMNS] or v >= room):
            by = SHIFT * (0.5 + (v * GOLDEN) % 1.0)
            lp.reduced[v] += by if lp.place[v] == AT_HIGH else -by


@lean
def solve(lp: Programme, limit: int, enough: float, early: bool) -> int:
    """Dual simplex from where it stands (after :func:`refresh`), at most so many steps.

    Returns OPTIMAL, ENOUGH (the objective fell to ``enough``), EMPTY (nothing is feasible: the
    multipliers are moved along the ray until the objective is under ``enough``) or LIMIT.
    """
    trust, moved = 0, False
    for step in range(limit):
        if step == STALLED:
            _perturb(lp)
            moved = True
        if lp.size[SINCE] >= max(OFTEN, lp.size[ROWS] // 2):
            invert(lp)
            refresh(lp)
        r = _leaving(lp)
        if r < 0:
            if not moved:
                return OPTIMAL
            refresh(lp)
            moved = False
            continue
        v = lp.basic[r]
        over = lp.value[r] > lp.high[v]
        sign = 1.0 if over else -1.0
        out = lp.value[r] - lp.high[v] if over else lp.low[v] - lp.value[r]
        many = _price_row(lp, r)
        entering, flips, slope = _entering(lp, _candidates(lp, sign), out)
        if entering < 0:
            far = (max(0.0, lp.real[OBJECTIVE] - enough) + 1.0) / max(slope, FEASIBLE)
            for k in range(lp.size[TOUCHED]):
                v = lp.touched[k]
                lp.reduced[v] += sign * far * lp.alpha[v]
            return EMPTY
        _column(lp, entering)
        if abs(lp.column[r] - lp.alpha[entering]) > AGREE * (1.0 + abs(lp.column[r])):
            trust += 1
            if trust > 3:
                return LIMIT
            invert(lp)
            refresh(lp)
            continue
        if flips:
            _flip(lp, flips)
        _pivot(lp, r, entering, AT_HIGH if over else AT_LOW, many)
        if early and lp.real[OBJECTIVE] <= enough:
            return ENOUGH
    return LIMIT
