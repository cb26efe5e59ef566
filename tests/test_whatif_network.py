"""What-if on the network in a scenario: what it changes, what is routed again, what a run keeps."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
from shapely import Point

import siteselect
from siteselect import road_stages
from siteselect.cache import StageCache
from siteselect.errors import InputError
from siteselect.measures import access, workforce
from siteselect.measuring import Measured, measure_sites
from siteselect.network import kept, travel
from siteselect.pack import open_pack
from siteselect.scenario_files import load_scenario, scenario_from_mapping
from siteselect.verify import verify_run
from tests.tinypack import STEP_M, X0, Y0, seal

BACK = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)
STATION = {"kind": "facility", "facility_class": "station", "name": "Gare neuve"}


def at(column: float, row: float) -> list[float]:
    """Longitude and latitude of a place on the grid of the tiny pack."""
    return list(BACK.transform(X0 + column * STEP_M, Y0 + row * STEP_M))


def geojson(path: Path, *features: dict, **more: object) -> Path:
    """Features given as properties with ``at`` (points of the grid)."""
    collection = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {k: v for k, v in feature.items() if k != "at"},
                "geometry": None
                if "at" not in feature
                else {"type": "Point", "coordinates": feature["at"][0]}
                if len(feature["at"]) == 1
                else {"type": "LineString", "coordinates": feature["at"]},
            }
            for feature in features
        ],
        **more,
    }
    path.write_text(json.dumps(collection), encoding="utf-8")
    return path


class Counter:
    """Routings done, by what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nearest, self.matrices, self.sites = 0, 0, 0
        nearest, matrix = access.nearest_ms, workforce.time_matrix

        def one(*given, **named):
            self.nearest += 1
            return nearest(*given, **named)

        def many(*given, **named):
            self.matrices += 1
            return matrix(*given, **named)

        monkeypatch.setattr(access, "nearest_ms", one)
        monkeypatch.setattr(workforce, "time_matrix", many)

    def since(self) -> tuple[int, int]:
        """Nearest searches and matrices since the last time."""
        found = self.nearest, self.matrices
        self.nearest = self.matrices = 0
        return found


def measured(pack: Path, cache: Path | None = None, **network: object) -> Measured:
    loaded = scenario_from_mapping({"pack": str(pack), "count": 4, "network": network})
    return measure_sites(open_pack(pack), loaded.scenario, cache=StageCache(cache))


def test_only_what_changes_is_routed_again(tiny_pack, tmp_path, monkeypatch) -> None:
    count, cache = Counter(monkeypatch), tmp_path / "stages"
    first = measured(tiny_pack, cache)
    assert count.since() == (5, 1)  # five classes, one matrix
    assert measured(tiny_pack, cache).sites.equals(first.sites)
    assert count.since() == (0, 0)
    station = {**STATION, "coordinates": [at(3, 0)]}
    more = measured(tiny_pack, cache, edits=[station])
    assert count.since() == (1, 0)  # the stations alone
    assert (more.sites["station_min"] <= first.sites["station_min"]).all()
    assert (more.sites["station_min"] < first.sites["station_min"]).any()
    same = [name for name in first.sites if name.endswith(("min", "potential"))]
    for name in set(same) - {"station_min"}:
        assert more.sites[name].equals(first.sites[name])
    measured(tiny_pack, cache, edits=[{"kind": "remove", "facility_id": "F-port"}])
    assert count.since() == (0, 0)  # nothing is left to route
    measured(tiny_pack, cache, vehicle={"port": "hgv"})
    assert count.since() == (1, 0)  # the lorries' way to the port
    measured(tiny_pack, cache, half_life_min=10)
    assert count.since() == (0, 1)
    measured(tiny_pack, cache, hgv_speed_kmh={"unclassified": 40.0})
    assert count.since() == (0, 0)  # nobody drives a lorry
    measured(tiny_pack, cache, edits=[{"kind": "close", "coordinates": [at(0.5, 0)]}])
    assert count.since() == (5, 1)  # another network


