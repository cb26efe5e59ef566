"""What is measured by road, in stages that are kept apart: only what changes is routed again.

Each class of facility is a stage of its own (its points, its vehicle's speeds, the roads), the
labour another (the communes, the labour, the car's speeds, the roads). So a facility more routes
its class alone, and another speed of lorries touches no catchment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from siteselect import measures, network
from siteselect.cache import StageCache
from siteselect.errors import Fault, InputError
from siteselect.measures.access import nearest_min
from siteselect.measures.places import site_index, snap_layer
from siteselect.measures.reach import Reach, reach_from_table, reach_table
from siteselect.measures.roads import road_edits, scenario_graph, speeds_of
from siteselect.measures.workforce import Catchment, labour_of, measure_catchment
from siteselect.messages import Msg
from siteselect.network.graph import RoadGraph
from siteselect.network.snap import Snapped
from siteselect.pack import DataPack
from siteselect.scenario import FACILITY_CLASSES, NetworkSettings, Scenario, Vehicle
from siteselect.schemas import check_table
from siteselect.units import M_PER_KM

if TYPE_CHECKING:
    from siteselect.network.hierarchy import Topology

__all__ = ["KEPT_FROM_NODES", "ByRoad", "measure_by_road", "places_key"]

Progress = Callable[[str, float], None]

KEPT_FROM_NODES = 200_000
"""From this size of graph on, times are kept site by site and orders of contraction too; below,
routing everything again takes a second or two, less than the disk it would fill."""
_NAMED = 5


@dataclass(frozen=True, eq=False)
class ByRoad:
    """Measures by road, indexed by ``site_id``; what they leave out; how they were routed.

    ``reach`` says whose workers reach which site, where the scenario asks for a catchment.
    """

    table: pd.DataFrame
    notices: tuple[Msg, ...]
    routing: dict[str, str]
    reach: Reach | None = None


def measure_by_road(
    pack: DataPack,
    sites: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    scenario: Scenario,
    *,
    cache: StageCache,
    progress: Progress,
) -> ByRoad:
    """Minutes to each class of facility, ``snap_km`` and the workforce measures of every site.

    Raises
    ------
    InputError
        Layers that do not fit, an edit of the scenario that does not fit the pack.
    """
    stage = _Stages(pack, sites, communes, facilities, scenario, cache, progress)
    parts = [stage.snapping(), *(stage.access(name) for name in FACILITY_CLASSES)]
    table = pd.concat([*parts[1:], parts[0], stage.workforce()], axis=1)
    reach = None if scenario.catchment.mode == "off" else stage.reach()
    return ByRoad(
        table=table,
        notices=(
            *_lost(table["snap_km"], scenario.network),
            *_left_out(stage.left_out(), scenario.network),
        ),
        routing=stage.routing,
        reach=reach,
    )


@dataclass(eq=False)
class _Stages:
    """The stages of one scenario; graphs and catchment are made when a stage needs them."""

    pack: DataPack
    sites: gpd.GeoDataFrame
    communes: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    scenario: Scenario
    cache: StageCache
    progress: Progress
    routing: dict[str, str] = field(default_factory=dict)
    _graphs: dict[Vehicle, tuple[RoadGraph, Snapped]] = field(default_factory=dict)

    @property
    def settings(self) -> NetworkSettings:
        return self.scenario.network

    def on_road(self, vehicle: Vehicle) -> tuple[RoadGraph, Snapped]:
        """The graph of a vehicle and the sites on it."""
        if vehicle not in self._graphs:
            nodes, edges = self.pack.table("road_nodes"), self.pack.table("road_edges")
            graph = scenario_graph(nodes, edges, self.settings, vehicle=vehicle)
            snapped = snap_layer(graph, self.sites, name="sites", settings=self.settings)
            self._graphs[vehicle] = graph, snapped
        return self._graphs[vehicle]

    def roads_key(self, vehicle: Vehicle) -> list[object]:
        """All that decides the sites' place on the road and the times along it."""
        return [
            _digests(self.pack, "sites", "road_nodes", "road_edges"),
            speeds_of(self.settings, vehicle),
            vehicle,
            [edit.model_dump(mode="json") for edit in road_edits(self.settings)],
            self.settings.access_speed_kmh,
            self.settings.max_snap_km,
        ]

    def access(self, name: str) -> pd.DataFrame:
        """``<name>_min``."""
        chosen = self.facilities[(self.facilities["facility_class"] == name).to_numpy()]
        vehicle = self.settings.vehicle.get(name, "car")

        def compute() -> pd.DataFrame:
            self.progress(f"access {name}", 0.0)
            graph, snapped = self.on_road(vehicle)
            minutes = nearest_min(graph, snapped, chosen, self.settings, name=name)
            self.routing[f"{name}_min"] = f"{vehicle}, {len(chosen)} facilities"
            return pd.DataFrame({f"{name}_min": minutes}, index=site_index(self.sites))

        key = [name, places_key(chosen), *self.roads_key(vehicle)]
        return self.cache.table(f"access-{name}", key, (measures, network), compute)

    def snapping(self) -> pd.DataFrame:
        """``snap_km``, straight line to the nearest road."""

        def compute() -> pd.DataFrame:
            _, snapped = self.on_road("car")
            _check_region(snapped, self.settings)
            columns = {"snap_km": snapped.distance_m / M_PER_KM}
            return pd.DataFrame(columns, index=site_index(self.sites))

        return self.cache.table("snap", self.roads_key("car"), (measures, network), compute)

    @cached_property
    def labour(self) -> pd.DataFrame | None:
        """The labour layer, checked; None without one."""
        if not self.pack.has("labour"):
            return None
        return check_table(self.pack.table("labour"), "labour", file=self.pack.path("labour"))

    @cached_property
    def catchment(self) -> Catchment:
        """The labour that reaches each site."""
        graph, snapped = self.on_road("car")
        folder = self._kept_folder(graph)
        wanted = self.scenario.catchment
        found = measure_catchment(
            self.sites,
            graph,
            self.communes,
            self.labour,
            self.settings,
            snapped=snapped,
            reach_min=0.0 if wanted.mode == "off" else wanted.minutes,
            topologies=None if folder is None else self._topology(folder),
            kept=folder,
            workers=self.scenario.solve.workers,
            progress=self.progress,
        )
        rule = found.times.routing
        self.routing["labour"] = f"{rule.engine}, {rule.sources} sites routed: {rule.reason}"
        return found

    def _topology(self, folder: Path) -> Topology | Path:
        """Where orders of contraction are kept; the order of the whole pack for closed roads.

        An order serves the same nodes with fewer roads, so that closing one costs no new order.
        """
        from siteselect.network import hierarchy, travel  # numba: half a second

        kinds = {edit.kind for edit in road_edits(self.settings)}
        if kinds != {"close"}:
            return folder
        whole = self.settings.model_copy(update={"edits": ()})
        nodes, edges = self.pack.table("road_nodes"), self.pack.table("road_edges")
        many = len(self.sites) >= travel.BUILT_FROM
        graph = scenario_graph(nodes, edges, whole)
        found = hierarchy.stored_topology(graph, folder=folder, build=many)
        return folder if found is None else found

    def _kept_folder(self, graph: RoadGraph) -> Path | None:
        if self.cache.folder is None or graph.node_count < KEPT_FROM_NODES:
            return None
        return self.cache.folder / "roads"

    def workforce_key(self) -> list[object]:
        """All that decides the workforce measures."""
        settings = self.settings
        return [
            _digests(self.pack, "communes", "labour"),
            settings.model_dump(
                mode="json", exclude={"speed_kmh", "hgv_speed_kmh", "vehicle", "edits"}
            ),
            *self.roads_key("car"),
        ]

    def workforce(self) -> pd.DataFrame:
        """The columns of ``WORKFORCE_MEASURES``."""
        return self.cache.table(
            "workforce", self.workforce_key(), (measures, network), lambda: self.catchment.measures
        )

    def reach(self) -> Reach:
        """Whose workers reach which site within the time of the scenario's catchment.

        Raises
        ------
        InputError
            The pack has no labour layer: there is nobody to count.
        """
        minutes, labour = self.scenario.catchment.minutes, self.labour
        if labour is None:
            raise InputError(
                Fault(
                    Msg("a catchment counts workers, and the pack has no labour layer"),
                    where="catchment.mode",
                    value=self.scenario.catchment.mode,
                    remedy=Msg('add a labour layer to the pack, or set catchment.mode = "off"'),
                )
            )
        pairs = self.cache.table(
            "reach",
            [minutes, *self.workforce_key()],
            (measures, network),
            lambda: reach_table(self.catchment, minutes),
        )
        return reach_from_table(
            pairs,
            labour_of(self.communes, labour),
            site_count=len(self.sites),
            minutes=minutes,
        )

    def left_out(self) -> pd.DataFrame:
        """``code_insee, reason`` (labour, road) of communes whose workers are not counted."""

        def compute() -> pd.DataFrame:
            found = self.catchment
            rows = [(code, "labour") for code in found.unknown_labour]
            rows += [(code, "road") for code in found.off_network]
            return pd.DataFrame(rows, columns=["code_insee", "reason"]).astype(str)

        return self.cache.table("left-out", self.workforce_key(), (measures, network), compute)


