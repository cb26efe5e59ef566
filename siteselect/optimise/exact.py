"""Is a choice of columns feasible, and what is it worth? Integers only: the optimiser's referee."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.optimise.model import INSIDE, OUTSIDE, Model
from siteselect.optimise.restoration import Restoration, Restorer
from siteselect.optimise.stop import OutOfTimeError, Seconds
from siteselect.problem import NO_LOWER, NO_UPPER, SelectionProblem
from siteselect.problem.constraints import Ints


@dataclass(frozen=True, eq=False)
class Portfolio:
    """A feasible choice: canonical columns (ascending), its exact value, its restoration."""

    columns: Ints
    value: int
    restoration: Restoration


class Referee:
    """Accepts or refuses choices of canonical columns; remembers what it was asked.

    What it remembers does not depend on the sites that are fixed: it is shared by
    :meth:`for_state`.
    """

    def __init__(self, problem: SelectionProblem, model: Model) -> None:
        self._model = model
        self._restorer = Restorer(problem)
        self._plain = np.diff(model.z.indptr) == 0
        self._known: dict[bytes, Portfolio | None] = {}
        self.asked = 0

    def within(self, seconds_left: Seconds) -> Referee:
        """The same referee, which gives up (``OutOfTimeError``) when no second is left."""
        self._restorer.seconds_left = seconds_left
        return self

    def for_state(self, state: NDArray[np.int8]) -> Referee:
        """A referee of the same problem with other sites fixed."""
        other = copy.copy(self)
        other._model = dataclasses.replace(self._model, state=state)
        return other

    @property
    def accepted(self) -> list[Portfolio]:
        """All the portfolios met so far, whatever sites were fixed."""
        return [one for one in self._known.values() if one is not None]

    def judge(self, columns: Ints) -> Portfolio | None:
        """The portfolio when the choice is feasible, else ``None``."""
        columns = np.sort(columns)
        if not self._sites_agree(columns):
            return None
        key = columns.tobytes()
        if key not in self._known:
            self.asked += 1
            self._known[key] = self._decide(columns)
        return self._known[key]

    def settle(self, portfolio: Portfolio) -> Portfolio:
        """The same choice with its cheapest restoration, or as it is when time is out."""
        columns = self._model.column_of[portfolio.columns]
        try:
            restoration = self._restorer.restore(columns)
        except OutOfTimeError:
            return portfolio
        if restoration is None:  # pragma: no cover - it was affordable when it was judged
            return portfolio
        return Portfolio(portfolio.columns, portfolio.value, restoration)

    def of(self, columns: Ints) -> Callable[[Ints], Portfolio | None]:
        """A judge for a restricted model whose columns are these."""
        return lambda local: self.judge(columns[local])

    def _decide(self, columns: Ints) -> Portfolio | None:
        if not self._rows_agree(columns):
            return None
        return self._restored(columns)

    def _restored(self, columns: Ints) -> Portfolio | None:
        """A choice that is allowed but for its restoration, with one that can be paid."""
        restoration = self._restorer.restore(self._model.column_of[columns], cheapest=False)
        if restoration is None:
            return None
        return Portfolio(columns, self.value(columns), restoration)

    def value(self, columns: Ints) -> int:
        """Exact objective of a choice."""
        model = self._model
        total: int = sum(model.score[columns].tolist())
        if model.reach is not None:
            reached = np.unique(model.reach[model.site[columns]].indices)
            total += sum(model.weights[reached].tolist())
        if model.flow is not None:
            total += model.flow.worth(model.site[columns], model.flow.jobs[columns])
        return total

    def _sites_agree(self, columns: Ints) -> bool:
        model = self._model
        sites = model.site[columns]
        chosen = np.zeros(model.n_sites, bool)
        chosen[sites] = True
        if int(chosen.sum()) != len(sites) or bool(model.shut[columns].any()):
            return False
        if bool(np.any(model.state[sites] == OUTSIDE)):
            return False
        if not np.all(chosen[model.state == INSIDE]):
            return False
        return not (model.conflicts and model.conflicts.any_in(chosen))

    def _rows_agree(self, columns: Ints) -> bool:
        """Rows without restoration; those with it are the restorer's."""
        model = self._model
        activity = model.activity(columns)
        low = (model.lower != NO_LOWER) & (activity < model.lower)
        high = (model.upper != NO_UPPER) & (activity > model.upper)
        return not bool(np.any((low | high) & self._plain))
