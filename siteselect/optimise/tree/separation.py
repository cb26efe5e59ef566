"""Rows that the present solution of a search violates."""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import inner, lean_inner
from siteselect.optimise.tree.basis import LIVE, ROWS, Ints, add_column
from siteselect.optimise.tree.programme import put_cut, put_row, room_for, variant_row
from siteselect.optimise.tree.state import CAP, COVER, IN_PART, POINT, SPARE, UNIT, Bools, Tree
from siteselect.problem import NO_LOWER

SPARE_ROWS = 8
LEAST_POINTS, SHARE_OF_POINTS = 50, 0.1
"""Rows of points are added so many at a time, those that matter most first."""


@lean_inner
def separated(t: Tree) -> int:
    """Add rows that the present solution violates; how many."""
    made, load, own_row = 0, t.load, t.variant_row
    for s in range(load.size):
        if load[s] > 1 + IN_PART and own_row[s] < 0 and room_for(t, SPARE_ROWS):
            variant_row(t, s)
            made += 1
    if t.conflict.shape[0]:
        made += _cliques(t)
    if t.weight.size:
        made += _points(t)
    return made


# ---- sites that exclude each other -------------------------------------------------------------


@inner
def _cliques(t: Tree) -> int:
    """Rows of cliques of sites that are chosen more than once in all, greedily."""
    load, conflict = t.load, t.conflict
    order = np.argsort(-load, kind="mergesort")
    order = order[: (load > IN_PART).sum()]
    first, made = t.lp.size[ROWS], 0
    member = np.zeros(t.state.size, np.bool_)
    for start in order:
        most = load[start]
        for other in order:
            if conflict[start, other]:
                most += load[other]
        if most <= 1 + IN_PART:
            continue
        member[:] = False
        member[start] = True
        open_to, total = conflict[start].copy(), load[start]
        for other in order:
            if open_to[other]:
                member[other] = True
                total += load[other]
                open_to &= conflict[other]
        if total > 1 + IN_PART and room_for(t, SPARE_ROWS):
            _grow(t, member, open_to)
            columns = np.flatnonzero(member[t.site])
            if not _made(t, columns, first):
                put_cut(t, columns, 1)
                made += 1
    return made


@inner
def _grow(t: Tree, member: Bools, open_to: Bools) -> None:
    """The most valuable sites that exclude all members, and each other, join them."""
    worth, conflict = t.worth, t.conflict
    while True:
        best, at = -np.inf, -1
        for s in range(worth.size):
            if open_to[s] and worth[s] > best:
                best, at = worth[s], s
        if at < 0:
            return
        member[at] = True
        open_to &= conflict[at]


@inner
def _made(t: Tree, columns: Ints, first: int) -> bool:
    """Whether a row made since ``first`` has just these columns."""
    for i in range(first, t.lp.size[ROWS]):
        own = t.member[t.begin[i] : t.begin[i + 1]]
        if own.size == columns.size and (own == columns).all():
            return True
    return False


# ---- points reached by several sites -----------------------------------------------------------


@inner
def _points(t: Tree) -> int:
    """Rows of points whose cover is on the other side of 1 than guessed."""
    _beyond(t)
    wrong_points = np.flatnonzero(t.cover > 0)
    most = max(LEAST_POINTS, int(SHARE_OF_POINTS * wrong_points.size))
    if wrong_points.size > most:
        worst = np.argsort(-t.cover[wrong_points], kind="mergesort")[:most]
        wrong_points = np.sort(wrong_points[worst])
    made = 0
    for point in wrong_points:
        if room_for(t, SPARE_ROWS):
            _put_point(t, int(point))
            made += 1
    return made


@lean_inner
def _beyond(t: Tree) -> None:
    """``cover`` = what each point lacks on the side of 1 where it is, times its weight."""
    cover, load, start, reach = t.cover, t.load, t.reach_start, t.reach
    for d in range(cover.size):
        cover[d] = 0.0
    for s in range(load.size):
        if load[s] > IN_PART:
            for k in range(start[s], start[s + 1]):
                cover[reach[k]] += load[s]
    for d in range(cover.size):
        beyond = 1.0 - cover[d] if t.over[d] else cover[d] - 1.0
        wrong = beyond > IN_PART and t.point_row[d] < 0
        cover[d] = beyond * t.weight[d] if wrong else 0.0


@inner
def _put_point(t: Tree, d: int) -> None:
    """±Σ x − v ≤ ±1 over the columns that reach a point; v costs its weight."""
    sign = -1 if t.over[d] else 1
    columns = np.empty(t.site.size + 1, np.int64)
    many = _reaching(t, d, columns)
    factors = np.full(many + 1, sign)
    columns[many] = _column(t, -t.weight[d] / t.real[UNIT], float(many + 1))
    factors[many] = -1
    i = put_row(t, columns[: many + 1], factors, NO_LOWER, sign, COVER)
    t.rows[i, CAP], t.rows[i, POINT], t.point_row[d] = t.weight[d], d, i


@lean_inner
def _reaching(t: Tree, d: int, columns: Ints) -> int:
    """The columns that reach a point, listed; how many."""
    many = 0
    for k in range(t.point_start[d], t.point_start[d + 1]):
        s = t.point[k]
        for j in range(t.start[s], t.start[s + 1]):
            columns[many] = j
            many += 1
    return many


@lean_inner
def _column(t: Tree, cost: float, high: float) -> int:
    """A column for the row of a point: one that was dropped, or a new one."""
    lp = t.lp
    if t.now[SPARE] == 0:
        return add_column(lp, cost, 0.0, high)
    t.now[SPARE] -= 1
    v = t.spare[t.now[SPARE]]
    lp.cost[v], lp.high[v], lp.first[v], t.dead[v] = cost, high, -1, False
    lp.live[lp.size[LIVE]] = v
    lp.size[LIVE] += 1
    return int(v)
