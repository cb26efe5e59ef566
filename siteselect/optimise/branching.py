"""Which site to branch on: what branching has cost so far, and trials where little is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.model import INSIDE, OUTSIDE
from siteselect.optimise.relaxation import Relaxation
from siteselect.problem.constraints import Ints

States = NDArray[np.int8]
Bools = NDArray[np.bool_]
STRONG_CANDIDATES, STRONG_ITERATIONS, RELIABLE = 8, 25, 2
"""So many sites are tried for so many iterations until each has been tried so often."""
ROOT_ITERATIONS, ROOT_FAILURES = 2_000, 10
"""At a root sites are tried to the end, until so many in a row decide nothing."""


@dataclass
class Pseudocosts:
    """Loss of objective per unit of rounding, by site and direction, and nodes opened so far."""

    total: NDArray[np.float64]
    count: NDArray[np.int64]
    nodes: int = 0

    @staticmethod
    def empty(n_sites: int, nodes: int = 0) -> Pseudocosts:
        """Nothing known."""
        return Pseudocosts(np.zeros((2, n_sites)), np.zeros((2, n_sites), np.int64), nodes)

    def of(self, sites: Ints) -> Pseudocosts:
        """A copy for some of the sites."""
        return Pseudocosts(self.total[:, sites], self.count[:, sites], self.nodes)

    def learn(self, sites: Ints, other: Pseudocosts) -> None:
        """Take over what was learnt for some of the sites since the copy was made."""
        self.total[:, sites], self.count[:, sites] = other.total, other.count
        self.nodes = other.nodes

    def copy(self) -> Pseudocosts:
        """What is known, to learn more apart."""
        return Pseudocosts(self.total.copy(), self.count.copy(), self.nodes)

    def add(self, other: Pseudocosts, before: Pseudocosts) -> None:
        """Take over what a copy learnt since it was made, when it was as ``before``."""
        self.total += other.total - before.total
        self.count += other.count - before.count
        self.nodes += other.nodes - before.nodes

    def note(self, direction: int, site: int, loss_per_unit: float) -> None:
        """One more loss seen: downwards (0) or upwards (1)."""
        self.total[direction, site] += max(0.0, loss_per_unit)
        self.count[direction, site] += 1

    def estimate(self, direction: int) -> NDArray[np.float64]:
        """float[S], the mean loss of each site; that of all where none was seen."""
        known = self.count[direction] > 0
        mean = self.total[direction].sum() / max(1, int(self.count[direction].sum()))
        guess = np.full(len(known), mean if mean > 0 else 1.0)
        guess[known] = self.total[direction, known] / self.count[direction, known]
        return guess


@dataclass
class Branching:
    """Chooses the site to branch on (reliability branching: Achterberg, Koch and Martin 2005).

    ``closed`` says whether a node of a bound, with these fixings, holds nothing that is wanted.
    """

    relaxation: Relaxation
    losses: Pseudocosts
    closed: Callable[[int, States, Bools], bool]
    _tried: list[int] = field(default_factory=list)

    def choose(
        self, state: States, shut: Bools, fractional: Ints, floor: int, *, at_root: bool
    ) -> int | None:
        """The site with the highest product of losses, unreliable candidates tried.

        ``None`` where a trial decided a site (``state`` is changed): there is another bound now.
        """
        loads = self.relaxation.loads()[fractional]
        score = self._product(fractional, loads)
        order = fractional[np.argsort(-score, kind="stable")]
        if at_root:
            doubtful = order[~np.isin(order, self._tried)]
            limit, patience = ROOT_ITERATIONS, ROOT_FAILURES
        else:
            few = self.losses.count[:, order].min(axis=0) < RELIABLE
            doubtful = order[few][:STRONG_CANDIDATES]
            limit, patience = STRONG_ITERATIONS, STRONG_CANDIDATES
        if len(doubtful):
            if self._try(state, shut, doubtful[:patience], floor, limit):
                return None
            score = self._product(fractional, loads)
        return int(fractional[np.argmax(score)])

    def _product(self, sites: Ints, loads: NDArray[np.float64]) -> NDArray[np.float64]:
        down = self.losses.estimate(0)[sites] * loads
        up = self.losses.estimate(1)[sites] * (1 - loads)
        return np.maximum(down, 1e-9) * np.maximum(up, 1e-9)

    def _try(self, state: States, shut: Bools, sites: Ints, floor: int, limit: int) -> bool:
        """Strong branching: dual simplex iterations each way; whether that decided a site.

        A trial whose exact bound closes it leaves only the other way: ``state`` is changed.
        """
        relaxation = self.relaxation
        basis, here = relaxation.lp.basis(), relaxation.lp.objective
        loads = relaxation.loads()
        for site in sites.tolist():
            for direction, fixed, other, distance in (
                (0, OUTSIDE, INSIDE, loads[site]),
                (1, INSIDE, OUTSIDE, 1 - loads[site]),
            ):
                trial = state.copy()
                trial[site] = fixed
                relaxation.fix(trial, shut)
                value, bound = relaxation.trial(floor, limit)
                self.losses.note(direction, site, (here - value) / max(float(distance), 1e-6))
                relaxation.lp.restore(basis)
                if bound is not None and self.closed(bound.value, trial, shut):
                    state[site] = other
                    relaxation.fix(state, shut)
                    return True
            self._tried.append(site)
        relaxation.fix(state, shut)
        return False
