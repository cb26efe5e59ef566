"""Checks of a :class:`~siteselect.problem.SelectionProblem`: all faults, then raised once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.problem.constraints import (
    Budget,
    Conflicts,
    Constraint,
    Group,
    Ledger,
    Locks,
    Separation,
    TotalArea,
)
from siteselect.problem.workforce import MOST_WORKERS

if TYPE_CHECKING:
    from siteselect.problem.selection import SelectionProblem

LARGEST = 2**40
"""No coefficient may exceed this: sums stay exact in 64 bits."""
_IN_RANGE = Msg("indices count from 0")
_UNITS = Msg("check the unit: 0.01 ha, k€, scores × 10⁶")


def check_problem(problem: SelectionProblem) -> None:
    """Raise :class:`~siteselect.errors.InputError` with every fault found."""
    log = FaultLog()
    _columns(problem, log)
    _parcels(problem, log)
    _coverage(problem, log)
    _workforce(problem, log)
    for one in problem.constraints:
        _constraint(problem, one, log)
    log.check()


def _indices(array: NDArray[Any], size: int, where: str, log: FaultLog) -> None:
    bad = array[(array < 0) | (array >= size)]
    if len(bad):
        log.add(
            Msg("index outside 0 … {last}", last=size - 1),
            where=where,
            value=int(bad.flat[0]),
            remedy=_IN_RANGE,
        )


def _length(array: NDArray[Any], size: int, where: str, log: FaultLog) -> bool:
    if len(array) == size:
        return True
    log.add(
        Msg("{given} values where {needed} are needed", given=len(array), needed=size),
        where=where,
        remedy=Msg("give one value each"),
    )
    return False


def _size(array: NDArray[Any], where: str, log: FaultLog, *, negative: bool) -> None:
    bad = array[(np.abs(array) > LARGEST) | ((array < 0) & (not negative))]
    if len(bad):
        log.add(
            Msg("value out of range for the model"),
            where=where,
            value=int(bad.flat[0]),
            remedy=_UNITS,
        )


def _columns(problem: SelectionProblem, log: FaultLog) -> None:
    if _length(problem.score, len(problem.site), "score", log):
        _size(problem.score, "score", log, negative=True)
    _indices(problem.site, problem.n_sites, "site", log)
    if problem.count < 0:
        log.add(
            Msg("the number of sites to choose is negative"), where="count", value=problem.count,
            remedy=Msg("give 0 or more"),
        )  # fmt: skip
    if problem.site_ids is not None:
        _length(np.asarray(problem.site_ids, dtype=object), problem.n_sites, "site_ids", log)
        if len(set(problem.site_ids)) != len(problem.site_ids):
            twice = _first_repeated(problem.site_ids)
            log.add(
                Msg("the same identifier stands for two sites"), where="site_ids", value=twice,
                remedy=Msg("give every site its own"),
            )  # fmt: skip


def _first_repeated(ids: tuple[str, ...]) -> str:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return ""


def _parcels(problem: SelectionProblem, log: FaultLog) -> None:
    parcels = problem.parcels
    if _length(parcels.cost_keur, len(parcels), "parcels.cost_keur", log):
        _size(parcels.cost_keur, "parcels.cost_keur", log, negative=False)
    _size(parcels.capacity, "parcels.capacity", log, negative=False)
    if np.any(parcels.capacity == 0):
        log.add(
            Msg("a parcel that can restore nothing"), where="parcels.capacity",
            value=int(np.flatnonzero(parcels.capacity == 0)[0]), remedy=Msg("leave it out"),
        )  # fmt: skip
    if _length(parcels.on_site, len(parcels), "parcels.on_site", log):
        placed = parcels.on_site[parcels.on_site != -1]
        _indices(placed, problem.n_sites, "parcels.on_site", log)


def _coverage(problem: SelectionProblem, log: FaultLog) -> None:
    cover = problem.coverage
    if cover is None:
        return
    if cover.n_sites != problem.n_sites:
        log.add(
            Msg("{given} rows of reach where {needed} sites exist", given=cover.n_sites,
                needed=problem.n_sites),
            where="coverage", remedy=Msg("give one row per site, empty where nothing is reached"),
        )  # fmt: skip
    _indices(cover.indices, cover.n_demand, "coverage", log)
    _size(cover.weights, "coverage weights", log, negative=False)


def _workforce(problem: SelectionProblem, log: FaultLog) -> None:
    force = problem.workforce
    if force is None:
        return
    if force.n_sites != problem.n_sites:
        log.add(
            Msg("{given} rows of reach where {needed} sites exist", given=force.n_sites,
                needed=problem.n_sites),
            where="workforce", remedy=Msg("give one row per site, empty where nothing is reached"),
        )  # fmt: skip
    _indices(force.indices, len(force.supply), "workforce", log)
    _length(force.jobs, problem.n_columns, "workforce.jobs", log)
    for values, where in ((force.supply, "workforce.supply"), (force.jobs, "workforce.jobs")):
        _size(values, where, log, negative=False)
        if sum(np.minimum(values, MOST_WORKERS).tolist()) > MOST_WORKERS:
            log.add(Msg("too many in all to be counted"), where=where, remedy=_UNITS)
    most = force.value * int(force.jobs.max(initial=0))
    if force.value < 0 or most > LARGEST:
        log.add(
            Msg("value out of range for the model"), where="workforce.value", value=force.value,
            remedy=_UNITS,
        )  # fmt: skip


def _constraint(problem: SelectionProblem, one: Constraint, log: FaultLog) -> None:
    where = str(one.name)
    if isinstance(one, Group):
        _indices(one.columns, problem.n_columns, where, log)
        if len(np.unique(one.columns)) != len(one.columns):
            log.add(Msg("a column is listed twice"), where=where, remedy=Msg("list it once"))
        if one.at_most is not None and one.at_most < one.at_least:
            log.add(
                Msg("at least {low} and at most {high} cannot both hold", low=one.at_least,
                    high=one.at_most),
                where=where, remedy=Msg("raise the maximum or lower the minimum"),
            )  # fmt: skip
    elif isinstance(one, Budget):
        if _length(one.cost_keur, problem.n_columns, where, log):
            _size(one.cost_keur, where, log, negative=True)
    elif isinstance(one, TotalArea):
        if _length(one.area, problem.n_columns, where, log):
            _size(one.area, where, log, negative=True)
    elif isinstance(one, Ledger):
        _indices(one.columns, problem.n_columns, where, log)
        _indices(one.parcels, len(problem.parcels), where, log)
        if _length(one.charge, len(one.columns), where, log):
            _size(one.charge, where, log, negative=True)
    elif isinstance(one, Conflicts):
        _indices(one.pairs, problem.n_sites, where, log)
        if np.any(one.pairs[:, 0] == one.pairs[:, 1]):
            log.add(Msg("a site excludes itself"), where=where, remedy=Msg("remove the pair"))
    elif isinstance(one, Separation):
        if _length(one.points, problem.n_sites, where, log):
            _size(one.points, where, log, negative=True)
    elif isinstance(one, Locks):
        _indices(one.include, problem.n_sites, where, log)
        _indices(one.exclude, problem.n_sites, where, log)
        both = np.intersect1d(one.include, one.exclude)
        if len(both):
            log.add(
                Msg("a site is forced in and out"), where=where, value=int(both[0]),
                remedy=Msg("keep one of the two locks"),
            )  # fmt: skip
