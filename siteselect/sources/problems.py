"""A problem of a pack, and the layers of it that could be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import pandas as pd

from siteselect.messages import Msg
from siteselect.pack import DataPack

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """One kind of problem of a pack."""

    severity: Severity
    layer: str
    message: Msg
    count: int
    examples: str = ""
    remedy: Msg | None = None


@dataclass(frozen=True, eq=False)
class Tables:
    """The layers that could be read."""

    pack: DataPack
    frames: dict[str, pd.DataFrame]

    def get(self, role: str) -> pd.DataFrame | None:
        """The table of a role, where the pack has it and it could be read."""
        return self.frames.get(role)

    def shapes(self, role: str) -> gpd.GeoDataFrame | None:
        """The same, where it has a geometry."""
        found = self.frames.get(role)
        return found if isinstance(found, gpd.GeoDataFrame) else None
