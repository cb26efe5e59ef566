"""The requirements of a scenario as integer rows, read from its inputs the auditor's way.

What every column is worth, charges and costs comes from :mod:`siteselect.verify.portfolio`, the
plain re-evaluation of a portfolio: a row here is what that counts, column by column. A proof may
rest on no other row. A requirement that this module does not know is simply no row: a proof that
needs it is then refused, never believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.measures.reach import Reach
from siteselect.measuring import Measured
from siteselect.messages import Msg
from siteselect.rulebook import Rulebook
from siteselect.scenario import Scenario
from siteselect.verify.goals import FEWER, goal_rows, stage_values
from siteselect.verify.planned import in_years, paid
from siteselect.verify.portfolio import (
    SLIVER_M2,
    Choice,
    Restored,
    _belongs,
    _cap_of,
    _decimetres,
    _up,
    balances,
    choice,
    commune_points,
    pene_units,
)
from siteselect.verify.proofmodel import AuditModel, AuditRow, Hiring, audit_row
from siteselect.verify.straddling import Places, places_of

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Parcel:
    """A parcel with land left to restore: units and k€ of what is left, units restored before."""

    restored: Restored
    left: int
    left_keur: int
    before: int


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What the rows are made of: columns with their site, parcels, the scenario."""

    scenario: Scenario
    every_site: Sequence[Any]
    kept: Sequence[Any]
    choices: Sequence[Choice]
    site: Ints
    parcels: Sequence[_Parcel]
    earlier: Sequence[Restored]
    """what earlier waves restored"""

    @property
    def paid_keur(self) -> int:
        """What earlier waves paid, rounded up."""
        parts = (Fraction(one.cost_keur * one.units, one.capacity) for one in self.earlier)
        return math.ceil(sum(parts, Fraction(0)))


def model_of_run(
    measured: Measured,
    scenario: Scenario,
    rulebook: Rulebook,
    stages: Sequence[Mapping[str, Any]] = (),
    by: str | None = None,
) -> AuditModel:
    """The model of a run, from what was measured again and its scenario.

    ``stages`` of result.json that come before; ``by``: the objective of a stage, where it is not
    the last one (the score).
    """
    every = measured.sites.to_dict("records")
    places = [i for i, row in enumerate(every) if not isinstance(row["excluded_reason"], Msg)]
    kept = [every[i] for i in places]
    choices, site = _columns(kept, scenario, rulebook, places_of(measured.straddling))
    parcels, earlier = _parcels(measured, scenario)
    given = _Inputs(scenario, every, kept, choices, site, parcels, earlier)
    position = {str(row["site_id"]): i for i, row in enumerate(kept)}
    reach, weights = _reach(measured, scenario, places) if by is None else (None, None)
    score = np.array([one.score for one in choices], np.int64)
    if by is not None:
        score = stage_values(choices, scenario, by) * (-1 if by in FEWER else 1)
    built = {str(one.row["site_id"]) for one in earlier if isinstance(one.row["site_id"], str)}
    return AuditModel(
        sites=tuple(str(row["site_id"]) for row in kept),
        site=site,
        variant=tuple(one.variant for one in choices),
        score=score,
        count=scenario.count,
        rows=(*_rows(given), *goal_rows(choices, scenario, stages)),
        exclude=_Exclusions(kept, scenario),
        parcels=tuple(str(one.restored.row["parcel_id"]) for one in parcels),
        capacity=np.array([one.left for one in parcels], np.int64),
        cost=np.array([one.left_keur for one in parcels], np.int64),
        on_site=_on_site(parcels, position),
        whole=scenario.zan.whole_parcels,
        inside=_known(scenario.locks.include, position),
        outside=_known({*scenario.locks.exclude, *built}, position),
        reach=reach,
        weights=np.zeros(0, np.int64) if weights is None else weights,
        hiring=_hiring(measured, scenario, places, choices) if by is None else None,
    )


