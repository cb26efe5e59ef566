"""Rows of different lengths, one behind the other in one array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siteselect.problem.constraints import Ints


def ranges(starts: Ints, sizes: Ints) -> Ints:
    """int64[Σ sizes]: from each start as many numbers as its size says, one row after the other."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0)


def rows_of(pointers: NDArray[np.signedinteger[Any]], rows: Ints) -> Ints:
    """int64, the places of the entries of some rows, in their order (as CSR keeps them)."""
    starts = pointers[rows].astype(np.int64)
    return ranges(starts, pointers[rows + 1] - starts)
