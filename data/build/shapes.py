"""Footprints of believable shape: parcel-like polygons of a given area around the origin."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from siteselect.units import M2_PER_HA

LONGEST_ASPECT = 3.2


def draw_areas_ha(
    count: int, rng: np.random.Generator, *, mu: float, sigma: float, low: float, high: float
) -> NDArray[np.float64]:
    """``low`` + lognormal(mu, sigma), redrawn above ``high``; hectares, shape (count,).

    With mu 1.0, sigma 1.6 and low 1 the quartiles are 1.9, 3.7 and 9 ha and the 99th centile
    about 110 ha, those of the real inventory's brownfields of 1 ha or more.
    """
    areas = low + rng.lognormal(mu, sigma, count)
    while (too_large := areas > high).any():
        areas[too_large] = low + rng.lognormal(mu, sigma, int(too_large.sum()))
    return areas


def draw_footprint(area_ha: float, rng: np.random.Generator) -> shapely.Polygon:
    """A valid simple polygon of ``area_ha``, any orientation, centred on the origin.

    One of: a plot, an L, a plot with a notch, plots side by side, an irregular plot; corners
    are moved a little because real parcels are never square.
    """
    makers = (_plot, _l_shape, _notched, _joined, _irregular)
    maker = makers[rng.choice(len(makers), p=[0.22, 0.2, 0.18, 0.22, 0.18])]
    while True:
        shape = _jitter(maker(rng), rng)
        if shape.is_valid and shape.geom_type == "Polygon" and _compact(shape):
            break
    scale = np.sqrt(area_ha * M2_PER_HA / shape.area)
    scaled = affinity.scale(shape, scale, scale, origin=(0, 0))
    turned = affinity.rotate(scaled, rng.uniform(0, 180), origin=(0, 0))
    centre = turned.centroid
    return affinity.translate(turned, -centre.x, -centre.y)


def place(shape: shapely.Polygon, x: float, y: float) -> shapely.Polygon:
    """The shape moved to a point, corners rounded to 0.1 m."""
    moved = affinity.translate(shape, x, y)
    return shapely.transform(moved, lambda xy: np.round(xy, 1))


def radius_m(shape: shapely.Polygon) -> float:
    """Distance from the origin to the farthest corner."""
    corners = shapely.get_coordinates(shape)
    return float(np.hypot(corners[:, 0], corners[:, 1]).max())


def _plot(rng: np.random.Generator) -> shapely.Polygon:
    aspect = rng.uniform(1.0, LONGEST_ASPECT)
    return shapely.box(0, 0, aspect, 1)


def _l_shape(rng: np.random.Generator) -> shapely.Polygon:
    width = rng.uniform(1.0, 2.2)
    cut_x, cut_y = rng.uniform(0.35, 0.65) * width, rng.uniform(0.35, 0.65)
    return shapely.box(0, 0, width, 1) - shapely.box(cut_x, cut_y, width, 1)


def _notched(rng: np.random.Generator) -> shapely.Polygon:
    width = rng.uniform(1.0, 2.5)
    start = rng.uniform(0.15, 0.5) * width
    end = start + rng.uniform(0.15, 0.35) * width
    return shapely.box(0, 0, width, 1) - shapely.box(start, rng.uniform(0.5, 0.8), end, 1)


def _joined(rng: np.random.Generator) -> shapely.Polygon:
    shape = shapely.box(0, 0, rng.uniform(0.8, 1.4), 1)
    for _ in range(rng.integers(1, 4)):
        _, low, right, high = shape.bounds
        bottom = rng.uniform(low - 0.3, (low + high) / 2)
        depth, height = rng.uniform(0.4, 1.0), rng.uniform(0.6, 1.2)
        step = shapely.box(right - 0.05, bottom, right + depth, bottom + height)
        shape = shape.union(step) if shape.intersects(step) else shape
    return shape


def _irregular(rng: np.random.Generator) -> shapely.Polygon:
    corners = rng.integers(5, 9)
    angle = np.sort(2 * np.pi * (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) / corners)
    reach = rng.uniform(0.65, 1.0, corners)
    stretch = rng.uniform(1.0, 2.0)
    return shapely.Polygon(
        np.column_stack([stretch * reach * np.cos(angle), reach * np.sin(angle)])
    )


def _jitter(shape: shapely.Geometry, rng: np.random.Generator) -> shapely.Polygon:
    corners = shapely.get_coordinates(shape)[:-1]
    return shapely.Polygon(corners + rng.normal(0.0, 0.025, corners.shape))


def _compact(shape: shapely.Polygon) -> bool:
    return float(4 * np.pi * shape.area / shape.length**2) > 0.25
