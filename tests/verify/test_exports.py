"""The auditor finds a figure that the files for people hold wrong, even under a new seal."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import openpyxl
import pytest

import siteselect
from siteselect.errors import VerificationError
from siteselect.pack import sha256_of
from siteselect.verify import verify_run
from siteselect.verify.workbook import read_sheets
from tests.tinypack import build_tiny_pack

SETTINGS = {
    "count": 4,
    "reserve": 3,
    "constraints": {"region_max": 3, "separation_km": 5.0},
    "zan": {"ledgers": [{"level": "region", "default_cap_ha": 5.0}]},
}


@pytest.fixture(scope="module", params=["fr", "en"])
def honest(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    build_tiny_pack(folder / "pack")
    scenario = {"pack": str(folder / "pack"), **SETTINGS}
    siteselect.run(scenario, out=folder / "run", cache=False, lang=request.param)
    return folder / "run"


@pytest.fixture
def copy(honest, tmp_path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def sealed(folder: Path, name: str) -> Path:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["outputs"][name] = sha256_of(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_an_honest_run_holds_its_values_everywhere(honest):
    said = [str(check) for check in verify_run(honest)]
    for name in ("shortlist.xlsx", "shortlist.gpkg", "shortlist_open.csv"):
        assert f"{name} holds the values of the canonical tables" in said


@pytest.mark.parametrize(("sheet", "row", "column"), [(1, 2, 15), (3, 9, 15), (4, 3, 4)])
def test_a_changed_cell_of_the_workbook(copy, sheet, row, column):
    path = copy / "shortlist.xlsx"
    book = openpyxl.load_workbook(path)
    cell = book.worksheets[sheet].cell(row, column)
    assert isinstance(cell.value, float | int)
    cell.value = cell.value + 0.01
    book.save(path)
    with pytest.raises(VerificationError, match=r"shortlist\.xlsx.*instead of"):
        verify_run(sealed(copy, path.name))


def test_a_formula_in_the_workbook(copy):
    path = copy / "shortlist.xlsx"
    book = openpyxl.load_workbook(path)
    book.worksheets[1].cell(2, 4).value = "=1+1"
    book.save(path)
    with pytest.raises(VerificationError, match="formula"):
        verify_run(sealed(copy, path.name))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE selected SET usable_ha = usable_ha + 0.01 WHERE fid = 1",
        "UPDATE candidates SET commune = 'Ailleurs' WHERE fid = 3",
        "UPDATE candidates SET geom = (SELECT geom FROM candidates WHERE fid = 1) WHERE fid = 2",
        "DELETE FROM reserve WHERE fid = 1",
    ],
)
def test_a_changed_feature_of_the_geopackage(copy, change):
    path = copy / "shortlist.gpkg"
    with sqlite3.connect(path) as connection:
        # the triggers of the spatial index need functions that only GIS libraries have
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(change)
    with pytest.raises(VerificationError, match=r"shortlist\.gpkg"):
        verify_run(sealed(copy, path.name))


def test_a_changed_figure_of_the_open_csv(copy):
    path = copy / "shortlist_open.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        head, *rows = list(csv.reader(stream))
    at = head.index("score")
    rows[0][at] = str(float(rows[0][at]) + 1e-5)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([head, *rows])
    with pytest.raises(VerificationError, match=r"shortlist_open\.csv"):
        verify_run(sealed(copy, path.name))


def test_the_workbook_is_read_as_another_reader_reads_it(honest):
    book = openpyxl.load_workbook(honest / "shortlist.xlsx")
    ours = read_sheets(honest / "shortlist.xlsx")
    assert list(ours) == book.sheetnames
    for sheet in book.worksheets[1:4]:
        for mine, theirs in zip(ours[sheet.title], sheet.iter_rows(values_only=True), strict=True):
            assert [value for value in mine if value is not None] == [
                value for value in theirs if value is not None
            ]
