"""Data packs: what is in them, what is simulated or assumed, their outlines and roads."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter
from pydantic import BaseModel

from siteselect.errors import SiteSelectError
from siteselect.i18n import Translator
from siteselect.measuring import notices
from siteselect.pack import DataPack, Layer, embedded_packs, open_pack
from siteselect.web.asked import Name, Place, Reader
from siteselect.web.faults import faults_json

router = APIRouter(prefix="/packs", tags=["packs"])


class LayerAnswer(BaseModel):
    """One layer of a pack."""

    role: str
    title: str
    source: str
    licence: str
    attribution: str
    vintage: str
    simulated: bool
    assumed: bool
    note: str
    rows: int | None
    """rows of a table; null for a raster"""


class PackAnswer(BaseModel):
    """A pack: its layers and what must be known before reading figures made with it."""

    name: str
    title: str
    note: str
    embedded: bool
    simulated: bool
    assumed: list[str]
    """what is simulated or assumed, in words"""
    layers: list[LayerAnswer]
    faults: list[dict[str, object]]
    """why the pack cannot be opened; empty where it can"""


@router.get("")
def packs(place: Place, reader: Reader) -> list[PackAnswer]:
    """Every pack that a scenario can name."""
    return [_pack(name, folder, reader) for name, folder in place.pack_folders().items()]


@router.get("/{name}")
def pack(name: Name, place: Place, reader: Reader) -> PackAnswer:
    """One pack."""
    return _pack(name, place.pack_folder(name), reader)


def _pack(name: str, folder: Path, reader: Translator) -> PackAnswer:
    embedded = name in embedded_packs()
    try:
        opened = open_pack(folder, check=False)
    except SiteSelectError as error:
        return PackAnswer(
            name=name, title=name, note="", embedded=embedded, simulated=False, assumed=[],
            layers=[], faults=faults_json(error, reader),
        )  # fmt: skip
    layers = opened.manifest.layers
    return PackAnswer(
        name=name,
        title=opened.manifest.title,
        note=opened.manifest.note,
        embedded=embedded,
        simulated=any(layer.simulated for layer in layers),
        assumed=[reader.text(notice) for notice in notices(opened)],
        layers=[_layer(opened, layer) for layer in layers],
        faults=[],
    )


def _layer(opened: DataPack, layer: Layer) -> LayerAnswer:
    return LayerAnswer(
        role=layer.role,
        title=layer.title,
        source=layer.source,
        licence=layer.licence,
        attribution=layer.attribution,
        vintage=layer.vintage,
        simulated=layer.simulated,
        assumed=layer.assumed,
        note=layer.note,
        rows=_rows(opened.folder / layer.file, layer.sha256),
    )


@lru_cache(maxsize=4096)
def _rows(file: Path, sha256: str) -> int | None:
    """Rows of a table, from its footer; ``sha256`` makes a new version be read again."""
    if file.suffix != ".parquet":
        return None
    try:
        return int(pq.read_metadata(file).num_rows)
    except (OSError, pa.ArrowException):
        return None


Level = Literal["region", "departement"]
