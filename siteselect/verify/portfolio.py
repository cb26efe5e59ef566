"""A portfolio re-evaluated in Python integers and fractions, from the tables of sites.

Nothing here is shared with the optimiser or with what formulates its problem: every rule of a
scenario is read again from the scenario and counted again, the plain way. When this module and
the model disagree, one of them is wrong, which is what it is for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from shapely.geometry.base import BaseGeometry

from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.rulebook import Rulebook
from siteselect.scenario import GroupRule, LedgerRule, Scenario, ZanSettings
from siteselect.verify.straddling import Places, parts

Row = Mapping[Any, Any]
LEVEL_COLUMN = {
    "commune": "code_insee",
    "epci": "epci",
    "scot": "scot",
    "departement": "departement",
    "region": "region",
}
SLIVER_M2 = 1.0


@dataclass(frozen=True)
class Choice:
    """One selected site as integers: 0.01 ha, k€, score × 10⁶."""

    row: Row
    variant: str
    usable: int
    new: int
    cost: int
    score: int
    parts: tuple[tuple[Row, int], ...] = ()
    """Where the site lies in several communes: territories of each, and its part of ``new``."""

    @property
    def charges(self) -> tuple[tuple[Row, int], ...]:
        """Territories charged, with 0.01 ha each."""
        return self.parts or ((self.row, self.new),)


@dataclass(frozen=True)
class Restored:
    """One restored parcel: units of 0.01 ha out of its capacity, k€ of the whole parcel."""

    row: Row
    units: int
    capacity: int
    cost_keur: int


def choice(
    row: Row,
    variant: str,
    scenario: Scenario,
    rulebook: Rulebook,
    places: Places = MappingProxyType({}),
) -> Choice:
    """The integers of one way to develop a site, from its measures (a row of the sites).

    ``places``: the communes of the sites that lie in several.
    """
    reused_ha, new_ha = float(row["artificialised_ha"]), float(row["non_artificialised_ha"])
    reuse_keur = float(scenario.costs.reuse_keur_per_ha[row["kind"]])
    if variant == "reuse":
        points = float(row["score"]) * scenario.variants.reuse_factor
        return Choice(
            row, variant, round(reused_ha * 100), 0, round(reuse_keur * reused_ha),
            round(points * 1_000_000),
        )  # fmt: skip
    cost = reuse_keur * reused_ha + float(scenario.costs.new_keur_per_ha[row["kind"]]) * new_ha
    new = _up(float(row[rulebook.charge]))
    over = places.get(str(row["site_id"]), ())
    return Choice(
        row,
        variant,
        round(float(row["area_ha"]) * 100),
        new,
        round(cost),
        round(float(row["score"]) * 1_000_000),
        tuple(parts(new, over)) if over else (),
    )


def can_be_developed(row: Row, scenario: Scenario) -> bool:
    """Whether any variant offered leaves the usable land that the scenario asks for."""
    least = _up(scenario.variants.min_usable_ha)
    areas_ha = [row["area_ha"]] if scenario.variants.full else []
    areas_ha += [row["artificialised_ha"]] if scenario.variants.reuse else []
    return any(round(float(area_ha) * 100) >= least for area_ha in areas_ha)


def objective(choices: Sequence[Choice]) -> int:
    """The sum of the scores, an exact integer."""
    return sum(one.score for one in choices)


def reached(choices: Sequence[Choice], places: Mapping[str, int], reach: Reach) -> list[set[int]]:
    """Communes (row numbers) whose workers reach each chosen site; ``places``: row of each site."""
    rows = [places[str(one.row["site_id"])] for one in choices]
    return [set(reach.of_site(row).tolist()) for row in rows]


def commune_points(reach: Reach, scenario: Scenario) -> list[int]:
    """What reaching each commune brings to the objective, score × 10⁶, one after the other."""
    wanted = scenario.catchment
    workers = reach.workers.tolist()
    everybody = wanted.reference_workers
    reference = sum(workers) if everybody is None else round(everybody)
    total = wanted.weight * scenario.count * 1_000_000
    return [round(total * (some / reference)) for some in workers]


def restoration_cost(restored: Sequence[Restored]) -> Fraction:
    """k€ of what is restored, in proportion to the part of each parcel: exact."""
    return sum((Fraction(one.cost_keur * one.units, one.capacity) for one in restored), Fraction(0))


def broken_rules(
    choices: Sequence[Choice],
    restored: Sequence[Restored],
    every_site: Sequence[Row],
    scenario: Scenario,
) -> Iterator[Msg]:
    """Every rule of the scenario that the portfolio breaks, with its figures."""
    yield from _count_and_locks(choices, scenario)
    yield from _variants(choices, scenario)
    yield from _territories(choices, every_site, scenario)
    yield from _named_groups(choices, scenario)
    yield from _totals(choices, restored, scenario)
    yield from apart([one.row for one in choices], scenario)
    yield from _parcels(choices, restored, scenario)
    if scenario.zan.enforced:
        yield from _balances(choices, restored, scenario)


def _up(area_ha: float) -> int:
    """0.01 ha, rounded up, with the tolerance of 1e-6 ha that the model states."""
    return math.ceil(area_ha * 100 - 1e-4)


def _count_and_locks(choices: Sequence[Choice], scenario: Scenario) -> Iterator[Msg]:
    ids = [one.row["site_id"] for one in choices]
    if len(ids) != scenario.count:
        yield Msg("{given} sites selected, {needed} asked", given=len(ids), needed=scenario.count)
    for site_id, times in Counter(ids).items():
        if times > 1:
            yield Msg("{site_id} is selected {times} times", site_id=site_id, times=times)
    for site_id in sorted(set(scenario.locks.include) - set(ids)):
        yield Msg("{site_id} is forced in but not selected", site_id=site_id)
    for site_id in sorted(set(scenario.locks.exclude) & set(ids)):
        yield Msg("{site_id} is forced out but selected", site_id=site_id)
    for one in choices:
        held = scenario.locks.variants.get(str(one.row["site_id"]), one.variant)
        if one.variant != held:
            yield Msg("{site_id} is developed as {variant}, it is held to {held}",
                      site_id=one.row["site_id"], variant=one.variant, held=held)  # fmt: skip


def _variants(choices: Sequence[Choice], scenario: Scenario) -> Iterator[Msg]:
    offered = {"reuse": scenario.variants.reuse, "full": scenario.variants.full}
    least = _up(scenario.variants.min_usable_ha)
    for one in choices:
        if not offered.get(one.variant, False):
            yield Msg("{site_id}: the variant {variant} is not offered",
                      site_id=one.row["site_id"], variant=one.variant)  # fmt: skip
        if one.usable < least:
            yield Msg("{site_id}: {ha:.2f} ha usable, under the minimum",
                      site_id=one.row["site_id"], ha=one.usable / 100)  # fmt: skip


def _territories(
    choices: Sequence[Choice], every_site: Sequence[Row], scenario: Scenario
) -> Iterator[Msg]:
    limits = scenario.constraints
    by_region = Counter(one.row["region"] for one in choices)
    for region in sorted({row["region"] for row in every_site}):
        number = by_region[region]
        if not limits.region_min <= number <= limits.region_max:
            yield Msg("region {region}: {number} sites, between {least} and {most} asked",
                      region=region, number=number, least=limits.region_min,
                      most=limits.region_max)  # fmt: skip
    if limits.max_per_epci is None:
        return
    for epci, number in Counter(one.row["epci"] for one in choices).items():
        if isinstance(epci, str) and number > limits.max_per_epci:
            yield Msg("EPCI {epci}: {number} sites, at most {most} asked",
                      epci=epci, number=number, most=limits.max_per_epci)  # fmt: skip


def _named_groups(choices: Sequence[Choice], scenario: Scenario) -> Iterator[Msg]:
    for size in scenario.constraints.size_classes:
        top = math.inf if size.max_ha is None else _up(size.max_ha)
        number = sum(_up(size.min_ha) <= one.usable < top for one in choices)
        yield from _between(size.name, number, size.at_least, size.at_most)
    for rule in scenario.constraints.groups:
        number = sum(_belongs(one.row, rule) for one in choices)
        yield from _between(rule.name, number, rule.at_least, rule.at_most)


def _belongs(row: Row, rule: GroupRule) -> bool:
    asked = (
        (rule.kinds, "kind"),
        (rule.regions, "region"),
        (rule.departements, "departement"),
        (rule.epci, "epci"),
        (rule.sites, "site_id"),
    )
    inside = all(not wanted or row[column] in wanted for wanted, column in asked)
    return inside and (not rule.territories or any(_lies_in(row, t) for t in rule.territories))


def _lies_in(row: Row, name: str) -> bool:
    """Whether a site's commune belongs to the territory ``kind:code``, or to any of ``kind``."""
    kind, _, code = name.partition(":")
    listed = row.get("scot" if kind == "scot" and "scot" in row else f"{kind}_code")
    codes = listed.split("; ") if isinstance(listed, str) and listed else []
    return code in codes if code else bool(codes)


