"""Outlines of regions and départements for maps: dissolved communes, simplified together."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.build.communes import Communes
from siteselect.units import CRS

TOLERANCE_M = 600.0
"""Tolerance of the simplification (square root of the area that a vertex may cut off)."""
LLIVIA = shapely.Point(616_100, 6_152_400)
"""The Spanish enclave: the only hole of France that is not a gap in the polygons."""
SMALLEST_PART_M2 = 1e6
"""Islets under 1 km² and slivers between neighbours are not drawn."""


def build_outlines(communes: Communes) -> gpd.GeoDataFrame:
    """Regions and départements as multipolygons that share their borders exactly.

    The départements are simplified as one coverage (Visvalingam-Whyatt on shared edges), and
    regions are unions of the simplified départements: no gap, no overlap.
    """
    table = communes.table.drop_duplicates("departement").set_index("departement")
    shapes = dissolve_departements(communes)
    simple = shapely.coverage_simplify(shapes.to_numpy(), TOLERANCE_M)
    departements = gpd.GeoSeries([_tidy(shape) for shape in simple], index=shapes.index, crs=CRS)
    region_of = table.loc[departements.index, "region"]
    regions = {
        code: _tidy(shapely.union_all(departements[(region_of == code).to_numpy()].to_numpy()))
        for code in sorted(region_of.unique())
    }
    names = table.drop_duplicates("region").set_index("region")["region_name"]
    return gpd.GeoDataFrame(
        {
            "level": ["region"] * len(regions) + ["departement"] * len(departements),
            "code": [*regions, *departements.index],
            "name": [
                *names.loc[list(regions)],
                *table.loc[departements.index, "departement_name"],
            ],
        },
        geometry=[*regions.values(), *departements],
        crs=CRS,
    )


def dissolve_departements(communes: Communes) -> gpd.GeoSeries:
    """Unsimplified polygon of each département, without gaps inside France.

    Some polygons lack a commune that theirs has absorbed: such a gap goes to the département
    that surrounds it most. Enclaves of one département in another stay as they are.
    """
    departement = pd.Series(
        communes.table["departement"].to_numpy(), index=communes.table["code_insee"]
    )
    key = departement.loc[communes.shapes.index]
    parts = {code: communes.shapes[(key == code).to_numpy()] for code in sorted(key.unique())}
    shapes = {code: shapely.union_all(part.to_numpy()) for code, part in parts.items()}
    for gap in gaps(shapely.union_all(list(shapes.values()))):
        shared = {
            code: shapely.length(shapely.intersection(shape.boundary, gap.boundary))
            for code, shape in shapes.items()
            if shape.intersects(gap)
        }
        code = max(sorted(shared), key=shared.__getitem__)
        shapes[code] = shapes[code].union(gap)
    return gpd.GeoSeries(shapes, crs=CRS)


def gaps(france: shapely.Geometry) -> list[shapely.Polygon]:
    """The holes of a polygon of France, Llívia apart, largest first."""
    holes = [shapely.Polygon(ring) for part in _parts(france) for ring in part.interiors]
    found = [hole for hole in holes if not hole.contains(LLIVIA)]
    return sorted(found, key=lambda hole: -hole.area)


def _tidy(shape: shapely.Geometry) -> shapely.MultiPolygon:
    rounded = shapely.transform(shapely.make_valid(shape), np.rint)
    parts = [part for part in _parts(shapely.make_valid(rounded)) if part.area >= SMALLEST_PART_M2]
    return shapely.MultiPolygon(parts)


def _parts(shape: shapely.Geometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
