"""Packs through the API: what is in them, what a page draws, candidates as a scenario sees them."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from siteselect.measuring import measure_sites
from siteselect.pack import open_pack
from siteselect.scenario_files import load_scenario
from tests.tinypack import seal


@pytest.fixture
def client(shared_client):
    return shared_client


@pytest.fixture
def workspace(shared_client):
    """That of the application of this module: tests add to it, the last one changes the pack."""
    return shared_client.workspace


def test_a_pack_says_what_is_simulated(client):
    tiny = client.get("/api/packs/tiny").json()
    assert tiny["title"] == "Paquet d'essai"
    assert tiny["assumed"] == ["Données simulées : labour (essai)"]
    rows = {layer["role"]: layer["rows"] for layer in tiny["layers"]}
    assert rows["sites"] == 24
    assert rows["landuse"] is None
    assert client.get("/api/packs/absent").status_code == 404


def test_a_damaged_pack_is_listed_with_its_faults(client, workspace):
    (workspace / "packs" / "casse").mkdir()
    (workspace / "packs" / "casse" / "pack.toml").write_text("name = ")
    found = {pack["name"]: pack for pack in client.get("/api/packs").json()}
    assert found["casse"]["faults"]
    assert str(workspace) not in json.dumps(found)
    assert client.get("/api/packs/casse/sites").status_code == 422


def test_candidates_are_those_of_the_pipeline(client, workspace):
    answer = client.get("/api/packs/tiny/sites?scenario=essai")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    scenario = load_scenario(workspace / "scenarios" / "essai.toml").scenario
    sites = measure_sites(open_pack(workspace / "packs" / "tiny"), scenario).sites
    assert told["site_id"] == sites["site_id"].tolist()
    assert told["score"] == pytest.approx(sites["score"].tolist(), abs=1e-6)
    assert told["region"][0] == "Gauche"
    assert {len(told[key]) for key in ("lon", "lat", "kind", "excluded_reason")} == {24}
    # the rule of the page: shares × values, unknown earns nothing
    shares = {one["key"]: one["share"] for one in told["criteria"]}
    for row, score in enumerate(told["score"]):
        sum_ = sum(share * (told["values"][key][row] or 0) for key, share in shares.items())
        assert math.isclose(sum_, score, abs_tol=1e-5)
    assert told["notices"]


def test_candidates_of_a_scenario_that_is_not_saved(client):
    body = {"extends": "essai", "values": {"candidates.kinds": ["brownfield"]}}
    told = client.post("/api/packs/tiny/sites", json=body).json()
    kept = [reason is None for reason in told["excluded_reason"]]
    assert kept == [kind == "brownfield" for kind in told["kind"]]


def test_outlines_and_roads_are_geojson_in_degrees(client):
    regions = client.get("/api/packs/tiny/outlines.geojson?level=region").json()["features"]
    assert [one["properties"] for one in regions] == [
        {"code": "11", "name": "Gauche"},
        {"code": "24", "name": "Droite"},
    ]
    assert client.get("/api/packs/tiny/outlines.geojson?level=departement").json()["features"] == []
    (roads,) = client.get("/api/packs/tiny/roads.geojson").json()["features"]
    assert roads["geometry"]["type"] == "MultiLineString"
    for lon, lat in roads["geometry"]["coordinates"][0]:
        assert 1 < lon < 3
        assert 45 < lat < 48
    assert client.get("/api/packs/tiny/outlines.geojson?level=commune").status_code == 422


def test_a_check_is_a_job_whose_report_stays(server):
    http = server.http
    assert http.get("/api/packs/tiny/check").status_code == 404
    asked = http.post("/api/packs/tiny/check")
    assert asked.status_code == 202
    assert server.job(asked.json()["id"])["state"] == "done"
    report = http.get("/api/packs/tiny/check").json()
    assert report["current"]
    assert all(one["severity"] in ("error", "warning", "note") for one in report["problems"])


def test_what_is_kept_is_served_until_the_pack_changes(client, workspace):
    first = client.get("/api/packs/tiny/sites?scenario=essai")
    tag = first.headers["etag"]
    again = client.get("/api/packs/tiny/sites?scenario=essai", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert first.headers["content-encoding"] == "gzip"
    plain = client.get("/api/packs/tiny/sites?scenario=essai", headers={"accept-encoding": ""})
    assert "content-encoding" not in plain.headers
    assert plain.json() == first.json()
    labour = workspace / "packs" / "tiny" / "labour.parquet"
    table = pd.read_parquet(labour)
    table["labour_force"] *= 2
    table.to_parquet(labour)
    seal(workspace / "packs" / "tiny")
    changed = client.get("/api/packs/tiny/sites?scenario=essai", headers={"if-none-match": tag})
    assert changed.status_code == 200
