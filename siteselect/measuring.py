"""Everything that is measured on a pack's sites, each stage once and kept by content.

Used by the pipeline, and by the auditor without the cache: nothing here knows the optimiser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from siteselect import land, measures
from siteselect.cache import Memory, StageCache
from siteselect.candidates import prepare_candidates
from siteselect.measures.facilities import edited_facilities
from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.pack import DataPack, read_vectors
from siteselect.road_stages import measure_by_road, places_key
from siteselect.scenario import FACILITY_CLASSES, LABOUR_MEASURES, Kind, Scenario
from siteselect.schemas import check_table
from siteselect.scoring import contributions, score_sites
from siteselect.sources import landclasses
from siteselect.straddling import SPLIT, split_in_words, straddled
from siteselect.territories import TERRITORY_COLUMNS, communes_with_scot, territory_columns

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Measured:
    """Sites with everything that is known of them, before any choice.

    Attributes
    ----------
    sites
        every site of the pack: territories, ``excluded_reason``, land, measures, scores.
    contributions
        what each criterion adds to the score, indexed by ``site_id``.
    parcels
        restoration parcels with territory columns (no row without such a layer).
    vintage
        vintage of the land use that land was measured on; "" where it is assumed.
    notices
        what is simulated or assumed, and the communes that no measure counts.
    routing
        how each measure by road was computed, and why so; nothing for what was kept.
    reach
        whose workers reach which site, rows in the order of ``sites``, where the scenario asks
        for a catchment.
    straddling
        sites over several communes and their shares (:func:`siteselect.straddling.straddled`).
    """

    sites: gpd.GeoDataFrame
    contributions: pd.DataFrame
    parcels: gpd.GeoDataFrame
    vintage: str
    notices: tuple[Msg, ...]
    routing: Mapping[str, str] = field(default_factory=dict)
    reach: Reach | None = None
    straddling: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class _Facilities:
    table: gpd.GeoDataFrame
    simulated: frozenset[str]
    """classes of which at least one point is simulated"""


def measure_sites(
    pack: DataPack,
    scenario: Scenario,
    *,
    cache: StageCache | None = None,
    memory: Memory | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Candidates, land, access, workforce, utilities and scores of every site of a pack.

    ``memory`` keeps what does not depend on weights and criteria from one scenario to the next.

    Raises
    ------
    InputError
        every fault of the pack's tables, or a scenario that does not fit the pack.
    """
    stages, tell = cache or StageCache(None), progress or _silent

    def measure() -> _Unscored:
        return _unscored(pack, scenario, stages, tell)

    bare = measure() if memory is None else memory.recall(_measured_by(pack, scenario), measure)
    scores = score_sites(bare.measured, scenario.criteria, scenario.weights, assumed=bare.assumed)
    table = bare.candidates.drop(columns=["area_ha"]).join(bare.measured.join(scores), on="site_id")
    return Measured(
        sites=table,
        contributions=contributions(bare.measured, scenario.criteria, scenario.weights),
        parcels=bare.parcels.copy(),
        vintage=pack.layers("landuse")[0].vintage if pack.has("landuse") else "",
        notices=(*notices(pack), *bare.left_out),
        routing=bare.routing,
        reach=bare.reach,
        straddling=bare.straddling,
    )


@dataclass(frozen=True, eq=False)
class _Unscored:
    """All that weights and criteria do not change."""

    candidates: gpd.GeoDataFrame
    measured: pd.DataFrame
    assumed: frozenset[str]
    parcels: gpd.GeoDataFrame
    left_out: tuple[Msg, ...]
    routing: Mapping[str, str]
    reach: Reach | None
    straddling: pd.DataFrame


def _measured_by(pack: DataPack, scenario: Scenario) -> tuple[str, ...]:
    """All that decides the measures: content of the pack, filters, land and network settings."""
    settings = (scenario.candidates, scenario.land, scenario.network)
    wanted = scenario.catchment
    reach = "" if wanted.mode == "off" else f"{wanted.minutes:g} min"
    decided = (s.model_dump_json() for s in settings)
    return ("measured", str(pack.folder), pack.digest, reach, *decided)


def _unscored(pack: DataPack, scenario: Scenario, cache: StageCache, tell: Progress) -> _Unscored:
    tell("sites", 0.0)
    sites_file = pack.path("sites")
    communes = check_table(pack.vectors("communes"), "communes", file=pack.path("communes"))
    communes = communes_with_scot(pack, communes)
    sites = check_table(pack.vectors("sites"), "sites", file=sites_file)
    candidates = prepare_candidates(sites, communes, scenario.candidates, file=sites_file)
    over = straddled(pack, communes)
    if pack.has("shares"):
        candidates[SPLIT] = split_in_words(candidates["site_id"], over)
    tell("sites", 1.0)
    facilities = _facilities(pack, scenario)
    by_road = measure_by_road(
        pack, candidates, communes, facilities.table, scenario, cache=cache, progress=tell
    )
    columns = [
        _land(pack, candidates, scenario, cache, tell),
        by_road.table,
        _utilities(pack, candidates, facilities, cache),
    ]
    return _Unscored(
        candidates,
        pd.concat(columns, axis=1),
        assumed_measures(pack, facilities.simulated),
        _parcels(pack, communes),
        by_road.notices,
        by_road.routing,
        by_road.reach,
        over,
    )


