"""Seeds as they are asked for, the figures to reach, and what many runs amount to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

PLAIN_S = {5_000: 1.0, 20_000: 1.0, 100_000: 2.0}
"""Seconds to reach on generated instances by number of sites, without union catchment."""
CATCHMENT_S = {5_000: 3.0, 20_000: 15.0, 100_000: 10.0}
"""The same with union catchment of 22 km."""
PLAIN_MB, CATCHMENT_MB = 400.0, 1000.0
REPLACEMENT_SOLVES = 5.0
"""Fifty replacement costs are to take less than so many solves."""
COSTS = (
    "cpu_s", "wall_s", "replacement_s", "replacement_cpu_s", "replacement_solves",
    "replacement_solves_loaded", "replacement_cpu_solves_loaded",
)  # fmt: skip


def seeds_of(text: str) -> tuple[int, ...]:
    """``1-20``, ``3`` or ``1,4,7-9``: seeds in order, each once."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    if not found:
        raise ValueError(f"no seed in {text!r}")
    return tuple(sorted(found))


def targets(sites: int, *, coverage: bool, reach_km: float) -> dict[str, float | None]:
    """Seconds and megabytes to reach; ``None`` where nobody asked for a figure."""
    if not coverage:
        return {"seconds": PLAIN_S.get(sites), "mb": PLAIN_MB}
    seconds = CATCHMENT_S.get(sites) if reach_km == 22.0 else None
    return {"seconds": seconds, "mb": CATCHMENT_MB}


def summary(
    lines: Sequence[Mapping[str, Any]], target: Mapping[str, float | None]
) -> dict[str, dict[str, Any]]:
    """Per engine: median and worst CPU and wall, worst peak, how many proven and within target.

    ``lines`` hold ``seed`` and ``engines``; an engine that failed on a seed counts as not proven.
    """
    names = dict.fromkeys(name for line in lines for name in line["engines"])
    found = {
        name: _of_engine([(line["seed"], line["engines"][name]) for line in lines], target)
        for name in names
    }
    for name in names:
        for key in ("as_good", "as_good_as_local"):
            if name in lines[0].get(key, {}):
                found[name][key] = sum(line[key][name] for line in lines)
    return found


def _of_engine(
    runs: Sequence[tuple[int, Mapping[str, Any]]], target: Mapping[str, float | None]
) -> dict[str, Any]:
    done = [(seed, one) for seed, one in runs if "error" not in one]
    found: dict[str, Any] = {
        "seeds": len(runs), "failed": len(runs) - len(done),
        "proven": sum(bool(one["proven"]) for _, one in done),
    }  # fmt: skip
    if not done:
        return found
    for key in COSTS:
        found.update(_spread(key, [(seed, one[key]) for seed, one in done if key in one]))
    gaps = [(seed, one["gap"]) for seed, one in done if one.get("gap") is not None]
    if gaps:
        found["worst_gap"], found["worst_gap_seed"] = max((gap, seed) for seed, gap in gaps)
    found["worst_peak_mb"] = max(one["peak_mb"] for _, one in done)
    seconds, memory = target.get("seconds"), target.get("mb")
    found["target_s"], found["target_mb"] = seconds, memory
    for key in ("cpu_s", "wall_s"):
        found[f"within_target_{key}"] = _within(key, seconds, (one for _, one in done))
    found["within_target_mb"] = _within("peak_mb", memory, (one for _, one in done))
    costed = [one for _, one in done if "replacement_solves" in one]
    if costed:
        for key in ("solves", "solves_loaded"):
            found[f"within_target_{key}"] = sum(
                one[f"replacement_{key}"] < REPLACEMENT_SOLVES
                and one["replacement_proven"] == one["replacement_sites"]
                for one in costed
            )
        for key in ("replacement_proven", "replacement_sites"):
            found[key] = sum(one[key] for one in costed)
    return found


def _spread(key: str, values: Sequence[tuple[int, float]]) -> dict[str, Any]:
    if not values:
        return {}
    worst = max(values, key=lambda pair: pair[1])
    return {
        f"median_{key}": round(median(value for _, value in values), 3),
        f"worst_{key}": worst[1],
        f"worst_{key}_seed": worst[0],
    }


def _within(key: str, most: float | None, runs: Iterable[Mapping[str, Any]]) -> int | None:
    """How many are proven and under the target; ``None`` without a target."""
    if most is None:
        return None
    return sum(bool(one["proven"]) and one[key] < most for one in runs)