def _between(name: str, number: int, least: int, most: int | None) -> Iterator[Msg]:
    if number < least:
        yield Msg("{name}: {number} sites, at least {least} asked", name=name, number=number,
                  least=least)  # fmt: skip
    if most is not None and number > most:
        yield Msg("{name}: {number} sites, at most {most} asked", name=name, number=number,
                  most=most)  # fmt: skip


def _totals(
    choices: Sequence[Choice], restored: Sequence[Restored], scenario: Scenario
) -> Iterator[Msg]:
    limits = scenario.constraints
    usable = sum(one.usable for one in choices)
    least, most = limits.min_total_usable_ha, limits.max_total_usable_ha
    if least is not None and usable < _up(least):
        yield Msg("{ha:.2f} ha usable in all, at least {least:g} asked", ha=usable / 100,
                  least=least)  # fmt: skip
    if most is not None and usable > round(most * 100):
        yield Msg("{ha:.2f} ha usable in all, at most {most:g} asked", ha=usable / 100,
                  most=most)  # fmt: skip
    if limits.budget_keur is not None:
        cost = sum(one.cost for one in choices) + restoration_cost(restored)
        if cost > int(limits.budget_keur):
            yield Msg("the cost is {cost:.3f} k€, over the budget of {budget:g} k€",
                      cost=float(cost), budget=limits.budget_keur)  # fmt: skip


