"""What a finished run found, over HTTP: the same figures as its files, and nothing else."""

from __future__ import annotations

import io
import json
import shutil
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from pyproj import Transformer
from starlette.testclient import TestClient

from siteselect.analysis import write_analysis
from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.scoring import value
from siteselect.web.app import create_app
from siteselect.web.explaining import Explainer
from siteselect.web.run_exports import RUN_FILES
from siteselect.web.settings import settings_for
from tests.web.runs_here import FIRST, make_run, workspace_with_runs


@pytest.fixture(scope="module")
def place(_tiny_pack_once, tmp_path_factory, cache_of_servers):
    folder = tmp_path_factory.mktemp("findings")
    pack = Path(shutil.copytree(_tiny_pack_once, folder / "tiny"))
    return workspace_with_runs(folder / "travail", pack, cache_of_servers)


@pytest.fixture
def http(place):
    app = create_app(settings_for(place))
    with TestClient(app, base_url="http://127.0.0.1:8710", raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def first(place):
    return gpd.read_parquet(place / "runs" / "premier" / "sites.parquet")


def test_the_columns_are_the_table_of_the_run(http, first):
    got = http.get("/api/runs/premier/sites").json()
    assert got["site_id"] == first["site_id"].tolist()
    assert got["status"] == first["status"].tolist()
    known = first["rank"].notna()
    assert [r for r in got["rank"] if r is not None] == first["rank"][known].astype(int).tolist()
    assert got["usable_ha"] == pytest.approx(first["usable_ha"].round(2).tolist())
    assert set(got["measures"]) == {one["key"] for one in got["criteria"]}
    for key, column in got["measures"].items():
        wanted = first[key].to_numpy(float)
        for sent, here in zip(column, wanted, strict=True):
            said = None if np.isnan(here) else "inf" if np.isinf(here) else here
            assert sent == (pytest.approx(said, abs=0.5) if isinstance(said, float) else said)


def test_points_of_the_criteria_add_up_to_the_score(http, first):
    """The page makes the points itself: share × value of the measure, as the scoring does."""
    got = http.get("/api/runs/premier/sites").json()
    total = np.zeros(len(first))
    for one in got["criteria"]:
        column = got["measures"][one["key"]]
        measured = np.array([np.nan if v is None else float(v) for v in column])
        bounds = type("Bounds", (), {"best": one["best"], "worst": one["worst"]})
        total += one["share"] * value(measured, bounds)
    assert sum(one["share"] for one in got["criteria"]) == pytest.approx(1)
    assert total == pytest.approx(first["score"].to_numpy(), abs=2e-3)


def test_marks_stand_on_the_footprints(http, first):
    got = http.get("/api/runs/premier/sites").json()
    x, y = Transformer.from_crs(4326, 2154, always_xy=True).transform(got["lon"], got["lat"])
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=2154)
    assert points.within(first.geometry.reset_index(drop=True)).all()


