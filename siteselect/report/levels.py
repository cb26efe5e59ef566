"""The land balance of the selection at every level, capped or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.ledger import CODE_COLUMN, LEDGER_COLUMNS, NAME_COLUMN, cap_units, knows
from siteselect.runs import Run
from siteselect.scenario import LEVELS as SCENARIO_LEVELS
from siteselect.straddling import nowhere, spread, straddled
from siteselect.territories import communes_with_scot, territory_columns

LEVELS = tuple(level for level in reversed(SCENARIO_LEVELS) if level in CODE_COLUMN)
"""Levels with territories of their own, from the largest to the smallest."""
_CHARGES: Mapping[str, str] = MappingProxyType(
    {"new_artificialisation_ha": "gross_ha", "restored_ha": "restored_ha"}
)


def ledger_by_level(run: Run) -> pd.DataFrame:
    """The ledgers of the run, then every other territory that is charged or credited.

    Same columns as ``run.ledger``, which has every territory with a cap where land moves; the
    rows added have no cap (NaN), or are those of sites that take no land. A territory appears
    once.
    """
    stated = {(row.level, row.code) for row in run.ledger.itertuples()}
    frames = [pd.DataFrame(run.ledger)]
    territories, charged = _territories(run), _charged(run)
    for level in LEVELS:
        if not knows(charged, level):
            continue  # the pack does not say which communes each SCoT has
        rows = _level(run, level, charged, territories)
        fresh = [(level, code) not in stated for code in rows["code"]]
        if any(fresh):
            frames.append(rows[fresh])
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _charged(run: Run) -> pd.DataFrame:
    """What the selection charges to each commune, sites over several split as in the ledgers.

    Projects of national or European scale are charged to their own envelope, to no territory.
    """
    apart = run.shortlist["site_id"].isin(list(run.scenario.zan.pene.sites))
    chosen = pd.DataFrame(run.shortlist[(run.shortlist["status"] != "reserve") & ~apart])
    over = astride(run)
    if over.empty:
        return chosen
    units = np.rint(chosen["new_artificialisation_ha"].to_numpy(float) * 100).astype(np.int64)
    parts = spread(chosen, units, over)
    return parts.assign(new_artificialisation_ha=parts["units"] / 100)


def astride(run: Run) -> pd.DataFrame:
    """The sites of a run's pack over several communes: :func:`siteselect.straddling.straddled`."""
    if not run.pack.has("shares"):
        return nowhere()
    return straddled(run.pack, communes_with_scot(run.pack, run.pack.table("communes")))


def _level(
    run: Run, level: str, charged: pd.DataFrame, territories: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Gross, restored and net hectares of every territory of a level, by code."""
    code = CODE_COLUMN[level]
    sums = [
        frame.groupby(frame[code].astype(object))[charge].sum().rename(name)
        for frame, (charge, name) in zip(
            (charged, pd.DataFrame(run.restoration)), _CHARGES.items(), strict=True
        )
        if code in frame
    ]
    both = pd.concat(sums, axis=1).fillna(0.0).astype(float).round(2).sort_index()
    for name in _CHARGES.values():
        if name not in both:
            both[name] = 0.0
    first: dict[str, Any] = dict(run.ledger.iloc[0]) if len(run.ledger) else {}
    names = _names(territories, level)
    net = (both["gross_ha"] - both["restored_ha"]).round(2).to_numpy()
    cap, origin = _caps(run, level, [str(value) for value in both.index])
    table = pd.DataFrame(
        {
            "level": level,
            "code": [str(value) for value in both.index],
            "name": [names.get(str(value), str(value)) for value in both.index],
            **{key: first.get(key) for key in ("period", "regime", "vintage")},
            "gross_ha": both["gross_ha"].to_numpy(),
            "restored_ha": both["restored_ha"].to_numpy(),
            "net_ha": net,
            "cap_ha": cap,
            "balance_ha": (cap - net).round(2),
            "cap_origin": origin,
        }
    )
    return table[list(LEDGER_COLUMNS)]


def _caps(run: Run, level: str, codes: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Cap (ha, NaN for none) and origin: a capped territory may have a site that takes no land."""
    rules = {str(rule.level): rule for rule in run.scenario.zan.ledgers}
    found = [cap_units(rules[level], code) if level in rules else None for code in codes]
    caps = np.array([np.nan if one is None else one / 100 for one in found], dtype=float)
    return caps, ["" if one is None else rules[level].origin for one in found]


def _territories(run: Run) -> list[pd.DataFrame]:
    """Tables that name territories: sites, then all communes (parcels may stand elsewhere)."""
    frames = [pd.DataFrame(run.sites)]
    if run.pack.has("communes"):
        columns = {"code_insee": "code_insee", **territory_columns(pd.DataFrame())}
        known = communes_with_scot(run.pack, run.pack.table("communes", columns=list(columns)))
        columns |= territory_columns(known)
        frames.append(pd.DataFrame(known[list(columns)].rename(columns=columns)))
    return frames


def _names(frames: Sequence[pd.DataFrame], level: str) -> dict[str, str]:
    code, name = CODE_COLUMN[level], NAME_COLUMN[level]
    found: dict[str, str] = {}
    for frame in frames:
        if code in frame and name in frame:
            pairs = frame[[code, name]].dropna().drop_duplicates(code)
            for key, value in zip(pairs[code], pairs[name], strict=True):
                found.setdefault(str(key), str(value))
    return found
