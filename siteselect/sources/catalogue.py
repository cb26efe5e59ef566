"""Where official files come from, and how they are downloaded: resumed, retried, recorded."""

from __future__ import annotations

import shutil
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pooch
import requests
import tomli_w
from pydantic import BaseModel, ConfigDict

from siteselect.errors import nearest_name
from siteselect.messages import Msg
from siteselect.pack import sha256_of
from siteselect.sources.opening import fault

Progress = Callable[[str, float], None]

RECORD = "telechargements.toml"
ATTEMPTS = 4
PAUSE_S = 1.0
TIMEOUT_S = 60.0
BLOCK = 1 << 20
MAX_BYTES = 30 * 2**30
"""A download larger than this is refused."""
MAX_UNPACKED = 60 * 2**30
MAX_RATIO = 200
"""An archive that unpacks to more than this many times its size is a bomb."""


class Source(BaseModel):
    """One official source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    producer: str
    licence: str
    page: str
    page_seen: bool = False
    """The page was found in a public index; from memory otherwise."""
    role: str
    format: str
    url: str = ""


@dataclass(frozen=True)
class Fetched:
    """A file downloaded: recorded in :data:`RECORD` of its folder."""

    path: Path
    url: str
    bytes: int
    sha256: str
    changed: bool
    """It differs from the one that was recorded under this name."""


def catalogue() -> dict[str, Source]:
    """Every source by name."""
    text = (resources.files("siteselect") / "tables" / "catalogue.toml").read_text("utf-8")
    return {name: Source.model_validate(entry) for name, entry in tomllib.loads(text).items()}


def fetch(
    name: str,
    folder: Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    offline: Path | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Download a source into a folder; what is there already under that hash is kept.

    Parameters
    ----------
    url
        its address, where the catalogue has none (http or https; the proxies of the environment
        are used).
    sha256
        what the content must be, where it is known.
    offline
        folder in which the file is looked for instead of on the network.

    Raises
    ------
    InputError
        no such source, no address, a refused or broken transfer after several attempts, another
        content than the hash says, no room on the disk. What was received is kept for the next
        attempt, never put in place of a whole file.
    """
    known = catalogue()
    if name not in known:
        near = nearest_name(name, known)
        raise fault(
            folder,
            Msg("no source has this name"),
            Msg("did you mean {near}?", near=near)
            if near
            else Msg("the sources are {names}", names=", ".join(known)),
            value=name,
        )
    address = url or known[name].url
    if not address:
        raise fault(
            folder,
            Msg("{title} has no lasting address", title=known[name].title),
            Msg("take the address of the file on {page} and give it: --url", page=known[name].page),
        )
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise fault(
            folder, Msg("the address is not http or https"), Msg("correct it"), value=address
        )
    file = PurePosixPath(unquote(parts.path)).name or name
    target = folder / file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if offline is not None:
            _copied(offline / file, target)
        else:
            _retrieve(address, target, sha256, progress)
        found = sha256_of(target)
    except OSError as error:
        raise fault(
            target,
            Msg("the file cannot be written: {error}", error=error.strerror or error),
            Msg("choose a folder that can be written, on a disk with room"),
        ) from error
    if sha256 is not None and found != sha256:
        raise fault(
            target,
            Msg("the content is not the one expected (sha256 differs)"),
            Msg("the producer changed the file: check it, and give its new sha256"),
            value=found,
        )
    return _recorded(name, target, address, found)


def _copied(source: Path, target: Path) -> None:
    if not source.is_file():
        raise fault(
            source,
            Msg("the offline folder does not have the file"),
            Msg("put it there, or fetch without --offline"),
        )
    beside = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, beside)
    beside.replace(target)


def _retrieve(url: str, target: Path, sha256: str | None, progress: Progress | None) -> None:
    """Through pooch, which names, locks and moves the file; the transfer itself is ours."""
    if sha256 is None and target.is_file():
        target.rename(target.with_name(f".{target.name}.old"))  # pooch keeps what is there
    old = target.with_name(f".{target.name}.old")
    part = target.with_name(f".{target.name}.part")
    pooch.get_logger().setLevel("WARNING")  # it would print; progress goes through the callback
    try:
        pooch.retrieve(
            url,
            known_hash=None,
            fname=target.name,
            path=target.parent,
            downloader=_Downloader(part, progress),
        )
    except Exception:
        if old.is_file():
            old.rename(target)
        raise
    old.unlink(missing_ok=True)


