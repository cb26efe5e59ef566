"""The growth tables of ``accessibility.md`` as a plot: no figure that the page does not state.

    python tests/benchmarks/plot_accessibility.py

Writes ``accessibility.svg`` beside the page. A test fails when it is older than its tables.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

PAGE = Path(__file__).with_name("accessibility.md")
PLOT = PAGE.with_suffix(".svg")
Table = dict[str, list[float | None]]
COLOURS = {"networkx": "#7f7f7f", "scipy": "#b8860b", "Dijkstra": "#1f77b4", "hierarchy": "#b2182b"}


def read_table(text: str, heading: str) -> Table:
    """Columns of the first table under a heading, cells as numbers, None where empty."""
    section = text.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: [_number(row[column]) for row in rows[2:]] for column, name in enumerate(rows[0])}


def stamp(text: str) -> str:
    """What the plot says of the tables it was drawn from."""
    tables = [read_table(text, heading) for heading in ("Growth with nodes", "Growth with sites")]
    return hashlib.sha256(repr(tables).encode()).hexdigest()


def _number(cell: str) -> float | None:
    return float(cell.replace(",", "").strip("*")) if cell else None


def draw(text: str) -> bytes:
    """The plot of a page, as SVG; the same bytes for the same page."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    nodes, sites = read_table(text, "Growth with nodes"), read_table(text, "Growth with sites")
    with mpl.rc_context({"svg.hashsalt": "siteselect", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9.5, 7), layout="constrained")
        axes = figure.subplots(2, 2)
        _lines(axes[0, 0], nodes, "nodes", " ms", "CPU ms a site")
        _lines(axes[0, 1], nodes, "nodes", " MB", "peak MB")
        _lines(axes[1, 0], sites, "sites", " CPU s", "CPU s, matrix of all sites")
        _lines(axes[1, 1], sites, "sites", " MB", "peak MB")
        axes[1, 1].set(yscale="linear", ylim=(0, None))
        axes[0, 0].set_title("Growth with nodes (20,000 sites)", loc="left")
        axes[1, 0].set_title("Growth with sites (992,317 nodes)", loc="left")
        target = io.BytesIO()
        metadata = {"Date": None, "Description": stamp(text)}
        figure.savefig(target, format="svg", metadata=metadata)
    return target.getvalue()


def _lines(axis: object, table: Table, along: str, unit: str, label: str) -> None:
    x = table[along]
    for name, values in table.items():
        engine = name.removesuffix(unit)
        if name.endswith(unit) and engine in COLOURS:
            known = [(a, b) for a, b in zip(x, values, strict=True) if a and b is not None]
            axis.plot(  # type: ignore[attr-defined]
                *zip(*known, strict=True), marker="o", color=COLOURS[engine], label=engine
            )
    axis.set(xscale="log", yscale="log", xlabel=along, ylabel=label)  # type: ignore[attr-defined]
    axis.grid(visible=True, which="both", color="#dddddd", linewidth=0.5)  # type: ignore[attr-defined]
    axis.legend()  # type: ignore[attr-defined]


if __name__ == "__main__":
    PLOT.write_bytes(draw(PAGE.read_text(encoding="utf-8")))
    print(PLOT)
