"""The figures as a plain table, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = f"{'engine':12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}  proven"


def table(result: Mapping[str, Any], *, heading: str = "") -> str:
    """One instance, many seeds, or runs."""
    lines = [heading] if heading else []
    if "runs" in result:
        for one in result["runs"]:
            lines += _run(one)
    elif "seeds" in result:
        lines += _seeds(result)
    else:
        lines += _instance(result)
    return "\n".join(lines)


def _instance(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"{HEAD}  objective  bound"
    for name, one in result["engines"].items():
        yield _line(name, one)
        if "replacement_solves" in one:
            yield (
                f"  replacement costs: {_in_solves(one)}, {one['replacement_proven']} of"
                f" {one['replacement_sites']} proven"
            )
        if "at" in one:
            yield "  known after: " + ", ".join(f"{s} s {v}" for s, v in one["at"].items())
    for name, ratio in result.get("ratio", {}).items():
        if ratio is not None:
            yield f"{name}: {ratio} times the CPU of ours"
    if "best_known" in result:
        known, local = (
            ", ".join(name for name, good in result[key].items() if good) or "none"
            for key in ("as_good", "as_good_as_local")
        )
        yield f"as good as the best known ({result['best_known']}): {known}"
        yield f"as good as the local search at its end: {local}"


def _line(name: str, one: Mapping[str, Any]) -> str:
    if "error" in one:
        return f"{name:12} {one['error']}"
    gap = one.get("gap")
    return (
        f"{name:12} {one['wall_s']:8.2f} {one['cpu_s']:8.2f} {one['peak_mb']:8.0f}"
        f"  {one['proven']!s:6}  {one['objective']}  {one.get('bound')}"
        + (f"  gap {100 * gap:.3f} %" if gap else "")
    )


def _seeds(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"seed {HEAD}  objective"
    for line in result["seeds"]:
        for name, one in line["engines"].items():
            yield f"{line['seed']:4} {_line(name, one)}"
    yield ""
    yield (
        f"{'engine':12} {'seeds':>5} {'proven':>6} {'CPU: med':>9} {'worst':>8} {'wall: med':>9}"
        f" {'worst':>8} {'worst MB':>8}  within target (CPU, wall, MB)"
    )
    for name, one in result["summary"].items():
        yield from _amount(name, one)


def _amount(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    if "worst_peak_mb" not in one:
        yield f"{name:12} {one['seeds']:5} failed on all"
        return
    within = [one[f"within_target_{key}"] for key in ("cpu_s", "wall_s", "mb")]
    yield (
        f"{name:12} {one['seeds']:5} {one['proven']:6} {one['median_cpu_s']:9.2f}"
        f" {one['worst_cpu_s']:8.2f} {one['median_wall_s']:9.2f} {one['worst_wall_s']:8.2f}"
        f" {one['worst_peak_mb']:8.0f}  "
        + ", ".join("-" if value is None else str(value) for value in within)
    )
    if "worst_gap" in one and one["worst_gap"] > 0:
        yield f"  worst gap {100 * one['worst_gap']:.3f} % (seed {one['worst_gap_seed']})"
    if "as_good" in one:
        yield (
            f"  as good as the best known on {one['as_good']}, as the local search on"
            f" {one['as_good_as_local']}"
        )
    if "median_replacement_solves" in one:
        yield (
            f"  replacement costs in solves: median {one['median_replacement_solves']:.1f},"
            f" worst {one['worst_replacement_solves']:.1f} (without loading compiled code"
            f" {one['median_replacement_solves_loaded']:.1f} and"
            f" {one['worst_replacement_solves_loaded']:.1f}, in CPU"
            f" {one['median_replacement_cpu_solves_loaded']:.1f} and"
            f" {one['worst_replacement_cpu_solves_loaded']:.1f}); {one['replacement_proven']} of"
            f" {one['replacement_sites']} proven"
        )


def _run(one: Mapping[str, Any]) -> Iterator[str]:
    if "error" in one:
        yield f"{one['run']}: {one['error']}"
        return
    yield f"{one['run']}: {one['sites']} sites, {one['columns']} columns, {one['peak_mb']:.0f} MB"
    cold = one["cold"]
    yield f"  cold: {cold['wall_s']:.2f} s, {cold['cpu_s']:.2f} CPU s, {cold['status']}"
    for again in one["again"]:
        weights = " / ".join(f"{weight:.2f}" for weight in again["weights"])
        yield (
            f"  {weights}: {again['wall_s']:.2f} s, {again['cpu_s']:.2f} CPU s, {again['status']}"
        )
    if "replacement_solves" in one:
        yield f"  replacement costs: {_in_solves(one)}"


def _in_solves(one: Mapping[str, Any]) -> str:
    return (
        f"{one['replacement_s']:.2f} s, {one['replacement_cpu_s']:.2f} CPU s"
        f" ({one['replacement_solves']:.1f} solves, {one['replacement_solves_loaded']:.1f} without"
        f" loading compiled code, {one['replacement_cpu_solves_loaded']:.1f} of CPU)"
    )
