"""Two or more runs side by side: sites kept, entered, left; regions, criteria, ledgers, agreement.

Read from the run directories alone, nothing is solved again. Agreement of two portfolios is
their Jaccard index (Jaccard 1901) on sites, and Kendall's tau-b (Kendall 1938; ties as in 1945)
on the scores of the sites that either one selects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from siteselect.errors import Fault, InputError
from siteselect.ledger import PENE, PROGRAMME
from siteselect.messages import Msg
from siteselect.rundir import MANIFEST, RESULT, read_json, read_table
from siteselect.scenario import LEVELS

CHOSEN = ("selected", "forced_in")


@dataclass(frozen=True, eq=False)
class StoredRun:
    """What a comparison reads of a run directory."""

    label: str
    folder: Path
    result: Mapping[str, Any]
    manifest: Mapping[str, Any]
    sites: gpd.GeoDataFrame
    contributions: pd.DataFrame
    ledger: pd.DataFrame

    @property
    def selected(self) -> set[str]:
        """Identifiers of the selected sites."""
        return set(self.sites.loc[self.sites["status"].isin(CHOSEN), "site_id"])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side; the first is what the others are compared with.

    Attributes
    ----------
    labels
        name of each run, in the order given.
    sites
        one row per site selected by any run: site_id, name, commune, region_name, kind, then one
        column per run (its status), ``movement`` (kept, entered, left, mixed) and geometry.
    agreement
        one row per pair of runs: first, second, kept, entered, left, jaccard, kendall.
    regions, criteria, ledgers, totals, settings
        one row per region, criterion (mean points of the selected), ledger (net, cap, balance),
        figure, and key of the scenario that differs; one column per run.
    notices
        why some figures cannot be compared.
    """

    labels: tuple[str, ...]
    sites: gpd.GeoDataFrame
    agreement: pd.DataFrame
    regions: pd.DataFrame
    criteria: pd.DataFrame
    ledgers: pd.DataFrame
    totals: pd.DataFrame
    settings: pd.DataFrame
    notices: tuple[Msg, ...]


def compare_runs(folders: Sequence[str | Path]) -> Comparison:
    """Compare run directories.

    Raises
    ------
    InputError
        Fewer than two runs, or a folder that is not a run.
    """
    if len(folders) < 2:
        raise InputError(
            Fault(
                Msg("a comparison needs at least two runs"),
                value=len(folders),
                remedy=Msg("name two or more run folders"),
            )
        )
    runs = [
        _read(Path(folder), label) for folder, label in zip(folders, _labels(folders), strict=True)
    ]
    return Comparison(
        labels=tuple(run.label for run in runs),
        sites=_sites(runs),
        agreement=_agreement(runs),
        regions=_regions(runs),
        criteria=_criteria(runs),
        ledgers=_ledgers(runs),
        totals=_totals(runs),
        settings=_settings(runs),
        notices=tuple(_notices(runs)),
    )


def agreement(first: set[str], second: set[str]) -> float:
    """Jaccard index: shared sites over all sites of either; 1 for two empty sets."""
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def _labels(folders: Sequence[str | Path]) -> list[str]:
    """Folder names; with the parent where two are the same; numbered in the last resort."""
    paths = [Path(folder).resolve() for folder in folders]
    short = [path.name for path in paths]
    if len(set(short)) < len(short):
        short = [f"{path.parent.name}/{path.name}" for path in paths]
    if len(set(short)) < len(short):
        short = [f"{name} ({i})" for i, name in enumerate(short, 1)]
    return short


def _read(folder: Path, label: str) -> StoredRun:
    return StoredRun(
        label,
        folder,
        read_json(folder / RESULT),
        read_json(folder / MANIFEST),
        read_table(folder, "sites.parquet"),
        read_table(folder, "contributions.parquet"),
        read_table(folder, "ledger.parquet"),
    )


FACTS = ("site_id", "name", "kind", "code_insee", "commune", "region_name")


def _sites(runs: Sequence[StoredRun]) -> gpd.GeoDataFrame:
    wanted = sorted(set().union(*(run.selected for run in runs)))
    every = pd.concat([run.sites[[*FACTS, "geometry"]] for run in runs])
    facts = every.drop_duplicates("site_id").set_index("site_id").loc[wanted]
    table = gpd.GeoDataFrame(facts, geometry="geometry", crs=runs[0].sites.crs)
    inside = []
    for run in runs:
        status = run.sites.set_index("site_id")["status"].reindex(wanted)
        table[run.label] = status.where(status.notna(), None)
        inside.append(np.array([name in run.selected for name in wanted]))
    table["movement"] = [_movement([bool(x[i]) for x in inside]) for i in range(len(wanted))]
    columns = [name for name in table if name != "geometry"]
    return table[[*columns, "geometry"]].reset_index()


def _movement(inside: Sequence[bool]) -> str:
    first, others = inside[0], inside[1:]
    if all(inside):
        return "kept"
    if first and not any(others):
        return "left"
    if not first and all(others):
        return "entered"
    return "mixed"


