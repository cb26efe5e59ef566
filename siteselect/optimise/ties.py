"""Among optimal portfolios, the one whose sorted site identifiers come first.

The search keeps every node that can still reach the best value *and* hold an earlier portfolio.
Sites are compared first; where the same sites tie, variants in their order
of preference (less land charged, then less cost).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import Model
from siteselect.problem.constraints import Ints


@dataclass(frozen=True, eq=False)
class Frame:
    """The model in which portfolios are compared, and which of its columns a search is about."""

    model: Model
    columns: Ints

    def part(self, columns: Ints) -> Frame:
        """The frame of some of the columns."""
        return Frame(self.model, self.columns[columns])

    def place(self, portfolio: Portfolio) -> Ints:
        """The columns of a portfolio in the model of the frame."""
        return np.searchsorted(self.model.column_of, portfolio.columns)

    def open_columns(self, local: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[J of the frame], where bool[own columns] is true."""
        found = np.zeros(self.model.n_columns, bool)
        found[self.columns[local]] = True
        return found


def may_come_first(
    model: Model, open_columns: NDArray[np.bool_], chosen: NDArray[np.int64]
) -> bool:
    """Whether some of the columns (bool[J]) may hold a portfolio that comes before ``chosen``
    (columns of ``model``).
    """
    possible = np.zeros(model.n_sites, bool)
    possible[model.site[open_columns]] = True
    taken = np.zeros(model.n_sites, bool)
    taken[model.site[chosen]] = True
    gains = np.flatnonzero(possible & ~taken)
    losses = np.flatnonzero(taken & ~possible)
    if not model.at_most and len(chosen):
        # Beyond the last site taken, a site more would be one too many.
        gains = gains[gains < model.site[chosen].max()]
    first_gain = int(gains[0]) if len(gains) else model.n_sites
    first_loss = int(losses[0]) if len(losses) else model.n_sites
    if first_gain < first_loss:
        return True
    if first_loss < model.n_sites:
        return False
    return _better_variant(model, open_columns, chosen)


def _better_variant(
    model: Model, open_columns: NDArray[np.bool_], chosen: NDArray[np.int64]
) -> bool:
    """Same sites: is a preferred variant open before one is lost?"""
    for column in chosen.tolist():
        first = int(model.start[model.site[column]])
        if bool(open_columns[first:column].any()):
            return True
        if not open_columns[column]:
            return False
    return False


def comes_before(model: Model, first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    """Whether a portfolio (sorted canonical columns) comes before another of equal value."""
    sites, others = model.site[first].tolist(), model.site[second].tolist()
    if sites != others:
        # A longer list that goes on after the shorter one comes first: more is taken in order.
        for one, other in zip(sites, others, strict=False):
            if one != other:
                return bool(one < other)
        return len(sites) > len(others)
    return bool(first.tolist() < second.tolist())
