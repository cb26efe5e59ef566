"""Files of a planner → data packs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg
from siteselect.web.api.jobs import JobAnswer, job_answer, queued
from siteselect.web.asked import Jobs, Place, Reader
from siteselect.web.jobs import Asked, new_job
from siteselect.web.paths import NAME
from siteselect.web.settings import MOST_UPLOAD_MB
from siteselect.web.uploads import check_new_pack, forget_uploads, safe_file_name, upload_folder

router = APIRouter(tags=["uploads"])
BLOCK = 1 << 20
Pack = Annotated[str, Query(pattern=f"^{NAME}$", description="name of the pack to make")]


@router.post("/uploads", status_code=202)
def upload(
    file: UploadFile,
    place: Place,
    reader: Reader,
    jobs: Jobs,
    pack: Pack,
    base: Annotated[str, Query(pattern=f"^{NAME}$", description="pack that gives the rest")] = (
        "france"
    ),
) -> JobAnswer:
    """An inventory (CSV, XLSX, GeoJSON, GeoPackage) → a pack of this name: a job.

    The file is opened in a process with limits; what is wrong in it is told cell by cell.
    """
    name = safe_file_name(file.filename or "")
    check_new_pack(place, pack)
    place.pack_folder(base)
    job = new_job(Asked("upload", pack=pack, options={"base": base}), name, reader.lang)
    waiting = {one.id for one in jobs.newest_first() if one.is_open}
    forget_uploads(place, waiting)
    folder = upload_folder(place, job.id)
    try:
        _keep(file, folder / name)
        return job_answer(queued(jobs, job), reader)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            Fault(
                Msg("the file cannot be kept: {error}", error=error.strerror or "OSError"),
                file=name,
                remedy=Msg("make room on the disk"),
            )
        ) from error
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _keep(file: UploadFile, path: Path) -> None:
    """Write what was sent. Raises InputError where it is too large."""
    path.parent.mkdir(parents=True)
    written = 0
    with path.open("xb") as target:
        while block := file.file.read(BLOCK):
            written += len(block)
            if written > MOST_UPLOAD_MB * 1_000_000:
                raise InputError(
                    Fault(
                        Msg("more than {most} MB were sent", most=MOST_UPLOAD_MB),
                        file=path.name,
                        remedy=Msg("send the sites of fewer territories"),
                    )
                )
            target.write(block)