class _Downloader:
    """Downloads into a part file kept between attempts and runs, then hands it to pooch."""

    def __init__(self, part: Path, progress: Progress | None) -> None:
        self.part = part
        self.progress = progress

    def __call__(self, url: str, output_file: Any, _: Any, check_only: bool = False) -> bool | None:
        if check_only:
            return True
        last: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_S * attempt)
            try:
                if self._received(url):
                    shutil.move(self.part, output_file)
                    return None
            except requests.RequestException as error:
                last = error
        raise fault(
            self.part,
            Msg("the transfer broke off {attempts} times: {error}", attempts=ATTEMPTS,
                error=_short(last)),
            Msg("try again later: what was received is kept and completed; or give --offline"),
            value=url,
        )  # fmt: skip

    def _received(self, url: str) -> bool:
        """One attempt; True when the file is whole."""
        have = self.part.stat().st_size if self.part.is_file() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            if answer.status_code == 416:  # nothing left to send, or another file
                self.part.unlink(missing_ok=True)
                raise requests.ConnectionError("range")
            if answer.status_code >= 500:
                raise requests.ConnectionError(f"HTTP {answer.status_code}")
            if answer.status_code >= 400:
                raise fault(
                    self.part,
                    Msg("the server refuses the file: HTTP {status}", status=answer.status_code),
                    Msg("check the address on the page of the producer"),
                    value=url,
                )
            if url.startswith("https:") and answer.url.startswith("http:"):
                raise fault(
                    self.part,
                    Msg("the server sends to an address that is not secure"),
                    Msg("check the address on the page of the producer"),
                    value=answer.url,
                )
            resumed = answer.status_code == 206
            expected = int(answer.headers.get("Content-Length") or 0) + (have if resumed else 0)
            if expected > MAX_BYTES:
                raise fault(
                    self.part,
                    Msg("the file is larger than {most_gb} GB", most_gb=MAX_BYTES // 2**30),
                    Msg("check the address"),
                )
            self._write(answer, have if resumed else 0, expected)
        size = self.part.stat().st_size
        if expected and size != expected:
            raise requests.ConnectionError(f"{size} / {expected}")
        return True

    def _write(self, answer: requests.Response, have: int, expected: int) -> None:
        size = have
        with self.part.open("ab" if have else "wb") as stream:
            for block in answer.iter_content(BLOCK):
                stream.write(block)
                size += len(block)
                if size > MAX_BYTES:
                    raise OSError("too large")
                if self.progress is not None and expected:
                    self.progress("fetch", size / expected)


def _short(error: Exception | None) -> str:
    return str(error)[:160] if error is not None else ""


def _recorded(name: str, target: Path, url: str, sha256: str) -> Fetched:
    """Note size, hash and day beside the file."""
    record = target.parent / RECORD
    try:
        table: dict[str, Any] = tomllib.loads(record.read_text("utf-8")) if record.is_file() else {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        table = {}
    before = table.get(name, {}).get("sha256")
    size = target.stat().st_size
    table[name] = {
        "file": target.name,
        "url": url,
        "bytes": size,
        "sha256": sha256,
        "day": datetime.now(tz=UTC).date().isoformat(),
    }
    beside = record.with_suffix(".tmp")
    beside.write_text(tomli_w.dumps(table), encoding="utf-8")
    beside.replace(record)
    return Fetched(target, url, size, sha256, changed=before not in (None, sha256))


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack a zip into a folder; nothing is written outside it, nor more than its size allows.

    Raises InputError for an archive that is damaged, holds paths that lead outside, links, or
    unpacks to over :data:`MAX_RATIO` times its size; nothing remains of it then.
    """
    remedy = Msg("do not use this archive; download it again from its producer")
    written: list[Path] = []
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            total = sum(entry.file_size for entry in entries)
            if total > min(MAX_UNPACKED, MAX_RATIO * max(archive.stat().st_size, 4096)):
                raise fault(
                    archive,
                    Msg(
                        "the archive unpacks to {gb:.1f} GB: it is no honest one", gb=total / 2**30
                    ),
                    remedy,
                )
            for entry in entries:
                target = (folder / entry.filename).resolve()
                link = (entry.external_attr >> 16) & 0o170000 == 0o120000
                if link or not target.is_relative_to(folder.resolve()):
                    raise fault(
                        archive,
                        Msg("the archive would write outside its folder"),
                        remedy,
                        value=entry.filename,
                    )
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, target.open("wb") as stream:
                    written.append(target)
                    _copy_at_most(source, stream, entry.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise fault(
            archive, Msg("the archive is truncated or damaged: {error}", error=error), remedy
        ) from error
    return written


def _copy_at_most(source: Any, stream: Any, size: int) -> None:
    """Copy; an entry that holds more than it announces is a lie."""
    left = size
    while block := source.read(min(BLOCK, left + 1)):
        left -= len(block)
        if left < 0:
            raise zipfile.BadZipFile("larger than announced")
        stream.write(block)
