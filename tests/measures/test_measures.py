"""Measures worked out by hand on one road of 60 km driven at 60 km/h: a kilometre a minute."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from siteselect.errors import InputError
from siteselect.measures import measure_access, measure_utilities, measure_workforce
from siteselect.measures.workforce import measure_catchment
from siteselect.network import RoadGraph, graph_from_tables
from siteselect.scenario import ACCESS_MEASURES, WORKFORCE_MEASURES, NetworkSettings

SETTINGS = NetworkSettings(speed_kmh={"unclassified": 60.0}, access_speed_kmh=30.0, max_snap_km=5.0)


def layer(points: dict[str, tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    """Points in km from the start of the road."""
    geometry = [shapely.Point(600_000 + 1000 * x, 6_500_000 + 1000 * y) for x, y in points.values()]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:2154")


@pytest.fixture
def graph() -> RoadGraph:
    nodes = pd.DataFrame({"x": [600_000.0, 660_000.0, 600_000.0, 601_000.0],
                          "y": [6_500_000.0, 6_500_000.0, 6_600_000.0, 6_600_000.0]})  # fmt: skip
    edges = pd.DataFrame(
        {
            "tail": [0, 2],
            "head": [1, 3],
            "length_m": [60_000.0, 1_000.0],
            "road_class": "unclassified",
            "oneway": False,
        }
    )
    return graph_from_tables(nodes, edges, speed_kmh=SETTINGS.speed_kmh)


@pytest.fixture
def sites() -> gpd.GeoDataFrame:
    """On the road, 1 km aside of it, on an island road 100 km north, far from all."""
    where = {"on": (10, 0), "aside": (20, 1), "island": (0.5, 100), "lost": (30, 50)}
    points = layer(where, site_id=list(where))
    return points.set_geometry(points.buffer(50, cap_style="square"))


def test_access_by_hand(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    facilities = layer(
        {"m1": (0, 0), "m2": (40, 0), "s": (20, 0)},
        facility_class=["motorway", "motorway", "station"],
    )
    table = measure_access(sites, graph, facilities, SETTINGS)
    assert table.index.tolist() == ["on", "aside", "island", "lost"]
    assert table.index.name == "site_id"
    # aside: 1 km at 30 km/h is 2 min, then 20 km
    assert table["motorway_min"].tolist() == [10.0, 22.0, np.inf, np.inf]
    assert table["station_min"].tolist() == [10.0, 2.0, np.inf, np.inf]
    assert table["port_min"].isna().all()
    assert table["snap_km"].tolist() == [0.0, 1.0, 0.0, 50.0]
    assert set(table.columns) == {*ACCESS_MEASURES, "snap_km"}


def test_access_without_a_layer_is_unknown(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    table = measure_access(sites, graph, None, SETTINGS)
    assert table[list(ACCESS_MEASURES)].isna().all().all()
    assert table["snap_km"].notna().all()


def test_a_facility_nobody_reaches_is_not_unknown(
    graph: RoadGraph, sites: gpd.GeoDataFrame
) -> None:
    port = layer({"p": (30, 20)}, facility_class=["port"])
    assert np.isinf(measure_access(sites, graph, port, SETTINGS)["port_min"]).all()


def test_access_refuses(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    wrong = layer({"m": (0, 0)}, facility_class=["motoway"])
    with pytest.raises(InputError, match="did you mean motorway"):
        measure_access(sites, graph, wrong, SETTINGS)
    with pytest.raises(InputError, match="EPSG:2154"):
        measure_access(sites.to_crs(4326), graph, None, SETTINGS)
    with pytest.raises(InputError, match="EPSG:2154"):
        measure_access(sites.set_crs(None, allow_override=True), graph, None, SETTINGS)
    hollow = sites.copy()
    hollow.loc[2, "geometry"] = shapely.Polygon()
    with pytest.raises(InputError, match="sites: island: 1 geometries are empty"):
        measure_access(hollow, graph, None, SETTINGS)


def communes() -> gpd.GeoDataFrame:
    where = {
        "01004": (10, 0),
        "01005": (35, 0),
        "01006": (50, 0),
        "01007": (10, 40),
        "2A004": (0, 100),
    }
    return layer(where, code_insee=list(where))


def test_workforce_by_hand(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    """From "on" (km 10): 0, 25 and 40 min; from "aside" (km 20, 2 min): 12, 17 and 32 min."""
    labour = pd.DataFrame(
        {
            "code_insee": ["2A004", "01006", "01004", "01005", "01007"],
            "labour_force": pd.array([7, 400, 1000, 200, 90], dtype="Int64"),
        }
    )
    table = measure_workforce(sites, graph, communes(), labour, SETTINGS)
    assert table["labour_30min"].tolist() == [1200, 1200, 7, 0]
    assert table["labour_45min"].tolist() == [1600, 1600, 7, 0]
    on = 1000 + 200 * 0.5 ** (25 / 15) + 400 * 0.5 ** (40 / 15)
    aside = 1000 * 0.5 ** (12 / 15) + 200 * 0.5 ** (17 / 15) + 400 * 0.5 ** (32 / 15)
    assert table["labour_potential"].to_numpy()[:2] == pytest.approx([on, aside], rel=1e-12)
    assert table["labour_potential"].to_numpy()[2] == pytest.approx(7 * 0.5 ** (0.5 / 15))
    assert table["labour_potential"].to_numpy()[3] == 0


def test_decays_competition_and_market_by_hand(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    """Gaussian and exponential are both half at the half-life; each site is 1 ha of 20 jobs."""
    labour = pd.DataFrame({"code_insee": ["01004", "01005"], "labour_force": [1000, 200]})
    people = communes().assign(population=pd.array([4000, 500, None, 10, 7], dtype="Int64"))
    settings = SETTINGS.model_copy(update={"labour_decay": "gaussian", "half_life_min": 25.0})
    table = measure_workforce(sites, graph, people, labour, settings)
    assert table["labour_potential"].iloc[0] == pytest.approx(1000 + 200 / 2)
    # both communes are within 45 min of "on" and "aside" and of no other site: 40 jobs
    assert table["labour_per_job"].to_numpy()[:2] == pytest.approx([1200 / 40, 1200 / 40])
    assert table["labour_per_job"].to_numpy()[2:].tolist() == [0, 0]
    near = settings.model_copy(update={"competition_cutoff_min": 10.0})
    table = measure_workforce(sites, graph, people, labour, near)
    assert table["labour_per_job"].tolist() == pytest.approx([1000 / 20, 0, 0, 0])
    # "on" is at 0 min (a minute) and 25 min of people, "aside" at 12 and 17
    market = table["market_potential"].to_numpy()
    assert market[:2] == pytest.approx([4000 + 500 / 25, 4000 / 12 + 500 / 17])
    step = settings.model_copy(update={"labour_decay": "step", "potential_cutoff_min": 20.0})
    table = measure_workforce(sites, graph, people, None, step)
    assert table["labour_potential"].isna().all()
    assert table["market_potential"].to_numpy()[0] == pytest.approx(4000)
    table = measure_workforce(sites, graph, people, labour, step)
    assert table["labour_potential"].tolist() == [1000, 1200, 0, 0]


def test_what_is_left_out_is_named(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    labour = pd.DataFrame(
        {"code_insee": ["01004", "01005"], "labour_force": pd.array([5, None], dtype="Int64")}
    )
    found = measure_catchment(sites, graph, communes(), labour, SETTINGS)
    assert found.unknown_labour == ("01005", "01006", "01007", "2A004")
    assert found.off_network == ("01007",)
    assert found.measures["labour_45min"].tolist() == [5, 5, 0, 0]
    assert found.times.shape == (4, 5)


def test_workforce_without_a_layer_is_unknown(graph: RoadGraph, sites: gpd.GeoDataFrame) -> None:
    table = measure_workforce(sites, graph, communes(), None, SETTINGS)
    assert table.isna().all().all()
    assert list(table.columns) == list(WORKFORCE_MEASURES)


@pytest.mark.parametrize(
    ("codes", "force", "says"),
    [
        (["01004", "01004"], [1, 2], "given twice"),
        (["01004", "01005"], [1, -2], "01005: the labour force is not a number of persons"),
        (["1004", "1005"], [1, 2], "leading zero"),
    ],
)
def test_workforce_refuses(graph, sites, codes, force, says) -> None:
    labour = pd.DataFrame({"code_insee": codes, "labour_force": force})
    with pytest.raises(InputError, match=says):
        measure_workforce(sites, graph, communes(), labour, SETTINGS)


def test_utilities_by_hand(sites: gpd.GeoDataFrame) -> None:
    substations = layer({"a": (13, 4), "b": (20, 3)})
    rail = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(600_000, 6_502_000), (660_000, 6_502_000)])], crs="EPSG:2154"
    )
    table = measure_utilities(sites, substations, rail)
    assert table["substation_km"].tolist()[:2] == pytest.approx([5.0, 2.0])
    assert table["rail_km"].tolist() == pytest.approx([2.0, 1.0, 98.0, 48.0])
    empty = measure_utilities(sites, None, rail.iloc[:0])
    assert empty.isna().all().all()
    with pytest.raises(InputError, match="rail"):
        measure_utilities(sites, None, rail.to_crs(4326))
