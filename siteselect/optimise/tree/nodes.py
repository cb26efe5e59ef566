"""The nodes of a search: opened, split, kept waiting, one compiled call for many of them."""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import compiled, inner, lean_inner
from siteselect.optimise.tree.basis import STEPS, Ints, refresh
from siteselect.optimise.tree.bound import fixed
from siteselect.optimise.tree.branching import beside, choose
from siteselect.optimise.tree.programme import (
    bind,
    compact,
    crowded,
    cut_off,
    grow_old,
    put_cut,
    read,
    solved,
)
from siteselect.optimise.tree.separation import separated
from siteselect.optimise.tree.simplex import OPTIMAL
from siteselect.optimise.tree.state import (
    AT_MOST,
    BELOW,
    BOUND,
    CHOSEN,
    COMPACT,
    DEPTH,
    DONE,
    FLOOR,
    FREE,
    FULL,
    IN_PART,
    INSIDE,
    JUDGED,
    LEAF,
    LOOP,
    MOST_WAITING,
    NODES,
    OPEN,
    OUTSIDE,
    PAUSE,
    PHASE,
    POP,
    ROOT,
    ROUND,
    SETTLE,
    SPLIT,
    STATUS,
    TICKET,
    TIE,
    TIES,
    W_BOUND,
    W_DEPTH,
    W_TICKET,
    WAITING,
    Tree,
)

MOST_ROUNDS = 30


@compiled
def advance(t: Tree, steps: int) -> int:
    """Go on until something is wanted (:data:`~siteselect.optimise.tree.state.DONE` and the others)
    or for so many steps of the simplex.

    Called again it goes on at ``now[PHASE]``, which the caller may have changed.
    """
    now, done = t.now, t.lp.size
    until = done[STEPS] + steps
    while True:
        if now[PHASE] == POP:
            if not _popped(t):
                return DONE
            now[PHASE] = OPEN
        if now[PHASE] == OPEN:
            now[NODES] += 1
            now[ROUND] = 0
            now[PHASE] = LOOP
        if now[PHASE] == LOOP:
            if done[STEPS] >= until:
                return PAUSE
            if crowded(t) or now[WAITING] + 1 >= t.waiting.shape[0]:
                return FULL
            if not _held(t):
                now[PHASE] = POP
                continue
            now[PHASE] = BELOW
            if now[TIES] and now[BOUND] == now[FLOOR]:
                return TIE
        if now[PHASE] == BELOW:
            now[ROUND] += 1
            again = now[ROUND] < MOST_ROUNDS and now[STATUS] == OPTIMAL
            if again and (separated(t) > 0 or cut_off(t)):
                now[PHASE] = LOOP
                continue
            now[PHASE] = SPLIT
            if now[DEPTH] == 0:
                if now[COMPACT] < 2:
                    compact(t)
                return ROOT
        if now[PHASE] == SPLIT:
            part = _in_part(t)
            if part.size:
                s = choose(t, part)
                now[PHASE] = LOOP if s < 0 else OPEN
                if s >= 0:
                    up_first = t.load[s] > 0.5
                    _split_site(t, s, up_first, beside(t, s, 0 if up_first else 1))
                continue
            now[PHASE] = SETTLE
            if now[STATUS] == OPTIMAL and not _mixed(t):
                _take_solution(t)
                now[PHASE] = JUDGED
                return LEAF
        if now[PHASE] == SETTLE:
            now[PHASE] = POP
            if now[BOUND] >= now[FLOOR]:
                if _settled(t):
                    now[PHASE] = OPEN
                else:
                    _take_last(t)
                    return LEAF
        if now[PHASE] == JUDGED:
            # A whole choice is cut off, where a row does that; else the others are split from it.
            now[PHASE] = SETTLE
            if not now[AT_MOST]:
                put_cut(t, t.chosen[: now[CHOSEN]].copy(), now[CHOSEN] - 1)
                now[PHASE], now[ROUND] = LOOP, 0


@lean_inner
def _held(t: Tree) -> bool:
    """Solve, bound and fix the node; whether it may hold what is wanted."""
    grow_old(t)
    bind(t, 0, t.state.size)
    refresh(t.lp)
    t.now[BOUND] = solved(t)
    read(t)
    return t.now[BOUND] >= t.now[FLOOR] and not fixed(t)


# ---- choices -----------------------------------------------------------------------------------


@inner
def _in_part(t: Tree) -> Ints:
    """Free sites chosen in part."""
    return np.flatnonzero((t.state == FREE) & (t.load > IN_PART) & (t.load < 1 - IN_PART))


