"""Brownfields: Cartofriches as it is downloaded, and any file in the CNIG friches standard.

Two shapes of one inventory: the national CSV of Cerema (lon, lat, tup_ids) and the columns of
the standard CNIG friches 1.0.6 (geompoint, geomsurf, unite_fonciere_refcad). Footprints are
mostly unknown: a disc of the stated area stands for them and is labelled so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from siteselect.errors import Fault, FaultLog, InputError
from siteselect.messages import Msg
from siteselect.schemas import SITE_STATUSES
from siteselect.sources import cnig, locating, parcels, values
from siteselect.sources.cnig_fields import read_details
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened, open_table
from siteselect.sources.placing import Communes
from siteselect.units import CRS, CRS_WEB, M2_PER_HA

Progress = Callable[[str, float], None]

ESTATE_HA = 1_000.0
"""Larger landholdings are whole estates (army, ports, forests), not sites."""
DOUBTFUL = ("friche potentielle", "inconnu", "autre", "sans objet")
"""Statuses that nobody verified."""
DRAWN_M2 = (312.14, 31_214.45)
"""Areas of the circles of 10 and 100 m, drawn with 32 sides, that stand in for unknown sites."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "site_id": ("site_id",),
    "name": ("site_nom",),
    "status": ("site_statut",),
    "code_insee": ("comm_insee",),
    "area": ("unite_fonciere_surface",),
    "site_area": ("site_surface",),
    "lon": ("lon", "longitude"),
    "lat": ("lat", "latitude"),
    "point": ("geompoint",),
    "polygon": ("geomsurf",),
    "parcels": ("unite_fonciere_refcad", "tup_ids"),
    "pollution": ("sol_pollution_existe",),
    "buildings": ("bati_etat",),
    "type": ("site_type",),
    "zone": ("urba_zone_type",),
    "updated": ("site_actu_date",),
    "source": ("source_nom", "nom_prodcartofriches"),
}
"""What is read → the columns it may have, the first one present being used."""
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("site_id",),
    ("status",),
    ("code_insee",),
    ("area", "site_area"),
    ("point", "lon"),
    ("point", "lat"),
)
"""Each must be there, or one of the alternatives."""
DOUBTS = (
    "area_of_site",
    "code_replaced",
    "far_from_commune",
    "no_parcels",
    "outside_commune",
    "parcels_elsewhere",
    "polygon_unusable",
    "shared_parcels",
)
"""Issues that travel with a site, so that whoever shows it can say what to check."""


@dataclass(frozen=True)
class Inventory:
    """The sites of an inventory and what was found in it.

    Attributes
    ----------
    sites
        table ``sites`` of a pack (docs/architecture.md), sorted by ``site_id``, with
        ``stated_name`` (where ``name`` is shorter), ``stated_type``, ``stated_zone``,
        ``stated_date`` and ``import_issues`` (those of :data:`DOUBTS`, by comma) besides.
    report
        row (as a spreadsheet numbers it), site_id, issue (a key of
        :data:`siteselect.sources.findings.ISSUES`), value, action (left_out, corrected, kept).
    details
        site_id and every field of the CNIG standard that the file has
        (:mod:`siteselect.sources.cnig_fields`), sorted by ``site_id``.
    rows
        records in the file: ``rows == len(sites) + rows_left_out``.
    """

    sites: gpd.GeoDataFrame
    report: pd.DataFrame
    rows: int
    details: pd.DataFrame

    @property
    def rows_left_out(self) -> int:
        """Rows that did not become a site; each has one line of report."""
        return int((self.report["action"] == "left_out").sum())

    def counts(self) -> dict[str, int]:
        """Lines of report by issue, the most frequent first."""
        return {str(k): int(n) for k, n in self.report["issue"].value_counts().items()}


def read_cartofriches(
    path: Path,
    communes: gpd.GeoDataFrame,
    *,
    contours: gpd.GeoDataFrame | None = None,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    progress: Progress | None = None,
) -> Inventory:
    """Read an inventory of brownfields.

    Parameters
    ----------
    path
        CSV (plain or gzipped; comma, semicolon or tab; UTF-8 or Latin-1), or GeoJSON,
        GeoPackage, shapefile, GeoParquet, whose geometry is then the point or the outline.
    communes
        table of a pack: code_insee, point in EPSG:2154.
    contours
        outlines of communes in EPSG:2154 (code_insee, polygons), where the planner has them:
        the test of points outside their commune is then exact; without them it rests on the
        parcels and on the distance to the commune's point, and finds fewer.
    columns
        name of the standard → name in the file, where they differ.
    layer
        layer or sheet, where the file has several.

    What is done, in this order (first reason given): rows that cannot be read, without or with
    a repeated identifier, without a point in metropolitan France, without an area above zero
    are left out; of rows with the same set of parcels the most trusted one is kept (verified
    status before unverified, then the latest update, then the least identifier); landholdings
    over 1,000 ha and reconverted sites are left out. Everything else stays, whatever its status.

    Raises
    ------
    InputError
        the file cannot be read, has no rows, or lacks columns (with the nearest names).
    """
    table = _opened(path, columns or {}, layer)
    if progress is not None:
        progress("friches", 0.3)
    _check_readable(table, path)
    cells = _columns(table, path)
    site_ids = values.present(cells["site_id"])
    findings = Findings(site_ids)
    _identify(site_ids, cells, findings)
    known = Communes.of(communes)
    places = locating.locate(cells, known, findings)
    area_m2 = _areas(cells, places, findings)
    described = _describe(cells, findings)
    _deduplicate(cells, described, findings)
    _leave_out_by_rule(area_m2, described, findings)
    locating.check_communes(cells, places, known, contours, findings)
    if progress is not None:
        progress("friches", 0.9)
    sites = _assemble(site_ids, places, area_m2, described, findings)
    details = read_details(table.frame, findings).sort_values("site_id", ignore_index=True)
    return Inventory(sites, findings.report(table.damaged), table.rows, details)


