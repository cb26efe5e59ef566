"""The root relaxation by sifting: few columns, all priced exactly, the promising ones added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siteselect.optimise.bound import Bound
from siteselect.optimise.model import Model
from siteselect.optimise.relaxation import Relaxation
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem import NO_LOWER
from siteselect.problem.constraints import Ints

BATCH = 400
"""Columns added at a time."""
FIRST_PER_ROW = 10
"""Columns of the first programme taken from each row that asks for something."""


@dataclass(frozen=True, eq=False)
class Root:
    """The relaxation at its optimum and the best exact bound met on the way."""

    relaxation: Relaxation
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
    return resift(model, Relaxation(model, first_columns(model), grouped=True), stop=stop)


def resift(model: Model, relaxation: Relaxation, *, stop: Stop) -> Root:
    """Go on from a relaxation solved before, at the fixings it has now."""
    primal, rounds = False, 0
    relaxation.lp.seconds_left = stop.seconds_left
    best: Bound | None = None
    while True:
        try:
            relaxation.solve(primal=primal)
        except OutOfTimeError:
            return Root(relaxation, _lower(relaxation.bound(), best), rounds, False)
        rounds += 1
        bound = relaxation.bound()
        best = _lower(bound, best)
        added = relaxation.separate()
        new = _promising(model, relaxation, bound)
        relaxation.add_columns(new)
        primal = added == 0
        if added == 0 and len(new) == 0:
            return Root(relaxation, bound, rounds)
        if stop():
            return Root(relaxation, best, rounds, False)


def ceiling(model: Model) -> int:
    """The best values of as many sites as are wanted: no portfolio is worth more."""
    gain = model.alone()
    best = np.full(model.n_sites, np.iinfo(np.int64).min)
    np.maximum.at(best, model.site, gain)
    best = np.sort(best[best > np.iinfo(np.int64).min])[::-1][: model.count]
    return sum(np.maximum(best, 0).tolist()) if model.at_most else sum(best.tolist())


def _lower(bound: Bound, other: Bound | None) -> Bound:
    return bound if other is None or bound.value <= other.value else other


def _promising(model: Model, relaxation: Relaxation, bound: Bound) -> Ints:
    """Columns not in the programme whose reduced cost says they would improve it.

    A column improves the programme when choosing it costs less than leaving its site as it is:
    its penalty is then under the site's own value.
    """
    absent = np.ones(model.n_columns, bool)
    absent[relaxation.columns] = False
    improving = bound.site_penalty[model.site] - bound.column_penalty
    threshold = int(1e-9 * relaxation.unit * bound.scale) + 1
    wanted = np.flatnonzero(absent & (improving > threshold) & ~relaxation.shut)
    if len(wanted) <= BATCH:
        return wanted
    order = np.argsort(-improving[wanted], kind="stable")[:BATCH]
    return np.sort(wanted[order])
