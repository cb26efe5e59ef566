"""Batches of the store as the pages show them: what was planned, what came of it, what is common.

Read from the folders that ``siteselect batch`` writes. A batch that was interrupted has its
journal only: what it planned and what ended.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from siteselect.batches.papers import FILES
from siteselect.batches.store import BATCHES
from siteselect.outcome import SELECTED
from siteselect.rundir import MANIFEST, read_json
from siteselect.units import CRS_WEB
from siteselect.web.paths import Workspace, inside

DESCRIBED = "batch.json"
EVENTS = "events.jsonl"
MOST_SITES = 5_000
"""Sites sent of a batch, those chosen most often first."""


def batch_folders(place: Workspace) -> list[Path]:
    """Folders of batches, the newest first."""
    root = place.runs / BATCHES
    with suppress(OSError):
        found = [one for one in root.iterdir() if (one / EVENTS).is_file() and not one.is_symlink()]
        return sorted(found, key=_moment, reverse=True)
    return []


def batch_folder(place: Workspace, name: str) -> Path | None:
    """Folder of a batch; ``None`` where there is none."""
    folder = inside(place.runs / BATCHES, name)
    return folder if (folder / EVENTS).is_file() else None


def _moment(folder: Path) -> float:
    return (folder / EVENTS).stat().st_mtime


def entry(folder: Path) -> dict[str, Any]:
    """One line of the list."""
    described, states = _described(folder), _states(folder)
    rows = described.get("scenarios", [])
    planned = _planned(folder)
    statuses = [str(row["status"]) for row in rows] or list(states.values())
    return {
        "id": folder.name,
        "title": str(rows[0]["title"]) if rows else "",
        "created": datetime.fromtimestamp(_moment(folder), tz=UTC).isoformat(timespec="seconds"),
        "scenarios": len(rows) or planned,
        "finished": bool(rows) and _has_ended(folder),
        "states": {status: statuses.count(status) for status in sorted(set(statuses))},
    }


def stamp(folder: Path) -> list[object]:
    """Changes with the content of a batch."""
    times = []
    for name in (DESCRIBED, EVENTS, *FILES):
        with suppress(OSError):
            times.append([name, (folder / name).stat().st_mtime_ns])
    return [folder.name, times]


def view(folder_text: str, runs_text: str) -> dict[str, Any]:
    """A batch: its scenarios with their figures, sites by how often they are chosen, regions."""
    folder, runs = Path(folder_text), Path(runs_text)
    described = _described(folder).get("scenarios", [])
    keys = list(dict.fromkeys(key for row in described for key in row.get("keys", {})))
    figures = _figures(folder)
    rows = [{**figures.get(row["name"], {}), **_plain_row(row)} for row in described]
    if not rows:
        rows = [{"name": name, "status": status} for name, status in _states(folder).items()]
    sites = _sites(folder)
    return {
        **entry(folder),
        "pack": _pack(described, runs),
        "keys": keys,
        "runs": rows,
        "sites": sites[:MOST_SITES],
        "sites_total": len(sites),
        "regions": _regions(described, runs),
        "files": [
            {"name": name, "size": (folder / name).stat().st_size,
             "url": f"/api/batches/{folder.name}/files/{name}"}
            for name in FILES
            if (folder / name).is_file()
        ],
    }  # fmt: skip


def _described(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / DESCRIBED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _events(folder: Path) -> list[dict[str, Any]]:
    """The events since the batch was last begun."""
    found: list[dict[str, Any]] = []
    with suppress(OSError):
        for line in (folder / EVENTS).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if event.get("event") == "plan":
                    found = []
                found.append(event)
    return found


def _states(folder: Path) -> dict[str, str]:
    """Scenarios that began, by name, and how they ended."""
    states: dict[str, str] = {}
    for event in _events(folder):
        if event.get("event") == "started":
            states[str(event["name"])] = "running"
        elif event.get("event") == "done":
            states[str(event["name"])] = str(event["status"])
    return states


def _planned(folder: Path) -> int:
    return next((int(one.get("scenarios", 0)) for one in _events(folder)[:1]), 0)


def _has_ended(folder: Path) -> bool:
    return any(event.get("event") == "finished" for event in _events(folder)[-1:])


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """What the batch says of a scenario; the objective in points is the table's."""
    kept = ("name", "title", "run", "keys", "changes", "status", "reason", "reused", "seconds")
    return {key: row[key] for key in kept if key in row}


def _figures(folder: Path) -> dict[str, dict[str, Any]]:
    """Figures of each scenario by name, from the table of the synthesis."""
    try:
        table = pd.read_parquet(folder / "scenarios.parquet")
    except (OSError, ValueError, pa.ArrowException):
        return {}
    table = table.astype(object).where(table.notna(), None)
    return {str(row["name"]): _named(row) for row in table.to_dict("records")}


def _named(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value.item() if hasattr(value, "item") else value for key, value in row.items()
    }


def _sites(folder: Path) -> list[dict[str, Any]]:
    try:
        table = gpd.read_parquet(folder / "sites.parquet")
    except (OSError, ValueError, pa.ArrowException):
        return []
    if not len(table):
        return []
    points = gpd.GeoSeries(shapely.point_on_surface(table.geometry.to_numpy()), crs=table.crs)
    degrees = points.to_crs(CRS_WEB)
    plain = pd.DataFrame(table.drop(columns="geometry"))
    plain["lon"], plain["lat"] = degrees.x.round(5), degrees.y.round(5)
    plain = plain.astype(object).where(plain.notna(), None)
    return [_named(row) for row in plain.to_dict("records")]


def _regions(described: list[dict[str, Any]], runs: Path) -> dict[str, Any]:
    """Sites chosen by scenario and region."""
    counts: dict[str, dict[str, int]] = {}
    for row in described:
        with suppress(OSError, ValueError, KeyError, pa.ArrowException):
            columns = ["status", "region_name"]
            table = pd.read_parquet(runs / row["run"] / "shortlist.parquet", columns=columns)
            chosen = table.loc[table["status"].isin(SELECTED), "region_name"].dropna()
            names, numbers = np.unique(chosen.astype(str), return_counts=True)
            counts[str(row["name"])] = dict(zip(names.tolist(), numbers.tolist(), strict=True))
    regions = sorted({name for found in counts.values() for name in found})
    rows = [
        {"name": name, "counts": [found.get(region, 0) for region in regions]}
        for name, found in counts.items()
    ]
    return {"regions": regions, "rows": rows}


def _pack(described: list[dict[str, Any]], runs: Path) -> str | None:
    """Name of the pack of the first run that is there."""
    for row in described:
        with suppress(Exception):
            return Path(str(read_json(runs / row["run"] / MANIFEST)["pack"]["folder"])).name
    return None
