"""The page: self-contained, safe with hostile names, complete without a script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from conftest import HOSTILE, RESERVE, SELECTED  # type: ignore[import-not-found]

from siteselect.i18n import Translator
from siteselect.report.html import HERE, write_page
from siteselect.runs import Run

VOID = {"meta", "br", "input", "link", "img", "hr"}
FETCHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping"}
VENDOR = HERE / "vendor"


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
        if tag in ("script", "style"):
            self.raw.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in ("script", "style"):
            self.raw[self.stack[-1]][-1] += data
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
    for style in seen.raw["style"]:
        assert "@import" not in style
        assert set(re.findall(r"url\(['\"]?([a-z]+:)", style)) <= {"data:"}
    # names in the code of the map library and in data: URIs are never asked for (see the policy)
    ours = re.sub(r"(?s)<script>.*?</script>|<style>.*?</style>", "", text)
    assert "http://" not in ours and "https://" not in ours


def test_policy_allows_only_our_style_and_script(seen: Seen) -> None:
    (policy,) = [
        attrs["content"] or ""
        for tag, attrs in seen.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["worker-src"] == "blob:"
    assert rules["img-src"] == "data: blob:"
    assert "connect-src" not in rules  # none: by default
    for tag, count in (("style", 2), ("script", 4)):
        kinds = [attrs.get("type") for name, attrs in seen.tags if name == tag]
        assert len(kinds) == count
        run = [text for kind, text in zip(kinds, seen.raw[tag], strict=True) if kind is None]
        digests = [hashlib.sha256(text.encode()).digest() for text in run]
        allowed = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        assert rules[f"{tag}-src"].split() == allowed
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


def test_the_map_holds_the_places_of_the_shortlist(seen: Seen, run: Run) -> None:
    kinds = [attrs.get("id") for name, attrs in seen.tags if name == "script"]
    data = json.loads(seen.raw["script"][kinds.index("map-data")])
    lonlat = gpd.GeoSeries(run.shortlist.geometry.centroid).to_crs("EPSG:4326")
    assert [site["rank"] for site in data["sites"]] == [str(r) for r in run.shortlist["rank"]]
    for site, point in zip(data["sites"], lonlat, strict=True):
        assert site["at"][0] / data["fine"] == pytest.approx(point.x, abs=1e-6)
        assert site["at"][1] / data["fine"] == pytest.approx(point.y, abs=1e-6)
        (ring,) = site["rings"][0]
        x = np.cumsum(ring[::2]) / data["fine"]
        assert x.min() < point.x < x.max()
    assert [site["name"] for site in data["sites"]][:7] == list(HOSTILE)
    assert len(data["candidates"]["kind"]) == (run.sites["status"] == "not_selected").sum()
    assert len(data["candidates"]["at"]) == 2 * len(data["candidates"]["kind"])


def test_the_map_data_cannot_end_its_element(seen: Seen) -> None:
    kinds = [attrs.get("id") for name, attrs in seen.tags if name == "script"]
    text = seen.raw["script"][kinds.index("map-data")]
    assert not {"<", ">", "&"} & set(text)


def test_the_library_is_the_one_that_was_vendored() -> None:
    folder = VENDOR
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()[2:]:
        digest, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
