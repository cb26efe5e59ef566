"""A data pack small enough to check by hand: 12 communes, 24 square sites, one road grid.

Communes stand every 10 km on a grid of 4 columns and 3 rows; the two left columns are region 11,
the two right ones region 24; each column is an EPCI. Every commune has two sites of 300 × 300 m
(9 ha): a brownfield 1 km east of its point and an extension 1 km north. Land use: the western
part of each footprint is built (CS1.1.1.1 US2), the rest is farmland (CS2.2.1 US1.1).
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.transform import from_origin
from shapely import LineString, Point, box

from siteselect.pack import DataPack, Layer, Manifest, open_pack, sha256_of, write_manifest
from siteselect.units import CRS

X0, Y0, STEP_M = 600_000.0, 6_600_000.0, 10_000.0
COLUMNS, ROWS = 4, 3
BUILT, FARM = 1, 2
SIDE_M = 300.0
ROLES = {
    "communes": "communes.parquet",
    "labour": "labour.parquet",
    "outlines": "outlines.parquet",
    "road_nodes": "road_nodes.parquet",
    "road_edges": "road_edges.parquet",
    "rail": "rail.parquet",
    "facilities": "facilities.parquet",
    "sites": "sites.parquet",
    "restoration": "restoration.parquet",
    "landuse": "landuse.tif",
    "landuse_legend": "landuse_legend.csv",
    "territories": "territories.parquet",
    "shares": "shares.parquet",
}
"""Files of the pack; those that are not there have no layer."""
SCOT = {
    "501": ("SCoT Ouest", ("01000", "01001", "01002", "02003", "02004")),
    "502": ("SCoT Est", ("02005", "03006", "03007", "03008")),
}
"""Code → name, communes. The three communes of the last column are in no SCoT."""


def build_tiny_pack(folder: Path) -> DataPack:
    """Write the pack into ``folder`` and open it."""
    folder.mkdir(parents=True, exist_ok=True)
    communes = _communes()
    communes.to_parquet(folder / "communes.parquet")
    labour = pd.DataFrame(
        {"code_insee": communes["code_insee"], "labour_force": np.arange(12) * 1_000 + 1_000}
    )
    labour.to_parquet(folder / "labour.parquet")
    _outlines().to_parquet(folder / "outlines.parquet")
    _roads(folder)
    rail = gpd.GeoDataFrame(geometry=[LineString([(X0, Y0 - 2_000), (X0 + 30_000, Y0 - 2_000)])])
    rail.set_crs(CRS).to_parquet(folder / "rail.parquet")
    _facilities().to_parquet(folder / "facilities.parquet")
    sites = _sites(communes)
    sites.to_parquet(folder / "sites.parquet")
    parcels = _parcels(communes)
    parcels.to_parquet(folder / "restoration.parquet")
    _raster(folder / "landuse.tif", sites)
    (folder / "landuse_legend.csv").write_text(
        "value,code_cs,code_us,label\n1,CS1.1.1.1,US2,bâti\n2,CS2.2.1,US1.1,culture\n",
        encoding="utf-8",
    )
    return seal(folder)


def seal(folder: Path, *, without: tuple[str, ...] = ()) -> DataPack:
    """Write the manifest for the files as they are now (after a test changed some)."""
    layers = tuple(
        Layer(
            role=role,
            file=file,
            title=f"{role} (essai)",
            licence="CC0-1.0",
            attribution="siteselect",
            vintage="2026",
            sha256=sha256_of(folder / file),
            simulated=role == "labour",
        )
        for role, file in ROLES.items()
        if role not in without and (folder / file).is_file()
    )
    write_manifest(Manifest(name="tiny", title="Paquet d'essai", crs=CRS, layers=layers), folder)
    return open_pack(folder)


def add_scot(folder: Path) -> DataPack:
    """Add the list of the two SCoT to a tiny pack."""
    rows = [("scot", code, name, one) for code, (name, own) in SCOT.items() for one in own]
    table = pd.DataFrame(rows, columns=["kind", "code", "name", "code_insee"])
    table.to_parquet(folder / "territories.parquet", index=False)
    return seal(folder)


def add_straddling(folder: Path) -> DataPack:
    """E-03 (commune 02003, region 11) lies for 30 % in 03006, which is in region 24."""
    sites = pd.read_parquet(folder / "sites.parquet", columns=["site_id", "code_insee"])
    shares = sites.assign(share=1.0)
    shares.loc[shares["site_id"] == "E-03", "share"] = 0.7
    more = pd.DataFrame({"site_id": ["E-03"], "code_insee": ["03006"], "share": [0.3]})
    pd.concat([shares, more]).to_parquet(folder / "shares.parquet", index=False)
    return seal(folder)


def _communes() -> gpd.GeoDataFrame:
    rows = []
    for column in range(COLUMNS):
        for row in range(ROWS):
            number = column * ROWS + row
            region = "11" if column < 2 else "24"
            rows.append(
                {
                    "code_insee": f"{column + 1:02d}{number:03d}",
                    "name": f"Commune {number}",
                    "population": 2_000 * (number + 1),
                    "epci": f"2000000{column:02d}",
                    "epci_name": f"CC {column}",
                    "departement": f"{column + 1:02d}",
                    "departement_name": f"Département {column}",
                    "region": region,
                    "region_name": "Gauche" if region == "11" else "Droite",
                    "geometry": Point(X0 + column * STEP_M, Y0 + row * STEP_M),
                }
            )
    frame = gpd.GeoDataFrame(rows, crs=CRS)
    return frame.astype({"population": "Int64"})


def _outlines() -> gpd.GeoDataFrame:
    west = box(X0 - 5_000, Y0 - 5_000, X0 + 15_000, Y0 + 25_000)
    east = box(X0 + 15_000, Y0 - 5_000, X0 + 35_000, Y0 + 25_000)
    return gpd.GeoDataFrame(
        {"level": ["region"] * 2, "code": ["11", "24"], "name": ["Gauche", "Droite"]},
        geometry=[west, east],
        crs=CRS,
    )


def _roads(folder: Path) -> None:
    """A grid through all communes."""
    nodes = pd.DataFrame(
        [
            (X0 + column * STEP_M, Y0 + row * STEP_M)
            for column in range(COLUMNS)
            for row in range(ROWS)
        ],
        columns=["x", "y"],
    )
    ends = [
        (column * ROWS + row, other)
        for column in range(COLUMNS)
        for row in range(ROWS)
        for other in (
            *([column * ROWS + row + 1] if row + 1 < ROWS else []),
            *([(column + 1) * ROWS + row] if column + 1 < COLUMNS else []),
        )
    ]
    edges = pd.DataFrame(ends, columns=["tail", "head"]).astype("int32")
    edges["length_m"] = STEP_M
    edges["road_class"] = "unclassified"
    edges["oneway"] = False
    nodes.to_parquet(folder / "road_nodes.parquet")
    edges.to_parquet(folder / "road_edges.parquet")


def _facilities() -> gpd.GeoDataFrame:
    where = {
        "motorway": (0, 0),
        "rail_freight": (1, 0),
        "port": (3, 2),
        "airport": (2, 1),
        "station": (0, 2),
        "substation": (1, 1),
    }
    return gpd.GeoDataFrame(
        {
            "facility_id": [f"F-{name}" for name in where],
            "facility_class": list(where),
            "name": list(where),
        },
        geometry=[Point(X0 + c * STEP_M, Y0 + r * STEP_M) for c, r in where.values()],
        crs=CRS,
    )


def _sites(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows = []
    for commune in communes.itertuples():
        x, y = commune.geometry.x, commune.geometry.y
        for kind, dx, dy in (("brownfield", 1_000.0, 0.0), ("extension", 0.0, 1_000.0)):
            number = commune.Index
            rows.append(
                {
                    "site_id": f"{kind[0].upper()}-{number:02d}",
                    "name": f"{kind} {number}",
                    "kind": kind,
                    "code_insee": commune.code_insee,
                    "area_ha": 9.0,
                    "status_source": "friche sans projet" if kind == "brownfield" else None,
                    "geometry_origin": "polygon",
                    "stated_pollution": None,
                    "stated_buildings": None,
                    "source": "essai",
                    "geometry": box(x + dx, y + dy, x + dx + SIDE_M, y + dy + SIDE_M),
                }
            )
    return gpd.GeoDataFrame(rows, crs=CRS)


def _parcels(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One parcel of 5 ha a commune, 300 k€/ha; the first lies on the brownfield B-00."""
    rows = [
        {
            "parcel_id": f"P-{commune.Index:02d}",
            "name": f"Parcelle {commune.Index}",
            "code_insee": commune.code_insee,
            "area_ha": 5.0,
            "cost_keur": 1_500,
            "site_id": "B-00" if commune.Index == 0 else None,
            "geometry": box(
                commune.geometry.x - 500,
                commune.geometry.y,
                commune.geometry.x - 250,
                commune.geometry.y + 200,
            ),
        }
        for commune in communes.itertuples()
    ]
    return gpd.GeoDataFrame(rows, crs=CRS)


def built_columns(site_id: str) -> int:
    """Columns of pixels (of 30) that are built: brownfields 24, extensions 6."""
    return 24 if site_id.startswith("B") else 6


def _raster(path: Path, sites: gpd.GeoDataFrame) -> None:
    west, south, east, north = X0 - 2_000, Y0 - 2_000, X0 + 34_000, Y0 + 24_000
    height, width = int((north - south) / 10), int((east - west) / 10)
    codes = np.zeros((height, width), dtype=np.uint8)
    for site in sites.itertuples():
        left, _, _, top = site.geometry.bounds
        column, row = round((left - west) / 10), round((north - top) / 10)
        codes[row : row + 30, column : column + 30] = FARM
        codes[row : row + 30, column : column + built_columns(site.site_id)] = BUILT
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "width": width, "height": height,
        "crs": CRS, "transform": from_origin(west, north, 10, 10), "nodata": 0, "tiled": True,
        "blockxsize": 512, "blockysize": 512, "compress": "deflate",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(codes, 1)
