"""A small linear programme, solved again and again: compiled dual simplex on an explicit inverse.

Maximise cost·x over low ≤ x ≤ high, where row i has the logical variable s_i = −(row activity)
with bounds of its own. The search asks for thousands of programmes of some dozens of tight rows,
each a few iterations from the last: kept whole in memory, one iteration costs microseconds.

Bounded dual simplex with bound flipping and dual steepest edge (Koberstein 2005; with the inverse
at hand the weights are the norms of its rows, exactly). The basis of logicals is dual feasible
because every structural variable has two finite bounds. What it says is only proposed: bounds are
taken from its multipliers in whole numbers elsewhere, so neither a status nor a tolerance here
can make anything wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.compiled import compiled, inner, lean, lean_inner, quick

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS, ROWS, ENTRIES, SINCE, STEPS, LIVE = range(6)
"""Places of the counts in ``Programme.size``: what is there, steps since the inverse was made anew,
steps in all."""
OBJECTIVE, CONSTANT = range(2)
AT_LOW, AT_HIGH = -1, -2
OPTIMAL, ENOUGH, EMPTY, LIMIT = range(4)
FEASIBLE, DUAL, PIVOT, TIE = 1e-9, 1e-9, 1e-7, 1e-12
AGREE = 1e-7
"""A pivot seen by row and by column must agree to this, or the inverse is made anew."""
STALLED, SHIFT, GOLDEN = 250, 1e-7, 0.6180339887498949
"""After so many steps reduced costs are moved by about so much, each by another amount."""
OFTEN = 100
"""The inverse is made anew after so many steps, after more where there are many rows."""


class Programme(NamedTuple):
    """Everything about a programme, in arrays with room to grow.

    Variables are the structural ones (0 … n − 1) and, after the room for these, the logical of each
    row. ``place`` is the position of a variable in the basis, or the bound where it stands;
    ``basic`` the variable at each position, ``value`` where it is. Entries are kept by row
    (``row_start``) and chained by column (``first``, ``following``). ``live`` lists the columns
    that the programme holds; others may stand at a bound, ``base`` is what they add to each row and
    ``real[CONSTANT]`` to the objective. The last eight arrays are scratch.
    """

    size: Ints
    real: Floats
    live: Ints
    base: Floats
    row_start: Ints
    entry_row: Ints
    entry_column: Ints
    entry: Floats
    following: Ints
    first: Ints
    cost: Floats
    low: Floats
    high: Floats
    place: Ints
    basic: Ints
    inverse: Floats
    norm: Floats
    value: Floats
    reduced: Floats
    alpha: Floats
    column: Floats
    load: Floats
    some: Ints
    candidate: Ints
    ratio: Floats


def empty(columns: int, rows: int, entries: int) -> Programme:
    """A programme with room for so much, and nothing in it."""
    every = columns + rows
    return Programme(
        size=np.zeros(6, np.int64),
        real=np.zeros(2),
        live=np.zeros(columns, np.int64),
        base=np.zeros(rows),
        row_start=np.zeros(rows + 1, np.int64),
        entry_row=np.zeros(entries, np.int64),
        entry_column=np.zeros(entries, np.int64),
        entry=np.zeros(entries),
        following=np.zeros(entries, np.int64),
        first=np.full(columns, -1, np.int64),
        cost=np.zeros(columns),
        low=np.zeros(every),
        high=np.zeros(every),
        place=np.full(every, AT_LOW, np.int64),
        basic=np.zeros(rows, np.int64),
        inverse=np.zeros((rows, rows)),
        norm=np.ones(rows),
        value=np.zeros(rows),
        reduced=np.zeros(every),
        alpha=np.zeros(every),
        column=np.zeros(rows),
        load=np.zeros(rows),
        some=np.zeros(rows, np.int64),
        candidate=np.zeros(every, np.int64),
        ratio=np.zeros(every),
    )


@lean
def add_column(lp: Programme, cost: float, low: float, high: float) -> int:
    """A structural variable that no row knows yet; its index."""
    j = lp.size[COLUMNS]
    lp.cost[j], lp.low[j], lp.high[j], lp.place[j], lp.first[j] = cost, low, high, AT_LOW, -1
    lp.size[COLUMNS] = j + 1
    lp.live[lp.size[LIVE]] = j
    lp.size[LIVE] += 1
    return int(j)


@lean
def add_row(lp: Programme, columns: Ints, values: Floats, lower: float, upper: float) -> int:
    """A row lower ≤ Σ value x ≤ upper, its logical in the basis; its index."""
    i, e, room = lp.size[ROWS], lp.size[ENTRIES], lp.first.size
    inverse = lp.inverse
    for p in range(i + 1):
        inverse[p, i] = 0.0
        inverse[i, p] = 0.0
    for k in range(columns.size):
        j = columns[k]
        lp.entry_row[e], lp.entry_column[e], lp.entry[e] = i, j, values[k]
        lp.following[e] = lp.first[j]
        lp.first[j] = e
        e += 1
        p = lp.place[j]
        if p >= 0:
            for q in range(i):
                inverse[i, q] -= values[k] * inverse[p, q]
    inverse[i, i] = 1.0
    lp.norm[i] = 0.0
    for q in range(i + 1):
        lp.norm[i] += inverse[i, q] * inverse[i, q]
    v = room + i
    lp.low[v], lp.high[v] = -upper, -lower
    lp.place[v], lp.basic[i], lp.reduced[v] = i, v, 0.0
    lp.row_start[i + 1], lp.base[i] = e, 0.0
    lp.size[ENTRIES], lp.size[ROWS] = e, i + 1
    return int(i)


@lean_inner
def _tight(lp: Programme) -> int:
    """The rows whose logical is out of the basis, listed in ``some``; how many.

    All other columns of the inverse are those of the unit matrix.
    """
    many, room = 0, lp.first.size
    for i in range(lp.size[ROWS]):
        if lp.place[room + i] < 0:
            lp.some[many] = i
            many += 1
    return many


@quick
def _product(matrix: Floats, p: int, vector: Floats, many: int) -> float:
    """Row p times a vector."""
    found = 0.0
    for i in range(many):
        found += matrix[p, i] * vector[i]
    return found


@quick
def _subtracted(matrix: Floats, p: int, r: int, factor: float, many: int) -> float:
    """Subtract a multiple of row r from row p; the square of the norm of what is left."""
    norm = 0.0
    for i in range(many):
        now = matrix[p, i] - factor * matrix[r, i]
        matrix[p, i] = now
        norm += now * now
    return norm


@lean
def refresh(lp: Programme) -> None:
    """Multipliers, places and values from the inverse and the bounds as they are now."""
    m, room = lp.size[ROWS], lp.first.size
    reduced, load, place, some = lp.reduced, lp.load, lp.place, lp.some
    many = _tight(lp)
    for k in range(lp.size[LIVE]):
        reduced[lp.live[k]] = lp.cost[lp.live[k]]
    for i in range(m):
        reduced[room + i] = 0.0
        load[i] = -lp.base[i]
    for p in range(m):
        v = lp.basic[p]
        if v < room and lp.cost[v] != 0.0:
            for k in range(many):
                reduced[room + some[k]] -= lp.cost[v] * lp.inverse[p, some[k]]
    for k in range(many):
        i = some[k]
        y = -reduced[room + i]
        if y != 0.0:
            for e in range(lp.row_start[i], lp.row_start[i + 1]):
                reduced[lp.entry_column[e]] -= y * lp.entry[e]
    total = lp.real[CONSTANT]
    for k in range(lp.size[LIVE]):
        j = lp.live[k]
        if place[j] >= 0:
            reduced[j] = 0.0
            continue
        if reduced[j] > DUAL:
            place[j] = AT_HIGH
        elif reduced[j] < -DUAL:
            place[j] = AT_LOW
        x = lp.low[j] if place[j] == AT_LOW else lp.high[j]
        if x != 0.0:
            total += lp.cost[j] * x
            e = lp.first[j]
            while e >= 0:
                load[lp.entry_row[e]] -= lp.entry[e] * x
                e = lp.following[e]
    for k in range(many):
        v = room + some[k]
        if (reduced[v] > DUAL and lp.high[v] < np.inf) or lp.low[v] == -np.inf:
            place[v] = AT_HIGH
        elif (reduced[v] < -DUAL and lp.low[v] > -np.inf) or lp.high[v] == np.inf:
            place[v] = AT_LOW
        load[some[k]] -= lp.low[v] if place[v] == AT_LOW else lp.high[v]
    for p in range(m):
        v = lp.basic[p]
        x = lp.value[p] = _product(lp.inverse, p, load, m)
        if v < room:
            total += lp.cost[v] * x
    lp.real[OBJECTIVE] = total


@compiled
def invert(lp: Programme) -> None:
    """The inverse anew from the basis; back to the logicals where that is singular.

    Positions change, so :func:`refresh` must follow.
    """
    m, room, inverse = lp.size[ROWS], lp.first.size, lp.inverse
    tight, inside = lp.some[: _tight(lp)], np.empty(m, np.int64)
    many = 0
    for p in range(m):
        if lp.basic[p] < room:
            inside[many] = lp.basic[p]
            many += 1
    lp.size[SINCE] = 0
    k = tight.size
    work = np.zeros((k, 2 * k))
    pivot = np.empty(k, np.int64)
    if many != k or not _eliminated(lp, tight, inside, work, pivot):
        _logicals(lp)
        return
    inverse[:m, :m] = 0.0
    for i in range(m):
        if lp.place[room + i] >= 0:
            lp.basic[i], lp.place[room + i] = room + i, i
            inverse[i, i] = 1.0
    for c in range(k):
        p = tight[c]
        lp.basic[p], lp.place[inside[c]] = inside[c], p
        for t in range(k):
            inverse[p, tight[t]] = work[pivot[c], k + t]
    for i in range(m):
        if lp.place[room + i] >= 0:
            for e in range(lp.row_start[i], lp.row_start[i + 1]):
                p = lp.place[lp.entry_column[e]]
                if p >= 0:
                    for t in range(k):
                        inverse[i, tight[t]] -= lp.entry[e] * inverse[p, tight[t]]
    for p in range(m):
        lp.norm[p] = (inverse[p, :m] * inverse[p, :m]).sum()


@inner
def _eliminated(lp: Programme, tight: Ints, inside: Ints, work: Floats, pivot: Ints) -> bool:
    """Gauss and Jordan on tight rows × basic columns, with the largest pivot of each column.

    Leaves the inverse in the right half of ``work``, its row of column c at ``pivot[c]``; false
    where there is none.
    """
    k, m = tight.size, lp.size[ROWS]
    spot = np.full(m, -1, np.int64)
    for t in range(k):
        spot[tight[t]] = t
        work[t, k + t] = 1.0
    for c in range(k):
        e = lp.first[inside[c]]
        while e >= 0:
            t = spot[lp.entry_row[e]]
            if t >= 0:
                work[t, c] = lp.entry[e]
            e = lp.following[e]
    used = np.zeros(k, np.bool_)
    for c in range(k):
        best, at = PIVOT, -1
        for t in range(k):
            if not used[t] and abs(work[t, c]) > best:
                best, at = abs(work[t, c]), t
        if at < 0:
            return False
        used[at], pivot[c] = True, at
        work[at, c:] /= work[at, c]
        for t in range(k):
            factor = work[t, c]
            if t != at and factor != 0.0:
                for h in range(c, 2 * k):
                    work[t, h] -= factor * work[at, h]
    return True


@lean_inner
def _logicals(lp: Programme) -> None:
    """The basis of logicals."""
    m, room = lp.size[ROWS], lp.first.size
    for j in range(lp.size[COLUMNS]):
        if lp.place[j] >= 0:
            lp.place[j] = AT_LOW
    lp.inverse[:m, :m] = 0.0
    for i in range(m):
        lp.place[room + i], lp.basic[i] = i, room + i
        lp.inverse[i, i], lp.norm[i] = 1.0, 1.0


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
    """``alpha`` = row r of the inverse times all columns; how many rows it touches (``some``)."""
    m, room, many = lp.size[ROWS], lp.first.size, 0
    for k in range(lp.size[LIVE]):
        lp.alpha[lp.live[k]] = 0.0
    for i in range(m):
        y = lp.inverse[r, i]
        lp.alpha[room + i] = y
        if y != 0.0:
            lp.some[many] = i
            many += 1
            for e in range(lp.row_start[i], lp.row_start[i + 1]):
                lp.alpha[lp.entry_column[e]] += y * lp.entry[e]
    return many


@lean_inner
def _candidates(lp: Programme, sign: float, many: int) -> int:
    """Variables whose reduced cost goes towards zero, listed; how many."""
    found, room = 0, lp.first.size
    for k in range(lp.size[LIVE]):
        lp.candidate[found] = lp.live[k]
        found += _goes_to_zero(lp, lp.live[k], sign)
    for k in range(many):
        lp.candidate[found] = room + lp.some[k]
        found += _goes_to_zero(lp, room + lp.some[k], sign)
    return found


@lean_inner
def _goes_to_zero(lp: Programme, v: int, sign: float) -> int:
    """1 for a candidate. Without branches: no processor would guess them."""
    p, a = lp.place[v], sign * lp.alpha[v]
    towards = ((p == AT_LOW) & (a > PIVOT)) | ((p == AT_HIGH) & (a < -PIVOT))
    return int(towards & (lp.low[v] < lp.high[v]))


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
            for p in range(m):
                lp.value[p] -= lp.inverse[p, i] * load[i]


@lean_inner
def _column(lp: Programme, v: int) -> None:
    """``column`` = the inverse times the column of a variable."""
    m, room = lp.size[ROWS], lp.first.size
    for p in range(m):
        lp.column[p] = 0.0
    if v >= room:
        for p in range(m):
            lp.column[p] = lp.inverse[p, v - room]
        return
    e = lp.first[v]
    while e >= 0:
        i, a = lp.entry_row[e], lp.entry[e]
        for p in range(m):
            lp.column[p] += a * lp.inverse[p, i]
        e = lp.following[e]


@lean_inner
def _pivot(lp: Programme, r: int, v: int, side: int, many: int) -> None:
    """Variable v takes position r; what leaves stands at ``side``."""
    room, inverse = lp.first.size, lp.inverse
    gone = lp.basic[r]
    goal = lp.low[gone] if side == AT_LOW else lp.high[gone]
    step = lp.reduced[v] / lp.alpha[v]
    by = (lp.value[r] - goal) / lp.column[r]
    lp.real[OBJECTIVE] += by * lp.reduced[v]
    for k in range(lp.size[LIVE]):
        lp.reduced[lp.live[k]] -= step * lp.alpha[lp.live[k]]
    for k in range(many):
        i = room + lp.some[k]
        lp.reduced[i] -= step * lp.alpha[i]
    lp.reduced[v], lp.reduced[gone] = 0.0, -step
    start = lp.low[v] if lp.place[v] == AT_LOW else lp.high[v]
    pivot = 1.0 / lp.column[r]
    for k in range(many):
        inverse[r, lp.some[k]] *= pivot
    for p in range(lp.size[ROWS]):
        factor = lp.column[p]
        if p == r or factor == 0.0:
            continue
        lp.value[p] -= by * factor
        lp.norm[p] = max(_subtracted(inverse, p, r, factor, lp.size[ROWS]), 1e-12)
    lp.norm[r] *= pivot * pivot
    lp.value[r] = start + by
    lp.place[v], lp.basic[r], lp.place[gone] = r, v, side
    lp.size[SINCE] += 1
    lp.size[STEPS] += 1


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
        found = _candidates(lp, sign, many)
        entering, flips, slope = _entering(lp, found, out)
        if entering < 0:
            far = (max(0.0, lp.real[OBJECTIVE] - enough) + 1.0) / max(slope, FEASIBLE)
            for k in range(lp.size[LIVE]):
                j = lp.live[k]
                lp.reduced[j] += sign * far * lp.alpha[j]
            for i in range(lp.size[ROWS]):
                lp.reduced[lp.first.size + i] += sign * far * lp.alpha[lp.first.size + i]
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
