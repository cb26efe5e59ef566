"""Bad input of roads, sites and facilities on a whole pack: refused, or unreachable, never wrong.

What single functions refuse is tested beside them; here each case goes the way a planner's goes.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point
from shapely.affinity import translate

from siteselect.cache import StageCache
from siteselect.errors import InputError
from siteselect.measuring import Measured, measure_sites
from siteselect.scenario import ACCESS_MEASURES, LABOUR_MEASURES
from siteselect.scenario_files import scenario_from_mapping
from tests.tinypack import X0, Y0, seal


def measured(pack, **network: object) -> Measured:
    shares = {"brownfield": 0.8, "extension": 0.2, "greenfield": 0.0}
    land = {"assumed_artificialised_share": shares, "assumed_impermeable_share": shares}
    loaded = scenario_from_mapping({"pack": str(pack), "network": network, "land": land})
    bare = seal(pack, without=("landuse", "landuse_legend"))  # only roads are in question here
    return measure_sites(bare, loaded.scenario, cache=StageCache(None))


def change(path, **columns: object) -> None:
    """Other values in the first row of a table of the pack."""
    table = gpd.read_parquet(path) if "geometry" in columns else pd.read_parquet(path)
    for name, value in columns.items():
        table.loc[0, name] = value
    table.to_parquet(path)


@pytest.mark.parametrize(
    ("length_m", "says"),
    [(-10_000.0, "negative"), (np.nan, "no length"), (np.inf, "no length"), (0.0, "is zero")],
)
def test_lengths_that_are_none(tiny_pack, length_m, says) -> None:
    change(tiny_pack / "road_edges.parquet", length_m=length_m)
    with pytest.raises(InputError, match=says) as caught:
        measured(tiny_pack)
    assert "row 0" in str(caught.value)


def test_speeds_that_are_none(tiny_pack) -> None:
    with pytest.raises(InputError, match=r"network\.speed_kmh\.unclassified.*above 0"):
        measured(tiny_pack, speed_kmh={"unclassified": -50})
    edges = pd.read_parquet(tiny_pack / "road_edges.parquet")
    edges.assign(car_kmh=-50.0).to_parquet(tiny_pack / "road_edges.parquet")
    with pytest.raises(InputError, match="car_kmh is not a speed"):
        measured(tiny_pack)


def test_nodes_without_coordinates(tiny_pack) -> None:
    change(tiny_pack / "road_nodes.parquet", x=np.nan)
    with pytest.raises(InputError, match="row 0: the node has no coordinate x"):
        measured(tiny_pack)


def test_a_graph_in_degrees(tiny_pack) -> None:
    nodes = pd.read_parquet(tiny_pack / "road_nodes.parquet")
    points = gpd.GeoSeries(gpd.points_from_xy(nodes["x"], nodes["y"]), crs=2154).to_crs(4326)
    degrees = pd.DataFrame({"x": points.x, "y": points.y})
    degrees.to_parquet(tiny_pack / "road_nodes.parquet")
    with pytest.raises(InputError, match="project the nodes to EPSG:2154"):
        measured(tiny_pack)


@pytest.mark.parametrize("name", ["sites", "communes", "facilities"])
def test_a_layer_in_another_crs(tiny_pack, name) -> None:
    layer = gpd.read_parquet(tiny_pack / f"{name}.parquet").to_crs(4326)
    layer.to_parquet(tiny_pack / f"{name}.parquet")
    with pytest.raises(InputError, match="EPSG:2154"):
        measured(tiny_pack)


def test_a_graph_of_another_region(tiny_pack) -> None:
    nodes = pd.read_parquet(tiny_pack / "road_nodes.parquet")
    nodes["x"] += 300_000
    nodes.to_parquet(tiny_pack / "road_nodes.parquet")
    with pytest.raises(InputError, match="no site lies within 15 km of any road") as caught:
        measured(tiny_pack)
    assert "road graph of the region" in str(caught.value)


def test_a_disconnected_site_reaches_nothing(tiny_pack) -> None:
    """B-00 on an island with a road of its own: unreachable, its own workers none."""
    nodes = pd.read_parquet(tiny_pack / "road_nodes.parquet")
    island = pd.DataFrame({"x": [X0 - 200_000.0, X0 - 190_000.0], "y": [Y0, Y0]})
    pd.concat([nodes, island], ignore_index=True).to_parquet(tiny_pack / "road_nodes.parquet")
    edges = pd.read_parquet(tiny_pack / "road_edges.parquet")
    road = edges.iloc[[0]].assign(tail=len(nodes), head=len(nodes) + 1)
    pd.concat([edges, road], ignore_index=True).astype(
        {"tail": "int32", "head": "int32"}
    ).to_parquet(tiny_pack / "road_edges.parquet")
    sites = gpd.read_parquet(tiny_pack / "sites.parquet")
    sites.loc[0, "geometry"] = translate(sites.geometry[0], xoff=-196_000)
    sites.to_parquet(tiny_pack / "sites.parquet")
    table = measured(tiny_pack).sites.set_index("site_id")
    assert table.loc["B-00", "snap_km"] < 1
    assert (table.loc["B-00", list(ACCESS_MEASURES)] == np.inf).all()
    assert (table.loc["B-00", list(LABOUR_MEASURES)] == 0).all()  # an empty catchment
    assert table.loc["B-00", "score_access"] == 0
    assert np.isfinite(table.loc["B-01", list(ACCESS_MEASURES)].astype(float)).all()


def test_a_site_far_from_every_road_is_told(tiny_pack) -> None:
    sites = gpd.read_parquet(tiny_pack / "sites.parquet")
    sites.loc[0, "geometry"] = translate(sites.geometry[0], yoff=-60_000)
    sites.to_parquet(tiny_pack / "sites.parquet")
    found = measured(tiny_pack)
    table = found.sites.set_index("site_id")
    assert (table.loc["B-00", list(ACCESS_MEASURES)] == np.inf).all()
    assert table.loc["B-00", "snap_km"] == pytest.approx(60, abs=1)
    assert any("1 sites are farther" in str(notice) and "B-00" in str(notice)
               for notice in found.notices)  # fmt: skip


def test_a_facility_off_the_network_is_unreachable_not_unknown(tiny_pack) -> None:
    facilities = gpd.read_parquet(tiny_pack / "facilities.parquet")
    port = facilities.index[facilities["facility_class"] == "port"][0]
    facilities.loc[port, "geometry"] = Point(X0, Y0 - 100_000)
    facilities.to_parquet(tiny_pack / "facilities.parquet")
    assert (measured(tiny_pack).sites["port_min"] == np.inf).all()
