"""Many scenarios from one file: named variants, full grids, designs of experiments.

::

    extends = "reference.toml"

    [named.strict]                      # variants by name: dotted keys and their values
    "zan.offsets" = false

    [sweep]                             # every combination of the values
    "weights.workforce" = [0.2, 0.35, 0.6]
    count = [30, 50]

    [design]                            # points spread over ranges, drawn from a seed
    method = "latin_hypercube"          # or "sobol"
    runs = 40
    seed = 1
    [design.ranges]
    "weights.access" = [0.1, 0.6]

Tables that stand together multiply: every variant with every combination with every point.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siteselect.errors import FaultLog
from siteselect.messages import Msg
from siteselect.scenario_keys import scenario_keys, unknown_key

METHODS = ("latin_hypercube", "sobol")
MOST_RUNS = 100_000
"""More scenarios than this in one grid are a slip of the pen."""
DIGITS = 6
"""Significant digits kept of a drawn value: readable, and the same on every machine."""

Keys = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One scenario of a grid: a name (unique in its file) and the dotted keys it sets."""

    name: str
    keys: Mapping[str, Any]

    def tree(self) -> dict[str, Any]:
        """The keys as nested tables."""
        nested: dict[str, Any] = {}
        for dotted, value in self.keys.items():
            *tables, last = dotted.split(".")
            here = nested
            for table in tables:
                here = here.setdefault(table, {})
            here[last] = value
        return nested


def steps_of(grid: Mapping[str, Any], *, file: Path | None = None) -> tuple[Step, ...]:
    """The scenarios of a grid, in the order of the file; one step without keys for no grid.

    Raises
    ------
    InputError
        every fault of the three tables: unknown keys, empty lists, ranges, too many runs.
    """
    log = FaultLog()
    named = _named(grid.get("named", {}), file, log)
    axes = _axes(grid.get("sweep", {}), file, log)
    points = _points(grid.get("design"), file, log)
    _check_overlap(named, axes, points, file, log)
    total = max(len(named), 1) * max(len(points), 1)
    for values in axes.values():
        total *= max(len(values), 1)
    if total > MOST_RUNS:
        log.add(
            Msg("the grid has {total} scenarios, more than {most}", total=total, most=MOST_RUNS),
            file=file,
            where="sweep",
            remedy=Msg("draw a design of experiments instead: [design]"),
        )
    log.check()
    combinations = [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())
    ]
    numbered = bool(axes) or bool(points)
    return tuple(
        Step(_name(variant, number if numbered else None, len(combinations)), keys)
        for variant, keys, number in _product(named, combinations, points)
    )


def _product(
    named: Mapping[str, Keys], combinations: Sequence[Keys], points: Sequence[Keys]
) -> list[tuple[str, Keys, int]]:
    every = []
    for variant, own in (named or {"": {}}).items():
        pairs = itertools.product(combinations, points or [{}])
        for number, (combination, point) in enumerate(pairs, start=1):
            every.append((variant, {**own, **combination, **point}, number))
    return every


def _name(variant: str, number: int | None, most: int) -> str:
    shown = "" if number is None else f"{number:0{max(3, len(str(most)))}d}"
    return "-".join(part for part in (variant, shown) if part)


def flattened(table: Mapping[str, Any]) -> Keys:
    """Nested tables as dotted keys; ``"a.b" = …`` and ``[a]`` ``b = …`` mean the same."""
    flat: Keys = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": one for inner, one in flattened(value).items()})
        else:
            flat[key] = value
    return flat


def _named(table: Any, file: Path | None, log: FaultLog) -> dict[str, Keys]:
    if not _is_table(table, "named", file, log):
        return {}
    variants = {}
    for name, keys in table.items():
        if _is_table(keys, f"named.{name}", file, log):
            variants[name] = flattened(keys)
            _check_keys(variants[name], f"named.{name}", file, log)
    return variants


def _axes(table: Any, file: Path | None, log: FaultLog) -> dict[str, list[Any]]:
    if not _is_table(table, "sweep", file, log):
        return {}
    axes = flattened(table)
    _check_keys(axes, "sweep", file, log)
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            log.add(
                Msg("a sweep needs a list of values"),
                file=file,
                where=f"sweep.{key}",
                value=values,
                remedy=Msg("write for example {key} = [30, 50]", key=key),
            )
    return {key: values for key, values in axes.items() if isinstance(values, list)}


