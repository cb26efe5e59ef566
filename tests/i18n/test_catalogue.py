"""The French catalogue says all that the code says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from siteselect.i18n import CATALOGUE
from siteselect.i18n.extract import not_literal, placeholders, source_templates
from siteselect.i18n.update import save, updated


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as stream:
        return read_po(stream, locale="fr")


@pytest.fixture(scope="module")
def french(catalogue: Catalog) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue if m.id}


def test_every_template_is_a_literal() -> None:
    assert not_literal() == ()


def test_every_template_has_a_translation(french: dict[str, str]) -> None:
    missing = [template for template in source_templates() if not french.get(template)]
    assert missing == [], "run python -m siteselect.i18n.update and translate"


def test_placeholders_are_the_same(french: dict[str, str]) -> None:
    wrong = {k: v for k, v in french.items() if v and placeholders(k) != placeholders(v)}
    assert wrong == {}


def test_nothing_is_obsolete(catalogue: Catalog, french: dict[str, str]) -> None:
    assert set(french) - set(source_templates()) == set()
    assert dict(catalogue.obsolete) == {}


def test_no_translation_is_fuzzy(catalogue: Catalog) -> None:
    assert [m.id for m in catalogue if m.id and m.fuzzy] == []


def test_extraction_sees_code_and_pages(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text(
        'Msg("one {n}", n=1)\nm.Msg("tw" "o")\nMsg(name)\nMsg(other.template, n=2)\nmsg("no")\n'
    )
    (package / "page.html.j2").write_text(
        '{{ _("three") }}{% if x %}{{ plural(n, "four", "fours") }}{% endif %}{{ other("no") }}'
    )
    assert source_templates(package) == {
        "four": ("package/page.html.j2",),
        "fours": ("package/page.html.j2",),
        "one {n}": ("package/a.py",),
        "three": ("package/page.html.j2",),
        "two": ("package/a.py",),
    }
    assert not_literal(package) == ("package/a.py:3",)


def test_update_adds_keeps_and_drops(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text('Msg("kept {n}")\nMsg("new")\n')
    path = tmp_path / "fr.po"
    old = Catalog(locale="fr")
    old.add("kept {n}", "gardé {n}")
    old.add("gone", "parti")
    save(old, path)

    fresh, missing = updated(path, package=package)
    save(fresh, path)

    with path.open("rb") as stream:
        texts = {m.id: m.string for m in read_po(stream, locale="fr") if m.id}
    assert texts == {"kept {n}": "gardé {n}", "new": ""}
    assert missing == ("new",)
    first = path.read_bytes()
    save(updated(path, package=package)[0], path)
    assert path.read_bytes() == first  # nothing in it depends on the hour
