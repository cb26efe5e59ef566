"""Communes: ADMIN EXPRESS, any commune polygons, or a table of codes, names and coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened
from siteselect.sources.part import CODE_NAMES, NAME_NAMES, Part, codes_of, points_of, true_at
from siteselect.sources.placing import in_bounds
from siteselect.units import CRS

ALIASES = {
    "name": ("nom_com", "nom_commune", *NAME_NAMES),
    "population": ("population", "pop", "pmun", "pop_total"),
    "epci": ("epci", "siren_epci", "codes_siren_des_epci", "code_epci"),
    "epci_name": ("epci_name", "epci_nom", "nom_epci", "libepci"),
    "departement": ("departement", "insee_dep", "dep", "code_departement"),
    "departement_name": ("departement_name", "nom_dep", "departement_nom"),
    "region": ("region", "insee_reg", "reg", "code_region"),
    "region_name": ("region_name", "nom_reg", "region_nom"),
}
"""Column of the pack → its names in official files."""
RATE_NAMES = ("unemployment_rate", "taux_chomage", "taux_chomage_rp_1564", "chomage_2025t4")
"""Unemployment rate, %, which some files carry."""
OVERSEAS = ("97", "98")


@dataclass(frozen=True)
class ReadCommunes:
    """Communes as points for the pack, and their outlines where the file has them."""

    part: Part[gpd.GeoDataFrame]
    contours: gpd.GeoDataFrame | None


def read_communes(opened: Opened, base: gpd.GeoDataFrame) -> ReadCommunes:
    """Table ``communes`` of a pack.

    What the file does not have (names of EPCI, départements, regions) comes from ``base``, the
    communes of the base pack, by code. Overseas communes lie outside EPSG:2154 and are left out.

    Raises
    ------
    InputError
        no column holds INSEE codes.
    """
    opened.need(CODE_NAMES, what="the INSEE codes")
    findings = Findings(opened.cells(CODE_NAMES))
    codes = codes_of(opened, findings, what="the INSEE codes")
    index = opened.frame.index
    overseas = codes.str.startswith(OVERSEAS)
    findings.leave_out(overseas, "outside_france", codes)
    xy = points_of(opened, findings)
    lacking = ~np.isfinite(xy).all(axis=1)
    at = base.set_index("code_insee").geometry.reindex(codes)
    spare = np.column_stack([at.x.to_numpy(), at.y.to_numpy()])
    xy[lacking] = spare[lacking]
    findings.leave_out(true_at(index, ~np.isfinite(xy).all(axis=1)), "no_coordinates", codes)
    findings.leave_out(true_at(index, ~in_bounds(xy)), "outside_france", codes)
    again = codes.where(findings.kept).dropna().duplicated()
    findings.leave_out(again.reindex(index, fill_value=False), "repeated_code", codes)
    table = _table(opened, codes, base)
    kept = findings.kept.to_numpy()
    frame = gpd.GeoDataFrame(
        table[kept].reset_index(drop=True), geometry=gpd.points_from_xy(*xy[kept].T), crs=CRS
    )
    part = Part(
        frame.sort_values("code_insee", ignore_index=True),
        findings.report(opened.damaged),
        opened.rows,
    )
    return ReadCommunes(part, _contours(opened, codes, kept))


def _table(opened: Opened, codes: pd.Series[str], base: gpd.GeoDataFrame) -> pd.DataFrame:
    by_code = pd.DataFrame(base.drop(columns="geometry")).set_index("code_insee")
    columns: dict[str, pd.Series] = {"code_insee": codes}
    for ours, names in ALIASES.items():
        known = pd.Series(by_code[ours].reindex(codes).to_numpy(), index=codes.index)
        stated = values.present(opened.cells(names))
        if ours == "population":
            columns[ours] = (
                values.numbers(opened.cells(names)).fillna(known).round().astype("Int64")
            )
        elif ours == "epci":
            siren = stated.str.extract(r"(\d{9})", expand=False)  # several, joined by a slash
            columns[ours] = siren.where(siren.notna(), known).astype("str")
        else:
            columns[ours] = stated.where(stated.notna(), known).astype("str")
    columns["departement"] = columns["departement"].where(
        columns["departement"].notna(), codes.str[:2]
    )
    for level in ("departement", "region"):
        table = base[[level, f"{level}_name"]].drop_duplicates(level).set_index(level).iloc[:, 0]
        named = columns[f"{level}_name"]
        named = named.where(named.notna(), columns[level].map(table))
        columns[f"{level}_name"] = named.where(named.notna(), columns[level])
    columns["name"] = columns["name"].where(columns["name"].notna(), codes)
    rate = values.numbers(opened.cells(RATE_NAMES))
    if rate.notna().any():
        columns["unemployment_rate"] = rate
    return pd.DataFrame(columns)


def _contours(opened: Opened, codes: pd.Series[str], kept: np.ndarray) -> gpd.GeoDataFrame | None:
    if opened.geometry is None:
        return None
    rows = kept & np.isin(shapely.get_type_id(opened.geometry), (3, 6))
    if not rows.any():
        return None
    shapes = shapely.make_valid(opened.geometry[rows])
    return gpd.GeoDataFrame({"code_insee": codes.to_numpy()[rows]}, geometry=shapes, crs=CRS)