def _points(design: Any, file: Path | None, log: FaultLog) -> list[Keys]:
    if design is None or not _is_table(design, "design", file, log):
        return []
    ranges = flattened(design.get("ranges", {})) if isinstance(design.get("ranges"), dict) else {}
    _check_keys(ranges, "design.ranges", file, log)
    for key, bounds in ranges.items():
        if not _is_range(bounds):
            log.add(
                Msg("a range is a list of its least and its greatest value"),
                file=file,
                where=f"design.ranges.{key}",
                value=bounds,
                remedy=Msg("write for example [0.1, 0.6]"),
            )
    runs, seed, method = design.get("runs"), design.get("seed", 1), design.get("method", METHODS[0])
    known = {"method", "runs", "seed", "ranges"}
    for where, wrong, remedy in (
        ("runs", not _is_count(runs, 1), Msg("write how many scenarios to draw: runs = 40")),
        ("seed", not _is_count(seed, 0), Msg("write a whole number: seed = 1")),
        ("method", method not in METHODS, Msg('write method = "latin_hypercube" or "sobol"')),
        ("ranges", not ranges, Msg('write [design.ranges] and "weights.access" = [0.1, 0.6]')),
        (", ".join(sorted(set(design) - known)), set(design) - known, Msg("remove it")),
    ):
        if wrong:
            log.add(
                Msg("the design of experiments is not complete or not valid"),
                file=file,
                where=f"design.{where}",
                value=design.get(where),
                remedy=remedy,
            )
    if log.faults:
        return []
    return _drawn(ranges, runs, seed, method)


def _drawn(ranges: Mapping[str, list[float]], runs: int, seed: int, method: str) -> list[Keys]:
    """Points of a design: Latin hypercube (McKay et al. 1979) or scrambled Sobol (Owen 1998)."""
    from scipy.stats import qmc  # a third of a second, for designs alone

    generator = np.random.default_rng(seed)
    if method == "sobol":
        sampler = qmc.Sobol(len(ranges), rng=generator)
        unit = sampler.random_base2(max(runs - 1, 0).bit_length())[:runs]
    else:
        unit = qmc.LatinHypercube(len(ranges), rng=generator).random(runs)
    whole = {key.path for key in scenario_keys() if key.type.startswith("whole number")}
    return [
        {
            key: _within(share, bounds, whole=key in whole)
            for share, (key, bounds) in zip(row, ranges.items(), strict=True)
        }
        for row in unit.tolist()
    ]


def _within(share: float, bounds: Sequence[float], *, whole: bool) -> float | int:
    least, most = bounds
    if whole:
        return int(least + min(int(share * (most - least + 1)), most - least))
    return float(f"{least + share * (most - least):.{DIGITS}g}")


def _is_table(value: Any, where: str, file: Path | None, log: FaultLog) -> bool:
    if isinstance(value, Mapping):
        return True
    log.add(
        Msg("a table of keys is expected"),
        file=file,
        where=where,
        value=value,
        remedy=Msg("write [{where}] and its keys below", where=where),
    )
    return False


def _is_range(bounds: Any) -> bool:
    numbers = isinstance(bounds, list) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in bounds
    )
    return numbers and len(bounds) == 2 and bounds[0] < bounds[1]


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _check_keys(keys: Mapping[str, Any], table: str, file: Path | None, log: FaultLog) -> None:
    for key in keys:
        fault = unknown_key(key)
        if fault is not None:
            log.add(fault.message, file=file, where=f"{table}.{key}", remedy=fault.remedy)


def _check_overlap(
    named: Mapping[str, Keys],
    axes: Mapping[str, Any],
    points: Sequence[Keys],
    file: Path | None,
    log: FaultLog,
) -> None:
    """A key set by two of the tables would silently take the value of the last."""
    sets = [set(axes), set(points[0] if points else ()), set().union(*map(set, named.values()))]
    for first, second in itertools.combinations(sets, 2):
        for key in sorted(first & second):
            log.add(
                Msg("two tables of the grid set the same key"),
                file=file,
                where=key,
                remedy=Msg("keep it in one of [named], [sweep] and [design.ranges]"),
            )
