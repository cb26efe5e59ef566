"""From measured sites and a scenario to the selection problem: the last place with geography."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.catchment import coverage_of, reach_for, workforce_of
from siteselect.earlier import Earlier, earlier_waves
from siteselect.errors import FaultLog, nearest_name
from siteselect.ledger import (
    CODE_COLUMN,
    NAME_COLUMN,
    PENE,
    PROGRAMME,
    TerritoryCap,
    as_spread,
    charges_by_cap,
    knows,
    level_name,
    territory_caps,
)
from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.objectives import check_objective, goals
from siteselect.problem import (
    Budget,
    Conflicts,
    Constraint,
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
from siteselect.requirements import budgets, planned
from siteselect.rulebook import Rulebook
from siteselect.scenario import ConstraintSettings, GroupRule, Scenario, SizeClass
from siteselect.straddling import nowhere, spread
from siteselect.territories import SCOT
from siteselect.units import ha_to_units, ha_to_units_up
from siteselect.variants import site_variants

DECIMETRES_PER_M = 10
DECIMETRES_PER_KM = 10_000
OVERLAP_M2 = 1.0
"""Footprints that share more than this cannot both be chosen; less is a digitising sliver."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Formulation:
    """A selection problem and the tables its indices stand for.

    Attributes
    ----------
    sites
        considered sites, row number = site index of the problem.
    columns
        :func:`siteselect.variants.site_variants`, row number = column of the problem.
    parcels
        restoration parcels, row number = parcel of the problem (empty without offsets).
    caps
        the ledgers of the scenario, enforced or only shown.
    before
        what earlier waves restored: it counts in every ledger and is paid, but is not chosen.
    straddling
        sites whose charge is split between communes (:func:`siteselect.straddling.straddled`).
    apart
        ``site_id`` of projects of national or European scale, charged to their own envelope.
    """

    problem: SelectionProblem
    sites: gpd.GeoDataFrame
    columns: pd.DataFrame
    parcels: gpd.GeoDataFrame
    caps: tuple[TerritoryCap, ...]
    before: Earlier
    straddling: pd.DataFrame
    apart: frozenset[str] = frozenset()

    def with_zan(self, enforced: bool) -> SelectionProblem:
        """The same problem with the ledgers enforced, or without them."""
        kept = [one for one in self.problem.constraints if not isinstance(one, Ledger)]
        if enforced:
            kept += _ledgers(self)
        return replace(self.problem, constraints=tuple(kept))

    def with_hectares(
        self, columns: pd.DataFrame, offered: NDArray[np.bool_], scenario: Scenario
    ) -> tuple[Constraint, ...]:
        """The constraints of the problem for other hectares and costs of the same columns.

        ``columns`` has the rows of :attr:`columns`; those not ``offered`` leave too little usable
        land. Whatever counts hectares or money is written again; ledgers where enforced.
        """
        made = replace(self, columns=columns)
        sizes = {str(_size_name(size)) for size in scenario.constraints.size_classes}
        kept = [
            one
            for one in self.problem.constraints
            if not isinstance(one, Ledger | Budget | TotalArea) and str(one.name) not in sizes
        ]
        limits = scenario.constraints
        kept += [*_size_classes(columns, limits), *_totals(columns, self.before, limits)]
        kept += budgets(columns, limits, paid_keur=self.before.paid_keur)
        kept += goals(columns, self.sites, scenario)
        if not offered.all():
            shut = np.flatnonzero(~offered).astype(np.int64)
            kept.append(Group(Msg("variants that leave too little usable land"), shut, 0, 0))
        if scenario.zan.enforced:
            kept += _ledgers(made)
        return tuple(kept)


