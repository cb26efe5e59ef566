"""Site sheets (*fiches site*): one page each, as data for the template ``sheets.typ``."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from siteselect.i18n import Translator
from siteselect.ledger import CODE_COLUMN
from siteselect.messages import Msg
from siteselect.report import facts, page
from siteselect.report.cells import is_missing, shown
from siteselect.report.columns import BY_KEY, LEDGER, SITES
from siteselect.report.levels import astride, ledger_by_level
from siteselect.report.maps import Ground
from siteselect.report.pdf import write_pdf
from siteselect.report.sitemap import SiteMaps, described
from siteselect.report.words import DISCLAIMER
from siteselect.runs import Run

DPI = 170
HIDDEN_IDENTITY = frozenset({"departement_name", "region_name"})
LEDGER_KEYS = ("level", "name", "gross_ha", "restored_ha", "net_ha", "cap_ha", "balance_ha")
MAX_UNKNOWN = 12
Progress = Callable[[str, float], None]


def write_sheets(
    run: Run,
    path: Path,
    t: Translator,
    *,
    ground: Ground,
    isochrones: gpd.GeoDataFrame,
    progress: Progress | None = None,
) -> None:
    """``site_sheets.pdf``: the selection then the reserve, one page each."""
    selected, reserve = page.site_views(run, t)
    views = {view.index: view for view in (*selected, *reserve)}
    ledger, over = ledger_by_level(run), astride(run)
    images: dict[str, bytes] = {}
    sites = []
    with SiteMaps(ground, isochrones, t) as maps:
        for index, row in enumerate(run.shortlist.itertuples()):
            name = f"map{index}.png"
            buffer = io.BytesIO()
            maps.figure(row).savefig(
                buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 4}
            )
            images[name] = buffer.getvalue()
            sites.append(_sheet(views[index], row, run, _lines_of(row, ledger, over), name, t))
            if progress is not None:
                progress("sheets", (index + 1) / len(run.shortlist))
    write_pdf("sheets", {**frame(run, t), **_words(t), "sites": sites}, images, path, run)


def frame(run: Run, t: Translator) -> dict[str, Any]:
    """What every document states: title, language, footer, sources."""
    sources = " ; ".join(
        f"{layer.title} ({layer.vintage}, {layer.licence})" for layer in run.pack.manifest.layers
    )
    return {
        "title": t.text(Msg("Site sheets: {title}", title=run.scenario.title)),
        "description": t.text(DISCLAIMER),
        "scenario": run.scenario.title,
        "lang": t.lang,
        "footer": f"{t.text(DISCLAIMER)} — siteselect {run.run_id}, {t.date(run.created.date())}",
        "page": t.text(Msg("page {page} of {pages}", page="{page}", pages="{pages}")),
        "sources": t.text(Msg("Sources and vintages: {sources}.", sources=sources)),
    }


def _words(t: Translator) -> dict[str, Any]:
    words = {
        "sheet": Msg("Site sheet"),
        "reason": Msg("Reason"),
        "identity": Msg("Identity"),
        "land": Msg("Land and ZAN"),
        "measures": Msg("Access, labour, networks"),
        "criterion": Msg("Criterion"),
        "measure": Msg("Measure"),
        "share": Msg("Share"),
        "points": Msg("Points"),
        "constraints": Msg("Constraints and timetable"),
        "unknowns": Msg("Unknown or assumed"),
        "ledger": Msg("Ledgers that the site is charged to (with the whole selection)"),
    }
    columns = [column for key in LEDGER_KEYS for column in LEDGER if column.key == key]
    short = {
        "gross_ha": Msg("Gross (ha)"),
        "restored_ha": Msg("Restored (ha)"),
        "net_ha": Msg("Net (ha)"),
        "cap_ha": Msg("Cap (ha)"),
        "balance_ha": Msg("Margin (ha)"),
    }
    return {
        "words": {key: t.text(said) for key, said in words.items()},
        "ledger-columns": [
            {
                "label": t.text(short.get(column.key, column.label)),
                "numeric": column.form.numeric,
                "width": 0,
            }
            for column in columns
        ],
    }


def _sheet(
    view: page.SiteView, row: Any, run: Run, ledger: pd.DataFrame, image: str, t: Translator
) -> dict[str, Any]:
    warnings = []
    if any(layer.simulated for layer in run.pack.layers("sites")):
        warnings.append(t.text(Msg("Simulated site: it does not describe a real place.")))
    if view.assumed:
        warnings.append(t.text(Msg("Land assumed, not measured, on this site.")))
    letter = "R" if view.status == "reserve" else ""
    return {
        "heading": f"{letter}{view.rank}. {view.name}",
        "subtitle": f"{view.place} — {view.region} — {view.kind_label}",
        "status": view.status_label,
        "variant": "" if view.variant == "—" else view.variant,
        "warnings": warnings,
        "reason": view.reason,
        "map": image,
        "alt": described(row, t),
        "identity": [
            list(pair)
            for pair in view.identity
            if pair[0] not in {t.text(BY_KEY[key].label) for key in HIDDEN_IDENTITY}
        ],
        "land": [list(pair) for pair in view.land],
        "ledger": _ledger(ledger, t),
        "groups": [
            {
                "title": f"{group.title} — {group.score}",
                "bars": [
                    {
                        "label": bar.label,
                        "measure": bar.measure,
                        "share": bar.share,
                        "points": f"{t.number(bar.points, 1)} / {t.number(bar.most, 1)}",
                    }
                    for bar in group.bars
                ],
            }
            for group in view.groups
        ],
        "constraints": _constraints(row, run, t),
        "unknowns": _unknowns(row, run, t),
    }


def _lines_of(row: Any, ledger: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """The lines of the ledgers that a site is charged to, in each commune that it lies in."""
    places = [row._asdict(), *over[over["site_id"] == row.site_id].to_dict("records")]
    wanted = {("programme", ""), ("national", "FR")} | {
        (level, str(place[column]))
        for level, column in CODE_COLUMN.items()
        for place in places
        if column in place
    }
    keys = zip(ledger["level"].astype(str), ledger["code"].astype(str), strict=True)
    return ledger[[key in wanted for key in keys]]


def _ledger(lines: pd.DataFrame, t: Translator) -> list[list[str]]:
    """Lines of the ledgers, as they are shown."""
    columns = [column for key in LEDGER_KEYS for column in LEDGER if column.key == key]
    return [
        [
            "—" if is_missing(record[column.key]) else shown(record[column.key], column, t)
            for column in columns
        ]
        for record in lines.to_dict("records")
    ]


def _constraints(row: Any, run: Run, t: Translator) -> list[list[str]]:
    limits = run.scenario.constraints
    region = run.shortlist[run.shortlist["status"] != "reserve"]["region"].eq(row.region).sum()
    said: list[tuple[Msg, str]] = [
        (
            Msg("Selected sites in its region"),
            t.text(Msg("{count} (most {most})", count=int(region), most=limits.region_max)),
        ),
        (Msg("Distance kept from other sites"), f"{t.number(limits.separation_km, 1)} km"),
    ]
    if limits.max_per_epci is not None:
        said.append((Msg("Sites of its EPCI, at most"), str(limits.max_per_epci)))
    reason = run.scenario.locks.reasons.get(row.site_id)
    if row.site_id in (*run.scenario.locks.include, *run.scenario.locks.exclude):
        said.append((Msg("Override"), reason or t.text(Msg("no reason given"))))
    status = getattr(row, "status_source", None)
    known = t.text(Msg("unknown")) if is_missing(status) or not status else str(status)
    said.append((Msg("Timetable: status in the inventory"), known))
    said.append((Msg("Timetable: date available"), t.text(Msg("unknown"))))
    return [[t.text(label), value] for label, value in said]


def _unknowns(row: Any, run: Run, t: Translator) -> str:
    """Measures that are unknown or unreachable, then those that rest on simulated layers."""
    measured = [
        column
        for column in SITES
        if column.form.numeric and column.empty is None and hasattr(row, column.key)
    ]
    unknown, unreachable = [], []
    for column in measured:
        value = getattr(row, column.key)
        if is_missing(value):
            unknown.append(t.text(column.label))
        elif math.isinf(float(value)):
            unreachable.append(t.text(column.label))
    lines: list[str] = []
    for key in ("stated_pollution", "stated_buildings"):
        value = getattr(row, key, None)
        if row.kind == "brownfield" and (is_missing(value) or value in ("", "inconnu")):
            unknown.append(t.text(_STATED[key]))
    lines += _line(Msg("Unknown: {names}.", names=_joined(unknown)), unknown, t)
    lines += _line(
        Msg("Not reachable by road: {names}.", names=_joined(unreachable)), unreachable, t
    )
    assumed = facts.simulated_titles(run.pack.manifest.layers)
    lines += _line(Msg("Simulated layers: {names}.", names=_joined(assumed)), assumed, t)
    return "\n".join(lines) or t.text(Msg("Nothing: every measure is known."))


_STATED = {
    "stated_pollution": Msg("pollution of the ground"),
    "stated_buildings": Msg("state of the buildings"),
}


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_UNKNOWN]) + ("…" if len(names) > MAX_UNKNOWN else "")


def _line(said: Msg, names: Sequence[str], t: Translator) -> list[str]:
    return [t.text(said)] if names else []
