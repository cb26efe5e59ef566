"""The screens in a real browser: stories that a planner lives, from data to a result.

The fixture of the page cuts off every request that leaves this machine, and fails the test.
"""

from __future__ import annotations

import re
import signal
import tomllib

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web.served import Server

SERIOUS = {"serious", "critical"}
expect.set_options(timeout=20_000)  # machines that test may be slow


@pytest.fixture
def page(browser_page) -> Page:
    """The page, its mistakes collected: none may be left when the test ends."""
    mistakes: list[str] = []
    browser_page.on("pageerror", lambda error: mistakes.append(str(error)))
    browser_page.on(
        "console",
        lambda said: mistakes.append(said.text) if "Content Security" in said.text else None,
    )
    yield browser_page
    assert mistakes == []


def serious_findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


def open_scenario(page: Page, server: Server, name: str) -> None:
    page.goto(f"{server.url}/scenario?name={name}")
    expect(page.locator("#table tbody tr[data-row]").first).to_be_visible()


def group(page: Page, name: str):
    found = page.locator(f"details[data-group={name}]")
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found


def card_of(page: Page, title: str):
    return page.locator("article", has=page.get_by_role("heading", name=title))


def ends(card, state: str, server: Server) -> None:
    """A job ends as it should; otherwise its log says why."""
    ended = re.compile("done|failed|infeasible|limit|cancelled")
    expect(card).to_have_attribute("data-state", ended, timeout=90_000)
    job = server.http.get(f"/api/jobs/{card.get_attribute('data-job')}").json()
    assert job["state"] == state, (job["faults"], job["log"])


# ---- stories -----------------------------------------------------------------------------------


def test_from_the_data_to_a_result(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/")
    expect(page).to_have_url(re.compile("/donnees"))
    page.locator("button[data-pack=tiny]").click()
    expect(page.locator("#pack-warning")).to_contain_text("labour")  # simulated: said here
    expect(page.locator("#layers tbody tr")).to_have_count(11)
    page.locator("#use").click()

    expect(page).to_have_url(re.compile("pack=tiny"))
    open_scenario(page, shared_server, "essai")
    constraints = group(page, "constraints")
    constraints.locator("[data-path='constraints.separation_km'] input").fill("2")
    expect(page.locator("#differences-title")).to_contain_text("7 ")
    page.locator("#save-as").click()
    page.locator("#as-title").fill("Mon scénario à moi")
    expect(page.locator("#as-name")).to_have_value("mon-scenario-a-moi")
    page.locator("dialog button[value=yes]").click()
    expect(page).to_have_url(re.compile("name=mon-scenario-a-moi"))

    kept = tomllib.loads(
        (shared_server.workspace / "scenarios/mon-scenario-a-moi.toml").read_text("utf-8")
    )
    assert kept["constraints"]["separation_km"] == 2
    assert kept["title"] == "Mon scénario à moi"

    page.locator("#run").click()
    expect(page).to_have_url(re.compile("/calcul"))
    card = card_of(page, "Mon scénario à moi")
    ends(card, "done", shared_server)
    card.locator("a.main").click()
    expect(page).to_have_url(re.compile("/resultat"))
    expect(page.locator("main")).to_contain_text("Mon scénario à moi")


def test_the_impossible_and_its_remedy(shared_server: Server, page: Page) -> None:
    path = shared_server.workspace / "scenarios/impossible.toml"
    before = tomllib.loads(path.read_text("utf-8"))
    page.goto(f"{shared_server.url}/calcul?scenario=impossible")
    page.locator("#start button.main").click()
    card = card_of(page, "Impossible").first
    ends(card, "infeasible", shared_server)
    first = card.get_attribute("data-job")
    remedies = card.locator(".box.good li", has=page.locator("button"))
    remedy = remedies.filter(has_text="k€").first
    remedy.locator("button").click()
    expect(page.locator("dialog li")).to_contain_text("→")  # the change, before it is made
    page.locator("dialog button[value=yes]").click()
    made = page.locator(f"article.on:not([data-job='{first}'])")
    ends(made, "done", shared_server)
    kept = tomllib.loads(path.read_text("utf-8"))
    budget = "budget_keur"
    assert kept["constraints"].pop(budget) > before["constraints"].pop(budget)
    assert kept == before  # nothing else changed


def test_a_whole_run_by_the_keyboard(shared_server: Server, page: Page) -> None:
    open_scenario(page, shared_server, "essai")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    page.locator("#w-weights-access").focus()  # a slider: the arrows move it
    before = page.locator("#table tbody tr[data-row] td:nth-child(7)").first.inner_text()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#table tbody tr[data-row] td:nth-child(7)").first).not_to_have_text(before)

    row = page.locator("#table tbody tr[data-row]").first
    row.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#table tr:focus")).to_have_attribute("aria-rowindex", "4")
    page.keyboard.press("End")
    expect(page.locator("#table tr:focus")).to_have_attribute("aria-rowindex", "25")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    card = page.locator("#card")
    expect(card).to_be_visible()
    site = page.locator("#table tr[aria-selected=true]")
    name = site.locator("th").inner_text()

    card.locator("[data-way=out]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#lock-who")).to_be_focused()
    page.keyboard.type("Mme Martin")
    page.keyboard.press("Tab")
    page.keyboard.type("déjà promis")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    locks = group(page, "locks")
    expect(locks).to_contain_text(name)
    expect(locks.locator("input[type=text]")).to_have_value(re.compile("Mme Martin.*déjà promis"))

    page.locator("#run").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/calcul"))
    card = page.locator("article.on")
    ends(card, "done", shared_server)
    kept = tomllib.loads((shared_server.workspace / "scenarios/essai.toml").read_text("utf-8"))
    assert len(kept["locks"]["exclude"]) == 1
    assert "Mme Martin" in next(iter(kept["locks"]["reasons"].values()))


