"""Everything that is wrong, doubtful or worth knowing in a pack, in one report.

Small checks, each of which gives problems with a count, examples and the remedy. Nothing is
changed, and one problem never hides another: a layer that cannot be read is told, and the
checks that need it are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from siteselect.errors import InputError
from siteselect.messages import Msg
from siteselect.pack import DataPack, read_vectors, sha256_of
from siteselect.schemas import TABLES, check_table, examples
from siteselect.sources import packgaps, packplaces
from siteselect.sources.findings import ISSUES
from siteselect.sources.opening import fault
from siteselect.sources.problems import Problem, Tables
from siteselect.territories import SCOT, check_members

__all__ = ["Problem", "check_pack"]

Progress = Callable[[str, float], None]

YEARS_APART = 3


def check_pack(pack: DataPack, *, progress: Progress | None = None) -> list[Problem]:
    """Every problem of a pack: errors first, then warnings, then notes."""
    problems: list[Problem] = [*_files(pack)]
    tables = Tables(pack, {})
    problems += _read(pack, tables)
    checks = (
        _codes,
        _scot,
        packgaps.check_outlines,
        packplaces.check_places,
        packplaces.check_areas,
        packgaps.check_unknown,
        packplaces.check_twice,
        packplaces.check_network,
        packgaps.check_holes,
        packplaces.check_facilities,
        packplaces.check_raster,
        packplaces.check_extents,
        _vintages,
        _manifest,
        _imported,
    )
    for number, check in enumerate(checks):
        if progress is not None:
            progress("check", number / len(checks))
        problems += check(tables)
    if progress is not None:
        progress("check", 1.0)
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(problems, key=lambda problem: order[problem.severity])


# --- files and tables -----------------------------------------------------------------------------


def _files(pack: DataPack) -> Iterator[Problem]:
    for layer in pack.manifest.layers:
        path = pack.folder / layer.file
        if not path.is_file():
            yield Problem(
                "error", layer.role, Msg("the file is missing"), 1, layer.file,
                Msg("put the file back or build the pack again"),
            )  # fmt: skip
        elif sha256_of(path) != layer.sha256:
            yield Problem(
                "error", layer.role,
                Msg("the content is not what the manifest says (sha256 differs)"), 1, layer.file,
                Msg("restore the file, or build the pack again"),
            )  # fmt: skip


def _read(pack: DataPack, tables: Tables) -> Iterator[Problem]:
    """Reads every table and says what its schema says; a wrong one is not checked further."""
    for role in dict.fromkeys(layer.role for layer in pack.manifest.layers):
        if role in ("landuse", "landuse_legend"):
            continue
        parts = []
        for layer in pack.layers(role):
            path = pack.folder / layer.file
            if path.suffix != ".parquet" or not path.is_file():
                continue
            try:
                frame = _frame(path)
                if role in TABLES:
                    check_table(frame, role, file=layer.file)
            except InputError as error:
                for one in error.faults:
                    yield Problem(
                        "error", role, one.message, 1,
                        " ".join(str(x) for x in (one.where, one.value) if x is not None),
                        one.remedy,
                    )  # fmt: skip
                continue
            parts.append(frame)
        if parts:
            whole = pd.concat(parts, ignore_index=True)
            tables.frames[role] = (
                gpd.GeoDataFrame(whole, crs=parts[0].crs)
                if isinstance(parts[0], gpd.GeoDataFrame)
                else whole
            )


def _frame(path: Path) -> pd.DataFrame:
    try:
        spatial = b"geo" in (pq.read_schema(path).metadata or {})
        return read_vectors(path) if spatial else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise fault(
            path,
            Msg("the file cannot be read: {error}", error=error),
            Msg("restore the file, or build the pack again"),
        ) from error


def _codes(tables: Tables) -> Iterator[Problem]:
    communes = tables.get("communes")
    if communes is None:
        return
    known = set(communes["code_insee"])
    for role in ("sites", "restoration", "labour", "territories", "shares"):
        table = tables.get(role)
        if table is None:
            continue
        strange = table.loc[~table["code_insee"].isin(list(known)), "code_insee"]
        if len(strange):
            yield Problem(
                "error" if role in ("sites", "restoration", "shares") else "warning", role,
                Msg("codes that match no commune of the pack"), len(strange),
                examples(strange.unique()),
                Msg("use the current code of the commune (communes that merged have a new one)"),
            )  # fmt: skip
    labour = tables.get("labour")
    if labour is not None:
        lacking = sorted(known - set(labour["code_insee"]))
        if lacking:
            yield Problem(
                "warning", "labour", Msg("communes without labour force: nobody is counted there"),
                len(lacking), examples(lacking),
                Msg("complete the table, or accept that their workers are not counted"),
            )  # fmt: skip


def _scot(tables: Tables) -> Iterator[Problem]:
    """Communes in several SCoT, and those that have sites and are in none."""
    territories, sites = tables.get("territories"), tables.get("sites")
    if territories is None:
        return
    members = territories[territories["kind"] == SCOT]
    if members.empty:
        return
    try:
        check_members(members, None)
    except InputError as error:
        for one in error.faults:
            told = f"{one.where} : {one.value}"
            yield Problem("error", "territories", one.message, 1, told, one.remedy)
    if sites is None:
        return
    alone = sites.loc[~sites["code_insee"].isin(list(members["code_insee"])), "code_insee"]
    if len(alone):
        yield Problem(
            "note", "territories",
            Msg("communes with sites in no SCoT: no ledger of a SCoT counts what lies there"),
            alone.nunique(), examples(sorted(alone.unique())),
            Msg("right where no SCoT covers them; else complete the list of members"),
        )  # fmt: skip


# --- manifest and report --------------------------------------------------------------------------


def _vintages(tables: Tables) -> Iterator[Problem]:
    years: dict[str, int] = {}
    for layer in tables.pack.manifest.layers:
        found = re.findall(r"(?:19|20)\d\d", layer.vintage)
        if found:
            years.setdefault(layer.role, int(max(found)))
    if years and max(years.values()) - min(years.values()) > YEARS_APART:
        told = ", ".join(
            f"{role} {year}" for role, year in sorted(years.items(), key=lambda i: i[1])
        )
        yield Problem(
            "warning", "pack.toml", Msg("vintages that are more than three years apart"),
            len(set(years.values())), told,
            Msg("take layers of nearer years where they exist; say so where they do not"),
        )  # fmt: skip


def _manifest(tables: Tables) -> Iterator[Problem]:
    layers = tables.pack.manifest.layers
    for message, chosen, remedy in (
        (
            Msg("simulated layers"),
            [layer.title for layer in layers if layer.simulated],
            Msg("replace them by real ones before anything is decided"),
        ),
        (
            Msg("layers that rest on an assumption"),
            [layer.title for layer in layers if layer.assumed],
            Msg("every result that rests on them says so; see their note in pack.toml"),
        ),
        (
            Msg("layers whose licence or attribution is not stated"),
            [layer.title for layer in layers if "à préciser" in (layer.licence, layer.attribution)],
            Msg("write licence and attribution in the build file"),
        ),
    ):
        if chosen:
            yield Problem(
                "warning",
                "pack.toml",
                message,
                len(chosen),
                examples(dict.fromkeys(chosen)),
                remedy,
            )


def _imported(tables: Tables) -> Iterator[Problem]:
    """What the readers found in the files that the pack was built from."""
    report = tables.get("report")
    if report is None or report.empty:
        return
    files: Iterable[tuple[object, pd.DataFrame]]
    files = report.groupby("file") if "file" in report else [("", report)]
    for file, every in files:
        gone = every.loc[every["action"] == "left_out", "site_id"].dropna()
        # what was noted of a row that is not in the pack would only bury the rest
        rows = every[(every["action"] == "left_out") | ~every["site_id"].isin(gone)]
        for (issue, action), lines in rows.groupby(["issue", "action"]):
            shown = lines["site_id"].where(lines["site_id"].notna(), lines["value"]).dropna()
            yield Problem(
                "note",
                str(file).rsplit("/", maxsplit=1)[-1] or "report",
                Msg(
                    "{what}: {done}",
                    what=ISSUES.get(str(issue), Msg("{issue}", issue=issue)),
                    done=_ACTIONS[str(action)],
                ),
                len(lines),
                examples(shown.astype(str).str[:40].unique()) if len(shown) else "",
            )


_ACTIONS = {
    "left_out": Msg("left out"),
    "corrected": Msg("corrected, kept"),
    "kept": Msg("kept as it is"),
}
