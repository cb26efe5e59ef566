"""The constraints of a selection: small frozen objects, each with a name a planner understands.

Every constraint compiles itself, by :meth:`rows`, to sparse rows of integers over the columns x
(a way of developing a site, 0 or 1) and the parcels z (the share restored, 0 to 1)::

    lower ≤ A x + B z ≤ upper

Units are the model's: areas 0.01 ha, money k€, coordinates any integer unit (decimetres of
EPSG:2154 in siteselect). Nothing here knows a solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.spatial import cKDTree

from siteselect.messages import Msg

Ints: TypeAlias = NDArray[np.int64]
Name: TypeAlias = Msg | str

NO_LOWER = int(np.iinfo(np.int64).min)
"""``lower`` of a row without lower bound."""
NO_UPPER = int(np.iinfo(np.int64).max)
"""``upper`` of a row without upper bound."""


def no_ints() -> Ints:
    """An empty integer array."""
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows ``lower ≤ x·columns + z·parcels ≤ upper`` with integer coefficients.

    Attributes
    ----------
    x, z
        int64 CSR matrices, rows × columns and rows × parcels.
    lower, upper
        int64[rows]; :data:`NO_LOWER` and :data:`NO_UPPER` where there is no bound.
    """

    x: csr_array
    z: csr_array
    lower: Ints
    upper: Ints

    def __len__(self) -> int:
        return len(self.lower)

    @staticmethod
    def stack(parts: Sequence[Rows], columns: int, parcels: int) -> Rows:
        """All rows of ``parts``, one under the other."""
        if not parts:
            return make_rows([], columns, parcels)
        return Rows(
            csr_array(vstack([part.x for part in parts], format="csr")),
            csr_array(vstack([part.z for part in parts], format="csr")),
            np.concatenate([part.lower for part in parts]),
            np.concatenate([part.upper for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class RowSpec:
    """One row before it is stacked: indices and coefficients over columns and parcels."""

    columns: Ints
    coefficients: Ints
    lower: int | None = None
    upper: int | None = None
    parcels: Ints = field(default_factory=no_ints)
    parcel_coefficients: Ints = field(default_factory=no_ints)


def _matrix(indices: list[Ints], values: list[Ints], width: int) -> csr_array:
    starts = np.concatenate([[0], np.cumsum([len(part) for part in indices])]).astype(np.int64)
    flat = np.concatenate(indices) if indices else no_ints()
    data = np.concatenate(values) if values else no_ints()
    made = csr_array((data, flat, starts), shape=(len(indices), width), dtype=np.int64)
    made.sum_duplicates()
    return made


def make_rows(specs: Sequence[RowSpec], columns: int, parcels: int) -> Rows:
    """Stack rows given one by one."""
    return Rows(
        _matrix([spec.columns for spec in specs], [spec.coefficients for spec in specs], columns),
        _matrix(
            [spec.parcels for spec in specs], [spec.parcel_coefficients for spec in specs], parcels
        ),
        np.array([NO_LOWER if s.lower is None else s.lower for s in specs], np.int64),
        np.array([NO_UPPER if s.upper is None else s.upper for s in specs], np.int64),
    )


@dataclass(frozen=True, eq=False)
class Parcels:
    """Land that may be restored and deducted in the ledgers.

    Attributes
    ----------
    capacity
        int64[R], units of 0.01 ha gained when the whole parcel is restored, > 0.
    cost_keur
        int64[R], k€ for the whole parcel; in proportion when restored in part.
    on_site
        int32[R], site whose land the parcel is (not restored when the site is chosen), or −1.
    whole
        Parcels are restored whole or not at all; otherwise by any number of units.
    ids
        Text identifiers: they order parcels of the same unit cost. Index order otherwise.
    """

    capacity: Ints = field(default_factory=no_ints)
    cost_keur: Ints = field(default_factory=no_ints)
    on_site: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    whole: bool = False
    ids: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.capacity)


class Frame(Protocol):
    """What a constraint must know of its problem to compile itself."""

    @property
    def site(self) -> NDArray[np.int32]:
        """int32[J], site of each column."""

    @property
    def parcels(self) -> Parcels:
        """Land that may be restored."""

    @property
    def n_sites(self) -> int:
        """Number of sites."""


@runtime_checkable
class Constraint(Protocol):
    """What every constraint offers."""

    @property
    def name(self) -> Name:
        """The name shown to a planner."""

    @property
    def kind(self) -> str:
        """``group``, ``budget``, ``area``, ``ledger``, ``conflicts``, ``separation``, ``locks``."""

    def specs(self, frame: Frame) -> list[RowSpec]:
        """Its rows one by one."""

    def rows(self, frame: Frame) -> Rows:
        """Its rows as integer matrices."""


class _FromSpecs:
    """Rows stacked from the specifications that a constraint gives."""

    def specs(self, frame: Frame) -> list[RowSpec]:
        """The rows one by one."""
        raise NotImplementedError

    def rows(self, frame: Frame) -> Rows:
        """The constraint as integer rows."""
        return make_rows(self.specs(frame), len(frame.site), len(frame.parcels))


def columns_of_sites(site: NDArray[np.int32], wanted: Ints, n_sites: int) -> Ints:
    """Columns that belong to one of the wanted sites, ascending."""
    mark = np.zeros(n_sites, bool)
    mark[wanted] = True
    return np.flatnonzero(mark[site]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Group(_FromSpecs):
    """At least, at most so many of a set of columns (region, EPCI, size class, either/or)."""

    name: Name
    columns: Ints
    at_least: int = 0
    at_most: int | None = None
    kind: str = field(default="group", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row: at_least ≤ Σ x ≤ at_most."""
        ones = np.ones(len(self.columns), np.int64)
        spec = RowSpec(self.columns, ones, self.at_least or None, self.at_most)
        return [spec]


@dataclass(frozen=True, eq=False)
class Budget(_FromSpecs):
    """Costs of the chosen columns and, ``with_parcels``, of the restoration: at most a limit."""

    name: Name
    cost_keur: Ints
    limit_keur: int
    with_parcels: bool = True
    kind: str = field(default="budget", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row: Σ κ_j x_j + Σ κ_r z_r ≤ limit."""
        spec = RowSpec(
            np.arange(len(self.cost_keur)),
            self.cost_keur,
            None,
            self.limit_keur,
            np.arange(len(frame.parcels)) if self.with_parcels else no_ints(),
            frame.parcels.cost_keur if self.with_parcels else no_ints(),
        )
        return [spec]


@dataclass(frozen=True, eq=False)
class TotalArea(_FromSpecs):
    """Total of an area over the chosen columns, units of 0.01 ha."""

    name: Name
    area: Ints
    at_least: int | None = None
    at_most: int | None = None
    kind: str = field(default="area", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row: at_least ≤ Σ A_j x_j ≤ at_most."""
        spec = RowSpec(np.arange(len(self.area)), self.area, self.at_least, self.at_most)
        return [spec]


@dataclass(frozen=True, eq=False)
class Goal(TotalArea):
    """A floor or a cap on another objective: at_least ≤ Σ value x ≤ at_most, in its integers.

    ``area`` holds what each column adds; ``per_unit`` integers make one ``unit`` shown.
    """

    per_unit: float = 1.0
    unit: str = ""
    kind: str = field(default="goal", init=False)

    def shown(self, value: int) -> str:
        """A value as people read it."""
        return f"{value / self.per_unit:.6g} {self.unit}".rstrip()


@dataclass(frozen=True, eq=False)
class Ledger(_FromSpecs):
    """Net artificialisation of a territory: Σ charge x − Σ capacity z ≤ cap (0.01 ha).

    ``charge`` goes with ``columns`` (same length); ``parcels`` are those of the territory.
    The programme constraint is a ledger over everything, level ``programme``.
    """

    name: Name
    level: str
    code: str
    columns: Ints
    charge: Ints
    parcels: Ints
    cap: int
    kind: str = field(default="ledger", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row: Σ a_j x_j − Σ d_r z_r ≤ cap."""
        given = -frame.parcels.capacity[self.parcels]
        spec = RowSpec(self.columns, self.charge, None, self.cap, self.parcels, given)
        return [spec]


@dataclass(frozen=True, eq=False)
class Conflicts(_FromSpecs):
    """Pairs of sites that exclude each other, int64[K, 2] (overlaps, planner's exclusions)."""

    name: Name
    pairs: Ints
    kind: str = field(default="conflicts", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row a pair: Σ over the columns of both sites ≤ 1."""
        return _pair_rows(self.pairs, frame)


@dataclass(frozen=True, eq=False)
class Separation(_FromSpecs):
    """Sites nearer than ``distance`` exclude each other: squared distance < distance², exactly.

    ``points`` is int64[sites, 2] in the integer unit of ``distance``.
    """

    name: Name
    points: Ints
    distance: int
    kind: str = field(default="separation", init=False)

    def pairs(self) -> Ints:
        """All pairs too near, int64[K, 2], first < second, sorted."""
        if self.distance <= 0 or len(self.points) < 2:
            return np.zeros((0, 2), np.int64)
        tree = cKDTree(self.points.astype(np.float64))
        near = tree.query_pairs(self.distance * (1 + 1e-9), output_type="ndarray")
        pairs = np.sort(near.astype(np.int64), axis=1)
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        return pairs[self.too_near(pairs[:, 0], pairs[:, 1])]

    def too_near(self, first: Ints, second: Ints) -> NDArray[np.bool_]:
        """The exact test, pair by pair, in integers."""
        apart = self.points[first] - self.points[second]
        squared: Ints = (apart * apart).sum(axis=-1)
        return squared < self.distance * self.distance

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row a pair too near (small problems and tests: the optimiser makes cliques)."""
        return _pair_rows(self.pairs(), frame)


@dataclass(frozen=True, eq=False)
class Locks(_FromSpecs):
    """Sites forced in (one of their columns is chosen) or out, int64 site indices."""

    name: Name
    include: Ints
    exclude: Ints
    kind: str = field(default="locks", init=False)

    def specs(self, frame: Frame) -> list[RowSpec]:
        """One row a site: Σ x ≥ 1, or Σ x ≤ 0."""
        specs = []
        for wanted, lower, upper in ((self.include, 1, None), (self.exclude, None, 0)):
            for one in wanted:
                columns = np.flatnonzero(frame.site == one).astype(np.int64)
                specs.append(RowSpec(columns, np.ones(len(columns), np.int64), lower, upper))
        return specs


def _pair_rows(pairs: Ints, frame: Frame) -> list[RowSpec]:
    """Rows Σ columns of site a + Σ columns of site b ≤ 1."""
    order = np.argsort(frame.site, kind="stable").astype(np.int64)
    starts = np.searchsorted(frame.site[order], np.arange(frame.n_sites + 1))
    specs = []
    for first, second in pairs.tolist():
        columns = np.concatenate(
            [order[starts[first] : starts[first + 1]], order[starts[second] : starts[second + 1]]]
        )
        specs.append(RowSpec(columns, np.ones(len(columns), np.int64), None, 1))
    return specs
