"""Before any search: columns that no portfolio can hold, and land caps said more tightly.

A commune may be granted 1 ha while a site needs 20: the linear relaxation then takes a twentieth
of the site in each of thousands of communes, and none of it is real. Two exact steps close that:

- a column that breaks a row whatever else is chosen and restored is shut;
- where a row ``Σ a x − Σ d z ≤ b`` cannot be broken without a site s (the others charge at most
  ``U < b``), s takes ``δ = b − U`` less and the cap falls by δ. Portfolios are the same, the
  relaxation is smaller (coefficient tightening, Savelsbergh 1994, "Preprocessing and probing
  techniques for mixed integer programming problems", section 1).

Only whole-number arithmetic; the referee still judges every choice on the original problem.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from siteselect.optimise.model import Model
from siteselect.problem import NO_LOWER, NO_UPPER
from siteselect.problem.constraints import Ints

MOST_SITES = 200
"""Rows over more sites than this are as they are: their caps are never nearly free."""


def presolved(model: Model) -> Model:
    """The same portfolios, in fewer columns and tighter rows."""
    shut = model.shut | _never(model)
    rows = _ledger_rows(model)
    if not len(rows):
        return dataclasses.replace(model, shut=shut)
    most = _most_sites(model, rows)
    data, upper = model.x.data.copy(), model.upper.copy()
    for row, many in zip(rows.tolist(), most.tolist(), strict=True):
        part = slice(model.x.indptr[row], model.x.indptr[row + 1])
        columns = model.x.indices[part]
        charge = np.where(shut[columns], 0, data[part])
        # where one site at most is chosen, all of them are one choice
        choice = model.site[columns] if many > 1 else np.zeros(len(columns), np.int64)
        new = _tighter(charge, choice, int(upper[row]), many)
        if new is not None:
            data[part], upper[row] = new
    x = csr_array((data, model.x.indices.copy(), model.x.indptr.copy()), shape=model.x.shape)
    x.eliminate_zeros()
    return dataclasses.replace(model, shut=shut, x=x, x_columns=csc_array(x), upper=upper)


def _never(model: Model) -> NDArray[np.bool_]:
    """bool[J]: columns that break a row alone, with all that may be restored beside them."""
    x = model.x.tocoo()
    least_x = np.asarray(model.x.minimum(0).sum(axis=1)).ravel()
    given = csr_array(model.z.minimum(0))
    least = least_x + np.asarray(given.sum(axis=1)).ravel()
    alone = np.maximum(x.data, 0) + least[x.row]
    closed = csr_array(given @ _own_parcels(model).T)
    if closed.nnz:  # what lies on the site itself is not restored beside it
        alone = alone - _at(closed, x.row.astype(np.int64), model.site[x.col])
    upper = model.upper[x.row]
    never = np.zeros(model.n_columns, bool)
    never[x.col[(upper != NO_UPPER) & (alone > upper)]] = True
    return never


def _at(matrix: csr_array, rows: Ints, columns: Ints) -> Ints:
    """Entries of a sparse matrix with at least one, by row and column; 0 where it has none."""
    held = matrix.tocoo()
    key = held.row.astype(np.int64) * matrix.shape[1] + held.col
    order = np.argsort(key)
    wanted = rows.astype(np.int64) * matrix.shape[1] + columns
    spot = np.searchsorted(key[order], wanted)
    spot[spot == len(key)] = 0
    found: Ints = np.where(key[order][spot] == wanted, held.data[order][spot], 0)
    return found


def _own_parcels(model: Model) -> csr_array:
    """Sites × parcels, 1 where the parcel is on the site: the rows x + z ≤ 1."""
    several = np.diff(model.z.indptr) == 1
    rows = np.flatnonzero((model.origin < 0) & several & (model.upper == 1))
    rows = rows[np.diff(model.x.indptr)[rows] > 0]
    site = model.site[model.x.indices[model.x.indptr[rows]]]
    parcel = model.z.indices[model.z.indptr[rows]]
    shape = (model.n_sites, model.n_parcels)
    return csr_array(coo_array((np.ones(len(rows), np.int64), (site, parcel)), shape=shape))


def _ledger_rows(model: Model) -> Ints:
    """Rows of charges against a cap, which restoration may only ease."""
    charges = np.asarray(model.x.minimum(0).sum(axis=1)).ravel() >= 0
    eased = np.asarray(model.z.maximum(0).sum(axis=1)).ravel() <= 0
    capped = (model.lower == NO_LOWER) & (model.upper != NO_UPPER) & (model.upper > 0)
    largest = np.zeros(len(model.upper), np.int64)
    filled = np.flatnonzero(np.diff(model.x.indptr) > 0)
    if len(filled):
        largest[filled] = np.maximum.reduceat(model.x.data, model.x.indptr[filled])
    few = np.diff(model.x.indptr) <= 2 * MOST_SITES
    return np.flatnonzero(charges & eased & capped & few & (largest > 1) & (model.origin >= 0))


def _most_sites(model: Model, rows: Ints) -> Ints:
    """How many sites of each row a portfolio may hold: by the count, or a group around it."""
    many = np.full(len(rows), model.count, np.int64)
    groups = _groups(model)
    if not len(groups):
        return many
    pattern = csr_array(model.x[rows])
    pattern.data = np.ones_like(pattern.data)
    size = np.diff(pattern.indptr)
    shared = csr_array(pattern @ model.x[groups].T).tocoo()
    whole = shared.data == size[shared.row]
    np.minimum.at(many, shared.row[whole], model.upper[groups[shared.col[whole]]])
    return many


def _groups(model: Model) -> Ints:
    """Rows that count columns from above."""
    x = model.x
    ones = np.ones(len(model.upper), bool)
    filled = np.flatnonzero(np.diff(x.indptr) > 0)
    if len(filled):
        top = np.maximum.reduceat(x.data, x.indptr[filled])
        low = np.minimum.reduceat(x.data, x.indptr[filled])
        ones[filled] = (top == 1) & (low == 1)
    bare = np.diff(model.z.indptr) == 0
    return np.flatnonzero(ones & bare & (model.upper != NO_UPPER) & (np.diff(x.indptr) > 0))


def _tighter(charge: Ints, site: Ints, cap: int, many: int) -> tuple[Ints, int] | None:
    """Charges and cap of a row made tighter site by site, or ``None`` where nothing changes.

    ``many`` sites at most are chosen. Each step keeps exactly the same choices: without the site
    the row still cannot be broken, with it the same land is missing.
    """
    sites, of = np.unique(site, return_inverse=True)
    largest = np.zeros(len(sites), np.int64)
    np.maximum.at(largest, of, charge)
    start = cap
    charge = charge.copy()
    for one in np.argsort(-largest, kind="stable").tolist():
        others = np.delete(largest, one)
        most = int(np.sort(others)[::-1][: max(0, many)].sum())
        spare = cap - most
        if spare <= 0 or largest[one] <= spare:
            continue
        own = of == one
        charge[own] = np.maximum(charge[own] - spare, 0)
        largest[one] -= spare
        cap -= spare
    return (charge, cap) if cap != start else None
