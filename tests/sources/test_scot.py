"""From the list of the SCoT of a region to a pack whose scenarios hold SCoT ledgers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import siteselect
from siteselect.errors import InputError
from siteselect.pack import DataPack, open_pack
from siteselect.sources.assemble import build_from_plan
from siteselect.sources.opening import open_table
from siteselect.sources.packcheck import check_pack
from siteselect.sources.plan import read_plan
from siteselect.sources.territories import read_territories
from siteselect.verify import verify_run
from tests import tinypack
from tests.sources.conftest import WriteInventory

MEMBERS = """\
Code_INSEE;Nom_commune;ID_SCOT;Nom_SCOT;Statut
1000;Commune 0;10394;SCoT de l'Ouest;opposable
01001;Commune 1;10394;SCoT de l'Ouest;opposable
01001;Commune 1;3919;SCoT de l'Est;caduc
02003;Commune 3;10394;SCoT de l'Ouest;opposable
02004;Commune 4;3919;SCoT de l'Est;opposable
03006;Commune 6;3919;SCoT de l'Est;opposable
04009;Commune 9;;;sans SCoT
59350;Lille;10464;SCoT de Lille;opposable
"""
"""As a region publishes it: an eaten zero, a SCoT that lapsed, a commune in none, one elsewhere."""
BUILD = """
keep_simulated = true
area = {{ departements = ["01", "02"], margin_km = {margin} }}
[[inputs]]
role = "friches"
file = "friches.csv"
[[inputs]]
role = "territories"
kind = "SCoT"
file = "scot.csv"
where = {{ statut = ["opposable"] }}
[[inputs]]
role = "consumption"
file = "conso.csv"
level = "scot"
{more}
"""


def consumption(path: Path, codes: list[str]) -> None:
    """Every commune consumed 1 ha a year, 2011 to 2021."""
    rows = [f"{code},COMM,{year},10000" for code in codes for year in range(2011, 2022)]
    path.write_text("land_id,land_type,year,total\n" + "\n".join(rows), encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path, tiny_pack: Path, inventory: WriteInventory) -> Path:
    """Two brownfields, in 01000 and 02004; the list of SCoT; the consumption of every commune."""
    communes = open_pack(tiny_pack).vectors("communes").set_index("code_insee")
    points = communes.geometry
    inventory(
        *(
            {"x": points[code].x + 100, "y": points[code].y, "comm_insee": code}
            for code in ("01000", "02004")
        )
    )
    (tmp_path / "scot.csv").write_text(MEMBERS, encoding="utf-8-sig")
    consumption(tmp_path / "conso.csv", list(communes.index))
    return tmp_path


def build(files: Path, base: Path, more: str = "", margin: float = 60.0) -> DataPack:
    path = files / "build.toml"
    path.write_text(BUILD.format(more=more, margin=margin), encoding="utf-8")
    plan, folder = read_plan(path)
    return build_from_plan(files / "pack", plan, folder, base=open_pack(base))


def caps_of(pack: DataPack) -> dict[str, float]:
    (layer,) = (one for one in pack.layers("caps") if one.file.endswith(".parquet"))
    table = pack.read(layer)
    assert table["level"].unique().tolist() == ["scot"]
    return dict(zip(table["code"], table["cap_ha"].round(6), strict=True))


def test_a_pack_with_scot_and_their_caps(files: Path, tiny_pack: Path) -> None:
    """Each commune consumed 10 ha in the ten years and 1 ha since: three of them may still take
    30 / 2 − 3 = 12 ha, two of them 20 / 2 − 2 = 8 ha."""
    pack = build(files, tiny_pack)
    members = pack.table("territories")
    assert members["kind"].unique().tolist() == ["scot"]
    assert dict(zip(members["code_insee"], members["code"], strict=True)) == {
        "01000": "10394", "01001": "10394", "02003": "10394", "02004": "3919", "03006": "3919"
    }  # fmt: skip
    assert caps_of(pack) == {"10394": 12.0, "3919": 8.0}
    fragment = tomllib.loads((pack.folder / "plafonds.toml").read_text(encoding="utf-8"))
    (ledger,) = fragment["zan"]["ledgers"]
    assert (ledger["level"], ledger["caps_ha"]) == ("scot", {"10394": 12.0, "3919": 8.0})
    report = pack.table("report").query("role == 'territories'")
    assert sorted(report["issue"]) == ["not_asked", "not_asked", "unknown_code"]
    assert "scot" not in pack.vectors("sites")  # joined in each run, as the EPCI is


def test_a_cap_is_that_of_the_whole_scot(files: Path, tiny_pack: Path) -> None:
    """The pack keeps no commune of the third column; the SCoT of the east still counts it."""
    pack = build(files, tiny_pack, margin=0.0)
    assert "03006" not in set(pack.table("communes")["code_insee"])
    assert "03006" not in set(pack.table("territories")["code_insee"])
    assert caps_of(pack) == {"10394": 12.0, "3919": 8.0}


def test_a_scenario_on_that_pack_is_run_and_verified(files: Path, tiny_pack: Path) -> None:
    pack = build(files, tiny_pack)
    fragment = tomllib.loads((pack.folder / "plafonds.toml").read_text(encoding="utf-8"))
    shares = {"brownfield": 0.5, "extension": 0.1, "greenfield": 0.0}
    scenario = {
        "pack": str(pack.folder), "count": 2, "variants": {"reuse": False},
        "constraints": {"region_min": 0}, "zan": {**fragment["zan"], "offsets": False,
                                                  "programme_cap_ha": None},
        # (under enaf-2021 a brownfield consumes nothing)
        "land": {"assumed_artificialised_share": shares, "assumed_impermeable_share": shares},
    }  # fmt: skip
    run = siteselect.run(scenario, out=files / "run")
    ledger = run.ledger[run.ledger["level"] == "scot"].set_index("code")
    assert run.sites["scot"].tolist() == ["10394", "3919"]
    # two hectares each, half of which is not artificialised
    assert ledger["gross_ha"].to_dict() == pytest.approx({"10394": 1.0, "3919": 1.0}, abs=0.01)
    assert ledger["cap_ha"].to_dict() == {"10394": 12.0, "3919": 8.0}
    assert ledger["name"].tolist() == ["SCoT de l'Ouest", "SCoT de l'Est"]
    verify_run(files / "run", proof=True)
    assert not [p for p in check_pack(pack) if p.severity == "error"]


@pytest.mark.real
def test_real_objectives_of_scot_become_their_caps(
    files: Path, tiny_pack: Path, shared_real: Path
) -> None:
    """Hauts-de-France asks SCoT 10394 for 68.6 % less and SCoT 3919 for 63.4 % less."""
    real = shared_real / "zan" / "territorialisation_objectifs_zan.csv"
    (files / "objectifs.csv").write_bytes(real.read_bytes())
    pack = build(files, tiny_pack, '[[inputs]]\nrole = "objectives"\nfile = "objectifs.csv"')
    assert caps_of(pack) == {
        "10394": pytest.approx(30 * (1 - 0.686) - 3),
        "3919": pytest.approx(20 * (1 - 0.634) - 2),
    }
    report = pack.table("report").query("role == 'objectives'")
    # of 46 objectives the two SCoT of the pack apply, as does none of another region
    assert len(report) == 44 and set(report["issue"]) == {"no_such_territory"}


def test_a_commune_in_two_scot_stops_the_build(files: Path, tiny_pack: Path) -> None:
    """Without the choice of rows, the SCoT that lapsed has 01001 too: rows 3 and 4 of the file."""
    text = BUILD.format(more="", margin=60).replace('where = { statut = ["opposable"] }', "")
    (files / "build.toml").write_text(text, encoding="utf-8")
    plan, folder = read_plan(files / "build.toml")
    with pytest.raises(InputError) as caught:
        build_from_plan(files / "pack", plan, folder, base=open_pack(tiny_pack))
    (fault,) = caught.value.faults
    assert fault.file == files / "scot.csv"
    assert fault.where == "01001 (l. 3, 4)"
    assert fault.value == "10394 SCoT de l'Ouest, 3919 SCoT de l'Est"
    assert "where" in str(fault.remedy)
    assert not (files / "pack").exists()


def test_names_of_communes_taken_for_those_of_scot(tmp_path: Path) -> None:
    path = tmp_path / "scot.csv"
    path.write_text("insee,nom,id_scot\n01000,Un,7\n01001,Deux,7\n", encoding="utf-8")
    codes = ["01000", "01001"]
    communes = gpd.GeoDataFrame({"code_insee": codes}, geometry=gpd.points_from_xy([0, 1], [0, 1]))
    with pytest.raises(InputError, match=r"7 \(l\. 2, 3\).*several names.*Un, Deux.*columns"):
        read_territories(open_table(path), communes, set(codes), kind="scot")
    done = read_territories(
        open_table(path).renamed({"territory_name": "id_scot"}), communes, set(codes), kind="scot"
    )
    assert done.table["name"].tolist() == ["7", "7"]


def test_caps_of_scot_without_their_list(files: Path) -> None:
    text = '[[inputs]]\nrole = "consumption"\nlevel = "scot"\nfile = "conso.csv"\n'
    (files / "build.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no file says which communes each SCoT has"):
        read_plan(files / "build.toml")


def test_data_check_tells_faults_of_members(tiny_pack: Path) -> None:
    pack = tinypack.add_scot(tiny_pack)
    notes = {str(p.message)[:36]: p for p in check_pack(pack) if p.layer == "territories"}
    assert notes["communes with sites in no SCoT: no l"].severity == "note"
    assert notes["communes with sites in no SCoT: no l"].count == 3  # the last column
    path = tiny_pack / "territories.parquet"
    table = pd.read_parquet(path)
    more = pd.DataFrame([("scot", "502", "SCoT Est", "01000")], columns=list(table.columns))
    pd.concat([table, more], ignore_index=True).to_parquet(path, index=False)
    problems = check_pack(tinypack.seal(tiny_pack))
    (twice,) = [p for p in problems if p.severity == "error"]
    assert "under several SCoT" in str(twice.message)
    assert "01000 : 501 SCoT Ouest, 502 SCoT Est" in twice.examples
