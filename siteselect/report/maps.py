"""Static maps of a run: national and regional, as figures that print on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import fill, wrap
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import facts
from siteselect.report import mapparts as parts
from siteselect.report.geography import borders, centres, facilities, main_roads, outlines
from siteselect.report.mapparts import BORDER, INK, KIND_COLOUR, KIND_MARK, LAND, ROAD, SOFT
from siteselect.report.svgmap import spread
from siteselect.report.words import DISCLAIMER, word
from siteselect.runs import Run
from siteselect.scenario import KINDS
from siteselect.units import FRANCE_BOUNDS

TOLERANCE_M = 500.0
CROWD = 6
"""A region with at least so many sites of the shortlist may get an inset."""
MARK_SHARE = 0.0085
"""Half size of a numbered mark, as a share of the width of the map."""
PAGE_IN = (11.0, 7.6)
"""Width and height of a figure, inches: A4 landscape inside its margins."""
FULL = (0.02, 0.13, 0.96, 0.79)
LEFT = (0.02, 0.13, 0.62, 0.79)
"""Places of a map in its figure: left, bottom, width, height as shares."""
INSET = (0.012, 0.42, 0.345, 0.52)
"""Place of the inset in the map of the country."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What lies beneath the sites, read once for all the maps of a run."""

    run: Run

    @cached_property
    def _outlines(self) -> gpd.GeoDataFrame:
        return outlines(self.run.pack)

    @cached_property
    def regions(self) -> gpd.GeoDataFrame:
        """Outlines of the regions: code, name, geometry."""
        return self._outlines[self._outlines["level"] == "region"]

    @cached_property
    def borders(self) -> NDArray[np.object_]:
        """Lines between départements."""
        return borders(self._outlines[self._outlines["level"] == "departement"])

    @cached_property
    def roads(self) -> NDArray[np.object_]:
        """Main roads."""
        return main_roads(self.run.pack, self.regions, near_m=TOLERANCE_M)

    @cached_property
    def coarse(self) -> NDArray[np.object_]:
        """Outlines of the regions, simplified: what a map of 60 km can show, quick to draw."""
        shapes: NDArray[np.object_] = shapely.simplify(self.regions.geometry.to_numpy(), 100.0)
        return shapes

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.roads)

    @cached_property
    def facilities(self) -> gpd.GeoDataFrame:
        """Facilities that measures count to."""
        return facilities(self.run.pack)

    def roads_in(self, box: parts.Box) -> NDArray[np.object_]:
        """Main roads that meet a box."""
        if not len(self.roads):
            return self.roads
        found: NDArray[np.object_] = self.roads[self._tree.query(shapely.box(*box))]
        return found

    def borders_in(self, box: parts.Box) -> NDArray[np.object_]:
        """Borders that meet a box."""
        seen: NDArray[np.object_] = self.borders[
            shapely.intersects(self.borders, shapely.box(*box))
        ]
        return seen

    def regions_in(self, box: parts.Box) -> list[Any]:
        """Regions that meet a box, cut to it."""
        cut = shapely.intersection(self.coarse, shapely.box(*box))
        return [shape for shape in cut if shape.geom_type in ("Polygon", "MultiPolygon")]

    def bounds(self) -> Sequence[float]:
        """Bounds of the country, or of the sites where there are no outlines."""
        for frame in (self.regions, self.run.sites):
            if len(frame):
                return [float(value) for value in frame.total_bounds]
        return FRANCE_BOUNDS


def national_map(ground: Ground, t: Translator) -> Figure:
    """Selected and reserve over the whole country, with an inset where they crowd."""
    figure = Figure(figsize=PAGE_IN)
    axes = figure.add_axes(FULL)
    crowded = _crowded(ground)
    inside = crowded.code if crowded is not None else None
    frame = _aside(parts.fitted(ground.bounds(), ratio=_ratio(FULL), margin=0.02), ground.bounds())
    _base(axes, ground, frame, candidates=True)
    _sites(axes, ground.run, frame, leave_out=inside)
    parts.scale_bar(axes, frame, lambda km: _km(km, t))
    parts.north(axes, frame)
    if crowded is not None:
        _inset(axes, ground, crowded, t)
    _caption(figure, ground.run, t.text(Msg("Selected sites and reserve list")), t)
    _legend(figure, ground.run, t)
    return figure


def region_map(ground: Ground, code: str, t: Translator) -> Figure:
    """One region: its sites by number, their names beside the map."""
    row = ground.regions[ground.regions["code"] == code].iloc[0]
    figure = Figure(figsize=PAGE_IN)
    axes = figure.add_axes(LEFT)
    frame = parts.fitted(row.geometry.bounds, ratio=_ratio(LEFT), margin=0.04)
    _base(axes, ground, frame, candidates=True, region=row.geometry)
    _sites(axes, ground.run, frame, share=0.016, numbered_reserve=True)
    parts.scale_bar(axes, frame, lambda km: _km(km, t))
    parts.north(axes, frame)
    _caption(figure, ground.run, str(row["name"]), t)
    _legend(figure, ground.run, t, columns=3)
    _names(figure, ground.run, code, t)
    return figure


