"""Random small problems and their answer by enumeration: the oracle of the optimiser's tests.

It reads the compiled rows of a problem and nothing else of the package, and tries every choice
of columns with every restoration.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from siteselect.problem import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Coverage,
    Group,
    Ledger,
    Locks,
    Parcels,
    SelectionProblem,
    Separation,
    TotalArea,
    Workforce,
)

KINDS = (
    "group", "either", "budget", "area", "ledgers", "programme", "conflicts", "separation",
    "locks", "coverage", "variants", "whole", "on_site", "at_most", "ties",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """The optimum by enumeration: value and the first of the best lists of site identifiers."""

    value: int | None
    sites: tuple[str, ...] = ()


def random_problem(seed: int, kinds: frozenset[str]) -> SelectionProblem:
    """A problem with at most 9 columns, 4 parcels, and the kinds of constraint asked for."""
    g = np.random.default_rng(seed)
    n_sites = int(g.integers(3, 8))
    site = np.arange(n_sites)
    if "variants" in kinds:
        site = np.sort(np.concatenate([site, g.choice(n_sites, int(g.integers(1, 3)), False)]))
    columns = len(site)
    score = g.integers(0, 4, columns) if "ties" in kinds else g.integers(-20, 100, columns)
    parcels = _parcels(g, kinds, n_sites)
    count = int(g.integers(1, min(4, n_sites) + 1))
    ids = g.permutation(n_sites)
    return SelectionProblem(
        site=site.astype(np.int32),
        score=score.astype(np.int64),
        count=count,
        at_most="at_most" in kinds,
        n_sites=n_sites,
        site_ids=tuple(f"S{i}" for i in ids),
        parcels=parcels,
        constraints=tuple(_constraints(g, kinds, site, n_sites, count, parcels)),
        coverage=_coverage(g, n_sites) if "coverage" in kinds else None,
    )


def _parcels(g, kinds, n_sites):
    many = int(g.integers(1, 5)) if kinds & {"ledgers", "programme"} else 0
    on_site = np.full(many, -1, np.int32)
    if "on_site" in kinds and many:
        on_site[0] = g.integers(0, n_sites)
    return Parcels(g.integers(1, 4, many), g.integers(0, 9, many), on_site, whole="whole" in kinds)


def _coverage(g, n_sites):
    demand = int(g.integers(1, 9))
    reach = g.random((n_sites, demand)) < 0.4
    starts = np.concatenate([[0], np.cumsum(reach.sum(axis=1))])
    return Coverage(starts, np.nonzero(reach)[1].astype(np.int32), g.integers(0, 60, demand))


def _constraints(g, kinds, site, n_sites, count, parcels):
    columns = len(site)
    if "group" in kinds:
        for k in range(int(g.integers(1, 4))):
            own = np.flatnonzero(g.random(columns) < 0.6)
            low = int(g.integers(0, 2))
            yield Group(f"group {k}", own, low, low + int(g.integers(0, 3)))
    if "either" in kinds:
        yield Group("either", g.choice(columns, 2, False), 1, 1)
    if "budget" in kinds:
        cost = g.integers(0, 20, columns)
        yield Budget("budget", cost, int(cost.mean() * count) + int(g.integers(-3, 8)))
        if g.random() < 0.3:
            yield Budget("works", g.integers(0, 9, columns), 5 * count, with_parcels=False)
    if "area" in kinds:
        area = g.integers(0, 30, columns)
        yield TotalArea("area", area, int(area.mean() * count) - int(g.integers(-4, 8)))
        yield TotalArea("area at most", area, None, int(area.mean() * count) + 12)
    charge = g.integers(0, 5, columns)
    if "ledgers" in kinds:
        half = np.arange(columns) < columns // 2
        for k, own in enumerate((half, ~half)):
            members = np.flatnonzero(own)
            mine = np.arange(k, len(parcels), 2)
            yield Ledger(
                f"ledger {k}", "region", str(k), members, charge[members], mine,
                int(g.integers(-1, 4)),
            )  # fmt: skip
        if g.random() < 0.3:
            crossing = np.flatnonzero(g.random(len(parcels)) < 0.6)
            yield Ledger("crossing", "scot", "x", np.arange(columns), charge, crossing, 3 * count)
    if "programme" in kinds:
        yield Ledger(
            "programme", "programme", "", np.arange(columns), charge, np.arange(len(parcels)),
            int(g.integers(-1, 4)),
        )  # fmt: skip
    if "conflicts" in kinds:
        pairs = [g.choice(n_sites, 2, False) for _ in range(int(g.integers(1, 4)))]
        yield Conflicts("conflicts", np.array(pairs, np.int64))
    if "separation" in kinds:
        yield Separation("separation", g.integers(0, 20, (n_sites, 2)), int(g.integers(1, 14)))
    if "locks" in kinds:
        two = g.permutation(n_sites)[:2]
        yield Locks("locks", two[:1], two[1:])


def solve_by_enumeration(problem: SelectionProblem) -> Answer:
    """Every choice of columns, every restoration."""
    rows = problem.rows()
    x_rows, z_rows = rows.x.toarray(), rows.z.toarray()
    amounts, scale = _restorations(problem)
    activity_z = amounts @ z_rows.T
    lower = [None if v == NO_LOWER else v * scale for v in rows.lower.tolist()]
    upper = [None if v == NO_UPPER else v * scale for v in rows.upper.tolist()]
    low = np.array([-(10**15) if v is None else v for v in lower])
    high = np.array([10**15 if v is None else v for v in upper])
    best: tuple[int, tuple[str, ...]] | None = None
    sizes = range(problem.count + 1) if problem.at_most else [problem.count]
    for size in sizes:
        for chosen in itertools.combinations(range(problem.n_columns), size):
            x = np.zeros(problem.n_columns, np.int64)
            x[list(chosen)] = 1
            activity = activity_z + scale * (x_rows @ x)
            if not np.any(np.all((activity >= low) & (activity <= high), axis=1)):
                continue
            value = _value(problem, chosen)
            ids = tuple(sorted(problem.site_ids[problem.site[j]] for j in chosen))
            if best is None or value > best[0] or (value == best[0] and _first(ids, best[1])):
                best = (value, ids)
    return Answer(None) if best is None else Answer(*best)


def _first(ids: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Sorted lists: the one that takes the earliest identifier at the first difference."""
    for one, two in zip(ids, other, strict=False):
        if one != two:
            return one < two
    return len(ids) > len(other)


