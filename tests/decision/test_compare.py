"""Two runs side by side, counted by hand."""

import itertools
import json

import pytest
from typer.testing import CliRunner

import siteselect
from siteselect.cli import app
from siteselect.compare import agreement, compare_runs
from siteselect.errors import InputError
from siteselect.verify import verify_run
from tests.test_pipeline import mapping

CHOSEN = ("selected", "forced_in")


@pytest.fixture
def two(tiny_pack, tmp_path):
    one = siteselect.run(mapping(tiny_pack), out=tmp_path / "one")
    weights = {"access": 0.1, "workforce": 0.1, "network": 0.8}
    other = siteselect.run(
        mapping(tiny_pack, weights=weights, locks={"exclude": ["B-00", "B-04"]}),
        out=tmp_path / "two",
    )
    return tmp_path, one, other


def chosen(run):
    return set(run.sites.loc[run.sites["status"].isin(CHOSEN), "site_id"])


def test_movements_agreement_and_differences(two):
    folder, one, other = two
    found = compare_runs([folder / "one", folder / "two"])
    a, b = chosen(one), chosen(other)
    moved = found.sites.set_index("site_id")["movement"]
    assert set(moved[moved == "kept"].index) == a & b
    assert set(moved[moved == "entered"].index) == b - a
    assert set(moved[moved == "left"].index) == a - b
    row = found.agreement.iloc[0]
    assert row["jaccard"] == len(a & b) / len(a | b)
    assert (row["kept"], row["entered"], row["left"]) == (len(a & b), len(b - a), len(a - b))
    assert row["kendall"] == pytest.approx(tau_b(one, other, sorted(a | b)))
    regions = found.regions.set_index("region")
    for code in ("11", "24"):
        rows = one.sites[one.sites["site_id"].isin(a)]
        assert regions.loc[code, "one"] == (rows["region"] == code).sum()
    criteria = found.criteria.set_index("criterion")
    mean = one.contributions.loc[sorted(a), "motorway_min"].mean()
    assert criteria.loc["motorway_min", "one"] == pytest.approx(mean)
    ledger = found.ledgers[found.ledgers["level"] == "programme"].iloc[0]
    assert ledger["net_ha (two)"] == other.result.totals["net_ha"]
    assert found.ledgers["level"].iloc[0] == "programme"
    assert "weights.network" in set(found.settings["key"])
    assert any("score sites differently" in str(notice) for notice in found.notices)


def tau_b(one, other, ids):
    """Kendall's tau-b by counting pairs."""
    x = one.sites.set_index("site_id").loc[ids, "score"].to_numpy()
    y = other.sites.set_index("site_id").loc[ids, "score"].to_numpy()
    agree = tied_x = tied_y = pairs = 0
    for i, k in itertools.combinations(range(len(ids)), 2):
        dx, dy = x[i] - x[k], y[i] - y[k]
        pairs += 1
        tied_x += dx == 0
        tied_y += dy == 0
        agree += int(dx * dy > 0) - int(dx * dy < 0)
    return agree / ((pairs - tied_x) * (pairs - tied_y)) ** 0.5


def test_a_run_agrees_with_itself(two):
    folder, *_ = two
    found = compare_runs([folder / "one", folder / "one"])
    assert found.agreement.iloc[0]["jaccard"] == 1
    assert set(found.sites["movement"]) == {"kept"}
    assert not len(found.settings)
    assert len(set(found.labels)) == 2


def test_agreement_of_sets():
    assert agreement({"a", "b"}, {"b", "c"}) == 1 / 3
    assert agreement(set(), set()) == 1


def test_one_run_alone_or_no_run_is_refused(two):
    folder, *_ = two
    with pytest.raises(InputError, match="at least two"):
        compare_runs([folder / "one"])
    with pytest.raises(InputError):
        compare_runs([folder / "one", folder / "nowhere"])


def test_the_command_writes_tables_and_map_beside_the_run(two):
    folder, *_ = two
    done = CliRunner().invoke(app, ["compare", str(folder / "one"), str(folder / "two"), "--json"])
    assert done.exit_code == 0, done.output
    place = folder / "one" / "analysis" / "compare-two"
    assert json.loads(done.stdout)["folder"] == str(place)
    names = {path.name for path in place.iterdir()}
    assert {"sites.parquet", "agreement.csv", "ledgers.csv", "map.svg", "map.png"} <= names
    assert verify_run(folder / "one")


def test_lists_of_tables_differ_entry_by_entry(tiny_pack, tmp_path):
    for name, cap in (("one", 5.0), ("two", 4.0)):
        ledgers = [{"level": "region", "default_cap_ha": cap}]
        siteselect.run(mapping(tiny_pack, zan={"ledgers": ledgers}), out=tmp_path / name)
    settings = compare_runs([tmp_path / "one", tmp_path / "two"]).settings.set_index("key")
    assert list(settings.loc["zan.ledgers.1.default_cap_ha"]) == ["5.0", "4.0"]
    assert "zan.ledgers" not in settings.index
