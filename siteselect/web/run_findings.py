"""Ledger, restoration, analyses and comparison of finished runs, as a page shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from siteselect.analysis import FACTS
from siteselect.analysis import FOLDER as ANALYSES
from siteselect.compare import Comparison, compare_runs
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.decision import HEADINGS, VALUES
from siteselect.report.words import RUN_STATUS, criterion_label, word
from siteselect.rundir import MANIFEST, read_json, read_table
from siteselect.units import score_from_units
from siteselect.web.run_sites import PLACES, to_web

HEADED = {
    **HEADINGS,
    "objective_lost": Msg("Cost in the objective (points)"),
    "rank_by_score": Msg("rank by score"),
    "commune": Msg("commune"),
    "replaces": Msg("stands in for (sites)"),
    "draw": Msg("draw"),
    "draws_chosen": Msg("draws that choose it"),
    "bound": Msg("bound"),
    "kept": Msg("sites kept"),
    "proven": Msg("proven"),
    "status": Msg("status"),
}
FIRST = ("rank", "site_id", "name", "commune", "region_name")
LAST = ("status", "enter", "leave", "replaces_sites")
"""Columns of analyses that people look at first and last; the others stand between."""
MOST_ROWS = 200
"""Rows of a table of an analysis that are sent; its files have them all."""
TITLES: Mapping[str, Msg] = {
    "ranking": Msg("Replacement costs and reserve"),
    "robustness": Msg("Robustness"),
    "alternatives": Msg("Other good portfolios"),
    "tradeoffs-zan": Msg("The price of zero net artificialisation"),
    "tradeoffs-groups": Msg("Access, workforce and networks against each other"),
    "tradeoffs-new_ha": Msg("Score against newly artificialised land"),
    "tradeoffs-cost": Msg("Score against the cost of works"),
    "tradeoffs-brownfields": Msg("Score against the number of brownfields"),
    "equity": Msg("Who is served"),
    "jobs": Msg("Jobs"),
}
TABLES: Mapping[str, Msg] = {
    "sites": Msg("Sites"), "replacement": Msg("Replacement costs"),
    "reserve": Msg("Reserve as the model would take it"),
    "overrides": Msg("Cost of each override"), "nested": Msg("Nested order"),
    "acceptability": Msg("Acceptability of each rank"),
    "structures": Msg("With other rules"), "draws": Msg("Draws"),
    "portfolios": Msg("Portfolios"), "common": Msg("Sites in all of them"),
    "points": Msg("Points of the curve"), "regions": Msg("Regions"),
    "territories": Msg("Territories"), "unemployment": Msg("Unemployment"),
    "reach": Msg("Workforce within reach"), "jobs": Msg("Jobs by site"),
}  # fmt: skip
PLOTS: Mapping[str, Msg] = {
    "replacement": Msg("What the programme loses without each site"),
    "frequency": Msg("How often each site is chosen when weights, data and caps vary"),
    "acceptability": Msg("Rank of each site when weights, data and caps vary"),
    "front": Msg("What is given up for what"),
    "regions": Msg("Sites and population by region"),
    "jobs": Msg("Jobs: low, central and high assumption"),
}
FIGURES: Mapping[str, Msg] = {
    "status": Msg("Status of the computation"),
    "objective": Msg("Objective (sum of scores)"),
    "bound": Msg("Proven upper bound"),
    "gap": Msg("Gap between the two"),
    "usable_ha": Msg("Usable area (ha)"),
    "new_artificialisation_ha": Msg("New artificialisation (ha)"),
    "restored_ha": Msg("Restored (ha)"),
    "net_ha": Msg("Net balance (ha)"),
    "cost_keur": Msg("Cost of the sites (k€)"),
    "restoration_cost_keur": Msg("Cost of restoration (k€)"),
    "brownfield_share": Msg("Brownfield share"),
    "price_of_zan": Msg("Price of ZAN (points)"),
}
"""Figures of a comparison, in the order people read them; the others are for programs."""
IN_POINTS = {"objective", "bound", "price", "loss", "replacement_cost"}
"""Columns of the analyses that some write in points and others, for programs, × 10⁶."""
MILLION, MOST_POINTS = 1e6, 1e4
IN_MILLIONTHS = frozenset({"objective", "bound", "price_of_zan"})


def ledger_rows(folder: Path, t: Translator) -> list[dict[str, Any]]:
    """Every row of the ledger; ``cap_ha`` and ``balance_ha`` are null without a cap."""
    table = read_table(folder, "ledger.parquet")
    rows = [{str(k): _value(v) for k, v in row.items()} for row in table.to_dict("records")]
    for row in rows:
        row["level_label"] = word("level", row["level"], t)
        row["name"] = row["name"] or t.text(Msg("whole programme"))
    return rows


def restoration_geojson(folder: Path) -> dict[str, Any]:
    """The parcels restored, in longitude and latitude."""
    table = read_table(folder, "restoration.parquet")
    names = [name for name in table.columns if name != "geometry"]
    features = [
        {
            "type": "Feature",
            "properties": {name: _value(row[name]) for name in names},
            "geometry": to_web(row["geometry"]),
        }
        for row in table.to_dict("records")
    ]
    return {"type": "FeatureCollection", "features": features}


def decisions(folder: Path, t: Translator, *, plot_url: str) -> list[dict[str, Any]]:
    """The analyses kept beside a run; ``plot_url`` takes ``{name}`` and ``{plot}``.

    What is half-written, damaged or a comparison is left out.
    """
    found = []
    for place in _analyses(folder):
        try:
            facts = read_json(place / FACTS)
            tables = [
                _analysis_table(path, t) for path in sorted(place.glob("*.parquet"), key=_order)
            ]
        except (InputError, OSError, ValueError):
            continue
        found.append(
            {
                "name": place.name,
                "title": _title(TITLES, place.name, t),
                "facts": facts,
                "tables": tables,
                "plots": [
                    {
                        "url": plot_url.format(name=place.name, plot=path.name),
                        "title": _title(PLOTS, path.stem, t),
                        "alt": t.text(
                            Msg("{title}: the tables beside it give the same figures",
                                title=PLOTS.get(path.stem, path.stem))
                        ),
                    }
                    for path in sorted(place.glob("*.png"))
                ],
            }
        )  # fmt: skip
    return found


def plot_file(folder: Path, name: str, plot: str) -> Path | None:
    """A figure of an analysis, where there is one; only names that were listed are looked at."""
    for place in _analyses(folder):
        if place.name == name:
            figures = (one for one in place.glob("*.png") if not one.is_symlink())
            return next((one for one in figures if one.name == plot), None)
    return None


def _analyses(folder: Path) -> list[Path]:
    root = folder / ANALYSES
    if root.is_symlink() or not root.is_dir():
        return []
    return [
        place
        for place in sorted(root.iterdir())
        if not place.name.startswith((".", "compare-"))
        and not place.is_symlink()
        and (place / FACTS).is_file()
    ]


def _analysis_table(path: Path, t: Translator) -> dict[str, Any]:
    table = pd.read_parquet(path)
    kept = table.drop(columns=[name for name in ("geometry",) if name in table])
    for name in IN_POINTS & set(kept):
        known = pd.to_numeric(kept[name], errors="coerce")
        if known.abs().max() > MOST_POINTS:
            kept[name] = known / MILLION
    names = [str(name) for name in kept]
    middle = [name for name in names if name not in (*FIRST, *LAST)]
    ordered = [name for name in (*FIRST, *middle, *LAST) if name in names]
    kept = kept[ordered]
    return {"name": path.stem, "title": _title(TABLES, path.stem, t), **shown_table(kept, t)}


def shown_table(table: pd.DataFrame, t: Translator) -> dict[str, Any]:
    """Columns with their headings, rows with the words of their codes; numbers stay numbers."""
    columns = [
        {
            "key": str(name),
            "label": _heading(str(name), t),
            "numeric": bool(
                pd.api.types.is_numeric_dtype(table[name])
                and not pd.api.types.is_bool_dtype(table[name])
            ),
        }
        for name in table.columns
    ]
    rows = [
        [_worded(value, t) for value in row]
        for row in table.head(MOST_ROWS).itertuples(index=False)
    ]
    return {"columns": columns, "rows": rows, "total": len(table)}


def _worded(value: Any, t: Translator) -> Any:
    plain = _value(value)
    return t.text(VALUES[plain]) if isinstance(plain, str) and plain in VALUES else plain


def _heading(name: str, t: Translator) -> str:
    """``rank_11_20`` is « ranks 11–20 »."""
    ranks = re.fullmatch(r"rank_(\d+)_(\d+)", name)
    if ranks:
        return t.text(Msg("ranks {first}–{last}", first=ranks[1], last=ranks[2]))
    return _title(HEADED, name, t)


def _order(path: Path) -> tuple[int, str]:
    """Tables in the order people read them; those that nobody named last."""
    names = list(TABLES)
    return (names.index(path.stem) if path.stem in names else len(names), path.stem)


def _title(known: Mapping[str, Msg], name: str, t: Translator) -> str:
    return t.text(known[name]) if name in known else name


@dataclass(frozen=True)
class Named:
    """A run of a comparison: its folder and what people call it."""

    id: str
    folder: Path


def comparison(runs: Sequence[Named], t: Translator) -> dict[str, Any]:
    """Runs side by side; the first is the reference. Raises InputError."""
    found = compare_runs([one.folder for one in runs])
    told = [read_json(one.folder / MANIFEST) for one in runs]
    labels = dict(zip(found.labels, (chr(ord("A") + k) for k in range(len(runs))), strict=True))
    return {
        "runs": [
            {"id": one.id, "label": labels[label], "title": str(manifest["scenario"]["title"]),
             "pack": Path(str(manifest["pack"]["folder"])).name}
            for one, label, manifest in zip(runs, found.labels, told, strict=True)
        ],
        "notices": [t.text(notice) for notice in found.notices],
        "sites": _compared_sites(found, labels),
        "agreement": _relabelled(found.agreement.replace(labels), labels, t),
        "regions": _relabelled(found.regions.drop(columns="region"), labels, t),
        "criteria": _relabelled(_criteria(found.criteria, t), labels, t),
        "ledgers": _relabelled(_ledgers(found.ledgers, t), labels, t),
        "totals": _relabelled(_totals(found.totals, found.labels, t), labels, t),
        "settings": _relabelled(_settings(found.settings), labels, t),
    }  # fmt: skip


def _compared_sites(found: Comparison, labels: Mapping[str, str]) -> dict[str, Any]:
    sites = found.sites
    points = sites.geometry.centroid.to_crs(4326)
    kept = ("site_id", "name", "commune", "region_name", "kind", "movement")
    return {
        **{name: [_value(value) for value in sites[name]] for name in kept},
        "lon": np.round(points.x, PLACES).tolist(),
        "lat": np.round(points.y, PLACES).tolist(),
        "status": {
            short: [_value(value) for value in sites[label]] for label, short in labels.items()
        },
    }


def _criteria(table: pd.DataFrame, t: Translator) -> pd.DataFrame:
    """Points of 100; the last row is the mean score."""
    named = table.copy()
    named["criterion"] = [
        t.text(Msg("Score (0 to 100)")) if key == "score" else criterion_label(key, t)
        for key in table["criterion"]
    ]
    runs = [name for name in named if name != "criterion"]
    for run in runs:
        named[run] = 100 * named[run]
    return named


def _ledgers(table: pd.DataFrame, t: Translator) -> pd.DataFrame:
    named = table.copy()
    named["name"] = named["name"].where(named["name"] != "", t.text(Msg("whole programme")))
    named["level"] = [word("level", level, t) for level in table["level"]]
    hidden = ("gross_ha", "restored_ha", "code")
    return named[[name for name in named if not str(name).startswith(hidden)]]


def _settings(table: pd.DataFrame) -> pd.DataFrame:
    """Without what people wrote for people (the titles stand above every table); a pack by its
    name: where it lies on this machine is nobody's business.
    """
    kept = table[~table["key"].isin(("title", "description"))].copy()
    packs = kept["key"] == "pack"
    for run in kept.columns[1:]:
        kept.loc[packs, run] = [Path(str(value)).name for value in kept.loc[packs, run]]
    return kept


def _totals(table: pd.DataFrame, labels: Sequence[str], t: Translator) -> pd.DataFrame:
    by_key = table.set_index("figure")
    rows = []
    for key, label in FIGURES.items():
        if key not in by_key.index:
            continue
        values = [_figure(key, by_key.loc[key, name], t) for name in labels]
        rows.append([key, t.text(label), *values])
    return pd.DataFrame(rows, columns=["key", "figure", *labels], dtype=object)


def _figure(key: str, value: Any, t: Translator) -> Any:
    if key == "status":
        return t.text(RUN_STATUS[value]) if value in RUN_STATUS else value
    if _value(value) is None:
        return None
    return score_from_units(int(value)) if key in IN_MILLIONTHS else float(value)


_OF_A_RUN: Mapping[str, Msg] = {
    "net_ha": Msg("net (ha)"), "cap_ha": Msg("cap (ha)"), "balance_ha": Msg("margin (ha)"),
}  # fmt: skip


def _relabelled(table: pd.DataFrame, labels: Mapping[str, str], t: Translator) -> dict[str, Any]:
    """A table whose columns name runs by their folder, by letters instead."""
    made = shown_table(table, t)
    for column, name in zip(made["columns"], map(str, table.columns), strict=True):
        for folder, short in labels.items():
            head, _, rest = name.partition(" (")
            if name == folder:
                column.update(label=short, run=short)
            elif name == f"{folder} (ha)":
                column.update(key=f"ha_{short}", label=f"{short} (ha)", run=short)
            elif rest == f"{folder})" and head in _OF_A_RUN:
                label = f"{short} : {t.text(_OF_A_RUN[head])}"
                column.update(key=f"{head}_{short}", label=label, run=short)
    return made


def _value(value: Any) -> Any:
    """A value as JSON has them: NaN and NA are null, infinity is ``"inf"``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return None if math.isnan(number) else "inf" if math.isinf(number) else number
    if isinstance(value, list | tuple | np.ndarray):
        return " ".join(str(one) for one in value)
    return str(value)
