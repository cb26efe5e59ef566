"""Branch and bound in Python on a programme in HiGHS: for models that are not compiled.

Those with workers that sites share, or with more rows or sites than the compiled search writes out.
One linear programme stays hot; rows are added as they are violated; every node is closed by an
exact integer bound, never by a status of the floating-point solver. A choice counts only when
the referee, in integers, accepts it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise import seeking
from siteselect.optimise.bound import Bound, Cut
from siteselect.optimise.branching import Branching
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.lp import Basis
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE
from siteselect.optimise.relaxation import TOLERANCE, Relaxation
from siteselect.optimise.seeking import Left, Outcome, Seeking
from siteselect.optimise.stop import OutOfTimeError
from siteselect.problem.constraints import Ints

APART = 0.5
"""A node left with no more than this share of the columns gets a programme of its own."""
SHRUNK = 0.7
"""A root left with no more than this share of its columns is worth writing anew: it is smaller."""
MOST_ROUNDS = 30
SLOW_ROUNDS, SLOW = 3, 0.05
"""Rows of whole choices end where so many rounds lowered the bound by less than this share of what
there is above the floor."""


@dataclass(frozen=True, eq=False)
class Node:
    """Sites and columns fixed, and the bound of the parent."""

    state: NDArray[np.int8]
    shut: NDArray[np.bool_]
    bound: int
    depth: int
    basis: Basis | None = None


@dataclass
class NodeSearch(Seeking):
    """One node at a time; with ``most`` the search is to start anew after so many of its own."""

    most: int | None = None

    def run(self) -> Outcome:
        """Search until nothing is left or ``stop`` says so."""
        self.relaxation = Relaxation(self.model, np.arange(self.model.n_columns))
        self.relaxation.lp.seconds_left = self.stop.seconds_left
        self.relaxation.add_rounded(list(self.rounded))
        sites = self.model.site_of
        self._branching = Branching(self.relaxation, self.costs.of(sites), self.closed)
        self._heap: list[tuple[int, int, Node]] = []
        self._ticket = 0
        self._bounds: list[int] = []
        self._root: tuple[Bound, NDArray[np.int8]] | None = None
        start = Node(self.model.state.copy(), self.model.shut.copy(), 2**62, 0)
        node: Node | None = start
        while node is not None and self.outcome.left is None:
            after = self._step(node)
            if after is node:
                self._push(node)
                self.outcome.finished = False
                break
            node = after
            if node is not None and self._long():
                self._anew()
        self.costs.learn(sites, self._branching.losses)
        if self._heap:
            self.outcome.bound = max(-item[0] for item in self._heap)
        return self.outcome

    def _long(self) -> bool:
        """Whether another kind of search, or another root, would be quicker from here."""
        many = self.outcome.nodes
        return (many > seeking.HARD and not self.rounds) or (
            self.most is not None and many >= self.most
        )

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
            if not self.closed(node.bound, node.state, node.shut):
                if node.basis is not None:
                    self.relaxation.lp.restore(node.basis)
                return node
        return None

    def _open(self, node: Node) -> Node | None:
        """Bound a node, branch; the child to go on with, or ``None`` where the node is closed."""
        if self.closed(node.bound, node.state, node.shut):
            return None
        self.outcome.nodes += 1
        self._branching.losses.nodes += 1
        state, shut = node.state.copy(), node.shut.copy()
        while True:
            bound = self._bound(state, shut)
            if bound is None:
                return None
            fractional = self._fractional(state)
            if len(fractional):
                if node.depth and self._apart(state, shut):
                    return None
                if node.depth == 0 and self._round_off(bound):
                    continue
                site = self._branching.choose(
                    state, shut, fractional, self.floor, at_root=node.depth == 0
                )
                if site is None:
                    continue
                if node.depth == 0:
                    self._root = (bound, state.copy())
                    if self._shrunk(state, shut):
                        return None
                return self._branch(state, shut, bound, node.depth, site)
            if self._undecided():
                return self._settle(state, shut, bound, node.depth)
            if self.closed(bound.value, state, shut):
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
            if self.closed(bound.value, state, shut):
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
            self._taken(found)
        if self.model.at_most:
            return True
        return self.relaxation.add_cuts([Cut(chosen, len(chosen) - 1)]) == 0

    def _taken(self, found: Portfolio) -> None:
        if self.take(found) and self._root is not None:
            self._anew(SHRUNK)

    def _settle(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int
    ) -> Node | None:
        """No site is chosen in part: branch on a variant, or on any site still free."""
        if self.closed(bound.value, state, shut):
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

    def _round_off(self, bound: Bound) -> bool:
        """Whether rows of whole choices were added that the solution violates."""
        self._bounds.append(bound.value)
        if not self.rounds or len(self._bounds) > self.rounds:
            return False
        if len(self._bounds) > SLOW_ROUNDS:
            lowered = self._bounds[-1 - SLOW_ROUNDS] - bound.value
            if lowered < SLOW * (bound.value - self.floor):
                return False
        return self.relaxation.round_off() > 0

    def _apart(self, state: NDArray[np.int8], shut: NDArray[np.bool_]) -> bool:
        """Search a node to its end in a programme of its own, where that is much smaller.

        Raises
        ------
        OutOfTimeError
            Time ran out before that.
        """
        kept = np.flatnonzero(~shut & (state[self.model.site] != OUTSIDE))
        if len(kept) > APART * self.model.n_columns:
            return False
        model = replace(self.model, mu=self.relaxation.multipliers().prices(self.model))
        from siteselect.optimise.search import searched

        outcome = searched(
            model, kept, state, frame=self.frame.part(kept), judge=self.judge, floor=self.floor,
            stop=self.stop, ties=self.ties, held=self.held, costs=self._branching.losses,
            on_found=self._taken, rounded=self.relaxation.rounded_in_use(),
        )  # fmt: skip
        self.outcome.nodes += outcome.nodes
        if not outcome.finished:
            raise OutOfTimeError
        return True

    def _anew(self, share: float = 1.0) -> None:
        """End the search, to start anew on what the root leaves by now, where it is little."""
        if self._root is None:
            return
        bound, state = self._root
        state, shut = state.copy(), self.model.shut.copy()
        self._tighten(state, shut, bound)
        self._shrunk(state, shut, share)

    def _shrunk(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], share: float = SHRUNK
    ) -> bool:
        """Whether the root ruled out so much that the search is to start anew on the rest."""
        kept = np.flatnonzero(~shut & (state[self.model.site] != OUTSIDE))
        if len(kept) > share * self.model.n_columns:
            return False
        self.outcome.left = Left(kept, state)
        return True

    def _branch(
        self, state: NDArray[np.int8], shut: NDArray[np.bool_], bound: Bound, depth: int, site: int
    ) -> Node:  # fmt: skip
        up_first = bool(self.relaxation.loads()[site] > 0.5)
        return self._split_site(state, shut, bound, depth, site, up_first=up_first)
