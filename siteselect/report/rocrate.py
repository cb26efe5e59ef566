"""RO-Crate 1.1 metadata: what a run is made of and where it comes from, for archives.

Source: Research Object Crate (RO-Crate) Metadata Specification 1.1; Process Run Crate profile.
"""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path
from typing import Any

from siteselect.i18n import Translator
from siteselect.pack import Layer, sha256_of
from siteselect.report.facts import notices
from siteselect.report.words import DISCLAIMER
from siteselect.runs import Run

METADATA = "ro-crate-metadata.json"
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".toml": "application/toml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write_crate(run: Run, folder: Path, t: Translator) -> Path:
    """Write the metadata of every file under ``folder``; the path of the file written."""
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != METADATA
    )
    layers = run.pack.manifest.layers
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        _root(run, files, t),
        _action(run, files),
        {
            "@id": "#siteselect",
            "@type": "SoftwareApplication",
            "name": "siteselect",
            "version": run.result.versions.get("siteselect", ""),
            "softwareRequirements": [
                f"{name} {version}" for name, version in run.result.versions.items()
            ],
        },
        *(_file(folder, name) for name in files),
        *(_layer(layer) for layer in layers),
    ]
    tree = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    path = folder / METADATA
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(tree, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def _root(run: Run, files: list[str], t: Translator) -> dict[str, Any]:
    licences = sorted({layer.licence for layer in run.pack.manifest.layers})
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": run.scenario.title,
        "description": " ".join(
            (run.scenario.description.strip(), t.text(DISCLAIMER), *notices(run, t))
        ).strip(),
        "identifier": run.run_id,
        "datePublished": run.created.date().isoformat(),
        "inLanguage": t.lang,
        "license": "; ".join(licences),
        "hasPart": [{"@id": name} for name in files],
        "mentions": {"@id": "#run"},
    }


def _action(run: Run, files: list[str]) -> dict[str, Any]:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"siteselect run {run.run_id}",
        "instrument": {"@id": "#siteselect"},
        "endTime": run.created.isoformat(),
        "object": [
            {"@id": "scenario.toml"},
            *({"@id": _layer_id(layer)} for layer in run.pack.manifest.layers),
        ],
        "result": [{"@id": name} for name in files if name != "scenario.toml"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "description": (
            f"seed {run.result.seed}; rules {run.rulebook.id} {run.rulebook.version}; "
            f"status {run.result.status}; objective {run.result.objective}; "
            f"bound {run.result.bound}"
        ),
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0]
    return {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": guessed or "application/octet-stream",
        "sha256": sha256_of(path),
    }


def _layer_id(layer: Layer) -> str:
    return f"#pack/{layer.file}"


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "@id": _layer_id(layer),
        "@type": "Dataset",
        "name": layer.title,
        "creditText": layer.attribution,
        "license": layer.licence,
        "temporalCoverage": layer.vintage,
        "sha256": layer.sha256,
        "description": " ".join(
            filter(None, (layer.note, "simulated" if layer.simulated else "", layer.source))
        ),
    }
