"""The committee pack: what a selection committee reads, as data for ``committee.typ``."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from siteselect.i18n import Translator
from siteselect.ledger import PENE, PROGRAMME
from siteselect.messages import Msg
from siteselect.report import facts, page
from siteselect.report.cells import shown
from siteselect.report.columns import LEDGER, RANK, Column
from siteselect.report.findings import NO_ROBUSTNESS, Findings, stability
from siteselect.report.levels import ledger_by_level
from siteselect.report.maps import Ground, national_map
from siteselect.report.pdf import write_pdf
from siteselect.report.sheets import frame
from siteselect.report.tables import (
    Table,
    criteria_table,
    make_table,
    overrides_table,
    reserve_table,
    restoration_table,
    selection_table,
)
from siteselect.report.words import DISCLAIMER, reserve_meaning, word
from siteselect.runs import Run
from siteselect.scenario import LEVELS
from siteselect.units import score_from_units

LIST_KEYS = (
    "rank", "name", "commune", "departement", "kind", "variant", "usable_ha",
    "new_artificialisation_ha", "cost_keur", "motorway_min", "labour_45min", "reliability",
    "score", "catchment_added_workers", "catchment_added_jobs", "replacement_cost",
)  # fmt: skip
RESERVE_KEYS = ("rank", "name", "commune", "departement", "kind", "usable_ha", "score", "reason")
LEDGER_KEYS = (
    "name", "gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha", "cap_origin",
)  # fmt: skip
RESTORATION_KEYS = ("name", "commune", "region_name", "restored_ha", "area_ha", "cost_keur")
LEVELS_SHOWN = (PROGRAMME, PENE, *reversed(LEVELS))
LONG_LEVELS = frozenset({"scot", "epci", "commune"})
"""Only with caps: hundreds of rows that nothing binds are for the workbook."""
WIDTHS = {
    "rank": 0.35, "name": 3.0, "commune": 1.4, "departement": 0.6, "kind": 1.1, "variant": 1.1,
    "reason": 3.6, "label": 3.0, "cap_origin": 2.2, "attribution": 2.4, "value": 3.0, "title": 1.8,
    "count": 0.4,
}  # fmt: skip
"""Widths of columns against one another."""
CAPS = frozenset({"cap_ha", "balance_ha", "cap_origin"})
_NUMBERS = re.compile(r"\d[\d\u00a0\u202f ]*(?:[.,]\d+)?")
MAX_REASONS = 12


def write_committee(
    run: Run,
    path: Path,
    t: Translator,
    *,
    ground: Ground,
    findings: Findings | None = None,
) -> None:
    """``committee.pdf``: summary, map, list, reserve, ledger, overrides, robustness, method.

    ``findings``: the analyses of the run that were made; what was not says how to get it.
    """
    found = findings or Findings()
    data = {**frame(run, t), **_front(run, t), "sections": _sections(run, t, found)}
    data["title"] = run.scenario.title
    images = {"national.svg": svg_of(national_map(ground, t))}
    write_pdf("committee", data, images, path, run)


def svg_of(figure: Figure) -> bytes:
    """A figure as SVG, letters as outlines: it reads the same on any machine."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "siteselect", "svg.fonttype": "path"}):
        figure.savefig(
            buffer,
            format="svg",
            bbox_inches="tight",
            pad_inches=0.1,
            metadata={"Date": None, "Creator": "siteselect"},
        )
    return buffer.getvalue()


def _front(run: Run, t: Translator) -> dict[str, Any]:
    identity = " · ".join(
        (
            facts.status_text(run, t),
            t.date(run.created.date()),
            run.pack.manifest.title,
            t.text(Msg("Run {run_id}", run_id=run.run_id)),
        )
    )
    price = page.price_of_zan(run, t)
    words = {
        "summary": Msg("In short"),
        "by_region": Msg("Sites by region"),
        "by_kind": Msg("Sites by kind"),
        "law": Msg("Law"),
        "map": Msg("Map"),
    }
    counted = (
        {"label": t.text(Msg("Sites")), "numeric": True, "width": 0},
        {"label": t.text(Msg("Usable area")), "numeric": True, "width": 0},
    )
    return {
        "eyebrow": t.text(Msg("Industrial sites under zero net artificialisation")),
        "description": run.scenario.description.strip() or t.text(DISCLAIMER),
        "identity": identity,
        "warnings": [t.text(DISCLAIMER), *facts.notices(run, t)],
        "figures": _figures(run, t),
        "summary": [*_summary(run, t), *([price[0]] if price else [])],
        "words": {key: t.text(said) for key, said in words.items()},
        "regions": {
            "columns": [{"label": t.text(Msg("Region")), "numeric": False, "width": 1}, *counted],
            "rows": [[name, str(count), area] for name, count, area in page.region_counts(run, t)],
        },
        "kinds": {
            "columns": [
                {"label": t.text(Msg("Kind of site")), "numeric": False, "width": 1},
                *counted,
            ],
            "rows": [
                [label, str(count), area] for _, label, count, area in page.kind_counts(run, t)
            ],
        },
        "law": [[fact.label, fact.value] for fact in facts.law(run, t)],
        "map_alt": t.text(
            Msg("Map of the selected sites by rank and of the reserve; the lists follow.")
        ),
    }


