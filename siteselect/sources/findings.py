"""What a reader found in a file, row by row: nothing is dropped without a line of report."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import pandas as pd

from siteselect.messages import Msg

Action = Literal["left_out", "corrected", "kept"]
REPORT_COLUMNS = ("row", "site_id", "issue", "value", "action")

ISSUES: Mapping[str, Msg] = {
    # left out
    "damaged_row": Msg("the row does not have as many fields as the header"),
    "no_site_id": Msg("the site has no identifier"),
    "repeated_site_id": Msg("the identifier is that of another row, which is kept"),
    "no_coordinates": Msg("no coordinates, or none that can be read"),
    "outside_france": Msg("the point is not in metropolitan France"),
    "no_area": Msg("no area is stated"),
    "wrong_area": Msg("the area stated is not a number above zero"),
    "drawn_area": Msg("the only area is that of a circle drawn around the point"),
    "estate": Msg("a whole estate: over 1,000 ha"),
    "same_parcels": Msg("the same set of parcels as another row, which is kept"),
    "reconverted": Msg("already reconverted"),
    "no_code": Msg("no INSEE code"),
    "unknown_code": Msg("code of no commune"),
    "repeated_code": Msg("the code is that of another row, which is kept"),
    "no_value": Msg("the value is missing"),
    "wrong_value": Msg("the value is not a number of zero or more"),
    "same_point": Msg("the same place as another row, which is kept"),
    "no_geometry": Msg("no outline, or none that can be used"),
    "no_name": Msg("the territory has no code or name"),
    "outside_area": Msg("outside the territory of the pack"),
    "not_covered": Msg("the land-cover raster does not cover it"),
    "example": Msg("a row of help or example of the workbook"),
    "missing_cell": Msg("a cell that must be filled in is empty"),
    "choice_unknown": Msg("a cell holds a word that is not in its list"),
    "wrong_cell": Msg("a cell holds a value that is not possible"),
    "unknown_pair": Msg("a pair of cover and use that the matrix does not have"),
    "not_asked": Msg("not among the rows that the build file asks for"),
    "not_a_road": Msg("not a road for cars and lorries"),
    "other_period": Msg("a year outside the periods counted"),
    "gone": Msg("declassified or cancelled: no business park any more"),
    "taken": Msg("a plot that is sold, occupied or not to be developed"),
    "other_level": Msg("a row of another level of territory"),
    "not_a_share": Msg("the objective is not between 0 and 100 %"),
    "no_such_territory": Msg("the pack has no such territory: its objective applies to nothing"),
    # corrected
    "districts_joined": Msg("districts of a city added up"),
    "area_of_site": Msg("no landholding area: the area of the site is used"),
    "code_mended": Msg("code of the commune written otherwise (zero, capital)"),
    "code_replaced": Msg("code of no current commune: replaced by the city or the nearest commune"),
    "coordinates_swapped": Msg("longitude and latitude are swapped"),
    "coordinates_projected": Msg("coordinates are in Lambert-93, not in degrees"),
    "word_mapped": Msg("word written otherwise than in the standard"),
    "polygon_unusable": Msg("the outline cannot be used: a disc stands for it"),
    # kept
    "word_unknown": Msg("word that the standard does not have: read as unknown"),
    "outside_commune": Msg("the point lies outside the outline of its commune"),
    "parcels_elsewhere": Msg("none of its parcels lies in its commune"),
    "far_from_commune": Msg("the point is far from its commune and near another"),
    "shared_parcels": Msg("some of its parcels belong to another site too"),
    "not_a_number": Msg("a field of the standard that should hold a number does not"),
    "not_a_date": Msg("a field of the standard that should hold a date does not"),
    "approximate_position": Msg("the position is approximate"),
    "no_class": Msg("a road without class: read as unclassified"),
    "no_such_member": Msg("no commune of the pack lies in this territory"),
    "area_differs": Msg("the area stated differs from that of the outline by over a fifth"),
    "no_parcels": Msg("no parcels are stated: a double count cannot be seen"),
}
"""Every issue by its code, in the words of the person who reads the report."""

ACTIONS: Mapping[Action, Msg] = {
    "left_out": Msg("left out"),
    "corrected": Msg("corrected, kept"),
    "kept": Msg("kept as it is"),
}


class Findings:
    """Collects the report of one file; a row is left out once, for the first reason found."""

    def __init__(self, site_ids: pd.Series[str]) -> None:
        """``site_ids``: identifier (or missing) by number of row."""
        self.site_ids = site_ids
        self.kept = pd.Series(True, index=site_ids.index)
        self._parts: list[pd.DataFrame] = []

    def leave_out(self, rows: pd.Series[bool], issue: str, values: pd.Series[str]) -> None:
        """Leave out the rows that are true and not out already."""
        new = rows.reindex(self.kept.index, fill_value=False).astype(bool) & self.kept
        self._add(new, issue, values, "left_out")
        self.kept &= ~new

    def note(
        self, rows: pd.Series[bool], issue: str, values: pd.Series[str], action: Action
    ) -> None:
        """Note an issue of the rows that are true and not out."""
        kept = rows.reindex(self.kept.index, fill_value=False).astype(bool) & self.kept
        self._add(kept, issue, values, action)

    def _add(
        self, rows: pd.Series[bool], issue: str, values: pd.Series[str], action: Action
    ) -> None:
        if issue not in ISSUES:
            raise KeyError(issue)
        index = rows.index[rows]
        if not len(index):
            return
        self._parts.append(
            pd.DataFrame(
                {
                    "row": index.to_numpy(dtype="int64"),
                    "site_id": self.site_ids.reindex(index).to_numpy(dtype=object),
                    "issue": issue,
                    "value": values.reindex(index).astype("str").to_numpy(dtype=object),
                    "action": action,
                }
            )
        )

    def of(self, issues: Collection[str]) -> pd.Series[str]:
        """Of these issues, those of each row that has any, joined by commas, in order."""
        found = self.report()
        chosen = found[found["issue"].isin(list(issues))].drop_duplicates(["row", "issue"])
        return chosen.groupby("row")["issue"].agg(",".join)

    def report(self, damaged: Mapping[int, str] | None = None) -> pd.DataFrame:
        """row, site_id, issue, value, action; sorted by row. ``damaged``: rows never read."""
        lost = pd.DataFrame(
            {
                "row": list(damaged or {}),
                "site_id": None,
                "issue": "damaged_row",
                "value": list((damaged or {}).values()),
                "action": "left_out",
            }
        )
        joined = pd.concat([*self._parts, lost], ignore_index=True)
        texts = {name: "str" for name in REPORT_COLUMNS if name != "row"}
        table = joined[list(REPORT_COLUMNS)].astype({"row": "int64", **texts})
        return table.sort_values(["row", "issue"], kind="stable", ignore_index=True)
