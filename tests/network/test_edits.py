"""Closed and new roads, worked out by hand on one street of four nodes, a kilometre a minute."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
import pytest

from siteselect.errors import InputError
from siteselect.measures.roads import scenario_graph
from siteselect.network import RoadGraph, nearest_ms, snap
from siteselect.network.edits import edited_roads, lambert_xy
from siteselect.scenario import NetworkEdit, NetworkSettings

BACK = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)
SPEED = {"unclassified": 60.0, "fast": 120.0}
HGV = {"unclassified": 30.0, "fast": 60.0}


def lonlat(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Kilometres from the start of the street → longitude, latitude."""
    return tuple(BACK.transform(600_000 + 1000 * x, 6_500_000 + 1000 * y) for x, y in points)


def tables(**columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """0 – 10 – 20 – 30 km along x, and a lane from 0 to 30 that goes round by y = 20 km."""
    nodes = pd.DataFrame(
        {"x": [600_000.0, 610_000.0, 620_000.0, 630_000.0, 600_000.0, 630_000.0],
         "y": [6_500_000.0] * 4 + [6_520_000.0] * 2}
    )  # fmt: skip
    edges = pd.DataFrame(
        {
            "tail": [0, 1, 2, 0, 4, 5],
            "head": [1, 2, 3, 4, 5, 3],
            "length_m": [10_000.0, 10_000.0, 10_000.0, 20_000.0, 30_000.0, 20_000.0],
            "road_class": "unclassified",
            "oneway": False,
        }
    ).assign(**columns)
    return nodes, edges


def minutes(
    settings: NetworkSettings, start: tuple[float, float], end: tuple[float, float], **how: object
) -> float:
    columns = {k: v for k, v in how.items() if k != "vehicle"}
    graph = scenario_graph(*tables(**columns), settings, vehicle=how.get("vehicle", "car"))
    at = [snap(graph, lambert_xy(lonlat(p)), max_m=100) for p in (start, end)]
    return float(nearest_ms(graph, *at)[0] / 60_000)


def settings(*edits: NetworkEdit, **more: object) -> NetworkSettings:
    return NetworkSettings(speed_kmh=SPEED, hgv_speed_kmh=HGV, edits=edits, **more)


def test_without_edits_the_tables_are_the_same() -> None:
    nodes, edges = tables()
    after = edited_roads(nodes, edges, [NetworkEdit(kind="remove", facility_id="x")])
    pd.testing.assert_frame_equal(after[0], nodes)
    pd.testing.assert_frame_equal(after[1], edges)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (lonlat((15, 0.5)), 70.0),  # the middle of the street: round by the lane
        (lonlat((15, -1), (15, 1)), 70.0),  # a line across it
        (lonlat((15, -1), (15, 25)), np.inf),  # across both roads
    ],
)
def test_closing_by_hand(where: tuple[tuple[float, float], ...], expected: float) -> None:
    assert minutes(settings(), (0, 0), (30, 0)) == pytest.approx(30, abs=1e-4)
    closed = settings(NetworkEdit(kind="close", coordinates=where))
    assert minutes(closed, (0, 0), (30, 0)) == pytest.approx(expected, abs=1e-4)


def test_closing_a_point_closes_both_ways_of_a_divided_road() -> None:
    nodes, edges = tables(oneway=True)
    both = pd.concat([edges, edges.rename(columns={"tail": "head", "head": "tail"})])
    edit = NetworkEdit(kind="close", coordinates=lonlat((15, 0)))
    after = edited_roads(nodes, both.reset_index(drop=True), [edit])[1]
    assert len(after) == 10
    assert not ((after["tail"].isin([1, 2])) & (after["head"].isin([1, 2]))).any()


