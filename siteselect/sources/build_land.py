"""Steps of a build: land cover, zones, territories, sites, caps, and what the base still gives."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import tomli_w

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.pack import sha256_of
from siteselect.sources.build import NOTICES, write_restoration
from siteselect.sources.building import Building
from siteselect.sources.exclusions import read_exclusions
from siteselect.sources.findings import REPORT_COLUMNS
from siteselect.sources.landcover import COARSE_M, convert_raster, open_legend
from siteselect.sources.landtake import Objectives, caps, read_consumption
from siteselect.sources.objectives import read_objectives, reductions_of
from siteselect.sources.ocsge import rasterise_ocsge
from siteselect.sources.plan import Input
from siteselect.sources.sitelayers import read_all_sites, site_communes
from siteselect.sources.territories import read_territories
from siteselect.territories import LEVEL_COLUMNS, SCOT, check_members, joined
from siteselect.units import CRS

Progress = Callable[[str, float], None]

LANDUSE, LEGEND = "landuse.tif", "landuse_legend.csv"
COARSE_NOTE = (
    "Pixels de {native:g} m (unité minimale plus grande encore) : bon pour trier, trop grossier "
    "pour un bilan d'artificialisation."
)


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
        told = pd.DataFrame(
            [
                (0, None, issue, f"{count} × {burnt.examples.get(issue, '')}", "left_out")
                for issue, count in burnt.left_out.items()
            ],
            columns=list(REPORT_COLUMNS),
        )
        building.writer.report(told, first)
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


def _sites(building: Building, progress: Progress | None) -> None:
    sites = read_all_sites(
        building.plan,
        building.folder,
        communes=building.communes,
        contours=building.contours,
        core=building.core,
        near=building.near,
        landuse=building.landuse,
        zones=building.zones,
        members=building.members,
        writer=building.writer,
        progress=progress,
    )
    building.site_communes = site_communes(sites, building.writer)
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
    everywhere = []
    for one in inputs:
        opened = building.open(one)
        if one.is_scot:  # caps are those of whole SCoT, beyond what the pack keeps
            every = read_territories(opened, building.communes, known, kind=SCOT)
            everywhere.append(every.table)
        part = read_territories(opened, kept, known, kind=one.kind)
        building.writer.report(part.report, one)
        tables.append(part.table)
    if everywhere:
        whole = pd.concat(everywhere, ignore_index=True)
        check_members(whole, building.folder)
        building.communes = joined(building.communes, whole)
    if tables:
        members = pd.concat(tables, ignore_index=True)
        building.members = members
        counts = members.groupby("kind")["code"].nunique()
        building.writer.table(
            "territories", members, inputs[0].model_copy(update={"title": ""}),
            file="territories.parquet", title="Territoires et leurs communes",
            note=", ".join(f"{kind} : {n} territoires" for kind, n in counts.items()),
        )  # fmt: skip


FRAGMENT = "plafonds.toml"
"""Scenario that others extend: the caps of the territories that have a site."""


def _fragment(building: Building, table: pd.DataFrame) -> None:
    """The caps as a scenario to extend: only territories with a site, since others bind nobody."""
    codes = building.communes.set_index("code_insee")
    communes = pd.Index(building.site_communes)
    ledgers = []
    for level, rows in table.groupby("level"):
        own, _ = LEVEL_COLUMNS[str(level)]
        column = communes if level == "commune" else codes[own].reindex(communes)
        present = rows[rows["code"].isin(list(column.dropna()))]
        granted = np.floor(present["cap_ha"] * 100 + 1e-6) / 100  # never more than is left
        caps_ha = dict(zip(present["code"], granted.tolist(), strict=True))
        if caps_ha:
            ledgers.append(
                {
                    "level": level,
                    "caps_ha": caps_ha,
                    "origin": "trajectoire ENAF 2021-2031 calculée depuis la consommation",
                }
            )
    tree = {
        "extends": "reference",
        "land": {"regime": "enaf-2021"},
        "zan": {"ledgers": ledgers},
    }
    path = building.writer.folder / FRAGMENT
    path.write_text(tomli_w.dumps(tree), encoding="utf-8")
    building.writer.file(
        "caps", None, file=FRAGMENT, title="Plafonds, en scénario à étendre (extends)"
    )


def _objectives(building: Building, one: Input) -> Objectives | None:
    """What documents of planning ask of each commune; None where no file says it."""
    inputs = building.plan.of("objectives")
    if not inputs:
        return None
    parts = [read_objectives(building.open(other)) for other in inputs]
    stated = pd.concat([part.table for part in parts], ignore_index=True)
    present = {
        level: set(building.communes[name].dropna())
        for level, (name, _) in LEVEL_COLUMNS.items()
        if name in building.communes
    }
    for other, part in zip(inputs, parts, strict=True):
        nowhere = [
            code not in present.get(level, set())
            for level, code in zip(part.table["level"], part.table["code"], strict=True)
        ]
        building.writer.report(part.report, other)
        building.writer.report(_unused(part.table[nowhere]), other)
    by_commune = reductions_of(building.communes, stated, one.reduction)
    return Objectives(by_commune, stated)


def _unused(table: pd.DataFrame) -> pd.DataFrame:
    """Lines of report of objectives of territories that the pack does not know."""
    lines = pd.DataFrame(
        {
            "row": 0,
            "site_id": table["code"].to_numpy(dtype=object),
            "issue": "no_such_territory",
            "value": (table["level"] + " " + table["code"]).to_numpy(dtype=object),
            "action": "kept",
        }
    )
    return lines[list(REPORT_COLUMNS)]


def _caps(building: Building, _: Progress | None) -> None:
    known = set(building.communes["code_insee"])
    tables, inputs = [], building.plan.of("consumption")
    for one in inputs:
        part = read_consumption(building.open(one), known)
        building.writer.report(part.report, one)
        tables.append(caps(part.table, building.communes, one, _objectives(building, one)))
    if tables:
        table = pd.concat(tables, ignore_index=True)
        exceeded = int((table["exceeded_ha"] > 0).sum())
        building.writer.table(
            "caps", table, inputs[0], file="caps.parquet", title="Plafonds de consommation d'ENAF",
            note=f"{len(table)} territoires ; {exceeded} ont déjà dépassé leur plafond (0 ha "
            "restant). Trajectoire : (1 − réduction) × 2011-2020, moins la période entamée.",
        )  # fmt: skip
        _fragment(building, table)


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
            _base_labour(building)
        if base.has("restoration"):
            writer.layers.append(write_restoration(writer.folder, base, building.core))
    for notice in base.folder.glob(NOTICES):
        (writer.folder / notice.name).write_bytes(notice.read_bytes())


def _base_labour(building: Building) -> None:
    """The labour force of the base, of the communes of the pack only."""
    (layer,) = building.base.layers("labour")
    table = building.base.table("labour")
    inside = table["code_insee"].isin(list(building.near))
    if inside.all():
        building.writer.copy(building.base, layer)
        return
    path = building.writer.folder / layer.file
    table[inside].reset_index(drop=True).to_parquet(path, index=False, compression="zstd")
    building.writer.layers.append(layer.model_copy(update={"sha256": sha256_of(path)}))


STEPS = (_landcover, _zones, _territories, _sites, _caps, _leftovers)
