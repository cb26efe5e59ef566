"""A pack opens when it is whole, and says what is wrong when it is not."""

import re

import geopandas as gpd
import pytest
from shapely import Point

from siteselect.errors import InputError
from siteselect.pack import embedded_packs, open_pack
from tests.tinypack import seal


def faults(folder, **kwargs):
    with pytest.raises(InputError) as caught:
        open_pack(folder, **kwargs)
    return str(caught.value)


def test_opens_and_reads(tiny_pack):
    pack = open_pack(tiny_pack)
    assert pack.manifest.name == "tiny"
    assert len(pack.vectors("sites")) == 24
    assert list(pack.table("labour").columns) == ["code_insee", "labour_force"]
    assert pack.table("labour", ["labour_force"])["labour_force"].sum() == 78_000
    assert open_pack("tiny", relative_to=tiny_pack.parent).digest == pack.digest


def test_the_embedded_pack_is_found_by_name():
    assert "france" in embedded_packs()
    assert "did you mean france?" in faults("frnace")


def test_a_changed_or_missing_layer_is_told(tiny_pack):
    (tiny_pack / "labour.parquet").write_bytes(b"changed")
    (tiny_pack / "rail.parquet").unlink()
    text = faults(tiny_pack)
    assert "labour.parquet: the content is not what the manifest says" in text
    assert "rail.parquet: the layer rail is missing" in text


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        (r'crs = "EPSG:2154"', 'crs = "EPSG:4326"', "the CRS of a pack must be EPSG:2154"),
        (r'role = "labour"', 'role = "labor"', "did you mean labour?"),
        (r'role = "sites"', 'role = "report"', "no layer of role sites"),
        (r'file = "rail.parquet"', 'file = "../rail.parquet"', "the pack's own folder"),
        (r'name = "tiny"', "name = 3", "string"),
        (r'name = "tiny"', "name = ", "cannot be read"),
    ],
)
def test_a_wrong_manifest(tiny_pack, pattern, replacement, expected):
    path = tiny_pack / "pack.toml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count
    path.write_text(text, encoding="utf-8")
    assert expected in faults(tiny_pack)


@pytest.mark.parametrize(
    ("crs", "expected"), [(None, "has no CRS"), ("EPSG:4326", "is not in EPSG:2154")]
)
def test_a_layer_in_another_crs(tiny_pack, crs, expected):
    gpd.GeoDataFrame(geometry=[Point(2, 48)], crs=crs).to_parquet(tiny_pack / "rail.parquet")
    pack = seal(tiny_pack)
    with pytest.raises(InputError, match=expected):
        pack.vectors("rail")


def test_a_damaged_layer(tiny_pack):
    (tiny_pack / "rail.parquet").write_bytes(b"PAR1 not really")
    pack = seal(tiny_pack)
    with pytest.raises(InputError, match="cannot be read"):
        pack.vectors("rail")


def test_an_absent_role(tiny_pack):
    pack = seal(tiny_pack, without=("rail",))
    assert not pack.has("rail")
    with pytest.raises(InputError, match="no layer of role rail"):
        pack.vectors("rail")
