"""A table as a planner saved it: CSV in any usual encoding and separator, plain or gzipped.

The records are split by Python's own csv reader, whose strictness suits: a record with the
wrong number of fields is handed back as damaged, never dropped and never shifted by a column,
and one unclosed quote does not swallow the rows after it.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from siteselect.errors import Fault, InputError
from siteselect.messages import Msg

SEPARATORS = ",;\t|"
MAX_BYTES = 2**30
"""Largest table read once unpacked: an archive that unpacks to more is refused."""
SHOWN_CHARACTERS = 80
_SEP_LINE = re.compile(r'\s*"?sep=.{0,3}\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Delimited:
    """A table of texts.

    Attributes
    ----------
    frame
        one row a record that could be read; every cell is text, stripped, "" when empty. The
        index is the number of the record, the header being 1, as a spreadsheet shows it.
    damaged
        records that could not be read: their number, and how they begin.
    encoding, separator
        what was found.
    """

    frame: pd.DataFrame
    damaged: dict[int, str]
    encoding: str
    separator: str

    @property
    def rows(self) -> int:
        """Records in the file, damaged or not, without the header."""
        return len(self.frame) + len(self.damaged)


def read_delimited(path: Path) -> Delimited:
    """Read a CSV (``.csv``, ``.csv.gz``): separator and encoding are found out.

    Raises
    ------
    InputError
        there is no such file, it is a truncated or wrong gzip, a spreadsheet or another binary
        file, it is empty, or two columns have one name.
    """
    text, encoding = _decode(_unpacked(path), path)
    lines = list(io.StringIO(text, newline=""))
    if lines and _SEP_LINE.fullmatch(lines[0]):  # a hint to Excel, not a header
        lines = lines[1:]
    separator = _separator(lines)
    records = _records(lines, separator)
    header = _header(records, path)
    frame, damaged = _split(records, header, separator)
    return Delimited(frame, damaged, encoding, separator)


# --- bytes ----------------------------------------------------------------------------------------


def _fault(path: Path, message: Msg, remedy: Msg) -> InputError:
    return InputError(Fault(message, file=path, remedy=remedy))


def _unpacked(path: Path) -> bytes:
    """The content, unpacked where it is a gzip by its first bytes, whatever its name."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _fault(
            path, Msg("there is no such file"), Msg("check the path of the file")
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _fault(
            path,
            Msg("the archive is truncated or damaged: {error}", error=error),
            Msg("download the file again"),
        ) from error
    except OSError as error:
        raise _fault(
            path,
            Msg("the file cannot be read: {error}", error=error.strerror or error),
            Msg("give the path of a CSV file that can be read"),
        ) from error
    if len(content) > MAX_BYTES:
        raise _fault(
            path,
            Msg("the file is larger than {most_mb} MB", most_mb=MAX_BYTES // 2**20),
            Msg("split it, or keep only the rows needed"),
        )
    return content


def _decode(content: bytes, path: Path) -> tuple[str, str]:
    """The text and its encoding."""
    export = Msg("export it as CSV (UTF-8) from the spreadsheet or from QGIS")
    if content.startswith(b"PK\x03\x04"):
        raise _fault(path, Msg("this is a spreadsheet or a zip archive, not a CSV"), export)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "utf-16"
    if b"\0" in content[:4096]:
        raise _fault(path, Msg("this is a binary file, not a CSV"), export)
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise _fault(path, Msg("the file is empty"), Msg("download the file again"))
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return _decode_damaged(content)


def _decode_damaged(content: bytes) -> tuple[str, str]:
    """Not quite UTF-8: a file cut inside a letter or with a few bad bytes, or Latin-1.

    One bad byte must not turn every accent of a UTF-8 file into two wrong letters.
    """
    text = content.decode("utf-8-sig", errors="replace")
    bad = text.count("�")
    accents = sum(character > "\x7f" for character in text) - bad
    cut = bad == 1 and text.endswith("�")
    if 5 * bad <= accents or (cut and accents):
        return text, "utf-8"
    try:
        return content.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


# --- records --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Record:
    number: int
    cells: list[str] | None
    """None where csv itself gave up."""
    lines: list[str]


class _Lines(Iterator[str]):
    """Lines that can be wound back."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


def _separator(lines: list[str]) -> str:
    """The one that splits the first line into most fields."""
    first = next((line for line in lines if line.strip()), "")
    return max(SEPARATORS, key=lambda mark: len(_cells(first, mark)))


def _cells(line: str, separator: str, **options: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, **options), [])  # type: ignore[arg-type]
    except csv.Error:
        return []


def _records(lines: list[str], separator: str) -> Iterator[_Record]:
    """Records with their number; the first one has number 1. Blank lines count, as on screen.

    The consumer checks each record before it asks for the next: a record that spans lines and
    turns out to be damaged is reported by its first line only, and reading goes on behind it.
    """
    source = _Lines(lines)
    number, width = 0, 0
    while source.at < len(lines):
        start, number = source.at, number + 1
        try:
            cells: list[str] | None = next(csv.reader(source, delimiter=separator))
        except (csv.Error, StopIteration):
            cells = None
        if source.at > start + 1 and width and not _plausible(cells, width, separator):
            source.at = start + 1
            cells = None
        if cells == []:
            continue
        width = width or len(cells or [])
        yield _Record(number, cells, lines[start : source.at])


def _plausible(cells: list[str] | None, width: int, separator: str) -> bool:
    """Whether a record over several lines is one record, not many behind an unclosed quote."""
    return (
        cells is not None
        and len(_trimmed(cells, width)) == width
        and not any("\n" in cell and cell.count(separator) >= width - 1 > 0 for cell in cells)
    )


def _header(records: Iterator[_Record], path: Path) -> list[str]:
    first = next(records, None)
    names = [cell.strip().strip('"﻿').strip() for cell in (first and first.cells) or []]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise _fault(path, Msg("the file has no header"), Msg("give a CSV with column names"))
    folded = [name.casefold() for name in names]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice:
        raise _fault(
            path,
            Msg("two columns have one name: {names}", names=", ".join(twice)),
            Msg("rename or remove one of them"),
        )
    return names


def _split(
    records: Iterator[_Record], header: list[str], separator: str
) -> tuple[pd.DataFrame, dict[int, str]]:
    """The records of the right width, and the damaged ones."""
    numbers: list[int] = []
    rows: list[list[str]] = []
    damaged: dict[int, str] = {}
    for record in records:
        cells = _repaired(record, len(header), separator)
        if cells is None:
            damaged[record.number] = "".join(record.lines).strip()[:SHOWN_CHARACTERS]
        else:
            numbers.append(record.number)
            rows.append([cell.strip() for cell in cells])
    index = pd.Index(numbers, name="row", dtype="int64")
    return pd.DataFrame(rows, columns=header, index=index, dtype="str"), damaged


def _trimmed(cells: list[str], width: int) -> list[str]:
    """Without the empty fields that some exporters put behind the last column."""
    return cells[:width] if not any(cells[width:]) else cells


def _repaired(record: _Record, width: int, separator: str) -> list[str] | None:
    """The fields of a record, or None where it does not have as many as the header."""
    if record.cells is not None:
        cells = _trimmed(record.cells, width)
        if len(cells) == width:
            return cells
    if '\\"' in record.lines[0]:  # quotes escaped by a backslash instead of doubled
        cells = _trimmed(_cells(record.lines[0], separator, escapechar="\\"), width)
        if len(cells) == width:
            return cells
    return None
