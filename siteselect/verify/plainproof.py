"""Proofs of problems given as plain arrays: the auditor's model of a selection problem.

Read from the requirements of the problem one by one, never from what the optimiser compiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.verify.proofmodel import AuditModel, AuditRow, Hiring, audit_row

Ints = NDArray[np.int64]
OPEN_LOW, OPEN_HIGH = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


def model_of(problem: Any) -> AuditModel:
    """The auditor's model of a :class:`siteselect.SelectionProblem`, for ``check_proof``."""
    ids = problem.site_ids or tuple(str(i) for i in range(problem.n_sites))
    parcels = problem.parcels
    inside, outside = _held(problem.constraints)
    cover, force = problem.coverage, problem.workforce
    return AuditModel(
        sites=tuple(ids),
        site=problem.site.astype(np.int64),
        variant=tuple(_ordinals(problem.site.tolist())),
        score=problem.score,
        count=None if problem.at_most else problem.count,
        rows=tuple(_rows(problem)),
        exclude=_Exclusions(problem.constraints),
        parcels=tuple(parcels.ids or (str(i) for i in range(len(parcels)))),
        capacity=parcels.capacity,
        cost=parcels.cost_keur,
        on_site=parcels.on_site.astype(np.int64),
        whole=parcels.whole,
        inside=inside,
        outside=outside,
        reach=None if cover is None else cover.matrix(),
        weights=np.zeros(0, np.int64) if cover is None else cover.weights,
        hiring=None
        if force is None
        else Hiring(force.matrix(), force.supply, force.jobs, int(force.value)),
    )


def _ordinals(sites: Sequence[int]) -> Iterator[str]:
    seen: dict[int, int] = {}
    for site in sites:
        yield str(seen.get(site, 0))
        seen[site] = seen.get(site, 0) + 1


def _held(constraints: Sequence[Any]) -> tuple[Ints, Ints]:
    locks = [one for one in constraints if one.kind == "locks"]
    empty = [np.zeros(0, np.int64)]
    return (
        np.unique(np.concatenate([one.include for one in locks] or empty)).astype(np.int64),
        np.unique(np.concatenate([one.exclude for one in locks] or empty)).astype(np.int64),
    )


def _rows(problem: Any) -> Iterator[AuditRow]:
    """Every requirement that is a row; pairs of sites are asked for one by one."""
    parts = [(Msg("structure of the model"), problem.structure_rows())]
    for one in problem.constraints:
        if one.kind not in ("separation", "conflicts", "locks"):
            parts.append((one.name, one.rows(problem)))
    for name, rows in parts:
        x, z = rows.x, rows.z
        for k, (low, high) in enumerate(zip(rows.lower.tolist(), rows.upper.tolist(), strict=True)):
            own, own_z = slice(x.indptr[k], x.indptr[k + 1]), slice(z.indptr[k], z.indptr[k + 1])
            yield audit_row(
                name, x.indices[own], x.data[own], None if low == OPEN_LOW else low,
                None if high == OPEN_HIGH else high, z.indices[own_z], z.data[own_z],
            )  # fmt: skip


class _Exclusions:
    """Whether two sites exclude each other: listed, or nearer than a separation."""

    def __init__(self, constraints: Sequence[Any]) -> None:
        self._apart = [one for one in constraints if one.kind == "separation"]
        self._listed = {
            (min(pair), max(pair))
            for one in constraints
            if one.kind == "conflicts"
            for pair in one.pairs.tolist()
        }

    def __call__(self, first: int, second: int) -> bool:
        if (min(first, second), max(first, second)) in self._listed:
            return True
        for one in self._apart:
            (x, y), (u, v) = one.points[first].tolist(), one.points[second].tolist()
            if (x - u) ** 2 + (y - v) ** 2 < int(one.distance) ** 2:
                return True
        return False
