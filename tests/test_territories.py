"""SCoT of the communes: joined once, and what a broken list of members is told."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import siteselect
from siteselect.errors import InputError
from siteselect.pack import DataPack, open_pack
from siteselect.report.levels import LEVELS, ledger_by_level
from siteselect.territories import check_members, communes_with_scot, joined, territory_columns
from tests import tinypack

SCENARIO = {
    "count": 2,
    "variants": {"reuse": False},
    "locks": {"include": ["E-03", "E-09"]},
    "constraints": {"region_min": 0, "region_max": 8},
    "zan": {
        "programme_cap_ha": None,
        "ledgers": [{"level": "scot", "caps_ha": {"501": 1.0}, "origin": "essai"}],
    },
}


@pytest.fixture
def pack(tiny_pack: Path) -> DataPack:
    """Two SCoT; E-03 lies for 70 % in the first and for 30 % in the second, E-09 in none."""
    tinypack.add_straddling(tiny_pack)
    return tinypack.add_scot(tiny_pack)


def spoil(pack: DataPack, *rows: tuple[str, str, str, str]) -> DataPack:
    """The pack with more rows of members."""
    path = pack.path("territories")
    table = pd.read_parquet(path)
    more = pd.DataFrame(rows, columns=list(table.columns))
    pd.concat([table, more], ignore_index=True).to_parquet(path, index=False)
    return tinypack.seal(pack.folder)


def test_communes_carry_their_scot_or_none(pack: DataPack) -> None:
    table = communes_with_scot(pack, pack.table("communes")).set_index("code_insee")
    assert table.loc["02004", ["scot", "scot_name"]].tolist() == ["501", "SCoT Ouest"]
    assert table.loc["02005", ["scot", "scot_name"]].tolist() == ["502", "SCoT Est"]
    assert table.index[table["scot"].isna()].tolist() == ["04009", "04010", "04011"]
    assert table["scot_name"].isna().equals(table["scot"].isna())


def test_a_pack_without_members_has_no_such_columns(tiny_pack: Path) -> None:
    pack = open_pack(tiny_pack)
    table = communes_with_scot(pack, pack.table("communes"))
    assert "scot" not in table and "scot" not in territory_columns(table)
    tinypack.add_scot(tiny_pack)
    members = pd.read_parquet(tiny_pack / "territories.parquet").assign(kind="pays")
    members.to_parquet(tiny_pack / "territories.parquet", index=False)
    other = tinypack.seal(tiny_pack)
    assert "scot" not in communes_with_scot(other, other.table("communes"))


def test_a_ledger_by_hand(pack: DataPack, tmp_path: Path) -> None:
    """E-03 and E-09 pave 7.2 ha each. E-03: 5.04 ha in 501, whose cap of 1 ha asks for 4.04 ha
    restored there; 2.16 ha in 502, without cap. E-09 lies in no SCoT: no ledger counts it."""
    run = siteselect.run({"pack": str(pack.folder), **SCENARIO}, out=tmp_path / "run", lang="fr")
    sites = run.sites.set_index("site_id")
    assert sites.loc["E-03", ["scot", "scot_name"]].tolist() == ["501", "SCoT Ouest"]
    assert sites.loc["E-09", ["scot", "scot_name"]].isna().all()
    assert set(run.restoration["scot"]) == {"501"}
    figures = ["gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha"]
    ledger = run.ledger.set_index(["level", "code"])
    assert ledger.loc[("scot", "501"), figures].tolist() == pytest.approx([5.04, 4.04, 1, 1, 0])
    assert ledger.loc[("scot", "501"), ["name", "cap_origin"]].tolist() == ["SCoT Ouest", "essai"]
    assert ("scot", "502") not in ledger.index  # no cap: it is among the other territories
    every = ledger_by_level(run).set_index(["level", "code"])
    assert every.loc[("scot", "502"), figures[:3]].tolist() == pytest.approx([2.16, 0, 2.16])
    assert every.loc["scot"]["gross_ha"].sum() == pytest.approx(7.2)  # of 14.4 ha in all
    assert [level for level, _ in every.index.unique() if level == "scot"] == ["scot", "scot"]


def test_levels_are_listed_from_large_to_small_in_reports() -> None:
    assert LEVELS == ("region", "departement", "scot", "epci", "commune")


def test_a_capped_scot_where_no_land_is_taken_is_not_said_to_have_no_cap(pack: DataPack) -> None:
    """E-04 is developed on its artificialised land alone: 0 ha in 501, whose cap is 0 ha."""
    ledgers = [{"level": "scot", "default_cap_ha": 0.0, "origin": "essai"}]
    zan = {"programme_cap_ha": None, "offsets": False, "ledgers": ledgers}
    locks = {"include": ["E-04"], "variants": {"E-04": "reuse"}}
    limits = {"region_min": 0}
    run = siteselect.run(
        {"pack": str(pack.folder), "count": 1, "locks": locks, "constraints": limits, "zan": zan}
    )
    every = ledger_by_level(run).set_index(["level", "code"])
    figures = ["gross_ha", "cap_ha", "balance_ha", "cap_origin"]
    assert every.loc[("scot", "501"), figures].tolist() == [0.0, 0.0, 0.0, "essai"]
    assert every.loc[("epci", "200000001"), "cap_origin"] == ""


def test_the_part_in_the_other_scot_is_held_to_its_cap(pack: DataPack) -> None:
    """2.16 ha do not fit under 2.15 ha, though no site chosen has its code in that SCoT."""
    for cap_ha, fits in ((2.16, True), (2.15, False)):
        ledgers = [{"level": "scot", "caps_ha": {"502": cap_ha}}]
        zan = {"programme_cap_ha": None, "offsets": False, "ledgers": ledgers}
        scenario = {**SCENARIO, "pack": str(pack.folder), "zan": zan}
        if fits:
            siteselect.run(scenario)
        else:
            with pytest.raises(siteselect.InfeasibleError, match=r"SCoT SCoT Est \(502\)"):
                siteselect.run(scenario)


def test_an_unknown_code_is_told_with_the_nearest(pack: DataPack) -> None:
    zan = {"ledgers": [{"level": "scot", "caps_ha": {"503": 1.0, "9": 1.0}}]}
    with pytest.raises(InputError) as caught:
        siteselect.run({**SCENARIO, "pack": str(pack.folder), "zan": zan})
    assert [(fault.where, fault.value) for fault in caught.value.faults] == [
        ("zan.ledgers (scot)", "503"), ("zan.ledgers (scot)", "9")
    ]  # fmt: skip
    assert "did you mean 50" in str(caught.value.faults[0].remedy)


def test_a_pack_that_knows_no_scot_says_what_to_add(tiny_pack: Path) -> None:
    with pytest.raises(InputError, match="does not say which communes each SCoT has") as caught:
        siteselect.run({**SCENARIO, "pack": str(tiny_pack)})
    (fault,) = caught.value.faults
    assert (fault.where, fault.value) == ("zan.ledgers", "scot")
    assert 'role = "territories", kind = "scot"' in str(fault.remedy)


def test_members_elsewhere_are_no_empty_ledger(tiny_pack: Path) -> None:
    """The list is there, but of other communes than those of the sites."""
    tinypack.add_scot(tiny_pack)
    path = tiny_pack / "territories.parquet"
    pd.read_parquet(path).iloc[:1].assign(code_insee="59350").to_parquet(path, index=False)
    tinypack.seal(tiny_pack)
    with pytest.raises(InputError, match="no site or parcel of the pack lies in a territory"):
        siteselect.run({**SCENARIO, "pack": str(tiny_pack)})


def test_a_commune_in_two_scot_and_a_scot_with_two_names(pack: DataPack) -> None:
    broken = spoil(
        pack,
        ("scot", "502", "SCoT Est", "01000"),
        ("scot", "502", "SCoT Est", "01001"),
        ("scot", "502", "Pays d'Est", "04009"),
        ("pays", "P", "Pays", "01000"),  # another kind: nobody's concern
    )
    with pytest.raises(InputError) as caught:
        siteselect.run({**SCENARIO, "pack": str(broken.folder)})
    twice, names = caught.value.faults
    assert twice.file == broken.path("territories")
    assert twice.where == "01000, 01001"
    assert twice.value == "501 SCoT Ouest, 502 SCoT Est"
    assert (names.where, names.value) == ("502", "SCoT Est, Pays d'Est")


def test_codes_that_are_no_text_are_told(pack: DataPack) -> None:
    path = pack.path("territories")
    table = pd.read_parquet(path)
    table.assign(code=table["code"].astype(int)).to_parquet(path, index=False)
    with pytest.raises(InputError, match="code"):
        siteselect.run({**SCENARIO, "pack": str(tinypack.seal(pack.folder).folder)})


def test_rows_of_the_file_are_named_where_they_are_known() -> None:
    members = pd.DataFrame(
        {"code": ["1", "2"], "name": ["A", "B"], "code_insee": ["01001"] * 2, "row": [2, 9]}
    )
    with pytest.raises(InputError, match=r"01001 \(l\. 2, 9\)"):
        check_members(members, "scot.csv")
    check_members(members.iloc[[0, 0]], "scot.csv")  # the same row twice says nothing else


def test_a_column_of_the_inventory_is_not_read_as_a_scot(tiny_pack: Path) -> None:
    """Only the list of members says where a site lies."""
    import geopandas as gpd

    path = tiny_pack / "sites.parquet"
    gpd.read_parquet(path).assign(scot="501", scot_name="x").to_parquet(path)
    tinypack.seal(tiny_pack)
    with pytest.raises(InputError, match="does not say which communes each SCoT has"):
        siteselect.run({**SCENARIO, "pack": str(tiny_pack)})
    run = siteselect.run({**SCENARIO, "pack": str(tinypack.add_scot(tiny_pack).folder)})
    assert run.sites.set_index("site_id")["scot"].to_dict()["E-05"] == "502"


def test_groups_name_a_scot_as_any_territory(pack: DataPack) -> None:
    def chosen(*territories: str) -> set[str]:
        group = {"name": "g", "territories": territories, "at_least": 2}
        run = siteselect.run(
            {"pack": str(pack.folder), "count": 2, "variants": {"reuse": False},
             "constraints": {"region_min": 0, "groups": [group]}, "zan": {"enforced": False}}
        )  # fmt: skip
        sites = run.sites[run.sites["status"] == "selected"]
        return set(sites["scot"])

    assert chosen("scot:502") == {"502"}
    assert chosen("scot") <= {"501", "502"}
    with pytest.raises(InputError, match=r"52.*did you mean 502"):
        chosen("scot:52")


def test_the_same_commune_twice_in_one_scot_is_joined_once() -> None:
    communes = pd.DataFrame({"code_insee": ["01001", "01002"]})
    members = pd.DataFrame(
        {"code": ["1", "1"], "name": ["A", "A"], "code_insee": ["01001", "01001"]}
    )
    assert joined(communes, members)["scot"].tolist()[0] == "1"
    assert list(communes.columns) == ["code_insee"]  # nothing given is changed
