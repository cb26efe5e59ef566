"""The builder's readers and network operations, on inputs a few lines long."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.build import facilities, lists
from data.build.dead_ends import join_dead_ends
from data.build.networks import Network, inside, landmass, read_network, stitch
from data.build.outlines import gaps
from data.build.packages import Package, PackageError, fetch, read_member
from data.build.proxies import corridor_load, spaced
from data.build.rail import rail_lines
from siteselect.units import CRS


def network(xy: Sequence[tuple[float, float]], edges: list[tuple[int, int, float]]) -> Network:
    return Network(
        np.array(xy, dtype=np.float64),
        np.array([tail for tail, _, _ in edges], dtype=np.int64),
        np.array([head for _, head, _ in edges], dtype=np.int64),
        np.array([length_m for _, _, length_m in edges]),
    )


def wheel(folder: Path, text: str) -> Path:
    path = folder / "scgraph_data-0.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scgraph_data/world_tiny.py", text)
    return path


def test_a_package_of_another_content_is_refused(tmp_path: Path) -> None:
    package = Package("thing", "1", "pypi", "thing-1.whl", "0" * 64)
    (tmp_path / "thing-1.whl").write_bytes(b"not what was pinned")
    with pytest.raises(PackageError, match=r"thing-1\.whl: sha256 is [0-9a-f]{64}, 0000"):
        fetch(tmp_path, (package,))


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"no file scgraph_data/other\.py"):
        read_member(wheel(tmp_path, ""), "scgraph_data/other.py")


def test_a_network_is_read_without_running_it(tmp_path: Path) -> None:
    """Two French nodes, one in Asia; a self-loop; two lengths for the same pair."""
    text = (
        "raise SystemExit('never run')\n"
        "graph=[{1: 1.5, 2: 9.0, 0: 0.0}, {0: 1.25}, {0: 9.0}]\n"
        "nodes=[[46.5, 3.0], [46.51, 3.0], [21.04, 105.866]]\n"
    )
    read = read_network(wheel(tmp_path, text), "world_tiny")
    assert read.xy[0].tolist() == [700_000.0, 6_600_000.0]  # the origin of Lambert-93
    assert read.tail.tolist() == [0]
    assert read.head.tolist() == [1]
    assert read.length_m.tolist() == [1250.0]


def test_stitch_joins_components_across_small_gaps_only() -> None:
    """a-b  (800 m)  c-d  (5 km)  e: one join, and no shortcut between a and b."""
    before = network(
        [(0, 0), (500, 0), (1300, 0), (2000, 0), (7000, 0)], [(0, 1, 900.0), (2, 3, 700.0)]
    )
    after, joins = stitch(before, gap_m=1000.0)
    assert joins == 1
    assert (after.tail.tolist(), after.head.tolist()) == ([0, 2, 1], [1, 3, 2])
    assert after.length_m.tolist() == [900.0, 700.0, 800.0]
    assert len(set(after.components())) == 2


def test_stitch_never_bridges_a_strait() -> None:
    """Two nodes on the mainland, one on an island, one at sea: the two mainland ones join."""
    land = shapely.MultiPolygon([shapely.box(-10, -10, 1600, 10), shapely.box(1990, -10, 2500, 10)])
    before = network([(0, 0), (1500, 0), (2000, 0), (2900, 0)], [])
    on_land = landmass(before, land)
    assert on_land.tolist() == [0, 0, 1, -1]
    after, joins = stitch(before, gap_m=2000.0, on_land=on_land)
    assert joins == 1
    assert (after.tail.tolist(), after.head.tolist()) == ([0], [1])


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=2, max_size=25, unique=True
    )
)
def test_stitch_gives_the_components_of_the_proximity_graph(xy: list[tuple[int, int]]) -> None:
    after, joins = stitch(network(xy, []), gap_m=1000.0)
    oracle = nx.random_geometric_graph(len(xy), 1000.0, pos=dict(enumerate(xy)))
    parts = nx.number_connected_components(oracle)
    assert len(set(after.components())) == parts
    assert joins == len(xy) - parts


def test_dead_ends_join_where_the_way_round_is_absurd() -> None:
    """A river with a bridge 10 km away: the two broken quays join, near ends of one street not."""
    xy = [(0, 0), (0, 10_000), (2_000, 10_000), (2_000, 0), (0, 900), (5_000, 10_000)]
    roads = [(0, 4, 900.0), (1, 4, 9_100.0), (1, 2, 2_000.0), (2, 3, 10_000.0), (2, 5, 3_000.0)]
    after, joins = join_dead_ends(network(xy, roads))
    assert joins == 1
    assert (int(after.tail[-1]), int(after.head[-1])) == (0, 3)  # 2 km apart, 22 km round
    assert after.length_m[-1] == 2_000.0
    assert set(after.degree()[[0, 3]]) == {2}
    again, more = join_dead_ends(after)
    assert more == 0
    assert len(again.tail) == len(after.tail)


def test_dead_ends_leave_islands_and_honest_detours() -> None:
    """Nothing joins another component, nor what a way of 6 km joins, nor a far dead end."""
    island = network([(0, 0), (5_000, 0), (0, 500), (5_000, 500)], [(0, 1, 5e3), (2, 3, 5e3)])
    assert join_dead_ends(island)[1] == 0
    bend = network(
        [(0, 0), (3_000, 0), (3_000, 800), (0, 800)], [(0, 1, 3e3), (1, 2, 800), (2, 3, 3e3)]
    )
    assert join_dead_ends(bend)[1] == 0
    wide = network([(0, 0), (0, 9_000), (3_100, 9_000), (3_100, 0)],
                   [(0, 1, 9e3), (1, 2, 3.1e3), (2, 3, 9e3)])  # fmt: skip
    assert join_dead_ends(wide)[1] == 0


def test_keep_renumbers() -> None:
    kept = network([(0, 0), (1, 0), (2, 0)], [(0, 1, 5.0), (1, 2, 7.0)]).keep(
        np.array([False, True, True])
    )
    assert (kept.tail.tolist(), kept.head.tolist(), kept.length_m.tolist()) == ([0], [1], [7.0])


def test_inside() -> None:
    square = shapely.box(0, 0, 10, 10)
    assert inside(network([(5, 5), (15, 5)], []), square).tolist() == [True, False]


def test_rail_lines_run_between_junctions() -> None:
    """A fork: three branches of two segments each give three lines."""
    lines = rail_lines(
        network(
            [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (-1, 0), (-2, 0)],
            [(0, 1, 1.0), (1, 2, 1.0), (0, 3, 1.0), (3, 4, 1.0), (0, 5, 1.0), (5, 6, 1.0)],
        )
    )
    assert sorted(lines.length) == [2.0, 2.0, 2.0]
    assert lines.crs == CRS


def test_gaps_are_the_holes_largest_first() -> None:
    shape = shapely.box(0, 0, 10, 10) - shapely.box(1, 1, 2, 2) - shapely.box(4, 4, 6, 6)
    assert [hole.area for hole in gaps(shape)] == [4.0, 1.0]


def test_corridor_load_by_hand() -> None:
    """Path 0-1-2 of 10 m + 30 m, towns of 2 and 3 at its ends: 2·3/40 each way, on both edges."""
    path = network([(0, 0), (10, 0), (40, 0), (10, 50)], [(0, 1, 10.0), (1, 2, 30.0), (1, 3, 50.0)])
    load = corridor_load(path, np.array([0, 2]), np.array([2.0, 3.0]))
    assert load == pytest.approx([0.3, 0.3, 0.0])


def test_corridor_load_between_unconnected_towns_is_nothing() -> None:
    apart = network([(0, 0), (1, 0), (9, 0), (10, 0)], [(0, 1, 1.0), (2, 3, 1.0)])
    assert corridor_load(apart, np.array([0, 3]), np.array([1.0, 1.0])).tolist() == [0.0, 0.0]


def test_spaced_keeps_the_first() -> None:
    xy = np.array([[0.0, 0.0], [3.0, 0.0], [5.0, 0.0], [9.0, 0.0]])
    assert spaced(xy, 4.0).tolist() == [0, 2, 3]


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=30, unique=True
    )
)
def test_spaced_points_are_apart_and_cover_the_others(xy: list[tuple[int, int]]) -> None:
    points = np.array(xy, dtype=np.float64)
    kept = points[spaced(points, 20.0)]
    between = np.hypot(*(points[:, None] - kept[None]).transpose(2, 0, 1))
    assert (between.min(axis=1) < 20.0).all()
    among = np.hypot(*(kept[:, None] - kept[None]).transpose(2, 0, 1))
    assert (among[~np.eye(len(kept), dtype=bool)] >= 20.0 - 1e-6).all()


def test_hand_kept_lists_have_no_duplicates() -> None:
    stations = [entry.split("|")[1].strip() for entry in lists.HIGH_SPEED_STATIONS.split(";")]
    assert len(stations) == len(set(stations))
    assert len(lists.SCHEDULED_AIRPORTS) == len(set(lists.SCHEDULED_AIRPORTS))
    assert not set(lists.CARGO_PORTS.values()) & set(lists.PORTS_AT_COMMUNES.values())


def test_a_port_without_its_commune_stops_the_build() -> None:
    communes = gpd.GeoDataFrame(
        pd.DataFrame({"code_insee": ["62193"]}), geometry=[shapely.Point(0, 0)], crs=CRS
    )
    with pytest.raises(PackageError, match="50129"):
        facilities.ports_at_communes(communes)


def test_facility_points_are_projected() -> None:
    table = facilities.facility_table("port", ids=["a"], names=["A"], lon=[3.0], lat=[46.5])
    assert (table.geometry.x[0], table.geometry.y[0]) == (700_000.0, 6_600_000.0)
