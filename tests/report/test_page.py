"""The page: self-contained, safe with hostile names, complete without a script."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import HOSTILE, RESERVE, SELECTED  # type: ignore[import-not-found]

from siteselect.i18n import Translator
from siteselect.report.html import write_page
from siteselect.runs import Run

VOID = {"meta", "br", "input", "link", "img", "hr"}
FETCHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping"}


@dataclass
class Seen(HTMLParser):
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    raw: dict[str, list[str]] = field(default_factory=dict)
    stack: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in ("script", "style"):
            self.raw.setdefault(self.stack[-1], []).append(data)
        else:
            self.texts.append(data)


@pytest.fixture(scope="module")
def text(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(run, path, Translator("fr"))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seen(text: str) -> Seen:
    parser = Seen()
    parser.feed(text)
    parser.close()
    return parser


def test_well_formed(seen: Seen) -> None:
    assert seen.unbalanced == []
    assert seen.stack == []


def test_ids_are_unique_and_links_lead_somewhere(seen: Seen) -> None:
    ids = [attrs["id"] for _, attrs in seen.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for tag, attrs in seen.tags if tag == "a"}
    assert all(link and link.startswith("#") and link[1:] in ids for link in links)
    labelled = {attrs["aria-labelledby"] for _, attrs in seen.tags if "aria-labelledby" in attrs}
    assert labelled <= set(ids)


def test_nothing_is_fetched(seen: Seen, text: str) -> None:
    assert not [(tag, a) for tag, a in seen.tags if FETCHING & set(a)]
    assert not {"link", "img", "iframe", "object", "embed", "base", "image"} & {
        tag for tag, _ in seen.tags
    }
    style = "".join(seen.raw["style"])
    assert "url(" not in style and "@import" not in style
    assert "http://" not in text and "https://" not in text


def test_policy_allows_only_our_style_and_script(seen: Seen) -> None:
    (policy,) = [
        attrs["content"] or ""
        for tag, attrs in seen.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag in ("style", "script"):
        assert sum(name == tag for name, _ in seen.tags) == 1
        digest = hashlib.sha256("".join(seen.raw[tag]).encode()).digest()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
    # neither style attributes nor handlers: the policy would refuse them
    assert not [a for _, a in seen.tags if "style" in a or any(k.startswith("on") for k in a)]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(seen: Seen, name: str) -> None:
    said = re.sub(r"\s+", " ", name).strip()
    texts = [re.sub(r"\s+", " ", part).strip() for part in seen.texts]
    assert any(said in part for part in texts)


def test_hostile_titles_and_reasons(seen: Seen) -> None:
    joined = "".join(seen.texts)
    assert "Référence </title><script>alert(3)</script>" in joined
    assert "=Raison <b>hostile</b>" in joined
    assert "=Vœu <i>du</i> préfet" in joined
    assert "49 & Cie" not in joined


def test_complete_without_script(seen: Seen) -> None:
    sites = [a for tag, a in seen.tags if tag == "tr" and "data-site" in a]
    assert len(sites) == SELECTED + RESERVE
    sheets = [a for tag, a in seen.tags if tag == "details"]
    assert len(sheets) == SELECTED + RESERVE
    filters = [a for tag, a in seen.tags if tag == "form"]
    assert all("hidden" in a for a in filters)  # the script shows them


def test_map_marks_every_site(seen: Seen) -> None:
    marks = [a for tag, a in seen.tags if tag == "a" and "data-site" in a]
    assert sorted(int(a["data-site"] or -1) for a in marks) == list(range(SELECTED + RESERVE))
    assert all(a["aria-label"] for a in marks)


def test_says_what_must_be_known(seen: Seen) -> None:
    joined = re.sub(r"\s+", " ", "".join(seen.texts))
    for wanted in (
        "Optimum prouvé",
        "Aide à la décision : ne vaut pas bilan réglementaire ZAN.",
        "Contient des données simulées.",
        "injoignable",
        "inconnu",
        "Les règles ZAN coûtent 0,247 point d'objectif (2,44 %",
        "Décret n° 2023-1096",
    ):
        assert wanted in joined.replace("\u00a0", " ")
    assert "nan" not in joined.replace("national", "").replace("finance", "").split()


def test_small_enough(text: str) -> None:
    assert len(text.encode()) < 3_000_000


def test_an_unproven_run_says_so(run: Run, tmp_path: Path) -> None:
    result = replace(run.result, status="limit", bound=10_000_000, gap=0.0125)
    write_page(replace(run, result=result), tmp_path / "r.html", Translator("fr"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Arrêt à la limite, non prouvé" in page
    assert "1,2500\u00a0%" in page
    assert "✓ Optimum prouvé" not in page
