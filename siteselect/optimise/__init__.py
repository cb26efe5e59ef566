"""The exact optimiser: the only importer of ortools and highspy."""

from siteselect.optimise.certificate import Certificate, certify
from siteselect.optimise.compiling import prepare
from siteselect.optimise.diagnose import explain_infeasible, quick_checks
from siteselect.optimise.plain import solve_plainly
from siteselect.optimise.quickxplain import smallest_conflict
from siteselect.optimise.replacement import Replacement, replacement_costs
from siteselect.optimise.solution import Solution, Status
from siteselect.optimise.solve import solve

__all__ = [
    "Certificate",
    "Replacement",
    "Solution",
    "Status",
    "certify",
    "explain_infeasible",
    "prepare",
    "quick_checks",
    "replacement_costs",
    "smallest_conflict",
    "solve",
    "solve_plainly",
]