def test_sites_are_sent_once(http):
    answer = http.get("/api/runs/premier/sites")
    assert answer.headers["content-encoding"] == "gzip"
    tag = answer.headers["etag"]
    again = http.get("/api/runs/premier/sites", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    plain = http.get("/api/runs/premier/sites", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == answer.json()
    english = http.get("/api/runs/premier/sites?lang=en", headers={"if-none-match": tag})
    assert english.status_code == 200


def test_the_sheet_of_a_site(http, first):
    site = first.iloc[0]
    got = http.get(f"/api/runs/premier/sites/{site['site_id']}").json()
    facts = {one["label"]: one["text"] for one in got["facts"]}
    assert facts["Code INSEE"] == site["code_insee"]
    assert site["site_id"] in facts.values()
    assert got["footprint"]["type"] == "Polygon"
    west, south = np.array(got["footprint"]["coordinates"][0]).min(axis=0)
    assert 0 < west < 6
    assert 45 < south < 48
    assert http.get("/api/runs/premier/sites/Z-99").status_code == 404


def test_the_ledger_and_the_parcels(http, place):
    wanted = pd.read_parquet(place / "runs" / "premier" / "ledger.parquet")
    got = http.get("/api/runs/premier/ledger").json()
    assert [row["net_ha"] for row in got] == wanted["net_ha"].tolist()
    assert [row["cap_ha"] for row in got] == [None if pd.isna(c) else c for c in wanted["cap_ha"]]
    assert got[0]["name"] == "programme entier"
    parcels = gpd.read_parquet(place / "runs" / "premier" / "restoration.parquet")
    drawn = http.get("/api/runs/premier/restoration.geojson").json()
    assert len(drawn["features"]) == len(parcels)


def test_every_file_listed_can_be_taken_and_the_workbook_opens(http):
    listed = http.get("/api/runs/premier/exports").json()
    made = [one for one in listed if one["made"]]
    assert {one["name"] for one in made} == {one.name for one in RUN_FILES}
    assert {one["part"] for one in listed if not one["made"]} == {
        "pdf", "sheets", "maps", "gis", "geojson",
    }  # fmt: skip
    for one in made:
        answer = http.get(one["url"])
        assert (answer.status_code, len(answer.content)) == (200, one["size"])
        assert "attachment" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(http.get(made[0]["url"]).content))
    assert len(book.sheetnames) > 3


def test_deliverables_are_listed_once_made(http, place):
    folder = place / "runs" / "premier" / "deliverables"
    (folder / "maps").mkdir(parents=True)
    (folder / "deliverables.json").write_text("{}")
    (folder / "committee.pdf").write_bytes(b"%PDF-1.7")
    (folder / "maps" / "national.svg").write_text("<svg/>")
    (folder / "maps" / "outside.svg").symlink_to("/etc/passwd")
    try:
        listed = {one["name"]: one for one in http.get("/api/runs/premier/exports").json()}
        assert listed["committee.pdf"]["made"]
        english = {one["name"]: one for one in http.get("/api/runs/premier/exports?lang=en").json()}
        assert not english["committee.pdf"]["made"], "the English one is another file"
        archive = http.get(listed["maps.zip"]["url"])
        assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist() == ["maps/national.svg"]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    "path",
    [
        "premier/exports/..%2F..%2Fscenarios%2Fessai.toml",
        "premier/exports/%2e%2e%2fmanifest.json",
        "premier/exports/contributions.parquet",
        "premier/exports/.secret",
        "..%2Fscenarios/exports/essai.toml",
        "absent/sites",
        "premier/decisions/ranking/..%2Fx.png",
        "premier/decisions/..%2F..%2Fx/y.png",
        "premier/sites/%00",
    ],
)
def test_nothing_else_of_the_machine_is_given(http, place, path):
    answer = http.get(f"/api/runs/{path}")
    assert answer.status_code in (404, 422)
    assert str(place) not in answer.text
    assert answer.json()["faults"]


