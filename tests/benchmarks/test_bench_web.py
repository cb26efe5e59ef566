"""The pack that the benchmark of the pages makes: many sites, all of them apart."""

from __future__ import annotations

import geopandas as gpd
import pytest
from bench_web import STEP_M, enlarge  # type: ignore[import-not-found]

from siteselect.pack import open_pack


def test_an_enlarged_pack_opens_and_repeats_every_site(tiny_pack, tmp_path):
    enlarge(tiny_pack, tmp_path / "grand", 60)
    before = gpd.read_parquet(tiny_pack / "sites.parquet").set_index("site_id")
    after = open_pack(tmp_path / "grand").vectors("sites").set_index("site_id")
    assert len(after) == after.index.nunique() == 60
    for name, k in (("B-00", 0), ("B-00-1", 1), ("B-00-2", 2)):
        moved = after.geometry[name].centroid.x - before.geometry["B-00"].centroid.x
        assert moved == pytest.approx(k * STEP_M)
