"""What ``siteselect serve`` was told: which folders, which address, which language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from siteselect.i18n import Lang

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts that only this machine reaches: no token is asked for there."""
MOST_UPLOAD_MB = 50
MOST_BODY_MB = 2
"""Limits on what is sent: a file of sites, and everything else."""


@dataclass(frozen=True)
class Settings:
    """Where the application works and whom it listens to.

    Attributes
    ----------
    workspace
        folder with ``packs/``, ``scenarios/`` and ``runs/``, made when needed.
    packs, runs
        folders in the place of those of the workspace.
    host, port
        address to listen on; 0: any free port.
    token
        secret that every request must carry; always there when others can reach the host.
    workers
        jobs computed at a time, each in a process of its own.
    names
        other names by which the application is reached (a Host header is checked).
    """

    workspace: Path
    packs: Path
    runs: Path
    host: str = "127.0.0.1"
    port: int = 8710
    token: str | None = None
    lang: Lang = "fr"
    workers: int = 1
    names: tuple[str, ...] = ()

    @property
    def scenarios(self) -> Path:
        """Folder of the planner's own scenarios."""
        return self.workspace / "scenarios"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the application: nothing stands in front of it."""
        return self.host in LOOPBACK and not self.names


def settings_for(
    workspace: str | Path,
    *,
    packs: Path | None = None,
    runs: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8710,
    token: str | None = None,
    lang: Lang = "fr",
    workers: int = 1,
    names: Sequence[str] = (),
) -> Settings:
    """Settings with absolute folders. Nothing is made yet."""
    place = Path(workspace).expanduser().resolve()
    return Settings(
        workspace=place,
        packs=packs.expanduser().resolve() if packs else place / "packs",
        runs=runs.expanduser().resolve() if runs else place / "runs",
        host=host,
        port=port,
        token=token,
        lang=lang,
        workers=workers,
        names=tuple(name.lower() for name in names),
    )
