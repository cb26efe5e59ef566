"""``siteselect data …``: packs of data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from siteselect.i18n import Translator
    from siteselect.pack import DataPack
    from siteselect.sources.plan import Plan

data = new_typer("Paquets de données.")


@data.command("build")
def data_build(
    folder: Annotated[Path, typer.Argument(help="dossier du paquet à créer")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="build.toml, ou dossier des fichiers officiels"),
    ] = None,
    files: Annotated[
        Path | None, typer.Option("--files", help="dossier des fichiers que nomme build.toml")
    ] = None,
    friches: Annotated[
        Path | None,
        typer.Option("--friches", help="un seul inventaire de friches (Cartofriches ou CNIG)"),
    ] = None,
    base: Annotated[
        str, typer.Option("--base", help="paquet d'où vient ce que les fichiers ne donnent pas")
    ] = "",
    contours: Annotated[
        Path | None, typer.Option("--contours", help="contours des communes (avec --friches)")
    ] = None,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Construit un paquet de données depuis des fichiers officiels."""
    if (source is None) == (friches is None):
        raise typer.BadParameter("donner --from (build.toml ou dossier) ou --friches (un fichier)")
    with faults(lang) as translator:
        with progress(translator, quiet=quiet or as_json) as tell:
            if friches is not None:
                from siteselect.pack import open_pack
                from siteselect.sources.build import build_pack

                pack = build_pack(
                    folder,
                    friches=friches,
                    base=open_pack(base or "france"),
                    contours=contours,
                    translate=translator.gettext,
                    progress=tell,
                )
            else:
                assert source is not None
                pack = _from_files(folder, source, files, base, translator, tell)
        _told(pack, folder, translator, as_json)


def _from_files(
    folder: Path, source: Path, files: Path | None, base: str, translator: Translator, tell: Any
) -> DataPack:
    from siteselect.pack import open_pack
    from siteselect.sources.assemble import build_from_plan

    plan, where = _plan(source, files, translator)
    return build_from_plan(
        folder,
        plan,
        where,
        base=open_pack(base or plan.base, relative_to=source.parent),
        translate=translator.gettext,
        progress=tell,
    )


def _plan(source: Path, files: Path | None, translator: Translator) -> tuple[Plan, Path]:
    from siteselect.messages import Msg
    from siteselect.sources.plan import BUILD_FILE, read_plan
    from siteselect.sources.recognise import recognise_folder

    if source.is_dir() and (source / BUILD_FILE).is_file():
        source = source / BUILD_FILE
    if not source.is_dir():
        return read_plan(source, files=files)
    found = recognise_folder(source)
    for one in found.plan.inputs:
        typer.echo(f"{one.role}{f' ({one.facility_class})' if one.facility_class else ''}: "
                   f"{one.file}", err=True)  # fmt: skip
    if found.unknown:
        told = Msg("files that play no part: {names}", names=", ".join(found.unknown))
        typer.echo(translator.text(told), err=True)
    return found.plan, source


def _told(pack: DataPack, folder: Path, translator: Translator, as_json: bool) -> None:
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
        return
    from siteselect.report.screen import print_import

    print_import(pack, summary, translator)


@data.command("list")
def data_list(
    pack: Annotated[
        str, typer.Option("--pack", help="paquet dont on veut savoir ce qu'il contient")
    ] = "france",
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Montre un paquet (couches, licences, ce qui est simulé) et les sources officielles."""
    with faults(lang) as translator:
        from siteselect.pack import open_pack
        from siteselect.sources.catalogue import catalogue

        chosen = open_pack(pack, check=False)
        sources = catalogue()
        if as_json:
            print_json(
                {
                    chosen.manifest.name: chosen.manifest.model_dump(),
                    "sources": {name: source.model_dump() for name, source in sources.items()},
                }
            )
        else:
            from siteselect.report.packreport import print_catalogue
            from siteselect.report.screen import print_pack

            print_pack(chosen, translator)
            print_catalogue(sources, chosen, translator)


@data.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="nom de la source (siteselect data list)")],
    folder: Annotated[Path, typer.Option("--to", help="dossier des fichiers")] = Path("fichiers"),
    url: Annotated[
        str | None, typer.Option("--url", help="adresse du fichier, prise sur la page de la source")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="empreinte que le fichier doit avoir")
    ] = None,
    offline: Annotated[
        Path | None, typer.Option("--offline", help="dossier où le fichier est déjà")
    ] = None,
    unzip: Annotated[bool, typer.Option("--unzip", help="déballer l'archive zip")] = False,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Télécharge une source officielle (reprise, nouveaux essais, empreinte notée)."""
    with faults(lang) as translator:
        from siteselect.messages import Msg
        from siteselect.sources.catalogue import fetch, unpack

        with progress(translator, quiet=quiet or as_json) as tell:
            got = fetch(name, folder, url=url, sha256=sha256, offline=offline, progress=tell)
        files = unpack(got.path, folder) if unzip else [got.path]
        if as_json:
            print_json(
                {
                    "files": [str(path) for path in files],
                    "url": got.url,
                    "bytes": got.bytes,
                    "sha256": got.sha256,
                    "changed": got.changed,
                }
            )
            return
        for path in files:
            typer.echo(str(path))
        typer.echo(f"sha256 {got.sha256}", err=True)
        if got.changed:
            told = Msg("the file is no longer the one fetched before: build the packs again")
            typer.echo(translator.text(told), err=True)


@data.command("template")
def data_template(
    file: Annotated[Path, typer.Argument(help="classeur à créer")] = Path("candidatures.xlsx"),
    lang: LangOption = Lang.fr,
) -> None:
    """Écrit le classeur XLSX que les territoires remplissent pour proposer des sites."""
    with faults(lang) as translator:
        from siteselect.messages import Msg
        from siteselect.sources.template import write_template

        write_template(file)
        typer.echo(translator.text(Msg("Workbook written: {file}", file=file)))


@data.command("check")
def data_check(
    pack: Annotated[str, typer.Argument(help="dossier ou nom du paquet")],
    strict: Annotated[
        bool, typer.Option("--strict", help="les avertissements valent des erreurs")
    ] = False,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Dit tout ce qui est faux, douteux ou à savoir dans un paquet (statut 2 s'il est faux)."""
    with faults(lang) as translator:
        from siteselect.pack import open_pack
        from siteselect.report.packreport import as_records, print_check
        from siteselect.sources.packcheck import check_pack

        with progress(translator, quiet=quiet or as_json) as tell:
            problems = check_pack(open_pack(pack, check=False), progress=tell)
        if as_json:
            print_json({"pack": pack, "problems": as_records(problems, translator)})
        else:
            print_check(problems, translator)
        bad = {"error", "warning"} if strict else {"error"}
        if any(problem.severity in bad for problem in problems):
            raise typer.Exit(2)
