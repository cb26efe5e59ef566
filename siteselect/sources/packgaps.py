"""Checks of what the files of a pack leave out: holes in the roads, unknown facts, outlines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siteselect.messages import Msg
from siteselect.schemas import examples
from siteselect.sources import values
from siteselect.sources.problems import Problem, Tables

TOWN = 10_000
"""Inhabitants from which a commune without roads is a hole in the roads, not the country."""
SPARSE = 0.1
"""Roads per area, as a share of those of the middle town of the pack, that are hardly any."""
MOSTLY = 0.5
"""A fact unknown for more sites than this share is told."""
FACTS = {
    "stated_pollution": Msg("pollution of the soil"),
    "stated_buildings": Msg("state of the buildings"),
    "stated_type": Msg("type of brownfield"),
    "stated_zone": Msg("zone of the local plan"),
    "status_source": Msg("status of the brownfield"),
}
"""Columns of the sites that planners ask about."""


def check_holes(tables: Tables) -> Iterator[Problem]:
    """Towns in whose outline the roads have nothing: a part of the network was left out."""
    nodes, edges = tables.get("road_nodes"), tables.get("road_edges")
    contours, communes = tables.shapes("contours"), tables.get("communes")
    if nodes is None or edges is None or contours is None or communes is None or edges.empty:
        return
    towns = communes[communes["population"].fillna(0) >= TOWN]
    outlines = contours[contours["code_insee"].isin(towns["code_insee"])]
    xy = nodes[["x", "y"]].to_numpy(dtype=float)
    lines = shapely.linestrings(xy[edges[["tail", "head"]].to_numpy()])
    density = _road_density(outlines.geometry.to_numpy(), lines)
    usual = float(np.median(density)) if len(density) else 0.0
    bare = outlines["code_insee"][density < SPARSE * usual]
    if len(bare):
        found = towns[towns["code_insee"].isin(bare)].sort_values("population", ascending=False)
        yield Problem(
            "warning", "road_edges",
            Msg(
                "communes of 10,000 inhabitants or more with hardly any road ({people} "
                "inhabitants): a hole in the network",
                people=int(found["population"].sum()),
            ),
            len(found), examples(found["name"]),
            Msg("add the roads that lack: their workers and what lies beyond seem too far"),
        )  # fmt: skip


def _road_density(outlines: NDArray[np.object_], lines: NDArray[np.object_]) -> NDArray[np.float64]:
    """Metres of road in each outline, by square metre."""
    place, road = shapely.STRtree(lines).query(outlines, predicate="intersects")
    inside = shapely.length(shapely.intersection(lines[road], outlines[place]))
    length = np.bincount(place, inside, minlength=len(outlines))
    density: NDArray[np.float64] = length / np.maximum(shapely.area(outlines), 1.0)
    return density


def check_unknown(tables: Tables) -> Iterator[Problem]:
    """Facts about brownfields that the inventory does not state: unknown is not favourable."""
    sites = tables.get("sites")
    if sites is None or "kind" not in sites:
        return
    brown = sites[sites["kind"] == "brownfield"]
    for column, fact in FACTS.items():
        if column not in brown or brown.empty:
            continue
        stated = brown[column].astype("str")
        unknown = brown[column].isna() | values.blank(stated) | stated.isin(["inconnu"])
        share = float(unknown.mean())
        if share > MOSTLY:
            yield Problem(
                "warning", "sites",
                Msg("brownfields without a fact that planners ask for: {fact} ({share:.0%})",
                    fact=fact, share=share),
                int(unknown.sum()), "",
                Msg("ask the territories, or read unknown as unknown: it is never in favour"),
            )  # fmt: skip


def check_outlines(tables: Tables) -> Iterator[Problem]:
    """Communes without outline, which no test of place can reach."""
    contours, communes = tables.get("contours"), tables.get("communes")
    if contours is None or communes is None:
        return
    lacking = communes[~communes["code_insee"].isin(contours["code_insee"])]
    if len(lacking):
        yield Problem(
            "warning", "contours", Msg("communes without an outline of their present code"),
            len(lacking), _named(lacking),
            Msg("take outlines of the year of the communes: sites there are not tested or split"),
        )  # fmt: skip


def _named(communes: pd.DataFrame) -> str:
    return examples(communes["code_insee"].astype(str) + " " + communes["name"].astype(str))
