"""Which commune's workers can reach which site within a time: what a union catchment rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from siteselect.measures.workforce import Catchment
from siteselect.units import min_to_ms

__all__ = ["Reach", "reach_from_table", "reach_table"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reach:
    """Sites × communes within a time by car, from home to site, and the workers of each commune.

    Attributes
    ----------
    minutes
        the time.
    indptr, commune
        int64[sites + 1] and int32[pairs], row numbers of communes ascending within a site (CSR),
        in the order of the table of sites.
    workers
        int64[communes], labour force of each commune of the pack, 0 where unknown.
    """

    minutes: float
    indptr: Ints
    commune: NDArray[np.int32]
    workers: Ints

    @property
    def site_count(self) -> int:
        """Number of sites."""
        return len(self.indptr) - 1

    def matrix(self) -> sp.csr_array:
        """Sites × communes, int8 ones."""
        ones = np.ones(len(self.commune), np.int8)
        shape = (self.site_count, len(self.workers))
        return sp.csr_array((ones, self.commune, self.indptr), shape=shape)

    def of_site(self, row: int) -> NDArray[np.int32]:
        """Row numbers of the communes that reach a site."""
        return self.commune[self.indptr[row] : self.indptr[row + 1]]


def reach_table(found: Catchment, minutes: float) -> pd.DataFrame:
    """The pairs within a time as a table to keep: ``site`` and ``commune``, int32 row numbers."""
    times = found.times
    near = times.duration_ms <= min_to_ms(minutes)
    site = np.repeat(np.arange(times.shape[0], dtype=np.int32), np.diff(times.indptr))
    return pd.DataFrame({"site": site[near], "commune": times.column[near]})


def reach_from_table(
    pairs: pd.DataFrame, workers: NDArray[np.float64], *, site_count: int, minutes: float
) -> Reach:
    """Back from :func:`reach_table`; ``workers`` float[communes], NaN where unknown."""
    counts = np.bincount(pairs["site"].to_numpy(), minlength=site_count)
    return Reach(
        minutes,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        pairs["commune"].to_numpy(np.int32),
        np.rint(np.nan_to_num(workers, nan=0.0)).astype(np.int64),
    )
