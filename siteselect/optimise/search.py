"""Exact search on what survives: branch and bound with exact bounds at every node.

One linear programme stays hot; rows are added as they are violated; every node is closed by an
exact integer bound, never by a status of the floating-point solver. A choice counts only when
the referee, in integers, accepts it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Bound, Cut
from siteselect.optimise.branching import Branching, Pseudocosts
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.lp import Basis
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE, Model, restrict
from siteselect.optimise.relaxation import TOLERANCE, Relaxation
from siteselect.optimise.rounding import Rounding
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.optimise.ties import Frame, comes_before, may_come_first
from siteselect.problem.constraints import Ints

APART = 0.5
"""A node left with no more than this share of the columns gets a programme of its own."""
SHRUNK = 0.7
"""A root left with no more than this share of its columns is worth writing anew: it is smaller."""
MOST_ROUNDS = 30
HARD, ROUNDS = 500, 10
"""A search of more nodes than this starts anew, with so many rounds of rows at its root that only
whole choices respect: they cost more than they save where the tree is small."""
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
class Outcome:
    """What a search found: the best portfolio, the nodes it took, and whether it finished.

    ``bound`` holds for everything that was searched (only meaningful when not ``finished``).
    ``left`` is set where the root alone ruled out so many columns that the search should start
    anew on the others: what it found out is in it, nothing else was searched.
    """

    best: Portfolio | None = None
    nodes: int = 0
    finished: bool = True
    bound: int | None = None
    left: Left | None = None


@dataclass(frozen=True, eq=False)
class Left:
    """What a root leaves: columns (local, ascending) and the state of the sites."""

    columns: Ints
    state: NDArray[np.int8]


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
        self.relaxation = Relaxation(self.model, np.arange(self.model.n_columns))
        self.relaxation.lp.seconds_left = self.stop.seconds_left
        self.relaxation.add_rounded(list(self.rounded))
        sites = self.model.site_of
        self._branching = Branching(self.relaxation, self.costs.of(sites), self._closed)
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
            if self.outcome.nodes > HARD and not self.rounds and node is not None:
                self._anew()
        self.costs.learn(sites, self._branching.losses)
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
        open_columns = self.frame.open_columns(~shut & (state[self.model.site] != OUTSIDE))
        return not may_come_first(self.frame.model, open_columns, self.frame.place(self.held))

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
            place = self.frame.place
            held = None if comes_before(self.frame.model, place(found), place(held)) else held
        if held is not None and found.value <= held.value:
            return
        self.held = self.outcome.best = found
        self.floor = found.value if self.ties else found.value + 1
        if self.on_found is not None:
            self.on_found(found)
        if self._root is not None:
            self._anew(SHRUNK)

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
        outcome = searched(
            model, kept, state, frame=self.frame.part(kept), judge=self.judge, floor=self.floor,
            stop=self.stop, ties=self.ties, held=self.held, costs=self._branching.losses,
            on_found=self._take, rounded=self.relaxation.rounded_in_use(),
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


def searched(
    model: Model, columns: Ints, state: NDArray[np.int8], *,
    judge: Callable[[Ints], Portfolio | None], floor: int, stop: Stop, ties: bool,
    held: Portfolio | None, costs: Pseudocosts, frame: Frame | None = None,
    on_found: Callable[[Portfolio], None] | None = None, rounds: int = 0,
    rounded: Sequence[Rounding] = (),
) -> Outcome:  # fmt: skip
    """Search everything worth ``floor`` among some columns of a model, to the end.

    Written anew wherever a root rules out many of them. ``judge`` takes columns of ``model``;
    without ``frame`` portfolios are compared among the columns.
    """
    nodes = 0
    best: Portfolio | None = None
    while True:
        part = restrict(model, columns, state, for_good=True)
        frame = Frame(part, np.arange(len(columns))) if frame is None else frame
        search = Search(
            part, partial(_judge_of, judge, columns), floor, stop, frame, costs, ties=ties,
            held=held, on_found=on_found, rounds=rounds,
            rounded=[one for row in rounded if (one := row.among(columns)) is not None],
        )  # fmt: skip
        outcome = search.run()
        nodes += outcome.nodes
        best = outcome.best or best
        if outcome.left is None:
            return replace(outcome, nodes=nodes, best=best)
        floor, held = search.floor, search.held
        rounds = ROUNDS if outcome.nodes > HARD else rounds
        state = state.copy()
        state[part.site_of] = outcome.left.state
        columns = columns[outcome.left.columns]
        frame = frame.part(outcome.left.columns)


def _judge_of(
    judge: Callable[[Ints], Portfolio | None], columns: Ints, local: Ints
) -> Portfolio | None:  # fmt: skip
    return judge(columns[local])
