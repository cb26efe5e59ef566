"""Business parks: the CNIG standard *Sites économiques*, and any polygons of activity zones.

A park is land that is already there; what a programme chooses is its extension or its free
plots, so the kind of site is stated in the build file (``site_kind``, by default extension).
Both classes of the standard are read: SITE-ECO, and TERRAIN-ECO for plots, of which those that
are sold, occupied or not to be developed are left out.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.sources import locating, values
from siteselect.sources.economic_words import ENUMERATIONS, GONE, KEPT_AS, TAKEN, VARIANTS
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened, open_table
from siteselect.sources.part import (
    CODE_NAMES,
    LAT_NAMES,
    LON_NAMES,
    NAME_NAMES,
    POINT_NAMES,
    Part,
    true_at,
)
from siteselect.sources.placing import Communes
from siteselect.sources.plan import Input
from siteselect.units import CRS, M2_PER_HA

ID_NAMES = ("terr_id", "site_id", "id_site", "zae_id", "identifiant", "cleabs", "id")
SITE_NAMES = ("site_nom", "nom_site", "zae_nom", "nom_zae", "toponyme", *NAME_NAMES)
AREA_NAMES = ("site_surf", "site_surface", "surface_m2", "surface", "superficie")
"""Square metres."""
AREA_HA_NAMES = ("area_ha", "surface_ha", "terr_surf_brute", "site_surf_brute")
OUTLINE_NAMES = ("terr_geomsurf", "site_geomsurf", "geomsurf")
COMMUNE_NAMES = ("site_comm_insee", *CODE_NAMES)
STATUS_NAMES = ("site_statut", "statut", "etat")
SOURCE_NAMES = ("source_producteur", "source_nom", "source", "prod", "producteur")
DATE_NAMES = ("terr_actu_date", "actu_date", "site_actu_date", "date_maj", "date_actualisation")


def read_economic_sites(
    path: Path,
    one: Input,
    communes: gpd.GeoDataFrame,
    contours: gpd.GeoDataFrame | None,
) -> Part[gpd.GeoDataFrame]:
    """Table ``sites`` of a pack from a layer of business parks.

    Outlines where the file has them (repaired), discs of the area stated elsewhere. The commune
    is the one stated, or the one the site lies in (by its nearest commune point) where none is.

    Raises
    ------
    InputError
        the file cannot be read, or has no column of identifiers.
    """
    opened = open_table(path, layer=one.layer).renamed(one.columns).where(one.where)
    ids = values.present(opened.need(ID_NAMES, what="the identifiers of the sites"))
    findings = Findings(ids)
    findings.leave_out(ids.isna(), "no_site_id", opened.cells(SITE_NAMES))
    findings.leave_out(ids.duplicated() & ids.notna(), "repeated_site_id", ids)
    known = Communes.of(communes)
    words = _words(opened, findings)
    places = locating.locate(_cells(opened, known), known, findings)
    area_m2 = _areas(opened, places, findings)
    locating.check_communes(
        pd.DataFrame({"parcels": pd.Series("", index=ids.index, dtype="str")}),
        places, known, contours, findings,
    )  # fmt: skip
    kept = findings.kept.index[findings.kept]
    drawn = places.polygons.loc[kept].isna()
    table = pd.DataFrame(
        {
            "site_id": ids.loc[kept],
            "name": values.present(opened.cells(SITE_NAMES)).loc[kept],
            "kind": one.site_kind or "extension",
            "code_insee": places.codes.loc[kept],
            "area_ha": area_m2.loc[kept] / M2_PER_HA,
            "status_source": pd.Series(pd.NA, index=kept, dtype="str"),
            "geometry_origin": np.where(drawn, "disc", "polygon"),
            "stated_pollution": pd.Series(pd.NA, index=kept, dtype="str"),
            "stated_buildings": pd.Series(pd.NA, index=kept, dtype="str"),
            "stated_status": values.present(opened.cells(STATUS_NAMES)).loc[kept],
            **{name: column.loc[kept] for name, column in words.items()},
            "stated_date": _dates(opened).loc[kept],
            "source": values.present(opened.cells(SOURCE_NAMES)).loc[kept].fillna(one.attribution),
        },
        index=kept,
    )
    frame = gpd.GeoDataFrame(table, geometry=places.footprints(area_m2.loc[kept]), crs=CRS)
    return Part(
        frame.sort_values("site_id", ignore_index=True),
        findings.report(opened.damaged),
        opened.rows,
    )


def _cells(opened: Opened, communes: Communes) -> pd.DataFrame:
    """What :func:`siteselect.sources.locating.locate` reads; shapes as WKT in metres."""
    index = opened.frame.index
    cells = pd.DataFrame(
        {
            "lon": opened.cells(LON_NAMES),
            "lat": opened.cells(LAT_NAMES),
            "point": _points(opened),
            "polygon": opened.cells(OUTLINE_NAMES),
            "code_insee": opened.cells(COMMUNE_NAMES),
        }
    )
    drawn = _from_geojson(cells["polygon"]) if opened.geometry is None else opened.geometry
    if drawn is None:
        return cells
    polygonal = np.isin(shapely.get_type_id(drawn), (3, 6))
    shapes = drawn.copy()
    shapes[polygonal] = shapely.make_valid(shapes[polygonal])
    inside = shapely.point_on_surface(shapes)
    written = pd.Series(shapely.to_wkt(shapes, rounding_precision=3), index=index)
    stated = cells["polygon"]  # what cannot be read is told by the reader of outlines
    cells["polygon"] = written.where(polygonal, stated).fillna("").astype("str")
    x, y = shapely.get_x(inside), shapely.get_y(inside)
    lon, lat = locating.degrees(np.column_stack([x, y]))
    placed = np.isfinite(x)
    cells["lon"] = pd.Series(lon, index=index).map(_number).where(placed, cells["lon"])
    cells["lat"] = pd.Series(lat, index=index).map(_number).where(placed, cells["lat"])
    cells["point"] = cells["point"].where(~placed, "")
    nearest, _ = communes.nearest(np.column_stack([x, y]))
    unstated = values.blank(cells["code_insee"])
    cells["code_insee"] = cells["code_insee"].mask(
        unstated, pd.Series(nearest, index=index).fillna("").astype("str")
    )
    return cells


def _words(opened: Opened, findings: Findings) -> dict[str, pd.Series[str]]:
    """Fields of the standard in its words; plots that are taken and parks that are gone go out."""
    found = {}
    for name, known in ENUMERATIONS.items():
        cells = opened.find((name,))
        if cells is None:
            continue
        stated = values.present(cells)
        word = values.words(stated, known, VARIANTS.get(name))
        unknown = stated.notna() & word.isna()
        findings.note(unknown, "word_unknown", name + ": " + cells, "kept")
        if name == "site_etat":
            findings.leave_out(word.isin(GONE), "gone", cells)
        findings.leave_out(word.isin(TAKEN.get(name, ())), "taken", name + ": " + cells)
        found[KEPT_AS[name]] = word
    return found


def _points(opened: Opened) -> pd.Series[str]:
    """Points as WKT; the standard writes « lon, lat »."""
    cells = opened.cells(("site_geompoint", *POINT_NAMES))
    pair = cells.str.extract(r"^\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*$")
    written = "POINT (" + pair[0] + " " + pair[1] + ")"
    return cells.where(pair[0].isna(), written)


def _from_geojson(cells: pd.Series[str]) -> NDArray[np.object_] | None:
    """Outlines in EPSG:2154 from GeoJSON texts (degrees); None where no cell holds one."""
    texts = cells.str.replace('\\"', '"', regex=False)  # CNIG's example escapes its quotes
    written = texts.str.startswith("{").to_numpy()
    if not written.any():
        return None
    plain = texts.to_numpy(dtype=object, copy=True)
    plain[~written] = None
    shapes: NDArray[np.object_] = shapely.from_geojson(plain, on_invalid="ignore")
    usable = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    shapes[~usable] = None
    if usable.any():
        flat = shapely.force_2d(shapes[usable])
        shapes[usable] = shapely.transform(flat, locating.to_metres)
    return shapes


def _dates(opened: Opened) -> pd.Series[str]:
    dates = values.iso_dates(opened.cells(DATE_NAMES))
    return dates.where(dates != "")


def _number(value: float) -> str:
    return f"{value:.9f}" if np.isfinite(value) else ""


def _areas(opened: Opened, places: locating.Places, findings: Findings) -> pd.Series[float]:
    """Area in m²: of the outline, else the one stated."""
    index = opened.frame.index
    square = values.numbers(opened.cells(AREA_NAMES))
    hectares = values.numbers(opened.cells(AREA_HA_NAMES)) * M2_PER_HA
    stated = hectares.where(hectares.notna(), square)
    outline = pd.Series(shapely.area(places.polygons.to_numpy()), index=index)
    area_m2 = outline.where(outline > 0, stated)
    findings.leave_out(area_m2.isna(), "no_area", opened.cells(AREA_NAMES))
    findings.leave_out(true_at(index, ~(area_m2 > 0)), "wrong_area", opened.cells(AREA_NAMES))
    return area_m2
