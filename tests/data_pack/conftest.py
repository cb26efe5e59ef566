"""The embedded pack and the code that builds it, importable from the source tree."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from siteselect.pack import DataPack, open_pack  # noqa: E402


@pytest.fixture(scope="session")
def pack() -> DataPack:
    return open_pack(ROOT / "data" / "france")


@pytest.fixture(scope="session")
def communes(pack: DataPack) -> gpd.GeoDataFrame:
    return pack.vectors("communes")


@pytest.fixture(scope="session")
def sites(pack: DataPack) -> gpd.GeoDataFrame:
    return pack.vectors("sites")


@pytest.fixture(scope="session")
def parcels(pack: DataPack) -> gpd.GeoDataFrame:
    return pack.vectors("restoration")


@pytest.fixture(scope="session")
def region_of(communes: gpd.GeoDataFrame) -> pd.Series:
    regions: pd.Series = communes.set_index("code_insee")["region"]
    return regions