def test_links_in_a_run_are_not_followed(http, place, tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    run = place / "runs" / "premier"
    kept = (run / "result.json").read_bytes()
    try:
        (run / "shortlist.csv").rename(tmp_path / "kept.csv")
        (run / "shortlist.csv").symlink_to(tmp_path / "secret.json")
        assert "shortlist.csv" not in {
            one["name"] for one in http.get("/api/runs/premier/exports").json()
        }
        assert http.get("/api/runs/premier/exports/shortlist.csv").status_code == 404
    finally:
        (run / "shortlist.csv").unlink()
        (tmp_path / "kept.csv").rename(run / "shortlist.csv")
    assert (run / "result.json").read_bytes() == kept


def test_analyses_are_shown_as_they_were_kept(http, place):
    table = pd.DataFrame(
        {"site_id": ["B-00", "B-01"], "frequency": [1.0, np.nan], "class": ["always", "never"]}
    )
    run = place / "runs" / "premier"
    kept = write_analysis(
        run, "robustness", facts={"proven": 2, "uncertainty": {"draws": 2}}, tables={"sites": table}
    )
    (kept / "frequency.png").write_bytes(b"\x89PNG")
    write_analysis(run, "compare-x", facts={}, tables={})
    (run / "analysis" / "half").mkdir()
    try:
        (found,) = http.get("/api/runs/premier/decisions").json()
        assert found["name"] == "robustness"
        (shown,) = found["tables"]
        assert shown["rows"] == [["B-00", 1.0, "toujours"], ["B-01", None, "jamais"]]
        assert [one["numeric"] for one in shown["columns"]] == [False, True, False]
        assert http.get(found["plots"][0]["url"]).content == b"\x89PNG"
    finally:
        shutil.rmtree(run / "analysis")


def test_an_override_says_what_it_costs(http, place):
    stated = json.loads((place / "runs" / "autre" / "result.json").read_text())["overrides"][0]
    (shown,) = http.get("/api/runs/autre").json()["overrides"]
    assert shown["cost"] == stated["cost"] / 1e6 > 0
    assert (shown["site_id"], shown["direction"]) == ("B-05", "include")
    assert shown["reason"] == "délibération <script>alert(1)</script>"


def test_objectives_before_the_score_are_told(http, place, cache_of_servers):
    order = [{"by": "new_ha", "within": 1.0}]
    scenario = {**FIRST, "objective": {"mode": "lexicographic", "order": order}}
    make_run(place, "ordre", scenario, cache_of_servers)
    try:
        (stage,) = http.get("/api/runs/ordre").json()["facts"]
        assert "1" in stage["label"]
        assert "ha" in stage["value"]
    finally:
        shutil.rmtree(place / "runs" / "ordre")
    assert http.get("/api/runs/premier").json()["facts"] == []


def test_points_are_points_whatever_wrote_the_table(http, place):
    """The price of ZAN is kept in millionths, replacement costs in points."""
    price = pd.DataFrame(
        {"cap_ha": [0.0, 5.0], "price": [53_637.0, 0.0], "objective": [4.2e7, 4.3e7]}
    )
    costs = pd.DataFrame({"site_id": ["B-00"], "replacement_cost": [0.05]})
    run = place / "runs" / "premier"
    write_analysis(run, "tradeoffs-zan", facts={}, tables={"points": price})
    write_analysis(
        run, "ranking", facts={}, tables={"replacement": costs, "a": costs, "reserve": costs}
    )
    try:
        ranking, zan = http.get("/api/runs/premier/decisions").json()
        assert zan["tables"][0]["rows"] == [[0.0, 0.053637, 42.0], [5.0, 0.0, 43.0]]
        assert [table["name"] for table in ranking["tables"]] == ["replacement", "reserve", "a"]
        assert ranking["tables"][0]["rows"] == [["B-00", 0.05]]
    finally:
        shutil.rmtree(run / "analysis")


def test_a_comparison_says_what_the_runs_differ_in(http, place):
    got = http.get("/api/runs/compare?run=premier&run=autre").json()
    tables = {
        name: gpd.read_parquet(place / "runs" / name / "sites.parquet").set_index("site_id")
        for name in ("premier", "autre")
    }
    a, b = (
        set(table.index[table["status"].isin(["selected", "forced_in"])])
        for table in tables.values()
    )
    moved = dict(zip(got["sites"]["site_id"], got["sites"]["movement"], strict=True))
    assert {k for k, v in moved.items() if v == "entered"} == b - a
    assert {k for k, v in moved.items() if v == "left"} == a - b
    assert [one["label"] for one in got["runs"]] == ["A", "B"]
    assert got["runs"][1]["title"] == "Main-d'œuvre d'abord <b>"
    settings = {row[0]: row[1:] for row in got["settings"]["rows"]}
    assert settings["weights.workforce"][1] == "0.8"
    assert "title" not in settings
    totals = {row[0]: row[2:] for row in got["totals"]["rows"]}
    stated = json.loads((place / "runs" / "premier" / "result.json").read_text())
    assert totals["objective"][0] == stated["objective"] / 1e6
    assert got["notices"], "the two score sites differently"


def test_one_run_is_no_comparison_and_five_are_too_many(http):
    one = http.get("/api/runs/compare?run=premier")
    assert one.status_code == 422
    assert http.get("/api/runs/compare?run=premier&run=premier").status_code == 422
    many = "&".join(f"run={n}" for n in ("premier", "autre", "x", "y", "z"))
    assert http.get(f"/api/runs/compare?{many}").status_code == 422
    assert http.get("/api/runs/compare").status_code == 422


def test_why_not_is_the_answer_of_the_command_line(http, place, first):
    """The helper process answers as ``siteselect explain --json``; known sites only."""
    from siteselect.explain import explain
    from siteselect.i18n import Translator
    from siteselect.reopen import reopen
    from siteselect.report.decision import explanation_json

    site = first.loc[first["status"] == "not_selected", "site_id"].iloc[0]
    address = f"/api/runs/premier/sites/{site}/explain"
    deadline = time.monotonic() + 60
    while (answer := http.get(address)).status_code == 202:
        assert answer.json()["waiting"]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    wanted = explanation_json(explain(reopen(place / "runs" / "premier"), site), Translator("fr"))
    assert answer.json() == json.loads(json.dumps(wanted))
    assert http.get("/api/runs/premier/sites/Z-99/explain").status_code == 404


def _dies(folder: str, site_id: str, lang: str) -> dict:
    if site_id == "dies":
        import os

        os._exit(1)
    if site_id == "slow":
        time.sleep(30)
    if site_id == "wrong":
        raise InputError(Fault(Msg("no such site")))
    return {"site": site_id}


def test_a_helper_that_dies_or_is_too_slow_answers_the_next_question():
    helper = Explainer(_dies, limit_s=20.0)
    with pytest.raises(InputError, match="lost"):
        helper.ask(("f", "r", "dies", "fr")).result(30)
    with pytest.raises(InputError, match="no such site"):
        helper.ask(("f", "r", "wrong", "fr")).result(30)
    assert helper.ask(("f", "r", "well", "fr")).result(30) == {"site": "well"}
    assert helper.ask(("f", "r", "well", "fr")) is helper.ask(("f", "r", "well", "fr"))
    hasty = Explainer(_dies, limit_s=0.5)
    with pytest.raises(InputError, match="no answer within"):
        hasty.ask(("f", "r", "slow", "fr")).result(30)
