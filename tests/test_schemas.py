from __future__ import annotations

import time
from typing import get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from siteselect import scenario
from siteselect.errors import InputError
from siteselect.schemas import KINDS, TABLES, check_table, examples


def sites(count: int = 4) -> gpd.GeoDataFrame:
    x = 600_000 + 200.0 * np.arange(count)
    return gpd.GeoDataFrame(
        {
            "site_id": [f"S{i}" for i in range(count)],
            "name": "usine",
            "kind": "brownfield",
            "code_insee": "01004",
            "area_ha": 1.0,
            "status_source": "friche sans projet",
            "geometry_origin": "disc",
            "stated_pollution": None,
            "stated_buildings": None,
            "source": "test",
        },
        geometry=shapely.box(x, 6_600_000, x + 100, 6_600_100),
        crs="EPSG:2154",
    )


def complaint(frame: pd.DataFrame, name: str = "sites", **options: object) -> str:
    with pytest.raises(InputError) as caught:
        check_table(frame, name, file="sites.parquet", **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_kinds_are_those_of_the_scenario() -> None:
    assert KINDS == scenario.KINDS == get_args(scenario.Kind)


def test_a_good_table_comes_back_unchanged() -> None:
    frame = sites()
    before = frame.copy()
    assert check_table(frame, "sites", communes={"01004"}) is frame
    pd.testing.assert_frame_equal(frame, before)


def test_columns_beyond_the_schema_are_left_alone() -> None:
    assert "owner" in check_table(sites().assign(owner="SCI"), "sites")


def test_duplicated_site_id() -> None:
    frame = sites()
    frame.loc[2, "site_id"] = "S1"
    text = complaint(frame)
    assert "site_id: 2 rows share their identifier" in text
    assert "site_id S1:" in text
    assert "sites.parquet" in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.nan, "area_ha: 1 rows without a value"),
        (-3.0, "area_ha: 1 values that are zero or negative"),
        (0.0, "area_ha: 1 values that are zero or negative"),
        (np.inf, "area_ha: 1 values that are not finite numbers"),
    ],
)
def test_wrong_areas(value: float, expected: str) -> None:
    frame = sites()
    frame.loc[1, "area_ha"] = value
    text = complaint(frame)
    assert expected in text
    assert "site_id S1:" in text
    assert len(text.splitlines()) == 1


def test_area_as_text_is_not_a_number() -> None:
    frame = sites()
    frame["area_ha"] = ["1,5", "2", "3", "4"]
    assert "area_ha: 4 values that are not finite numbers (value: '1,5, 2, 3, 4')" in complaint(
        frame
    )


def test_unknown_kind_gets_the_nearest_name() -> None:
    frame = sites()
    frame.loc[3, "kind"] = "brownfeild"
    text = complaint(frame)
    assert "'brownfeild'" in text
    assert "did you mean brownfield?" in text


def test_missing_column_gets_the_nearest_column() -> None:
    text = complaint(sites().rename(columns={"kind": "kinds"}).drop(columns="source"))
    assert "the column kind is missing" in text
    assert "rename kinds to kind" in text
    assert "add the column source" in text


def test_codes_are_text() -> None:
    frame = sites()
    frame["code_insee"] = 1004
    text = complaint(frame)
    assert "code_insee: 4 values that are not text" in text
    assert '"01004", never 1004' in text


def test_code_that_lost_its_zero() -> None:
    frame = sites()
    frame.loc[0, "code_insee"] = "1004"
    assert "not INSEE codes" in complaint(frame)


def test_code_that_matches_no_commune() -> None:
    frame = sites()
    frame.loc[0, "code_insee"] = "01999"
    text = complaint(frame, communes={"01004"})
    assert "1 codes that match no commune" in text
    assert "'01999'" in text
    assert check_table(frame, "sites") is frame


