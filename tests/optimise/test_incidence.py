"""Who reaches what, without its ones: products and rows as scipy has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siteselect.optimise import incidence
from siteselect.optimise.incidence import Incidence


def test_by_hand() -> None:
    """Site 0 reaches points 0 and 2, site 1 none, site 2 point 1."""
    reach = Incidence(np.array([0, 2, 2, 3]), np.array([0, 2, 1], np.int32), 3)
    assert (reach @ np.array([5, 7, 11])).tolist() == [16, 0, 7]
    assert reach.matrix().toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert reach[np.array([2, 0])].toarray().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert reach.ordered(np.array([2, 0])).indices.tolist() == [1, 0, 2]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 12), st.integers(1, 9), st.sampled_from([1, 4, 10**6]))
def test_products_and_rows_are_those_of_the_matrix(
    seed: int, sites: int, points: int, block: int
) -> None:
    """Cut into blocks of any size: a site larger than one is a block of its own."""
    g = np.random.default_rng(seed)
    matrix = csr_array((g.random((sites, points)) < g.random()).astype(np.int64))
    weights = g.integers(-(2**40), 2**40, points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incidence, "BLOCK", block)
        reach = Incidence.of(matrix)
        assert np.array_equal(reach @ weights, matrix @ weights)
        assert (reach @ weights).dtype == np.int64
        assert np.allclose(reach @ (weights / 7), matrix @ (weights / 7))
    some = g.integers(0, sites, 5) if sites else np.zeros(0, np.int64)
    assert np.array_equal(reach[some].toarray(), matrix.toarray()[some])
    assert reach[some].dtype == np.int64
    assert np.array_equal(reach.ordered(some) @ weights, matrix.toarray()[some] @ weights)


def test_blocks_share_their_ones() -> None:
    """What it is for: the pairs take four bytes each, not twelve."""
    many = 3 * incidence.BLOCK
    reach = Incidence(np.arange(0, many + 1, 64), np.zeros(many, np.int32), 1)
    held = {id(block.data.base): block.data.base for block in reach._blocks}
    assert len(reach._blocks) == 3
    assert len(held) == 1
    assert len(next(iter(held.values()))) == incidence.BLOCK
    assert all(np.shares_memory(block.indices, reach.indices) for block in reach._blocks)
