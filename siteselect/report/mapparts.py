"""Parts of a static map: marks that survive black and white, scale, north, captions.

Kinds of site differ by shape as well as by colour (Okabe and Ito, Color Universal Design); land
differs by lightness as well as by hue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.path import Path as MplPath
from numpy.typing import NDArray

from siteselect.units import M_PER_KM

INK, SOFT, LAND, BORDER, ROAD = "#1b2430", "#55606e", "#eef0f3", "#9aa5b1", "#c9bda6"
KIND_COLOUR: Mapping[str, str] = MappingProxyType(
    {"brownfield": "#b84a00", "extension": "#0063a8", "greenfield": "#00785a"}
)
KIND_MARK: Mapping[str, str] = MappingProxyType(
    {"brownfield": "o", "extension": "s", "greenfield": "D"}
)
LAND_COLOUR: Mapping[str, str] = MappingProxyType(
    {
        "unknown": "#ffffff",
        "impermeable": "#454545",
        "permeable": "#b08d6a",
        "grass": "#e3efc4",
        "wood": "#6b9a5b",
        "bare": "#a9cbe4",
    }
)
"""From dark to light: sealed, wooded, artificialised, bare or water, grass, nothing known."""
FACILITY_MARK: Mapping[str, str] = MappingProxyType(
    {
        "motorway": "^",
        "rail_freight": "P",
        "port": "v",
        "airport": "*",
        "station": "X",
        "substation": "d",
    }
)

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in metres."""


@dataclass(frozen=True)
class Frame:
    """Limits of a map, in metres, widened to the shape of its axes."""

    box: Box

    @property
    def width_m(self) -> float:
        """West to east."""
        return self.box[2] - self.box[0]

    @property
    def height_m(self) -> float:
        """South to north."""
        return self.box[3] - self.box[1]


def fitted(box: Sequence[float], *, ratio: float, margin: float = 0.05) -> Frame:
    """``box`` with a margin, widened to ``ratio`` = width / height."""
    xmin, ymin, xmax, ymax = (float(value) for value in box)
    width = max(xmax - xmin, 1.0) * (1 + 2 * margin)
    height = max(ymax - ymin, 1.0) * (1 + 2 * margin)
    width, height = max(width, height * ratio), max(height, width / ratio)
    x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
    return Frame((x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def bare(axes: Axes, frame: Frame) -> None:
    """Axes without ticks, at equal scale, over ``frame``."""
    xmin, ymin, xmax, ymax = frame.box
    axes.set_xlim(xmin, xmax)
    axes.set_ylim(ymin, ymax)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_edgecolor(SOFT)
        side.set_linewidth(0.6)


def areas(axes: Axes, geometries: Iterable[Any], **style: Any) -> None:
    """Polygons with their holes; the limits of the axes stay as they are."""
    paths = [path for path in map(area_path, geometries) if path is not None]
    axes.add_collection(PathCollection(paths, **style), autolim=False)


def area_path(geometry: Any) -> MplPath | None:
    """One path over every ring of a polygon or multipolygon."""
    rings = shapely.get_rings(shapely.get_parts(geometry)) if geometry is not None else []
    outlines = [shapely.get_coordinates(ring) for ring in rings]
    return MplPath.make_compound_path(*map(MplPath, outlines)) if outlines else None


def lines(axes: Axes, geometries: Iterable[Any], **style: Any) -> None:
    """Lines as one collection."""
    parts = [shapely.get_coordinates(line) for line in geometries]
    shown = [part for part in parts if len(part) > 1]
    axes.add_collection(LineCollection(shown, **style), autolim=False)


def dots(axes: Axes, xy: NDArray[np.float64], **style: Any) -> PathCollection:
    """Small marks."""
    return axes.scatter(xy[:, 0], xy[:, 1], **style)


def round_km(width_m: float, share: float = 0.22) -> float:
    """A round length (1, 2, 5 × 10ⁿ km) of at most ``share`` of the width."""
    target = width_m * share / M_PER_KM
    power = 10.0 ** math.floor(math.log10(target))
    return max(step * power for step in (1, 2, 5) if step * power <= target)


def scale_bar(axes: Axes, frame: Frame, text: Any) -> None:
    """A bar of a round length at the lower left; ``text(km)`` says it."""
    km = round_km(frame.width_m)
    x = frame.box[0] + 0.04 * frame.width_m
    y = frame.box[1] + 0.035 * frame.height_m
    long, thick = km * M_PER_KM, 0.008 * frame.height_m
    for part, colour in ((0, INK), (1, "white")):
        left = x + part * long / 2
        corners = [(left, y), (left + long / 2, y), (left + long / 2, y + thick), (left, y + thick)]
        axes.add_patch(
            Polygon(corners, closed=True, facecolor=colour, edgecolor=INK, linewidth=0.7, zorder=20)
        )
    axes.text(
        x + long / 2,
        y + 1.6 * thick,
        text(km),
        ha="center",
        va="bottom",
        fontsize=7,
        color=INK,
        zorder=20,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
    )


def north(axes: Axes, frame: Frame) -> None:
    """An arrow to the north of the grid, at the upper right."""
    x = frame.box[2] - 0.06 * frame.width_m
    y = frame.box[3] - 0.13 * frame.height_m
    tall, half = 0.07 * frame.height_m, 0.018 * frame.height_m
    arrow = [(x, y + tall), (x + half, y), (x, y + 0.2 * tall), (x - half, y)]
    axes.add_patch(Polygon(arrow, closed=True, facecolor=INK, edgecolor="white", zorder=20))
    axes.text(x, y - 0.006 * frame.height_m, "N", ha="center", va="top", fontsize=8, zorder=20)


def key(label: str, **style: Any) -> Line2D:
    """One line of a legend."""
    return Line2D([], [], label=label, linestyle=style.pop("linestyle", "none"), **style)
