"""The upper hull of known points, facet by facet: where a front of three objectives is thin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Values = tuple[int, ...]
SHADOW = 1.0
"""How far under a point its shadows lie, in ranges of the points."""
FLAT = 1e-9


@dataclass(frozen=True)
class Facet:
    """A facet of the upper hull.

    Attributes
    ----------
    key
        its corners among the known points (two at least).
    normal
        weights, none negative, in the units of the objectives: Σ weight × value is the same at
        every corner, and no known point has more.
    farthest
        its two farthest corners.
    width
        their distance, the range of each objective being 1.
    """

    key: frozenset[Values]
    normal: tuple[float, ...]
    farthest: tuple[Values, Values]
    width: float


def upper_facets(points: Sequence[Values]) -> tuple[Facet, ...]:
    """Facets of the hull of the points and of all that they dominate, widest first.

    Every point casts shadows, itself with one value lowered: facets between a point and its
    shadows bound the front where two objectives alone are traded.

    Parameters
    ----------
    points
        two or more distinct points, values to be maximised.
    """
    known = sorted(set(points))
    if len(known) < 2:
        return ()
    low, high = np.min(known, axis=0), np.max(known, axis=0)
    span = np.maximum(high - low, 1).astype(float)
    scaled = (np.array(known, dtype=float) - low) / span
    many = scaled.shape[1]
    shadows = [
        np.where(np.arange(many) == k, -SHADOW, scaled) for k in range(many)
    ]  # down to one level, so that the sides of the hull are flat
    hull = ConvexHull(np.vstack([scaled, *shadows]))
    corners: dict[tuple[float, ...], set[int]] = {}
    for simplex, equation in zip(hull.simplices, hull.equations, strict=True):
        normal = np.round(equation[:-1], 9)
        if (normal >= 0).all():
            own = corners.setdefault(tuple(normal.tolist()), set())
            own.update(int(i) for i in simplex if i < len(known))
    facets = [
        _facet([known[i] for i in sorted(own)], np.array(normal), span)
        for normal, own in corners.items()
        if len(own) > 1
    ]
    return tuple(sorted(facets, key=lambda one: (-one.width, sorted(one.key))))


def _facet(corners: list[Values], normal: NDArray[np.float64], span: NDArray[np.float64]) -> Facet:
    def apart(pair: tuple[Values, Values]) -> float:
        return float(np.linalg.norm((np.array(pair[0]) - np.array(pair[1])) / span))

    farthest = max(combinations(corners, 2), key=apart)
    weights = tuple(float(w) for w in normal / span)
    return Facet(frozenset(corners), weights, farthest, apart(farthest))
