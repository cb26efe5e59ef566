"""Steps of a certificate: integer multipliers, and what they prove at a node, in integers.

A step is what an auditor repeats without any solver: multipliers over rows of the model, over
cliques of sites that exclude each other, over choices proven impossible (lemmas) and over demand
points. They give a bound and, for every column and site, what the bound loses when a portfolio
goes against it (reduced-cost fixing). Written apart from :mod:`siteselect.optimise.bound`, which
serves the search, so that the two check each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.bound import Block, Cut, Multipliers, exact_sum
from siteselect.optimise.model import FREE, INSIDE, OUTSIDE, Model
from siteselect.optimise.rounding import Rounding
from siteselect.optimise.workers import Hall
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

RANGE_BITS = 58
MOST_SCALE_BITS = 20
COARSE_BITS = 4
"""Multipliers of demand points are whole multiples of 1/16: there are many, and none is dear."""
NEVER = np.int64(2) ** 62
LOWEST = -(np.int64(2) ** 61)

States = NDArray[np.int8]
Shut = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fixings:
    """What is decided at a node: sites in or out (int8[S]), columns shut (bool[J])."""

    state: States
    shut: Shut

    def copy(self) -> Fixings:
        """Arrays of its own."""
        return Fixings(self.state.copy(), self.shut.copy())


@dataclass(frozen=True, eq=False)
class Step:
    """Integer multipliers over one model; ``scale`` × the objective is what they bound.

    ``rows`` (rows of the model) go with ``y``; ``cliques`` are arrays of sites, ``lemmas`` arrays
    of columns that cannot all be chosen, each with its multiplier; ``demand`` goes with ``mu``;
    ``halls`` are rows of workers, each with its price of a job, ``roundings`` rows that only
    whole choices respect.
    """

    scale: int
    rows: Ints
    y: Ints
    block: Block
    cliques: tuple[tuple[Ints, int], ...] = ()
    lemmas: tuple[tuple[Ints, int], ...] = ()
    demand: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    mu: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    halls: tuple[tuple[Hall, int], ...] = ()
    roundings: tuple[tuple[Rounding, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Proven:
    """``scaled`` = scale × bound; penalties as in :class:`siteselect.optimise.bound.Bound`."""

    scaled: int
    scale: int
    column_penalty: Ints
    site_penalty: Ints

    @property
    def value(self) -> int:
        """No portfolio of the node is worth more than this integer."""
        return self.scaled // self.scale


Kind = Callable[[Cut], tuple[str, Ints] | None]
"""What a cut of a relaxation is: ``clique`` of sites, ``lemma`` of columns, ``None``: left out."""


def step_of(model: Model, given: Multipliers, kind: Kind) -> Step:
    """The multipliers of a relaxation as integers; what cannot be justified counts for nothing.

    Multipliers out of range become zeros: they prove little, but nothing false.
    """
    block = given.block
    largest = float(np.abs(model.score).max(initial=1)) + float(model.weights.sum())
    largest += float(np.abs(given.y) @ block.largest) + float(np.abs(given.cut_y).sum())
    largest += len(given.y) + len(given.cuts) + 1
    for row, dual in zip(given.rounded, given.rounded_y.tolist(), strict=True):
        largest += row.largest * (1 + abs(dual))
    if model.flow is not None:
        most = float(model.flow.jobs.max(initial=0))
        largest += 2 * model.flow.value * most + float(given.hall_y.sum()) * (1 + most)
    empty = np.zeros(0, np.int64)
    if not math.isfinite(largest) or largest >= 2.0**RANGE_BITS:
        return Step(1, empty, empty, Block(model, empty))
    bits = max(0, min(MOST_SCALE_BITS, RANGE_BITS - math.ceil(math.log2(largest))))
    scale = 2**bits
    y = np.rint(given.y * scale).astype(np.int64)
    y = np.where((y > 0) & (block.upper == NO_UPPER), 0, y)
    y = np.where((y < 0) & (block.lower == NO_LOWER), 0, y)
    cliques: list[tuple[Ints, int]] = []
    lemmas: list[tuple[Ints, int]] = []
    for cut, dual in zip(given.cuts, given.cut_y.tolist(), strict=True):
        value = round(dual * scale)
        known = kind(cut) if value > 0 and not cut.implicit else None
        if known is not None:
            (cliques if known[0] == "clique" else lemmas).append((known[1], value))
    used = np.flatnonzero(y)
    if len(used) < len(y):
        block = Block(model, block.rows[used])
    unit = 2 ** max(0, bits - COARSE_BITS)
    weight = model.weights[given.demand] * scale
    mu = np.clip(np.rint(given.mu * (scale // unit)).astype(np.int64) * unit, 0, weight)
    some = np.flatnonzero(mu)
    prices = [
        (hall, round(dual * scale))
        for hall, dual in zip(given.halls, given.hall_y.tolist(), strict=True)
    ]
    roundings = [
        (row, round(dual * scale))
        for row, dual in zip(given.rounded, given.rounded_y.tolist(), strict=True)
    ]
    return Step(
        scale, block.rows, y[used], block, tuple(cliques), tuple(lemmas), given.demand[some],
        mu[some], tuple((hall, price) for hall, price in prices if price > 0),
        tuple((row, value) for row, value in roundings if value > 0 and justified(row, kind)),
    )  # fmt: skip


def justified(row: Rounding, kind: Kind) -> bool:
    """Whether every row that a rounding is derived from has a reason."""
    if row.why is None:
        return False
    for one in row.why.rows:
        if isinstance(one, Rounding):
            if not justified(one, kind):
                return False
        elif isinstance(one, Cut) and not one.implicit and kind(one) is None:
            return False
    return True


def proven(model: Model, step: Step, at: Fixings) -> Proven:
    """The bound of a step at a node, and what going against it costs; exact integers."""
    block, scale = step.block, step.scale
    reduced = model.score * scale - block.x.T @ step.y
    total = 0
    for y, low, high in zip(
        step.y.tolist(), block.lower.tolist(), block.upper.tolist(), strict=True
    ):
        total += y * (high if y > 0 else low)
    dear = np.zeros(model.n_sites, np.int64)
    for sites, y in step.cliques:
        dear[sites] += y
        total += y
    reduced -= dear[model.site]
    for columns, y in step.lemmas:
        reduced[columns] -= y
        total += y * (len(columns) - 1)
    if model.reach is not None:
        weight = model.weights * scale
        weight[step.demand] -= step.mu
        reduced += (model.reach @ weight)[model.site]
        total += exact_sum(step.mu)
    if model.flow is not None:
        worker = np.full(model.n_sites, model.flow.value * scale)
        for hall, price in step.halls:
            worker[hall.sites] -= price
            reduced[hall.columns] += price * hall.outside
            total += price * hall.workers
        reduced += model.flow.jobs * np.maximum(worker, 0)[model.site]
    restored = -(block.z.T @ step.y)
    for row, y in step.roundings:
        reduced[row.columns] -= y * row.factor
        restored[row.parcels] -= y * row.parcel_factor
        total += y * row.upper
    if model.n_parcels:
        total += exact_sum(np.maximum(restored, 0))
    return _closed(model, reduced, total, scale, at)


def _closed(model: Model, reduced: Ints, total: int, scale: int, at: Fixings) -> Proven:
    reduced = np.where(at.shut, LOWEST, reduced)
    best = np.full(model.n_sites, LOWEST)
    filled = np.flatnonzero(np.diff(model.start) > 0)
    if len(filled):
        best[filled] = np.maximum.reduceat(reduced, model.start[filled])
    inside, outside = at.state == INSIDE, at.state == OUTSIDE
    if np.any(best[inside] == LOWEST):
        never = np.full(model.n_columns, NEVER)
        return Proven(-(2**80), 1, never, np.full(model.n_sites, NEVER))
    value = np.where(inside, best, np.where(outside, 0, np.maximum(best, 0)))
    penalty = value[model.site] - reduced
    penalty[at.shut | outside[model.site]] = NEVER
    return Proven(total + exact_sum(value), scale, penalty, np.where(inside, NEVER, value))


def fixed(model: Model, at: Fixings, found: Proven, floor: int) -> Fixings | None:
    """The node with all that a portfolio worth ``floor`` cannot do ruled out; ``None``: no news."""
    room = found.scaled - floor * found.scale
    dear = (found.column_penalty > room) & ~at.shut & (at.state[model.site] != OUTSIDE)
    forced = (found.site_penalty > room) & (at.state == FREE)
    if not (dear.any() or forced.any()):
        return None
    state = at.state.copy()
    state[forced] = INSIDE
    return Fixings(state, at.shut | dear)