def _check_region(snapped: Snapped, settings: NetworkSettings) -> None:
    """No site near any road is the graph of another region, not a land without roads.

    Raises
    ------
    InputError
        There are sites, and none of them is within the bound of a road.
    """
    if len(snapped) and not snapped.on_network.any():
        raise InputError(
            Fault(
                Msg("no site lies within {km:g} km of any road", km=settings.max_snap_km),
                file="road_nodes",
                value=f"{float(snapped.distance_m.min()) / M_PER_KM:.0f} km",
                remedy=Msg(
                    "give the road graph of the region of the sites, both in EPSG:2154, or raise "
                    "network.max_snap_km"
                ),
            )
        )


def _lost(snap_km: pd.Series, settings: NetworkSettings) -> tuple[Msg, ...]:
    """What the planner is told of sites that no road serves."""
    lost = snap_km.index[snap_km > settings.max_snap_km].astype(str).tolist()
    if not lost:
        return ()
    return (
        Msg(
            "{count} sites are farther than {km:g} km from any road of the graph, unreachable: "
            "{sites}",
            count=len(lost),
            km=settings.max_snap_km,
            sites=_named(lost),
        ),
    )


def _left_out(table: pd.DataFrame, settings: NetworkSettings) -> tuple[Msg, ...]:
    """What the planner is told of communes that count for nobody."""
    said = []
    unknown = table.loc[table["reason"] == "labour", "code_insee"].tolist()
    if unknown:
        said.append(
            Msg(
                "{count} communes have no labour figure and count for no site: {codes}",
                count=len(unknown),
                codes=_named(unknown),
            )
        )
    off = table.loc[table["reason"] == "road", "code_insee"].tolist()
    if off:
        said.append(
            Msg(
                "{count} communes are farther than {km:g} km from any road of the graph and count "
                "for no site: {codes}",
                count=len(off),
                km=settings.max_snap_km,
                codes=_named(off),
            )
        )
    return tuple(said)


def _named(codes: list[str]) -> str:
    return ", ".join(codes[:_NAMED]) + (" …" if len(codes) > _NAMED else "")


def _digests(pack: DataPack, *roles: str) -> list[str]:
    return [layer.sha256 for role in roles for layer in pack.layers(role)]


def places_key(facilities: gpd.GeoDataFrame) -> str:
    """Hash of where facilities are, whatever else is known of them."""
    digest = hashlib.sha256()
    for place in facilities.geometry.to_wkb():
        digest.update(place)
    return digest.hexdigest()
