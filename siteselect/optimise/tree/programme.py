"""The programme of a search: rows put in and dropped, columns left out, solved for a node."""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import compiled, inner, lean, lean_inner
from siteselect.optimise.tree.basis import (
    AT_HIGH,
    AT_LOW,
    COLUMNS,
    ENTRIES,
    LIVE,
    ROWS,
    Floats,
    Ints,
    add_row,
    invert,
    refresh,
    shrink,
)
from siteselect.optimise.tree.basis import CONSTANT as LP_CONSTANT
from siteselect.optimise.tree.bound import bounded
from siteselect.optimise.tree.simplex import EMPTY, ENOUGH, OPTIMAL, solve
from siteselect.optimise.tree.state import (
    AGE,
    CAP,
    COMPACT,
    COVER,
    FLOOR,
    IMPLICIT,
    IN_PART,
    INSIDE,
    KIND,
    LOWER,
    OFFSET,
    OUTSIDE,
    PLAIN,
    POINT,
    SCALE,
    SCALED,
    SPARE,
    STATUS,
    STORED,
    UNIT,
    UPPER,
    Tree,
)
from siteselect.problem import NO_LOWER, NO_UPPER

ROWS_AT_ONCE = 80
"""Rows that one pass over a node may add, those of sites with variants apart."""
OLD, MANY_OLD = 10, 20
"""Rows of points that were loose so often are dropped, when there are so many."""
TOGETHER = 0.002
"""Parcels are restored together where that costs at most this share of what there is above the
floor, in each ledger."""
MOST_STEPS = 2_000


# ---- rows --------------------------------------------------------------------------------------


@lean_inner
def room_for(t: Tree, rows: int) -> bool:
    """Whether so many rows more, as long as they come, have their place."""
    lp = t.lp
    return bool(
        lp.size[ROWS] + rows <= t.scale.size
        and lp.size[COLUMNS] + rows - t.now[SPARE] <= lp.first.size
        and t.now[STORED] + rows * (t.site.size + 1) <= t.factor.size
    )


@lean
def crowded(t: Tree) -> bool:
    """Whether the next pass over the node may lack room for its rows."""
    rows = ROWS_AT_ONCE
    for s in range(t.state.size):
        if t.state[s] == INSIDE and t.variant_row[s] < 0 and t.start[s + 1] - t.start[s] > 1:
            rows += 1
    return not room_for(t, rows)


@inner
def put_row(t: Tree, columns: Ints, factors: Ints, lower: int, upper: int, kind: int) -> int:
    """A row lower ≤ Σ factor x ≤ upper of whole numbers; its index."""
    room = np.empty(columns.size, np.int64), np.empty(columns.size)
    return _put(t, columns, factors, lower, upper, kind, room[0], room[1])


@lean_inner
def _put(
    t: Tree, columns: Ints, factors: Ints, lower: int, upper: int, kind: int,
    kept: Ints, value: Floats,
) -> int:  # fmt: skip
    i, e, largest = t.lp.size[ROWS], t.now[STORED], 1
    for k in range(columns.size):
        t.member[e + k], t.factor[e + k] = columns[k], factors[k]
        largest = max(largest, abs(factors[k]))
    t.now[STORED] = t.begin[i + 1] = e + columns.size
    t.rows[i, KIND], t.rows[i, LOWER], t.rows[i, UPPER] = kind, lower, upper
    t.rows[i, CAP], t.rows[i, POINT], t.rows[i, AGE] = 0, -1, 0
    t.scale[i] = float(largest)
    many, base = 0, 0.0
    for k in range(columns.size):
        j, a = _led(t, columns[k]), factors[k] / largest
        if t.dead[j]:
            base += a if j >= t.site.size and t.lp.place[j] == AT_HIGH else 0.0
        elif t.spot[j]:
            value[t.spot[j] - 1] += a
        else:
            kept[many], value[many] = j, a
            many += 1
            t.spot[j] = many
    for k in range(many):
        t.spot[kept[k]] = 0
    low = -np.inf if lower == NO_LOWER else lower / largest
    high = np.inf if upper == NO_UPPER else upper / largest
    add_row(t.lp, kept[:many], value[:many], low, high)
    t.lp.base[i] = base
    return int(i)


@lean_inner
def _led(t: Tree, j: int) -> int:
    """The column of the programme that stands for a column."""
    parcel = j - t.site.size
    return int(t.leader[parcel]) if 0 <= parcel < t.parcel.size else j


@inner
def put_cut(t: Tree, columns: Ints, upper: int) -> None:
    """A row Σ columns ≤ upper."""
    put_row(t, columns, np.ones(columns.size, np.int64), NO_LOWER, upper, PLAIN)


@compiled
def put_rows(t: Tree, starts: Ints, columns: Ints, factors: Ints, lower: Ints, upper: Ints) -> None:
    """Plain rows, CSR; there must be room."""
    for i in range(starts.size - 1):
        own = slice(starts[i], starts[i + 1])
        put_row(t, columns[own], factors[own], lower[i], upper[i], PLAIN)


