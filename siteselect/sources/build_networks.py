"""Steps of a build: communes and their territory, labour, facilities, roads, rail."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import pandas as pd

from siteselect.messages import Msg
from siteselect.schemas import check_table
from siteselect.sources.building import Building, select_area
from siteselect.sources.communes import read_communes
from siteselect.sources.contours import read_contours
from siteselect.sources.facilities import read_facilities
from siteselect.sources.labour import read_labour
from siteselect.sources.opening import fault
from siteselect.sources.roads import read_roads
from siteselect.sources.ways import join_ways, road_graph
from siteselect.units import CRS

Progress = Callable[[str, float], None]


def _communes(building: Building, _: Progress | None) -> None:
    plan, writer = building.plan, building.writer
    given = plan.of("communes")
    for one in given:
        read = read_communes(building.open(one), building.communes)
        building.communes, building.contours = read.part.table, read.contours
        writer.report(read.part.report, one)
    outlines = [
        (one, read_contours(building.path(one), columns=one.columns)) for one in plan.of("contours")
    ]
    if outlines:
        joined = pd.concat([table for _, table in outlines], ignore_index=True)
        building.contours = gpd.GeoDataFrame(joined, crs=CRS)
    building.core, building.near = select_area(building.communes, plan.area)
    kept = building.communes[building.communes["code_insee"].isin(building.near)]
    kept = check_table(kept.reset_index(drop=True), "communes")
    one_or_base = given[0] if given else None
    whole = one_or_base is None and len(kept) == len(building.communes)
    if whole:
        writer.copy(building.base, building.base.layers("communes")[0])
    elif one_or_base is None:
        (layer,) = building.base.layers("communes")
        path = writer.folder / layer.file
        kept.to_parquet(path, compression="zstd")
        writer.file("communes", None, file=layer.file, title=layer.title)
        note = f"{layer.note} {len(kept)} communes du territoire et de ses environs."
        update = {"sha256": writer.layers[-1].sha256, "note": note.strip()}
        writer.layers[-1] = layer.model_copy(update=update)
    else:
        writer.table("communes", kept, one_or_base, file="communes.parquet", title="Communes")
    if building.contours is not None:
        inside = building.contours["code_insee"].isin(building.near)
        table = building.contours[inside].reset_index(drop=True)
        source = outlines[0][0] if outlines else given[0]
        lacking = len(building.near - set(table["code_insee"]))
        note = f"{lacking} communes sans contour de ce code." if lacking else ""
        writer.table(
            "contours", table, source, file="contours.parquet", title="Contours des communes",
            note=note,
        )  # fmt: skip


def _labour(building: Building, _: Progress | None) -> None:
    known = set(building.communes["code_insee"])
    for one in building.plan.of("labour")[:1]:
        part = read_labour(building.open(one), known, building.near)
        building.writer.report(part.report, one)
        table = check_table(part.table, "labour", communes=building.near)
        lacking = len(building.near) - len(table)
        note = (
            f"{int(table['labour_force'].sum())} actifs dans {len(table)} communes ; "
            f"{lacking} communes du paquet sans valeur, comptées sans actifs."
        )
        building.writer.table(
            "labour", table, one, file="labour.parquet", title="Population active", note=note
        )


def _facilities(building: Building, _: Progress | None) -> None:
    for number, one in enumerate(building.plan.of("facilities"), start=1):
        part = read_facilities(building.open(one), one)
        building.writer.report(part.report, one)
        if part.table.empty:
            raise fault(
                building.path(one),
                Msg("no place remains of {rows} rows", rows=part.rows),
                Msg("check the columns of coordinates, and the condition where"),
            )
        table = check_table(part.table, "facilities", file=building.path(one))
        doubtful = int(table["approximate"].sum())
        building.writer.table(
            "facilities",
            table,
            one,
            file=f"{one.facility_class}_{number}.parquet",
            title=str(one.facility_class),
            assumed=doubtful > 0,
            note=f"{len(table)} points sur {part.rows} lignes ; "
            f"{doubtful} à une position approchée.",
        )
        building.classes.add(str(one.facility_class))


def _roads(building: Building, progress: Progress | None) -> None:
    inputs = building.plan.of("roads")
    if not inputs:
        for role in ("road_nodes", "road_edges"):
            building.writer.copy(building.base, building.base.layers(role)[0])
        return
    read = []
    for number, one in enumerate(inputs):
        if progress is not None:
            progress("roads", number / len(inputs))
        read.append(read_roads(building.path(one), one))
        building.writer.report(read[-1].report, one)
    wanted = any(one.interchanges for one in inputs)
    roads = road_graph(
        join_ways([found.ways for found in read]),
        gap_m=max(one.gap_m for one in inputs),
        interchanges=wanted,
    )
    sizes = roads.components()
    first = inputs[0].model_copy(update={"file": ", ".join(one.file for one in inputs)})
    assumed = all(found.assumed for found in read)
    note = (
        f"{sum(found.rows for found in read)} lignes ; {len(roads.edges)} tronçons ; "
        f"{len(sizes)} parties, la plus grande de {sizes[0] / max(1, sizes.sum()):.1%} des "
        f"nœuds ; {roads.joined} raccords sous {max(one.gap_m for one in inputs):g} m ; "
        f"vitesse pratiquée : {inputs[0].speed_factor:.0%} de la vitesse autorisée (hypothèse)."
    )
    if assumed:
        note += " Aucune route n'a de classe : toutes sont prises pour non classées."
    for role, table in (("road_nodes", roads.nodes), ("road_edges", roads.edges)):
        check_table(table, role)
        building.writer.table(
            role, table, first, file=f"{role}.parquet", title="Réseau routier",
            assumed=assumed, note=note,
        )  # fmt: skip
    if roads.interchanges is not None and len(roads.interchanges):
        building.writer.table(
            "facilities", roads.interchanges, first.model_copy(update={"title": ""}),
            file="interchanges_derived.parquet",
            title="Accès aux autoroutes, déduits des bretelles",
            note=f"{len(roads.interchanges)} points : où une bretelle rejoint les autres routes.",
        )  # fmt: skip
        building.classes.add("motorway")
    if progress is not None:
        progress("roads", 1.0)


def _rail(building: Building, _: Progress | None) -> None:
    inputs = building.plan.of("rail")
    for one in inputs[:1]:
        opened = building.open(one)
        if opened.geometry is None:
            raise fault(building.path(one), Msg("the railway has no geometry"), Msg("give lines"))
        frame = gpd.GeoDataFrame(geometry=opened.geometry, crs=CRS)
        frame = frame[frame.geom_type.isin(["LineString", "MultiLineString"])]
        building.writer.table(
            "rail", check_table(frame.reset_index(drop=True), "rail"), one,
            file="rail.parquet", title="Lignes ferroviaires",
            note=f"{len(frame)} lignes sur {opened.rows}.",
        )  # fmt: skip
    if not inputs:
        for layer in building.base.layers("rail"):
            building.writer.copy(building.base, layer)


STEPS = (_communes, _labour, _facilities, _roads, _rail)
