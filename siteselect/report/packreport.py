"""The check of a pack as a person reads it in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from siteselect.i18n import Translator
from siteselect.messages import Msg
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