def _agreement(runs: Sequence[StoredRun]) -> pd.DataFrame:
    rows = []
    for one, two in combinations(runs, 2):
        first, second = one.selected, two.selected
        rows.append(
            {
                "first": one.label,
                "second": two.label,
                "kept": len(first & second),
                "entered": len(second - first),
                "left": len(first - second),
                "jaccard": agreement(first, second),
                "kendall": _kendall(one, two),
            }
        )
    return pd.DataFrame(rows)


def _kendall(one: StoredRun, two: StoredRun) -> float:
    """Tau-b of the scores of sites that either run selects; NaN when it is not defined."""
    a = one.sites.set_index("site_id")["score"]
    b = two.sites.set_index("site_id")["score"]
    both = sorted((one.selected | two.selected) & set(a.index) & set(b.index))
    x, y = a.loc[both].to_numpy(dtype=float), b.loc[both].to_numpy(dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 2:
        return float("nan")
    return float(kendalltau(x[known], y[known]).statistic)


def _regions(runs: Sequence[StoredRun]) -> pd.DataFrame:
    names: dict[str, str] = {}
    for run in runs:
        pairs = run.sites[["region", "region_name"]].dropna()
        names.update(zip(pairs["region"], pairs["region_name"], strict=True))
    table = pd.DataFrame({"region": sorted(names)})
    table["region_name"] = [names[code] for code in table["region"]]
    for run in runs:
        chosen = run.sites[run.sites["site_id"].isin(run.selected)]
        counts = chosen["region"].value_counts()
        area = chosen.groupby("region")["usable_ha"].sum()
        table[run.label] = table["region"].map(counts).fillna(0).astype(int)
        table[f"{run.label} (ha)"] = table["region"].map(area).fillna(0.0).round(2)
    return table


def _criteria(runs: Sequence[StoredRun]) -> pd.DataFrame:
    means = {run.label: run.contributions.reindex(sorted(run.selected)).mean() for run in runs}
    table = pd.DataFrame(means)
    table.loc["score"] = [
        float(run.sites.set_index("site_id").loc[sorted(run.selected), "score"].mean())
        for run in runs
    ]
    return table.rename_axis("criterion").reset_index()


def _ledgers(runs: Sequence[StoredRun]) -> pd.DataFrame:
    keys = ["level", "code", "name"]
    table: pd.DataFrame | None = None
    for run in runs:
        figures = run.ledger[[*keys, "gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha"]]
        renamed = figures.rename(
            columns={name: f"{name} ({run.label})" for name in figures if name not in keys}
        )
        table = renamed if table is None else table.merge(renamed, on=keys, how="outer")
    assert table is not None
    order = {level: place for place, level in enumerate((PROGRAMME, PENE, *reversed(LEVELS)))}
    return (
        table.assign(_order=table["level"].map(order))
        .sort_values(["_order", "code"])
        .drop(columns="_order")
        .reset_index(drop=True)
    )


def _totals(runs: Sequence[StoredRun]) -> pd.DataFrame:
    figures: dict[str, dict[str, object]] = {}
    for run in runs:
        for name in ("status", "objective", "bound", "gap"):
            figures.setdefault(name, {})[run.label] = run.result[name]
        for name, value in run.result["totals"].items():
            figures.setdefault(name, {})[run.label] = value
    table = pd.DataFrame.from_dict(figures, orient="index", columns=[r.label for r in runs])
    return table.rename_axis("figure").reset_index()


def _settings(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """Keys of the scenarios that differ, dotted, as text."""
    flat = [_flattened(run.manifest["scenario"]) for run in runs]
    keys = sorted(set().union(*flat))
    rows = [
        {
            "key": key,
            **{run.label: tree.get(key, "—") for run, tree in zip(runs, flat, strict=True)},
        }
        for key in keys
        if len({tree.get(key, "—") for tree in flat}) > 1
    ]
    return pd.DataFrame(rows, columns=["key", *(run.label for run in runs)])


def _flattened(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            value = {f"{k}": one for k, one in enumerate(value, 1)}  # entries of a list of tables
        if isinstance(value, Mapping):
            found.update(_flattened(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = str(value)
    return found


def _notices(runs: Sequence[StoredRun]) -> list[Msg]:
    found = []
    first = runs[0]
    for run in runs[1:]:
        if run.manifest["pack"]["digest"] != first.manifest["pack"]["digest"]:
            found.append(
                Msg(
                    "{first} and {second} rest on different data packs: sites are matched by "
                    "identifier, figures are not comparable one to one",
                    first=first.label, second=run.label,
                )
            )  # fmt: skip
        ours, theirs = (_scoring(one.manifest["scenario"]) for one in (first, run))
        if ours != theirs:
            found.append(
                Msg(
                    "{first} and {second} score sites differently: their objectives are not "
                    "on one scale",
                    first=first.label, second=run.label,
                )
            )  # fmt: skip
    found += [
        Msg("{run} is not proven optimal (status {status})", run=run.label,
            status=run.result["status"])
        for run in runs
        if run.result["status"] != "optimal"
    ]  # fmt: skip
    return found


def _scoring(scenario: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(scenario.get(key) for key in ("weights", "criteria", "variants", "network"))
