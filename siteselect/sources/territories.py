"""Territories of any kind (SCoT, Territoires d'industrie, …): which communes belong to each.

From a list of communes, a list of EPCI, or polygons.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siteselect.errors import InputError
from siteselect.messages import Msg
from siteselect.sources import values
from siteselect.sources.findings import Findings
from siteselect.sources.opening import Opened, fault
from siteselect.sources.part import CODE_NAMES, Part, true_at
from siteselect.territories import SCOT, check_members

ID_NAMES = (
    "territory",
    "territory_code",
    "id_ti",
    "id_territoire",
    "id_scot",
    "code_scot",
    "siren_scot",
    "id_st",
    "scot",
    "id",
)
NAME_NAMES = (
    "territory_name",
    "lib_ti",
    "lib_territoire",
    "nom_scot",
    "nom_st",
    "nom",
    "name",
    "libelle",
)
EPCI_NAMES = ("siren_epci", "epci", "siren_groupement", "code_epci")


def read_territories(
    opened: Opened, communes: gpd.GeoDataFrame, known: set[str], *, kind: str
) -> Part[pd.DataFrame]:
    """Table ``territories`` of a pack: kind, code, name, code_insee; one row a member commune.

    Polygons hold the communes whose point they hold. A commune may belong to several
    territories of one kind, but to one SCoT. ``known``: codes of all communes, those outside the
    pack included. ``kind``: SCoT are of kind ``scot``, however it is written.

    Raises
    ------
    InputError
        no column names the territories, nothing says which communes are theirs, or a commune is
        listed under several SCoT, or a SCoT under several names.
    """
    kind = SCOT if kind.strip().casefold() == SCOT else kind
    stated = values.present(opened.need(ID_NAMES, what="the code of the territories"))
    names = values.present(opened.cells(NAME_NAMES))
    names = names.where(names.notna(), stated)
    findings = Findings(stated)
    findings.leave_out(stated.isna(), "no_name", opened.cells(NAME_NAMES))
    if opened.geometry is not None and _polygonal(opened).any():
        pairs = _by_polygon(opened, communes, findings)
    elif opened.find(CODE_NAMES) is not None:
        pairs = _by_commune(opened, communes, known, findings)
    elif opened.find(EPCI_NAMES) is not None:
        pairs = _by_epci(opened, communes, findings)
    else:
        raise _nothing(opened)
    table = pd.DataFrame(
        {
            "kind": kind,
            "code": stated.reindex(pairs["row"]).to_numpy(),
            "name": names.reindex(pairs["row"]).to_numpy(),
            "code_insee": pairs["code_insee"].to_numpy(),
        }
    ).astype("str")
    if kind == SCOT:
        check_members(table.assign(row=pairs["row"].to_numpy()), opened.path)
    table = table.drop_duplicates(["code", "code_insee"]).sort_values(["code", "code_insee"])
    return Part(table.reset_index(drop=True), findings.report(opened.damaged), opened.rows)


def _nothing(opened: Opened) -> InputError:
    return fault(
        opened.path,
        Msg("nothing says which communes belong to each territory"),
        Msg("give polygons, a column of INSEE codes, or a column of SIREN numbers of EPCI"),
    )


def _polygonal(opened: Opened) -> np.ndarray:
    return np.isin(shapely.get_type_id(opened.geometry), (3, 6))


def _by_polygon(opened: Opened, communes: gpd.GeoDataFrame, findings: Findings) -> pd.DataFrame:
    index = opened.frame.index
    findings.leave_out(true_at(index, ~_polygonal(opened)), "no_geometry", findings.site_ids)
    kept = findings.kept.to_numpy()
    assert opened.geometry is not None
    shapes = shapely.make_valid(opened.geometry[kept])
    tree = shapely.STRtree(communes.geometry.to_numpy())
    which, member = tree.query(shapes, predicate="intersects")
    rows = index[kept][which]
    empty = ~index.isin(rows)
    findings.leave_out(true_at(index, empty), "no_such_member", findings.site_ids)
    return pd.DataFrame({"row": rows, "code_insee": communes["code_insee"].to_numpy()[member]})


def _by_commune(
    opened: Opened, communes: gpd.GeoDataFrame, known: set[str], findings: Findings
) -> pd.DataFrame:
    stated = opened.cells(CODE_NAMES)
    mended = values.insee_codes(values.present(stated).fillna(""))
    codes = values.commune_of_district(mended)
    findings.leave_out(codes == "", "no_code", stated)
    findings.leave_out(~codes.isin(list(known)), "unknown_code", stated)
    findings.leave_out(~codes.isin(communes["code_insee"]), "outside_area", stated)
    kept = findings.kept
    return pd.DataFrame({"row": codes.index[kept], "code_insee": codes[kept].to_numpy()})


def _by_epci(opened: Opened, communes: gpd.GeoDataFrame, findings: Findings) -> pd.DataFrame:
    stated = opened.cells(EPCI_NAMES)
    siren = stated.str.extract(r"(\d{9})", expand=False)
    findings.leave_out(siren.isna(), "no_code", stated)
    findings.leave_out(~siren.isin(communes["epci"]), "no_such_member", stated)
    chosen = siren[findings.kept].rename("epci").rename_axis("row").reset_index()
    joined = chosen.merge(pd.DataFrame(communes[["code_insee", "epci"]]), on="epci")
    return joined[["row", "code_insee"]]