def test_two_tabs_and_a_machine_that_fails(server: Server, page: Page) -> None:
    other = page.context.new_page()
    other.goto(f"{server.url}/calcul?scenario=essai")
    page.goto(f"{server.url}/calcul?scenario=essai")
    for count in (2, 3, 4):
        asked = {"scenario": "essai", "overrides": [f"count={count}"], "title": f"À {count}"}
        assert server.http.post("/api/jobs", json=asked).status_code == 202
    expect(page.locator("article")).to_have_count(3)
    expect(other.locator("article")).to_have_count(3)

    expect(page.locator("article[data-state=running]")).to_have_count(1)
    server.stop(signal.SIGKILL)
    expect(page.locator("#lost")).not_to_be_empty()
    server.start()
    expect(page.locator("#lost")).to_be_empty(timeout=30_000)
    for tab in (page, other):
        expect(tab.locator("article[data-state=done]")).to_have_count(3, timeout=90_000)


def test_a_waiting_job_is_stopped(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/calcul?scenario=essai")
    waiting = page.locator("article[data-state=queued]")
    for _ in range(2):  # one runs, or has run already, the other waits
        page.locator("#start button.main").click()
        expect(page.locator("article.on")).to_be_visible()
    waiting.last.locator("button.danger").click()
    expect(page.locator("article[data-state=cancelled]")).to_have_count(1)


def test_a_batch_is_planned_then_computed(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/lots")
    page.locator("#scenario").select_option("essai")
    page.locator("#axis-0").select_option("count")
    page.locator("#axis-values-0").fill("2 ; trois")
    page.locator("#plan").click()
    expect(page.locator("#axis-fault-0")).to_contain_text("trois")
    page.locator("#axis-values-0").fill("2 ; 3")
    expect(page.locator("#total")).to_contain_text("2")
    page.locator("#plan").click()
    expect(page.locator("#plan-list tbody tr")).to_have_count(2)
    page.locator("#launch").click()
    expect(page).to_have_url(re.compile("/calcul"))
    card = page.locator("article.on")
    ends(card, "done", shared_server)
    card.locator("a.main").click()
    expect(page.locator("#figures dd").first).to_have_text("2")
    expect(page.locator("#core-table tbody tr[data-row]").first).to_be_visible()
    assert serious_findings(page) == []


def test_a_file_that_is_no_inventory_is_refused_in_words(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/donnees")
    page.locator("#bring summary").click()
    table = {"name": "Mes sites.csv", "mimeType": "text/csv", "buffer": b"colonne\n1\n2\n"}
    page.locator("#upload-file").set_input_files(files=[table])
    expect(page.locator("#upload-name")).to_have_value("mes-sites")
    page.locator("#upload-base").select_option("tiny")
    page.locator("#upload button.main").click()
    told = page.locator("#upload-state .box.bad")
    expect(told).to_be_visible(timeout=60_000)
    expect(told).to_contain_text("sites.csv")
    expect(page.locator("#packs button")).to_have_count(2)  # france, tiny: nothing was made


# ---- parts -------------------------------------------------------------------------------------


def test_a_fault_is_shown_at_its_field(shared_server: Server, page: Page) -> None:
    open_scenario(page, shared_server, "essai")
    constraints = group(page, "constraints")
    field = constraints.locator("[data-path='constraints.region_min']")
    field.locator("input").fill("9")
    expect(field.locator(".fault").last).to_be_visible()
    expect(field.locator("input")).to_have_attribute("aria-invalid", "true")
    field.locator("button", has_text=re.compile("rétablir|put back")).click()
    expect(field.locator("input")).to_have_value("1")
    expect(field.locator("input")).not_to_have_attribute("aria-invalid", "true")


def test_two_tabs_do_not_write_over_each_other(shared_server: Server, page: Page) -> None:
    file = shared_server.workspace / "scenarios/essai-2.toml"
    file.write_text('extends = "essai.toml"\ntitle = "Deux"\n', encoding="utf-8")
    other = page.context.new_page()
    for tab, title in ((page, "Premier"), (other, "Second")):
        tab.goto(f"{shared_server.url}/scenario?name=essai-2")
        group(tab, "general").locator("[data-path=title] input").fill(title)
        tab.keyboard.press("Tab")
    other.locator("#save").click()
    expect(other.locator("#save")).to_be_disabled()  # nothing left to save
    page.locator("#save").click()
    expect(page.locator("#trouble .box.bad")).to_be_visible()
    assert tomllib.loads(file.read_text("utf-8"))["title"] == "Second"


def test_weights_move_the_ranks(shared_server: Server, page: Page) -> None:
    open_scenario(page, shared_server, "essai")
    page.locator("[data-path='weights.access'] input[type=number]").fill("0")
    page.locator("[data-path='weights.network'] input[type=number]").fill("0")
    first = page.locator("#table tbody tr[data-row]").first
    # what is left is labour: the largest basins of the pack come first
    expect(page.locator("[data-path='weights.workforce'] output")).to_have_text(re.compile("^100"))
    asked = {"extends": "essai", "values": {"weights.access": 0, "weights.network": 0}}
    found = shared_server.http.post("/api/packs/tiny/sites", json=asked).json()
    best = max(range(len(found["score"])), key=lambda i: (found["score"][i], -i))
    expect(first.locator("th")).to_have_text(found["name"][best])
    page.locator("#filters [name=show]").select_option("moved")
    expect(page.locator("#shown")).to_contain_text("24")


def test_another_scenario_takes_the_place_of_the_first(shared_server: Server, page: Page) -> None:
    more = 'extends = "essai.toml"\ntitle = "Trois"\n[candidates]\nkinds = ["extension"]\n'
    (shared_server.workspace / "scenarios/essai-3.toml").write_text(more, encoding="utf-8")
    open_scenario(page, shared_server, "essai")
    expect(page.locator("#map canvas.points")).to_have_count(1)
    page.locator("#name").select_option("essai-3")
    expect(page.locator("#shown")).to_contain_text("12")
    expect(page.locator("#map canvas.points")).to_have_count(1)  # one map, not one on another
    page.locator("#filters [name=text]").fill("extension 3")
    expect(page.locator("#table tbody tr[data-row]")).to_have_count(1)


def test_the_list_of_parameters_can_be_searched(shared_server: Server, page: Page) -> None:
    open_scenario(page, shared_server, "essai")
    page.locator("#find").fill("budget")
    expect(page.locator("[data-path='constraints.budget_keur']")).to_be_visible()
    expect(page.locator("[data-path='constraints.region_min']")).to_be_hidden()


def test_caps_are_given_by_territory(shared_server: Server, page: Page) -> None:
    open_scenario(page, shared_server, "essai")
    ledgers = group(page, "zan").locator("[data-path='zan.ledgers']")
    ledgers.locator("button").last.click()
    ledgers.locator("select").first.select_option("region")
    ledgers.locator("details summary").click()
    ledgers.get_by_label(re.compile("Gauche")).fill("3.5")
    expect(page.locator("#toml")).to_contain_text("11 = 3.5")
    expect(page.locator("#toml")).to_contain_text('level = "region"')


def test_english_is_one_click_away(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/scenario?name=essai")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.locator(".lang a").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(re.compile("name=essai"))
    expect(page.locator("#form")).to_contain_text("Number of sites")
    page.goto(f"{shared_server.url}/calcul")  # kept
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("screen", ["donnees", "scenario?name=essai", "calcul", "lots"])
def test_nothing_serious_for_assistive_techniques(
    screen: str, shared_server: Server, page: Page
) -> None:
    page.goto(f"{shared_server.url}/{screen}")
    page.wait_for_load_state("networkidle") if screen != "calcul" else page.wait_for_timeout(500)
    for details in page.locator("main details").all():
        details.evaluate("one => { one.open = true; }")
    if screen.startswith("scenario"):
        page.locator("#table tbody tr[data-row]").first.click()
        expect(page.locator("#card")).to_be_visible()
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        assert serious_findings(page) == []
    if screen.startswith("scenario"):
        page.locator("#card [data-way=in]").click()
        assert serious_findings(page) == []  # the dialog
        page.keyboard.press("Escape")
    # zoomed to 200 % on a small screen nothing has to be scrolled sideways
    page.set_viewport_size({"width": 640, "height": 480})
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 1
