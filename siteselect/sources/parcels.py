"""Parcel sets of an inventory: the same land told twice, land told in part twice.

A set is written ``31555841AH0133|uf362080162556``: cadastral parcels, or landholdings (``uf``)
of the unified parcel table, each beginning with the code of its commune.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from siteselect.sources.values import commune_of_district

_SPLIT = r"[|;,\s]+"


def parcel_sets(cells: pd.Series[str]) -> pd.Series[str]:
    """The parcels of each row in one order, joined by ``|``: equal for equal sets."""
    distinct = {
        cell: "|".join(sorted({part for part in parts if part}))
        for cell, parts in zip(
            cells.unique(), cells.drop_duplicates().str.upper().str.split(_SPLIT), strict=True
        )
    }
    return cells.map(distinct).astype("str")


def repeated(sets: pd.Series[str], trust: pd.DataFrame) -> pd.Series[int]:
    """For each row whose set an earlier, more trusted row has: the number of that row.

    ``trust`` (same index) is sorted by its columns, the first row of each set is the one kept,
    so that the answer does not depend on the order of the file. Rows without parcels are never
    repeated.
    """
    ordered = sets.loc[trust.sort_values(list(trust.columns), kind="stable").index]
    ordered = ordered[ordered != ""]
    rows = ordered.index.to_series()
    kept = rows.groupby(ordered, sort=False).transform("first")
    return kept[kept != rows]


def sharing(sets: pd.Series[str]) -> pd.Series[int]:
    """For each row that shares a parcel with other rows: the number of one of them.

    The sets are distinct (the rows of equal ones were left out).
    """
    pairs = sets[sets != ""].str.split("|").explode()
    common = pairs[pairs.duplicated(keep=False)]
    found: dict[int, int] = {}
    for rows in common.groupby(common).groups.values():
        listed = [int(row) for row in rows]
        for row in listed:
            found.setdefault(row, next(other for other in listed if other != row))
    return pd.Series(found, dtype="int64").sort_index()


def elsewhere(
    sets: pd.Series[str], codes: pd.Series[str], known: Collection[str]
) -> pd.Series[bool]:
    """Rows none of whose parcels lies in the commune stated, and some in another known one.

    Exact as far as the parcels are: no outline of communes is needed. Against the outlines of
    2018, on the national inventory of March 2024, 98 % of the rows found do lie outside their
    commune, and 71 % of those outside are found.
    """
    parts = sets[sets != ""].str.split("|").explode()
    owners = commune_of_district(parts.str.removeprefix("UF").str[:5])
    stated = codes.reindex(owners.index)
    table = pd.DataFrame({"same": owners == stated, "known": owners.isin(list(known))})
    by_row = table.groupby(level=0).any()
    found = ~by_row["same"] & by_row["known"]
    return found.reindex(sets.index, fill_value=False)


def trust_key(
    status: pd.Series[str], dates: pd.Series[str], site_ids: pd.Series[str], doubtful: Sequence[str]
) -> pd.DataFrame:
    """Which row speaks for a set of parcels: verified first, then latest, then least id.

    A row whose status is missing or one of ``doubtful`` (friche potentielle: not verified) comes
    after those that somebody checked.
    """
    unverified = status.isna() | status.isin(list(doubtful))
    age = dates.rank(method="dense", ascending=False)
    return pd.DataFrame({"unverified": unverified, "age": age, "site_id": site_ids})
