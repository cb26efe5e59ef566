"""What the page shows, as plain values that the templates only lay out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import facts
from siteselect.report.cells import is_missing, shown
from siteselect.report.columns import BY_KEY, LEDGER, RESTORATION, Column
from siteselect.report.tables import (
    OPTIONAL,
    make_table,
    reserve_table,
    restoration_table,
    selection_table,
)
from siteselect.report.words import criterion_label, word
from siteselect.runs import Run
from siteselect.scenario import MEASURES
from siteselect.scoring import criterion_weights
from siteselect.units import score_from_units

LIST_LABELS: Mapping[str, Msg] = {
    "usable_ha": Msg("Usable (ha)"),
    "new_artificialisation_ha": Msg("New artif. (ha)"),
    "cost_keur": Msg("Cost (k€)"),
    "motorway_min": Msg("Motorway (min)"),
    "labour_45min": Msg("Workers within 45 min"),
    "score": Msg("Score"),
}
"""Numbers of the list, under short headings; the others are on the site's sheet."""
LIST_KEYS = tuple(LIST_LABELS)
BROWNFIELD_KEYS = frozenset({"status_source", "stated_pollution"})
"""Facts that inventories state of brownfields only."""
LAND_KEYS = (
    "area_ha",
    "usable_ha",
    "artificialised_ha",
    "impermeable_ha",
    "non_artificialised_ha",
    "enaf_ha",
    "new_artificialisation_ha",
    "cost_keur",
)
IDENTITY_KEYS = (
    "site_id",
    "code_insee",
    "commune_shares",
    "epci_name",
    "scot_name",
    "departement_name",
    "region_name",
    "status_source",
    "stated_pollution",
    "geometry_origin",
    "reliability",
    "catchment_workers",
    "catchment_added_workers",
    "catchment_jobs",
    "catchment_added_jobs",
    "snap_km",
)
LEDGER_ROWS_MAX = 120
"""More rows of one level than this are left to the workbook."""


@dataclass(frozen=True)
class Figure:
    """A text and the number it is sorted by (``None``: always last)."""

    text: str
    sort: float | None = None


@dataclass(frozen=True)
class Bar:
    """One criterion of one site: the measure, the points it brings of those it could bring."""

    label: str
    measure: str
    points: float | None
    most: float

    @property
    def share(self) -> float:
        """0 to 1, for the length of the bar."""
        if self.points is None or self.most <= 0:
            return 0.0
        return min(max(self.points / self.most, 0.0), 1.0)


@dataclass(frozen=True)
class GroupBars:
    """The criteria of one group for one site, with its score of 0 to 1."""

    title: str
    score: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class SiteView:
    """One site of the shortlist."""

    index: int
    rank: str
    site_id: str
    name: str
    place: str
    region: str
    region_code: str
    kind: str
    kind_label: str
    variant: str
    status: str
    status_label: str
    forced: bool
    reason: str
    figures: tuple[Figure, ...]
    identity: tuple[tuple[str, str], ...]
    land: tuple[tuple[str, str], ...]
    groups: tuple[GroupBars, ...]
    assumed: bool


@dataclass(frozen=True)
class LedgerView:
    """One row of a ledger; lengths are shares of the width of the drawing."""

    cells: tuple[str, ...]
    numeric: tuple[bool, ...]
    capped: bool
    respected: bool
    zero: float
    gross: float
    net: float
    cap: float


def list_labels(t: Translator) -> list[str]:
    """Headings of the numbers of the list."""
    return [t.text(label) for label in LIST_LABELS.values()]


def site_views(run: Run, t: Translator) -> tuple[tuple[SiteView, ...], tuple[SiteView, ...]]:
    """Selected and reserve, indexed as the markers of the map are (rows of the shortlist)."""
    weights = criterion_weights(run.scenario.criteria, run.scenario.weights)
    status = run.shortlist["status"].tolist()
    chosen = [index for index, value in enumerate(status) if value != "reserve"]
    spare = [index for index, value in enumerate(status) if value == "reserve"]
    selected = selection_table(run).records()
    reserve = reserve_table(run).records()
    return (
        tuple(_site(i, row, run, weights, t) for i, row in zip(chosen, selected, strict=True)),
        tuple(_site(i, row, run, weights, t) for i, row in zip(spare, reserve, strict=True)),
    )


