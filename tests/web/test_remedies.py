"""Every remedy that the optimiser finds is an edit that makes the scenario possible."""

from __future__ import annotations

import json

import pytest

import siteselect
from siteselect.errors import InfeasibleError
from siteselect.rundir import said, said_again
from siteselect.scenario_files import scenario_from_mapping
from siteselect.web.remedies import read_reasons
from siteselect.web.sending import nested

LIMITS = {"region_max": 3, "max_per_epci": 1, "separation_km": 5.0}
IMPOSSIBLE = {
    "budget": {"constraints": {**LIMITS, "budget_keur": 1000}},
    "area": {"constraints": {**LIMITS, "min_total_usable_ha": 40.0}},
    "less area": {"constraints": {**LIMITS, "max_total_usable_ha": 5.0}},
    "region minimum": {"constraints": {**LIMITS, "max_per_epci": 2, "region_min": 3}},
    "region maximum": {"constraints": {**LIMITS, "region_max": 1}},
    "distance": {"constraints": {**LIMITS, "separation_km": 25.0}},
    "size class": {
        "constraints": {
            **LIMITS,
            "size_classes": [{"name": "grands", "min_ha": 50.0, "at_least": 2}],
        }
    },
    "group": {
        "constraints": {
            **LIMITS,
            "max_per_epci": 2,
            "groups": [
                {"name": "ouest", "regions": ["11"], "at_least": 3},
                {"name": "est", "regions": ["24"], "at_least": 3},
            ],
        }
    },
    "two at once": {
        "constraints": {
            **LIMITS,
            "budget_keur": 1000,
            "size_classes": [{"name": "grands", "min_ha": 50.0, "at_least": 2}],
        }
    },
    "locks": {
        "locks": {"include": ["B-00", "E-00"]},
        "constraints": {**LIMITS, "separation_km": 5.0},
    },
    "programme": {"zan": {"programme_cap_ha": -80.0, "price": False}},
    "caps": {
        "variants": {"reuse": False},
        "zan": {
            "offsets": False,
            "programme_cap_ha": None,
            "price": False,
            "ledgers": [{"level": "region", "caps_ha": {"24": 0.5}}],
        },
    },
}


def run(pack, tree):
    base = {"pack": str(pack), "count": 4, "reserve": 0, "constraints": LIMITS,
            "zan": {"price": False}}  # fmt: skip
    return siteselect.run({**base, **tree}, cache=False)


def merged(tree, edits):
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in tree.items()}
    for key, value in nested(edits).items():
        if isinstance(value, dict):
            result[key] = {**result.get(key, {}), **value}
        else:
            result[key] = value
    return result


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_remedies_as_edits_are_enough(tiny_pack, name):
    tree = {"constraints": LIMITS, "zan": {"price": False}, **IMPOSSIBLE[name]}
    with pytest.raises(InfeasibleError) as raised:
        run(tiny_pack, tree)
    scenario = scenario_from_mapping({"pack": str(tiny_pack), "count": 4, **tree}).scenario
    # through JSON, as the queue keeps them
    reasons = [said_again(json.loads(json.dumps(said(one)))) for one in raised.value.reasons]
    conflict, remedies = read_reasons(reasons, scenario)
    assert conflict
    assert remedies
    for remedy in remedies:
        assert remedy.edits, str(remedy.text)
        done = run(tiny_pack, merged(tree, remedy.edits))
        assert done.result.status == "optimal", str(remedy.text)
    if name == "two at once":
        assert [sorted(one.edits) for one in remedies] == [
            ["constraints.budget_keur", "constraints.size_classes"]
        ]
