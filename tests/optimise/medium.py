"""Random problems of 40 to 150 sites, and HiGHS given their plain rows: what ``solve`` is held to.

The rows go to HiGHS as they are, with units of restored land as whole variables: nothing here
knows the optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, coo_array, csr_array, diags_array

from siteselect.problem import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Constraint,
    Coverage,
    Goal,
    Group,
    Ledger,
    Locks,
    Parcels,
    SelectionProblem,
    Separation,
    TotalArea,
    Workforce,
)


@dataclass(frozen=True)
class Size:
    """How large a problem is, and what is in it beside the rules that all have."""

    sites: int
    count: int
    variants: bool = True
    shared: str = ""
    whole: bool = False


def medium_problem(size: Size, seed: int) -> SelectionProblem:
    """Regions, EPCI, budgets, areas, nested ledgers, conflicts, distances and locks at once."""
    g = np.random.default_rng([seed, size.sites])
    site = np.arange(size.sites)
    if size.variants:
        site = np.sort(np.concatenate([site, np.flatnonzero(g.random(size.sites) < 0.5)]))
    n_parcels = size.sites // 8
    parcels = Parcels(
        g.integers(3, 40, n_parcels), g.integers(5, 120, n_parcels),
        np.where(g.random(n_parcels) < 0.3, g.integers(0, size.sites, n_parcels), -1)
        .astype(np.int32), whole=size.whole,
    )  # fmt: skip
    reach = csr_array((g.random((size.sites, 60)) < 0.08).astype(np.int64))
    supply = g.integers(1, 30, 60)
    jobs = g.integers(5, 60, len(site))
    return SelectionProblem(
        site.astype(np.int32),
        g.integers(0, 1_000, len(site)),
        size.count,
        n_sites=size.sites,
        site_ids=tuple(f"S{i:03d}" for i in g.permutation(size.sites)),
        parcels=parcels,
        constraints=tuple(_constraints(g, site, size, parcels)),
        coverage=Coverage.from_matrix(reach, 10 * supply) if size.shared == "coverage" else None,
        workforce=Workforce.from_matrix(reach, supply, jobs, 9)
        if size.shared == "workforce"
        else None,
    )


def _constraints(
    g: np.random.Generator, site: NDArray[np.int64], size: Size, parcels: Parcels
) -> list[Constraint]:
    n, p = len(site), size.count
    region, epci = g.integers(0, 4, size.sites)[site], g.integers(0, size.sites // 6, size.sites)
    usable, cost, works = g.integers(5, 60, n), g.integers(10, 200, n), g.integers(5, 90, n)
    charge = g.integers(0, 30, n)
    place = g.integers(0, 4, len(parcels))
    points = g.integers(0, 1_000, (size.sites, 2))
    every = np.arange(n)
    found: list[Constraint] = []
    for k in range(4):
        own = np.flatnonzero(region == k)
        found.append(Group(f"region {k}", own, 1, p // 2))
        land = np.flatnonzero(place == k)
        found.append(Ledger(f"land {k}", "region", str(k), own, charge[own], land, 3 * p))
    for code in range(size.sites // 6):
        found.append(Group(f"EPCI {code}", np.flatnonzero(epci[site] == code), 0, 2))
    some = g.permutation(size.sites)
    return [
        *found,
        Ledger("programme", "programme", "", every, charge, np.arange(len(parcels)), 7 * p),
        Budget("budget", cost, 75 * p),
        Budget("works", works, 45 * p, with_parcels=False),
        TotalArea("area", usable, 28 * p, 40 * p),
        Goal("quality", g.integers(0, 100, n), 45 * p),
        Group("large", np.flatnonzero(usable >= 40), p // 4),
        Group("either", g.choice(n, 2, replace=False), 0, 1),
        Conflicts("overlap", some[:12].reshape(-1, 2)),
        Separation("apart", points, 90),
        Locks("locks", some[12:13], some[13:16]),
    ]


def by_highs(problem: SelectionProblem) -> tuple[int | None, list[int], list[int]]:
    """HiGHS on the plain rows: value, columns, units restored; no value where infeasible."""
    rows = problem.rows()
    capacity = problem.parcels.capacity
    n, r = problem.n_columns, len(capacity)
    low = np.where(rows.lower == NO_LOWER, -np.inf, rows.lower.astype(float))
    high = np.where(rows.upper == NO_UPPER, np.inf, rows.upper.astype(float))
    step = capacity if problem.parcels.whole else np.ones(r, np.int64)
    share = rows.z @ diags_array(step / capacity)
    more = _shared(problem)
    system = block_array([[rows.x, share, None], [more.x, coo_array((len(more.high), r)), more.y]])
    done = milp(
        -np.concatenate([problem.score, np.zeros(r), more.gain]).astype(float),
        integrality=np.concatenate([np.ones(n + r), np.zeros(len(more.gain))]),
        bounds=Bounds(0, np.concatenate([np.ones(n), capacity / step, more.most])),
        constraints=LinearConstraint(
            system.tocsr(),
            np.concatenate([low, np.full(len(more.high), -np.inf)]),
            np.concatenate([high, more.high]),
        ),
        options={"mip_rel_gap": 0},
    )
    if done.x is None:
        assert done.status == 2
        return None, [], []
    units = np.rint(done.x[n : n + r]).astype(np.int64) * step
    return round(-done.fun), np.flatnonzero(done.x[:n] > 0.5).tolist(), units.tolist()


@dataclass(frozen=True)
class Shared:
    """Rows X x + Y y ≤ high over further variables 0 ≤ y ≤ most worth ``gain`` each."""

    x: csr_array
    y: csr_array
    high: NDArray[np.float64]
    most: NDArray[np.float64]
    gain: NDArray[np.float64]


def _shared(problem: SelectionProblem) -> Shared:
    n = problem.n_columns
    columns = csr_array((np.ones(n), (problem.site, np.arange(n))), shape=(problem.n_sites, n))
    cover, force = problem.coverage, problem.workforce
    if cover is not None:
        ones = np.ones(cover.n_demand)
        reach = csr_array(cover.matrix().T @ columns)
        return Shared(-reach, diags_array(ones), 0 * ones, ones, cover.weights.astype(float))
    if force is None:
        nothing = np.zeros(0)
        return Shared(csr_array((0, n)), csr_array((0, 0)), nothing, nothing, nothing)
    site, commune = force.matrix().nonzero()
    flows = np.arange(len(site))
    into = csr_array((np.ones(len(site)), (site, flows)), shape=(problem.n_sites, len(site)))
    out = csr_array((np.ones(len(site)), (commune, flows)), shape=(len(force.supply), len(site)))
    offered = columns @ diags_array(force.jobs.astype(float))
    return Shared(
        csr_array(block_array([[-offered], [csr_array((len(force.supply), n))]])),
        csr_array(block_array([[into], [out]])),
        np.concatenate([np.zeros(problem.n_sites), force.supply]).astype(float),
        force.supply[commune].astype(float),
        np.full(len(site), float(force.value)),
    )
