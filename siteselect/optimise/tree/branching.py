"""Which site a search branches on (reliability branching: Achterberg, Koch and Martin 2005)."""

from __future__ import annotations

import numpy as np

from siteselect.optimise.compiled import inner, lean, lean_inner
from siteselect.optimise.tree.basis import (
    COLUMNS,
    OBJECTIVE,
    ROWS,
    Floats,
    Ints,
    refresh,
)
from siteselect.optimise.tree.bound import bounded
from siteselect.optimise.tree.programme import bind, enough, variant_row
from siteselect.optimise.tree.simplex import solve
from siteselect.optimise.tree.state import BOUND, DEPTH, FLOOR, FREE, INSIDE, OUTSIDE, Tree

CANDIDATES, TRIAL_STEPS, RELIABLE = 8, 25, 2
"""So many sites are tried for so many steps until each has been tried so often."""
ROOT_CANDIDATES, MOST_STEPS = 10, 2_000
"""At the root sites are tried to the end."""
LEAST = 1e-9


@inner
def choose(t: Tree, part: Ints) -> int:
    """The site of ``part`` to branch on; −1 where a trial decided one."""
    scores = np.empty(part.size)
    _score(t, part, scores)
    doubtful = part[np.argsort(-scores, kind="mergesort")]
    many = _doubtful(t, doubtful)
    if many:
        if _tried(t, doubtful[:many], TRIAL_STEPS if t.now[DEPTH] else MOST_STEPS):
            return -1
        _score(t, part, scores)
    return int(part[np.argmax(scores)])


@lean_inner
def _score(t: Tree, part: Ints, scores: Floats) -> None:
    """The product of the losses that branching on each site is expected to cost."""
    for k in range(part.size):
        scores[k] = 1.0
    all_losses, all_tries, load = t.losses, t.tries, t.load
    for direction in range(2):
        lost, tries = 0.0, 0
        for s in range(load.size):
            lost += all_losses[direction, s]
            tries += all_tries[direction, s]
        mean = lost / tries if lost > 0 else 1.0
        for k in range(part.size):
            s = part[k]
            tries = all_tries[direction, s]
            loss = all_losses[direction, s] / tries if tries else mean
            distance = 1 - load[s] if direction else load[s]
            scores[k] *= max(loss * distance, LEAST)


@lean_inner
def _doubtful(t: Tree, sites: Ints) -> int:
    """Keep the sites of which too little is known, in their order; how many."""
    at_root, tried, tries = t.now[DEPTH] == 0, t.tried, t.tries
    many = 0
    for s in sites:
        known = tried[s] if at_root else min(tries[0, s], tries[1, s]) >= RELIABLE
        if not known:
            sites[many] = s
            many += 1
    return min(many, ROOT_CANDIDATES if at_root else CANDIDATES)


@lean_inner
def _tried(t: Tree, sites: Ints, steps: int) -> bool:
    """Try sites both ways; whether that decided one, whose state is changed. The basis stays."""
    for s in sites:
        if t.start[s + 1] - t.start[s] > 1:
            variant_row(t, s)
    refresh(t.lp)
    _keep(t)
    here = t.lp.real[OBJECTIVE]
    for s in sites:
        for direction in range(2):
            _fix(t, s, direction, steps, here)
            closed = t.lp.real[OBJECTIVE] <= enough(t) and bounded(t) < t.now[FLOOR]
            _free(t, s)
            if closed:
                t.state[s] = OUTSIDE if direction else INSIDE
                return True
        t.tried[s] = True
    return False


@lean
def beside(t: Tree, s: int, direction: int) -> int:
    """The bound of the node with a site out (0) or in (1), from the basis at hand, which stays.

    Later it would take some forty steps from a basis elsewhere, from here ten.
    """
    if t.start[s + 1] - t.start[s] > 1:
        variant_row(t, s)
        refresh(t.lp)
    _keep(t)
    _fix(t, s, direction, TRIAL_STEPS, t.lp.real[OBJECTIVE])
    bound = min(t.now[BOUND], bounded(t))
    _free(t, s)
    return int(bound)


@lean_inner
def _fix(t: Tree, s: int, direction: int, steps: int, here: float) -> None:
    """Solve with a site out or in; what the objective loses by it, from ``here``, is learnt."""
    t.state[s] = INSIDE if direction else OUTSIDE
    bind(t, s, s + 1)
    refresh(t.lp)
    solve(t.lp, steps, enough(t), True)
    distance = 1 - t.load[s] if direction else t.load[s]
    t.losses[direction, s] += max(0.0, (here - t.lp.real[OBJECTIVE]) / distance)
    t.tries[direction, s] += 1


@lean_inner
def _free(t: Tree, s: int) -> None:
    """The site free again, and the basis as it was kept."""
    t.state[s] = FREE
    bind(t, s, s + 1)
    _give_back(t)


@lean_inner
def _keep(t: Tree) -> None:
    """Copy the basis."""
    lp, m, n = t.lp, t.lp.size[ROWS], t.lp.size[COLUMNS]
    room = lp.first.size
    for p in range(m):
        if lp.place[room + p] < 0:
            own, kept = lp.inverse[p], t.kept_inverse[p]
            for q in range(m):
                kept[q] = own[q]
        t.kept_norm[p], t.kept_value[p], t.kept_basic[p] = lp.norm[p], lp.value[p], lp.basic[p]
        v = room + p
        t.kept_place[v], t.kept_reduced[v] = lp.place[v], lp.reduced[v]
    for j in range(n):
        t.kept_place[j], t.kept_reduced[j] = lp.place[j], lp.reduced[j]


@lean_inner
def _give_back(t: Tree) -> None:
    """The basis as it was copied."""
    lp, m, n = t.lp, t.lp.size[ROWS], t.lp.size[COLUMNS]
    room = lp.first.size
    for p in range(m):
        if t.kept_place[room + p] < 0:
            own, kept = lp.inverse[p], t.kept_inverse[p]
            for q in range(m):
                own[q] = kept[q]
        lp.norm[p], lp.value[p], lp.basic[p] = t.kept_norm[p], t.kept_value[p], t.kept_basic[p]
        v = room + p
        lp.place[v], lp.reduced[v] = t.kept_place[v], t.kept_reduced[v]
    for j in range(n):
        lp.place[j], lp.reduced[j] = t.kept_place[j], t.kept_reduced[j]
