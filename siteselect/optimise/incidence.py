"""Which site reaches which point: a matrix of ones that are not stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siteselect.optimise.ragged import rows_of
from siteselect.problem.constraints import Ints

Number = TypeVar("Number", np.int64, np.float64)
BLOCK = 2**20
"""Sites are multiplied so many pairs at a time: all blocks share as many ones (8 MB)."""


class Incidence:
    """Sites × points, by site: as CSR without its data, two thirds of a matrix of integers.

    ``indptr`` int[S + 1], ``indices`` int32[pairs], points ascending within a site.
    """

    def __init__(
        self, indptr: NDArray[np.signedinteger[Any]], indices: NDArray[np.int32], points: int
    ) -> None:
        self.indptr, self.indices = indptr.astype(np.int64), indices
        self.shape = (len(indptr) - 1, points)

    @staticmethod
    def of(matrix: csr_array) -> Incidence:
        """Where a matrix holds anything."""
        return Incidence(matrix.indptr, matrix.indices.astype(np.int32), matrix.shape[1])

    @cached_property
    def _blocks(self) -> list[csr_array]:
        return list(self._cut())

    def _cut(self) -> Iterator[csr_array]:
        """Whole sites, as many as make a block; one at least."""
        pairs = np.diff(self.indptr)
        ones = np.ones(max(min(BLOCK, len(self.indices)), int(pairs.max(initial=0))), np.int64)
        first = 0
        while first < self.shape[0]:
            most = self.indptr[first] + BLOCK
            last = max(first + 1, int(np.searchsorted(self.indptr, most, side="right")) - 1)
            start, end = self.indptr[first], self.indptr[last]
            block = csr_array(
                (
                    ones[: end - start],
                    self.indices[start:end],
                    (self.indptr[first : last + 1] - start).astype(np.int32),
                ),
                shape=(last - first, self.shape[1]),
            )
            block.indices = self.indices[start:end]  # scipy made a copy of so small a part
            yield block
            first = last

    def __matmul__(self, values: NDArray[Number]) -> NDArray[Number]:
        """[S], the sum of the values of the points that each site reaches."""
        made = np.empty(self.shape[0], values.dtype)
        first = 0
        for block in self._blocks:
            last = first + block.shape[0]
            made[first:last] = block @ values
            first = last
        return made

    def __getitem__(self, sites: Ints) -> csr_array:
        """int64 CSR, the rows of some sites."""
        return self.ordered(sites).matrix()

    def ordered(self, sites: Ints) -> Incidence:
        """Some sites, in this order."""
        pairs = np.diff(self.indptr)[sites]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(pairs)])
        return Incidence(indptr, self.indices[rows_of(self.indptr, sites)], self.shape[1])

    def matrix(self) -> csr_array:
        """The same with its ones: int64 CSR."""
        ones = np.ones(len(self.indices), np.int64)
        return csr_array((ones, self.indices, self.indptr), shape=self.shape)
