"""Candidate sites of a pack: every inventory of the plan in one table, and what lies on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from siteselect.schemas import check_table
from siteselect.sources.applications import read_applications
from siteselect.sources.cartofriches import read_cartofriches
from siteselect.sources.covered import MAX_MISSING_SHARE, covered_share
from siteselect.sources.economic_sites import read_economic_sites
from siteselect.sources.exclusions import mark
from siteselect.sources.findings import REPORT_COLUMNS
from siteselect.sources.layers import LayerWriter
from siteselect.sources.plan import Input, Plan
from siteselect.sources.straddling import commune_shares, contiguous_ha
from siteselect.territories import SCOT
from siteselect.units import CRS, M2_PER_HA

Progress = Callable[[str, float], None]

SHARES = "shares.parquet"
SITE_ROLES = ("friches", "economic_sites", "applications")
DIFFERS = 0.2
"""An area stated that differs by more than this from that of the outline is told."""


@dataclass(frozen=True)
class _Read:
    sites: gpd.GeoDataFrame
    report: pd.DataFrame
    rows: int
    details: pd.DataFrame | None = None


def read_all_sites(
    plan: Plan,
    folder: Path,
    *,
    communes: gpd.GeoDataFrame,
    contours: gpd.GeoDataFrame | None,
    core: frozenset[str],
    near: frozenset[str],
    landuse: Path | None,
    zones: gpd.GeoDataFrame | None,
    members: pd.DataFrame | None,
    writer: LayerWriter,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Read the inventories of a plan and write the layers ``sites`` and ``shares``.

    Sites outside the area (``core``: codes of its communes; ``near``: those and the ones around
    that the pack keeps, between which footprints are split), with an identifier already read
    from an earlier file, or (``area.under_raster``) not covered by the land cover are left out
    and reported. Zones mark sites with ``excluded_by`` and ``flagged_by``; ``contiguous_ha`` is
    the largest part in one piece; for each kind of territory in ``members`` but the SCoT, the
    column of that name holds the territory of the site's commune, and ``<kind>_code`` its code.

    Returns
    -------
    GeoDataFrame
        the table ``sites``; empty when no site remains (nothing is written then).
    """
    inputs = [one for role in SITE_ROLES for one in plan.of(role)]
    tables: list[gpd.GeoDataFrame] = []
    details: list[pd.DataFrame] = []
    seen: set[str] = set()
    rows = 0
    for one in inputs:
        read = _read(one, folder, communes, contours, progress)
        rows += read.rows
        sites, lost = read.sites, []
        for column, issue in (
            (~sites["code_insee"].isin(list(core)), "outside_area"),
            (sites["site_id"].isin(list(seen)), "repeated_site_id"),
        ):
            drop = column.reindex(sites.index)
            lost.append(_left_out(sites[drop], issue, sites.loc[drop, "code_insee"]))
            sites = sites[~drop]
        if plan.area.under_raster and landuse is not None and len(sites):
            share = covered_share(sites, landuse)
            bare = pd.Series(share < 1.0 - MAX_MISSING_SHARE, index=sites.index)
            told = pd.Series(share, index=sites.index).map("{:.0%}".format).astype("str")
            lost.append(_left_out(sites[bare], "not_covered", told[bare]))
            sites = sites[~bare]
        seen |= set(sites["site_id"])
        writer.report(pd.concat([read.report, *lost, _areas(sites)], ignore_index=True), one)
        tables.append(sites)
        if read.details is not None:
            details.append(read.details[read.details["site_id"].isin(sites["site_id"])])
    kept = [table for table in tables if len(table)]
    if not kept:
        return tables[0].iloc[:0] if tables else gpd.GeoDataFrame({"site_id": []})
    joined = gpd.GeoDataFrame(pd.concat(kept, ignore_index=True), crs=CRS)
    joined = joined.sort_values("site_id", ignore_index=True)
    joined["contiguous_ha"] = contiguous_ha(joined.geometry.to_numpy())
    if zones is not None:
        joined = mark(joined, zones)
    if members is not None:
        joined = _with_members(joined, members)
    check_table(joined, "sites", communes=core)
    _write(joined, inputs, rows, writer)
    if details:
        writer.table(
            "site_details", pd.concat(details, ignore_index=True).astype("str"), inputs[0],
            file="site_details.parquet", title="Champs du standard CNIG friches",
        )  # fmt: skip
    if contours is not None:
        shares = commune_shares(joined, contours[contours["code_insee"].isin(list(near))])
        several = int((shares.groupby("site_id").size() > 1).sum())
        writer.table(
            "shares", shares, None, file=SHARES, title="Part de chaque site par commune",
            note=f"{several} sites à cheval sur plusieurs communes.",
        )  # fmt: skip
    return joined


