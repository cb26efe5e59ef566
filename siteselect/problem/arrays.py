"""From plain arrays to the fields of a :class:`~siteselect.problem.SelectionProblem`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from siteselect.errors import Fault, FaultLog, InputError
from siteselect.messages import Msg
from siteselect.problem.constraints import (
    Budget,
    Conflicts,
    Constraint,
    Group,
    Ints,
    Ledger,
    Locks,
    Parcels,
    Separation,
    TotalArea,
)
from siteselect.problem.coverage import Coverage

WHOLE_NUMBERS = Msg("round to whole units first (0.01 ha, k€, score × 10⁶)")


@dataclass(frozen=True, eq=False)
class ArraySource:
    """The arguments of ``SelectionProblem.from_arrays``, in order."""

    scores: ArrayLike
    count: int
    at_most: bool
    sites: ArrayLike | None
    site_ids: Sequence[str] | None
    groups: Mapping[str, tuple[ArrayLike, int, int | None]] | None
    areas: ArrayLike | None
    area_at_least: int | None
    area_at_most: int | None
    costs: ArrayLike | None
    budget: int | None
    charges: ArrayLike | None
    territories: Mapping[str, Sequence[str]] | None
    caps: Mapping[str, Mapping[str, int]] | None
    programme_cap: int | None
    parcels: Parcels | None
    parcel_territories: Mapping[str, Sequence[str]] | None
    conflicts: ArrayLike | None
    points: ArrayLike | None
    separation: int | None
    coverage: tuple[csr_array, ArrayLike] | None
    include: ArrayLike
    exclude: ArrayLike


def whole(values: ArrayLike, name: str) -> Ints:
    """An int64 array; fractions, NaN and text are refused rather than rounded in silence.

    Raises
    ------
    siteselect.errors.InputError
        When a value is not a whole number.
    """
    array = np.asarray(values)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind in "iub":
        return array.astype(np.int64)
    if array.dtype.kind == "f" and np.all(np.isfinite(array)) and np.all(array == np.rint(array)):
        return array.astype(np.int64)
    raise InputError(
        Fault(
            Msg("the model takes whole numbers only"), where=name, value=_first_bad(array),
            remedy=WHOLE_NUMBERS,
        )
    )  # fmt: skip


def _first_bad(array: NDArray[Any]) -> object:
    if array.dtype.kind != "f":
        return array.dtype.name
    return float(array[~(np.isfinite(array) & (array == np.rint(array)))].flat[0])


def build(source: ArraySource) -> dict[str, Any]:
    """The keyword arguments of ``SelectionProblem``.

    Raises
    ------
    siteselect.errors.InputError
        When an argument lacks the one it goes with, or holds fractions.
    """
    _check_pairs(source)
    scores = whole(source.scores, "scores")
    sites = np.arange(len(scores)) if source.sites is None else whole(source.sites, "sites")
    n_sites = int(sites.max()) + 1 if len(sites) else 0
    if source.site_ids is not None:
        n_sites = len(source.site_ids)
    constraints: list[Constraint] = [
        *_groups(source, len(scores)),
        *_totals(source),
        *_ledgers(source, sites),
        *_exclusions(source),
    ]
    return {
        "site": sites.astype(np.int32),
        "score": scores,
        "count": source.count,
        "at_most": source.at_most,
        "n_sites": n_sites,
        "site_ids": None if source.site_ids is None else tuple(source.site_ids),
        "parcels": source.parcels or Parcels(),
        "constraints": tuple(constraints),
        "coverage": None
        if source.coverage is None
        else Coverage.from_matrix(
            csr_array(source.coverage[0]), whole(source.coverage[1], "coverage weights")
        ),
    }


def _check_pairs(source: ArraySource) -> None:
    """An argument that goes with another must not come alone."""
    log = FaultLog()
    bounds = source.area_at_least is not None or source.area_at_most is not None
    ledgers = source.caps is not None or source.programme_cap is not None
    for here, needed, absent in (
        ("budget", "costs", source.budget is not None and source.costs is None),
        ("area_at_least, area_at_most", "areas", bounds and source.areas is None),
        ("caps", "charges", ledgers and source.charges is None),
        ("caps", "territories", source.caps is not None and source.territories is None),
        ("separation", "points", source.separation is not None and source.points is None),
    ):
        if absent:
            log.add(
                Msg("{given} is given without {needed}", given=here, needed=needed),
                where=here,
                remedy=Msg("give {needed} as well", needed=needed),
            )
    log.check()


def _groups(source: ArraySource, n_columns: int) -> list[Constraint]:
    made: list[Constraint] = []
    for name, (members, at_least, at_most) in (source.groups or {}).items():
        array = np.asarray(members)
        if array.dtype.kind == "b" and len(array) == n_columns:
            array = np.flatnonzero(array)
        made.append(Group(name, whole(array, name), at_least, at_most))
    return made


def _totals(source: ArraySource) -> list[Constraint]:
    made: list[Constraint] = []
    if source.area_at_least is not None or source.area_at_most is not None:
        areas = whole(source.areas, "areas")  # type: ignore[arg-type]
        made.append(TotalArea(Msg("total area"), areas, source.area_at_least, source.area_at_most))
    if source.budget is not None:
        costs = whole(source.costs, "costs")  # type: ignore[arg-type]
        made.append(Budget(Msg("budget"), costs, source.budget))
    return made


def _ledgers(source: ArraySource, sites: Ints) -> list[Constraint]:
    made: list[Constraint] = []
    if source.charges is None:
        return made
    charges = whole(source.charges, "charges")
    n_parcels = len(source.parcels or Parcels())
    for level, caps in (source.caps or {}).items():
        codes = np.asarray((source.territories or {}).get(level, ()), dtype=object)
        of_parcel = np.asarray((source.parcel_territories or {}).get(level, ()), dtype=object)
        if len(codes) <= (int(sites.max()) if len(sites) else -1):
            raise InputError(
                Fault(
                    Msg("{level}: every site needs a territory code", level=level),
                    where="territories",
                    value=len(codes),
                    remedy=Msg("give one code per site"),
                )
            )
        for code, cap in caps.items():
            columns = np.flatnonzero(codes[sites] == code).astype(np.int64)
            parcels = np.flatnonzero(of_parcel == code).astype(np.int64)
            name = Msg("land cap of {level} {code}", level=level, code=code)
            made.append(Ledger(name, level, code, columns, charges[columns], parcels, int(cap)))
    if source.programme_cap is not None:
        name = Msg("net artificialisation of the programme")
        every = np.arange(len(sites))
        made.append(
            Ledger(
                name, "programme", "", every, charges, np.arange(n_parcels), source.programme_cap
            )
        )
    return made


def _exclusions(source: ArraySource) -> list[Constraint]:
    made: list[Constraint] = []
    if source.separation is not None:
        points = whole(source.points, "points")  # type: ignore[arg-type]
        made.append(Separation(Msg("separation distance"), points, source.separation))
    if source.conflicts is not None:
        pairs = whole(source.conflicts, "conflicts").reshape(-1, 2)
        made.append(Conflicts(Msg("sites that exclude each other"), pairs))
    include, exclude = whole(source.include, "include"), whole(source.exclude, "exclude")
    if len(include) or len(exclude):
        made.append(Locks(Msg("sites forced in or out"), include, exclude))
    return made
