"""Résultat and Comparaison in a real browser: what a planner does with a finished run."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from playwright.sync_api import expect

from tests.web.runs_here import workspace_with_runs
from tests.web.served import Server

CHOSEN = ("selected", "forced_in")
SHORTLIST = (*CHOSEN, "reserve")


@pytest.fixture(scope="module")
def server(_tiny_pack_once, tmp_path_factory, cache_of_servers):
    folder = tmp_path_factory.mktemp("screens")
    pack = Path(shutil.copytree(_tiny_pack_once, folder / "tiny"))
    place = workspace_with_runs(folder / "travail", pack, cache_of_servers)
    one = Server(place, cache_of_servers).start()
    yield one
    one.stop()


@pytest.fixture
def page(browser_page):
    """Fails when a script fails or the policy of the page is broken."""
    wrong: list[str] = []
    browser_page.on("pageerror", lambda error: wrong.append(str(error)))
    browser_page.on(
        "console",
        lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None,
    )
    browser_page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    yield browser_page
    assert wrong == []


@pytest.fixture
def sites(server):
    return gpd.read_parquet(server.workspace / "runs" / "premier" / "sites.parquet")


def rows(page):
    return page.locator("#list tbody tr[data-row]")


def opened(page, server, address="resultat?run=premier"):
    page.goto(f"{server.url}/{address}")
    expect(rows(page).first).to_be_visible()
    return page


def test_the_whole_story_ends_in_a_workbook(page, server, sites, tmp_path):
    opened(page, server)
    expect(page.locator("#run-title")).to_have_text("Premier essai")
    expect(page.locator("#headline .badge")).to_contain_text("Optimum prouvé")
    expect(rows(page)).to_have_count(int(sites["status"].isin(SHORTLIST).sum()))

    page.locator("#filters [name=status]").select_option("all")
    expect(page.locator("#list table")).to_have_attribute("aria-rowcount", str(len(sites) + 1))
    best = sites.sort_values("rank").loc[sites["status"] == "selected"].iloc[0]
    page.locator("#filters [name=text]").fill(str(best["site_id"]).lower())
    expect(rows(page)).to_have_count(1)
    rows(page).first.click()
    expect(page.locator("#sheet-title")).to_have_text(f"1. {best['name']}")
    expect(page.locator("#card .facts")).to_contain_text(best["code_insee"])

    with page.expect_download() as given:
        page.locator("#exports a[href$='/shortlist.xlsx']").click()
    kept = tmp_path / given.value.suggested_filename
    given.value.save_as(kept)
    assert kept.name == "premier-shortlist.xlsx"
    texts = {
        str(cell)
        for sheet in openpyxl.load_workbook(kept)
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    }
    assert set(sites.loc[sites["status"].isin(SHORTLIST), "site_id"]) <= texts


def test_why_and_why_not(page, server, sites):
    out = sites.loc[sites["status"] == "not_selected", "site_id"].iloc[0]
    opened(page, server, f"resultat?run=premier&site={out}")
    page.locator(".asked button.main").click()
    box = page.locator(".asked .box")
    expect(box).to_contain_text("points", timeout=60_000)
    # whoever makes room for it is one click away
    leaves = box.locator("button.link")
    expect(leaves.first).to_be_visible()
    name = leaves.first.inner_text()
    leaves.first.click()
    expect(page.locator("#sheet-title")).to_be_focused()
    assert page.locator("#sheet-title").inner_text() in name


def test_keyboard_alone_goes_from_the_list_to_the_sheet_and_back(page, server):
    opened(page, server)
    page.locator("#filters button[type=reset]").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#list tr[data-row]')"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = page.evaluate("document.activeElement.querySelector('th').textContent")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    expect(page.locator("#sheet-title")).to_contain_text(third)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.querySelector('th').textContent") == third


def test_map_and_list_are_in_step(page, server, sites):
    """B-00 in the middle of the map: E-00 lies 1 km to the north-west of it."""
    opened(page, server, "resultat?run=premier&site=B-00")
    page.locator("#filters [name=status]").select_option("all")
    box = page.locator("#map").bounding_box()
    centre = box["width"] / 2, box["height"] / 2
    names = sites.set_index("site_id")["name"]

    def there() -> bool:
        page.locator("#map").click(position={"x": centre[0] - 27, "y": centre[1] - 27})
        return names["E-00"] in page.locator("#sheet-title").inner_text()

    page.wait_for_timeout(300)
    if page.locator("#map canvas").count() == 0:
        pytest.skip("this browser draws no map")
    assert any(there() or page.wait_for_timeout(300) for _ in range(20))
    expect(page.locator("#list tr[aria-selected=true]")).to_contain_text(names["E-00"])
    page.locator("#filters [name=view]").check()
    seen = int(page.locator("#list table").get_attribute("aria-rowcount")) - 1
    assert 2 <= seen < len(sites)


def test_filters_narrow_and_come_back(page, server, sites):
    opened(page, server)
    page.locator("#filters [name=status]").select_option("all")
    page.locator("#filters [name=region]").select_option("24")
    page.locator("#filters [name=kind]").select_option("extension")
    wanted = int(((sites["region"] == "24") & (sites["kind"] == "extension")).sum())
    expect(rows(page)).to_have_count(wanted)
    page.locator("#filters [name=text]").fill("zzz")
    expect(rows(page)).to_have_count(0)
    page.locator("#filters button[type=reset]").click()
    expect(rows(page)).to_have_count(int(sites["status"].isin(SHORTLIST).sum()))


def test_the_ledger_says_in_words_whether_a_cap_is_kept(page, server):
    opened(page, server)
    ledger = page.locator("#ledger-body")
    ledger.locator("select[name=level]").select_option("region")
    lines = ledger.locator("table.ledger").last.locator("tbody tr")
    expect(lines).to_have_count(2)
    for k in range(2):
        expect(lines.nth(k)).to_contain_text("✓")
        expect(lines.nth(k)).to_contain_text("8,00")


def test_an_analysis_is_computed_from_the_page(page, server):
    opened(page, server)
    one = page.locator("article[aria-labelledby=decision-ranking]")
    expect(one.locator("table")).to_have_count(0)
    one.locator("form button").click()
    expect(one.locator("table").first).to_be_attached(timeout=90_000)
    expect(one.locator("img").first).to_be_visible()


def test_what_planners_wrote_stays_text(page, server):
    opened(page, server, "resultat?run=autre")
    expect(page.locator("#run-title")).to_have_text("Main-d'œuvre d'abord <b>")
    expect(page.locator(".overrides")).to_contain_text("<script>alert(1)</script>")


def test_a_result_that_is_not_there_is_said(page, server):
    page.goto(f"{server.url}/resultat?run=absent")
    expect(page.locator("#trouble")).to_contain_text("absent")
    expect(page.locator("#result")).to_be_hidden()


def test_two_results_side_by_side(page, server, sites):
    other = gpd.read_parquet(server.workspace / "runs" / "autre" / "sites.parquet")
    a, b = (set(t.loc[t["status"].isin(CHOSEN), "site_id"]) for t in (sites, other))
    opened(page, server, "comparaison?run=premier&run=autre")
    expect(rows(page)).to_have_count(len(a | b))
    assert b - a
    page.locator("#filters [name=movement]").select_option("entered")
    expect(rows(page)).to_have_count(len(b - a))
    for name in ("overview", "regions", "criteria", "ledgers"):
        expect(page.locator(f"#{name} table").first).to_be_visible()
    expect(page.locator("#overview")).to_contain_text("weights.workforce")
    # the other way round: what entered leaves
    page.locator("#picked select").nth(0).select_option("autre")
    page.locator("#picked select").nth(1).select_option("premier")
    page.locator("#choose [type=submit]").click()
    expect(rows(page)).to_have_count(len(a | b))
    page.locator("#filters [name=movement]").select_option("left")
    expect(rows(page)).to_have_count(len(b - a))


def test_the_same_result_twice_is_refused(page, server):
    opened(page, server, "comparaison?run=premier&run=autre")
    page.locator("#picked select").nth(1).select_option("premier")
    page.locator("#choose [type=submit]").click()
    expect(page.locator("#trouble .box")).to_be_visible()


@pytest.mark.parametrize(
    "address",
    [
        "resultat?run=premier&site=B-00",
        "comparaison?run=premier&run=autre",
        "resultat?run=autre&lang=en",
    ],
)
def test_no_serious_finding_of_axe_and_no_sideways_scrolling(page, server, address):
    from axe_playwright_python.sync_playwright import Axe

    opened(page, server, address)
    page.wait_for_load_state("networkidle")
    if "lang=en" in address:
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.locator("#headline .badge")).to_contain_text("Proven optimum")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    for width in (834, 720, 360):  # a tablet, a desktop at 200 %, a telephone
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
