"""The cheapest whole parcels that restore enough in ledgers that are nested or apart, exactly.

With multipliers of the ledgers every choice costs the Lagrangian bound plus penalties that are
never negative (a parcel taken or left against its reduced cost, land restored beyond a need). So
the choices worth looking at are those whose penalties stay within the room above the bound; of
two that restore in the same ledger, the one that restores less for as much money is dropped.
What is left is small enough to be listed ledger by ledger, the innermost first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.problem.constraints import Ints

Bools = NDArray[np.bool_]
MOST_PAIRS, MOST_CHOICES = 2_000_000, 60_000
"""More pairs or partial choices at a time than this are left to CP-SAT."""
FIRST_ROOM, WIDER = 16, 2
"""The first list looks at a sixteenth of the room, the next at twice as much."""


class NotListedError(Exception):
    """Ledgers cross, or too many choices are worth looking at."""


@dataclass(frozen=True, eq=False)
class Parcels:
    """Parcels to choose from, cheapest per unit first, and what must be restored.

    Attributes
    ----------
    size, cost
        int64[R], units of 0.01 ha and k€.
    members
        bool[ledgers, R], which ledger counts which parcel; ``need`` int64[ledgers] units.
    price
        int64[ledgers], multipliers, and ``reduced`` int64[R], cost × scale − price × size.
    compiled
        whether lists are worth compiled code: the same choices, quicker once it is loaded.
    """

    size: Ints
    cost: Ints
    members: Bools
    need: Ints
    price: Ints
    reduced: Ints
    compiled: bool = False


@dataclass(frozen=True, eq=False)
class _Node:
    """A ledger, the ledgers just inside it, and the parcels that only it counts."""

    ledger: int
    children: tuple[int, ...]
    own: Ints


@dataclass(frozen=True, eq=False)
class _Choices:
    """Partial choices: units restored, cost, penalty, and which parcels are taken (bits)."""

    units: Ints
    cost: Ints
    penalty: Ints
    taken: NDArray[np.uint8]

    def kept(self, which: Ints | Bools) -> _Choices:
        return _Choices(self.units[which], self.cost[which], self.penalty[which], self.taken[which])


def cheapest(parcels: Parcels, room: int) -> Bools | None:
    """bool[R]: the cheapest choice whose penalties add up to at most ``room``, or ``None``.

    Raises
    ------
    NotListedError
        Nothing is known; ask another solver.
    """
    nodes = _nested(parcels.members)
    least: list[int] = []
    for node in nodes:
        below = sum(least[child] for child in node.children)
        least.append(below if node.children else _least(parcels, node, room))
    inner = {child for node in nodes for child in node.children}
    total = sum(least[i] for i in range(len(nodes)) if i not in inner)
    slack = max(1, (room - total) // FIRST_ROOM)
    while total <= room:
        lists = _listed(parcels, nodes, least, min(slack, room - total))
        if all(len(one.units) for one in lists):
            tops = [one for i, one in enumerate(lists) if i not in inner]
            best = np.array([one.taken[int(np.argmin(one.cost))] for one in tops])
            bits = np.bitwise_or.reduce(best, axis=0)
            return np.unpackbits(bits, count=len(parcels.size)).astype(bool)
        if slack >= room - total:
            return None
        slack *= WIDER
    return None


def _nested(members: Bools) -> list[_Node]:
    """The ledgers as a forest, the innermost first, in an order that the input cannot change."""
    keys = [(int(one.sum()), (~one).tobytes(), i) for i, one in enumerate(members)]
    nodes: list[_Node] = []
    free = np.ones(members.shape[1], bool)
    tops: list[int] = []
    for _, _, i in sorted(keys):
        mine = members[i]
        touching = [t for t in tops if (members[nodes[t].ledger] & mine).any()]
        if any((members[nodes[t].ledger] & ~mine).any() for t in touching):
            raise NotListedError
        tops = [t for t in tops if t not in touching] + [len(nodes)]
        nodes.append(_Node(i, tuple(touching), np.flatnonzero(free & mine)))
        free &= ~mine
    return nodes


def _least(parcels: Parcels, node: _Node, room: int) -> int:
    """The smallest penalty with which an innermost ledger can be served; beyond the room, more."""
    now = max(1, room // FIRST_ROOM**2)
    while True:
        found = _close(parcels, node, [], min(now, room)).penalty
        if len(found):
            return int(found.min())
        if now >= room:
            return room + 1
        now *= WIDER


def _listed(parcels: Parcels, nodes: list[_Node], least: list[int], slack: int) -> list[_Choices]:
    """The choices of every ledger with penalties up to ``slack`` above the least ones."""
    found: list[_Choices] = []
    for node, own in zip(nodes, least, strict=True):
        inside = [found[child] for child in node.children]
        found.append(_close(parcels, node, inside, own + slack))
    return found


def _close(parcels: Parcels, node: _Node, inside: list[_Choices], room: int) -> _Choices:
    """The choices for a ledger and all inside it that restore what it needs."""
    reduced = parcels.reduced[node.own]
    choices = _always(parcels, node.own[-reduced > room])
    for other in inside:
        choices = _together(parcels, choices, other, room)
    open_to = node.own[np.abs(reduced) <= room]
    if len(open_to):
        choices = _with_and_without(parcels, choices, open_to, room)
    over = choices.units - parcels.need[node.ledger]
    penalty = choices.penalty + parcels.price[node.ledger] * np.maximum(over, 0)
    closed = _Choices(choices.units, choices.cost, penalty, choices.taken)
    return closed.kept((over >= 0) & (penalty <= room))


def _always(parcels: Parcels, taken: Ints) -> _Choices:
    """A single choice: these parcels, which no choice within the room leaves out."""
    which = np.zeros((1, len(parcels.size)), bool)
    which[0, taken] = True
    units, cost = parcels.size[taken].sum(), parcels.cost[taken].sum()
    bits = np.packbits(which, axis=1)
    return _Choices(np.array([units]), np.array([cost]), np.zeros(1, np.int64), bits)


def _with_and_without(parcels: Parcels, choices: _Choices, own: Ints, room: int) -> _Choices:
    """Every choice with and without each of some parcels."""
    if not parcels.compiled:
        for r in own.tolist():
            choices = _with_or_without(parcels, choices, r, room)
        return choices
    from siteselect.optimise.wholeparcels_kernels import grown

    units, cost, penalty, taken, listed = grown(
        choices.units, choices.cost, choices.penalty, choices.taken, own, parcels.size,
        parcels.cost, parcels.reduced, room, MOST_CHOICES,
    )  # fmt: skip
    if not listed:
        raise NotListedError
    return _Choices(units, cost, penalty, taken)


def _together(parcels: Parcels, first: _Choices, second: _Choices, room: int) -> _Choices:
    """One choice of each, in all ways worth looking at."""
    if len(first.units) * len(second.units) > MOST_PAIRS:
        raise NotListedError
    if not parcels.compiled:
        return _paired(first, second, room)
    from siteselect.optimise.wholeparcels_kernels import paired

    return _Choices(
        *paired(
            first.units, first.cost, first.penalty, first.taken,
            second.units, second.cost, second.penalty, second.taken, room,
        )
    )  # fmt: skip


def _with_or_without(parcels: Parcels, choices: _Choices, parcel: int, room: int) -> _Choices:
    reduced = int(parcels.reduced[parcel])
    taken = choices.taken.copy()
    taken[:, parcel // 8] |= np.uint8(128 >> parcel % 8)
    both = _Choices(
        np.concatenate([choices.units, choices.units + parcels.size[parcel]]),
        np.concatenate([choices.cost, choices.cost + parcels.cost[parcel]]),
        np.concatenate([choices.penalty + max(0, -reduced), choices.penalty + max(0, reduced)]),
        np.concatenate([choices.taken, taken]),
    )
    return _worthwhile(both, room)


def _paired(first: _Choices, second: _Choices, room: int) -> _Choices:
    """What :func:`~siteselect.optimise.wholeparcels_kernels.paired` does."""
    penalty = first.penalty[:, None] + second.penalty[None, :]
    one, two = np.nonzero(penalty <= room)
    units, cost = first.units[one] + second.units[two], first.cost[one] + second.cost[two]
    best = _undominated(units, cost)
    one, two = one[best], two[best]
    return _Choices(
        units[best], cost[best], penalty[one, two], first.taken[one] | second.taken[two]
    )


def _worthwhile(choices: _Choices, room: int) -> _Choices:
    """Within the room, and without those that cost as much as another and restore no more."""
    within = choices.kept(choices.penalty <= room)
    kept = within.kept(_undominated(within.units, within.cost))
    if len(kept.units) > MOST_CHOICES:
        raise NotListedError
    return kept


def _undominated(units: Ints, cost: Ints) -> Ints:
    """Indices of the choices that restore more than all that cost no more, cheapest first."""
    order = np.lexsort((-units, cost))
    best = np.maximum.accumulate(units[order])
    more = np.ones(len(order), bool)
    more[1:] = units[order][1:] > best[:-1]
    return order[more]