def _restorations(problem: SelectionProblem) -> tuple[np.ndarray, int]:
    """Every restoration as shares × scale, integers."""
    capacity = problem.parcels.capacity.tolist()
    scale = math.lcm(1, *capacity)
    steps = [
        [0, scale] if problem.parcels.whole else [u * scale // d for u in range(d + 1)]
        for d in capacity
    ]
    every = list(itertools.product(*steps))
    return np.array(every, np.int64).reshape(len(every), len(capacity)), scale


def _value(problem: SelectionProblem, chosen: tuple[int, ...]) -> int:
    value = int(problem.score[list(chosen)].sum())
    if problem.coverage is not None:
        reach = problem.coverage.matrix().toarray()[problem.site[list(chosen)]]
        value += int(problem.coverage.weights[reach.any(axis=0)].sum()) if chosen else 0
    if problem.workforce is not None:
        value += problem.workforce.value * jobs_by_networkx(problem, chosen)
    return value


def jobs_by_networkx(problem: SelectionProblem, chosen: tuple[int, ...]) -> int:
    """Jobs filled, commune by commune, with another library's maximum flow."""
    force, graph = problem.workforce, nx.DiGraph()
    graph.add_nodes_from(("jobs", "workers"))
    for j in chosen:
        site = int(problem.site[j])
        graph.add_edge("jobs", ("site", site), capacity=int(force.jobs[j]))
        for i in force.indices[force.indptr[site] : force.indptr[site + 1]].tolist():
            graph.add_edge(("site", site), ("commune", i))
            graph.add_edge(("commune", i), "workers", capacity=int(force.supply[i]))
    return int(nx.maximum_flow_value(graph, "jobs", "workers"))


def with_workforce(problem: SelectionProblem, seed: int) -> SelectionProblem:
    """The problem with few workers: sites share communes and cannot all be filled."""
    g = np.random.default_rng([seed, 7])
    communes = int(g.integers(1, 7))
    reach = g.random((problem.n_sites, communes)) < 0.5
    force = Workforce.from_matrix(
        csr_array(reach.astype(np.int64)), g.integers(0, 6, communes),
        g.integers(0, 9, problem.n_columns), int(g.integers(1, 12)),
    )  # fmt: skip
    return replace(problem, workforce=force)
