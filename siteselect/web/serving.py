"""Listening: one process, one port, until it is told to stop."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from siteselect.errors import Fault, InputError
from siteselect.filelock import hold
from siteselect.messages import Msg
from siteselect.web.app import create_app
from siteselect.web.jobs import FOLDER
from siteselect.web.settings import LOOPBACK, Settings

LOCK = "application.lock"
WAIT_S = 2
"""Seconds left to open connections when the application stops."""


def serve(settings: Settings, *, ready: Callable[[Settings, str], None]) -> None:
    """Serve until interrupted; ``ready`` is told of the settings in force and the address.

    Raises
    ------
    InputError
        the address cannot be listened on, a folder cannot be made, or another application works
        on the same runs (two queues would run every job twice).
    """
    with hold(settings.runs / FOLDER / LOCK, wait=False) as alone:
        if not alone:
            raise InputError(
                Fault(
                    Msg("another application works on this folder of runs"),
                    file=settings.runs,
                    remedy=Msg("use its window, or choose another --workspace"),
                )
            )
        with _listener(settings) as listener:
            _serve(settings, listener, ready)


def _serve(
    settings: Settings, listener: socket.socket, ready: Callable[[Settings, str], None]
) -> None:
    served = with_token(replace(settings, port=int(listener.getsockname()[1])))
    stop: list[uvicorn.Server] = []
    config = uvicorn.Config(
        create_app(served, stopping=lambda: bool(stop) and stop[0].should_exit),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=WAIT_S,
    )
    server = uvicorn.Server(config)
    stop.append(server)
    listener.listen(128)
    ready(served, address_of(served))
    server.run(sockets=[listener])


def with_token(settings: Settings) -> Settings:
    """The settings with a token where others can reach the address and none was given."""
    if settings.token is not None or settings.is_local:
        return settings
    return replace(settings, token=secrets.token_urlsafe(24))


def address_of(settings: Settings) -> str:
    """What to open in a browser, the token in it where one is needed."""
    host = "127.0.0.1" if settings.host in (*LOOPBACK, "0.0.0.0") else settings.host
    host = "[::1]" if settings.host in ("::1", "::") else host
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    token = f"?token={settings.token}" if settings.token else ""
    return f"http://{host}:{settings.port}/donnees{token}"


def _listener(settings: Settings) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("this address cannot be listened on: {error}", error=error.strerror or error),
                where="--host, --port",
                value=f"{settings.host}:{settings.port}",
                remedy=Msg("choose another port, or 0 for any free one"),
            )
        ) from error
    return listener
