"""Jobs of the application: in processes of their own, none lost, remedies that hold."""

from __future__ import annotations

import signal

import pytest


def ask(server, **body):
    answer = server.http.post("/api/jobs", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_run_ends_in_the_store_as_from_the_command_line(shared_server):
    job = shared_server.job(ask(shared_server, scenario="essai"))
    assert job["state"] == "done", job
    assert [stage["key"] for stage in job["stages"]][:1] == ["sites"]
    folder = shared_server.workspace / "runs" / job["run_id"]
    assert {"result.json", "shortlist.xlsx", "report.html"} <= {p.name for p in folder.iterdir()}
    listed = shared_server.http.get("/api/runs").json()
    assert job["run_id"] in [run["id"] for run in listed]


def test_a_remedy_of_an_infeasible_scenario_makes_it_possible(shared_server):
    job = shared_server.job(ask(shared_server, scenario="impossible"))
    assert job["state"] == "infeasible", job
    assert job["conflict"]
    edits = next(
        one["edits"] for one in job["remedies"] if "constraints.budget_keur" in one["edits"]
    )
    overrides = [f"{key}={value}" for key, value in edits.items()]
    again = shared_server.job(ask(shared_server, scenario="impossible", overrides=overrides))
    assert again["state"] == "done", again
    # what is proven impossible is not sought twice, and keeps its remedies
    second = shared_server.job(ask(shared_server, scenario="impossible"))
    assert second["remedies"] == job["remedies"]
    assert second["stages"] == []


def test_what_is_wrong_is_said_at_once_and_names_no_path(shared_server):
    answer = shared_server.http.post(
        "/api/jobs", json={"scenario": "essai", "overrides": ["constraints.budget_keurs=3"]}
    )
    assert answer.status_code == 422
    (fault,) = answer.json()["faults"]
    assert fault["key"] == "constraints.budget_keurs"
    assert fault["file"] == "essai.toml"
    assert "budget_keur" in fault["remedy"]
    assert str(shared_server.workspace) not in answer.text


@pytest.mark.parametrize("pack", ["/etc", "../../..", "../packs/../../x", "absent"])
def test_a_job_opens_packs_of_the_workspace_only(shared_server, pack):
    answer = shared_server.http.post("/api/jobs", json={"toml": f'pack = "{pack}"'})
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["key"] == "pack"


def test_a_job_survives_the_death_of_the_application(server):
    job = ask(server, scenario="essai")
    server.wait(lambda: server.http.get(f"/api/jobs/{job}").json()["state"] == "running")
    server.stop(signal.SIGKILL)
    server.start()
    ended = server.job(job)
    assert ended["state"] == "done"
    assert ended["run_id"]


def test_events_tell_every_change(shared_server):
    seen = []
    with shared_server.http.stream("GET", "/api/jobs/events") as stream:
        job = ask(shared_server, scenario="essai")
        for line in stream.iter_lines():
            if line.startswith("data:") and job in line:
                seen.append(line)
                if '"state":"done"' in line:
                    break
    assert any('"state":"running"' in line for line in seen)
