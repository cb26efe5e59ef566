from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from siteselect.errors import InputError
from siteselect.sources.landclasses import artificialisation_matrix, classify_legend, read_legend


def whole_matrix() -> pd.DataFrame:
    matrix = artificialisation_matrix()
    return matrix.assign(value=np.arange(1, len(matrix) + 1))


def test_matrix_has_every_pair_once() -> None:
    matrix = artificialisation_matrix()
    assert matrix["code_cs"].nunique() == 14
    assert matrix["code_us"].nunique() == 20
    assert len(matrix) == 280
    assert not matrix.duplicated(["code_cs", "code_us"]).any()
    assert set(matrix["artif"]) == {0, 1}


def test_classes_of_the_whole_matrix_keep_the_laws() -> None:
    classes = classify_legend(whole_matrix())
    assert (classes.artificialised == artificialisation_matrix()["artif"]).all()
    assert (classes.impermeable <= classes.artificialised).all()
    assert not (classes.enaf.astype(bool) & classes.artificialised.astype(bool)).any()
    assert classes.impermeable.sum() == 2 * 20
    assert 0 < classes.enaf.sum() < 280


@pytest.mark.parametrize(
    ("cover", "use", "artificialised", "impermeable", "enaf"),
    [
        ("CS1.1.1.1", "US1.1", 1, 1, 0),  # a farm building
        ("CS1.1.2.1", "US1.3", 0, 0, 0),  # a quarry
        ("CS1.1.2.2", "US2", 1, 0, 0),
        ("CS2.1.1.1", "US1.2", 0, 0, 1),  # a forest
        ("CS2.1.1.1", "US2", 0, 0, 0),  # trees on an industrial plot
        ("CS2.2.1", "US1.1", 0, 0, 1),  # a meadow
        ("CS2.2.1", "US5", 1, 0, 0),  # a garden
        ("CS2.2.1", "US6.3", 0, 0, 1),
        ("CS2.2.1", "US6.2", 1, 0, 0),  # abandoned
    ],
)
def test_known_pairs(
    cover: str, use: str, artificialised: int, impermeable: int, enaf: int
) -> None:
    legend = pd.DataFrame({"value": [9], "code_cs": [cover], "code_us": [use]})
    classes = classify_legend(legend)
    assert (classes.artificialised[0], classes.impermeable[0], classes.enaf[0]) == (
        artificialised,
        impermeable,
        enaf,
    )


def test_values_are_found_whatever_the_order_of_the_legend() -> None:
    legend = pd.DataFrame(
        {"value": [7, 2], "code_cs": ["CS1.1.1.1", "CS2.2.1"], "code_us": ["US2", "US1.1"]}
    )
    classes = classify_legend(legend)
    codes = np.array([2, 7, 7])
    assert list(classes.artificialised[classes.find(codes)]) == [0, 1, 1]
    assert list(classes.knows(np.array([2, 3, 7]))) == [True, False, True]


def test_legend_is_read_as_text_and_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "legend.csv"
    path.write_text("﻿value,code_cs,code_us,label\n3,CS2.2.1,US1.1,Pré\n", encoding="utf-8")
    legend = read_legend(path)
    assert legend["value"].tolist() == [3]
    assert legend["label"].tolist() == ["Pré"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value,cs,code_us\n1,CS2.2.1,US2\n", "lacks the column code_cs"),
        ("value,code_cs,code_us\n1.5,CS2.2.1,US2\n", "not a whole number (value: '1.5')"),
        ("value,code_cs,code_us\n1,CS2.2.1,US2\n1,CS2.2.1,US2\n", "twice"),
        ("", "cannot be read"),
    ],
)
def test_broken_legends(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "legend.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_legend(path)
    assert expected in str(caught.value)


def test_missing_legend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        read_legend(tmp_path / "none.csv")
