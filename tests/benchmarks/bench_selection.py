"""The exact optimiser beside CP-SAT and HiGHS given the plain model, on the same instances.

    python tests/benchmarks/bench_selection.py --sites 20000 --seed 1 --coverage --json

Each engine runs in a process of its own on the same instance, which another process made: seconds
of CPU and wall for the solving, peak memory of the process (the arrays of the instance included,
what making them took left out), objective, bound and whether the optimum is proven. ``proven`` of
the whole is ours; ``identical`` is true when no engine that proved an optimum found another one.
Peers stop at ``--peer-limit`` seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

ENGINES = ("ours", "cpsat", "highs")


def main() -> int:
    given = _arguments()
    if given.engine:
        print(json.dumps(_run(given)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instance.pickle"
        made = multiprocessing.get_context("spawn").Process(target=_make, args=(given, path))
        made.start()
        made.join()
        engines = {name: _child(path, name) for name in given.engines.split(",")}
    values = {one["objective"] for one in engines.values() if one.get("proven")}
    ours = engines.get("ours", {})
    result = {
        "sites": given.sites, "seed": given.seed, "coverage": given.coverage,
        "reach_km": given.reach, "engines": engines, "identical": len(values) <= 1,
        "proven": bool(ours.get("proven")), "objective": ours.get("objective"),
        "bound": ours.get("bound"),
    }  # fmt: skip
    print(json.dumps(result) if given.json else _table(result))
    return 0 if result["identical"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sites", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="union catchment in the objective")
    parser.add_argument("--reach", type=float, default=22.0, help="reach of the catchment, km")
    parser.add_argument("--engines", default="ours,cpsat,highs")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for ours")
    parser.add_argument("--peer-limit", type=float, default=40.0, help="seconds for the peers")
    parser.add_argument("--replacement", action="store_true", help="time replacement costs too")
    parser.add_argument("--no-ties", action="store_true", help="any of the optimal portfolios")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--instance", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _make(given: argparse.Namespace, path: Path) -> None:
    from selection_instance import instance

    problem = instance(given.sites, given.seed, coverage=given.coverage, reach_km=given.reach)
    path.write_bytes(pickle.dumps(problem, protocol=5))


def _child(path: Path, name: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--engine", name, "--instance", str(path), *sys.argv[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["killed"])[-1], "proven": False}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _run(given: argparse.Namespace) -> dict[str, Any]:
    if given.engine != "highs":
        import siteselect.optimise  # the import is not the solving
    if given.engine == "cpsat":
        import siteselect.optimise.plainmodel  # noqa: F401
    with given.instance.open("rb") as file:
        problem = pickle.load(file)
    before = _peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    result = {"ours": _ours, "cpsat": _cpsat, "highs": _highs}[given.engine](problem, given)
    result["wall_s"] = round(time.perf_counter() - wall - result.get("replacement_s", 0.0), 3)
    result["cpu_s"] = round(time.process_time() - cpu - result.pop("replacement_cpu_s", 0.0), 3)
    result["peak_mb"], result["instance_mb"] = _peak_mb(), before
    return result


def _ours(problem: Any, given: argparse.Namespace) -> dict[str, Any]:
    from siteselect.optimise import replacement_costs, solve

    found = solve(problem, time_limit_s=given.limit, ties=not given.no_ties)
    result = {
        "status": found.status, "proven": found.proven, "objective": found.objective,
        "bound": found.bound, "gap": found.gap,
        "timings_s": {key: round(value, 3) for key, value in found.timings.items()},
        "info": found.info,
    }  # fmt: skip
    if given.replacement:
        wall, cpu = time.perf_counter(), time.process_time()
        costs = replacement_costs(problem, found, time_limit_s=given.limit)
        result["replacement_s"] = round(time.perf_counter() - wall, 3)
        result["replacement_cpu_s"] = time.process_time() - cpu
        result["replacement_proven"] = sum(one.status in ("optimal", "infeasible") for one in costs)
    return result


def _plain(problem: Any) -> tuple[Any, Any, Any, Any]:
    """Every row as float bounds: x, z, lower, upper."""
    import numpy as np

    from siteselect.problem import NO_LOWER, NO_UPPER

    rows = problem.rows()
    low = np.where(rows.lower == NO_LOWER, -np.inf, rows.lower.astype(float))
    high = np.where(rows.upper == NO_UPPER, np.inf, rows.upper.astype(float))
    return rows.x, rows.z, low, high


def _highs(problem: Any, given: argparse.Namespace) -> dict[str, Any]:
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_array, coo_array, eye_array

    x, z, low, high = _plain(problem)
    parts = [[x, z]]
    n, r = problem.n_columns, len(problem.parcels)
    gain = [problem.score, np.zeros(r)]
    whole = [np.ones(n), np.full(r, int(problem.parcels.whole))]
    if problem.coverage is not None:
        cover = problem.coverage
        of_column = coo_array(
            (np.ones(n), (np.arange(n), problem.site)), shape=(n, problem.n_sites)
        )
        reach = (of_column @ cover.matrix()).T
        parts = [[x, z, None], [-reach, coo_array((cover.n_demand, r)), eye_array(cover.n_demand)]]
        low = np.concatenate([low, np.full(cover.n_demand, -np.inf)])
        high = np.concatenate([high, np.zeros(cover.n_demand)])
        gain.append(cover.weights)
        whole.append(np.zeros(cover.n_demand))
    done = milp(
        -np.concatenate(gain).astype(float),
        integrality=np.concatenate(whole),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(block_array(parts).tocsr().astype(float), low, high),
        options={"mip_rel_gap": 0, "time_limit": given.peer_limit},
    )
    value = None if done.x is None else round(-done.fun)
    bound = None if done.mip_dual_bound is None else -done.mip_dual_bound
    return {"proven": done.status == 0, "objective": value, "bound": bound}


def _cpsat(problem: Any, given: argparse.Namespace) -> dict[str, Any]:
    from siteselect.optimise import solve_plainly

    found = solve_plainly(problem, time_limit_s=given.peer_limit, workers=os.cpu_count() or 1)
    return {
        "proven": found.proven, "objective": found.objective, "bound": found.bound,
        "timings_s": {key: round(value, 3) for key, value in found.timings.items()},
    }  # fmt: skip


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'engine':8} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}  proven  objective  bound"]
    for name, one in result["engines"].items():
        if "error" in one:
            lines.append(f"{name:8} {one['error']}")
            continue
        lines.append(
            f"{name:8} {one['wall_s']:8.2f} {one['cpu_s']:8.2f} {one['peak_mb']:8.0f}"
            f"  {one['proven']!s:6}  {one['objective']}  {one['bound']}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
