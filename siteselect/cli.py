"""The command line: results on stdout, progress and errors on stderr, exit status as agreed.

0 done and proven (or within the accepted gap), 2 bad input, 3 infeasible, 4 stopped at a limit,
1 anything else. Heavy libraries are imported inside the commands: ``--help`` must be instant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from siteselect.errors import SiteSelectError
    from siteselect.i18n import Translator

PROVEN = ("optimal", "within_gap")

app = typer.Typer(
    name="siteselect",
    help="Choisir des sites industriels sous zéro artificialisation nette, de façon prouvée.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data = typer.Typer(help="Paquets de données.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data, name="data")


class Lang(StrEnum):
    """Languages of what people read."""

    fr = "fr"
    en = "en"


LangOption = Annotated[Lang, typer.Option("--lang", help="langue : fr ou en")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="pas de progression")]
JsonOption = Annotated[bool, typer.Option("--json", help="résultat en JSON sur stdout")]


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="fichier TOML, ou nom d'un scénario livré")],
    out: Annotated[
        Path | None, typer.Option("--out", help="dossier du résultat (défaut : runs/NOM-ID)")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="clé=valeur, par exemple --set count=40")
    ] = None,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Choisit les sites d'un scénario et écrit le dossier de résultat."""
    with _faults(lang) as translator:
        from siteselect.pipeline import run as run_scenario
        from siteselect.pipeline import run_folder
        from siteselect.scenario_files import load_scenario

        loaded = load_scenario(scenario, overrides=overrides or ())
        with _progress(translator, quiet=quiet or as_json) as progress:
            folder = out if out is not None else run_folder(loaded)
            done = run_scenario(loaded, out=folder, lang=lang.value, progress=progress)
        if as_json:
            from siteselect.rundir import read_json

            _print_json({"folder": str(folder), **read_json(folder / "result.json")})
        else:
            from siteselect.report.screen import print_run

            print_run(done, folder, translator)
        if done.result.status not in PROVEN:
            raise typer.Exit(4)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="dossier d'un résultat")],
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Recalcule un résultat depuis ses données, sans le code de l'optimiseur."""
    with _faults(lang) as translator:
        from siteselect.messages import Msg
        from siteselect.verify import verify_run

        with _progress(translator, quiet=quiet or as_json) as progress:
            checks = verify_run(folder, progress=progress)
        if as_json:
            _print_json(
                {
                    "folder": str(folder),
                    "verified": True,
                    "checks": [str(check) for check in checks],
                }
            )
            return
        for check in checks:
            typer.echo(f"  ✓ {translator.text(check)}")
        typer.echo(
            translator.text(
                Msg("{folder}: verified, {count} checks", folder=folder, count=len(checks))
            )
        )


@data.command("build")
def data_build(
    folder: Annotated[Path, typer.Argument(help="dossier du paquet à créer")],
    friches: Annotated[
        Path, typer.Option("--friches", help="inventaire des friches (CSV Cartofriches ou CNIG)")
    ],
    base: Annotated[
        str, typer.Option("--base", help="paquet d'où viennent communes, routes, équipements")
    ] = "france",
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Construit un paquet de données depuis un inventaire réel de friches."""
    with _faults(lang) as translator:
        from siteselect.pack import open_pack
        from siteselect.report.screen import print_import
        from siteselect.sources.build import build_pack

        with _progress(translator, quiet=quiet or as_json) as progress:
            pack = build_pack(folder, friches=friches, base=open_pack(base), progress=progress)
        summary = pack.table("report")
        if as_json:
            counts = summary["issue"].value_counts().sort_index()
            _print_json(
                {
                    "folder": str(folder),
                    "sites": len(pack.vectors("sites")),
                    "issues": {str(key): int(n) for key, n in counts.items()},
                }
            )
        else:
            print_import(pack, summary, translator)


@data.command("list")
def data_list(lang: LangOption = Lang.fr, as_json: JsonOption = False) -> None:
    """Montre les paquets livrés, leurs couches, licences et ce qui est simulé."""
    with _faults(lang) as translator:
        from siteselect.pack import embedded_packs, open_pack

        packs = [open_pack(name) for name in embedded_packs()]
        if as_json:
            _print_json({pack.manifest.name: pack.manifest.model_dump() for pack in packs})
        else:
            from siteselect.report.screen import print_pack

            for pack in packs:
                print_pack(pack, translator)


@contextmanager
def _faults(lang: Lang) -> Iterator[Translator]:
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
def _progress(
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


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def main() -> None:
    """Entry point. Windows consoles may not be UTF-8: never fail on an accent."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app()
