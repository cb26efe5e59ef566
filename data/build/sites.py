"""Simulated candidate sites on the real geography: brownfields, extensions, greenfields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data.build.communes import Communes
from data.build.names import brownfield_name, extension_name, greenfield_name, numbered
from data.build.networks import Network
from data.build.roads import Roads
from data.build.shapes import draw_areas_ha, draw_footprint, place, radius_m
from siteselect.units import CRS, M2_PER_HA

INDUSTRY = {
    "32": 1.7, "44": 1.6, "28": 1.3, "27": 1.3, "84": 1.2, "52": 1.0, "24": 1.0, "75": 0.9,
    "76": 0.8, "53": 0.8, "93": 0.7, "11": 0.35, "94": 0.6,
}  # fmt: skip
"""How much more industrial past a region has than its population says: a plain guess."""
GAP_M = 20.0
"""Footprints never come nearer to each other than this."""
TRIES = 60
TRIES_WITHIN = 45
STATUSES = ("friche potentielle", "friche sans projet", "friche avec projet", "friche reconvertie")
STATUS_SHARES = (0.54, 0.31, 0.143, 0.007)
POLLUTIONS = (
    "inconnu", "pollution peu probable", "pollution avérée", "pollution inexistante",
    "pollution supposée",
)  # fmt: skip
POLLUTION_SHARES = (0.92, 0.038, 0.021, 0.019, 0.002)
BUILDINGS = (
    "inconnu", "dégradation moyenne", "dégradation inexistante ou faible",
    "dégradation très importante", "dégradation hétérogène",
)  # fmt: skip
BUILDING_SHARES = (0.9, 0.05, 0.025, 0.02, 0.005)


@dataclass(frozen=True)
class KindRecipe:
    """How one kind of site is drawn. Weights are per commune and need not sum to one."""

    kind: str
    letter: str
    count: int
    per_region: int
    mu: float
    sigma: float
    low_ha: float
    high_ha: float
    weight: Callable[[pd.DataFrame], NDArray[np.float64]]
    reach: float
    """Typical distance from the commune's point, as a share of the commune's radius."""


def recipes() -> tuple[KindRecipe, ...]:
    """The three kinds: numbers, areas in hectares, where they lie."""
    return (
        KindRecipe("brownfield", "B", 4200, 20, 1.0, 1.6, 1.0, 300.0, _brownfield_weight, 0.35),
        KindRecipe("extension", "E", 850, 8, 1.9, 0.95, 2.0, 60.0, _extension_weight, 0.55),
        KindRecipe("greenfield", "G", 750, 6, 2.6, 0.95, 5.0, 200.0, _greenfield_weight, 0.75),
    )


@dataclass
class Occupied:
    """Circles already taken; answers whether a new circle is free. Cells of 6 km."""

    cell_m: float = 6_000.0
    cells: dict[tuple[int, int], list[tuple[float, float, float]]] = field(default_factory=dict)

    def free(self, x: float, y: float, radius: float) -> bool:
        """Whether no taken circle comes within the gap of this one."""
        i, j = int(x // self.cell_m), int(y // self.cell_m)
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                for ox, oy, other in self.cells.get((i + di, j + dj), ()):
                    if np.hypot(x - ox, y - oy) < radius + other + GAP_M:
                        return False
        return True

    def take(self, x: float, y: float, radius: float) -> None:
        """Take a circle. Its radius must be under half a cell."""
        if radius >= self.cell_m / 2:
            raise ValueError(f"radius {radius} m is too large for cells of {self.cell_m} m")
        self.cells.setdefault((int(x // self.cell_m), int(y // self.cell_m)), []).append(
            (x, y, radius)
        )


def simulate_sites(
    communes: Communes, context: pd.DataFrame, rng: np.random.Generator, occupied: Occupied
) -> gpd.GeoDataFrame:
    """All candidate sites of the pack; takes their places in ``occupied``.

    ``context`` is the table of :func:`commune_context`.
    """
    frames = [_simulate_kind(recipe, communes, context, rng, occupied) for recipe in recipes()]
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=CRS)


def commune_context(communes: Communes, roads: Roads, rail: Network) -> pd.DataFrame:
    """Per commune with a polygon: population, area, km to the nearest road and rail node."""
    table = communes.table[communes.table["code_insee"].isin(communes.shapes.index)]
    xy = np.column_stack([table.geometry.x, table.geometry.y])
    area_km2 = communes.shapes.loc[table["code_insee"]].area.to_numpy() / 1e6
    return pd.DataFrame(
        {
            "code_insee": table["code_insee"].to_numpy(),
            "name": table["name"].to_numpy(),
            "region": table["region"].to_numpy(),
            "population": table["population"].to_numpy(dtype=np.float64),
            "x": xy[:, 0],
            "y": xy[:, 1],
            "radius_m": np.sqrt(area_km2 / np.pi) * 1_000.0,
            "density": table["population"].to_numpy(dtype=np.float64) / area_km2,
            "road_km": cKDTree(roads.network.xy).query(xy)[0] / 1_000.0,
            "rail_km": cKDTree(rail.xy).query(xy)[0] / 1_000.0,
        }
    )


def draw_communes(
    recipe: KindRecipe, context: pd.DataFrame, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of ``context``, one per site: the minimum of every region first, then by weight."""
    weight = recipe.weight(context)
    picked: list[NDArray[np.int64]] = []
    for region in sorted(context["region"].unique()):
        rows = np.flatnonzero((context["region"] == region).to_numpy())
        share = weight[rows] / weight[rows].sum()
        picked.append(rng.choice(rows, recipe.per_region, p=share))
    rest = recipe.count - sum(map(len, picked))
    picked.append(rng.choice(len(context), rest, p=weight / weight.sum()))
    return np.concatenate(picked)


