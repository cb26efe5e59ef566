"""Cars and heavy goods vehicles: which speed holds on each road."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from siteselect.errors import FaultLog, nearest_name
from siteselect.messages import Msg
from siteselect.network.checks import flag, numbers

__all__ = ["edges_for_hgv"]


def edges_for_hgv(
    edges: pd.DataFrame, *, hgv_speed_kmh: Mapping[str, float], file: str = "road_edges"
) -> pd.DataFrame:
    """The table ``road_edges`` as an HGV drives it: the speed of each edge in ``car_kmh``.

    ``hgv_kmh`` of the edge where it is known; else, where the edge states ``car_kmh``, the lesser
    of that and the HGV speed of its class (no lorry is quicker than the cars); else nothing, and
    the HGV speed of the class holds (``graph_from_tables(..., speed_kmh=hgv_speed_kmh)``).

    Raises
    ------
    InputError
        ``hgv_kmh`` that is no speed, a class without HGV speed.
    """
    log = FaultLog()
    nothing = np.full(len(edges), np.nan)
    car = numbers(edges["car_kmh"]) if "car_kmh" in edges.columns else nothing
    own = numbers(edges["hgv_kmh"]) if "hgv_kmh" in edges.columns else nothing
    with np.errstate(invalid="ignore"):
        bad = (own <= 0) | np.isinf(own)
    remedy = Msg("give a speed above 0 km/h, or leave it empty where unknown")
    flag(log, bad, own, file, Msg("hgv_kmh is not a speed"), remedy)
    classes = edges["road_class"].astype("object")
    for name in sorted(set(classes[np.isnan(own)].dropna()) - set(hgv_speed_kmh)):
        near = nearest_name(str(name), hgv_speed_kmh)
        log.add(
            Msg("road class {name} has no HGV speed", name=name),
            file=file,
            value=name,
            remedy=Msg("did you mean {near}? Else add it to network.hgv_speed_kmh", near=near)
            if near
            else Msg("add it to network.hgv_speed_kmh ({known})", known=", ".join(hgv_speed_kmh)),
        )
    log.check()
    slower = np.minimum(car, numbers(classes.map(hgv_speed_kmh)))
    return edges.assign(car_kmh=np.where(np.isnan(own), slower, own))