def formulate(
    sites: gpd.GeoDataFrame,
    parcels: gpd.GeoDataFrame,
    scenario: Scenario,
    rulebook: Rulebook,
    *,
    reach: Reach | None = None,
    straddling: pd.DataFrame | None = None,
) -> Formulation:
    """The exact model of a scenario, in integers.

    Parameters
    ----------
    sites
        every site of the pack with territories, measures, ``score`` and ``excluded_reason``
        (None: considered).
    parcels
        restoration parcels with territory columns: parcel_id, area_ha, cost_keur, site_id.
    reach
        whose workers reach which site (rows of ``sites``), for a scenario with a catchment.
    straddling
        sites over several communes (:func:`siteselect.straddling.straddled`); without, every site
        is charged whole to its own commune.

    Raises
    ------
    InputError
        locks, groups or caps that name an unknown or excluded site or territory; fewer
        considered sites than sites to choose is left to the solver, which says why.
    """
    free = sites["excluded_reason"].isna()
    considered = sites[free].reset_index(drop=True)
    _check_names(sites, free, scenario)
    check_objective(scenario)
    columns = site_variants(considered, scenario, rulebook)
    offered = parcels if scenario.zan.offsets else parcels.iloc[:0]
    offered = offered.sort_values("parcel_id").reset_index(drop=True)
    before = earlier_waves(offered, scenario)
    over = nowhere() if straddling is None else straddling
    over = over[over["site_id"].isin(sites["site_id"])]
    territories = pd.concat([_territories(part) for part in (sites, over, offered)])
    caps = territory_caps(territories, scenario.zan)
    constraints: list[Constraint] = [
        *_quotas(sites, considered, columns, scenario.constraints),
        *_rules(considered, columns, scenario.constraints),
        *_totals(columns, before, scenario.constraints),
        *planned(sites, considered, columns, scenario.constraints, paid_keur=before.paid_keur),
        *_exclusions(considered, scenario.constraints),
        *_locks(considered, before, scenario),
        *_held_variants(considered, columns, scenario),
        *goals(columns, considered, scenario),
    ]
    problem = SelectionProblem(
        site=columns["site"].to_numpy(np.int32),
        score=columns["score_units"].to_numpy(np.int64),
        count=scenario.count,
        n_sites=len(considered),
        site_ids=tuple(considered["site_id"]),
        parcels=_parcels(before.left, considered, whole=scenario.zan.whole_parcels),
        constraints=tuple(constraints),
        **_catchment(reach_for(scenario, reach), free, columns, scenario),
    )
    apart = frozenset(scenario.zan.pene.sites)
    formulation = Formulation(problem, considered, columns, before.left, caps, before, over, apart)
    return replace(formulation, problem=formulation.with_zan(scenario.zan.enforced))


class _Shared(TypedDict, total=False):
    coverage: Coverage
    workforce: Workforce


def _catchment(
    reach: Reach | None, free: pd.Series[bool], columns: pd.DataFrame, scenario: Scenario
) -> _Shared:
    """What the considered sites share, where the scenario asks for it."""
    rows = np.flatnonzero(free).astype(np.int64)
    if reach is None:
        return {}
    if scenario.catchment.mode == "union":
        return {"coverage": coverage_of(reach, rows, scenario)}
    usable = columns["usable_units"].to_numpy(np.int64)
    return {"workforce": workforce_of(reach, rows, usable, scenario)}


def _territories(frame: pd.DataFrame) -> pd.DataFrame:
    known = [level for level in CODE_COLUMN if knows(frame, level)]
    columns = [column[level] for column in (CODE_COLUMN, NAME_COLUMN) for level in known]
    return pd.DataFrame(frame[columns])


def _quotas(
    sites: pd.DataFrame,
    considered: pd.DataFrame,
    columns: pd.DataFrame,
    limits: ConstraintSettings,
) -> Iterable[Constraint]:
    """Sites per region and per EPCI. A region counts when the pack has any site in it."""
    region = considered["region"].to_numpy()[columns["site"]]
    names = dict(zip(sites["region"], sites["region_name"], strict=True))
    for code, name in sorted(names.items()):
        yield Group(
            Msg("number of sites in region {name}", name=name),
            np.flatnonzero(region == code),
            limits.region_min,
            limits.region_max,
        )
    if limits.max_per_epci is None:
        return
    code, epci = pd.factorize(considered["epci"], sort=True)  # -1: in no EPCI
    name_of = considered.drop_duplicates("epci").set_index("epci")["epci_name"]
    of_column = code[columns["site"].to_numpy()]
    order = np.argsort(of_column, kind="stable").astype(np.int64)
    start = np.searchsorted(of_column[order], np.arange(len(epci) + 1))
    several = np.bincount(code[code >= 0], minlength=len(epci)) > limits.max_per_epci
    for one in np.flatnonzero(several).tolist():
        yield Group(
            Msg("number of sites in EPCI {name} ({code})", name=name_of[epci[one]], code=epci[one]),
            order[start[one] : start[one + 1]],
            0,
            limits.max_per_epci,
        )


def _rules(
    considered: pd.DataFrame, columns: pd.DataFrame, limits: ConstraintSettings
) -> Iterable[Constraint]:
    yield from _size_classes(columns, limits)
    for rule in limits.groups:
        members = _members(considered, rule)[columns["site"].to_numpy()]
        name = Msg("group {name}", name=rule.name)
        yield Group(name, np.flatnonzero(members), rule.at_least, rule.at_most)