def find_place(
    shape: shapely.Polygon,
    commune: shapely.Geometry,
    centre: tuple[float, float],
    spread_m: float,
    rng: np.random.Generator,
    occupied: Occupied,
) -> shapely.Polygon | None:
    """A free place for ``shape`` around ``centre``: inside the commune, at last astride it."""
    radius = radius_m(shape)
    shapely.prepare(commune)
    for attempt in range(TRIES):
        distance = spread_m * rng.lognormal(0.0, 0.5) * (1 + attempt / TRIES)
        angle = rng.uniform(0.0, 2 * np.pi)
        x, y = centre[0] + distance * np.cos(angle), centre[1] + distance * np.sin(angle)
        if not occupied.free(x, y, radius):
            continue
        placed = place(shape, x, y)
        astride = attempt >= TRIES_WITHIN and commune.contains(shapely.Point(x, y))
        if commune.contains(placed) or astride:
            occupied.take(x, y, radius)
            return placed
    return None


def _simulate_kind(
    recipe: KindRecipe,
    communes: Communes,
    context: pd.DataFrame,
    rng: np.random.Generator,
    occupied: Occupied,
) -> gpd.GeoDataFrame:
    rows: list[int] = []
    footprints: list[shapely.Polygon] = []
    areas = draw_areas_ha(
        recipe.count, rng, mu=recipe.mu, sigma=recipe.sigma, low=recipe.low_ha, high=recipe.high_ha
    )
    for row, area_ha in zip(draw_communes(recipe, context, rng), areas, strict=True):
        commune = context.iloc[int(row)]
        shape = draw_footprint(float(area_ha), rng)
        spread_m = max(recipe.reach * commune["radius_m"], radius_m(shape))
        placed = find_place(
            shape,
            communes.shapes[commune["code_insee"]],
            (commune["x"], commune["y"]),
            spread_m,
            rng,
            occupied,
        )
        if placed is not None:
            rows.append(int(row))
            footprints.append(placed)
    return _attributes(recipe, context.iloc[rows], footprints, rng)


def _attributes(
    recipe: KindRecipe,
    where: pd.DataFrame,
    footprints: list[shapely.Polygon],
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    count = len(footprints)
    area_ha = np.round(shapely.area(footprints) / M2_PER_HA, 2)
    communes = where["name"].tolist()
    brownfield = recipe.kind == "brownfield"
    return gpd.GeoDataFrame(
        {
            "site_id": [f"FR-SIM-{recipe.letter}-{n:05d}" for n in range(1, count + 1)],
            "name": numbered(_names(recipe.kind, area_ha, communes, rng)),
            "kind": recipe.kind,
            "code_insee": where["code_insee"].to_numpy(),
            "area_ha": area_ha,
            "status_source": rng.choice(STATUSES, count, p=STATUS_SHARES) if brownfield else None,
            "geometry_origin": "polygon",
            "stated_pollution": (
                rng.choice(POLLUTIONS, count, p=POLLUTION_SHARES) if brownfield else "inconnu"
            ),
            "stated_buildings": (
                rng.choice(BUILDINGS, count, p=BUILDING_SHARES) if brownfield else "sans objet"
            ),
            "source": "simulation",
        },
        geometry=footprints,
        crs=CRS,
    )


def _names(
    kind: str, area_ha: NDArray[np.float64], communes: list[str], rng: np.random.Generator
) -> list[str]:
    if kind == "brownfield":
        return [
            brownfield_name(float(area), name, rng)
            for area, name in zip(area_ha, communes, strict=True)
        ]
    maker = extension_name if kind == "extension" else greenfield_name
    return [maker(name, rng) for name in communes]


def _column(context: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return context[name].to_numpy(dtype=np.float64)


def _near(context: pd.DataFrame, name: str, scale_km: float) -> NDArray[np.float64]:
    return np.exp(-_column(context, name) / scale_km)


def _people(context: pd.DataFrame, cap: float, power: float) -> NDArray[np.float64]:
    return np.minimum(_column(context, "population"), cap) ** power


def _brownfield_weight(context: pd.DataFrame) -> NDArray[np.float64]:
    industry = context["region"].map(INDUSTRY).to_numpy(dtype=np.float64)
    near = 0.15 + _near(context, "rail_km", 3.0) + _near(context, "road_km", 4.0)
    weight: NDArray[np.float64] = industry * _people(context, np.inf, 0.75) * near
    return weight


def _extension_weight(context: pd.DataFrame) -> NDArray[np.float64]:
    room = np.where(_column(context, "density") > 2_500, 0.02, 1.0)
    near = 0.05 + _near(context, "road_km", 3.0)
    weight: NDArray[np.float64] = _people(context, 60_000.0, 0.6) * room * near
    return weight


def _greenfield_weight(context: pd.DataFrame) -> NDArray[np.float64]:
    room = np.where(_column(context, "density") > 600, 0.01, 1.0)
    size = _column(context, "radius_m") / 1_000.0
    near = 0.02 + _near(context, "road_km", 2.5)
    weight: NDArray[np.float64] = _people(context, 10_000.0, 0.4) * room * size * near
    return weight
