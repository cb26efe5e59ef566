"""What a tired planner may get wrong: one clear message, exit status 2 or 3, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely import Polygon, box
from shapely.affinity import translate
from typer.testing import CliRunner, Result

from siteselect.cli import app
from tests.tinypack import seal

SCENARIO = """\
pack = "tiny"
count = 4
reserve = 3
[constraints]
region_max = 3
separation_km = 5.0
"""


def run(folder: Path, *extra: str, scenario: str = SCENARIO) -> Result:
    path = folder / "scenario.toml"
    path.write_text(scenario, encoding="utf-8")
    arguments = ["run", str(path), "--out", str(folder / "out"), "--quiet", "--lang", "en"]
    return CliRunner().invoke(app, [*arguments, *extra])


def refused(result: Result, folder: Path, *expected: str, status: int = 2) -> None:
    assert result.exit_code == status, result.output + str(result.exception)
    for text in expected:
        assert text in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not (folder / "out").exists()
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]


def edit_sites(folder: Path, edit: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    path = folder / "tiny" / "sites.parquet"
    edit(gpd.read_parquet(path)).to_parquet(path)
    seal_quietly(folder)


def seal_quietly(folder: Path) -> None:
    seal(folder / "tiny")


def with_value(column: str, value: object) -> Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]:
    def edit(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        sites.loc[3, column] = value
        return sites

    return edit


@pytest.fixture
def folder(tiny_pack: Path) -> Path:
    return tiny_pack.parent


def test_the_honest_one_is_accepted(folder):
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert (folder / "out" / "shortlist.xlsx").is_file()


def test_a_missing_scenario(folder):
    result = CliRunner().invoke(app, ["run", str(folder / "nowhere.toml"), "--lang", "en"])
    refused(result, folder, "nowhere.toml", "there is no such scenario file")


def test_a_missing_pack(folder):
    refused(run(folder, "--set", "pack=tinny"), folder, "pack", "'tinny'", "no data pack")


def test_a_missing_layer(folder):
    (folder / "tiny" / "sites.parquet").unlink()
    refused(run(folder), folder, "sites.parquet", "missing", "build the pack again")


@pytest.mark.parametrize(
    ("crs", "expected"), [(None, "has no CRS"), ("EPSG:3857", "not in EPSG:2154")]
)
def test_a_wrong_or_missing_crs(folder, crs, expected):
    edit_sites(folder, lambda sites: sites.set_crs(crs, allow_override=True))
    refused(run(folder), folder, "sites.parquet", expected)


def test_an_invalid_geometry(folder):
    bow = Polygon([(600_000, 6_600_000), (600_300, 6_600_300), (600_300, 6_600_000),
                   (600_000, 6_600_300)])  # fmt: skip
    edit_sites(folder, with_value("geometry", bow))
    refused(run(folder), folder, "sites.parquet", "Self-intersection", "E-01")


def test_an_empty_geometry(folder):
    edit_sites(folder, with_value("geometry", Polygon()))
    refused(run(folder), folder, "sites.parquet", "empty", "E-01")


def test_a_duplicated_site(folder):
    edit_sites(folder, with_value("site_id", "B-00"))
    refused(run(folder), folder, "sites.parquet", "B-00", "site_id")


@pytest.mark.parametrize(("area", "shown"), [(np.nan, "area_ha"), (-2.5, "-2.5")])
def test_a_nan_or_negative_area(folder, area, shown):
    edit_sites(folder, with_value("area_ha", area))
    refused(run(folder), folder, "sites.parquet", "area_ha", "E-01", shown)


def test_an_unknown_key(folder):
    text = SCENARIO.replace("region_max", "region_mx")
    refused(run(folder, scenario=text), folder, "scenario.toml", "constraints.region_mx",
            "did you mean region_max?")  # fmt: skip


def test_a_misspelt_criterion(folder):
    text = SCENARIO + "[criteria.access.motorwy_min]\nweight = 1\nbest = 5\nworst = 30\n"
    refused(run(folder, scenario=text), folder, "criteria.access.motorwy_min",
            "did you mean motorway_min?")  # fmt: skip


def test_weights_that_sum_to_zero(folder):
    text = SCENARIO + "[weights]\naccess = 0\nworkforce = 0\nnetwork = 0\n"
    refused(run(folder, scenario=text), folder, "weights sum to zero", "positive value")


def test_an_impossible_quota_of_the_scenario(folder):
    refused(run(folder, "--set", "constraints.region_min=4"), folder, "constraints.region_min",
            "lower it to 3 or less")  # fmt: skip


def test_an_impossible_quota_of_the_data(folder):
    result = run(folder, "--set", 'candidates.kinds=["brownfield"]',
                 "--set", "constraints.region_max=1",
                 "--set", "constraints.max_per_epci=3")  # fmt: skip
    refused(result, folder, "Infeasible", "region Gauche", "region Droite", status=3)


def test_a_raster_that_does_not_cover_a_site(folder):
    def move(sites):
        sites.loc[3, "geometry"] = translate(sites.geometry[3], -4_000, 0)
        return sites

    edit_sites(folder, move)
    refused(run(folder), folder, "landuse.tif", "does not cover", "E-01")


def test_a_truncated_raster(folder):
    path = folder / "tiny" / "landuse.tif"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])
    seal_quietly(folder)
    refused(run(folder), folder, "landuse.tif", "truncated")


def test_a_footprint_outside_france(folder):
    edit_sites(folder, with_value("geometry", box(3_000_000, 6_600_000, 3_000_300, 6_600_300)))
    refused(run(folder), folder, "sites.parquet", "France", "E-01")


def test_an_unknown_kind(folder):
    edit_sites(folder, with_value("kind", "browfield"))
    refused(run(folder), folder, "browfield", "brownfield")


def test_several_faults_come_together(folder):
    def edit(sites):
        sites.loc[3, "area_ha"] = -1.0
        sites.loc[4, "kind"] = "friche"
        sites.loc[5, "site_id"] = "B-00"
        return sites

    edit_sites(folder, edit)
    refused(run(folder), folder, "area_ha", "friche", "B-00")


def test_messages_are_french_by_default(folder):
    path = folder / "scenario.toml"
    path.write_text(SCENARIO.replace("count", "cuont"), encoding="utf-8")
    result = CliRunner().invoke(app, ["run", str(path)])
    assert result.exit_code == 2
    assert "count" in result.stderr
    assert "unknown key" not in result.stderr
