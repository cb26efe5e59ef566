"""The exact optimiser beside its peers on the same instances: seconds, memory, proof.

    python tests/benchmarks/bench_selection.py --sites 20000 --seed 1 --coverage --json
    python tests/benchmarks/bench_selection.py --sites 20000 --seeds 1-20 --engines ours --json
    python tests/benchmarks/bench_selection.py --covering 5000x1000 --count 50 --json
    python tests/benchmarks/bench_selection.py --dense 1800 --radius 0.06 --count 20 --json
    python tests/benchmarks/bench_selection.py --real RUN... --json

Each engine runs in a process of its own on the same instance, which another process made: seconds
of CPU and wall for the solving, peak memory of the process (the arrays of the instance included,
what making them took left out), objective, bound and whether the optimum is proven. ``proven`` of
the whole is ours; ``identical`` is true when no engine that proved an optimum found another one.
Peers stop at ``--peer-limit`` seconds. Every figure wanted has its command in ``selection.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from selection_covering import make_scattered, make_towns
from selection_engines import Options, engine_alone, made_alone
from selection_instance import make_generated, published, source
from selection_real import make_reopened
from selection_seeds import seeds_of, summary, targets
from selection_tables import table
from selection_verdicts import beside_peers, beside_search, of_run

ENGINES = ("ours", "cpsat", "highs", "spopt")
SCATTERED_RADIUS, TOWNS_RADIUS = 0.05, 0.06
Figures = dict[str, Any]


def main() -> int:
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        result = _mode(given)(given, Path(folder) / "instance.pickle")
    print(json.dumps(result) if given.json else table(result))
    return 0 if result["identical"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    what = parser.add_argument_group("what to solve").add_mutually_exclusive_group()
    what.add_argument("--sites", type=int, default=5_000, help="generated instance, candidates")
    what.add_argument("--covering", type=_sizes, metavar="DEMANDxSITES", help="scattered points")
    what.add_argument("--dense", type=int, metavar="POINTS", help="towns, each point a candidate")
    what.add_argument("--real", type=Path, nargs="+", metavar="RUN", help="finished runs")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", type=int, default=1)
    which.add_argument("--seeds", type=seeds_of, help="1-20 or 1,3,5: median and worst as well")
    parser.add_argument("--coverage", action="store_true", help="union catchment in the objective")
    parser.add_argument("--reach", type=float, default=22.0, help="reach of the catchment, km")
    parser.add_argument("--radius", type=float, help="in the unit square; 0.05, towns 0.06")
    parser.add_argument("--count", type=int, default=50, help="sites wanted of a covering")
    parser.add_argument("--engines", help="ours,cpsat,highs; with --covering spopt too")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for ours")
    parser.add_argument("--limits", default="2,5,10,30", help="seconds for --dense, one run each")
    parser.add_argument("--peer-limit", type=float, default=40.0, help="seconds for the peers")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter with spopt")
    parser.add_argument("--replacement", action="store_true", help="time replacement costs too")
    parser.add_argument("--no-ties", action="store_true", help="any of the optimal portfolios")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.engines = (given.engines or _usual(given)).split(",")
    if unknown := set(given.engines) - set(ENGINES):
        parser.error(f"unknown engines: {', '.join(sorted(unknown))}")
    if "spopt" in given.engines and not given.covering:
        parser.error("spopt solves coverings alone: --covering")
    return given


def _sizes(text: str) -> tuple[int, int]:
    demand, sites = text.split("x")
    return int(demand), int(sites)


def _usual(given: argparse.Namespace) -> str:
    return "ours,spopt,cpsat,highs" if given.covering else "ours,cpsat,highs"


def _options(given: argparse.Namespace) -> Options:
    return Options(
        limit_s=given.limit, peer_limit_s=given.peer_limit, replacement=given.replacement,
        limits_s=tuple(float(one) for one in given.limits.split(",")), ties=not given.no_ties,
        peer_python=given.peer_python,
    )  # fmt: skip


def _mode(given: argparse.Namespace) -> Callable[[argparse.Namespace, Path], Figures]:
    if given.real:
        return _real
    if given.dense:
        return partial(_by_seed, one=_dense, target={})
    if given.covering:
        return partial(_by_seed, one=_covering, target={"mb": 200.0})
    target = targets(given.sites, coverage=given.coverage, reach_km=given.reach)
    return partial(_by_seed, one=_generated, target=target)


def _by_seed(
    given: argparse.Namespace, path: Path, *, one: Callable[..., Figures],
    target: dict[str, float | None],
) -> Figures:  # fmt: skip
    """One instance, or a line for each seed and what they amount to."""
    if given.seeds is None:
        return one(given, path, given.seed)
    lines = []
    for seed in given.seeds:
        lines.append(one(given, path, seed))
        print(table(lines[-1], heading=f"seed {seed}"), file=sys.stderr, flush=True)
    shared = {key: value for key, value in lines[0].items() if key in WHAT}
    found = {
        **shared, "seeds": [{k: v for k, v in line.items() if k not in WHAT} for line in lines],
        "summary": summary(lines, target),
        "identical": all(line["identical"] for line in lines),
        "proven": all(line["proven"] for line in lines),
    }  # fmt: skip
    return found


WHAT = ("sites", "demand", "coverage", "reach_km", "radius", "count", "generator")
"""What is the same for all the seeds."""


def _generated(given: argparse.Namespace, path: Path, seed: int) -> Figures:
    made_alone(make_generated, path, given.sites, seed, given.coverage, given.reach)
    engines = {name: engine_alone(name, path, _options(given)) for name in given.engines}
    return {
        "sites": given.sites, "seed": seed, "coverage": given.coverage,
        "reach_km": given.reach, "generator": source(), **beside_peers(engines),
        "published": published(given.sites, seed, coverage=given.coverage),
    }  # fmt: skip


def _covering(given: argparse.Namespace, path: Path, seed: int) -> Figures:
    demand, sites = given.covering
    radius = given.radius or SCATTERED_RADIUS
    made_alone(make_scattered, path, demand, sites, seed, radius, given.count)
    engines = {name: engine_alone(name, path, _options(given)) for name in given.engines}
    return {
        "demand": demand, "sites": sites, "seed": seed, "radius": radius, "count": given.count,
        **beside_peers(engines),
    }  # fmt: skip


def _dense(given: argparse.Namespace, path: Path, seed: int) -> Figures:
    radius, options = given.radius or TOWNS_RADIUS, _options(given)
    made_alone(make_towns, path, given.dense, seed, radius, given.count)
    engines = {"local": engine_alone("local", path, options)}
    for limit in options.limits_s:
        own = Options(limit_s=limit, ties=options.ties)
        engines[f"ours {limit:g} s"] = engine_alone("ours", path, own)
    return {
        "sites": given.dense, "demand": given.dense, "seed": seed, "radius": radius,
        "count": given.count, **beside_search(engines),
    }  # fmt: skip


def _real(given: argparse.Namespace, path: Path) -> Figures:
    runs = []
    for run in given.real:
        try:
            made_alone(make_reopened, path, run)
            figures = of_run(engine_alone("real", path, _options(given)))
        except RuntimeError as error:  # the other process has said why
            figures = {"error": str(error), "proven": False}
        runs.append({"run": run.name, **figures})
        print(table({"runs": runs[-1:]}), file=sys.stderr, flush=True)
    return {"runs": runs, "identical": True, "proven": all(one["proven"] for one in runs)}


if __name__ == "__main__":
    sys.exit(main())