@lean_inner
def _mixed(t: Tree) -> bool:
    """Whether a column is chosen in part."""
    many = 0
    for x in t.x:
        many += IN_PART < x < 1 - IN_PART
    return many > 0


@inner
def _take_solution(t: Tree) -> None:
    """The choice of the present solution, to be judged."""
    chosen = np.flatnonzero(t.x > 0.5)
    t.chosen[: chosen.size] = chosen
    t.now[CHOSEN] = chosen.size


@lean_inner
def _take_last(t: Tree) -> None:
    """The only choice left in the node, to be judged."""
    many = 0
    for j in range(t.site.size):
        if t.state[t.site[j]] == INSIDE and not t.shut[j]:
            t.chosen[many] = j
            many += 1
    t.now[CHOSEN] = many


# ---- children ----------------------------------------------------------------------------------


@lean_inner
def _push(t: Tree, bound: int) -> None:
    """The present fixings wait, with a bound."""
    k = t.now[WAITING]
    for s in range(t.state.size):
        t.waiting_state[k, s] = t.state[s]
    for j in range(t.shut.size):
        t.waiting_shut[k, j] = t.shut[j]
    t.waiting[k, W_BOUND], t.waiting[k, W_DEPTH] = bound, t.now[DEPTH] + 1
    t.waiting[k, W_TICKET] = t.now[TICKET]
    t.now[TICKET] += 1
    t.now[WAITING] = k + 1


@lean_inner
def _popped(t: Tree) -> bool:
    """Take a waiting node; whether there is one.

    Of those of the better half of the bounds that came last: its programme is near the one just
    solved, and most of these nodes must be opened whatever the order. Where too many wait, the one
    that came last of all.
    """
    last, best = t.now[WAITING] - 1, t.now[FLOOR]
    while last >= t.now[MOST_WAITING] and t.waiting[last, W_BOUND] < t.now[FLOOR]:
        last -= 1
    for k in range(last + 1):
        best = max(best, t.waiting[k, W_BOUND])
    good = t.now[FLOOR] + (best - t.now[FLOOR]) // 2
    at = last if last >= t.now[MOST_WAITING] else -1
    for k in range(last + 1 if at < 0 else 0):
        if t.waiting[k, W_BOUND] >= good and (
            at < 0 or t.waiting[k, W_TICKET] > t.waiting[at, W_TICKET]
        ):
            at = k
    if at < 0:
        t.now[WAITING] = 0
        return False
    for s in range(t.state.size):
        t.state[s] = t.waiting_state[at, s]
        t.waiting_state[at, s] = t.waiting_state[last, s]
    for j in range(t.shut.size):
        t.shut[j] = t.waiting_shut[at, j]
        t.waiting_shut[at, j] = t.waiting_shut[last, j]
    t.now[BOUND], t.now[DEPTH] = t.waiting[at, W_BOUND], t.waiting[at, W_DEPTH]
    for k in range(t.waiting.shape[1]):
        t.waiting[at, k] = t.waiting[last, k]
    t.now[WAITING] = last
    return True


@lean_inner
def _split_site(t: Tree, s: int, up_first: bool, bound: int) -> None:
    """A site in or out: one child waits where its bound allows, the other is next."""
    t.state[s] = OUTSIDE if up_first else INSIDE
    if bound >= t.now[FLOOR]:
        _push(t, bound)
    t.state[s] = INSIDE if up_first else OUTSIDE
    t.now[DEPTH] += 1


@lean_inner
def _split_column(t: Tree, j: int) -> None:
    """A variant chosen, or not."""
    s = t.site[j]
    t.shut[j] = True
    _push(t, t.now[BOUND])
    for k in range(t.start[s], t.start[s + 1]):
        t.shut[k] = k != j
    t.state[s] = INSIDE
    t.now[DEPTH] += 1


@inner
def _open_columns(t: Tree, s: int) -> int:
    if t.state[s] == OUTSIDE:
        return 0
    return int((~t.shut[t.start[s] : t.start[s + 1]]).sum())


@inner
def _settled(t: Tree) -> bool:
    """Split a node without a site in part; false where a single choice is left."""
    for j in range(t.site.size):
        if IN_PART < t.x[j] < 1 - IN_PART and _open_columns(t, t.site[j]) > 1:
            _split_column(t, j)
            return True
    free = np.flatnonzero(t.state == FREE)
    if free.size:
        _split_site(t, free[np.argmax(t.load[free] > 0.5)], True, t.now[BOUND])
        return True
    for s in range(t.state.size):
        if t.state[s] == INSIDE and _open_columns(t, s) > 1:
            for j in range(t.start[s], t.start[s + 1]):
                if not t.shut[j]:
                    _split_column(t, j)
                    return True
    return False
