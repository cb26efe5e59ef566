"""The railway lines of France, from OpenStreetMap through scgraph-data (ODbL)."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from data.build.networks import Network, inside, read_network, stitch
from siteselect.units import CRS

MARGIN_M = 2_000.0
GAP_M = 2_500.0
"""Wide enough for the 2.0 km that miss between Toulon and Nice."""


def load_rail(archive: Path, france: shapely.Geometry) -> Network:
    """The rail graph in France (2 km beyond coast and border: coordinates are coarse)."""
    whole = read_network(archive, "world_railways")
    clipped = whole.keep(inside(whole, france.buffer(MARGIN_M)))
    return stitch(clipped, gap_m=GAP_M)[0]


def rail_lines(network: Network) -> gpd.GeoDataFrame:
    """Edges merged into lines between junctions."""
    segments = shapely.linestrings(network.xy[np.column_stack([network.tail, network.head])])
    merged = shapely.line_merge(shapely.multilinestrings(segments))
    lines = shapely.normalize(shapely.get_parts(merged))
    ordered = sorted(lines, key=lambda line: tuple(line.coords[0]) + tuple(line.coords[-1]))
    return gpd.GeoDataFrame(geometry=ordered, crs=CRS)
