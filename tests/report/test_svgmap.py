"""The map: places, shapes, markers that do not hide each other."""

from __future__ import annotations

import re

import numpy as np
import shapely
from conftest import RESERVE, SELECTED  # type: ignore[import-not-found]
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.report.svgmap import RADIUS, draw_map, spread
from siteselect.runs import Run

ROADS = shapely.linestrings([[[600e3, 6_800e3], [650e3, 6_810e3]]])


def distances(at: np.ndarray) -> np.ndarray:
    apart = np.hypot(*(at[:, None] - at).transpose(2, 0, 1))
    return apart[np.triu_indices(len(at), 1)]


def test_markers_far_apart_stay() -> None:
    places = np.array([[0.0, 0.0], [1000.0, 0.0], [0.0, 1000.0]])
    np.testing.assert_array_equal(spread(places, np.full(3, 100.0)), places)


def test_two_markers_part_along_their_line() -> None:
    at = spread(np.array([[0.0, 0.0], [100.0, 0.0]]), np.full(2, 100.0))
    assert np.allclose(at[:, 1], 0.0)
    assert np.isclose(at.mean(axis=0)[0], 50.0)
    assert at[1, 0] - at[0, 0] > 190.0


def test_markers_at_one_place_part() -> None:
    at = spread(np.zeros((6, 2)), np.full(6, 100.0))
    assert distances(at).min() > 150.0
    np.testing.assert_array_equal(at, spread(np.zeros((6, 2)), np.full(6, 100.0)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=12))
def test_spread_never_brings_markers_over_each_other(points: list[tuple[int, int]]) -> None:
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    at = spread(places, np.full(len(places), 100.0))
    assert at.shape == places.shape
    assert np.isfinite(at).all()
    if len(at) > 1:
        assert distances(at).min() > 120.0


def test_map_of_a_run(run: Run) -> None:
    drawing = draw_map(run, ROADS)
    assert [name for name, _ in drawing.land] == [
        "Île-de-France",
        "Hauts-de-France",
        "Grand Est",
        "Auvergne-Rhône-Alpes",
        "Corse",
    ]
    assert len(drawing.selected) == SELECTED
    assert len(drawing.reserve) == RESERVE
    assert max(drawing.width, drawing.height) == 10_000
    for marker in (*drawing.selected, *drawing.reserve):
        assert 0 <= marker.x <= drawing.width
        assert 0 <= marker.y <= drawing.height
    labels = np.array([(m.label_x, m.label_y) for m in drawing.selected], dtype=float)
    assert distances(labels).min() > 1.7 * RADIUS
    others = (run.sites["status"] == "not_selected").sum()
    assert sum(path.count("h0") for _, path in drawing.dots) == others
    assert drawing.roads.count("M") == 1  # one motorway both ways; the secondary road is left out
    assert drawing.restored.count("h60") == 2


def test_north_is_up(run: Run) -> None:
    drawing = draw_map(run, ROADS)
    north = next(m for m in drawing.selected if run.shortlist["region"][m.index] == "32")
    south = next(m for m in drawing.selected if run.shortlist["region"][m.index] == "94")
    assert north.y < south.y
    assert north.x < south.x  # Corsica lies east of Lille


def test_paths_are_paths(run: Run) -> None:
    drawing = draw_map(run, ROADS)
    shape = re.compile(r"(M\d+ \d+l(-?\d+ -?\d+ ?)+z?)+")
    for path in (*(path for _, path in drawing.land), drawing.borders, drawing.roads):
        assert shape.fullmatch(path), path[:200]


def test_scale_bar(run: Run) -> None:
    drawing = draw_map(run, ROADS)
    # regions span 500 to 1,280 km east and 6,010 to 7,090 km north: 1,080 km, 4 % of margins
    assert drawing.scale_km == 200
    assert drawing.scale_width == round(200 / (1.04 * 1080) * 10_000)
