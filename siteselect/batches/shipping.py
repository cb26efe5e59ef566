"""What goes to workers that may not see this machine's files, and what comes back."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from siteselect.batches.store import RunStore
from siteselect.pack import MANIFEST as PACK_MANIFEST
from siteselect.pack import DataPack
from siteselect.rundir import MANIFEST, is_run, new_folder


def bundle(packs: Iterable[DataPack], stages: Iterable[Path]) -> bytes:
    """Packs (under their digests) and measured stages, as one archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for pack in packs:
            files = {PACK_MANIFEST, *(layer.file for layer in pack.manifest.layers)}
            for name in sorted(files):
                archive.add(pack.folder / name, f"packs/{pack.digest}/{name}")
        for path in sorted(set(stages)):
            if path.is_file():
                archive.add(path, f"stages/{path.name}")
    return stream.getvalue()


def unbundle(content: bytes, folder: Path) -> None:
    """Lay the archive out in a folder."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")


def packed_run(folder: Path) -> bytes:
    """A run directory as one archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return stream.getvalue()


def receive_run(store: RunStore, name: str, content: bytes, pack_folder: str) -> None:
    """Put a run that a worker made elsewhere into the store, whole or not at all.

    Its manifest names the pack where this machine has it. Raises InputError when the store
    cannot be written.
    """
    with store.claim(name):
        if is_run(store.place(name)):
            return
        with new_folder(store.place(name)) as place:
            unbundle(content, place)
            manifest: Mapping[str, object] = json.loads((place / MANIFEST).read_text("utf-8"))
            here = {**manifest, "pack": {**_table(manifest["pack"]), "folder": pack_folder}}
            text = json.dumps(here, ensure_ascii=False, indent=2, allow_nan=False)
            (place / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("the manifest of a run describes its pack in a table")
    return value
