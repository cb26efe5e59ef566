"""``siteselect run`` and ``siteselect verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siteselect.cli.frame import (
    JsonOption,
    Lang,
    LangOption,
    QuietOption,
    faults,
    print_json,
    progress,
)

PROVEN = ("optimal", "within_gap")


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
    with faults(lang) as translator:
        from siteselect.pipeline import run as run_scenario
        from siteselect.pipeline import run_folder
        from siteselect.scenario_files import load_scenario

        loaded = load_scenario(scenario, overrides=overrides or ())
        with progress(translator, quiet=quiet or as_json) as tell:
            folder = out if out is not None else run_folder(loaded)
            done = run_scenario(loaded, out=folder, lang=lang.value, progress=tell)
        if as_json:
            from siteselect.rundir import read_json

            print_json({"folder": str(folder), **read_json(folder / "result.json")})
        else:
            from siteselect.report.screen import print_run

            print_run(done, folder, translator)
        if done.result.status not in PROVEN:
            raise typer.Exit(4)


def verify(
    folder: Annotated[Path, typer.Argument(help="dossier d'un résultat")],
    proof: Annotated[
        bool, typer.Option("--proof", help="contrôler aussi le certificat de la borne")
    ] = False,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Recalcule un résultat depuis ses données, sans le code de l'optimiseur."""
    with faults(lang) as translator:
        from siteselect.messages import Msg
        from siteselect.verify import verify_run

        with progress(translator, quiet=quiet or as_json) as tell:
            checks = verify_run(folder, proof=proof, progress=tell)
        if as_json:
            print_json(
                {
                    "folder": str(folder),
                    "verified": True,
                    "certified": proof,
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
