"""The exact optimiser: the only importer of ortools and highspy."""

from siteselect.optimise.solution import Solution, Status
from siteselect.optimise.solve import solve

__all__ = ["Solution", "Status", "solve"]
