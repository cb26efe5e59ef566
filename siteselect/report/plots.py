"""Figures that a person reads at a glance, from the tables of the analyses.

Legible in black and white: greys, hatches and marker shapes carry the meaning, never colour
alone. Every function takes a table and gives a matplotlib figure; nothing here computes.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from siteselect.i18n import Translator
from siteselect.messages import Msg

DARK, MIDDLE, LIGHT = "#222222", "#7a7a7a", "#cfcfcf"
WIDTH = 7.2
"""Inches: fits an A4 page."""


def replacement_plot(table: pd.DataFrame, t: Translator, *, most: int = 30) -> Figure:
    """Replacement costs, the hardest to lose on top (``name``, ``replacement_cost``)."""
    known = table.dropna(subset=["replacement_cost"]).head(most).iloc[::-1]
    figure, axes = _new(0.22 * len(known) + 1.4)
    axes.barh(_labels(known), known["replacement_cost"].to_numpy(float), color=MIDDLE)
    axes.set_xlabel(t.text(Msg("replacement cost (points of the objective)")))
    _title(axes, t, Msg("What the programme loses without each site"))
    _numbers(axes, t, x=True)
    return figure


def frequency_plot(table: pd.DataFrame, t: Translator, *, most: int = 60) -> Figure:
    """Selection frequency with its 95 % interval; dark bars are the run's own sites."""
    shown = table.head(most).iloc[::-1]
    figure, axes = _new(0.2 * len(shown) + 1.6)
    share = shown["frequency"].to_numpy(float)
    colours = [DARK if own else LIGHT for own in shown["selected"]]
    bars = axes.barh(_labels(shown), share, color=colours, edgecolor=DARK, linewidth=0.4)
    for bar, own in zip(bars, shown["selected"], strict=True):
        bar.set_hatch("" if own else "//")
    reach = np.abs(np.vstack([share - shown["low"], shown["high"] - share]))
    axes.errorbar(share, np.arange(len(shown)), xerr=reach, fmt="none", ecolor=MIDDLE, capsize=1.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: t.percent(x)))
    axes.set_xlabel(t.text(Msg("share of draws (dark: selected by the run; bar: 95 % interval)")))
    _title(axes, t, Msg("How often each site is chosen when weights, data and caps vary"))
    return figure


def acceptability_plot(table: pd.DataFrame, t: Translator, *, most: int = 40) -> Figure:
    """Rank acceptability: in which tenth of the ranking each site stands, draw after draw."""
    shown = table.head(most).iloc[::-1]
    ranks = [name for name in shown if str(name).startswith("rank_")]
    figure, axes = _new(0.2 * len(shown) + 1.8)
    left = np.zeros(len(shown))
    greys = np.linspace(0.15, 0.9, len(ranks))
    hatches = ["", "//", "..", "\\\\", "xx", "--", "oo"]
    for k, name in enumerate(ranks):
        width = shown[name].to_numpy(float)
        first, last = str(name).split("_")[1:]
        axes.barh(
            _labels(shown), width, left=left, color=str(greys[k]), edgecolor=DARK,
            linewidth=0.3, hatch=hatches[k % len(hatches)], label=f"{first}–{last}",
        )  # fmt: skip
        left += width
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: t.percent(x)))
    axes.legend(title=t.text(Msg("rank")), fontsize=7, title_fontsize=7, loc="lower right")
    axes.set_xlabel(t.text(Msg("share of draws")))
    _title(axes, t, Msg("Rank of each site when weights, data and caps vary"))
    return figure


def front_plot(
    table: pd.DataFrame,
    t: Translator,
    *,
    labels: Sequence[str],
    run: Sequence[float] | None = None,
) -> Figure:
    """A Pareto front: two objectives as a line of points, three as points of several sizes.

    ``run``: where the portfolio of the run stands, a star. The larger a circle, the darker.
    """
    names = [name for name in table if name != "sites"]
    figure, axes = _new(4.6)
    x, y = table[names[1]].to_numpy(float), table[names[0]].to_numpy(float)
    if len(names) == 2:
        order = np.argsort(x)
        axes.plot(x[order], y[order], color=MIDDLE, linewidth=1, marker="o", mfc=DARK, mec=DARK)
    else:
        z = table[names[2]].to_numpy(float)
        span = max(float(z.max() - z.min()), 1e-12)
        sizes = 20 + 160 * (z - z.min()) / span
        greys = [str(0.95 - 0.65 * share) for share in (z - z.min()) / span]
        axes.scatter(x, y, s=sizes, c=greys, edgecolor=DARK, linewidth=0.8)
        note = Msg("size of the circle: {name}, from {low:.3f} to {high:.3f}",
                   name=labels[2], low=float(z.min()), high=float(z.max()))  # fmt: skip
        axes.annotate(t.text(note), (0.01, 1.01), xycoords="axes fraction", fontsize=7)
    if run is not None:
        axes.scatter(
            [run[1]], [run[0]], marker="*", s=190, c="white", edgecolor=DARK, linewidth=1.2,
            zorder=3, label=t.text(Msg("the selection of this run")),
        )  # fmt: skip
        axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    axes.set_xlabel(labels[1])
    axes.set_ylabel(labels[0])
    _title(axes, t, Msg("What is given up for what: no point is dominated"))
    _numbers(axes, t, x=True, y=True)
    return figure


