"""The score in the browser is the score of the computation, to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from siteselect.scenario import MEASURES, Criteria, Criterion, Weights
from siteselect.scoring import score_sites
from tests.web.served import Server

CASES, SITES = 40, 25
IN_THE_PAGE = """async (cases) => {
  const { shares, scores, ranks } = await import("/static/lib/scoring.js");
  return cases.map(({ weights, criteria, measures, count }) => {
    const parts = shares(weights, criteria);
    if (parts === null) return null;
    const score = scores(parts, measures, count);
    return { score: Array.from(score), order: Array.from(ranks(score).order) };
  });
}"""


def _column(rng: np.random.Generator) -> list[float]:
    values = rng.uniform(-20, 150, SITES)
    values[rng.random(SITES) < 0.1] = np.nan  # unknown
    values[rng.random(SITES) < 0.1] = np.inf  # unreachable
    values[rng.random(SITES) < 0.1] = 30.0  # ties, and values on a bound
    return [float(value) for value in values]


def _case(rng: np.random.Generator) -> tuple[pd.DataFrame, Criteria, Weights]:
    groups = {}
    for group, names in MEASURES.items():
        chosen = rng.choice(names, size=min(3, len(names)), replace=False)
        groups[group] = {
            str(name): Criterion(
                weight=float(rng.choice([0.0, 0.2, 0.7])),
                best=float(rng.choice([5.0, 30.0, 100.0])),
                worst=float(rng.choice([10.0, 60.0, 0.0])),
            )
            for name in chosen
        }
        first = next(iter(groups[group]))
        groups[group][first] = groups[group][first].model_copy(update={"weight": 0.5})
    weights = Weights(access=0.4, workforce=float(rng.choice([0.0, 0.35])), network=0.25)
    measures = pd.DataFrame({name: _column(rng) for group in groups.values() for name in group})
    return measures, Criteria(**groups), weights


def _sent(value: float) -> float | str | None:
    return None if math.isnan(value) else "inf" if math.isinf(value) else value


def test_the_browser_scores_as_the_computation(shared_server: Server, browser_page) -> None:
    rng = np.random.default_rng(20)
    cases = [_case(rng) for _ in range(CASES)]
    browser_page.goto(f"{shared_server.url}/api/health")
    found = browser_page.evaluate(
        IN_THE_PAGE,
        [
            {
                "weights": weights.model_dump(),
                "criteria": criteria.model_dump(),
                "measures": {name: [_sent(v) for v in measures[name]] for name in measures},
                "count": SITES,
            }
            for measures, criteria, weights in cases
        ],
    )
    for (measures, criteria, weights), said in zip(cases, found, strict=True):
        expected = score_sites(measures, criteria, weights)["score"].to_numpy()
        np.testing.assert_allclose(said["score"], expected, rtol=0, atol=1e-12)
        rounded = np.round(said["score"], 9)  # the last digit may part what is equal
        assert list(rounded[said["order"]]) == sorted(rounded, reverse=True)


def test_weights_that_sum_to_zero_rank_nothing(shared_server: Server, browser_page) -> None:
    browser_page.goto(f"{shared_server.url}/api/health")
    criterion = {"weight": 1, "best": 0, "worst": 1}
    nothing = {"weight": 0, "best": 0, "worst": 1}
    ask = {"measures": {}, "count": 0}
    none = {"access": 0, "workforce": 0, "network": 0}
    some = {"access": 1, "workforce": 0, "network": 0}
    cases = [
        {**ask, "weights": none, "criteria": {"access": {"motorway_min": criterion}}},
        {**ask, "weights": some, "criteria": {"access": {"motorway_min": nothing}}},
    ]
    assert browser_page.evaluate(IN_THE_PAGE, cases) == [None, None]
