"""Batches through the API: the plan before, the synthesis after, files to save."""

from __future__ import annotations

import io

import openpyxl
import pytest

GRID = 'extends = "essai"\n[sweep]\n"weights.access" = [0.1, 0.9]\ncount = [3, 90]\n'


@pytest.fixture(scope="module")
def batch(shared_server):
    """A finished batch of four scenarios, two of them impossible."""
    answer = shared_server.http.post("/api/jobs", json={"kind": "batch", "toml": GRID})
    assert answer.status_code == 202, answer.text
    job = shared_server.job(answer.json()["id"])
    assert job["state"] == "done", job
    return job["batch_id"]


def test_the_plan_says_what_would_be_run(shared_server, batch):
    plan = shared_server.http.post("/api/batches/plan", json={"toml": GRID}).json()
    assert [one["state"] for one in plan] == ["there"] * 4
    assert [one["keys"] for one in plan][:2] == [
        {"weights.access": 0.1, "count": 3},
        {"weights.access": 0.1, "count": 90},
    ]
    new = GRID.replace("0.9", "0.8").replace("90", "0")
    plan = shared_server.http.post("/api/batches/plan", json={"toml": new}).json()
    assert [one["state"] for one in plan] == ["there", "refused", "to_run", "refused"]
    assert plan[1]["faults"][0]["key"] == "count"


def test_the_synthesis_counts_how_often_a_site_is_chosen(shared_server, batch):
    told = shared_server.http.get(f"/api/batches/{batch}").json()
    assert told["finished"]
    assert told["scenarios"] == 4
    assert told["keys"] == ["weights.access", "count"]
    assert [one["status"] for one in told["runs"]] == ["optimal", "infeasible"] * 2
    done = [one for one in told["runs"] if one["status"] == "optimal"]
    assert all(one["objective"] > 0 and one["selected"] == 3 for one in done)
    assert sum(site["chosen_in"] for site in told["sites"]) == 6
    assert all(site["core"] == (site["chosen_in"] == 2) for site in told["sites"])
    assert all(1 < site["lon"] < 3 for site in told["sites"])
    assert [sum(row["counts"]) for row in told["regions"]["rows"]] == [3, 3]
    assert told["pack"] == "tiny"
    assert [one["id"] for one in shared_server.http.get("/api/batches").json()] == [batch]


def test_the_workbook_of_the_synthesis_opens(shared_server, batch):
    told = shared_server.http.get(f"/api/batches/{batch}").json()
    url = next(one["url"] for one in told["files"] if one["name"].endswith(".xlsx"))
    answer = shared_server.http.get(url)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames


def test_an_interrupted_batch_shows_what_ended(shared_server):
    folder = shared_server.workspace / "runs" / "batches" / "abcdef"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text(
        '{"event": "plan", "scenarios": 3}\n{"event": "started", "name": "a", "run": "x"}\n'
        '{"event": "done", "name": "a", "run": "x", "status": "optimal"}\n'
        '{"event": "started", "name": "b", "run": "y"}\n{"event": "do'
    )
    told = shared_server.http.get("/api/batches/abcdef").json()
    assert not told["finished"]
    assert told["scenarios"] == 3
    assert told["states"] == {"optimal": 1, "running": 1}


@pytest.mark.parametrize(
    "path", ["absent", "..", "%2e%2e", "..%2f..%2fpacks", "abcdef/files/batch.json"]
)
def test_nothing_else_is_a_batch(shared_server, path):
    assert shared_server.http.get(f"/api/batches/{path}").status_code in (404, 422)


def test_a_grid_that_is_too_large_is_refused(shared_server):
    values = ", ".join(str(n) for n in range(1, 60))
    toml = f'pack = "tiny"\n[sweep]\ncount = [{values}]\nreserve = [{values}]\n'
    for path, body in (("/api/batches/plan", {}), ("/api/jobs", {"kind": "batch"})):
        answer = shared_server.http.post(path, json={**body, "toml": toml})
        assert answer.status_code == 422
        assert "3481" in answer.text
