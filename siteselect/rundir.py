"""The run directory: complete or absent, written beside and renamed, read back by auditors.

Canonical tables (Parquet) and manifests are written here; what people read is written by
:mod:`siteselect.report`. ``manifest.json`` holds the sha256 of every input and every output.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import geopandas as gpd
import pandas as pd

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.pack import MANIFEST as PACK_MANIFEST
from siteselect.pack import DataPack, sha256_of
from siteselect.rulebook import Rulebook
from siteselect.runs import Run
from siteselect.scenario import Scenario
from siteselect.scenario_files import dump_scenario

RESULT = "result.json"
MANIFEST = "manifest.json"
SCENARIO = "scenario.toml"
TABLES = (
    "sites.parquet",
    "contributions.parquet",
    "shortlist.parquet",
    "ledger.parquet",
    "restoration.parquet",
)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that appears under its name only when all of it was written.

    An earlier run of that name is replaced; anything else that stands there is left alone.

    Raises
    ------
    InputError
        the place is taken by something that is not a run, or cannot be written.
    """
    if folder.exists() and not is_run(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            Fault(
                Msg("this place is taken, and not by a run"),
                file=folder,
                where="--out",
                remedy=Msg("choose another folder: nothing was changed"),
            )
        )
    temporary = folder.parent / f".{folder.name}.{uuid4().hex[:8]}.tmp"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _replace(temporary, folder)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the run cannot be written here: {error}", error=error.strerror or error),
                file=folder,
                where="--out",
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(temporary: Path, folder: Path) -> None:
    if not folder.exists():
        temporary.rename(folder)
        return
    old = folder.parent / f".{folder.name}.{uuid4().hex[:8]}.old"
    folder.rename(old)
    try:
        temporary.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def is_run(folder: Path) -> bool:
    """Whether a folder holds a finished run."""
    return (folder / RESULT).is_file() and (folder / MANIFEST).is_file()


def write_run(run: Run, folder: Path, reports: Callable[[Path], tuple[str, ...]]) -> None:
    """Write a run: canonical tables, then reports, then the manifest over all of them."""
    with new_folder(folder) as place:
        run.sites.to_parquet(place / "sites.parquet", index=False)
        run.contributions.to_parquet(place / "contributions.parquet")
        run.shortlist.to_parquet(place / "shortlist.parquet", index=False)
        run.ledger.to_parquet(place / "ledger.parquet", index=False)
        run.restoration.to_parquet(place / "restoration.parquet", index=False)
        (place / SCENARIO).write_text(dump_scenario(run.scenario), encoding="utf-8")
        _write_json(
            place / RESULT,
            {
                "run_id": run.run_id,
                "created": run.created.isoformat(),
                **_plain(asdict(run.result)),
            },
        )
        reports(place)
        _write_json(place / MANIFEST, manifest_of(run, place))


def run_id(scenario: Scenario, pack: DataPack, rulebook: Rulebook) -> str:
    """Twelve hexadecimal digits over all that decides the tables of a run."""
    decided = [
        scenario.model_dump(mode="json", exclude={"solve": {"workers"}}),
        pack.digest,
        rulebook.id,
        rulebook.version,
        importlib.metadata.version("siteselect"),
    ]
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:12]


def manifest_of(run: Run, place: Path) -> dict[str, Any]:
    """What an auditor needs to reopen the run: inputs, rules, scenario, outputs by sha256."""
    return {
        "run_id": run.run_id,
        "notice": "aide à la décision, ne vaut pas bilan réglementaire",
        "pack": {
            "name": run.pack.manifest.name,
            "title": run.pack.manifest.title,
            "folder": str(run.pack.folder),
            "digest": run.pack.digest,
            "manifest_sha256": sha256_of(run.pack.folder / PACK_MANIFEST),
            "layers": [layer.model_dump() for layer in run.pack.manifest.layers],
        },
        "rulebook": asdict(run.rulebook),
        "scenario": run.scenario.model_dump(mode="json"),
        "changes": [str(change) for change in run.changes],
        "seed": run.result.seed,
        "versions": dict(run.result.versions),
        "notices": [str(notice) for notice in run.notices],
        "outputs": {
            file.name: sha256_of(file) for file in sorted(place.iterdir()) if file.is_file()
        },
    }


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run. Raises InputError when it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            Fault(
                Msg("this file of the run cannot be read: {error}", error=error),
                file=path,
                remedy=Msg("give the folder of a finished run, or run the scenario again"),
            )
        ) from error
    if not isinstance(data, dict):
        raise InputError(
            Fault(
                Msg("this file of the run is damaged"),
                file=path,
                remedy=Msg("run the scenario again"),
            )
        )
    return data


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """A canonical table of a run. Raises InputError when it is missing or damaged."""
    try:
        if name in ("ledger.parquet", "contributions.parquet"):
            table: pd.DataFrame = pd.read_parquet(folder / name)
        else:
            table = gpd.read_parquet(folder / name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            Fault(
                Msg("this file of the run cannot be read: {error}", error=error),
                file=folder / name,
                remedy=Msg("run the scenario again"),
            )
        ) from error
    return table


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(tree: Any) -> Any:
    """Mappings as plain dicts; NaN as null, since JSON has no NaN."""
    if isinstance(tree, Mapping):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_plain(value) for value in tree]
    if isinstance(tree, float) and tree != tree:
        return None
    return tree
