"""siteselect: exact choice of industrial sites under zero net artificialisation (ZAN).

The public API, imported lazily so that ``siteselect --help`` stays quick::

    import siteselect

    run = siteselect.run("scenarios/reference.toml")
    run.shortlist

    problem = siteselect.SelectionProblem.maximal_covering(reach, weight, count)
    solution = siteselect.solve(problem)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siteselect.batches import Batch, batch
    from siteselect.errors import (
        Fault,
        InfeasibleError,
        InputError,
        SiteSelectError,
        VerificationError,
    )
    from siteselect.optimise import Solution, solve
    from siteselect.pack import DataPack, open_pack
    from siteselect.pipeline import run
    from siteselect.problem import SelectionProblem
    from siteselect.runs import Run, RunResult
    from siteselect.scenario import Scenario
    from siteselect.scenario_files import load_scenario

__version__ = "0.1.0"

_WHERE = {
    "Batch": "siteselect.batches",
    "DataPack": "siteselect.pack",
    "Fault": "siteselect.errors",
    "InfeasibleError": "siteselect.errors",
    "InputError": "siteselect.errors",
    "Run": "siteselect.runs",
    "RunResult": "siteselect.runs",
    "Scenario": "siteselect.scenario",
    "SelectionProblem": "siteselect.problem",
    "SiteSelectError": "siteselect.errors",
    "Solution": "siteselect.optimise",
    "VerificationError": "siteselect.errors",
    "batch": "siteselect.batches",
    "load_scenario": "siteselect.scenario_files",
    "open_pack": "siteselect.pack",
    "run": "siteselect.pipeline",
    "solve": "siteselect.optimise",
}

__all__ = [
    "Batch",
    "DataPack",
    "Fault",
    "InfeasibleError",
    "InputError",
    "Run",
    "RunResult",
    "Scenario",
    "SelectionProblem",
    "SiteSelectError",
    "Solution",
    "VerificationError",
    "batch",
    "load_scenario",
    "open_pack",
    "run",
    "solve",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'siteselect' has no attribute {name!r}")
