"""Explanations and analyses on a terminal, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from siteselect.explain import Explanation
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.words import criterion_label

HEADINGS: Mapping[str, Msg] = {
    "rank": Msg("rank"), "site_id": Msg("site"), "name": Msg("name"), "score": Msg("score"),
    "region_name": Msg("region"), "replacement_cost": Msg("replacement cost"),
    "enter": Msg("enter"), "leave": Msg("leave"), "status": Msg("status"),
    "replaces": Msg("replaces"), "taken": Msg("taken"),
    "frequency": Msg("frequency"), "low": Msg("low"), "high": Msg("high"),
    "class": Msg("class"), "selected": Msg("selected"), "variant": Msg("variant"),
    "objective": Msg("objective"), "kept": Msg("sites kept"), "jaccard": Msg("Jaccard index"),
    "entered": Msg("entered"), "left": Msg("left"), "loss": Msg("loss"),
    "differs": Msg("different sites"), "cap_ha": Msg("cap (ha)"), "price": Msg("price"),
    "gross_ha": Msg("gross (ha)"), "access": Msg("access"), "workforce": Msg("workforce"),
    "network": Msg("networks"), "new_ha": Msg("new ha"), "cost": Msg("cost (k€)"),
    "brownfields": Msg("brownfields"), "first": Msg("first run"), "second": Msg("second run"),
    "kendall": Msg("Kendall's tau"), "sites": Msg("sites"), "usable_ha": Msg("usable ha"),
    "population": Msg("population"), "ratio": Msg("sites / population"),
    "minutes": Msg("minutes"), "workers": Msg("workers"), "share": Msg("share"),
    "count": Msg("number of sites"), "direction": Msg("override"), "reason": Msg("reason"),
    "figure": Msg("figure"), "criterion": Msg("criterion"), "movement": Msg("movement"),
}  # fmt: skip
LONGEST = 24
ONE_LINE = {"site_id": 14, "rank": 4, "name": 16}
"""Columns that stay on one line, and the least width of each."""
VALUES: Mapping[str, Msg] = {
    "always": Msg("always"), "often": Msg("often"), "sometimes": Msg("sometimes"),
    "never": Msg("never"), "kept": Msg("stays"), "entered": Msg("entered"), "left": Msg("left"),
    "mixed": Msg("some of the runs"), "optimal": Msg("proven optimal"),
    "infeasible": Msg("infeasible"), "limit": Msg("stopped at a limit, not proven"),
    "selected": Msg("selected"), "not_selected": Msg("not selected"),
    "reserve": Msg("reserve"), "excluded": Msg("excluded"),
    "forced_in": Msg("forced in by a planner"), "forced_out": Msg("forced out by a planner"),
}  # fmt: skip
"""Words of the tables' codes."""
STANDINGS: Mapping[str, Msg] = {
    "selected": Msg("selected"), "forced_in": Msg("forced in by a planner"),
    "not_selected": Msg("not selected"), "forced_out": Msg("forced out by a planner"),
    "excluded": Msg("excluded before the choice"), "no_variant": Msg("cannot be developed"),
}  # fmt: skip


