"""``report.html``: one file, no request to anywhere, readable without a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import facts, page
from siteselect.report.cells import shown
from siteselect.report.findings import NO_ROBUSTNESS, Findings, stability
from siteselect.report.geography import main_roads, outlines
from siteselect.report.svgmap import RADIUS, RADIUS_RESERVE, draw_map
from siteselect.report.tables import criteria_table, overrides_table
from siteselect.report.webmap import map_data
from siteselect.report.words import DISCLAIMER, reserve_meaning
from siteselect.runs import Run

HERE = Path(__file__).parent
BORDER_M = 500.0
"""A road that leaves the country by more is not drawn."""


def write_page(
    run: Run,
    path: Path,
    t: Translator,
    *,
    isochrones: gpd.GeoDataFrame | None = None,
    findings: Findings | None = None,
) -> None:
    """Write the page. Every text of the user or of an inventory is escaped by the template.

    ``isochrones`` (:func:`siteselect.report.isochrones.isochrones`) become a layer of the map;
    ``findings`` are the analyses made since the run.

    The content security policy allows the styles and scripts of the page by their hash, the
    worker and images that the map makes of itself (blob:, data:), and nothing else: no font,
    frame, form or connection.
    """
    style = (HERE / "style.css").read_text(encoding="utf-8").strip()
    vendored = (HERE / "vendor" / "maplibre-gl.css").read_text(encoding="utf-8").strip()
    scripts = [
        path.read_text(encoding="utf-8").strip()
        for path in (HERE / "vendor" / "maplibre-gl.js", HERE / "script.js", HERE / "map.js")
    ]
    policy = (
        f"default-src 'none'; style-src {_hashes([vendored, style])}; "
        f"script-src {_hashes(scripts)}; worker-src blob:; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    environment = _environment(t)
    text = environment.get_template("report.html.j2").render(
        lang=t.lang,
        policy=Markup(policy),
        styles=[Markup(vendored), Markup(style)],
        scripts=[Markup(script) for script in scripts],
        **_context(run, t, isochrones, findings or Findings()),
    )
    path.write_text(text, encoding="utf-8")


def _environment(t: Translator) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    # the literals stand in the templates, where siteselect.i18n.extract finds them
    message = Msg

    def text(template: str, /, **values: object) -> str:
        return t.text(message(template, **values))

    def plural(n: int, one: str, other: str) -> str:
        return t.plural(n, message(one, n=n), message(other, n=n))

    environment.globals.update(_=text, plural=plural, t=t)
    return environment


def _hashes(texts: Sequence[str]) -> str:
    return " ".join(f"'{_hash(text)}'" for text in texts)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _context(
    run: Run, t: Translator, isochrones: gpd.GeoDataFrame | None, findings: Findings
) -> dict[str, Any]:
    selected, reserve = page.site_views(run, t)
    ledger, ledger_left_out = page.ledger_views(run, t)
    restoration_headings, restoration = page.restoration_views(run, t)
    criteria = criteria_table(run, t)
    overrides = overrides_table(run, t)
    layers = run.pack.manifest.layers
    drawn = outlines(run.pack)
    roads = main_roads(run.pack, drawn[drawn["level"] == "region"], near_m=BORDER_M)
    return {
        "run": run,
        "title": run.scenario.title,
        "date": t.date(run.created.date()),
        "disclaimer": t.text(DISCLAIMER),
        "method": " ".join(t.text(said) for said in facts.method(run)),
        "notices": facts.notices(run, t),
        "simulated": facts.simulated_titles(layers),
        "assumed": facts.rests_on_assumptions(run),
        "proven": facts.is_proven(run),
        "status": facts.status_text(run, t),
        "gap": t.percent(run.result.gap, 4 if run.result.gap else 0),
        "totals": run.result.totals,
        "money": facts.millions,
        "map": draw_map(run, roads),
        "map_data": Markup(
            map_data(run, roads, t, isochrones)
        ),  # escapes what could end the element
        "radius": RADIUS,
        "radius_reserve": RADIUS_RESERVE,
        "isochrones": isochrones is not None and len(isochrones) > 0,
        "robustness": _robustness(findings, run, t),
        "no_robustness": t.text(NO_ROBUSTNESS),
        "map_sources": facts.map_sources(layers),
        "selected": selected,
        "reserve": reserve,
        "reserve_meaning": t.text(reserve_meaning(run.result.reserve_by)),
        "by_index": {site.index: site for site in (*selected, *reserve)},
        "filter_regions": sorted(
            {(s.region_code, s.region) for s in selected}, key=lambda pair: pair[1]
        ),
        "list_labels": page.list_labels(t),
        "kinds": page.kind_counts(run, t),
        "regions": page.region_counts(run, t),
        "ledger": ledger,
        "ledger_labels": [(t.text(c.label), c.form.numeric) for c in page.ledger_columns()],
        "ledger_left_out": ledger_left_out,
        "restoration_headings": restoration_headings,
        "restoration": restoration,
        "price": page.price_of_zan(run, t),
        "criteria_labels": [(t.text(c.label), c.form.numeric) for c in criteria.columns],
        "criteria": _rows(criteria, t),
        "overrides_labels": [(t.text(c.label), c.form.numeric) for c in overrides.columns],
        "overrides": _rows(overrides, t),
        "identity": facts.identity(run, t),
        "outcome": facts.outcome(run, t),
        "sums": facts.totals(run, t),
        "law": facts.law(run, t),
        "units": facts.units(t),
        "layers": [(layer, facts.origin(layer, t)) for layer in layers],
    }


def _robustness(findings: Findings, run: Run, t: Translator) -> dict[str, Any] | None:
    found = stability(findings, run, t)
    if found is None:
        return None
    many = len(found.chosen.rows)
    parts = (
        (Msg("Selected sites"), found.chosen, found.bars[:many]),
        (Msg("Sites that other draws choose most"), found.challengers, found.bars[many:]),
        (Msg("With other rules"), found.structures, ()),
    )
    return {
        "lines": found.lines,
        "tables": [
            {
                "title": t.text(title),
                "labels": [(t.text(c.label), c.form.numeric) for c in table.columns],
                "rows": _rows(table, t),
                "bars": bars,
            }
            for title, table, bars in parts
        ],
    }


def _rows(table: Any, t: Translator) -> list[list[tuple[str, bool]]]:
    return [
        [
            (shown(value, column, t), column.form.numeric)
            for value, column in zip(row, table.columns, strict=True)
        ]
        for row in table.rows
    ]
