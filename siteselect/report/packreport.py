"""The check of a pack as a person reads it in the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.sources.catalogue import Source
from siteselect.sources.packcheck import Problem

SEVERITIES = {"error": Msg("error"), "warning": Msg("warning"), "note": Msg("note")}


def print_check(problems: Sequence[Problem], translator: Translator) -> None:
    """Problems by severity: what, how many, examples, remedy; then the count of each severity."""
    console, text = Console(highlight=False), translator.text
    for severity, word in SEVERITIES.items():
        chosen = [problem for problem in problems if problem.severity == severity]
        if not chosen:
            continue
        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        table.title = f"{text(word)} ({len(chosen)})"
        table.add_column(text(Msg("layer")), max_width=24, overflow="fold")
        table.add_column(text(Msg("count")), justify="right")
        table.add_column(text(Msg("what was found")), max_width=46)
        table.add_column(text(Msg("examples")), max_width=40, overflow="fold")
        if severity != "note":
            table.add_column(text(Msg("remedy")), max_width=44)
        for problem in chosen:
            cells = [
                problem.layer,
                translator.number(problem.count, 0),
                text(problem.message),
                problem.examples,
            ]
            if severity != "note":
                cells.append("" if problem.remedy is None else text(problem.remedy))
            table.add_row(*cells)
        console.print(table)
        console.print()
    counts = {key: sum(p.severity == key for p in problems) for key in SEVERITIES}
    console.print(
        text(
            Msg(
                "{errors} errors, {warnings} warnings, {notes} notes",
                errors=counts["error"],
                warnings=counts["warning"],
                notes=counts["note"],
            )
        )
    )


def print_catalogue(sources: Mapping[str, Source], pack: DataPack, translator: Translator) -> None:
    """Official sources: what each is, feeds and allows, and whether the pack has its role."""
    console, text = Console(highlight=False), translator.text
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.title = text(Msg("official sources"))
    for heading in (
        Msg("name"), Msg("content"), Msg("producer"), Msg("licence"), Msg("role"), Msg("page"),
        Msg("in the pack"),
    ):  # fmt: skip
        table.add_column(text(heading), overflow="fold")
    real = {layer.role for layer in pack.manifest.layers if not layer.simulated}
    for name, source in sources.items():
        roles = {_ROLES.get(role, role) for role in re.findall(r"[a-z_]+", source.role)}
        here = text(Msg("yes")) if roles & real else "—"
        page = source.page if source.page_seen else source.page + " *"
        table.add_row(name, source.title, source.producer, source.licence, source.role, page, here)
    console.print(table)
    console.print(text(Msg("* address from memory; read the licence with the file itself")))


_ROLES = {
    "friches": "sites",
    "economic_sites": "sites",
    "applications": "sites",
    "ocsge": "landuse",
    "landcover": "landuse",
    "roads": "road_edges",
    "consumption": "caps",
    "objectives": "caps",
}
"""Role of an input → role of the layer that it becomes."""


def as_records(problems: Sequence[Problem], translator: Translator) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {
            "severity": problem.severity,
            "layer": problem.layer,
            "message": translator.text(problem.message),
            "count": problem.count,
            "examples": problem.examples,
            "remedy": None if problem.remedy is None else translator.text(problem.remedy),
        }
        for problem in problems
    ]
