from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteselect.errors import InputError
from siteselect.sources.delimited import Delimited, read_delimited


def read(tmp_path: Path, content: bytes | str, name: str = "t.csv") -> Delimited:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_delimited(path)


def complaint(tmp_path: Path, content: bytes | str) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    return str(caught.value)


ROWS = "id,nom\n1,Évry\n2,Œuilly\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, found: str) -> None:
    table = read(tmp_path, ROWS.encode(encoding))
    assert list(table.frame.columns) == ["id", "nom"]
    assert list(table.frame["nom"]) == ["Évry", "Œuilly"]
    assert table.encoding == found


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    table = read(tmp_path, f'a{separator}b{separator}c\n1{separator}"x,;|\t"{separator}3\n')
    assert table.separator == separator
    assert table.frame.loc[2].tolist() == ["1", "x,;|\t".strip(), "3"]


def test_gzip_by_content_whatever_the_name(tmp_path: Path) -> None:
    assert len(read(tmp_path, gzip.compress(ROWS.encode()), "t.csv").frame) == 2
    assert len(read(tmp_path, ROWS, "t.csv.gz").frame) == 2


def test_hint_to_excel_is_not_a_header(tmp_path: Path) -> None:
    assert list(read(tmp_path, "sep=;\nid;nom\n1;a\n").frame.columns) == ["id", "nom"]


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,nom\n1,"two\nlines"\n\n2,b\n')
    assert table.frame["id"].to_dict() == {2: "1", 4: "2"}
    assert table.frame.loc[2, "nom"] == "two\nlines"


def test_codes_stay_text_and_words_for_nothing_stay_words(tmp_path: Path) -> None:
    table = read(tmp_path, "code,a,b\n01004,NA,nan\n")
    assert table.frame.loc[2].tolist() == ["01004", "NA", "nan"]


def test_short_and_long_rows_are_handed_back(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n")
    assert list(table.frame.index) == [2, 5]
    assert table.damaged == {3: "1,2", 4: "1,2,3,4"}
    assert table.rows == 4


def test_an_unclosed_quote_damages_one_row_only(tmp_path: Path) -> None:
    lines = [f'{i},"nom {i}",z' for i in range(2, 50)]
    lines[3] = '5,"nom 5,z'
    table = read(tmp_path, "a,b,c\n" + "\n".join(lines) + "\n")
    assert table.damaged == {5: '5,"nom 5,z'}
    assert len(table.frame) == 47
    assert table.frame.loc[6].tolist() == ["6", "nom 6", "z"]


def test_an_unclosed_quote_that_happens_to_fit_is_seen(tmp_path: Path) -> None:
    # Taken as one record the two lines have three fields, the second of them holding a line.
    table = read(tmp_path, 'a,b,c\n1,"x,y\n2,w",z\n')
    assert table.rows == 2
    assert 2 in table.damaged


def test_quotes_escaped_by_a_backslash(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b,c\n1,"dit \\"La, Belle\\"",3\n2,"x ""y""",4\n')
    assert list(table.frame["b"]) == ['dit "La, Belle"', 'x "y"']
    assert not table.damaged


def test_a_few_bad_bytes_do_not_turn_accents_into_two_letters(tmp_path: Path) -> None:
    text = ("id,nom\n" + "1,Évreux\n" * 20).encode() + b"2,\xc9\n"
    table = read(tmp_path, text)
    assert table.encoding == "utf-8"
    assert table.frame["nom"].iloc[0] == "Évreux"


def test_cut_inside_a_letter(tmp_path: Path) -> None:
    content = "id,nom\n1,Évry\n2,Évry\n3,É".encode()[:-1]
    assert read(tmp_path, content).frame["nom"].iloc[1] == "Évry"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\n\n", "the file is empty"),
        (b"PK\x03\x04abc", "a spreadsheet or a zip archive"),
        (b"SQLite format 3\0\0\0", "a binary file"),
        (gzip.compress(ROWS.encode() * 100, mtime=0)[:-20], "truncated or damaged"),
        (b"\x1f\x8bnot a gzip", "truncated or damaged"),
        (",,\n1,2,3\n", "has no header"),
        ("id,Id,nom\n1,2,3\n", "two columns have one name: id"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes | str, expected: str) -> None:
    text = complaint(tmp_path, content)
    assert expected in text
    assert "t.csv" in text
    assert " — " in text  # a remedy


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: there is no such file"):
        read_delimited(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_delimited(tmp_path)


cell = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cell, cell, cell), max_size=8), st.sampled_from(",;\t|"))
def test_what_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], separator: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["alpha", "beta", "gamma"])
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("law") / "t.csv"
    path.write_bytes(out.getvalue().encode("utf-8"))
    table = read_delimited(path)
    assert table.rows >= len(rows)
    if not table.damaged:  # a cell that looks like rows behind an unclosed quote is reported
        assert table.frame.to_numpy().tolist() == [[c.strip() for c in row] for row in rows]
    else:
        assert any("\n" in c and c.count(separator) >= 2 for row in rows for c in row)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_table_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("law") / "t.csv"
    path.write_bytes(content)
    try:
        table = read_delimited(path)
    except InputError:
        return
    assert table.rows == len(table.frame) + len(table.damaged)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='ab,"\\\n\r', max_size=60))
def test_every_line_with_something_on_it_is_in_a_record(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    """No row is lost, whatever the quotes: each field of the file is found again."""
    path = tmp_path_factory.mktemp("law") / "t.csv"
    path.write_text("h1,h2,h3\n" + body, encoding="utf-8", newline="")
    table = read_delimited(path)
    told = "".join(table.damaged.values()) + "".join(table.frame.to_numpy().ravel())
    for letter in "ab":
        assert told.count(letter) == body.count(letter)
