"""A small inventory and the communes around it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from pyproj import Transformer

WriteInventory = Callable[..., Path]

DEFAULTS = {
    "site_nom": "Usine",
    "site_statut": "friche sans projet",
    "comm_insee": "01001",
    "unite_fonciere_surface": "20000",
    "sol_pollution_existe": "inconnu",
    "site_type": "friche industrielle",
    "bati_etat": "inconnu",
    "urba_zone_type": "U",
    "site_actu_date": "2024-01-01",
    "nom_prodcartofriches": "EPF Test",
    "tup_ids": "",
}


def degrees(x_m: float, y_m: float) -> tuple[str, str]:
    """lon, lat as an inventory writes them."""
    lon, lat = Transformer.from_crs(2154, 4326, always_xy=True).transform(x_m, y_m)
    return f"{lon:.7f}", f"{lat:.7f}"


@pytest.fixture(scope="session")
def communes() -> gpd.GeoDataFrame:
    """01001 to 01004 on a square of 5 km, and 75056 (Paris) farther off."""
    points = gpd.points_from_xy(
        [600_000, 605_000, 600_000, 605_000, 650_000],
        [6_600_000, 6_600_000, 6_605_000, 6_605_000, 6_640_000],
    )
    codes = ["01001", "01002", "01003", "01004", "75056"]
    return gpd.GeoDataFrame({"code_insee": codes}, geometry=points, crs="EPSG:2154")


@pytest.fixture
def inventory(tmp_path: Path) -> WriteInventory:
    """Write rows (dicts; x, y in metres give lon, lat) as a national CSV."""

    def write(*rows: dict[str, object], separator: str = ",", encoding: str = "utf-8") -> Path:
        full = []
        for number, row in enumerate(rows):
            cells: dict[str, object] = {"site_id": f"S{number}", **DEFAULTS, **row}
            x, y = float(str(cells.pop("x", 600_100))), float(str(cells.pop("y", 6_600_100)))
            lon, lat = degrees(x, y)
            full.append({"lon": lon, "lat": lat, **cells})
        path = tmp_path / "friches.csv"
        columns = list(dict.fromkeys(name for row in full for name in row))
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.DictWriter(stream, columns, delimiter=separator, restval="")
            writer.writeheader()
            writer.writerows(full)
        return path

    return write
