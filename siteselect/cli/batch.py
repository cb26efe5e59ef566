"""``siteselect batch``, ``siteselect runs …`` and ``siteselect scenario …``."""

from __future__ import annotations

import json
from dataclasses import asdict
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
)

if TYPE_CHECKING:
    from siteselect.batches import Plan
    from siteselect.i18n import Translator

StoreOption = Annotated[Path, typer.Option("--store", help="dossier des calculs")]
DEFAULT_STORE = Path("runs")

runs = new_typer("Calculs gardés : lister, montrer, compléter, supprimer.")
scenario = new_typer("Clés d'un scénario : référence et schéma JSON.")


def batch(
    sources: Annotated[
        list[str], typer.Argument(help="scénarios, grilles, dossiers, noms de scénarios livrés")
    ],
    store: StoreOption = DEFAULT_STORE,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="processus (défaut : un par processeur)")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="adresse d'un ordonnanceur Dask existant")
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            "--patience", min=0, help="minutes sans aucun ouvrier avant que la grappe soit perdue"
        ),
    ] = 10.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="montrer ce qui serait calculé, sans calculer")
    ] = False,
    reports: Annotated[
        bool,
        typer.Option("--reports", help="écrire aussi les fichiers à lire de chaque calcul"),
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="clé=valeur, pour tous les scénarios")
    ] = None,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="événements en JSON sur stdout, un par ligne")
    ] = False,
) -> None:
    """Lance beaucoup de scénarios ; ne refait pas ce qui est déjà calculé, reprend après un arrêt.

    Statut de sortie : 0 tous prouvés ; 1 au moins un n'a pas pu être calculé ; sinon 3 si l'un est
    infaisable, 4 si l'un n'est pas prouvé ; 2 si rien ne peut être lancé.
    """
    with faults(lang) as translator:
        if jobs is not None and scheduler is not None:
            raise _either(jobs)
        from siteselect.batches import plan_batch

        plan = plan_batch(sources, overrides=overrides or (), lang=lang.value)
        if dry_run:
            _show_plan(plan, store, translator, as_json=as_json)
            raise typer.Exit(1 if any(one.error is not None for one in plan.runs) else 0)
        where = {"jobs": jobs, "scheduler": scheduler, "patience_min": patience}
        _run(plan, store, where, reports, translator, quiet=quiet, as_json=as_json)


def _either(jobs: int) -> Exception:
    from siteselect.errors import Fault, InputError
    from siteselect.messages import Msg

    return InputError(
        Fault(
            Msg("a batch runs on this machine or on a cluster"),
            where="--jobs, --scheduler",
            value=jobs,
            remedy=Msg("keep one of the two"),
        )
    )


def _show_plan(plan: Plan, store: Path, translator: Translator, *, as_json: bool) -> None:
    from siteselect.batches import RunStore

    kept = RunStore(store)
    if not as_json:
        from siteselect.batches.screen import print_plan

        print_plan(plan, kept, translator)
        return
    for one in plan.runs:
        _print_line(
            {
                "event": "planned",
                "name": one.name,
                "run": one.folder,
                "there": bool(one.folder) and kept.is_settled(one.folder),
                "reason": one.error.render(translator.text) if one.error is not None else "",
                "changes": [str(change) for change in one.changes],
            }
        )


def _run(
    plan: Plan,
    store: Path,
    where: dict[str, Any],
    reports: bool,
    translator: Translator,
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    from contextlib import nullcontext

    from siteselect.batches import run_plan
    from siteselect.batches.papers import write_synthesis
    from siteselect.batches.screen import live_board, print_batch, print_plan
    from siteselect.batches.store import RunStore
    from siteselect.errors import InputError

    if not (quiet or as_json):
        print_plan(plan, RunStore(store), translator)
    board = nullcontext(_print_line if as_json else None) if quiet or as_json else None
    with board or live_board(translator) as tell:
        done = run_plan(plan, store=store, reports=reports, on_event=tell, **where)
    status = done.exit_status
    files: tuple[Path, ...] = ()
    try:
        files = write_synthesis(done)
    except InputError as error:  # the runs are what matters: say how they ended all the same
        typer.echo(error.render(translator.text), err=True)
        status = status or 1
    if as_json:
        _print_line({"event": "synthesis", "files": [str(file) for file in files]})
    else:
        print_batch(done, files, translator)
    if status:
        raise typer.Exit(status)


def _print_line(event: dict[str, Any]) -> None:
    typer.echo(json.dumps(event, ensure_ascii=False))


@runs.command("list")
def runs_list(
    store: StoreOption = DEFAULT_STORE,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="refaire l'index depuis les dossiers")
    ] = False,
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Liste les calculs gardés, le plus récent d'abord."""
    with faults(lang) as translator:
        from siteselect.batches import RunStore

        kept = RunStore(store)
        found = kept.rebuild() if rebuild else kept.entries()
        if as_json:
            print_json({"store": str(store), "runs": [asdict(one) for one in found]})
        else:
            from siteselect.batches.screen import print_entries

            print_entries(found, translator)


