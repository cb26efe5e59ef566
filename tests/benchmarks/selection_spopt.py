"""spopt on one covering instance, the way its users write it; needs nothing of siteselect.

Run by the interpreter given as ``--peer-python``: geodataframes, ``MCLP.from_geodataframe``, CBC
through pulp. CPU seconds hold those of CBC, which is a process of its own; the limit is that of
CBC, the building cannot be stopped. Memory is that of the larger of the two processes.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def main() -> int:
    _, instance, options = sys.argv[1:]
    if find_spec("spopt") is None or find_spec("pulp") is None:
        print(json.dumps({"error": "not installed", "proven": False}))
        return 0
    import geopandas
    import pulp
    from spopt.locate import MCLP

    result = _solved(geopandas, pulp, MCLP, Path(instance), json.loads(options)["peer_limit_s"])
    print(json.dumps(result))
    return 0


def _solved(
    geopandas: Any, pulp: Any, model: Any, instance: Path, limit_s: float
) -> dict[str, Any]:
    import numpy as np

    made = np.load(instance.with_suffix(".npz"))
    wall, cpu = time.perf_counter(), _cpu_s()
    clients, places = (
        geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*made[name].T))
        for name in ("demand", "sites")
    )
    clients["weight"] = made["weight"]
    covering = model.from_geodataframe(
        clients, places, "geometry", "geometry", "weight", float(made["radius"]),
        int(made["count"]),
    )  # fmt: skip
    built = _cpu_s() - cpu
    solver = pulp.PULP_CBC_CMD(msg=False, timeLimit=limit_s)
    covering.problem.solve(solver)
    value = pulp.value(covering.problem.objective)
    return {
        "proven": covering.problem.sol_status == pulp.LpSolutionOptimal,
        "objective": None if value is None else round(value),
        "bound": None,
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(_cpu_s() - cpu, 3),
        "build_cpu_s": round(built, 3),
        "peak_mb": round(max(one.ru_maxrss for one in _usages()) / 1024, 1),
    }


def _usages() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu_s() -> float:
    return sum(one.ru_utime + one.ru_stime for one in _usages())


if __name__ == "__main__":
    sys.exit(main())
