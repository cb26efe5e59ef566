"""What a batch names becomes scenarios with their place, wrong ones kept with their reason."""

from __future__ import annotations

import pytest

from siteselect.batches import plan_batch
from siteselect.errors import InputError
from siteselect.scenario_files import scenario_from_mapping


def test_folders_files_and_grids_in_order(workshop):
    workshop.write("notes.txt", "not a scenario")
    plan = plan_batch(workshop.folder)
    assert [one.name for one in plan.runs] == [
        "base", *(f"grid-{number:03d}" for number in range(1, 9)),
    ]  # fmt: skip
    assert all(one.error is None for one in plan.runs)
    # weights.access = 0.4 is the default: the same run as base
    assert plan.runs[0].folder == plan.runs[4].folder
    assert len({one.folder for one in plan.runs}) == 8


def test_changes_are_told_as_old_and_new(workshop):
    plan = plan_batch(workshop.folder / "grid.toml", overrides=["count=3"])
    first = plan.runs[0]
    assert [str(change) for change in first.changes] == [
        "count: 4 → 3 (--set count=3)",
        "weights.access: 0.4 → 0.1 (grid.toml)",
    ]
    assert dict(first.keys) == {"weights.access": 0.1}


def test_a_chain_of_extends_carries_a_grid(workshop):
    workshop.write("middle.toml", 'extends = "base.toml"\nreserve = 1\n')
    workshop.write("end.toml", 'extends = "middle.toml"\n[sweep]\ncount = [2, 3]\n')
    plan = plan_batch(workshop.folder / "end.toml")
    assert [(o.loaded.scenario.count, o.loaded.scenario.reserve) for o in plan.runs] == [
        (2, 1), (3, 1),
    ]  # fmt: skip


def test_a_scenario_cannot_extend_a_grid(workshop):
    workshop.write("over.toml", 'extends = "grid.toml"\n')
    (one,) = plan_batch(workshop.folder / "over.toml").runs
    assert "sweep: this table makes many scenarios" in str(one.error)
    assert "siteselect batch" in str(one.error)


def test_wrong_ones_are_kept_with_their_reason(workshop):
    workshop.write("typo.toml", "title = ")
    workshop.write("zero.toml", 'extends = "base.toml"\n[sweep]\ncount = [0, 4]\n')
    plan = plan_batch(workshop.folder)
    wrong = {one.name: str(one.error) for one in plan.runs if one.error is not None}
    assert set(wrong) == {"typo", "zero-001"}
    assert "at least 1" in wrong["zero-001"]


def test_nothing_to_run_or_no_such_file_is_bad_input(workshop, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no scenario to run"):
        plan_batch(empty)
    with pytest.raises(InputError, match="no such scenario file"):
        plan_batch(workshop.folder / "bsae.toml")


def test_objects_alone_in_lists_and_by_name(workshop):
    one = {"pack": str(workshop.folder / "tiny"), "count": 4}
    loaded = scenario_from_mapping(one)
    names = [p.name for p in plan_batch([one, loaded, loaded.scenario]).runs]
    assert names == ["scenario", "scenario-2", "scenario-3"]
    plan = plan_batch({"few": one, "more": {**one, "count": 5}})
    assert [(p.name, p.loaded.scenario.count) for p in plan.runs] == [("few", 4), ("more", 5)]
    assert [p.name for p in plan_batch(one).runs] == ["scenario"]


def test_the_language_of_the_reasons_is_part_of_the_place(workshop):
    french = plan_batch(workshop.folder / "base.toml").runs[0]
    english = plan_batch(workshop.folder / "base.toml", lang="en").runs[0]
    assert english.folder == f"{french.folder}-en"
    assert english.run_id == french.run_id


def test_the_same_call_is_the_same_batch(workshop):
    first, again = (plan_batch(workshop.folder) for _ in range(2))
    assert first.batch_id == again.batch_id
    assert first.batch_id != plan_batch(workshop.folder / "grid.toml").batch_id
