"""Land accounting on real figures: Métropole de Lyon, 58 communes, OCS GE 2017 and 2020, ENAF."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from siteselect.sources.landclasses import artificialisation_matrix, corine_legend
from siteselect.sources.landtake import caps, read_consumption
from siteselect.sources.opening import open_table
from siteselect.sources.plan import Input

pytestmark = pytest.mark.real
LYON = "200046977"


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "zan" / f"lyon_metropole_{name}.csv", dtype={"land_id": str})


def test_stock_and_flux_close(shared_real: Path) -> None:
    stock = table(shared_real, "ocsge_artif_stock_2017_2020")
    flux = table(shared_real, "ocsge_artif_flux_2017_2020").set_index(["land_type", "land_id"])
    held = stock.pivot_table(index=["land_type", "land_id"], columns="year", values="surface")
    net = flux["flux_artif"] - flux["flux_desartif"]
    assert net.to_numpy() == pytest.approx(flux["flux_artif_net"].to_numpy(), abs=1e-9)
    assert float(held.loc[("EPCI", LYON), 2017]) == pytest.approx(30_424.2, abs=0.05)
    assert float(held.loc[("EPCI", LYON), 2020]) == pytest.approx(30_573.5, abs=0.05)
    assert float(flux.loc[("EPCI", LYON), "flux_artif"]) == pytest.approx(201.84, abs=0.005)
    assert float(flux.loc[("EPCI", LYON), "flux_desartif"]) == pytest.approx(52.60, abs=0.005)
    # the change of stock is the net flux, to slivers of the outlines (0.051 ha of 149.24)
    change = held[2020] - held[2017]
    assert change.to_numpy() == pytest.approx(net.reindex(change.index).to_numpy(), abs=0.06)
    # communes add up to the EPCI
    for year in (2017, 2020):
        assert held.loc["COMM", year].sum() == pytest.approx(held.loc[("EPCI", LYON), year])


@pytest.mark.parametrize(("name", "column"), [("couverture", "code_cs"), ("usage", "code_us")])
def test_covers_and_uses_add_up_to_the_stock(shared_real: Path, name: str, column: str) -> None:
    """Both breakdowns are of the artificialised land: their codes are all in the matrix."""
    parts = table(shared_real, f"ocsge_{name}")
    stock = table(shared_real, "ocsge_artif_stock_2017_2020").set_index(["land_id", "year"])
    assert set(parts[name]) <= set(artificialisation_matrix()[column])
    total = parts.groupby(["land_id", "year"])["surface"].sum()
    assert total.to_numpy() == pytest.approx(
        stock["surface"].reindex(total.index).to_numpy(), abs=0.01
    )


def test_covers_never_artificialised_are_enclaves(shared_real: Path) -> None:
    """2 to 3 % of the stock is a cover that the matrix never counts: enclaves under 2,500 m²."""
    matrix = artificialisation_matrix()
    ever = set(matrix.loc[matrix["artif"] == 1, "code_cs"])
    covers = table(shared_real, "ocsge_couverture").query("land_type == 'EPCI' and year == 2020")
    enclaves = covers.loc[~covers["couverture"].isin(ever), "surface"].sum()
    assert 0.02 < enclaves / covers["surface"].sum() < 0.03


def test_enaf_closes_and_gives_the_cap(shared_real: Path) -> None:
    path = shared_real / "zan" / "lyon_metropole_conso_enaf_2009_2023.csv"
    raw = table(shared_real, "conso_enaf_2009_2023").query("land_type == 'COMM'")
    codes = sorted(raw["land_id"].unique())
    part = read_consumption(open_table(path), set(codes))
    # 15 rows of the EPCI and 2 years out of the periods are left out, one line each
    assert part.rows == 885
    assert part.left_out == 15 + 2 * 58
    yearly = part.table.groupby("year")["consumed_ha"].sum()
    assert yearly[yearly.index <= 2020].sum() == pytest.approx(827.74, abs=0.05)
    assert yearly[yearly.index > 2020].sum() == pytest.approx(149.89, abs=0.05)
    epci = raw_epci = table(shared_real, "conso_enaf_2009_2023").query("land_type == 'EPCI'")
    by_year = epci.set_index("year")["total"] / 1e4
    assert yearly.to_numpy() == pytest.approx(by_year.reindex(yearly.index).to_numpy(), abs=1e-6)
    assert len(raw_epci) == 15
    communes = gpd.GeoDataFrame(
        {"code_insee": codes, "name": codes, "epci": LYON, "epci_name": "Lyon"},
        geometry=gpd.points_from_xy(np.zeros(len(codes)), np.zeros(len(codes))),
    )
    one = Input(role="consumption", file="f", level="epci", reduction=0.5)
    row = caps(part.table, communes, one).iloc[0]
    assert row["communes"] == 58
    assert row["cap_ha"] == pytest.approx(0.5 * 827.74 - 149.89, abs=0.05)
    assert row["last_year"] == 2023
    # with the guarantee of 1 ha a commune pooled, never less
    pooled = caps(part.table, communes, one.model_copy(update={"pool_floor": True})).iloc[0]
    assert pooled["cap_ha"] > row["cap_ha"]


def test_tables_are_the_official_ones(shared: Path) -> None:
    """Matrix and CORINE proxy, value by value; the stars mark classes open to discussion."""
    official = pd.read_csv(shared / "tables" / "ocsge_artificialisation_matrix.csv")
    pd.testing.assert_frame_equal(
        artificialisation_matrix().astype(str), official.astype(str), check_dtype=False
    )
    proxy = pd.read_csv(shared / "tables" / "corine_land_cover_level3.csv", dtype=str)
    said = dict(zip(proxy["code"].astype(int), proxy["artif_proxy"].str[0], strict=True))
    legend = corine_legend().set_index("value")
    assert len(legend) == 44
    for value, row in legend.iterrows():
        assert row["artificialised"] == said.get(value, "0"), value
