"""Packs from build files: a small one by hand, and the three of the guide on the real files."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import siteselect
from siteselect.cache import Memory
from siteselect.errors import InputError
from siteselect.pack import DataPack, open_pack
from siteselect.runs import Run
from siteselect.sources.assemble import build_from_plan
from siteselect.sources.packcheck import check_pack
from siteselect.sources.plan import read_plan
from siteselect.sources.recognise import recognise_folder
from siteselect.verify import verify_run
from tests.conftest import ROOT
from tests.sources.conftest import WriteInventory

BUILDS = ROOT / "data" / "builds"


def build(tmp_path: Path, text: str, base: Path) -> DataPack:
    path = tmp_path / "build.toml"
    path.write_text(text, encoding="utf-8")
    plan, folder = read_plan(path)
    return build_from_plan(tmp_path / "pack", plan, folder, base=open_pack(base))


@pytest.fixture
def some_site(tiny_pack: Path) -> pd.Series:
    """A commune of the tiny pack to put sites in."""
    return open_pack(tiny_pack).vectors("communes").iloc[0]


def test_small_pack(
    tmp_path: Path, tiny_pack: Path, inventory: WriteInventory, some_site: pd.Series
) -> None:
    """Two brownfields of the commune, one of them in a Natura 2000 zone; every row is told."""
    x, y = some_site.geometry.x, some_site.geometry.y
    code = some_site["code_insee"]
    friches = inventory(
        {"x": x, "y": y, "comm_insee": code},
        {"x": x + 500, "y": y, "comm_insee": code},
        {"x": x, "y": y, "comm_insee": code, "unite_fonciere_surface": "0"},
    )
    (tmp_path / "actifs.csv").write_text(f"code,actifs\n{code},1000\n99999,3\n")
    gpd.GeoDataFrame(
        {"SITENAME": ["Marais"]}, geometry=[shapely.Point(x + 500, y).buffer(90)], crs="EPSG:2154"
    ).to_file(tmp_path / "n2000.gpkg")
    (tmp_path / "ti.csv").write_text(f"id_ti,lib_ti,code\nti-1,Vallée,{code}\n")
    pack = build(
        tmp_path,
        f"""
        title = "Essai"
        [[inputs]]
        role = "friches"
        file = "{friches.name}"
        [[inputs]]
        role = "labour"
        file = "actifs.csv"
        [[inputs]]
        role = "exclusions"
        kind = "natura2000"
        file = "n2000.gpkg"
        [[inputs]]
        role = "territories"
        kind = "territoire_industrie"
        file = "ti.csv"
        """,
        tiny_pack,
    )
    sites = pack.vectors("sites").set_index("site_id")
    assert sites["excluded_by"].fillna("").to_dict() == {"S0": "", "S1": "natura2000"}
    assert sites["territoire_industrie"].unique().tolist() == ["Vallée"]
    assert sites["contiguous_ha"].tolist() == pytest.approx([2.0, 2.0])
    assert pack.table("labour")["labour_force"].tolist() == [1000]
    report = pack.table("report")
    lost = report[report["action"] == "left_out"].groupby("role")["issue"].agg(list).to_dict()
    assert lost == {"friches": ["wrong_area"], "labour": ["unknown_code"]}
    assert not [p for p in check_pack(pack) if p.severity == "error"]
    (layer,) = pack.layers("sites")
    assert layer.assumed and not layer.simulated


def test_layers_of_the_base_are_cut_to_the_area(
    tmp_path: Path, tiny_pack: Path, inventory: WriteInventory, some_site: pd.Series
) -> None:
    """An EPCI of three communes, 12 km around: nothing of the base lies in a commune not kept."""
    friches = inventory(
        {"x": some_site.geometry.x, "y": some_site.geometry.y, "comm_insee": some_site.code_insee}
    )
    pack = build(
        tmp_path,
        f"""
        keep_simulated = true
        area = {{ epci = ["200000000"], margin_km = 12.0 }}
        [[inputs]]
        role = "friches"
        file = "{friches.name}"
        """,
        tiny_pack,
    )
    communes = set(pack.table("communes")["code_insee"])
    assert communes == {f"{c:02d}{n:03d}" for n, c in enumerate([1, 1, 1, 2, 2, 2])}
    assert set(pack.table("labour")["code_insee"]) == communes
    # parcels in the margin cannot be deducted: three communes of the area, one parcel on a site
    assert pack.table("restoration")["parcel_id"].tolist() == ["P-01", "P-02"]
    (layer,) = pack.layers("restoration")
    assert "9 parcelles hors du territoire" in layer.note
    assert not [p for p in check_pack(pack) if p.severity == "error"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[inputs]]\nrole = "friche"\nfile = "f"', "did you mean friches"),
        ('[[inputs]]\nrole = "labour"\nfile = "absent.csv"', "there is no such file"),
        ('[[inputs]]\nrole = "labour"\nfile = "build.toml"\nvintagge = "2022"', "vintage"),
        ('[[inputs]]\nrole = "facilities"\nfile = "build.toml"', "add class"),
        ('[[inputs]]\nrole = "landcover"\nfile = "build.toml"', "legend"),
        ("inputs = []", "inputs"),
        ("x = ", "cannot be read"),
    ],
)
def test_wrong_build_files(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "build.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_plan(path)


def test_nothing_half_written(tmp_path: Path, tiny_pack: Path) -> None:
    (tmp_path / "actifs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError):
        build(tmp_path, '[[inputs]]\nrole = "labour"\nfile = "actifs.csv"', tiny_pack)
    assert not (tmp_path / "pack").exists()
    assert not list(tmp_path.glob(".pack*"))


def test_folder_without_build_file(tmp_path: Path, inventory: WriteInventory) -> None:
    inventory({})
    (tmp_path / "pop.csv").write_text("CODGEO;P22_ACT1564\n01001;5\n")
    (tmp_path / "notes.txt").write_text("rien")
    found = recognise_folder(tmp_path)
    assert {one.role for one in found.plan.inputs} == {"friches", "labour"}
    assert found.unknown == ("notes.txt",)


def test_check_tells_what_was_spoilt(tiny_pack: Path) -> None:
    pack = open_pack(tiny_pack)
    assert not [p for p in check_pack(pack) if p.severity == "error"]
    path = pack.path("sites")
    sites = gpd.read_parquet(path)
    sites.loc[0, "code_insee"] = "99999"
    sites.loc[1, "area_ha"] = 10 * sites.loc[1, "area_ha"]
    sites.to_parquet(path)
    (tiny_pack / pack.layers("labour")[0].file).unlink()
    problems = check_pack(open_pack(tiny_pack, check=False))
    told = {(p.severity, p.layer, str(p.message)[:28]) for p in problems}
    assert ("error", "sites", "codes that match no commune ") in told
    assert ("error", "labour", "the file is missing") in told
    assert ("error", "sites", "the content is not what the ") in told
    assert ("warning", "sites", "areas stated that differ fro") in told


def built(shared_real: Path, tmp_path: Path, name: str, sites: int, more: str = "") -> DataPack:
    """A pack of the guide, built and without error in its check; every row of friches is told."""
    (tmp_path / "build.toml").write_text(
        (BUILDS / f"{name}.toml").read_text(encoding="utf-8") + more, encoding="utf-8"
    )
    plan, folder = read_plan(tmp_path / "build.toml", files=shared_real)
    pack = build_from_plan(tmp_path / name, plan, folder, base=open_pack(plan.base))
    assert len(pack.vectors("sites")) == sites
    report = pack.table("report").query("role == 'friches' and action == 'left_out'")
    assert len(report) + sites == 23_878  # rows in = rows kept + rows reported
    assert not [p for p in check_pack(pack) if p.severity == "error"]
    return pack


@pytest.mark.real
@pytest.mark.slow
def test_cahors(shared_real: Path, tmp_path: Path) -> None:
    """The guide's pack around Cahors: land is measured, and three sites are chosen."""
    pack = built(shared_real, tmp_path, "cahors", 18)
    run = siteselect.run(
        ROOT / "scenarios" / "cahors.toml", overrides=[f'pack="{pack.folder.as_posix()}"']
    )
    assert (run.shortlist["status"] == "selected").sum() == 3
    assert run.result.status == "optimal"
    assert run.shortlist["land_origin"].unique().tolist() == ["measured"]


