"""Territories of a commune: those its own row names, and its SCoT from the list of members.

A SCoT (schéma de cohérence territoriale) is a choice of communes and EPCI, not a level of the
official code: which communes are its own is data of the pack (role ``territories``, kind
``scot``). A commune belongs to one SCoT or to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pandas as pd

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.schemas import check_table, examples

Frame = TypeVar("Frame", bound=pd.DataFrame)

SCOT = "scot"
"""Kind of territory, level of ledger, and column of the codes."""
SCOT_NAME = "scot_name"
MEMBER_COLUMNS = ("kind", "code", "name", "code_insee")
TERRITORY_COLUMNS: Mapping[str, str] = {
    "name": "commune",
    "epci": "epci",
    "epci_name": "epci_name",
    SCOT: SCOT,
    SCOT_NAME: SCOT_NAME,
    "departement": "departement",
    "departement_name": "departement_name",
    "region": "region",
    "region_name": "region_name",
}
"""Column of the communes → column of what lies in them (sites, parcels)."""

LEVEL_COLUMNS: Mapping[str, tuple[str, str]] = {
    "commune": ("code_insee", "name"),
    "epci": ("epci", "epci_name"),
    SCOT: (SCOT, SCOT_NAME),
    "departement": ("departement", "departement_name"),
    "region": ("region", "region_name"),
}
"""Level → columns of code and name in a table of communes, from small to large."""


def territory_columns(communes: pd.DataFrame) -> dict[str, str]:
    """:data:`TERRITORY_COLUMNS` that a table of communes has: every pack says all but the SCoT."""
    return {
        here: there
        for here, there in TERRITORY_COLUMNS.items()
        if here in communes or here not in (SCOT, SCOT_NAME)
    }


def communes_with_scot(pack: DataPack, communes: Frame) -> Frame:
    """The communes of a pack with ``scot`` and ``scot_name``, where the pack knows its SCoT.

    Raises
    ------
    InputError
        the list of members is broken (:func:`check_members`).
    """
    members = scot_members(pack)
    return communes if members is None else joined(communes, members)


def scot_members(pack: DataPack) -> pd.DataFrame | None:
    """Members of the SCoT of a pack, :data:`MEMBER_COLUMNS`; None where it has not any.

    Raises
    ------
    InputError
        a table of territories is broken, or a commune is in two SCoT.
    """
    found = []
    for layer in pack.layers("territories"):
        path = pack.folder / layer.file
        table = check_table(pack.read(layer), "territories", file=path)
        found.append(table.loc[table["kind"] == SCOT, list(MEMBER_COLUMNS)])
    if not found or all(part.empty for part in found):
        return None
    members = pd.concat(found, ignore_index=True)
    check_members(members, pack.path("territories"))
    return members


def joined(communes: Frame, members: pd.DataFrame) -> Frame:
    """The communes with ``scot`` (code) and ``scot_name``, both missing where there is none."""
    by_commune = members.drop_duplicates("code_insee").set_index("code_insee")
    result = communes.copy()
    result[SCOT] = communes["code_insee"].map(by_commune["code"])
    result[SCOT_NAME] = communes["code_insee"].map(by_commune["name"])
    return result


def check_members(members: pd.DataFrame, file: Path | str | None) -> None:
    """Every commune is in one SCoT, every SCoT has one name.

    Parameters
    ----------
    members
        rows of one kind: code, name, code_insee; ``row``, where it has that column, is the row of
        the file that says so.

    Raises
    ------
    InputError
        every group of SCoT that share communes, and every SCoT with several names.
    """
    log = FaultLog()
    for codes, rows in _shared(members):
        names = members.drop_duplicates("code").set_index("code")["name"]
        log.add(
            Msg("communes are listed under several SCoT ({count} communes)",
                count=rows["code_insee"].nunique()),
            file=file,
            where=_where(rows["code_insee"].unique(), rows),
            value=", ".join(f"{code} {names[code]}" for code in codes),
            remedy=Msg(
                "keep each commune in the SCoT in force; in a build file, {example} chooses the "
                "rows that are read",
                example='where = { statut = ["opposable"] }',
            ),
        )  # fmt: skip
    named = members.drop_duplicates(["code", "name"])
    for code, rows in named[named.duplicated("code", keep=False)].groupby("code"):
        log.add(
            Msg("the SCoT has several names"),
            file=file,
            where=_where([code], rows),
            value=examples(rows["name"]),
            remedy=Msg(
                "write one name a SCoT; in a build file, {example} says which column holds it",
                example='columns = { territory_name = "nom_scot" }',
            ),
        )
    log.check()


def _shared(members: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """SCoT (codes) that share communes, and the rows of those communes."""
    told = members.drop_duplicates(["code", "code_insee"])
    twice = told[told.duplicated("code_insee", keep=False)].sort_values(["code_insee", "code"])
    if twice.empty:
        return
    among = twice.groupby("code_insee")["code"].agg(tuple)
    for codes in sorted(set(among)):
        yield codes, twice[twice["code_insee"].isin(among.index[among == codes])]


def _where(names: Iterable[object], rows: pd.DataFrame) -> str:
    """What is concerned, with the rows of the file that say it."""
    told = examples(names)
    if "row" not in rows:
        return told
    return f"{told} (l. {examples(sorted(rows['row'].unique()))})"
