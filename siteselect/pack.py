"""DataPack: a folder with a manifest ``pack.toml`` and the layers it lists.

The manifest says for every layer its role, file, licence, attribution, vintage, sha256 and
whether it is simulated. See docs/architecture.md for the tables behind each role.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path

import geopandas as gpd
import pandas as pd
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg
from siteselect.units import CRS

MANIFEST = "pack.toml"
REQUIRED_ROLES = ("communes", "road_nodes", "road_edges", "facilities", "sites")
ROLES = (
    *REQUIRED_ROLES,
    "labour",
    "outlines",
    "rail",
    "restoration",
    "landuse",
    "landuse_legend",
    "contours",
    "shares",
    "site_details",
    "territories",
    "caps",
    "exclusions",
    "report",
)


class Layer(BaseModel):
    """One file of a pack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    file: str
    title: str
    licence: str
    attribution: str
    source: str = ""
    vintage: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    simulated: bool
    assumed: bool = False
    note: str = ""


class Manifest(BaseModel):
    """``pack.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    crs: str
    seed: int | None = None
    note: str = ""
    layers: tuple[Layer, ...]


class DataPack:
    """A folder of layers, opened through its manifest. Tables are read when asked for."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def layers(self, role: str) -> tuple[Layer, ...]:
        """Layers of a role, in the order of the manifest."""
        return tuple(layer for layer in self.manifest.layers if layer.role == role)

    def has(self, role: str) -> bool:
        """Whether the pack has any layer of that role."""
        return bool(self.layers(role))

    def path(self, role: str) -> Path:
        """The file of a role that has exactly one. Raises InputError when there is none."""
        return self.folder / self._layer(role).file

    def table(self, role: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table without geometry."""
        return _read_parquet(self.path(role), columns)

    def read(self, layer: Layer) -> pd.DataFrame:
        """The table without geometry of one layer, for a role that has several files."""
        return _read_parquet(self.folder / layer.file)

    def vectors(self, role: str) -> gpd.GeoDataFrame:
        """A vector layer in EPSG:2154; several files of one role are put one after the other.

        Raises
        ------
        InputError
            the role is absent, a file cannot be read, has no CRS or another one.
        """
        self._layer(role)
        frames = [read_vectors(self.folder / layer.file) for layer in self.layers(role)]
        joined = pd.concat(frames, ignore_index=True)
        return gpd.GeoDataFrame(joined, geometry="geometry", crs=CRS)

    @cached_property
    def digest(self) -> str:
        """Content hash of the pack: of every layer's sha256, in order."""
        text = "\n".join(
            f"{layer.role} {layer.file} {layer.sha256}" for layer in self.manifest.layers
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def check_files(self) -> None:
        """Every layer is there and has the sha256 of the manifest. Raises InputError."""
        log = FaultLog()
        for layer in self.manifest.layers:
            path = self.folder / layer.file
            if not path.is_file():
                log.add(
                    Msg("the layer {role} is missing", role=layer.role),
                    file=path,
                    remedy=Msg("put the file back or build the pack again"),
                )
            elif sha256_of(path) != layer.sha256:
                log.add(
                    Msg("the content is not what the manifest says (sha256 differs)"),
                    file=path,
                    remedy=Msg("restore the file, or build the pack again"),
                )
        log.check()

    def _layer(self, role: str) -> Layer:
        found = self.layers(role)
        if not found:
            raise InputError(
                Fault(
                    Msg("the pack has no layer of role {role}", role=role),
                    file=self.folder / MANIFEST,
                    remedy=Msg("build the pack again with that layer"),
                )
            )
        return found[0]


def sha256_of(path: Path) -> str:
    """sha256 of a file, read by blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def embedded_packs() -> dict[str, Path]:
    """Packs shipped with siteselect: name → folder (installed wheel or source tree)."""
    roots = (
        Path(str(resources.files("siteselect"))) / "_packs",
        Path(str(resources.files("siteselect"))).parent / "data",
    )
    return {
        folder.name: folder
        for root in reversed(roots)
        if root.is_dir()
        for folder in sorted(root.iterdir())
        if (folder / MANIFEST).is_file()
    }


def open_pack(name: str | Path, *, relative_to: Path | None = None, check: bool = True) -> DataPack:
    """Open a pack by the name of an embedded one or by its folder, and check its files.

    A relative folder is looked for beside the scenario (``relative_to``) and then from the
    current folder. ``check=False``: only the manifest is read (for ``data check``, which tells
    every problem at once).

    Raises
    ------
    InputError
        there is no such pack, its manifest is wrong, or a file is missing or changed.
    """
    folder = _find(str(name), relative_to)
    pack = DataPack(folder, _read_manifest(folder / MANIFEST))
    if check:
        pack.check_files()
    return pack


def _find(name: str, relative_to: Path | None) -> Path:
    embedded = embedded_packs()
    if name in embedded:
        return embedded[name]
    places = [Path(name).expanduser()]
    if relative_to is not None and not places[0].is_absolute():
        places.insert(0, relative_to / name)
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    near = nearest_name(name, embedded)
    raise InputError(
        Fault(
            Msg("no data pack of that name, and no folder with a pack.toml"),
            where="pack",
            value=name,
            remedy=Msg("did you mean {near}?", near=near)
            if near
            else Msg(
                "embedded packs: {names}; build one with: siteselect data build FOLDER",
                names=", ".join(embedded) or "—",
            ),
        )
    )


def _read_manifest(path: Path) -> Manifest:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Fault(
                Msg("the manifest cannot be read: {error}", error=error),
                file=path,
                remedy=Msg("build the pack again"),
            )
        ) from error
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise InputError(
            Fault(
                Msg("{problem}", problem=item["msg"]),
                file=path,
                where=".".join(str(part) for part in item["loc"]),
                remedy=Msg("correct the manifest, or build the pack again"),
            )
            for item in error.errors()
        ) from error
    _check_manifest(manifest, path)
    return manifest


def _check_manifest(manifest: Manifest, path: Path) -> None:
    log = FaultLog()
    if manifest.crs != CRS:
        log.add(
            Msg("the CRS of a pack must be {crs}", crs=CRS),
            file=path,
            where="crs",
            value=manifest.crs,
            remedy=Msg("build the pack again: layers are reprojected"),
        )
    for layer in manifest.layers:
        if layer.role not in ROLES:
            near = nearest_name(layer.role, ROLES) or ROLES[0]
            log.add(
                Msg("unknown role"),
                file=path,
                where=layer.file,
                value=layer.role,
                remedy=Msg("did you mean {near}?", near=near),
            )
        if Path(layer.file).name != layer.file:
            log.add(
                Msg("a layer must lie in the pack's own folder"),
                file=path,
                where=layer.role,
                value=layer.file,
                remedy=Msg("write the name of the file alone"),
            )
    for role in REQUIRED_ROLES:
        if not any(layer.role == role for layer in manifest.layers):
            log.add(
                Msg("the pack has no layer of role {role}", role=role),
                file=path,
                remedy=Msg("build the pack again with that layer"),
            )
    log.check()


def _read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=None if columns is None else list(columns))
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(path, error) from error


def read_vectors(path: Path) -> gpd.GeoDataFrame:
    """A GeoParquet file in EPSG:2154. Raises InputError when it is not."""
    try:
        frame = gpd.read_parquet(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error
    if frame.crs is None:
        raise InputError(
            Fault(
                Msg("the layer has no CRS"),
                file=path,
                remedy=Msg("write it with its CRS; a pack is in {crs}", crs=CRS),
            )
        )
    if frame.crs != CRS:
        raise InputError(
            Fault(
                Msg("the layer is not in {crs}", crs=CRS),
                file=path,
                value=frame.crs.to_string(),
                remedy=Msg("reproject it to {crs}", crs=CRS),
            )
        )
    return frame


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        Fault(
            Msg("the file cannot be read: {error}", error=error),
            file=path,
            remedy=Msg("restore the file, or build the pack again"),
        )
    )


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write ``pack.toml`` (beside, then renamed)."""
    text = tomli_w.dumps(manifest.model_dump(mode="json", exclude_none=True))
    temporary = folder / f"{MANIFEST}.tmp"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / MANIFEST)
