"""What the figures of several engines on one instance say together."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

Engines = Mapping[str, Mapping[str, Any]]


def beside_peers(engines: Engines) -> dict[str, Any]:
    """Ours beside the peers: one optimum, and how many times our CPU each of them takes."""
    values = {one["objective"] for one in engines.values() if one.get("proven")}
    ours = engines.get("ours", {})
    return {
        "engines": dict(engines),
        "identical": len(values) <= 1,
        "ratio": {name: _ratio(one, ours) for name, one in engines.items() if name != "ours"},
        "proven": bool(ours.get("proven")),
        "objective": ours.get("objective"),
        "bound": ours.get("bound"),
    }


def beside_search(engines: Engines) -> dict[str, Any]:
    """Ours at several limits beside a local search: who knows the best, and the certified gap.

    ``best_known`` is the best of all engines, ours with more time included; ``as_good`` says for
    each limit whether ours has it, ``as_good_as_local`` whether ours is worth at least what the
    local search ends with, ``behind`` how far ours is from the best known.
    """
    every = [one["objective"] for one in engines.values() if one.get("objective") is not None]
    ours = {name: one for name, one in engines.items() if name != "local"}
    local = engines.get("local", {}).get("objective")
    best = max(every, default=None)
    last = list(ours.values())[-1] if ours else {}
    as_good = {name: _at_least(one, best) for name, one in ours.items()}
    return {
        "engines": dict(engines),
        "best_known": best,
        "as_good": as_good,
        "as_good_as_local": {name: _at_least(one, local) for name, one in ours.items()},
        "as_good_after": next((name for name, good in as_good.items() if good), None),
        "behind": {name: _behind(one, best) for name, one in ours.items()},
        "gap": last.get("gap"),
        "identical": _bounds_hold(engines),
        "proven": bool(last.get("proven")),
        "objective": last.get("objective"),
        "bound": last.get("bound"),
    }


def _at_least(one: Mapping[str, Any], value: int | None) -> bool:
    return one.get("objective") is not None and (value is None or one["objective"] >= value)


def _behind(one: Mapping[str, Any], best: int | None) -> float | None:
    if best is None or one.get("objective") is None:
        return None
    return float((best - one["objective"]) / max(1, best))


def of_run(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a run, with the median and the worst of what a change of weights takes."""
    if "error" in figures:
        return dict(figures)
    again = figures["again"]
    found = dict(figures)
    for key in ("cpu_s", "wall_s"):
        found[f"again_median_{key}"] = round(median(one[key] for one in again), 3)
        found[f"again_worst_{key}"] = max(one[key] for one in again)
    found["again_proven"] = sum(bool(one["proven"]) for one in again)
    return found


def _bounds_hold(engines: Engines) -> bool:
    """Nobody found a portfolio worth more than our bound."""
    bounds = [
        one["bound"]
        for name, one in engines.items()
        if name.startswith("ours") and one.get("bound") is not None
    ]
    values = [one["objective"] for one in engines.values() if one.get("objective") is not None]
    return not bounds or not values or max(values) <= min(bounds)


def _ratio(peer: Mapping[str, Any], ours: Mapping[str, Any]) -> float | None:
    """CPU of the peer in multiples of ours; ``None`` where one of the two has none."""
    if "cpu_s" not in peer or "cpu_s" not in ours:
        return None
    return float(round(peer["cpu_s"] / max(ours["cpu_s"], 0.001), 1))
