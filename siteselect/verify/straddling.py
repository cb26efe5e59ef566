"""Charges of sites over several communes, split again the plain way: one site, one commune.

The seats go to the communes as in an election by largest remainder: exact fractions, whole parts
first, then one unit each to the largest fractions left, ties to the smaller code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

Row = Mapping[Any, Any]
Places = Mapping[str, Sequence[tuple[Row, int]]]
"""Site → (territories of a commune that it lies in, share in millionths)."""


def places_of(straddling: pd.DataFrame | None) -> dict[str, list[tuple[Row, int]]]:
    """The communes of each site that lies in several."""
    found: dict[str, list[tuple[Row, int]]] = {}
    for row in [] if straddling is None else straddling.to_dict("records"):
        found.setdefault(str(row["site_id"]), []).append((row, int(row["millionths"])))
    return found


def parts(units: int, places: Sequence[tuple[Row, int]]) -> list[tuple[Row, int]]:
    """Whole units (0.01 ha) for each place, summing to ``units``."""
    total = sum(weight for _, weight in places)
    exact = [(row, Fraction(units * weight, total)) for row, weight in places]
    left = units - sum(int(share) for _, share in exact)
    first = sorted(exact, key=lambda one: (int(one[1]) - one[1], one[0]["code_insee"]))
    lucky = {row["code_insee"] for row, _ in first[:left]}
    return [(row, int(share) + (row["code_insee"] in lucky)) for row, share in exact]