def _size_classes(columns: pd.DataFrame, limits: ConstraintSettings) -> Iterable[Constraint]:
    for size in limits.size_classes:
        yield Group(_size_name(size), _in_class(columns, size), size.at_least, size.at_most)


def _size_name(size: SizeClass) -> Msg:
    return Msg("size class {name}", name=size.name)


def _in_class(columns: pd.DataFrame, size: SizeClass) -> Ints:
    usable = columns["usable_units"].to_numpy()
    inside = usable >= ha_to_units_up(size.min_ha)
    if size.max_ha is not None:
        inside &= usable < ha_to_units_up(size.max_ha)
    return np.flatnonzero(inside).astype(np.int64)


def _members(considered: pd.DataFrame, rule: GroupRule) -> NDArray[np.bool_]:
    inside = np.ones(len(considered), dtype=bool)
    for column, wanted in (
        ("kind", rule.kinds),
        ("region", rule.regions),
        ("departement", rule.departements),
        ("epci", rule.epci),
        ("site_id", rule.sites),
    ):
        if wanted:
            inside &= considered[column].isin(wanted).to_numpy()
    if rule.territories:
        named = [_in_named(considered, name) for name in rule.territories]
        inside &= np.logical_or.reduce(named)
    return inside


def _in_named(sites: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Sites of a territory of the pack (``kind:code``), or of any of a kind (``kind``)."""
    kind, _, code = name.partition(":")
    codes = sites[_codes_of(kind, sites)].astype(object).fillna("").astype(str)
    if not code:
        return np.asarray(codes != "", dtype=bool)
    return np.array([code in listed.split("; ") for listed in codes], dtype=bool)


def _codes_of(kind: str, sites: pd.DataFrame) -> str:
    """Column of the codes of a kind of territory; that of the SCoT is the level of ledger's."""
    return SCOT if kind == SCOT and SCOT in sites else f"{kind}_code"


def _totals(
    columns: pd.DataFrame, before: Earlier, limits: ConstraintSettings
) -> Iterable[Constraint]:
    least, most = limits.min_total_usable_ha, limits.max_total_usable_ha
    if least is not None or most is not None:
        yield TotalArea(
            Msg("total usable area"),
            columns["usable_units"].to_numpy(np.int64),
            None if least is None else int(ha_to_units_up(least)),
            None if most is None else int(ha_to_units(most)),
        )
    if limits.budget_keur is not None:
        cost = columns["cost_keur"].to_numpy(np.int64)
        yield Budget(Msg("budget"), cost, int(limits.budget_keur) - before.paid_keur)


def _exclusions(considered: gpd.GeoDataFrame, limits: ConstraintSettings) -> Iterable[Constraint]:
    points = considered.geometry.representative_point()
    decimetres = np.rint(
        np.column_stack([points.x.to_numpy(), points.y.to_numpy()]) * DECIMETRES_PER_M
    ).astype(np.int64)
    apart = round(limits.separation_km * DECIMETRES_PER_KM)
    if apart > 0:
        name = Msg("at least {km:g} km between two sites", km=limits.separation_km)
        yield Separation(name, decimetres, apart)
    pairs = overlapping_pairs(considered.geometry.to_numpy())
    distance = decimetres[pairs[:, 0]] - decimetres[pairs[:, 1]]
    pairs = pairs[(distance * distance).sum(axis=1) >= apart * apart]
    if len(pairs):
        yield Conflicts(Msg("footprints that overlap"), pairs)


def overlapping_pairs(footprints: NDArray[np.object_]) -> Ints:
    """Pairs (i < j) of polygons that share more than 1 m², int64[K, 2], sorted."""
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    shared = shapely.area(shapely.intersection(footprints[first], footprints[second]))
    pairs: Ints = np.column_stack([first, second])[shared > OVERLAP_M2].astype(np.int64)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order].reshape(-1, 2)


def _locks(considered: pd.DataFrame, before: Earlier, scenario: Scenario) -> Iterable[Constraint]:
    """Sites forced in and out; land that an earlier wave restored is not built on either."""
    position = pd.Series(np.arange(len(considered)), index=considered["site_id"])
    include = position.reindex(sorted(set(scenario.locks.include))).to_numpy(np.int64)
    closed = set(scenario.locks.exclude) | before.sites
    excluded = position.reindex(sorted(closed)).dropna()
    if len(include) or len(excluded):
        yield Locks(
            Msg("sites forced in or out by a planner"), include, excluded.to_numpy(np.int64)
        )


