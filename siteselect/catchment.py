"""The union catchment of a scenario: from whose workers reach which site to the model and back.

Maximal covering (Church and ReVelle 1974, Papers of the Regional Science Association 32:
101-118) on top of the sum of scores: a worker within reach of several chosen sites counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siteselect.errors import Fault, InputError
from siteselect.measures.reach import Reach
from siteselect.messages import Msg
from siteselect.problem import Coverage, Workforce
from siteselect.scenario import Scenario
from siteselect.units import SCORE_SCALE, units_to_ha

Ints = NDArray[np.int64]
MEAN_SITE_HA = 60.0
"""Mean area of the 55 sites announced in April 2024: jobs of reference are those of such sites."""


@dataclass(frozen=True, eq=False)
class Reached:
    """Who a selection reaches, in workers.

    Attributes
    ----------
    of_site
        int64[sites], workers within reach of each site, whoever else they reach.
    added
        int64[sites], for a chosen site the workers that reach no other chosen one: what the
        selection would lose; for the others the workers that they would add.
    covered, reference
        workers that reach a chosen site, each once, and those that count as all.
    points
        what the workers covered bring to the objective, score × 10⁶.
    """

    of_site: Ints
    added: Ints
    covered: int
    reference: int
    points: int


def reach_for(scenario: Scenario, reach: Reach | None) -> Reach | None:
    """The reach that a scenario's objective needs: none without a catchment.

    Raises
    ------
    ValueError
        The reach was not measured, or within another time: measure the scenario first.
    """
    wanted = scenario.catchment
    if wanted.mode == "off":
        return None
    if reach is None or reach.minutes != wanted.minutes:
        raise ValueError(f"the reach within {wanted.minutes:g} min was not measured")
    return reach


def reference_of(reach: Reach, scenario: Scenario) -> int:
    """Workers that count as all of them.

    Raises
    ------
    InputError
        The labour layer knows nobody.
    """
    stated = scenario.catchment.reference_workers
    known = int(reach.workers.sum()) if stated is None else round(stated)
    if known <= 0:
        raise InputError(
            Fault(
                Msg("the labour layer has no worker, so no share of them can be reached"),
                where="catchment.reference_workers",
                value=known,
                remedy=Msg('correct the labour layer, or set catchment.mode = "off"'),
            )
        )
    return known


def worker_points(reach: Reach, scenario: Scenario) -> Ints:
    """int64[communes]: what reaching each commune is worth, score × 10⁶, rounded.

    All workers of reference together are worth ``weight`` points for each of ``count`` sites.
    """
    total = scenario.catchment.weight * scenario.count * SCORE_SCALE
    share = reach.workers / reference_of(reach, scenario)
    return np.rint(total * share).astype(np.int64)


def coverage_of(reach: Reach, rows: Ints, scenario: Scenario) -> Coverage:
    """The coverage of the model; ``rows``: row in the table of sites of each site of the model."""
    return Coverage.from_matrix(reach.matrix()[rows], worker_points(reach, scenario))


def reference_jobs_of(scenario: Scenario) -> float:
    """Jobs filled that count as all of them."""
    wanted = scenario.catchment
    stated = wanted.reference_jobs
    return scenario.count * MEAN_SITE_HA * wanted.jobs_per_ha if stated is None else stated


def workforce_of(reach: Reach, rows: Ints, usable_units: Ints, scenario: Scenario) -> Workforce:
    """The workforce of the model: workers that can be hired, jobs of each column.

    ``rows``: row in the table of sites of each site of the model; ``usable_units`` of each column,
    0.01 ha. A filled job is worth a whole number of score × 10⁶.

    Raises
    ------
    InputError
        A job would be worth nothing: too small a weight for so many jobs of reference.
    """
    wanted = scenario.catchment
    value = round(wanted.weight * scenario.count * SCORE_SCALE / reference_jobs_of(scenario))
    if value == 0 < wanted.weight:
        raise InputError(
            Fault(
                Msg("one job would be worth less than a millionth of a point"),
                where="catchment.weight",
                value=wanted.weight,
                remedy=Msg("raise catchment.weight or lower catchment.reference_jobs"),
            )
        )
    supply = np.floor(reach.workers * wanted.available_share + 1e-9).astype(np.int64)
    jobs = np.rint(units_to_ha(usable_units) * wanted.jobs_per_ha).astype(np.int64)
    return Workforce.from_matrix(reach.matrix()[rows], supply, jobs, value)


def reached_by(reach: Reach, chosen: NDArray[np.bool_], scenario: Scenario) -> Reached:
    """Who a selection reaches; ``chosen`` bool[sites], in the order of the table of sites."""
    matrix = reach.matrix().astype(np.int64)
    times = np.asarray(chosen.astype(np.int64) @ matrix)
    alone = matrix @ np.where(times == 1, reach.workers, 0)
    new = matrix @ np.where(times == 0, reach.workers, 0)
    return Reached(
        of_site=np.asarray(matrix @ reach.workers),
        added=np.where(chosen, alone, new),
        covered=int(reach.workers[times > 0].sum()),
        reference=reference_of(reach, scenario),
        points=int(worker_points(reach, scenario)[times > 0].sum()),
    )