def apart(rows: Sequence[Row], scenario: Scenario) -> Iterator[Msg]:
    """Separation (integer decimetres) and overlap of sites, pair by pair."""
    least = round(scenario.constraints.separation_km * 10_000)
    points = [_decimetres(row["geometry"]) for row in rows]
    for i, (x, y) in enumerate(points):
        for k in range(i):
            first, second = rows[k], rows[i]
            if (x - points[k][0]) ** 2 + (y - points[k][1]) ** 2 < least**2:
                yield Msg("{first} and {second} are nearer than {km:g} km",
                          first=first["site_id"], second=second["site_id"],
                          km=scenario.constraints.separation_km)  # fmt: skip
            elif first["geometry"].intersection(second["geometry"]).area > SLIVER_M2:
                yield Msg("the footprints of {first} and {second} overlap",
                          first=first["site_id"], second=second["site_id"])  # fmt: skip


def _decimetres(footprint: BaseGeometry) -> tuple[int, int]:
    point = footprint.representative_point()
    return round(point.x * 10), round(point.y * 10)


def _parcels(
    choices: Sequence[Choice], restored: Sequence[Restored], scenario: Scenario
) -> Iterator[Msg]:
    if restored and not scenario.zan.offsets:
        yield Msg("parcels are restored although offsets are not admitted")
    ids = {one.row["site_id"] for one in choices}
    if scenario.zan.offsets:
        yield from _earlier(restored, scenario)
    for parcel in restored:
        name = parcel.row["parcel_id"]
        if not 0 < parcel.units <= parcel.capacity:
            yield Msg("parcel {name}: {units} restored of {capacity} (0.01 ha)", name=name,
                      units=parcel.units, capacity=parcel.capacity)  # fmt: skip
        before = round(scenario.zan.restored_ha.get(name, 0.0) * 100)
        if scenario.zan.whole_parcels and parcel.units not in (before, parcel.capacity):
            yield Msg("parcel {name} is restored in part", name=name)
        if parcel.row["site_id"] in ids:
            yield Msg("parcel {name} is restored and built on", name=name)


