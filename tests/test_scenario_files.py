"""Scenario files: extends, overrides, and every mistake told at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.scenario import Scenario
from siteselect.scenario_files import (
    dump_scenario,
    embedded_scenarios,
    load_scenario,
    scenario_from_mapping,
)


def write(folder: Path, text: str, name: str = "scenario.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load_scenario(path, overrides=overrides)
    return str(caught.value)


def test_defaults_and_partial_tables_are_merged_key_by_key(tmp_path):
    path = write(tmp_path, "count = 40\n[criteria.access.motorway_min]\nweight = 0.9\n")
    scenario = load_scenario(path).scenario
    assert scenario.count == 40
    assert scenario.criteria.access["motorway_min"].weight == 0.9
    assert scenario.criteria.access["motorway_min"].worst == 30
    assert set(scenario.criteria.access) == set(Scenario().criteria.access)


def test_extends_chain_and_overrides_show_old_and_new(tmp_path):
    write(tmp_path, "count = 30\ntitle = 'base'\n", "a.toml")
    write(tmp_path, "extends = 'a.toml'\ncount = 20\n", "b.toml")
    path = write(tmp_path, "extends = 'b.toml'\nreserve = 5\n", "c.toml")
    loaded = load_scenario(path, overrides=["count=10", "pack=/some/folder", 'title="d"'])
    assert (loaded.scenario.count, loaded.scenario.reserve) == (10, 5)
    assert loaded.scenario.pack == "/some/folder"
    assert [(c.key, c.old, c.new) for c in loaded.changes] == [
        ("reserve", 20, 5),
        ("count", 20, 10),
        ("pack", "france", "/some/folder"),
        ("title", "base", "d"),
    ]
    assert str(loaded.changes[1]) == "count: 20 → 10 (--set count=10)"


def test_none_removes_an_optional_value(tmp_path):
    write(tmp_path, "[constraints]\nbudget_keur = 100\n", "a.toml")
    path = write(tmp_path, "extends='a.toml'\n[constraints]\nbudget_keur = 'none'\n")
    assert load_scenario(path).scenario.constraints.budget_keur is None


def test_a_circle_is_refused(tmp_path):
    write(tmp_path, "extends = 'b.toml'\n", "a.toml")
    path = write(tmp_path, "extends = 'a.toml'\n", "b.toml")
    assert "circle" in faults(path)


def test_every_mistake_is_told_at_once_with_the_nearest_name(tmp_path):
    path = write(
        tmp_path,
        "titl = 'x'\ncount = 0\n[criteria.access]\nmotorway_mn = {weight=1, best=1, worst=2}\n"
        "[[constraints.size_classes]]\nname = 'a'\nmin_hha = 3\n[weights]\naccess = 'lot'\n",
    )
    text = faults(path)
    for expected in (
        "titl: unknown key — did you mean title?",
        "count: the value must be at least 1 (value: 0)",
        "criteria.access.motorway_mn: unknown criterion",
        "did you mean motorway_min?",
        "constraints.size_classes.0.min_hha: unknown key — did you mean min_ha?",
        "weights.access: a number is expected (value: 'lot')",
    ):
        assert expected in text
    assert text.count(str(path)) == len(text.splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[weights]\naccess=0\nworkforce=0\nnetwork=0\n", "the weights sum to zero"),
        ("[constraints]\nregion_min=9\n", "lower it to 8 or less"),
        ("[variants]\nreuse=false\nfull=false\n", "no variant is offered"),
        ("[locks]\ninclude=['A']\nexclude=['A']\n", "forced in and forced out"),
        ("count=1\n[locks]\ninclude=['A','B']\n", "more sites are forced in"),
        ("[[constraints.groups]]\nname='g'\nat_least=3\nat_most=2\n", "at_least is above at_most"),
        ("count=2\n[[constraints.groups]]\nname='g'\nat_least=3\n", "asks for more sites"),
        ("[criteria.network.rail_km]\nbest=20\n", "best and worst must differ"),
        ("weights = 3\n", "a table of keys is expected"),
        ("[candidates]\nkinds=['friche']\n", "must be one of 'brownfield'"),
        ("[ranking]\norder='cost'\n", "must be one of 'score', 'replacement_cost'"),
        ("[solve]\ngap = nan\n", "a number is expected"),
        ("a = = b\n", "not valid TOML"),
        ("extends = 3\n", "extends must name one scenario file"),
    ],
)
def test_what_no_field_alone_can_tell(tmp_path, text, expected):
    assert expected in faults(write(tmp_path, text))


def test_a_missing_file_names_the_nearest(tmp_path):
    assert "did you mean reference?" in faults(tmp_path / "referense.toml")


def test_not_utf8(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes("title = 'é'".encode("latin-1"))
    assert "not UTF-8" in faults(path)


def test_an_override_without_a_value(tmp_path):
    assert "--set: an override is written key=value" in faults(write(tmp_path, ""), "count")


@given(
    count=st.integers(1, 500),
    gap=st.floats(0, 1),
    title=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    caps=st.dictionaries(st.text("0123456789AB", min_size=1), st.floats(-1e6, 1e6)),
)
def test_a_dumped_scenario_reads_back_the_same(tmp_path_factory, count, gap, title, caps):
    mapping = {
        "count": count,
        "solve": {"gap": gap},
        "title": title if title != "none" else "x",
        "zan": {"ledgers": [{"level": "region", "caps_ha": caps}]},
    }
    scenario = scenario_from_mapping(mapping).scenario
    path = tmp_path_factory.mktemp("dump") / "s.toml"
    path.write_text(dump_scenario(scenario), encoding="utf-8")
    assert load_scenario(path).scenario == scenario


def test_the_scenarios_shipped_are_valid_and_say_what_they_are():
    shipped = embedded_scenarios()
    assert {"reference", "zan_strict", "friches_seulement", "sans_zan", "emploi_d_abord",
            "real_inventory"} <= set(shipped)  # fmt: skip
    for path in shipped.values():
        loaded = load_scenario(path)
        assert loaded.scenario.description
        assert path.read_text(encoding="utf-8").startswith("#")


def test_what_is_removed_stays_removed_when_written(tmp_path):
    """A default must not come back in place of a value that the planner took away."""
    scenario = scenario_from_mapping(
        {"constraints": {"max_per_epci": None}, "zan": {"programme_cap_ha": None}}
    ).scenario
    (tmp_path / "s.toml").write_text(dump_scenario(scenario), encoding="utf-8")
    assert load_scenario(tmp_path / "s.toml").scenario == scenario
