"""Hectares that vary from draw to draw, by how they are known.

The artificialised part of a footprint is *measured* on a land-use layer, or *assumed* (a share
that the scenario states, or a simulated layer); the area is that of a polygon, or *stated* (a
disc that stands for it). Parts and stated areas vary by lognormal factors of mean 1 around what
the run used; an artificialised part never exceeds its footprint. Spreads are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siteselect.formulate import Formulation
from siteselect.problem import Constraint
from siteselect.reopen import Case
from siteselect.rulebook import Rulebook
from siteselect.scenario import Scenario
from siteselect.units import ha_to_units_up
from siteselect.variants import full_variant, reuse_variant

Floats = NDArray[np.float64]
FIGURES = ["usable_units", "new_units", "works_keur", "cost_keur"]


@dataclass(frozen=True, eq=False)
class Land:
    """How the hectares of each site vary (picklable).

    Attributes
    ----------
    part_spread
        float[S], relative standard deviation of the artificialised part.
    area_spread
        float[S], relative standard deviation of the area: 0 for polygons.
    """

    formulation: Formulation
    scenario: Scenario
    rulebook: Rulebook
    part_spread: Floats
    area_spread: Floats

    def constraints(self, g: np.random.Generator) -> tuple[Constraint, ...]:
        """Those of one draw: ledgers, totals, budget and size classes written again."""
        sites = self.sites(g)
        columns = self.columns(sites)
        least = int(ha_to_units_up(np.array([self.scenario.variants.min_usable_ha]))[0])
        offered = columns["usable_units"].to_numpy(np.int64) >= least
        return self.formulation.with_hectares(columns, offered, self.scenario)

    def sites(self, g: np.random.Generator) -> pd.DataFrame:
        """The sites of one draw; what is not artificialised and ENAF follow."""
        sites = pd.DataFrame(self.formulation.sites.drop(columns="geometry"))
        wider, part = _factors(self.area_spread, g), _factors(self.part_spread, g)
        area = sites["area_ha"].to_numpy(float)
        before = sites["non_artificialised_ha"].to_numpy(float)
        built = np.minimum(sites["artificialised_ha"].to_numpy(float) * wider * part, area * wider)
        rest = area * wider - built
        grown = np.divide(rest, before, out=np.zeros(len(sites)), where=before > 0)
        return sites.assign(
            area_ha=area * wider,
            artificialised_ha=built,
            non_artificialised_ha=rest,
            enaf_ha=np.minimum(sites["enaf_ha"].to_numpy(float) * grown, rest),
        )

    def columns(self, sites: pd.DataFrame) -> pd.DataFrame:
        """The columns of the problem with the hectares of other sites."""
        columns = self.formulation.columns
        full = full_variant(sites, self.scenario.costs, self.rulebook)[FIGURES].to_numpy()
        reuse = reuse_variant(sites, self.scenario)[FIGURES].to_numpy()
        rows = columns["site"].to_numpy()
        is_reuse = (columns["variant"] == "reuse").to_numpy()
        changed = np.where(is_reuse[:, None], reuse[rows], full[rows])
        return columns.assign(**dict(zip(FIGURES, changed.T, strict=True)))


def land_of(case: Case, measured_spread: float, assumed_spread: float) -> Land | None:
    """How the hectares of a case vary; ``None`` where nothing does."""
    sites = case.formulation.sites
    simulated = any(layer.simulated or layer.assumed for layer in case.pack.layers("landuse"))
    assumed = (sites["land_origin"] == "assumed").to_numpy() | simulated
    part = np.where(assumed, assumed_spread, measured_spread)
    stated = (sites["geometry_origin"] == "disc").to_numpy()
    area = np.where(stated, measured_spread, 0.0)
    if not (part.any() or area.any()):
        return None
    return Land(case.formulation, case.scenario, case.rulebook, part, area)


def land_facts(case: Case) -> dict[str, int]:
    """Of how many considered sites the hectares are measured, assumed or simulated, and stated."""
    land = land_of(case, 1.0, 2.0)
    assert land is not None
    return {
        "part_measured": int((land.part_spread == 1.0).sum()),
        "part_assumed_or_simulated": int((land.part_spread == 2.0).sum()),
        "area_stated": int((land.area_spread > 0).sum()),
    }


def _factors(spread: Floats, g: np.random.Generator) -> Floats:
    drawn: Floats = np.exp(spread * g.standard_normal(len(spread)) - spread**2 / 2)
    return drawn
