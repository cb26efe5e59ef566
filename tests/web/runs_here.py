"""Workspaces with finished runs of the tiny pack, made without the application."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.web.served import make_workspace

FIRST = {
    "title": "Premier essai",
    "description": "Un programme de quatre sites.",
    "count": 4,
    "reserve": 3,
    "seed": 7,
    "constraints": {"region_max": 3},
    "zan": {"price": False, "ledgers": [{"level": "region", "default_cap_ha": 8.0}]},
}
OTHER = {
    **FIRST,
    "title": "Main-d'œuvre d'abord <b>",
    "weights": {"access": 0.1, "workforce": 0.8, "network": 0.1},
    "locks": {"include": ["B-05"], "reasons": {"B-05": "délibération <script>alert(1)</script>"}},
}


def workspace_with_runs(folder: Path, pack: Path, cache: Path) -> Path:
    """runs/premier and runs/autre beside what :func:`make_workspace` makes."""
    place = make_workspace(folder, pack)
    for name, scenario in (("premier", FIRST), ("autre", OTHER)):
        make_run(place, name, scenario, cache)
    return place


def make_run(place: Path, name: str, scenario: Mapping, cache: Path) -> None:
    """One run of the tiny pack under a name of our own."""
    import siteselect

    before = os.environ.get("SITESELECT_CACHE")
    os.environ["SITESELECT_CACHE"] = str(cache)
    try:
        siteselect.run(
            {**scenario, "pack": str(place / "packs" / "tiny")}, out=place / "runs" / name
        )
    finally:
        if before is None:
            del os.environ["SITESELECT_CACHE"]
        else:
            os.environ["SITESELECT_CACHE"] = before
