"""The batch from Python and from the command line: results, synthesis, reports, reference."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import siteselect
from siteselect.batches.papers import write_synthesis
from siteselect.batches.screen import _Board
from siteselect.batches.synthesis import synthesis_of
from siteselect.cli import app
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.scenario_keys import reference_page, scenario_keys, scenario_schema, unknown_key
from tests.batch.conftest import BASE, GRID, of, tables_in

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def batch(_tiny_pack_once, tmp_path_factory) -> siteselect.Batch:
    """Nine scenarios: the grid, and one that nothing can satisfy; read by the tests below."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "tiny").symlink_to(_tiny_pack_once)
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "grid.toml").write_text(GRID, encoding="utf-8")
    greedy = 'extends = "base.toml"\n[constraints]\nregion_min = 3\n'
    (folder / "greedy.toml").write_text(greedy, encoding="utf-8")
    events: list[dict] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITESELECT_CACHE", str(folder / "cache"))
        done = siteselect.batch(
            [folder / "grid.toml", folder / "greedy.toml"],
            store=folder / "runs", jobs=2, lang="en", on_event=events.append,
        )  # fmt: skip
    assert len(of(events, "started")) == 9
    return done


def test_results_are_tables_of_pandas_and_geopandas(batch):
    assert batch.exit_status == 3
    runs = batch.runs
    assert runs["name"].tolist() == [*(f"grid-{n:03d}" for n in range(1, 9)), "greedy"]
    assert runs["weights.access"].tolist()[:8] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert runs["selected"].tolist()[:8] == [4] * 8
    assert runs["status"].tolist() == ["optimal"] * 8 + ["infeasible"]
    assert isinstance(batch.sites, gpd.GeoDataFrame)
    shortlist = batch.shortlist("grid-001")
    assert len(shortlist) == 7
    assert shortlist.crs == "EPSG:2154"
    with pytest.raises(InputError, match="no finished run"):
        batch.table("greedy", "sites")


def test_runs_say_the_same_as_runs_alone(batch, monkeypatch):
    planned = batch.plan.runs[2]
    alone = siteselect.run(planned.loaded, lang="en", cache=False)
    row = batch.runs.iloc[2]
    assert round(row["objective"] * 1e6) == alone.result.objective
    assert row["net_ha"] == alone.result.totals["net_ha"]
    kept = batch.table(planned.name, "sites").set_index("site_id")
    own = alone.sites.set_index("site_id")
    for column in ("status", "rank", "score_units", "new_artificialisation_ha", "reason"):
        assert kept[column].tolist() == own[column].tolist(), column


def test_sites_are_counted_over_the_scenarios_by_an_independent_count(batch):
    found: dict[str, int] = {}
    for planned in batch.plan.runs[:8]:
        table = batch.table(planned.name, "sites")
        for site in table.loc[table["status"].isin(["selected", "forced_in"]), "site_id"]:
            found[site] = found.get(site, 0) + 1
    sites = batch.sites.set_index("site_id")
    assert sites["chosen_in"].to_dict() == found
    assert sites["share"].to_dict() == {site: count / 8 for site, count in found.items()}
    assert set(sites.index[sites["core"]]) == {site for site, n in found.items() if n == 8}
    assert sites["chosen_in"].is_monotonic_decreasing
    assert sum(found.values()) == 8 * 4


def test_regions_add_up_to_the_number_of_sites(batch):
    regions = synthesis_of(batch).regions
    assert list(regions.columns) == ["Droite", "Gauche"]
    assert regions.sum(axis=1).tolist() == [4] * 8


def test_the_synthesis_for_people_says_the_same(batch):
    workbook, page, scenarios, sites = write_synthesis(batch)
    book = openpyxl.load_workbook(workbook)
    assert book.sheetnames == ["Read me", "Scenarios", "Regions", "Sites", "Changes"]
    rows = list(book["Scenarios"].values)
    assert len(rows) == 1 + 9
    assert rows[0][0] == "Scenario"
    assert rows[1][rows[0].index("Objective (points)")] == batch.runs["objective"][0]
    assert rows[9][rows[0].index("Status")] == "infeasible"
    assert "Gauche" in rows[9][rows[0].index("Reason")]
    assert len(list(book["Sites"].values)) == 1 + len(batch.sites)
    said = " ".join(str(row[0]) for row in book["Read me"].values)
    assert "labour (essai)" in said  # what is simulated
    assert "robust core" in said
    text = page.read_text(encoding="utf-8")
    assert "labour (essai)" in text
    assert text.count("<tr>") == sum(
        1 + len(list(book[name].values)) - 1 for name in book.sheetnames[1:]
    )
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "default-src 'none'" in text
    assert len(pd.read_parquet(scenarios)) == 9
    assert gpd.read_parquet(sites).crs == "EPSG:2154"


