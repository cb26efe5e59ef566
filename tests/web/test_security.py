"""Who may ask what: Host, Origin, token, sizes, links, headers. No answer names a path."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from siteselect.errors import Fault
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.web import serving
from siteselect.web.app import create_app
from siteselect.web.faults import fault_json, without_paths
from siteselect.web.settings import settings_for

TOKEN = "jeton-secret-0123456789"


def client_of(folder, **settings):
    """The application without its queue."""
    return TestClient(
        create_app(settings_for(folder, **settings)), base_url="http://localhost:8710"
    )


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return client_of(tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Bound to every address of the machine, with a token."""
    return client_of(tmp_path_factory.mktemp("shared"), host="0.0.0.0", token=TOKEN)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5", "", "a:b",
     "localhost:80:90", "[::1", "2130706433", "0.0.0.0.nip.io"],
)  # fmt: skip
def test_another_name_is_not_this_application(local, host):
    """DNS rebinding: a page of evil.example whose name was made to lead here."""
    assert local.get("/api/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8710", "127.0.0.1", "127.0.0.1:9", "[::1]:8710", "[::1]"]
)
def test_names_of_this_machine_are(local, host):
    assert local.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://127.0.0.1:8710"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_of_other_sites_change_nothing(local, headers, method):
    answer = local.request(method, "/api/scenarios/x", headers=headers, json={"values": {}})
    assert answer.status_code == 403
    assert local.get("/api/scenarios/x").status_code == 404


def test_pages_of_other_sites_read_nothing_but_may_link_here(local):
    foreign = {"sec-fetch-site": "cross-site"}
    assert local.get("/api/packs", headers=foreign).status_code == 403
    link = {**foreign, "sec-fetch-mode": "navigate"}
    assert local.get("/donnees", headers=link).status_code == 200
    assert local.get("/api/packs", headers=link).status_code == 403
    own = {"sec-fetch-site": "same-origin", "origin": "http://localhost:8710"}
    assert local.put("/api/scenarios/y", json={"values": {}}, headers=own).status_code == 200


@pytest.mark.parametrize("path", ["/", "/donnees", "/api/packs", "/static/style.css"])
def test_without_the_token_there_is_nothing(shared, path):
    for headers in ({}, {"authorization": "Bearer x"}, {"cookie": "siteselect-8710=x"}):
        assert shared.get(path, headers=headers).status_code == 401
    assert shared.get(f"{path}?token=faux").status_code == 401


def test_the_token_is_a_header_or_a_cookie_and_leaves_the_address(shared):
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert shared.get("/api/health", headers=bearer).status_code == 200
    first = shared.get(f"/scenario?token={TOKEN}&name=x", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/scenario?name=x"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    pair = {"cookie": cookie.partition(";")[0]}
    assert shared.get("/scenario?name=x", headers=pair).status_code == 200
    away = shared.get(f"//evil.example/?token={TOKEN}", follow_redirects=False)
    assert not away.headers.get("location", "/").startswith("//")


def test_a_token_is_drawn_where_others_can_reach_the_application():
    drawn = serving.with_token(settings_for("/nowhere", host="0.0.0.0"))
    assert drawn.token
    assert len(drawn.token) >= 32
    assert drawn.token != serving.with_token(settings_for("/nowhere", host="0.0.0.0")).token
    assert serving.with_token(settings_for("/nowhere")).token is None
    assert serving.with_token(settings_for("/nowhere", token="x")).token == "x"


def test_behind_a_proxy_the_public_name_is_known_and_the_token_asked_for(tmp_path):
    settings = settings_for(tmp_path, names=["Sites.Exemple.fr"])
    assert serving.with_token(settings).token
    client = client_of(tmp_path, names=["Sites.Exemple.fr"], token=TOKEN)
    headers = {"host": "sites.exemple.fr", "authorization": f"Bearer {TOKEN}"}
    assert client.get("/api/health", headers=headers).status_code == 200
    origin = {**headers, "origin": "https://sites.exemple.fr"}
    assert client.put("/api/scenarios/x", json={"values": {}}, headers=origin).status_code == 200
    assert client.get("/api/health", headers={"host": "sites.exemple.fr"}).status_code == 401
    other = {**headers, "host": "autre.exemple.fr"}
    assert client.get("/api/health", headers=other).status_code == 421


def test_every_answer_carries_the_policy(local):
    for path in ("/donnees", "/api/packs", "/static/style.css", "/api/absent", "/absent"):
        headers = local.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert local.get("/donnees", headers={"host": "evil.example"}).headers["x-frame-options"]


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd",
     "/static/%2fetc%2fpasswd", "/static/vendor/..%5c..%5capp.py", "/static/lib/../../app.py",
     "/static/%00", "/api/runs/%2e%2e", "/api/runs/..%2f..%2fetc/exports/passwd",
     "/api/packs/..%2f..%2f..", "/api/scenarios/%2e%2e%2fx", "/api/jobs/..%2f..%2fetc%2fpasswd",
     "/api/runs/%00", "/api/packs/%E2%80%AE", "/api/scenarios/a%0d%0ax"],
)  # fmt: skip
def test_no_encoding_leads_out_of_the_folders(local, path):
    answer = local.get(path)
    assert answer.status_code in (404, 422)
    assert "import " not in answer.text
    assert "root:" not in answer.text


