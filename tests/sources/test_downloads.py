"""Downloads against a server of our own that breaks, redirects and lies."""

from __future__ import annotations

import errno
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from siteselect.errors import InputError
from siteselect.sources import catalogue
from siteselect.sources.catalogue import fetch, unpack

CONTENT = bytes(range(256)) * 4096


class Handler(BaseHTTPRequestHandler):
    """``/whole``, ``/broken`` (cut at its first two thirds once), ``/always`` (cut), ``/gone``."""

    seen: dict[str, list[str | None]] = {}  # noqa: RUF012 - the server makes one handler a request
    content = CONTENT

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        times = self.seen.setdefault(self.path, [])
        times.append(asked)
        if self.path == "/moved.bin":
            self.send_response(302)
            self.send_header("Location", "/whole.bin")
            self.end_headers()
            return
        if self.path == "/gone.bin":
            self.send_error(404)
            return
        if self.path == "/busy.bin" and len(times) < 3:
            self.send_error(503)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = type(self).content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.path == "/always.bin" or (self.path == "/broken.bin" and len(times) == 1)
        self.wfile.write(body[: len(body) * 2 // 3] if cut else body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Handler.seen = {}
    Handler.content = CONTENT
    monkeypatch.setattr(catalogue, "PAUSE_S", 0.0)
    monkeypatch.setattr(catalogue, "BLOCK", 4096)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("name", ["whole", "broken", "moved", "busy"])
def test_arrives_whole(server: str, tmp_path: Path, name: str) -> None:
    got = fetch("postes", tmp_path, url=f"{server}/{name}.bin")
    assert got.path.read_bytes() == CONTENT
    assert (got.bytes, got.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert got.sha256 in (tmp_path / catalogue.RECORD).read_text()
    assert not list(tmp_path.glob(".*"))


def test_resumes_where_it_broke(server: str, tmp_path: Path) -> None:
    fetch("postes", tmp_path, url=f"{server}/broken.bin")
    first, second = Handler.seen["/broken.bin"]
    assert first is None
    assert second is not None and int(second.removeprefix("bytes=").rstrip("-")) > 0


def test_never_whole(server: str, tmp_path: Path) -> None:
    """Each attempt brings two thirds of what is left: said after four, nothing put in place."""
    with pytest.raises(InputError, match="broke off 4 times"):
        fetch("postes", tmp_path, url=f"{server}/always.bin")
    assert not (tmp_path / "always.bin").exists()
    assert len(Handler.seen["/always.bin"]) == 4


def test_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="HTTP 404"):
        fetch("postes", tmp_path, url=f"{server}/gone.bin")
    assert len(Handler.seen["/gone.bin"]) == 1


def test_changed_file(server: str, tmp_path: Path) -> None:
    url = f"{server}/whole.bin"
    before = fetch("postes", tmp_path, url=url)
    assert not before.changed and not fetch("postes", tmp_path, url=url).changed
    Handler.content = b"new"
    with pytest.raises(InputError, match="sha256 differs"):
        fetch("postes", tmp_path / "other", url=url, sha256=before.sha256)
    after = fetch("postes", tmp_path, url=url)
    assert after.changed and after.path.read_bytes() == b"new"


def test_full_disk(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that was there stays."""
    (tmp_path / "whole.bin").write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(catalogue._Downloader, "_write", full)
    with pytest.raises(InputError, match="No space left"):
        fetch("postes", tmp_path, url=f"{server}/whole.bin")
    assert (tmp_path / "whole.bin").read_bytes() == b"old"


def test_offline_and_names(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "france-latest.osm.pbf").write_bytes(b"x")
    got = fetch("osm-france", tmp_path / "to", offline=tmp_path / "there")
    assert got.path.read_bytes() == b"x"
    with pytest.raises(InputError, match="offline folder"):
        fetch("osm-france", tmp_path / "to", offline=tmp_path)
    with pytest.raises(InputError, match="did you mean cartofriches"):
        fetch("cartofriche", tmp_path)
    with pytest.raises(InputError, match="--url"):
        fetch("cartofriches", tmp_path)
    with pytest.raises(InputError, match="not http"):
        fetch("cartofriches", tmp_path, url="file:///etc/hosts")


def test_every_source_is_described() -> None:
    for name, source in catalogue.catalogue().items():
        assert source.page.startswith("https://"), name
        assert source.licence and source.producer and source.role, name


def archive(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries:
            out.writestr(name, content)
    return path


def test_unpacks(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("d/x.csv", b"1"), ("y.csv", b"2"))
    assert sorted(p.name for p in unpack(path, tmp_path / "to")) == ["x.csv", "y.csv"]


@pytest.mark.parametrize("name", ["../x", "/x", "d/../../x"])
def test_paths_that_lead_outside(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", ("ok.csv", b"1"), (name, b"2"))
    with pytest.raises(InputError, match="outside its folder"):
        unpack(path, tmp_path / "to")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "to").exists()


def test_bomb_links_and_damage(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "b.zip", ("zeros", bytes(50_000_000)))
    with pytest.raises(InputError, match="no honest one"):
        unpack(bomb, tmp_path / "to")
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as out:
        out.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="outside its folder"):
        unpack(tmp_path / "l.zip", tmp_path / "to")
    whole = archive(tmp_path / "w.zip", ("x", b"abc" * 1000)).read_bytes()
    (tmp_path / "d.zip").write_bytes(whole[:-30])
    with pytest.raises(InputError, match="damaged"):
        unpack(tmp_path / "d.zip", tmp_path / "to")
