"""The two maps of a site sheet: land use under the footprint, access and isochrones around it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from types import TracebackType
from typing import Any

import geopandas as gpd
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report import mapparts as parts
from siteselect.report.mapparts import BORDER, INK, LAND, LAND_COLOUR, ROAD, SOFT
from siteselect.report.maps import Ground, source_line
from siteselect.report.words import word
from siteselect.sources.landwindow import LAND_KINDS, LandRaster

SIZE_IN = (7.3, 3.3)
NEAR, WIDE = (0.0, 0.175, 0.495, 0.775), (0.505, 0.175, 0.495, 0.775)
"""Places of the two maps in the figure."""
CONTEXT_M = 30_000.0
"""Half width of the map of access, where no isochrone is wider."""
AROUND = 0.6
"""Margin around the footprint, as a share of its size."""
ISOCHRONE_SHADES = ("#7fa8d1", "#bcd3ea", "#deeaf5")
"""From the shortest time to the longest: darker is nearer."""
LAND_LABELS = {
    "impermeable": Msg("impermeable"),
    "permeable": Msg("artificialised, permeable"),
    "grass": Msg("herbaceous, not artificialised"),
    "wood": Msg("wooded, not artificialised"),
    "bare": Msg("bare or water"),
    "unknown": Msg("not known"),
}
FACILITY_LABELS = {
    "motorway": Msg("motorway interchange"),
    "rail_freight": Msg("rail freight terminal"),
    "port": Msg("port"),
    "airport": Msg("airport"),
    "station": Msg("passenger station"),
    "substation": Msg("high-voltage substation"),
}


class SiteMaps:
    """Draws the maps of many sites: raster and ground are opened once.

    ``isochrones`` has the columns site_id, minutes, geometry (EPSG:2154); it may be empty.
    """

    def __init__(self, ground: Ground, isochrones: gpd.GeoDataFrame, t: Translator) -> None:
        self._ground, self._isochrones, self._t = ground, isochrones, t
        pack = ground.run.pack
        known = pack.has("landuse") and pack.has("landuse_legend")
        self._raster = (
            LandRaster(pack.path("landuse"), pack.path("landuse_legend")) if known else None
        )
        table = ground.facilities
        self._facility_xy = shapely.get_coordinates(table.geometry.to_numpy())
        self._facility_class = table["facility_class"].astype(str).to_numpy()

    def __enter__(self) -> SiteMaps:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._raster is not None:
            self._raster.__exit__()

    def figure(self, site: Any, *, titled: bool = False) -> Figure:
        """``site`` is a row of the shortlist as a named tuple (site_id, name, geometry).

        ``titled`` adds the name and the sources, for a map that stands alone.
        """
        figure = Figure(figsize=SIZE_IN)
        near, wide = figure.add_axes(NEAR), figure.add_axes(WIDE)
        self._near(near, site.geometry)
        shown = self._wide(wide, site)
        titles = (Msg("Land use at 10 m"), Msg("Access by road"))
        if self._raster is None:
            titles = (Msg("Footprint (no land-use raster)"), titles[1])
        for axes, title in zip((near, wide), titles, strict=True):
            axes.set_title(self._t.text(title), fontsize=7.5, loc="left", pad=3, color=INK)
        self._legends(figure, shown)
        if titled:
            said = fill(source_line(self._ground.run, self._t), 190)
            figure.text(0.0, -0.005, said, fontsize=4.6, va="top", color=SOFT)
            name = f"{site.name} — {site.commune}".replace("$", r"\$")
            figure.text(0.0, 1.02, name, fontsize=9, fontweight="bold", va="bottom", color=INK)
        return figure

    def _km(self, km: float) -> str:
        if km < 1:
            return f"{self._t.number(1000 * km)} m"
        return f"{self._t.number(km)} km"

    def _near(self, axes: Axes, footprint: Any) -> None:
        ratio = NEAR[2] * SIZE_IN[0] / (NEAR[3] * SIZE_IN[1])
        frame = parts.fitted(footprint.bounds, ratio=ratio, margin=AROUND)
        parts.bare(axes, frame)
        axes.set_facecolor(LAND_COLOUR["unknown"])
        if self._raster is not None:
            window = self._raster.window(frame.box)
            xmin, ymin, xmax, ymax = window.bounds_m
            axes.imshow(
                window.kinds,
                cmap=ListedColormap([LAND_COLOUR[kind] for kind in LAND_KINDS]),
                vmin=-0.5,
                vmax=len(LAND_KINDS) - 0.5,
                extent=(xmin, xmax, ymin, ymax),
                interpolation="nearest",
                aspect="equal",
            )
            parts.bare(axes, frame)
        else:  # roads are placed to about 100 m: on a raster of 10 m they would mislead
            parts.lines(axes, self._ground.roads_in(frame.box), color=ROAD, linewidth=1.2)
        for colour, width in (("white", 3.0), ("#000000", 1.5)):
            parts.areas(axes, [footprint], facecolor="none", edgecolor=colour, linewidth=width)
        parts.scale_bar(axes, frame, self._km)
        parts.north(axes, frame)

    def _wide(self, axes: Axes, site: Any) -> list[str]:
        """Draws the map of access; the classes of facility it shows."""
        zones = self._isochrones[self._isochrones["site_id"] == site.site_id]
        zones = zones.sort_values("minutes", ascending=False)
        centre = site.geometry.centroid
        around = (
            centre.x - CONTEXT_M,
            centre.y - CONTEXT_M,
            centre.x + CONTEXT_M,
            centre.y + CONTEXT_M,
        )
        box: Sequence[float] = zones.total_bounds if len(zones) else around
        ratio = WIDE[2] * SIZE_IN[0] / (WIDE[3] * SIZE_IN[1])
        frame = parts.fitted(box, ratio=ratio, margin=0.04)
        parts.bare(axes, frame)
        parts.areas(axes, self._ground.regions_in(frame.box), facecolor=LAND, edgecolor="none")
        shades = ISOCHRONE_SHADES[: len(zones)][::-1]
        for shade, zone in zip(shades, zones.geometry, strict=False):
            parts.areas(axes, [zone], facecolor=shade, edgecolor=INK, linewidth=0.5)
        parts.lines(axes, self._ground.borders_in(frame.box), color=BORDER, linewidth=0.5)
        parts.lines(axes, self._ground.roads_in(frame.box), color=ROAD, linewidth=0.7)
        shown = self._facilities(axes, frame)
        axes.plot(
            centre.x,
            centre.y,
            marker="o",
            markersize=7,
            markerfacecolor="#b84a00",
            markeredgecolor="white",
            zorder=12,
        )
        parts.scale_bar(axes, frame, self._km)
        parts.north(axes, frame)
        return shown

    def _facilities(self, axes: Axes, frame: parts.Frame) -> list[str]:
        if not len(self._facility_xy):
            return []
        xmin, ymin, xmax, ymax = frame.box
        x, y = self._facility_xy[:, 0], self._facility_xy[:, 1]
        inside = (x > xmin) & (x < xmax) & (y > ymin) & (y < ymax)
        shown = []
        for name, mark in parts.FACILITY_MARK.items():
            some = self._facility_xy[inside & (self._facility_class == name)]
            if len(some):
                shown.append(name)
                small = name == "substation"
                colour = SOFT if small else INK
                edge = {"edgecolor": "white", "linewidths": 0.4}
                parts.dots(
                    axes, some, s=9 if small else 26, marker=mark, color=colour, zorder=6, **edge
                )
        return shown

    def _legends(self, figure: Figure, shown: Sequence[str]) -> None:
        t = self._t
        if self._raster is not None:
            land = [
                Patch(facecolor=LAND_COLOUR[kind], edgecolor=INK, linewidth=0.4, label=t.text(said))
                for kind, said in LAND_LABELS.items()
            ]
            _legend(figure, land, 0.0)
        minutes = sorted(set(self._isochrones["minutes"]))
        access: list[Any] = [
            Patch(
                facecolor=shade,
                edgecolor=INK,
                linewidth=0.4,
                label=t.text(Msg("within {minutes} min by car", minutes=int(limit))),
            )
            for limit, shade in zip(minutes, ISOCHRONE_SHADES, strict=False)
        ]
        access.append(parts.key(t.text(Msg("the site")), marker="o", color="#b84a00", markersize=5))
        for name in shown:
            colour = SOFT if name == "substation" else INK
            mark = parts.FACILITY_MARK[name]
            access.append(
                parts.key(t.text(FACILITY_LABELS[name]), marker=mark, color=colour, markersize=4.5)
            )
        _legend(figure, access, 0.5)


def _legend(figure: Figure, handles: Sequence[Any], left: float) -> None:
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(left, 0.17),
        ncols=3,
        fontsize=5.4,
        frameon=False,
        handlelength=1.3,
        handletextpad=0.4,
        columnspacing=0.7,
        labelspacing=0.35,
        borderpad=0.2,
    )


def described(site: Any, t: Translator) -> str:
    """Alternative text of the figure of a site."""
    return t.text(
        Msg(
            "Two maps of {name} ({commune}): land use under and around the footprint, {kind}; "
            "roads and facilities around the site.",
            name=site.name,
            commune=site.commune,
            kind=word("kind", site.kind, t),
        )
    )