@inner
def variant_row(t: Tree, s: int) -> int:
    """The row that holds a site with variants to one of them, made where it is missing."""
    if t.variant_row[s] < 0:
        own = np.arange(t.start[s], t.start[s + 1])
        t.variant_row[s] = put_row(t, own, np.ones(own.size, np.int64), 0, 1, IMPLICIT)
    return int(t.variant_row[s])


@lean_inner
def _purge(t: Tree, age: int) -> None:
    """Drop the rows of points loose for so long; those violated again come again."""
    lp, room = t.lp, t.lp.first.size
    kept, stored = 0, 0
    for i in range(lp.size[ROWS]):
        first, after = t.begin[i], t.begin[i + 1]
        if t.rows[i, KIND] == COVER and lp.place[room + i] >= 0 and t.rows[i, AGE] >= age:
            beyond = t.member[after - 1]
            lp.place[beyond], t.dead[beyond] = AT_LOW, True
            t.spare[t.now[SPARE]] = beyond
            t.now[SPARE] += 1
            t.point_row[t.rows[i, POINT]] = -1
            continue
        for e in range(first, after):
            t.member[stored + e - first], t.factor[stored + e - first] = t.member[e], t.factor[e]
        t.begin[kept] = stored
        stored += after - first
        for h in range(t.rows.shape[1]):
            t.rows[kept, h] = t.rows[i, h]
        t.scale[kept] = t.scale[i]
        if t.rows[i, KIND] == COVER:
            t.point_row[t.rows[i, POINT]] = kept
        elif t.rows[i, KIND] == IMPLICIT:
            t.variant_row[t.site[t.member[t.begin[kept]]]] = kept
        lp.some[kept] = i
        kept += 1
    t.begin[kept] = t.now[STORED] = stored
    shrink(lp, kept)
    _rebuild(t)


@lean_inner
def grow_old(t: Tree) -> None:
    """Count how often the rows of points were loose; drop them where many are old."""
    room, old = t.lp.first.size, 0
    for i in range(t.lp.size[ROWS]):
        if t.rows[i, KIND] == COVER:
            t.rows[i, AGE] = t.rows[i, AGE] + 1 if t.lp.place[room + i] >= 0 else 0
            old += t.rows[i, AGE] >= OLD
    if old >= MANY_OLD:
        _purge(t, OLD)


# ---- columns left out --------------------------------------------------------------------------


@inner
def compact(t: Tree) -> None:
    """Leave out of the programme what a portfolio worth the floor has, or has not, for sure.

    Parcels restored in part may differ a little from that, and some are restored together. The
    bound counts every parcel, whatever the programme holds: where it must, the programme is made
    whole again.
    """
    lp, n = t.lp, t.site.size
    room = t.now[SCALED] - t.now[FLOOR] * t.now[SCALE]
    _disband(t)
    for j in range(n + t.parcel.size):
        if lp.place[j] >= 0:
            continue
        if j < n:
            t.dead[j] = t.shut[j] or t.state[t.site[j]] == OUTSIDE
        else:
            t.dead[j] = abs(t.reduced[j]) > room
            if t.dead[j]:
                lp.place[j] = AT_HIGH if t.reduced[j] > 0 else AT_LOW
    _band_together(t, TOGETHER * room)
    _purge(t, 0)
    refresh(lp)
    t.now[COMPACT] = 1


@inner
def _band_together(t: Tree, most: float) -> None:
    """Restore parcels together that the bound takes, or leaves, alike.

    Parcels of the same ledgers, neighbours in cost of a unit: where that is between theirs the
    programme makes one mistake with all of them, of ``most`` in the scaled objective. None is
    basic.
    """
    lp, n, units = t.lp, t.site.size, t.units
    cheap = np.zeros(units.size)
    for r in range(units.size):
        cheap[r] = -t.reduced[n + r] / units[r]
    order = np.argsort(cheap, kind="mergesort")
    order = order[np.argsort(t.kin[order], kind="mergesort")]
    first = 0
    for k in range(order.size):
        r, lead = order[k], order[first]
        alike = (
            t.kin[r] == t.kin[lead]
            and (t.reduced[n + r] > 0) == (t.reduced[n + lead] > 0)
            and not t.dead[n + r] and not t.dead[n + lead]
            and lp.place[n + r] < 0 and lp.place[n + lead] < 0
        )  # fmt: skip
        if k == first or not alike or _mistake(t, order[first : k + 1]) > most:
            first = k
            continue
        t.leader[r], t.dead[n + r], lp.place[n + r] = n + lead, True, AT_LOW
        lp.cost[n + lead] += lp.cost[n + r]


@lean_inner
def _mistake(t: Tree, parcels: Ints) -> float:
    """The most by which parcels taken together are worth less than one by one."""
    n, total, units, found = t.site.size, 0.0, 0.0, 0.0
    for r in parcels:
        total += t.reduced[n + r]
        units += t.units[r]
    for r in parcels:
        found += max(0.0, t.reduced[n + r] - total / units * t.units[r])
    return found


