"""Candidate sites: territories joined, and for each site the reason why it may not be chosen.

No site is dropped: the selection committee receives the excluded list with its reasons too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.scenario import CandidateSettings
from siteselect.schemas import SITE_STATUSES, check_crs, examples
from siteselect.territories import TERRITORY_COLUMNS, territory_columns
from siteselect.units import M2_PER_HA

RECONVERTED = "friche reconvertie"
UNKNOWN_STATUS = "inconnu"
"""CNIG word for a status that nobody stated; a missing status is read as this one."""
AREA_TOLERANCE_HA = 1e-6
"""A disc of exactly 1 ha measures 0.9999999999 ha: not under a bound of 1 ha."""


def prepare_candidates(
    sites: gpd.GeoDataFrame,
    communes: pd.DataFrame,
    settings: CandidateSettings,
    *,
    file: Path | str | None = None,
) -> gpd.GeoDataFrame:
    """Every site with its territories and its reason of exclusion, sorted by ``site_id``.

    Parameters
    ----------
    sites, communes
        tables of the pack (docs/architecture.md), already checked by
        :func:`siteselect.schemas.check_table`; the communes with their SCoT where the pack knows
        them (:func:`siteselect.territories.communes_with_scot`).
    settings
        which kinds, statuses and sizes the scenario admits.
    file
        where the sites come from, for the messages.

    Returns
    -------
    GeoDataFrame
        one row a site, none dropped, a fresh index 0..n-1, EPSG:2154. ``area_ha`` is measured
        on the footprint and ``stated_area_ha`` what the source says; territory columns
        commune, epci, epci_name, departement, departement_name, region, region_name, and scot,
        scot_name where the communes have them (never a column that the inventory calls so);
        ``excluded_reason`` holds a :class:`~siteselect.messages.Msg`, or None for a site that
        may be chosen (the first that applies: kind, status, exclusion zone, size).

    Raises
    ------
    InputError
        the sites are not in EPSG:2154, a site's commune is unknown, or the scenario admits a
        status that the CNIG standard does not have.
    """
    log = FaultLog()
    check_crs(sites, log, file=file)
    _check_statuses(settings.statuses, sites, log)
    _check_communes(sites, communes, log, file)
    log.check()
    ordered = sites.sort_values("site_id", kind="stable").reset_index(drop=True)
    placed = _with_territories(ordered, communes)
    return _exclude(_dated(placed, settings, log), settings)


def _dated(sites: gpd.GeoDataFrame, settings: CandidateSettings, log: FaultLog) -> gpd.GeoDataFrame:
    """With ``available_year`` (Int64) where the pack or the scenario gives one."""
    stated = settings.available_year
    if "available_year" not in sites and not stated:
        return sites
    known = set(sites["site_id"])
    for site_id in sorted(set(stated) - known):
        near = nearest_name(site_id, known)
        log.add(
            Msg("nothing in the pack has this identifier"),
            where="candidates.available_year",
            value=site_id,
            remedy=Msg("did you mean {near}?", near=near) if near else Msg("correct or remove it"),
        )
    log.check()
    year = sites.get("available_year", pd.Series(pd.NA, index=sites.index))
    own = sites["site_id"].map(stated)
    sites["available_year"] = own.where(own.notna(), year).astype("Int64")
    return sites


def _check_statuses(statuses: Sequence[str], sites: pd.DataFrame, log: FaultLog) -> None:
    known = set(SITE_STATUSES)
    if "status_source" in sites:
        known |= set(sites["status_source"].dropna())
    for status in statuses:
        if status not in known:
            near = nearest_name(status, sorted(known)) or SITE_STATUSES[0]
            log.add(
                Msg("no site has this status, and the CNIG standard does not know it"),
                where="candidates.statuses",
                value=status,
                remedy=Msg("did you mean {near}?", near=near),
            )


def _check_communes(
    sites: pd.DataFrame, communes: pd.DataFrame, log: FaultLog, file: Path | str | None
) -> None:
    unknown = ~sites["code_insee"].isin(communes["code_insee"])
    if unknown.any():
        log.add(
            Msg("{count} sites lie in a commune that the pack does not have", count=unknown.sum()),
            file=file,
            where=examples(sites.loc[unknown, "site_id"]),
            value=examples(sites.loc[unknown, "code_insee"].astype(str).unique()),
            remedy=Msg("correct code_insee (text, 5 characters, current codes)"),
        )


def _with_territories(sites: gpd.GeoDataFrame, communes: pd.DataFrame) -> gpd.GeoDataFrame:
    result = sites.copy()
    result["stated_area_ha"] = sites["area_ha"]
    result["area_ha"] = sites.geometry.area.to_numpy() / M2_PER_HA
    known = territory_columns(communes)
    result = result.drop(
        columns=[there for here, there in TERRITORY_COLUMNS.items() if here not in known],
        errors="ignore",
    )
    territories = communes.set_index("code_insee")[list(known)]
    for source, target in known.items():
        result[target] = result["code_insee"].map(territories[source])
    return result


def _exclude(sites: gpd.GeoDataFrame, settings: CandidateSettings) -> gpd.GeoDataFrame:
    """Adds ``excluded_reason``; the first rule that applies wins."""
    reasons = np.full(len(sites), None, dtype=object)
    for rows, reason in _rules(sites, settings):
        for row in np.flatnonzero(rows & (reasons == None)):  # noqa: E711 - elementwise
            reasons[row] = reason(int(row))
    sites["excluded_reason"] = pd.Series(reasons, index=sites.index, dtype=object)
    return sites


Rule = tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Callable[[int], Msg]]


def _rules(sites: gpd.GeoDataFrame, settings: CandidateSettings) -> list[Rule]:
    """(rows concerned, row → reason), in order of precedence."""
    kind = sites["kind"].to_numpy(dtype=object)
    status = _statuses(sites)
    area_ha = sites["area_ha"].to_numpy(dtype=float)
    piece_ha = _largest_piece_ha(sites) if settings.min_contiguous_ha > 0 else area_ha
    brownfield = kind == "brownfield"
    unwanted = brownfield & ~np.isin(status, list(settings.statuses))
    least, most = settings.min_area_ha, settings.max_area_ha
    excluded_by = _excluded_by(sites)
    return [
        (
            ~np.isin(kind, list(settings.kinds)),
            lambda row: Msg("kind not admitted by the scenario: {kind}", kind=kind_name(kind[row])),
        ),
        (
            unwanted & (status == RECONVERTED),
            lambda row: Msg("brownfield already reconverted"),
        ),
        (
            unwanted & (status == UNKNOWN_STATUS),
            lambda row: Msg("status not stated by the source, so not admitted by the scenario"),
        ),
        (
            unwanted,
            lambda row: Msg("status not admitted by the scenario: {status}", status=status[row]),
        ),
        (
            excluded_by != "",
            lambda row: Msg("lies in an exclusion zone: {zones}", zones=excluded_by[row]),
        ),
        (
            area_ha < least - AREA_TOLERANCE_HA,
            lambda row: Msg(
                "footprint of {area_ha:.2f} ha, under the least admitted, {least_ha:g} ha",
                area_ha=float(area_ha[row]),
                least_ha=least,
            ),
        ),
        (
            piece_ha < settings.min_contiguous_ha - AREA_TOLERANCE_HA,
            lambda row: Msg(
                "its largest piece has {area_ha:.2f} ha, under the least admitted, {least_ha:g} ha",
                area_ha=float(piece_ha[row]),
                least_ha=settings.min_contiguous_ha,
            ),
        ),
        (
            area_ha > most + AREA_TOLERANCE_HA,
            lambda row: Msg(
                "footprint of {area_ha:.2f} ha, over the most admitted, {most_ha:g} ha",
                area_ha=float(area_ha[row]),
                most_ha=most,
            ),
        ),
    ]


def _largest_piece_ha(sites: gpd.GeoDataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Area of the largest connected piece of each footprint (pieces that touch along a line are
    one), ha.
    """
    whole = sites.geometry.buffer(0)
    pieces = whole.explode(index_parts=False)
    largest = pieces.area.groupby(level=0).max().reindex(sites.index)
    return np.asarray(largest.to_numpy(dtype=float) / M2_PER_HA)


def _excluded_by(sites: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Kinds of exclusion zone that each site lies in, as the pack was built; "" for none."""
    if "excluded_by" not in sites:
        return np.full(len(sites), "", dtype=object)
    return sites["excluded_by"].astype(object).fillna("").to_numpy(dtype=object)


def _statuses(sites: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    if "status_source" not in sites:
        return np.full(len(sites), UNKNOWN_STATUS, dtype=object)
    return sites["status_source"].astype(object).fillna(UNKNOWN_STATUS).to_numpy(dtype=object)


def kind_name(kind: str) -> Msg:
    """The word for a kind of site, translatable."""
    return {
        "brownfield": Msg("brownfield"),
        "extension": Msg("extension of a business park"),
        "greenfield": Msg("greenfield"),
    }[kind]
