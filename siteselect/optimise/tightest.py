"""A portfolio where one requirement leaves hardly any: the most that it would allow.

A budget at the least with which there is a portfolio leaves one among millions of choices. A search
for the best score does not meet it; the search for the least money does, and the limit is kept.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from siteselect.optimise.clock import Run
from siteselect.optimise.exact import Referee
from siteselect.optimise.model import Model
from siteselect.optimise.root import Root
from siteselect.optimise.sides import sides_of
from siteselect.optimise.stop import OutOfTimeError
from siteselect.problem import NO_LOWER, NO_UPPER, Constraint

MOST_S, SHARE = 60.0, 0.3
"""Seconds for it, at most this share of the time left."""


def within_the_tightest(run: Run, model: Model, root: Root, referee: Referee) -> None:
    """Give the run a portfolio that leaves the requirement that weighs most in its bound the most
    room, where the referee accepts it.
    """
    one = tightest(run, model, root)
    if one is None:
        return
    place = np.argsort(model.column_of)
    for side in sides_of(run.problem, one):
        found = side.extreme(min(MOST_S, SHARE * run.seconds_left()))
        if found is None or found.value is None:
            continue
        with suppress(OutOfTimeError):
            portfolio = referee.judge(place[found.columns])
            if portfolio is not None:
                run.found(portfolio)


def tightest(run: Run, model: Model, root: Root) -> Constraint | None:
    """The constraint whose figure the multipliers of the root price highest."""
    given = root.multipliers
    rows = given.block.rows
    side = np.where(given.y > 0, model.upper[rows], model.lower[rows])
    known = (side != NO_UPPER) & (side != NO_LOWER) & (model.origin[rows] >= 0)
    if not known.any():
        return None
    price = np.where(known, np.abs(given.y) * np.maximum(np.abs(side.astype(np.float64)), 1), 0.0)
    return run.problem.constraints[int(model.origin[rows[int(np.argmax(price))]])]
