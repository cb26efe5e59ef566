"""Scores worked out by hand; what unknown and unreachable are worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.scenario import Criteria, Criterion, Weights
from siteselect.scoring import contributions, criterion_weights, score_sites, value

NAN, INF = float("nan"), float("inf")

CRITERIA = Criteria(
    access={
        "motorway_min": Criterion(weight=3, best=5, worst=30),
        "station_min": Criterion(weight=1, best=20, worst=60),
    },
    workforce={"labour_45min": Criterion(weight=9, best=400_000, worst=0)},
    network={"rail_km": Criterion(weight=2, best=1, worst=20)},
)
WEIGHTS = Weights(access=2, workforce=1, network=1)


def measures(**columns: list[float]) -> pd.DataFrame:
    base = {
        "motorway_min": [5.0, 17.5, 30.0],
        "station_min": [10.0, 40.0, 90.0],
        "labour_45min": [400_000.0, 100_000.0, 0.0],
        "rail_km": [0.0, 20.0, 10.5],
    }
    index = pd.Index(["a", "b", "c"], name="site_id")
    return pd.DataFrame({**base, **columns}, index=index)


def test_by_hand() -> None:
    """b: access 0.75·0.5 + 0.25·0.5; workforce 0.25; network 0 → 0.5·0.5 + 0.25·0.25."""
    table = score_sites(measures(), CRITERIA, WEIGHTS)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["score_access"].tolist() == pytest.approx([1, 0.5, 0])
    assert table["score_workforce"].tolist() == pytest.approx([1, 0.25, 0])
    assert table["score_network"].tolist() == pytest.approx([1, 0, 0.5])
    assert table["score"].tolist() == pytest.approx([1, 0.3125, 0.125])
    assert table["reliability"].tolist() == [1, 1, 1]


def test_shares_by_hand() -> None:
    assert criterion_weights(CRITERIA, WEIGHTS) == pytest.approx(
        {"motorway_min": 0.375, "station_min": 0.125, "labour_45min": 0.25, "rail_km": 0.25}
    )


def test_unknown_is_not_favourable_and_not_reliable() -> None:
    table = score_sites(measures(motorway_min=[NAN, INF, 5.0]), CRITERIA, WEIGHTS)
    assert table["score_access"].tolist() == pytest.approx([0.25, 0.125, 0.75])
    assert table["reliability"].tolist() == pytest.approx([0.625, 1, 1])


def test_assumed_counts_but_is_not_reliable() -> None:
    plain = score_sites(measures(), CRITERIA, WEIGHTS)
    table = score_sites(
        measures(), CRITERIA, WEIGHTS, assumed=frozenset({"labour_45min", "rail_km"})
    )
    assert table["score"].tolist() == plain["score"].tolist()
    assert table["reliability"].tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_value_function_both_ways() -> None:
    less = Criterion(weight=1, best=5, worst=30)
    more = Criterion(weight=1, best=100, worst=20)
    at = np.array([-1.0, 5.0, 20.0, 30.0, 31.0, INF, NAN])
    assert value(at, less).tolist() == pytest.approx([1, 1, 0.4, 0, 0, 0, 0])
    at = np.array([0.0, 20.0, 60.0, 100.0, 1e9, INF, NAN])
    assert value(at, more).tolist() == pytest.approx([0, 0, 0.5, 1, 1, 0, 0])


number = st.one_of(st.floats(0, 1e6), st.just(NAN), st.just(INF))
weight = st.floats(0.01, 100)


@given(
    rows=st.lists(st.tuples(number, number, number, number), min_size=1, max_size=5),
    group=st.tuples(weight, weight, weight),
)
def test_parts_sum_to_the_score(rows: list[tuple[float, ...]], group: tuple[float, ...]) -> None:
    names = ["motorway_min", "station_min", "labour_45min", "rail_km"]
    table = pd.DataFrame(rows, columns=names)
    weights = Weights(access=group[0], workforce=group[1], network=group[2])
    scores = score_sites(table, CRITERIA, weights)
    parts = contributions(table, CRITERIA, weights)
    assert scores.to_numpy().min() >= 0
    assert scores.to_numpy().max() <= 1
    np.testing.assert_allclose(parts.sum(axis=1), scores["score"], atol=1e-12)
    mean = sum(scores[f"score_{g}"] * w for g, w in zip(
        ("access", "workforce", "network"), group, strict=True)) / sum(group)  # fmt: skip
    np.testing.assert_allclose(scores["score"], mean, atol=1e-12)


def test_groups_of_no_weight_may_be_empty() -> None:
    criteria = Criteria(access=CRITERIA.access, workforce={}, network={})
    table = score_sites(measures(), criteria, Weights(access=1, workforce=0, network=0))
    assert table["score"].tolist() == pytest.approx([1, 0.5, 0])
    assert table["score_workforce"].tolist() == [0, 0, 0]
    assert table["reliability"].tolist() == [1, 1, 1]


def refused(criteria: Criteria, weights: Weights) -> str:
    with pytest.raises(InputError) as caught:
        score_sites(measures(), criteria, weights)
    return str(caught.value)


def test_refusals() -> None:
    one = Criterion(weight=1, best=1, worst=0)
    none = Criterion(weight=0, best=1, worst=0)
    assert "sum to zero" in refused(CRITERIA, Weights(access=0, workforce=0, network=0))
    message = refused(
        Criteria(access={"motorway_minn": one}, workforce={"labour_45min": none}, network={}),
        WEIGHTS,
    )
    assert "criteria.access.motorway_minn" in message
    assert "did you mean motorway_min?" in message
    assert "criteria.workforce: the weights of the criteria of workforce sum to zero" in message
    assert "criteria.network: the weights" in message
    twice = Criteria(
        access={"rail_km": one}, workforce={"labour_45min": one}, network={"rail_km": one}
    )
    assert "rail_km is also in access" in refused(twice, WEIGHTS)
    unmeasured = Criteria(access={"port_min": one}, workforce={"labour_45min": one})
    assert "port_min is not a measure" in refused(unmeasured, WEIGHTS)