def test_large_graphs_keep_times_site_by_site(tiny_pack, tmp_path, monkeypatch) -> None:
    """Two sites more are two sites routed; other weights of labour none."""

    asked = []
    route = kept.time_matrix
    monkeypatch.setattr(
        kept, "time_matrix", lambda g, s, *a, **k: asked.append(len(s)) or route(g, s, *a, **k)
    )
    monkeypatch.setattr(road_stages, "KEPT_FROM_NODES", 0)
    sites = gpd.read_parquet(tiny_pack / "sites.parquet")
    sites.iloc[2:].to_parquet(tiny_pack / "sites.parquet")
    seal(tiny_pack)
    cache = tmp_path / "stages"
    before = measured(tiny_pack, cache)
    assert "22 sites" in before.routing["labour"]
    sites.to_parquet(tiny_pack / "sites.parquet")
    seal(tiny_pack)
    after = measured(tiny_pack, cache)
    measured(tiny_pack, cache, half_life_min=10)
    assert asked[0] in (21, 22)  # two sites may meet the road at one place
    assert asked[1:] == [2, 0]
    assert "22 of 24 sites kept" in after.routing["labour"]
    plain = measured(tiny_pack)
    assert after.sites.equals(plain.sites)


def test_closing_a_road_of_a_large_graph_keeps_its_order(tiny_pack, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(road_stages, "KEPT_FROM_NODES", 0)
    for name in ("KERNEL_FROM", "STORED_FROM", "BUILT_FROM"):
        monkeypatch.setattr(travel, name, 0)
    closed = [{"kind": "close", "coordinates": [at(0.5, 0)]}]
    road = [{"kind": "road", "coordinates": [at(0, 0), at(1, 1)]}]
    orders = []
    for edits in ([], closed, road):
        found = measured(tiny_pack, tmp_path / "stages", edits=edits)
        assert found.routing["labour"].startswith("hierarchy, ")
        assert found.sites.equals(measured(tiny_pack, edits=edits).sites)
        orders.append(len(list((tmp_path / "stages" / "roads").glob("topology-*"))))
    assert orders == [1, 1, 2]


def test_a_run_keeps_its_edits_and_is_verified_without_the_file(tiny_pack, tmp_path) -> None:
    file = geojson(
        tmp_path / "essai.geojson",
        {**STATION, "at": [at(3, 0)]},
        {"kind": "close", "at": [at(0.5, 0)]},
        {"kind": "road", "at": [at(0, 0), at(1, 1)], "car_kmh": 110},
        {"kind": "remove", "facility_id": "F-port"},
    )
    text = f'pack = "{tiny_pack}"\ncount = 4\n[constraints]\nregion_max = 3\n'
    (tmp_path / "plain.toml").write_text(text, encoding="utf-8")
    named = tmp_path / "named.toml"
    named.write_text('extends = "plain.toml"\n[network]\nedits = "essai.geojson"\n', "utf-8")
    plain = siteselect.run(tmp_path / "plain.toml", cache=False)
    done = siteselect.run(named, out=tmp_path / "run", cache=False)
    assert done.run_id != plain.run_id
    assert [edit.kind for edit in done.scenario.network.edits] == [
        "facility", "close", "road", "remove",
    ]  # fmt: skip
    assert done.sites["port_min"].isna().all()
    file.unlink()
    assert len(verify_run(tmp_path / "run")) >= 4  # it raises where anything differs
    again = load_scenario(tmp_path / "run" / "scenario.toml")
    assert again.scenario == done.scenario


def test_overrides_name_a_file_beside_the_scenario(tiny_pack, tmp_path) -> None:
    geojson(tmp_path / "essai.geojson", {**STATION, "at": [at(3, 0)]})
    (tmp_path / "plain.toml").write_text(f'pack = "{tiny_pack}"\n', encoding="utf-8")
    loaded = load_scenario(tmp_path / "plain.toml", overrides=["network.edits=essai.geojson"])
    assert loaded.scenario.network.edits[0].name == "Gare neuve"
    assert any(change.key == "network.edits" for change in loaded.changes)


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        ({**STATION, "facilty_class": "port", "at": [[2.0, 46.0]]}, "did you mean facility_class"),
        ({"kind": "facilty", "at": [[2.0, 46.0]]}, "did you mean facility"),
        ({"kind": "close", "at": [[600_000.0, 6_600_000.0]]}, "not longitude and latitude"),
        ({"kind": "road", "at": [[2.0, 46.0]]}, "does not fit the edit road"),
        ({"kind": "facility", "facility_class": "port"}, "does not fit the edit facility"),
    ],
)
def test_bad_geojson_is_refused(tmp_path, feature, says) -> None:
    geojson(tmp_path / "bad.geojson", feature)
    (tmp_path / "s.toml").write_text('[network]\nedits = "bad.geojson"\n', encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        load_scenario(tmp_path / "s.toml")
    assert "bad.geojson: features[0]" in str(caught.value)


def test_another_crs_or_no_geojson_is_refused(tmp_path) -> None:
    lambert = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    geojson(tmp_path / "bad.geojson", {"kind": "close", "at": [[2.0, 46.0]]}, crs=lambert)
    (tmp_path / "s.toml").write_text('[network]\nedits = "bad.geojson"\n', encoding="utf-8")
    with pytest.raises(InputError, match="not in EPSG:4326"):
        load_scenario(tmp_path / "s.toml")
    (tmp_path / "bad.geojson").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="no GeoJSON"):
        load_scenario(tmp_path / "s.toml")
    (tmp_path / "bad.geojson").unlink()
    with pytest.raises(InputError, match="no such file"):
        load_scenario(tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"kind": "remove", "facility_id": "F-prot"}, "did you mean F-port"),
        ({**STATION, "coordinates": [at(0, 0)], "facility_id": "F-port"}, "already"),
        ({**STATION, "coordinates": [[46.0, 2.0]]}, "not in France"),
        ({**STATION, "coordinates": [at(0, 0)], "facility_class": "gare"}, "not known"),
        ({"kind": "close", "coordinates": [[-3.0, 47.0]]}, "no road within 2 km"),
    ],
)
def test_edits_that_do_not_fit_the_pack_are_refused(tiny_pack, edit, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        measured(tiny_pack, edits=[edit])
    assert "network.edits[0]" in str(caught.value)


def test_a_vehicle_for_a_class_that_does_not_exist(tiny_pack) -> None:
    with pytest.raises(InputError, match=r"network\.vehicle"):
        measured(tiny_pack, vehicle={"labour": "hgv"})


def test_competition_and_market_can_be_criteria(tiny_pack) -> None:
    criteria = {
        "labour_60min": {"weight": 0.2, "best": 50_000, "worst": 0},
        "labour_per_job": {"weight": 0.5, "best": 50, "worst": 0},
        "market_potential": {"weight": 0.3, "best": 5_000, "worst": 0},
    }
    none = {name: {"weight": 0, "best": 1, "worst": 0} for name in ("labour_30min", "labour_45min")}
    chosen = {"criteria": {"workforce": {**none, **criteria}}}
    plain = {"pack": str(tiny_pack), "count": 2, "constraints": {"region_min": 0}}
    run = siteselect.run({**plain, **chosen}, cache=False)
    assert run.result.status == "optimal"
    for name in criteria:
        assert run.sites[name].gt(0).all()
        assert run.contributions[name].gt(0).all()
    before = siteselect.run(plain, cache=False)
    for name in criteria:  # measured all the same, and without effect
        assert before.sites[name].equals(run.sites[name])
        assert name not in before.contributions.columns


def test_communes_that_count_for_nobody_are_told(tiny_pack, tmp_path) -> None:
    """One commune without a figure, one on an island; kept from the first run to the second."""

    labour = pd.read_parquet(tiny_pack / "labour.parquet").iloc[1:]
    labour.to_parquet(tiny_pack / "labour.parquet")
    communes = gpd.read_parquet(tiny_pack / "communes.parquet")
    communes.loc[5, "geometry"] = Point(X0 - 40_000, Y0)
    communes.to_parquet(tiny_pack / "communes.parquet")
    seal(tiny_pack)
    for _ in range(2):
        said = [str(notice) for notice in measured(tiny_pack, tmp_path / "stages").notices]
        assert any("1 communes have no labour figure" in one and "01000" in one for one in said)
        assert any("1 communes are farther than 15 km" in one and "02005" in one for one in said)
