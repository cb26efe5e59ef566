"""A run reopened from its directory is the run that was written."""

import json
from dataclasses import asdict

import pandas as pd
import pytest

import siteselect
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.rundir import read_run, said, said_again
from tests.tinypack import seal

TINY = {
    "count": 4,
    "reserve": 3,
    "constraints": {"region_max": 3, "max_per_epci": 1, "separation_km": 5.0},
    "zan": {"ledgers": [{"level": "region", "default_cap_ha": 5.0}]},
}


@pytest.fixture
def written(tiny_pack, tmp_path):
    folder = tmp_path / "run"
    return siteselect.run({"pack": str(tiny_pack), **TINY}, out=folder, cache=False), folder


def test_what_is_read_is_what_was_written(written):
    run, folder = written
    again = read_run(folder)
    for name in ("sites", "shortlist", "ledger", "restoration", "contributions"):
        first, second = pd.DataFrame(getattr(run, name)), pd.DataFrame(getattr(again, name))
        assert list(first) == list(second)
        for column in first:  # None is read again as NaN
            here, there = (f[column].astype(object).tolist() for f in (first, second))
            for old, new in zip(here, there, strict=True):
                assert (pd.isna(old) and pd.isna(new)) or old == new, (name, column)
    assert again.scenario == run.scenario
    assert (again.run_id, again.created, again.lang) == (run.run_id, run.created, run.lang)
    assert asdict(again.result) == asdict(run.result)  # to the last digit
    assert again.rulebook == run.rulebook
    assert again.pack.digest == run.pack.digest


def test_notices_and_changes_are_read_again_as_messages(tiny_pack, tmp_path):
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        f'pack = "{tiny_pack}"\ncount = 4\nreserve = 3\n'
        "[constraints]\nregion_max = 3\nmax_per_epci = 1\nseparation_km = 5.0\n"
    )
    out = tmp_path / "out"
    run = siteselect.run(scenario, out=out, overrides=["reserve=2"], cache=False)
    again = read_run(out)
    assert [str(change) for change in again.changes] == [str(change) for change in run.changes]
    french = Translator("fr")
    assert [french.text(n) for n in again.notices] == [french.text(n) for n in run.notices]


def test_a_changed_table_is_refused(written):
    _, folder = written
    ledger = pd.read_parquet(folder / "ledger.parquet")
    ledger.loc[0, "gross_ha"] += 1
    ledger.to_parquet(folder / "ledger.parquet")
    with pytest.raises(InputError, match=r"ledger\.parquet"):
        read_run(folder)


def test_a_pack_that_changed_is_refused(written, tiny_pack):
    _, folder = written
    labour = pd.read_parquet(tiny_pack / "labour.parquet")
    labour["labour_force"] += 1
    labour.to_parquet(tiny_pack / "labour.parquet")
    seal(tiny_pack)
    with pytest.raises(InputError, match="not the one of the run"):
        read_run(folder)


def test_a_message_keeps_its_numbers_and_the_messages_inside():
    message = Msg("{share:.1%} of {what}", share=0.25, what=Msg("{km:g} km", km=5))
    again = said_again(json.loads(json.dumps(said(message))))
    assert str(again) == str(message)
    assert Translator("fr").text(again) == Translator("fr").text(message)
