"""The index of a store: what ``runs list`` shows, in SQLite, rebuilt from the directories.

It is a memory, never the truth: each look compares it with the directories and reads those that
are new or changed. Removed, damaged or older, it is made again; where it cannot be written the
same is done in memory.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteselect.rundir import MANIFEST, RESULT, is_run

INDEX = "index.sqlite"
FORMAT = 1
"""Raised when the columns change: an index of another format is made again."""
WAIT_S = 30.0
"""How long to wait for another process that writes the index."""
COLUMNS = (
    "folder", "stamp", "run_id", "created", "title", "pack", "status", "objective", "bound",
    "gap", "selected", "net_ha", "cost_keur", "brownfield_share",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One run of a store, as listed. ``objective`` and ``bound`` are score × 10⁶."""

    folder: str
    stamp: int
    run_id: str
    created: str
    title: str
    pack: str
    status: str
    objective: int
    bound: int
    gap: float
    selected: int
    net_ha: float
    cost_keur: float
    brownfield_share: float


def entries(store: Path) -> tuple[Entry, ...]:
    """The runs of a store, newest first, then by name of directory."""
    stamps = dict(_stamps(store))
    try:
        rows = _synchronised(store / INDEX, store, stamps)
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):  # damaged: make it again
            with suppress(OSError):
                (store / INDEX).unlink()
        rows = _in_memory(store, stamps)
    listed = [Entry(*row) for row in rows]
    return tuple(sorted(sorted(listed, key=_folder), key=_created, reverse=True))


def _folder(entry: Entry) -> str:
    return entry.folder


def _created(entry: Entry) -> str:
    return entry.created


def _stamps(store: Path) -> Iterator[tuple[str, int]]:
    """Directory of each run → when its result was written, nanoseconds."""
    try:
        inside = list(os.scandir(store))
    except FileNotFoundError:
        return
    for one in inside:
        if not one.name.startswith("."):
            with suppress(OSError):
                yield one.name, Path(one.path, RESULT).stat().st_mtime_ns


def _synchronised(path: Path, store: Path, stamps: Mapping[str, int]) -> list[tuple[Any, ...]]:
    with _opened(path) as base:
        return _brought_up_to_date(base, store, stamps)


def _in_memory(store: Path, stamps: Mapping[str, int]) -> list[tuple[Any, ...]]:
    """No index can be written here: read what there is, else every directory."""
    known: list[tuple[Any, ...]] = []
    with (
        suppress(sqlite3.DatabaseError),
        closing(sqlite3.connect(f"file:{store / INDEX}?mode=ro", uri=True)) as old,
    ):
        if old.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
            known = old.execute(f"SELECT {', '.join(COLUMNS)} FROM runs").fetchall()
    with _opened(":memory:") as base:
        _insert(base, known)
        return _brought_up_to_date(base, store, stamps)


@contextmanager
def _opened(path: Path | str) -> Iterator[sqlite3.Connection]:
    # the default rollback journal: write-ahead logs do not work on network folders
    with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        try:
            if base.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
                base.execute("DROP TABLE IF EXISTS runs")
                base.execute(f"CREATE TABLE runs ({', '.join(COLUMNS)}, PRIMARY KEY (folder))")
                base.execute(f"PRAGMA user_version = {FORMAT}")
            yield base
        except BaseException:
            base.rollback()
            raise
        base.execute("COMMIT")


def _brought_up_to_date(
    base: sqlite3.Connection, store: Path, stamps: Mapping[str, int]
) -> list[tuple[Any, ...]]:
    known = dict(base.execute("SELECT folder, stamp FROM runs"))
    gone = [(name,) for name in known if name not in stamps]
    base.executemany("DELETE FROM runs WHERE folder = ?", gone)
    changed = [name for name, stamp in stamps.items() if known.get(name) != stamp]
    _insert(base, filter(None, (_read(store / name, stamps[name]) for name in changed)))
    return base.execute(f"SELECT {', '.join(COLUMNS)} FROM runs").fetchall()


def _insert(base: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(COLUMNS))
    base.executemany(f"INSERT OR REPLACE INTO runs VALUES ({marks})", rows)


def _read(folder: Path, stamp: int) -> tuple[Any, ...] | None:
    """The row of a run; ``None`` where the directory is no run or cannot be read."""
    if not is_run(folder):
        return None
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        totals, counts = result["totals"], result["counts"]
        return (
            folder.name,
            stamp,
            str(result["run_id"]),
            str(result.get("created", "")),
            str(manifest["scenario"]["title"]),
            str(manifest["pack"]["name"]),
            str(result["status"]),
            int(result["objective"]),
            int(result["bound"]),
            float(result["gap"]),
            int(counts.get("selected", 0)) + int(counts.get("forced_in", 0)),
            float(totals["net_ha"]),
            float(totals["total_cost_keur"]),
            float(totals["brownfield_share"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
