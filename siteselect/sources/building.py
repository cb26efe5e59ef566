"""What is known while a pack is built from a build file, and its territory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.pack import DataPack
from siteselect.sources.layers import LayerWriter
from siteselect.sources.opening import Opened, open_table
from siteselect.sources.part import rows_not_asked
from siteselect.sources.plan import Area, Input, Plan
from siteselect.units import M_PER_KM


@dataclass
class Building:
    """What is known while a pack is built."""

    plan: Plan
    folder: Path
    base: DataPack
    writer: LayerWriter
    communes: gpd.GeoDataFrame
    """All communes; with their SCoT once the territories are read."""
    core: frozenset[str] = frozenset()
    """Codes of the communes of the area."""
    near: frozenset[str] = frozenset()
    """Those, and the communes around them."""
    contours: gpd.GeoDataFrame | None = None
    landuse: Path | None = None
    zones: gpd.GeoDataFrame | None = None
    members: pd.DataFrame | None = None
    """Table ``territories``: kind, code, name, code_insee; of the communes of the pack."""
    site_communes: tuple[str, ...] = ()
    """Codes of the communes that have a site."""
    classes: set[str] = field(default_factory=set)
    """Classes of facility that the inputs give."""

    def path(self, one: Input) -> Path:
        """The file of an input."""
        return self.folder / one.file

    def open(self, one: Input) -> Opened:
        """Its table, columns named and rows chosen as the plan says; the others reported."""
        whole = open_table(self.path(one), layer=one.layer).renamed(one.columns)
        chosen = whole.where(one.where)
        self.writer.report(rows_not_asked(whole, chosen), one)
        return chosen


def select_area(communes: gpd.GeoDataFrame, area: Area) -> tuple[frozenset[str], frozenset[str]]:
    """Codes of the communes of an area, and of those within its margin.

    Raises InputError when a code is that of no territory.
    """
    codes = communes["code_insee"]
    if area.everywhere:
        return frozenset(codes), frozenset(codes)
    log = FaultLog()
    inside = np.zeros(len(communes), dtype=bool)
    for column, wanted in (
        ("region", area.regions),
        ("departement", area.departements),
        ("epci", area.epci),
        ("code_insee", area.communes),
    ):
        valid = set(communes[column].dropna())
        for code in sorted(set(wanted) - valid):
            near = nearest_name(code, sorted(valid))
            log.add(
                Msg("no territory has this code"),
                where=f"area.{column}",
                value=code,
                remedy=Msg("did you mean {near}?", near=near)
                if near
                else Msg("correct or remove it"),
            )
        inside |= communes[column].isin(wanted).to_numpy()
    log.check()
    xy = np.column_stack([communes.geometry.x, communes.geometry.y])
    distance_m, _ = cKDTree(xy[inside]).query(xy)
    around = inside | (distance_m <= area.margin_km * M_PER_KM)
    return frozenset(codes[inside]), frozenset(codes[around])
