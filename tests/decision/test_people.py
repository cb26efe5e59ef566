"""Equity and jobs, worked out by hand; figures that can be drawn."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from siteselect.analysis import save_figure, write_analysis
from siteselect.equity import by_territory, by_unemployment, equity, gini, herfindahl
from siteselect.errors import InputError
from siteselect.i18n import Translator
from siteselect.jobs import Density, JobSettings, jobs
from siteselect.messages import Msg
from siteselect.reopen import solved
from siteselect.report import plots
from tests.test_pipeline import mapping


def test_concentration_by_hand():
    assert herfindahl(np.array([1.0, 1.0, 2.0])) == 0.25**2 * 2 + 0.5**2
    # everything in one of two equal regions: half the square under the line of equality
    assert gini(np.array([4.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
    # sites follow the people
    assert gini(np.array([1.0, 3.0]), np.array([10.0, 30.0])) == pytest.approx(0)


def test_gini_is_the_mean_difference_over_twice_the_mean():
    """The other definition: Σ p_i p_k |r_i − r_k| / (2 r̄)."""
    g = np.random.default_rng(1)
    amounts, people = g.integers(1, 20, 6).astype(float), g.integers(1, 50, 6).astype(float)
    rate, share = amounts / people, people / people.sum()
    mean = amounts.sum() / people.sum()
    expected = sum(
        share[i] * share[k] * abs(rate[i] - rate[k]) for i in range(6) for k in range(6)
    ) / (2 * mean)
    assert gini(amounts, people) == pytest.approx(expected)


def test_equity_of_the_tiny_pack(tiny_pack):
    case = solved(mapping(tiny_pack))
    found = equity(case)
    regions = found.regions.set_index("region")
    assert regions["sites"].sum() == 4
    # communes 0-5 are region 11, 6-11 region 24, of 2 000 × (number + 1) inhabitants
    assert regions.loc["11", "population"] == 2_000 * 21
    assert regions.loc["24", "population"] == 2_000 * 57
    assert found.concentration["herfindahl"] == pytest.approx(((regions["sites"] / 4) ** 2).sum())
    reach = found.reach.set_index("minutes")
    # labour 1 000 … 12 000, 78 000 in all; everyone is within 45 min of one of four sites
    assert reach.loc[45, "workers"] == 78_000
    assert reach.loc[45, "share"] == 1
    assert any("unemployment" in str(notice) for notice in found.notices)


def test_a_site_in_two_territories_counts_in_both():
    chosen = pd.DataFrame(
        {"territoire_industrie_code": ["T1", "T1; T2", None], "usable_ha": [1.0, 2.0, 4.0]}
    )
    table = by_territory(chosen).set_index("territoire_industrie")
    assert table["sites"].to_dict() == {"T1": 2, "T2": 1, "—": 1}
    assert table["usable_ha"].to_dict() == {"T1": 3.0, "T2": 2.0, "—": 4.0}
    assert not len(by_territory(chosen[["usable_ha"]]))


def test_thirds_of_unemployment():
    communes = pd.DataFrame(
        {
            "code_insee": ["a", "b", "c"],
            "population": [10, 10, 10],
            "unemployment_rate": [5.0, 15.0, 10.0],
        }
    )
    chosen = pd.DataFrame({"code_insee": ["b", "b", "a"], "usable_ha": [1.0, 2.0, 4.0]})
    table = by_unemployment(chosen, communes).set_index("third")
    assert table.loc[1, "sites"] == 1
    assert table.loc[3, "sites"] == 0 or table["sites"].sum() == 3
    assert table["usable_ha"].sum() == 7.0


def test_jobs_are_hectares_times_density_and_multipliers():
    sites = pd.DataFrame(
        {"site_id": ["A", "B"], "name": ["a", "b"], "region_name": ["r", "r"],
         "usable_ha": [10.0, 4.0]}
    )  # fmt: skip
    settings = JobSettings(industry="x", densities={"x": Density(1, 20, 40)})
    table = jobs(sites, settings).set_index("site_id")
    assert table.loc["A", "direct_central"] == 200
    assert table.loc["B", "direct_low"] == 4
    assert table.loc["total", "direct_central"] == 280
    assert table.loc["total", "indirect_central"] == 420
    assert table.loc["total", "induced_central"] == 840
    assert table.loc["total", "all_central"] == 1540
    with pytest.raises(InputError, match="did you mean"):
        jobs(sites, JobSettings(industry="mixd"))
    with pytest.raises(InputError, match="negative"):
        jobs(sites, JobSettings(induced=-1))
    with pytest.raises(ValueError, match="density"):
        Density(3, 2, 1)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_figures_are_drawn_in_both_languages_and_reproduced(tmp_path, lang):
    t = Translator(lang)
    ids = [f"S{i}" for i in range(12)]
    frame = pd.DataFrame(
        {
            "site_id": ids, "name": ["même nom"] * 12, "replacement_cost": np.arange(12.0, 0, -1),
            "frequency": np.linspace(1, 0, 12), "low": np.linspace(0.9, 0, 12),
            "high": np.linspace(1, 0.1, 12), "selected": [True] * 6 + [False] * 6,
        }
    )  # fmt: skip
    figure = plots.replacement_plot(frame, t)
    bars = figure.axes[0].patches
    assert len(bars) == 12  # sites of the same name keep their own bar
    assert bars[-1].get_width() == 12  # the hardest to lose on top
    plain = plots.frequency_plot(frame, t)
    assert len({bar.get_facecolor() for bar in plain.axes[0].patches}) == 2
    front = plots.front_plot(
        pd.DataFrame({"score": [1.0, 2.0], "new_ha": [0.0, 5.0], "sites": ["", ""]}), t,
        labels=["a", "b"], run=[1.5, 2.0],
    )  # fmt: skip
    assert front.axes[0].get_xlabel() == "b"
    ticks = front.axes[0].get_xticks()
    shown = [front.axes[0].xaxis.get_major_formatter()(tick, 0) for tick in ticks]
    read = [float(text.replace("\u2212", "-").replace(",", ".")) for text in shown]
    assert read == pytest.approx(ticks)  # 2.5 is not shown as 3
    star = front.axes[0].collections[-1]  # where the run stands
    assert star.get_offsets().tolist() == [[2.0, 1.5]]
    for name in ("one", "two"):
        save_figure(plots.replacement_plot(frame, t), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert ET.parse(tmp_path / "one.svg").getroot().tag.endswith("svg")


def test_an_analysis_replaces_the_one_before_and_keeps_nothing_half_written(tmp_path):
    table = pd.DataFrame({"x": [1.5], "why": [Msg("kept")]})
    write_analysis(tmp_path, "a", facts={"n": float("nan")}, tables={"old": table})
    place = write_analysis(tmp_path, "a", facts={"n": 1}, tables={"new": table})
    assert {path.name for path in place.iterdir()} == {"analysis.json", "new.csv", "new.parquet"}
    text = (place / "new.csv").read_text(encoding="utf-8-sig")
    assert "1,5;kept" in text
    assert not list((tmp_path / "analysis").glob(".*"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_analysis(tmp_path / "file", "a", facts={}, tables={})
