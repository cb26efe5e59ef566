"""Legend of the simulated land-use raster: OCS GE cover × use pairs."""

from __future__ import annotations

from enum import IntEnum

import pandas as pd


class Land(IntEnum):
    """Values of the raster; 0 is nodata."""

    WORKS_BUILDING = 1
    WORKS_PAVED = 2
    WORKS_MINERAL = 3
    WORKS_COMPOSITE = 4
    WORKS_GRASS = 5
    IDLE_BUILDING = 6
    IDLE_PAVED = 7
    IDLE_MINERAL = 8
    IDLE_COMPOSITE = 9
    IDLE_GRASS = 10
    IDLE_SHRUBS = 11
    IDLE_TREES = 12
    HOME_BUILDING = 13
    HOME_PAVED = 14
    HOME_GARDEN = 15
    HOME_TREES = 16
    ROAD = 17
    VERGE = 18
    TRACK = 19
    CROPS = 20
    VINES = 21
    HEDGE = 22
    BROADLEAF = 23
    CONIFERS = 24
    MIXED_WOOD = 25
    EARTHWORKS = 26
    SERVICED_GRASS = 27
    FARM_BUILDING = 28
    SHOP_BUILDING = 29
    SHOP_PAVED = 30
    SHOP_GRASS = 31


CODES: dict[Land, tuple[str, str, str]] = {
    Land.WORKS_BUILDING: ("CS1.1.1.1", "US2", "Bâtiment d'activité"),
    Land.WORKS_PAVED: ("CS1.1.1.2", "US2", "Cour ou parking d'activité"),
    Land.WORKS_MINERAL: ("CS1.1.2.1", "US2", "Sol minéral d'activité"),
    Land.WORKS_COMPOSITE: ("CS1.1.2.2", "US2", "Matériaux composites d'activité"),
    Land.WORKS_GRASS: ("CS2.2.1", "US2", "Herbe d'activité"),
    Land.IDLE_BUILDING: ("CS1.1.1.1", "US6.2", "Bâtiment abandonné"),
    Land.IDLE_PAVED: ("CS1.1.1.2", "US6.2", "Dalle ou cour abandonnée"),
    Land.IDLE_MINERAL: ("CS1.1.2.1", "US6.2", "Sol minéral abandonné"),
    Land.IDLE_COMPOSITE: ("CS1.1.2.2", "US6.2", "Matériaux composites abandonnés"),
    Land.IDLE_GRASS: ("CS2.2.1", "US6.2", "Friche herbacée"),
    Land.IDLE_SHRUBS: ("CS2.1.2", "US6.2", "Fourré sur friche"),
    Land.IDLE_TREES: ("CS2.1.1.1", "US6.2", "Boisement sur friche"),
    Land.HOME_BUILDING: ("CS1.1.1.1", "US5", "Bâtiment résidentiel"),
    Land.HOME_PAVED: ("CS1.1.1.2", "US5", "Cour résidentielle"),
    Land.HOME_GARDEN: ("CS2.2.1", "US5", "Jardin"),
    Land.HOME_TREES: ("CS2.1.1.1", "US5", "Arbres de jardin"),
    Land.ROAD: ("CS1.1.1.2", "US4.1.1", "Route"),
    Land.VERGE: ("CS2.2.1", "US4.1.1", "Accotement"),
    Land.TRACK: ("CS1.1.2.1", "US4.1.2", "Voie ferrée"),
    Land.CROPS: ("CS2.2.1", "US1.1", "Culture ou prairie"),
    Land.VINES: ("CS2.1.3", "US1.1", "Vigne ou verger"),
    Land.HEDGE: ("CS2.1.2", "US1.1", "Haie"),
    Land.BROADLEAF: ("CS2.1.1.1", "US1.2", "Bois de feuillus"),
    Land.CONIFERS: ("CS2.1.1.2", "US1.2", "Bois de conifères"),
    Land.MIXED_WOOD: ("CS2.1.1.3", "US1.2", "Bois mixte"),
    Land.EARTHWORKS: ("CS1.1.2.1", "US6.1", "Terrain terrassé"),
    Land.SERVICED_GRASS: ("CS2.2.1", "US6.1", "Terrain viabilisé en herbe"),
    Land.FARM_BUILDING: ("CS1.1.1.1", "US1.1", "Bâtiment agricole"),
    Land.SHOP_BUILDING: ("CS1.1.1.1", "US3", "Bâtiment tertiaire"),
    Land.SHOP_PAVED: ("CS1.1.1.2", "US3", "Parking tertiaire"),
    Land.SHOP_GRASS: ("CS2.2.1", "US3", "Espace vert tertiaire"),
}


def legend_table() -> pd.DataFrame:
    """``value, code_cs, code_us, label`` of every value the raster may hold."""
    rows = [(int(land), *CODES[land]) for land in Land]
    return pd.DataFrame(rows, columns=["value", "code_cs", "code_us", "label"])
