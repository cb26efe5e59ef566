"""The plot of growth shows the tables of the page, and no older ones."""

from __future__ import annotations

from xml.etree import ElementTree

import plot_accessibility as plot
import pytest

PAGE = """
## Growth with nodes (x)

| nodes | scipy ms | hierarchy ms | order s | scipy MB | hierarchy MB |
|---|---|---|---|---|---|
| 1,000 | 1.5 | **0.5** | 9 | 100 | |
| 2,000 | 3 | 0.75 | 9 | 200 | 300 |

## Growth with sites (x)

| sites | hierarchy CPU s | hierarchy MB |
|---|---|---|
| 10 | 1 | 50 |
| 20 | 1.5 | 60 |
"""


def test_tables_are_read() -> None:
    nodes = plot.read_table(PAGE, "Growth with nodes")
    assert nodes["nodes"] == [1000, 2000]
    assert nodes["hierarchy ms"] == [0.5, 0.75]
    assert nodes["hierarchy MB"] == [None, 300]


def test_the_same_page_gives_the_same_plot() -> None:
    drawn = plot.draw(PAGE)
    assert drawn == plot.draw(PAGE)
    root = ElementTree.fromstring(drawn)
    said = {text for node in root.iter() if (text := (node.text or "").strip())}
    assert {"scipy", "hierarchy", "nodes", "sites", "peak MB"} <= said
    assert "order" not in said


def test_the_plot_that_is_kept_is_of_the_page() -> None:
    page = plot.PAGE.read_text(encoding="utf-8")
    if plot.stamp(page) not in plot.PLOT.read_text(encoding="utf-8"):
        pytest.fail("the tables changed: run tests/benchmarks/plot_accessibility.py")
