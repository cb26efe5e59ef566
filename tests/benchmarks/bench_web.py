"""The planner's application with many candidates, in a real browser: what a reader waits for.

    python tests/benchmarks/bench_web.py --sites 24000 --queued 10 --json

The embedded pack is enlarged to that many candidates (copies of its sites some metres apart), one
run is made of it, and the pages are measured in Chromium without a graphics card, first with an
idle queue, then with runs queued and one of them being computed. Times are the browser's own
clock, from the event to the frame after the change; medians over ``--repeats``.

=================  ========================================================================
first_paint_ms     from the address to the first text on the screen
list_ms            to the first rows of the list
map_ms             to the marks of every candidate on the map
filter_ms          the status filter: shortlist ↔ every candidate, list and map drawn
search_ms          three letters typed into the search
sort_ms            the list sorted by name
sheet_ms           a site chosen: its sheet is there
weight_ms          Scénario: a slider moved, scores, ranks, list and map changed
scroll_worst_ms    longest frame while the list is scrolled from end to end
pan_worst_ms       longest frame while the map is dragged, every candidate on it
…_cpu_ms           the same in processor time of the page's own thread: what a machine that
                   does other work at the same time cannot change
=================  ========================================================================
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

STEP_M = 12.0
"""Copies of a site stand this far apart: the same roads, the same land, another footprint."""
SCENARIO = """\
title = "Grand paquet"
pack = "../packs/grand"
count = 20
reserve = 20
[constraints]
region_max = 4
[zan]
price = false
"""
AFTER_FRAME = "() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"


def main() -> int:
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(given.workspace or folder)
        prepared = prepare(place, given.sites)
        found = measure(place, given.repeats, given.queued)
    load = round(os.getloadavg()[0], 1)  # figures of a busy machine are no figures
    answer = {"sites": given.sites, "cores": os.cpu_count(), "load": load, **prepared, **found}
    print(json.dumps(answer, indent=None if given.json else 2))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=24_000)
    parser.add_argument("--queued", type=int, default=10, help="runs waiting in the second part")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workspace", help="keep what is prepared here, and use it again")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


# ------------------------------------------------------------------------ the pack and its run
def prepare(place: Path, sites: int) -> dict[str, Any]:
    """``packs/grand`` and ``runs/grand``, unless they are there."""
    pack = place / "packs" / "grand"
    (place / "scenarios").mkdir(parents=True, exist_ok=True)
    (place / "scenarios" / "grand.toml").write_text(SCENARIO, encoding="utf-8")
    if not (pack / "pack.toml").is_file():
        enlarge(ROOT / "data" / "france", pack, sites)
    started = time.perf_counter()
    if not (place / "runs" / "grand" / "manifest.json").is_file():
        _cli(place, "run", str(place / "scenarios" / "grand.toml"), "--out",
             str(place / "runs" / "grand"), "--quiet")  # fmt: skip
    return {"run_s": round(time.perf_counter() - started, 1)}


def enlarge(source: Path, target: Path, sites: int) -> None:
    """A copy of a pack whose sites are repeated up to ``sites``, each copy a step further east."""
    import geopandas as gpd
    import pandas as pd
    import tomli_w

    from siteselect.pack import sha256_of

    shutil.copytree(source, target)
    few = gpd.read_parquet(target / "sites.parquet")
    copies = []
    for k in range(-(-sites // len(few))):
        one = few.copy()
        if k:
            one["site_id"] = one["site_id"] + f"-{k}"
            one["geometry"] = one.geometry.translate(STEP_M * k)
        copies.append(one)
    many = pd.concat(copies, ignore_index=True).head(sites)
    many.to_parquet(target / "sites.parquet")
    manifest = tomllib.loads((target / "pack.toml").read_text(encoding="utf-8"))
    manifest.update(name="grand", title=f"{sites} candidats")
    for layer in manifest["layers"]:
        if layer["role"] == "sites":
            layer["sha256"] = sha256_of(target / "sites.parquet")
    (target / "pack.toml").write_text(tomli_w.dumps(manifest), encoding="utf-8")


def _cli(place: Path, *arguments: str) -> None:
    command = [sys.executable, "-c", "from siteselect.cli import main; main()", *arguments]
    subprocess.run(command, check=True, env=_environment(place), stdout=subprocess.DEVNULL)


def _environment(place: Path) -> dict[str, str]:
    return {**os.environ, "SITESELECT_CACHE": str(place / "cache"), "PYTHONPATH": str(ROOT)}


# ------------------------------------------------------------------------------- the browser
def measure(place: Path, repeats: int, queued: int) -> dict[str, Any]:
    """The pages with an idle queue, then with runs queued."""
    from playwright.sync_api import sync_playwright

    from tests.web.served import Server

    os.environ["PYTHONPATH"] = str(ROOT)
    server = Server(place, place / "cache").start()
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    flags = ["--enable-unsafe-swiftshader", "--no-sandbox"]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            found: dict[str, Any] = {"api": api_times(server)}
            found["idle"] = pages(browser, server, repeats)
            jobs = [_queue(server, k) for k in range(queued)]
            found["queued"] = {"jobs": len(jobs), **pages(browser, server, repeats)}
            for job in jobs:
                server.http.delete(f"/api/jobs/{job}")
            browser.close()
    finally:
        server.stop()
    return found


def _queue(server: Any, k: int) -> str:
    body = {"scenario": "grand", "overrides": [f"seed={k + 1}", f"count={12 + k}"]}
    answer = server.http.post("/api/jobs", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def api_times(server: Any) -> dict[str, Any]:
    """The answer that carries every candidate: first and second time, bytes as sent."""
    times, size = [], 0
    for _ in range(2):
        started = time.perf_counter()
        with server.http.stream("GET", "/api/runs/grand/sites") as answer:
            size = sum(len(part) for part in answer.iter_raw())
        times.append(round(1000 * (time.perf_counter() - started)))
    return {"sites_first_ms": times[0], "sites_again_ms": times[1], "sites_kb": size // 1000}


def pages(browser: Any, server: Any, repeats: int) -> dict[str, Any]:
    """Medians of every measure; the worst frame is the worst of all repeats."""
    rounds = [_round(browser, server) for _ in range(repeats)]
    return {
        key: (max if "worst" in key else statistics.median)(one[key] for one in rounds)
        for key in rounds[0]
    }


class _Meter:
    """Processor time of the thread that runs the page (Chromium's own count)."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def ms(self) -> float:
        """Milliseconds so far."""
        told = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(one["value"] for one in told if one["name"] == "TaskDuration"))


