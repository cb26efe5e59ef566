"""Writing the layers of a pack: file, sha256, licence, and a report of every row not kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd

from siteselect.messages import Translate
from siteselect.pack import DataPack, Layer, sha256_of
from siteselect.sources.findings import ACTIONS, ISSUES, REPORT_COLUMNS
from siteselect.sources.plan import Input

LICENCE = "Licence Ouverte 2.0 (Etalab)"


class LayerWriter:
    """Collects the layers of a pack as they are written into its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layers: list[Layer] = []
        self.reports: list[pd.DataFrame] = []

    def table(
        self,
        role: str,
        frame: pd.DataFrame,
        one: Input | None,
        *,
        file: str,
        title: str,
        assumed: bool = False,
        note: str = "",
    ) -> None:
        """A table or a vector layer, as Parquet."""
        path = self.folder / file
        if isinstance(frame, gpd.GeoDataFrame):
            frame.to_parquet(path, compression="zstd", index=False)
        else:
            frame.to_parquet(path, index=False, compression="zstd")
        self.file(role, one, file=file, title=title, assumed=assumed, note=note)

    def file(
        self,
        role: str,
        one: Input | None,
        *,
        file: str,
        title: str,
        assumed: bool = False,
        note: str = "",
    ) -> None:
        """A file already in the folder."""
        self.layers.append(
            Layer(
                role=role,
                file=file,
                title=(one.title if one else "") or title,
                licence=one.licence if one else LICENCE,
                attribution=one.attribution if one else "calculé par siteselect",
                source=one.file if one else "siteselect",
                vintage=(one.vintage if one else "") or "non datée",
                sha256=sha256_of(self.folder / file),
                simulated=False,
                assumed=assumed,
                note=note,
            )
        )

    def copy(self, base: DataPack, layer: Layer) -> None:
        """A layer of the base pack, byte for byte, with its entry."""
        shutil.copyfile(base.folder / layer.file, self.folder / layer.file)
        self.layers.append(layer)

    def report(self, report: pd.DataFrame, one: Input) -> None:
        """Lines of report of one file."""
        if len(report):
            self.reports.append(report.assign(role=one.role, file=one.file))

    def write_reports(self, translate: Translate | None) -> pd.DataFrame:
        """``report`` of the pack, in Parquet and as a CSV for a spreadsheet."""
        columns = [*REPORT_COLUMNS, "role", "file"]
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in columns})
        joined = pd.concat(self.reports, ignore_index=True) if self.reports else empty
        joined = joined[columns].astype({"row": "int64"})
        path = self.folder / "import_report.parquet"
        joined.to_parquet(path, index=False, compression="zstd")
        spreadsheet(joined, translate).to_csv(
            path.with_suffix(".csv"),
            sep=";",
            index=False,
            encoding="utf-8-sig",
            lineterminator="\r\n",
        )
        note = "Chaque ligne écartée, corrigée ou signalée, avec sa raison et son fichier."
        for name in (path.name, "import_report.csv"):
            self.file("report", None, file=name, title="Rapport d'import", note=note)
        return joined


def spreadsheet(report: pd.DataFrame, translate: Translate | None) -> pd.DataFrame:
    """The report in words; a cell that a spreadsheet would run as a formula is quoted."""
    say = (lambda text: text) if translate is None else translate
    words = report.copy()
    words.insert(3, "reason", words["issue"].map({k: m.render(say) for k, m in ISSUES.items()}))
    words["action"] = words["action"].map({str(k): m.render(say) for k, m in ACTIONS.items()})
    for name in ("site_id", "value"):
        risky = words[name].str.match(r"[=+@\t\r]").fillna(False).astype(bool)
        words[name] = words[name].mask(risky, "'" + words[name])
    return words
