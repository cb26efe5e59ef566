"""The store and its index: rebuilt from the directories whatever happens to it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from siteselect.batches import RunStore
from siteselect.batches.index import INDEX
from siteselect.errors import InputError
from siteselect.filelock import hold


def put(store: Path, name: str, *, created="2026-05-01T10:00:00+00:00", objective=1_500_000):
    """A directory with what the index reads of a run."""
    place = store / name
    place.mkdir(parents=True)
    result = {
        "run_id": name, "created": created, "status": "optimal", "objective": objective,
        "bound": objective, "gap": 0.0, "counts": {"selected": 3, "forced_in": 1},
        "totals": {"net_ha": -1.5, "total_cost_keur": 1e4, "brownfield_share": 0.5},
    }  # fmt: skip
    manifest = {"scenario": {"title": f"Essai {name}"}, "pack": {"name": "tiny"}}
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (place / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return place


@pytest.fixture
def store(tmp_path) -> RunStore:
    for number, name in enumerate(("aa11", "aa22", "bb33")):
        put(tmp_path / "runs", name, created=f"2026-05-0{number + 1}T10:00:00+00:00")
    return RunStore(tmp_path / "runs")


def names(store: RunStore) -> list[str]:
    return [entry.folder for entry in store.entries()]


def test_listed_newest_first_with_their_figures(store):
    assert names(store) == ["bb33", "aa22", "aa11"]
    first = store.entries()[0]
    assert (first.title, first.pack, first.selected) == ("Essai bb33", "tiny", 4)
    assert (first.objective, first.net_ha) == (1_500_000, -1.5)


def test_an_empty_or_absent_store_lists_nothing(tmp_path):
    assert RunStore(tmp_path / "none").entries() == ()


def test_the_index_follows_the_directories(store):
    assert len(store.entries()) == 3
    put(store.folder, "cc44")
    (store.folder / "dd55").mkdir()  # not a run
    (store.folder / ".ee66.x.tmp").mkdir()  # half-written
    assert "cc44" in names(store)
    (store.folder / "aa11" / "result.json").unlink()
    assert "aa11" not in names(store)
    changed = json.loads((store.folder / "bb33" / "result.json").read_text())
    (store.folder / "bb33" / "result.json").write_text(json.dumps({**changed, "objective": 7}))
    os.utime(store.folder / "bb33" / "result.json", ns=(1, 1))
    assert store.find("bb33").objective == 7


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100, None])
def test_a_damaged_index_is_made_again(store, damage):
    before = store.entries()
    if damage is None:
        with sqlite3.connect(store.folder / INDEX) as base:
            base.execute("PRAGMA user_version = 99")
            base.execute("DROP TABLE runs")
    else:
        (store.folder / INDEX).write_bytes(damage)
    assert store.entries() == before
    assert store.rebuild() == before


def test_an_index_that_cannot_be_written_costs_only_time(store):
    expected = store.entries()
    (store.folder / INDEX).unlink()
    (store.folder / INDEX).mkdir()  # nobody can write a file there, not even root
    assert store.entries() == expected


def test_a_damaged_run_is_not_listed_and_hides_no_other(store):
    (store.folder / "aa22" / "result.json").write_text("{")
    assert names(store) == ["bb33", "aa11"]


def test_found_by_the_beginning_of_its_name(store):
    assert store.find("bb").folder == "bb33"
    with pytest.raises(InputError, match="several runs begin like this"):
        store.find("aa")
    with pytest.raises(InputError, match="did you mean"):
        store.find("ab22")


def test_removed_all_or_none(store):
    with pytest.raises(InputError):
        store.remove(["bb33", "zz"])
    assert len(store.entries()) == 3
    store.remove(["bb33"])
    assert names(store) == ["aa22", "aa11"]
    assert not any(path.name.startswith(".bb33") for path in store.folder.iterdir())


def test_pruned_by_number_and_by_age(store):
    assert store.prunable() == ()
    assert [one.folder for one in store.prunable(keep=1)] == ["aa22", "aa11"]
    assert store.prunable(older_than_days=100_000) == ()
    assert len(store.prunable(older_than_days=0.0)) <= 3
    assert store.prune(store.prunable(keep=2)) == 1
    assert names(store) == ["bb33", "aa22"]


def test_only_old_leftovers_are_pruned(store):
    fresh, old = store.folder / ".aa11.1.tmp", store.folder / ".aa11.2.tmp"
    for place in (fresh, old):
        place.mkdir()
        (place / "sites.parquet").write_bytes(b"PAR1")
    past = time.time() - 7200
    for path in (old / "sites.parquet", old):
        os.utime(path, (past, past))
    assert store.leftovers() == (old,)
    store.prune(())
    assert fresh.exists()
    assert not old.exists()


def test_who_claims_a_run_clears_what_a_dead_one_left(store):
    left = store.folder / ".aa11.dead.tmp"
    left.mkdir()
    other = store.folder / ".bb33.alive.tmp"
    other.mkdir()
    with store.claim("aa11"):
        assert not left.exists()
        assert other.exists()
        with hold(store.folder / ".locks" / "aa11.lock", wait=False) as held:
            assert not held
    with hold(store.folder / ".locks" / "aa11.lock", wait=False) as held:
        assert held


def test_ten_thousand_runs_are_listed_in_less_than_a_second(tmp_path):
    for number in range(10_000):
        put(tmp_path, f"{number:012x}")
    store = RunStore(tmp_path)
    assert len(store.entries()) == 10_000  # the first look reads them all
    least = min(_seconds(store) for _ in range(3))
    assert least < 1.0


def _seconds(store: RunStore) -> float:
    start = time.perf_counter()
    assert len(store.entries()) == 10_000
    return time.perf_counter() - start
