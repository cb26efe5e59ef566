"""Times between places on the road graph: the nearest of a class, and who can reach what.

Two questions, each with its direction, because one-way streets make the two differ:

* :func:`nearest_ms`: **from** each origin **to** the nearest of the targets (goods leave the
  site for the motorway, the port, the freight yard);
* :func:`time_matrix`: within a cutoff, **from** each commune **to** each site (workers travel
  to work), or the other way where asked.

All times are whole milliseconds and the same whichever engine computes them, in whatever
number of threads: the plain engine is ``scipy.sparse.csgraph``; large work goes to the kernels
of :mod:`siteselect.network.kernels`, compiled once and kept on disk. :class:`Routing` says
which one ran and why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from siteselect.network import plain
from siteselect.network.graph import MAX_MS, RoadGraph
from siteselect.network.pairs import same_road_pairs
from siteselect.network.snap import Snapped

if TYPE_CHECKING:
    from siteselect.network.hierarchy import Hierarchy, Topology

__all__ = ["Engine", "Routing", "TimeMatrix", "nearest_ms", "prepared", "time_matrix"]

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Progress = Callable[[str, float], None]

Engine = Literal["auto", "scipy", "numba", "hierarchy"]
Direction = Literal["to_sites", "from_sites"]

KERNEL_FROM = 5e8
"""Sources × nodes from which the compiled kernels repay their compilation (about 4 s once)."""
NEAREST_KERNEL_FROM = 2_000_000
"""Nodes from which they repay it for a search of the nearest."""
STORED_FROM = 1_000
"""Sources that repay giving times to a hierarchy whose order is known."""
BUILT_FROM = 16_000
"""Sources that repay computing the order of a hierarchy, too."""


@dataclass(frozen=True)
class Routing:
    """How a computation of times was done; for the run's log, never for its result."""

    engine: str
    reason: str
    sources: int
    targets: int
    nodes: int
    pairs: int
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class TimeMatrix:
    """Times within a cutoff between sites (rows) and others (columns), sparse.

    ``indptr`` int64[rows + 1], ``column`` int32[pairs] ascending within a row,
    ``duration_ms`` int32[pairs], 0 included: a pair that is absent is beyond the cutoff or
    unreachable.
    """

    shape: tuple[int, int]
    indptr: Int64s
    column: Int32s
    duration_ms: Int32s
    cutoff_ms: int
    routing: Routing

    @property
    def pair_count(self) -> int:
        """Number of pairs within the cutoff."""
        return int(self.column.size)

    def within(self, cutoff_ms: int) -> sp.csr_array:
        """int8 0/1 matrix of the pairs within a cutoff not larger than the matrix's own.

        Raises
        ------
        ValueError
            The cutoff asked is larger than the one computed.
        """
        return self._filled((self.duration_ms <= self._known(cutoff_ms)).astype(np.int8))

    def sums(self, weight: Floats, *, cutoff_ms: int) -> Floats:
        """float64[rows]: sum of the weights of the columns within the cutoff."""
        inside = (self.duration_ms <= self._known(cutoff_ms)).astype(np.float64)
        return np.asarray(self._weighted(inside) @ np.asarray(weight, dtype=np.float64))

    def potential(self, weight: Floats, *, half_life_ms: float, cutoff_ms: int) -> Floats:
        """float64[rows]: Σ weight · exp(−β t), β = ln 2 / half-life (Hansen 1959), t ≤ cutoff."""
        decay = np.exp2(-self.duration_ms / half_life_ms)
        decay[self.duration_ms > self._known(cutoff_ms)] = 0.0
        return np.asarray(self._weighted(decay) @ np.asarray(weight, dtype=np.float64))

    def _known(self, cutoff_ms: int) -> int:
        if cutoff_ms > self.cutoff_ms:
            raise ValueError(f"times are known up to {self.cutoff_ms} ms, not {cutoff_ms}")
        return cutoff_ms

    def _weighted(self, data: Floats) -> sp.csr_array:
        return sp.csr_array((data, self.column, self.indptr), shape=self.shape)

    def _filled(self, data: NDArray[np.int8]) -> sp.csr_array:
        matrix = sp.csr_array((data, self.column, self.indptr), shape=self.shape)
        matrix.eliminate_zeros()
        return matrix


def nearest_ms(
    graph: RoadGraph,
    origins: Snapped,
    targets: Snapped,
    *,
    cutoff_ms: int = MAX_MS,
    engine: Engine = "auto",
) -> Floats:
    """Time from each origin to the nearest target, float64[origins], whole ms or inf.

    One search over the whole graph, backwards from all targets at once: the result is the time
    in the direction origin → target. inf: no target can be reached (within the cutoff).
    """
    cutoff_ms = _limited(cutoff_ms)
    to_node = _node_times(graph, targets, cutoff_ms, engine)
    ends = to_node[origins.node] + np.where(origins.out_ms < 0, np.inf, origins.out_ms)
    best: Floats = np.minimum(ends[:, 0], ends[:, 1])
    direct = same_road_pairs(origins, targets)
    np.minimum.at(best, direct.row, direct.duration_ms.astype(np.float64))
    best[best > cutoff_ms] = np.inf
    return best


def _limited(cutoff_ms: int) -> int:
    """The cutoff, but no longer than the longest time represented.

    Raises
    ------
    ValueError
        A negative cutoff.
    """
    if cutoff_ms < 0:
        raise ValueError(f"a cutoff is 0 ms or more, not {cutoff_ms}")
    return min(int(cutoff_ms), MAX_MS)


