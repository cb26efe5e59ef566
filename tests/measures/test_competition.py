"""Potential and two-step catchments worked out by hand on two sites and three communes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.measures.competition import (
    Decay,
    floating_catchment,
    labour_competition,
    market_potential,
    potential,
)
from siteselect.network import Routing, TimeMatrix

MIN = 60_000
RULE = Routing("scipy", "asked for", 0, 0, 0, 0, 0.0)


def matrix(rows: list[dict[int, float]], columns: int, cutoff_min: float = 60) -> TimeMatrix:
    """Times in minutes, a dict of columns a row."""
    return TimeMatrix(
        (len(rows), columns),
        np.cumsum([0, *map(len, rows)]).astype(np.int64),
        np.array([j for row in rows for j in sorted(row)], dtype=np.int32),
        np.array([round(row[j] * MIN) for row in rows for j in sorted(row)], dtype=np.int32),
        round(cutoff_min * MIN),
        RULE,
    )


TIMES = matrix([{0: 0, 1: 15, 2: 45}, {1: 10, 2: 30}], 3)
PEOPLE = np.array([100.0, 200.0, 400.0])


def test_decays_by_hand() -> None:
    at = np.array([0, 15, 30, 31], dtype=np.int32) * MIN
    step = Decay("step", 30 * MIN)
    half = Decay("exponential", 30 * MIN, scale_ms=15 * MIN)
    bell = Decay("gaussian", 30 * MIN, scale_ms=15 * MIN)
    assert step.weight(at).tolist() == [1, 1, 1, 0]
    assert half.weight(at).tolist() == [1, 0.5, 0.25, 0]
    assert bell.weight(at).tolist() == pytest.approx([1, math.exp(-0.5), math.exp(-2), 0])
    with pytest.raises(ValueError, match="above 0"):
        Decay("gaussian", 1, scale_ms=0)


def test_potential_by_hand() -> None:
    decay = Decay("exponential", 45 * MIN, scale_ms=15 * MIN)
    assert potential(TIMES, PEOPLE, decay=decay).tolist() == pytest.approx(
        [100 + 100 + 50, 200 * 2 ** (-10 / 15) + 100]
    )
    known = TIMES.potential(PEOPLE, half_life_ms=15 * MIN, cutoff_ms=45 * MIN)
    np.testing.assert_allclose(potential(TIMES, PEOPLE, decay=decay), known)
    with pytest.raises(ValueError, match="known up to"):
        potential(TIMES, PEOPLE, decay=Decay("step", 61 * MIN))


def test_market_potential_by_hand() -> None:
    """100/1 + 200/15 + 400/45, then 200/10 + 400/30: no time is below a minute."""
    found = market_potential(TIMES, PEOPLE, cutoff_ms=60 * MIN)
    assert found.tolist() == pytest.approx([100 + 200 / 15 + 400 / 45, 20 + 400 / 30])
    assert market_potential(TIMES, PEOPLE, cutoff_ms=20 * MIN).tolist() == pytest.approx(
        [100 + 200 / 15, 20]
    )


def test_two_steps_by_hand() -> None:
    """Within 30 min: site 0 shares 60 jobs among 300, site 1 shares 30 among 600."""
    ratio, access = floating_catchment(
        TIMES, jobs=np.array([60.0, 30.0]), workers=PEOPLE, decay=Decay("step", 30 * MIN)
    )
    assert ratio.tolist() == pytest.approx([0.2, 0.05])
    assert access.tolist() == pytest.approx([0.2, 0.25, 0.05])
    assert access @ PEOPLE == pytest.approx(90)


def test_a_site_that_nobody_reaches() -> None:
    ratio, access = floating_catchment(
        matrix([{}, {0: 5}], 1), jobs=np.array([9.0, 4.0]), workers=np.array([8.0]),
        decay=Decay("step", 30 * MIN),
    )  # fmt: skip
    assert np.isnan(ratio[0])
    assert ratio[1] == 0.5
    assert access.tolist() == [0.5]


rows = st.lists(
    st.dictionaries(st.integers(0, 4), st.floats(0, 60), min_size=1), min_size=1, max_size=4
)


@given(
    rows=rows, shape=st.sampled_from(["step", "exponential", "gaussian"]), seed=st.integers(0, 9)
)
def test_every_job_counts_once(rows: list[dict[int, float]], shape: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    jobs, workers = random.uniform(1, 100, len(rows)), random.uniform(1, 100, 5)
    decay = Decay(shape, 60 * MIN, scale_ms=20 * MIN)  # type: ignore[arg-type]
    _, access = floating_catchment(matrix(rows, 5), jobs=jobs, workers=workers, decay=decay)
    assert access @ workers == pytest.approx(jobs.sum())


def test_refusals() -> None:
    with pytest.raises(ValueError, match="2 sites and 2 places"):
        floating_catchment(TIMES, jobs=np.ones(2), workers=np.ones(2), decay=Decay("step", MIN))
    with pytest.raises(ValueError, match="0 or more"):
        floating_catchment(
            TIMES, jobs=np.array([-1.0, 1]), workers=np.ones(3), decay=Decay("step", MIN)
        )


def test_labour_competition_by_hand() -> None:
    """Commune 1 (200 workers) is within 20 min of both sites: 200 / (30 + 10) = 5 a job."""
    near = Decay("step", 20 * MIN)
    jobs = np.array([30.0, 10.0])
    found = labour_competition(TIMES, jobs=jobs, workers=PEOPLE, decay=near)
    # site 0 has commune 0 for itself (100 / 30), too
    assert found.tolist() == pytest.approx([100 / 30 + 5, 5])
    alone = labour_competition(TIMES, jobs=np.array([30.0, 0.0]), workers=PEOPLE, decay=near)
    assert alone[0] == pytest.approx(300 / 30)
    nothing = labour_competition(TIMES, jobs=np.zeros(2), workers=PEOPLE, decay=near)
    assert nothing.tolist() == [0, 0]
    with pytest.raises(ValueError, match="2 sites and 2 places"):
        labour_competition(TIMES, jobs=jobs, workers=PEOPLE[:2], decay=near)
    with pytest.raises(ValueError, match="0 or more"):
        labour_competition(TIMES, jobs=-jobs, workers=PEOPLE, decay=near)


@given(
    jobs=st.lists(st.floats(1, 1000), min_size=2, max_size=2),
    workers=st.lists(st.floats(0, 1000), min_size=3, max_size=3),
    shape=st.sampled_from(["step", "exponential", "gaussian"]),
    cutoff=st.integers(0, 60),
)
def test_every_worker_counts_once(jobs, workers, shape, cutoff) -> None:
    """Σ A · jobs is the number of workers who reach any site, whatever the decay."""
    decay, people = Decay(shape, cutoff * MIN), np.array(workers)
    found = labour_competition(TIMES, jobs=np.array(jobs), workers=people, decay=decay)
    reach = np.unique(TIMES.column[TIMES.duration_ms <= cutoff * MIN])
    assert found @ np.array(jobs) == pytest.approx(people[reach].sum())
