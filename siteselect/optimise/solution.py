"""What the optimiser hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from siteselect.messages import Msg
from siteselect.problem import SelectionProblem
from siteselect.problem.constraints import Ints

if TYPE_CHECKING:
    from siteselect.optimise.exact import Referee
    from siteselect.optimise.model import Model
    from siteselect.optimise.root import Root

Status = Literal["optimal", "within_gap", "limit", "interrupted", "infeasible"]


@dataclass(frozen=True, eq=False)
class Kept:
    """What a solve leaves behind for what is asked of its portfolio next: the compiled problem,
    the relaxation at its optimum, and the referee with all that it was asked.
    """

    problem: SelectionProblem
    model: Model
    root: Root
    referee: Referee


@dataclass(frozen=True, eq=False)
class Solution:
    """A portfolio and what is proven about it.

    Attributes
    ----------
    status
        ``optimal``: proven, and the first among ties where ``ties_settled``; ``within_gap``:
        proven within the gap that was allowed; ``limit`` and ``interrupted``: the best found so
        far, with its gap;
        ``infeasible``: no portfolio exists, ``reasons`` say why.
    chosen
        int64, indices of the chosen sites, ascending; empty when nothing was found.
    columns
        int64, indices of the chosen columns, in the order of ``chosen``.
    restored
        int64[R], units of 0.01 ha restored on each parcel.
    objective
        Exact value of the portfolio; ``None`` when there is none.
    bound
        No feasible portfolio is worth more, exactly; ``None`` when infeasible.
    gap
        (bound − objective) / max(1, |objective|); ``None`` without a portfolio.
    reasons
        Why nothing is feasible: the constraints in conflict.
    remedies
        Then: changes of one requirement, each enough by itself, the smallest first; where none is,
        changes of several together.
    timings
        Seconds by stage.
    info
        Counts: survivors, nodes, linear programmes, whether ties were settled.
    kept
        What :func:`~siteselect.optimise.replacement_costs` need not do again, where
        ``solve(keep=True)`` asked for it: as large as the problem.
    """

    status: Status
    chosen: Ints
    columns: Ints
    restored: Ints
    objective: int | None
    bound: int | None
    gap: float | None
    reasons: tuple[Msg, ...] = ()
    remedies: tuple[Msg, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    info: dict[str, float | int | str | bool] = field(default_factory=dict)
    kept: Kept | None = field(default=None, repr=False)

    @property
    def ties_settled(self) -> bool:
        """Whether the portfolio is known to come first among those worth as much."""
        return self.proven and bool(self.info.get("ties_settled", True))

    @property
    def proven(self) -> bool:
        """Whether the status is ``optimal``."""
        return self.status == "optimal"

    @property
    def explanation(self) -> tuple[Msg, ...]:
        """Why nothing is feasible and what would be enough, as it is shown."""
        if not self.reasons:
            return ()
        if not self.remedies:
            return (*self.reasons, Msg("no change of one of these requirements alone was found"))
        heading = Msg("each of these changes alone is enough, the smallest first:")
        return (*self.reasons, heading, *self.remedies)


def no_columns() -> Ints:
    """No choice."""
    return np.zeros(0, np.int64)
