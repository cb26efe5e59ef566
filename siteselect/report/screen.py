"""What a person reads in the terminal: the first sites, the balance, where the files are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.objectives import objective_name, stage_figures
from siteselect.pack import DataPack
from siteselect.runs import Run, RunResult
from siteselect.sources.findings import ACTIONS, ISSUES
from siteselect.units import score_from_units

FIRST = 10


def stage_name(stage: str) -> Msg:
    """The words for a stage of the pipeline."""
    return {
        "sites": Msg("Reading the sites"),
        "land": Msg("Land under the footprints"),
        "access": Msg("Road times to facilities"),
        "matrix": Msg("Labour within reach"),
        "formulate": Msg("Writing the model"),
        "compile": Msg("Reducing the model"),
        "root": Msg("Upper bound"),
        "dive": Msg("First portfolio"),
        "search": Msg("Exact choice"),
        "code": Msg("Compiling the search, once on this machine: a minute or two"),
        "restoration": Msg("Parcels to restore"),
        "diagnose": Msg("Why it is impossible, and what would be enough"),
        "price": Msg("Price of zero net artificialisation"),
        "certify": Msg("Certificate of the bound"),
        "rank": Msg("Ranks and reserve"),
        "overrides": Msg("Cost of the overrides"),
        "replacement": Msg("Replacement costs"),
        "draws": Msg("Perturbed choices"),
        "structures": Msg("Other rules"),
        "alternatives": Msg("Other portfolios"),
        "front": Msg("Trade-offs"),
        "write": Msg("Writing the files"),
        "verify": Msg("Verification"),
    }.get(stage, Msg("Working"))


def status_name(status: str) -> Msg:
    """The words for the status of a search."""
    return {
        "optimal": Msg("proven optimal"),
        "within_gap": Msg("within the accepted gap"),
        "limit": Msg("stopped at a limit, not proven"),
        "interrupted": Msg("interrupted: the best so far, not proven"),
    }[status]


def print_run(run: Run, folder: Path, translator: Translator) -> None:
    """The first ten sites, the balance, the notices and the files."""
    console, text = Console(highlight=False, markup=False), translator.text
    result, totals = run.result, run.result.totals
    console.print(Text(run.scenario.title, "bold"), "—", text(status_name(result.status)))
    console.print(
        text(
            Msg(
                "objective {objective:.6f}, bound {bound:.6f}, gap {gap:.4%}",
                objective=score_from_units(result.objective),
                bound=score_from_units(result.bound),
                gap=result.gap,
            )
        )
    )
    for line in stage_lines(run.result, run.scenario.count):
        console.print(text(line))
    console.print(_first_sites(run, translator))
    console.print(_balance(run, translator))
    console.print(
        text(
            Msg(
                "{usable} ha usable, {cost} M€ of works and {restoration} M€ of restoration "
                "(estimates), {share:.0%} brownfields",
                usable=translator.number(totals["usable_ha"], 2),
                cost=translator.number(totals["cost_keur"] / 1000, 1),
                restoration=translator.number(totals["restoration_cost_keur"] / 1000, 1),
                share=totals["brownfield_share"],
            )
        )
    )
    if "covered_workers" in totals:
        console.print(text(_covered(run, translator)))
    if "filled_jobs" in totals:
        console.print(text(_filled(run, translator)))
    if "price_of_zan" in totals:
        console.print(text(_price(run)))
    for notice in run.notices:
        console.print(Text(f"⚠ {text(notice)}", "yellow"))
    console.print(text(Msg("Decision support, not a regulatory ZAN computation.")))
    console.print(text(Msg("Files: {folder}", folder=folder)), soft_wrap=True)


def _filled(run: Run, translator: Translator) -> Msg:
    """How many of the jobs offered find a worker."""
    totals = run.result.totals
    return Msg(
        "{filled} jobs filled of {offered} offered, by workers within {minutes:g} min",
        filled=translator.number(totals["filled_jobs"]),
        offered=translator.number(totals["offered_jobs"]),
        minutes=run.scenario.catchment.minutes,
    )


def _covered(run: Run, translator: Translator) -> Msg:
    """How many workers the selection reaches, each once."""
    totals = run.result.totals
    return Msg(
        "{workers} workers within {minutes:g} min of a selected site, each counted once "
        "({share:.1%} of {all})",
        workers=translator.number(totals["covered_workers"]),
        minutes=run.scenario.catchment.minutes,
        share=totals["covered_share"],
        all=translator.number(totals["reference_workers"]),
    )


def stage_lines(result: RunResult, count: int) -> Iterator[Msg]:
    """One line for each objective that came before the score."""
    for number, one in enumerate(result.stages, start=1):
        name = objective_name(str(one["by"]))
        best, bound, kept = stage_figures(one, count)
        yield Msg(
            "objective {number}, {name}: best {best} (bound {bound}, {status}), kept at {kept}",
            number=number, name=name, best=best, bound=bound,
            status=status_name(str(one["status"])), kept=kept,
        )  # fmt: skip


def _price(run: Run) -> Msg:
    """What zero net costs, in points of the objective and as a share of it."""
    totals = run.result.totals
    points = score_from_units(totals["price_of_zan"])
    return Msg(
        "Price of zero net artificialisation: {points:.6f} points of the objective ({share:.3%})",
        points=points,
        share=totals["price_of_zan"] / max(run.result.objective, 1),
    )


def _first_sites(run: Run, translator: Translator) -> Table:
    """The first of the list, one line each, cut with … where the terminal is narrow."""
    text = translator.text
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column(text(Msg("rank")), justify="right", no_wrap=True)
    for heading, share in ((Msg("site"), 5), (Msg("commune"), 3)):
        table.add_column(text(heading), ratio=share, no_wrap=True, overflow="ellipsis")
    for heading in (Msg("usable ha"), Msg("new ha"), Msg("score")):
        table.add_column(text(heading), justify="right", no_wrap=True)
    for row in run.shortlist.head(FIRST).to_dict("records"):
        figures = ((row["usable_ha"], 2), (row["new_artificialisation_ha"], 2), (row["score"], 3))
        table.add_row(
            str(row["rank"]),
            Text(" ".join(str(row["name"]).split())),
            Text(f"{row['commune']} ({row['departement']})"),
            *(translator.number(value, digits) for value, digits in figures),
        )
    return table


def _balance(run: Run, translator: Translator) -> Table:
    """Programme first, then regions: gross, restored, net, cap, balance."""
    text = translator.text
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(text(Msg("balance (ha)")))
    for heading in (Msg("gross"), Msg("restored"), Msg("net"), Msg("cap"), Msg("balance")):
        table.add_column(text(heading), justify="right")
    figures = ["gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha"]
    for row in run.ledger.to_dict("records"):
        if row["level"] not in ("programme", "pene", "national", "region"):
            continue
        whole = {"programme": Msg("whole programme"), "pene": Msg("PENE envelope")}
        name = text(whole[row["level"]]) if row["level"] in whole else str(row["name"])
        values = [float(row[figure]) for figure in figures]
        table.add_row(name, *("—" if math.isnan(v) else translator.number(v, 2) for v in values))
    return table


def print_pack(pack: DataPack, translator: Translator) -> None:
    """The layers of a pack: role, title, vintage, licence, simulated or not."""
    console, text = Console(highlight=False, markup=False), translator.text
    console.print(Text(pack.manifest.name, "bold"), "—", Text(pack.manifest.title))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (Msg("layer"), Msg("content"), Msg("vintage"), Msg("licence"), Msg("nature")):
        table.add_column(text(heading))
    for layer in pack.manifest.layers:
        nature = Msg("simulated") if layer.simulated else Msg("real")
        if layer.assumed:
            nature = Msg("assumed")
        table.add_row(layer.role, layer.title, layer.vintage, layer.licence, text(nature))
    console.print(table)


def print_import(pack: DataPack, summary: pd.DataFrame, translator: Translator) -> None:
    """What was kept of an inventory, and what was reported, by issue."""
    console, text = Console(highlight=False, markup=False), translator.text
    sites = len(pack.vectors("sites"))
    console.print(text(Msg("{count} sites kept in {folder}", count=sites, folder=pack.folder)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(text(Msg("rows")), justify="right")
    table.add_column(text(Msg("what was found")))
    table.add_column(text(Msg("what was done")))
    for issue, words in ISSUES.items():
        found = summary[summary["issue"] == issue]
        for action, done in ACTIONS.items():
            count = int((found["action"] == action).sum())
            if count:
                table.add_row(translator.number(count, 0), text(words), text(done))
    console.print(table)
    console.print(text(Msg("Row by row: {file}", file=pack.path("report"))), soft_wrap=True)
