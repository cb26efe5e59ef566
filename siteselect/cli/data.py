"""``siteselect data …``: packs of data."""

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
    new_typer,
    print_json,
    progress,
)

data = new_typer("Paquets de données.")


@data.command("build")
def data_build(
    folder: Annotated[Path, typer.Argument(help="dossier du paquet à créer")],
    friches: Annotated[
        Path, typer.Option("--friches", help="inventaire des friches (CSV Cartofriches ou CNIG)")
    ],
    base: Annotated[
        str, typer.Option("--base", help="paquet d'où viennent communes, routes, équipements")
    ] = "france",
    contours: Annotated[
        Path | None,
        typer.Option("--contours", help="contours des communes, pour situer chaque point"),
    ] = None,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Construit un paquet de données depuis un inventaire réel de friches."""
    with faults(lang) as translator:
        from siteselect.pack import open_pack
        from siteselect.report.screen import print_import
        from siteselect.sources.build import build_pack

        with progress(translator, quiet=quiet or as_json) as tell:
            pack = build_pack(
                folder,
                friches=friches,
                base=open_pack(base),
                contours=contours,
                translate=translator.gettext,
                progress=tell,
            )
        summary = pack.table("report")
        if as_json:
            counts = summary["issue"].value_counts().sort_index()
            print_json(
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
    with faults(lang) as translator:
        from siteselect.pack import embedded_packs, open_pack

        packs = [open_pack(name) for name in embedded_packs()]
        if as_json:
            print_json({pack.manifest.name: pack.manifest.model_dump() for pack in packs})
        else:
            from siteselect.report.screen import print_pack

            for pack in packs:
                print_pack(pack, translator)
