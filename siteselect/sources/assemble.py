"""Build a pack from a build file: each official file read by its reader, the rest from a base.

The order matters: communes first (every code is checked against them), then networks, land
cover, sites, and what is computed from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from siteselect.errors import Fault, FaultLog, InputError, nearest_name
from siteselect.messages import Msg, Translate
from siteselect.pack import DataPack, Manifest, write_manifest
from siteselect.schemas import check_table
from siteselect.sources.build import NOTICES, check_target, write_restoration, written_beside
from siteselect.sources.communes import read_communes
from siteselect.sources.contours import read_contours
from siteselect.sources.exclusions import read_exclusions
from siteselect.sources.facilities import read_facilities
from siteselect.sources.labour import read_labour
from siteselect.sources.landcover import COARSE_M, convert_raster, open_legend
from siteselect.sources.landtake import caps, read_consumption
from siteselect.sources.layers import LayerWriter
from siteselect.sources.ocsge import rasterise_ocsge
from siteselect.sources.opening import Opened, fault, open_table
from siteselect.sources.part import rows_not_asked
from siteselect.sources.plan import Area, Input, Plan
from siteselect.sources.roads import read_roads
from siteselect.sources.sitelayers import read_all_sites
from siteselect.sources.territories import read_territories
from siteselect.sources.ways import join_ways, road_graph
from siteselect.units import CRS, M_PER_KM

Progress = Callable[[str, float], None]

LANDUSE, LEGEND = "landuse.tif", "landuse_legend.csv"
COARSE_NOTE = (
    "Pixels de {native:g} m (unité minimale plus grande encore) : bon pour trier, trop grossier "
    "pour un bilan d'artificialisation."
)


@dataclass
class Building:
    """What is known while a pack is built."""

    plan: Plan
    folder: Path
    base: DataPack
    writer: LayerWriter
    communes: gpd.GeoDataFrame
    """All communes."""
    core: frozenset[str] = frozenset()
    """Codes of the communes of the area."""
    near: frozenset[str] = frozenset()
    """Those, and the communes around them."""
    contours: gpd.GeoDataFrame | None = None
    landuse: Path | None = None
    zones: gpd.GeoDataFrame | None = None
    classes: set[str] = field(default_factory=set)
    """Classes of facility that the inputs give."""

    def path(self, one: Input) -> Path:
        """The file of an input."""
        return self.folder / one.file

    def open(self, one: Input) -> Opened:
        """Its table, columns named and rows chosen as the plan says; the others reported."""
        whole = open_table(self.path(one), layer=one.layer).renamed(one.columns)
        chosen = whole.where(one.where)
        self.writer.report(rows_not_asked(whole, chosen), one)
        return chosen


def build_from_plan(
    target: Path,
    plan: Plan,
    folder: Path,
    *,
    base: DataPack,
    translate: Translate | None = None,
    progress: Progress | None = None,
) -> DataPack:
    """Build the pack of a plan.

    Parameters
    ----------
    target
        where the pack goes; a pack that is there is replaced, anything else is left alone.
    folder
        where the files of the plan are.
    base
        pack that gives the communes, roads, outlines and facilities that the plan does not.

    Raises
    ------
    InputError
        a file cannot be read, a column is missing, no site remains, or the target holds
        something else than a pack. Nothing is written then.
    """
    check_target(target, base, [folder / one.file for one in plan.inputs])
    with written_beside(target) as beside:
        writer = LayerWriter(beside)
        building = Building(plan, folder, base, writer, base.vectors("communes"))
        steps = (
            _communes, _labour, _facilities, _roads, _rail, _landcover, _zones, _sites,
            _territories, _caps, _leftovers,
        )  # fmt: skip
        for number, step in enumerate(steps):
            if progress is not None:
                progress("build", number / len(steps))
            step(building, progress)
        writer.write_reports(translate)
        manifest = Manifest(
            name=plan.name or target.name or "pack",
            title=plan.title or f"Paquet construit depuis {folder.name}",
            crs=CRS,
            note=plan.note,
            layers=tuple(writer.layers),
        )
        write_manifest(manifest, beside)
    if progress is not None:
        progress("build", 1.0)
    pack = DataPack(target, manifest)
    pack.check_files()
    return pack


# --- communes and area ----------------------------------------------------------------------------


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


def select_area(communes: gpd.GeoDataFrame, area: Area) -> tuple[frozenset[str], frozenset[str]]:
    """Codes of the communes of an area, and of those within its margin.

    Raises InputError when a code is that of no territory.
    """
    codes = communes["code_insee"]
    if area.everywhere:
        return frozenset(codes), frozenset(codes)
    log = FaultLog()
    inside = np.zeros(len(communes), dtype=bool)
    for column, wanted in (
        ("region", area.regions),
        ("departement", area.departements),
        ("epci", area.epci),
        ("code_insee", area.communes),
    ):
        valid = set(communes[column].dropna())
        for code in sorted(set(wanted) - valid):
            near = nearest_name(code, sorted(valid))
            log.add(
                Msg("no territory has this code"),
                where=f"area.{column}",
                value=code,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("correct or remove it"),
            )
        inside |= communes[column].isin(wanted).to_numpy()
    log.check()
    xy = np.column_stack([communes.geometry.x, communes.geometry.y])
    distance_m, _ = cKDTree(xy[inside]).query(xy)
    around = inside | (distance_m <= area.margin_km * M_PER_KM)
    return frozenset(codes[inside]), frozenset(codes[around])


# --- people and networks --------------------------------------------------------------------------


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


# --- land -----------------------------------------------------------------------------------------


def _landcover(building: Building, progress: Progress | None) -> None:
    writer = building.writer
    target = writer.folder / LANDUSE
    legend: pd.DataFrame | None = None
    for one in building.plan.of("landcover"):
        source = building.path(one)
        legend = open_legend(str(one.legend), building.folder, source)
        done = convert_raster(
            source, legend, target, resolution_m=one.resolution_m, progress=progress
        )
        legend = done.legend
        coarse = done.native_m > COARSE_M
        note = (
            f"{sum(done.area_ha.values()):.0f} ha ; pixels de {done.native_m:g} m dans la source, "
            f"{done.pixel_m:g} m ici (plus proche voisin)."
        )
        if done.unexplained:
            listed = ", ".join(f"{value} ({ha:.0f} ha)" for value, ha in done.unexplained.items())
            note += f" Valeurs absentes de la légende : {listed}."
        if coarse:
            note += " " + COARSE_NOTE.format(native=done.native_m)
        writer.file(
            "landuse", one, file=LANDUSE, title="Occupation du sol", assumed=coarse, note=note
        )
    inputs = building.plan.of("ocsge")
    if inputs:
        burnt = rasterise_ocsge(
            [(building.path(one), one.layer) for one in inputs], target, progress=progress
        )
        legend = burnt.legend
        first = inputs[0].model_copy(
            update={
                "file": ", ".join(one.file for one in inputs),
                "vintage": inputs[0].vintage or ", ".join(sorted(burnt.vintages)),
            }
        )
        lost = ", ".join(f"{reason} {count}" for reason, count in burnt.left_out.items())
        judged = (
            "calcul d'artificialisation livré par l'IGN"
            if burnt.delivered
            else f"matrice et seuil de 2 500 m² ({burnt.sieved_ha:.1f} ha changés)"
        )
        writer.file(
            "landuse", first, file=LANDUSE, title="OCS GE, 10 m",
            note=f"{burnt.burnt} polygones sur {burnt.rows} ({lost or 'aucun écarté'}) ; "
            f"{burnt.artificialised_ha:.1f} ha artificialisés ; {judged}.",
        )  # fmt: skip
    if legend is not None:
        legend.to_csv(writer.folder / LEGEND, index=False, lineterminator="\n")
        writer.file("landuse_legend", None, file=LEGEND, title="Légende de l'occupation du sol")
        building.landuse = target


def _zones(building: Building, _: Progress | None) -> None:
    parts = []
    for one in building.plan.of("exclusions"):
        part = read_exclusions(building.open(one), one)
        building.writer.report(part.report, one)
        parts.append(part.table)
    if parts:
        joined = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=CRS)
        building.zones = joined
        first = building.plan.of("exclusions")[0]
        building.writer.table(
            "exclusions", joined, first.model_copy(update={"title": ""}),
            file="exclusions.parquet", title="Zones d'exclusion et d'alerte",
            note=", ".join(f"{kind} : {n}" for kind, n in joined["kind"].value_counts().items()),
        )  # fmt: skip


# --- sites and territories ------------------------------------------------------------------------


def _sites(building: Building, progress: Progress | None) -> None:
    sites = read_all_sites(
        building.plan,
        building.folder,
        communes=building.communes,
        contours=building.contours,
        core=building.core,
        landuse=building.landuse,
        zones=building.zones,
        writer=building.writer,
        progress=progress,
    )
    if sites.empty:
        raise InputError(
            Fault(
                Msg("no site remains in the territory of the pack"),
                file=building.folder,
                remedy=Msg("enlarge the area, or look at the report of each file"),
            )
        )


def _territories(building: Building, _: Progress | None) -> None:
    known = set(building.communes["code_insee"])
    kept = building.communes[building.communes["code_insee"].isin(building.near)]
    tables, inputs = [], building.plan.of("territories")
    for one in inputs:
        part = read_territories(building.open(one), kept, known, kind=one.kind)
        building.writer.report(part.report, one)
        tables.append(part.table)
    if tables:
        joined = pd.concat(tables, ignore_index=True)
        counts = joined.groupby("kind")["code"].nunique()
        building.writer.table(
            "territories", joined, inputs[0].model_copy(update={"title": ""}),
            file="territories.parquet", title="Territoires et leurs communes",
            note=", ".join(f"{kind} : {n} territoires" for kind, n in counts.items()),
        )  # fmt: skip


def _caps(building: Building, _: Progress | None) -> None:
    known = set(building.communes["code_insee"])
    tables, inputs = [], building.plan.of("consumption")
    for one in inputs:
        part = read_consumption(building.open(one), known)
        building.writer.report(part.report, one)
        tables.append(caps(part.table, building.communes, one))
    if tables:
        joined = pd.concat(tables, ignore_index=True)
        exceeded = int((joined["exceeded_ha"] > 0).sum())
        building.writer.table(
            "caps", joined, inputs[0], file="caps.parquet", title="Plafonds de consommation d'ENAF",
            note=f"{len(joined)} territoires ; {exceeded} ont déjà dépassé leur plafond (0 ha "
            "restant). Trajectoire : (1 − réduction) × 2011-2020, moins la période entamée.",
        )  # fmt: skip


def _leftovers(building: Building, _: Progress | None) -> None:
    """Outlines and facilities of the base, and its notices of licence."""
    base, writer, plan = building.base, building.writer, building.plan
    for layer in base.layers("outlines"):
        writer.copy(base, layer)
    for layer in base.layers("facilities"):
        classes = set(pd.read_parquet(base.folder / layer.file)["facility_class"])
        if classes & building.classes or (layer.simulated and not plan.keep_simulated):
            continue
        writer.copy(base, layer)
    if plan.keep_simulated:
        given = {layer.role for layer in writer.layers}
        if "labour" not in given and base.has("labour"):
            writer.copy(base, base.layers("labour")[0])
        if base.has("restoration"):
            writer.layers.append(write_restoration(writer.folder, base))
    for notice in base.folder.glob(NOTICES):
        (writer.folder / notice.name).write_bytes(notice.read_bytes())