def test_what_is_too_large_is_refused_before_it_is_read(local):
    body = b'{"toml": "' + b"x" * 2_100_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert local.put("/api/scenarios/x", content=body, headers=headers).status_code == 413
    chunks = (body[i : i + 65536] for i in range(0, len(body), 65536))
    assert local.put("/api/scenarios/x", content=chunks, headers=headers).status_code == 413
    lie = {**headers, "content-length": "12"}
    assert local.put("/api/scenarios/x", content=b"{}" + b" " * 10, headers=lie).status_code != 500
    assert local.get("/api/packs", headers={"content-length": "x"}).status_code in (400, 413)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"values": {"a.b": 1, "a": 2}}',
     b'{"values": {"count": 1e999}}', b'{"values": {"count": NaN}}', b"[" * 50_000,
     b'{"values": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
     b'{"toml": "a = ' + b"[" * 3_000 + b'"}', b'{"toml": "' + b"a." * 5_000 + b'a = 1"}',
     b'{"scenario": "reference", "overrides": ["' + b"a." * 5_000 + b'a=1"]}',
     b'{"values": {"": 1}}', b'{"values": {".": 1}}',
     b'{"values": {"criteria": null, "weights.access": {"x": []}}}',
     b'{"extends": "reference", "values": {"count": 99999999999999999999999999}}',
     b'{"toml": "count = 9999999999999999999999999999999999"}',
     b'{"toml": "title = \\"\\\\ud800\\""}', b'{"toml": "d = 2020-01-01T00:00:00Z"}'],
)  # fmt: skip
def test_strange_bodies_are_faults(local, body):
    for method, path in (("PUT", "/api/scenarios/z"), ("POST", "/api/scenarios/check"),
                         ("POST", "/api/jobs"), ("POST", "/api/batches/plan")):  # fmt: skip
        answer = local.request(
            method, path, content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code < 500, (path, body[:60], answer.text)
        json.loads(answer.content)


def test_no_fault_names_a_path_of_this_machine(tmp_path):
    where = tmp_path / "secret" / "pack.toml"
    fault = Fault(
        Msg("the file cannot be read: {error}", error=f"[Errno 2] No such file: '{where}'"),
        file=where,
        value=where,
        remedy=Msg("look at {place}", place=where),
    )
    told = json.dumps(fault_json(fault, Translator("en")))
    assert str(tmp_path) not in told
    assert "pack.toml" in told


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("voir /home/anne/projet secret/x.toml", "voir projet secret/x.toml"),
        ("C:\\Users\\anne\\x.toml: faux", "x.toml: faux"),
        ("https://www.data.gouv.fr/fr/datasets/x", "https://www.data.gouv.fr/fr/datasets/x"),
        ("1 / 2, ou et/ou", "1 / 2, ou et/ou"),
        ("application/json", "application/json"),
    ],
)
def test_paths_are_cut_down_to_their_last_part(text, kept):
    assert without_paths(text) == kept
