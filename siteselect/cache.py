"""Stages kept by content: the same inputs and the same code are never measured twice.

A stage's key is a hash of what it reads (sha256 of layers, settings) and of the source code that
computes it, so that neither a changed file nor a changed program can serve an old table.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pandas as pd
import platformdirs
import pyarrow as pa

CACHE_VARIABLE = "SITESELECT_CACHE"


def default_cache_folder() -> Path:
    """``$SITESELECT_CACHE``, else the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("siteselect"))


class StageCache:
    """Tables by content key, one Parquet file each; ``folder=None`` keeps nothing.

    A cache that cannot be written (read-only folder, full disk) costs time, never a run.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.hits: list[str] = []

    def table(
        self,
        stage: str,
        inputs: object,
        code: Sequence[ModuleType],
        compute: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """The table of a stage: read when it was computed before, computed and kept otherwise.

        ``inputs`` must be JSON-able and hold everything the stage depends on; ``code`` is the
        modules that compute it.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f"{stage}-{_key(inputs, code)}.parquet"
        with suppress(OSError, pa.ArrowException, ValueError):
            table = pd.read_parquet(path)
            self.hits.append(stage)
            return table
        table = compute()
        with suppress(OSError):
            _write_beside(table, path)
        return table


def _key(inputs: object, code: Sequence[ModuleType]) -> str:
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for module in code:
        for source in _sources(module):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:32]


def _sources(module: ModuleType) -> list[Path]:
    """The files of a module, or of a whole package."""
    if module.__file__ is None:
        return []
    file = Path(module.__file__)
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]


def _write_beside(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{uuid4().hex}.tmp")
    try:
        table.to_parquet(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
