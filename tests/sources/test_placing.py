from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from siteselect.sources.placing import Communes, discs, outside_m, project


def grid(step_m: float = 5_000.0) -> gpd.GeoDataFrame:
    """A grid of 5 × 5 communes, 01001 to 01025, row by row from the south-west."""
    x, y = np.meshgrid(600_000 + step_m * np.arange(5), 6_600_000 + step_m * np.arange(5))
    codes = [f"010{i:02d}" for i in range(1, 26)]
    points = gpd.points_from_xy(x.ravel(), y.ravel())
    return gpd.GeoDataFrame({"code_insee": codes}, geometry=points, crs="EPSG:2154")


@given(st.floats(1.0, 1e8), st.floats(1e5, 1.2e6), st.floats(6.1e6, 7.1e6))
def test_a_disc_has_exactly_the_stated_area(area_m2: float, x: float, y: float) -> None:
    (disc,) = discs(np.array([[x, y]]), np.array([area_m2]))
    # 1e-9: what double precision leaves of coordinates of seven figures.
    assert disc.area == pytest.approx(area_m2, rel=1e-6, abs=1e-3)
    assert disc.is_valid
    assert shapely.distance(disc.centroid, shapely.Point(x, y)) < 1e-2


def test_projection_of_a_known_point() -> None:
    # The origin of Lambert-93: 3° E, 46.5° N is x = 700 km, y = 6,600 km by definition.
    assert project(np.array([3.0]), np.array([46.5])) == pytest.approx(
        np.array([[700_000, 6_600_000]]), abs=1e-3
    )


def test_projection_of_nonsense_is_no_point() -> None:
    assert np.isnan(project(np.array([np.nan, 1e300]), np.array([46.5, 1e300]))).all()


def test_nearest_commune() -> None:
    communes = Communes.of(grid())
    codes, away_m = communes.nearest(np.array([[600_100.0, 6_600_000.0], [np.nan, np.nan]]))
    assert list(codes) == ["01001", None]
    assert away_m.tolist() == [100.0, np.inf]
    assert communes.spacing_m[12] == pytest.approx(5_000.0)  # four at 5 km, two at 7.07 km


def test_far_from_the_stated_commune() -> None:
    communes = Communes.of(grid())
    middle = np.array([[610_000.0, 6_610_000.0]])  # on the point of 01013
    assert communes.far_m(middle + 100, ["01025"])[0] == pytest.approx(14_000.7, abs=0.1)
    assert np.isnan(communes.far_m(middle + 100, ["01013"])[0])
    assert np.isnan(
        communes.far_m(middle + np.array([2_400, 0]), ["01014"])[0]
    )  # across the border
    assert np.isnan(communes.far_m(middle, ["99999"])[0])


def test_communes_of_a_departement() -> None:
    communes = Communes.of(grid())
    assert len(communes.within("01").codes) == 25
    codes, away_m = communes.within("02").nearest(np.array([[600_000.0, 6_600_000.0]]))
    assert list(codes) == [None]
    assert np.isinf(away_m[0])


def test_distance_to_the_outline() -> None:
    box = shapely.box(600_000, 6_600_000, 601_000, 6_601_000)
    contours = gpd.GeoDataFrame({"code_insee": ["01001"]}, geometry=[box], crs="EPSG:2154")
    points = np.array([[600_500.0, 6_600_500.0], [602_000.0, 6_600_500.0], [0.0, 0.0]])
    away = outside_m(points, ["01001", "01001", "01002"], contours)
    assert away[:2].tolist() == [0.0, 1_000.0]
    assert np.isnan(away[2])
