"""The labour that can reach each site by road."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.errors import FaultLog
from siteselect.measures.competition import (
    Decay,
    labour_competition,
    market_potential,
    potential,
)
from siteselect.measures.places import site_index, snap_layer
from siteselect.messages import Msg
from siteselect.network.graph import RoadGraph
from siteselect.network.kept import kept_time_matrix
from siteselect.network.snap import Snapped
from siteselect.network.travel import Engine, TimeMatrix, time_matrix
from siteselect.scenario import DecayShape, NetworkSettings
from siteselect.units import MS_PER_MIN, m2_to_ha, min_to_ms

if TYPE_CHECKING:
    from siteselect.network.hierarchy import Topology

__all__ = ["Catchment", "labour_of", "measure_catchment", "measure_workforce"]

Floats = NDArray[np.float64]
CUTOFFS_MIN = (30, 45, 60)


@dataclass(frozen=True, eq=False)
class Catchment:
    """Who can reach which site: the measures, the times they rest on and what was left out.

    Attributes
    ----------
    measures
        Indexed by ``site_id``, the columns of ``WORKFORCE_MEASURES``.
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
    labour: Floats
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
    """The measures of :func:`measure_catchment` alone."""
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
    labour: pd.DataFrame | None,
    settings: NetworkSettings,
    *,
    snapped: Snapped | None = None,
    reach_min: float = 0.0,
    engine: Engine = "auto",
    topologies: Topology | Path | None = None,
    kept: Path | None = None,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Catchment:
    """Who can come to work at each site, and how many people live around it.

    Times run **from** the commune **to** the site, the way workers travel, off-road legs
    included. With t the time, L the labour force, f the decay of the scenario, J the jobs of a
    site (``jobs_per_ha`` × its footprint):

    * ``labour_30min``, ``labour_45min``, ``labour_60min``: Σ L · 1[t ≤ T], persons;
    * ``labour_potential``: Σ L · f(t) up to ``potential_cutoff_min``, persons (Hansen 1959);
      f is half at ``half_life_min`` (exponential, gaussian) or 1 (step);
    * ``labour_per_job``: workers per job when every site of the layer recruits at once, 2SFCA
      (:func:`~siteselect.measures.competition.labour_competition`);
    * ``market_potential``: Σ P / t, inhabitants per minute (Harris 1954), P the ``population``
      of the communes; to compare sites, not a number of people.

    A site that no road within the bound serves gets 0, even inside a town: nobody can drive to
    it. Its ``snap_km`` says why (see :func:`measure_access`). NaN where the layer that a measure
    rests on is missing: unknown, not 0.

    Parameters
    ----------
    communes
        ``code_insee``, points, EPSG:2154, and ``population`` where known.
    labour
        ``code_insee`` and ``labour_force`` (null where unknown); None without such a layer.
    reach_min
        Times are known at least this far, beside what the measures ask for.
    topologies
        Folder where orders of contraction are kept, or one such order, for national road graphs
        (:func:`~siteselect.network.travel.time_matrix`).
    kept
        Folder where times are kept site by site, so that only new sites are routed
        (:func:`~siteselect.network.kept.kept_time_matrix`).

    Raises
    ------
    InputError
        A layer in another CRS, a duplicated code, a negative figure, no code in common.
    """
    index = site_index(sites)
    places = snapped or snap_layer(graph, sites, name="sites", settings=settings)
    homes = snap_layer(graph, communes, name="communes", settings=settings)
    force = np.full(len(communes), np.nan) if labour is None else labour_of(communes, labour)
    longest = max(
        settings.potential_cutoff_min, settings.competition_cutoff_min, reach_min, *CUTOFFS_MIN
    )
    route = time_matrix if kept is None else partial(kept_time_matrix, folder=kept)
    times = route(
        graph,
        places,
        homes,
        cutoff_ms=min_to_ms(longest),
        engine=engine,
        hierarchy=topologies,
        workers=workers,
        progress=progress,
    )
    known = np.nan_to_num(force, nan=0.0)
    columns = _labour_columns(times, known, _jobs(sites, settings), settings)
    if labour is None:
        columns = {name: np.full(len(index), np.nan) for name in columns}
    columns["market_potential"] = _market(times, communes, settings)
    codes = communes["code_insee"].astype(str).to_numpy()
    return Catchment(
        measures=pd.DataFrame(columns, index=index),
        times=times,
        labour=known,
        unknown_labour=() if labour is None else tuple(codes[np.isnan(force)].tolist()),
        off_network=tuple(codes[~homes.on_network].tolist()),
    )


def _labour_columns(
    times: TimeMatrix, force: Floats, jobs: Floats, settings: NetworkSettings
) -> dict[str, Floats]:
    found = {
        f"labour_{minutes}min": times.sums(force, cutoff_ms=min_to_ms(minutes))
        for minutes in CUTOFFS_MIN
    }
    decay = _decay(settings.labour_decay, settings.potential_cutoff_min, settings)
    found["labour_potential"] = potential(times, force, decay=decay)
    rivalry = _decay(settings.competition_decay, settings.competition_cutoff_min, settings)
    found["labour_per_job"] = labour_competition(times, jobs=jobs, workers=force, decay=rivalry)
    return found


def _decay(shape: DecayShape, cutoff_min: float, settings: NetworkSettings) -> Decay:
    """The decay that is half at ``half_life_min``, whatever its shape (a step has none)."""
    half_ms = settings.half_life_min * MS_PER_MIN
    scale_ms = half_ms / math.sqrt(2 * math.log(2)) if shape == "gaussian" else half_ms
    return Decay(shape, min_to_ms(cutoff_min), scale_ms=scale_ms)


def _jobs(sites: gpd.GeoDataFrame, settings: NetworkSettings) -> Floats:
    """float64[sites]: jobs that each site would offer."""
    area_ha: Floats = m2_to_ha(sites.geometry.area.to_numpy(dtype=np.float64))
    return np.asarray(area_ha * settings.jobs_per_ha)


def _market(times: TimeMatrix, communes: gpd.GeoDataFrame, settings: NetworkSettings) -> Floats:
    if "population" not in communes.columns:
        return np.full(times.shape[0], np.nan)
    people = communes["population"].to_numpy(dtype=np.float64, na_value=np.nan)
    cutoff_ms = min_to_ms(settings.potential_cutoff_min)
    return market_potential(times, np.nan_to_num(people, nan=0.0), cutoff_ms=cutoff_ms)


def labour_of(communes: gpd.GeoDataFrame, labour: pd.DataFrame) -> NDArray[np.float64]:
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
