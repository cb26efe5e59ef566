"""The exact optimiser: the only importer of ortools and highspy."""

from siteselect.optimise.diagnose import explain_infeasible, quick_checks, smallest_conflict
from siteselect.optimise.replacement import Replacement, replacement_costs
from siteselect.optimise.resolve import Resolver
from siteselect.optimise.solution import Solution, Status
from siteselect.optimise.solve import solve

__all__ = [
    "Replacement",
    "Resolver",
    "Solution",
    "Status",
    "explain_infeasible",
    "quick_checks",
    "replacement_costs",
    "smallest_conflict",
    "solve",
]
