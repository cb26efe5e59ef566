"""Filled jobs in a linear programme: all jobs offered, less those that cuts leave unfilled.

value × (Σ jobs x − Σ u) with u_s ≥ 0 unfilled jobs of a site. For any sites U and communes C, the
workers of C fill no more than workers(C) jobs of U, and those outside C no more at each site than
it offers or than reach it:

    Σ_{s in U} (jobs x − u)_s ≤ workers(C) + Σ_{s in U} min(jobs, workers reaching s outside C) x_s

the Benders cuts of maximal covering (Cordeau, Furini and Ljubić 2019) with jobs as capacities,
found by minimum cuts and made as they are violated. The exact bound makes of **any** multipliers
β ≥ 0 of such rows: value · filled ≤ Σ β workers(C) + Σ_j x_j (Σ β min(…)_j + jobs_j max(0, value −
Σ β)), sums over the rows that hold the site of j.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from siteselect.optimise.lp import INFINITE, Floats, GrowingLp
from siteselect.problem import Workforce
from siteselect.problem.constraints import Ints
from siteselect.problem.workforce import MOST_WORKERS, jobs_filled

FINE = 1_024
"""Jobs are cut into so many parts, at most, where a relaxation is checked."""
WORTH = 1e-7
"""A row is added when it lowers the objective by more than this share of the unit."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Workforce of a compiled model: sites and columns in its order.

    ``reach`` CSR sites × communes with workers, ``supply`` int64[communes] > 0, ``jobs``
    int64[J], no more than the workers within reach; ``value`` of a filled job.
    """

    reach: csr_array
    supply: Ints
    jobs: Ints
    value: int

    @staticmethod
    def of(workforce: Workforce, site_of: Ints, column_of: Ints, site: Ints) -> Flow:
        """The workforce of a problem; ``site`` int64[J] is the model's site of each column."""
        some = np.flatnonzero(workforce.supply > 0)
        reach = csr_array(workforce.matrix()[site_of][:, some])
        supply = workforce.supply[some]
        within = np.asarray(reach @ supply)
        jobs = np.minimum(workforce.jobs[column_of], within[site])
        return Flow(reach, supply, jobs, workforce.value)

    def alone(self) -> Ints:
        """int64[J], what the jobs of each column are worth without rivals."""
        return self.jobs * self.value

    def restricted(self, columns: Ints, sites: Ints) -> Flow:
        """On some columns and sites of the model only."""
        part = dataclasses.replace(self, reach=csr_array(self.reach[sites]))
        return dataclasses.replace(part, jobs=self.jobs[columns])

    def worth(self, sites: Ints, jobs: Ints) -> int:
        """Exact value of the jobs filled."""
        return self.value * jobs_filled(csr_array(self.reach[sites]), self.supply, jobs).total


@dataclass(frozen=True, eq=False)
class Hall:
    """A row: sites that compete for some communes, and what else can fill their jobs.

    ``sites`` int64, ``workers`` of the ``communes`` (int64, columns of the reach); ``columns``
    int64 of these sites, ``outside`` int64, jobs that workers of other communes can fill at each.
    """

    sites: Ints
    workers: int
    columns: Ints
    outside: Ints
    communes: Ints


def hall_of(flow: Flow, site: Ints, communes: Ints, left_out: Ints) -> Hall:
    """The row of a set of communes over all sites that depend on it, but for some left out."""
    others = flow.supply.copy()
    others[communes] = 0
    elsewhere = np.minimum(flow.jobs, np.asarray(flow.reach @ others)[site])
    inside = np.zeros(flow.reach.shape[0], bool)
    inside[site[elsewhere < flow.jobs]] = True
    inside[left_out] = False
    columns = np.flatnonzero(inside[site])
    workers = int(flow.supply[communes].sum())
    return Hall(np.flatnonzero(inside), workers, columns, elsewhere[columns], communes)