def _ratio(place: tuple[float, float, float, float]) -> float:
    return place[2] * PAGE_IN[0] / (place[3] * PAGE_IN[1])


def _aside(frame: parts.Frame, country: Sequence[float]) -> parts.Frame:
    """The country moved to the east of the frame: the inset stands in the free west."""
    xmin, ymin, xmax, ymax = frame.box
    shift = max(0.0, xmax - country[2] - 0.02 * frame.width_m)
    return parts.Frame((xmin - shift, ymin, xmax - shift, ymax))


def region_codes(run: Run) -> list[str]:
    """Regions that have at least one site of the shortlist, in the order of their codes."""
    return sorted(set(run.shortlist["region"].dropna().astype(str)))


def _km(km: float, t: Translator) -> str:
    return f"{t.number(km, 0 if km >= 1 else 1)} km"


def _base(
    axes: Axes,
    ground: Ground,
    frame: parts.Frame,
    *,
    candidates: bool,
    region: Any = None,
) -> None:
    parts.bare(axes, frame)
    parts.areas(axes, ground.regions.geometry, facecolor=LAND, edgecolor=BORDER, linewidth=0.7)
    if region is not None:
        parts.areas(axes, [region], facecolor="white", edgecolor=INK, linewidth=1.0)
    parts.lines(axes, ground.borders, color=BORDER, linewidth=0.35)
    parts.lines(axes, ground.roads_in(frame.box), color=ROAD, linewidth=0.5)
    if candidates:
        run = ground.run
        others = run.sites[run.sites["status"] == "not_selected"]
        xy = centres(gpd.GeoDataFrame(others))
        parts.dots(axes, xy, s=1.2, color=SOFT, alpha=0.55, linewidths=0, zorder=3)
    restored = centres(ground.run.restoration)
    parts.dots(axes, restored, s=14, marker="+", color=INK, linewidths=0.7, zorder=4)


def _sites(
    axes: Axes,
    run: Run,
    frame: parts.Frame,
    *,
    leave_out: str | None = None,
    share: float = MARK_SHARE,
    numbered_reserve: bool = False,
) -> None:
    """Numbered marks, moved apart until none hides another, each led back to its place."""
    short = run.shortlist
    places = centres(short)
    xmin, ymin, xmax, ymax = frame.box
    kept = (places[:, 0] >= xmin) & (places[:, 0] <= xmax)
    kept &= (places[:, 1] >= ymin) & (places[:, 1] <= ymax)
    if leave_out is not None:
        kept &= (short["region"] != leave_out).to_numpy()
    chosen = (short["status"] != "reserve").to_numpy()[kept]
    radius_m = share * frame.width_m
    spare = 0.85 if numbered_reserve else 0.6
    radii = np.where(chosen, radius_m, spare * radius_m)
    unit_m = frame.width_m / 10_000  # the plane that `spread` is tuned for
    at = spread(places[kept] / unit_m, radii / unit_m) * unit_m
    some = pd.DataFrame(short)[kept]
    points = 72 * axes.figure.get_size_inches()[0] * axes.get_position().width  # type: ignore[union-attr]
    size = (2 * radius_m / frame.width_m * points) ** 2
    for place, label, row, is_chosen in zip(
        places[kept], at, some.itertuples(), chosen, strict=True
    ):
        if np.hypot(*(place - label)) > 0.4 * radius_m:
            axes.plot(*zip(place, label, strict=True), color=INK, linewidth=0.6, zorder=5)
            axes.plot(*place, marker=".", markersize=2.5, color=INK, zorder=5)
        colour = KIND_COLOUR[str(row.kind)]
        axes.scatter(
            label[0],
            label[1],
            s=(0.8 if row.kind == "greenfield" else 1.0) * (size if is_chosen else size * spare**2),
            marker=KIND_MARK[str(row.kind)],
            facecolor=colour if is_chosen else "white",
            edgecolor="white" if is_chosen else colour,
            linewidth=0.5 if is_chosen else 1.0,
            zorder=7 if is_chosen else 6,
        )
        if is_chosen or numbered_reserve:
            axes.text(
                label[0],
                label[1],
                str(row.rank) if is_chosen else f"R{row.rank}",
                ha="center",
                va="center_baseline",
                fontsize=(0.85 if is_chosen else 0.62) * radius_m / frame.width_m * points,
                color="white" if is_chosen else INK,
                fontweight="bold",
                zorder=8,
            )


@dataclass(frozen=True)
class _Crowd:
    code: str
    name: str
    box: parts.Box


