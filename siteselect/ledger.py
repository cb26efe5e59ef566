"""ZAN ledgers: which territories have a cap, and the balance of a portfolio.

A ledger row keeps gross, restored and net hectares in separate columns. *Regulatory* caps belong
to territories; the *programme* row is the constraint on the whole portfolio. No law puts net
zero on fifty sites: the two are labelled apart. Decision support, not a regulatory computation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.rulebook import Rulebook
from siteselect.scenario import LEVELS, LedgerRule, Level, ZanSettings
from siteselect.units import ha_to_units_up

CODE_COLUMN: Mapping[str, str] = {
    "commune": "code_insee",
    "epci": "epci",
    "scot": "scot",
    "departement": "departement",
    "region": "region",
}
NAME_COLUMN: Mapping[str, str] = {
    "commune": "commune",
    "epci": "epci_name",
    "scot": "scot_name",
    "departement": "departement_name",
    "region": "region_name",
}
"""Not every table has every column: SCoT are known where the pack lists their communes."""
PROGRAMME = "programme"
PENE = "pene"
"""Level of the envelope of projects of national or European scale."""
LEDGER_COLUMNS = (
    "level",
    "code",
    "name",
    "period",
    "regime",
    "vintage",
    "gross_ha",
    "restored_ha",
    "net_ha",
    "cap_ha",
    "balance_ha",
    "cap_origin",
)


@dataclass(frozen=True)
class TerritoryCap:
    """One ledger: a territory, its cap in units of 0.01 ha (``None``: shown, not capped)."""

    level: str
    code: str
    name: str
    cap_units: int | None
    origin: str


def level_name(level: str) -> Msg:
    """The word for a level of territory, translatable."""
    return {
        PROGRAMME: Msg("programme"),
        PENE: Msg("projects of national or European scale (PENE)"),
        "commune": Msg("commune"),
        "epci": Msg("EPCI"),
        "scot": Msg("SCoT"),
        "departement": Msg("département"),
        "region": Msg("region"),
        "national": Msg("national level"),
    }[level]


def knows(table: pd.DataFrame, level: str) -> bool:
    """Whether a table says in which territory of a level its rows lie (nowhere, for some)."""
    return CODE_COLUMN[level] in table and NAME_COLUMN[level] in table


def known_codes(table: pd.DataFrame) -> list[str]:
    """The columns of codes of territories that a table has."""
    return [CODE_COLUMN[level] for level in CODE_COLUMN if CODE_COLUMN[level] in table]


def territory_caps(territories: pd.DataFrame, zan: ZanSettings) -> tuple[TerritoryCap, ...]:
    """The ledgers of a scenario, the programme's first, then by level (small to large) and code.

    Parameters
    ----------
    territories
        rows with the territory columns of sites (and of restoration parcels).
    zan
        caps in hectares. Regions are always listed, capped or not.

    Raises
    ------
    InputError
        a cap names a territory that is not in the pack, or no site or parcel of the pack lies in
        any territory of a level: such a ledger would bind nothing.
    """
    log = FaultLog()
    rules = {rule.level: rule for rule in zan.ledgers}
    rules.setdefault("region", LedgerRule(level="region", origin=""))
    programme = _cap_units(zan.programme_cap_ha)
    caps = [TerritoryCap(PROGRAMME, "", "", programme, "")]
    if zan.pene.sites:
        caps.append(TerritoryCap(PENE, "", "", _cap_units(zan.pene.cap_ha), zan.pene.origin))
    for level in sorted(rules, key=LEVELS.index):
        rule, names = rules[level], _names(territories, level)
        if not names:
            _nowhere(level, territories, log)
            continue
        for code in sorted(set(rule.caps_ha) - set(names)):
            near = nearest_name(code, names)
            log.add(
                Msg("a cap is given for a territory that has no site in the pack"),
                where=f"zan.ledgers ({level})",
                value=code,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("remove it, or correct the code"),
            )
        for code, name in names.items():
            cap = cap_units(rule, code)
            if cap is not None or level == "region":
                caps.append(
                    TerritoryCap(level, code, name, cap, rule.origin if cap is not None else "")
                )
    log.check()
    return tuple(caps)


def cap_units(rule: LedgerRule, code: str) -> int | None:
    """The cap of a territory by the rule of its level, units of 0.01 ha; None: not capped."""
    return _cap_units(rule.caps_ha.get(code, rule.default_cap_ha))


def in_territory(frame: pd.DataFrame, cap: TerritoryCap) -> NDArray[np.bool_]:
    """Which rows (sites or parcels) are charged to this ledger: bool array."""
    if cap.level == PENE:  # what is restored is deducted where it lies
        return np.zeros(len(frame), dtype=bool)
    if cap.level in (PROGRAMME, "national"):
        return np.ones(len(frame), dtype=bool)
    codes = frame[CODE_COLUMN[cap.level]]
    return np.asarray(codes.eq(cap.code).fillna(False), dtype=bool)


def charges_by_cap(
    caps: tuple[TerritoryCap, ...], spread: pd.DataFrame
) -> Iterator[tuple[TerritoryCap, NDArray[np.int64], NDArray[np.int64]]]:
    """For each ledger, the rows charged to it and the units (0.01 ha) of each.

    Parameters
    ----------
    spread
        ``row`` (int), ``units`` (int), ``apart`` (bool: a project of national or European scale,
        charged to its envelope and to no territory) and the territory columns; several lines a
        row where it straddles (:func:`siteselect.straddling.spread`).

    Yields
    ------
    cap, rows (int64, ascending, each once), units (int64): thousands of communes are looked up,
    not searched one by one.
    """
    found: dict[str, dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
    none: NDArray[np.int64] = np.zeros(0, np.int64)
    for cap in caps:
        if cap.level not in found:
            found[cap.level] = _by_code(spread, cap.level)
        rows, units = found[cap.level].get(cap.code, (none, none))
        yield cap, rows, units


def _by_code(
    spread: pd.DataFrame, level: str
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Code → (rows ascending, units of each row in that territory)."""
    if level in CODE_COLUMN:
        stated = spread[CODE_COLUMN[level]].to_numpy(dtype=object, copy=True)
    else:
        stated = np.full(len(spread), "FR" if level == "national" else "", dtype=object)
    apart = spread["apart"].to_numpy(bool)
    if level != PROGRAMME:
        stated[~apart if level == PENE else apart] = None
    code, names = pd.factorize(stated, sort=False)  # -1: in no territory of this level
    kept = code >= 0
    row = spread["row"].to_numpy(np.int64)[kept]
    width = int(row.max(initial=0)) + 1
    key, place = np.unique(code[kept] * width + row, return_inverse=True)
    units = np.zeros(len(key), np.int64)
    np.add.at(units, place, spread["units"].to_numpy(np.int64)[kept])
    start = np.searchsorted(key, np.arange(len(names) + 1) * width)
    return {
        str(name): (key[a:b] % width, units[a:b])
        for name, a, b in zip(names, start[:-1].tolist(), start[1:].tolist(), strict=True)
    }