def _site(
    index: int, row: dict[str, Any], run: Run, weights: Mapping[str, float], t: Translator
) -> SiteView:
    def text(key: str) -> str:
        return shown(row.get(key), BY_KEY[key], t)

    return SiteView(
        index=index,
        rank=text("rank"),
        site_id=text("site_id"),
        name=text("name"),
        place=f"{text('commune')} ({text('departement')})",
        region=text("region_name"),
        region_code=text("region"),
        kind=str(row.get("kind")),
        kind_label=text("kind"),
        variant=text("variant"),
        status=str(row.get("status")),
        status_label=text("status"),
        forced=row.get("status") == "forced_in",
        reason=text("reason"),
        figures=tuple(_figure(row.get(key), BY_KEY[key], t) for key in LIST_KEYS),
        identity=_pairs(
            row,
            tuple(
                key
                for key in IDENTITY_KEYS
                if row.get("kind") == "brownfield" or key not in BROWNFIELD_KEYS
            ),
            t,
        ),
        land=_pairs(row, LAND_KEYS, t),
        groups=_groups(row, run, weights, t),
        assumed=row.get("land_origin") == "assumed",
    )


def _pairs(
    row: dict[str, Any], keys: tuple[str, ...], t: Translator
) -> tuple[tuple[str, str], ...]:
    columns = [
        BY_KEY[key] for key in keys if key in row and not (key in OPTIONAL and is_missing(row[key]))
    ]
    return tuple((t.text(c.label), shown(row[c.key], c, t)) for c in columns)


def _figure(value: Any, column: Column, t: Translator) -> Figure:
    number = None if is_missing(value) else float(value)
    return Figure(shown(value, column, t), number)


def _groups(
    row: dict[str, Any], run: Run, weights: Mapping[str, float], t: Translator
) -> tuple[GroupBars, ...]:
    site = row["site_id"]
    points = run.contributions.loc[site] if site in run.contributions.index else pd.Series()
    groups = []
    for group in MEASURES:
        bars = tuple(
            Bar(
                criterion_label(measure, t),
                shown(row.get(measure), BY_KEY[measure], t) if measure in BY_KEY else "",
                _points(points.get(measure)),
                100 * weights[measure],
            )
            for measure in run.scenario.criteria.of(group)
        )
        key = f"score_{group}"
        groups.append(GroupBars(word("group", group, t), shown(row.get(key), BY_KEY[key], t), bars))
    return tuple(groups)


def _points(contribution: object) -> float | None:
    return None if is_missing(contribution) else 100 * float(contribution)  # type: ignore[arg-type]


def region_counts(run: Run, t: Translator) -> list[tuple[str, int, str]]:
    """Regions by number of sites selected: name, sites, usable hectares."""
    chosen = pd.DataFrame(run.shortlist[run.shortlist["status"] != "reserve"])
    grouped = chosen.groupby("region_name", dropna=False)["usable_ha"].agg(["size", "sum"])
    grouped = grouped.sort_values(["size", "sum"], ascending=False)
    return [
        (shown(name, BY_KEY["region_name"], t), int(size), t.ha(float(area)))
        for name, size, area in zip(grouped.index, grouped["size"], grouped["sum"], strict=True)
    ]


def kind_counts(run: Run, t: Translator) -> list[tuple[str, str, int, str]]:
    """Kinds of site selected: code, name, sites, usable hectares."""
    chosen = pd.DataFrame(run.shortlist[run.shortlist["status"] != "reserve"])
    rows = []
    for kind in run.scenario.candidates.kinds:
        some = chosen[chosen["kind"] == kind]
        area = float(some["usable_ha"].sum())
        rows.append((str(kind), word("kind", kind, t), len(some), t.ha(area)))
    return rows


def ledger_columns() -> tuple[Column, ...]:
    """Columns of the ledger on the page."""
    hidden = {"regime", "code", "period"}
    return tuple(column for column in LEDGER if column.key not in hidden)


