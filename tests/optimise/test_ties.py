"""Ties that are open at a limit are said; every search of equals gives the first of them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from siteselect.optimise import solve
from siteselect.optimise.exact import Portfolio
from siteselect.optimise.seeking import Seeking
from siteselect.optimise.stop import Stop
from siteselect.pipeline import _open_ties
from siteselect.problem import Conflicts, SelectionProblem


def equals() -> SelectionProblem:
    """Eight sites worth the same, three wanted; the first two exclude each other."""
    problem = SelectionProblem.from_arrays(
        np.full(8, 5), count=3, site_ids=["h", "g", "f", "e", "d", "c", "b", "a"]
    )
    pairs = Conflicts("a or b", np.array([[6, 7]]))
    return dataclasses.replace(problem, constraints=(pairs,))


def test_the_first_of_many_equals() -> None:
    found = solve(equals())
    names = [equals().site_ids[s] for s in found.chosen.tolist()]
    assert sorted(names) == ["a", "c", "d"]
    assert found.ties_settled
    assert _open_ties(found) == ()


def test_open_ties_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stops the search as soon as it holds one of the equals."""
    take = Seeking.take

    def late(self: Seeking, portfolio: Portfolio) -> bool:
        self.stop = Stop(lambda: -1.0)
        return take(self, portfolio)

    monkeypatch.setattr(Seeking, "take", late)
    found = solve(equals())
    assert found.objective == found.bound == 15
    assert found.status == "optimal"
    names = {equals().site_ids[s] for s in found.chosen.tolist()}
    assert names in [set(one) for one in itertools.combinations("abcdefgh", 3)]
    assert names != {"a", "c", "d"}
    assert not found.ties_settled
    assert len(_open_ties(found)) == 1


def test_equal_scores_do_not_take_the_whole_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every site worth the same under crossing caps: proven at once, ties given up and said so."""
    monkeypatch.setattr("siteselect.optimise.deepen.MOST_TYING_S", 0.5)
    g = np.random.default_rng(4)
    sites, communes = 120, 30
    commune = g.integers(0, communes, sites)
    found = solve(
        SelectionProblem.from_arrays(
            np.full(sites, 200_000),
            count=20,
            charges=g.integers(3, 120, sites),
            territories={"commune": commune.astype(str), "epci": (commune % 4).astype(str)},
            caps={
                "commune": {str(c): 90 for c in range(communes)},
                "epci": {str(e): 260 for e in range(4)},
            },
        ),
        time_limit_s=60,
    )
    assert found.status == "optimal"
    assert found.objective == found.bound == 4_000_000
    assert found.timings["total"] < 20
