"""A batch in the terminal: what will run, what is running, what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from siteselect.batches.index import Entry
from siteselect.batches.papers import STATUS_WORDS
from siteselect.batches.plan import Plan, Planned
from siteselect.batches.running import Batch, Event, OnEvent
from siteselect.batches.store import RunStore
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.units import score_from_units

FIRST = 20
"""Sites and failures shown; the files hold all of them."""


def print_plan(plan: Plan, store: RunStore, translator: Translator) -> None:
    """Every scenario with its changes, ``key: old → new``, and whether it will be run."""
    console, text = Console(highlight=False), translator.text
    for one in plan.runs:
        console.print(
            f"[bold]{escape(one.name)}[/bold]  {escape(one.folder)}  {text(_fate(one, store))}"
        )
        if one.error is not None:
            console.print(f"  [red]{escape(one.error.render(text))}[/red]", soft_wrap=True)
        for change in one.changes:
            line = f"  {change.key}: {_value(change.old)} → {_value(change.new)}"
            console.print(escape(line), soft_wrap=True)
    missing = {
        one.folder for one in plan.runs if one.error is None and not store.is_settled(one.folder)
    }
    wrong = sum(one.error is not None for one in plan.runs)
    console.print(
        text(
            Msg(
                "{scenarios} scenarios: {missing} runs to make, {wrong} refused, the rest is there",
                scenarios=len(plan.runs),
                missing=len(missing),
                wrong=wrong,
            )
        )
    )


def _fate(one: Planned, store: RunStore) -> Msg:
    if one.error is not None:
        return Msg("refused")
    if store.has(one.folder):
        return Msg("there already")
    if store.infeasible_reason(one.folder) is not None:
        return Msg("infeasible, proven already")
    return Msg("to run")


def _value(value: object) -> str:
    return "none" if value is None else str(value)


class _Board:
    """What the live table shows, from the events of a batch."""

    def __init__(self, translator: Translator) -> None:
        self._text = translator.text
        self._translator = translator
        self._running: dict[str, float] = {}
        self._plan: Event = {}
        self._ended: dict[str, int] = {}
        self._seconds: list[float] = []
        self._last_failures: list[str] = []

    def hear(self, event: Event) -> None:
        """Take one event in."""
        if event["event"] == "plan":
            self._plan = event
        elif event["event"] == "started":
            self._running[event["name"]] = time.monotonic()
        elif event["event"] == "done":
            self._running.pop(event["name"], None)
            self._ended[event["status"]] = self._ended.get(event["status"], 0) + 1
            self._seconds.append(time.monotonic())
            if event["status"] in ("failed", "infeasible"):
                reason = event["reason"].splitlines()[0] if event["reason"] else ""
                self._last_failures = [*self._last_failures, f"{event['name']}: {reason}"][-3:]

    def __rich__(self) -> Group:
        text, done = self._text, sum(self._ended.values())
        total = int(self._plan.get("to_run", 0))
        bad = self._ended.get("failed", 0) + len(self._plan.get("refused", ()))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in (Msg("running"), Msg("done"), Msg("reused"), Msg("infeasible"),
                        Msg("failed"), Msg("remaining"), Msg("time left")):  # fmt: skip
            table.add_column(text(heading), justify="right")
        table.add_row(
            str(len(self._running)),
            str(done - self._ended.get("failed", 0) - self._ended.get("infeasible", 0)),
            str(self._plan.get("reused", 0)),
            str(self._ended.get("infeasible", 0)),
            str(bad),
            str(max(total - done - len(self._running), 0)),
            self._left(total - done),
        )
        now = time.monotonic()
        lines = [
            f"  {escape(name)}  {self._translator.number(now - start)} s"
            for name, start in list(self._running.items())[:FIRST]
        ]
        failures = [f"[red]  {escape(line)}[/red]" for line in self._last_failures]
        bar = Table.grid(expand=True)  # a bar alone ends no line: the headings would follow it
        bar.add_row(ProgressBar(max(total, 1), done))
        return Group(bar, table, *lines, *failures)

    def _left(self, remaining: int) -> str:
        """From the pace of the last runs: the first ones wait for the measures."""
        recent = self._seconds[-50:]
        if remaining <= 0 or len(recent) < 2:
            return "—" if remaining > 0 else "0 s"
        seconds = remaining * (recent[-1] - recent[0]) / (len(recent) - 1)
        minutes = int(seconds) // 60
        return f"{minutes} min {int(seconds) % 60:02d} s" if minutes else f"{seconds:.0f} s"


@contextmanager
def live_board(translator: Translator) -> Iterator[OnEvent]:
    """A table on stderr that follows the batch, gone when it ends."""
    board = _Board(translator)
    console = Console(stderr=True)
    with Live(board, console=console, transient=True, refresh_per_second=4):
        yield board.hear


def print_batch(batch: Batch, files: Sequence[Any], translator: Translator) -> None:
    """How each scenario ended, the robust core, and where the files are."""
    from siteselect.batches.synthesis import synthesis_of

    console, text = Console(highlight=False), translator.text
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (Msg("scenario"), Msg("status"), Msg("objective"), Msg("gap"),
                    Msg("net ha"), Msg("run")):  # fmt: skip
        table.add_column(text(heading))
    for one, done in zip(batch.plan.runs, batch.done, strict=True):
        objective = None if done.objective is None else score_from_units(done.objective)
        table.add_row(
            escape(one.name),
            text(STATUS_WORDS[done.status]),
            "—" if objective is None else translator.number(objective, 6),
            "—" if done.gap is None else translator.percent(done.gap, 4),
            "—" if done.objective is None else translator.number(done.totals.get("net_ha"), 2),
            escape(one.folder),
        )
    console.print(table)
    for one, done in zip(batch.plan.runs, batch.done, strict=True):
        if not done.has_run and done.reason:
            console.print(f"[red]{escape(one.name)}: {escape(done.reason)}[/red]", soft_wrap=True)
    synthesis = synthesis_of(batch)
    console.print(
        text(
            Msg(
                "{core} sites are chosen in every scenario, {sites} in at least one",
                core=len(synthesis.core),
                sites=len(synthesis.sites),
            )
        )
    )
    for file in files:
        console.print(escape(str(file)), soft_wrap=True)


def print_entries(entries: Sequence[Entry], translator: Translator) -> None:
    """The runs of a store, newest first."""
    console, text = Console(highlight=False), translator.text
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (Msg("run"), Msg("made"), Msg("title"), Msg("status"), Msg("objective"),
                    Msg("sites"), Msg("net ha")):  # fmt: skip
        table.add_column(text(heading))
    for one in entries:
        table.add_row(
            escape(one.folder),
            one.created[:16].replace("T", " "),
            escape(one.title),
            text(STATUS_WORDS.get(one.status, Msg("unknown"))),
            translator.number(score_from_units(one.objective), 6),
            str(one.selected),
            translator.number(one.net_ha, 2),
        )
    console.print(table)
    console.print(
        translator.plural(
            len(entries), Msg("{n} run", n=len(entries)), Msg("{n} runs", n=len(entries))
        )
    )
