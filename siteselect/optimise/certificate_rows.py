"""Rows said more tightly before a certificate is made, each with the steps that justify it.

The same idea as :mod:`siteselect.optimise.presolve`, written so that an auditor can repeat it: a
cap that one site more would break is stated by what that site lacks. Without it the relaxation
under thousands of commune caps is too far from the truth for any tree to close.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from siteselect.optimise.model import Model
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

MOST_COLUMNS = 400
"""Rows over more columns than this are left as they are: their caps are never nearly free."""


@dataclass(frozen=True)
class Tightening:
    """How a row was tightened.

    ``limit`` is a row that lets so few of its sites be chosen; each step (site, spare) takes
    ``spare`` off the cap and off what the columns of the site charge, site −1: off all columns.
    """

    limit: int
    steps: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Tightened:
    """A model with tighter rows: why each of them, and (column, row) of columns that never fit."""

    model: Model
    rows: dict[int, Tightening]
    never: tuple[tuple[int, int], ...]


def tightened(model: Model) -> Tightened:
    """The same portfolios under tighter rows."""
    never = _never(model)
    shut = model.shut.copy()
    shut[[column for column, _ in never]] = True
    why: dict[int, Tightening] = {}
    data, upper = model.x.data.copy(), model.upper.copy()
    data[shut[model.x.indices]] = 0
    rows = _capped(model)
    for row, limit, many in zip(*_limits(model, rows), strict=True):
        part = slice(model.x.indptr[row], model.x.indptr[row + 1])
        columns = model.x.indices[part]
        found = _steps(data[part], model.site[columns], int(upper[row]), many)
        if found is not None:
            data[part], upper[row], steps = found
            why[row] = Tightening(limit, steps)
    for row in np.setdiff1d(np.arange(len(upper)), list(why)).tolist():
        part = slice(model.x.indptr[row], model.x.indptr[row + 1])
        data[part] = model.x.data[part]
    x = csr_array((data, model.x.indices.copy(), model.x.indptr.copy()), shape=model.x.shape)
    x.eliminate_zeros()
    changed = dataclasses.replace(model, shut=shut, x=x, x_columns=csc_array(x), upper=upper)
    return Tightened(changed, why, never)


def _never(model: Model) -> tuple[tuple[int, int], ...]:
    """Columns that break a row alone, with all that may be restored beside them."""
    x = model.x.tocoo()
    least = np.asarray(model.x.minimum(0).sum(axis=1)).ravel()
    least = least + np.asarray(model.z.minimum(0).sum(axis=1)).ravel()
    alone = np.maximum(x.data, 0) + least[x.row]
    upper = model.upper[x.row]
    broken = np.flatnonzero((upper != NO_UPPER) & (alone > upper))
    first: dict[int, int] = {}
    for column, row in zip(x.col[broken].tolist(), x.row[broken].tolist(), strict=True):
        first.setdefault(column, row)
    return tuple(sorted(first.items()))


def _capped(model: Model) -> Ints:
    """Rows of charges against a cap, which restoration may only ease."""
    charges = np.asarray(model.x.minimum(0).sum(axis=1)).ravel() >= 0
    eased = np.asarray(model.z.maximum(0).sum(axis=1)).ravel() <= 0
    capped = (model.lower == NO_LOWER) & (model.upper != NO_UPPER) & (model.upper > 0)
    sizes = np.diff(model.x.indptr)
    largest = np.zeros(len(model.upper), np.int64)
    filled = np.flatnonzero(sizes > 0)
    if len(filled):
        largest[filled] = np.maximum.reduceat(model.x.data, model.x.indptr[filled])
    return np.flatnonzero(charges & eased & capped & (sizes <= MOST_COLUMNS) & (largest > 1))


def _limits(model: Model, rows: Ints) -> tuple[list[int], list[int], list[int]]:
    """For each row the row that lets fewest of its columns be chosen, and how many."""
    groups = _groups(model)
    if not len(groups) or not len(rows):
        return [], [], []
    pattern = csr_array(model.x[rows])
    pattern.data = np.ones_like(pattern.data)
    size = np.diff(pattern.indptr)
    shared = csr_array(pattern @ csr_array(model.x[groups]).T).tocoo()
    whole = np.flatnonzero(shared.data == size[shared.row])
    best: dict[int, tuple[int, int]] = {}
    for i in whole.tolist():
        group = int(groups[shared.col[i]])
        known = (int(model.upper[group]), group)
        row = int(rows[shared.row[i]])
        best[row] = min(best.get(row, known), known)
    kept = sorted(best)
    return kept, [best[row][1] for row in kept], [best[row][0] for row in kept]


def _groups(model: Model) -> Ints:
    """Rows that count columns from above."""
    x = model.x
    sizes = np.diff(x.indptr)
    filled = np.flatnonzero(sizes > 0)
    ones: NDArray[np.bool_] = np.zeros(len(model.upper), bool)
    if len(filled):
        top = np.maximum.reduceat(x.data, x.indptr[filled])
        low = np.minimum.reduceat(x.data, x.indptr[filled])
        ones[filled] = (top == 1) & (low == 1)
    bare = np.diff(model.z.indptr) == 0
    return np.flatnonzero(ones & bare & (model.upper != NO_UPPER))


def _steps(
    charge: Ints, site: Ints, cap: int, many: int
) -> tuple[Ints, int, tuple[tuple[int, int], ...]] | None:
    """Charges and cap made tighter site by site, with the steps; ``None``: nothing changes."""
    charge = charge.copy()
    if many <= 1:
        if int(charge.max(initial=0)) <= cap:
            return None
        return np.maximum(charge - cap, 0), 0, ((-1, cap),)
    sites, of = np.unique(site, return_inverse=True)
    largest = np.zeros(len(sites), np.int64)
    np.maximum.at(largest, of, charge)
    steps: list[tuple[int, int]] = []
    for one in np.argsort(-largest, kind="stable").tolist():
        most = int(np.sort(np.delete(largest, one))[::-1][:many].sum())
        spare = cap - most
        if spare <= 0 or largest[one] <= spare:
            continue
        own = of == one
        charge[own] = np.maximum(charge[own] - spare, 0)
        largest[one] -= spare
        cap -= spare
        steps.append((int(sites[one]), spare))
    return (charge, cap, tuple(steps)) if steps else None
