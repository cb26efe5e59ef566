"""Simulated facilities on the real networks: interchanges, rail freight terminals, substations.

No package holds them. What is made here is marked ``simulated`` and says how.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from data.build.networks import Network
from data.build.roads import Roads
from siteselect.units import CRS, M_PER_KM

CORRIDOR_KM = 12_000.0
"""Length of the French motorway network, order of magnitude."""
TOWN_POPULATION = 40_000
INTERCHANGE_SPACING_M = 5_000.0
TERMINAL_POPULATION = 20_000
TERMINAL_REACH_M = 10_000.0
TERMINAL_SPACING_M = 25_000.0
SUBSTATION_COUNT = 3_000
SUBSTATION_SPACING_M = 1_500.0
VOLTAGES_KV = (63, 90, 225, 400)
NINETY_KV_REGIONS = frozenset({"28", "32", "44", "52", "53", "94"})
"""The lower level of the grid is 90 kV in the north and west and in Corsica, 63 kV elsewhere."""


def simulate_interchanges(roads: Roads, communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A proxy of motorway interchanges: junctions of the roads that join the large towns.

    The graph has no road class. Shortest paths between all towns of 40,000 inhabitants on the
    mainland, weighted by the product of populations over distance, load the roads; the most
    loaded 12,000 km are taken for motorways, and their junctions, 5 km apart at least, for
    interchanges. Corsica has no motorway and gets none.
    """
    network = roads.network
    load = corridor_load(network, *_towns(network, communes, roads.main))
    french = roads.french[network.tail] & roads.french[network.head]
    load = np.where(french, load, 0.0)
    order = np.argsort(-load, kind="stable")
    length_km = np.cumsum(network.length_m[order]) / M_PER_KM
    corridor = order[(length_km <= CORRIDOR_KM) & (load[order] > 0)]
    importance = np.zeros(len(network.xy))
    np.maximum.at(importance, network.tail[corridor], load[corridor])
    np.maximum.at(importance, network.head[corridor], load[corridor])
    junctions = np.flatnonzero((network.degree() >= 3) & (importance > 0) & roads.french)
    ranked = junctions[np.argsort(-importance[junctions], kind="stable")]
    chosen = ranked[spaced(network.xy[ranked], INTERCHANGE_SPACING_M)]
    xy = network.xy[np.sort(chosen)]
    return _table("motorway", "FR-SIM-M", "Échangeur", xy, communes)


def simulate_rail_freight(rail: Network, communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rail freight terminals: one rail junction near each large town, 25 km apart at least."""
    junctions = np.flatnonzero(rail.degree() >= 3)
    tree = cKDTree(rail.xy[junctions])
    towns = communes[communes["population"] >= TERMINAL_POPULATION]
    towns = towns.sort_values("population", ascending=False, kind="stable")
    distance_m, nearest = map(np.asarray, tree.query(_xy(towns)))
    nodes = junctions[nearest[distance_m <= TERMINAL_REACH_M]]
    chosen = nodes[spaced(rail.xy[nodes], TERMINAL_SPACING_M)]
    return _table("rail_freight", "FR-SIM-F", "Terminal ferroviaire", rail.xy[chosen], communes)


def simulate_substations(communes: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """About 3,000 substations of 63 kV or more, denser near towns, 1.5 km apart at least."""
    weight = np.sqrt(communes["population"].to_numpy(dtype=np.float64)) + 8.0
    picked = rng.choice(len(communes), 2 * SUBSTATION_COUNT, p=weight / weight.sum())
    angle = rng.uniform(0.0, 2 * np.pi, len(picked))
    reach_m = rng.uniform(500.0, 3_000.0, len(picked))
    shift = np.column_stack([np.cos(angle), np.sin(angle)]) * reach_m[:, None]
    xy = np.rint(_xy(communes)[picked] + shift)
    chosen = spaced(xy, SUBSTATION_SPACING_M)[:SUBSTATION_COUNT]
    table = _table("substation", "FR-SIM-P", "Poste source", xy[chosen], communes)
    rank = rng.choice(4, len(chosen), p=[0.68, 0.0, 0.25, 0.07])
    voltage = np.array(VOLTAGES_KV)[rank]
    ninety = communes["region"].iloc[picked[chosen]].isin(NINETY_KV_REGIONS).to_numpy()
    table["voltage_kv"] = np.where((voltage == 63) & ninety, 90, voltage)
    return table


def corridor_load(
    network: Network, towns: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Load of every edge when each pair of towns sends w_i·w_j / d_ij on its shortest path.

    Parameters
    ----------
    network
        Undirected network.
    towns
        Node of each town, shape (towns,).
    weight
        Population of each town, shape (towns,).
    """
    count = len(network.xy)
    matrix = coo_array(
        (network.length_m, (network.tail, network.head)), shape=(count, count)
    ).tocsr()
    number = {
        (int(a), int(b)): edge
        for edge, (a, b) in enumerate(zip(network.tail, network.head, strict=True))
    }
    load = np.zeros(len(network.tail))
    distances_m, predecessors = dijkstra(
        matrix, directed=False, indices=towns, return_predecessors=True
    )
    for distance_m, before, population in zip(distances_m, predecessors, weight, strict=True):
        flow = np.zeros(count)
        reached = np.isfinite(distance_m[towns]) & (distance_m[towns] > 0)
        np.add.at(flow, towns[reached], population * weight[reached] / distance_m[towns[reached]])
        for node in np.argsort(-np.where(np.isfinite(distance_m), distance_m, -1.0)):
            if flow[node] > 0 and before[node] >= 0:
                flow[before[node]] += flow[node]
                a, b = sorted((int(node), int(before[node])))
                load[number[a, b]] += flow[node]
    return load


def spaced(xy: NDArray[np.float64], spacing_m: float) -> NDArray[np.int64]:
    """Indices of the points kept when each keeps others at ``spacing_m``: the first wins."""
    neighbours = cKDTree(xy).query_ball_point(xy, spacing_m * (1 - 1e-9))
    free = np.ones(len(xy), dtype=bool)
    kept: list[int] = []
    for index in range(len(xy)):
        if free[index]:
            kept.append(index)
            free[neighbours[index]] = False
    return np.array(kept, dtype=np.int64)


def _towns(
    network: Network, communes: gpd.GeoDataFrame, allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    large = communes[(communes["population"] >= TOWN_POPULATION) & (communes["region"] != "94")]
    nodes = np.flatnonzero(allowed)
    nearest = nodes[np.asarray(cKDTree(network.xy[nodes]).query(_xy(large))[1])]
    towns, inverse = np.unique(nearest, return_inverse=True)
    weight = np.zeros(len(towns))
    np.add.at(weight, inverse, large["population"].to_numpy(dtype=np.float64))
    return towns.astype(np.int64), weight


def _xy(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    return np.column_stack([frame.geometry.x, frame.geometry.y])


def _table(
    facility_class: str,
    prefix: str,
    noun: str,
    xy: NDArray[np.float64],
    communes: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    near = cKDTree(_xy(communes)).query(xy)[1]
    names = communes["name"].to_numpy()[near]
    return gpd.GeoDataFrame(
        {
            "facility_id": [f"{prefix}-{number:04d}" for number in range(1, len(xy) + 1)],
            "facility_class": facility_class,
            "name": [f"{noun} de {name} (simulé)" for name in names],
        },
        geometry=shapely.points(xy),
        crs=CRS,
    )