def print_table(
    table: pd.DataFrame, columns: Sequence[str], t: Translator, *, most: int = 30
) -> None:
    """Some columns of a table, numbers in the language."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = pd.api.types.is_numeric_dtype(table[name])
        heading = t.text(HEADINGS[name]) if name in HEADINGS else name
        one_line = name in ONE_LINE or numeric
        made.add_column(
            heading,
            justify="right" if numeric else "left",
            no_wrap=one_line,
            overflow="ellipsis" if one_line else "fold",
            min_width=ONE_LINE.get(name),
            max_width=LONGEST if name == "name" else None,
        )
    for row in table[list(columns)].head(most).itertuples(index=False):
        cells = dict(zip(columns, (_cell(value, t) for value in row), strict=True))
        if len(cells.get("name", "")) > LONGEST:
            cells["name"] = cells["name"][: LONGEST - 1] + "…"
        made.add_row(*(escape(text) for text in cells.values()))
    Console(highlight=False).print(made)


def columns_of(table: pd.DataFrame) -> list[str]:
    """The names of the columns."""
    return [str(name) for name in table.columns]


def _cell(value: object, t: Translator) -> str:
    if isinstance(value, Msg):
        return t.text(value)
    if isinstance(value, bool):
        return t.text(Msg("yes")) if value else t.text(Msg("no"))
    if isinstance(value, str) and value in VALUES:
        return t.text(VALUES[value])
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "—"
    if isinstance(value, int):
        return t.number(value, 0)
    if isinstance(value, float):
        return t.number(value, 0 if value == round(value) and abs(value) > 1000 else 3)
    return str(value)


def say(text: Msg, t: Translator) -> None:
    """One line on stdout."""
    Console(highlight=False).print(escape(t.text(text)), soft_wrap=True)


def print_explanation(one: Explanation, t: Translator) -> None:
    """Why (not) this site, in the order a committee asks."""
    console = Console(highlight=False)
    standing = t.text(STANDINGS[one.standing])
    console.print(f"[bold]{escape(one.site_id)}[/bold] — {escape(one.name)} : {escape(standing)}")
    if one.override_reason:
        say(Msg("stated reason: {why}", why=one.override_reason), t)
    for reason in one.reasons:
        console.print(f"  • {escape(t.text(reason))}")
    cost = one.forcing_cost if one.replacement_cost is None else one.replacement_cost
    if cost is not None:
        points = cost / 1_000_000
        said = (
            Msg("Forcing it in costs {points:.6f} points of the objective.", points=points)
            if one.replacement_cost is None
            else Msg("Without it the objective loses {points:.6f} points.", points=points)
        )
        say(said, t)
        if not one.proven:
            say(Msg("One of the searches stopped before its proof: this is not exact."), t)
        say(Msg("Enter: {sites}", sites=", ".join(one.enter) or "—"), t)
        say(Msg("Leave: {sites}", sites=", ".join(one.leave) or "—"), t)
    if one.needed_gain is not None:
        gain = one.needed_gain / 1_000_000
        say(Msg("It would be chosen with {gain:.6f} points more.", gain=gain), t)
    _print_measures(one, t)


def _print_measures(one: Explanation, t: Translator) -> None:
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column(t.text(Msg("measure")))
    for heading in (Msg("site"), Msg("selected: least"), Msg("median"), Msg("most"),
                    Msg("points"), Msg("would be enough")):  # fmt: skip
        made.add_column(t.text(heading), justify="right")
    for item in one.measures:
        made.add_row(
            criterion_label(item.name, t),
            *(t.number(value, 1) for value in (item.value, item.selected_lowest,
                                               item.selected_median, item.selected_highest)),
            t.number(item.points, 4),
            "—" if item.needed is None else t.number(item.needed, 1),
        )  # fmt: skip
    Console(highlight=False).print(made)


def explanation_json(one: Explanation, t: Translator) -> dict[str, Any]:
    """The explanation as JSON: ``forcing_cost`` or ``replacement_cost``, whichever applies."""
    selected = one.standing in ("selected", "forced_in")
    costs = (
        {"replacement_cost": one.replacement_cost}
        if selected
        else {"forcing_cost": one.forcing_cost}
    )
    return {
        "site_id": one.site_id,
        "name": one.name,
        "standing": one.standing,
        "proven": one.proven,
        **costs,
        "unit": "score × 1e6",
        "enter": list(one.enter),
        "leave": list(one.leave),
        "changed": dict(one.changed),
        "reasons": [t.text(reason) for reason in one.reasons],
        "override_reason": one.override_reason,
        "needed_gain": one.needed_gain,
        "obstacles": [
            {
                **{k: v for k, v in asdict_shallow(item).items() if k not in ("name", "message")},
                "name": t.text(item.name),
                "message": t.text(item.message),
                "blockers": list(item.blockers),
            }
            for item in one.obstacles
        ],
        "measures": [_finite(asdict(item)) for item in one.measures],
        "figures": _finite(dict(one.figures)),
    }


def asdict_shallow(item: Any) -> dict[str, Any]:
    """Fields of a dataclass, values as they are."""
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _finite(tree: dict[str, Any]) -> dict[str, Any]:
    """``inf`` (unreachable) as text, since JSON has no infinity."""
    return {
        key: "unreachable" if isinstance(value, float) and math.isinf(value) else value
        for key, value in tree.items()
    }
