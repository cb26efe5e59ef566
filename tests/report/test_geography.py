"""Outlines of territories: their own where there are some, put together from communes elsewhere."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely.geometry import box

from siteselect.pack import DataPack, Layer, Manifest
from siteselect.report.geography import territory_shapes

COMMUNES = pd.DataFrame(
    {
        "code_insee": ["01001", "01002", "01003", "2A004"],
        "epci": ["200000001", "200000001", "200000002", None],
        "departement": ["01", "01", "01", "2A"],
        "region": ["84", "84", "84", "94"],
    }
)


def pack_of(folder: Path, *, contours: bool) -> DataPack:
    """Four communes of 1 km², side by side; the region 84 has an outline of its own."""
    squares = [box(1000 * i, 0, 1000 * (i + 1), 1000) for i in range(4)]
    points = gpd.GeoDataFrame(COMMUNES, geometry=shapely.centroid(squares), crs="EPSG:2154")
    points.to_parquet(folder / "communes.parquet")
    own = {"level": ["region"], "code": ["84"], "name": ["AuRA"]}
    gpd.GeoDataFrame(own, geometry=[box(0, 0, 3000, 2000)], crs="EPSG:2154").to_parquet(
        folder / "outlines.parquet"
    )
    roles = ["communes", "outlines"]
    if contours:
        drawn = {"code_insee": COMMUNES["code_insee"]}
        gpd.GeoDataFrame(drawn, geometry=squares, crs="EPSG:2154").to_parquet(
            folder / "contours.parquet"
        )
        roles.append("contours")
    layers = tuple(
        Layer(role=role, file=f"{role}.parquet", title=role, licence="", attribution="", vintage="",
              sha256="0" * 64, simulated=False, note="")
        for role in roles
    )  # fmt: skip
    return DataPack(folder, Manifest(name="essai", title="Essai", crs="EPSG:2154", layers=layers))


def test_scot_are_put_together_from_their_communes(tmp_path: Path) -> None:
    """Communes 1 and 2 are one SCoT; the others are in none, and no outline is invented."""
    pack = pack_of(tmp_path, contours=True)
    assert areas(pack, "scot", "7") == {}  # the pack does not know its SCoT
    members = pd.DataFrame(
        {"kind": "scot", "code": "7", "name": "S", "code_insee": ["01001", "01002"]}
    )
    members.to_parquet(tmp_path / "territories.parquet")
    layer = pack.manifest.layers[0].model_copy(
        update={"role": "territories", "file": "territories.parquet"}
    )
    more = pack.manifest.model_copy(update={"layers": (*pack.manifest.layers, layer)})
    assert areas(DataPack(tmp_path, more), "scot", "7", "8") == {"7": 2.0}


def areas(pack: DataPack, level: str, *codes: str) -> dict[str, float]:
    shapes = territory_shapes(pack, level, codes)
    assert shapes.crs.to_epsg() == 2154
    return {code: shape.area / 1e6 for code, shape in zip(shapes["code"], shapes.geometry)}  # noqa: B905


@pytest.mark.parametrize(
    ("level", "codes", "expected"),
    [
        ("commune", ("01001", "2A004"), {"01001": 1.0, "2A004": 1.0}),
        ("epci", ("200000001", "200000002"), {"200000001": 2.0, "200000002": 1.0}),
        ("departement", ("01",), {"01": 3.0}),
        ("region", ("84", "94"), {"84": 6.0, "94": 1.0}),  # its own outline, then its communes
        ("epci", ("999999999",), {}),
    ],
)
def test_territories_are_put_together_from_their_communes(tmp_path, level, codes, expected):
    assert areas(pack_of(tmp_path, contours=True), level, *codes) == pytest.approx(expected)


def test_without_outlines_of_communes_only_what_has_its_own_is_drawn(tmp_path):
    pack = pack_of(tmp_path, contours=False)
    assert areas(pack, "region", "84", "94") == {"84": 6.0}
    assert areas(pack, "commune", "01001") == {}
