"""Sites over several communes: their land split by area between territories, in whole units.

The layer ``shares`` of a pack says which part of each footprint lies in which commune. A charge of
0.01 ha units is split by largest remainder (Hamilton's method), so that the parts of a site are
whole and sum to the charge, at every level of territory.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.schemas import examples
from siteselect.territories import SCOT, SCOT_NAME, TERRITORY_COLUMNS, territory_columns

WHOLE = 1_000_000
"""Shares are counted in millionths."""
TERRITORIES = ("code_insee", *TERRITORY_COLUMNS.values())
"""Columns that say where land lies; a table has those of the SCoT where the pack knows them."""
SPLIT = "commune_shares"
"""Column of the sites: the split in words (``69286 94 %, 01275 6 %``), missing for most."""

Ints = NDArray[np.int64]


def straddled(pack: DataPack, communes: pd.DataFrame) -> pd.DataFrame:
    """The sites over several communes: one row a commune, largest share first.

    Returns
    -------
    DataFrame
        ``site_id``, ``millionths`` (int, share of the footprint) and the territory columns of
        sites (:data:`TERRITORIES`); empty without a layer ``shares``.

    Raises
    ------
    InputError
        the layer names a commune that the pack does not have.
    """
    if not pack.has("shares"):
        return nowhere()
    table = pack.table("shares")
    table = table[table.groupby("site_id")["code_insee"].transform("size") > 1]
    unknown = ~table["code_insee"].isin(communes["code_insee"])
    if unknown.any():
        raise InputError(
            Fault(
                Msg("sites lie in part in communes that the pack does not have"),
                file=pack.path("shares"),
                where=examples(table.loc[unknown, "site_id"]),
                value=examples(table.loc[unknown, "code_insee"].unique()),
                remedy=Msg("build the pack again"),
            )
        )
    columns = territory_columns(communes)
    known = pd.DataFrame(communes.set_index("code_insee")[list(columns)].rename(columns=columns))
    result = pd.DataFrame(table[["site_id", "code_insee"]]).join(known, on="code_insee")
    result.insert(1, "millionths", np.rint(table["share"] * WHOLE).astype(np.int64))
    order = result.sort_values(
        ["site_id", "millionths", "code_insee"], ascending=[True, False, True], ignore_index=True
    )
    return order


def nowhere() -> pd.DataFrame:
    """The table of :func:`straddled` where no site straddles."""
    always = [name for name in TERRITORIES if name not in (SCOT, SCOT_NAME)]
    columns = {name: pd.Series(dtype=object) for name in ("site_id", *always)}
    empty = pd.DataFrame(columns)
    empty.insert(1, "millionths", pd.Series(dtype=np.int64))
    return empty


def split_in_words(site_ids: pd.Series[str], over: pd.DataFrame) -> pd.Series[str]:
    """``69286 94 %, 01275 6 %`` for each site of ``over``, None for the others."""
    words = over["code_insee"].astype(str) + (over["millionths"] / 10_000).map(" {:.0f} %".format)
    told = words.groupby(over["site_id"]).agg(", ".join)
    found = site_ids.map(told).astype(object)
    return found.where(found.notna(), None)


def spread(
    charged: pd.DataFrame, units: Ints, over: pd.DataFrame, *, apart: Collection[str] = ()
) -> pd.DataFrame:
    """What each row charges to each commune: the whole to its own, or split where it straddles.

    Parameters
    ----------
    charged
        rows with ``site_id`` and the territory columns; a site may have several rows.
    units
        int64[rows], 0.01 ha charged by each row, none under 0.
    over
        :func:`straddled`.
    apart
        ``site_id`` charged to an envelope of their own.

    Returns
    -------
    DataFrame
        ``row`` (position in ``charged``), ``units`` (int64), ``apart`` (bool) and
        :data:`TERRITORIES`, as far as ``charged`` has them. The units of a row sum to what it
        charges.
    """
    rows = np.arange(len(charged), dtype=np.int64)
    known = [name for name in TERRITORIES if name in charged]
    whole = pd.DataFrame(charged[known]).reset_index(drop=True)
    whole.insert(0, "row", rows)
    whole.insert(1, "units", np.asarray(units, np.int64))
    whole["apart"] = charged["site_id"].isin(list(apart)).to_numpy()
    astride = charged["site_id"].isin(over["site_id"]).to_numpy() if len(over) else rows < 0
    if not astride.any():
        return whole
    places = pd.DataFrame(
        {"row": rows[astride], "site_id": charged["site_id"].to_numpy()[astride]}
    ).merge(over, on="site_id", how="left", sort=False)
    given = np.asarray(units, np.int64)[places["row"].to_numpy()]
    order = places["code_insee"].astype(str).to_numpy()
    places["units"] = largest_remainder(
        given, places["millionths"].to_numpy(np.int64), places["row"].to_numpy(), order
    )
    places["apart"] = whole["apart"].to_numpy()[places["row"].to_numpy()]
    parts = [whole[~astride], places[["row", "units", *known, "apart"]]]
    return pd.concat(parts, ignore_index=True)


def largest_remainder(units: Ints, weight: Ints, group: Ints, order: NDArray[np.object_]) -> Ints:
    """Whole parts of ``units`` in proportion to ``weight`` within each group, summing to it.

    Each part gets its share rounded down; what is left goes, one unit each, to the largest
    remainders, ties to the first by ``order``. ``units`` is the same along a group.
    """
    _, of = np.unique(group, return_inverse=True)
    total = np.zeros(int(of.max(initial=-1)) + 1, np.int64)
    np.add.at(total, of, weight)
    part, rest = np.divmod(units * weight, total[of])
    left = np.zeros_like(total)
    left[of] = units
    np.subtract.at(left, of, part)
    ranked = np.lexsort((order, -rest, of))
    first = np.searchsorted(of[ranked], np.arange(len(total)))
    rank = np.empty(len(of), np.int64)
    rank[ranked] = np.arange(len(of)) - first[of[ranked]]
    found: Ints = part + (rank < left[of])
    return found
