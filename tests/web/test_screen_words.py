"""What the screens say: every word a script asks for exists, every parameter has a name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from siteselect import report, web
from siteselect.scenario_keys import scenario_keys
from siteselect.web import words, words_keys

STATIC = Path(web.__file__).parent / "static"
SCREENS = {
    "donnees": ("donnees.js",),
    "scenario": ("scenario.js", "scenario/*.js"),
    "calcul": ("calcul.js",),
    "lots": ("lots.js",),
    "resultat": ("resultat.js", "result/*.js"),
    "comparaison": ("comparaison.js",),
}
ASKED = re.compile(r"""\b(w|plural)\(\s*(?:\w+,\s*)?"([\w.]+)\"""")
PLURAL = re.compile(r"""\bplural\([^,"]+,\s*"(\w+)\"""")


@pytest.mark.parametrize("screen", SCREENS)
def test_every_word_that_a_script_asks_for_is_there(screen: str) -> None:
    known = {**words.words_shell.WORDS, **words.WORDS[screen]}
    files = [path for part in ("lib/*.js", *SCREENS[screen]) for path in STATIC.glob(part)]
    assert len(files) > 5
    missing = set()
    for path in files:
        text = re.sub(r"^\s*//.*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for number in PLURAL.findall(text):
            missing |= {f"{number}_{form}" for form in ("one", "other")} - known.keys()
        for call, key in ASKED.findall(text):
            if call == "w" and key not in known:
                missing.add(f"{path.name}: {key}")
    assert not missing


def test_every_parameter_has_a_name_and_a_meaning_that_is_translated() -> None:
    said = {message.template for message in words_keys.MEANINGS}
    nameless, unsaid = [], []
    for key in scenario_keys():
        path = re.sub(r"^criteria\.\w+\.\*", "criteria.access.*", key.path)
        if path not in words_keys.LABELS:
            nameless.append(key.path)
        if key.meaning not in said:
            unsaid.append(key.meaning)
    assert not nameless, "add their names to siteselect/web/words_keys.py"
    assert not unsaid, "write these meanings in siteselect/web/words_keys.py"
    paths = {re.sub(r"^criteria\.\w+\.\*", "criteria.access.*", k.path) for k in scenario_keys()}
    assert words_keys.LABELS.keys() <= paths, "names of parameters that are no more"


def test_the_application_and_the_page_of_a_run_have_the_same_colours() -> None:
    def colours(path: Path) -> list[dict[str, str]]:
        blocks = re.findall(r":root\s*\{(.*?)\}", path.read_text(encoding="utf-8"), re.DOTALL)
        return [dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block)) for block in blocks]

    ours = colours(STATIC / "style.css")
    theirs = colours(Path(report.__file__).parent / "style.css")
    assert len(ours) == 2
    for mine, page in zip(ours, theirs[:2], strict=True):  # light, dark; the third is for paper
        assert mine | page == mine
