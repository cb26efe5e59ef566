"""Conversions, and that they come back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from siteselect import units


@given(st.integers(0, 10**9))
def test_units_of_area_come_back(amount):
    hectares = units.units_to_ha(np.array([amount]))
    assert units.ha_to_units(hectares)[0] == amount
    assert units.ha_to_units_up(hectares)[0] == amount


@given(st.floats(0, 1e5))
def test_charges_are_never_understated(area_ha):
    up = int(units.ha_to_units_up(np.array([area_ha]))[0])
    assert up >= area_ha * 100 - 1e-3
    assert up - int(units.ha_to_units(np.array([area_ha]))[0]) in (0, 1)


def test_values_by_hand():
    assert units.ha_to_units_up(np.array([0.29, 0.291, 0.0])).tolist() == [29, 30, 0]
    assert units.score_to_units(np.array([0.1234567])).tolist() == [123457]
    assert units.score_from_units(1_500_000) == 1.5
    assert units.min_to_ms(0.5) == 30_000
    assert units.ms_to_min(np.array([90_000]))[0] == 1.5
    assert units.m2_to_ha(25_000.0) == 2.5
    assert units.m_to_km(1_500.0) == 1.5
