"""Cells of a workbook, read from its XML: another reader than the library that wrote it.

Source: ECMA-376, Office Open XML, part 1 (SpreadsheetML).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Value = str | float | None
_COLUMN = re.compile(r"[A-Z]+")


def read_sheets(path: Path) -> dict[str, list[list[Value]]]:
    """Every sheet as rows of texts, numbers and None, by its name.

    Raises
    ------
    ValueError
        the file is no workbook, or a cell holds a formula: nothing in these files may run.
    """
    try:
        with ZipFile(path) as archive:
            strings = _strings(archive)
            return {
                name: _rows(archive, place, strings) for name, place in _places(archive).items()
            }
    except (BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise ValueError(str(error)) from error


def _places(archive: ZipFile) -> dict[str, str]:
    relations = {
        one.get("Id"): str(one.get("Target"))
        for one in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return {
        # a target is relative to xl/, or starts at the root of the archive
        str(sheet.get("name")): PurePosixPath("/xl", relations[sheet.get(RELATION)]).as_posix()[1:]
        for sheet in book.iter(f"{MAIN}sheet")
    }


def _strings(archive: ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    tree = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    return ["".join(part.text or "" for part in item.iter(f"{MAIN}t")) for item in tree]


def _rows(archive: ZipFile, place: str, strings: list[str]) -> list[list[Value]]:
    rows: list[list[Value]] = []
    with archive.open(place) as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag == f"{MAIN}row":
                number = int(element.get("r", len(rows) + 1))
                rows += [[] for _ in range(number - len(rows) - 1)]  # empty rows are not written
                rows.append(_row(element, strings))
                element.clear()
    return rows


def _row(element: ElementTree.Element, strings: list[str]) -> list[Value]:
    cells: list[Value] = []
    for one in element:
        if one.find(f"{MAIN}f") is not None:
            raise ValueError(f"{one.get('r')}: formula")
        at = _position(str(one.get("r")))
        cells += [None] * (at - len(cells))
        text = one.findtext(f"{MAIN}v")
        if one.get("t") == "inlineStr":
            cells.append("".join(part.text or "" for part in one.iter(f"{MAIN}t")))
            continue
        if text is None:
            cells.append(None)
        else:
            cells.append(strings[int(text)] if one.get("t") == "s" else float(text))
    return cells


def _position(reference: str) -> int:
    """``AB12`` → 27."""
    match = _COLUMN.match(reference)
    letters = match.group() if match else "A"
    found = 0
    for letter in letters:
        found = 26 * found + ord(letter) - 64
    return found - 1