@lean_inner
def _disband(t: Tree) -> None:
    """Every parcel for itself."""
    n = t.site.size
    for r in range(t.parcel.size):
        t.leader[r] = n + r
        t.lp.cost[n + r] = t.parcel[r] / t.real[UNIT]


@lean_inner
def _whole_again(t: Tree) -> None:
    """Bring back what was left out, for good."""
    _disband(t)
    t.dead[: t.site.size + t.parcel.size] = False
    _rebuild(t)
    invert(t.lp)
    t.now[COMPACT] = 2


@lean_inner
def _rebuild(t: Tree) -> None:
    """The programme without its dead columns, which stay where they are."""
    lp, n, many, spot = t.lp, t.site.size, 0, t.spot
    lp.real[LP_CONSTANT] = 0.0
    for j in range(lp.size[COLUMNS]):
        lp.first[j] = -1
        if not t.dead[j]:
            lp.live[many] = j
            many += 1
        elif j >= n and lp.place[j] == AT_HIGH:
            lp.real[LP_CONSTANT] += lp.cost[j]
    lp.size[LIVE] = many
    e = 0
    for i in range(lp.size[ROWS]):
        lp.row_start[i], lp.base[i] = e, 0.0
        for k in range(t.begin[i], t.begin[i + 1]):
            j, a = _led(t, t.member[k]), t.factor[k] / t.scale[i]
            if t.dead[j]:
                lp.base[i] += a if j >= n and lp.place[j] == AT_HIGH else 0.0
            elif spot[j]:
                lp.entry[spot[j] - 1] += a
            else:
                lp.entry_row[e], lp.entry_column[e], lp.entry[e] = i, j, a
                lp.following[e] = lp.first[j]
                lp.first[j] = e
                e += 1
                spot[j] = e
        for k in range(lp.row_start[i], e):
            spot[lp.entry_column[k]] = 0
    lp.row_start[lp.size[ROWS]] = lp.size[ENTRIES] = e


# ---- solved for a node -------------------------------------------------------------------------


@lean_inner
def bind(t: Tree, first: int, after: int) -> None:
    """Bounds of the columns of sites first … after − 1, and of their rows, from the node.

    :func:`~siteselect.optimise.tree.simplex.refresh` must follow.
    """
    lp, room = t.lp, t.lp.first.size
    low, high, start, shut, state = lp.low, lp.high, t.start, t.shut, t.state
    for s in range(first, after):
        only, left = -1, 0
        for j in range(start[s], start[s + 1]):
            low[j], high[j] = 0.0, 0.0
            if not shut[j] and state[s] != OUTSIDE:
                high[j] = 1.0
                only, left = j, left + 1
        if state[s] == INSIDE and left == 1:
            low[only] = 1.0
        if state[s] == INSIDE and left > 1:
            high[room + variant_row(t, s)] = -1.0
        elif t.variant_row[s] >= 0:
            high[room + t.variant_row[s]] = 0.0


@lean_inner
def enough(t: Tree) -> float:
    """The objective of the programme under which no portfolio is worth the floor."""
    return float(t.now[FLOOR] / t.real[UNIT] - t.real[OFFSET] - IN_PART)


@lean_inner
def solved(t: Tree) -> int:
    """The bound of the node's programme, or the first under the floor; ``STATUS`` says which."""
    t.now[STATUS] = solve(t.lp, MOST_STEPS, enough(t), True)
    found = bounded(t)
    if found < t.now[FLOOR] or t.now[STATUS] == OPTIMAL:
        return found
    # Ended early, and on to the end; or not to be trusted, and from a new inverse.
    if t.now[STATUS] != ENOUGH:
        invert(t.lp)
        refresh(t.lp)
    t.now[STATUS] = solve(t.lp, MOST_STEPS, enough(t), False)
    found = bounded(t)
    if found >= t.now[FLOOR] and t.now[STATUS] == EMPTY and t.now[COMPACT] == 1:
        _whole_again(t)
        bind(t, 0, t.state.size)
        refresh(t.lp)
        t.now[STATUS] = solve(t.lp, MOST_STEPS, enough(t), False)
        found = bounded(t)
    return found


@lean_inner
def read(t: Tree) -> None:
    """The solution: how much of each column and each site it chooses."""
    lp = t.lp
    t.load[:] = 0.0
    for j in range(t.site.size):
        p = lp.place[j]
        x = lp.value[p] if p >= 0 else lp.low[j] if p == AT_LOW else lp.high[j]
        t.x[j] = x
        t.load[t.site[j]] += x


@lean_inner
def cut_off(t: Tree) -> bool:
    """Whether the fixings exclude the present solution."""
    for s in range(t.state.size):
        if t.state[s] == INSIDE and t.load[s] < 1 - IN_PART:
            return True
        if t.state[s] == OUTSIDE and t.load[s] > IN_PART:
            return True
    many = 0
    for j in range(t.shut.size):
        many += t.shut[j] and t.x[j] > IN_PART
    return many > 0
