"""Errors as the planner reads them: one shape, in the language of the page, without paths."""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from siteselect.errors import (
    Fault,
    InfeasibleError,
    InputError,
    LimitError,
    SiteSelectError,
    VerificationError,
)
from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.rundir import said, said_again
from siteselect.web.answers import Answer
from siteselect.web.pages import lang_of
from siteselect.web.paths import ConflictError, NotFoundError


class FaultAnswer(BaseModel):
    """One thing wrong: what, where (file by its name, row, key), which value, how to mend it."""

    message: str
    file: str | None = None
    row: int | None = None
    key: str | None = None
    value: Any = None
    remedy: str | None = None


class FaultsAnswer(BaseModel):
    """Why a request was refused: every fault at once."""

    faults: list[FaultAnswer]


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": FaultsAnswer, "description": "the body cannot be read"},
    401: {"model": FaultsAnswer, "description": "the token is missing or wrong"},
    403: {"model": FaultsAnswer, "description": "the request comes from a page of another site"},
    404: {"model": FaultsAnswer, "description": "there is nothing of this name"},
    409: {"model": FaultsAnswer, "description": "changed meanwhile, or impossible"},
    413: {"model": FaultsAnswer, "description": "too large"},
    421: {"model": FaultsAnswer, "description": "another Host than the application's"},
    422: {"model": FaultsAnswer, "description": "wrong, with every fault"},
}
"""What any address may answer beside its own, for the documentation."""
LOGGER = logging.getLogger("siteselect.web")
STATUS = ((NotFoundError, 404), (ConflictError, 409), (InfeasibleError, 409))
_PATH = re.compile(r"(?<![\w./:\\])(?:[A-Za-z]:[\\/]|/)(?:[^\s'\"<>|:;,()\\/]+[\\/])+")
"""An absolute path up to its last part."""


def without_paths(text: str) -> str:
    """The text where every path of this machine is cut down to the name at its end."""
    for root in (sys.prefix, tempfile.gettempdir(), str(Path.home())):
        if len(root) > 1:
            text = text.replace(root + "/", "/_/")
    return _PATH.sub("", text)


def fault_json(fault: Fault, translator: Translator) -> dict[str, Any]:
    """One fault: message, file (its name alone), key, value, remedy."""
    message = without_paths(translator.text(fault.message))
    remedy = None if fault.remedy is None else without_paths(translator.text(fault.remedy))
    file = None if fault.file is None else Path(str(fault.file)).name
    return {
        "message": message,
        "file": file,
        "row": _row(fault.where),
        "key": fault.where,
        "value": _value(fault.value),
        "remedy": remedy,
    }


def faults_json(error: SiteSelectError, translator: Translator) -> list[dict[str, Any]]:
    """All that an error says."""
    return [fault_json(fault, translator) for fault in faults_of(error)]


def faults_of(error: SiteSelectError) -> tuple[Fault, ...]:
    """All that an error says, as faults."""
    if isinstance(error, InputError):
        return error.faults
    if isinstance(error, InfeasibleError):
        return tuple(Fault(reason) for reason in error.reasons)
    if isinstance(error, VerificationError):
        return tuple(Fault(problem) for problem in error.problems)
    if isinstance(error, LimitError):
        return (Fault(error.message),)
    return (Fault(Msg("{text}", text=str(error))),)


def fault_told(fault: Fault) -> dict[str, Any]:
    """A fault as JSON that can be said in any language later."""
    return {
        "message": said(fault.message),
        "file": None if fault.file is None else Path(str(fault.file)).name,
        "where": fault.where,
        "value": _value(fault.value),
        "remedy": None if fault.remedy is None else said(fault.remedy),
    }


def fault_again(told: Mapping[str, Any]) -> Fault:
    """The fault that :func:`fault_told` wrote."""
    remedy = told["remedy"]
    return Fault(
        said_again(told["message"]),
        told["file"],
        told["where"],
        told["value"],
        None if remedy is None else said_again(remedy),
    )


def _row(where: str | None) -> int | None:
    """The row number of a place such as ``row 12``."""
    found = re.fullmatch(r"\D*(\d+)\D*", where or "")
    return int(found[1]) if found and "." not in (where or "") else None


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return without_paths(str(value))[:500]


def answer(status: int, faults: Iterable[Fault], request: Request) -> Answer:
    """An error answer."""
    translator = Translator(lang_of(request))
    listed = [fault_json(fault, translator) for fault in faults]
    return Answer({"faults": listed}, status_code=status)


def install(app: FastAPI) -> None:
    """Teach the application to say every error in one way."""

    @app.exception_handler(SiteSelectError)
    async def refused(request: Request, error: SiteSelectError) -> Answer:
        status = next((code for kind, code in STATUS if isinstance(error, kind)), 422)
        listed = faults_json(error, Translator(lang_of(request)))
        return Answer({"faults": listed}, status_code=status)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Answer:
        faults = [
            Fault(
                Msg("the value is not valid: {problem}", problem=item["msg"]),
                where=".".join(str(part) for part in item["loc"]),
                remedy=Msg("correct this value"),
            )
            for item in error.errors()
        ]
        return answer(422, faults, request)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Answer:
        known = {
            400: Msg("what was sent cannot be read: it is no JSON, or no form"),
            404: Msg("there is nothing at this address"),
            405: Msg("this cannot be done at this address"),
            413: Msg("what was sent is too large"),
        }
        message = known.get(error.status_code, Msg("{text}", text=error.detail))
        refusal = answer(error.status_code, [Fault(message)], request)
        refusal.headers.update(error.headers or {})
        return refusal

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Answer:
        LOGGER.error("unexpected error", exc_info=error)
        message = Msg("unexpected error: the application's own window says more")
        return answer(500, [Fault(message)], request)
