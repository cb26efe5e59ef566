"""The desk: answers made once, kept by content, and helpers that may die."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import Request

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.web.desk import Desk


def counted(folder, value):
    """An answer, and a mark for each time it was made."""
    descriptor = os.open(os.path.join(folder, "made"), os.O_CREAT | os.O_APPEND | os.O_WRONLY)  # noqa: PTH118
    os.write(descriptor, b"x")
    os.close(descriptor)
    return {"value": value, "unknown": math.nan, "unreachable": math.inf}


def dying():
    os._exit(9)


def refusing():
    raise InputError(Fault(Msg("the pack has no layer of role {role}", role="roads")))


def request(**headers):
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "headers": raw})


def run(coroutine):
    """In a thread of its own: a browser of another test may hold the loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@pytest.fixture
def desk(tmp_path):
    one = Desk(tmp_path / "kept")
    yield one
    one.close()


def test_an_answer_is_made_once_and_kept(desk, tmp_path):
    async def ask(key, **headers):
        return await desk.answer(request(**headers), "x", key, counted, str(tmp_path), 1)

    async def several():
        return await asyncio.gather(*(ask("a") for _ in range(5)))

    answers = run(several())
    assert (tmp_path / "made").read_text() == "x"
    assert {json.loads(one.body)["value"] for one in answers} == {1}
    assert json.loads(answers[0].body) == {"value": 1, "unknown": None, "unreachable": "inf"}
    again = run(ask("a", accept_encoding="gzip, br"))
    assert json.loads(gzip.decompress(again.body))["value"] == 1
    assert run(ask("a", if_none_match=again.headers["etag"])).status_code == 304
    run(ask("b"))
    assert (tmp_path / "made").read_text() == "xx"


def test_a_helper_that_dies_costs_its_answer_alone(desk, tmp_path):
    with pytest.raises(InputError, match="was lost"):
        run(desk.answer(request(), "x", "dies", dying))
    found = run(desk.answer(request(), "x", "lives", counted, str(tmp_path), 2))
    assert json.loads(found.body)["value"] == 2


def test_a_fault_is_told_and_not_kept(desk):
    for _ in range(2):
        with pytest.raises(InputError, match="roads"):
            run(desk.answer(request(), "x", "refuses", refusing))
