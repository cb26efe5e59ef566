"""Times kept on disk: nothing is routed twice, and nothing stale is ever read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_oracles import models, points
from test_travel import dense, grid

from siteselect.network import from_networkx, snap, time_matrix
from siteselect.network.graph import RoadGraph
from siteselect.network.kept import kept_time_matrix, network_key
from siteselect.network.snap import Snapped

CUTOFF = 900_000


@pytest.fixture
def graph() -> RoadGraph:
    return from_networkx(grid(10, 2))


def places(graph: RoadGraph, count: int, seed: int) -> Snapped:
    low = np.array([599_500.0, 6_499_500.0])
    return snap(graph, low + np.random.default_rng(seed).random((count, 2)) * 10_000, max_m=900)


def test_second_time_routes_nothing_and_ten_more_route_ten(
    graph: RoadGraph, tmp_path: Path
) -> None:
    homes, sites = places(graph, 300, 1), places(graph, 50, 2)
    plain = time_matrix(graph, sites, homes, cutoff_ms=CUTOFF)
    first = kept_time_matrix(
        graph, sites.take(np.arange(40)), homes, folder=tmp_path, cutoff_ms=CUTOFF
    )
    assert first.routing.sources == 40
    more = kept_time_matrix(graph, sites, homes, folder=tmp_path, cutoff_ms=CUTOFF)
    assert more.routing.sources == 10
    again = kept_time_matrix(graph, sites, homes, folder=tmp_path, cutoff_ms=CUTOFF)
    assert again.routing.sources == 0
    assert "50 of 50 sites kept" in again.routing.reason
    for found in (more, again):
        for name in ("indptr", "column", "duration_ms"):
            np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
    assert plain.pair_count > 1_000


def test_another_question_is_another_key(graph: RoadGraph, tmp_path: Path) -> None:
    homes, sites = places(graph, 60, 1), places(graph, 9, 2)
    other = from_networkx(grid(10, 3))
    assert network_key(other) != network_key(graph)

    def sources(g: RoadGraph, s: Snapped, h: Snapped, **options: object) -> int:
        given = {"cutoff_ms": CUTOFF, "direction": "to_sites", **options}
        found = kept_time_matrix(g, s, h, folder=tmp_path, **given)  # type: ignore[arg-type]
        np.testing.assert_array_equal(dense(found), dense(time_matrix(g, s, h, **given)))  # type: ignore[arg-type]
        return found.routing.sources

    assert sources(graph, sites, homes) == 9
    assert sources(graph, sites, homes, cutoff_ms=CUTOFF + 1) == 9
    assert sources(graph, sites, homes, direction="from_sites") == 9
    assert sources(graph, sites, places(graph, 60, 5)) == 9
    assert sources(other, places(other, 9, 2), places(other, 60, 1)) == 9
    assert sources(graph, sites, homes) == 0


def test_a_damaged_file_is_made_anew(graph: RoadGraph, tmp_path: Path) -> None:
    homes, sites = places(graph, 60, 1), places(graph, 9, 2)
    first = kept_time_matrix(graph, sites, homes, folder=tmp_path, cutoff_ms=CUTOFF)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    again = kept_time_matrix(graph, sites, homes, folder=tmp_path, cutoff_ms=CUTOFF)
    assert again.routing.sources == 9
    np.testing.assert_array_equal(dense(again), dense(first))


@settings(max_examples=60, deadline=None)
@given(model=models(), sites=points(), homes=points(), cut=st.integers(0, 6))
def test_always_what_routing_gives(model, sites, homes, cut, tmp_path_factory) -> None:
    """Repeated sites, sites off the network, islands: first some of them, then all."""
    folder = tmp_path_factory.mktemp("times")
    graph = from_networkx(model)
    s = snap(graph, np.concatenate([sites, sites[:2]]), max_m=3_000)
    h = snap(graph, homes, max_m=3_000)
    kept_time_matrix(graph, s.take(np.arange(min(cut, len(s)))), h, folder=folder, cutoff_ms=CUTOFF)
    found = kept_time_matrix(graph, s, h, folder=folder, cutoff_ms=CUTOFF)
    np.testing.assert_array_equal(dense(found), dense(time_matrix(graph, s, h, cutoff_ms=CUTOFF)))
