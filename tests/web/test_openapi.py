"""Requests made up from the OpenAPI document: no server error, and answers as documented."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from siteselect.web import run_findings
from tests.web.runs_here import FIRST, OTHER, make_run

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LIMITS = settings(
    max_examples=8,  # of each address: what a type or a bound forgets, in seconds
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def known(shared_server, cache_of_servers):
    """Names that lead somewhere: a made-up one rarely does."""
    make_run(shared_server.workspace, "autre", OTHER, cache_of_servers)
    make_run(shared_server.workspace, "premier", FIRST, cache_of_servers)
    asked = shared_server.http.post("/api/packs/tiny/check").json()["id"]
    shared_server.job(asked)
    return {
        "packs": ["tiny", "absent"],
        "scenarios": ["essai", "impossible", "reference"],
        "runs": ["autre"],
        "jobs": [asked],
        "batches": ["absent"],
        "site_id": ["B-00", "E-03", "absent", "<b>"],
        "file": ["shortlist.xlsx", "absent.csv"],
    }


@pytest.fixture(scope="module")
def api(shared_server):
    """The document of the application, without the endless stream of events."""
    document = shared_server.http.get("/api/openapi.json").json()
    del document["paths"]["/api/jobs/events"]
    # « explain » answers from a process of its own that takes seconds to come up
    document["paths"] = {k: v for k, v in document["paths"].items() if not k.endswith("/explain")}
    return schemathesis.openapi.from_dict(document)


def test_no_request_is_an_error_of_the_server(api, shared_server, known):
    """Every address in turn, by requests that fit its document and some that do not."""
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 30

    def check(case):
        family = case.operation.path.split("/")[2]
        for name, value in list(case.path_parameters.items()):
            real = known.get(name) or (known.get(family, []) if name in ("name", "job_id") else [])
            if real and len(str(value)) % 3:
                case.path_parameters[name] = real[len(str(value)) % len(real)]
        if case.method == "DELETE":
            case.path_parameters = dict.fromkeys(case.path_parameters, "absent")
        answer = case.call(base_url=shared_server.url, timeout=60)
        case.validate_response(answer, checks=CHECKS)
        assert str(shared_server.workspace).encode() not in answer.content

    compared = shared_server.http.get("/api/runs/compare?run=premier&run=autre")
    assert compared.status_code == 200
    assert str(shared_server.workspace) not in compared.text
    wrong = []
    for operation, mode in itertools.product(operations, schemathesis.GenerationMode):
        try:
            LIMITS(given(case=operation.as_strategy(generation_mode=mode))(check))()
        except Unsatisfiable:  # nothing that it takes can be wrong
            continue
        except (Exception, BaseExceptionGroup) as error:  # every address is tried
            wrong.append(f"{operation.label}, {mode}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_runs_on_other_packs_are_compared_by_the_names_of_these():
    settings = pd.DataFrame(
        {"key": ["pack", "count", "title"], "A": ["/home/a/x", "3", "T"], "B": ["b/y", "4", "U"]}
    )
    assert run_findings._settings(settings).to_numpy().tolist() == [
        ["pack", "x", "y"],
        ["count", "3", "4"],
    ]
