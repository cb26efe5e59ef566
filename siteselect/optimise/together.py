"""Changes of several requirements that are enough together, where no single one is.

An infeasible problem may hold several conflicts, each with its own requirements. One requirement of
each is dropped until a portfolio exists; then they come back one after the other, each eased as
little as those before it allow. So no change of the list can be smaller beside the others.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

from siteselect.messages import Msg
from siteselect.optimise.easing import Easing
from siteselect.optimise.least import without
from siteselect.optimise.sides import sides_of
from siteselect.optimise.stop import Seconds, stop_at
from siteselect.problem import Constraint, Group, SelectionProblem, TotalArea

Conflict = Callable[[SelectionProblem, float], Sequence[Constraint] | None]
MOST_TOGETHER, MOST_WAYS = 3, 3


def changed_together(
    problem: SelectionProblem, conflict_of: Conflict, *, seconds_left: Seconds
) -> tuple[Easing, ...]:
    """Joint changes that make an infeasible problem feasible, the smallest first.

    ``conflict_of`` gives, of a problem and within so many seconds, requirements that cannot hold
    together, the likeliest first; none where there is a portfolio, and ``None`` where that is not
    known or no requirement is to blame. One way is tried for each member of the first conflict.
    """
    problem = one_sided(problem)
    first = conflict_of(problem, seconds_left() / 2) or ()
    found: list[Easing] = []
    ways = [one for one in first if any(sides_of(problem, one))][:MOST_WAYS]
    for many, one in zip(range(len(ways), 0, -1), ways, strict=True):
        mine = stop_at(time.perf_counter() + seconds_left() / many).seconds_left
        found.extend(_way(problem, one, conflict_of, mine))
    distinct = {frozenset(_parts(one.text)): one for one in reversed(found)}
    return tuple(sorted(distinct.values(), key=lambda one: (one.share, not one.least)))


def one_sided(problem: SelectionProblem) -> SelectionProblem:
    """The same problem, each minimum and each maximum a constraint of its own."""
    parts: list[Constraint] = []
    for one in problem.constraints:
        if isinstance(one, Group) and one.at_least and one.at_most is not None:
            parts.append(dataclasses.replace(one, at_most=None))
            parts.append(dataclasses.replace(one, at_least=0))
        elif isinstance(one, TotalArea) and None not in (one.at_least, one.at_most):
            parts.append(dataclasses.replace(one, at_most=None))
            parts.append(dataclasses.replace(one, at_least=None))
        else:
            parts.append(one)
    return dataclasses.replace(problem, constraints=tuple(parts), coverage=None, workforce=None)


def _way(
    problem: SelectionProblem, first: Constraint, conflict_of: Conflict, seconds_left: Seconds
) -> Iterator[Easing]:
    dropped, kept = [first], without(problem, first)
    while True:
        if seconds_left() <= 0 or len(dropped) > MOST_TOGETHER:
            return
        conflict = conflict_of(kept, seconds_left() / 2)
        if conflict is None:
            return
        if not conflict:
            break
        another = next((one for one in conflict if any(sides_of(kept, one))), None)
        if another is None:
            return
        dropped.append(another)
        kept = without(kept, another)
    yield from _brought_back(kept, dropped, seconds_left)


def _brought_back(
    kept: SelectionProblem, dropped: Sequence[Constraint], seconds_left: Seconds
) -> Iterator[Easing]:
    """Requirements added to a feasible problem, each as near to its figure as it can be."""
    texts: list[Msg] = []
    share, least = 0.0, True
    for many, one in zip(range(len(dropped), 0, -1), dropped, strict=True):
        trial = dataclasses.replace(kept, constraints=(*kept.constraints, one))
        side = next(iter(sides_of(trial, one)))
        found = side.extreme(seconds_left() / many)
        if found is None or found.value is None:
            return
        change = -found.value - side.sign * side.figure
        if change < 1:
            kept = trial
            continue
        to = side.figure + side.sign * change
        kept = side.eased(to)
        texts.append(side.text(change, to))
        share += change / max(1, abs(side.figure))
        least = least and found.bound == found.value
    if texts:
        yield Easing(_joined(texts), kept, share, least)


def _parts(text: Msg) -> Iterator[str]:
    """The changes of a joined text, one by one."""
    second = text.values.get("second")
    yield str(text.values["first"] if isinstance(second, Msg) else text)
    if isinstance(second, Msg):
        yield from _parts(second)


def _joined(texts: Sequence[Msg]) -> Msg:
    if len(texts) == 1:
        return texts[0]
    return Msg("{first}; and {second}", first=texts[0], second=_joined(texts[1:]))
