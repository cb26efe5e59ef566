"""Jobs that a portfolio could hold: ranges, never one figure.

Direct jobs = usable hectares × a share that is really built on × jobs per hectare of that kind
of industry. The programme publishes that one industrial job creates 1.5 indirect and 3 induced
jobs; they are parameters here. Densities are **assumptions** of this module, wide on purpose:
replace them by those of the projects that are expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg

BOUNDS = ("low", "central", "high")


@dataclass(frozen=True)
class Density:
    """Direct jobs per usable hectare of one kind of industry: low, central, high."""

    low: float
    central: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.central <= self.high:
            raise ValueError(Msg("a density needs 0 ≤ low ≤ central ≤ high"))


def _densities() -> dict[str, Density]:
    return {
        "process": Density(5, 12, 25),
        "assembly": Density(20, 35, 60),
        "mixed": Density(10, 20, 40),
    }


@dataclass(frozen=True)
class JobSettings:
    """What turns hectares into jobs.

    Attributes
    ----------
    industry
        which density holds: ``process`` (chemistry, materials, batteries), ``assembly``
        (mechanical, electronics, food), ``mixed``.
    densities
        direct jobs per usable hectare, assumptions.
    indirect, induced
        jobs elsewhere per direct job (published for the programme: 1.5 and 3).
    """

    industry: str = "mixed"
    densities: Mapping[str, Density] = field(default_factory=_densities)
    indirect: float = 1.5
    induced: float = 3.0


def job_settings_faults(settings: JobSettings) -> FaultLog:
    """What is wrong with the settings."""
    log = FaultLog()
    if settings.industry not in settings.densities:
        near = nearest_name(settings.industry, settings.densities)
        log.add(
            Msg("unknown kind of industry"),
            where="industry",
            value=settings.industry,
            remedy=Msg("use one of {known}", known=", ".join(settings.densities))
            if near is None
            else Msg("did you mean {near}?", near=near),
        )
    for name in ("indirect", "induced"):
        if getattr(settings, name) < 0:
            log.add(
                Msg("a multiplier cannot be negative"),
                where=name,
                value=getattr(settings, name),
                remedy=Msg("give 0 or more"),
            )
    return log


def jobs(sites: pd.DataFrame, settings: JobSettings | None = None) -> pd.DataFrame:
    """Jobs of each selected site and of all of them.

    Parameters
    ----------
    sites
        ``site_id``, ``name``, ``region_name``, ``usable_ha`` of the selected sites.

    Returns
    -------
    DataFrame, one row a site and a last row ``site_id = "total"``: usable_ha, then direct,
    indirect, induced and total jobs, low, central and high, rounded to tens (under 100: to
    units): the bounds of the total add up the bounds of the sites, all low or all high together.

    Raises
    ------
    InputError
        An unknown industry, a negative multiplier.
    """
    chosen = settings or JobSettings()
    job_settings_faults(chosen).check()
    density = chosen.densities[chosen.industry]
    table = sites[["site_id", "name", "region_name", "usable_ha"]].reset_index(drop=True)
    total = pd.DataFrame(
        [{"site_id": "total", "name": "", "region_name": "", "usable_ha": table["usable_ha"].sum()}]
    )
    table = pd.concat([table, total], ignore_index=True)
    for bound in BOUNDS:
        direct = table["usable_ha"] * float(getattr(density, bound))
        for kind, factor in (
            ("direct", 1.0), ("indirect", chosen.indirect), ("induced", chosen.induced),
            ("all", 1.0 + chosen.indirect + chosen.induced),
        ):  # fmt: skip
            table[f"{kind}_{bound}"] = [_rounded(value * factor) for value in direct]
    return table


def _rounded(value: float) -> int:
    """Two or three figures that mean something: units under 100, tens above."""
    return round(value) if value < 100 else int(round(value / 10) * 10)