def _held_variants(
    considered: pd.DataFrame, columns: pd.DataFrame, scenario: Scenario
) -> Iterable[Constraint]:
    """A site labelled to be developed one way is not developed another."""
    ids = considered["site_id"].to_numpy()[columns["site"].to_numpy()]
    for site_id, variant in sorted(scenario.locks.variants.items()):
        other = np.flatnonzero((ids == site_id) & (columns["variant"] != variant).to_numpy())
        if len(other):
            yield Group(
                Msg("{site_id} is developed one way only", site_id=site_id),
                other.astype(np.int64),
                0,
                0,
            )


def _parcels(offered: pd.DataFrame, considered: pd.DataFrame, *, whole: bool) -> Parcels:
    position = pd.Series(np.arange(len(considered)), index=considered["site_id"])
    on_site = position.reindex(offered["site_id"]).fillna(-1)
    return Parcels(
        capacity=offered["left_units"].to_numpy(np.int64),
        cost_keur=offered["left_keur"].to_numpy(np.int64),
        on_site=on_site.to_numpy(np.int32),
        whole=whole,
        ids=tuple(offered["parcel_id"]),
    )


def _ledgers(made: Formulation) -> Iterable[Constraint]:
    columns, parcels = made.columns, made.parcels
    charged = made.sites.iloc[columns["site"].to_numpy()]
    units = columns["new_units"].to_numpy(np.int64)
    charges = spread(charged, units, made.straddling, apart=made.apart)
    none = as_spread(parcels, np.zeros(len(parcels), np.int64))
    for (cap, rows, units), (_, near, _) in zip(
        charges_by_cap(made.caps, charges), charges_by_cap(made.caps, none), strict=True
    ):
        if cap.cap_units is not None:
            most = cap.cap_units + made.before.units_in(cap)
            yield Ledger(_ledger_name(cap), cap.level, cap.code, rows, units, near, most)


def _ledger_name(cap: TerritoryCap) -> Msg:
    if cap.level == PROGRAMME:
        return Msg("programme: net artificialisation of the portfolio")
    if cap.level == PENE:
        return Msg("envelope of projects of national or European scale (PENE)")
    return Msg(
        "cap of {level} {name} ({code})", level=level_name(cap.level), name=cap.name, code=cap.code
    )


def _check_names(sites: pd.DataFrame, free: pd.Series[bool], scenario: Scenario) -> None:
    """Locks, reasons and groups name what exists."""
    log = FaultLog()
    known = set(sites["site_id"])
    excluded = dict(zip(sites["site_id"][~free], sites["excluded_reason"][~free], strict=True))
    locks = scenario.locks
    for key, wanted in (
        ("include", locks.include),
        ("exclude", locks.exclude),
        ("variants", tuple(locks.variants)),
    ):
        for site_id in sorted(set(wanted) - known):
            _unknown(site_id, known, f"locks.{key}", log)
    for site_id in sorted(set(scenario.zan.pene.sites) - known):
        _unknown(site_id, known, "zan.pene.sites", log)
    for site_id in sorted(set(locks.include) & set(excluded)):
        log.add(
            Msg("the site is forced in, but it is excluded: {reason}", reason=excluded[site_id]),
            where="locks.include",
            value=site_id,
            remedy=Msg("change the filters of [candidates], or remove the site from the list"),
        )
    for rule in scenario.constraints.groups:
        for column, wanted in (
            ("region", rule.regions),
            ("departement", rule.departements),
            ("epci", rule.epci),
            ("site_id", rule.sites),
        ):
            valid = set(sites[column].dropna())
            for code in sorted(set(wanted) - valid):
                _unknown(code, valid, f"constraints.groups: {rule.name}: {column}", log)
        _check_territories(rule, sites, log)
    log.check()


def _check_territories(rule: GroupRule, sites: pd.DataFrame, log: FaultLog) -> None:
    kinds = {name.removesuffix("_code") for name in map(str, sites) if name.endswith("_code")}
    kinds |= {SCOT} & set(sites)
    for name in rule.territories:
        kind, _, code = name.partition(":")
        where = f"constraints.groups: {rule.name}: territories"
        if kind not in kinds:
            _unknown(kind, kinds, where, log)
        elif code and not _in_named(sites, name).any():
            listed = sites[_codes_of(kind, sites)].dropna().astype(str)
            _unknown(code, {one for text in listed for one in text.split("; ")}, where, log)


def _unknown(code: str, valid: Iterable[str], where: str, log: FaultLog) -> None:
    near = nearest_name(code, valid)
    log.add(
        Msg("nothing in the pack has this identifier"),
        where=where,
        value=code,
        remedy=Msg("did you mean {near}?", near=near) if near else Msg("correct or remove it"),
    )
