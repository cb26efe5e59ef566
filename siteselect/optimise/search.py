"""Exact search on what survives: branch and bound with exact bounds at every node.

One linear programme stays hot; rows are added as they are violated; every node is closed by an
exact integer bound, never by a status of the floating-point solver. A choice counts only when
the referee, in integers, accepts it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Bound, Cut
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE, Model
from siteselect.optimise.relaxation import TOLERANCE, Relaxation
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.optimise.ties import comes_before, may_come_first
from siteselect.problem.constraints import Ints

STRONG_CANDIDATES = 8
STRONG_ITERATIONS = 25
RELIABLE = 2
MOST_ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Node:
    """Sites and columns fixed, and the bound of the parent."""

    state: NDArray[np.int8]
    shut: NDArray[np.bool_]
    bound: int
    depth: int
    basis: highspy.HighsBasis | None = None


@dataclass
class Outcome:
    """What a search found: the best portfolio, the nodes it took, and whether it finished.

    ``bound`` holds for everything that was searched (only meaningful when not ``finished``).
    """

    best: Portfolio | None = None
    nodes: int = 0
    finished: bool = True
    bound: int | None = None


@dataclass
class Pseudocosts:
    """Loss of objective per unit of rounding, by site and direction."""

    total: NDArray[np.float64]
    count: NDArray[np.int64]

    @staticmethod
    def empty(n_sites: int) -> Pseudocosts:
        """Nothing known."""
        return Pseudocosts(np.zeros((2, n_sites)), np.zeros((2, n_sites), np.int64))

    def of(self, sites: Ints) -> Pseudocosts:
        """A copy for some of the sites."""
        return Pseudocosts(self.total[:, sites], self.count[:, sites])

    def learn(self, sites: Ints, other: Pseudocosts) -> None:
        """Take over what was learnt for some of the sites since the copy was made."""
        self.total[:, sites], self.count[:, sites] = other.total, other.count

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
class Search:
    """Branch and bound over one (restricted) model.

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
        What branching has cost so far, where searches share it; by site of the parent model.
    """

    model: Model
    judge: Callable[[Ints], Portfolio | None]
    floor: int
    stop: Stop
    ties: bool = False
    held: Portfolio | None = None
    costs: Pseudocosts | None = None
    on_found: Callable[[Portfolio], None] | None = None
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Search until nothing is left or ``stop`` says so."""
        self.relaxation = Relaxation(self.model, np.arange(self.model.n_columns))
        self.relaxation.lp.seconds_left = self.stop.seconds_left
        sites = self.model.site_of
        own = self.costs.of(sites) if self.costs else Pseudocosts.empty(self.model.n_sites)
        self._losses = own
        self._heap: list[tuple[int, int, Node]] = []
        self._ticket = 0
        start = Node(self.model.state.copy(), self.model.shut.copy(), 2**62, 0)
        node: Node | None = start
        while node is not None:
            after = self._step(node)
            if after is node:
                self._push(node)
                self.outcome.finished = False
                break
            node = after
        if self.costs is not None:
            self.costs.learn(sites, self._losses)
        if self._heap:
            self.outcome.bound = max(-item[0] for item in self._heap)
        return self.outcome

    def _step(self, node: Node) -> Node | None:
        """The node to go on with; the same one when time is out."""
        if self.stop():
            return node
        try:
            return self._open(node) or self._pop()
        except OutOfTimeError:
            return node

    # ---- nodes ---------------------------------------------------------------------------

    def _push(self, node: Node) -> None:
        self._ticket += 1
        heapq.heappush(self._heap, (-node.bound, self._ticket, node))

    def _pop(self) -> Node | None:
        while self._heap:
            _, _, node = heapq.heappop(self._heap)
            if not self._closed(node.bound, node.state, node.shut):
                if node.basis is not None:
                    self.relaxation.lp.restore(node.basis)
                return node
        return None

    def _closed(self, bound: int, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> bool:
        """Whether a node of this bound holds nothing that is wanted."""
        if bound < self.floor:
            return True
        if not self.ties or self.held is None or bound > self.held.value:
            return False
        return not may_come_first(self.model, state, shut, self._local(self.held))

    def _local(self, portfolio: Portfolio) -> Ints:
        return np.searchsorted(self.model.column_of, portfolio.columns)

    def _open(self, node: Node) -> Node | None:
        """Bound a node, branch; the child to go on with, or ``None`` where the node is closed."""
        if self._closed(node.bound, node.state, node.shut):
            return None
        self.outcome.nodes += 1
        state, shut = node.state.copy(), node.shut.copy()
        while True:
            bound = self._bound(state, shut)
            if bound is None:
                return None
            fractional = self._fractional(state)
            if len(fractional):
                return self._branch(state, shut, bound, node.depth, fractional)
            if self._undecided():
                return self._settle(state, shut, bound, node.depth)
            if self._closed(bound.value, state, shut):
                return None

    def _bound(self, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> Bound | None:
        """Solve, separate and fix until nothing changes; ``None`` when the node is closed."""
        relaxation = self.relaxation
        for _ in range(MOST_ROUNDS):
            relaxation.fix(state, shut)
            bound = relaxation.bound_for(self.floor)
            if bound.value < self.floor:
                return None
            if relaxation.insist():
                continue
            self._tighten(state, shut, bound)
            if self._closed(bound.value, state, shut):
                return None
            if not relaxation.separate() and not self._cut_off(state, shut):
                return bound
        return bound

    def _cut_off(self, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> bool:
        """Whether the new fixings exclude the present solution."""
        loads = self.relaxation.loads()
        inside, outside = state == INSIDE, state == OUTSIDE
        if np.any(loads[inside] < 1 - TOLERANCE) or np.any(loads[outside] > TOLERANCE):
            return True
        return bool(np.any(self.relaxation.x[shut[self.relaxation.columns]] > TOLERANCE))

    def _tighten(self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound) -> None:
        """Fix what the bound cannot afford; in place."""
        room = bound.scaled - self.floor * bound.scale
        dear = (bound.column_penalty > room) & ~shut & (state[self.model.site] != OUTSIDE)
        forced = (bound.site_penalty > room) & (state == FREE)
        shut |= dear
        state[forced] = INSIDE

    # ---- leaves --------------------------------------------------------------------------

    def _fractional(self, state: NDArray[np.int8]) -> Ints:
        """Free sites chosen in part."""
        loads = self.relaxation.loads()
        part = (loads > TOLERANCE) & (loads < 1 - TOLERANCE) & (state == FREE)
        return np.flatnonzero(part)

    def _undecided(self) -> bool:
        """Whether a choice without a site in part must be split all the same.

        A choice of whole columns is judged and cut off: the node goes on without it.
        """
        x = self.relaxation.x
        if np.any((x > TOLERANCE) & (x < 1 - TOLERANCE)):
            return True
        chosen = np.sort(self.relaxation.columns[x > 0.5])
        found = self.judge(chosen)
        if found is not None:
            self._take(found)
        if self.model.at_most:
            return True
        return self.relaxation.add_cuts([Cut(chosen, len(chosen) - 1)]) == 0

    def _take(self, found: Portfolio) -> None:
        if found.value < self.floor:
            return
        held = self.held
        if held is not None and found.value == held.value:
            first = comes_before(self.model, self._local(found), self._local(held))
            held = None if first else held
        if held is not None and found.value <= held.value:
            return
        self.held = self.outcome.best = found
        self.floor = found.value if self.ties else found.value + 1
        if self.on_found is not None:
            self.on_found(found)

    def _settle(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int
    ) -> Node | None:
        """No site is chosen in part: branch on a variant, or on any site still free."""
        if self._closed(bound.value, state, shut):
            return None
        x, columns = self.relaxation.x, self.relaxation.columns
        open_columns = ~shut & (state[self.model.site] != OUTSIDE)
        open_in_site = np.bincount(self.model.site, open_columns, minlength=self.model.n_sites)
        part = columns[(x > TOLERANCE) & (x < 1 - TOLERANCE)]
        part = part[open_in_site[self.model.site[part]] > 1]
        if len(part):
            return self._branch_variant(state, shut, bound, depth, int(part.min()))
        free = np.flatnonzero(state == FREE)
        if len(free):
            loads = self.relaxation.loads()
            site = int(free[np.argmax(loads[free] > 0.5)])
            return self._split_site(state, shut, bound, depth, site, up_first=True)
        for site in np.flatnonzero(state == INSIDE).tolist():
            own = np.arange(self.model.start[site], self.model.start[site + 1])
            if open_columns[own].sum() > 1:
                first = int(own[open_columns[own]][0])
                return self._branch_variant(state, shut, bound, depth, first)
        return None

    # ---- branching -----------------------------------------------------------------------

    def _branch_variant(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int,
        column: int,
    ) -> Node:  # fmt: skip
        site = int(self.model.site[column])
        own = np.arange(self.model.start[site], self.model.start[site + 1])
        with_it, without = shut.copy(), shut.copy()
        with_it[own[own != column]] = True
        without[column] = True
        inside = state.copy()
        inside[site] = INSIDE
        basis = self.relaxation.lp.basis()
        self._push(Node(state, without, bound.value, depth + 1, basis))
        return Node(inside, with_it, bound.value, depth + 1)

    def _split_site(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int, site: int,
        *, up_first: bool,
    ) -> Node:  # fmt: skip
        inside, outside = state.copy(), state.copy()
        inside[site], outside[site] = INSIDE, OUTSIDE
        first, second = (inside, outside) if up_first else (outside, inside)
        basis = self.relaxation.lp.basis()
        self._push(Node(second, shut, bound.value, depth + 1, basis))
        return Node(first, shut, bound.value, depth + 1)

    def _branch(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int,
        fractional: Ints,
    ) -> Node:  # fmt: skip
        site = self._choose(state, shut, fractional)
        up_first = bool(self.relaxation.loads()[site] > 0.5)
        return self._split_site(state, shut, bound, depth, site, up_first=up_first)

    def _choose(self, state: NDArray[np.int8], shut: NDArray[np.bool_], fractional: Ints) -> int:
        """Pseudocost branching, unreliable candidates tried for a few iterations."""
        loads = self.relaxation.loads()[fractional]
        score = self._product(fractional, loads)
        order = fractional[np.argsort(-score, kind="stable")]
        few = self._losses.count[:, order].min(axis=0) < RELIABLE
        doubtful = order[few][:STRONG_CANDIDATES]
        if len(doubtful):
            self._try(state, shut, doubtful)
            score = self._product(fractional, loads)
        return int(fractional[np.argmax(score)])

    def _product(self, sites: Ints, loads: NDArray[np.float64]) -> NDArray[np.float64]:
        down = self._losses.estimate(0)[sites] * loads
        up = self._losses.estimate(1)[sites] * (1 - loads)
        return np.maximum(down, 1e-9) * np.maximum(up, 1e-9)

    def _try(self, state: NDArray[np.int8], shut: NDArray[np.bool_], sites: Ints) -> None:
        """Strong branching: a few dual simplex iterations each way."""
        relaxation = self.relaxation
        basis, here = relaxation.lp.basis(), relaxation.lp.objective
        loads = relaxation.loads()
        for site in sites.tolist():
            for direction, fixed, distance in (
                (0, OUTSIDE, loads[site]),
                (1, INSIDE, 1 - loads[site]),
            ):
                trial = state.copy()
                trial[site] = fixed
                relaxation.fix(trial, shut)
                loss = here - relaxation.lp.trial(STRONG_ITERATIONS)
                self._losses.note(direction, site, loss / max(float(distance), 1e-6))
                relaxation.lp.restore(basis)
        relaxation.fix(state, shut)