def _figures(run: Run, t: Translator) -> list[dict[str, str]]:
    totals = run.result.totals
    shown_sites = int((run.shortlist["status"] != "reserve").sum())
    gap = t.percent(run.result.gap, 4 if run.result.gap else 0)
    figures = [
        (Msg("Selected sites"), str(shown_sites), ""),
        (Msg("Usable area"), t.ha(totals.get("usable_ha")), ""),
        (
            Msg("Net artificialisation balance"),
            t.ha(totals.get("net_ha")),
            t.text(
                Msg(
                    "gross {gross}, restored {restored}",
                    gross=t.ha(totals.get("new_artificialisation_ha")),
                    restored=t.ha(totals.get("restored_ha")),
                )
            ),
        ),
        (Msg("Brownfield share"), t.percent(totals.get("brownfield_share")), ""),
        (
            Msg("Cost of the sites"),
            facts.millions(totals.get("cost_keur"), t),
            t.text(
                Msg(
                    "and {cost} of restoration",
                    cost=facts.millions(totals.get("restoration_cost_keur"), t),
                )
            ),
        ),
        (Msg("Gap to the proven bound"), gap, facts.status_text(run, t)),
    ]
    return [
        {"label": t.text(label), "value": value, "note": note} for label, value, note in figures
    ]


def _summary(run: Run, t: Translator) -> list[str]:
    chosen = run.shortlist[run.shortlist["status"] != "reserve"]
    forced = len(run.scenario.locks.include) + len(run.scenario.locks.exclude)
    return [
        t.text(
            Msg(
                "{count} sites in {regions} regions, chosen among {considered} that meet the "
                "conditions of the scenario ({candidates} candidates).",
                count=len(chosen),
                regions=int(chosen["region"].nunique()),
                considered=int(run.result.counts.get("considered", 0)),
                candidates=int(run.result.counts.get("sites", 0)),
            )
        ),
        t.plural(
            forced,
            Msg("{n} site was forced in or out by a planner (see the overrides).", n=forced),
            Msg("{n} sites were forced in or out by a planner (see the overrides).", n=forced),
        )
        if forced
        else t.text(Msg("No site was forced in or out.")),
        *(
            t.text(Msg("{label}: {value}", label=fact.label, value=fact.value))
            for fact in (*facts.catchment(run, t), *facts.goals(run, t))
        ),
    ]


def _sections(run: Run, t: Translator, findings: Findings) -> list[dict[str, Any]]:
    return [
        _section(Msg("Selection"), [_part("", selection_table(run), LIST_KEYS, t)], t),
        _section(
            Msg("Reserve"),
            [_part("", reserve_table(run), RESERVE_KEYS, t)],
            t,
            lines=[
                reserve_meaning(run.result.reserve_by),
                Msg("Areas and costs describe the whole footprint."),
            ],
        ),
        _ledgers(run, t),
        _section(Msg("Restoration"), [_part("", restoration_table(run), RESTORATION_KEYS, t)], t),
        _overrides(run, t),
        _robustness(run, t, findings),
        _excluded(run, t),
        _method(run, t),
    ]


def _section(
    title: Msg,
    parts: Sequence[dict[str, Any]],
    t: Translator,
    *,
    lines: Sequence[Msg] = (),
    break_before: bool = False,
) -> dict[str, Any]:
    return {
        "title": t.text(title),
        "lines": [t.text(line) for line in lines],
        "parts": list(parts),
        "break_before": break_before,
    }


def _part(title: str, table: Table, keys: Sequence[str], t: Translator) -> dict[str, Any]:
    at = {column.key: i for i, column in enumerate(table.columns)}
    kept = [key for key in keys if key in at] if keys else list(at)
    columns = [table.columns[at[key]] for key in kept]
    return {
        "title": title,
        "columns": [_column(column, t) for column in columns],
        "rows": [[shown(row[at[c.key]], c, t) for c in columns] for row in table.rows],
        "empty": t.text(Msg("none")),
    }


