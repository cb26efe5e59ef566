from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from siteselect.errors import InputError
from siteselect.pack import DataPack, Layer, Manifest, open_pack, sha256_of, write_manifest
from siteselect.schemas import check_table
from siteselect.sources.build import COPIED_ROLES, build_pack
from siteselect.sources.contours import read_contours

WriteInventory = Callable[..., Path]


@pytest.fixture
def base(tmp_path: Path, communes: gpd.GeoDataFrame) -> DataPack:
    """The least pack: communes, a road, a facility, a simulated site and two parcels."""
    folder = tmp_path / "base"
    folder.mkdir()
    table = communes.assign(
        name="C", population=10, epci=None, epci_name=None, departement="01",
        departement_name="Ain", region="84", region_name="ARA",
    )  # fmt: skip
    square = [shapely.box(600_000, 6_600_000, 600_100, 6_600_100)] * 2
    tables: dict[str, pd.DataFrame] = {
        "communes": table,
        "road_nodes": pd.DataFrame({"x": [600_000.0, 601_000.0], "y": [6_600_000.0] * 2}),
        "road_edges": pd.DataFrame(
            {"tail": [0], "head": [1], "length_m": [1e3], "road_class": "x", "oneway": False}
        ),
        "facilities": gpd.GeoDataFrame(
            {"facility_id": ["p"], "facility_class": "port", "name": "P"},
            geometry=gpd.points_from_xy([600_000], [6_600_000]),
            crs="EPSG:2154",
        ),
        "sites": gpd.GeoDataFrame({"site_id": ["SIM"]}, geometry=square[:1], crs="EPSG:2154"),
        "restoration": gpd.GeoDataFrame(
            {
                "parcel_id": ["P1", "P2"],
                "name": "parcelle",
                "code_insee": "01001",
                "area_ha": 1.0,
                "cost_keur": 10,
                "site_id": ["SIM", None],
            },
            geometry=square,
            crs="EPSG:2154",
        ),
    }
    layers = []
    for role, frame in tables.items():
        path = folder / f"{role}.parquet"
        frame.to_parquet(path)
        layers.append(
            Layer(
                role=role,
                file=path.name,
                title=role,
                licence="L",
                attribution="A",
                vintage="V",
                sha256=sha256_of(path),
                simulated=role in {"sites", "restoration"},
            )
        )
    (folder / "NOTICE-ODbL.txt").write_text("ODbL")
    write_manifest(Manifest(name="base", title="B", crs="EPSG:2154", layers=tuple(layers)), folder)
    return open_pack(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_pack_is_built_and_opens(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    friches = inventory({}, {"site_id": "gone", "lon": ""})
    seen: list[float] = []
    built = build_pack(
        tmp_path / "new" / "pack", friches=friches, base=base, progress=lambda _, s: seen.append(s)
    )
    pack = open_pack(built.folder)
    assert pack.manifest == built.manifest
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    for role in COPIED_ROLES:
        assert pack.layers(role) == base.layers(role)
        for layer in pack.layers(role):
            assert (pack.folder / layer.file).read_bytes() == (
                base.folder / layer.file
            ).read_bytes()
    assert (pack.folder / "NOTICE-ODbL.txt").read_text() == "ODbL"
    sites = check_table(pack.vectors("sites"), "sites", communes={"01001"})
    assert sites["site_id"].tolist() == ["S0"]
    (layer,) = pack.layers("sites")
    assert (layer.simulated, layer.assumed, layer.vintage) == (False, True, "2024-01-01")
    assert not pack.has("landuse")
    report = pack.table("report")
    assert report[report["action"] == "left_out"]["site_id"].tolist() == ["gone"]


def test_parcels_of_simulated_sites_do_not_travel(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    pack = build_pack(tmp_path / "pack", friches=inventory({}), base=base)
    parcels = check_table(pack.vectors("restoration"), "restoration")
    assert parcels["parcel_id"].tolist() == ["P2"]
    assert pack.layers("restoration")[0].simulated
    without = build_pack(
        tmp_path / "without", friches=inventory({}), base=base, with_restoration=False
    )
    assert not without.has("restoration")


def test_with_outlines_sites_are_split_between_communes(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    """A disc of 2 ha around a border halves it."""
    path = tmp_path / "communes.parquet"
    gpd.GeoDataFrame(
        {"code_insee": ["01001", "01002"]},
        geometry=[
            shapely.box(598_000, 6_599_000, 600_100, 6_601_000),
            shapely.box(600_100, 6_599_000, 602_000, 6_601_000),
        ],
        crs="EPSG:2154",
    ).to_parquet(path)
    pack = build_pack(tmp_path / "pack", friches=inventory({}), base=base, contours=path)
    shares = pack.table("shares").set_index("code_insee")["share"]
    assert shares.to_dict() == pytest.approx({"01001": 0.5, "01002": 0.5}, abs=1e-3)


def test_the_report_opens_in_a_spreadsheet(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    friches = inventory({}, {"site_id": "=HYPERLINK()", "lon": ""})
    pack = build_pack(
        tmp_path / "pack", friches=friches, base=base, translate=lambda text: text.upper()
    )
    content = (pack.folder / "import_report.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines(), delimiter=";"))
    (gone,) = [row for row in rows if row["action"] == "LEFT OUT"]
    assert gone["row"] == "3"
    assert gone["site_id"] == "'=HYPERLINK()"
    assert gone["reason"] == "NO COORDINATES, OR NONE THAT CAN BE READ"


def test_building_again_replaces_the_pack(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    target = tmp_path / "pack"
    build_pack(target, friches=inventory({}), base=base)
    pack = build_pack(target, friches=inventory({}, {}), base=base)
    assert len(pack.vectors("sites")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "friches.csv", "pack"]


def test_the_same_inventory_gives_the_same_pack(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    digests = {
        build_pack(tmp_path / name, friches=inventory({}, {}), base=base).digest
        for name in ("a", "b")
    }
    assert len(digests) == 1


def refused(target: Path, friches: Path, base: DataPack) -> str:
    """The complaint; nothing is written or left behind."""
    parent = target.parent
    before = contents(target) if target.is_dir() else None
    around = sorted(parent.iterdir())
    with pytest.raises(InputError) as caught:
        build_pack(target, friches=friches, base=base)
    assert sorted(parent.iterdir()) == around
    if before is not None:
        assert contents(target) == before
    return str(caught.value)


def test_nothing_but_a_pack_is_overwritten(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    friches = inventory({})
    target = tmp_path / "mine"
    target.mkdir()
    (target / "thesis.odt").write_text("years of work")
    assert "something else than a data pack" in refused(target, friches, base)
    (target / "pack.toml").write_text("name = 'not quite'")
    assert "thesis.odt" in refused(target, friches, base)
    assert "a file, not a folder" in refused(friches, friches, base)
    assert "of the pack that it is built from" in refused(base.folder, friches, base)


def test_a_pack_with_a_stranger_in_it_is_left_alone(
    tmp_path: Path, inventory: WriteInventory, base: DataPack
) -> None:
    target = tmp_path / "pack"
    build_pack(target, friches=inventory({}), base=base)
    (target / "notes.txt").write_text("mine")
    assert "notes.txt" in refused(target, inventory({}), base)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "it has none of the columns of one"),
        (gzip.compress(b"site_id,lon\n" * 5000)[:-30], "truncated"),
    ],
)
def test_broken_inventories_leave_nothing_behind(
    tmp_path: Path, base: DataPack, content: bytes | None, expected: str
) -> None:
    friches = tmp_path / "f.csv.gz"
    if content is not None:
        friches.write_bytes(content)
    text = refused(tmp_path / "pack", friches, base)
    assert expected in text
    assert "f.csv.gz" in text


def test_no_site_remains(tmp_path: Path, inventory: WriteInventory, base: DataPack) -> None:
    friches = inventory({"lon": ""}, {"lon": ""}, {"unite_fonciere_surface": ""})
    text = refused(tmp_path / "pack", friches, base)
    assert "no site remains of 3 rows; most often: no coordinates" in text


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path,
    inventory: WriteInventory,
    base: DataPack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "pack"
    build_pack(target, friches=inventory({}), base=base)
    monkeypatch.setattr("siteselect.sources.build.write_manifest", full)
    assert "No space left" in refused(target, inventory({}, {}), base)
    open_pack(target)


# --- outlines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".parquet"])
def test_outlines_of_communes(tmp_path: Path, suffix: str) -> None:
    shapes = [shapely.box(0, 45, 1, 46), shapely.box(1, 45, 2, 46)]
    frame = gpd.GeoDataFrame({"INSEE_COM": ["01004", "01004"]}, geometry=shapes, crs=4326)
    path = tmp_path / f"communes{suffix}"
    frame.to_parquet(path) if suffix == ".parquet" else frame.to_file(path)
    contours = read_contours(path)
    assert contours["code_insee"].tolist() == ["01004"]
    assert contours.crs == "EPSG:2154"
    assert contours.to_crs(4326).total_bounds == pytest.approx([0, 45, 2, 46], abs=1e-6)


def test_outlines_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "c.geojson"
    gpd.GeoDataFrame({"kode": ["01"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326).to_file(path)
    with pytest.raises(InputError, match=r"no column of INSEE codes .*\(value: 'kode'\)"):
        read_contours(path)
    point = gpd.GeoDataFrame({"code": ["01"]}, geometry=[shapely.Point(0, 0)], crs=4326)
    point.to_file(path)
    with pytest.raises(InputError, match="no polygons"):
        read_contours(path)
    path.write_text("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        read_contours(path)
    with pytest.raises(InputError, match=r"none\.gpkg"):
        read_contours(tmp_path / "none.gpkg")


@pytest.mark.real
def test_real_inventory_on_the_embedded_pack(shared_real: Path, tmp_path: Path) -> None:
    pack = build_pack(
        tmp_path / "pack",
        friches=shared_real / "friches/cartofriches_points_2024-03-10.csv.gz",
        base=open_pack("france"),
        contours=shared_real / "communes/contours_communes_2018.parquet",
    )
    report = pack.table("report").groupby("issue").size()
    assert 950 <= report["outside_commune"] <= 1_072
    assert (pack.vectors("sites")["area_ha"] >= 1).sum() == pytest.approx(9_732, abs=30)
    folder = sum(path.stat().st_size for path in pack.folder.iterdir())
    assert folder < 20e6
