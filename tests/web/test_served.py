"""The application as people start it: a process, an address, pages in a real browser."""

from __future__ import annotations

import subprocess

import httpx

from tests.web.served import COMMAND

SCREENS = ("donnees", "scenario", "calcul", "resultat", "comparaison", "lots")


def test_it_answers_on_this_machine(shared_server):
    assert shared_server.http.get("/api/health").json()["status"] == "ok"
    names = {pack["name"] for pack in shared_server.http.get("/api/packs").json()}
    assert names == {"france", "tiny"}


def start(*options):
    """What the command says and its exit status, where it does not begin to serve."""
    done = subprocess.run(
        [*COMMAND, *map(str, options)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


def test_two_applications_do_not_share_a_queue_nor_a_port(shared_server, tmp_path):
    status, said = start("--workspace", shared_server.workspace, "--port", 0)
    assert status == 2
    assert "autre application" in said or "another application" in said
    status, said = start("--workspace", tmp_path, "--port", shared_server.port)
    assert status == 2
    assert "Traceback" not in said


def test_every_screen_loads_without_a_violation_of_the_policy(shared_server, browser_page):
    said = []
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.on("pageerror", lambda error: said.append(f"Uncaught {error}"))
    for screen in SCREENS:
        answer = browser_page.goto(f"{shared_server.url}/{screen}")
        assert answer is not None
        assert answer.status == 200
        current = browser_page.locator("nav a[aria-current=page]").first
        assert current.get_attribute("href") == f"/{screen}"
    assert not [line for line in said if "Content Security Policy" in line or "Uncaught" in line]


def test_the_switch_of_language_is_remembered(shared_server):
    with httpx.Client(base_url=shared_server.url) as client:
        assert '<html lang="fr">' in client.get("/lots").text
        assert '<html lang="en">' in client.get("/lots?lang=en").text
        assert '<html lang="en">' in client.get("/lots").text
