"""Times between places on a large road graph: ours beside networkx and scipy, on the same work.

    python tests/benchmarks/bench_accessibility.py --nodes 1000000 --sites 20000 \
        --targets 35000 --json

Sites and targets lie on nodes, so that networkx and scipy answer the same question without
help; ours still snaps them to edges like any place. Each engine runs in a process of its own
(peak memory is its own) on the same file of inputs. Slow engines run on the first of the sites
only (``--peer-sources``), and are compared per site. ``identical`` is true when every time
that two engines both computed is the same millisecond.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SPEED = {"local": 38.0, "departmental": 65.0, "national": 82.0, "motorway": 112.0}
ENGINES = ("networkx", "scipy", "dijkstra", "hierarchy")


# ------------------------------------------------------------------ the parent: no heavy import
def main() -> int:
    given = _arguments()
    if given.engine:
        print(json.dumps(RUN[given.engine](given)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        given.inputs = given.inputs or str(Path(folder) / "inputs.npz")
        given.work = folder
        if not Path(given.inputs).is_file():
            _generate(given, Path(given.inputs))
        engines = {name: _child(given, name) for name in given.engines.split(",")}
    result = _summary(given, engines)
    print(json.dumps(result) if given.json else _table(result))
    return 0 if result["identical"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--sites", type=int, default=2_000)
    parser.add_argument("--targets", type=int, default=3_500)
    parser.add_argument("--cutoff-min", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="threads of ours; peers use one")
    parser.add_argument("--peer-sources", type=int, default=20, help="sites given to networkx")
    parser.add_argument("--scipy-sources", type=int, default=200, help="sites given to scipy")
    parser.add_argument("--dijkstra-sources", type=int, default=2_000)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--inputs", help="keep and reuse the generated graph in this .npz file")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    return parser.parse_args()


def _generate(given: argparse.Namespace, path: Path) -> None:
    shared = Path(os.environ.get("SITESELECT_SHARED", ROOT.parent / "shared"))
    generator = shared / "bench" / "generate_road_graph.py"
    if not generator.is_file():
        generator = Path(__file__).with_name("road_graph.py")
    cache = Path(given.work) / "numba"
    subprocess.run(
        [sys.executable, str(generator), str(given.nodes), str(path), "--seed", str(given.seed)],
        check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def _child(given: argparse.Namespace, engine: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--engine", engine]
    for key, value in vars(given).items():
        if key not in ("engine", "engines", "json") and value is not None:
            command += [f"--{key.replace('_', '-')}", str(value)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _summary(given: argparse.Namespace, engines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    peer = engines.get("networkx", {}).get("matrix", {}).get("cpu_ms_per_site")
    for figures in engines.values():
        cost = figures["matrix"]["cpu_ms_per_site"]
        # a job too small for the clock, on either side, has no ratio
        figures["ratio_to_networkx"] = round(peer / cost, 1) if peer and cost > 0 else None
    keys = {key for figures in engines.values() for key in figures["digest"]}
    same = {
        key: len({f["digest"][key] for f in engines.values() if key in f["digest"]}) == 1
        for key in sorted(keys)
    }
    return {
        "benchmark": "accessibility",
        "nodes": max(figures["nodes"] for figures in engines.values()),
        "arcs": max(figures["arcs"] for figures in engines.values()),
        "sites": given.sites,
        "targets": given.targets,
        "cutoff_min": given.cutoff_min,
        "seed": given.seed,
        "workers": given.workers,
        "identical": all(same.values()),
        "compared": same,
        "engines": engines,
    }


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['nodes']} nodes, {result['arcs']} arcs, {result['sites']} sites, "
        f"{result['targets']} targets, {result['cutoff_min']:g} min: "
        f"{'identical' if result['identical'] else 'NOT IDENTICAL ' + str(result['compared'])}",
        f"{'engine':<10} {'sites':>6} {'CPU s':>8} {'wall s':>8} {'ms/site':>9} "
        f"{'× networkx':>10} {'peak MB':>8}",
    ]
    for name, figures in result["engines"].items():
        matrix = figures["matrix"]
        lines.append(
            f"{name:<10} {matrix['sites']:>6} {matrix['cpu_s']:>8.2f} {matrix['wall_s']:>8.2f} "
            f"{matrix['cpu_ms_per_site']:>9.3f} {figures.get('ratio_to_networkx') or '—':>10} "
            f"{figures['peak_mb']:>8.0f}"
        )
        others = {k: v for k, v in figures.items() if isinstance(v, dict) and "cpu_s" in v}
        for key, value in others.items():
            if key != "matrix":
                lines.append(f"    {key}: {value['cpu_s']:.2f} CPU s, {value['wall_s']:.2f} s")
    return "\n".join(lines)


# ------------------------------------------------------------------ the children, one an engine
@contextmanager
def _timed(figures: dict[str, Any], name: str, **more: Any) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    figures[name] = {
        "cpu_s": round(time.process_time() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        **more,
    }


def _per_site(figures: dict[str, Any]) -> None:
    matrix = figures["matrix"]
    matrix["cpu_ms_per_site"] = round(1000 * matrix["cpu_s"] / max(matrix["sites"], 1), 4)


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _inputs(given: argparse.Namespace) -> dict[str, Any]:
    """The graph, and the nodes that hold sites, targets and ten classes of 30 facilities."""
    import numpy as np

    with np.load(given.inputs) as stored:
        data: dict[str, Any] = {name: stored[name] for name in stored.files}
    random = np.random.default_rng(given.seed)
    n = data["x"].size
    data["site"] = random.integers(0, n, given.sites)
    data["target"] = random.permutation(n)[: given.targets]
    data["facility"] = random.permutation(n)[: 10 * min(30, n // 10)].reshape(10, -1)
    return data


def _digests(rows: Any, given: argparse.Namespace) -> dict[str, str]:
    """Hash of the dense times of the first sites, for each number that some engine ran."""
    import numpy as np

    result = {}
    for count in sorted({given.peer_sources, given.scipy_sources, given.dijkstra_sources}):
        part = rows(count)
        if part is not None:
            text = np.ascontiguousarray(part, dtype=np.int64).tobytes()
            result[f"first {count} sites"] = hashlib.sha256(text).hexdigest()[:16]
    return result


def _sparse_rows(indptr: Any, column: Any, ms: Any, count: int) -> Any:
    import numpy as np

    if indptr.size - 1 < count:
        return None
    end = indptr[count]
    return np.r_[indptr[: count + 1], column[:end], ms[:end]]


def run_networkx(given: argparse.Namespace) -> dict[str, Any]:
    import networkx as nx
    import numpy as np

    data = _inputs(given)
    figures: dict[str, Any] = {"nodes": data["x"].size, "arcs": data["w"].size}
    with _timed(figures, "setup"):
        graph = nx.DiGraph()
        graph.add_nodes_from(range(data["x"].size))
        tail = np.repeat(np.arange(data["x"].size), np.diff(data["indptr"]))
        graph.add_weighted_edges_from(
            zip(data["indices"].tolist(), tail.tolist(), data["w"].tolist(), strict=True)
        )  # reversed: from the site, the way workers come
    cutoff = round(given.cutoff_min * 60_000)
    sites = data["site"][: given.peer_sources].tolist()
    found = []
    targets = {node: j for j, node in enumerate(data["target"].tolist())}
    with _timed(figures, "matrix", sites=len(sites)):
        for site in sites:
            reached = nx.single_source_dijkstra_path_length(
                graph, site, cutoff=cutoff, weight="weight"
            )
            found.append({targets[node]: ms for node, ms in reached.items() if node in targets})
    with _timed(figures, "nearest", classes=1):
        near = nx.multi_source_dijkstra_path_length(graph, set(data["facility"][0].tolist()))
    _per_site(figures)
    rows = [sorted(row.items()) for row in found]
    flat = np.array([pair for row in rows for pair in row], dtype=np.int64).reshape(-1, 2)
    indptr = np.cumsum([0, *map(len, rows)])
    figures["digest"] = _digests(
        lambda count: _sparse_rows(indptr, flat[:, 0], flat[:, 1], count), given
    )
    ms = np.array([near[node] for node in data["site"].tolist()], dtype=np.int64)
    figures["digest"]["nearest of class 0"] = hashlib.sha256(ms.tobytes()).hexdigest()[:16]
    figures["peak_mb"] = round(_peak_mb())
    return figures


def run_scipy(given: argparse.Namespace) -> dict[str, Any]:
    import numpy as np
    import scipy.sparse as sp
    from scipy.sparse import csgraph

    data = _inputs(given)
    n = data["x"].size
    figures: dict[str, Any] = {"nodes": n, "arcs": data["w"].size}
    with _timed(figures, "setup"):
        forward = sp.csr_array(
            (data["w"].astype(np.float64), data["indices"], data["indptr"]), shape=(n, n)
        )
        graph = sp.csr_array(forward.T.tocsr())
    sites, cutoff = data["site"][: given.scipy_sources], round(given.cutoff_min * 60_000)
    found = []
    with _timed(figures, "matrix", sites=int(sites.size)):
        for low in range(0, sites.size, 16):
            times = csgraph.dijkstra(graph, indices=sites[low : low + 16], limit=cutoff)
            times = times[:, data["target"]]
            row, column = np.nonzero(np.isfinite(times))
            found.append((row + low, column, times[row, column]))
    near = []
    with _timed(figures, "nearest", classes=10):
        for facilities in data["facility"]:
            times = csgraph.dijkstra(graph, indices=facilities, min_only=True)
            near.append(times[data["site"]])
    _per_site(figures)
    row, column, ms = (np.concatenate(part) for part in zip(*found, strict=True))
    indptr = np.r_[0, np.cumsum(np.bincount(row, minlength=sites.size))]
    figures["digest"] = _digests(lambda count: _sparse_rows(indptr, column, ms, count), given)
    figures["digest"] |= _nearest_digests(near)
    figures["peak_mb"] = round(_peak_mb())
    return figures


def _nearest_digests(near: list[Any]) -> dict[str, str]:
    import numpy as np

    whole = [np.ascontiguousarray(ms, dtype=np.int64).tobytes() for ms in near]
    return {
        "nearest of class 0": hashlib.sha256(whole[0]).hexdigest()[:16],
        "nearest of 10 classes": hashlib.sha256(b"".join(whole)).hexdigest()[:16],
    }


def _our_graph(data: dict[str, Any]) -> Any:
    """The graph through the tables of a pack; lengths from which the same times follow."""
    import numpy as np
    import pandas as pd

    from siteselect.network import graph_from_tables

    names = pd.Categorical.from_codes(data["cls"], categories=list(SPEED))
    kmh = np.array(list(SPEED.values()))[data["cls"]]
    tail = np.repeat(np.arange(data["x"].size), np.diff(data["indptr"]))
    edges = pd.DataFrame(
        {
            "tail": tail,
            "head": data["indices"],
            "length_m": data["w"] * kmh / 3600,
            "road_class": names,
            "oneway": True,
        }
    )
    nodes = pd.DataFrame({"x": data["x"] + 2e5, "y": data["y"] + 6.2e6})
    return graph_from_tables(nodes, edges, speed_kmh=SPEED)


def run_ours(given: argparse.Namespace, engine: str) -> dict[str, Any]:
    import numpy as np

    from siteselect.network import nearest_ms, snap, time_matrix, with_speeds
    from siteselect.network.travel import prepared

    figures: dict[str, Any] = {}
    with _timed(figures, "setup_compile"):
        _warm_up(engine)
    data = _inputs(given)
    with _timed(figures, "setup_graph"):
        graph = _our_graph(data)
    figures |= {"nodes": graph.node_count, "arcs": graph.arc_count}
    count = given.sites if engine == "hierarchy" else min(given.sites, given.dijkstra_sources)

    def at(nodes: Any) -> Any:
        xy = np.column_stack([data["x"][nodes] + 2e5, data["y"][nodes] + 6.2e6])
        return snap(graph, xy, max_m=1.0)

    with _timed(figures, "setup_snap"):
        sites, targets = at(data["site"]), at(data["target"])
        facilities = [at(nodes) for nodes in data["facility"]]
    some = at(data["site"][:count])
    ready = None
    if engine == "hierarchy":
        from siteselect.network.hierarchy import contract
        from siteselect.network.plain import arcs

        with _timed(figures, "setup_topology"):
            topology = contract(arcs(graph, reverse=False), graph.x_m, graph.y_m)
        with _timed(figures, "setup_customise"):
            ready = prepared(graph, topology)
    options: dict[str, Any] = {
        "cutoff_ms": round(given.cutoff_min * 60_000),
        "engine": "hierarchy" if engine == "hierarchy" else "numba",
        "workers": given.workers,
    }
    with _timed(figures, "matrix", sites=count):
        times = time_matrix(graph, some, targets, hierarchy=ready, **options)
    _per_site(figures)
    figures["pairs"] = times.pair_count
    with _timed(figures, "nearest", classes=10):
        near = [nearest_ms(graph, sites, facility, engine="numba") for facility in facilities]
    figures["digest"] = _digests(
        lambda k: _sparse_rows(times.indptr, times.column, times.duration_ms, k), given
    )
    figures["digest"] |= _nearest_digests(near)
    figures["peak_mb"] = round(_peak_mb())
    if ready is not None:
        with _timed(figures, "new_speeds"):
            slower = with_speeds(graph, speed_kmh={k: v * 0.8 for k, v in SPEED.items()})
            again = time_matrix(slower, some, targets, hierarchy=ready.topology, **options)
            for facility in facilities:
                nearest_ms(slower, sites, facility, engine="numba")
        figures["new_speeds"]["pairs"] = again.pair_count
        figures["new_speeds"]["peak_mb"] = round(_peak_mb())
    return figures


def _warm_up(engine: str) -> None:
    """Compile, or read what was compiled before, on three nodes."""
    import numpy as np

    from siteselect.network import nearest_ms, snap, time_matrix

    tiny = {
        "indptr": np.array([0, 1, 2, 3]), "indices": np.array([1, 2, 0]),
        "w": np.full(3, 60_000), "cls": np.zeros(3, dtype=np.int8),
        "x": np.array([0.0, 900.0, 0.0]), "y": np.array([0.0, 0.0, 900.0]),
    }  # fmt: skip
    graph = _our_graph(tiny)
    place = snap(graph, np.array([[2e5, 6.2e6]]), max_m=1.0)
    kind: Any = "hierarchy" if engine == "hierarchy" else "numba"
    time_matrix(graph, place, place, cutoff_ms=60_000, engine=kind)
    nearest_ms(graph, place, place, engine="numba")


RUN: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "networkx": run_networkx,
    "scipy": run_scipy,
    "dijkstra": lambda given: run_ours(given, "dijkstra"),
    "hierarchy": lambda given: run_ours(given, "hierarchy"),
}

if __name__ == "__main__":
    raise SystemExit(main())
