"""Exact search on what survives: branch and bound with exact bounds at every node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise import seeking
from siteselect.optimise.branching import Pseudocosts
from siteselect.optimise.clock import Progress
from siteselect.optimise.compiling import prepare, ready
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import Model, restrict
from siteselect.optimise.nodesearch import NodeSearch
from siteselect.optimise.rounding import Rounding
from siteselect.optimise.seeking import Outcome, Seeking
from siteselect.optimise.stop import Stop
from siteselect.optimise.ties import Frame
from siteselect.problem.constraints import Ints

EASY, LONG = 50, 250
"""After so many nodes in Python the next search is compiled: it is several times as large, and
loading the code takes as long as 250. After so many of its own a search goes on compiled."""
LARGE, EASY_LARGE = 1_000, 150
"""With more columns than this only after so many: a dense coverage has many rows, of which the
columns of the inverse are written out."""
WORTH_COMPILING, COMPILING_S = 1_500, 120.0
"""Where nothing was compiled yet, which takes a minute, only after so many nodes, and not with less
time left than this."""
MOST_ROWS, MOST_SITES = 1_500, 4_000
"""The compiled search has room for the whole inverse, and for every pair of sites in conflict."""


def searched(
    model: Model, columns: Ints, state: NDArray[np.int8], *,
    judge: Callable[[Ints], Portfolio | None], floor: int, stop: Stop, ties: bool,
    held: Portfolio | None, costs: Pseudocosts, frame: Frame | None = None,
    on_found: Callable[[Portfolio], None] | None = None, rounds: int = 0,
    rounded: Sequence[Rounding] = (), progress: Progress | None = None,
) -> Outcome:  # fmt: skip
    """Search everything worth ``floor`` among some columns of a model, to the end.

    Written anew wherever a root rules out many of them. ``judge`` takes columns of ``model``;
    without ``frame`` portfolios are compared among the columns. ``progress`` is told where the
    search must be compiled first.
    """
    nodes, too_many = 0, False
    hard = costs.nodes >= (EASY_LARGE if len(columns) > LARGE else EASY)
    best: Portfolio | None = None
    while True:
        part = restrict(model, columns, state, for_good=True)
        frame = Frame(part, np.arange(len(columns))) if frame is None else frame
        known = [one for row in rounded if (one := row.among(columns)) is not None]
        kind = _search_of(
            part, costs, stop, 0 if hard else LONG - nodes, compiled=not too_many, progress=progress
        )
        search = kind(
            part, partial(_judge_of, judge, columns), floor, stop, frame, costs, ties=ties,
            held=held, on_found=on_found, rounds=rounds, rounded=known,
        )  # fmt: skip
        outcome = search.run()
        nodes += outcome.nodes
        best = outcome.best or best
        if outcome.left is None:
            return replace(outcome, nodes=nodes, best=best)
        floor, held = search.floor, search.held
        too_many = too_many or outcome.too_many_rows
        rounds = seeking.ROUNDS if outcome.nodes > seeking.HARD else rounds
        state = state.copy()
        state[part.site_of] = outcome.left.state
        columns = columns[outcome.left.columns]
        frame = frame.part(outcome.left.columns)


def plantable(model: Model) -> bool:
    """Whether a model is small enough for a compiled search, and without workers to share."""
    small = len(model.lower) <= MOST_ROWS and model.n_sites <= MOST_SITES
    return small and model.flow is None


def _search_of(
    model: Model, costs: Pseudocosts, stop: Stop, most: int, *, compiled: bool,
    progress: Progress | None,
) -> Callable[..., Seeking]:  # fmt: skip
    """The search for a model: compiled where it can be, once ``most`` nodes do not end it."""
    if not compiled or not plantable(model):
        return NodeSearch
    if most > 0:
        return partial(NodeSearch, most=most)
    if ready():
        prepare()
    elif stop.seconds_left() < COMPILING_S:
        return NodeSearch
    elif costs.nodes < WORTH_COMPILING:
        return partial(NodeSearch, most=WORTH_COMPILING)
    else:
        _compile(progress)
    from siteselect.optimise.treesearch import TreeSearch  # numba, and what it compiled: a second

    return TreeSearch


def _compile(progress: Progress | None) -> None:
    """Compile it for the first time on this machine, and say so."""
    if progress is not None:
        progress("code", 0.0)
    prepare()
    if progress is not None:
        progress("code", 1.0)


def _judge_of(
    judge: Callable[[Ints], Portfolio | None], columns: Ints, local: Ints
) -> Portfolio | None:  # fmt: skip
    return judge(columns[local])