def ledger_views(run: Run, t: Translator) -> tuple[list[LedgerView], list[str]]:
    """Rows of the ledgers, and the levels that are too long for the page."""
    table = make_table(run.ledger, ledger_columns())
    records = table.records()
    by_level: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_level.setdefault(str(record["level"]), []).append(record)
    rows, left_out = [], []
    for level, some in by_level.items():
        if len(some) > LEDGER_ROWS_MAX:
            left_out.append(word("level", level, t))
            continue
        widest = max((_extent(record) for record in some), default=1.0) or 1.0
        lowest = min((_lowest(record) for record in some), default=0.0)
        rows += [_ledger_row(record, table.columns, (lowest, widest), t) for record in some]
    return rows, left_out


def _known(record: dict[str, Any], key: str) -> float:
    value = record.get(key)
    return 0.0 if is_missing(value) or not math.isfinite(float(value)) else float(value)  # type: ignore[arg-type]


def _extent(record: dict[str, Any]) -> float:
    return max(_known(record, key) for key in ("gross_ha", "net_ha", "cap_ha"))


def _lowest(record: dict[str, Any]) -> float:
    return min(0.0, *(_known(record, key) for key in ("net_ha", "cap_ha")))


def _ledger_row(
    record: dict[str, Any],
    columns: tuple[Column, ...],
    span: tuple[float, float],
    t: Translator,
) -> LedgerView:
    low, high = span
    width = (high - low) or 1.0
    capped = not is_missing(record.get("cap_ha"))
    margin = record.get("balance_ha")
    return LedgerView(
        cells=tuple(shown(record[column.key], column, t) for column in columns),
        numeric=tuple(column.form.numeric for column in columns),
        capped=capped,
        # half a model unit (0.01 ha): the ledger holds whole units
        respected=is_missing(margin) or float(margin) >= -0.005,  # type: ignore[arg-type]
        zero=-low / width,
        gross=(_known(record, "gross_ha") - low) / width,
        net=(_known(record, "net_ha") - low) / width,
        cap=(_known(record, "cap_ha") - low) / width,
    )


def restoration_views(run: Run, t: Translator) -> tuple[tuple[str, ...], list[list[Figure]]]:
    """Headings and rows of the parcels restored."""
    hidden = {"region", "code_insee"}
    table = restoration_table(run)
    kept = [i for i, column in enumerate(table.columns) if column.key not in hidden]
    rows = []
    for row in table.rows:
        rows.append(
            [
                _figure(row[i], table.columns[i], t)
                if table.columns[i].form.numeric
                else Figure(shown(row[i], table.columns[i], t))
                for i in kept
            ]
        )
    assert all(column in RESTORATION for column in table.columns)
    return tuple(t.text(table.columns[i].label) for i in kept), rows


@dataclass(frozen=True)
class PriceRow:
    """One figure without and with the ZAN rules."""

    label: str
    free: str
    held: str


def price_of_zan(run: Run, t: Translator) -> tuple[str, list[PriceRow]] | None:
    """What the ZAN rules cost in the objective, and both portfolios; None where not computed.

    ``counterfactual_*`` describe the other portfolio: without the rules where the scenario
    enforces them, with them where it does not.
    """
    totals, result = run.result.totals, run.result
    if "price_of_zan" not in totals or "counterfactual_objective" not in totals:
        return None
    this = [
        t.number(score_from_units(result.objective), 3),
        t.ha(totals.get("new_artificialisation_ha")),
    ]
    other = [
        t.number(score_from_units(totals["counterfactual_objective"]), 3),
        t.ha(totals.get("counterfactual_new_ha")),
    ]
    free, held = (other, this) if run.scenario.zan.enforced else (this, other)
    labels = (facts.objective_name(run), Msg("Gross new artificialisation"))
    rows = [PriceRow(t.text(label), free[i], held[i]) for i, label in enumerate(labels)]
    best = totals["counterfactual_objective"] if run.scenario.zan.enforced else result.objective
    price = totals["price_of_zan"]
    sentence = Msg(
        "The ZAN rules cost {points:.3f} of objective ({share:.2%} of the best possible without "
        "them); {kept} sites are in both portfolios.",
        points=score_from_units(price),
        share=price / best if best else 0.0,
        kept=int(totals.get("counterfactual_kept", 0)),
    )
    return t.text(sentence), rows
