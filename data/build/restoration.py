"""Simulated parcels that may be restored (renaturation), some of them whole brownfields."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.build.communes import Communes
from data.build.names import numbered, parcel_name
from data.build.shapes import draw_areas_ha, draw_footprint, radius_m
from data.build.sites import Occupied, find_place
from siteselect.units import AREA_UNITS_PER_HA, CRS, M2_PER_HA

FREE_PARCELS = 780
FREE_PER_REGION = 15
ON_SITES = 160
ON_SITES_PER_REGION = 3
LOW_HA, HIGH_HA = 1.0, 40.0
UNIT_COST_KEUR = (600.0, 2000.0)
UNIT_COST_ON_SITES_KEUR = (900.0, 3000.0)
"""k€ per hectare, an assumption: unsealing and rebuilding a soil costs 60 to 300 €/m²; demolition
and pollution make a brownfield dearer than a car park. Cheaper than that, paving a field and
restoring elsewhere would always beat reusing a brownfield, which no one who has done it finds."""


def simulate_restoration(
    sites: gpd.GeoDataFrame,
    communes: Communes,
    context: pd.DataFrame,
    rng: np.random.Generator,
    occupied: Occupied,
) -> gpd.GeoDataFrame:
    """Parcels of 1 to 40 ha in every region; ``area_ha`` is what may be restored.

    The land under a parcel is wholly artificialised in the raster, so that its whole area,
    rounded down to 0.01 ha, can be deducted.
    """
    on_sites = _on_sites(sites, context, rng)
    free = _free(communes, context, rng, occupied)
    frame = gpd.GeoDataFrame(pd.concat([free, on_sites], ignore_index=True), crs=CRS)
    frame["name"] = numbered(frame["name"].tolist())
    frame["area_ha"] = floor_ha(shapely.area(frame.geometry.to_numpy()))
    frame["cost_keur"] = cost_keur(frame["area_ha"], frame["site_id"].notna(), rng)
    frame.insert(0, "parcel_id", [f"FR-SIM-R-{n:05d}" for n in range(1, len(frame) + 1)])
    columns = ["parcel_id", "name", "code_insee", "area_ha", "cost_keur", "site_id", "geometry"]
    return frame[columns]


def floor_ha(area_m2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square metres → hectares rounded down to 0.01: a credit is never overstated."""
    units = np.floor(np.asarray(area_m2) / M2_PER_HA * AREA_UNITS_PER_HA + 1e-6)
    area_ha: NDArray[np.float64] = np.round(units / AREA_UNITS_PER_HA, 2)
    return area_ha


def cost_keur(
    area_ha: pd.Series, on_site: pd.Series, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Whole k€: a unit cost drawn per parcel × its area."""
    unit = np.where(
        on_site,
        rng.uniform(*UNIT_COST_ON_SITES_KEUR, len(area_ha)),
        rng.uniform(*UNIT_COST_KEUR, len(area_ha)),
    )
    total: NDArray[np.int64] = np.rint(unit * area_ha.to_numpy()).astype(np.int64)
    return total


def _on_sites(
    sites: gpd.GeoDataFrame, context: pd.DataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    fit = sites[
        (sites["kind"] == "brownfield")
        & sites["area_ha"].between(LOW_HA + 0.02, HIGH_HA)
        & sites["status_source"].isin(["friche potentielle", "friche sans projet"])
    ]
    region = fit["code_insee"].map(context.set_index("code_insee")["region"])
    picked: list[int] = []
    for code in sorted(region.unique()):
        rows = fit.index[(region == code).to_numpy()].to_numpy()
        picked += rng.choice(rows, min(ON_SITES_PER_REGION, len(rows)), replace=False).tolist()
    others = fit.index.difference(picked).to_numpy()
    picked += rng.choice(others, ON_SITES - len(picked), replace=False).tolist()
    chosen = sites.loc[sorted(picked)]
    return gpd.GeoDataFrame(
        {
            "name": [
                name.replace("Friche", "Renaturation de la friche", 1) for name in chosen["name"]
            ],
            "code_insee": chosen["code_insee"].to_numpy(),
            "site_id": chosen["site_id"].to_numpy(),
        },
        geometry=chosen.geometry.to_numpy(),
        crs=CRS,
    )


def _free(
    communes: Communes, context: pd.DataFrame, rng: np.random.Generator, occupied: Occupied
) -> gpd.GeoDataFrame:
    weight = context["population"].to_numpy() ** 0.6
    regions = context["region"].to_numpy()
    picked = [
        rng.choice(rows, FREE_PER_REGION, p=weight[rows] / weight[rows].sum())
        for code in sorted(set(regions))
        for rows in [np.flatnonzero(regions == code)]
    ]
    rest = FREE_PARCELS - sum(map(len, picked))
    picked.append(rng.choice(len(context), rest, p=weight / weight.sum()))
    areas = draw_areas_ha(FREE_PARCELS, rng, mu=1.1, sigma=1.1, low=LOW_HA + 0.05, high=HIGH_HA)
    records: list[dict[str, object]] = []
    for row, area_ha in zip(np.concatenate(picked), areas, strict=True):
        commune = context.iloc[int(row)]
        shape = draw_footprint(float(area_ha), rng)
        spread_m = max(0.5 * commune["radius_m"], radius_m(shape))
        polygon = communes.shapes[commune["code_insee"]]
        centre = (commune["x"], commune["y"])
        placed = find_place(shape, polygon, centre, spread_m, rng, occupied)
        if placed is not None:
            name = parcel_name(commune["name"], rng)
            records.append({"name": name, "code_insee": commune["code_insee"], "geometry": placed})
    frame = gpd.GeoDataFrame(pd.DataFrame(records), geometry="geometry", crs=CRS)
    frame["site_id"] = None
    return frame