def _column(column: Column, t: Translator) -> dict[str, Any]:
    width = WIDTHS.get(column.key, 1.0 if not column.form.numeric else 0.8)
    return {"label": t.text(column.label), "numeric": column.form.numeric, "width": width}


def _ledgers(run: Run, t: Translator) -> dict[str, Any]:
    ledger = ledger_by_level(run)
    parts = []
    for level in LEVELS_SHOWN:
        some = ledger[ledger["level"] == level]
        capped = bool(some["cap_ha"].notna().any())
        if len(some) and (capped or level not in LONG_LEVELS):
            table = make_table(some, LEDGER)
            keys = [key for key in LEDGER_KEYS if capped or key not in CAPS]
            parts.append(_part(word("level", level, t), table, keys, t))
    return _section(
        Msg("ZAN ledger"),
        parts,
        t,
        lines=[
            Msg(
                "The programme row is a choice of the scenario; the caps of territories are "
                "regulatory or assumed, as their origin says."
            ),
            Msg("SCoT, EPCI and communes without a cap are in the workbook."),
        ],
        break_before=True,
    )


def _overrides(run: Run, t: Translator) -> dict[str, Any]:
    changes = Table(
        tuple(
            Column(key, label)
            for key, label in (
                ("key", Msg("Key")),
                ("before", Msg("Before")),
                ("after", Msg("After")),
                ("origin", Msg("Origin")),
            )
        ),
        tuple((c.key, str(c.old), str(c.new), c.origin) for c in run.changes),
    )
    parts = [_part("", overrides_table(run, t), (), t)]
    if run.changes:
        parts.append(_part(t.text(Msg("Changes made to the base scenario")), changes, (), t))
    together = run.result.overrides_cost
    lines: tuple[Msg, ...] = ()
    if run.result.overrides and together is not None:
        lines = (Msg("All overrides together cost {points:.6f} points of the objective.",
                     points=score_from_units(together)),)  # fmt: skip
    return _section(Msg("Overrides"), parts, t, lines=lines, break_before=True)


def _robustness(run: Run, t: Translator, findings: Findings) -> dict[str, Any]:
    """How sure the choice is, or how to know."""
    found = stability(findings, run, t)
    if found is None:
        return _section(Msg("Robustness"), [], t, lines=[NO_ROBUSTNESS])
    parts = [
        _part(t.text(Msg("Selected sites")), found.chosen, (), t),
        _part(t.text(Msg("Sites that other draws choose most")), found.challengers, (), t),
        _part(t.text(Msg("With other rules")), found.structures, (), t),
    ]
    section = _section(Msg("Robustness"), parts, t)
    return {**section, "lines": list(found.lines)}


def _excluded(run: Run, t: Translator) -> dict[str, Any]:
    """The reasons for which sites were left out, their figures apart, by number of sites."""
    sites = pd.DataFrame(run.sites[run.sites["status"].isin(("excluded", "forced_out"))])
    alike = [_NUMBERS.sub("… ", str(reason)) for reason in sites["reason"]]
    counts = pd.Series(alike, dtype=object).value_counts().head(MAX_REASONS)
    columns = (
        Column("reason", Msg("Reason")),
        Column("count", Msg("Sites"), RANK),
    )
    table = Table(columns, tuple((str(k), int(v)) for k, v in counts.items()))
    return _section(
        Msg("Excluded sites"),
        [_part("", table, (), t)],
        t,
        lines=[Msg("Most frequent reasons; every site and its reason is in the workbook.")],
    )


def _method(run: Run, t: Translator) -> dict[str, Any]:
    sources = Table(
        (
            Column("title", Msg("Source")),
            Column("attribution", Msg("Attribution")),
            Column("licence", Msg("Licence")),
            Column("vintage", Msg("Vintage")),
            Column("origin", Msg("Data")),
        ),
        tuple(
            (layer.title, layer.attribution, layer.licence, layer.vintage, facts.origin(layer, t))
            for layer in run.pack.manifest.layers
        ),
    )
    units = Table(
        (Column("label", Msg("Units and conventions")), Column("value", Msg("Meaning"))),
        tuple((fact.label, fact.value) for fact in facts.units(t)),
    )
    versions = Table(
        (Column("label", Msg("Versions")), Column("value", Msg("Value"))),
        (
            (t.text(Msg("Seed")), str(run.result.seed)),
            *((name, version) for name, version in run.result.versions.items()),
        ),
    )
    parts = [
        _part(t.text(Msg("Criteria")), criteria_table(run, t), (), t),
        _part(t.text(Msg("Sources")), sources, (), t),
        _part("", units, (), t),
        _part("", versions, (), t),
    ]
    lines = facts.method(run)
    return _section(Msg("Method and sources"), parts, t, lines=lines, break_before=True)
