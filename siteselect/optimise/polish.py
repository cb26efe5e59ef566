"""The root relaxation with union catchment, from near its optimum to it.

Cuts by groups of demand come near quickly and then take many rounds. From there the columns that
matter are few, and with the prices known so far a programme that holds a row only for the points
where these are wrong is small. Its multipliers, carried over to the whole model, price all columns.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from siteselect.optimise.bound import Block, Bound, Multipliers, exact_bound
from siteselect.optimise.model import Model, restrict
from siteselect.optimise.relaxation import Relaxation, clique_cut, improving
from siteselect.optimise.stop import OutOfTimeError, Stop

FIRST = 10
"""The first programme holds so many columns for each site wanted."""


@dataclasses.dataclass(frozen=True, eq=False)
class Polished:
    """Multipliers of the whole model at the optimum, and their exact bound."""

    multipliers: Multipliers
    bound: Bound
    rounds: int


def polish(model: Model, multipliers: Multipliers, bound: Bound, *, stop: Stop) -> Polished | None:
    """The optimum of the root relaxation from multipliers near it; ``None`` when time is out."""
    numbered = dataclasses.replace(
        model, origin=np.arange(len(model.lower)), mu=multipliers.prices(model)
    )
    wanted = min(model.n_columns, FIRST * model.count)
    columns = np.sort(np.argpartition(bound.column_penalty, wanted - 1)[:wanted])
    rounds = 0
    while True:
        part = restrict(numbered, columns, model.state)
        relaxation = Relaxation(part, np.arange(part.n_columns))
        relaxation.lp.seconds_left = stop.seconds_left
        try:
            relaxation.solve()
            while relaxation.separate():
                relaxation.solve()
        except OutOfTimeError:
            return None
        rounds += 1
        found = _lifted(numbered, part, relaxation)
        bound = exact_bound(model, found, model.state, model.shut)
        new = improving(model, bound, columns, relaxation.unit)
        if not len(new) or stop():
            return Polished(found, bound, rounds)
        columns = np.union1d(columns, new)
        numbered = dataclasses.replace(numbered, mu=found.prices(model))


def _lifted(model: Model, part: Model, relaxation: Relaxation) -> Multipliers:
    """Multipliers of the whole model from those of a part of it.

    Points that the part does not hold are worth their whole weight to each site that reaches them.
    """
    given, worth = relaxation.multipliers(), model.alone().astype(np.float64)
    label = part.label
    if label is None:
        raise ValueError("no part of a model with coverage")
    share = np.zeros(len(part.weights))
    share[given.demand] = given.mu / part.weights[given.demand]
    held = np.flatnonzero(label >= 0)
    used = given.cut_y > 0
    cuts, duals = [], []
    for cut, dual, use in zip(given.cuts, given.cut_y.tolist(), used.tolist(), strict=True):
        if use and not cut.implicit:
            sites = part.site_of[np.unique(part.site[cut.columns])]
            cuts.append(clique_cut(model, sites, worth))
            duals.append(dual)
    return Multipliers(
        Block.of(model, part.origin[given.block.rows]),
        given.y,
        tuple(cuts),
        np.array(duals),
        held,
        share[label[held]] * model.weights[held],
    )