def as_spread(frame: pd.DataFrame, units: NDArray[np.int64]) -> pd.DataFrame:
    """Rows that lie in one commune each, in the form of :func:`charges_by_cap`."""
    table = pd.DataFrame(frame[known_codes(frame)]).reset_index(drop=True)
    return table.assign(row=np.arange(len(frame)), units=np.asarray(units, np.int64), apart=False)


def ledger_table(
    caps: tuple[TerritoryCap, ...],
    developed: pd.DataFrame,
    restored: pd.DataFrame,
    rulebook: Rulebook,
    *,
    vintage: str,
) -> pd.DataFrame:
    """The balance of a portfolio in every ledger.

    Parameters
    ----------
    developed
        what the chosen sites charge: ``row``, ``units`` (int, 0.01 ha) and territory columns
        (:func:`siteselect.straddling.spread`).
    restored
        parcels used: territory columns and ``restored_units`` (int, 0.01 ha).
    vintage
        vintage (millésime) of the land use that the charges were measured on.

    Returns
    -------
    DataFrame with :data:`LEDGER_COLUMNS`, hectares to 0.01; ``balance_ha`` = cap − net, NaN
    where there is no cap.
    """
    rows = []
    given = as_spread(restored, restored["restored_units"].to_numpy(np.int64))
    for (cap, _, charges), (_, _, returns) in zip(
        charges_by_cap(caps, developed), charges_by_cap(caps, given), strict=True
    ):
        gross, back = int(charges.sum()), int(returns.sum())
        if cap.level not in (PROGRAMME, PENE, "national", "region") and gross == back == 0:
            continue  # thousands of communes where nothing happens say nothing
        net = gross - back
        rows.append(
            (
                cap.level,
                cap.code,
                cap.name,
                rulebook.period,
                rulebook.id,
                vintage,
                gross / 100,
                back / 100,
                net / 100,
                np.nan if cap.cap_units is None else cap.cap_units / 100,
                np.nan if cap.cap_units is None else (cap.cap_units - net) / 100,
                cap.origin,
            )
        )
    return pd.DataFrame(rows, columns=list(LEDGER_COLUMNS))


def _names(territories: pd.DataFrame, level: Level) -> dict[str, str]:
    if level == "national":
        return {"FR": "France"}
    if not knows(territories, level):
        return {}
    pairs = territories[[CODE_COLUMN[level], NAME_COLUMN[level]]].dropna().drop_duplicates()
    return dict(sorted(zip(pairs.iloc[:, 0], pairs.iloc[:, 1], strict=True)))


def _nowhere(level: Level, territories: pd.DataFrame, log: FaultLog) -> None:
    """A ledger of a level that nothing in the pack lies in."""
    if level == "scot" and not knows(territories, level):
        problem = Msg("the pack does not say which communes each SCoT has")
        remedy = Msg(
            "build the pack with their list: an input of {keys} (one row a commune, an EPCI or a "
            "polygon, with the code of its SCoT), see the guide of data",
            keys='role = "territories", kind = "scot"',
        )
    else:
        problem = Msg("no site or parcel of the pack lies in a territory of this level")
        remedy = Msg("remove the ledger, or complete the communes of the pack")
    log.add(problem, where="zan.ledgers", value=level, remedy=remedy)


def _cap_units(cap_ha: float | None) -> int | None:
    """A cap in units of 0.01 ha, rounded down: never more than what was granted."""
    return None if cap_ha is None else -int(ha_to_units_up(np.array([-cap_ha]))[0])