def _opened(path: Path, columns: Mapping[str, str], layer: str | None) -> Opened:
    """The table of the inventory; its geometry, where it has one, as WKT in degrees."""
    opened = open_table(path, layer=layer).renamed(columns)
    if opened.geometry is None:
        return opened
    frame = opened.frame.copy()
    degrees = pyproj.Transformer.from_crs(CRS, CRS_WEB, always_xy=True)
    shapes = shapely.transform(
        opened.geometry, lambda xy: np.column_stack(degrees.transform(xy[:, 0], xy[:, 1]))
    )
    texts = pd.Series(shapely.to_wkt(shapes, rounding_precision=9), index=frame.index)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6))
    frame["geomsurf"] = texts.where(polygonal).fillna("").astype("str")
    frame["geompoint"] = texts.where(~polygonal).fillna("").astype("str")
    return Opened(frame, None, opened.damaged, path)


def _check_readable(table: Opened, path: Path) -> None:
    if not table.rows:
        message = Msg("the inventory has a header and no rows")
        raise InputError(Fault(message, file=path, remedy=Msg("download the file again")))
    if table.frame.empty:
        raise InputError(
            Fault(
                Msg("none of the {rows} rows has as many fields as the header", rows=table.rows),
                file=path,
                value=next(iter(table.damaged.values())),
                remedy=Msg("check separator and quotes, or download the file again"),
            )
        )


# --- columns --------------------------------------------------------------------------------------


def _columns(table: Opened, path: Path) -> pd.DataFrame:
    """The columns read, by our names; those absent are empty."""
    by_name = {name.casefold(): name for name in table.frame.columns}
    found = {
        ours: next((by_name[name] for name in names if name in by_name), None)
        for ours, names in COLUMNS.items()
    }
    _check_columns(found, by_name, path)
    empty = pd.Series("", index=table.frame.index, dtype="str")
    return pd.DataFrame(
        {ours: empty if name is None else table.frame[name] for ours, name in found.items()}
    )


def _check_columns(found: Mapping[str, str | None], by_name: Mapping[str, str], path: Path) -> None:
    lacking = [needed for needed in REQUIRED if not any(found[ours] for ours in needed)]
    give = Msg("give the CSV of Cartofriches or of the CNIG friches standard")
    if len(lacking) == len(REQUIRED):
        message = Msg("not an inventory of brownfields: it has none of the columns of one")
        raise InputError(Fault(message, file=path, value=", ".join(by_name)[:200], remedy=give))
    log = FaultLog()
    for needed in lacking:
        names = [name for ours in needed for name in COLUMNS[ours]]
        # Nearer than nearest_name asks: a wrong column would be taken at its word.
        near = next((m for name in names for m in get_close_matches(name, by_name, 1, 0.75)), None)
        log.add(
            Msg(
                "not an inventory of brownfields: the column {names} is missing",
                names=" / ".join(names),
            ),
            file=path,
            value=near,
            remedy=Msg("rename {near} to {name}", near=near, name=names[0]) if near else give,
        )
    log.check()


# --- rules ----------------------------------------------------------------------------------------


def _identify(site_ids: pd.Series[str], cells: pd.DataFrame, findings: Findings) -> None:
    findings.leave_out(site_ids.isna(), "no_site_id", cells["name"])
    # Two rows of one identifier: which is kept must not depend on their order in the file.
    twice = cells[site_ids.duplicated(keep=False) & site_ids.notna()]
    again = twice.sort_values(list(cells.columns), kind="stable")["site_id"].duplicated()
    findings.leave_out(again, "repeated_site_id", site_ids)