def test_texts_of_the_user_cannot_run(workshop):
    evil = '<script>alert(1)</script>=HYPERLINK("x")'
    workshop.write("evil.toml", f"extends = \"base.toml\"\ntitle = '{evil}'\nreserve = 2\n")
    done = siteselect.batch(workshop.folder / "evil.toml", store=workshop.store, jobs=1, lang="en")
    workbook, page, *_ = write_synthesis(done)
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    cells = [cell for row in openpyxl.load_workbook(workbook)["Scenarios"] for cell in row]
    assert evil in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n"}


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ('extends = "base.toml"\ncont = 3\n', 1, "did you mean count"),
        ('extends = "base.toml"\n[constraints]\nregion_min = 3\n', 3, "Gauche"),
    ],
)
def test_a_batch_without_any_portfolio_has_a_synthesis_too(workshop, text, status, said):
    workshop.write("alone.toml", text)
    result = invoke("batch", workshop.folder / "alone.toml", "--store", workshop.store,
                    "--lang", "en", "--quiet", "--jobs", 1)  # fmt: skip
    assert result.exit_code == status, result.output
    assert said in result.stdout
    assert "0 sites are chosen in every scenario, 0 in at least one" in result.stdout
    assert len(list(workshop.store.glob("batches/*/synthesis.*"))) == 2


def test_a_second_call_computes_nothing(batch):
    events: list[dict] = []
    source = batch.plan.runs[0].loaded.path.parent / "grid.toml"
    again = siteselect.batch(
        source, store=batch.store.folder, lang="en", jobs=2, on_event=events.append
    )
    assert of(events, "started") == []
    assert all(done.reused for done in again.done)
    assert again.runs["objective"].tolist() == batch.runs["objective"].tolist()[:8]


def test_each_run_has_its_log(batch):
    logs = {path.name: path.read_text("utf-8") for path in (batch.folder / "logs").iterdir()}
    assert set(logs) == {*(f"grid-{n:03d}.log" for n in range(1, 9)), "greedy.log"}
    assert "stage: formulate" in logs["grid-001.log"]
    assert "infeasible" in logs["greedy.log"]
    events = [json.loads(line) for line in (batch.folder / "events.jsonl").read_text().split("\n")
              if line]  # fmt: skip
    assert {event["event"] for event in events} == {"plan", "started", "done", "finished"}


def test_reports_can_follow_and_change_no_table(batch):
    planned = batch.plan.runs[1]
    before = tables_in(batch.store.folder)
    place = batch.store.add_reports(planned.folder)
    assert {"shortlist.xlsx", "report.html", "shortlist.gpkg"} <= {p.name for p in place.iterdir()}
    assert tables_in(batch.store.folder) == before
    from siteselect.verify import verify_run

    assert verify_run(place)


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_runs_are_listed_shown_and_removed_from_the_command_line(batch):
    store = ("--store", batch.store.folder)
    listed = json.loads(invoke("runs", "list", *store, "--json").stdout)["runs"]
    assert len(listed) == 8
    shown = invoke("runs", "list", *store, "--lang", "en").stdout
    assert "8 runs" in shown
    name = batch.plan.runs[7].folder
    assert "Commune" in invoke("runs", "show", name, *store, "--lang", "en").stdout
    assert json.loads(invoke("runs", "show", name, *store, "--json").stdout)["status"] == "optimal"
    assert invoke("runs", "remove", "nothing", *store).exit_code == 2
    would = json.loads(invoke("runs", "prune", "--keep", 7, "--dry-run", *store, "--json").stdout)
    assert len(would["would_remove"]) == 1
    assert len(batch.store.entries()) == 8
    gone = json.loads(invoke("runs", "remove", name, *store, "--json").stdout)
    assert gone == {"removed": [name]}
    assert len(batch.store.entries()) == 7


def test_jobs_or_a_cluster_not_both(workshop):
    result = invoke("batch", workshop.folder, "--jobs", 2, "--scheduler", "tcp://x:1")
    assert result.exit_code == 2


