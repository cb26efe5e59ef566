"""Decision support on a finished run: replacement costs, 200 draws, fronts, price curve.

    python tests/benchmarks/bench_decision.py RUN [--draws 200] [--workers 2]

Prints one JSON object: seconds of wall and of CPU (workers included) for each question, and how
many of its searches were proven optimal.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from siteselect.alternatives import near_optimal
from siteselect.draws import Uncertainty
from siteselect.ranking import replacement_costs
from siteselect.reopen import reopen
from siteselect.robustness import robustness
from siteselect.stakes import objective_of
from siteselect.tradeoffs import Front, three_objectives, two_objectives
from siteselect.zanprice import price_of_zan

GROUPS = ("access", "workforce", "network")


def cpu_s() -> float:
    """CPU of this process and of its finished workers."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in both)


def told(front: Front) -> dict[str, object]:
    """What a front is: points, searches, ends proven, widest gap."""
    return {
        "points": len(front.points),
        "solves": front.solves,
        "open": front.open,
        "ends": front.ends,
        "widest": round(front.widest, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=None, help="names of the questions to time")
    given = parser.parse_args()
    case = reopen(given.run)
    figures: dict[str, object] = {"run": given.run.name, "columns": case.problem.n_columns}

    def timed(name, question, proven):
        if given.only is not None and name not in given.only:
            return
        wall, cpu = time.perf_counter(), cpu_s()
        answer = question()
        figures[name] = {
            "wall_s": round(time.perf_counter() - wall, 2),
            "cpu_s": round(cpu_s() - cpu, 2),
            **proven(answer),
        }
        print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)

    timed(
        "replacement_costs",
        lambda: replacement_costs(case.problem, case.solution),
        lambda found: {"sites": len(found), "exact": sum(x.cost is not None for x in found)},
    )
    timed(
        "robustness",
        lambda: robustness(
            case, Uncertainty(draws=given.draws), structures=False, workers=given.workers
        ),
        lambda found: {
            "draws": given.draws,
            "proven": found.proven,
            "classes": found.sites["class"].value_counts().to_dict(),
        },
    )
    timed(
        "three_objectives",
        lambda: three_objectives(
            case.problem, [objective_of(case, name) for name in GROUPS]
        ),
        told,
    )  # fmt: skip
    for name in ("new_ha", "cost", "brownfields"):
        pair = [objective_of(case, "score"), objective_of(case, name)]
        timed(
            f"score_against_{name}",
            lambda pair=pair: two_objectives(case.problem, *pair, points=10),
            told,
        )
    timed(
        "price_of_zan",
        lambda: price_of_zan(case, steps=10, workers=given.workers),
        lambda curve: {"caps": len(curve.steps), "proven": curve.proven},
    )
    timed(
        "alternatives",
        lambda: near_optimal(case.problem, case.solution, loss_share=0.01, min_different=5),
        lambda found: {"found": len(found[0]), "ended": found[1]},
    )
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