@pytest.mark.real
@pytest.mark.slow
def test_ile_de_france(shared_real: Path, tmp_path: Path) -> None:
    """The guide's regional pack, with Territoires d'industrie: ten sites, then nine of them there.

    What is measured is kept from one run to the next; a misspelt kind of territory is told.
    """
    pack = built(
        shared_real, tmp_path, "ile_de_france", 732,
        '\n[[inputs]]\nrole = "territories"\nkind = "territoire_industrie"\n'
        'file = "territories/territoires_industrie_183_2023.geojson"\n',
    )  # fmt: skip
    scenario, kept = ROOT / "scenarios" / "ile_de_france.toml", Memory()

    def run(*overrides: str, out: Path | None = None) -> Run:
        place = f'pack="{pack.folder.as_posix()}"'
        return siteselect.run(scenario, overrides=[place, *overrides], out=out, memory=kept)

    plain = run()
    assert (plain.shortlist["status"] == "selected").sum() == 10
    assert plain.result.status == "optimal"
    assert plain.shortlist["land_origin"].unique().tolist() == ["assumed"]
    asked = 'constraints.groups=[{{name="TI", territories=["{0}"], at_least=9}}]'
    grouped = run(asked.format("territoire_industrie"), out=tmp_path / "run")
    chosen = grouped.shortlist[grouped.shortlist["status"] == "selected"]
    assert chosen["territoire_industrie"].notna().sum() >= 9
    verify_run(tmp_path / "run")
    with pytest.raises(InputError, match="did you mean territoire_industrie"):
        run(asked.format("territoire_industri"))