def _node_times(graph: RoadGraph, targets: Snapped, cutoff_ms: int, engine: Engine) -> Floats:
    """float64[n]: from every node to its nearest target."""
    usable = targets.in_ms >= 0
    nodes, offset_ms = targets.node[usable], targets.in_ms[usable]
    if engine == "auto":
        engine = "numba" if graph.node_count >= NEAREST_KERNEL_FROM else "scipy"
    if engine != "scipy":
        from siteselect.network import kernels

        return kernels.nearest(plain.arcs(graph, reverse=True), nodes, offset_ms, cutoff_ms)
    return plain.nearest(plain.arcs(graph, reverse=True), nodes, offset_ms, cutoff_ms)


def time_matrix(
    graph: RoadGraph,
    sites: Snapped,
    others: Snapped,
    *,
    cutoff_ms: int,
    direction: Direction = "to_sites",
    engine: Engine = "auto",
    hierarchy: Hierarchy | Topology | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> TimeMatrix:
    """Sparse matrix sites × others of the times within a cutoff.

    ``to_sites`` (default): from the commune to the site, the way workers travel; ``from_sites``
    the other way. The result does not depend on ``workers``, ``engine`` nor ``hierarchy``.

    ``hierarchy``: one prepared for this graph and direction (:func:`prepared`), or the order of
    contraction of these roads (or of more roads, so that closing one keeps it), or a folder
    where such orders are kept; without it large work goes to the compiled Dijkstra, one bounded
    search a site.

    Raises
    ------
    ValueError
        A hierarchy prepared for the other direction.
    """
    started = time.perf_counter()
    reverse = direction == "to_sites"
    search = plain.Search(
        arcs=plain.arcs(graph, reverse=reverse),
        seed_node=sites.node,
        seed_ms=sites.in_ms if reverse else sites.out_ms,
        target_node=others.node,
        target_ms=others.out_ms if reverse else others.in_ms,
        direct=same_road_pairs(others, sites).swapped()
        if reverse
        else same_road_pairs(sites, others),
        cutoff_ms=_limited(cutoff_ms),
    )
    chosen, reason, ready = _choose(
        engine, graph, sources=len(sites), direction=direction, hierarchy=hierarchy
    )
    indptr, column, duration = _run(chosen, search, ready, workers, progress)
    routing = Routing(
        engine=chosen,
        reason=reason,
        sources=len(sites),
        targets=len(others),
        nodes=graph.node_count,
        pairs=int(column.size),
        seconds=time.perf_counter() - started,
    )
    return TimeMatrix((len(sites), len(others)), indptr, column, duration, int(cutoff_ms), routing)


def prepared(
    graph: RoadGraph,
    given: Hierarchy | Topology | Path | None = None,
    *,
    direction: Direction = "to_sites",
) -> Hierarchy:
    """A hierarchy with the times of this graph, for many matrices; from scratch if need be.

    Raises
    ------
    ValueError
        A hierarchy prepared for the other direction.
    """
    found = _prepared(graph, given, direction, build=True)
    if found is None:
        raise AssertionError
    return found


def _prepared(
    graph: RoadGraph,
    given: Hierarchy | Topology | Path | None,
    direction: Direction,
    *,
    build: bool,
) -> Hierarchy | None:
    from siteselect.network import hierarchy

    reverse = direction == "to_sites"
    if isinstance(given, hierarchy.Hierarchy):
        if given.reverse != reverse:
            raise ValueError(f"the hierarchy was prepared for the other direction than {direction}")
        return given
    if isinstance(given, Path):
        topology = hierarchy.stored_topology(graph, folder=given, build=build)
    elif given is None:
        topology = hierarchy.contract(plain.arcs(graph, reverse=False), graph.x_m, graph.y_m)
    else:
        topology = given
    if topology is None:
        return None
    return hierarchy.customise(topology, plain.arcs(graph, reverse=reverse), reverse=reverse)


def _run(
    engine: str,
    search: plain.Search,
    ready: Hierarchy | None,
    workers: int,
    progress: Progress | None,
) -> tuple[Int64s, Int32s, Int32s]:
    if engine == "scipy":
        return plain.matrix(search, progress=progress)
    if ready is not None:
        from siteselect.network import hierarchy

        return hierarchy.matrix(search, ready, workers=workers, progress=progress)
    from siteselect.network import kernels  # numba: half a second that small work does without

    return kernels.matrix(search, workers=workers, progress=progress)


def _choose(
    engine: Engine,
    graph: RoadGraph,
    *,
    sources: int,
    direction: Direction = "to_sites",
    hierarchy: Hierarchy | Topology | Path | None = None,
) -> tuple[str, str, Hierarchy | None]:
    """The engine, why, and the hierarchy if that is the one.

    Measured on one core: scipy takes 4 to 7 ns a source and node, the compiled Dijkstra 2 to 3
    but seconds of compilation once; the hierarchy 0.1 ms a source, 1 µs a node for its times and
    30 µs a node for its order, which is kept.
    """
    if engine == "hierarchy":
        return engine, "asked for", _prepared(graph, hierarchy, direction, build=True)
    if engine != "auto":
        return engine, "asked for", None
    nodes = graph.node_count
    work = float(sources) * nodes
    size = f"{sources} sources × {nodes} nodes = {work:.1e}"
    if work < KERNEL_FROM:
        return "scipy", f"{size}, less than {KERNEL_FROM:.0e}: not worth compiling", None
    if hierarchy is not None and sources >= STORED_FROM:
        found = _prepared(graph, hierarchy, direction, build=sources >= BUILT_FROM)
        if found is not None:
            return "hierarchy", f"{size}, {sources} sources repay the hierarchy", found
    return "numba", f"{size}, at least {KERNEL_FROM:.0e}: compiled kernels", None
