"""Sites over several communes: their land split by area, to the last hundredth of a hectare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import siteselect
from siteselect.errors import InputError, VerificationError
from siteselect.pack import DataPack, open_pack
from siteselect.report.levels import ledger_by_level
from siteselect.straddling import TERRITORIES, largest_remainder, nowhere, spread, straddled
from siteselect.verify import verify_run
from siteselect.verify.straddling import parts
from tests import tinypack


def split(units: int, weights: list[int]) -> list[int]:
    many = len(weights)
    return largest_remainder(
        np.full(many, units), np.array(weights), np.zeros(many, int), np.arange(many).astype(str)
    ).tolist()


@pytest.mark.parametrize(
    ("units", "weights", "expected"),
    [
        (100, [500_000, 500_000], [50, 50]),
        (101, [500_000, 500_000], [51, 50]),  # a tie: the first in order
        (10, [333_333, 333_333, 333_334], [3, 3, 4]),
        (7, [700_000, 200_000, 100_000], [5, 1, 1]),  # 4.9, 1.4, 0.7: two units to 0.9 and 0.7
        (0, [900_000, 100_000], [0, 0]),
        (1, [400_000, 600_000], [0, 1]),
    ],
)
def test_largest_remainder_by_hand(units: int, weights: list[int], expected: list[int]) -> None:
    assert split(units, weights) == expected


@given(
    st.lists(
        st.tuples(st.integers(0, 35_000), st.lists(st.integers(1, 10**6), min_size=1, max_size=6)),
        min_size=1,
        max_size=8,
    )
)
def test_parts_are_whole_sum_and_stay_within_one_unit(sites: list[tuple[int, list[int]]]) -> None:
    """Many sites at once; and the auditor, which counts in fractions, finds the same."""
    row = np.repeat(np.arange(len(sites)), [len(weights) for _, weights in sites])
    units = np.array([u for u, weights in sites for _ in weights])
    weight = np.concatenate([weights for _, weights in sites])
    code = np.array([f"{i:05d}" for _, weights in sites for i in range(len(weights))], dtype=object)
    found = largest_remainder(units, weight, row, code)
    for number, (whole, weights) in enumerate(sites):
        mine = found[row == number]
        assert mine.sum() == whole
        assert np.all(np.abs(mine - whole * np.array(weights) / sum(weights)) < 1)
        places = [({"code_insee": f"{i:05d}"}, w) for i, w in enumerate(weights)]
        assert [part for _, part in parts(whole, places)] == mine.tolist()


def test_rows_that_lie_in_one_commune_are_whole() -> None:
    frame = pd.DataFrame({"site_id": ["A", "B"], **{name: ["x", "y"] for name in TERRITORIES}})
    found = spread(frame, np.array([3, 4]), nowhere())
    assert found[["row", "units", "code_insee"]].to_numpy().tolist() == [[0, 3, "x"], [1, 4, "y"]]


@pytest.fixture
def astride(tiny_pack: Path) -> DataPack:
    """E-03 (commune 02003, region 11) lies for 30 % in 03006, which is in region 24."""
    return tinypack.add_straddling(tiny_pack)


SCENARIO = {
    "count": 2,
    "candidates": {"min_area_ha": 1.0},
    "variants": {"reuse": False},
    "locks": {"include": ["E-03"]},
    "constraints": {"region_min": 0, "region_max": 8},
    "zan": {
        "programme_cap_ha": None,
        "offsets": False,
        "ledgers": [{"level": "commune", "default_cap_ha": 20.0, "origin": "essai"}],
    },
}


def test_a_site_is_charged_where_it_lies(astride: DataPack, tmp_path: Path) -> None:
    """E-03 paves 7.2 ha: 5.04 ha in 02003 and its region, 2.16 ha in 03006 and its own."""
    run = siteselect.run({"pack": str(astride.folder), **SCENARIO}, out=tmp_path / "run", lang="en")
    chosen = run.sites[run.sites["status"].isin(["selected", "forced_in"])].set_index("site_id")
    assert chosen.loc["E-03", "new_artificialisation_ha"] == 7.2
    assert chosen.loc["E-03", "commune_shares"] == "02003 70 %, 03006 30 %"
    assert chosen.drop("E-03")["commune_shares"].isna().all()
    ledger = run.ledger.set_index(["level", "code"])["gross_ha"]
    other = chosen.drop("E-03").iloc[0]
    expected = {("commune", "02003"): 5.04, ("commune", "03006"): 2.16, ("region", "11"): 5.04,
                ("region", "24"): 2.16, ("programme", ""): 7.2}  # fmt: skip
    for level, column in (("commune", "code_insee"), ("region", "region"), ("programme", "")):
        key = (level, other[column] if column else "")
        expected[key] = expected.get(key, 0.0) + other["new_artificialisation_ha"]
    assert ledger.round(6).to_dict() == pytest.approx(expected)
    every = ledger_by_level(run).set_index(["level", "code"])["gross_ha"]
    mine = 0.0 if other["departement"] != "03" else other["new_artificialisation_ha"]
    assert every["departement", "03"] == pytest.approx(2.16 + mine)
    assert every[["departement"]].sum() == every[["epci"]].sum() == ledger["programme", ""]
    verify_run(tmp_path / "run")


def test_the_part_in_the_neighbour_is_held_to_its_cap(astride: DataPack, tmp_path: Path) -> None:
    """2.16 ha do not fit under 2.15 ha, though no site has its code there."""
    zan = {**SCENARIO["zan"]}
    for cap_ha, fits in ((2.16, True), (2.15, False)):
        zan["ledgers"] = [{"level": "commune", "caps_ha": {"03006": cap_ha}}]
        scenario = {**SCENARIO, "pack": str(astride.folder), "zan": zan}
        if fits:
            siteselect.run(scenario, out=tmp_path / "run")
            verify_run(tmp_path / "run", proof=True)  # rows of the proof are split too
        else:
            with pytest.raises(siteselect.InfeasibleError, match="03006"):
                siteselect.run(scenario)


def test_the_auditor_splits_by_itself(
    astride: DataPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose ledgers charge the whole site to its own commune is found out."""
    monkeypatch.setattr("siteselect.outcome.spread", lambda rows, units, _, **__: spread(
        rows, units, nowhere()))  # fmt: skip
    siteselect.run({"pack": str(astride.folder), **SCENARIO}, out=tmp_path / "run")
    with pytest.raises(VerificationError, match=r"commune 02003 is 7\.2, recomputed 5\.04"):
        verify_run(tmp_path / "run")


def test_a_project_of_national_scale_is_charged_to_no_territory(
    astride: DataPack, tmp_path: Path
) -> None:
    """Neither its part here nor its part there, in the ledgers and in the levels shown."""
    zan = {**SCENARIO["zan"], "pene": {"sites": ["E-03"], "cap_ha": 10.0, "origin": "essai"}}
    run = siteselect.run(
        {"pack": str(astride.folder), **SCENARIO, "zan": zan}, out=tmp_path / "run"
    )
    every = ledger_by_level(run).set_index(["level", "code"])["gross_ha"]
    assert every["pene", ""] == 7.2
    other = run.shortlist.query("status == 'selected' and site_id != 'E-03'").iloc[0]
    assert every[["epci"]].sum() == every[["departement"]].sum()
    assert every[["epci"]].sum() == other["new_artificialisation_ha"]
    verify_run(tmp_path / "run")


def test_shares_in_a_commune_that_the_pack_lacks(astride: DataPack) -> None:
    communes = open_pack(astride.folder).vectors("communes")
    with pytest.raises(InputError, match=r"E-03: sites lie in part .* '03006'"):
        straddled(astride, communes[communes["code_insee"] != "03006"])
