"""Roads of BD TOPO: every nature, importance, direction, state and access, on one line each.

Version 3: names of fields as public tools that read it have them, words of natures, states and
accesses from memory of IGN's description of content.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from siteselect.sources.plan import Input
from siteselect.sources.roads import ReadWays, read_roads

PLAIN: dict[str, object] = {
    "cleabs": "T",
    "nature": "Route à 1 chaussée",
    "importance": "3",
    "etat_de_l_objet": "En service",
    "acces_vehicule_leger": "Libre",
    "sens_de_circulation": "Double sens",
    "vitesse_moyenne_vl": 55,
}
SHORT = {"cleabs": "ID", "etat_de_l_objet": "ETAT", "acces_vehicule_leger": "ACCES_VL",
         "sens_de_circulation": "SENS", "vitesse_moyenne_vl": "VIT_MOY_VL"}  # fmt: skip
"""Names in the shapefile, of ten letters at most; the others are the same in capitals."""


def roads(folder: Path, *rows: dict[str, object], short: bool = False) -> ReadWays:
    full = [{**PLAIN, **row, "cleabs": f"T{k}"} for k, row in enumerate(rows)]
    lines = [shapely.LineString([(6e5, 6.6e6 + 50 * k), (6e5 + 90, 6.6e6 + 50 * k)])
             for k in range(len(full))]  # fmt: skip
    frame = gpd.GeoDataFrame(full, geometry=lines, crs="EPSG:2154")
    path = folder / ("TRONCON_DE_ROUTE.shp" if short else "bdtopo.gpkg")
    if short:
        frame = frame.rename(columns=lambda name: SHORT.get(name, name.upper()))
        frame = frame.rename(columns={"GEOMETRY": "geometry"}).set_geometry("geometry")
    frame.to_file(path)
    found = read_roads(path, Input(role="roads", file="f"))
    left_out = int((found.report["action"] == "left_out").sum())
    assert found.rows == len(rows) == len(found.ways.shapes) + left_out
    return found


@pytest.mark.parametrize("short", [False, True])
def test_every_nature(tmp_path: Path, short: bool) -> None:
    natures = {
        "Type autoroutier": "motorway",
        "Route à 2 chaussées": "secondary",
        "Route à 1 chaussée": "secondary",
        "Bretelle": "secondary",
        "Rond-point": "secondary",
        "Route empierrée": None,
        "Chemin": None,
        "Sentier": None,
        "Escalier": None,
        "Piste cyclable": None,
        "Bac ou liaison maritime": None,
    }
    found = roads(tmp_path, *({"nature": name} for name in natures), short=short)
    assert found.ways.road_class.tolist() == [kind for kind in natures.values() if kind]
    assert set(found.report["issue"]) == {"not_a_road"}
    assert not found.assumed


def test_importance_direction_and_speed(tmp_path: Path) -> None:
    found = roads(tmp_path, *({"importance": str(k), "vitesse_moyenne_vl": 0} for k in range(1, 7)))
    assert found.ways.road_class.tolist() == [
        "trunk", "primary", "secondary", "secondary", "unclassified", "unclassified"
    ]  # fmt: skip
    speed = found.ways.car_kmh.tolist()  # without a stated speed: that of the class, or so
    assert speed[3:] == [50.0, 40.0, 30.0]
    sens = ("Sens direct", "Sens inverse", "Double sens", "Sans objet")
    found = roads(tmp_path, *({"sens_de_circulation": word} for word in sens))
    assert found.ways.oneway.tolist() == [1, -1, 0, 0]
    assert found.ways.car_kmh.tolist() == [55.0] * 4


def test_roads_that_are_not_driven_on(tmp_path: Path) -> None:
    """Projects, works, ruins and roads closed to cars go out, and the reason is told."""
    found = roads(
        tmp_path,
        {"etat_de_l_objet": "En projet"},
        {"etat_de_l_objet": "En construction"},
        {"acces_vehicule_leger": "Physiquement impossible"},
        {"acces_vehicule_leger": "Restreint aux ayants droit"},
        {"acces_vehicule_leger": "A péage"},
        {},
    )
    assert len(found.ways.shapes) == 2
    assert found.report["value"].tolist() == [
        "route a 1 chaussee, en projet",
        "route a 1 chaussee, en construction",
        "route a 1 chaussee, physiquement impossible",
        "route a 1 chaussee, restreint aux ayants droit",
    ]
