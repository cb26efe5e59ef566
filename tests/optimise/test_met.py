"""Portfolios met, asked for the best one without a site."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from siteselect.optimise.exact import Portfolio
from siteselect.optimise.met import Met
from siteselect.optimise.model import compile_model
from siteselect.optimise.restoration import Restoration
from siteselect.problem import SelectionProblem


def portfolio(columns: list[int], value: int) -> Portfolio:
    nothing = Restoration(np.zeros(0, np.int64), Fraction(0))
    return Portfolio(np.array(columns), value, nothing)


def test_the_best_without_a_site_is_the_earliest_of_those_worth_as_much() -> None:
    """Columns 0 and 1 are two ways of using site 0."""
    problem = SelectionProblem.from_arrays([5, 4, 3, 2], count=2, sites=[0, 0, 1, 2])
    model = compile_model(problem)
    order = {int(c): i for i, c in enumerate(model.column_of)}
    one = portfolio(sorted([order[0], order[2]]), 8)
    two = portfolio(sorted([order[1], order[3]]), 6)
    three = portfolio(sorted([order[2], order[3]]), 6)
    met = Met(model, [two])
    for again in (three, one, portfolio(one.columns.tolist(), 8)):
        met.add(again)
    place = {int(s): i for i, s in enumerate(model.site_of)}
    assert met.without(place[2]) is one
    assert met.without(place[1]) is two
    assert met.without(place[0]) is three
    assert Met(model, [one]).without(place[0]) is None
