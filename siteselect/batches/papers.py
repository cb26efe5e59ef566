"""The synthesis for people: a workbook, a page, and the tables themselves."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd
import xlsxwriter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from siteselect import report
from siteselect.batches.synthesis import Synthesis, synthesis_of
from siteselect.errors import Fault, InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.cells import cell, shown
from siteselect.report.columns import HA, KEUR, NOTHING, RANK, SCORE, SHARE, TEXT, WORD, Column
from siteselect.report.columns import Form as NumberForm
from siteselect.report.tables import Table, make_table
from siteselect.report.words import DISCLAIMER

if TYPE_CHECKING:
    from siteselect.batches.running import Batch

FILES = ("synthesis.xlsx", "synthesis.html", "scenarios.parquet", "sites.parquet")
STYLES = Path(report.__file__).parent
GAP = NumberForm("weight", 4, 6, "0.0000%")
MOST_TEXT = 32_767
STATUS_WORDS: Mapping[str, Msg] = {
    "optimal": Msg("proven optimal"),
    "within_gap": Msg("within the accepted gap"),
    "limit": Msg("stopped at a limit, not proven"),
    "interrupted": Msg("interrupted: the best so far, not proven"),
    "infeasible": Msg("infeasible"),
    "failed": Msg("failed"),
    "lost": Msg("not run"),
}
RUNS = (
    Column("name", Msg("Scenario"), TEXT, 26),
    Column("status_shown", Msg("Status"), TEXT, 16),
    Column("objective", Msg("Objective (points)"), SCORE, 12, NOTHING),
    Column("gap", Msg("Gap to the proven bound"), GAP, 11, NOTHING),
    Column("selected", Msg("Selected sites"), RANK, 9, NOTHING),
    Column("usable_ha", Msg("Usable area (ha)"), HA, 11, NOTHING),
    Column("new_artificialisation_ha", Msg("New artificialisation (ha)"), HA, 16, NOTHING),
    Column("restored_ha", Msg("Restored (ha)"), HA, 12, NOTHING),
    Column("net_ha", Msg("Net balance (ha)"), HA, 12, NOTHING),
    Column("brownfield_share", Msg("Brownfield share"), SHARE, 11, NOTHING),
    Column("total_cost_keur", Msg("Cost with restoration (k€)"), KEUR, 12, NOTHING),
    Column("budget_keur", Msg("Budget asked for (k€)"), KEUR, 12, NOTHING),
    Column("price_of_zan", Msg("Price of ZAN (points)"), SCORE, 12, NOTHING),
)
TAIL = (
    Column("run", Msg("Run"), TEXT, 15, NOTHING),
    Column("title", Msg("Title"), TEXT, 40),
    Column("reason", Msg("Reason"), TEXT, 60, NOTHING),
)
SITES = (
    Column("site_id", Msg("Identifier"), TEXT, 16),
    Column("name", Msg("Name"), TEXT, 34),
    Column("kind", Msg("Kind of site"), WORD, 18),
    Column("commune", Msg("Commune"), TEXT, 22),
    Column("code_insee", Msg("INSEE code"), TEXT, 9),
    Column("departement_name", Msg("Département"), TEXT, 20),
    Column("region_name", Msg("Region"), TEXT, 24),
    Column("chosen_in", Msg("Scenarios that choose it"), RANK, 11),
    Column("share", Msg("Share of the scenarios"), SHARE, 11),
    Column("reserve_in", Msg("Scenarios that hold it in reserve"), RANK, 12),
    Column("best_rank", Msg("Best rank"), RANK, 8, NOTHING),
    Column("mean_rank", Msg("Mean rank"), NumberForm("min", 1, 3, "0.0"), 8, NOTHING),
)


@dataclass(frozen=True)
class _Papers:
    """What workbook and page both show."""

    scenarios: Table
    regions: Table
    sites: Table
    changes: Table
    finished: int
    core: int


def write_synthesis(batch: Batch) -> tuple[Path, ...]:
    """Write the files of :data:`FILES` into the folder of the batch, each beside then renamed.

    Raises
    ------
    InputError
        a run cannot be read, or the folder cannot be written.
    """
    synthesis = synthesis_of(batch)
    t = Translator(batch.plan.lang)
    papers = _papers(batch, synthesis, t)
    writers: tuple[Callable[[Path], None], ...] = (
        lambda path: _write_workbook(batch, papers, path, t),
        lambda path: _write_page(batch, papers, path, t),
        lambda path: _plain_keys(synthesis).to_parquet(path, index=False),
        lambda path: synthesis.sites.to_parquet(path, index=False),
    )
    written = []
    for name, write in zip(FILES, writers, strict=True):
        path = batch.folder / name
        beside = path.with_name(f".{uuid4().hex[:8]}-{name}")
        try:
            write(beside)
            beside.replace(path)
        except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
            raise InputError(
                Fault(
                    Msg("the synthesis cannot be written: {error}", error=error),
                    file=path,
                    remedy=Msg("choose a folder with room where you may write"),
                )
            ) from error
        finally:
            beside.unlink(missing_ok=True)
        written.append(path)
    return tuple(written)


def _plain_keys(synthesis: Synthesis) -> pd.DataFrame:
    """Values of the keys as text: one column may hold numbers, lists and nothing."""
    runs = synthesis.runs.copy()
    for key in synthesis.keys:
        runs[key] = [None if value is None else str(value) for value in runs[key]]
    return runs


def _papers(batch: Batch, synthesis: Synthesis, t: Translator) -> _Papers:
    runs = _plain_keys(synthesis)
    runs["status_shown"] = [t.text(STATUS_WORDS[status]) for status in runs["status"]]
    keys = [Column(key, Msg("{name}", name=key), TEXT, 16, NOTHING) for key in synthesis.keys]
    regions = synthesis.regions.reset_index(names="scenario")
    by_region = [
        Column("scenario", Msg("Scenario"), TEXT, 26),
        *(Column(n, Msg("{name}", name=n), RANK, 12) for n in synthesis.regions.columns),
    ]
    changes = [
        {"name": one.name, "key": c.key, "old": str(c.old), "new": str(c.new), "origin": c.origin}
        for one in batch.plan.runs
        for c in one.changes
    ]
    columns = (
        Column("name", Msg("Scenario"), TEXT, 26),
        Column("key", Msg("Key"), TEXT, 34),
        Column("old", Msg("Before"), TEXT, 26),
        Column("new", Msg("After"), TEXT, 26),
        Column("origin", Msg("Origin"), TEXT, 22),
    )
    return _Papers(
        make_table(runs, (*RUNS[:2], *keys, *RUNS[2:], *TAIL)),
        make_table(regions, by_region),
        make_table(pd.DataFrame(synthesis.sites), SITES),
        make_table(pd.DataFrame(changes, columns=[c.key for c in columns]), columns),
        sum(done.has_run for done in batch.done),
        len(synthesis.core),
    )


def _summary(batch: Batch, papers: _Papers, t: Translator) -> list[str]:
    return [
        t.plural(
            len(batch.plan.runs),
            Msg("{n} scenario", n=len(batch.plan.runs)),
            Msg("{n} scenarios", n=len(batch.plan.runs)),
        ),
        t.text(Msg("{n} with a portfolio", n=papers.finished)),
        t.text(Msg("{n} sites chosen at least once", n=len(papers.sites))),
        t.text(Msg("{n} sites chosen every time: the robust core", n=papers.core)),
    ]


def _notices(batch: Batch, t: Translator) -> list[str]:
    """What rests on simulated or assumed layers, of every pack used."""
    from siteselect.measuring import notices

    packs = {one.pack.digest: one.pack for one in batch.plan.runs if one.pack is not None}
    said = [t.text(notice) for pack in packs.values() for notice in notices(pack)]
    return list(dict.fromkeys(said))


def _write_workbook(batch: Batch, papers: _Papers, path: Path, t: Translator) -> None:
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        bold = workbook.add_format({"bold": True, "font_size": 14})
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        sheet = workbook.add_worksheet(t.text(Msg("Read me")))
        sheet.set_column(0, 0, 110)
        sheet.write_string(0, 0, t.text(Msg("Synthesis of a batch of scenarios")), bold)
        lines = [t.text(DISCLAIMER), *_notices(batch, t), *_summary(batch, papers, t)]
        for line, text in enumerate(lines, start=1):
            sheet.write_string(line, 0, text[:MOST_TEXT], wrap)
        for name, table in (
            (Msg("Scenarios"), papers.scenarios),
            (Msg("Regions"), papers.regions),
            (Msg("Sites"), papers.sites),
            (Msg("Changes"), papers.changes),
        ):
            _sheet(workbook, t.text(name), table, t)


def _sheet(workbook: Any, name: str, table: Table, t: Translator) -> None:
    header = workbook.add_format(
        {"bold": True, "text_wrap": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF"}
    )
    sheet = workbook.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 1)
    formats = {
        column.form.excel: workbook.add_format({"num_format": column.form.excel})
        for column in table.columns
    }
    for position, column in enumerate(table.columns):
        sheet.set_column(position, position, column.width + 1)
        sheet.write_string(0, position, t.text(column.label), header)
    for line, row in enumerate(table.rows, start=1):
        for position, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            content = cell(value, column, t)
            if isinstance(content, str):
                sheet.write_string(line, position, content[:MOST_TEXT])
            else:
                sheet.write_number(line, position, content, formats[column.form.excel])
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write_page(batch: Batch, papers: _Papers, path: Path, t: Translator) -> None:
    """One file without any request; style and script are allowed by their hash alone."""
    style = (STYLES / "style.css").read_text(encoding="utf-8").strip()
    script = (STYLES / "script.js").read_text(encoding="utf-8").strip()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    sections = [
        ("scenarios", t.text(Msg("Scenarios")), _view(papers.scenarios, t, hide=("reason",))),
        ("sites", t.text(Msg("Sites by number of scenarios")), _view(papers.sites, t)),
        ("regions", t.text(Msg("Sites by region")), _view(papers.regions, t)),
        ("changes", t.text(Msg("What each scenario changes")), _view(papers.changes, t)),
    ]
    text = _template(t).render(
        lang=t.lang,
        policy=Markup(policy),
        style=Markup(style),
        script=Markup(script),
        batch_id=batch.plan.batch_id,
        disclaimer=t.text(DISCLAIMER),
        notices=_notices(batch, t),
        summary=_summary(batch, papers, t),
        without=_without(batch, t),
        sections=sections,
    )
    path.write_text(text, encoding="utf-8")


def _without(batch: Batch, t: Translator) -> list[tuple[str, str, str]]:
    """Name, status and reason of the scenarios that have no portfolio."""
    return [
        (one.name, t.text(STATUS_WORDS[done.status]), done.reason)
        for one, done in zip(batch.plan.runs, batch.done, strict=True)
        if not done.has_run
    ]


def _template(t: Translator) -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    message = Msg  # the literals stand in the template

    def text(template: str, /, **values: object) -> str:
        return t.text(message(template, **values))

    environment.globals["_"] = text
    return environment.get_template("batch.html.j2")


def _view(table: Table, t: Translator, *, hide: Sequence[str] = ()) -> dict[str, Any]:
    """Headings, and rows of (text, value to sort by, whether it is a number)."""
    rows: list[list[tuple[str, object, bool]]] = []
    for row in table.rows:
        line: list[tuple[str, object, bool]] = []
        for value, column in zip(row, table.columns, strict=True):
            if column.key in hide:  # said elsewhere on the page
                continue
            numeric = column.form.numeric
            content = cell(value, column, t)
            sort = "" if isinstance(content, str) else content
            line.append((shown(value, column, t), sort if numeric else None, numeric))
        rows.append(line)
    shown_columns = [column for column in table.columns if column.key not in hide]
    return {"heads": _heads(shown_columns, t), "rows": rows}


def _heads(columns: Sequence[Column], t: Translator) -> list[tuple[str, bool]]:
    return [(t.text(column.label), column.form.numeric) for column in columns]


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
