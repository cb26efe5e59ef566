"""The branching tree of a certificate: grown once the optimum is known, for the proof alone.

Depth first, on what survives the fixing at the root. Every node keeps the multipliers that an
auditor needs to repeat its fixings and to close it; branches are exhaustive by construction (a
site in or out, a column or not, a parcel up to so many units or more). Nothing here has to find
a portfolio: meeting one worth more than the bound is a contradiction, and is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Cut
from siteselect.optimise.certificate_parcels import Lemma, impossible
from siteselect.optimise.certificate_steps import Fixings, Proven, Step, fixed, proven, step_of
from siteselect.optimise.exact import Referee
from siteselect.optimise.lp import Basis
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE, Model
from siteselect.optimise.relaxation import TOLERANCE, Relaxation
from siteselect.optimise.stop import OutOfTimeError, Stop
from siteselect.problem.constraints import Ints

MOST_ROUNDS = 40
HARD, ROUNDS = 300, 10
"""A tree of more nodes than this is grown anew, with so many rounds of rows at its root that only
whole choices respect."""
CANDIDATES = 8
TRIAL_ITERATIONS = 25
RELIABLE = 4

Branch = tuple[str, int]
"""``site`` s: first in, then out; ``column`` j: first chosen, then not."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """One node: the steps that fix or close it, then how it branches; neither: left open.

    ``parcels`` closes a node whose choice is complete: no restoration goes with it.
    """

    steps: tuple[Step, ...] = ()
    branch: Branch | None = None
    closed: bool = False
    parcels: Lemma | None = None


class ContradictionError(Exception):
    """A portfolio worth more than the bound that was to be proven."""


@dataclass
class _Losses:
    """What branching on a site has cost so far, per unit of rounding, downwards and upwards."""

    total: NDArray[np.float64]
    count: NDArray[np.int64]

    def note(self, direction: int, site: int, loss: float) -> None:
        self.total[direction, site] += max(0.0, loss)
        self.count[direction, site] += 1

    def mean(self, sites: Ints) -> NDArray[np.float64]:
        known = self.count.sum()
        guess = self.total.sum() / known if known else 1.0
        count = self.count[:, sites]
        return np.where(count > 0, self.total[:, sites] / np.maximum(count, 1), guess)


@dataclass
class Tree:
    """Grows the tree of one model for one floor: no portfolio is worth ``floor`` or more.

    Attributes
    ----------
    columns
        index of each column in the model that the referee knows.
    capacity, whole
        units of each parcel, and whether it is restored whole or not at all.
    nodes
        in preorder, the first child right after its parent.
    lemmas
        choices of columns (of ``model``) without any restoration, with their proof.
    open_nodes
        nodes left open by the limit: the proof is then not complete.
    """

    model: Model
    referee: Referee
    columns: Ints
    capacity: Ints
    whole: bool
    floor: int
    stop: Stop
    nodes: list[Leaf] = field(default_factory=list)
    lemmas: list[tuple[Ints, Lemma]] = field(default_factory=list)
    open_nodes: int = 0

    def grow(self) -> None:
        """Until every node is closed, or ``stop``."""
        shape = (2, self.model.n_sites)
        self._losses = _Losses(np.zeros(shape), np.zeros(shape, np.int64))
        self._lemma_keys: set[bytes] = set()
        self._rounds: int | None = None
        waiting = self._planted()
        while waiting:
            if len(self.nodes) > HARD and self._rounds is None:
                self._rounds = ROUNDS
                waiting = self._planted()
            at, basis = waiting.pop()
            if self.stop():
                self._leave_open()
                continue
            if basis is not None:
                self._relaxation.lp.restore(basis)
            try:
                children = self._open(at)
            except OutOfTimeError:
                self._leave_open()
                continue
            if children:
                after = self._relaxation.lp.basis()
                waiting += [(children[1], after), (children[0], None)]

    def _planted(self) -> list[tuple[Fixings, Basis | None]]:
        """The root alone; what is known of losses and choices without restoration stays."""
        model = self.model
        self.nodes, self.open_nodes = [], 0
        self._kinds: dict[int, tuple[str, Ints] | None] = {}
        self._relaxation = Relaxation(model, np.arange(model.n_columns))
        self._relaxation.lp.seconds_left = self.stop.seconds_left
        self._relaxation.add_cuts([_excluding(chosen) for chosen, _ in self.lemmas])
        return [(Fixings(model.state.copy(), model.shut.copy()), None)]

    def _leave_open(self) -> None:
        self.open_nodes += 1
        self.nodes.append(Leaf())

    # ---- one node ------------------------------------------------------------------------

    def _open(self, start: Fixings) -> tuple[Fixings, Fixings] | None:
        """Close a node or branch; its children."""
        at, steps = start, list[Step]()
        while True:
            step, at, closed = self._bound(at, steps)
            if closed:
                self._note(start, steps, step)
                return None
            if self._rounded_off():
                continue
            found = self._next(at)
            if found is None:
                continue
            if isinstance(found, Leaf):
                self.nodes.append(
                    Leaf(tuple(self._needed(start, at, steps)), None, found.closed, found.parcels)
                )
                self.open_nodes += not found.closed
                return None
            kind, place = found
            self.nodes.append(Leaf(tuple(self._needed(start, at, steps)), (kind, place)))
            return self._children(at, kind, place)

    def _rounded_off(self) -> bool:
        """Whether the root was given rows of whole choices that the solution violates."""
        if self.nodes or not self._rounds:
            return False
        self._rounds -= 1
        return self._relaxation.round_off() > 0

    def _bound(self, at: Fixings, steps: list[Step]) -> tuple[Step, Fixings, bool]:
        """Solve, fix and separate until nothing changes or the node is closed."""
        relaxation, model = self._relaxation, self.model
        for _ in range(MOST_ROUNDS):
            relaxation.fix(at.state, at.shut)
            relaxation.solve()
            step, found = self._proven(at)
            if found.value < self.floor:
                return step, at, True
            after = fixed(model, at, found, self.floor)
            if after is not None:
                steps.append(step)
                at = after
            if not relaxation.separate() and not self._cut_off(at):
                break
        return step, at, False

    def _proven(self, at: Fixings) -> tuple[Step, Proven]:
        step = step_of(self.model, self._relaxation.multipliers(), self._kind)
        return step, proven(self.model, step, at)

    def _kind(self, cut: Cut) -> tuple[str, Ints] | None:
        """A clique of sites, a lemma, or a row of which this module knows no reason."""
        if id(cut) not in self._kinds:
            found: tuple[str, Ints] | None = None
            sites = np.unique(self.model.site[cut.columns])
            if cut.columns.tobytes() in self._lemma_keys and cut.upper == len(cut.columns) - 1:
                found = ("lemma", cut.columns)
            elif cut.upper == 1 and self.model.conflicts:
                among = self.model.conflicts.among(sites)
                if bool((among | np.eye(len(sites), dtype=bool)).all()):
                    found = ("clique", sites)
            self._kinds[id(cut)] = found
        return self._kinds[id(cut)]

    def _cut_off(self, at: Fixings) -> bool:
        """Whether the fixings exclude the present solution."""
        loads = self._relaxation.loads()
        if np.any(loads[at.state == INSIDE] < 1 - TOLERANCE):
            return True
        if np.any(loads[at.state == OUTSIDE] > TOLERANCE):
            return True
        return bool(np.any(self._relaxation.x[at.shut[self._relaxation.columns]] > TOLERANCE))

    def _note(self, start: Fixings, steps: list[Step], last: Step) -> None:
        """A closed leaf: the last step alone where that is enough."""
        if proven(self.model, last, start).value < self.floor:
            steps = []
        self.nodes.append(Leaf((*steps, last), None, True))

    def _needed(self, start: Fixings, end: Fixings, steps: list[Step]) -> list[Step]:
        """Fewer steps that rule out as much: the last alone, where that does."""
        if len(steps) > 1:
            alone = fixed(self.model, start, proven(self.model, steps[-1], start), self.floor)
            if (
                alone is not None
                and np.array_equal(alone.state, end.state)
                and np.array_equal(alone.shut, end.shut)
            ):
                return steps[-1:]
        return steps

    # ---- going on ------------------------------------------------------------------------

    def _next(self, at: Fixings) -> Branch | Leaf | None:
        """How to branch, a leaf, or ``None`` where a lemma was added: solve again."""
        model, relaxation = self.model, self._relaxation
        loads = relaxation.loads()
        part = np.flatnonzero((loads > TOLERANCE) & (loads < 1 - TOLERANCE) & (at.state == FREE))
        if len(part):
            return "site", self._choose(at, part, loads)
        x, columns = relaxation.x, relaxation.columns
        mixed = columns[(x > TOLERANCE) & (x < 1 - TOLERANCE)]
        open_columns = ~at.shut & (at.state[model.site] != OUTSIDE)
        several = np.bincount(model.site, open_columns, minlength=model.n_sites) > 1
        mixed = mixed[several[model.site[mixed]]]
        if len(mixed):
            return "column", int(mixed.min())
        chosen = np.sort(columns[x > 0.5])
        found = self.referee.judge(self.columns[chosen])
        if found is not None and found.value >= self.floor:
            raise ContradictionError
        if found is None and not model.at_most and self._lemma(chosen):
            return None
        free = np.flatnonzero(at.state == FREE)
        if len(free):
            return "site", int(free[np.argmax(loads[free] > 0.5)])
        for site in np.flatnonzero((at.state == INSIDE) & several).tolist():
            own = np.arange(model.start[site], model.start[site + 1])
            return "column", int(own[open_columns[own]][0])
        lemma = self._impossible(chosen)
        return Leaf(closed=lemma is not None, parcels=lemma)

    def _lemma(self, chosen: Ints) -> bool:
        """Prove that no restoration goes with a choice, and exclude it everywhere."""
        if chosen.tobytes() in self._lemma_keys or len(chosen) != self.model.count:
            return False
        found = self._impossible(chosen)
        if found is None:
            return False
        self._lemma_keys.add(chosen.tobytes())
        self.lemmas.append((chosen, found))
        return self._relaxation.add_cuts([_excluding(chosen)]) > 0

    def _impossible(self, chosen: Ints) -> Lemma | None:
        return impossible(self.model, chosen, self.capacity, whole=self.whole, stop=self.stop)

    def _children(self, at: Fixings, kind: str, place: int) -> tuple[Fixings, Fixings]:
        first, second = at.copy(), at.copy()
        if kind == "site":
            first.state[place], second.state[place] = INSIDE, OUTSIDE
            return first, second
        site = int(self.model.site[place])
        first.state[site] = INSIDE
        own = np.arange(self.model.start[site], self.model.start[site + 1])
        first.shut[own[own != place]] = True
        second.shut[place] = True
        return first, second

    def _choose(self, at: Fixings, part: Ints, loads: NDArray[np.float64]) -> int:
        """The site whose two sides lose most, tried where little is known."""
        score = self._score(part, loads)
        order = part[np.argsort(-score, kind="stable")][:CANDIDATES]
        doubtful = order[self._losses.count[:, order].min(axis=0) < RELIABLE]
        if len(doubtful) and len(part) > 1:
            self._try(at, doubtful, loads)
            score = self._score(part, loads)
        return int(part[np.argmax(score)])

    def _score(self, part: Ints, loads: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = self._losses.mean(part)
        down, up = mean[0] * loads[part], mean[1] * (1 - loads[part])
        product: NDArray[np.float64] = np.maximum(down, 1e-9) * np.maximum(up, 1e-9)
        return product

    def _try(self, at: Fixings, sites: Ints, loads: NDArray[np.float64]) -> None:
        relaxation = self._relaxation
        basis, here = relaxation.lp.basis(), relaxation.lp.objective
        for site in sites.tolist():
            for direction, value, distance in (
                (0, OUTSIDE, loads[site]), (1, INSIDE, 1 - loads[site]),
            ):  # fmt: skip
                trial = at.copy()
                trial.state[site] = value
                relaxation.fix(trial.state, trial.shut)
                loss = here - relaxation.lp.trial(TRIAL_ITERATIONS)
                self._losses.note(direction, site, loss / max(float(distance), 1e-6))
                relaxation.lp.restore(basis)
        relaxation.fix(at.state, at.shut)


def _excluding(chosen: Ints) -> Cut:
    """Not all of these columns."""
    return Cut(chosen, len(chosen) - 1)
