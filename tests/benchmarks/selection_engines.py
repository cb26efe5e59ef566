"""One engine on one instance, in a process of its own: what it finds and what that takes.

Run as a script it is the child of :func:`engine_alone`: it reads the instance that another process
made, solves it, and prints one JSON object. CPU and wall seconds hold everything after the
instance: building the model, and, where the instance is :class:`Covering`, the search for what each
site reaches. Imports are left out, of ours and of the peers alike.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
for _folder in (str(HERE), str(HERE.parents[1])):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)


@dataclass(frozen=True)
class Options:
    """What an engine is asked for: limits in seconds of the clock, and how much."""

    limit_s: float = 120.0
    peer_limit_s: float = 40.0
    limits_s: tuple[float, ...] = ()
    """moments at which the local search says where it stands"""
    replacement: bool = False
    ties: bool = True
    peer_python: str = sys.executable


def made_alone(make: Callable[..., None], *given: Any) -> None:
    """Let another process make an instance: its memory is not ours."""
    process = multiprocessing.get_context("spawn").Process(target=make, args=given)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"no instance: {make.__name__} ended with status {process.exitcode}")


def engine_alone(name: str, instance: Path, options: Options) -> dict[str, Any]:
    """The figures of one engine, or ``{"error": …, "proven": False}``."""
    script, python = Path(__file__), sys.executable
    if name == "spopt":
        script, python = HERE / "selection_spopt.py", options.peer_python
    command = [python, str(script), name, str(instance), json.dumps(asdict(options))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return {"error": f"{python}: {error.strerror}", "proven": False}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["killed"])[-1], "proven": False}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    name, instance, options = sys.argv[1:]
    print(json.dumps(_run(name, Path(instance), Options(**json.loads(options)))))
    return 0


def _run(name: str, instance: Path, options: Options) -> dict[str, Any]:
    engine = ENGINES[name]
    _imported(name)
    with instance.open("rb") as file:
        made = pickle.load(file)
    before = _peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    problem = made.problem() if hasattr(made, "problem") else made
    built = time.process_time() - cpu
    result = engine(problem, options)
    again = result.get("replacement_s", 0.0), result.get("replacement_cpu_s", 0.0)
    result["wall_s"] = round(time.perf_counter() - wall - again[0], 3)
    result["cpu_s"] = round(time.process_time() - cpu - again[1], 3)
    if hasattr(made, "problem"):
        result["reach_cpu_s"] = round(built, 3)
    if again[1]:
        result.update(in_solves(result, result.get("cold", result)))
    result["peak_mb"], result["instance_mb"] = _peak_mb(), before
    return result


def in_solves(costs: Mapping[str, float], solve: Mapping[str, float]) -> dict[str, float]:
    """Replacement costs in solves: on the clock with and without loading compiled code, and CPU.

    Their searches go two at a time, a solve does not: the clock and the CPU tell different things.
    """
    wall, cpu = max(solve["wall_s"], 0.001), max(solve["cpu_s"], 0.001)
    return {
        "replacement_solves": round(costs["replacement_s"] / wall, 2),
        "replacement_solves_loaded": round((costs["replacement_s"] - costs["loading_s"]) / wall, 2),
        "replacement_cpu_solves_loaded": round(
            (costs["replacement_cpu_s"] - costs["loading_cpu_s"]) / cpu, 2
        ),
    }


def _imported(name: str) -> None:
    """Import what the engine needs: that is not the solving."""
    if name in ("ours", "real"):
        import siteselect.optimise  # noqa: F401
    elif name == "cpsat":
        from ortools.sat.python import cp_model  # noqa: F401
    elif name == "highs":
        import scipy.optimize  # noqa: F401
    elif name == "local":
        from selection_local import compiled

        compiled()


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _ours(problem: Any, options: Options) -> dict[str, Any]:
    from siteselect.optimise import solve

    found = solve(
        problem, time_limit_s=options.limit_s, ties=options.ties, keep=options.replacement
    )
    result = {
        "status": found.status, "proven": found.proven, "objective": found.objective,
        "bound": found.bound, "gap": found.gap,
        "timings_s": {key: round(value, 3) for key, value in found.timings.items()},
        "info": found.info,
    }  # fmt: skip
    return {**result, **replaced(problem, found, options)}


def replaced(problem: Any, found: Any, options: Options) -> dict[str, Any]:
    """What the replacement costs of a portfolio take, where they are asked for: with the loading of
    compiled code, where the solve did without, which is told apart.
    """
    from siteselect.optimise import prepare, replacement_costs

    if not options.replacement:
        return {}
    wall, cpu = time.perf_counter(), time.process_time()
    prepare()
    loading = time.perf_counter() - wall, time.process_time() - cpu
    costs = replacement_costs(problem, found, time_limit_s=options.limit_s)
    return {
        "replacement_s": round(time.perf_counter() - wall, 3),
        "replacement_cpu_s": round(time.process_time() - cpu, 3),
        "loading_s": round(loading[0], 3),
        "loading_cpu_s": round(loading[1], 3),
        "replacement_sites": len(costs),
        "replacement_proven": sum(one.status in ("optimal", "infeasible") for one in costs),
    }


def _real(run: Any, options: Options) -> dict[str, Any]:
    from selection_real import solved_again

    return solved_again(run, options)


def _local(problem: Any, options: Options) -> dict[str, Any]:
    from selection_local import local_search

    cover = problem.coverage
    trace = local_search(cover, problem.count, limit_s=max(options.limits_s))
    at = {f"{limit:g}": trace.at(limit) for limit in options.limits_s}
    return {"proven": False, "objective": trace.best, "restarts": trace.restarts, "at": at}


def _plain(problem: Any) -> tuple[Any, Any, Any, Any]:
    """Every row as float bounds: x, z, lower, upper."""
    import numpy as np

    from siteselect.problem import NO_LOWER, NO_UPPER

    rows = problem.rows()
    low = np.where(rows.lower == NO_LOWER, -np.inf, rows.lower.astype(float))
    high = np.where(rows.upper == NO_UPPER, np.inf, rows.upper.astype(float))
    return rows.x, rows.z, low, high


def _highs(problem: Any, options: Options) -> dict[str, Any]:
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
        options={"mip_rel_gap": 0, "time_limit": options.peer_limit_s},
    )
    value = None if done.x is None else round(-done.fun)
    bound = None if done.mip_dual_bound is None else -done.mip_dual_bound
    return {"proven": done.status == 0, "objective": value, "bound": bound}


def _cpsat(problem: Any, options: Options) -> dict[str, Any]:
    from siteselect.optimise import solve_plainly

    found = solve_plainly(problem, time_limit_s=options.peer_limit_s, workers=os.cpu_count() or 1)
    return {"proven": found.proven, "objective": found.objective, "bound": found.bound}


ENGINES: dict[str, Callable[[Any, Options], dict[str, Any]]] = {
    "ours": _ours,
    "cpsat": _cpsat,
    "highs": _highs,
    "local": _local,
    "real": _real,
}


if __name__ == "__main__":
    sys.exit(main())
