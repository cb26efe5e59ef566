"""Many problems that differ little, solved one after the other by the same solver."""

from __future__ import annotations

from siteselect.optimise.solution import Solution
from siteselect.optimise.solve import solve
from siteselect.problem import SelectionProblem


class Resolver:
    """Solves a problem and problems like it: other values, other limits, other locks.

    Each answer is exactly that of :func:`~siteselect.optimise.solve` on the same problem,
    whatever was asked before: what is kept between two questions only saves time.
    """

    def __init__(self, problem: SelectionProblem) -> None:
        self._problem = problem

    def solve(
        self,
        problem: SelectionProblem | None = None,
        *,
        time_limit_s: float = 600.0,
        gap: float = 0.0,
    ) -> Solution:
        """The best portfolio of a problem (by default the first one), ties settled.

        An infeasible problem is said to be so, without reasons.
        """
        changed = self._problem if problem is None else problem
        return solve(changed, time_limit_s=time_limit_s, gap=gap, explain=False)
