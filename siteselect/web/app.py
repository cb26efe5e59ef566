"""create_app(settings) → the application: pages, files and HTTP API behind one guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from siteselect import report
from siteselect.web import faults, pages
from siteselect.web.answers import Answer
from siteselect.web.api import routers
from siteselect.web.desk import Desk
from siteselect.web.paths import Workspace
from siteselect.web.queue import Queue
from siteselect.web.security import Guard
from siteselect.web.settings import Settings

HERE = Path(__file__).parent
VENDOR = Path(report.__file__).parent / "vendor"
DESCRIPTION = """\
Scenarios in, shortlists out: the same words and units as the files of siteselect."""


def _never() -> bool:
    return False


def create_app(settings: Settings, *, stopping: Callable[[], bool] = _never) -> ASGIApp:
    """The application, guarded. Makes the folders of the workspace.

    ``stopping`` tells open streams of events when to end.

    Raises
    ------
    InputError
        a folder of the workspace cannot be made.
    """
    workspace = Workspace(settings)
    workspace.make()
    queue, desk = Queue(settings), Desk()
    app = FastAPI(
        lifespan=_lifespan(queue, desk),
        title="siteselect",
        version=version("siteselect"),
        description=DESCRIPTION,
        default_response_class=Answer,
        responses=faults.REFUSALS,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.workspace = workspace
    app.state.queue = queue
    app.state.desk = desk
    app.state.stopping = stopping
    faults.install(app)
    for router in routers():
        app.include_router(router, prefix="/api")
    app.include_router(pages.router)
    app.mount("/static/vendor", StaticFiles(directory=VENDOR), name="vendor")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return Guard(app, settings)


def _lifespan(queue: Queue, desk: Desk) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        queue.open()
        try:
            yield
        finally:
            desk.close()
            queue.close()

    return living