def _areas(cells: pd.DataFrame, places: locating.Places, findings: Findings) -> pd.Series[float]:
    """Area in m²: of the landholding, else of the site, else of the outline."""
    holding, site = values.numbers(cells["area"]), values.numbers(cells["site_area"])
    unstated = values.blank(cells["area"])
    drawn = unstated & site.round(2).isin(DRAWN_M2)
    outline = pd.Series(shapely.area(places.polygons.to_numpy()), index=cells.index)
    fallback = unstated & ~drawn & (site > 0)
    area_m2 = holding.where(~fallback, site)
    outlined = unstated & ~(site > 0) & (outline > 0)
    area_m2 = area_m2.where(~outlined, outline)
    findings.leave_out(drawn & ~(outline > 0), "drawn_area", cells["site_area"])
    area_m2 = area_m2.where(~(drawn & (outline > 0)), outline)
    nothing = unstated & values.blank(cells["site_area"]) & ~(outline > 0)
    findings.leave_out(nothing, "no_area", cells["area"])
    stated = cells["area"].where(~unstated, cells["site_area"])
    findings.leave_out(~(area_m2 > 0), "wrong_area", stated)
    findings.note(fallback, "area_of_site", cells["site_area"], "corrected")
    return area_m2


def _describe(cells: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Words of the standard; unknown stays unknown (missing)."""
    described = pd.DataFrame(index=cells.index)
    for name, known, variants in (
        ("status", SITE_STATUSES, cnig.STATUS_VARIANTS),
        ("pollution", cnig.POLLUTION, cnig.POLLUTION_VARIANTS),
        ("buildings", cnig.BUILDINGS, {}),
        ("type", cnig.TYPES, cnig.TYPE_VARIANTS),
        ("zone", cnig.ZONES, cnig.ZONE_VARIANTS),
    ):
        stated = values.present(cells[name])
        word = values.words(stated, known, variants)
        findings.note(stated.notna() & word.isna(), "word_unknown", cells[name], "kept")
        mapped = word.notna() & (word != stated)
        findings.note(mapped, "word_mapped", cells[name], "corrected")
        described[name] = word.mask(word == "inconnu")
    stated = values.present(cells["name"])
    described["name"] = cnig.short_names(stated)
    described["stated_name"] = stated.where(stated != described["name"])
    described["updated"] = values.iso_dates(cells["updated"])
    described["source"] = values.present(cells["source"]).fillna("Cartofriches")
    return described


def _deduplicate(cells: pd.DataFrame, described: pd.DataFrame, findings: Findings) -> None:
    """Of equal parcel sets one row stays; sets that overlap in part stay and are reported."""
    sets = parcels.parcel_sets(values.present(cells["parcels"]).fillna(""))
    kept = sets[findings.kept]
    trust = parcels.trust_key(described["status"], described["updated"], cells["site_id"], DOUBTFUL)
    same = parcels.repeated(kept, trust[findings.kept])
    other = same.map(cells["site_id"])
    everywhere = pd.Series(False, index=cells.index)
    findings.leave_out(everywhere.mask(cells.index.isin(same.index), True), "same_parcels", other)
    shared = parcels.sharing(sets[findings.kept])
    partner = shared.map(cells["site_id"])
    in_part = everywhere.mask(cells.index.isin(shared.index), True)
    findings.note(in_part, "shared_parcels", partner, "kept")
    findings.note(sets == "", "no_parcels", cells["parcels"], "kept")


def _leave_out_by_rule(
    area_m2: pd.Series[float], described: pd.DataFrame, findings: Findings
) -> None:
    area_ha = area_m2 / M2_PER_HA
    findings.leave_out(area_ha > ESTATE_HA, "estate", area_ha.map("{:.0f} ha".format))
    status = described["status"]
    findings.leave_out(status == "friche reconvertie", "reconverted", status)


# --- table ----------------------------------------------------------------------------------------


def _assemble(
    site_ids: pd.Series[str],
    places: locating.Places,
    area_m2: pd.Series[float],
    described: pd.DataFrame,
    findings: Findings,
) -> gpd.GeoDataFrame:
    kept = findings.kept.index[findings.kept]
    area = area_m2.loc[kept]
    polygons = places.footprints(area)
    drawn = places.polygons.loc[kept].isna()
    columns = {
        "site_id": site_ids.loc[kept],
        "name": described.loc[kept, "name"],
        "kind": "brownfield",
        "code_insee": places.codes.loc[kept],
        "area_ha": area / M2_PER_HA,
        "status_source": described.loc[kept, "status"],
        "geometry_origin": np.where(drawn, "disc", "polygon"),
        "stated_pollution": described.loc[kept, "pollution"],
        "stated_buildings": described.loc[kept, "buildings"],
        "stated_type": described.loc[kept, "type"],
        "stated_zone": described.loc[kept, "zone"],
        "stated_name": described.loc[kept, "stated_name"],
        "import_issues": findings.of(DOUBTS).reindex(kept),
        "stated_date": described.loc[kept, "updated"].replace("", pd.NA),
        "source": described.loc[kept, "source"],
    }
    frame = gpd.GeoDataFrame(pd.DataFrame(columns, index=kept), geometry=polygons, crs=CRS)
    return frame.sort_values("site_id", ignore_index=True)