def test_a_new_road_by_hand() -> None:
    """From km 5 of the street straight north to the lane: 20 km at 120 km/h is 10 min."""
    road = {"kind": "road", "road_class": "fast", "coordinates": lonlat((5, 0), (5, 20))}
    new = settings(NetworkEdit(**road))
    assert minutes(settings(), (5, 0), (5, 20)) == pytest.approx(30, abs=1e-3)
    assert minutes(new, (5, 0), (5, 20)) == pytest.approx(10, abs=1e-3)
    assert minutes(new, (0, 0), (10, 0)) == pytest.approx(10, abs=1e-3)  # the street is whole
    assert minutes(new, (5, 0), (5, 20), vehicle="hgv") == pytest.approx(20, abs=1e-3)
    stated = settings(NetworkEdit(**road, car_kmh=240, hgv_kmh=80))
    assert minutes(stated, (5, 0), (5, 20)) == pytest.approx(5, abs=1e-3)
    assert minutes(stated, (5, 0), (5, 20), vehicle="hgv") == pytest.approx(15, abs=1e-3)


def test_a_new_road_driven_one_way() -> None:
    road = NetworkEdit(
        kind="road", road_class="fast", coordinates=lonlat((5, 0), (5, 20)), oneway=True
    )
    assert minutes(settings(road), (5, 0), (5, 20)) == pytest.approx(10, abs=1e-3)
    assert minutes(settings(road), (5, 20), (5, 0)) == pytest.approx(30, abs=1e-3)


def test_new_roads_join_each_other_and_the_gap_counts() -> None:
    """A road that stops 600 m short of the street, and a second one that starts on the first."""
    first = NetworkEdit(kind="road", coordinates=lonlat((5, 0.6), (5, 20)))
    second = NetworkEdit(kind="road", coordinates=lonlat((5, 10), (15, 0)))
    after = edited_roads(*tables(), [first, second])
    assert len(after[0]) == 6 + 4 + 4 + 0  # two feet and two ends each
    assert after[1]["length_m"].sum() == pytest.approx(100_000 + 20_000 + 14_142.1, abs=20)
    graph: RoadGraph = scenario_graph(*tables(), settings(first, second))
    a, b = (snap(graph, lambert_xy(lonlat(p)), max_m=100) for p in ((5, 10), (15, 0)))
    assert nearest_ms(graph, a, b)[0] / 60_000 == pytest.approx(14.142, abs=0.01)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"kind": "close", "coordinates": lonlat((15, 5))}, "no road within 2 km"),
        ({"kind": "close", "coordinates": ((45.6, 1.7),)}, "longitude then latitude"),
        ({"kind": "close", "coordinates": lonlat((14, 5), (16, 5))}, "crosses none"),
        ({"kind": "close"}, "crosses none"),
        ({"kind": "road", "coordinates": lonlat((5, 0), (5, 10))}, "no road within 2 km"),
        ({"kind": "road", "coordinates": lonlat((5, 0), (5, 0))}, "has no length"),
        ({"kind": "road", "coordinates": lonlat((5, 0), (5, 20)), "road_class": "fsat"}, "fast"),
    ],
)
def test_refused(edit: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        scenario_graph(*tables(), settings(NetworkEdit(**edit)))
    assert "network.edits[0]" in str(caught.value)


def test_hgv_speeds_by_hand() -> None:
    """The class's, no quicker than the cars of the edge, the edge's own where it is known."""
    nan = np.nan
    own = {"car_kmh": [nan, 20.0, 240.0, nan, nan, nan]}
    assert minutes(settings(), (0, 0), (30, 0), vehicle="hgv") == pytest.approx(60, abs=1e-3)
    slow = minutes(settings(), (0, 0), (30, 0), vehicle="hgv", **own)
    assert slow == pytest.approx(20 + 30 + 20, abs=1e-3)
    known = {**own, "hgv_kmh": [10.0, nan, 60.0, nan, nan, nan]}
    way = minutes(settings(), (0, 0), (30, 0), vehicle="hgv", **known)
    assert way == pytest.approx(60 + 30 + 10, abs=1e-3)
    with pytest.raises(InputError, match="hgv_kmh is not a speed"):
        minutes(settings(), (0, 0), (30, 0), vehicle="hgv", hgv_kmh=-1.0)
    with pytest.raises(InputError, match=r"fsat has no HGV speed.*fast"):
        minutes(settings(), (0, 0), (30, 0), vehicle="hgv", road_class="fsat")