def price_plot(table: pd.DataFrame, t: Translator) -> Figure:
    """The price of zero net: points lost (``price``) against the cap (``cap_ha``)."""
    known = table.dropna(subset=["objective"])
    figure, axes = _new(4.0)
    price = known["price"].to_numpy(float)
    axes.step(known["cap_ha"], price, where="post", color=DARK, marker="o", markersize=4)
    axes.set_xlabel(t.text(Msg("programme cap on net artificialisation (ha)")))
    axes.set_ylabel(t.text(Msg("objective lost (points)")))
    _title(axes, t, Msg("The price of zero net artificialisation"))
    _numbers(axes, t, x=True, y=True)
    return figure


def regions_plot(table: pd.DataFrame, t: Translator) -> Figure:
    """Share of sites beside share of population, by region."""
    shown = table.sort_values("population")
    figure, axes = _new(0.4 * len(shown) + 1.6)
    at = np.arange(len(shown))
    axes.barh(at + 0.2, shown["share_of_sites"], 0.38, color=DARK, label=t.text(Msg("sites")))
    axes.barh(
        at - 0.2, shown["share_of_population"], 0.38, color=LIGHT, edgecolor=DARK, hatch="//",
        label=t.text(Msg("population")),
    )  # fmt: skip
    axes.set_yticks(at, list(shown["region_name"]), fontsize=8)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: t.percent(x)))
    axes.legend(fontsize=8)
    _title(axes, t, Msg("Sites and population by region"))
    return figure


def jobs_plot(table: pd.DataFrame, t: Translator) -> Figure:
    """Ranges of direct, indirect and induced jobs in all (the row ``total``)."""
    total = table[table["site_id"] == "total"].iloc[0]
    kinds = {"direct": Msg("direct"), "indirect": Msg("indirect"), "induced": Msg("induced")}
    figure, axes = _new(2.4)
    for at, kind in enumerate(reversed(kinds)):
        low, mid, high = (float(total[f"{kind}_{bound}"]) for bound in ("low", "central", "high"))
        axes.plot([low, high], [at, at], color=MIDDLE, linewidth=6, solid_capstyle="butt")
        axes.plot([mid], [at], marker="|", color=DARK, markersize=16, markeredgewidth=2)
    axes.set_yticks(range(3), [t.text(kinds[kind]) for kind in reversed(kinds)])
    axes.set_xlim(left=0)
    _title(axes, t, Msg("Jobs: low, central and high assumption"))
    _numbers(axes, t, x=True)
    return figure


MOVES = {
    "kept": (Msg("kept"), "o", LIGHT), "entered": (Msg("entered"), "^", DARK),
    "left": (Msg("left"), "v", "white"), "mixed": (Msg("some of the runs"), "s", MIDDLE),
}  # fmt: skip


def moves_map(sites: gpd.GeoDataFrame, outlines: gpd.GeoDataFrame | None, t: Translator) -> Figure:
    """Where sites are kept, enter and leave, by shape of marker (``movement``)."""
    figure, axes = _new(6.8)
    if outlines is not None and len(outlines):
        outlines.boundary.plot(ax=axes, color=MIDDLE, linewidth=0.5)
    points = sites.geometry.representative_point()
    for code, (name, marker, colour) in MOVES.items():
        own = (sites["movement"] == code).to_numpy()
        if own.any():
            axes.scatter(
                points[own].x, points[own].y, marker=marker, c=colour, edgecolor=DARK, s=34,
                linewidth=0.8, label=f"{t.text(name)} ({int(own.sum())})",
            )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.legend(fontsize=8, loc="lower left")
    _title(axes, t, Msg("Sites kept, entered and left"))
    return figure


def _new(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, min(max(height, 2.0), 14.0)), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _labels(table: pd.DataFrame) -> list[str]:
    """Name and identifier: names repeat, and would then share one bar."""
    ids = [str(value) for value in table["site_id"]]
    if "name" not in table:
        return ids
    return [f"{str(name)[:38]} · {one}" for name, one in zip(table["name"], ids, strict=True)]


def _title(axes: Axes, t: Translator, title: Msg) -> None:
    """Over the whole figure: long labels leave the axes little room."""
    figure = axes.get_figure()
    assert figure is not None
    figure.suptitle(t.text(title), fontsize=10, x=0.01, ha="left")
    axes.set_xlabel(axes.get_xlabel(), fontsize=8, wrap=True)
    axes.set_ylabel(axes.get_ylabel(), fontsize=8, wrap=True)
    axes.margins(y=0.02)


def _numbers(axes: Axes, t: Translator, *, x: bool = False, y: bool = False) -> None:
    """Numbers of the axes in the language, with as many decimals as the ticks need."""
    for wanted, axis in ((x, axes.xaxis), (y, axes.yaxis)):
        if wanted:
            ticks = np.asarray(axis.get_majorticklocs(), dtype=float)
            digits = next(d for d in range(7) if d == 6 or np.allclose(ticks, ticks.round(d)))
            axis.set_major_formatter(
                FuncFormatter(lambda value, _, digits=digits: t.number(value, digits))
            )
