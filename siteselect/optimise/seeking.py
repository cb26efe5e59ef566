"""What every search knows: what it looks for, who judges, the best so far, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import OUTSIDE, Model
from siteselect.optimise.rounding import Rounding
from siteselect.optimise.stop import Stop
from siteselect.optimise.ties import Frame, comes_before, may_come_first
from siteselect.problem.constraints import Ints

HARD, ROUNDS = 1_000, 10
"""A search of more nodes than this starts anew, with so many rounds of rows at its root that only
whole choices respect: they cost more than they save where the tree is small."""


@dataclass
class Outcome:
    """What a search found: the best portfolio, the nodes it took, and whether it finished.

    ``bound`` holds for everything that was searched (only meaningful when not ``finished``).
    ``left`` is set where the root alone ruled out so many columns that the search should start
    anew on the others: what it found out is in it, nothing else was searched. ``too_many_rows``
    says that it must not be compiled then.
    """

    best: Portfolio | None = None
    nodes: int = 0
    finished: bool = True
    bound: int | None = None
    left: Left | None = None
    too_many_rows: bool = False


@dataclass(frozen=True, eq=False)
class Left:
    """What a root leaves: columns (local, ascending) and the state of the sites."""

    columns: Ints
    state: NDArray[np.int8]


@dataclass
class Seeking:
    """A search over one (restricted) model.

    Attributes
    ----------
    model
        The survivors.
    judge
        Local columns → portfolio or ``None``.
    floor
        Only portfolios worth at least this much are wanted; rises as they are found.
    stop
        Asked at every node; true ends the search with a valid bound.
    ties
        Whether the search goes on among equals, for the portfolio that comes first, instead of
        asking for one unit more.
    held
        The best portfolio so far, where there is one worth ``floor`` with ties.
    costs
        What branching has cost so far; by site of the parent model.
    frame
        Where portfolios are compared.
    rounds
        So often a root may add rows that only whole choices respect.
    rounded
        Such rows that are known already.
    """

    model: Model
    judge: Callable[[Ints], Portfolio | None]
    floor: int
    stop: Stop
    frame: Frame
    costs: Pseudocosts
    ties: bool = False
    held: Portfolio | None = None
    on_found: Callable[[Portfolio], None] | None = None
    rounds: int = 0
    rounded: Sequence[Rounding] = ()
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Search until nothing is left or ``stop`` says so."""
        raise NotImplementedError

    def closed(self, bound: int, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> bool:
        """Whether a node of this bound holds nothing that is wanted."""
        if bound < self.floor:
            return True
        if not self.ties or self.held is None or bound > self.held.value:
            return False
        open_columns = self.frame.open_columns(~shut & (state[self.model.site] != OUTSIDE))
        return not may_come_first(self.frame.model, open_columns, self.frame.place(self.held))

    def take(self, found: Portfolio) -> bool:
        """Keep a portfolio that is better, or comes first among equals; whether it was kept."""
        if found.value < self.floor:
            return False
        held = self.held
        if held is not None and found.value == held.value:
            place = self.frame.place
            held = None if comes_before(self.frame.model, place(found), place(held)) else held
        if held is not None and found.value <= held.value:
            return False
        self.held = self.outcome.best = found
        self.floor = found.value if self.ties else found.value + 1
        if self.on_found is not None:
            self.on_found(found)
        return True
