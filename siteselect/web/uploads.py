"""Files sent by somebody: kept apart, looked at, opened under limits, made into a pack.

A file is opened in a worker process that may not take more memory, time or disk than the limits
below. Only kinds of file that their first bytes confirm are opened at all: what a library would
take for something else (a description that points at other files) is refused before.
"""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from siteselect.errors import Fault, InputError
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.pack import DataPack, embedded_packs, open_pack
from siteselect.web.jobs import FOLDER, Job
from siteselect.web.paths import Workspace, checked_name

if TYPE_CHECKING:
    from siteselect.sources.plan import Input

UPLOADS = "uploads"
SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".geojson", ".json", ".gpkg")
MOST_UNPACKED_BYTES = 400_000_000
MOST_RATIO = 100
"""A workbook that grows more than this when unpacked is a bomb, not a table."""
MOST_MEMORY_BYTES = 6 * 2**30
MOST_CPU_S = 300
MOST_WRITTEN_BYTES = 2 * 2**30
MOST_TOLD = 50
"""Rows told of a file from which nothing could be kept."""
SQLITE = b"SQLite format 3\0"


def upload_folder(place: Workspace, job_id: str) -> Path:
    """Where the file of a job lies until it was read."""
    return place.runs / FOLDER / UPLOADS / job_id


def safe_file_name(given: str) -> str:
    """A name for the file: its letters and suffix, nothing that could be a path.

    Raises
    ------
    InputError
        the suffix is not of a kind that is read.
    """
    name = given.replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if f"{dot}{suffix}".lower() not in SUFFIXES:
        raise InputError(
            Fault(
                Msg("files of this kind are not read"),
                file=name[-120:] or "?",
                remedy=Msg("send one of {kinds}", kinds=", ".join(SUFFIXES)),
            )
        )
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem)
    return f"{kept[:80] or 'fichier'}.{suffix.lower()}"


def check_new_pack(place: Workspace, name: str) -> None:
    """A pack of this name may be made. Raises InputError."""
    checked_name(name, where="pack")
    if name in embedded_packs() or (place.packs / name).exists():
        raise InputError(
            Fault(
                Msg("there is a data pack of this name already"),
                where="pack",
                value=name,
                remedy=Msg("choose another name"),
            )
        )


def make_pack(job: Job, place: Workspace, tell: Callable[[str, float], None]) -> DataPack:
    """Read the file of a job into a new pack. The file is removed whatever happens.

    Raises
    ------
    InputError
        the file is not what its name says, or cannot be made into a pack; faults name cells.
    """
    from siteselect.sources.assemble import build_from_plan
    from siteselect.sources.recognise import recognise_folder

    folder = upload_folder(place, job.id)
    name = checked_name(job.asked.pack or "", where="pack")
    try:
        check_new_pack(place, name)
        (file,) = (one for one in folder.iterdir() if one.is_file())
        check_content(file)
        plan = recognise_folder(folder).plan
        plan = plan.model_copy(update={"title": file.stem, "name": name})
        base = open_pack(place.pack_folder(str(job.asked.options.get("base", "france"))))
        t = Translator(job.lang)
        try:
            return build_from_plan(
                place.packs / name, plan, folder, base=base, translate=t.gettext, progress=tell
            )
        except InputError as error:
            raise InputError((*error.faults, *_cells(plan.inputs[0], folder, base))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cells(one: Input, folder: Path, base: DataPack) -> list[Fault]:
    """Why rows of an inventory were left out, cell by cell: what a build that fails cannot show."""
    from siteselect.sources.applications import read_applications
    from siteselect.sources.cartofriches import read_cartofriches
    from siteselect.sources.economic_sites import read_economic_sites
    from siteselect.sources.findings import ISSUES

    communes = base.vectors("communes")
    try:
        if one.role == "friches":
            report = read_cartofriches(folder / one.file, communes).report
        elif one.role == "economic_sites":
            report = read_economic_sites(folder / one.file, one, communes, None).report
        elif one.role == "applications":
            report = read_applications(folder / one.file, one, communes, None).report
        else:
            return []
    except InputError:
        return []
    lost = report[report["action"] == "left_out"].head(MOST_TOLD)
    return [
        Fault(ISSUES[str(row.issue)], one.file, f"row {row.row}", str(row.value))
        for row in lost.itertuples()
    ]


def check_content(file: Path) -> None:
    """The first bytes are those of the kind that the name says. Raises InputError."""
    suffix = file.suffix
    with file.open("rb") as stream:
        head = stream.read(4096)
    good = True
    if suffix == ".gpkg":
        good = head.startswith(SQLITE)
    elif suffix == ".xlsx":
        good = head.startswith(b"PK")
        if good:
            _check_workbook(file)
    elif suffix in (".geojson", ".json"):
        good = _is_features(file)
    else:
        good = b"\0" not in head and not head.lstrip().startswith(b"<")
    if not good:
        raise InputError(
            Fault(
                Msg("the content is not what the name of the file says"),
                file=file.name,
                remedy=Msg("export it again from the program that made it"),
            )
        )


def _is_features(file: Path) -> bool:
    try:
        tree = json.loads(file.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and tree.get("type") == "FeatureCollection"


def _check_workbook(file: Path) -> None:
    """Refuse a workbook that would fill the memory. Raises InputError."""
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        unpacked = 0  # the reader will say what is wrong with it
    if unpacked > MOST_UNPACKED_BYTES or unpacked > MOST_RATIO * file.stat().st_size + 10**7:
        raise InputError(
            Fault(
                Msg("the workbook would take {size:.0f} MB unpacked", size=unpacked / 1e6),
                file=file.name,
                remedy=Msg("export its first sheet as CSV"),
            )
        )


def limit_this_process() -> None:
    """In the worker that opens a file: bounds on memory, time and what it writes. Where the system
    has no such limits the first checks remain.
    """
    if sys.platform == "win32":  # pragma: no cover
        return
    import resource

    limits = (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MOST_CPU_S),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    )
    for what, most in limits:
        with suppress(ValueError, OSError):
            hard = resource.getrlimit(what)[1]
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (bound, hard))


def forget_uploads(place: Workspace, waiting: set[str]) -> None:
    """Remove the files whose job no longer waits for them."""
    with suppress(OSError):
        for folder in (place.runs / FOLDER / UPLOADS).iterdir():
            if folder.name not in waiting:
                shutil.rmtree(folder, ignore_errors=True)
