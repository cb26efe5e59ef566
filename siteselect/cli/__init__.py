"""The command line: results on stdout, progress and errors on stderr, exit status as agreed.

0 done and proven (or within the accepted gap), 2 bad input, 3 infeasible, 4 stopped at a limit,
1 anything else. Heavy libraries are imported inside the commands: ``--help`` must be instant.
One file for each family of commands, put together here.
"""

from __future__ import annotations

import sys

from siteselect.cli.batch import batch, runs, scenario
from siteselect.cli.data import data
from siteselect.cli.decision import (
    alternatives,
    compare,
    equity,
    explain,
    jobs,
    next_round,
    rank,
    robustness,
    tradeoffs,
)
from siteselect.cli.frame import new_typer
from siteselect.cli.report import report
from siteselect.cli.run import run, verify
from siteselect.cli.serve import serve

__all__ = ["app", "main"]

app = new_typer(
    "Choisir des sites industriels sous zéro artificialisation nette, de façon prouvée."
)
app.command()(run)
app.command()(verify)
app.command()(report)
app.command()(batch)
app.command()(serve)
app.add_typer(runs, name="runs")
app.add_typer(scenario, name="scenario")
app.add_typer(data, name="data")
for question in (explain, compare, rank, robustness, alternatives, tradeoffs, equity, jobs):
    app.command()(question)
app.command("round")(next_round)


def main() -> None:
    """Entry point. Windows consoles may not be UTF-8: never fail on an accent."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app()
