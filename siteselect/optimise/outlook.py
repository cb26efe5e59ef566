"""What the relaxation says of the portfolios without a site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import NEVER, Bound, Multipliers, exact_bound
from siteselect.optimise.model import OUTSIDE, Model
from siteselect.optimise.polish import Hot, cheapest_columns
from siteselect.optimise.root import Root, resift
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.optimise.turns import in_turn
from siteselect.problem.constraints import Ints

HELD, NEAR = 20, 20
"""A hot programme holds so many columns for each site wanted, each outlook keeps so many."""
CHAINS = 2
"""So many hot programmes share the sites: always as many, whatever the number of threads."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """The exact bound without ``site``, and what it says of columns and of other sites.

    ``columns`` are those that a good portfolio may hold, ascending, with their penalties; every
    other column has at least the penalty ``beyond``. ``sites`` are those that it can hardly miss.
    """

    site: int
    multipliers: Multipliers
    scaled: int
    scale: int
    columns: Ints
    penalty: Ints
    beyond: int
    sites: Ints
    site_penalty: Ints

    @property
    def value(self) -> int:
        """No portfolio without the site is worth more."""
        return self.scaled // self.scale

    @property
    def nearest(self) -> int:
        """What is worth at least this much holds columns near only."""
        return (self.scaled - self.beyond) // self.scale + 1

    @staticmethod
    def of(model: Model, site: int, multipliers: Multipliers, bound: Bound) -> Outlook:
        """The cheapest columns of a bound without a site."""
        wanted, beyond = min(model.n_columns, NEAR * model.count), int(NEVER)
        columns = np.arange(model.n_columns)
        if wanted < model.n_columns:
            order = np.argpartition(bound.column_penalty, wanted)
            columns, beyond = np.sort(order[:wanted]), int(bound.column_penalty[order[wanted]])
        sites = np.flatnonzero(bound.site_penalty > 0)
        penalty, of_sites = bound.column_penalty[columns], bound.site_penalty[sites]
        return Outlook(
            site, multipliers.to_keep(), bound.scaled, bound.scale, columns, penalty, beyond,
            sites, of_sites,
        )  # fmt: skip

    def bound_among(self, model: Model, near: Model, most: Mapping[int, int]) -> Bound:
        """The bound over the columns of a part of the model.

        ``most`` says of other sites what a portfolio without them is worth at most.
        """
        column = np.full(near.n_columns, self.beyond)
        column[np.searchsorted(near.column_of, self.columns)] = self.penalty
        site = np.zeros(model.n_sites, np.int64)
        site[self.sites] = self.site_penalty
        for one, value in most.items():
            site[one] = max(site[one], self.scaled - value * self.scale)
        return Bound(self.scaled, self.scale, column, site[near.site_of])

    def prices_among(self, model: Model, near: Model) -> NDArray[np.float64] | None:
        """Prices of the points of a part of the model."""
        prices = self.multipliers.prices(model)
        if prices is None or near.label is None:
            return None
        kept = near.label >= 0
        summed = np.zeros(len(near.weights))
        np.add.at(summed, near.label[kept], prices[kept])
        return summed


def without(model: Model, site: int) -> NDArray[np.int8]:
    """int8[S], the fixings of a model with one site more outside."""
    state = model.state.copy()
    state[site] = OUTSIDE
    return state


def outlooks(
    model: Model, root: Root, sites: Sequence[int],
    *, stop: Stop, give_up: Callable[[], None], workers: int,
) -> tuple[list[Outlook], Ints]:  # fmt: skip
    """The outlook without each site, and columns that hot programmes held in the end.

    Where time runs out the multipliers of the root serve: what they say holds too.
    ``give_up`` makes ``stop`` say so at once.
    """
    if not root.finished or model.flow is not None:
        return [_resifted(model, root, site, stop) for site in sites], np.zeros(0, np.int64)
    shares = [sites[i::CHAINS] for i in range(CHAINS)]
    chains = in_turn(
        shares, lambda share: partial(_chain, model, root, share, stop), lambda _, done: done,
        give_up=give_up, ahead=CHAINS, workers=workers,
    )  # fmt: skip
    done = list(chains)
    return [one for found, _ in done for one in found], np.concatenate([held for _, held in done])


def _resifted(model: Model, root: Root, site: int, stop: Stop) -> Outlook:
    root.relaxation.fix(without(model, site), model.shut)
    found = resift(model, root.relaxation, stop=stop)
    return Outlook.of(model, site, found.multipliers, found.bound)


def _chain(
    model: Model, root: Root, sites: Sequence[int], stop: Stop
) -> tuple[list[Outlook], Ints]:  # fmt: skip
    """The outlooks without some sites from one programme, kept hot; the columns it holds then."""
    prices = root.multipliers.prices(model)
    hot = Hot(model, cheapest_columns(model, root.bound, HELD), prices, stop=stop)
    found = []
    for site in sites:
        state = without(model, site)
        try:
            hot, multipliers, bound = hot.bounded(state)
        except OutOfTimeError:
            multipliers = root.multipliers
            bound = exact_bound(model, multipliers, state, model.shut)
        found.append(Outlook.of(model, site, multipliers, bound))
    return found, hot.columns
