"""The application as people start it: a process, an address, pages in a real browser."""

from __future__ import annotations

import httpx
import pytest

SCREENS = ("donnees", "scenario", "calcul", "resultat", "comparaison", "lots")


def test_it_answers_on_this_machine(shared_server):
    assert shared_server.http.get("/api/health").json()["status"] == "ok"
    names = {pack["name"] for pack in shared_server.http.get("/api/packs").json()}
    assert names == {"france", "tiny"}


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_loads_without_a_violation_of_the_policy(shared_server, browser_page, screen):
    said = []
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.on("pageerror", lambda error: said.append(str(error)))
    answer = browser_page.goto(f"{shared_server.url}/{screen}")
    assert answer is not None
    assert answer.status == 200
    assert browser_page.locator("nav a[aria-current=page]").get_attribute("href") == f"/{screen}"
    assert not [line for line in said if "Content Security Policy" in line or "Uncaught" in line]


def test_the_switch_of_language_is_remembered(shared_server):
    with httpx.Client(base_url=shared_server.url) as client:
        assert '<html lang="fr">' in client.get("/lots").text
        assert '<html lang="en">' in client.get("/lots?lang=en").text
        assert '<html lang="en">' in client.get("/lots").text