def _crowded(ground: Ground) -> _Crowd | None:
    """The region whose sites stand closest together, when they would hide one another."""
    short = ground.run.shortlist
    best: tuple[float, _Crowd] | None = None
    for code, group in short.groupby("region"):
        region = ground.regions[ground.regions["code"] == code]
        if len(group) < CROWD or not len(region):
            continue
        area = float(region.geometry.area.sum())
        crowd = _Crowd(str(code), str(region["name"].iloc[0]), tuple(group.total_bounds))
        density = len(group) / area
        if best is None or density > best[0]:
            best = (density, crowd)
    return None if best is None else best[1]


def _inset(axes: Axes, ground: Ground, crowd: _Crowd, t: Translator) -> None:
    left, bottom, width, height = INSET
    inset = axes.inset_axes(INSET)
    ratio = _ratio(FULL) * width / height
    frame = parts.fitted(crowd.box, ratio=ratio, margin=0.15)
    _base(inset, ground, frame, candidates=False)
    _sites(inset, ground.run, frame, share=0.028, numbered_reserve=True)
    parts.scale_bar(inset, frame, lambda km: _km(km, t))
    inset.set_title(crowd.name, fontsize=7.5, color=INK, pad=3)
    xmin, ymin, xmax, ymax = frame.box
    corners = [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax), (xmin, ymin)]
    axes.plot(*zip(*corners, strict=True), color=INK, linewidth=0.8, zorder=9)
    axes.annotate(
        "",
        xy=(xmin, (ymin + ymax) / 2),
        xytext=(left + width, bottom + height / 2),
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.7},
        zorder=9,
    )


def _caption(figure: Figure, run: Run, title: str, t: Translator) -> None:
    figure.text(0.02, 0.975, title, fontsize=12, fontweight="bold", va="top", color=INK)
    figure.text(0.02, 0.948, run.scenario.title, fontsize=8.5, va="top", color=SOFT)
    figure.text(0.02, 0.012, fill(source_line(run, t), 175), fontsize=5.6, va="bottom", color=SOFT)


def source_line(run: Run, t: Translator) -> str:
    """Warnings, projection and attributions: what stands under every map."""
    layers = run.pack.manifest.layers
    said = []
    if facts.simulated_titles(layers):
        said.append(t.text(Msg("Contains simulated data.")))
    if facts.rests_on_assumptions(run):
        said.append(t.text(Msg("Contains assumed data.")))
    said.append(t.text(Msg("Lambert-93 (EPSG:2154).")))
    sources = " ; ".join(facts.map_sources(layers))
    said.append(t.text(Msg("Sources: {attributions}.", attributions=sources)))
    said.append(t.text(DISCLAIMER))
    return " ".join([*said, f"siteselect {run.run_id}, {t.date(run.created.date())}"])


def _legend(figure: Figure, run: Run, t: Translator, *, columns: int = 4) -> None:
    white = {"markeredgecolor": "white", "markersize": 9}
    entries = [
        parts.key(
            t.text(Msg("selected: {kind}", kind=word("kind", kind, t))),
            marker=KIND_MARK[kind],
            color=KIND_COLOUR[kind],
            **white,
        )
        for kind in KINDS
    ]
    entries += [
        parts.key(
            t.text(Msg("Reserve list (hollow; shape by kind)")),
            marker="o",
            markerfacecolor="white",
            markeredgecolor=KIND_COLOUR["brownfield"],
            markersize=6,
        ),
        parts.key(t.text(Msg("other candidates")), marker=".", color=SOFT, markersize=4),
        parts.key(t.text(Msg("Main roads")), color=ROAD, linestyle="-"),
    ]
    if len(run.restoration):
        entries.insert(
            4, parts.key(t.text(Msg("Restored parcel")), marker="+", color=INK, markersize=6)
        )
    figure.legend(
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(0.01, 0.04),
        ncols=columns,
        fontsize=7,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.4,
    )


def _names(figure: Figure, run: Run, code: str, t: Translator) -> None:
    short = pd.DataFrame(run.shortlist[run.shortlist["region"] == code])
    lines: list[str] = []
    for heading, letter, some in (
        (Msg("Selection"), "", short[short["status"] != "reserve"]),
        (Msg("Reserve"), "R", short[short["status"] == "reserve"]),
    ):
        if len(some):
            lines.append(t.text(heading).upper())
            for row in some.sort_values("rank").itertuples():
                area = t.ha(float(row.usable_ha))  # type: ignore[arg-type]
                said = f"{letter}{row.rank}. {row.name} — {area}"
                lines += wrap(said, 70, subsequent_indent="    ")
    text = "\n".join(lines).replace("$", r"\$")
    points = 72 * LEFT[3] * PAGE_IN[1]
    size = min(6.6, points / (1.45 * 1.17 * max(len(lines), 1)))
    figure.text(0.655, 0.92, text, fontsize=size, va="top", color=INK, linespacing=1.45)
