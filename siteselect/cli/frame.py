"""What every command shares: options, errors as one clear message, progress, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from siteselect.errors import SiteSelectError
    from siteselect.i18n import Translator


class Lang(StrEnum):
    """Languages of what people read."""

    fr = "fr"
    en = "en"


LangOption = Annotated[Lang, typer.Option("--lang", help="langue : fr ou en")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="pas de progression")]
JsonOption = Annotated[bool, typer.Option("--json", help="résultat en JSON sur stdout")]


def new_typer(text: str) -> typer.Typer:
    """A group of commands with the settings of all."""
    return typer.Typer(
        help=text, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )


@contextmanager
def faults(lang: Lang) -> Iterator[Translator]:
    """Turns the errors of siteselect into one clear message and an exit status."""
    from siteselect.errors import SiteSelectError
    from siteselect.i18n import Translator

    translator = Translator(lang.value)
    try:
        yield translator
    except SiteSelectError as error:
        _print_error(error, translator)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _print_error(error: SiteSelectError, translator: Translator) -> None:
    from siteselect.messages import Msg

    headings = {
        2: Msg("Bad input:"),
        3: Msg("Infeasible: no portfolio satisfies every constraint."),
        4: Msg("Stopped at a limit:"),
    }
    heading = headings.get(error.exit_status, Msg("Error:"))
    typer.echo(translator.text(heading), err=True)
    for line in error.render(translator.text).splitlines():
        typer.echo(f"  • {line}", err=True)


@contextmanager
def progress(
    translator: Translator, *, quiet: bool
) -> Iterator[Callable[[str, float], None] | None]:
    """A bar for each stage on stderr, gone when done."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from siteselect.report.screen import stage_name

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(translator.text(stage_name(stage)), total=1.0)
            bars.update(tasks[stage], completed=min(share, 1.0))

        yield tell


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on stdout."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