def _known(names: Iterable[str], position: dict[str, int]) -> Ints:
    return np.array(sorted(position[name] for name in set(names) if name in position), np.int64)


def _columns(
    kept: Sequence[Any], scenario: Scenario, rulebook: Rulebook, astride: Places
) -> tuple[list[Choice], Ints]:
    """Every way in which every site may be developed."""
    least = _up(scenario.variants.min_usable_ha)
    choices: list[Choice] = []
    site: list[int] = []
    for i, row in enumerate(kept):
        full = choice(row, "full", scenario, rulebook, astride)
        reuse = choice(row, "reuse", scenario, rulebook)
        offered = [full] if scenario.variants.full else []
        same = scenario.variants.full and full.new == 0 and full.usable == reuse.usable
        if scenario.variants.reuse and not same:
            offered.append(reuse)
        for one in offered:
            if one.usable >= least:
                choices.append(one)
                site.append(i)
    return choices, np.array(site, np.int64)


def _parcels(measured: Measured, scenario: Scenario) -> tuple[list[_Parcel], list[Restored]]:
    """Parcels with land left, and what earlier waves restored."""
    if not scenario.zan.offsets:
        return [], []
    left: list[_Parcel] = []
    earlier: list[Restored] = []
    for row in measured.parcels.to_dict("records"):
        capacity, cost = round(row["area_ha"] * 100), int(row["cost_keur"])
        before = round(scenario.zan.restored_ha.get(str(row["parcel_id"]), 0.0) * 100)
        if before:
            earlier.append(Restored(row, before, capacity, cost))
        rest = capacity - before
        if rest > 0:
            paid = -(-cost * rest // capacity)
            left.append(_Parcel(Restored(row, rest, capacity, cost), rest, paid, before))
    return left, earlier


def _on_site(parcels: Sequence[_Parcel], position: dict[str, int]) -> Ints:
    names = [one.restored.row["site_id"] for one in parcels]
    return np.array(
        [position.get(name, -1) if isinstance(name, str) else -1 for name in names], np.int64
    )


def _reach(
    measured: Measured, scenario: Scenario, places: Sequence[int]
) -> tuple[csr_array | None, Ints]:
    """Which site reaches which commune, and what each commune brings."""
    if scenario.catchment.mode != "union" or measured.reach is None:
        return None, np.zeros(0, np.int64)
    weights = np.array(commune_points(measured.reach, scenario), np.int64)
    return _near(measured.reach, places), weights


def _near(reach: Reach, places: Sequence[int]) -> csr_array:
    """Considered sites × communes, ones where workers are within the time."""
    lists = [reach.of_site(i).astype(np.int64) for i in places]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    flat = np.concatenate(lists) if lists else np.zeros(0, np.int64)
    ones = np.ones(len(flat), np.int64)
    return csr_array((ones, flat, starts), shape=(len(places), len(reach.workers)))


def _hiring(
    measured: Measured, scenario: Scenario, places: Sequence[int], choices: Sequence[Choice]
) -> Hiring | None:
    """Workers who can be hired, jobs that each column offers, what a filled job brings."""
    wanted = scenario.catchment
    if wanted.mode != "capacity" or measured.reach is None:
        return None
    stated = wanted.reference_jobs
    reference = scenario.count * 60 * wanted.jobs_per_ha if stated is None else stated
    hire = [math.floor(n * wanted.available_share + 1e-9) for n in measured.reach.workers.tolist()]
    offered = [round(one.usable / 100 * wanted.jobs_per_ha) for one in choices]
    return Hiring(
        _near(measured.reach, places),
        np.array(hire, np.int64),
        np.array(offered, np.int64),
        round(wanted.weight * scenario.count * 1_000_000 / reference),
    )


# ---- rows -----------------------------------------------------------------------------------


def _rows(given: _Inputs) -> Iterator[AuditRow]:
    count = given.scenario.count
    yield _counted(Msg("number of sites"), [True] * len(given.choices), count, count)
    yield from _quotas(given)
    yield from _classes(given)
    yield from _totals(given)
    yield from _planned(given)
    yield from _held(given)
    yield from _ledgers(given)
    yield from _own_land(given)


def _counted(name: Msg, inside: Iterable[bool], lower: int | None, upper: int | None) -> AuditRow:
    members = np.flatnonzero(np.fromiter(inside, bool)).astype(np.int64)
    return audit_row(name, members, np.ones(len(members), np.int64), lower, upper)


def _quotas(given: _Inputs) -> Iterator[AuditRow]:
    limits = given.scenario.constraints
    for region in sorted({str(row["region"]) for row in given.every_site}):
        yield _counted(
            Msg("number of sites in region {name}", name=region),
            (one.row["region"] == region for one in given.choices),
            limits.region_min,
            limits.region_max,
        )
    if limits.max_per_epci is None:
        return
    members: dict[str, list[int]] = {}
    for j, one in enumerate(given.choices):
        if isinstance(one.row["epci"], str):
            members.setdefault(one.row["epci"], []).append(j)
    for epci, own in sorted(members.items()):
        columns = np.array(own, np.int64)
        name = Msg("number of sites in EPCI {name} ({code})", name=epci, code=epci)
        yield audit_row(name, columns, np.ones(len(own), np.int64), None, limits.max_per_epci)


def _classes(given: _Inputs) -> Iterator[AuditRow]:
    for size in given.scenario.constraints.size_classes:
        top = math.inf if size.max_ha is None else _up(size.max_ha)
        inside = (_up(size.min_ha) <= one.usable < top for one in given.choices)
        name = Msg("size class {name}", name=size.name)
        yield _counted(name, inside, size.at_least, size.at_most)
    for rule in given.scenario.constraints.groups:
        inside = (_belongs(one.row, rule) for one in given.choices)
        yield _counted(Msg("group {name}", name=rule.name), inside, rule.at_least, rule.at_most)


def _totals(given: _Inputs) -> Iterator[AuditRow]:
    limits = given.scenario.constraints
    every = np.arange(len(given.choices))
    least, most = limits.min_total_usable_ha, limits.max_total_usable_ha
    if least is not None or most is not None:
        yield audit_row(
            Msg("total usable area"),
            every,
            np.array([one.usable for one in given.choices], np.int64),
            None if least is None else _up(least),
            None if most is None else round(most * 100),
        )
    if limits.budget_keur is not None:
        yield audit_row(
            Msg("budget"),
            every,
            np.array([one.cost for one in given.choices], np.int64),
            None,
            int(limits.budget_keur) - given.paid_keur,
            np.arange(len(given.parcels)),
            np.array([one.left_keur for one in given.parcels], np.int64),
        )


def _planned(given: _Inputs) -> Iterator[AuditRow]:
    """Budgets of some kinds of cost, and numbers of sites by year."""
    limits, every = given.scenario.constraints, np.arange(len(given.choices))
    for budget in limits.budgets:
        pays = "restoration" in budget.costs
        parcels = given.parcels if pays else ()
        yield audit_row(
            Msg("budget {name}", name=budget.name),
            every,
            np.array([paid(one, budget, given.scenario) for one in given.choices], np.int64),
            None,
            int(budget.limit_keur) - (given.paid_keur if pays else 0),
            np.arange(len(parcels)),
            np.array([one.left_keur for one in parcels], np.int64),
        )
    for group in limits.availability:
        inside = (in_years(one.row, group) for one in given.choices)
        name = Msg("availability {name}", name=group.name)
        yield _counted(name, inside, group.at_least, group.at_most)


def _held(given: _Inputs) -> Iterator[AuditRow]:
    """A site labelled to be developed one way is not developed another."""
    for site_id, variant in sorted(given.scenario.locks.variants.items()):
        inside = (
            str(one.row["site_id"]) == site_id and one.variant != variant for one in given.choices
        )
        yield _counted(Msg("{site_id} is developed one way only", site_id=site_id), inside, 0, 0)


def _own_land(given: _Inputs) -> Iterator[AuditRow]:
    """A parcel is restored or its site is built on."""
    columns: dict[str, list[int]] = {}
    for j, one in enumerate(given.choices):
        columns.setdefault(str(one.row["site_id"]), []).append(j)
    kept = {str(row["site_id"]) for row in given.kept}
    for r, parcel in enumerate(given.parcels):
        name = parcel.restored.row["site_id"]
        if isinstance(name, str) and name in kept:
            own = np.array(columns.get(name, []), np.int64)
            yield audit_row(
                Msg("{parcel} is restored or built on", parcel=parcel.restored.row["parcel_id"]),
                own, np.ones(len(own), np.int64), None, 1, np.array([r]), np.ones(1, np.int64),
            )  # fmt: skip


def _ledgers(given: _Inputs) -> Iterator[AuditRow]:
    scenario = given.scenario
    if not scenario.zan.enforced:
        return
    programme = scenario.zan.programme_cap_ha
    every = np.arange(len(given.choices))
    parcels = np.arange(len(given.parcels))
    if programme is not None:
        yield audit_row(
            Msg("programme: net artificialisation of the portfolio"),
            every,
            np.array([one.new for one in given.choices], np.int64),
            None,
            -_up(-programme) + sum(one.units for one in given.earlier),
            parcels,
            np.array([-one.left for one in given.parcels], np.int64),
        )
    if scenario.zan.pene.cap_ha is not None and scenario.zan.pene.sites:
        yield audit_row(
            Msg("envelope of projects of national or European scale (PENE)"),
            every,
            np.array([pene_units([one], scenario.zan) for one in given.choices], np.int64),
            None,
            -_up(-scenario.zan.pene.cap_ha),
        )
    for rule in scenario.zan.ledgers:
        charged: dict[str, dict[int, int]] = {}
        given_back: dict[str, dict[int, int]] = {}
        for j, one in enumerate(given.choices):
            for code, (gross, _) in balances([one], [], rule.level, scenario.zan).items():
                charged.setdefault(code, {})[j] = gross
        for r, parcel in enumerate(given.parcels):
            for code, (_, back) in balances(
                [], [parcel.restored], rule.level, scenario.zan
            ).items():
                given_back.setdefault(code, {})[r] = -back
        before = balances([], given.earlier, rule.level, scenario.zan)
        for code in sorted(set(charged) | set(given_back)):
            cap = _cap_of(rule, code)
            if cap is None:
                continue
            columns, land = charged.get(code, {}), given_back.get(code, {})
            yield audit_row(
                Msg("cap of {level} {name} ({code})", level=rule.level, name=code, code=code),
                np.array(list(columns), np.int64), np.array(list(columns.values()), np.int64),
                None, -_up(-cap) + before.get(code, (0, 0))[1],
                np.array(list(land), np.int64), np.array(list(land.values()), np.int64),
            )  # fmt: skip


class _Exclusions:
    """Whether two sites are too near each other, overlap, or exclude each other by a rule."""

    def __init__(self, kept: Sequence[Any], scenario: Scenario) -> None:
        self._kept = kept
        self._least = round(scenario.constraints.separation_km * 10_000)
        self._together = [set(rule.sites) for rule in scenario.constraints.exclusive]

    def __call__(self, first: int, second: int) -> bool:
        one, other = self._kept[first]["geometry"], self._kept[second]["geometry"]
        names = {str(self._kept[first]["site_id"]), str(self._kept[second]["site_id"])}
        if any(names <= rule for rule in self._together):
            return True
        (x, y), (u, v) = _decimetres(one), _decimetres(other)
        if (x - u) ** 2 + (y - v) ** 2 < self._least**2:
            return True
        return bool(one.intersection(other).area > SLIVER_M2)
