from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from siteselect.pack import open_pack
from siteselect.sources.economic_sites import read_economic_sites
from siteselect.sources.plan import Input


def test_outlines_discs_and_codes(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    """An outline counts by its own area; without a stated code, the nearest commune's."""
    path = tmp_path / "zae.gpkg"
    gpd.GeoDataFrame(
        {"site_id": ["A", "B", None, "A"], "site_nom": ["Zone", "Parc", "?", "Double"],
         "code_insee": [None, "01002", None, None], "surface_ha": [9.0, 3.0, 1.0, 1.0]},
        geometry=[
            shapely.box(600_000, 6_600_000, 600_200, 6_600_100),
            shapely.Point(605_010, 6_600_010),
            shapely.Point(600_000, 6_600_000),
            shapely.Point(600_000, 6_600_000),
        ],
        crs="EPSG:2154",
    ).to_file(path)  # fmt: skip
    part = read_economic_sites(path, Input(role="economic_sites", file="f"), communes, None)
    table = part.table.set_index("site_id")
    assert table["area_ha"].to_dict() == pytest.approx({"A": 2.0, "B": 3.0})
    assert table["code_insee"].to_dict() == {"A": "01001", "B": "01002"}
    assert table["geometry_origin"].to_dict() == {"A": "polygon", "B": "disc"}
    assert table["kind"].unique().tolist() == ["extension"]
    assert (part.rows, part.left_out) == (4, 2)


@pytest.mark.real
def test_activity_zones_of_bdtopo(shared_real: Path) -> None:
    """21 zones of one commune, outlines and names as IGN writes them; every row is told."""
    one = Input(
        role="economic_sites", file="f", layer="zone_d_activite_ou_d_interet",
        columns={"site_id": "ID", "name": "TOPONYME"}, attribution="IGN",
    )  # fmt: skip
    path = shared_real / "landcover" / "bdtopo_v3_olemps_12174.gpkg"
    part = read_economic_sites(path, one, open_pack("france").vectors("communes"), None)
    assert part.rows == 21 == len(part.table) + part.left_out
    assert part.table["code_insee"].unique().tolist() == ["12174"]
    assert (part.table["geometry_origin"] == "polygon").all()
