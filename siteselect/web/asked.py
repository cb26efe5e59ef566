"""What the endpoints need of a request: the workspace and the reader's language."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi import Path as InPath

from siteselect.i18n import Translator
from siteselect.web.desk import Desk
from siteselect.web.pages import lang_of
from siteselect.web.paths import NAME, Workspace
from siteselect.web.queue import Queue


def _workspace(request: Request) -> Workspace:
    found: Workspace = request.app.state.workspace
    return found


def _translator(request: Request) -> Translator:
    return Translator(lang_of(request))


def _queue(request: Request) -> Queue:
    found: Queue = request.app.state.queue
    return found


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


Place = Annotated[Workspace, Depends(_workspace)]
Reader = Annotated[Translator, Depends(_translator)]
Jobs = Annotated[Queue, Depends(_queue)]
AtDesk = Annotated[Desk, Depends(_desk)]
Name = Annotated[str, InPath(pattern=f"^{NAME}$", description="a name of the list")]
