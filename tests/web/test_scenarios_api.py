"""Scenarios through the API: the same TOML as the command line's, nothing outside the workspace."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from siteselect.scenario_files import load_scenario
from siteselect.scenario_keys import scenario_keys
from siteselect.web.app import create_app
from siteselect.web.settings import settings_for


@pytest.fixture
def client(workspace):
    """The application without its queue: nothing here starts a process."""
    return TestClient(create_app(settings_for(workspace)), base_url="http://localhost")


def keys_of(answer):
    return [fault["key"] for fault in answer.json()["faults"]]


def test_every_key_has_a_form(client):
    keys = {key["path"]: key for key in client.get("/api/scenario/keys").json()}
    assert list(keys) == [key.path for key in scenario_keys()]
    assert keys["count"] | {"meaning": ""} == {
        "path": "count", "type": "integer", "of": None, "unit": "sites", "default": 50,
        "required": False, "optional": False, "minimum": 1.0, "maximum": None,
        "exclusive": False, "choices": None, "meaning": "", "group": "general",
    }  # fmt: skip
    assert keys["constraints.budget_keur"]["optional"]
    assert keys["candidates.max_area_ha"]["exclusive"]
    assert keys["candidates.kinds"]["of"] == "choice"
    assert keys["candidates.kinds"]["choices"] == ["brownfield", "extension", "greenfield"]
    assert keys["network.vehicle"]["choices"] == ["car", "hgv"]


def test_a_scenario_is_saved_as_the_file_that_the_command_line_reads(client, workspace):
    body = {
        "extends": "essai",
        "values": {"count": 3, "constraints.budget_keur": 9000.0, "title": "Été à l'Ouest"},
    }
    answer = client.put("/api/scenarios/ouest", json=body)
    assert answer.status_code == 200, answer.text
    loaded = load_scenario(workspace / "scenarios" / "ouest.toml")
    assert loaded.scenario.count == 3
    assert loaded.scenario.title == "Été à l'Ouest"
    told = answer.json()
    assert told["base"] == "essai"
    assert told["pack"] == told["values"]["pack"] == "tiny"
    assert {one["key"] for one in told["changes"]} == {change.key for change in loaded.changes}
    assert "count: 4 → 3" in [one["text"] for one in told["changes"]]


def test_the_pack_is_a_name_in_the_api_and_a_relative_path_in_the_file(client, workspace):
    assert client.put("/api/scenarios/a", json={"values": {"pack": "tiny"}}).status_code == 200
    text = (workspace / "scenarios" / "a.toml").read_text()
    assert text == 'pack = "../packs/tiny"\n'
    assert client.get("/api/scenarios/a").json()["values"]["pack"] == "tiny"
    assert client.put("/api/scenarios/b", json={"values": {"pack": "france"}}).status_code == 200
    assert (workspace / "scenarios" / "b.toml").read_text() == 'pack = "france"\n'


def test_comments_of_the_planner_are_kept(client, workspace):
    text = '# pour le comité du 3 mai\nextends = "reference"\ncount = 40\n'
    assert client.put("/api/scenarios/comite", json={"toml": text}).status_code == 200
    assert (workspace / "scenarios" / "comite.toml").read_text() == text


def test_null_takes_an_optional_value_away(client):
    body = {"extends": "essai", "values": {"constraints.max_per_epci": None}}
    told = client.post("/api/scenarios/check", json=body).json()
    assert told["faults"] == []
    assert told["values"]["constraints"]["max_per_epci"] is None
    assert [one["key"] for one in told["changes"]] == ["constraints.max_per_epci"]


def test_every_fault_is_told_at_its_key_and_nothing_is_written(client, workspace):
    before = sorted((workspace / "scenarios").iterdir())
    body = {"values": {"count": 0, "weights.acces": 1, "constraints.separation_km": "loin"}}
    told = client.post("/api/scenarios/check", json=body).json()["faults"]
    answer = client.put("/api/scenarios/faux", json=body)
    assert answer.status_code == 422
    assert [fault["key"] for fault in told] == keys_of(answer)
    assert set(keys_of(answer)) == {"count", "weights.acces", "constraints.separation_km"}
    assert sorted((workspace / "scenarios").iterdir()) == before
    assert str(workspace) not in answer.text


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ('extends = "/etc/passwd"', "extends"),
        ('extends = "../../secret.toml"', "extends"),
        ('pack = "/etc"', "pack"),
        ('pack = "../../.."', "pack"),
        ('pack = "../packs/tiny/../../../x"', "pack"),
        ('network.edits = "/etc/passwd"', "network.edits"),
        ('[network]\nedits = "secret.geojson"', "network.edits"),
        ('[sweep]\n"network.edits" = ["/etc/passwd"]', "sweep.network.edits"),
        ('[sweep]\npack = ["/etc"]', "sweep.pack"),
        ('[named.x]\n"pack" = "/etc"', "named.x.pack"),
        ("count = [", None),
    ],
)
def test_what_is_sent_names_nothing_outside(client, toml, key):
    answer = client.put("/api/scenarios/x", json={"toml": toml})
    assert answer.status_code == 422
    assert keys_of(answer) == [key]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a%2Fb", "..%2Fx", "con", "a%00", "é"])
def test_names_are_names(client, workspace, name):
    answer = client.put(f"/api/scenarios/{name}", json={"values": {}})
    assert answer.status_code in (404, 405, 422)
    assert {p.name for p in (workspace / "scenarios").iterdir()} == {
        "essai.toml",
        "impossible.toml",
    }


def test_links_are_not_followed(client, workspace, tmp_path):
    secret = tmp_path / "secret.toml"
    secret.write_text('title = "secret"')
    (workspace / "scenarios" / "lien.toml").symlink_to(secret)
    assert client.get("/api/scenarios/lien").status_code == 404
    assert client.put("/api/scenarios/lien", json={"values": {}}).status_code == 422
    assert secret.read_text() == 'title = "secret"'
    (workspace / "packs" / "lien").symlink_to(workspace / "packs" / "tiny")
    assert client.get("/api/packs/lien").status_code == 404


def test_scenarios_shipped_are_not_overwritten(client):
    assert client.put("/api/scenarios/reference", json={"values": {}}).status_code == 422
    assert client.delete("/api/scenarios/reference").status_code == 422


def test_a_base_is_not_removed_under_those_that_extend_it(client, workspace):
    answer = client.delete("/api/scenarios/essai")
    assert answer.status_code == 422
    assert "impossible" in answer.text
    assert client.delete("/api/scenarios/impossible").status_code == 204
    assert client.delete("/api/scenarios/essai").status_code == 204
    assert list((workspace / "scenarios").iterdir()) == []


def test_a_circle_of_scenarios_is_refused(client):
    answer = client.put("/api/scenarios/essai", json={"extends": "impossible"})
    assert answer.status_code == 422
    assert keys_of(answer) == ["extends"]


def test_two_tabs_do_not_overwrite_each_other_unseen(client):
    version = client.get("/api/scenarios/essai").json()["version"]
    body = {"values": {"pack": "tiny", "count": 3}, "version": version}
    assert client.put("/api/scenarios/essai", json=body).status_code == 200
    assert client.put("/api/scenarios/essai", json=body).status_code == 409


def test_hostile_texts_are_kept_as_texts(client):
    title = "<script>alert(1)</script> ' \" \\ \u2028 {count} %s \ud800"
    text = '{"values": {"title": "' + title.replace("\\", "\\\\").replace('"', '\\"') + '"}}'
    answer = client.put(
        "/api/scenarios/h",
        content=text.encode("utf-8", "surrogatepass").replace(b"\xed\xa0\x80", b"\\ud800"),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 200
    assert answer.json()["title"] == title.replace("\ud800", "?")
    body = {"extends": "h", "values": {"title": "{x} %s"}}
    (change,) = client.post("/api/scenarios/check", json=body).json()["changes"]
    assert change["text"].endswith("→ {x} %s")


def test_a_run_of_a_batch_is_said_to_be_a_batch(client):
    answer = client.post("/api/jobs", json={"toml": 'pack = "tiny"\n[sweep]\ncount = [3, 4]\n'})
    assert answer.status_code == 422
    assert keys_of(answer) == ["sweep"]
