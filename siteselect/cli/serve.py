"""``siteselect serve``: the planner's application in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siteselect.cli.frame import Lang, LangOption, QuietOption, faults

if TYPE_CHECKING:
    from siteselect.web.settings import Settings


def serve(
    workspace: Annotated[
        Path, typer.Option("--workspace", help="dossier de travail : packs, scenarios, runs")
    ] = Path(),
    packs: Annotated[Path | None, typer.Option("--packs", help="dossier des paquets")] = None,
    runs: Annotated[Path | None, typer.Option("--runs", help="dossier des calculs")] = None,
    host: Annotated[str, typer.Option("--host", help="adresse d'écoute")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="port ; 0 : n'importe lequel de libre")
    ] = 8710,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="SITESELECT_TOKEN",
            help="jeton exigé de chaque requête (tiré au hasard hors de 127.0.0.1)",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", help="autre nom de l'application, derrière un mandataire HTTPS"),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="calculs simultanés")] = 1,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="ne pas ouvrir le navigateur")
    ] = False,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
) -> None:
    """Ouvre l'application des planificateurs dans le navigateur, sur cette machine."""
    with faults(lang):
        from siteselect.web.serving import serve as serve_app
        from siteselect.web.settings import settings_for

        settings = settings_for(
            workspace,
            packs=packs,
            runs=runs,
            host=host,
            port=port,
            token=token,
            lang=lang.value,
            workers=workers,
            names=names or (),
        )

        def ready(served: Settings, address: str) -> None:
            if not quiet:
                typer.echo(f"siteselect : {address}", err=True)
            if not no_browser:
                import webbrowser

                webbrowser.open(address)

        serve_app(settings, ready=ready)
