"""CRS, hectares ↔ model units, minutes ↔ milliseconds, k€ ↔ €: the only place that converts.

Model units are integers: areas in 0.01 ha (one pixel of 10 m), scores × 10⁶, money in k€.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

CRS = "EPSG:2154"
"""Lambert-93: every computation in metropolitan France."""
CRS_WEB = "EPSG:4326"
"""Longitude and latitude: only at the edges (web map, GeoJSON, inventories)."""
FRANCE_BOUNDS = (90_000.0, 6_030_000.0, 1_260_000.0, 7_130_000.0)
"""Metropolitan France with Corsica in EPSG:2154, metres: xmin, ymin, xmax, ymax."""

AREA_UNITS_PER_HA = 100
"""One model unit of area is 0.01 ha = 100 m², a pixel of 10 m."""
SCORE_SCALE = 1_000_000
"""A score of 1 is 10⁶ in the model."""
M2_PER_HA = 10_000.0
MS_PER_MIN = 60_000
M_PER_KM = 1_000.0

FloatOrArray = TypeVar("FloatOrArray", float, NDArray[np.float64])


def ha_to_units(area_ha: ArrayLike) -> NDArray[np.int64]:
    """Hectares → integer units of 0.01 ha, rounded half to even."""
    return np.rint(np.asarray(area_ha, dtype=np.float64) * AREA_UNITS_PER_HA).astype(np.int64)


def ha_to_units_up(area_ha: ArrayLike) -> NDArray[np.int64]:
    """Hectares → integer units of 0.01 ha, rounded up: for charges, never understated.

    Values within 1e-6 ha of a unit count as that unit, so that 0.29 ha is 29 units.
    """
    return np.ceil(np.asarray(area_ha, dtype=np.float64) * AREA_UNITS_PER_HA - 1e-4).astype(
        np.int64
    )


def units_to_ha(area_units: ArrayLike) -> NDArray[np.float64]:
    """Integer units of 0.01 ha → hectares."""
    return np.asarray(area_units) / AREA_UNITS_PER_HA


def m2_to_ha(area_m2: FloatOrArray) -> FloatOrArray:
    """Square metres → hectares."""
    return area_m2 / M2_PER_HA


def ms_to_min(duration_ms: ArrayLike) -> NDArray[np.float64]:
    """Milliseconds → minutes."""
    return np.asarray(duration_ms, dtype=np.float64) / MS_PER_MIN


def min_to_ms(duration_min: float) -> int:
    """Minutes → whole milliseconds."""
    return round(duration_min * MS_PER_MIN)


def m_to_km(distance_m: FloatOrArray) -> FloatOrArray:
    """Metres → kilometres."""
    return distance_m / M_PER_KM


def score_to_units(score: ArrayLike) -> NDArray[np.int64]:
    """A score of 0 to 1 → integer, × 10⁶."""
    return np.rint(np.asarray(score, dtype=np.float64) * SCORE_SCALE).astype(np.int64)


def score_from_units(score_units: float) -> float:
    """An integer score of the model → 0 to 1 (or a sum of such)."""
    return score_units / SCORE_SCALE
