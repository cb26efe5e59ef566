"""Times equal to networkx to the millisecond, whichever engine, however many threads."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from network_oracles import INF, models, oracle_matrix, points

from siteselect.network import from_networkx, nearest_ms, snap, time_matrix
from siteselect.network.travel import BUILT_FROM, KERNEL_FROM, TimeMatrix, _choose

ENGINES = ("scipy", "numba", "hierarchy")
relaxed = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def dense(matrix: TimeMatrix) -> np.ndarray:
    table = np.full(matrix.shape, INF)
    for row in range(matrix.shape[0]):
        for k in range(matrix.indptr[row], matrix.indptr[row + 1]):
            assert table[row, matrix.column[k]] == INF, "a pair is listed twice"
            table[row, matrix.column[k]] = matrix.duration_ms[k]
    return table


@relaxed
@given(
    model=models(),
    sites=points(),
    homes=points(),
    cutoff=st.one_of(st.integers(0, 3_000_000), st.floats(0, 1)),
)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("direction", ["to_sites", "from_sites"])
def test_matrix_equals_networkx(engine, direction, model, sites, homes, cutoff) -> None:
    """Cutoffs of any length, and (a share of them) exactly one of the times found."""
    graph = from_networkx(model)
    s = snap(graph, sites, max_m=3_000)
    h = snap(graph, homes, max_m=3_000)
    if direction == "to_sites":
        expected = oracle_matrix(graph, model, h, s).T
    else:
        expected = oracle_matrix(graph, model, s, h)
    if isinstance(cutoff, float):
        times = np.sort(expected[np.isfinite(expected)])
        cutoff = int(times[int(cutoff * (times.size - 1))]) if times.size else 0
    expected = np.where(expected <= cutoff, expected, INF)
    found = time_matrix(
        graph, s, h, cutoff_ms=cutoff, direction=direction, engine=engine, workers=2
    )
    np.testing.assert_array_equal(dense(found), expected)
    for row in range(found.shape[0]):
        columns = found.column[found.indptr[row] : found.indptr[row + 1]]
        assert (np.diff(columns) > 0).all()


@relaxed
@given(model=models(), sites=points(), towns=points())
@pytest.mark.parametrize("engine", ENGINES)
def test_nearest_equals_networkx(engine, model, sites, towns) -> None:
    graph = from_networkx(model)
    s = snap(graph, sites, max_m=3_000)
    t = snap(graph, towns, max_m=3_000)
    expected = oracle_matrix(graph, model, s, t).min(axis=1, initial=INF)
    np.testing.assert_array_equal(nearest_ms(graph, s, t, engine=engine), expected)


@relaxed
@given(model=models(), sites=points(), homes=points(), seed=st.integers(0, 9))
def test_order_of_input_does_not_matter(model, sites, homes, seed) -> None:
    graph = from_networkx(model)
    shuffle = np.random.default_rng(seed).permutation(len(homes))
    s = snap(graph, sites, max_m=3_000)
    plain = dense(time_matrix(graph, s, snap(graph, homes, max_m=3_000), cutoff_ms=10**6))
    mixed = time_matrix(graph, s, snap(graph, homes[shuffle], max_m=3_000), cutoff_ms=10**6)
    np.testing.assert_array_equal(dense(mixed), plain[:, shuffle])


def grid(side: int, seed: int) -> nx.MultiDiGraph:
    """A town of one-way and two-way streets, 1 km apart."""
    random = np.random.default_rng(seed)
    model = nx.MultiDiGraph()
    for i in range(side * side):
        model.add_node(i, x=600_000.0 + 1000 * (i % side), y=6_500_000.0 + 1000 * (i // side))
    edge = 0
    for i in range(side * side):
        for j in (i + 1 if (i + 1) % side else None, i + side if i + side < side * side else None):
            if j is None:
                continue
            data = {"duration_ms": int(random.integers(30_000, 90_000)), "edge": edge,
                    "oneway": bool(random.random() < 0.2)}  # fmt: skip
            model.add_edge(i, j, **data)
            if not data["oneway"]:
                model.add_edge(j, i, **data)
            edge += 1
    return model


@pytest.mark.parametrize("engine", ENGINES)
def test_town_equals_networkx(engine) -> None:
    model = grid(14, 3)
    graph = from_networkx(model)
    random = np.random.default_rng(5)
    low, high = np.array([599_000, 6_499_000]), np.array([615_000, 6_515_000])
    s = snap(graph, random.uniform(low, high, (70, 2)), max_m=900)
    h = snap(graph, random.uniform(low, high, (200, 2)), max_m=900)
    assert 0 < s.on_network.sum() < 70
    expected = oracle_matrix(graph, model, h, s).T
    expected[expected > 600_000] = INF
    for workers in (1, 2, 5):
        found = time_matrix(graph, s, h, cutoff_ms=600_000, engine=engine, workers=workers)
        np.testing.assert_array_equal(dense(found), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_cutoff_itself_is_within(engine) -> None:
    """Places on nodes of a town: every time found is within a cutoff of just that time."""
    model = grid(6, 4)
    graph = from_networkx(model)
    place = np.array([[d["x"], d["y"]] for _, d in model.nodes(data=True)])
    site, homes = snap(graph, place[:1], max_m=1), snap(graph, place, max_m=1)
    whole = time_matrix(graph, site, homes, cutoff_ms=10**8, engine="scipy")
    far = np.argsort(whole.duration_ms)[-8:]
    for column, ms in zip(whole.column[far], whole.duration_ms[far].tolist(), strict=True):
        at = time_matrix(graph, site, homes, cutoff_ms=ms, engine=engine)
        under = time_matrix(graph, site, homes, cutoff_ms=ms - 1, engine=engine)
        assert column in at.column
        assert column not in under.column


def test_engine_is_chosen_by_size_and_said() -> None:
    small = from_networkx(grid(3, 1))
    s = snap(small, np.array([[600_100.0, 6_500_000.0]]), max_m=900)
    routing = time_matrix(small, s, s, cutoff_ms=60_000).routing
    assert (routing.engine, routing.sources, routing.targets, routing.pairs) == ("scipy", 1, 1, 1)
    assert "1 sources × 9 nodes" in routing.reason
    many = int(KERNEL_FROM) // small.node_count + 1
    name, why, _ = _choose("auto", small, sources=many)
    assert name == "numba"
    assert f"{KERNEL_FROM:.0e}" in why


def test_hierarchy_is_chosen_where_its_order_is_kept(tmp_path: Path) -> None:
    graph = from_networkx(grid(3, 1))
    many = int(KERNEL_FROM) // graph.node_count + 1
    assert many > BUILT_FROM
    name, _, built = _choose("auto", graph, sources=many, hierarchy=tmp_path)
    assert name == "hierarchy"
    assert len(list(tmp_path.iterdir())) == 1
    _, _, kept = _choose("hierarchy", graph, sources=1, hierarchy=tmp_path)
    assert built is not None
    assert kept is not None
    np.testing.assert_array_equal(kept.topology.rank, built.topology.rank)
    next(tmp_path.iterdir()).write_bytes(b"damaged")
    _, _, mended = _choose("hierarchy", graph, sources=1, hierarchy=tmp_path)
    assert mended is not None
    np.testing.assert_array_equal(mended.topology.head, built.topology.head)


def test_sums_and_potential_by_hand() -> None:
    """One road of 60 km at 60 km/h: a home every 15 minutes, the site at its start."""
    model = nx.MultiDiGraph()
    model.add_node(0, x=600_000.0, y=6_500_000.0)
    model.add_node(1, x=660_000.0, y=6_500_000.0)
    for tail, head in ((0, 1), (1, 0)):
        model.add_edge(tail, head, duration_ms=3_600_000, edge=0, oneway=False)
    graph = from_networkx(model)
    s = snap(graph, np.array([[600_000.0, 6_500_000.0]]), max_m=10)
    homes = np.array([[600_000.0 + 15_000 * k, 6_500_000.0] for k in range(5)])
    matrix = time_matrix(graph, s, snap(graph, homes, max_m=10), cutoff_ms=3_600_000)
    assert matrix.duration_ms.tolist() == [0, 900_000, 1_800_000, 2_700_000, 3_600_000]
    weight = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    assert matrix.sums(weight, cutoff_ms=1_800_000).tolist() == [111.0]
    assert matrix.sums(weight, cutoff_ms=1_799_999).tolist() == [11.0]
    potential = matrix.potential(weight, half_life_ms=900_000, cutoff_ms=2_700_000)
    assert potential.tolist() == [1 + 5 + 25 + 125.0]
    assert matrix.within(900_000).toarray().tolist() == [[1, 1, 0, 0, 0]]
    with pytest.raises(ValueError, match="3600000"):
        matrix.sums(weight, cutoff_ms=3_600_001)


def test_nearest_goes_from_site_to_facility() -> None:
    """A one-way ring a → b → c → a, a minute a side: to go back takes the long way round."""
    model = nx.MultiDiGraph()
    for node, (x, y) in enumerate([(0, 0), (1000, 0), (500, 900)]):
        model.add_node(node, x=600_000.0 + x, y=6_500_000.0 + y)
    for tail, head in ((0, 1), (1, 2), (2, 0)):
        model.add_edge(tail, head, duration_ms=60_000, edge=tail, oneway=True)
    graph = from_networkx(model)
    at = {n: snap(graph, np.array([[600_000.0 + x, 6_500_000.0 + y]]), max_m=10)
          for n, x, y in (("a", 0, 0), ("b", 1000, 0))}  # fmt: skip
    assert nearest_ms(graph, at["a"], at["b"]).tolist() == [60_000]
    assert nearest_ms(graph, at["b"], at["a"]).tolist() == [120_000]
    assert time_matrix(graph, at["a"], at["b"], cutoff_ms=10**6).duration_ms.tolist() == [120_000]


def test_cutoff_of_nearest_is_inclusive() -> None:
    model = grid(2, 1)
    graph = from_networkx(model)
    ends = snap(graph, np.array([[600_000.0, 6_500_000.0], [601_000.0, 6_501_000.0]]), max_m=1)
    origin = snap(graph, np.array([[600_000.0, 6_500_000.0]]), max_m=1)
    other = snap(graph, np.array([[601_000.0, 6_501_000.0]]), max_m=1)
    exact = int(nearest_ms(graph, origin, other)[0])
    assert exact > 0
    assert nearest_ms(graph, origin, other, cutoff_ms=exact).tolist() == [exact]
    assert nearest_ms(graph, origin, other, cutoff_ms=exact - 1).tolist() == [INF]
    assert nearest_ms(graph, ends, ends).tolist() == [0, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_times_beyond_the_longest_are_unreachable_not_wrapped(engine) -> None:
    """Three roads of 20 days each: one is a time, two are more than 24.8 days."""
    day = 86_400_000
    model = nx.MultiDiGraph()
    for node in range(4):
        model.add_node(node, x=600_000.0 + 1000 * node, y=6_500_000.0)
    for tail in range(3):
        model.add_edge(tail, tail + 1, duration_ms=20 * day, edge=tail, oneway=True)
    graph = from_networkx(model)
    nodes = snap(graph, np.array([[600_000.0 + 1000 * k, 6_500_000.0] for k in range(4)]), max_m=1)
    expected = np.array([[INF] * 4] * 4)
    for k in range(4):
        expected[k, k] = 0
    for k in range(3):
        expected[k, k + 1] = 20 * day
    found = time_matrix(
        graph, nodes, nodes, cutoff_ms=10**12, direction="from_sites", engine=engine
    )
    np.testing.assert_array_equal(dense(found), expected)
    last = nodes.take(np.array([3]))
    assert nearest_ms(graph, nodes, last, engine=engine).tolist() == [INF, INF, 20 * day, 0]
    with pytest.raises(ValueError, match="-1"):
        time_matrix(graph, nodes, nodes, cutoff_ms=-1, engine=engine)
