"""What planners are told beside the selection: the reserve, and the log of their overrides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from siteselect.messages import Msg
from siteselect.scenario import Scenario
from siteselect.verify.portfolio import apart


def reserve_stands(sites: pd.DataFrame, scenario: Scenario) -> Iterator[Msg]:
    """A reserve that the model takes beside the selection keeps its distances from it."""
    listed = sites[sites["status"].isin(("selected", "forced_in", "reserve"))]
    yield from apart(listed.to_dict("records"), scenario)


def overrides_log(scenario: Scenario, result: Mapping[str, Any]) -> Iterator[Msg]:
    """Every override of the scenario is logged with its reason, and no other."""
    locks = scenario.locks
    wanted = {
        (name, "forced_in", locks.reasons.get(name))
        for name in locks.include
        if name not in locks.variants
    }
    wanted |= {(name, "forced_out", locks.reasons.get(name)) for name in locks.exclude}
    logged = {(one["site_id"], one["direction"], one["reason"]) for one in result["overrides"]}
    for name, direction, _ in sorted(wanted ^ logged, key=str):
        yield Msg("result.json: the log of overrides and the scenario disagree on {site_id} "
                  "({direction})", site_id=name, direction=direction)  # fmt: skip
