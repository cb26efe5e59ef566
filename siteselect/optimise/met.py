"""Portfolios that searches of one problem met."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from siteselect.optimise.exact import Portfolio
from siteselect.optimise.model import Model


class Met:
    """Portfolios met, each once, the best first (of those worth as much, the earliest)."""

    def __init__(self, model: Model, known: Iterable[Portfolio]) -> None:
        self._model = model
        self._seen: set[bytes] = set()
        self._best_first: list[tuple[Portfolio, frozenset[int]]] = []
        for one in known:
            self.add(one)

    def add(self, one: Portfolio) -> None:
        """One more, if it is."""
        key = one.columns.tobytes()
        if key not in self._seen:
            self._seen.add(key)
            sites = frozenset(self._model.site[one.columns].tolist())
            insort(self._best_first, (one, sites), key=lambda pair: -pair[0].value)

    def without(self, site: int) -> Portfolio | None:
        """The best that does without a site."""
        return next((one for one, sites in self._best_first if site not in sites), None)
