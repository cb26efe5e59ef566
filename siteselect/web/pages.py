"""The six pages: plain HTML in the language of the reader; scripts fill them through the API."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from siteselect.i18n import LANGS, Lang, Translator
from siteselect.messages import Msg
from siteselect.web.words import SCREENS, words_of

HERE = Path(__file__).parent
YEAR_S = 365 * 24 * 3600
router = APIRouter(include_in_schema=False)


@router.get("/")
def home() -> RedirectResponse:
    """The first screen."""
    return RedirectResponse("/donnees")


def _page(screen: str) -> Any:
    def show(request: Request) -> HTMLResponse:
        lang = lang_of(request)
        answer = HTMLResponse(render(screen, lang, request))
        if request.query_params.get("lang") in LANGS:
            answer.set_cookie("lang", lang, max_age=YEAR_S, samesite="strict", httponly=True)
        return answer

    return show


for _screen in SCREENS:
    router.add_api_route(f"/{_screen}", _page(_screen), methods=["GET"], name=_screen)


def lang_of(request: Request) -> Lang:
    """The language asked for: in the address, else kept by the browser, else the server's."""
    for asked in (request.query_params.get("lang"), request.cookies.get("lang")):
        if asked in LANGS:
            return "en" if asked == "en" else "fr"
    default: Lang = request.app.state.settings.lang
    return default


def render(screen: str, lang: Lang, request: Request) -> str:
    """One page as HTML; every value is escaped."""
    environment, t = _environment(lang)
    return environment.get_template(f"{screen}.html.j2").render(
        lang=lang,
        screen=screen,
        screens=[(key, t.text(name)) for key, name in SCREENS.items()],
        words=safe_json(words_of(screen, t)),
        other_lang="en" if lang == "fr" else "fr",
        query=_query(request),
    )


def _query(request: Request) -> list[tuple[str, str]]:
    """The address without its language, for the language switch."""
    return [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]


def safe_json(tree: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(tree, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


@cache
def _environment(lang: Lang) -> tuple[Environment, Translator]:
    """Templates compiled once for each language."""
    t = Translator(lang)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    message = Msg  # the literals stand in the templates

    def text(template: str, /, **values: object) -> str:
        return t.text(message(template, **values))

    environment.globals.update(_=text, t=t)
    return environment, t
