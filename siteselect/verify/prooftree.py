"""A branching tree checked leaf by leaf: integer multipliers, integer bounds, no solver.

For any multipliers y (not negative on a side ≤, not positive on a side ≥) no portfolio is worth
more than Σ y·side + Σ_i μ_i + Σ_s max(0, max_m rc_sm) + Σ_r max(0, rc_r), where rc is what the
score leaves after yᵀ(rows), and a demand point of weight w counts as (w − μ)·X + μ for any
0 ≤ μ ≤ w. What would push that under the floor when chosen (or left out) is ruled out. Branches
are exhaustive: a site in or out, a column chosen or not. So the floor is out of reach as soon as
every leaf is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.verify.proofmodel import AuditModel, AuditRow

Ints = NDArray[np.int64]
FREE, INSIDE, OUTSIDE = 0, 1, 2
LOWEST = -(2**61)
NEVER = 2**62
LARGEST = 2**60
"""No number of a step may exceed this: 64 bits then hold every sum."""


class BadProofError(Exception):
    """The proof is not one; the text says where."""


@dataclass(frozen=True, eq=False)
class Hall:
    """Sites that share the workers of some communes.

    ``workers`` of these communes, int64[J] ``elsewhere``: jobs that other workers can fill at
    each column of these sites (0 elsewhere).
    """

    sites: Ints
    workers: int
    elsewhere: Ints


@dataclass(frozen=True, eq=False)
class WholeRow:
    """x·columns + z·parcels ≤ upper for every whole choice: int64 over columns and parcels."""

    x: Ints
    z: Ints
    upper: int


@dataclass(frozen=True, eq=False)
class Given:
    """What steps refer to by number: rows, cliques (arrays of sites), lemmas (of columns), rows
    of workers, rows of whole choices (over the columns of a part).
    """

    rows: Sequence[AuditRow]
    cliques: Sequence[Ints]
    lemmas: Sequence[Ints]
    halls: Sequence[Hall] = ()
    whole: Sequence[WholeRow] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """The model, or what is left of it: arrays side by side.

    ``x`` and ``z``: rows of the proof × columns, × parcels; ``reach``: sites × demand points.
    ``column`` is the number in the model of each column left.
    """

    column: Ints
    site: Ints
    score: Ints
    n_sites: int
    x: csr_array
    z: csr_array
    reach: csr_array | None
    weights: Ints
    jobs: Ints
    job_value: int


@dataclass(frozen=True, eq=False)
class Fixed:
    """Sites in or out (int8, sites of the model), columns ruled out (bool, columns of the part)."""

    state: NDArray[np.int8]
    shut: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Found:
    """scale × the bound, and what the bound loses when a column is chosen, a site left out."""

    scaled: int
    scale: int
    column: Ints
    site: Ints

    @property
    def bound(self) -> int:
        """No portfolio of the node is worth more."""
        return self.scaled // self.scale


def whole_part(model: AuditModel, rows: Sequence[AuditRow]) -> Part:
    """The whole model with the rows that a proof uses."""
    return Part(
        np.arange(len(model.site)),
        model.site,
        model.score,
        len(model.sites),
        _matrix([(row.columns, row.factors) for row in rows], len(model.site)),
        _matrix([(row.parcels, row.parcel_factors) for row in rows], len(model.parcels)),
        model.reach,
        model.weights,
        _jobs(model),
        0 if model.hiring is None else model.hiring.value,
    )


def _jobs(model: AuditModel) -> Ints:
    """Jobs that each column offers, no more than the workers within its reach."""
    if model.hiring is None:
        return np.zeros(len(model.site), np.int64)
    within: Ints = np.asarray(model.hiring.near @ model.hiring.workers)
    return np.minimum(model.hiring.jobs, within[model.site])


def hall_of(model: AuditModel, sites: Ints, communes: Ints) -> Hall:
    """The workers of some communes fill at most as many jobs as they are; others the rest.

    Raises
    ------
    BadProofError
        The model counts no jobs, or has no such commune.
    """
    if model.hiring is None or np.any((communes < 0) | (communes >= len(model.hiring.workers))):
        raise BadProofError("a row of workers that the scenario does not have")
    others = model.hiring.workers.copy()
    others[communes] = 0
    inside = np.isin(model.site, sites)
    left = np.minimum(_jobs(model), np.asarray(model.hiring.near @ others)[model.site])
    workers = sum(model.hiring.workers[np.unique(communes)].tolist())
    return Hall(np.unique(sites), workers, np.where(inside, left, 0))


def _matrix(rows: Sequence[tuple[Ints, Ints]], width: int) -> csr_array:
    starts = np.concatenate([[0], np.cumsum([len(one) for one, _ in rows])]).astype(np.int64)
    empty = np.zeros(0, np.int64)
    indices = np.concatenate([one for one, _ in rows]) if rows else empty
    factors = np.concatenate([one for _, one in rows]) if rows else empty
    return csr_array((factors, indices, starts), shape=(len(rows), width), dtype=np.int64)


def shrunk(part: Part, at: Fixed) -> tuple[Part, Fixed]:
    """Only the columns that are left; demand points that the same sites reach become one.

    Their numbers follow the first point of each; what one site alone reaches joins its score.
    """
    left = np.flatnonzero(~at.shut & (at.state[part.site] != OUTSIDE))
    site, score = part.site[left], part.score[left].copy()
    reach, weights = part.reach, part.weights
    if reach is not None:
        alive = np.zeros(part.n_sites, bool)
        alive[site] = True
        reach, weights, alone = _merged(reach, weights, alive)
        score += alone[site]
    smaller = Part(
        part.column[left], site, score, part.n_sites, csr_array(part.x[:, left]), part.z, reach,
        weights, part.jobs[left], part.job_value,
    )  # fmt: skip
    return smaller, Fixed(at.state, np.zeros(len(left), bool))


def _merged(
    reach: csr_array, weights: Ints, alive: NDArray[np.bool_]
) -> tuple[csr_array, Ints, Ints]:
    """Sites × groups, weights of the groups, weight that each site alone reaches."""
    by_point = csr_array(reach.T)
    by_point.sort_indices()
    alone = np.zeros(reach.shape[0], np.int64)
    number: dict[bytes, int] = {}
    members: list[Ints] = []
    total: list[int] = []
    starts, sites = by_point.indptr.tolist(), by_point.indices.astype(np.int64)
    for i in np.flatnonzero(weights > 0).tolist():
        own = sites[starts[i] : starts[i + 1]]
        own = own[alive[own]]
        if len(own) == 1:
            alone[own[0]] += weights[i]
        elif len(own) > 1:
            key = own.tobytes()
            if key not in number:
                number[key] = len(members)
                members.append(own)
                total.append(0)
            total[number[key]] += int(weights[i])
    ones = [(one, np.ones(len(one), np.int64)) for one in members]
    return csr_array(_matrix(ones, reach.shape[0]).T), np.array(total, np.int64), alone


def evaluate(part: Part, step: Mapping[str, Any], given: Given, at: Fixed) -> Found:
    """The bound of a step at a node.

    Raises
    ------
    BadProofError
        A multiplier has the wrong sign, no row to go with, or is too large.
    """
    scale = whole_number(step.get("scale"), "scale")
    if scale <= 0:
        raise BadProofError(f"scale {scale}")
    y = np.zeros(len(given.rows), dtype=object)
    total, reach_of = 0, float(scale) * (_size(part.score) + float(part.weights.sum()))
    for k, value in _pairs(step, "rows", len(given.rows)):
        asked = given.rows[k]
        side = asked.upper if value > 0 else asked.lower
        if value and side is None:
            raise BadProofError(f"a multiplier {value} on the open side of the row {asked.name}")
        y[k] += value
        total += value * (side or 0)
        reach_of += abs(value) * max(_size(asked.factors), _size(asked.parcel_factors))
    dear = np.zeros(part.n_sites, dtype=object)
    for k, value in _pairs(step, "cliques", len(given.cliques)):
        dear[given.cliques[k]] += _not_negative(value)
        total += value
        reach_of += value
    against = np.zeros(len(part.column), dtype=object)
    for k, value in _pairs(step, "lemmas", len(given.lemmas)):
        against[np.isin(part.column, given.lemmas[k])] += _not_negative(value)
        total += value * (len(given.lemmas[k]) - 1)
        reach_of += value
    worker = np.full(part.n_sites, part.job_value * scale, dtype=object)
    filled = np.zeros(len(part.column), dtype=object)
    for k, value in _pairs(step, "halls", len(given.halls)):
        hall = given.halls[k]
        worker[hall.sites] -= _not_negative(value)
        filled += hall.elsewhere[part.column].astype(object) * value
        total += value * hall.workers
        reach_of += value * (1 + _size(part.jobs))
    reach_of += 2 * scale * part.job_value * _size(part.jobs)
    whole = list(_pairs(step, "roundings", len(given.whole)))
    for k, value in whole:
        row = given.whole[k]
        total += _not_negative(value) * row.upper
        reach_of += value * (_size(row.x) + _size(row.z))
    if reach_of >= LARGEST:
        raise BadProofError("numbers too large")
    row_y = y.astype(np.int64)
    reduced = part.score * scale - part.x.T @ row_y
    reduced -= dear.astype(np.int64)[part.site] + against.astype(np.int64)
    if part.job_value:
        worth = np.maximum(worker, 0).astype(np.int64)[part.site]
        reduced += part.jobs * worth + filled.astype(np.int64)
    if part.reach is not None:
        weight = part.weights * scale
        for k, value in _pairs(step, "demand", len(weight)):
            if not 0 <= value <= int(weight[k]):
                raise BadProofError(f"a multiplier {value} outside 0 … {int(weight[k])}")
            weight[k] -= value
            total += value
        reduced += np.asarray(part.reach @ weight)[part.site]
    restored = -(part.z.T @ row_y)
    for k, value in whole:
        reduced -= value * given.whole[k].x
        restored -= value * given.whole[k].z
    total += _sum(np.maximum(restored, 0))
    return _closed(part, reduced, total, scale, at)


def _closed(part: Part, reduced: Ints, total: int, scale: int, at: Fixed) -> Found:
    """The best column of every site, and what it costs to go against that."""
    reduced = np.where(at.shut, LOWEST, reduced)
    best = np.full(part.n_sites, LOWEST)
    np.maximum.at(best, part.site, reduced)
    inside, outside = at.state == INSIDE, at.state == OUTSIDE
    if np.any(best[inside] == LOWEST):
        # A site held in has no column left: there is no portfolio here at all.
        return Found(-NEVER, 1, np.full(len(reduced), NEVER), np.full(part.n_sites, NEVER))
    value = np.where(inside, best, np.where(outside, 0, np.maximum(best, 0)))
    column = np.where(at.shut | outside[part.site], NEVER, value[part.site] - reduced)
    return Found(total + _sum(value), scale, column, np.where(inside, NEVER, value))


def ruled_out(part: Part, at: Fixed, found: Found, floor: int) -> Fixed:
    """The node without what a portfolio worth ``floor`` cannot do."""
    room = found.scaled - floor * found.scale
    shut = at.shut | ((found.column > room) & (at.state[part.site] != OUTSIDE))
    state = at.state.copy()
    state[(at.state == FREE) & (found.site > room)] = INSIDE
    return Fixed(state, shut)


def branched(part: Part, at: Fixed, branch: object) -> tuple[Fixed, Fixed]:
    """Both sides of a branch: together they hold every portfolio of the node."""
    if not (isinstance(branch, list) and len(branch) == 2 and branch[0] in ("site", "column")):
        raise BadProofError(f"branch {branch!r}")
    kind, place = str(branch[0]), whole_number(branch[1], "branch")
    first, second = at.state.copy(), at.state.copy()
    if kind == "site":
        if not 0 <= place < part.n_sites:
            raise BadProofError(f"no site {place}")
        first[place], second[place] = INSIDE, OUTSIDE
        if at.state[place] != FREE:
            raise BadProofError(f"site {place} is decided already")
        return Fixed(first, at.shut), Fixed(second, at.shut)
    spot = np.flatnonzero(part.column == place)
    if len(spot) != 1:
        raise BadProofError(f"no column {place} is left")
    site = int(part.site[spot[0]])
    if at.state[site] == OUTSIDE:
        raise BadProofError(f"site {site} is decided already")
    first[site] = INSIDE
    others = (part.site == site) & (part.column != place)
    without = at.shut.copy()
    without[spot[0]] = True
    return Fixed(first, at.shut | others), Fixed(at.state, without)


def decided(part: Part, at: Fixed) -> Ints | None:
    """The columns chosen at a node where nothing is open; ``None`` where something is."""
    left = np.flatnonzero(~at.shut & (at.state[part.site] != OUTSIDE))
    if np.any(at.state[part.site[left]] != INSIDE):
        return None
    if len(np.unique(part.site[left])) != len(left):
        return None
    held = np.flatnonzero(at.state == INSIDE)
    return part.column[left] if len(held) == len(left) else None


def pairs(step: Mapping[str, Any], name: str, many: int) -> Iterable[tuple[int, int]]:
    """Number and multiplier of each entry of a list of a step."""
    return _pairs(step, name, many)


def _pairs(step: Mapping[str, Any], name: str, many: int) -> Iterable[tuple[int, int]]:
    listed = step.get(name, [])
    if not isinstance(listed, list):
        raise BadProofError(f"{name} is no list")
    for entry in listed:
        if not (isinstance(entry, list) and len(entry) == 2):
            raise BadProofError(f"{name}: {entry!r}")
        number, value = whole_number(entry[0], name), whole_number(entry[1], name)
        if not 0 <= number < many:
            raise BadProofError(f"{name}: no number {number}")
        yield number, value


def whole_number(value: object, name: str) -> int:
    """The value where it is a whole number; else a :class:`BadProofError`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadProofError(f"{name}: {value!r} is no whole number")
    return value


def _not_negative(value: int) -> int:
    if value < 0:
        raise BadProofError(f"a multiplier {value} under zero")
    return value


def _size(values: Ints) -> float:
    return float(np.abs(values).max(initial=0))


def _sum(values: Ints) -> int:
    """The sum as a Python integer, without overflow."""
    high = int((values >> 31).sum())
    return (high << 31) + int((values & (2**31 - 1)).sum())