def test_wrong_crs_is_told_alone() -> None:
    frame = sites().to_crs("EPSG:4326")
    frame.loc[0, "kind"] = "nothing"
    text = complaint(frame)
    assert text.count("\n") == 0
    assert "EPSG:4326" in text
    assert "reproject" in text


def test_missing_crs() -> None:
    assert "no CRS" in complaint(sites().set_crs(None, allow_override=True))


def test_each_broken_geometry_has_its_own_message() -> None:
    frame = sites(6)
    bowtie = shapely.Polygon(
        [(600_000, 6_600_000), (600_100, 6_600_100), (600_100, 6_600_000), (600_000, 6_600_100)]
    )
    frame.loc[[0, 1, 2, 3, 4], "geometry"] = [
        bowtie,
        None,
        shapely.Polygon(),
        shapely.box(0, 0, 1, 1),
        shapely.Point(600_000, 6_600_000),
    ]
    lines = complaint(frame).splitlines()
    assert len(lines) == 4
    text = "\n".join(lines)
    assert "Self-intersection[600050 6600050]" in text
    assert "site_id S1, S2: 2 geometries are missing or empty" in text
    assert "site_id S3: 1 geometries lie outside metropolitan France" in text
    assert "site_id S4: 1 geometries are of the wrong type (value: 'type: Point')" in text


def test_table_without_geometry() -> None:
    text = complaint(pd.DataFrame(sites().drop(columns="geometry")))
    assert "the column geometry is missing" in text


def test_all_problems_at_once() -> None:
    frame = sites()
    frame.loc[0, "kind"] = "nothing"
    frame.loc[1, "area_ha"] = -1.0
    frame.loc[2, "geometry"] = shapely.Polygon()
    assert len(complaint(frame).splitlines()) == 3


def test_examples_are_bounded() -> None:
    assert examples(range(3)) == "0, 1, 2"
    assert examples(range(100)) == "0, 1, 2, 3, 4… (100)"
    frame = sites(50)
    frame["kind"] = [f"kind{i}" for i in range(50)]
    text = complaint(frame)
    assert "S0, S1, S2, S3, S4… (50)" in text
    assert "S5" not in text


def test_wrong_rows_of_a_table_without_names() -> None:
    edges = pd.DataFrame(
        {"tail": [0, 1], "head": [1, -2], "length_m": [5.0, 1.0], "road_class": "x", "oneway": True}
    )
    assert "rows 2: head: 1 negative values" in complaint(edges, "road_edges")


def test_optional_column_may_be_absent_but_not_wrong() -> None:
    edges = pd.DataFrame(
        {"tail": [0], "head": [1], "length_m": [5.0], "road_class": "x", "oneway": [False]}
    )
    assert check_table(edges, "road_edges") is edges
    assert "car_kmh" in complaint(edges.assign(car_kmh=-5.0), "road_edges")


def test_a_port_abroad_is_a_facility() -> None:
    frame = gpd.GeoDataFrame(
        {"facility_id": ["p"], "facility_class": ["port"], "name": ["Antwerpen"]},
        geometry=gpd.points_from_xy([4.4], [51.2], crs=4326).to_crs(2154),
    )
    assert check_table(frame, "facilities") is frame


def test_an_empty_table_with_its_columns_is_right() -> None:
    empty = sites().iloc[:0]
    assert check_table(empty, "sites", communes={"01004"}) is empty


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_frame_of_nonsense_never_raises_anything_else(name: str) -> None:
    columns = {column: [object(), None, 1.5] for column in TABLES[name].columns}
    complaint(pd.DataFrame({**columns, "geometry": [1, 2, 3]}), name)


def test_a_hundred_thousand_sites_in_time() -> None:
    frame = sites(100_000)
    frame["geometry"] = frame.geometry.buffer(0)
    frame.loc[::2, "kind"] = "wrong"
    frame.loc[::3, "area_ha"] = np.nan
    start = time.process_time()
    complaint(frame, communes={"01004"})
    assert time.process_time() - start < 15
