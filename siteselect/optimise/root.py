"""The root relaxation by sifting: few columns, all priced exactly, the promising ones added."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from siteselect.optimise.bound import Bound, Multipliers, exact_bound
from siteselect.optimise.model import Model
from siteselect.optimise.polish import polish
from siteselect.optimise.relaxation import BATCH, Relaxation, improving
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem import NO_LOWER
from siteselect.problem.constraints import Ints

FIRST_PER_ROW = 10
"""Columns of the first programme taken from each row that asks for something."""
NEAR, NEAR_ROUNDS = 3e-3, 3
"""With coverage the sifting ends where so many rounds lowered the bound by less than this share:
what is left is quicker in another form (:mod:`~siteselect.optimise.polish`)."""


@dataclass(frozen=True, eq=False)
class Root:
    """The relaxation at its optimum (or near it), multipliers and the best exact bound met."""

    relaxation: Relaxation
    multipliers: Multipliers
    bound: Bound
    rounds: int
    finished: bool = True


def first_columns(model: Model) -> Ints:
    """The most valuable columns, overall and in each row that asks for a minimum."""
    gain = model.alone()
    if model.n_columns <= 2 * BATCH:
        return np.arange(model.n_columns)
    wanted = np.zeros(model.n_columns, bool)
    wanted[np.argsort(-gain, kind="stable")[: max(BATCH, 4 * model.count)]] = True
    for row in np.flatnonzero((model.lower != NO_LOWER) & (model.lower > 0)).tolist():
        own = model.x.indices[model.x.indptr[row] : model.x.indptr[row + 1]]
        wanted[own[np.argsort(-gain[own], kind="stable")[:FIRST_PER_ROW]]] = True
    inside = model.state == 1
    wanted |= inside[model.site]
    return np.flatnonzero(wanted)


def sift(model: Model, *, stop: Stop) -> Root:
    """Solve the root relaxation over all columns; ends early, with a valid bound, on ``stop``."""
    relaxation = Relaxation(model, first_columns(model), grouped=True)
    near = model.reach is not None and model.flow is None
    root = resift(model, relaxation, stop=stop, near=NEAR if near else 0.0)
    if not near or not root.finished:
        return root
    best = polish(model, root.multipliers, root.bound, stop=stop)
    if best is None:
        return replace(root, finished=False)
    return Root(relaxation, best.multipliers, best.bound, root.rounds)


def resift(model: Model, relaxation: Relaxation, *, stop: Stop, near: float = 0.0) -> Root:
    """Go on from a relaxation solved before, at the fixings it has now.

    Ends where some rounds lower the bound by less than a share ``near`` of it.
    """
    primal, rounds = False, 0
    relaxation.lp.seconds_left = stop.seconds_left
    best: Bound | None = None
    known: list[int] = []
    while True:
        finished = True
        try:
            relaxation.solve(primal=primal)
        except OutOfTimeError:
            finished = False
        multipliers = relaxation.multipliers()
        bound = exact_bound(model, multipliers, relaxation.state, relaxation.shut)
        best = _lower(bound, best)
        if not finished:
            return Root(relaxation, multipliers, best, rounds, finished)
        rounds += 1
        known.append(best.value)
        added = relaxation.separate()
        new = improving(model, bound, relaxation.columns, relaxation.unit)
        if added == 0 and len(new) == 0:
            return Root(relaxation, multipliers, bound, rounds)
        if near and not len(new) and _slow(known, near):
            return Root(relaxation, multipliers, best, rounds)
        relaxation.add_columns(new)
        primal = added == 0
        if stop():
            return Root(relaxation, multipliers, best, rounds, False)


def _slow(known: list[int], near: float) -> bool:
    """Whether the last rounds lowered the bound by less than a share of it."""
    if len(known) <= NEAR_ROUNDS:
        return False
    return known[-1 - NEAR_ROUNDS] - known[-1] < near * abs(known[-1])


def ceiling(model: Model) -> int:
    """The best values of as many sites as are wanted, and all land worth restoring.

    No portfolio is worth more.
    """
    gain = model.alone()
    best = np.full(model.n_sites, np.iinfo(np.int64).min)
    np.maximum.at(best, model.site, gain)
    best = np.sort(best[best > np.iinfo(np.int64).min])[::-1][: model.count]
    restored: int = sum(np.maximum(model.parcels_alone(), 0).tolist())
    chosen: int = sum(np.maximum(best, 0).tolist() if model.at_most else best.tolist())
    return chosen + restored


def _lower(bound: Bound, other: Bound | None) -> Bound:
    return bound if other is None or bound.value <= other.value else other
