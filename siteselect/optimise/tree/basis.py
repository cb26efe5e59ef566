"""A small linear programme in memory, and the inverse of its basis.

Maximise cost·x over low ≤ x ≤ high, where row i has the logical variable s_i = −(row activity)
with bounds of its own. A row is tight where its logical is out of the basis. Only the columns of
tight rows are kept of the inverse, each in one piece: a third of them where workers within reach
are counted, and every other is a column of the unit matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.compiled import compiled, lean, lean_inner, quick

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.uint32]
"""Without a sign: compiled code asks of every other index whether it counts from the end."""

COLUMNS, ROWS, ENTRIES, SINCE, STEPS, LIVE, TOUCHED = range(7)
"""Places of the counts in ``Programme.size``: what is there, steps since the inverse was made anew,
steps in all, and how many variables are listed."""
OBJECTIVE, CONSTANT = range(2)
AT_LOW, AT_HIGH = -1, -2
DUAL, PIVOT = 1e-9, 1e-7


class Programme(NamedTuple):
    """Everything about a programme, in arrays with room to grow.

    Variables are the structural ones (0 … n − 1) and, after the room for these, the logical of each
    row. ``place`` is the position of a variable in the basis, or the bound where it stands;
    ``basic`` the variable at each position, ``value`` where it is. Entries are kept by row
    (``row_start``) and chained by column (``first``, ``following``). ``live`` lists the columns
    that the programme holds; others have no entries and may stand at a bound: ``base`` is what they
    add to each row, ``real[CONSTANT]`` to the objective. ``inverse[i]`` is the column of row i of
    the inverse, by position, while that row is tight, and means nothing else; ``norm`` is the
    square of the norm of the row of each position. ``alpha`` is zero but for the variables that
    ``touched`` lists, of which ``listed`` marks the structural ones, or none where all are there.
    The last six arrays are scratch.
    """

    size: Ints
    real: Floats
    live: Indices
    base: Floats
    row_start: Ints
    entry_row: Indices
    entry_column: Indices
    entry: Floats
    following: Ints
    first: Ints
    cost: Floats
    low: Floats
    high: Floats
    place: Ints
    basic: Indices
    inverse: Floats
    norm: Floats
    value: Floats
    reduced: Floats
    alpha: Floats
    touched: Indices
    listed: Bools
    column: Floats
    load: Floats
    some: Indices
    candidate: Indices
    ratio: Floats


def empty(columns: int, rows: int, entries: int) -> Programme:
    """A programme with room for so much, and nothing in it."""
    every = columns + rows
    return Programme(
        size=np.zeros(7, np.int64),
        real=np.zeros(2),
        live=np.zeros(columns, np.uint32),
        base=np.zeros(rows),
        row_start=np.zeros(rows + 1, np.int64),
        entry_row=np.zeros(entries, np.uint32),
        entry_column=np.zeros(entries, np.uint32),
        entry=np.zeros(entries),
        following=np.zeros(entries, np.int64),
        first=np.full(columns, -1, np.int64),
        cost=np.zeros(columns),
        low=np.zeros(every),
        high=np.zeros(every),
        place=np.full(every, AT_LOW, np.int64),
        basic=np.zeros(rows, np.uint32),
        inverse=np.empty((rows, rows)),
        norm=np.ones(rows),
        value=np.zeros(rows),
        reduced=np.zeros(every),
        alpha=np.zeros(every),
        touched=np.zeros(every + 1, np.uint32),
        listed=np.zeros(every, np.bool_),
        column=np.zeros(rows),
        load=np.zeros(rows),
        some=np.zeros(rows + 1, np.uint32),
        candidate=np.zeros(every, np.uint32),
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
    i, e, room, many = lp.size[ROWS], lp.size[ENTRIES], lp.first.size, 0
    for k in range(columns.size):
        j = columns[k]
        lp.entry_row[e], lp.entry_column[e], lp.entry[e] = i, j, values[k]
        lp.following[e] = lp.first[j]
        lp.first[j] = e
        e += 1
        lp.candidate[many], lp.ratio[many] = max(0, lp.place[j]), values[k]
        many += lp.place[j] >= 0
    norm = 1.0
    for h in range(tight_rows(lp)):
        own = lp.inverse[lp.some[h]]
        y = 0.0
        for k in range(many):
            y -= lp.ratio[k] * own[lp.candidate[k]]
        own[i] = y
        norm += y * y
    v = room + i
    lp.low[v], lp.high[v] = -upper, -lower
    lp.place[v], lp.basic[i], lp.reduced[v], lp.norm[i] = i, v, 0.0, norm
    lp.row_start[i + 1], lp.base[i] = e, 0.0
    lp.size[ENTRIES], lp.size[ROWS] = e, i + 1
    return int(i)


@lean_inner
def tight_rows(lp: Programme) -> int:
    """The tight rows, listed in ``some``; how many."""
    many, room = 0, lp.first.size
    for i in range(lp.size[ROWS]):
        lp.some[many] = i
        many += lp.place[room + i] < 0
    return many


@quick
def _product(one: Floats, other: Floats, many: int) -> float:
    found = 0.0
    for p in range(many):
        found += one[p] * other[p]
    return found


@quick
def _add_times(factor: float, one: Floats, to: Floats, many: int) -> None:
    """Add ``factor`` times a vector to another."""
    for p in range(many):
        to[p] += factor * one[p]


@lean_inner
def add_column_of(lp: Programme, i: int, factor: float, to: Floats) -> None:
    """Add ``factor`` times the column of row i of the inverse to a vector by position."""
    p = lp.place[lp.first.size + i]
    if p >= 0:
        to[p] += factor
    else:
        _add_times(factor, lp.inverse[i], to, lp.size[ROWS])


@lean
def refresh(lp: Programme) -> None:
    """Multipliers, places and values from the inverse and the bounds as they are now."""
    _refresh_reduced(lp)
    total = lp.real[CONSTANT] + _refresh_places(lp)
    m, room = lp.size[ROWS], lp.first.size
    for p in range(m):
        lp.value[p] = 0.0
    for i in range(m):
        if lp.load[i] != 0.0:
            add_column_of(lp, i, lp.load[i], lp.value)
    for p in range(m):
        if lp.basic[p] < room:
            total += lp.cost[lp.basic[p]] * lp.value[p]
    lp.real[OBJECTIVE] = total


@lean_inner
def _refresh_reduced(lp: Programme) -> None:
    """Multipliers and reduced costs; those of the basis are nothing."""
    m, room = lp.size[ROWS], lp.first.size
    reduced, costs = lp.reduced, lp.column
    for k in range(lp.size[LIVE]):
        reduced[lp.live[k]] = lp.cost[lp.live[k]]
    for p in range(m):
        v = lp.basic[p]
        costs[p] = lp.cost[v] if v < room else 0.0
        reduced[room + p] = 0.0
    for k in range(tight_rows(lp)):
        i = lp.some[k]
        y = _product(lp.inverse[i], costs, m)
        reduced[room + i] = -y
        if y != 0.0:
            for e in range(lp.row_start[i], lp.row_start[i + 1]):
                reduced[lp.entry_column[e]] -= y * lp.entry[e]
    for p in range(m):
        reduced[lp.basic[p]] = 0.0


@lean_inner
def _refresh_places(lp: Programme) -> float:
    """Every variable out of the basis at the bound that its reduced cost asks for; what they are
    worth. ``load`` is what the rows are left with.
    """
    load, place, reduced, room = lp.load, lp.place, lp.reduced, lp.first.size
    total = 0.0
    for i in range(lp.size[ROWS]):
        load[i] = -lp.base[i]
    for k in range(lp.size[LIVE]):
        j = lp.live[k]
        if place[j] >= 0:
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
    for i in range(lp.size[ROWS]):
        v = room + i
        if place[v] >= 0:
            continue
        if (reduced[v] > DUAL and lp.high[v] < np.inf) or lp.low[v] == -np.inf:
            place[v] = AT_HIGH
        elif (reduced[v] < -DUAL and lp.low[v] > -np.inf) or lp.high[v] == np.inf:
            place[v] = AT_LOW
        load[i] -= lp.low[v] if place[v] == AT_LOW else lp.high[v]
    return total


@lean
def shrink(lp: Programme, many: int) -> None:
    """Drop rows that are not tight: so many are kept, listed in ``some``, ascending.

    Nothing changes in the inverse but the places. Entries are those of before: they must be written
    anew.
    """
    room, was, place, inverse = lp.first.size, lp.size[ROWS], lp.place, lp.inverse
    for p in range(was):
        lp.load[p] = lp.basic[p] < room
    for h in range(many):
        p = place[room + lp.some[h]]
        if p >= 0:
            lp.load[p] = 1.0
    left = 0
    for p in range(was):
        lp.candidate[p] = left
        if lp.load[p] != 0.0:
            v = lp.basic[p]
            lp.basic[left], lp.norm[left], lp.value[left] = v, lp.norm[p], lp.value[p]
            if v < room:
                place[v] = left
            left += 1
    for h in range(many):
        i = lp.some[h]
        p, v = place[room + i], room + h
        lp.low[v], lp.high[v], lp.reduced[v] = lp.low[room + i], lp.high[room + i], 0.0
        place[v] = p
        if p >= 0:
            place[v] = lp.candidate[p]
            lp.basic[place[v]] = v
            continue
        for q in range(was):
            if lp.load[q] != 0.0:
                inverse[h, lp.candidate[q]] = inverse[i, q]
    lp.size[ROWS] = many


@compiled
def invert(lp: Programme) -> None:
    """The inverse anew from the basis; back to the logicals where that is singular.

    Positions change, so :func:`refresh` must follow.
    """
    k = tight_rows(lp)
    tight, inside = lp.some[:k].copy(), np.empty(k, np.uint32)
    work, pivot = np.zeros((k, 2 * k)), np.empty(k, np.int64)
    filled, used = np.empty(2 * k, np.uint32), np.zeros(k, np.bool_)
    lp.size[SINCE] = 0
    if _began(lp, tight, inside, work, pivot):
        order = np.argsort(pivot, kind="mergesort")  # the columns of few entries first
        if _eliminated(order, work, pivot, used, filled):
            _written(lp, tight, inside, work, pivot)
            return
    _logicals(lp)


@lean_inner
def _began(
    lp: Programme, tight: Indices, inside: Indices, work: Floats, entries: Ints
) -> bool:  # fmt: skip
    """Tight rows × basic columns in the left half of ``work``, the unit matrix in the right; false
    where they are not as many. How many entries each column has.
    """
    k, many, spot = tight.size, 0, lp.candidate
    for p in range(lp.size[ROWS]):
        if lp.basic[p] < lp.first.size:
            if many == k:
                return False
            inside[many] = lp.basic[p]
            many += 1
    for t in range(k):
        spot[tight[t]] = t
        work[t, k + t] = 1.0
    for c in range(many):
        entries[c] = 0
        e = lp.first[inside[c]]
        while e >= 0:
            if lp.place[lp.first.size + lp.entry_row[e]] < 0:
                work[spot[lp.entry_row[e]], c] = lp.entry[e]
                entries[c] += 1
            e = lp.following[e]
    return many == k


@lean_inner
def _eliminated(
    order: Ints, work: Floats, pivot: Ints, used: Bools, filled: Indices
) -> bool:  # fmt: skip
    """Gauss and Jordan, column by column, with the largest pivot of each.

    Leaves the inverse in the right half of ``work``, its row of column c at ``pivot[c]``; false
    where there is none.
    """
    k = order.size
    for c in order:
        best, at = PIVOT, -1
        for t in range(k):
            if not used[t] and abs(work[t, c]) > best:
                best, at = abs(work[t, c]), t
        if at < 0:
            return False
        used[at], pivot[c] = True, at
        first, many = 1.0 / work[at, c], 0
        for h in range(2 * k):
            if work[at, h] != 0.0:
                work[at, h] *= first
                filled[many] = h
                many += 1
        for t in range(k):
            factor = work[t, c]
            if t != at and factor != 0.0:
                for h in range(many):
                    work[t, filled[h]] -= factor * work[at, filled[h]]
    return True


@lean_inner
def _written(
    lp: Programme, tight: Indices, inside: Indices, work: Floats, pivot: Ints
) -> None:  # fmt: skip
    """Positions, columns and norms from what was eliminated."""
    k, room, place = tight.size, lp.first.size, lp.place
    for i in range(lp.size[ROWS]):
        lp.norm[i] = 0.0
        if place[room + i] >= 0:
            lp.basic[i], place[room + i], lp.norm[i] = room + i, i, 1.0
    for c in range(k):
        p = tight[c]
        lp.basic[p], place[inside[c]] = inside[c], p
        for t in range(k):
            lp.inverse[tight[t], p] = work[pivot[c], k + t]
    for t in range(k):
        _follow(lp, lp.inverse[tight[t]])


@lean_inner
def _follow(lp: Programme, own: Floats) -> None:
    """A column of the inverse, known where structural variables are, at the other positions too;
    and its part of the norms.
    """
    m, room, place = lp.size[ROWS], lp.first.size, lp.place
    for i in range(m):
        if place[room + i] >= 0:
            own[i] = 0.0
    for p in range(m):
        if lp.basic[p] < room and own[p] != 0.0:
            e = lp.first[lp.basic[p]]
            while e >= 0:
                i = lp.entry_row[e]
                if place[room + i] >= 0:
                    own[i] -= lp.entry[e] * own[p]
                e = lp.following[e]
    for p in range(m):
        lp.norm[p] += own[p] * own[p]


@lean_inner
def _logicals(lp: Programme) -> None:
    """The basis of logicals."""
    m, room = lp.size[ROWS], lp.first.size
    for j in range(lp.size[COLUMNS]):
        if lp.place[j] >= 0:
            lp.place[j] = AT_LOW
    for i in range(m):
        lp.place[room + i], lp.basic[i], lp.norm[i] = i, room + i, 1.0
