"""A compiled search set up from a model, and given more room as it grows."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.optimise.model import Model
from siteselect.optimise.tree import basis
from siteselect.optimise.tree.nodes import advance
from siteselect.optimise.tree.programme import crowded, put_rows
from siteselect.optimise.tree.state import (
    AT_MOST,
    BOUND,
    CONSTANT,
    FLOOR,
    OPEN,
    PHASE,
    STORED,
    TIES,
    WAITING,
    Tree,
)
from siteselect.optimise.tree.state import MOST_WAITING as NODES_MAY_WAIT
from siteselect.problem.constraints import Ints

__all__ = ["advance", "larger", "planted", "room_for_rows"]

SPARE_ROWS, SPARE_ROWS_OF_POINTS, FIRST_WAITING = 200, 400, 256
MOST_WAITING = 20_000
"""With more nodes that wait the newest comes next, not the best: memory stays bounded."""
_T = TypeVar("_T", bound=np.generic)


def planted(
    model: Model, floor: int, *, ties: bool, losses: NDArray[np.float64], tries: Ints
) -> Tree:
    """A search of a model without workers for what is worth ``floor``, at its root.

    ``losses`` float[2, S] and ``tries`` int64[2, S] are what branching has cost so far.
    """
    n, r, s, d = model.n_columns, model.n_parcels, model.n_sites, len(model.weights)
    gain, over, reach, points, constant = _coverage(model)
    parcel, alone = model.parcels_alone(), model.alone()
    kin, units = _alike(model)
    unit = float(max(1, np.abs(alone).max(initial=1), np.abs(parcel).max(initial=0)))
    base = float(np.abs(gain).max(initial=1)) + float(np.abs(parcel).max(initial=0)) + 1.0
    rows = len(model.lower) + SPARE_ROWS + (SPARE_ROWS_OF_POINTS if d else 0)
    wide = n + r + rows
    entries = model.x.nnz + model.z.nnz + (rows - len(model.lower)) * (n + 1)
    now = np.zeros(19, np.int64)
    now[NODES_MAY_WAIT] = MOST_WAITING
    now[FLOOR], now[TIES], now[AT_MOST], now[PHASE] = floor, ties, model.at_most, OPEN
    now[CONSTANT], now[BOUND] = constant, 2**62
    first = np.minimum(model.start[:-1], max(0, n - 1))
    tree = Tree(
        lp=_programme(gain / unit, parcel / unit, wide, rows, entries),
        now=now,
        real=np.array([unit, constant / unit, base, float(constant)]),
        site=_own(model.site),
        start=_own(model.start),
        gain=_own(gain),
        parcel=_own(parcel),
        worth=alone[first].astype(np.float64) if n else np.zeros(s),
        conflict=model.conflicts.among(np.arange(s)) if model.conflicts else np.zeros((0, 0), bool),
        reach_start=_own(reach.indptr),
        reach=_own(reach.indices),
        point_start=_own(points.indptr),
        point=_own(points.indices),
        weight=_own(model.weights),
        over=over,
        rows=np.zeros((rows, 6), np.int64),
        scale=np.ones(rows),
        begin=np.zeros(rows + 1, np.int64),
        member=np.zeros(entries, np.int64),
        factor=np.zeros(entries, np.int64),
        variant_row=np.full(s, -1, np.int64),
        point_row=np.full(d, -1, np.int64),
        dead=np.zeros(wide, bool),
        kin=kin,
        units=units,
        leader=np.arange(n, n + r),
        spot=np.zeros(wide, np.int64),
        spare=np.zeros(wide, np.int64),
        state=model.state.copy(),
        shut=model.shut.copy(),
        waiting=np.zeros((FIRST_WAITING, 3), np.int64),
        waiting_state=np.zeros((FIRST_WAITING, s), np.int8),
        waiting_shut=np.zeros((FIRST_WAITING, n), bool),
        losses=losses.copy(),
        tries=tries.copy(),
        tried=np.zeros(s, bool),
        x=np.zeros(n),
        load=np.zeros(s),
        cover=np.zeros(d),
        reduced=np.zeros(wide, np.int64),
        value=np.zeros(s, np.int64),
        chosen=np.zeros(n, np.int64),
        **_kept(rows, wide),
    )
    put_rows(tree, *_rows(model), _own(model.lower), _own(model.upper))
    return tree


def _kept(rows: int, wide: int) -> dict[str, NDArray[Any]]:
    """Room for the copy of a basis."""
    return {
        "kept_inverse": np.empty((rows, rows)),
        "kept_norm": np.zeros(rows),
        "kept_value": np.zeros(rows),
        "kept_basic": np.zeros(rows, np.uint32),
        "kept_place": np.zeros(wide + rows, np.int64),
        "kept_reduced": np.zeros(wide + rows),
    }


def _alike(model: Model) -> tuple[Ints, NDArray[np.float64]]:
    """int64[R], the same for parcels in the same rows (almost surely for no others); and float[R],
    what each restores, 1 where it restores nothing.
    """
    row = np.repeat(np.arange(len(model.lower)), np.diff(model.z.indptr))
    drawn = np.random.default_rng(1).integers(0, 2**40, len(model.lower))
    rows, least = np.zeros(model.n_parcels, np.int64), np.full(model.n_parcels, -1, np.int64)
    np.add.at(rows, model.z.indices, drawn[row] * (model.z.data != 0))
    np.minimum.at(least, model.z.indices, model.z.data)
    return _own(np.unique(rows, return_inverse=True)[1]), -least.astype(np.float64)


def _own(array: NDArray[Any]) -> Ints:
    """A copy of one kind: arrays of another would be compiled for anew."""
    return np.array(array, np.int64, order="C")


def _coverage(
    model: Model,
) -> tuple[Ints, NDArray[np.bool_], Any, Any, int]:
    """Values with the points guessed under 1 counted in full; which are over; who reaches what; the
    weight of the points over.
    """
    if model.reach is None:
        nothing = csr_array((model.n_sites, 0), dtype=np.int8)
        return model.score, np.zeros(0, bool), nothing, csr_array(nothing.T), 0
    priced = np.zeros(len(model.weights)) if model.mu is None else model.mu
    over = (2 * priced > model.weights) & (model.weights > 0)
    under = (model.reach @ np.where(over, 0, model.weights))[model.site]
    constant = int(model.weights[over].sum())
    return model.score + under, over, model.reach, csr_array(model.reach.matrix().T), constant


def _programme(
    cost: NDArray[np.float64], parcels: NDArray[np.float64], wide: int, rows: int, entries: int
) -> basis.Programme:
    lp, many = basis.empty(wide, rows, entries), len(cost) + len(parcels)
    lp.cost[:many] = np.concatenate([cost, parcels])
    lp.high[:many] = 1.0
    lp.live[:many] = np.arange(many)
    lp.size[basis.COLUMNS] = lp.size[basis.LIVE] = many
    return lp


def _rows(model: Model) -> tuple[Ints, Ints, Ints]:
    """CSR of all rows of a model over columns and parcels."""
    x, z = model.x, model.z
    rows = np.arange(len(model.lower))
    row = np.concatenate([np.repeat(rows, np.diff(x.indptr)), np.repeat(rows, np.diff(z.indptr))])
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(len(rows) + 1)).astype(np.int64)
    column = np.concatenate([x.indices, z.indices + model.n_columns]).astype(np.int64)
    return starts, column[order], _own(np.concatenate([x.data, z.data])[order])


def larger(tree: Tree) -> Tree:
    """The same search with twice the room for what lacks it."""
    if tree.now[WAITING] + 1 >= len(tree.waiting):
        many = 2 * len(tree.waiting)
        tree = tree._replace(
            waiting=_longer(tree.waiting, many),
            waiting_state=_longer(tree.waiting_state, many),
            waiting_shut=_longer(tree.waiting_shut, many),
        )
    return _taller(tree) if crowded(tree) else tree


def room_for_rows(tree: Tree, rows: int, entries: int) -> Tree:
    """The search with room for rows of so many entries in all."""
    while not (
        tree.lp.size[basis.ROWS] + rows <= len(tree.scale)
        and tree.now[STORED] + entries <= len(tree.factor)
    ):
        tree = _taller(tree)
    return tree


def _taller(tree: Tree) -> Tree:
    """Twice as many rows, and columns and entries for them."""
    lp, was = tree.lp, len(tree.scale)
    rows, before = 2 * was, len(lp.first)
    wide, entries = before + was, len(tree.factor) + was * (len(tree.site) + 1)

    def both(array: NDArray[_T]) -> NDArray[_T]:
        """By variable: the logicals start further on."""
        made = np.zeros(wide + rows, array.dtype)
        made[:before], made[wide : wide + was] = array[:before], array[before:]
        return made

    inverse = np.empty((rows, rows))
    inverse[:was, :was] = lp.inverse
    at = _longer(lp.basic, rows)
    at[at >= before] += wide - before
    size = lp.size.copy()
    size[basis.TOUCHED] = 0
    by_row = {name: _longer(getattr(lp, name), rows) for name in _BY_ROW}
    by_column = {name: _longer(getattr(lp, name), wide) for name in ("live", "first", "cost")}
    by_entry = {name: _longer(getattr(lp, name), entries) for name in _BY_ENTRY}
    by_variable = {name: both(getattr(lp, name)) for name in _BY_VARIABLE}
    return tree._replace(
        lp=lp._replace(
            size=size, inverse=inverse, basic=at, row_start=_longer(lp.row_start, rows + 1),
            alpha=np.zeros(wide + rows), listed=np.zeros(wide + rows, np.bool_),
            touched=np.zeros(wide + rows + 1, np.uint32), some=np.zeros(rows + 1, np.uint32),
            **by_row, **by_column, **by_entry, **by_variable,
        ),
        rows=_longer(tree.rows, rows),
        scale=_longer(tree.scale, rows),
        begin=_longer(tree.begin, rows + 1),
        member=_longer(tree.member, entries),
        factor=_longer(tree.factor, entries),
        dead=_longer(tree.dead, wide),
        spot=_longer(tree.spot, wide),
        spare=_longer(tree.spare, wide),
        reduced=_longer(tree.reduced, wide),
        **_kept(rows, wide),
    )  # fmt: skip


_BY_ROW = ("base", "norm", "value", "column", "load")
_BY_ENTRY = ("entry_row", "entry_column", "entry", "following")
_BY_VARIABLE = ("low", "high", "place", "reduced", "candidate", "ratio")


def _longer(array: NDArray[_T], size: int) -> NDArray[_T]:
    """The array with room for ``size``."""
    made = np.zeros((size, *array.shape[1:]), array.dtype)
    made[: len(array)] = array
    return made
