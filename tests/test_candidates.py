from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from siteselect.candidates import kind_name, prepare_candidates
from siteselect.errors import InputError
from siteselect.messages import Msg
from siteselect.scenario import KINDS, CandidateSettings


def communes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code_insee": ["01004", "2A004"],
            "name": ["Ambérieu-en-Bugey", "Ajaccio"],
            "population": [14_000, 70_000],
            "epci": ["240100883", None],
            "epci_name": ["CC de la Plaine de l'Ain", None],
            "departement": ["01", "2A"],
            "departement_name": ["Ain", "Corse-du-Sud"],
            "region": ["84", "94"],
            "region_name": ["Auvergne-Rhône-Alpes", "Corse"],
        }
    )


def site(site_id: str, *, side_m: float = 200.0, **values: object) -> dict[str, object]:
    return {
        "site_id": site_id,
        "name": site_id,
        "kind": "brownfield",
        "code_insee": "01004",
        "area_ha": 9.0,
        "status_source": "friche sans projet",
        "geometry": shapely.box(600_000, 6_600_000, 600_000 + side_m, 6_600_000 + side_m),
        **values,
    }


def frame(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(list(rows)), geometry="geometry", crs="EPSG:2154")


def reasons(sites: gpd.GeoDataFrame, **settings: object) -> dict[str, Msg | None]:
    chosen = CandidateSettings.model_validate(settings)
    result = prepare_candidates(sites, communes(), chosen)
    return dict(zip(result["site_id"], result["excluded_reason"], strict=True))


def test_territories_are_joined_and_areas_measured() -> None:
    sites = frame(site("b", code_insee="2A004"), site("a"))
    before = sites.copy()
    result = prepare_candidates(sites, communes(), CandidateSettings())
    pd.testing.assert_frame_equal(sites, before)
    assert list(result["site_id"]) == ["a", "b"]
    assert list(result.index) == [0, 1]
    assert result.crs == "EPSG:2154"
    assert result.loc[0, "commune"] == "Ambérieu-en-Bugey"
    assert result.loc[0, "epci"] == "240100883"
    assert pd.isna(result.loc[1, "epci"])
    assert result.loc[1, "departement"] == "2A"
    assert result.loc[1, "departement_name"] == "Corse-du-Sud"
    assert list(result["region"]) == ["84", "94"]
    assert result.loc[1, "region_name"] == "Corse"
    assert list(result["area_ha"]) == [4.0, 4.0]  # 200 m × 200 m, whatever is stated
    assert list(result["stated_area_ha"]) == [9.0, 9.0]
    assert list(result["excluded_reason"]) == [None, None]


def test_every_reason_of_exclusion() -> None:
    found = reasons(
        frame(
            site("kept"),
            site("kind", kind="greenfield", status_source=None),
            site("reconverted", status_source="friche reconvertie"),
            site("unknown", status_source=None),
            site("status", status_source="friche potentielle"),
            site("small", side_m=99.0),
            site("large", side_m=500.0),
        ),
        kinds=["brownfield", "extension"],
        statuses=["friche sans projet"],
        max_area_ha=20,
    )
    assert {name: reason and str(reason) for name, reason in found.items()} == {
        "kept": None,
        "kind": "kind not admitted by the scenario: greenfield",
        "large": "footprint of 25.00 ha, over the most admitted, 20 ha",
        "reconverted": "brownfield already reconverted",
        "small": "footprint of 0.98 ha, under the least admitted, 1 ha",
        "status": "status not admitted by the scenario: friche potentielle",
        "unknown": "status not stated by the source, so not admitted by the scenario",
    }


def test_a_status_is_asked_of_brownfields_only() -> None:
    found = reasons(frame(site("a", kind="extension", status_source=None)))
    assert found == {"a": None}


def test_unknown_status_can_be_admitted_on_purpose() -> None:
    assert reasons(frame(site("a", status_source=None)), statuses=["inconnu"]) == {"a": None}


def test_a_disc_of_exactly_the_bound_is_admitted() -> None:
    disc = shapely.box(0.1, 6_600_000.1, 100.1, 6_600_100.1)
    scaled = shapely.affinity.scale(disc, 1 - 1e-12, 1 - 1e-12)
    assert scaled.area < 10_000
    assert reasons(frame(site("a", geometry=scaled))) == {"a": None}


def test_unknown_commune_is_a_fault() -> None:
    with pytest.raises(InputError, match=r"sites.parquet: b: 1 sites .* \(value: '97411'\)"):
        prepare_candidates(
            frame(site("a"), site("b", code_insee="97411")),
            communes(),
            CandidateSettings(),
            file="sites.parquet",
        )


def test_misspelt_status_is_a_fault_not_an_empty_list() -> None:
    with pytest.raises(InputError, match=r"candidates.statuses.*did you mean friche sans projet"):
        reasons(frame(site("a")), statuses=["friche sans projets"])


def test_wrong_crs_is_a_fault() -> None:
    with pytest.raises(InputError, match="EPSG:4326"):
        prepare_candidates(frame(site("a")).to_crs(4326), communes(), CandidateSettings())


def test_every_kind_has_a_name() -> None:
    assert len({str(kind_name(kind)) for kind in KINDS}) == len(KINDS)


@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_order_of_input_does_not_matter(order: list[str]) -> None:
    sides = dict(zip("abcde", (50.0, 150.0, 4000.0, 200.0, 99.0), strict=True))
    rows = frame(*(site(name, side_m=sides[name]) for name in order))
    result = prepare_candidates(rows, communes(), CandidateSettings())
    assert list(result["site_id"]) == list("abcde")
    assert [reason is None for reason in result["excluded_reason"]] == [
        False,
        True,
        False,
        True,
        False,
    ]
