"""``siteselect report``: the heavier deliverables of a finished run."""

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


def report(
    folder: Annotated[Path, typer.Argument(help="dossier d'un résultat")],
    page: Annotated[
        bool, typer.Option("--page", help="page HTML avec isochrones et robustesse")
    ] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="dossier de comité (PDF)")] = False,
    sheets: Annotated[bool, typer.Option("--sheets", help="fiches sites (PDF)")] = False,
    maps: Annotated[bool, typer.Option("--maps", help="cartes (SVG et PNG)")] = False,
    geojson: Annotated[bool, typer.Option("--geojson", help="GeoJSON (EPSG:4326)")] = False,
    gis: Annotated[bool, typer.Option("--gis", help="GeoPackage avec les isochrones")] = False,
    ro_crate: Annotated[
        bool, typer.Option("--ro-crate", help="métadonnées RO-Crate du dossier")
    ] = False,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Écrit les livrables d'un résultat (tous, sauf RO-Crate, si rien n'est demandé)."""
    with faults(lang) as translator:
        from siteselect.report.extras import PARTS, folder_name, make_deliverables
        from siteselect.rundir import read_run

        asked = dict(zip(PARTS, (page, pdf, sheets, maps, geojson, gis), strict=True))
        parts = [name for name, wanted in asked.items() if wanted]
        if not parts and not ro_crate:
            parts = list(PARTS)
        run = read_run(folder)
        with progress(translator, quiet=quiet or as_json) as tell:
            written = make_deliverables(
                run, folder, translator, parts=parts, crate=ro_crate, progress=tell
            )
        if as_json:
            place = folder / folder_name(lang.value)
            print_json({"folder": str(place), "files": list(written)})
            return
        for name in written:
            typer.echo(str(folder / name))
