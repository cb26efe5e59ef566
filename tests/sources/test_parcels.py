from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from siteselect.sources.parcels import elsewhere, parcel_sets, repeated, sharing, trust_key


def column(*cells: str | None) -> pd.Series[str]:
    rows = pd.Index(range(2, 2 + len(cells)), name="row")
    return pd.Series(list(cells), index=rows, dtype="str")


def test_sets_do_not_depend_on_the_order_of_their_parcels() -> None:
    sets = parcel_sets(column("b|a", "a|b", "a | b|", "", "a"))
    assert list(sets) == ["A|B", "A|B", "A|B", "", "A"]


def test_the_most_trusted_row_of_a_set_is_kept() -> None:
    status = column("friche potentielle", "friche sans projet", "friche sans projet", None, None)
    dates = column("2024-01-01", "2022-01-01", "2023-01-01", "2024-01-01", "2024-01-01")
    ids = column("a", "b", "c", "e", "d")
    trust = trust_key(status, dates, ids, ["friche potentielle"])
    assert repeated(column("P", "P", "P", "Q", "Q"), trust).sort_index().to_dict() == {
        2: 4,  # not verified
        3: 4,  # verified, but older
        5: 6,  # alike but for the identifier
    }


def test_rows_without_parcels_are_never_repeated() -> None:
    trust = trust_key(column(None, None), column("", ""), column("a", "b"), [])
    assert repeated(column("", ""), trust).empty


@given(st.permutations(range(6)))
def test_which_row_is_kept_does_not_depend_on_the_order_of_the_file(order: list[int]) -> None:
    ids = [f"s{i}" for i in order]
    sets = column(*["PQ"[i % 2] for i in order])
    status = column(*[("friche potentielle", "friche sans projet")[i // 4] for i in order])
    dates = column(*["2024" for _ in order])
    named = column(*ids)
    same = repeated(sets, trust_key(status, dates, named, ["friche potentielle"]))
    assert {named[row]: named[kept] for row, kept in same.items()} == {
        "s0": "s4", "s2": "s4", "s1": "s5", "s3": "s5",
    }  # fmt: skip


def test_sharing_some_parcels() -> None:
    assert sharing(column("A|B", "B|C", "D", "")).to_dict() == {2: 3, 3: 2}


def test_parcels_elsewhere() -> None:
    sets = parcel_sets(
        column(
            "31555841AH0133",  # in the commune
            "uf362080162556",  # elsewhere
            "59092000AB0001|59228000AB0002",  # one in, one out
            "132038120C0099",  # a district of Marseille
            "85999000AB0001",  # a commune that is no more
            "",
        )
    )
    codes = column("31555", "36001", "59092", "13055", "85194", "01004")
    known = {"31555", "36208", "36001", "59092", "59228", "13055", "85194", "01004"}
    assert elsewhere(sets, codes, known).tolist() == [False, True, False, False, False, False]
