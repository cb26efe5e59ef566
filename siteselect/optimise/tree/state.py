"""The state of a compiled search: its programme, its model, the node it is at, those that wait."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.tree.basis import Floats, Indices, Ints, Programme

Bytes = NDArray[np.int8]
Bools = NDArray[np.bool_]

FREE, INSIDE, OUTSIDE = 0, 1, 2
(
    FLOOR, BOUND, SCALED, SCALE, CONSTANT, NODES, DEPTH, PHASE, ROUND, STATUS, CHOSEN, TIES,
    AT_MOST, WAITING, MOST_WAITING, TICKET, STORED, COMPACT, SPARE,
) = range(19)  # fmt: skip
"""Places in ``Tree.now``.

What is wanted; the bound of the node, exactly SCALED / SCALE; what no choice changes; nodes opened;
of the node its depth, what comes next, rounds of rows so far and how its programme ended; columns
of the choice to judge; whether equals count and whether fewer sites will do; nodes that wait, how
many may before the newest comes next, and the next ticket; entries of rows stored; whether the
programme leaves out what is sure (2: never again); columns of points that may be used again.
"""
UNIT, OFFSET, BASE, SPREAD = range(4)
"""Places in ``Tree.real``: units of the objective of the programme, what that leaves out; the
largest value, and all that is added to it, for the range of 64 bits."""
KIND, LOWER, UPPER, CAP, POINT, AGE = range(6)
"""Columns of ``Tree.rows``: kind, sides, and of the row of a point its weight, the point, and how
often it was loose in a row."""
PLAIN, IMPLICIT, COVER = range(3)
"""Kinds of rows: implicit ones the bound knows without, rows of points are worth their weight."""
W_BOUND, W_DEPTH, W_TICKET = range(3)
"""Columns of ``Tree.waiting``."""
POP, OPEN, LOOP, BELOW, SPLIT, SETTLE, JUDGED = range(7)
"""Phases: take a waiting node, begin it, bound it, add rows, branch on a site in part, branch where
there is none, go on after a choice was judged."""
DONE, LEAF, TIE, ROOT, PAUSE, FULL = range(6)
"""Why a search stops for a moment: nothing is left, a choice to judge, a node that may hold an
equal, the root is bounded, enough steps, no room."""
IN_PART = 1e-6
"""What is further than this from nothing and from all is in part."""


class Tree(NamedTuple):
    """S sites, J columns, D points. Columns of the programme: the J, then parcels, then points."""

    lp: Programme
    now: Ints
    real: Floats
    # The model: values without coverage, value alone, who excludes whom, who reaches what.
    site: Ints
    start: Ints
    gain: Ints
    parcel: Ints
    worth: Floats
    conflict: Bools
    reach_start: Ints
    reach: Ints
    point_start: Ints
    point: Ints
    weight: Ints
    over: Bools
    # Rows in whole numbers: begin, member and factor are CSR over all columns, dead ones too.
    rows: Ints
    scale: Floats
    begin: Ints
    member: Ints
    factor: Ints
    variant_row: Ints
    point_row: Ints
    dead: Bools
    # Parcels: alike ones (same rows), units, and the parcel with which one is restored in the
    # programme, itself mostly; ``spot`` is scratch.
    kin: Ints
    units: Floats
    leader: Ints
    spot: Ints
    spare: Ints
    # The node, and those that wait.
    state: Bytes
    shut: Bools
    waiting: Ints
    waiting_state: Bytes
    waiting_shut: Bools
    # What branching has cost, by direction (down, up) and site.
    losses: Floats
    tries: Ints
    tried: Bools
    # The solution of the programme and the reduced values of the bound.
    x: Floats
    load: Floats
    cover: Floats
    reduced: Ints
    value: Ints
    chosen: Ints
    # A basis, to come back to.
    kept_inverse: Floats
    kept_norm: Floats
    kept_value: Floats
    kept_basic: Indices
    kept_place: Ints
    kept_reduced: Floats