@runs.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(help="identifiant (ou son début)")],
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Montre un calcul : les sites, le solde, les fichiers."""
    with faults(lang) as translator:
        from siteselect.batches import RunStore
        from siteselect.rundir import read_json, read_run

        kept = RunStore(store)
        folder = kept.place(kept.find(run).folder)
        if as_json:
            print_json({"folder": str(folder), **read_json(folder / "result.json")})
        else:
            from siteselect.report.screen import print_run

            print_run(read_run(folder), folder, translator)


@runs.command("report")
def runs_report(
    run: Annotated[str, typer.Argument(help="identifiant (ou son début)")],
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Écrit le classeur, la couche et la page d'un calcul qui n'a que ses tables."""
    with faults(lang):
        from siteselect.batches import RunStore

        kept = RunStore(store)
        folder = kept.add_reports(kept.find(run).folder)
        if as_json:
            print_json({"folder": str(folder), "files": sorted(p.name for p in folder.iterdir())})
        else:
            typer.echo(str(folder))


@runs.command("remove")
def runs_remove(
    names: Annotated[list[str], typer.Argument(help="identifiants (ou leur début)")],
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Supprime des calculs : tous ceux qui sont nommés, ou aucun."""
    with faults(lang):
        from siteselect.batches import RunStore

        gone = RunStore(store).remove(names)
        if as_json:
            print_json({"removed": [one.folder for one in gone]})
        else:
            for one in gone:
                typer.echo(one.folder)


@runs.command("prune")
def runs_prune(
    store: StoreOption = DEFAULT_STORE,
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, help="garder les N plus récents")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0, help="seulement au-delà de N jours")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="montrer sans supprimer")] = False,
    lang: LangOption = Lang.fr,
    as_json: JsonOption = False,
) -> None:
    """Supprime les calculs anciens demandés, et les restes d'écritures interrompues."""
    with faults(lang):
        from siteselect.batches import RunStore

        kept = RunStore(store)
        doomed = kept.prunable(keep=keep, older_than_days=older_than)
        gone = [*(one.folder for one in doomed), *(place.name for place in kept.leftovers())]
        if not dry_run:
            kept.prune(doomed)
        if as_json:
            print_json({"removed" if not dry_run else "would_remove": gone})
        else:
            for name in gone:
                typer.echo(name)


@scenario.command("schema")
def scenario_schema_command(
    out: Annotated[Path | None, typer.Option("--out", help="fichier à écrire")] = None,
) -> None:
    """Schéma JSON d'un scénario, pour les éditeurs."""
    from siteselect.scenario_keys import scenario_schema

    text = json.dumps(scenario_schema(), ensure_ascii=False, indent=2) + "\n"
    _give(text, out)


@scenario.command("keys")
def scenario_keys_command(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="la page docs/scenario-reference.md")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="fichier à écrire")] = None,
    as_json: JsonOption = False,
) -> None:
    """Chaque clé d'un scénario : type, unité, défaut, sens."""
    from siteselect.scenario_keys import reference_page, scenario_keys

    if markdown:
        _give(reference_page(), out)
    elif as_json:
        print_json({"keys": [asdict(key) for key in scenario_keys()]})
    else:
        for key in scenario_keys():
            unit = f" [{key.unit}]" if key.unit else ""
            typer.echo(f"{key.path}{unit} = {key.default}\n    {key.meaning} ({key.type})")


def _give(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
    else:
        beside = out.with_name(f".{out.name}.tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