def _round(browser: Any, server: Any) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(90_000)
    try:
        return {**_result(page, server), **_weights(page, server)}
    finally:
        context.close()


def _result(page: Any, server: Any) -> dict[str, float]:
    meter = _Meter(page)
    before = meter.ms()
    page.goto(f"{server.url}/resultat?run=grand", wait_until="commit")
    page.wait_for_selector("#list tr[data-row]")
    rows = page.evaluate("performance.now()")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.wait_for_selector("#legend ul")
    marks = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    found = {"first_paint_ms": paint, "list_ms": rows, "map_ms": marks}
    found["page_cpu_ms"] = meter.ms() - before
    found.update(_events(page, meter))
    found["scroll_worst_ms"] = page.evaluate(_FRAMES % {"act": _SCROLL})
    found["pan_worst_ms"] = _pan(page)
    return {key: round(value, 1) for key, value in found.items()}


def _events(page: Any, meter: _Meter) -> dict[str, float]:
    """Each event from its start to the frame after it, with what the page's thread worked."""
    asked = {
        "filter": [("select[name=status]", value) for value in ("all", "shortlist", "all")],
        "search": [("#filters [name=text]", text) for text in ("rou", "", "lyo")],
        "sort": [("#list th:nth-child(2) button", None), ("#list th:nth-child(1) button", None)],
        "sheet": [("#list tr[data-row]", None)],
    }
    found = {}
    for name, events in asked.items():
        walls, works = [], []
        for selector, value in events:
            before = meter.ms()
            walls.append(page.evaluate(_EVENT, [selector, value]))
            works.append(meter.ms() - before)
        found[f"{name}_ms"] = statistics.median(walls)
        found[f"{name}_cpu_ms"] = statistics.median(works)
    page.evaluate(_EVENT, ["#filters [name=text]", ""])
    return found


_EVENT = f"""async ([selector, value]) => {{
  const target = document.querySelector(selector);
  const t = performance.now();
  if (value === null) target.click();
  else {{
    target.value = value;
    target.dispatchEvent(new Event('input', {{ bubbles: true }}));
  }}
  await ({AFTER_FRAME})();
  return performance.now() - t; }}"""
_FRAMES = """async () => {
  let worst = 0, last = performance.now(), on = true;
  const tick = (now) => {
    worst = Math.max(worst, now - last);
    last = now;
    if (on) requestAnimationFrame(tick);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
  %(act)s
  on = false;
  return worst; }"""
_SCROLL = """
  const view = document.querySelector('#list .virtual-view');
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame();
  for (let k = 0; k <= 60; k++) { view.scrollTop = (view.scrollHeight * k) / 60; await frame(); }"""


def _pan(page: Any) -> float:
    """The map dragged with the mouse; the worst frame as the page saw it."""
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(
        """() => { window.worst = 0; window.on = true; let last = null;
        const tick = (now) => {
          if (last !== null) window.worst = Math.max(window.worst, now - last);
          last = now;
          if (window.on) requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick); }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(30):
        page.mouse.move(x + 4 * k, y + 2 * k)
    page.mouse.up()
    worst: float = page.evaluate("() => { window.on = false; return window.worst; }")
    return worst


def _weights(page: Any, server: Any) -> dict[str, float]:
    """Scénario: a slider moved, until the ranks in the list have changed."""
    page.goto(f"{server.url}/scenario?name=grand")
    page.wait_for_selector("#table tr[data-row]")
    page.wait_for_load_state("networkidle")
    meter, walls, works = _Meter(page), [], []
    for share in (0.25, 0.5, 0.75):
        before = meter.ms()
        walls.append(page.evaluate(_SLIDE, share))
        works.append(meter.ms() - before)
    found = {"weight_ms": statistics.median(walls), "weight_cpu_ms": statistics.median(works)}
    return {key: round(value, 1) for key, value in found.items()}


_SLIDE = """async (share) => {
  const slider = document.querySelector('.slider input[type=range]');
  const rows = document.querySelector('#table tbody');
  const changed = new Promise((go) => new MutationObserver(go).observe(rows,
    { childList: true, subtree: true, characterData: true }));
  slider.value = String(Number(slider.min) + share * (Number(slider.max) - Number(slider.min)));
  const t = performance.now();
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  await changed;
  await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  return performance.now() - t; }"""


if __name__ == "__main__":
    sys.exit(main())
