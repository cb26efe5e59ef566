"""Which sites exclude each other: by distance, by list, and among a few of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.optimise.conflicts import ConflictGraph
from siteselect.problem import Conflicts, Separation


def by_hand() -> ConflictGraph:
    """Sites on a line at 0, 3, 4 and 9; nearer than 4 excludes, and the last two are listed."""
    points = np.array([[0, 0], [3, 0], [4, 0], [9, 0]])
    apart = Separation("apart", points, 4)
    return ConflictGraph((apart, Conflicts("listed", np.array([[3, 2]]))), np.arange(4))


def test_neighbours_by_hand() -> None:
    graph = by_hand()
    assert [graph.neighbours(s).tolist() for s in range(4)] == [[1], [0, 2], [1, 3], [2]]
    assert graph.any_in(np.array([False, False, True, True]))
    assert not graph.any_in(np.array([True, False, True, False]))  # at the distance, not nearer
    assert not graph.any_in(np.zeros(4, bool))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_among_some_sites_it_says_what_their_neighbours_say(
    seed: int, far: bool, listed: bool
) -> None:
    """In any order of the sites; several of them may lie on one spot."""
    g = np.random.default_rng(seed)
    many = int(g.integers(1, 30))
    constraints = []
    if far:
        points = g.integers(0, 40, (many, 2))
        constraints.append(Separation("apart", points, int(g.integers(1, 20))))
    if listed and many > 1:
        pairs = np.array([g.choice(many, 2, replace=False) for _ in range(many)])
        constraints.append(Conflicts("listed", pairs))
    graph = ConflictGraph(constraints, g.permutation(many))
    sites = g.permutation(many)[: int(g.integers(0, many + 1))]
    made = graph.among(sites)
    for i, site in enumerate(sites.tolist()):
        assert set(sites[made[i]].tolist()) == set(graph.neighbours(site).tolist()) & set(
            sites.tolist()
        )
    chosen = np.zeros(many, bool)
    chosen[sites] = True
    assert graph.any_in(chosen) == made.any()
    assert np.array_equal(graph.restricted(sites).among(np.arange(len(sites))), made)
