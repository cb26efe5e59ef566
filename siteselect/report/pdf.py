"""PDF documents by Typst: tagged (PDF/UA-1), with fonts that come with the dependencies.

The texts of a run go to the template as data, never as markup: no name from an inventory can
change the document.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import matplotlib as mpl
import typst

from siteselect.runs import Run

TEMPLATES = Path(__file__).parent / "typst"
STANDARD: Final = "ua-1"


def fonts() -> Path:
    """Folder of the open fonts (DejaVu) that Matplotlib ships: the PDF embeds them."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf"


def write_pdf(
    name: str, data: Mapping[str, Any], images: Mapping[str, bytes], path: Path, run: Run
) -> None:
    """Write the document ``name`` (a template) filled with ``data``.

    ``images`` are the files that the template names (PNG or SVG). The file is dated as the run,
    so that the same run gives the same bytes. Raises OSError where it cannot be written.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        for template in ("common.typ", f"{name}.typ"):
            shutil.copy(TEMPLATES / template, place / template)
        for file, content in images.items():
            (place / file).write_bytes(content)
        (place / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        content = typst.compile(
            place / f"{name}.typ",
            root=place,
            font_paths=[fonts()],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=STANDARD,
            timestamp=int(run.created.timestamp()),
        )
    path.write_bytes(content)
