"""The terminal: readable at 80 columns, and no name can be read as markup."""

import dataclasses
import io

import pytest
from rich.console import Console

from siteselect.i18n import Translator
from siteselect.report import screen


@pytest.fixture
def shown(monkeypatch):
    def show(width, call, *arguments):
        stream = io.StringIO()
        console = Console(file=stream, width=width, highlight=False, markup=False)
        monkeypatch.setattr(screen, "Console", lambda **_options: console)
        call(*arguments)
        return stream.getvalue()

    return show


def test_one_line_a_site_at_80_columns(run, shown, tmp_path):
    text = shown(80, screen.print_run, run, tmp_path, Translator("fr"))
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("rang"))
    ranks = [line.split()[0] for line in lines[first + 1 : first + 1 + screen.FIRST]]
    assert ranks == [str(n) for n in range(1, screen.FIRST + 1)]
    assert all(len(line) <= 80 for line in lines[first : first + screen.FIRST])


def test_names_are_shown_as_they_are(run, shown, tmp_path):
    hostile = "[bold]Friche[/red] [link=x]"
    shortlist = run.shortlist.copy()
    shortlist.loc[shortlist.index[0], "name"] = hostile
    named = dataclasses.replace(run, shortlist=shortlist)
    text = shown(200, screen.print_run, named, tmp_path, Translator("en"))
    assert hostile in text


def test_notices_and_place_are_said(run, shown, tmp_path):
    text = shown(120, screen.print_run, run, tmp_path, Translator("fr"))
    for notice in run.notices:
        assert Translator("fr").text(notice) in text
    assert str(tmp_path) in text.replace("\n", "")