def assumed_measures(pack: DataPack, simulated_classes: frozenset[str]) -> frozenset[str]:
    """Measured columns that rest on a layer marked simulated or assumed."""
    columns = {f"{name}_min" for name in FACILITY_CLASSES if name in simulated_classes}
    columns |= {f"{name}_km" for name in ("substation", "siding") if name in simulated_classes}
    for role, names in (("labour", LABOUR_MEASURES), ("rail", ("rail_km",))):
        if any(layer.simulated or layer.assumed for layer in pack.layers(role)):
            columns |= set(names)
    return frozenset(columns)


def notices(pack: DataPack) -> tuple[Msg, ...]:
    """What must be said on screen, in every export and on the map."""
    found = [
        Msg("Simulated data: {title}", title=layer.title)
        for layer in pack.manifest.layers
        if layer.simulated
    ]
    found += [
        Msg("Assumed data: {title}", title=layer.title)
        for layer in pack.manifest.layers
        if layer.assumed
    ]
    if not pack.has("landuse"):
        found.append(
            Msg("Assumed land: artificialised shares stated by the scenario, nothing was measured")
        )
    return tuple(found)


def _facilities(pack: DataPack, scenario: Scenario) -> _Facilities:
    """All facility layers with the scenario's edits, and which classes rest on simulated points."""
    parts, simulated = [], set()
    for layer in pack.layers("facilities"):
        file = pack.folder / layer.file
        part = check_table(read_vectors(file), "facilities", file=file)
        if layer.simulated or layer.assumed:
            simulated |= set(part["facility_class"])
        parts.append(part[["facility_id", "facility_class", "name", "geometry"]])
    table = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=parts[0].crs)
    edited = edited_facilities(table, scenario.network.edits)
    return _Facilities(edited, frozenset(simulated))


def _digests(pack: DataPack, *roles: str) -> list[str]:
    return [layer.sha256 for role in roles for layer in pack.layers(role)]


def _land(
    pack: DataPack,
    sites: gpd.GeoDataFrame,
    scenario: Scenario,
    cache: StageCache,
    tell: Progress,
) -> pd.DataFrame:
    if not pack.has("landuse"):
        return land.assume_land(
            sites,
            _shares(scenario.land.assumed_artificialised_share),
            _shares(scenario.land.assumed_impermeable_share),
        )
    legend_file = pack.path("landuse_legend")
    legend = landclasses.read_legend(legend_file)
    return cache.table(
        "land",
        _digests(pack, "sites", "landuse", "landuse_legend"),
        (land, landclasses),
        lambda: land.measure_land(
            sites, pack.path("landuse"), legend, legend_file=legend_file, progress=tell
        ),
    )


def _shares(by_kind: Mapping[Kind, float] | None) -> dict[str, float] | None:
    return None if by_kind is None else {str(kind): share for kind, share in by_kind.items()}


def _utilities(
    pack: DataPack, sites: gpd.GeoDataFrame, facilities: _Facilities, cache: StageCache
) -> pd.DataFrame:
    substations = facilities.table[facilities.table["facility_class"] == "substation"]
    sidings = facilities.table[facilities.table["facility_class"] == "siding"]
    return cache.table(
        "utilities",
        [_digests(pack, "sites", "rail"), places_key(substations), places_key(sidings)],
        (measures,),
        lambda: measures.measure_utilities(
            sites, substations, pack.vectors("rail") if pack.has("rail") else None, sidings
        ),
    )


PARCEL_COLUMNS = ("parcel_id", "name", "code_insee", "area_ha", "cost_keur", "site_id")


def _parcels(pack: DataPack, communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    known = territory_columns(communes)
    if not pack.has("restoration"):
        columns = [*PARCEL_COLUMNS, *known.values()]
        empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
        empty = empty.astype({"area_ha": float, "cost_keur": "int64"})
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=communes.crs))
    file = pack.path("restoration")
    codes = set(communes["code_insee"])
    parcels = check_table(pack.vectors("restoration"), "restoration", file=file, communes=codes)
    territories = communes.set_index("code_insee")[list(known)].rename(columns=known)
    own = parcels.drop(columns=list(TERRITORY_COLUMNS.values()), errors="ignore")
    return gpd.GeoDataFrame(own.join(territories, on="code_insee"))


def _silent(stage: str, share: float) -> None:
    """No progress is asked for."""
