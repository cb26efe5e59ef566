"""What stands between the network and the application.

A page of another site must not use the browser of a planner to reach the application: the Host
header must name this machine (DNS rebinding), a request that changes something must come from a
page of the application itself (CSRF), and the pages load and run nothing but their own files
(content security policy). Where others can reach the address, every request needs the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.web.settings import LOOPBACK, MOST_BODY_MB, MOST_UPLOAD_MB, Settings

MEGABYTE = 1_000_000
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
UPLOADS = "/api/uploads"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "font-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class TooLargeError(HTTPException):
    """More was sent than is accepted (413)."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """Checks every request before the application sees it, and labels every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._names = _names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        labelled = _labelling(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, labelled)
            return
        await self._app(scope, _limited(receive, _most_bytes(scope)), labelled)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return self._refused(421, Msg("this address is not the application's"))
        if _is_foreign(scope, headers, host):
            return self._refused(403, Msg("this request comes from another site"))
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _most_bytes(scope):
            return self._refused(413, _too_large(scope))
        return self._without_token(scope, headers)

    def _is_ours(self, host: str) -> bool:
        name, address = _host_name(host)
        if address is not None:  # an address in figures cannot be rebound
            return address.is_loopback or not self._settings.is_local
        return name in self._names

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._settings.token
        if token is None or _same(_bearer(headers), token):
            return None
        cookie = f"siteselect-{self._settings.port}"
        if _same(_cookie(headers, cookie), token):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] == "GET" and _same(dict(query).get("token", ""), token):
            rest = urlencode([(key, value) for key, value in query if key != "token"])
            # the path alone: never an address that begins with //
            target = "/" + scope["path"].lstrip("/\\") + (f"?{rest}" if rest else "")
            answer = RedirectResponse(target, status_code=303)
            answer.set_cookie(cookie, token, httponly=True, samesite="strict")
            return answer
        return self._refused(401, Msg("the token is missing or wrong"))

    def _refused(self, status: int, message: Msg) -> Response:
        text = Translator(self._settings.lang).text(message)
        return JSONResponse({"faults": [{"message": text}]}, status_code=status)


def _names(settings: Settings) -> frozenset[str]:
    if settings.is_local:
        return frozenset(("localhost", *settings.names))
    host = socket.gethostname().lower()
    return frozenset(("localhost", host, settings.host.lower(), *settings.names))


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _host_name(host: str) -> tuple[str, Address | None]:
    """Name of a Host header without its port; the address where it is one."""
    name, _, port = (
        host.rpartition(":") if ":" in host and not host.endswith("]") else (host, "", "")
    )
    if port and not port.isdecimal():
        return "", None
    name = name.lower()
    try:
        return name, ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return name, None


def _is_foreign(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a page of another site is behind this request."""
    safe = scope["method"] in SAFE_METHODS
    origin = headers.get("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return True
    site = headers.get("sec-fetch-site", "none")
    if site in ("none", "same-origin"):
        return False
    navigates = headers.get("sec-fetch-mode") == "navigate"
    return not (safe and navigates and not scope["path"].startswith("/api"))


def _bearer(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers, name: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _most_bytes(scope: Scope) -> int:
    most = MOST_UPLOAD_MB + 1 if scope["path"].startswith(UPLOADS) else MOST_BODY_MB
    return most * MEGABYTE


def _too_large(scope: Scope) -> Msg:
    most = MOST_UPLOAD_MB if scope["path"].startswith(UPLOADS) else MOST_BODY_MB
    return Msg("more than {most} MB were sent", most=most)


def _limited(receive: Receive, most: int) -> Receive:
    """The body of a request, cut off where it grows too large whatever its header said."""
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise TooLargeError
        return message

    return receiving


def _labelling(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending


__all__ = ["HEADERS", "LOOPBACK", "POLICY", "Guard"]