def _earlier(restored: Sequence[Restored], scenario: Scenario) -> Iterator[Msg]:
    """What earlier waves restored is still counted."""
    units = {one.row["parcel_id"]: one.units for one in restored}
    for name, area_ha in scenario.zan.restored_ha.items():
        if units.get(name, 0) < round(area_ha * 100):
            yield Msg("parcel {name}: {ha:g} ha were restored by an earlier wave, {now:g} now",
                      name=name, ha=area_ha, now=units.get(name, 0) / 100)  # fmt: skip


def _balances(
    choices: Sequence[Choice], restored: Sequence[Restored], scenario: Scenario
) -> Iterator[Msg]:
    programme = scenario.zan.programme_cap_ha
    if programme is not None:
        net = sum(one.new for one in choices) - sum(one.units for one in restored)
        if net > -_up(-programme):
            yield Msg("programme: net {net:.2f} ha, over the cap of {cap:g} ha", net=net / 100,
                      cap=programme)  # fmt: skip
    pene = scenario.zan.pene
    taken = pene_units(choices, scenario.zan)
    if pene.cap_ha is not None and taken > -_up(-pene.cap_ha):
        yield Msg("PENE: {gross:.2f} ha, over the envelope of {cap:g} ha", gross=taken / 100,
                  cap=pene.cap_ha)  # fmt: skip
    for rule in scenario.zan.ledgers:
        for code, (gross, back) in balances(choices, restored, rule.level, scenario.zan).items():
            cap = _cap_of(rule, code)
            if cap is not None and gross - back > -_up(-cap):
                yield Msg("{level} {code}: net {net:.2f} ha, over the cap of {cap:g} ha",
                          level=rule.level, code=code, net=(gross - back) / 100,
                          cap=cap)  # fmt: skip


def pene_units(choices: Sequence[Choice], zan: ZanSettings) -> int:
    """What the chosen projects of national or European scale charge to their envelope."""
    return sum(one.new for one in choices if one.row["site_id"] in zan.pene.sites)


def _cap_of(rule: LedgerRule, code: str) -> float | None:
    return rule.caps_ha.get(code, rule.default_cap_ha)


def balances(
    choices: Sequence[Choice], restored: Sequence[Restored], level: str, zan: ZanSettings
) -> dict[str, tuple[int, int]]:
    """Code → (gross, restored) in 0.01 ha, for the territories of a level where land moves.

    Projects of national or European scale are charged to no territory, nor is what lies in a
    commune that has none (no EPCI, no SCoT).
    """
    local = [one for one in choices if one.row["site_id"] not in zan.pene.sites]
    found: dict[str, tuple[int, int]] = {}
    for row, gross, back in (
        *((place, part, 0) for one in local for place, part in one.charges),
        *((one.row, 0, one.units) for one in restored),
    ):
        code = "FR" if level == "national" else row.get(LEVEL_COLUMN[level])
        if isinstance(code, str):
            before = found.get(code, (0, 0))
            found[code] = (before[0] + gross, before[1] + back)
    return found
