"""``explain``, ``compare``, ``rank``, ``robustness``, ``alternatives``, ``tradeoffs``, ``equity``,
``jobs``: questions about a finished run. Tables and figures go to RUN/analysis/.
"""

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
    print_json,
    progress,
)

if TYPE_CHECKING:
    import pandas as pd

    from siteselect.i18n import Translator

RunArgument = Annotated[Path, typer.Argument(help="dossier d'un résultat")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="processus")]


def explain(
    folder: RunArgument,
    site_id: Annotated[str, typer.Argument(help="identifiant du site")],
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Dit pourquoi un site est retenu ou non, ce que coûte l'inverse, et ce qui l'arrête."""
    with faults(lang) as translator:
        from siteselect.explain import explain as explained
        from siteselect.reopen import reopen
        from siteselect.report.decision import explanation_json, print_explanation

        with progress(translator, quiet=quiet or as_json) as tell:
            case = reopen(folder, progress=tell)
            one = explained(case, site_id)
        if as_json:
            print_json(explanation_json(one, translator))
        else:
            print_explanation(one, translator)


def compare(
    folders: Annotated[list[Path], typer.Argument(help="dossiers de deux résultats ou plus")],
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare des résultats : sites gardés, entrés, sortis, régions, critères, bilans, accord."""
    del quiet  # it shows no progress; the option is that of every command
    with faults(lang) as t:
        from siteselect.analysis import write_analysis
        from siteselect.compare import compare_runs
        from siteselect.report.decision import columns_of, print_table, say
        from siteselect.report.plots import moves_map

        found = compare_runs(folders)
        tables = {
            "sites": found.sites, "agreement": found.agreement, "regions": found.regions,
            "criteria": found.criteria, "ledgers": found.ledgers, "totals": found.totals,
            "settings": found.settings,
        }  # fmt: skip
        notices = [t.text(notice) for notice in found.notices]
        place = write_analysis(
            folders[0],
            "compare-" + "-".join(label.replace("/", "_") for label in found.labels[1:])[:80],
            facts={
                "runs": found.labels,
                "notices": notices,
                "agreement": found.agreement.to_dict("records"),
            },
            tables=tables,
            figures={"map": moves_map(found.sites, _outlines(folders[0]), t)},
        )
        if as_json:
            _json(place)
            return
        print_table(found.agreement, columns_of(found.agreement), t)
        print_table(found.totals, columns_of(found.totals), t)
        moved = found.sites[found.sites["movement"] != "kept"]
        print_table(moved, ["site_id", "name", "region_name", "movement", *found.labels], t)
        for notice in found.notices:
            say(notice, t)
        _files(place, t)


def rank(
    folder: RunArgument,
    nested: Annotated[int, typer.Option("--nested", help="pas de l'ordre emboîté, 0 : non")] = 0,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Classe les sites par coût de remplacement ; réserve que le modèle prendrait ; arbitrages."""
    with faults(lang) as t:
        from siteselect.report.analyses import keep_ranking
        from siteselect.report.decision import columns_of, print_table, say

        with progress(t, quiet=quiet or as_json) as tell:
            kept = keep_ranking(folder, t, nested=nested, progress=tell)
        if as_json:
            _json(kept.folder)
            return
        tables = kept.tables
        shown = ["rank", "site_id", "name", "region_name", "score", "replacement_cost", "enter"]
        print_table(tables["replacement"], shown, t, most=60)
        reserve = ["rank", "site_id", "name", "score", "replaces", "taken"]
        print_table(tables["reserve"], reserve, t)
        if len(tables["overrides"]):
            print_table(tables["overrides"], columns_of(tables["overrides"]), t)
        if "nested" in tables:
            print_table(tables["nested"], ["count", "status", "objective"], t)
        from siteselect.messages import Msg

        exact = Msg("Replacement costs are exact: every search is proven optimal.")
        open_ = Msg("Some searches stopped before their proof: their cost is left empty.")
        say(exact if kept.facts["proven"] else open_, t)
        _files(kept.folder, t)


def robustness(
    folder: RunArgument,
    draws: Annotated[int, typer.Option("--draws", min=1, help="nombre de tirages")] = 200,
    seed: Annotated[int | None, typer.Option("--seed", help="défaut : celle du scénario")] = None,
    concentration: Annotated[
        float, typer.Option("--concentration", help="Dirichlet : plus grand, plus près du scénario")
    ] = 50.0,
    workers: WorkersOption = 2,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rejoue le choix avec d'autres poids, données et plafonds : qui reste, qui change."""
    with faults(lang) as t:
        from siteselect.messages import Msg
        from siteselect.report.analyses import keep_robustness
        from siteselect.report.decision import print_table, say

        with progress(t, quiet=quiet or as_json) as tell:
            kept = keep_robustness(
                folder, t, draws=draws, seed=seed, concentration=concentration, workers=workers,
                progress=tell,
            )  # fmt: skip
        if as_json:
            _json(kept.folder)
            return
        tables = kept.tables
        say(Msg("{proven} of {draws} draws proven optimal; a frequency is uncertain by its "
                "interval (Wilson, 95 %)", proven=kept.facts["proven"],
                draws=draws), t)  # fmt: skip
        shown = ["site_id", "name", "frequency", "low", "high", "class", "selected"]
        print_table(tables["sites"], shown, t, most=60)
        print_table(tables["structures"], ["variant", "status", "objective", "kept", "jaccard"], t)
        _files(kept.folder, t)


def alternatives(
    folder: RunArgument,
    loss: Annotated[float, typer.Option("--loss", min=0, help="perte admise, part")] = 0.01,
    different: Annotated[int, typer.Option("--different", min=1, help="sites différents")] = 5,
    how_many: Annotated[int, typer.Option("--number", min=1, help="combien")] = 5,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cherche d'autres bons portefeuilles, et les sites communs à tous ceux d'une perte admise."""
    with faults(lang) as t:
        from siteselect.messages import Msg
        from siteselect.report.analyses import keep_alternatives
        from siteselect.report.decision import print_table, say

        with progress(t, quiet=quiet or as_json) as tell:
            kept = keep_alternatives(
                folder, loss_share=loss, min_different=different, how_many=how_many, progress=tell
            )
        if as_json:
            _json(kept.folder)
            return
        tables = kept.tables
        print_table(tables["portfolios"], ["name", "loss", "differs", "enter", "leave"], t)
        say(Msg("{count} sites are in every portfolio within {loss:.2%} of the optimum: {sites}",
                count=len(tables["common"]), loss=loss,
                sites=", ".join(tables["common"]["site_id"]) or "—"), t)  # fmt: skip
        _files(kept.folder, t)


def tradeoffs(
    folder: RunArgument,
    against: Annotated[
        str, typer.Option("--against", help="groups, new_ha, cost, brownfields ou zan")
    ] = "zan",
    points: Annotated[
        int | None, typer.Option("--points", min=2, help="points : 10, ou 40 pour groups")
    ] = None,
    workers: WorkersOption = 2,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Montre ce qui s'échange contre quoi : front de Pareto, ou prix du ZAN (--against zan)."""
    with faults(lang) as t:
        from siteselect.messages import Msg
        from siteselect.report.analyses import keep_tradeoffs
        from siteselect.report.decision import columns_of, print_table, say

        with progress(t, quiet=quiet or as_json) as tell:
            kept = keep_tradeoffs(
                folder, t, against=against, points=points, workers=workers, progress=tell
            )
        if as_json:
            _json(kept.folder)
            return
        table, facts = kept.tables["points"], kept.facts
        print_table(table, [name for name in columns_of(table) if name != "sites"], t)
        if facts["open"]:
            say(Msg("{count} searches stopped before their proof: their points are left out",
                    count=facts["open"]), t)  # fmt: skip
        _files(kept.folder, t)


def equity(
    folder: RunArgument,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Montre qui est servi : régions, concentration, main-d'œuvre à portée."""
    with faults(lang) as t:
        from siteselect.messages import Msg
        from siteselect.report.analyses import keep_equity
        from siteselect.report.decision import columns_of, print_table, say

        with progress(t, quiet=quiet or as_json) as tell:
            kept = keep_equity(folder, t, progress=tell)
        if as_json:
            _json(kept.folder)
            return
        regions, reach = kept.tables["regions"], kept.tables["reach"]
        print_table(regions, ["region_name", "sites", "usable_ha", "population", "ratio"], t)
        print_table(reach, columns_of(reach), t)
        concentration = kept.facts["concentration"]
        say(Msg("Concentration over regions: Herfindahl {h:.3f}, Gini of sites per inhabitant "
                "{g:.3f}", h=concentration["herfindahl"], g=concentration["gini"]), t)  # fmt: skip
        for notice in kept.facts["notices"]:
            typer.echo(notice)
        _files(kept.folder, t)


def jobs(
    folder: RunArgument,
    industry: Annotated[
        str, typer.Option("--industry", help="process, assembly ou mixed")
    ] = "mixed",
    indirect: Annotated[float, typer.Option("--indirect", min=0, help="par emploi direct")] = 1.5,
    induced: Annotated[float, typer.Option("--induced", min=0, help="par emploi direct")] = 3.0,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Estime les emplois directs, indirects et induits : des fourchettes, sur des hypothèses."""
    del quiet  # it shows no progress; the option is that of every command
    with faults(lang) as t:
        from siteselect.analysis import write_analysis
        from siteselect.compare import CHOSEN
        from siteselect.jobs import JobSettings, job_settings_faults
        from siteselect.jobs import jobs as estimated
        from siteselect.messages import Msg
        from siteselect.report.decision import print_table, say
        from siteselect.report.plots import jobs_plot
        from siteselect.rundir import read_table

        settings = JobSettings(industry=industry, indirect=indirect, induced=induced)
        job_settings_faults(settings).check()
        sites = read_table(folder, "sites.parquet")
        table = estimated(sites[sites["status"].isin(CHOSEN)].sort_values("rank"), settings)
        total = table.iloc[-1]
        place = write_analysis(
            folder,
            "jobs",
            facts={"industry": industry, "indirect": indirect, "induced": induced,
                   "densities": {k: vars(v) for k, v in settings.densities.items()},
                   "total": {k: int(v) for k, v in total.items() if "_" in str(k)
                             and str(k).split("_")[0] in ("direct", "indirect", "induced", "all")}},
            tables={"jobs": table},
            figures={"jobs": jobs_plot(table, t)},
        )  # fmt: skip
        if as_json:
            _json(place)
            return
        print_table(table, ["site_id", "name", "usable_ha", "direct_low", "direct_central",
                            "direct_high"], t, most=60)  # fmt: skip
        say(Msg("Direct jobs: {low:,d} to {high:,d}; with indirect and induced: {least:,d} to "
                "{most:,d}. Densities are assumptions.", low=int(total["direct_low"]),
                high=int(total["direct_high"]), least=int(total["all_low"]),
                most=int(total["all_high"])), t)  # fmt: skip
        _files(place, t)


def _files(place: Path, t: Translator) -> None:
    from siteselect.messages import Msg
    from siteselect.report.decision import say

    say(Msg("Decision support, not a regulatory ZAN computation."), t)
    say(Msg("Files: {folder}", folder=place), t)


def _json(place: Path) -> None:
    from siteselect.analysis import FACTS
    from siteselect.rundir import read_json

    facts: dict[str, Any] = read_json(place / FACTS)
    print_json({"folder": str(place), **facts})


def _outlines(folder: Path) -> pd.DataFrame | None:
    """Outlines of regions for a map, where the pack of the run can still be opened."""
    from siteselect.errors import InputError
    from siteselect.pack import open_pack
    from siteselect.rundir import MANIFEST, read_json

    stated = read_json(folder / MANIFEST)["pack"]
    for name in (stated["folder"], stated["name"]):
        try:
            pack = open_pack(str(name), relative_to=folder)
        except InputError:
            continue
        if pack.has("outlines"):
            outlines = pack.vectors("outlines")
            regions: pd.DataFrame = outlines[outlines["level"] == "region"]
            return regions
    return None


def next_round(
    folder: RunArgument,
    out: Annotated[Path, typer.Option("--out", help="dossier de la vague suivante")],
    add: Annotated[int, typer.Option("--add", min=0, help="sites à ajouter")] = 0,
    withdraw: Annotated[
        list[str] | None, typer.Option("--withdraw", help="site retiré (plusieurs fois possible)")
    ] = None,
    more_budget_keur: Annotated[
        float, typer.Option("--more-budget", min=0, help="budget de la vague, k€")
    ] = 0.0,
    from_reserve: Annotated[
        bool, typer.Option("--from-reserve/--from-anywhere", help="remplaçants pris en réserve")
    ] = True,
    lang: LangOption = Lang.fr,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Choisit la vague suivante : labellisés gardés, retirés remplacés, bilans reportés."""
    with faults(lang) as t:
        from siteselect.report.decision import columns_of, print_table
        from siteselect.rounds import choose_round

        with progress(t, quiet=quiet or as_json) as tell:
            found = choose_round(
                folder, out, add=add, withdrawn=withdraw or (), from_reserve=from_reserve,
                more_budget_keur=more_budget_keur, progress=tell,
            )  # fmt: skip
        moved = found.difference.sites
        moved = moved[moved["movement"] != "kept"]
        if as_json:
            print_json(
                {
                    "folder": str(out),
                    "run_id": found.run.run_id,
                    "objective": found.run.result.objective,
                    "status": found.run.result.status,
                    **{
                        kind: moved.loc[moved["movement"] == kind, "site_id"].tolist()
                        for kind in ("entered", "left")
                    },
                }
            )
            return
        print_table(moved, ["site_id", "name", "region_name", "movement"], t)
        print_table(found.difference.totals, columns_of(found.difference.totals), t)
        _files(out, t)