class HallCuts:
    """The rows of unfilled jobs, in a programme whose columns and rows grow."""

    def __init__(self, flow: Flow, site: Ints, lp: GrowingLp, unit: float) -> None:
        self._flow, self._site, self._lp, self._unit = flow, site, lp, unit
        self._size = float(max(1, flow.jobs.max(initial=1)))
        self._halls: list[Hall] = []
        self._inside: list[NDArray[np.bool_]] = []
        self._coefficient: list[Ints] = []
        self._rows: list[int] = []
        self._unfilled = np.full(flow.reach.shape[0], -1, np.int64)

    def entries(self, columns: Ints) -> tuple[Ints, Ints, Floats]:
        """Row, index into ``columns`` and value of the coefficients of new columns."""
        self._open(np.unique(self._site[columns]))
        rows, index, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for coefficient, row in zip(self._coefficient, self._rows, strict=True):
            held = np.flatnonzero(coefficient[columns])
            rows.append(np.full(len(held), row, np.int64))
            index.append(held)
            values.append(coefficient[columns[held]] / self._size)
        return np.concatenate(rows), np.concatenate(index), np.concatenate(values)

    def _open(self, sites: Ints) -> None:
        """The column of unfilled jobs of sites that a row made so far holds."""
        wanted = [s for s in sites.tolist() if self._unfilled[s] < 0]
        held = [
            (s, [row for inside, row in zip(self._inside, self._rows, strict=True) if inside[s]])
            for s in wanted
        ]
        held = [(s, rows) for s, rows in held if rows]
        if not held:
            return
        row = np.array([row for _, rows in held for row in rows], np.int64)
        starts = np.concatenate([[0], np.cumsum([len(rows) for _, rows in held])])
        many = len(held)
        placed = self._lp.add_columns(
            np.full(many, -self._flow.value / self._unit * self._size), np.zeros(many),
            np.full(many, INFINITE), starts.astype(np.int64), row, -np.ones(len(row)),
        )  # fmt: skip
        self._unfilled[[s for s, _ in held]] = placed

    def separate(self, columns: Ints, positions: Ints) -> int:
        """Rows that the solution violates; how many were added."""
        offered = self._flow.jobs[columns] * self._lp.value[positions]
        filled: Floats = np.zeros(len(self._unfilled))
        np.add.at(filled, self._site[columns], offered)
        known = self._unfilled >= 0
        filled[known] -= self._lp.value[self._unfilled[known]] * self._size
        load: Floats = np.zeros(len(filled))
        np.add.at(load, self._site[columns], self._lp.value[positions])
        sites = np.flatnonzero(filled > 0)
        if not len(sites):
            return 0
        made = 0
        for hall in self._violated(sites, filled[sites], load[sites]):
            over = float(filled[hall.sites].sum()) - hall.workers
            where = positions_of(hall.columns, columns, positions)
            over -= float(hall.outside[where >= 0] @ self._lp.value[where[where >= 0]])
            if over * self._flow.value > WORTH * self._unit:
                self._add(hall, columns, positions)
                made += 1
        return made

    def _violated(self, sites: Ints, filled: Floats, load: Floats) -> Iterable[Hall]:
        """Rows of the communes whose workers are fewer than the jobs that depend on them."""
        fine = max(1, min(FINE, int(MOST_WORKERS // 4 / max(1.0, float(filled.sum())))))
        reach = csr_array(self._flow.reach[sites])
        offered = np.rint(filled * fine).astype(np.int64)
        supply = np.minimum(self._flow.supply, int(offered.sum()) + 1) * fine
        cut = jobs_filled(reach, supply, offered, load=np.minimum(load, 1.0))
        if not cut.short.any():
            return
        short, taken = np.flatnonzero(cut.short), np.flatnonzero(cut.taken)
        part = csr_array(reach[short][:, taken])
        _, label = connected_components(part @ part.T, directed=False)
        for k in np.unique(label).tolist():
            own = np.flatnonzero(label == k)
            communes = taken[np.unique(part[own].indices)]
            if len(communes):
                rivals = np.setdiff1d(sites, sites[short[own]])
                yield hall_of(self._flow, self._site, communes, rivals)

    def _add(self, hall: Hall, columns: Ints, positions: Ints) -> None:
        inside = np.zeros(len(self._unfilled), bool)
        inside[hall.sites] = True
        coefficient = np.zeros(len(self._site), np.int64)
        coefficient[hall.columns] = self._flow.jobs[hall.columns] - hall.outside
        present = np.unique(self._site[columns[inside[self._site[columns]]]])
        fresh = present[self._unfilled[present] < 0]
        many = len(fresh)
        self._unfilled[fresh] = self._lp.add_columns(
            np.full(many, -self._flow.value / self._unit * self._size), np.zeros(many),
            np.full(many, INFINITE), np.zeros(many + 1, np.int64), np.zeros(0, np.int64),
            np.zeros(0),
        )  # fmt: skip
        mine = coefficient[columns] > 0
        spot = np.concatenate([positions[mine], self._unfilled[present]])
        jobs = coefficient[columns[mine]]
        value = np.concatenate([jobs / self._size, -np.ones(len(present))])
        placed = self._lp.add_rows(
            np.array([-INFINITE]), np.array([hall.workers / self._size]),
            np.array([0, len(spot)]), spot, value, elastic=False,
        )  # fmt: skip
        self._halls.append(hall)
        self._inside.append(inside)
        self._coefficient.append(coefficient)
        self._rows.append(int(placed[0]))

    def multipliers(self, dual: Floats) -> tuple[tuple[Hall, ...], Floats]:
        """The rows and β of each, from the duals in units of the score."""
        return tuple(self._halls), np.maximum(dual[self._rows], 0) / self._size


def positions_of(wanted: Ints, columns: Ints, positions: Ints) -> Ints:
    """Position of each wanted column in the programme, −1 where it is not in it."""
    order = np.argsort(columns, kind="stable")
    spot = np.minimum(np.searchsorted(columns[order], wanted), len(columns) - 1)
    found: Ints = np.where(columns[order][spot] == wanted, positions[order][spot], -1)
    return found
