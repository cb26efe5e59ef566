"""The application as a real process on a free port, in a workspace of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

LIMIT_S = 60
COMMAND = (sys.executable, "-c", "from siteselect.cli import main; main()", "serve", "--no-browser")
TINY = """\
title = "Essai"
pack = "../packs/tiny"
count = 4
reserve = 3
[constraints]
region_max = 3
[zan]
price = false
"""
IMPOSSIBLE = """\
extends = "essai.toml"
title = "Impossible"
[constraints]
budget_keur = 1000
"""


@dataclass
class Server:
    """``siteselect serve``: ``url`` is its address, ``http`` a client of it."""

    workspace: Path
    cache: Path
    options: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=LIMIT_S)

    def start(self) -> Server:
        """Start, or start again on the same port."""
        self.said.clear()
        self.process = subprocess.Popen(
            [*COMMAND, "--workspace", str(self.workspace), "--port", str(self.port), *self.options],
            env={**os.environ, "SITESELECT_CACHE": str(self.cache), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        self.wait(lambda: self._address() is not None)
        found = self._address()
        assert found is not None
        self.port = int(found)
        return self

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Ask to stop; ``signal.SIGKILL``: as when the machine fails."""
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def wait(self, true, limit_s: float = LIMIT_S) -> None:
        """Until something is true."""
        deadline = time.monotonic() + limit_s
        while not true():
            assert self.process is None or self.process.poll() is None, "".join(self.said)
            assert time.monotonic() < deadline, "too slow: " + "".join(self.said)
            time.sleep(0.05)

    def job(self, job_id: str, *, until=("done", "failed", "infeasible", "limit", "cancelled")):
        """A job once it is in one of these states."""
        found: dict = {}

        def there() -> bool:
            found.update(self.http.get(f"/api/jobs/{job_id}").json())
            return found["state"] in until

        self.wait(there, 2 * LIMIT_S)
        return found

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)

    def _address(self) -> str | None:
        found = re.search(r"https?://\S+?:(\d+)/", "".join(self.said))
        return found[1] if found else None


def make_workspace(folder: Path, tiny_pack: Path) -> Path:
    """A workspace with the pack ``tiny`` and two scenarios: ``essai`` and ``impossible``."""
    (folder / "packs").mkdir(parents=True)
    (folder / "scenarios").mkdir()
    tiny_pack.rename(folder / "packs" / "tiny")
    (folder / "scenarios" / "essai.toml").write_text(TINY, encoding="utf-8")
    (folder / "scenarios" / "impossible.toml").write_text(IMPOSSIBLE, encoding="utf-8")
    return folder
