"""The benchmark of the optimiser: its figures worked out by hand, and one tiny run of each kind."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selection_covering import Covering, scattered, towns  # type: ignore[import-not-found]
from selection_engines import in_solves  # type: ignore[import-not-found]
from selection_local import Portfolio, Trace, local_search  # type: ignore[import-not-found]
from selection_seeds import seeds_of, summary, targets  # type: ignore[import-not-found]
from selection_tables import table  # type: ignore[import-not-found]
from selection_verdicts import beside_peers, beside_search, of_run  # type: ignore[import-not-found]

BENCH = Path(__file__).with_name("bench_selection.py")


def figures(cpu_s: float, objective: int | None = 7, **more: Any) -> dict[str, Any]:
    return {
        "wall_s": 2 * cpu_s, "cpu_s": cpu_s, "peak_mb": 100.0, "proven": True,
        "objective": objective, "bound": 7, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", (3,)), ("1-4", (1, 2, 3, 4)), ("7-8,1,7", (1, 7, 8))],
)
def test_seeds(text: str, expected: tuple[int, ...]) -> None:
    assert seeds_of(text) == expected


@pytest.mark.parametrize("text", ["", "a", "4-2"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        seeds_of(text)


def test_targets_hold_for_the_sizes_and_the_reach_they_were_set_for() -> None:
    assert targets(100_000, coverage=False, reach_km=22.0) == {"seconds": 2.0, "mb": 400.0}
    assert targets(20_000, coverage=True, reach_km=22.0)["seconds"] == 15.0
    assert targets(20_000, coverage=True, reach_km=35.0)["seconds"] is None
    assert targets(777, coverage=False, reach_km=22.0)["seconds"] is None


def test_median_worst_and_what_is_within_the_target() -> None:
    costed = {
        "replacement_solves": 6.0, "replacement_solves_loaded": 4.0,
        "replacement_proven": 50, "replacement_sites": 50,
    }  # fmt: skip
    every = [figures(0.2), figures(0.6, **costed), {"error": "x", "proven": False}]
    lines = [{"seed": seed, "engines": {"ours": one}} for seed, one in enumerate(every, start=1)]
    found = summary(lines, {"seconds": 1.0, "mb": 100.0})["ours"]
    assert (found["seeds"], found["failed"], found["proven"]) == (3, 1, 2)
    assert (found["median_cpu_s"], found["worst_cpu_s"], found["worst_cpu_s_seed"]) == (0.4, 0.6, 2)
    assert (found["within_target_cpu_s"], found["within_target_wall_s"]) == (2, 1)
    assert found["within_target_mb"] == 0  # under, not at
    assert (found["worst_replacement_solves"], found["within_target_solves"]) == (6.0, 0)
    assert found["worst_replacement_solves_loaded"] == 4.0
    assert found["within_target_solves_loaded"] == 1
    costed["replacement_proven"] = 49  # one cost is not known: not within the target
    lines[1]["engines"]["ours"].update(costed)
    assert summary(lines, {})["ours"]["within_target_solves_loaded"] == 0
    assert summary(lines[2:], {})["ours"] == {"seeds": 1, "failed": 1, "proven": 0}
    assert summary(lines, {})["ours"]["within_target_cpu_s"] is None


def test_costs_in_solves_by_the_clock_and_by_the_cpu() -> None:
    """By hand: 1.5 s of which 0.5 were loading, beside a solve of 0.25 s."""
    costs = {
        "replacement_s": 1.5, "loading_s": 0.5, "replacement_cpu_s": 2.5, "loading_cpu_s": 0.5,
    }  # fmt: skip
    found = in_solves(costs, {"wall_s": 0.25, "cpu_s": 0.5})
    assert found == {
        "replacement_solves": 6.0, "replacement_solves_loaded": 4.0,
        "replacement_cpu_solves_loaded": 4.0,
    }  # fmt: skip


def test_peers_are_compared_by_cpu_and_by_the_optimum() -> None:
    peer, lost = figures(3.0), {"error": "not installed", "proven": False}
    found = beside_peers({"ours": figures(0.2), "highs": peer, "spopt": lost})
    assert found["ratio"] == {"highs": 15.0, "spopt": None}
    assert found["identical"] is True
    assert beside_peers({"ours": figures(1.0), "highs": figures(1.0, 6)})["identical"] is False
    open_peer = figures(1.0, 6, proven=False) | {"proven": False}
    assert beside_peers({"ours": figures(1.0), "cpsat": open_peer})["identical"] is True


def test_ours_is_as_good_from_the_limit_at_which_it_has_the_best_known() -> None:
    engines = {
        "local": figures(5.0, 88, at={}),
        "ours 2 s": figures(2.0, 88) | {"bound": 95, "gap": 7 / 88},
        "ours 5 s": figures(5.0, 90) | {"bound": 93, "gap": 3 / 90},
    }
    found = beside_search(engines)
    assert found["as_good_as_local"] == {"ours 2 s": True, "ours 5 s": True}
    assert found["behind"] == {"ours 2 s": 2 / 90, "ours 5 s": 0.0}
    assert (found["best_known"], found["as_good_after"]) == (90, "ours 5 s")
    assert found["as_good"] == {"ours 2 s": False, "ours 5 s": True}
    assert (found["gap"], found["bound"], found["identical"]) == (3 / 90, 93, True)
    engines["local"]["objective"] = 94  # more than is possible: a bound is wrong
    assert beside_search(engines)["identical"] is False
    assert beside_search(engines)["as_good_after"] is None


def test_a_change_of_weights_has_a_median_and_a_worst() -> None:
    again = [figures(one) for one in (0.1, 0.5, 0.3)]
    found = of_run({"cold": figures(1.0), "again": again, "proven": True})
    assert (found["again_median_cpu_s"], found["again_worst_wall_s"]) == (0.3, 1.0)
    assert found["again_proven"] == 3


def test_a_site_reaches_what_lies_within_the_radius() -> None:
    demand, sites = np.array([[0.0, 0.0], [0.3, 0.0], [1.0, 1.0]]), np.array([[0.1, 0.0], [1, 0.9]])
    problem = Covering(demand, sites, np.array([5, 6, 7]), 0.15, 1).problem()
    assert problem.coverage.matrix().toarray().tolist() == [[1, 0, 0], [0, 0, 1]]


def test_instances_come_from_their_seed() -> None:
    one, same, other = (scattered(30, 9, seed, radius=0.2, count=3) for seed in (1, 1, 2))
    assert (one.demand == same.demand).all()
    assert (one.demand != other.demand).any()
    dense = towns(40, 1, radius=0.06, count=3)
    assert dense.demand is dense.sites
    assert dense.weight.min() >= 1


def test_the_local_search_finds_the_optimum_of_a_small_covering() -> None:
    cover = scattered(40, 9, 5, radius=0.25, count=3).problem().coverage
    best = max(cover.value(np.array(sites)) for sites in itertools.combinations(range(9), 3))
    trace = local_search(cover, 3, limit_s=0.2)
    assert trace.best == best
    assert trace.values == sorted(trace.values)


def test_an_exchange_gains_what_a_recount_says_until_none_helps() -> None:
    cover = towns(60, 2, radius=0.06, count=4).problem().coverage
    now = Portfolio(cover, 4)
    for slot in range(4):
        now.put(slot, slot)
    while True:
        before = now.value
        gained = now.exchange()
        assert now.value == cover.value(now.slots) == before + gained
        if not gained:
            break
    slots = now.slots.tolist()
    swaps = [[*slots[:k], site, *slots[k + 1 :]] for k in range(4) for site in range(60)]
    assert max(cover.value(np.array(one)) for one in swaps) == now.value


def test_what_was_known_at_a_moment() -> None:
    trace = Trace([0.1, 1.5], [3, 8])
    assert [trace.at(limit) for limit in (0.05, 0.1, 1.0, 2.0)] == [None, 3, 3, 8]


def bench(tmp_path: Path, *given: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(BENCH), *given, "--json"], check=True, stdout=subprocess.PIPE,
        env={**os.environ, "SITESELECT_SHARED": str(tmp_path)},
    )  # fmt: skip
    return json.loads(done.stdout)


def test_seeds_of_a_covering_end_to_end(tmp_path: Path) -> None:
    found = bench(tmp_path, "--covering", "60x12", "--radius", "0.2", "--count", "3", "--seeds",
                  "1-2", "--engines", "ours,spopt")  # fmt: skip
    assert (found["identical"], found["proven"], found["demand"]) == (True, True, 60)
    assert [line["seed"] for line in found["seeds"]] == [1, 2]
    assert (found["summary"]["ours"]["proven"], found["summary"]["spopt"]["seeds"]) == (2, 2)
    assert "spopt" in table(found)
    for line in found["seeds"]:
        assert line["objective"] == line["bound"] == line["engines"]["ours"]["objective"]
        peer = line["engines"]["spopt"]  # another environment's, or not installed
        assert peer.get("error") == "not installed" or peer["objective"] == line["objective"]


@pytest.mark.slow
def test_a_generated_instance_keeps_its_contract(tmp_path: Path) -> None:
    found = bench(tmp_path, "--sites", "500", "--seed", "2", "--coverage", "--engines", "ours")
    assert {"engines", "identical", "proven", "objective", "bound", "seed"} <= set(found)
    assert {"cpu_s", "wall_s", "peak_mb"} <= set(found["engines"]["ours"])
    assert (found["generator"], found["coverage"], found["identical"]) == ("own", True, True)


@pytest.mark.slow
def test_a_dense_covering_end_to_end(tmp_path: Path) -> None:
    found = bench(tmp_path, "--dense", "150", "--count", "4", "--limits", "0.5")
    assert found["best_known"] == found["objective"] == found["engines"]["local"]["objective"]
    assert found["as_good"]["ours 0.5 s"] is True
