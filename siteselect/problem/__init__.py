"""The selection problem: arrays and constraints, no geography, no solver.

Units are integers: areas 0.01 ha, money k€, scores × 10⁶. A *column* is a site developed in one
way; a *parcel* is land that may be restored and deducted in the ledgers.
"""

from siteselect.problem.constraints import (
    NO_LOWER,
    NO_UPPER,
    Budget,
    Conflicts,
    Constraint,
    Goal,
    Group,
    Ledger,
    Locks,
    Parcels,
    Rows,
    Separation,
    TotalArea,
)
from siteselect.problem.coverage import Coverage
from siteselect.problem.evaluate import ledger_net, objective, restoration_cost, violations
from siteselect.problem.selection import SelectionProblem
from siteselect.problem.workforce import Workforce

__all__ = [
    "NO_LOWER",
    "NO_UPPER",
    "Budget",
    "Conflicts",
    "Constraint",
    "Coverage",
    "Goal",
    "Group",
    "Ledger",
    "Locks",
    "Parcels",
    "Rows",
    "SelectionProblem",
    "Separation",
    "TotalArea",
    "Workforce",
    "ledger_net",
    "objective",
    "restoration_cost",
    "violations",
]
