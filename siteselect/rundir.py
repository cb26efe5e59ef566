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
from dataclasses import asdict, fields
from datetime import datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Any
from uuid import uuid4

import geopandas as gpd
import pandas as pd

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.pack import MANIFEST as PACK_MANIFEST
from siteselect.pack import DataPack, open_pack, sha256_of
from siteselect.rulebook import Rulebook, open_rulebook
from siteselect.runs import Run, RunResult
from siteselect.scenario import Scenario
from siteselect.scenario_files import Change, dump_scenario, load_scenario

RESULT = "result.json"
MANIFEST = "manifest.json"
SCENARIO = "scenario.toml"
PROOF = "proof.json.gz"
"""Certificate of the bound, where the scenario asks for one; see docs/proof.md."""
TABLES = (
    "sites.parquet",
    "contributions.parquet",
    "shortlist.parquet",
    "ledger.parquet",
    "restoration.parquet",
)
INDEXED = ("contributions.parquet",)
"""Tables keyed by their index (``site_id``)."""
DISCLAIMER = "aide à la décision, ne vaut pas bilan réglementaire"


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
        label = label_of(run)
        for name in TABLES:
            table: pd.DataFrame = getattr(run, name.removesuffix(".parquet"))
            labelled = table.copy(deep=False)
            labelled.attrs = {"siteselect": label}
            labelled.to_parquet(place / name, index=None if name in INDEXED else False)
        (place / SCENARIO).write_text(dump_scenario(run.scenario), encoding="utf-8")
        _write_json(
            place / RESULT,
            {
                "run_id": run.run_id,
                "created": run.created.isoformat(),
                **_plain(asdict(run.result)),
            },
        )
        if run.proof is not None:
            (place / PROOF).write_bytes(run.proof)
        reports(place)
        _write_json(place / MANIFEST, manifest_of(run, place))


def _read_field(value: Any) -> Any:
    """A field of the result as the run held it: JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def label_of(run: Run) -> dict[str, Any]:
    """What every table says of itself (Parquet metadata): run, regime, simulated, assumed."""
    return {
        "run_id": run.run_id,
        "regime": f"{run.rulebook.id} ({run.rulebook.version})",
        "notice": DISCLAIMER,
        "notices": [str(notice) for notice in run.notices],
    }


def run_id(scenario: Scenario, pack: DataPack, rulebook: Rulebook) -> str:
    """Twelve hexadecimal digits over all that decides the tables of a run."""
    decided = [
        scenario.model_dump(mode="json", exclude={"solve": {"workers", "certificate"}}),
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
        "notice": DISCLAIMER,
        "pack": {
            "name": run.pack.manifest.name,
            "title": run.pack.manifest.title,
            "folder": str(run.pack.folder.resolve()),
            "digest": run.pack.digest,
            "manifest_sha256": sha256_of(run.pack.folder / PACK_MANIFEST),
            "layers": [layer.model_dump() for layer in run.pack.manifest.layers],
        },
        "rulebook": asdict(run.rulebook),
        "scenario": run.scenario.model_dump(mode="json"),
        "lang": run.lang,
        "changes": [_plain(asdict(change)) for change in run.changes],
        "seed": run.result.seed,
        "versions": dict(run.result.versions),
        "notices": [said(notice) for notice in run.notices],
        "outputs": {
            file.name: sha256_of(file) for file in sorted(place.iterdir()) if file.is_file()
        },
    }


def said(message: Msg) -> dict[str, Any]:
    """A message that can be translated again when the run is reopened."""
    values = {key: _said_value(value) for key, value in message.values.items()}
    return {"text": str(message), "template": message.template, "values": values}


def _said_value(value: object) -> Any:
    if isinstance(value, Msg):
        return said(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)  # of numpy too, which JSON does not know
    if isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, Real) else str(value)


def said_again(told: Mapping[str, Any]) -> Msg:
    """The message that :func:`said` wrote, to be shown in any language."""
    message = Msg  # the literal stands where the message was first made
    values = {k: said_again(v) if isinstance(v, Mapping) else v for k, v in told["values"].items()}
    return message(told["template"], **values)


def read_run(folder: str | Path) -> Run:
    """A finished run, reopened from its directory, its pack and its rulebook.

    Raises
    ------
    InputError
        the folder is no run, a table was changed since, or the data pack is no longer there
        or no longer the same.
    """
    place = Path(folder)
    manifest, result = read_json(place / MANIFEST), read_json(place / RESULT)
    _check_tables(place, manifest)
    scenario = load_scenario(place / SCENARIO).scenario
    return Run(
        run_id=str(manifest["run_id"]),
        created=datetime.fromisoformat(str(result["created"])),
        scenario=scenario,
        changes=tuple(Change(**change) for change in manifest["changes"]),
        pack=_same_pack(manifest["pack"], place),
        rulebook=open_rulebook(scenario.land.regime),
        result=RunResult(
            **{
                field.name: _read_field(result[field.name])
                for field in fields(RunResult)
                if field.name in result
            }
        ),
        sites=gpd.GeoDataFrame(read_table(place, "sites.parquet")),
        contributions=read_table(place, "contributions.parquet"),
        shortlist=gpd.GeoDataFrame(read_table(place, "shortlist.parquet")),
        ledger=read_table(place, "ledger.parquet"),
        restoration=gpd.GeoDataFrame(read_table(place, "restoration.parquet")),
        notices=tuple(said_again(told) for told in manifest["notices"]),
        lang=manifest["lang"],
    )


def _check_tables(place: Path, manifest: Mapping[str, Any]) -> None:
    """The canonical tables are those that the run wrote."""
    for name in TABLES:
        path = place / name
        if path.is_file() and sha256_of(path) != manifest["outputs"].get(name):
            raise InputError(
                Fault(
                    Msg("this table was changed since the run (sha256 differs)"),
                    file=path,
                    remedy=Msg("run the scenario again"),
                )
            )


def _same_pack(stated: Mapping[str, Any], place: Path) -> DataPack:
    """The pack of the run, where it was or among the embedded ones."""
    try:
        pack = open_pack(str(stated["folder"]), relative_to=place)
    except InputError:
        pack = open_pack(str(stated["name"]), relative_to=place)
    if pack.digest != stated["digest"]:
        raise InputError(
            Fault(
                Msg("the data pack is not the one of the run (content differs)"),
                file=pack.folder,
                remedy=Msg("run the scenario again"),
            )
        )
    return pack


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
