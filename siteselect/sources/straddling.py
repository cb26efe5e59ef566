"""Footprints as they lie: largest part in one piece, and the territories that they straddle."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.units import M2_PER_HA

SLIVER_SHARE = 0.005
"""A share of a footprint under this is how outlines are drawn, not land in another commune."""
SHARE_COLUMNS = ("site_id", "code_insee", "share")


def contiguous_ha(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Hectares of the largest part in one piece: parts that share a side are one."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    area_m2 = shapely.area(parts)
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, of, area_m2)
    several = np.flatnonzero(np.bincount(of, minlength=len(shapes)) > 1)
    for row in several:
        merged = shapely.union_all(parts[of == row])
        largest[row] = max(shapely.area(shapely.get_parts(merged)).max(), largest[row])
    return largest / M2_PER_HA


def commune_shares(sites: gpd.GeoDataFrame, contours: gpd.GeoDataFrame) -> pd.DataFrame:
    """site_id, code_insee, share: how the area of each site is split between communes.

    Shares of a site sum to 1 (to rounding); a share under :data:`SLIVER_SHARE` goes to the
    others. A site that touches no outline belongs to the commune stated.
    """
    footprints = sites.geometry.to_numpy()
    outlines = contours.geometry.to_numpy()
    site, outline = shapely.STRtree(outlines).query(footprints, predicate="intersects")
    inside = shapely.contains_properly(outlines[outline], footprints[site])
    shared = np.where(inside, shapely.area(footprints[site]), 0.0)
    rest = ~inside
    shared[rest] = shapely.area(
        shapely.intersection(footprints[site[rest]], outlines[outline[rest]])
    )
    table = pd.DataFrame(
        {
            "site": site,
            "code_insee": contours["code_insee"].to_numpy()[outline],
            "area_m2": shared,
        }
    )
    table = table[table["area_m2"] > 0]
    total = table.groupby("site")["area_m2"].transform("sum")
    table = table[table["area_m2"] / total >= SLIVER_SHARE]
    table["share"] = table["area_m2"] / table.groupby("site")["area_m2"].transform("sum")
    alone = np.setdiff1d(np.arange(len(sites)), table["site"].unique())
    stated = pd.DataFrame(
        {"site": alone, "code_insee": sites["code_insee"].to_numpy()[alone], "share": 1.0}
    )
    joined = pd.concat([table, stated], ignore_index=True)
    joined["site_id"] = sites["site_id"].to_numpy()[joined["site"]]
    ordered = joined.sort_values(["site_id", "share", "code_insee"], ascending=[True, False, True])
    return ordered[list(SHARE_COLUMNS)].reset_index(drop=True).astype({"code_insee": "str"})
