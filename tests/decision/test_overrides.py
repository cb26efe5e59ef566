"""The log of overrides: what each costs is what a run without it shows, and the run writes it."""

import json

import siteselect
from siteselect.overrides import all_overrides_cost, override_costs, overrides_priced
from siteselect.problem import SelectionProblem
from siteselect.reopen import solved
from siteselect.scenario import Locks
from siteselect.verify import verify_run
from siteselect.verify.planners import overrides_log
from siteselect.whatif import exact
from tests.test_pipeline import mapping

LOCKS = {"include": ["E-09"], "exclude": ["B-00"], "reasons": {"E-09": "préfet, 3 mai"}}


def test_two_overrides_by_hand():
    """Scores 10, 9, 8, 7, two wanted: D in costs 9 − 7 = 2, A out 10 − 9 = 1, both 19 − 16 = 3."""
    locks = Locks(include=("D",), exclude=("A",))
    problem = SelectionProblem.from_arrays(
        [10, 9, 8, 7], count=2, site_ids=list("ABCD"), include=[3], exclude=[0]
    )
    solution = exact()(problem)
    found = {one.site_id: one for one in override_costs(problem, solution, locks, solve=exact())}
    assert {name: one.cost for name, one in found.items()} == {"D": 1, "A": 1}
    assert (found["D"].enter, found["D"].leave) == (("D",), ("C",))
    assert (found["A"].enter, found["A"].leave) == (("B",), ("A",))
    assert all_overrides_cost(problem, solution, locks, solve=exact()) == 19 - 16
    assert overrides_priced(problem, solution, locks, solve=exact())[1] == 19 - 16
    single = Locks(include=("D",))
    alone = SelectionProblem.from_arrays([10, 9, 8, 7], count=2, site_ids=list("ABCD"), include=[3])
    assert overrides_priced(alone, exact()(alone), single, solve=exact())[1] == 19 - 17


def test_a_run_logs_what_its_overrides_cost(tiny_pack, tmp_path):
    run = siteselect.run(mapping(tiny_pack, locks=LOCKS), out=tmp_path / "run")
    log = {one["site_id"]: one for one in run.result.overrides}
    for name, kept in (("E-09", {"exclude": ["B-00"]}), ("B-00", {"include": ["E-09"]})):
        free = solved(mapping(tiny_pack, locks=kept))
        assert log[name]["cost"] == free.objective - run.result.objective >= 0
    assert log["E-09"]["reason"] == "préfet, 3 mai"
    assert (log["E-09"]["direction"], log["B-00"]["direction"]) == ("forced_in", "forced_out")
    none = solved(mapping(tiny_pack))
    assert run.result.overrides_cost == none.objective - run.result.objective
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [one["site_id"] for one in written["overrides"]] == ["E-09", "B-00"]
    assert any("overrides rest on the search" in str(one) for one in verify_run(tmp_path / "run"))


def test_without_overrides_nothing_is_asked(tiny_pack):
    run = siteselect.run(mapping(tiny_pack))
    assert (run.result.overrides, run.result.overrides_cost) == ((), 0)


def test_sites_held_by_an_earlier_wave_are_commitments(tiny_pack):
    locks = {"include": ["E-09", "E-05"], "variants": {"E-05": "full"}}
    run = siteselect.run(mapping(tiny_pack, locks=locks))
    assert [one["site_id"] for one in run.result.overrides] == ["E-09"]


def test_the_auditor_sees_a_log_that_is_not_the_scenarios(tiny_pack):
    run = siteselect.run(mapping(tiny_pack, locks=LOCKS))
    logged = [dict(one) for one in run.result.overrides]
    assert not list(overrides_log(run.scenario, {"overrides": logged}))
    logged[0]["reason"] = "autre"
    assert len(list(overrides_log(run.scenario, {"overrides": logged}))) == 2
    assert len(list(overrides_log(run.scenario, {"overrides": logged[1:]}))) == 1
