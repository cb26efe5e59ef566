"""Robustness, override costs and isochrones in the page and the pack, from a run directory."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pypdf
import pytest

import siteselect
from siteselect.analysis import write_analysis
from siteselect.i18n import Translator
from siteselect.report.extras import FOLDER, make_deliverables
from siteselect.report.findings import read_findings, stability
from siteselect.rundir import read_run
from siteselect.runs import Run
from tests.tinypack import build_tiny_pack

HOW = {"draws": 20, "measured_spread": 0.05, "assumed_spread": 0.2, "cap_spread": 0.1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("findings")
    build_tiny_pack(place / "pack")
    scenario = {"pack": str(place / "pack"), "title": "Essai", "count": 3, "reserve": 2}
    siteselect.run(scenario, out=place / "run", cache=False)
    return place / "run"


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Run:
    return read_run(folder)


def keep_robustness(folder: Path, run: Run, run_id: str) -> None:
    """Tables as ``siteselect robustness`` keeps them: two sites chosen, one other."""
    chosen = run.shortlist[run.shortlist["status"] != "reserve"]
    other = run.shortlist[run.shortlist["status"] == "reserve"].iloc[0]
    rows = [
        (chosen["site_id"].iloc[0], 1.0, 0.8389, 1.0, "always", True),
        (chosen["site_id"].iloc[1], 0.35, 0.1812, 0.5671, "sometimes", True),
        (other["site_id"], 0.65, 0.4329, 0.8188, "often", False),
    ]
    columns = ["site_id", "frequency", "low", "high", "class", "selected"]
    sites = pd.DataFrame(rows, columns=columns).merge(
        run.sites[["site_id", "name", "region_name"]], on="site_id"
    )
    structures = pd.DataFrame(
        [("sans compensation", "optimal", 1, 0.2)], columns=["variant", "status", "kept", "jaccard"]
    )
    facts = {"run_id": run_id, "uncertainty": HOW, "proven": 20}
    tables = {"sites": sites, "structures": structures}
    write_analysis(folder, "robustness", facts=facts, tables=tables)


def page_of(folder: Path, run: Run) -> str:
    make_deliverables(run, folder, Translator("en"), parts=("page",))
    text = (folder / f"{FOLDER}-en" / "report.html").read_text(encoding="utf-8")
    return text


def section(text: str) -> str:
    return html.unescape(text.split('<section id="robustness"')[1].split("</section>")[0])


def test_a_page_says_how_to_know_what_was_not_computed(folder: Path, tiny: Run) -> None:
    assert "siteselect robustness RUN" in section(page_of(folder, tiny))


def test_robustness_is_on_the_page_and_in_the_pack(folder: Path, tiny: Run) -> None:
    keep_robustness(folder, tiny, tiny.run_id)
    said = section(page_of(folder, tiny))
    assert "20 draws, each solved again (20 proven)" in said
    assert "Of the 2 sites chosen, 1 are chosen in every draw, 0 in most, 1 in some" in said
    rows = re.findall(r"<tr>(.*?)</tr>", said, re.S)
    cells = [re.findall(r"<td[^>]*>([^<]+)</td>", row) for row in rows]
    first = tiny.shortlist.iloc[0]
    assert [str(first["rank"]), first["name"]] == cells[1][:2]
    assert cells[1][3:] == ["100%", "84%", "100%", "always"]
    assert cells[2][3:] == ["35%", "18%", "57%", "sometimes"]
    assert 'width="42.0"' in rows[2]  # 35 % of 120: the bar
    assert 'd="M21.7 6H68.1"' in rows[2]  # and its interval
    assert cells[4][2:] == ["65%", "43%", "82%", "often"]
    assert cells[6] == ["sans compensation", "Proven optimum", "1", "20%"]
    make_deliverables(tiny, folder, Translator("en"), parts=("pdf",))
    reader = pypdf.PdfReader(folder / f"{FOLDER}-en" / "committee.pdf")
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    assert "20 draws, each solved again (20 proven)" in text
    assert "35% 18% 57% sometimes" in text


def test_the_analysis_of_another_run_is_left_aside(folder: Path, tiny: Run) -> None:
    keep_robustness(folder, tiny, "0123456789ab")
    assert read_findings(folder, tiny).robustness is None
    assert stability(read_findings(folder, tiny), tiny, Translator("fr")) is None


def test_the_map_of_the_page_holds_the_isochrones(folder: Path, tiny: Run) -> None:
    text = page_of(folder, tiny)
    data = json.loads(text.split('id="map-data">')[1].split("</script>")[0])
    found = {(one["i"], one["minutes"]) for one in data["isochrones"]}
    assert found == {(i, m) for i in range(len(tiny.shortlist)) for m in (30, 45)}
    minutes = [one["minutes"] for one in data["isochrones"]]
    assert minutes == sorted(minutes, reverse=True)  # the narrow ones are drawn over the wide ones
    assert 'data-layer="isochrones"' in text
    own = (folder / "report.html").read_text(encoding="utf-8")
    assert 'data-layer="isochrones"' not in own.split("<script")[0]  # not made by the run itself


def test_override_costs_are_on_the_page(folder: Path, tiny: Run) -> None:
    site = str(tiny.shortlist["site_id"].iloc[0])
    locks = tiny.scenario.locks.model_copy(update={"include": (site,), "reasons": {site: "vote"}})
    result = replace(tiny.result, overrides=({"site_id": site, "cost": 125_000},))
    scenario = tiny.scenario.model_copy(update={"locks": locks})
    forced = replace(tiny, scenario=scenario, result=result)
    text = page_of(folder, forced).split('<section id="overrides"')[1].split("</section>")[0]
    assert "vote" in text
    assert "0.125" in text
