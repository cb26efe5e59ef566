"""Stages are computed once for the same content, and again for another."""

import pandas as pd

from siteselect import ledger, units
from siteselect.cache import StageCache


def counting():
    calls = []

    def compute() -> pd.DataFrame:
        calls.append(1)
        return pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index(["x", "y"], name="site_id"))

    return calls, compute


def test_computed_once_for_the_same_content(tmp_path):
    calls, compute = counting()
    first = StageCache(tmp_path).table("land", ["abc"], (units,), compute)
    cache = StageCache(tmp_path)
    again = cache.table("land", ["abc"], (units,), compute)
    assert len(calls) == 1
    assert cache.hits == ["land"]
    pd.testing.assert_frame_equal(first, again)


def test_another_input_or_another_code_computes_again(tmp_path):
    calls, compute = counting()
    cache = StageCache(tmp_path)
    cache.table("land", ["abc"], (units,), compute)
    cache.table("land", ["abd"], (units,), compute)
    cache.table("land", ["abc"], (units, ledger), compute)
    assert len(calls) == 3


def test_a_damaged_entry_is_computed_again(tmp_path):
    calls, compute = counting()
    cache = StageCache(tmp_path)
    cache.table("land", ["abc"], (units,), compute)
    (entry,) = tmp_path.glob("land-*.parquet")
    entry.write_bytes(b"PAR1")
    assert cache.table("land", ["abc"], (units,), compute)["a"].tolist() == [1.5, 2.5]
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    calls, compute = counting()
    (tmp_path / "file").write_text("not a folder")
    cache = StageCache(tmp_path / "file")
    assert len(cache.table("land", ["abc"], (units,), compute)) == 2
    assert len(calls) == 1
    assert not list(tmp_path.glob("*.tmp"))
