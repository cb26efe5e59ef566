"""A small run that looks real: 60 sites in five made-up regions, with all that can go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import box

from siteselect.messages import Msg
from siteselect.pack import DataPack, Layer, Manifest
from siteselect.rulebook import open_rulebook
from siteselect.runs import Run, RunResult
from siteselect.scenario import Locks, Scenario

REGIONS = {
    "11": ("Île-de-France", (600e3, 6_800e3)),
    "32": ("Hauts-de-France", (600e3, 7_000e3)),
    "44": ("Grand Est", (850e3, 6_800e3)),
    "84": ("Auvergne-Rhône-Alpes", (800e3, 6_450e3)),
    "94": ("Corse", (1_180e3, 6_100e3)),
}
HOSTILE = (
    "<script>alert(1)</script>",
    '=cmd|"/c calc"!A1',
    '+33 Zone d\'activité "Les Prés"',
    "-- Friche</script><img src=x onerror=alert(2)>",
    "@SUM(A1:A9)",
    "\tTabulation",
    "{{ 7*7 }} & Cie; « suite »\nligne 2",
)
SELECTED, RESERVE = 12, 6


def layer(role: str, file: str, *, simulated: bool) -> Layer:
    return Layer(
        role=role,
        file=file,
        title=f"Couche {role} & compagnie",
        licence="Licence Ouverte 2.0",
        attribution="IGN, INSEE",
        vintage="2023",
        sha256="0" * 64,
        simulated=simulated,
        note="<b>note</b>",
    )


def make_pack(folder: Path) -> DataPack:
    rows = []
    for code, (name, (x, y)) in REGIONS.items():
        square = box(x - 100e3, y - 90e3, x + 100e3, y + 90e3)
        rows.append(("region", code, name, shapely.multipolygons([square])))
        west = box(x - 100e3, y - 90e3, x, y + 90e3)
        rows.append(("departement", code + "A", name + " ouest", shapely.multipolygons([west])))
    frame = pd.DataFrame(rows, columns=["level", "code", "name", "geometry"])
    gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:2154").to_parquet(
        folder / "outlines.parquet"
    )
    pd.DataFrame({"x": [600e3, 650e3, 700e3], "y": [6_800e3, 6_810e3, 6_800e3]}).to_parquet(
        folder / "road_nodes.parquet"
    )
    pd.DataFrame(
        {
            "tail": np.array([0, 1, 1], dtype=np.int32),
            "head": np.array([1, 0, 2], dtype=np.int32),
            "road_class": ["motorway", "motorway", "secondary"],
        }
    ).to_parquet(folder / "road_edges.parquet")
    layers = (
        layer("outlines", "outlines.parquet", simulated=False),
        layer("road_nodes", "road_nodes.parquet", simulated=False),
        layer("road_edges", "road_edges.parquet", simulated=False),
        layer("sites", "sites.parquet", simulated=True),
    )
    return DataPack(folder, Manifest(name="essai", title="Essai", crs="EPSG:2154", layers=layers))


def make_sites() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for i in range(60):
        code = list(REGIONS)[i % 5]
        region, (x0, y0) = REGIONS[code]
        # the first three lie almost on one another
        x, y = (
            (x0 + 40e3, y0) if i in (0, 5, 10) else np.array((x0, y0)) + rng.uniform(-80e3, 80e3, 2)
        )
        half = float(rng.uniform(80, 400))
        area = (2 * half) ** 2 / 1e4
        artificial = area * float(rng.uniform(0.2, 1.0))
        status = (
            "forced_in"
            if i == 3
            else "selected"
            if i < SELECTED
            else "reserve"
            if i < SELECTED + RESERVE
            else "forced_out"
            if i == 20
            else "excluded"
            if i > 55
            else "not_selected"
        )
        rank = i + 1 if i < SELECTED else i - SELECTED + 1 if i < SELECTED + RESERVE else None
        rows.append(
            {
                "site_id": f"S{i:03d}",
                "name": HOSTILE[i] if i < len(HOSTILE) else f"Friche n° {i} de l'Étang",
                "kind": ("brownfield", "extension", "greenfield")[i % 3],
                "code_insee": f"0{1000 + i}" if i % 4 else f"2A{i:03d}",
                "commune": f"Saint-Étienne-{i}",
                "epci": "200066389" if i % 7 else None,
                "epci_name": "CC du Pays & d'ailleurs" if i % 7 else None,
                "departement": "2A" if code == "94" else "01",
                "departement_name": "Corse-du-Sud" if code == "94" else "Ain",
                "region": code,
                "region_name": region,
                "area_ha": area,
                "usable_ha": artificial if i % 2 else area,
                "artificialised_ha": artificial,
                "impermeable_ha": artificial * 0.4,
                "non_artificialised_ha": area - artificial,
                "enaf_ha": (area - artificial) * 0.9,
                "new_artificialisation_ha": 0.0 if i % 2 else area - artificial,
                "cost_keur": area * 700,
                "variant": ("full", "reuse")[i % 2] if i < SELECTED + RESERVE else None,
                "motorway_min": 12.345 + i,
                "rail_freight_min": np.inf if code == "94" else 30.0 + i,
                "port_min": np.inf if i == 1 else 45.5,
                "airport_min": np.nan if i == 2 else 38.0,
                "station_min": 18.0,
                "snap_km": 0.4,
                "labour_30min": 120_345.0,
                "labour_45min": 310_000.0 + i,
                "labour_potential": 98_765.4,
                "substation_km": np.nan,
                "rail_km": 3.21,
                "score_access": 0.6,
                "score_workforce": 0.5,
                "score_network": 0.4,
                "score": 0.9 - i / 100,
                "reliability": 0.85,
                "land_origin": "measured",
                "geometry_origin": "polygon" if i % 2 else "disc",
                "status_source": "friche sans projet" if i % 3 == 0 else None,
                "stated_pollution": None,
                "status": status,
                "reason": "=Raison <b>hostile</b>" if i == 8 else f"raison {i}",
                "rank": rank,
                "replacement_cost": None,
                "geometry": box(x - half, y - half, x + half, y + half),
            }
        )
    frame = pd.DataFrame(rows)
    frame["rank"] = frame["rank"].astype("Int64")
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:2154")


def make_ledger() -> pd.DataFrame:
    rows = [("programme", "programme", "Programme", 85.5, 85.5, 0.0, 0.0, 0.0, "scénario")]
    for position, (code, (name, _)) in enumerate(REGIONS.items()):
        gross, restored = 20.0 + position, 17.1
        cap = np.nan if code == "94" else 30.0
        rows.append(
            (
                "region",
                code,
                name,
                gross,
                restored,
                gross - restored,
                cap,
                cap - gross + restored,
                "" if code == "94" else "hypothèse du scénario",
            )
        )
    columns = [
        "level",
        "code",
        "name",
        "gross_ha",
        "restored_ha",
        "net_ha",
        "cap_ha",
        "balance_ha",
        "cap_origin",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(period="2031-2041", regime="net-2031", vintage="2023 (simulé)")


def make_run(folder: Path) -> Run:
    sites = make_sites()
    scenario = Scenario(
        title="Référence </title><script>alert(3)</script>",
        description="Un essai.",
        count=SELECTED,
        reserve=RESERVE,
        locks=Locks(
            include=("S003",), exclude=("S020",), reasons={"S003": "=Vœu <i>du</i> préfet"}
        ),
    )
    measures = [m for g in ("access", "workforce", "network") for m in scenario.criteria.of(g)]
    contributions = pd.DataFrame(0.05, index=sites["site_id"], columns=measures)
    restoration = gpd.GeoDataFrame(
        {
            "parcel_id": ["R01", "R02"],
            "name": ["Ancien parking", HOSTILE[0]],
            "code_insee": ["01004", "2A004"],
            "commune": ["Ambérieu-en-Bugey", "Ajaccio"],
            "region": ["84", "94"],
            "region_name": ["Auvergne-Rhône-Alpes", "Corse"],
            "restored_ha": [60.25, 25.25],
            "area_ha": [61.0, 25.25],
            "cost_keur": [6_100.0, 2_525.0],
        },
        geometry=[box(800e3, 6_450e3, 801e3, 6_451e3), box(1_180e3, 6_100e3, 1_181e3, 6_101e3)],
        crs="EPSG:2154",
    )
    result = RunResult(
        status="optimal",
        objective=9_876_543,
        bound=9_876_543,
        gap=0.0,
        counts={"sites": 60, "excluded": 4, "selected": SELECTED, "reserve": RESERVE},
        totals={
            "usable_ha": 412.5,
            "new_artificialisation_ha": 85.5,
            "restored_ha": 85.5,
            "net_ha": 0.0,
            "cost_keur": 280_500.0,
            "restoration_cost_keur": 8_625.0,
            "brownfield_share": 0.34,
            "counterfactual_objective": 10_123_456.0,
            "price_of_zan": 246_913.0,
            "counterfactual_new_ha": 120.0,
            "counterfactual_kept": 9.0,
        },
        timings_s={"solve": 0.5},
        seed=1,
        versions={"siteselect": "0.1.0"},
    )
    status = sites["status"]
    listed = status.isin(["selected", "forced_in", "reserve"])
    run = Run(
        run_id="essai-0001",
        created=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        scenario=scenario,
        changes=(),
        pack=make_pack(folder),
        rulebook=open_rulebook("net-2031"),
        result=result,
        sites=sites,
        contributions=contributions,
        shortlist=sites[listed].reset_index(drop=True),
        ledger=make_ledger(),
        restoration=restoration,
        notices=(Msg("unknown"),),
    )
    return run


CREATED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("pack"))