def test_dry_run_tells_what_would_run_and_runs_nothing(workshop):
    workshop.write("bad.toml", 'extends = "base.toml"\ncont = 5\n')
    result = invoke("batch", workshop.folder, "--dry-run", "--lang", "en", "--store",
                    workshop.store)  # fmt: skip
    assert result.exit_code == 1
    assert "weights.access: 0.4 → 0.7" in result.stdout
    assert "did you mean count" in result.stdout
    assert "10 scenarios: 8 runs to make, 1 refused" in result.stdout
    lines = invoke("batch", workshop.folder / "grid.toml", "--dry-run", "--json").stdout
    assert len([json.loads(line) for line in lines.splitlines()]) == 8
    assert not workshop.store.exists()


def test_the_live_table_counts_what_happens():
    board = _Board(Translator("en"))
    plan = {"event": "plan", "to_run": 4, "reused": 2, "refused": [{"name": "x", "reason": "y"}]}
    board.hear(plan)
    for name in ("a", "b"):
        board.hear({"event": "started", "name": name})
    board.hear({"event": "done", "name": "a", "status": "infeasible", "reason": "too few\nmore"})
    out = io.StringIO()
    Console(file=out, width=120).print(board)
    figures = next(line for line in out.getvalue().splitlines() if re.match(r"\s*1\s+0\s", line))
    assert figures.split()[:6] == ["1", "0", "2", "1", "1", "2"]
    assert "a: too few" in out.getvalue()
    assert "b  0 s" in out.getvalue()


def test_the_headings_of_the_live_table_stand_on_a_line_of_their_own():
    """In a terminal the bar fills the line: headings written behind it were never seen."""
    board = _Board(Translator("en"))
    board.hear({"event": "plan", "to_run": 4, "reused": 0, "refused": []})
    board.hear({"event": "done", "name": "a", "status": "optimal", "reason": ""})
    out = io.StringIO()
    Console(file=out, width=120, force_terminal=True, color_system=None).print(board)
    bar, headings, *_ = out.getvalue().splitlines()
    assert "━" in bar
    assert headings.split()[:2] == ["running", "done"]


def test_the_synthesis_says_the_value_of_a_key_for_every_scenario(tmp_path, workshop):
    """A key that one grid sets has a value in the scenarios of the others too, as in the files."""
    workshop.write("few.toml", 'extends = "base.toml"\n[sweep]\ncount = [3]\n')
    done = siteselect.batch(
        [workshop.folder / "few.toml", workshop.folder / "base.toml"], store=tmp_path, jobs=1
    )
    assert done.runs["count"].tolist() == [3, 4]
    assert done.runs["count"].map(type).tolist() == [int, int]


def test_the_reference_and_the_schema_are_current():
    told = "siteselect scenario {} --out docs/{}"
    page = (DOCS / "scenario-reference.md").read_text(encoding="utf-8")
    assert page == reference_page(), told.format("keys --markdown", "scenario-reference.md")
    stored = json.loads((DOCS / "scenario.schema.json").read_text(encoding="utf-8"))
    assert stored == scenario_schema(), told.format("schema", "scenario.schema.json")


def test_every_key_has_a_meaning_and_quantities_have_a_unit():
    keys = scenario_keys()
    assert [key.path for key in keys if not key.meaning] == []
    assert len({key.path for key in keys}) == len(keys)
    by_path = {key.path: key for key in keys}
    assert by_path["constraints.separation_km"].unit == "km"
    assert by_path["constraints.region_min"].unit == "sites"  # not minutes
    assert not any(key.unit for key in by_path.values() if key.path.endswith("_year"))
    assert by_path["constraints.budget_keur"].default == "none"
    assert by_path["criteria.access.*.best"].default == "required"


@pytest.mark.parametrize(
    "key", ["count", "weights", "criteria.access.port_min.weight", "network.speed_kmh.motorway"]
)
def test_keys_that_exist(key):
    assert unknown_key(key) is None


@pytest.mark.parametrize("key", ["cout", "weights.acces", "criteria.access.port_min.wait", "a.b.c"])
def test_keys_that_do_not(key):
    assert unknown_key(key) is not None


def test_the_schema_accepts_the_scenarios_shipped():
    """By the properties alone: names, nesting and the text that takes a value away."""
    import tomllib

    schema = scenario_schema()
    for path in sorted((DOCS.parent / "scenarios").glob("*.toml")):
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        assert set(tree) <= set(schema["properties"]), path
        for name, value in tree.items():
            reference = schema["properties"][name].get("$ref")
            if reference and isinstance(value, dict):
                inner = schema["$defs"][reference.rpartition("/")[2]]["properties"]
                assert set(value) <= set(inner), (path, name)
    budget = schema["$defs"]["ConstraintSettings"]["properties"]["budget_keur"]
    assert {"const": "none"} in budget["anyOf"]
