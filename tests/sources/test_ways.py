from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.sources.placing import project
from siteselect.sources.plan import Input
from siteselect.sources.roads import describe_osm, read_roads
from siteselect.sources.ways import Ways, road_graph


def ways(*lines: list[tuple[float, float]], **columns: list[object]) -> Ways:
    n = len(lines)
    return Ways(
        np.array([shapely.LineString(line) for line in lines], dtype=object),
        np.array(columns.get("road_class", ["primary"] * n), dtype=object),
        np.array(columns.get("link", [False] * n), dtype=bool),
        np.array(columns.get("oneway", [0] * n), dtype=np.int8),
        np.array(columns.get("car_kmh", [np.nan] * n), dtype=float),
    )


def test_cut_where_ways_meet() -> None:
    """A straight way of three vertices, crossed in the middle by another: four edges, 5 nodes."""
    roads = road_graph(ways([(0, 0), (100, 0), (200, 0)], [(100, -50), (100, 0), (100, 30)]))
    assert len(roads.nodes) == 5
    assert sorted(roads.edges["length_m"]) == [30, 50, 100, 100]


def test_bridges_do_not_meet() -> None:
    """Lines that cross without a common vertex are a bridge."""
    roads = road_graph(ways([(0, 0), (200, 0)], [(100, -50), (100, 50)]))
    assert len(roads.edges) == 2
    assert roads.components().tolist() == [2, 2]


def test_direction_and_speeds() -> None:
    roads = road_graph(
        ways([(0, 0), (0, 1000)], [(0, 0), (500, 0)], oneway=[-1, 1], car_kmh=[110.5, 60.0])
    )
    against, along = (roads.edges.loc[roads.edges["length_m"] == m].iloc[0] for m in (1000, 500))
    y = roads.nodes["y"]
    assert against["oneway"] and y[against["tail"]] == 1000 and y[against["head"]] == 0
    assert (against["car_kmh"], against["hgv_kmh"]) == (110.5, 80.0)
    assert (along["car_kmh"], along["hgv_kmh"]) == (60.0, 60.0)


def test_gap_joined_once_by_the_shortest() -> None:
    lines = ways([(0, 0), (100, 0)], [(130, 0), (300, 0)], [(140, 10), (300, 10)])
    assert road_graph(lines).components().tolist() == [2, 2, 2]
    roads = road_graph(lines, gap_m=35)
    added = roads.edges[roads.edges["road_class"] == "unclassified"]
    assert roads.joined == len(added) == 2
    assert sorted(added["length_m"]) == [10.0, 30.0]
    assert roads.components().tolist() == [6]


def test_interchange_where_a_slip_road_meets_other_roads() -> None:
    roads = road_graph(
        ways(
            [(0, 0), (1000, 0), (2000, 0)],
            [(1000, 0), (1100, 200)],
            [(1100, 200), (1100, 900)],
            road_class=["motorway", "motorway", "primary"],
            link=[False, True, False],
        ),
        interchanges=True,
    )
    assert roads.interchanges is not None
    assert [(p.x, p.y) for p in roads.interchanges.geometry] == [(1100, 200)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=6),
        min_size=1,
        max_size=6,
    )
)
def test_lengths_are_kept(lines: list[list[tuple[int, int]]]) -> None:
    """Cutting never changes the total length, save loops that lead nowhere."""
    lines = [[p for p, q in zip(line, [None, *line[:-1]], strict=True) if p != q] for line in lines]
    lines = [line for line in lines if len(line) > 1]
    if not lines:
        return
    roads = road_graph(ways(*[[(10.0 * x, 10.0 * y) for x, y in line] for line in lines]))
    total = sum(shapely.LineString(line).length * 10 for line in lines)
    assert roads.edges["length_m"].sum() <= total + 1e-6
    assert (roads.edges["tail"] != roads.edges["head"]).all()
    if len(lines) == 1 and len(set(lines[0])) == len(lines[0]):
        assert roads.edges["length_m"].sum() == pytest.approx(total)


def test_tags() -> None:
    stated = pd.Series(["motorway", "primary", "secondary_link", "tertiary", "footway"])
    found = describe_osm(
        stated,
        pd.Series(["", "yes", "-1", "no", ""]),
        pd.Series([130.0, np.nan, np.nan, np.nan, 0.0]),
        0.8,
    )
    assert found["road_class"].tolist() == ["motorway", "primary", "secondary", "secondary", ""]
    assert found["oneway"].tolist() == [1, 1, -1, 0, 0]
    assert found["car_kmh"].tolist()[:4] == [
        104.0, pytest.approx(np.nan, nan_ok=True), 40.0, 50.0,
    ]  # fmt: skip


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "x.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    places = {1: (2.0, 48.0), 2: (2.01, 48.0), 3: (2.02, 48.0), 4: (2.01, 48.01)}
    for number, place in places.items():
        writer.add_node(osmium.osm.mutable.Node(id=number, location=place, version=1))
    for number, nodes, tags in (
        (10, [1, 2, 3], {"highway": "primary", "maxspeed": "80"}),
        (11, [2, 4], {"highway": "secondary", "oneway": "yes"}),
        (12, [1, 4], {"highway": "footway"}),
        (13, [3, 99], {"highway": "primary"}),
    ):
        writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags, version=1))
    writer.close()
    return path


def test_extract(extract: Path) -> None:
    """Two roads; the footway is none, the way that leaves the extract is reported."""
    read = read_roads(extract, Input(role="roads", file=extract.name))
    assert (read.rows, len(read.ways), len(read.report)) == (3, 2, 1)
    roads = road_graph(read.ways)
    assert len(roads.nodes) == 4
    assert len(roads.edges) == 3
    west, east = project(np.array([2.0, 2.01]), np.array([48.0, 48.0]))
    assert roads.edges["length_m"].min() == pytest.approx(np.hypot(*(east - west)), abs=0.1)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_truncated_extract(extract: Path, kept: int) -> None:
    extract.write_bytes(extract.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"x\.osm\.pbf"):
        read_roads(extract, Input(role="roads", file=extract.name))


@pytest.mark.real
def test_real_regions(shared_real: Path) -> None:
    """Every way is kept; the network is one piece, to 0.3 %; the kilometres are those stated."""
    path = shared_real / "transport" / "osm_roads_major_IDF_2021-07.parquet"
    read = read_roads(path, Input(role="roads", file=path.name))
    assert read.rows == len(read.ways) == 52_540
    roads = road_graph(read.ways, interchanges=True)
    sizes = roads.components()
    assert sizes[0] / sizes.sum() > 0.997
    stated = pd.read_parquet(path, columns=["length_m"])["length_m"].sum()
    assert roads.edges["length_m"].sum() == pytest.approx(stated, rel=2e-3)
    assert roads.interchanges is not None and 300 < len(roads.interchanges) < 600


@pytest.mark.real
def test_bdtopo_without_attributes_is_said(shared_real: Path) -> None:
    path = shared_real / "landcover" / "bdtopo_v3_olemps_12174.gpkg"
    read = read_roads(path, Input(role="roads", file=path.name, layer="troncon_de_route"))
    assert read.assumed
    assert set(read.ways.road_class) == {"unclassified"}
    with pytest.raises(InputError, match="several layers"):
        read_roads(path, Input(role="roads", file=path.name))
