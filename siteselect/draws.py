"""Draws around a case: other weights, measures, hectares and caps, numbered and seeded.

Weights are drawn from a Dirichlet distribution around those of the scenario, measures and
hectares from a lognormal one, land caps uniformly (SMAA-2, Lahdelma and Salminen 2001). The same
seed gives the same draws in any number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siteselect.hectares import Land, land_of
from siteselect.measuring import assumed_measures
from siteselect.pack import DataPack, read_vectors
from siteselect.problem import SelectionProblem
from siteselect.reopen import Case
from siteselect.scenario import Criterion
from siteselect.scoring import GROUPS, criterion_weights, value
from siteselect.units import score_to_units
from siteselect.whatif import caps_scaled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Uncertainty:
    """What varies from draw to draw. Defaults are assumptions to discuss, not measurements.

    Attributes
    ----------
    draws, seed
        number of exact solves, and the seed of all.
    concentration
        Dirichlet parameter of each criterion = concentration × its share of the score; the
        larger, the nearer to the scenario (50: a share of 0.20 varies by about ± 0.056, one
        standard deviation). 0 keeps the weights.
    measured_spread, assumed_spread
        relative standard deviation of a measured, and of a simulated or assumed value: measures
        of the criteria, and hectares (see :class:`siteselect.hectares.Land`). 0 keeps them.
    cap_spread
        land caps vary uniformly by ± this share; 0 keeps them.
    """

    draws: int = 200
    seed: int = 1
    concentration: float = 50.0
    measured_spread: float = 0.05
    assumed_spread: float = 0.20
    cap_spread: float = 0.10


@dataclass(frozen=True, eq=False)
class Drawn:
    """A numbered family of problems with perturbed weights, measures and caps (picklable)."""

    base: SelectionProblem
    uncertainty: Uncertainty
    measures: Floats
    """sites × criteria, NaN unknown, inf unreachable"""
    criteria: tuple[Criterion, ...]
    shares: Floats
    """share of the score of each criterion, sum 1"""
    spreads: Floats
    """relative standard deviation of each criterion's measure"""
    factor: Floats
    """points of value per point of score, of each column (reuse variants are worth less)"""
    land: Land | None
    """how hectares vary; ``None`` where they are kept"""

    def __len__(self) -> int:
        return self.uncertainty.draws

    def problem(self, number: int) -> SelectionProblem:
        """The problem of one draw."""
        g = np.random.default_rng([self.uncertainty.seed, number])
        shares = self._weights(g)
        measures = self.measures * np.exp(
            self.spreads * g.standard_normal(self.measures.shape) - self.spreads**2 / 2
        )
        spread = self.uncertainty.cap_spread
        caps = 1 + g.uniform(-spread, spread) if spread > 0 else 1.0
        rules = self.base.constraints if self.land is None else self.land.constraints(g)
        # one replacement: every problem is checked as it is made
        return replace(
            self.base,
            score=self.column_scores(measures, shares),
            constraints=caps_scaled(rules, caps) if spread > 0 else rules,
        )

    def column_scores(self, measures: Floats, shares: Floats) -> Ints:
        """Values of the columns for other measures and shares, rounded as the model does."""
        score = np.zeros(len(measures))
        for k, criterion in enumerate(self.criteria):
            score += shares[k] * value(measures[:, k], criterion)
        score = np.clip(score, 0.0, 1.0)
        return np.asarray(score_to_units(score[self.base.site] * self.factor), np.int64)

    def _weights(self, g: np.random.Generator) -> Floats:
        if self.uncertainty.concentration <= 0:
            return self.shares
        drawn = np.zeros(len(self.shares))
        used = self.shares > 0
        drawn[used] = g.dirichlet(self.uncertainty.concentration * self.shares[used])
        return drawn


def drawn_from(case: Case, uncertainty: Uncertainty) -> Drawn:
    """The family of draws around a case."""
    scenario = case.scenario
    shares = criterion_weights(scenario.criteria, scenario.weights)
    criteria = {
        name: criterion
        for group in GROUPS
        for name, criterion in scenario.criteria.of(group).items()
    }
    assumed = assumed_of(case.pack)
    variants = case.formulation.columns["variant"].to_numpy()
    return Drawn(
        case.problem,
        uncertainty,
        case.formulation.sites[list(criteria)].to_numpy(dtype=float, na_value=np.nan),
        tuple(criteria.values()),
        np.array([shares[name] for name in criteria]),
        np.array(
            [
                uncertainty.assumed_spread if name in assumed else uncertainty.measured_spread
                for name in criteria
            ]
        ),
        np.where(variants == "reuse", scenario.variants.reuse_factor, 1.0),
        land_of(case, uncertainty.measured_spread, uncertainty.assumed_spread),
    )


def assumed_of(pack: DataPack) -> frozenset[str]:
    """Measures that rest on a layer marked simulated or assumed."""
    classes: set[str] = set()
    for layer in pack.layers("facilities"):
        if layer.simulated or layer.assumed:
            classes |= set(read_vectors(pack.folder / layer.file)["facility_class"])
    return assumed_measures(pack, frozenset(classes))
