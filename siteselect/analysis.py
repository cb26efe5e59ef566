"""Where analyses of a run are kept: RUN/analysis/NAME, beside the files of the manifest.

The manifest lists the files of a run, not its folders: what is added here leaves ``verify``
green, and a new run in the same place starts without the analyses of the old one. Each analysis
is written beside and renamed: complete or absent.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import geopandas as gpd
import pandas as pd

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "analysis"
FACTS = "analysis.json"


def write_analysis(
    run_folder: Path,
    name: str,
    *,
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure] | None = None,
    show: Callable[[Msg], str] = str,
) -> Path:
    """Write ``RUN/analysis/NAME``: facts as JSON, tables as Parquet and CSV, figures twice.

    CSV is for people (``;``, decimal comma, BOM), Parquet for programs; figures are SVG and PNG.
    ``show`` gives the text of messages in the tables.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    place = run_folder / FOLDER / name
    temporary = place.parent / f".{name}.{uuid4().hex[:8]}.tmp"
    try:
        temporary.mkdir(parents=True)
        text = json.dumps(_plain(facts), ensure_ascii=False, indent=2, allow_nan=False)
        (temporary / FACTS).write_text(text + "\n", encoding="utf-8")
        for label, table in tables.items():
            _write_table(table, temporary / label, show)
        for label, figure in (figures or {}).items():
            save_figure(figure, temporary / label)
        _swap(temporary, place)
    except OSError as error:
        raise InputError(
            Fault(
                Msg("the analysis cannot be written here: {error}", error=error.strerror or error),
                file=place,
                remedy=Msg("choose a folder with room where you may write"),
            )
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place


def save_figure(figure: Figure, stem: Path) -> None:
    """``stem.svg`` and ``stem.png``, the same bytes for the same figure."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": "siteselect", "svg.fonttype": "path"}):
        figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(stem.with_suffix(".png"), dpi=150, metadata={"Software": None})


def _write_table(table: pd.DataFrame, stem: Path, show: Callable[[Msg], str]) -> None:
    """Messages as text in both files; geometry in Parquet only."""
    shown = table.copy()
    for column in shown.columns:
        if shown[column].map(lambda cell: isinstance(cell, Msg)).any():
            shown[column] = shown[column].map(
                lambda cell: show(cell) if isinstance(cell, Msg) else cell
            )
    if isinstance(shown, gpd.GeoDataFrame):
        shown.to_parquet(stem.with_suffix(".parquet"), index=False)
        shown = pd.DataFrame(shown.drop(columns="geometry"))
    else:
        _uniform(shown).to_parquet(stem.with_suffix(".parquet"), index=False)
    shown.to_csv(stem.with_suffix(".csv"), sep=";", decimal=",", index=False, encoding="utf-8-sig")


def _uniform(table: pd.DataFrame) -> pd.DataFrame:
    """A column that mixes numbers and text (figures of several runs) as text."""
    fixed = table.copy()
    for column in fixed.columns:
        if fixed[column].dtype == object:
            kinds = {type(cell) for cell in fixed[column] if cell is not None}
            if len(kinds) > 1:
                fixed[column] = fixed[column].map(lambda cell: None if cell is None else str(cell))
    return fixed


def _swap(temporary: Path, place: Path) -> None:
    if not place.exists():
        temporary.rename(place)
        return
    old = place.parent / f".{place.name}.{uuid4().hex[:8]}.old"
    place.rename(old)
    temporary.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _plain(tree: Any) -> Any:
    """JSON without NaN, tuples or messages."""
    if isinstance(tree, Mapping):
        return {str(key): _plain(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [_plain(item) for item in tree]
    if isinstance(tree, Msg):
        return str(tree)
    if isinstance(tree, float) and not math.isfinite(tree):
        return None
    if hasattr(tree, "item"):
        return _plain(tree.item())
    return tree
