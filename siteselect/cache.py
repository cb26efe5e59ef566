"""Stages kept by content: the same inputs and the same code are never measured twice.

A stage's key is a hash of what it reads (sha256 of layers, settings) and of the source code that
computes it, so that neither a changed file nor a changed program can serve an old table.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TypeVar
from uuid import uuid4

import pandas as pd
import platformdirs
import pyarrow as pa

from siteselect.filelock import hold

CACHE_VARIABLE = "SITESELECT_CACHE"


def default_cache_folder() -> Path:
    """``$SITESELECT_CACHE``, else the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("siteselect"))


Value = TypeVar("Value")


class Memory:
    """What one process keeps between runs: the last values used, by key.

    Values are shared, not copied: whoever recalls one must not change it.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, object] = OrderedDict()

    def recall(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed when it is not remembered."""
        value: Value = self._values[key] if key in self._values else compute()  # type: ignore[assignment]
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)
        return value


class StageCache:
    """Tables by content key, one Parquet file each; ``folder=None`` keeps nothing.

    Processes that need the same table at once wait for the one that computes it. A cache that
    cannot be written (read-only folder, full disk) costs time, never a run.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.hits: list[str] = []
        self.files: list[Path] = []
        """the entries read or written, in order"""

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
        self.files.append(path)
        found = self._read(stage, path)
        if found is not None:
            return found
        with hold(path.with_suffix(".lock")):
            found = self._read(stage, path)  # another process may just have computed it
            if found is not None:
                return found
            table = compute()
            with suppress(OSError):
                _write_beside(table, path)
            return table

    def _read(self, stage: str, path: Path) -> pd.DataFrame | None:
        with suppress(OSError, pa.ArrowException, ValueError):
            table = pd.read_parquet(path)
            self.hits.append(stage)
            return table
        return None


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
