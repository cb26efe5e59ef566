"""Isochrones by hand on one street, and against times on a town."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from test_snap import at, street
from test_travel import grid

from siteselect.network import RoadGraph, from_networkx, snap, time_matrix
from siteselect.network.isochrone import isochrone


def area(graph: RoadGraph, xy: np.ndarray, minutes: float, **options: object) -> shapely.Geometry:
    place = snap(graph, xy, max_m=900)
    return isochrone(graph, place, cutoff_ms=round(minutes * 60_000), **options)  # type: ignore[arg-type]


def covers(shape: shapely.Geometry, *xy: tuple[float, float]) -> list[bool]:
    return [bool(shape.covers(shapely.Point(p))) for p in at(*xy)]


def test_by_hand_both_ways() -> None:
    """100 s for 1 km, half a minute from the middle: 300 m along, or 250 m aside at 30 km/h."""
    shape = area(from_networkx(street()), at((500, 0)), 0.5)
    assert covers(shape, (205, 0), (795, 0), (500, 245), (500, -245)) == [True] * 4
    assert covers(shape, (195, 0), (805, 0), (500, 255), (250, 150)) == [False] * 4
    assert covers(shape, (350, 110), (350, 150)) == [True, True]
    assert shape.geom_type == "Polygon"


def test_one_way_is_left_one_way() -> None:
    """Who comes to the middle of a one-way street comes from its start only."""
    graph = from_networkx(street(oneway=True))
    coming = area(graph, at((500, 0)), 0.5, aside_m=50.0)
    leaving = area(graph, at((500, 0)), 0.5, aside_m=50.0, direction="from_sites")
    assert covers(coming, (210, 0), (600, 0)) == [True, False]
    assert covers(leaving, (210, 0), (600, 0)) == [False, True]


def test_off_the_network_is_empty() -> None:
    graph = from_networkx(street())
    assert area(graph, at((500, 901)), 60).is_empty
    assert area(graph, at((500, 800)), 1).is_empty, "96 s to the road alone"
    with pytest.raises(ValueError, match="not of 2"):
        isochrone(graph, snap(graph, at((0, 0), (1, 0)), max_m=9), cutoff_ms=1)


@pytest.mark.parametrize("direction", ["to_sites", "from_sites"])
def test_covers_all_who_are_in_time(direction: str) -> None:
    graph = from_networkx(grid(12, 8))
    random = np.random.default_rng(1)
    homes = random.uniform([600_000, 6_500_000], [611_000, 6_511_000], (1_500, 2))
    site = snap(graph, np.array([[605_300.0, 6_505_100.0]]), max_m=900)
    found = time_matrix(
        graph, site, snap(graph, homes, max_m=900), cutoff_ms=299_000, direction=direction
    )  # type: ignore[call-overload]
    shape = isochrone(graph, site, cutoff_ms=300_000, direction=direction)  # type: ignore[arg-type]
    inside = shapely.covers(shape.buffer(10), shapely.points(homes))
    assert 100 < found.pair_count < 1_000
    assert inside[found.column].all()
    late = time_matrix(
        graph, site, snap(graph, homes, max_m=900), cutoff_ms=10**7, direction=direction
    )  # type: ignore[call-overload]
    much_later = late.column[late.duration_ms > 420_000]
    assert much_later.size > 100
    assert inside[much_later].mean() < 0.05, "an area that covers everybody says nothing"