def site_communes(sites: pd.DataFrame, writer: LayerWriter) -> tuple[str, ...]:
    """Codes of the communes that a site lies in, in part at least."""
    codes = set(sites["code_insee"]) if len(sites) else set()
    path = writer.folder / SHARES
    if path.is_file():
        codes |= set(pd.read_parquet(path, columns=["code_insee"])["code_insee"])
    return tuple(sorted(codes))


def _with_members(sites: gpd.GeoDataFrame, members: pd.DataFrame) -> gpd.GeoDataFrame:
    """Territories of each kind, by the commune of the site; several are joined by a semicolon."""
    result = sites.copy()
    others = members[members["kind"] != SCOT]  # joined to the sites of every run, as the EPCI is
    for kind, rows in others.groupby("kind"):
        by_commune = rows.groupby("code_insee")[["name", "code"]].agg("; ".join)
        for source, column in (("name", str(kind)), ("code", f"{kind}_code")):
            if column not in sites:  # never over a column of the sites themselves
                result[column] = sites["code_insee"].map(by_commune[source]).astype("str")
    return result


def _read(
    one: Input,
    folder: Path,
    communes: gpd.GeoDataFrame,
    contours: gpd.GeoDataFrame | None,
    progress: Progress | None,
) -> _Read:
    path = folder / one.file
    if one.role == "friches":
        found = read_cartofriches(
            path,
            communes,
            contours=contours,
            columns=one.columns,
            layer=one.layer,
            progress=progress,
        )
        return _Read(found.sites, found.report, found.rows, found.details)
    reader = read_economic_sites if one.role == "economic_sites" else read_applications
    part = reader(path, one, communes, contours)
    return _Read(part.table, part.report, part.rows)


def _left_out(sites: pd.DataFrame, issue: str, values: pd.Series) -> pd.DataFrame:
    """Lines of report of sites that were read and are not kept (their row is in the reader's)."""
    table = pd.DataFrame(
        {
            "row": 0,
            "site_id": sites["site_id"].to_numpy(),
            "issue": issue,
            "value": values.astype("str").to_numpy(),
            "action": "left_out",
        }
    )
    return table.astype({name: "str" for name in REPORT_COLUMNS if name != "row"})


def _areas(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """Outlines whose area is not the one stated."""
    measured_ha = sites.geometry.area / M2_PER_HA
    stated_ha = sites["area_ha"].astype(float)
    differs = (measured_ha - stated_ha).abs() > DIFFERS * np.maximum(measured_ha, stated_ha)
    chosen = sites[differs]
    stated_text, measured_text = (
        area[differs].map("{:.2f} ha".format).astype("str") for area in (stated_ha, measured_ha)
    )
    told = stated_text + " / " + measured_text
    table = _left_out(chosen, "area_differs", told)
    return table.assign(action="kept")


def _write(sites: gpd.GeoDataFrame, inputs: list[Input], rows: int, writer: LayerWriter) -> None:
    discs = int((sites["geometry_origin"] == "disc").sum())
    dates = sites["stated_date"].dropna() if "stated_date" in sites else pd.Series(dtype="str")
    first = inputs[0].model_copy(
        update={
            "file": ", ".join(one.file for one in inputs),
            "title": ", ".join(one.title for one in inputs if one.title),
            "vintage": inputs[0].vintage or (str(dates.max()) if len(dates) else ""),
        }
    )
    note = (
        f"{len(sites)} sites retenus sur {rows} lignes ; {discs} emprises sont des disques de la "
        "surface déclarée."
    )
    writer.table(
        "sites", sites, first, file="sites.parquet",
        title="Sites candidats" + (" (emprises : disques)" if discs else ""),
        assumed=discs > 0, note=note,
    )  # fmt: skip
