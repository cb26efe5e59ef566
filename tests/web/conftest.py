"""A workspace with the tiny pack, the application as a real process, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.served import Server, make_workspace

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
NO_BROWSER = "no Chromium on this machine: apt-get install chromium"


@pytest.fixture
def workspace(tiny_pack: Path, tmp_path: Path) -> Path:
    """packs/tiny, scenarios/essai.toml (possible), scenarios/impossible.toml, no run."""
    return make_workspace(tmp_path / "travail", tiny_pack)


@pytest.fixture(scope="session")
def cache_of_servers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages measured once for all the servers of the tests: the tiny pack is always the same."""
    return tmp_path_factory.mktemp("cache-of-servers")


@pytest.fixture
def server(workspace: Path, cache_of_servers: Path) -> Iterator[Server]:
    """The application, for one test, in a fresh workspace."""
    one = Server(workspace, cache_of_servers).start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def shared_server(
    _tiny_pack_once: Path, tmp_path_factory: pytest.TempPathFactory, cache_of_servers: Path
) -> Iterator[Server]:
    """The application, one for all the tests of a module that do not spoil its workspace."""
    folder = tmp_path_factory.mktemp("serve")
    pack = Path(shutil.copytree(_tiny_pack_once, folder / "tiny"))
    one = Server(make_workspace(folder / "travail", pack), cache_of_servers).start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def shared_client(
    _tiny_pack_once: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The application in this process, one for a module; ``workspace`` is its folder."""
    from siteselect.web.app import create_app
    from siteselect.web.settings import settings_for

    folder = tmp_path_factory.mktemp("application")
    pack = Path(shutil.copytree(_tiny_pack_once, folder / "tiny"))
    settings = settings_for(make_workspace(folder / "travail", pack))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITESELECT_CACHE", str(folder / "cache"))
        app = create_app(settings)
    with TestClient(app, base_url="http://localhost") as client:
        client.workspace = settings.workspace  # type: ignore[attr-defined]
        yield client


@pytest.fixture(scope="session")
def _browser():
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    arguments = ["--enable-unsafe-swiftshader"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(_browser):
    """A page of a fresh browser context at desktop size.

    Requests that leave 127.0.0.1 are cut off, and fail the test when it ends.
    """
    context = _browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="fr-FR", reduced_motion="reduce"
    )
    outside: list[str] = []

    def only_ours(route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", only_ours)
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert outside == [], f"requests left this machine: {outside}"
