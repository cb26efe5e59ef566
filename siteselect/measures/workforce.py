"""The labour that can reach each site by road."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.measures.places import site_index, snap_layer
from siteselect.messages import Msg
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped
from siteselect.network.travel import Engine, TimeMatrix, time_matrix
from siteselect.scenario import WORKFORCE_MEASURES, NetworkSettings
from siteselect.units import MS_PER_MIN, min_to_ms

__all__ = ["Catchment", "measure_catchment", "measure_workforce"]

CUTOFFS_MIN = (30, 45)


@dataclass(frozen=True, eq=False)
class Catchment:
    """Who can reach which site: the measures, the times they rest on and what was left out.

    Attributes
    ----------
    measures
        Indexed by ``site_id``: ``labour_30min``, ``labour_45min``, ``labour_potential``.
    times
        Sites × communes within the largest cutoff, in the rows' and the communes' order.
    labour
        float64[communes]: workers of each commune, 0 where unknown.
    unknown_labour
        INSEE codes of communes without a figure: their workers are not counted.
    off_network
        INSEE codes of communes farther from any road than the bound.
    """

    measures: pd.DataFrame
    times: TimeMatrix
    labour: NDArray[np.float64]
    unknown_labour: tuple[str, ...]
    off_network: tuple[str, ...]


def measure_workforce(
    sites: gpd.GeoDataFrame,
    graph: RoadGraph,
    communes: gpd.GeoDataFrame,
    labour: pd.DataFrame | None,
    settings: NetworkSettings,
    *,
    snapped: Snapped | None = None,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> pd.DataFrame:
    """The measures of :func:`measure_catchment` alone; NaN columns without a labour layer."""
    if labour is None:
        index = site_index(sites)
        return pd.DataFrame(dict.fromkeys(WORKFORCE_MEASURES, np.nan), index=index, dtype=float)
    return measure_catchment(
        sites,
        graph,
        communes,
        labour,
        settings,
        snapped=snapped,
        workers=workers,
        progress=progress,
    ).measures


def measure_catchment(
    sites: gpd.GeoDataFrame,
    graph: RoadGraph,
    communes: gpd.GeoDataFrame,
    labour: pd.DataFrame,
    settings: NetworkSettings,
    *,
    snapped: Snapped | None = None,
    engine: Engine = "auto",
    topologies: Path | None = None,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Catchment:
    """Workers within 30 and 45 minutes, and the Hansen (1959) potential.

    Times run **from** the commune **to** the site, the way workers travel, off-road legs
    included. ``labour_potential`` = Σ L · exp(−β t) over communes within
    ``potential_cutoff_min``, β = ln 2 / ``half_life_min``.

    A site that no road within the bound serves gets 0 workers, even inside a town: nobody can
    drive to it. Its ``snap_km`` says why (see :func:`measure_access`).

    Parameters
    ----------
    communes
        ``code_insee`` and points, EPSG:2154.
    labour
        ``code_insee`` and ``labour_force`` (null where unknown).
    topologies
        Folder where orders of contraction are kept, for national road graphs
        (:func:`~siteselect.network.travel.time_matrix`).

    Raises
    ------
    InputError
        A layer in another CRS, a duplicated code, a negative figure, no code in common.
    """
    index = site_index(sites)
    places = snapped or snap_layer(graph, sites, name="sites", settings=settings)
    homes = snap_layer(graph, communes, name="communes", settings=settings)
    force = _labour_of(communes, labour)
    known = np.nan_to_num(force, nan=0.0)
    potential_ms = min_to_ms(settings.potential_cutoff_min)
    times = time_matrix(
        graph,
        places,
        homes,
        cutoff_ms=max(potential_ms, *(min_to_ms(minutes) for minutes in CUTOFFS_MIN)),
        engine=engine,
        hierarchy=topologies,
        workers=workers,
        progress=progress,
    )
    columns = {
        f"labour_{minutes}min": times.sums(known, cutoff_ms=min_to_ms(minutes))
        for minutes in CUTOFFS_MIN
    }
    columns["labour_potential"] = times.potential(
        known, half_life_ms=settings.half_life_min * MS_PER_MIN, cutoff_ms=potential_ms
    )
    codes = communes["code_insee"].astype(str).to_numpy()
    return Catchment(
        measures=pd.DataFrame(columns, index=index),
        times=times,
        labour=known,
        unknown_labour=tuple(codes[np.isnan(force)].tolist()),
        off_network=tuple(codes[~homes.on_network].tolist()),
    )


def _labour_of(communes: gpd.GeoDataFrame, labour: pd.DataFrame) -> NDArray[np.float64]:
    """float64[communes]: the labour force of each, NaN where the layer has no figure."""
    log = FaultLog()
    codes = labour["code_insee"].astype(str)
    repeated = codes[codes.duplicated()]
    if len(repeated):
        log.add(
            Msg("{count} communes are given twice", count=len(repeated)),
            file="labour",
            where="code_insee",
            value=repeated.iloc[0],
            remedy=Msg("keep one row a commune"),
        )
    figures = pd.to_numeric(labour["labour_force"], errors="coerce")
    force = pd.Series(figures.to_numpy(dtype=np.float64, na_value=np.nan), index=codes)
    negative = force[(force < 0) | np.isinf(force)]
    if len(negative):
        log.add(
            Msg("the labour force is not a number of persons"),
            file="labour",
            where=str(negative.index[0]),
            value=float(negative.iloc[0]),
            remedy=Msg("give 0 or more, or leave it empty where unknown"),
        )
    log.check()
    found = force.reindex(communes["code_insee"].astype(str)).to_numpy(dtype=np.float64)
    if len(found) and np.isnan(found).all():
        log.add(
            Msg("no commune of the labour layer is a commune of the pack"),
            file="labour",
            where="code_insee",
            value=codes.iloc[0] if len(codes) else None,
            remedy=Msg("use INSEE codes as text, with their leading zero"),
        )
        log.check()
    return found
