"""One job in a process of its own: ``python -m siteselect.web.worker ORDER``.

It says how far it is on standard output, one JSON object a line, and what came of the job last.
Whatever libraries print goes to standard error, which is the job's log.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

NICENESS = 10
"""Jobs leave the machine to the pages: a page stays quick while many are queued."""
DRIVERS_LEFT_OUT = (
    "VRT", "OGR_VRT", "GDALG", "GTI", "STACIT", "STACTA", "HTTP", "WFS", "OAPIF", "OGCAPI", "CSW",
    "WMS", "WMTS", "WCS",
)  # fmt: skip
"""Drivers of GDAL that follow what a file says to other files or addresses."""
PAUSE_S = 0.2
"""Progress is said this often at most."""


class Voice:
    """What the application hears of a job."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, float] = ("", 0.0)

    def stage(self, name: str, share: float) -> None:
        """How far a stage is, between 0 and 1."""
        moment = time.monotonic()
        stage, before = self._last
        if name == stage and share < 1.0 and moment - before < PAUSE_S:
            return
        self._last = (name, moment)
        self.say({"stage": name, "share": round(min(max(share, 0.0), 1.0), 3)})

    def say(self, what: dict[str, Any]) -> None:
        """One object, at once."""
        self._stream.write(json.dumps(what, ensure_ascii=False) + "\n")
        self._stream.flush()


def main(order: dict[str, Any]) -> None:
    """Do the job that an order names."""
    voice = Voice(_own_stdout())
    _live_with_the_application()
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    from siteselect.web.jobs import JobFiles

    files = JobFiles(Path(order["runs"]))
    job = next(one for one in files.read_all() if one.id == order["job"])
    if job.asked.kind == "upload":  # before GDAL is loaded
        os.environ["GDAL_SKIP"] = os.environ["OGR_SKIP"] = ",".join(DRIVERS_LEFT_OUT)
    from siteselect.web.paths import Workspace
    from siteselect.web.settings import settings_for
    from siteselect.web.tasks import do

    settings = settings_for(
        Path(order["workspace"]), packs=Path(order["packs"]), runs=Path(order["runs"])
    )
    try:
        outcome = do(job, Workspace(settings), voice.stage)
    except Exception:
        traceback.print_exc()
        outcome = {"state": "failed", "lost": "error"}
    voice.say(outcome)


def _own_stdout() -> TextIO:
    """Standard output for ourselves; what anything else prints joins standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return ours


def _live_with_the_application() -> None:
    """Stop at once when the application dies: its end of our standard input closes."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
